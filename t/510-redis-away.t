#!/usr/bin/perl
# Redis stopped, hung, restarted under load: the catalogue stays readable, the
# rest says what is wrong, and everything heals by itself.
use strict;
use warnings;
use utf8;

use List::Util qw(sum0);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Reader;
use Seoga::Test;

my ($connect_s, $command_s) = (0.2, 0.4);
site_start(connect_ms => 1000 * $connect_s, command_ms => 1000 * $command_s,
    breaker_probe_ms => 100, breaker_reset_s => 1);
seoga_ok('migrate', '--sample');
expect_error(qr/"ev":"redis\.error"/,
    qr/"ev":"nginx\.request".*"status":503/);

my @books = split ' ', sql('SELECT id FROM books WHERE stock_quantity > 0
    ORDER BY id LIMIT 80');
my $book = $books[0];
my $reader = Seoga::Reader->new;
my $korean = Seoga::Reader->new(lang => 'ko');
my $guest = Seoga::Reader->new;
my $name = $reader->register;
my $token = member_token();
my $workers = all_workers();

$reader->add($book, 2);
$guest->add($books[1], 3);
is $reader->cart->{$book}, 2, 'a cart before';

# Pages for all, whoever asks.
sub readable {
	my ($who) = @_;

	for my $path ('/', '/books', '/books?sort=price', "/books/$book",
	    "/covers/$book.svg", '/books?category=1',
	    '/books?q=nothing+is+called+so') {
		$who->get($path);
		is $who->status, 200, "$path can be read";
		next if $path =~ /covers/;
		unlike $who->html, qr{<a href="/cart">[^<]*<b>},
		    "$path: the number in the cart is unknown";
		like $who->html, qr{href="/login}, "$path: as a guest";
	}
	for my $path ('/api/books', "/api/books/$book", '/api/health') {
		is http(get => $path)->{status}, 200, "$path can be read";
	}
}

sub says_503 {
	my ($who, $lang, $path) = @_;
	my $words = $lang eq 'ko' ? qr/로그인과 장바구니/ :
	    qr/Sign-in and cart are not available right now/;

	is $who->status, 503, "$path: 503";
	like $who->header('retry-after'), qr/^[1-9]\d*$/,
	    "$path: Retry-After";
	like $who->header('content-type'), qr{^text/html}, "$path: a page";
	like $who->html, qr/<html lang="$lang"/, "$path: in $lang";
	like $who->text, $words, "$path: says what is away";
	my $trace = $who->trace;
	like $who->text, qr/\Q$trace\E/, "$path: with the request id";
	is $who->header('cache-control'), 'no-store', "$path: not kept";
}

sub problem_503 {
	my ($answer, $path) = @_;

	is $answer->{status}, 503, "$path: 503";
	like $answer->{headers}{'content-type'},
	    qr{^application/problem\+json}, "$path: a problem";
	like $answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/,
	    "$path: Retry-After";
	is $answer->{json}{status}, 503, "$path: its status";
	is $answer->{json}{request_id}, $answer->{headers}{'x-request-id'},
	    "$path: its request id";
}

sub refused {
	my ($csrf) = @_;
	my $form = { csrf => $csrf, book_id => $book, quantity => 1,
		username => $name, password => 'a long enough password' };

	for my $path (qw(/cart /account /login /register)) {
		$reader->get($path);
		says_503($reader, 'en', $path);
	}
	$_->get('/cart'), says_503($_, 'ko', '/cart as a new guest')
	    for Seoga::Reader->new(lang => 'ko');
	for my $path (qw(/cart/add /cart/set /cart/remove /cart/clear /login
	    /logout)) {
		$reader->post($path, $form);
		says_503($reader, 'en', "POST $path");
	}
	problem_503(api(get => '/api/cart', $token), '/api/cart');
	problem_503(api(post => '/api/cart/add', $token,
	    { book_id => $book, quantity => 1 }), '/api/cart/add');
	problem_503(api(post => '/api/users/login', undef,
	    { username => $name, password => 'a long enough password' }),
	    '/api/users/login');
}

sub ready_says {
	my ($redis, $status) = @_;
	my $ready = api(get => '/api/ready');

	is $ready->{status}, $status, "/api/ready: $status";
	is $ready->{json}{redis}, $redis, "/api/ready: Redis is $redis";
	is $ready->{json}{mariadb}, 'ok', '/api/ready: MariaDB is ok';
	is defined $ready->{headers}{'retry-after'}, $status == 503,
	    '/api/ready: Retry-After if away';
}

sub healed {
	ok await(5, sub { http(get => '/api/ready')->{status} == 200 }),
	    'it heals by itself, when a probe finds it';
	is $reader->cart->{$book}, 2, 'the cart of the member is there';
	ok $reader->signed_in, 'who is still signed in';
	is $guest->cart->{$books[1]}, 3, 'and the cart of the guest';
	is_deeply all_workers(), $workers, 'no worker has left';
	ready_says('ok', 200);
}

my $csrf = $reader->get("/books/$book")->form('/cart/add')->{csrf};

subtest 'stopped' => sub {
	ready_says('ok', 200);
	backend_stop('redis');
	readable($reader);
	readable(Seoga::Reader->new);
	refused($csrf);
	ready_says('away', 503);
	backend_start('redis');
	healed();
};

# The deadlines are short, the bound is not: cut they must be, by us and not
# by nginx (which would say 504), and not after a minute.  After five failures
# the breaker is open, and nobody is made to wait (t/560-breaker.t).
subtest 'hung' => sub {
	my $bound = $connect_s + $command_s + 5;
	my $calls = 0;
	my $timed = sub {
		my ($what, $code) = @_;
		my $start = time;

		$code->();
		my $took = time - $start;
		cmp_ok $took, '<', $bound, "$what: cut by the deadline";
		cmp_ok $took, '>', $command_s / 2, "$what: and it was tried"
		    if $calls++ < 5;
	};

	backend_hang('redis');
	$timed->('/books', sub { $reader->get('/books') });
	is $reader->status, 200, 'the list can be read';
	$timed->("/books/$book", sub { $reader->get("/books/$book") });
	is $reader->status, 200, 'a book can be read';
	$timed->('/cart', sub { $reader->get('/cart') });
	says_503($reader, 'en', '/cart');
	$timed->('/login', sub { $korean->get('/login') });
	says_503($korean, 'ko', '/login');
	$timed->('/api/cart', sub {
		problem_503(api(get => '/api/cart', $token), '/api/cart');
	});
	$timed->('/api/ready', sub { ready_says('away', 503) });
	backend_wake('redis');
	healed();
};

subtest 'restarted under load' => sub {
	# Not the lines of before.
	my @lines = @books[2 .. 73];
	my @statuses;

	load_start(2, '/books', '/api/books');
	adders_start(3, $token, \@lines);
	sleep 0.5;
	for (1 .. 3) {
		backend_stop('redis');
		sleep 0.2;
		backend_start('redis');
		sleep 0.4;
	}
	my $added = adders_stop();
	my ($count, @failed) = load_stop();

	cmp_ok $count, '>', 50, "there was load ($count pages)";
	is_deeply \@failed, [], 'the catalogue was never away';
	cmp_ok sum0(values %{$added->{confirmed}}), '>', 50,
	    "there were adds ($added->{count})";
	is_deeply [grep { $_ != 503 } keys %{$added->{failed}}], [],
	    'what failed was 503';
	cmp_ok $added->{failed}{503} // 0, '>', 0, 'and some did';

	my $have = quantities($token);
	is_deeply [grep { ($have->{$_} // 0) < $added->{confirmed}{$_} }
	    keys %{$added->{confirmed}}], [], 'nothing confirmed was lost';
	is_deeply [grep { $have->{$_} > ($added->{confirmed}{$_} // 0) +
	    ($added->{unknown}{$_} // 0) } keys %$have], [],
	    'nothing came in twice';
	healed();
};

subtest 'full' => sub {
	redis(qw(CONFIG SET maxmemory 1));
	readable_as_member();
	my $add = api(post => '/api/cart/add', $token,
	    { book_id => $book, quantity => 1 });
	problem_503($add, '/api/cart/add');
	redis(qw(CONFIG SET maxmemory 256mb));
	healed();
};

# A full Redis can be read.
sub readable_as_member {
	$reader->get('/books');
	is $reader->status, 200, '/books can be read';
	is $reader->cart->{$book}, 2, 'and so can the cart';
}

is_deeply [grep { $_->{status} >= 500 && $_->{status} != 503 }
    access_lines()], [], 'no 5xx but 503';
site_stop();
done_testing();
