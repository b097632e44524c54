#!/usr/bin/perl
# MariaDB stopped, hung, its connections killed under load; and what the
# programs' account may not do.
use strict;
use warnings;
use utf8;

use List::Util qw(sum0);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Reader;
use Seoga::Test;

# MariaDB's library counts in whole seconds.
my $deadline_s = 1;
site_start(db_hosts => '', connect_ms => 1000 * $deadline_s,
    command_ms => 1000 * $deadline_s, breaker_probe_ms => 100,
    breaker_reset_s => 1);
seoga_ok('migrate', '--sample');
expect_error(qr/"ev":"db\.error"/,
    qr/"ev":"nginx\.request".*"status":503/);

my @books = split ' ', own_sql('SELECT id FROM books
    WHERE stock_quantity > 0 ORDER BY id LIMIT 80');
my $book = $books[0];
my $reader = Seoga::Reader->new;
my $name = $reader->register;
my $token = member_token();
$reader->add($book, 2);
# Not one that was read lately: that is in Redis.
my $unread = $books[79];
my $csrf = $reader->get("/books/$book")->form('/cart/add')->{csrf};
my $workers = all_workers();

sub says_503 {
	my ($who, $lang, $path) = @_;
	my $words = $lang eq 'ko' ? qr/도서 목록/ :
	    qr/The catalogue is not available right now/;

	is $who->status, 503, "$path: 503";
	like $who->header('retry-after'), qr/^[1-9]\d*$/,
	    "$path: Retry-After";
	like $who->html, qr/<html lang="$lang"/, "$path: in $lang";
	like $who->text, $words, "$path: says what is away";
	my $trace = $who->trace;
	like $who->text, qr/\Q$trace\E/, "$path: with the request id";
}

sub problem_503 {
	my ($answer, $path) = @_;

	is $answer->{status}, 503, "$path: 503";
	like $answer->{headers}{'content-type'},
	    qr{^application/problem\+json}, "$path: a problem";
	like $answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/,
	    "$path: Retry-After";
	is $answer->{json}{request_id}, $answer->{headers}{'x-request-id'},
	    "$path: its request id";
}

sub ready_says {
	my ($mariadb, $status) = @_;
	my $ready = api(get => '/api/ready');

	is $ready->{status}, $status, "/api/ready: $status";
	is $ready->{json}{mariadb}, $mariadb,
	    "/api/ready: MariaDB is $mariadb";
	is $ready->{json}{redis}, 'ok', '/api/ready: Redis is ok';
}

sub healed {
	ok await(5, sub { http(get => '/api/ready')->{status} == 200 }),
	    'it heals by itself, when a probe finds it';
	is $reader->cart->{$book}, 2, 'the cart is there';
	ok $reader->signed_in, 'and its member signed in';
	$reader->get('/books');
	is $reader->status, 200, 'the list is back';
	is_deeply all_workers(), $workers, 'no worker has left';
	ready_says('ok', 200);
}

subtest 'stopped' => sub {
	my $korean = Seoga::Reader->new(lang => 'ko');

	backend_stop('mariadb');
	for my $path ('/', '/books', "/books/$unread", "/covers/$book.svg",
	    '/cart') {
		$reader->get($path);
		says_503($reader, 'en', $path);
	}
	$reader->get("/books/$book");
	is $reader->status, 200, 'a book that was read lately can be read';
	$korean->get('/books');
	says_503($korean, 'ko', '/books');
	$reader->post('/cart/add', { csrf => $csrf, book_id => $book,
		quantity => 1 });
	says_503($reader, 'en', 'POST /cart/add');
	problem_503(api(get => '/api/books'), '/api/books');
	problem_503(api(post => '/api/cart/add', $token,
	    { book_id => $book, quantity => 1 }), '/api/cart/add');
	problem_503(api(post => '/api/users/login', undef,
	    { username => $name, password => 'a long enough password' }),
	    '/api/users/login');
	problem_503(api(post => '/api/users/register', undef,
	    { username => "new$$", name => 'New',
	    password => 'a long enough password' }), '/api/users/register');
	is http(get => '/api/health')->{status}, 200, '/api/health: alive';
	ready_says('away', 503);
	backend_start('mariadb');
	healed();
};

# Cut by us, not by nginx (504), and not after a minute.
subtest 'hung' => sub {
	my $timed = sub {
		my ($what, $code) = @_;
		my $start = time;

		$code->();
		my $took = time - $start;
		cmp_ok $took, '<', 2 * $deadline_s + 6,
		    "$what: cut by the deadline";
		cmp_ok $took, '>', $deadline_s / 2,
		    "$what: and it was tried";
	};

	backend_hang('mariadb');
	$timed->('/books', sub { $reader->get('/books') });
	says_503($reader, 'en', '/books');
	# This time on a new connection.
	$timed->('/api/ready', sub { ready_says('away', 503) })
	    for 1 .. 2;
	$timed->('/api/cart/add', sub {
		problem_503(api(post => '/api/cart/add', $token,
		    { book_id => $book, quantity => 1 }), '/api/cart/add');
	});
	backend_wake('mariadb');
	healed();
};

# A SELECT that died is asked again on a new connection.
subtest 'connections killed under load' => sub {
	my $kills = 0;

	load_start(4, '/books', "/books/$book", '/api/books');
	sleep 0.3;
	for (1 .. 15) {
		my @ids = split ' ', own_sql("SELECT id
		    FROM information_schema.processlist WHERE user = 'seoga'");
		# One may have gone by itself in the meantime.
		eval { own_sql(join '', map { "KILL $_;" } @ids); 1 }
		    and $kills += @ids;
		sleep 0.1;
	}
	my ($count, @failed) = load_stop();
	cmp_ok $kills, '>', 20, "connections were killed ($kills)";
	cmp_ok $count, '>', 100, "under load ($count requests)";
	is_deeply \@failed, [], 'no GET failed';
	healed();
};

subtest 'restarted under load' => sub {
	my @lines = @books[2 .. 73];

	adders_start(3, $token, \@lines);
	sleep 0.4;
	for (1 .. 2) {
		backend_stop('mariadb');
		backend_start('mariadb');
		sleep 0.4;
	}
	my $added = adders_stop();
	cmp_ok sum0(values %{$added->{confirmed}}), '>', 50,
	    "there were adds ($added->{count})";
	is_deeply [grep { $_ != 503 } keys %{$added->{failed}}], [],
	    'what failed was 503';
	# The book is looked up before the cart is touched.
	is_deeply quantities($token), $added->{confirmed},
	    'the cart holds just what was confirmed';
	healed();
};

# What a program could do at worst.
subtest 'the account of the programs' => sub {
	local $ENV{MYSQL_PWD} = slurp(site_dir() . '/var/secret/db') =~ s/\s//gr;
	my $try = sub {
		my ($text) = @_;

		open my $out, '-|', '/bin/sh', '-c',
		    'exec mariadb --no-defaults -useoga -N -B '
		    . '--socket="$1" -e "$2" seoga 2>&1', 'sh',
		    site_dir() . '/var/run/mariadb.sock', $text or die;
		local $/;
		my $said = <$out> // '';
		close $out;
		return $? == 0 ? 'done' : $said;
	};

	is $try->('SELECT COUNT(*) FROM books'), 'done', 'it reads';
	is $try->('UPDATE books SET stock_quantity = stock_quantity'), 'done',
	    'it writes';
	for my $forbidden ('DROP TABLE books', 'TRUNCATE TABLE books',
	    'ALTER TABLE books ADD COLUMN x INT', 'CREATE TABLE x (x INT)',
	    'CREATE INDEX x ON books (price)', 'DROP TRIGGER book_added',
	    'CREATE USER x@localhost', 'GRANT ALL ON *.* TO seoga@localhost',
	    'DROP DATABASE seoga', 'SET GLOBAL max_connections = 1',
	    'CREATE VIEW x AS SELECT 1', 'RENAME TABLE books TO x',
	    "SELECT LOAD_FILE('/etc/passwd') INTO OUTFILE '/tmp/seoga-no'",
	    'SELECT user FROM mysql.user', 'SHUTDOWN', 'FLUSH TABLES') {
		like $try->($forbidden), qr/denied/, "not: $forbidden";
	}
	unlike slurp('/proc/' . $workers->[0] . '/environ'),
	    qr/SEOGA_DB_ADMIN/, 'nor does a program know another';
};

is_deeply [grep { $_->{status} >= 500 && $_->{status} != 503 }
    access_lines()], [], 'no 5xx but 503';
site_stop();
done_testing();
