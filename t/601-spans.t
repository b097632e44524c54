#!/usr/bin/perl
# Spans of requests of each kind: always one tree with one root; what each
# response and page says of its own cost; the way from there to its trace.
use strict;
use warnings;
use utf8;

use JSON::PP qw(decode_json);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');

my $book = sql('SELECT MIN(id) FROM books WHERE stock_quantity > 5') + 0;
my $reader = Seoga::Reader->new;
my $username = $reader->register;
my ($number, %parent) = (0);

sub traceparent {
	my ($flags) = @_;
	my $id = sprintf '%08x%024x', ++$number, $$;

	return ($id, "00-$id-00f067aa0ba902b7-$flags");
}

sub trees {
	my ($id) = @_;

	ok await(5, sub {
		grep { $_->{trace} eq $id } access_lines();
	}), "nginx has logged $id";
	return decode_json(seoga('trace', '--json', $id));
}

sub all_of {
	return map { ($_, all_of(@{$_->{parts}})) } @_;
}

# One tree, as it should be; gives all its spans.
sub spans_of {
	my ($id) = @_;
	my ($root, @more) = @{trees($id)};
	my %ids;

	is scalar(@more), 0, 'one root';
	my @spans = all_of($root);
	$ids{$_->{id}}++ for @spans;
	is_deeply [grep { $_ !~ /^(?!0{16})[0-9a-f]{16}$/ || $ids{$_} > 1 }
	    keys %ids], [], 'each has an id of its own';
	is_deeply [map { $_->{name} } grep { my $above = $_;
	    grep { $_->{parent} ne $above->{id} } @{$above->{parts}} }
	    @spans], [], 'and that of the one above it';
	is_deeply [map { $_->{name} } grep {
		$_->{kind} !~ /^(?:server|client|internal|producer|consumer)$/
		    || $_->{us} < 0 || $_->{start} < 1.7e15
	} @spans], [], 'a kind and a time';
	return @spans;
}

sub named {
	my ($name, @spans) = @_;

	return (grep { $_->{name} eq $name } @spans)[0];
}

sub a_request {
	my ($what, $status, $ask, @expected) = @_;

	subtest $what => sub {
		my ($id, $traceparent) = traceparent('01');
		my $answer = $ask->({ traceparent => $traceparent });
		is $answer->{status}, $status, "answers $status";
		is $answer->{headers}{'x-request-id'}, $id, 'in its trace';
		my @spans = spans_of($id);
		is $spans[0]{parent}, '00f067aa0ba902b7', 'below its caller';
		is !!$spans[0]{failed}, $status >= 500, 'failed or not';
		ok named($_, @spans), "has $_"
		    or diag join ', ', map { $_->{name} } @spans
		    for @expected;
	};
}

