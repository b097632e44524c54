#!/usr/bin/perl
# More traces than a host keeps: an even share of whole ones, and whatever
# went wrong.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Test;

my $per_s = 10;
my $asked = 600;

site_start(trace_per_s => $per_s);
seoga_ok('migrate', '--sample');

my $number = 0;

# The end varies most: it decides.
sub new_id { return sprintf '615%021x%08x', ++$number, rand 2**32 }

sub ask {
	my ($path) = @_;
	my $id = new_id();
	my $status = http(get => $path,
	    { headers => { 'X-Request-Id' => $id } })->{status};

	return ($id, $status);
}

sub texts {
	my ($keys) = @_;

	return map { redis('LRANGE', $_, 0, -1) } split /\n/, redis('KEYS', $keys);
}

# trace id => { event => how often }
sub kept {
	my %kept;

	for my $line (grep { length } map { split /\n/ }
	    texts('trace-block:*')) {
		my $is = decode_json($line);

		$kept{$is->{trace}}{$is->{ev}}++ if $is->{trace} =~ /^615/;
	}
	return \%kept;
}

my %sent;
my $start = time;
for my $n (1 .. $asked) {
	my ($id, $status) = ask('/api/books?limit=1');
	$sent{$id} = $status;
	sleep 0.3 if $n == 1; # alone, just before there are too many
}
my $seconds = time - $start;
my %failed;
for (1 .. 3) {
	my $id = new_id();
	my $reply = http(post => '/api/users/login', { headers => {
	    'X-Request-Id' => $id, 'Content-Type' => 'application/json' },
	    content => '{"username":"nobody","password":"not-this-one"}' });
	$failed{$id} = $reply->{status};
}
is_deeply [grep { $_ != 200 } values %sent], [], 'all were answered';
is_deeply [grep { $_ != 401 } values %failed], [], 'or refused';

ok await(10, sub {
	my $kept = kept();
	!grep { !$kept->{$_}{'req.end'} || !$kept->{$_}{'nginx.request'} }
	    keys %failed;
}), 'what warned is kept, each of them, and whole';

# nginx writes its lines up to a second late.
my ($kept, @ends);
await(10, sub {
	$kept = kept();
	@ends = grep { $kept->{$_}{'req.end'} } grep { $sent{$_} } keys %$kept;
	!grep { !$kept->{$_}{'nginx.request'} } @ends;
});
note sprintf '%d of %d kept in %.1f s', scalar(@ends), $asked, $seconds;
cmp_ok scalar(@ends), '>=', $per_s, 'some are kept';
# A second's worth at once, what comes before the share is known, then so many.
cmp_ok scalar(@ends), '<=', $asked / 2 + 4 * $per_s * (1 + $seconds),
    'the rest is not';
is_deeply [grep { !$kept->{$_}{'nginx.request'} } @ends], [],
    'each that is kept has its line of nginx';
is_deeply [grep { !$kept->{$_}{'req.end'} } keys %$kept], [],
    'no line of nginx stands alone';

my %logged = map { $_->{trace} => 1 } grep { $_->{ev} eq 'req.end' } log_lines();
is_deeply [grep { !$logged{$_} } keys %sent], [], 'the logs have all';

# Few again: each is kept.
ok await(10, sub {
	sleep 1;
	my ($id) = ask('/books');
	await(2, sub { kept()->{$id}{'nginx.request'} });
}), 'when there are few again, they are kept';

site_stop();
done_testing;
