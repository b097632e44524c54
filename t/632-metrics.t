#!/usr/bin/perl
# GET /metrics: Prometheus's text format and OpenMetrics, by Accept; what is
# counted as pages are asked for; and that only the private side has it.
use strict;
use warnings;

use File::Temp ();
use IO::Socket::INET;
use Sys::Hostname qw(hostname);
use Test::More;

use Seoga::Metrics;
use Seoga::Test;

site_start(limits => 'on');
seoga_ok('migrate', '--sample');


# -- the formats --

my $page;
ok await(30, sub {
	$page = private(get => '/metrics');
	$page->{content} =~ /^seoga_gauges_set/m;
}), 'the recorder has set its gauges';
is $page->{status}, 200, 'the private side has it';
is $page->{headers}{'content-type'},
    'text/plain; version=0.0.4; charset=utf-8', 'as text';
is $page->{headers}{'cache-control'}, 'no-store', 'for now';
my $m = metrics_parse($page->{content});
is_deeply $m->{mistakes}, [], 'the text format is right';
cmp_ok scalar(keys %{$m->{value}}), '>', 200, 'and has many series';
is promtool($page->{content}), '', 'promtool has nothing to say';

my $open = private(get => '/metrics', { headers => {
    Accept => 'application/openmetrics-text' } });
is $open->{headers}{'content-type'},
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
    'OpenMetrics for who names it';
