#!/usr/bin/perl
# `seoga otlp` and a collector that is away, slow, full, or talks nonsense:
# what may be sent again is, what may not is counted, and nothing is lost.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Collector;
use Seoga::Test;

site_start(otlp_ms => 1000);
seoga_ok('migrate', '--sample');
expect_error(qr/"ev":"otlp\.refused"/);
collector_start();

my $n = 0;

# A request whose trace is old enough to be sent; gives its id.
sub settled_request {
	my $id = sprintf '%08x%024x', 0xff000000 + ++$n, $$;

	http(get => '/books', { headers => { 'X-Request-Id' => $id } });
	sleep 4.5;
	return $id;
}

sub is_collected {
	my ($id) = @_;
	my %span = collected();

	return scalar grep { /^$id / } keys %span;
}

sub said {
	my ($event) = @_;

	return grep { $_->{ev} eq $event } log_lines();
}

export_once();		# what the start of the site left

# Each of them, and then a collector that takes it.
for my $case (['503', 'otlp.later', 503], ['429 1', 'otlp.later', 429],
    ['502', 'otlp.later', 502], ['504', 'otlp.later', 504],
    ['drop', 'otlp.later', 0], ['slow 3', 'otlp.later', 0]) {
	my ($mode, $event, $status) = @$case;
	my $id = settled_request();
	my $before = () = said($event);

	collector_mode($mode);
	is export_once(), '', "$mode: the job goes on";
	my @said = said($event);
	cmp_ok scalar(@said), '>', $before, 'and logs it';
	is $said[-1]{status}, $status, 'with the status';
	collector_mode('ok');
	sleep 2 if $mode =~ /slow/;
	export_once();
	ok is_collected($id), 'it is sent again';
}

{
	my $id = settled_request();

	collector_stop();
	is export_once(), '', 'no collector: the job goes on';
	like +(said('otlp.later'))[-1]{why}, qr/connect/i, 'and logs it';
	collector_start();
	export_once();
	ok is_collected($id), 'it is sent again';
}

for my $mode ('400', '401', '500', '302') {
	my $id = settled_request();
	my $before = () = posts();

	collector_mode($mode);
	export_once();
	my @said = said('otlp.refused');
	is $said[-1]{status}, $mode, "$mode: it is logged";
	cmp_ok $said[-1]{spans}, '>', 0, 'how many went';
	collector_mode('ok');
	export_once();
	ok !is_collected($id), 'nothing is sent again';
	is scalar(my @posts = posts()), $before + 1, 'but once';
}

{
	my $id = settled_request();

	collector_mode('partial 2');
	export_once();
	my @said = said('otlp.rejected');
	is $said[-1]{spans}, 2, 'some are rejected';
	is $said[-1]{why}, 'too many', 'and why';
	my $count = () = posts();
	export_once();
	is scalar(my @posts = posts()), $count, 'not sent again';
}

{
	my $id = settled_request();

	collector_mode('garbage');
	is export_once(), '', 'nonsense with status 200';
	ok is_collected($id), 'they were taken';
	my $count = () = posts();
	collector_mode('ok');
	export_once();
	is scalar(my @posts = posts()), $count, 'and not sent again';
}

subtest 'Retry-After' => sub {
	my $id = settled_request();
	my $count = () = posts();

	collector_mode('429 4');
	export_start();
	ok await(10, sub { my @posts = posts(); @posts > $count }),
	    'the collector is asked';
	sleep 2.5;
	is scalar(my @posts = posts()), $count + 1, 'and left alone';
	collector_mode('ok');
	ok await(15, sub { is_collected($id) }), 'until it wants more';
	@posts = posts();
	cmp_ok $posts[$count + 1]{at} - $posts[$count]{at}, '>=', 4,
	    'not sooner';
};

subtest 'killed again and again' => sub {
	my @ids;

	for (1 .. 4) {
		push @ids, map {
			sprintf '%08x%024x', 0xee000000 + ++$n, $$ } 1 .. 10;
		http(get => '/books', { headers => { 'X-Request-Id' => $_ } })
		    for @ids[-10 .. -1];
		sleep 1.5;
		export_stop('KILL');
		export_start();
	}
	ok await(80, sub { !grep { !is_collected($_) } @ids }),
	    'no trace is missing';
	export_stop();
};

subtest 'what went away unsent' => sub {
	my $before = () = said('otlp.lost');

	collector_mode('503 1');
	export_start();
	settled_request();
	ok await(20, sub { (posts())[-1]{status} == 503 }), 'it waits';
	my @blocks = split /\n/, redis('HKEYS', 'trace-blocks');
	redis('DEL', 'trace-blocks', map { "trace-block:$_" } @blocks);
	ok await(30, sub { my @lost = said('otlp.lost'); @lost > $before }),
	    'is told of';
	cmp_ok +(said('otlp.lost'))[-1]{spans}, '>', 0, 'and counted';
	collector_mode('ok');
	my $id = settled_request();
	ok await(40, sub { is_collected($id) }), 'and what comes is sent';
	export_stop();
};

is_deeply [map { @{$_->{mistakes}} } posts()], [],
    'every request was as the protocol has it';
collector_stop();
site_stop();
done_testing;
