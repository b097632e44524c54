#!/usr/bin/perl
# /trace, /trace/ID, /trace/compare: what they show, to whom, and that the
# terminal says the same.
use strict;
use warnings;
use utf8;

use Encode ();
use HTML::Entities qw(decode_entities);
use JSON::PP ();
use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Svg;
use Seoga::Test;

site_start(trusted_proxies => '127.0.0.1 ::1');
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 99');

my $book = sql('SELECT MIN(id) FROM books') + 0;
my $student = staff('student', 'stu.dent');
my $admin = staff('admin', 'ad.min');
my $librarian = staff('librarian', 'lib.rarian');
my $reader = staff('reader', 'rea.der');
my $other = staff('reader', 'oth.er');
my $guest = Seoga::Reader->new;
my $number = 0;

# One request of somebody with an id of our own.
sub asked {
	my ($who, $method, $path, @fields) = @_;
	my $id = sprintf '%08x%024x', ++$number * 0x01010101, $$;

	local $who->{headers}{'X-Request-Id'} = $id;
	$method eq 'get' ? $who->get($path) : $who->send($path, @fields);
	return $id;
}

# Until all of it can be seen; gives the page.
sub seen {
	my ($id, $who) = @_;

	$who //= $student;
	ok await(10, sub {
		$who->get("/trace/$id")->status == 200 &&
		    $who->html =~ /nginx (?:GET|POST)/ &&
		    $who->html !~ /has not told of this/;
	}), "request $id is there" or diag $who->status, $who->text;
	return $who->html;
}

