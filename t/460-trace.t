#!/usr/bin/perl
# `seoga trace`, the ids it goes by, and what no log may ever hold.
use strict;
use warnings;
use utf8;

use Encode ();
use JSON::PP ();
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');

my $book = sql('SELECT MIN(id) FROM books WHERE stock_quantity > 5') + 0;
my $number = 0;

sub new_id {
	return sprintf '%08x%024x', ++$number * 0x01010101, $$;
}

# Once nginx has written what it knows of a request; it takes its time.
sub await_nginx {
	my ($id) = @_;

	ok await(5, sub {
		grep { $_->{trace} eq $id } access_lines();
	}), "nginx has logged $id";
}

sub trace {
	my (@arguments) = @_;

	return Encode::decode('UTF-8', seoga('trace', @arguments));
}

# Those parts of a text in this order, whatever stands between them.
sub in_order {
	my ($text, $name, @patterns) = @_;

	like $text, qr/@{[join '.*?', @patterns]}/s, $name;
}

sub all_logs {
	return join '', map { slurp($_) }
	    site_dir() . '/seoga.log', glob(site_dir() . '/var/log/*');
}

subtest 'an id of the client' => sub {
	my $id = new_id();
	my $answer = http(get => '/books',
	    { headers => { 'X-Request-Id' => $id } });

	is $answer->{headers}{'x-request-id'}, $id, 'is used';
	like $answer->{headers}{traceparent},
	    qr/^00-$id-(?!0{16})[0-9a-f]{16}-01$/, 'and goes on';
	like $answer->{content}, qr/<code>$id<\/code>/, 'the page shows it';
	await_nginx($id);

	my $said = trace($id);
	is $?, 0, 'it is found';
	in_order $said, 'from the edge to the last statement',
	    qr/^$id  20\d\d-\d\d-\d\d [\d:.]{12} UTC$/m,
	    qr/^ +0\.00 +~\d+\.\d\d  nginx GET \/books 200 +#+$/m,
	    qr/^ +\d+\.\d\d +\d+\.\d\d    books pid \d+ GET \/books 200 +#+$/m,
	    qr/^ +[\d.]+ +[\d.]+      Redis GET cache:categories:\w\w/m,
	    qr/^ +[\d.]+ +[\d.]+      SQL book\.list\.\S+/m, qr/\d+ rows/,
	    qr/^ +[\d.]+ +[\d.]+      template books, \d+ bytes +#/m,
	    qr/^\d SQL, \d Redis, [\d.]+ ms, [\d.]+ kB /m;
	is_deeply [grep { length > 80 } grep { !/^\d SQL/ } split /\n/,
	    $said], [], 'it fits on a terminal';
	unlike $said, qr/warn|error/, 'nothing went wrong';
};

subtest 'every other form of an id' => sub {
	for my $sent ('0' x 32, 'f' x 31, 'g' x 32, 'A' x 32,
	    "1' OR '1'='1", '../../etc/passwd') {
		my $got = http(get => '/books',
		    { headers => { 'X-Request-Id' => $sent } }
		    )->{headers}{'x-request-id'};

		like $got, qr/^(?!0{32})[0-9a-f]{32}$/, "\"$sent\" is replaced";
		isnt $got, $sent, 'by a fresh one';
	}
};

subtest 'a traceparent' => sub {
	my $id = new_id();
	my $parent = "00-$id-00f067aa0ba902b7-01";
	my $answer = http(get => "/books/$book", { headers =>
	    { traceparent => $parent, 'X-Request-Id' => new_id() } });
	my ($span) = $answer->{headers}{traceparent} =~
	    /^00-$id-([0-9a-f]{16})-01$/;

	is $answer->{headers}{'x-request-id'}, $id,
	    'goes before X-Request-Id';
	ok $span && $span ne '00f067aa0ba902b7', 'nginx has its own span';
	await_nginx($id);
	my ($nginx) = grep { $_->{trace} eq $id } access_lines();
	my ($begin) = grep { $_->{trace} eq $id && $_->{ev} eq 'req.begin' }
	    log_lines();
	is $nginx->{parent}, '00f067aa0ba902b7', 'below that of the caller';
	is $nginx->{span}, $span, 'and says so';
	is $begin->{parent}, $span, 'above that of the program';

	my $said = trace($parent);
	like $said, qr/^called by span 00f067aa0ba902b7$/m,
	    'is an id for seoga trace';
	like $said, qr/SQL book\.\S+, 1 row\b/, 'with its statement';
	is trace(uc $id), $said, 'in capitals, too';
	for my $bad ("ff-$id-00f067aa0ba902b7-01",
	    "00-$id-0000000000000000-01", "00-$id-00f067aa0ba902b7",
	    '00-' . '0' x 32 . '-00f067aa0ba902b7-01') {
		my $got = http(get => '/books',
		    { headers => { traceparent => $bad } });

		isnt $got->{headers}{'x-request-id'}, $id, "$bad is not one";
	}
};

