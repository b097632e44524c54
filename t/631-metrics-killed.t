#!/usr/bin/perl
# Workers that are killed under load: what /metrics says is what the log says,
# request by request, and each that died is counted; nothing that a client may
# choose makes a series.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Fault;
use Seoga::Metrics;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');

# -- killed under load --

my $kills = 0;
load_start(4, '/books', '/', '/books?q=kim', '/books/1101');
for (1 .. 12) {
	sleep 0.25;
	for my $prog (qw(books book)) {
		my ($pid) = pids($prog) or next;
		$kills += kill 'KILL', $pid;
	}
}
my ($requests, @failed) = load_stop();
is_deeply \@failed, [], 'no reader has noticed';
cmp_ok $kills, '>=', 20, "$kills workers were killed";
cmp_ok $requests, '>', 100, "of $requests requests";

my $m = settled();
my %logged;
$logged{$_->{prog}}++ for grep { $_->{ev} eq 'req.end' } log_lines();
for my $prog (qw(books book)) {
	my $counted = requests_of($prog);

	cmp_ok $counted, '<=', $logged{$prog}, "$prog: none too many";
	# Between its last line and its count a worker may have died.
	cmp_ok $counted, '>=', $logged{$prog} - $kills, 'none is lost';
	is metric_of($m, 'seoga_http_request_duration_seconds_count',
	    route => $prog, method => 'GET'), $counted, 'so says the time';
}
diag 'logged ', $logged{books} + $logged{book}, ', counted ',
    requests_of('books') + requests_of('book'), ", killed $kills";
is metric_of($m, 'seoga_worker_crashes_total', route => 'books') +
    metric_of($m, 'seoga_worker_crashes_total', route => 'book'), $kills,
    'each crash is counted, once';
is metric_of($m, 'seoga_worker_starts_total', route => 'books') +
    metric_of($m, 'seoga_worker_starts_total', route => 'book'), 5 + $kills,
    'and each start';
is metric_of($m, 'seoga_worker_crashes_total', route => 'cart'), 0,
    'others live on';
is alive($_), scalar(pids($_)), "$_: as many as there are"
    for qw(books book cart metrics);
is metric_of($m, 'seoga_workers', route => 'books', state => 'busy'), 0,
    'nobody is busy';

# -- told to end --

my $before = metrics();
seoga_ok('restart');
$m = settled();
is crashes($m), crashes($before), 'who is told to end has not crashed';
is metric_of($m, 'seoga_worker_starts_total', route => 'books'),
    metric_of($before, 'seoga_worker_starts_total', route => 'books') + 3,
    'others were started';
is alive('books'), 3, 'and are there';
cmp_ok requests_of('books'), '>=', $logged{books} - $kills,
    'what was counted stays';

# A job is a worker, too.
my ($relay) = seoga('status') =~ /^relay\s+pid (\d+)/m;
ok $relay, 'the relay runs';
kill 'KILL', $relay;
ok await(10, sub { $m = metrics();
	metric_of($m, 'seoga_worker_crashes_total', route => 'relay') == 1 }),
    'a job that was killed is counted';
ok await(10, sub { $m = metrics();
	metric_of($m, 'seoga_worker_starts_total', route => 'relay') == 2 }),
    'and started again';

# -- bounded --

my %series = map { $_ => 1 } series();
for my $n (1 .. 1000) {
	my $method = join '', map { ('A' .. 'Z')[rand 26] } 1 .. 8;

	http($n % 3 ? 'get' : $method, "/odd-$n/x?y=$n",
	    { headers => { 'User-Agent' => "odd $n",
	    'X-Request-Id' => "odd $n" } });
	http($method, '/books') if $n % 10 == 0;
}
my @new = grep { !$series{$_} } series();
is scalar(grep { !/route="books",method="other"|code="4\d\d"/ } @new), 0,
    'a thousand odd requests make no series'
    or diag explain \@new;
cmp_ok scalar(@new), '<=', 25, 'but those of other methods';
is metric_of(metrics(), 'seoga_http_requests_total', route => 'books',
    method => 'other', status => '4xx'), 100, 'which count';

# -- a file of no use --

my $file = site_dir() . '/var/run/metric';
cmp_ok -s $file, '>', 65536, 'the file';
is((stat $file)[2] & 0777, 0600, 'is for the site alone');

site_stop();
done_testing();

sub metrics {
	my $m = metrics_parse(private(get => '/metrics')->{content});

	is_deeply $m->{mistakes}, [], 'no mistakes' if @{$m->{mistakes}};
	return $m;
}

# When those that were killed were started again.
sub settled {
	my $m;

	await(20, sub {
		$m = metrics();
		alive('books', $m) == 3 && alive('book', $m) == 2;
	});
	return $m;
}

sub series {
	return map { /^([^#]*\}) / } split /\n/,
	    private(get => '/metrics')->{content};
}

sub requests_of {
	my ($prog) = @_;
	my $n = 0;

	$n += metric_of($m, 'seoga_http_requests_total', route => $prog,
	    method => 'GET', status => $_) // 0 for qw(2xx 3xx 4xx 5xx);
	return $n;
}

sub alive {
	my ($prog, $of) = @_;
	my $n = 0;

	$n += metric_of($of // $m, 'seoga_workers', route => $prog,
	    state => $_) // 0 for qw(busy idle);
	return $n;
}

sub crashes {
	my ($of) = @_;
	my $n = 0;

	$n += $of->{value}{$_}
	    for grep { /^seoga_worker_crashes/ } keys %{$of->{value}};
	return $n;
}