# The rows of the first waterfall: [step, at, took].
sub rows {
	my ($html) = @_;
	my ($table) = $html =~ m{<table class="waterfall">(.*?)</table>}s;

	return map {
		my ($step, @numbers) = m{<td\b[^>]*>(.*?)</td>}gs;
		$step =~ s{<p .*}{}s;
		[decode_entities($step =~ s/<span class="indent".*?<\/span>//r
		    =~ s/<[^>]*>//gr), @numbers[0, 1]]
	} $table =~ m{<tr class="k-.*?</tr>}gs;
}

my $search = 'wondrous-secret-wish';
my $mine = asked($reader, get => "/books/$book?q=$search");
my $theirs = asked($other, get => '/cart');
my $nobodys = asked($guest, get => '/books');
$reader->get("/books/$book");
my $add = asked($reader, post => '/cart/add', quantity => 2);

subtest 'who may' => sub {
	seen($_) for $mine, $theirs, $nobodys, $add;
	for my $path ('/trace', "/trace/$mine", '/trace/compare?a=1&b=2') {
		is $guest->get($path)->status, 303, "$path: guests sign in";
	}
	for (['reader', $reader, 200, 404, 404], ['other', $other, 404, 200,
	    404], ['librarian', $librarian, 404, 404, 404], ['student',
	    $student, 200, 200, 200], ['admin', $admin, 200, 200, 200]) {
		my ($name, $who, @status) = @$_;
		is $who->get("/trace/$mine")->status, $status[0],
		    "$name: a reader's";
		is $who->get("/trace/$theirs")->status, $status[1],
		    "$name: another's";
		is $who->get("/trace/$nobodys")->status, $status[2],
		    "$name: a guest's";
		is $who->get("/trace/compare?a=$mine&b=$theirs")->status,
		    $status[0] == 200 && $status[1] == 200 ? 200 : 404,
		    "$name: both";
	}
	my $answer = $other->get("/trace/$mine")->text;
	like $answer, qr/No trace that you may see begins with $mine/,
	    'in words';
	like $answer, qr/kept for 60 minutes.*bin\/seoga trace $mine/,
	    'with what to do';
	my $told = sub { $_[0] =~ s/[0-9a-f]{32}/ID/gr =~
	    s/If it happens again.*//sr };
	is $told->($answer), $told->($other->get('/trace/' . '7' x 32)->text),
	    'as of one that never was';
	my %trips;
	for my $id ($mine, $mine =~ s/.$/e/r, substr($mine, 0, 9), '7' x 32) {
		$other->get("/trace/$id");
		$trips{$other->header('server-timing') =~
		    /"(\d+) trips"/ ? $1 : '?'}++;
	}
	is_deeply [values %trips], [4], 'and costs as much';
};

subtest 'a stranger who names my request as the caller' => sub {
	my ($nginx) = grep { $_->{trace} eq $mine } access_lines();
	my ($begin) = grep { $_->{trace} eq $mine && $_->{ev} eq 'req.begin' }
	    log_lines();

	share_trace($mine);
	for my $span ($nginx->{span}, $begin->{span}) {
		local $other->{headers}{traceparent} = "00-$mine-$span-01";
		$other->get('/orders');
	}
	ok await(10, sub { $student->get("/trace/$mine");
		2 == (() = $student->html =~ m{nginx GET /orders}g) }),
	    'is there';
	$other->get("/trace/$mine");
	is $other->status, 200, 'sees it';
	like $other->text, qr{GET /orders}, 'as far as it is the own';
	unlike $other->text, qr{/books/$book|book\.}, 'and no more';
	$other->get("/trace/compare?a=$mine&b=$theirs");
	unlike $other->text, qr{/books/$book|book\.}, 'compared neither';
	$reader->get("/trace/$mine");
	like $reader->text, qr{/books/$book}, 'who asked sees the own';
	unlike $reader->text, qr{/orders}, 'without the stranger';
	# Beside it, but not below: of two requests each sees the own one.
	my $both = asked($reader, get => '/cart');
	share_trace($both);
	{
		local $other->{headers}{'X-Request-Id'} = $both;
		$other->get('/orders');
	}
	ok await(10, sub { $student->get("/trace/$both");
		2 == (() = $student->html =~ /<h2 id="head/g) }), 'two';
	like $student->text, qr{GET /cart.*GET /orders}s, 'for a student';
	$other->get("/trace/$both");
	is $other->status, 200, 'the other one';
	like $other->text, qr{GET /orders}, 'has its own';
	unlike $other->text, qr{GET /cart}, 'and that alone';
};

subtest 'the page' => sub {
	my $html = seen($add);
	my @rows = rows($html);

	charts_ok($html, 'a trace');
	like $student->text, qr{POST /cart/add 303 When 20}, 'its heading';
	like $html, qr{SQL book\.by_ids\.1, 1 row\b}, 'a statement';
	like $html, qr{<code class="sql">SELECT [^<]*FROM books},
	    'and its text';
	like $html, qr{EVALSHA cart\.add cart:…}, 'keys of Redis';
	unlike $html, qr{\bcart(?:-seen)?:\d}, 'but not whose';
	like seen($add, $admin), qr{EVALSHA cart\.add cart:\d+},
	    'but for an administrator';
	like $html, qr{session:[0-9a-f]{8}…}, 'a session cut short';
	like $html, qr{<td>cart-add</td><td>req\.end}, 'its log';
	cmp_ok scalar(@rows), '>=', 6, scalar(@rows) . ' steps';
	for my $who ($student, $admin, $reader) {
		$who->get("/trace/$add");
		is scalar(() = $who->html =~ /127\.0\.0\.1/g) > 0,
		    $who == $admin, 'addresses are for administrators';
	}
	like $reader->text, qr/By whom you/, 'mine';
	like $admin->text, qr/By whom member \d+/, 'for an administrator';
	unlike $student->text, qr/By whom/, 'but not for a student';
	like $student->get("/trace/$nobodys")->text, qr/By whom a guest/,
	    'a guest';
	for my $form (substr($add, 0, 20), uc $add, "00-$add-" . '1' x 16 .
	    '-01') {
		is $student->get("/trace/$form")->status, 200, "as $form";
	}
};

subtest 'as in the terminal' => sub {
	for my $id ($add, $nobodys) {
		my $said = Encode::decode('UTF-8', seoga('trace', $id));
		my @terminal = map { /^ +([\d.]+) +~?([\d.]+)?  +(.*?)(?: +[#|]+)?$/ ?
		    [$3, $1, $2 // '0.00'] : () }
		    (split /\n\n/, $said)[1] =~ /^ +\d.*/mg;
		my @page = map { [$_->[0] =~ s/ +$//r, @$_[1, 2]] }
		    rows(seen($id, $admin));

		is_deeply [map { "@$_[1, 2]" } @page],
		    [map { "@$_[1, 2]" } @terminal], 'the same times';
		is scalar(grep { index($page[$_][0], $terminal[$_][0]) == 0 }
		    0 .. $#page), scalar(@page), 'of the same steps';
		is Encode::decode('UTF-8', seoga('trace', '--redis', $id)),
		    $said, 'from Redis, too';
	}
	my $said = Encode::decode('UTF-8',
	    seoga('trace', '--compare', $add, $mine));
	$student->get("/trace/compare?a=$add&b=$mine");
	my @page = $student->html =~
	    m{<td class="n">([\d.–]+)</td><td class="n">([\d.–]+)</td><td class="n">[^<]*</td><td class="bars">}g;
	my @terminal = map { (split)[0, 1] }
	    (split /\n\n/, $said)[1] =~ /^ +[\d-].*/mg;
	is_deeply [map { s/–/-/r } @page], \@terminal,
	    'the same of two requests';
	like $said, qr/^ +\d+ +\d+ +[+-]\d+  SQL$/m, 'with sums';
	isnt seoga('trace', '--compare', $add) =~ /usage/, '', 'two, not one';
	isnt seoga('trace', '--redis', '--last') =~ /usage/, '', 'no list';
};

subtest 'where no log has it any more' => sub {
	my $before = seoga('trace', $add);
	my $log = site_dir() . '/seoga.log';
	my $access = site_dir() . '/var/log/access.log';

	rename $_, "$_ gone" for $log, $access;
	spew($log, '');
	spew($access, '');
	my $said = seoga('trace', $add);
	rename "$_ gone", $_ for $log, $access;
	like $said, qr/^No log has it any more; this is from Redis\.$/m,
	    'it is looked for in Redis';
	$said =~ s/^No log.*\n//;
	is $said, $before, 'and is the same';
	like seoga('trace', '7' x 32), qr/no line tells of.* Redis$/ms,
	    'what is nowhere';
};

subtest 'nothing secret' => sub {
	my $password = 'ten-green-bottles-hang';
	my $one = Seoga::Reader->new;
	my $name = $one->register(password => $password,
	    password2 => $password);

	$one->logout;
	$one->get('/login');
	my $csrf = $one->form('/login')->{csrf};
	my $id = asked($one, post => '/login', username => $name,
	    password => $password);
	my ($sid) = $one->{cookies}{sid} =~ /^([0-9a-f-]{36})/;
	my $elsewhere = Seoga::Reader->new;
	$elsewhere->{headers}{'X-Forwarded-For'} = '2001:db8::77';
	my $failed = asked($elsewhere->get('/login'), post => '/login',
	    username => $name, password => 'not this one');
	for my $page (seen($id), seen($failed), seen($mine), seen($id, $admin)) {
		unlike $page, qr/\Q$password\E|not this one/, 'no password';
		unlike $page, qr/\Q$sid\E/, 'no session';
		unlike $page, qr/\Q$csrf\E/, 'no token';
		unlike $page, qr/\Q$search\E/, 'no question';
		unlike $page, qr/\$argon2|\$2b\$/, 'no hash';
	}
	unlike seen($failed), qr/2001:db8/, 'no address';
	like seen($failed, $admin), qr/2001:db8::77/,
	    'but for an administrator';
	my $texts = redis('HGETALL', 'trace-sql');
	like $texts, qr/user\.for_login/, 'texts of statements';
	unlike $texts, qr/\Q$password\E|\Q$search\E|\Q$name\E/,
	    'without values';
};

subtest 'EXPLAIN' => sub {
	my $page = "/trace/$add";
	my $name = 'book.by_ids.1';

	$student->get($page)->send($page, where => { explain => $name });
	is $student->status, 200, 'of a statement that reads';
	like $student->text, qr/EXPLAIN book\.by_ids\.1/, 'is named';
	like $student->text, qr/type is how rows are found/, 'explained';
	like $student->html,
	    qr{<th scope="col">possible_keys</th>.*<td>books</td>}s,
	    'has a plan';
	like $student->text, qr/values of the request are not known.*example/,
	    'and says what it is made with';
	like $student->text, qr/stood for books\.id/, 'column by column';
	is $admin->get($page)->send($page, where => { explain => $name })
	    ->status, 200, 'for an administrator';
	is $reader->get($page)->form($page), undef, 'not for a reader';
	my $csrf = $reader->get('/account')->form('/logout')->{csrf};
	is $reader->post($page, { csrf => $csrf, explain => $name })->status,
	    403, 'who asks all the same';
	my $form = $student->get($page)->form($page);
	for (['', 400], ['no.such', 404], ["x' OR 1=1 -- ", 404],
	    ['SELECT 1', 404], ['x' x 200, 400]) {
		is $student->post($page, { %$form, explain => $_->[0] })
		    ->status, $_->[1], "'" . substr($_->[0], 0, 20) . "'";
	}
	is $student->post($page, { explain => $name })->status, 403,
	    'without the token';
	redis('HSET', 'trace-sql', 'bad.one', 'DELETE FROM books',
	    'bad.two', 'SELECT 1; DELETE FROM books', 'bad.three',
	    "SELECT ';' INTO OUTFILE '/tmp/x'");
	for my $bad (qw(bad.one bad.two bad.three)) {
		is $student->post($page, { %$form, explain => $bad })->status,
		    400, "$bad is not asked about";
	}
	seen(asked($guest, get => '/books?q=pride+and'));
	my @names = grep { /\A[a-z_.0-9]+\z/ } split /\n/,
	    redis('HKEYS', 'trace-sql');
	my $count = 0;
	for my $any (@names) {
		next if redis('HGET', 'trace-sql', $any) !~
		    /\A\(?(?:SELECT|WITH) / || $any =~ /^(?:bad|explain)\./;
		$count++;
		is $student->post($page, { %$form, explain => $any })->status,
		    200, $any;
	}
	ok scalar(grep { $_ eq 'search.facets' } @names), 'one with a ";"';
	cmp_ok $count, '>=', 8, "$count statements explained";
};

subtest 'the list' => sub {
	$student->get('/trace');
	is $student->status, 200, 'is there';
	charts_free($student->html);
	like $student->text, qr/\d+ traces are kept \([\d.]+ k?M?B\), the oldest of 20/,
	    'how many, how much, since when';
	like $_->get('/trace?route=cart-add')->html, qr{href="/trace/$add"},
	    'with one of a reader' for $student, $reader;
	for my $query ('', '?mine=0', '?order=slowest', '?order=errors',
	    '?route=cart', '?status=200') {
		$other->get("/trace$query");
		is $other->status, 200, "another one: $query";
		unlike $other->html, qr{"/trace/(?:$add|$nobodys)"},
		    'sees the own alone';
	}
	like $other->get('/trace?route=cart')->html, qr{href="/trace/$theirs"}, 'these';
	unlike $student->get('/trace?mine=1')->html, qr{"/trace/$add"},
	    'only my own';
	for (['route=cart-add', qr/POST \/cart\/add/, qr/GET \/books/],
	    ['status=404', qr/\/trace\/7777/, qr/POST \/cart/],
	    ['status=4xx', qr/\/trace\/7777/, qr/POST \/cart/],
	    ['status=303', qr/POST \/cart\/add/, qr/\/trace\/7777/],
	    ['order=errors', qr/\/trace\/7777/, qr/POST \/cart/],
	    ['ms=60000', qr/No request that is kept is like this/,
	    qr/GET \/books/]) {
		my ($query, $has, $not) = @$_;
		$student->get("/trace?$query");
		is $student->status, 200, $query;
		like $student->text, $has, 'has these';
		unlike $student->text, $not, 'not those';
	}
	my @ms = $student->get('/trace?order=slowest')->html =~
	    m{<td class="took">([\d.]+) }g;
	is_deeply \@ms, [sort { $b <=> $a } @ms], 'the slowest first';
	is $student->get("/trace?id=$add")->status, 303, 'an id';
	is $student->header('location'), "/trace/$add", 'leads to it';
};

# Bars in a list only repeat numbers, so there is no chart to be told.
sub charts_free {
	is_deeply [chart_mistakes($_[0])], [], 'its bars are for everybody';
}

subtest 'page by page' => sub {
	my %made = map { $guest->get("/books/$book"); $guest->trace => 1 }
	    1 .. 60;
	my $ready = sub {
		return !grep { $student->get("/trace/$_")->status != 200 }
		    (sort keys %made)[0, 20, 40, 59];
	};
	ok await(15, $ready), 'they are there';
	seen($guest->trace);
	sleep 1;
	my (%count, $pages);
	$student->get('/trace?route=book&ms=0');
	while (++$pages < 9) {
		$count{$_}++ for $student->html =~
		    /<a href="\/trace\/([0-9a-f]{32})"/g;
		my ($next) = $student->html =~
		    m{<a href="([^"]+)" rel="next">} or last;
		$student->get(decode_entities($next));
	}
	cmp_ok $pages, '>=', 2, "$pages pages";
	is_deeply [grep { !$count{$_} } keys %made], [], 'all of them';
	is_deeply [grep { $count{$_} > 1 && $_ ne $mine } keys %count], [],
	    'each once';
};

subtest 'one id for hundreds of requests' => sub {
	my $id = 'abcd' x 8;

	share_trace($id);
	http(get => '/books?q=pride', { headers => { 'X-Request-Id' => $id } })
	    for 1 .. 300;
	ok await(10, sub {
		$student->get("/trace/$id")->text =~ /more than this page can/;
	}), 'the latest of them';
	is $student->status, 200, 'are shown';
	cmp_ok length $student->bytes, '<', 1_500_000, 'within bounds';
	is $student->get("/trace/compare?a=$id&b=$id")->status, 200,
	    'compared, too';
};

subtest 'what makes no sense' => sub {
	for (['status=9', 400], ['status=9xx', 400], ['status=abc', 400],
	    ['status=%00', 400], ['ms=x', 400], ['ms=-1', 400],
	    ['ms=99999999999999999999', 400], ['order=best', 400],
	    ['route=' . 'x' x 40, 400], ['route=%27', 200], ['mine=x', 400],
	    ['id=' . 'f' x 99, 400], ['before=' . 'z' x 200, 400]) {
		my ($query, $status) = @$_;
		is $student->get("/trace?$query")->status, $status,
		    substr $query, 0, 30;
	}
	$student->get('/trace?status=9');
	like $student->text, qr/There is a problem.*such as 404/, 'in words';
	like $student->get('/trace?before=%27%3B')->status, qr/^(?:200|400)$/,
	    'a made-up cursor';
	for my $id ('zzz', '1234567', 'f' x 33, '0' x 32, 'abcdefgh' x 4,
	    '-' x 55, 'f' x 60) {
		is $student->get("/trace/$id")->status, 404, "/trace/$id";
	}
	like $student->get('/trace/zzz')->text, qr/That is no request id/,
	    'in words';
	is $student->get('/trace/' . 'f' x 100)->status, 404, 'far too long';
	is $student->get('/trace/%00')->status, 400, 'a NUL';
	is $student->get("/trace/compare$_->[0]")->status, $_->[1],
	    "compare$_->[0]" for ['', 404], ["?a=$add", 404],
	    ["?a=$add&b=zzz", 404], ["?a=$add&b=$add", 200],
	    ["?a=%00&b=$add", 400];
	for my $method (qw(PUT DELETE PATCH POST)) {
		$student->ask($method => '/trace');
		is $student->status, 405, "$method /trace";
	}
	$student->ask(DELETE => "/trace/$add");
	is $student->status, 405, 'a trace stays';
};

subtest 'compared' => sub {
	$student->get("/trace/compare?a=$add&b=$nobodys");
	is $student->status, 200, 'side by side';
	charts_ok($student->html, 'a comparison');
	like $student->text, qr{A POST /cart/add 303 .*B GET /books 200},
	    'both are named';
	my ($a, $b, $difference) = $student->html =~
	    m{Whole request, ms</th><td>([\d.]+)</td><td>([\d.]+)</td><td>([+−]?[\d.]+)};
	cmp_ok abs($b - $a - ($difference =~ s/−/-/r)), '<', 0.011,
	    'the difference is one';
	like $student->text, qr/only A.*|only B/, 'what one has alone';
	$student->get("/trace/compare?a=$add&b=$add");
	unlike $student->text, qr/only [AB]/, 'with itself: nothing alone';
	unlike $student->html, qr{<td class="n">[+−]\d}, 'and no difference';
};

subtest 'in a terminal browser' => sub {
	plan skip_all => 'w3m is not installed'
	    if !grep { -x "$_/w3m" } split /:/, $ENV{PATH};
	my $file = site_dir() . '/page.html';

	seen($add);
	spew($file, $student->bytes);
	my $text = Encode::decode('UTF-8',
	    qx{w3m -dump -cols 80 -O UTF-8 -T text/html $file});
	like $text, qr/SQL book\.by_ids\.1, 1 row\b/, 'steps';
	like $text, qr/· · Redis EVALSHA cart\.add/, 'with their depth';
	like $text, qr/^\| *nginx|nginx +1 +\d+\.\d\d +\d+ %/m, 'and sums';
	like $text, qr/at\s+ms|took/, 'under headings';
};

subtest 'without Redis' => sub {
	expect_error(qr/"ev":"redis\.|"status":503/);
	my $pid = slurp(site_dir() . '/var/run/redis.pid') =~ s/\s//gr;
	kill 'STOP', $pid;
	$student->get("/trace/$add");
	kill 'CONT', $pid;
	is $student->status, 503, 'the page says so';
	ok await(20, sub { $student->get("/trace/$add")->status == 200 }),
	    'and comes back';
};

site_stop();
done_testing();
