#!/usr/bin/perl
# Where nginx draws its lines: what is compressed, how long files are kept, who
# is counted with whom, and what those are told who come too often.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);

use Seoga::Test;

# Static files of our own, of chosen lengths, beside the real ones.
my $static = File::Temp->newdir('seoga-st-XXXXXX', DIR => '/tmp');
for my $file (glob "$ENV{SEOGA_SRCDIR}/static/*") {
	spew($static . '/' . $file =~ s{.*/}{}r, slurp($file));
}
my %length = (below => 999, at => 1000, above => 1001);
spew("$static/$_.css", 'x' x $length{$_}) for keys %length;
spew("$static/picture.png", 'x' x 5000);

site_start(static => "$static", limits => 'on',
    trusted_proxies => '127.0.0.1 ::1');

sub get {
	my ($path, %header) = @_;

	return http(get => $path, { headers => \%header });
}

# As if through a proxy, from a client of its own.
my $last = 0;
sub new_client { return ('X-Forwarded-For' => '192.0.2.' . ++$last) }

sub statuses {
	my ($times, $method, $path, $options) = @_;

	return map { http($method, $path, $options)->{status} } 1 .. $times;
}

subtest 'compression' => sub {
	my @gzip = ('Accept-Encoding' => 'gzip, br', new_client());

	for my $name (sort keys %length) {
		my $got = get("/static/$name.css", @gzip);
		my $packed = ($got->{headers}{'content-encoding'} // '')
		    eq 'gzip';

		is $packed, $length{$name} >= 1000,
		    "$length{$name} bytes: " .
		    ($length{$name} >= 1000 ? 'packed' : 'as they are');
		my $plain = $got->{content};
		gunzip(\$got->{content} => \$plain) if $packed;
		is $plain, 'x' x $length{$name}, 'all of them';
		is defined get("/static/$name.css", new_client())
		    ->{headers}{'content-encoding'}, '', 'not unasked';
	}
	is get('/static/picture.png', @gzip)->{headers}{'content-encoding'},
	    undef, 'not what is packed already';
	for my $path ('/books', '/static/seoga.css') {
		my $got = get($path, @gzip);

		is $got->{headers}{'content-encoding'}, 'gzip',
		    "$path: packed";
		my $vary = $got->{headers}{vary};
		like join(',', ref $vary ? @$vary : $vary // ''),
		    qr/Accept-Encoding/i, "$path: and says that it varies";
	}
};

subtest 'static files' => sub {
	my @client = new_client();
	my ($css) = get('/books', @client)->{content} =~
	    m{href="(/static/seoga\.css\?v=[^"]+)"};

	like get($css // '/', @client)->{headers}{'cache-control'},
	    qr/max-age=31536000, immutable/, 'as pages name it: a year';
	for my $path ('/static/seoga.css', '/static/seoga.css?v=',
	    '/static/seoga.css?v=12', '/static/seoga.css?v=../../etc/x123456',
	    '/static/seoga.css?w=0123456789abcdef') {
		is get($path, @client)->{headers}{'cache-control'},
		    'public, max-age=300', "$path: minutes";
	}
	my $missing = get('/static/nosuch.css?v=0123456789abcdef', @client);
	is $missing->{status}, 404, 'what is not there';
	is $missing->{headers}{'cache-control'}, 'no-store',
	    'is not kept for a year';
};

# 429 as a page in both languages, and as a problem.
sub says_429 {
	my ($method, $path, $client, $seconds) = @_;
	my %ask = (Accept => 'text/html', @$client);
	my $api = $path =~ m{^/api/};

	for my $lang ($api ? () : qw(ko en)) {
		my $got = http($method, $path, { headers => {
			%ask, 'Accept-Language' => $lang }, content => '' });
		my $text = decode_utf8($got->{content});
		my $id = $got->{headers}{'x-request-id'};

		is $got->{status}, 429, "$path, $lang: 429";
		is $got->{headers}{'retry-after'}, $seconds,
		    "$path, $lang: Retry-After";
		like $text, qr/<html lang="$lang"/, "$path, $lang: a page";
		like $text, $lang eq 'ko' ? qr/요청/ : qr/[Tt]oo many/,
		    "$path, $lang: that says why";
		like $text, qr/\Q$id\E/, "$path, $lang: with the request id";
		is $got->{headers}{'cache-control'}, 'no-store',
		    "$path, $lang: not kept";
	}
	return if !$api;
	my $got = http($method, $path, { headers => \%ask, content => '' });
	is $got->{status}, 429, "$path: 429";
	is $got->{headers}{'retry-after'}, $seconds, "$path: Retry-After";
	like $got->{headers}{'content-type'}, qr{^application/problem\+json},
	    "$path: a problem";
	my $problem = decode_json($got->{content});
	is $problem->{status}, 429, "$path: that says so";
	is $problem->{request_id}, $got->{headers}{'x-request-id'},
	    "$path: with the request id";
}

# A limit of so many at once and so many a minute: that many pass, and no more
# than come free while we ask.
sub allows {
	my ($what, $count, $per_minute, $method, $path, $client) = @_;
	my $start = time;
	my @got = statuses($count + 5, $method, $path, {
		headers => {@$client}, content => '' });
	my $more = (time - $start) * $per_minute / 60;
	my $passed = grep { $_ != 429 } @got;

	is scalar(grep { $_ == 429 } @got[0 .. $count - 1]), 0,
	    "$what: $count pass";
	cmp_ok $passed, '<=', $count + $more + 1, "$what: and then no more";
	return $passed;
}

for my $limit (
	['login', 5, 5, '/login', '/api/users/login', 12],
	['register', 10, 10, '/register', '/api/users/register', 6],
) {
	my ($what, $count, $rate, $page, $api, $seconds) = @$limit;

	subtest "limit of $what" => sub {
		my @one = new_client();
		my @other = new_client();

		allows($what, $count, $rate, 'post', $page, \@one);
		says_429('post', $page, \@one, $seconds);
		says_429('post', $api, \@one, $seconds);
		is get($page, @one)->{status}, 200, 'the form can be seen';
		is get('/books', @one)->{status}, 200, 'and the books';
		isnt http(post => $page, { headers => {@other},
			content => '' })->{status}, 429,
		    'somebody else is not refused';
		allows("$what by the API", $count, $rate, 'post', $api,
		    [new_client()]);
	};
}

subtest 'the addresses of one IPv6 subscriber are one client' => sub {
	my $from = sub {
		return http(post => '/login', { content => '', headers =>
		    { 'X-Forwarded-For' => $_[0] } })->{status};
	};

	for my $net ('2001:db8:0:7:', '2001:db8:1:2:3:4:5', '2001:db8:') {
		$from->("$net:$_") for 1 .. 5;
		is $from->("$net:6"), 429, "${net}:6 is refused";
	}
	isnt $from->('2001:db8:0:8::1'), 429, 'another network is not';
	isnt $from->('2001:db8:1:3::1'), 429, 'nor a third';
	$from->("::ffff:192.0.2.$_") for 240 .. 245;
	isnt $from->('::ffff:192.0.2.250'), 429, 'nor IPv4 written so';
};

subtest 'limit of the API' => sub {
	my @one = new_client();

	allows('the API', 100, 100, 'get', '/api/cart', \@one);
	my $refused = 0;
	$refused += get('/api/cart', @one)->{status} == 429 for 1 .. 10;
	cmp_ok $refused, '>=', 1, 'it goes on so';
	is get($_, @one)->{status}, 200, "$_ is another matter"
	    for '/books', '/api/health';
	isnt get('/api/cart', new_client())->{status}, 429,
	    'somebody else is not refused';

	# The last one let through was a moment ago.
	my $got;
	for (1 .. 20) {
		$got = get('/api/cart', @one);
		last if $got->{status} == 429;
	}
	is $got->{headers}{'retry-after'}, 1, 'Retry-After';
	like $got->{headers}{'content-type'}, qr/problem\+json/, 'a problem';
};

subtest 'bodies' => sub {
	my @client = new_client();
	my $text = 'x' x 70_000;
	my $page = http(post => '/cart/add', { content => $text, headers => {
		Accept => 'text/html', 'Accept-Language' => 'en', @client,
		'Content-Type' => 'application/x-www-form-urlencoded' } });
	my $problem = http(post => '/api/cart/add', { content => $text,
		headers => { @client, 'Content-Type' => 'application/json' },
	});

	is $page->{status}, 413, 'a form too large';
	like $page->{content}, qr/<html lang="en"/, 'is told on a page';
	is $problem->{status}, 413, 'JSON too large';
	is decode_json($problem->{content})->{status}, 413, 'in a problem';
	isnt http(post => '/cart/add', { content => 'x' x 60_000, headers => {
		@client, 'Content-Type' =>
		'application/x-www-form-urlencoded' } })->{status}, 413,
	    'less is let through';

	# Ten megabytes are refused before they are sent.
	my ($port) = url() =~ /:(\d+)/;
	my $socket = IO::Socket::INET->new("127.0.0.1:$port");
	print $socket "POST /cart/add HTTP/1.1\r\nHost: localhost\r\n"
	    . "Content-Length: 10485760\r\n\r\n";
	like scalar(<$socket>), qr/^HTTP\/1.1 413 /, 'ten megabytes: unread';
};

subtest 'request ids' => sub {
	my @client = new_client();
	my $good = '0af7651916cd43dd8448eb211c80319c';
	my $id_of = sub {
		return get('/api/health', @client, @_)->{headers}
		    {'x-request-id'};
	};

	is $id_of->('X-Request-Id' => $good), $good, 'one of ours';
	for my $bad ('0' x 32, uc $good, substr($good, 1), "${good}0",
	    "$good\"", "$good <script>", '', 'a' x 4000, "../$good",
	    '{"a":1}') {
		my $id = $id_of->('X-Request-Id' => $bad);
		like $id, qr/^(?!0{32})[0-9a-f]{32}$/,
		    'a valid one instead of ' . substr($bad, 0, 40) =~
		    s/[^ -~]/?/gr;
		isnt $id, $bad, 'and another';
	}
	isnt $id_of->(), $id_of->(), 'each request has its own';
	my $parent = '4bf92f3577b34da6a3ce929d0e0e4736';
	is $id_of->('X-Request-Id' => $good,
	    traceparent => "00-$parent-00f067aa0ba902b7-01"), $parent,
	    'a trace context comes first';
	share_trace($good, $parent);
};

subtest 'what is told of the server' => sub {
	for my $path ('/books', '/nosuch', '/api/health',
	    '/static/seoga.css') {
		my $got = get($path, new_client());

		is $got->{headers}{server}, 'nginx', "$path: no version";
		is $got->{headers}{'x-powered-by'}, undef, "$path: no more";
		unlike $got->{content}, qr{nginx/\d}, "$path: nor in the page";
	}
};

# Only proxies that the administrator named are believed.
subtest 'who is not a proxy' => sub {
	local $ENV{SEOGA_TRUSTED_PROXIES} = '203.0.113.1';
	seoga_ok('reload');
	my @got = map {
		http(post => '/login', { content => '',
			headers => {new_client()} })->{status}
	} 1 .. 8;

	cmp_ok scalar(grep { $_ == 429 } @got), '>=', 2,
	    'cannot be many clients by saying so';
	my ($page) = get('/books', 'X-Forwarded-Proto' => 'https');
	unlike join(';', map { ref ? @$_ : $_ } values %{$page->{headers}}),
	    qr/__Host-|max-age=31536000/, 'nor come by https';
};

subtest 'the switch' => sub {
	local $ENV{SEOGA_LIMITS} = 'off';
	seoga_ok('reload');
	my %seen;

	$seen{$_}++ for statuses(12, 'post', '/login', { content => '' }),
	    statuses(15, 'post', '/register', { content => '' }),
	    statuses(130, 'get', '/api/cart'),
	    statuses(300, 'get', '/static/below.css');
	is $seen{429}, undef, 'turns all limits off';
	is $seen{200}, 300, 'for pages, too';
};

site_stop();
done_testing();
