#!/usr/bin/perl
# The six views under /status/: who may see them, what they tell after real
# traffic, who sees whose address, and what they say while MariaDB is away.
use strict;
use warnings;
use utf8;

use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Svg;
use Seoga::Test;

my @views = map { "/status/$_" }
    qw(application api database redis business attack);

site_start(limits => 'on', history_step_s => 1, db_hosts => '',
    connect_ms => 1000, command_ms => 1000, breaker_probe_ms => 100,
    breaker_reset_s => 1, trusted_proxies => '127.0.0.1');
seoga_ok('migrate', '--sample');

# A reader with an address of his own, and one of a role.
my $readers = 0;

sub visitor {
	my (%option) = @_;

	return Seoga::Reader->new(%option, headers => {
		'X-Forwarded-For' => '192.0.2.' . ++$readers });
}

sub somebody {
	my ($role, %option) = @_;
	my $reader = visitor(%option);
	my $name = $reader->register;

	own_sql("UPDATE users SET role = '$role' WHERE username = '$name'");
	$reader->login($name);
	is $reader->signed_in, 1, "$role: signed in" or BAIL_OUT('sign-in');
	return $reader;
}

my $guest = visitor();
my $member = somebody('reader');
my $librarian = somebody('librarian');
my $student = somebody('student');
my $admin = somebody('admin');
my $korean = somebody('admin', lang => 'ko');

sub section {
	my ($reader, $id) = @_;

	return ($reader->html =~ m{<section id="\Q$id\E"(.*?)</section>}s)[0]
	    // '';
}

# The text of a tile, by its label.
sub tile {
	my ($reader, $id, $label) = @_;

	return (section($reader, $id) =~
	    m{<dt>\Q$label\E</dt> <dd>(.*?)</dd>})[0] // '';
}

subtest 'who may see them' => sub {
	for my $path (@views) {
		is $guest->get($path)->status, 303, "$path: a guest signs in";
		is $member->get($path)->status, 403, "$path: no member";
		is $librarian->get($path)->status, 403, "$path: no librarian";
		is $student->get($path)->status, 200, "$path: a student";
		is $admin->get($path)->status, 200, "$path: an administrator";
		is $admin->post($path, {})->status, 405, "$path: only to read";
	}
	is $admin->get('/status/nothing')->status, 404, 'there are no others';
};

subtest 'in both languages, each chart for everybody' => sub {
	for my $path (@views) {
		$admin->get($path);
		like $admin->html, qr{<meta http-equiv="refresh" content="15">},
		    "$path: comes again";
		charts_ok($admin->html, $path);
		like $admin->html, qr/<html lang="en"/, "$path: in English";
		is $korean->get($path)->status, 200, "$path: in Korean";
		charts_ok($korean->html, "$path in Korean");
		like $korean->html, qr{<h1>\p{Hangul}|<h1>(?:API|MariaDB|Redis)},
		    "$path: its heading";
		unlike $korean->html =~ s{<(?:pre|code).*?</}{}gsr,
		    qr/>(?:Requests|Memory|Yes|No|Keys)</, "$path: all of it";
		unlike $admin->html, qr/\bnan\b|\binf\b/i, "$path: numbers";
	}
};

subtest 'a page that stays' => sub {
	$admin->get('/status/api?route=register');
	my ($url) = $admin->html =~ m{<a href="([^"]*refresh=0)">};
	is $url, '/status/api?route=register&amp;refresh=0', 'is a link away';
	$admin->get($url =~ s/&amp;/&/gr);
	unlike $admin->html, qr/http-equiv="refresh"/, 'and stays';
	like $admin->html, qr{<option selected>register</option>}, 'as it was';
	like $admin->html,
	    qr{<input type="hidden" name="refresh" value="0">},
	    'also when another program is chosen';
	like $admin->html, qr{href="[^"]*route=register&amp;refresh=1"},
	    'and back';
};

subtest 'the road through them' => sub {
	$admin->get('/status/redis');
	for my $path (@views) {
		like $admin->html, qr{<a href="\Q$path\E"}, "$path: linked";
	}
	like $admin->html,
	    qr{<a href="/status/redis" aria-current="page">}, 'we are here';
};

# --- traffic ---