sub as_guest {
	my ($method, $path, %more) = @_;

	return sub {
		my ($headers) = @_;

		return http($method => $path, { %more, headers =>
		    { %$headers, %{$more{headers} // {}} } });
	};
}

sub as_reader {
	my ($method, @arguments) = @_;

	return sub {
		my ($headers) = @_;

		local $reader->{headers} = { %{$reader->{headers}},
			%$headers };
		$reader->$method(@arguments);
		return $reader->{answer};
	};
}

a_request('a page', 200, as_guest(get => '/books'), 'GET /books',
    'render books', 'response');
forget_books($book);
a_request('a page of a member', 200, as_reader(get => "/books/$book"),
    'GET /books/{id}', 'session', 'PIPELINE', 'SELECT book.by_id.en', 'response');
a_request('a form', 303, as_reader(send => '/cart/add', quantity => 1),
    'POST /cart/add', 'session', 'form', 'SELECT book.by_ids.1', 'EVALSHA');
a_request('a question', 200, as_guest(get => '/books?q=moon'), 'form');
a_request('the API', 200, as_guest(get => "/api/books/$book"),
    'GET /api/books/{id}', 'response');
a_request('an answer of before', 304, sub {
	my ($headers) = @_;
	my $tag = http(get => "/api/books/$book")->{headers}{etag};

	return http(get => "/api/books/$book",
	    { headers => { %$headers, 'If-None-Match' => $tag } });
}, 'GET /api/books/{id}');
a_request('a mistake', 400, as_guest(post => '/api/users/login',
    headers => { 'Content-Type' => 'application/json' }, content => '{'),
    'POST /api/users/login');
a_request('no such book', 404, as_guest(get => '/books/999999999'),
    'render error');
a_request('no such page', 404, as_guest(get => '/nowhere'), 'GET');
a_request('a file', 200, as_guest(get => '/static/seoga.css'), 'GET');
a_request('a method that is none', 405, as_guest(delete => '/books'),
    'DELETE /books');

sql('RENAME TABLE users TO users_away');
expect_error(qr/"ev":"db\.error"/, qr/"ev":"nginx\.request".*"status":500/,
    qr/users/);
a_request('a failure', 500, as_guest(post => '/api/users/login',
    headers => { 'Content-Type' => 'application/json' },
    content => '{"username":"nobody","password":"whatever-it-is"}'),
    'POST /api/users/login', 'db.error');
sql('RENAME TABLE users_away TO users');

subtest 'attributes' => sub {
	my ($id, $traceparent) = traceparent('01');

	forget_books($book);
	$reader->get("/books/$book", traceparent => $traceparent);
	my @spans = spans_of($id);
	my ($edge, $run) = @spans;
	my $sql = named('SELECT book.by_id.en', @spans);
	my $user = sql("SELECT id FROM users WHERE username = '$username'");
	is_deeply [@{$edge->{attributes}}{'http.request.method', 'url.path',
	    'http.route', 'http.response.status_code', 'client.address'}],
	    ['GET', "/books/$book", '/books/{id}', 200, '127.0.0.1'],
	    'of nginx';
	is $run->{attributes}{'user.id'}, $user =~ s/\s//gr, 'of the program';
	is_deeply [@{$sql->{attributes}}{'db.system.name',
	    'db.operation.name', 'db.query.summary',
	    'db.response.returned_rows'}],
	    ['mariadb', 'SELECT', 'SELECT book.by_id.en', 1], 'of a statement';
	like named('PIPELINE', @spans)->{attributes}{'db.query.text'},
	    qr/^HGETALL session:[0-9a-f]{8}…, /, 'of a trip, without secrets';
	is named('session', @spans)->{parts}[0]{name}, 'PIPELINE',
	    'the session is asked of Redis';
};

# --- what it cost ---

my $timing = qr/^total;dur=(\d+\.\d\d)(?:, db;dur=(\d+\.\d\d);desc="(\d+) SQL")?(?:, redis;dur=(\d+\.\d\d);desc="(\d+) trips")?$/;

subtest 'Server-Timing' => sub {
	for (['/books', 200], ["/api/books/$book", 200], ['/account', 303],
	    ['/books/999999999', 404]) {
		my ($path, $status) = @$_;
		my $answer = http(get => $path);
		my $said = $answer->{headers}{'server-timing'} // 'none';
		is $answer->{status}, $status, $path;
		like $said, $timing, 'says what it took' or next;
		my ($total, $db, $sql, $redis, $trips) = $said =~ $timing;
		my ($end) = ends_of($answer->{headers}{'x-request-id'});
		is $sql // 0, $end->{db}, 'as many statements as logged';
		is $trips // 0, $end->{redis}, 'as many trips';
		cmp_ok $total * 1000, '<=', $end->{us} + 10, 'no more time';
		cmp_ok +($db // 0) + ($redis // 0), '<=', $total + 0.02,
		    'which has its parts in it';
	}
	is http(get => '/nowhere')->{headers}{'server-timing'}, undef,
	    'nginx by itself has no programs to tell of';
};

# A stranger shall not learn from it who is a member.
subtest 'no secret is in what it cost' => sub {
	my @cost = map {
		my $name = $_;
		my $answer = http(post => '/api/users/login', {
			headers => { 'Content-Type' => 'application/json' },
			content => JSON::PP::encode_json({ username => $name,
				password => 'not-the-Password-7' }) });
		is $answer->{status}, 401, "$name may not";
		$answer->{headers}{'server-timing'} =~ s/\d+\.\d\d/0/gr;
	} $username, 'nobodyatall';

	is $cost[0], $cost[1], 'a wrong password, an unknown name';
};

sub cost_line {
	my ($html, $pattern) = @_;
	my ($said) = $html =~ m{<p class="cost">(.*?)</p>};

	$said = ($said // 'none') =~ s/\s+/ /gr;
	like $said, $pattern, $said;
	return $said =~ $pattern;
}

subtest 'the foot of a page' => sub {
	for my $lang (qw(en ko)) {
		my $answer = http(get => '/books',
		    { headers => { 'Accept-Language' => $lang } });
		my $html = Encode::decode('UTF-8', $answer->{content});
		my ($sql, $trips, $ms, $kb) = cost_line($html,
		    $lang eq 'en' ?
		    qr/^(\d+) SQL, (\d+) Redis, ([\d.]+) ms, ([\d.]+) kB$/ :
		    qr/^SQL (\d+)회, Redis (\d+)회, ([\d.]+) ms, ([\d.]+) kB$/);
		my ($end) = ends_of($answer->{headers}{'x-request-id'});
		is $sql, $end->{db}, 'all statements';
		is $trips, $end->{redis}, 'all trips';
		cmp_ok abs($kb - length($answer->{content}) / 1000), '<=',
		    $kb < 10 ? 0.06 : 0.6, 'its size';
		cmp_ok $ms, '<=', $end->{us} / 1000 + 1, 'its time';
		cmp_ok $ms, '>', 0, 'which is some';
	}
	cost_line(Encode::decode('UTF-8', http(get => '/books/999999999',
	    { headers => { 'Accept-Language' => 'en' } })->{content}),
	    qr/^\d+ SQL, \d+ Redis, [\d.]+ ms, [\d.]+ kB$/);
	unlike http(get => '/nowhere')->{content}, qr/class="cost"/,
	    'nginx knows of none';
	unlike http(get => "/api/books/$book")->{content}, qr/SQL/,
	    'nor is it in JSON';
	my $sneaky = "\x{2248}ms00 \x{2248}kB00";
	$reader->get('/books?q=' . join '', map { sprintf '%%%02X', $_ }
	    unpack 'C*', Encode::encode('UTF-8', $sneaky));
	like $reader->html, qr/\Q$sneaky\E/, 'what a reader writes stays';
	cost_line($reader->html, qr/, [\d.]+ ms, [\d.]+ kB$/);
};

subtest 'from the page to its trace' => sub {
	my $link = sub { qr{<a href="/trace/$_[0]"><code>$_[0]</code></a>} };
	my $plain = sub { qr{(?<!">)<code>$_[0]</code>} };

	for (["/books/$book", 'a page'], ['/books/999999999', 'an error page'],
	    ['/nowhere', 'one of nginx']) {
		my ($path, $what) = @$_;
		$reader->get($path);
		like $reader->html, $link->($reader->header('x-request-id')),
		    "$what: a link for a member";
		my $answer = http(get => $path);
		like $answer->{content},
		    $plain->($answer->{headers}{'x-request-id'}),
		    'the number for others';
		my $id = sprintf '%032x', 7 + length $path;
		$reader->get($path,
		    traceparent => "00-$id-" . '8' x 16 . '-00');
		like $reader->html, $plain->($id),
		    'and where no trace is kept';
	}
};

site_stop();
done_testing();