subtest 'abbreviated' => sub {
	my $id = new_id();
	my $twin = substr($id, 0, 12) . 'f' x 20;

	http(get => '/cart', { headers => { 'X-Request-Id' => $_ } })
	    for $id, $twin;
	await_nginx($twin);
	await_nginx($id);
	like trace(substr $id, 0, 20), qr/^$id  20/, 'digits enough';
	my $said = trace(substr $id, 0, 8);
	isnt $?, 0, 'too few for two';
	like $said, qr/2 ids begin with/, 'are refused';
	like $said, qr/^ +$_$/m, 'and both named' for $id, $twin;
};

subtest 'one id, two requests' => sub {
	my $id = new_id();

	share_trace($id);
	http(get => $_, { headers => { 'X-Request-Id' => $id } })
	    for '/books', '/cart';
	ok await(5, sub {
		2 == grep { $_->{trace} eq $id } access_lines();
	}), 'nginx has logged both';
	in_order trace($id), 'are told one after the other',
	    qr/UTC  \(1 of 2\)/, qr/nginx GET \/books 200/, qr/SQL, \d Redis/,
	    qr/UTC  \(2 of 2\)/, qr/nginx GET \/cart 200/, qr/SQL, \d Redis/;
};

subtest 'what nginx answers itself' => sub {
	my $id = http(get => '/nowhere')->{headers}{'x-request-id'};

	await_nginx($id);
	in_order trace($id), 'is told', qr/nginx GET \/nowhere 404/,
	    qr/no program was asked/;
};

subtest 'for other programs' => sub {
	my $id = http(get => "/api/books/$book")->{headers}{'x-request-id'};

	await_nginx($id);
	my $json = seoga('trace', '--json', $id);
	my ($request, @more) = @{JSON::PP::decode_json($json)};
	is @more, 0, 'one request';
	is $request->{ev}, 'nginx.request', 'as nginx saw it';
	is $request->{line}{status}, 200, 'with its line';
	my ($run) = @{$request->{parts}};
	is $run->{end}{ev}, 'req.end', 'the program in it';
	is scalar(grep { $_->{ev} eq 'db.query' } @{$run->{parts}}),
	    $run->{end}{db}, 'and each statement in that';
	is_deeply [grep { $_->{start} < $request->{start} ||
	    $_->{start} + $_->{us} > $request->{start} + $request->{us} }
	    $run, @{$run->{parts}}], [], 'none of it outside of the request';
};

subtest 'the latest' => sub {
	my $id = http(get => "/books/$book?q=a-secret-wish"
	    )->{headers}{'x-request-id'};

	await_nginx($id);
	my @rows = split /\n/, trace('--last', 3);
	is scalar(@rows), 4, 'as many as asked for, below a heading';
	like $rows[-1], qr{^$id  [\d:.]{12} +200 +[\d.]+  GET /books/$book$},
	    'the last one last, without the query';
	like trace('--slow', 60000), qr/^No such request/, 'none was slow';
	like trace('--slow', 0), qr/^$id /m, 'all are not fast';
	is scalar(@{JSON::PP::decode_json(seoga('trace', '--json', '--last',
	    2))}), 2, 'as JSON';
	unlike all_logs(), qr/a-secret-wish/, 'no query is in the logs';
};

