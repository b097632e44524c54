#!/usr/bin/perl
# What nginx does by itself: request ids, headers, limits, error pages,
# compression, static files, proxies, TLS.
use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Test::More;

use Seoga::Test;

my $routes = File::Temp->new(TEMPLATE => 'seoga-routes-XXXXXX', DIR => '/tmp');
spew("$routes", slurp("$ENV{SEOGA_SRCDIR}/nginx/routes.conf"));
site_start(routes => "$routes", limits => 'on');

my $trace = '4bf92f3577b34da6a3ce929d0e0e4736';

sub get {
	my ($path, %header) = @_;

	return http(get => $path, { headers => \%header });
}

# curl, for what HTTP::Tiny cannot do; gives head and body.
sub curl {
	open my $out, '-|', 'curl', '-s', '-i', @_ or die "curl: $!\n";
	local $/;
	return scalar(<$out>) // '';
}

subtest 'request ids' => sub {
	my $fresh = get('/api/health')->{headers};
	my $id = $fresh->{'x-request-id'};

	like $id, qr/^[0-9a-f]{32}$/, 'a fresh one';
	like $fresh->{traceparent}, qr/^00-$id-[0-9a-f]{16}-01$/,
	    'and the same as a trace context';
	is get('/api/health',
	    traceparent => "00-$trace-00f067aa0ba902b7-01")
	    ->{headers}{'x-request-id'}, $trace, 'taken from a trace context';
	share_trace($trace);
	for my $later ('', '-', '-what-the-future-will-be') {
		is get('/api/health',
		    traceparent => "cc-$trace-00f067aa0ba902b7-01$later")
		    ->{headers}{'x-request-id'}, $trace,
		    "from one of a later version: '$later'";
	}
	my $other = 'abcdefabcdefabcdefabcdefabcdef01';
	is get('/nothing', 'X-Request-Id' => $other)
	    ->{headers}{'x-request-id'}, $other, 'taken from X-Request-Id';
	for my $bad (
		'00-' . '0' x 32 . '-00f067aa0ba902b7-01',
		"00-$trace-" . '0' x 16 . '-01',
		"ff-$trace-00f067aa0ba902b7-01",
		'00-' . uc($trace) . '-00f067aa0ba902b7-01',
		"00-$trace-00f067aa0ba902b7-01-more",
		"cc-$trace-00f067aa0ba902b7-01.more",
		"00-$trace-00f067aa0ba902b7", "00-$trace\"-x-01", 'x') {
		isnt get('/api/health', traceparent => $bad)
		    ->{headers}{'x-request-id'}, $trace, "not from $bad";
	}
	ok await(5, sub { grep { $_->{trace} eq $id } access_lines() }),
	    'it is in the log of nginx';
};

subtest 'security headers' => sub {
	for my $path ('/books', '/nothing', '/static/seoga.css') {
		my $got = get($path)->{headers};

		like $got->{'content-security-policy'},
		    qr/script-src 'none'/, "$path: no script";
		is $got->{'x-content-type-options'}, 'nosniff',
		    "$path: nosniff";
		is $got->{'referrer-policy'}, 'same-origin',
		    "$path: referrer";
		is $got->{'strict-transport-security'}, undef,
		    "$path: no HSTS without TLS";
		unlike $got->{server}, qr/\d/, "$path: no version";
	}
};

subtest 'error pages' => sub {
	my $korean = get('/nothing');
	my $english = get('/nothing', 'Accept-Language' => 'en-GB, ko;q=0.5');
	my $problem = get('/api/nothing');

	is $_->{status}, 404 for $korean, $english, $problem;
	like $korean->{content}, qr/<html[^>]* lang="ko"/, 'Korean at first';
	like $english->{content}, qr/<html[^>]* lang="en"/, 'English if asked';
	like get('/nothing', Cookie => 'a=b; lang=en')->{content},
	    qr/<html[^>]* lang="en"/, 'English if chosen';
	like get('/nothing', Cookie => 'lang=ko',
	    'Accept-Language' => 'en')->{content},
	    qr/<html[^>]* lang="ko"/, 'the choice comes first';
	like $korean->{content}, qr/$korean->{headers}{'x-request-id'}/,
	    'with the request id';
	like $problem->{headers}{'content-type'},
	    qr{^application/problem\+json}, 'a problem for the API';
	my $said = decode_json($problem->{content});
	is $said->{status}, 404, 'that says the status';
	is $said->{request_id}, $problem->{headers}{'x-request-id'},
	    'and the request id';
	like get('/nothing', Accept => 'application/json')->{headers}
	    {'content-type'}, qr{problem\+json}, 'also for who wants JSON';

	is http(post => '/cart/add', { content => 'x' x 70_000 })->{status},
	    413, 'too much';
	is get('/books', 'X-Long' => 'x' x 40_000)->{status}, 400,
	    'a header too long';
	my $posted = http(post => '/static/seoga.css', { content => '' });
	is $posted->{status}, 405, 'a method that a file does not have';
	is $posted->{headers}{allow}, 'GET, HEAD', 'and those that it has';
	is get('/nothing')->{headers}{allow}, undef, 'said only then';
	my ($port) = url() =~ /:(\d+)/;
	my $raw = IO::Socket::INET->new("127.0.0.1:$port");
	print $raw "NONSENSE\r\n\r\n";
	like do { local $/; <$raw> }, qr/^HTTP.* 400 /, 'nonsense';
};

subtest 'nothing but the site is served' => sub {
	for my $path (qw(/configure.ac /static/../configure.ac
	    /static/%2e%2e/configure.ac /static../configure.ac
	    /var/secret/key /_error/404.html /routes.conf)) {
		like curl('--path-as-is', url($path)), qr{^HTTP/1.1 40[04] },
		    $path;
	}
};