my $books = own_sql('SELECT id FROM books WHERE stock_quantity > 5
    ORDER BY id LIMIT 1');
my $book = (split ' ', $books)[0];

sub traffic {
	http(get => '/books') for 1 .. 20;
	http(get => "/books/$book") for 1 .. 20;
	http(get => '/books?q=zzzzqqqq') for 1 .. 3;
	http(get => '/books?q=' . 'book');
	$member->add($book, 1);
	return;
}

traffic();
subtest 'what was done is there' => sub {
	ok await(20, sub {
		$admin->get('/status/application');
		tile($admin, 'app-hour', 'Requests') =~ s/,//gr > 40 &&
		    section($admin, 'app-traffic') =~ /p class="ends"/ &&
		    $admin->html !~ /<p class="warn">/
	}), 'requests are counted' or diag $admin->text;
	is tile($admin, 'app-up', 'MariaDB'), 'Yes', 'MariaDB is there';
	is tile($admin, 'app-up', 'Redis'), 'Yes', 'Redis is there';
	is tile($admin, 'app-breakers', 'Redis'), 'No', 'no breaker is open';
	cmp_ok tile($admin, 'app-now', 'Workers'), '>', 20, 'workers';
	like section($admin, 'app-workers'),
	    qr{<th scope="row">books</th><td>}, 'workers by program';
	like section($admin, 'app-memory'), qr/MB/, 'memory';

	ok await(20, sub {
		$admin->get('/status/api?route=books');
		section($admin, 'api-routes') =~
		    m{<th scope="row">books</th><td>\d}
	}), 'figures of a program';
	unlike section($admin, 'api-routes'), qr{<th scope="row">book</th>},
	    'of that one alone';
	like $admin->html, qr{<option selected>books</option>}, 'as chosen';
	ok await(10, sub {
		$admin->get('/status/api');
		section($admin, 'api-routes') =~ m{<th scope="row">book</th>}
	}), 'else of all';
	$admin->get('/status/api?route=%3Cscript%3E');
	is $admin->status, 200, 'of one that is not there';
	unlike $admin->html, qr/script>/, 'which is not repeated';

	$admin->get('/status/database');
	like tile($admin, 'db-server', 'Deadlocks'), qr/^\d/, 'deadlocks';
	like tile($admin, 'db-buffer', 'Read without the disk'), qr/%$/,
	    'the buffer pool';
	like section($admin, 'db-tables'),
	    qr{<th scope="row">books</th><td>[\d,]+</td><td>[\d.]+ [kM]B</td>},
	    'tables';
	$admin->get('/status/redis');
	like tile($admin, 'redis-server', 'Keys'), qr/^[1-9]/, 'keys';
	is tile($admin, 'redis-up', 'Append-only file'), 'Yes', 'the file';
	$admin->get('/status/business');
	is tile($admin, 'biz-hour', 'Put in a cart'), 1, 'one cart';
	is tile($admin, 'biz-hour', 'New members'), 5, 'five members';
	like section($admin, 'biz-days'), qr/There is nothing to tell/,
	    'nothing is sold yet';
	unlike section($admin, 'biz-days'), qr/<table/, 'so there is no table';
	ok await(20, sub {
		$admin->get('/status/business');
		tile($admin, 'biz-stock', 'Books') =~ /^[1-9]/
	}), 'books, counted every few seconds';
};

subtest 'what is sold' => sub {
	my $number = $member->order;

	ok $number, 'an order';
	ok await(20, sub {
		$admin->get('/status/business');
		tile($admin, 'biz-hour', 'Orders placed') eq '1'
	}), 'is placed';
	own_sql('INSERT INTO sales_days (day, orders, copies, revenue)
	    VALUES (UTC_DATE(), 2, 3, 45000),
	    (UTC_DATE() - INTERVAL 6 DAY, 1, 1, 5000),
	    (UTC_DATE() - INTERVAL 7 DAY, 1, 1, 70000)
	    ON DUPLICATE KEY UPDATE revenue = VALUES(revenue)');
	own_sql("INSERT INTO sales_books (day, book_id, copies, revenue)
	    VALUES (UTC_DATE(), $book, 3, 45000)");
	$admin->get('/status/business');
	is tile($admin, 'biz-revenue', 'Today'), '₩45,000', 'today';
	is tile($admin, 'biz-revenue', '7 days'), '₩50,000', 'this week';
	is scalar(() = section($admin, 'biz-days') =~ /<tr><th scope="row">/g),
	    2, 'two days';
	like section($admin, 'biz-books'), qr{</th><td>3</td><td>₩45,000</td>},
	    'the book';
};

# --- attacks ---

# A path as no library of ours would send it.
my $thief = '203.0.113.66';

sub raw {
	my ($path) = @_;
	my ($host, $port) = url('/') =~ m{//([^:/]+):(\d+)};
	my $socket = IO::Socket::INET->new(PeerAddr => $host,
	    PeerPort => $port) or die "connect: $@\n";

	print {$socket} "GET $path HTTP/1.1\r\nHost: $host:$port\r\n"
	    . "X-Forwarded-For: $thief\r\nConnection: close\r\n\r\n";
	my $answer = do { local $/; <$socket> };
	return $answer;
}

subtest 'an attack' => sub {
	$admin->get('/status/attack');
	unlike section($admin, 'attack-addresses'), qr/203\.0\.113/,
	    'nothing yet' or diag $admin->text;
	my $reader = Seoga::Reader->new(
	    headers => { 'X-Forwarded-For' => $thief });
	for my $try (1 .. 2) {
		$reader->get('/login');
		$reader->send('/login', username => 'nobody',
		    password => "wrong guess $try");
		isnt $reader->status, 303, "try $try: refused";
	}
	raw("/$_") for qw(wp-login.php .env phpmyadmin/index.php);
	raw("/backup-$_.zip") for 1 .. 25;
	# nginx's workers write their lines when each of them likes.
	ok await(10, sub {
		$admin->get('/status/attack');
		section($admin, 'attack-addresses') =~
		    m{203\.0\.113.*<td>28 / 28</td>.*Scanner, Burst}
	}), 'is a scanner' or diag section($admin, 'attack-addresses');
	like raw("/<script>alert(1)</script>"), qr{^HTTP/1.1 404}, 'a script';
	ok await(10, sub {
		$admin->get('/status/attack');
		section($admin, 'attack-addresses') =~ /&lt;script&gt;/
	}), 'is shown, escaped' or diag section($admin, 'attack-addresses');
	unlike $admin->html, qr/<script/, 'and nothing but escaped';
	my $row = section($admin, 'attack-addresses');
	like $row, qr{<th scope="row">203\.0\.113\.66</th><td>2 / 2</td>},
	    'the address, and its failed sign-ins';
	is tile($admin, 'attack-hour', 'Failed sign-ins'), 2, 'two tries';
	is tile($admin, 'attack-hour', 'Scanners'), 1, 'one scanner';
	like tile($admin, 'attack-hour', 'Bursts of errors'), qr/^[12]$/,
	    'a burst';
	charts_ok($admin->html, 'with bars');

	# Bytes that are not ASCII end the path in nginx's line.
	my $name = '서가';
	utf8::encode($name);
	raw("/$name");
	raw('/%EC%84%9C%EA%B0%80');
	ok await(10, sub {
		$admin->get('/status/attack');
		section($admin, 'attack-addresses') =~ /%EC%84%9C%EA%B0%80/
	}), 'Korean, as it was sent';

	$student->get('/status/attack');
	like section($student, 'attack-addresses'),
	    qr{<th scope="row">203\.0\.113\.x</th>}, 'a student sees a network';
	unlike $student->html, qr/203\.0\.113\.66/, 'and no address';
};

subtest 'too often' => sub {
	my $reader = Seoga::Reader->new(
	    headers => { 'X-Forwarded-For' => '2001:db8:1:2::66' });
	my $limited = 0;

	for (1 .. 12) {
		$reader->post('/login', { username => 'nobody' });
		$limited++ if $reader->status == 429;
	}
	cmp_ok $limited, '>', 0, "$limited answers 429";
	ok await(10, sub {
		$admin->get('/status/attack');
		tile($admin, 'attack-hour', 'Above a limit') >= $limited
	}), 'are counted';
	like section($admin, 'attack-addresses'),
	    qr{2001:db8:1:2::/64.*Too often}, 'and named';
	ok await(10, sub {
		private(get => '/metrics')->{content} =~
		    /^seoga_attack_events_total\{kind="rate_limited"\} [1-9]/m
	}), 'Prometheus gets them, too';
};

# --- servers away ---

expect_error(qr/"ev":"(?:db|redis)\.error"/,
    qr/"ev":"nginx\.request".*"status":50\d/);

subtest 'MariaDB is away' => sub {
	backend_stop('mariadb');
	for my $path (@views) {
		is $admin->get($path)->status, 200, "$path: goes on";
		charts_ok($admin->html, $path);
	}
	$admin->get('/status/database');
	like section($admin, 'db-tables'), qr/Not known now/, 'and says so';
	is tile($admin, 'db-server', 'Deadlocks'), '–', 'no figure is made up';
	$admin->get('/status/business');
	is tile($admin, 'biz-revenue', 'Today'), '–', 'nor is revenue';
	ok await(20, sub {
		$admin->get('/status/application');
		tile($admin, 'app-now', 'Events in the outbox') eq '–'
	}), 'nor what MariaDB had said before';
	is tile($admin, 'app-now', 'Dead letters'), 0, 'Redis still tells its own';
	ok $admin->get('/status')->text =~
	    /Waiting in the outbox – In the queue \d/, 'nor on /status';
	backend_start('mariadb');
	ok await(20, sub {
		$admin->get('/status/database');
		tile($admin, 'db-server', 'Deadlocks') =~ /^\d/
	}), 'it is back';
};

subtest 'Redis is away' => sub {
	backend_stop('redis');
	for my $path (@views) {
		like $admin->get($path)->status, qr/^(?:303|503)$/,
		    "$path: nobody is known";
	}
	backend_start('redis');
	ok await(20, sub { $admin->get('/status/redis')->status == 200 }),
	    'it is back';
};

site_stop();
done_testing();