subtest 'rotated logs, logs of elsewhere' => sub {
	my $id = http(get => '/books')->{headers}{'x-request-id'};
	my $log = site_dir() . '/seoga.log';
	my $folder = site_dir() . '/elsewhere';

	await_nginx($id);
	spew("$log.1", slurp($log));
	in_order trace($id), 'as if it were two runs',
	    (qr/books pid \d+/) x 2;
	unlink "$log.1";
	mkdir $folder or die "$folder: $!\n";
	spew("$folder/a.log.2", slurp($log));
	spew("$folder/b.log.gz", slurp($log));
	my $said = trace('--log', $folder, $id);
	is scalar(() = $said =~ /books pid/g), 1, 'a folder';
	like $said, qr/nginx has not written its line/, 'without nginx';
	is trace('--log', "$folder/a.log.2", $id), $said, 'a file';
	is system('gzip', '-kf', "$folder/a.log.2"), 0, 'packed';
	is trace('--log', $folder, $id), $said, 'is left out of a folder';
	is trace('--log', "$folder/a.log.2.gz", $id), $said, 'but not by name';
	spew("$folder/c.log", "junk\n{\"trace\":\"$id\"}\n{\"trace\":\"$id");
	is trace('--log', $folder, $id), $said, 'junk does no harm';
	like trace('--log', "$folder/none", $id), qr/cannot read .*none/,
	    'a file that is not there';
	isnt $?, 0, 'is an error';
};

subtest 'a line that attacks' => sub {
	my $file = site_dir() . '/attack.log';
	my $id = new_id();

	spew($file, '{"ts":"2026-11-21T10:00:00.000Z","lvl":"info","trace":"'
	    . "$id\",\"prog\":\"nginx\",\"pid\":1,\"ev\":\"nginx.request\","
	    . "\"span\":\"\",\"parent\":\"\",\"method\":\"GET\",\"path\":"
	    . "\"/\\u001b[2J\\u202e\xff\",\"route\":\"\",\"status\":404,"
	    . "\"request_time\":0.001}\n");
	my $said = seoga('trace', '--log', $file, $id);
	like $said, qr{nginx GET /\?\[2J\?\? 404}, 'cannot command a terminal';
	unlike seoga('trace', '--log', $file, '--last'), qr/\e|\xff/,
	    'nor in the list';
};

subtest 'mistakes' => sub {
	for (
		[['0123456789abcdef0123456789abcdef'],
		    qr/no line tells of 0123456789abcdef0123456789abcdef/,
		    'unknown'],
		[['0123456789abcdef'], qr/up to a second late/, 'a hint'],
		[['not-an-id'], qr/"not-an-id" is no request id/, 'no id'],
		[['abcdef0' x 5], qr/is no request id/, 'too long'],
		[['abcdef0'], qr/too short: give at least 8/, 'too short'],
		[[''], qr/is no request id/, 'empty'],
		[[], qr/^seoga trace: usage:/, 'nothing'],
		[['--last', 'x'], qr/not a number/, 'no number'],
		[['--frobnicate'], qr/usage:/, 'no option'],
	) {
		my ($arguments, $message, $name) = @$_;

		like trace(@$arguments), $message, $name;
		isnt $?, 0, 'is an error';
	}
	like trace('--help'), qr/^usage: seoga trace/, 'help is given';
	is $?, 0, 'without an error';
};

# --- the two flows that doc/trace.md walks through ---

my $password = 'correct-Horse-battery-9';
my $reader = Seoga::Reader->new;
my $username = $reader->register(password => $password,
    password2 => $password);
my %secret = (password => $password);

sub note_secrets {
	my ($name) = @_;
	my $html = $reader->html;

	$secret{"$name: sid"} = $1
	    if ($reader->{cookies}{sid} // '') =~ /^([0-9a-f-]{36})/;
	while ($html =~ /name="(csrf|once|question_token)" value="([^"]+)"/g) {
		$secret{"$name: $1"} = $2;
	}
}

sub with_id {
	my ($id) = @_;

	$reader->{headers}{'X-Request-Id'} = $id;
	delete $reader->{headers}{'X-Request-Id'} if !$id;
}

note_secrets('registered');
$reader->logout;