my $o = metrics_parse($open->{content}, 'open');
is_deeply $o->{mistakes}, [], 'and it is right';
my %told = map { $_ => 1 } map { /`(seoga_\w+)`/g }
    grep { /^\| `seoga_/ } split /\n/,
    slurp("$ENV{SEOGA_SRCDIR}/doc/metrics.md");
is_deeply [sort keys %{$m->{type}}], [sort keys %told],
    'what there is is what doc/metrics.md tells of';

# What is counted just now may begin between the two.
is_deeply [sort grep { !/route=|code=/ } keys %{$o->{value}}],
    [sort grep { !/route=|code=/ } keys %{$m->{value}}],
    'both have the same series';
is metric_of($m, 'seoga_db_up'), 1, 'MariaDB is there';
is metric_of($m, 'seoga_redis_up'), 1, 'and Redis';
cmp_ok metric_of($m, 'seoga_db_connections'), '>', 0, 'which is in use';
cmp_ok metric_of($m, 'seoga_memory_bytes'), '>', 20e6, 'that is memory';
cmp_ok metric_of($m, 'seoga_memory_bytes'), '<', 1e9, 'in bytes';
is python_parser($open->{content}), '', 'the parser of Python takes it';
is scalar(grep { !$m->{help}{$_} } keys %{$m->{type}}), 0, 'all have help';

my @accepts = (
	['', 'text'], ['*/*', 'text'], ['text/plain', 'text'],
	['text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'text'],
	['application/openmetrics-text;version=1.0.0,'
	    . 'application/openmetrics-text;version=0.0.1;q=0.75,'
	    . 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'open'],
	['application/openmetrics-text; version=1.0.0; charset=utf-8', 'open'],
	['APPLICATION/OpenMetrics-Text ; q=1.0', 'open'],
	['application/openmetrics-text;version=0.0.1', 'text'],
	['application/openmetrics-text;q=0', 'text'],
	['application/openmetrics-text;q=0.4, text/plain;q=0.5', 'text'],
	['application/openmetrics-text;q=0.4, */*', 'text'],
	['application/openmetrics-text;q=0.4, text/plain;q=0.3, */*', 'open'],
	['application/openmetrics-text;q=0.4, text/*;q=0.1, */*', 'open'],
	['application/openmetrics-text;q=2', 'text'],
	['application/openmetrics-text;q=' . '0' x 300, 'text'],
	[',,;;=q, ;', 'text'],
);
for (@accepts) {
	my ($accept, $format) = @$_;
	my $answer = private(get => '/metrics', {
	    headers => { Accept => $accept } });

	like $answer->{headers}{'content-type'},
	    $format eq 'open' ? qr{^application/open} : qr{^text/plain},
	    "Accept: $accept";
}

# -- it counts --

my $before = figures();
http(get => '/books') for 1 .. 3;
http(get => '/books/999999');
http(post => '/cart/add', { content => 'x=1' });
http(head => '/books');
my $after = figures();
rises(4, 'seoga_http_requests_total', route => 'books', method => 'GET',
    status => '2xx');
rises(1, 'seoga_http_requests_total', route => 'book', method => 'GET',
    status => '4xx');
rises(1, 'seoga_http_requests_total', route => 'cart-add', method => 'POST',
    status => '4xx');
rises(4, 'seoga_http_request_duration_seconds_count', route => 'books',
    method => 'GET');
rises(1, 'seoga_http_requests_total', route => 'metrics', method => 'GET',
    status => '2xx');
cmp_ok metric_of($after, 'seoga_http_request_duration_seconds_sum',
    route => 'books', method => 'GET'), '<', 2, 'in seconds';
for my $what (qw(sql redis)) {
	cmp_ok metric_of($after, "seoga_${what}_duration_seconds_count"), '>',
	    metric_of($before, "seoga_${what}_duration_seconds_count"),
	    "$what is counted";
	is metric_of($after, "seoga_${what}_errors_total"), 0, 'no errors';
}
is metric_of($after, 'seoga_workers', route => 'metrics', state => 'busy'), 1,
    'who answers is busy';
is metric_of($after, 'seoga_workers', route => 'books', state => 'idle'), 3,
    'others are idle';
is metric_of($after, 'seoga_worker_starts_total', route => 'books'), 3,
    'and were started once';
is metric_of($after, 'seoga_breaker_open', backend => $_), 0, "$_ is there"
    for qw(mariadb redis);

# -- only there --

for my $path (qw(/metrics /nginx_status)) {
	is http(get => $path)->{status}, 404, "the public side has no $path";
	is private(get => $path)->{status}, 200, 'the private side has';
}
like private(get => '/nginx_status')->{content}, qr/^Active connections: \d/,
    'the page of nginx';
my ($port) = private_url('') =~ /:(\d+)$/;
my $private = "127.0.0.1:$port";
for my $headers (["Host: $private"], ["Host: localhost:$port"], ['Host:'],
    ['Host: x', "X-Forwarded-Host: $private", "X-Forwarded-Port: $port",
    'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Proto: http',
    "Forwarded: for=127.0.0.1;host=\"$private\""],
    ['Host: x', 'X-Original-URL: /metrics', 'X-Rewrite-URL: /metrics',
    'X-Accel-Redirect: /metrics', 'X-Side: private', 'Side: private',
    'Cookie: side=private; unlimited=1', 'X-Real-IP: 127.0.0.1']) {
	is status_of('GET /metrics HTTP/1.1', @$headers), 404,
	    join ', ', 'public', @$headers;
}
for my $line ('GET /metrics HTTP/1.0', "GET http://$private/metrics HTTP/1.1",
    'GET //metrics HTTP/1.1', 'GET /%6detrics HTTP/1.1',
    'GET /static/../metrics HTTP/1.1', 'GET /./metrics HTTP/1.1',
    'GET /books/../metrics HTTP/1.1', 'GET /metrics?side=private HTTP/1.1',
    'GET /metrics?&side=private&arg_side=private HTTP/1.1',
    'HEAD /metrics HTTP/1.1', 'POST /metrics HTTP/1.1',
    'OPTIONS /metrics HTTP/1.1', 'GET /_error/200.json HTTP/1.1',
    "GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    . 'GET /metrics HTTP/1.1') {
	my $answer = raw($line, $line =~ m{/1\.0$} ? () : "Host: $private");

	unlike $answer, qr/seoga_http/, ($line =~ s/\r\n.*//sr) . ' in public';
	like $answer, qr{^HTTP/1\.[01] 40[045] }, 'is refused';
}
is http(get => '/metrics/')->{status}, 404, 'nor one below it';

# Nor for what another site's page lets a browser on this machine do.
is private($_ => '/metrics', { headers => { Origin => 'http://evil.example' } })
    ->{status}, 403, "$_ with an origin" for qw(get post);

# Nor by a name that another site has made lead to this address; what is an
# address, this machine's own name, or has no dot is nobody else's.
my $own = hostname();
for my $path (qw(/metrics /nginx_status)) {
	is private_status("GET $path HTTP/1.1", "Host: $_"), 403, "$path at $_"
	    for 'evil.example', "evil.example:$port", "127.0.0.1.evil.example",
	    "127.0.0.1.evil.example:$port", 'localhost.evil.example',
	    "$own.evil.example", "evil.example.$own.", 'localhost.:80',
	    '[::1].evil.example', '1e.2', "[::1]evil.";
	is private_status("GET $path HTTP/1.1", "Host: $_"), 200, "$path at $_"
	    for $private, '127.0.0.1', '10.0.0.5:9180', '[::1]', "[::1]:$port",
	    '[::ffff:127.0.0.1]', 'localhost', "localhost:$port", 'LOCALHOST',
	    'seoga-1', $own, "$own:$port", uc $own;
	is private_status("GET $path HTTP/1.0"), 200, "$path without a host";
}
is private_status('POST /alerts HTTP/1.1', 'Host: evil.example',
    'Content-Length: 0'), 403, 'nor alerts';

# Pages are not without limits there.
my @asked = map { private(post => '/login')->{status} } 1 .. 8;
is scalar(grep { $_ == 429 } @asked), 3, 'the rest is limited as always';
is scalar(grep { private(get => '/metrics')->{status} == 200 } 1 .. 250), 250,
    'the figures are not';

site_stop();
done_testing();

sub figures {
	return metrics_parse(private(get => '/metrics')->{content});
}

sub rises {
	my ($by, $name, %labels) = @_;

	is metric_of($after, $name, %labels) -
	    (metric_of($before, $name, %labels) // 0), $by,
	    join ' ', "$name rises by $by:", %labels;
}

# What it does not like of a text.
sub promtool {
	my ($text) = @_;

	return piped($text, 'promtool', 'check', 'metrics');
}

sub python_parser {
	my ($text) = @_;

	return piped($text, 'python3', '-c', <<'PYTHON');
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    if not family.documentation:
        print(family.name, "has no help")
PYTHON
}

sub piped {
	my ($text, @command) = @_;
	my $file = File::Temp->new;

	print $file $text;
	close $file;
	open my $out, '-|', '/bin/sh', '-c', 'file=$1; shift; "$@" <$file 2>&1',
	    'sh', "$file", @command or die "@command: $!\n";
	local $/;
	my $said = <$out> // '';
	close $out;
	return $said;
}

# What the public side answers to exactly this.
sub raw {
	my (@lines) = @_;
	my ($at) = url('') =~ /:(\d+)$/;

	return raw_at($at, @lines);
}

sub private_status {
	my ($status) = raw_at($port, @_) =~ m{^HTTP/1\.[01] (\d+)};

	return $status;
}

sub raw_at {
	my ($at, @lines) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
	    PeerPort => $at, Timeout => 5) or die "connect: $!\n";

	print $socket join("\r\n", @lines, 'Connection: close', '', '');
	local $/;
	return scalar(<$socket>) // '';
}

sub status_of {
	my ($status) = raw(@_) =~ m{^HTTP/1\.[01] (\d+)};

	# A request without a host is none.
	return ($status // 0) == 400 ? 404 : $status;
}