subtest 'static files' => sub {
	my $short = get('/static/seoga.css');
	my $long = get('/static/seoga.css?v=0123456789abcdef');

	is $short->{status}, 200, 'there it is';
	like $short->{headers}{'cache-control'}, qr/max-age=300$/, 'short';
	ok $short->{headers}{etag}, 'with an entity tag';
	like $long->{headers}{'cache-control'},
	    qr/max-age=31536000, immutable/, 'with its hash for a year';
	is get('/static/seoga.css',
	    'If-None-Match' => $short->{headers}{etag})->{status}, 304,
	    'not sent again';
	my $packed = get('/static/seoga.css', 'Accept-Encoding' => 'gzip');
	is $packed->{headers}{'content-encoding'}, 'gzip', 'compressed';
	cmp_ok length($packed->{content}), '<',
	    length($short->{content}) / 2, 'to less than half';
	is get('/books', 'Accept-Encoding' => 'gzip')->{headers}
	    {'content-encoding'}, 'gzip', 'pages too';
	is get('/api/health', 'Accept-Encoding' => 'gzip')->{headers}
	    {'content-encoding'}, undef, 'not what is small';
};

subtest 'limits' => sub {
	my @status = map {
		http(post => '/login', { content => '' })->{status}
	} 1 .. 8;

	is scalar(grep { $_ != 429 } @status[0 .. 4]), 5, 'five logins';
	is scalar(grep { $_ == 429 } @status[5 .. 7]), 3, 'and no more';
	my $refused = http(post => '/api/users/login', { content => '' });
	is $refused->{status}, 429, 'by the API neither';
	is $refused->{headers}{'retry-after'}, 12, 'it says when';
	like $refused->{content}, qr/"status":\s*429/, 'as a problem';
	is get('/login')->{status}, 200, 'the form can be seen';

	@status = map {
		http(post => '/register', { content => '' })->{status}
	} 1 .. 12;
	is scalar(grep { $_ == 429 } @status), 2, 'ten registrations';

	@status = map { get('/api/cart')->{status} } 1 .. 110;
	cmp_ok scalar(grep { $_ == 429 } @status), '>=', 5,
	    'a hundred calls of the API';
	cmp_ok scalar(grep { $_ != 429 } @status), '>=', 95, 'not less';
	is get('/books')->{status}, 200, 'pages are another matter';
	is get('/api/health')->{status}, 200, 'and so is the health';

	local $ENV{SEOGA_LIMITS} = 'off';
	seoga_ok('reload');
	isnt http(post => '/login', { content => '' })->{status}, 429,
	    'one switch turns all off';
};
$ENV{SEOGA_LIMITS} = 'off';

subtest 'proxies' => sub {
	my $last_addr = sub {
		my ($mark) = @_;
		my $line = await(5, sub {
			(grep { $_->{path} eq "/$mark" } access_lines())[0]
		});
		return $line->{addr};
	};
	my @from = ('X-Forwarded-For' => '203.0.113.9, 198.51.100.7');

	get('/stranger', @from);
	# "localhost" is either.
	like $last_addr->('stranger'), qr/^(?:127\.0\.0\.1|::1)$/,
	    'a stranger is not believed';
	local $ENV{SEOGA_TRUSTED_PROXIES} = '127.0.0.1 ::1';
	seoga_ok('reload');
	get('/friend', @from);
	is $last_addr->('friend'), '198.51.100.7',
	    'a trusted proxy is, for the address it saw';
	delete local $ENV{SEOGA_TRUSTED_PROXIES};
	$ENV{SEOGA_TRUSTED_PROXIES} = '';
};

subtest 'TLS' => sub {
	my $dir = site_dir();
	my ($tls_port) = do {
		my $probe = IO::Socket::INET->new(Listen => 1,
		    LocalAddr => '127.0.0.1');
		$probe->sockport;
	};

	is system("openssl req -x509 -newkey ec "
	    . "-pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
	    . "-subj /CN=localhost -addext subjectAltName=DNS:localhost "
	    . "-keyout $dir/key.pem -out $dir/cert.pem 2>/dev/null"), 0,
	    'a certificate';
	my ($port) = url() =~ /:(\d+)/;
	local @ENV{qw(SEOGA_TLS_CERT SEOGA_TLS_KEY SEOGA_TLS_PORT)} =
	    ("$dir/cert.pem", "$dir/key.pem", $tls_port);
	seoga_ok('reload');
	my @trust = ('--cacert', "$dir/cert.pem");
	my $base = "https://localhost:$tls_port";

	like curl("http://localhost:$port/books?q=a"),
	    qr{^HTTP/1.1 308 .*^Location: \Q$base\E/books\?q=a\r$}ms,
	    'http leads to https';
	for my $version ('1.2', '1.3') {
		my $got = curl(@trust, "--tlsv$version", '--tls-max',
		    $version, "$base/books");
		like $got, qr/^HTTP\S+ 200/, "TLS $version";
		like $got, qr/^strict-transport-security: max-age=\d{8}/mi,
		    'with HSTS';
	}
	is curl(@trust, '--tlsv1.0', '--tls-max', '1.1', '--ciphers',
	    'DEFAULT@SECLEVEL=0', "$base/books"), '', 'not TLS 1.1';
	like curl(@trust, "$base/lang?to=en&next=/"),
	    qr/^set-cookie: __Host-lang=en;.*secure/mi,
	    'cookies are for https alone';
};

site_stop();
done_testing();
