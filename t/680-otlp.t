#!/usr/bin/perl
# `seoga otlp`: the spans that a collector gets are those that `seoga trace`
# shows, each once, in the form that OTLP demands.
use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Collector;
use Seoga::Reader;
use Seoga::Shop;
use Seoga::Test;

shop_start(workers => 1);
collector_start();

my $n = 0;
sub new_id { return sprintf '%08x%024x', 0xdd000000 + ++$n, $$ }

# -- what is asked for --

my ($buyer) = shop_buyers(1);
my ($book) = shop_books(1, 9);
my %id = map { $_ => new_id() } qw(books api order none called);
http(get => '/books', { headers => { 'X-Request-Id' => $id{books} } });
http(get => "/api/books/books/$book",
    { headers => { 'X-Request-Id' => $id{api} } });
http(get => '/none', { headers => { 'X-Request-Id' => $id{none} } });
http(get => "/books/$book", { headers =>
    { traceparent => "00-$id{called}-00f067aa0ba902b7-01" } });
my $order = ask(post => '/api/orders', $buyer, { recipient => 'Kim',
    phone => '010-1234-5678', postcode => '03925', address => 'Seoul',
    items => [{ book_id => 0 + $book, quantity => 1 }] },
    'Idempotency-Key' => 'otlp', 'X-Request-Id' => $id{order});
is $order->{status}, 201, 'an order';
ok await(10, sub {
	grep { $_->{trace} eq $id{order} && $_->{ev} eq 'event.sent' }
	    log_lines();
}), 'its event is sent';
sleep 5;

is export_once(), '', 'the exporter has nothing to say';
is $?, 0, 'and succeeds';

my %span = collected();
my %trace;
for my $spans (values %span) {
	push @{$trace{$_->{traceId}}}, $_ for @$spans;
}
is_deeply [map { @{$_->{mistakes}} } posts()], [],
    'every request is as the protocol has it';
is_deeply [grep { @{$span{$_}} > 1 } sort keys %span], [],
    'each span comes once';
is_deeply [grep { @{$_->{spans}} > 512 } posts()], [],
    'at most 512 in a request';
my ($first) = posts();
is $first->{resource}{'service.name'}, 'seoga', 'they are of Seoga';
ok $first->{resource}{$_}, "with $_" for qw(service.version host.name);

# -- as a tree --

sub flat {
	my (@spans) = @_;

	return map { ($_, flat(@{$_->{parts}})) } @spans;
}

for my $what (sort keys %id) {
	subtest "the request: $what" => sub {
		my @sent = @{$trace{$id{$what}} // []};
		my %sent = map { $_->{spanId} => $_ } @sent;
		my @roots = grep { !$sent{$_->{parentSpanId} // ''} } @sent;

		cmp_ok scalar(@sent), '>', 0, 'was sent';
		is scalar(@roots), 1, 'has one root';
		is $roots[0]{parentSpanId} // '',
		    $what eq 'called' ? '00f067aa0ba902b7' : '',
		    'called by nobody, or by who says so';
		my @shown = flat(@{JSON::PP::decode_json(
		    seoga('trace', '--json', $id{$what}))});
		my $view = sub {
			my ($start, $us, $span) = @_;

			return [$span->{id} // $span->{spanId},
			    $span->{parent} // $span->{parentSpanId} // '',
			    $span->{name}, "$start", "$us"];
		};
		is_deeply [sort { $a->[0] cmp $b->[0] } map { $view->(
		    substr($_->{startTimeUnixNano}, 0, -3),
		    ($_->{endTimeUnixNano} - $_->{startTimeUnixNano}) / 1000,
		    $_) } @sent],
		    [sort { $a->[0] cmp $b->[0] }
		    map { $view->($_->{start}, $_->{us}, $_) } @shown],
		    'is what `seoga trace` shows'
		    or diag explain \@sent, \@shown;
	};
}

my %kinds = map { $_->{name} => $_->{kind} } map { @$_ } values %span;
is $kinds{'GET /books'}, 2, 'a request is a server span';
is $kinds{'SELECT book.by_id'} // 3, 3, 'a statement is a client span';
my ($sent) = grep { $_->{kind} == 4 } @{$trace{$id{order}}};
ok $sent, 'an event that is sent is a producer span';
my ($edge) = grep { ($_->{attributes}{'http.request.method'} // '') eq 'GET' &&
    $_->{attributes}{'url.path'} eq '/none' } @{$trace{$id{none}}};
is $edge->{attributes}{'http.response.status_code'}, '404',
    'with attributes by the semantic conventions';
ok !$edge->{status}, 'a 404 is no error of the server';

# -- again --

my $count = posts();
is export_once(), '', 'once more';
is scalar(posts()), $count, 'there is nothing to send';
http(get => '/books', { headers => { 'X-Request-Id' => new_id() } })
    for 1 .. 700;
sleep 4.5;
is export_once(), '', 'many';
my @more = posts();
splice @more, 0, $count;
cmp_ok scalar(@more), '>', 3, 'in several requests';
is_deeply [grep { @{$_->{spans}} > 512 || $_->{size} > 1_000_000 } @more], [],
    'that are not too large';
is_deeply [map { @{$_->{mistakes}} } @more], [], 'each as it must be';
%span = collected();
is_deeply [grep { @{$span{$_}} > 1 } sort keys %span], [], 'each span once';
my %edges = map { $_->{trace} => 1 } access_lines();
my %known = map { (split)[0] => 1 } keys %span;
is_deeply [grep { !$known{$_} } keys %edges], [], 'and no trace is missing';

# -- with what a collector may want --

$ENV{SEOGA_OTLP_HEADERS} = 'Authorization=Bearer%20se77-cret%2C1,X-Team=books';
$ENV{SEOGA_OTLP_COMPRESSION} = 'gzip';
my $zipped = new_id();
http(get => '/books', { headers => { 'X-Request-Id' => $zipped } });
sleep 5;
is export_once(), '', 'with headers and gzip';
my $last = (posts())[-1];
is_deeply [@{$last->{headers}}{qw(authorization x-team content-encoding)}],
    ['Bearer se77-cret,1', 'books', 'gzip'], 'as it was told';
%span = collected();
ok scalar(grep { /^$zipped/ } keys %span), 'it is understood';
is_deeply [grep { slurp($_) =~ /se77/ } site_dir() . '/seoga.log',
    glob(site_dir() . '/var/{settings.json,log/*}')], [],
    'and what it was told is written nowhere';
for (['SEOGA_OTLP_HEADERS', 'nonsense', qr/is not like/],
    ['SEOGA_OTLP_COMPRESSION', 'zip', qr/must be gzip or none/]) {
	my ($name, $value, $message) = @$_;
	local $ENV{$name} = $value;

	like export_once(), $message, "$name=$value";
	isnt $?, 0, 'is a mistake';
}

collector_stop();
site_stop();
done_testing;
