#!/usr/bin/perl
# Each error page, of the programs and of nginx, in both languages, as a page
# and as a problem (RFC 9457).
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use IO::Socket::IP;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Reader;
use Seoga::Test;

expect_error(qr/"status":50[0234]/, qr/"path":"\/books/,
    qr/"ev":"(?:db|redis|cache)\./, qr/"status":500/);
site_start(limits => 'on');
seoga_ok('migrate', '--sample');

my %words = (
	en => { 400 => 'That could not be understood',
		403 => 'That is not allowed', 404 => 'There is no such page',
		405 => 'That does not work here', 409 =>
		'That cannot be done right now', 413 => 'That is too large',
		429 => 'Too many requests',
		500 => 'Something went wrong on our side',
		502 => 'A part of the site is not answering',
		503 => 'Part of the site is not available right now',
		504 => 'That took too long' },
	ko => {},
);
for my $status (keys %{$words{en}}) {
	local $ENV{LANGUAGE} = 'ko';
	my $said = slurp("$ENV{SEOGA_SRCDIR}/po/ko.po");
	($words{ko}{$status}) = map { decode_utf8($_) }
	    $said =~ /msgid "\Q$words{en}{$status}\E"\nmsgstr "(.+)"/;
}

# What every error page has.
sub error_page {
	my ($reader, $status, $lang, $name) = @_;

	subtest "$name, $lang" => sub {
		is $reader->status, $status, "status $status";
		my $html = $reader->html;
		like $html, qr{<html lang="$lang">}, 'the language';
		like $html, qr{<h1>\Q$words{$lang}{$status}\E</h1>},
		    'says what happened';
		like $html, qr{<title>\Q$words{$lang}{$status}\E - },
		    'in the title';
		like $html, qr{<p class="status">$status</p>}, 'the number';
		like $html, qr{<h2>[^<]+</h2>\s*<ul>\s*<li>[^<]+},
		    'what to do next';
		like $html, qr{href="/books"}, 'a way on';
		my $trace = $reader->trace;
		like $trace, qr/^[0-9a-f]{32}$/, 'a request id';
		is scalar(() = $html =~ m{<code>$trace</code>}g), 1,
		    'once on the page';
		unlike $html, qr{nginx|<!--#}i, 'in our own look';
		is $reader->header('cache-control'), 'no-store',
		    'not to be kept';
		is $reader->header('content-language'), $lang, 'labelled';
		like $reader->header('content-type'),
		    qr{^text/html; ?charset=utf-8$}i, 'HTML in UTF-8';
		like $reader->header('content-security-policy'),
		    qr/script-src 'none'/, 'no script';
		is_deeply [$reader->header('content-security-policy')
		    =~ /(default-src)/g], ['default-src'], 'said once';
	};
}

sub problem {
	my ($reader, $status, $lang, $name) = @_;

	subtest "$name, $lang, a problem" => sub {
		is $reader->status, $status, "status $status";
		like $reader->header('content-type'),
		    qr{^application/problem\+json}, 'its type';
		my $problem = eval { JSON::PP::decode_json($reader->bytes) };
		ok $problem, 'JSON' or diag $reader->bytes;
		is $problem->{status}, $status, 'the status in it';
		is $problem->{title}, $words{$lang}{$status}, 'the title';
		ok length $problem->{detail}, 'the detail';
		is $problem->{request_id}, $reader->trace, 'the request id';
	};
}

sub both {
	my ($name, $status, $code, $api) = @_;

	for my $lang (qw(en ko)) {
		my $reader = Seoga::Reader->new(lang => $lang);
		$code->($reader);
		error_page($reader, $status, $lang, $name);
		next if !$api;
		$reader = Seoga::Reader->new(lang => $lang,
		    headers => { Accept => 'application/json' });
		$api->($reader);
		problem($reader, $status, $lang, $name);
	}
}

sub get { my ($path) = @_; return sub { $_[0]->get($path) } }

# A socket says what no client would; gives the whole answer.
sub raw {
	my ($text) = @_;
	my ($host, $port) = url('') =~ m{//([^:/]+):(\d+)};
	my $socket = IO::Socket::IP->new(PeerAddr => $host,
	    PeerPort => $port) or die;

	print $socket $text;
	local $/;
	return decode_utf8(scalar(<$socket>) // '');
}

both('400 of a program', 400, get('/books?category=x'),
    get('/api/books?category=x'));
# nginx may not have read the header yet that would tell the language.
error_page(Seoga::Reader->new(lang => 'ko')->get('/', Long => 'x' x 9000),
    400, 'ko', '400 of nginx: a long header');
problem(Seoga::Reader->new(lang => 'ko')->get('/api/books',
    Long => 'x' x 9000), 400, 'ko', '400 of nginx: a long header');
like raw("GET / HTTP/1.1\r\nHost: a\r\nAccept-Language: en\r\nLong: "
    . 'x' x 9000 . "\r\nConnection: close\r\n\r\n"),
    qr{^HTTP/1.1 400 .*<html lang="en">.*<h1>That could not be}s,
    '400 of nginx: a long header, after the language';
error_page(Seoga::Reader->new(lang => 'ko')->get('/' . 'x' x 9000), 400,
    'ko', '400 of nginx: a long address');
both('403', 403, sub { $_[0]->post('/cart/clear', {}) });
both('403 of nginx', 403, get('/static/'));
both('404 of a program', 404, get('/lang/../books?category=99999'));
both('404 of nginx', 404, get('/nothing/here'), get('/api/nothing'));
both('404 of nginx, a static file', 404, get('/static/nothing.css'));
both('405 of a program', 405, sub { $_[0]->post('/books', {}) },
    sub { $_[0]->ask(delete => '/api/books') });
both('405 of nginx', 405, sub { $_[0]->post('/static/seoga.css', {}) });
both('413', 413, sub { $_[0]->post('/cart/add', 'x=' . 'x' x 70_000) },
    sub { $_[0]->post('/api/cart/add', 'x=' . 'x' x 70_000) });

subtest 'a book that is not there' => sub {
	my $reader = Seoga::Reader->new->get('/books/1');

	is $reader->status, 404, 'is a 404';
	like $reader->text, qr/There is no such book/, 'in its own words';
};

subtest 'what is no HTTP' => sub {
	like raw("GET / HTTP/1.1\r\n\r\n"), qr{^HTTP/1.1 400 .*<h1>}s,
	    'no Host';
	like raw("NONSENSE\r\n\r\n"), qr/400|<h1>/, 'no request';
	like raw("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close"
	    . "\r\n\r\n"), qr{^HTTP/1.1 400 .*<h1>}s, 'two hosts';
	like raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"),
	    qr{^HTTP/1.1 400 .*<h1>}s, 'no length';
	like raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
	    . "Transfer-Encoding: chunked\r\n\r\n"),
	    qr{^HTTP/1.1 400 .*<h1>}s, 'two lengths';
	like raw("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	    . "Transfer-Encoding: gzip\r\n\r\n"),
	    qr{^HTTP/1.1 500 .*<h1>}s, 'an encoding that nobody knows';
	like raw("DELETE /nothing HTTP/1.1\r\nHost: a\r\nConnection: close"
	    . "\r\n\r\n"), qr{^HTTP/1.1 404 .*<h1>}s, 'another method';
};

subtest 'the kind that was asked for' => sub {
	my $reader = Seoga::Reader->new;

	problem($reader->get('/nothing', Accept => 'application/json'), 404,
	    'en', 'JSON accepted');
	error_page($reader->get('/nothing', Accept => '*/*'), 404, 'en',
	    'anything');
	error_page($reader->get('/nothing', Accept =>
	    'text/html,application/json'), 404, 'en', 'a browser');
	problem($reader->get('/api', Accept => 'text/html'), 404, 'en',
	    'the API');
};

subtest 'an error page knows the reader' => sub {
	my $reader = Seoga::Reader->new;

	$reader->register(name => 'Known Reader');
	$reader->get('/books/1');
	is $reader->status, 404, 'a program\'s';
	like $reader->text, qr/Known Reader Sign out/, 'with the name';
	ok $reader->form('/logout')->{csrf}, 'and a form that works';
};

my $login = sub {
	my ($reader) = @_;

	# A stamp that all of one language wait for: five are let through.
	for (1 .. 7) {
		$reader->post('/login', {});
		last if $reader->status == 429;
	}
};
both('429 of nginx', 429, $login);
{
	my $reader = Seoga::Reader->new->post('/login', {});
	is $reader->header('retry-after'), 12, '429 says when to try again';
	problem($reader->post('/api/users/login', {}), 429, 'en', 'API, 429');
}

# --- from here on parts of the site are broken on purpose ---

my ($socket) = glob(site_dir() . '/var/run/lang-*.sock');
ok unlink($socket), 'the program lang cannot be reached';
both('502', 502, get('/lang?to=en'),
    sub { $_[0]->get('/lang?to=en') });
is http(get => '/lang?to=en')->{headers}{'retry-after'}, 5,
    '502 says when to try again';

{
	my @stopped = pids('cart-clear');
	kill 'STOP', @stopped;
	my $reader = Seoga::Reader->new(lang => 'ko');
	$reader->post('/cart/clear', {});
	kill 'CONT', @stopped;
	error_page($reader, 504, 'ko', '504');
	is $reader->header('retry-after'), 5, '504 says when to try again';
	like slurp(site_dir() . '/var/errors/504.en.html'),
	    qr{<h1>That took too long</h1>}, '504 in English';
}

sql('RENAME TABLE books TO books_away');
both('500', 500, get('/books/1101'), get('/api/books/1101'));
{
	my $reader = Seoga::Reader->new->get('/books/1101');
	my $said = $reader->html =~ s{<p class="cost">.*?</p>}{}sr;
	unlike $said, qr/SELECT|books_away|MariaDB|SQL/i,
	    'a 500 tells nothing of the inside';
	like $reader->text, qr/Your cart and your account are safe/,
	    'but what became of the reader\'s things';
}
sql('RENAME TABLE books_away TO books');
is http(get => '/books/1101')->{status}, 200, 'healed';

my $redis = slurp(site_dir() . '/var/run/redis.pid') + 0;
kill 'TERM', $redis;
await(5, sub { gone($redis) });
both('503', 503, get('/cart'), sub { $_[0]->get('/api/cart',
    Authorization => 'Bearer 01234567-89ab-4cde-8f01-23456789abcd') });
{
	my $reader = Seoga::Reader->new->get('/cart');
	cmp_ok $reader->header('retry-after'), '>', 0,
	    '503 says when to try again';
	like $reader->text, qr/Wait \d+ s, then try again\./, 'also to people';
	unlike $reader->text, qr/Wait a little/, 'who are told once';
}

site_stop();
done_testing();
