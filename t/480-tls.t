#!/usr/bin/perl
# The site with TLS: which versions, where http leads, cookies that belong to
# https alone, and a reader's whole way through it.
use strict;
use warnings;

use IO::Socket::INET;
use Test::More;

use Seoga::Test;

my $dir = File::Temp->newdir('seoga-tls-XXXXXX', DIR => '/tmp');
plan skip_all => 'there is no openssl'
    if system('openssl version >/dev/null 2>&1') != 0;
is system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
    . "-nodes -days 2 -subj /CN=localhost "
    . "-addext subjectAltName=DNS:localhost "
    . "-keyout $dir/key.pem -out $dir/cert.pem 2>/dev/null"), 0,
    'a certificate of our own';
my $tls_port = IO::Socket::INET->new(Listen => 1,
    LocalAddr => '127.0.0.1')->sockport;
site_start(tls_cert => "$dir/cert.pem", tls_key => "$dir/key.pem",
    tls_port => $tls_port);
seoga_ok('migrate', '--sample');
my $base = "https://localhost:$tls_port";
my ($port) = seoga('env') =~ /^SEOGA_PORT=(\d+)$/m;
my $book = sql('SELECT id FROM books WHERE stock_quantity > 5
    ORDER BY id LIMIT 1') =~ s/\s//gr;

# curl with a jar of cookies; gives head and body.
sub curl {
	open my $out, '-|', 'curl', '-sS', '-i', '--cacert', "$dir/cert.pem",
	    '-b', "$dir/jar", '-c', "$dir/jar", '-H', 'Accept-Language: en',
	    @_ or die "curl: $!\n";
	local $/;
	return scalar(<$out>) // '';
}

sub status_of { return ($_[0] =~ m{^HTTP/\S+ (\d+)})[0] // 0 }

sub csrf_of { return ($_[0] =~ /name="csrf" value="([^"]+)"/)[0] // '' }

# What openssl says of a handshake.
sub handshake {
	my (@options) = @_;

	open my $out, '-|', '/bin/sh', '-c',
	    'exec openssl s_client "$@" 2>&1 </dev/null', 'sh',
	    '-connect', "localhost:$tls_port", @options or die;
	local $/;
	return scalar(<$out>) // '';
}

is url(''), $base, 'the address of the site is https';

subtest 'the private side is not here' => sub {
	is private(get => '/metrics')->{status}, 200, 'it is without TLS';
	for my $how ('--http1.0', '--http1.1', '--http2') {
		my $answer = curl($how, '-H', 'X-Forwarded-Port: 9180',
		    "$base/metrics");
		is status_of($answer), 404, "curl $how";
		unlike $answer, qr/seoga_http/, 'no figures';
	}
};

subtest 'versions' => sub {
	for my $version ('1.2', '1.3') {
		my $option = '-tls' . $version =~ tr/./_/r;
		like handshake($option, '-CAfile', "$dir/cert.pem"),
		    qr/New,\ TLSv\Q$version\E,\ Cipher\ is\ [A-Z].*
		    Verify\ return\ code:\ 0/sx,
		    "TLS $version";
	}
	for my $version ('1', '1_1') {
		my $said = handshake("-tls$version", '-cipher',
		    'ALL:@SECLEVEL=0');
		like $said, qr/alert protocol version/, "not TLS $version";
		like $said, qr/Cipher is \(NONE\)/, 'nothing is agreed';
	}
	like handshake('-tls1_2', '-cipher', 'NULL:eNULL:aNULL:@SECLEVEL=0'),
	    qr/Cipher is \(NONE\)/, 'nor a cipher that is none';
};

subtest 'http leads to https' => sub {
	for my $path ('/', '/books?q=a%20b&sort=price', '/cart/add',
	    '/api/books', '/static/seoga.css') {
		my $got = curl("http://localhost:$port$path");

		is status_of($got), 308, "$path: moved for good";
		like $got, qr/^Location: \Q$base$path\E\r$/m,
		    "$path: to the same";
		unlike $got, qr/^strict-transport-security/mi,
		    "$path: HSTS is for https to say";
	}
};

subtest 'headers' => sub {
	for my $path ('/books', '/api/health', '/static/seoga.css', '/no') {
		my $got = curl("$base$path");

		like $got, qr/^strict-transport-security: max-age=(\d{8,})/mi,
		    "$path: HSTS";
		my @times = $got =~ /^strict-transport-security/mig;
		is scalar(@times), 1, "$path: once";
	}
};

# The cookies that an answer sets, each checked.
sub cookies_are_safe {
	my ($got, $what) = @_;
	my @cookies = $got =~ /^set-cookie: ([^\r\n]+)/mig;

	cmp_ok scalar(@cookies), '>', 0, "$what: sets a cookie";
	for my $cookie (@cookies) {
		my ($name) = $cookie =~ /^([^=]+)/;

		like $cookie, qr/^__Host-/, "$what: $name is of this host";
		like $cookie, qr/; ?Secure/i, "$what: $name is Secure";
		like $cookie, qr/; ?HttpOnly/i, "$what: $name is HttpOnly";
		like $cookie, qr/; ?SameSite=Lax/i, "$what: $name is Lax";
		like $cookie, qr{; ?Path=/(?:;|$)}, "$what: $name: whole site";
		unlike $cookie, qr/; ?Domain/i, "$what: $name: no domain";
	}
}

subtest 'a reader' => sub {
	my $password = 'a long enough password';
	my @origin = ('-H', "Origin: $base");
	my $form = sub {
		my ($path, %fields) = @_;
		return curl(@origin, "$base$path", map {
			('--data-urlencode', "$_=$fields{$_}")
		} sort keys %fields);
	};

	for my $lang ('ko', 'en') {
		cookies_are_safe(curl("$base/lang?to=$lang&next=/"),
		    'language');
		like curl("$base/books"), qr/<html lang="$lang">/,
		    "... $lang is kept";
		like curl("$base/no-such-page"), qr/<html lang="$lang">/,
		    '... by nginx, too';
	}
	my $page = curl("$base/books/$book");
	cookies_are_safe($page, 'a guest');
	my $got = $form->('/cart/add', csrf => csrf_of($page),
	    book_id => $book, quantity => 2);
	is status_of($got), 303, 'a guest adds to the cart';

	$page = curl("$base/register");
	$got = $form->('/register', csrf => csrf_of($page), name => 'Reader',
	    username => "tls$$", password => $password,
	    password2 => $password);
	is status_of($got), 303, 'registers';
	cookies_are_safe($got, 'registered');
	like curl("$base/cart"), qr/name="quantity"[^>]*value="2"/,
	    'the cart has come along';

	$page = curl("$base/account");
	is status_of($page), 200, 'is signed in';
	$got = $form->('/logout', csrf => csrf_of($page));
	is status_of($got), 303, 'signs out';
	is status_of(curl("$base/account")), 303, 'is out';

	$page = curl("$base/login?next=/cart");
	$got = $form->('/login', csrf => csrf_of($page), next => '/cart',
	    username => "tls$$", password => $password, remember => 1);
	is status_of($got), 303, 'signs in';
	like $got, qr{^location: (?:\Q$base\E)?/cart\r$}mi, 'to where it was';
	cookies_are_safe($got, 'signed in');
	like curl("$base/cart"), qr/name="quantity"[^>]*value="2"/,
	    'the cart is there';

	$page = curl("$base/books/$book");
	is status_of(curl('-H', "Origin: http://localhost:$tls_port",
	    "$base/cart/add", '--data-urlencode', 'csrf=' . csrf_of($page),
	    '-d', "book_id=$book")), 403, 'a form from http is refused';
};

subtest 'a mistake in the settings' => sub {
	local $ENV{SEOGA_TLS_CERT} = "$dir/nosuch.pem";
	my $said = seoga('reload');

	isnt $?, 0, 'a certificate that is not there is refused';
	like $said, qr/nosuch\.pem/, 'by its name';
	is status_of(curl("$base/books")), 200, 'the site goes on';
};

site_stop();
done_testing();