subtest 'a login' => sub {
	my $id = new_id();

	$reader->get('/login');
	note_secrets('before login');
	with_id($id);
	$reader->send('/login', username => $username,
	    password => $password);
	with_id();
	is $reader->status, 303, 'it succeeds';
	note_secrets('after login');
	await_nginx($id);
	in_order trace($id), 'in the steps of the flow',
	    qr/nginx POST \/login 303/, qr/login pid \d+ POST \/login 303/,
	    qr/Redis HGETALL session:/, qr/SQL user\.for_login, 1 row\b/,
	    qr/password\.check +#/, qr/Redis HSET session:[0-9a-f]{8}…/,
	    qr/SQL user\.by_id, 1 row\b/,
	    qr/^2 SQL, /m;
	unlike trace($id), qr/tmpl/, 'no page is made';
};

subtest 'an add-to-cart' => sub {
	my $id = new_id();

	$reader->get("/books/$book");
	note_secrets('book');
	with_id($id);
	$reader->send('/cart/add', quantity => 2);
	with_id();
	is $reader->status, 303, 'it succeeds';
	await_nginx($id);
	my $said = trace($id);
	in_order $said, 'in the steps of the flow',
	    qr/nginx POST \/cart\/add 303/,
	    qr/cart-add pid \d+ POST \/cart\/add 303/,
	    qr/Redis HGETALL session:[0-9a-f]{8}…/, qr/HLEN cart:\d+/,
	    qr/SQL book\.by_ids\.1, 1 row\b/,
	    qr/Redis EVALSHA cart\.add cart:\d+/, qr/^1 SQL, /m;
	is scalar(() = $said =~ /EVALSHA/g), 1, 'one atomic change';
	unlike $said, qr/Redis (?:GET|SET) cart:/, 'no read, modify, write';
};

sub api_login {
	my ($secret_word) = @_;

	return http(post => '/api/users/login', {
		headers => { 'Content-Type' => 'application/json' },
		content => JSON::PP::encode_json({ username => $username,
			password => $secret_word }) });
}

subtest 'no secret is in any log' => sub {
	my $answer = api_login($password);
	is $answer->{status}, 200, 'a login on the API';
	my $token = JSON::PP::decode_json($answer->{content})->{token};
	$secret{token} = $token;
	is http(get => '/api/cart', { headers =>
	    { Authorization => "Bearer $token" } })->{status}, 200,
	    'the token is good';

	$secret{'wrong password'} = 'Wrong-Tiger-printer-4';
	my $stranger = Seoga::Reader->new;
	for my $try (1 .. 4) {
		$stranger->login($username,
		    password => $secret{'wrong password'});
		$secret{"question $try"} = $1 if $stranger->html =~
		    /name="question_token" value="([^"]+)"/;
	}
	ok((grep { /^question/ } keys %secret),
	    'failed logins lead to a question');
	is api_login($secret{'wrong password'})->{status} =~ /^4/, 1,
	    'a failed login on the API';
	my $last = http(get => '/books')->{headers}{'x-request-id'};
	await_nginx($last);

	my $logs = all_logs();
	like $logs, qr/"ev":"login\.failed"/, 'the failures are';
	ok length $secret{$_} >= 20 && index($logs, $secret{$_}) < 0,
	    "not the $_" for sort keys %secret;
	unlike $logs, qr/\$argon2/, 'nor a hash of a password';
	unlike $logs, qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-/,
	    'nor any other session id';
};

subtest 'every line' => sub {
	my @lines = (log_lines(), access_lines());
	my %keys = (lvl => qr/^(?:debug|info|warn|error)$/,
	    ts => qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:\d{3})?Z$/,
	    trace => qr/^(?:[0-9a-f]{32})?$/, prog => qr/^[a-z-]+$/,
	    pid => qr/^\d+$/, ev => qr/^[a-z.]+$/);

	cmp_ok scalar(@lines), '>', 100, 'there are many';
	for my $key (sort keys %keys) {
		is_deeply [grep { ($_->{$key} // 'none') !~ $keys{$key} }
		    @lines], [], "has its $key";
	}
};

site_stop();
done_testing();
