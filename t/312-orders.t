#!/usr/bin/perl
# GET /orders: a member's own orders, page by page.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 500, price = 1000');

sub member {
	my (%option) = @_;
	my $reader = Seoga::Reader->new(%option);

	$reader->{username} = $reader->register;
	return $reader;
}

# The orders on the page in hand.
sub listed {
	my ($reader) = @_;
	my ($main) = $reader->html =~ m{<main(.*)</main>}s;

	return [$main =~ m{href="/orders/([0-9]+-[0-9A-Z]+)"}g];
}

subtest 'who may see them' => sub {
	my $guest = Seoga::Reader->new;

	$guest->get('/orders');
	is $guest->status, 303, 'a guest is sent';
	like $guest->header('location'), qr{^/login\?next=(?:/|%2F)orders$}i,
	    'to sign in, and back';
	is member()->get('/orders')->header('cache-control'), 'no-store',
	    'nobody keeps the page';
};

subtest 'none yet' => sub {
	my $reader = member();

	$reader->get('/orders');
	is $reader->status, 200, 'is no mistake';
	like $reader->text, qr/There is no order here yet/, 'said';
	like $reader->html, qr{<li><a href="/orders">Orders</a></li>},
	    'the menu leads here';
	unlike $reader->logout->html, qr{href="/orders"},
	    'not that of a guest';
};

subtest 'some' => sub {
	my ($reader, $other) = (member(), member());

	$reader->add(1201, 2);
	my $first = $reader->order;
	$reader->add($_) for 1202, 1203, 1204;
	my $second = $reader->order;
	$other->add(1205);
	my $foreign = $other->order;

	is_deeply listed($reader->get('/orders')), [$second, $first],
	    'the latest first, one\'s own only';
	like $reader->text, qr/and\ 2\ other\ books\ Waiting\ for\ payment\ ₩3,000
	    \ Pay\ within\ 1[45]\ min,\ or\ it\ is\ cancelled\./x,
	    'books, state, total and until when';
	like $reader->text, qr/Order \Q$first\E, \d+ \w+ \d{4} \d\d:\d\d UTC/,
	    'number and time';
	unlike $reader->html, qr/\Q$foreign\E/, 'nobody else\'s';
	is_deeply listed($other->get('/orders')), [$foreign], 'who has his';
	my ($title) = split /\n/, sql("SELECT title FROM order_items i
	    JOIN orders o ON o.id = i.order_id WHERE number = '$foreign'");
	sql("UPDATE books SET title = 'Renamed' WHERE id = 1205");
	unlike $other->get('/orders')->text, qr/Renamed/,
	    'titles are those of its day';
	sql("UPDATE order_items SET title = '<script>alert(1)</script>\"\\''
	    WHERE book_id = 1205");
	$other->get('/orders');
	unlike $other->html, qr/<script/, 'escaped';
	like $other->text, qr/<script>alert\(1\)<\/script>"'/, 'but shown';
};

subtest 'page by page' => sub {
	my $reader = member();
	my ($user) = sql("SELECT id FROM users
	    WHERE username = '$reader->{username}'") =~ /(\d+)/;

	sql("INSERT INTO orders (number, user_id, total, recipient, phone,
		postcode, address, once_key, once_digest, expires_at)
	    SELECT CONCAT('20261101-', LPAD(seq, 6, '0')), $user, 10, 'R',
		'0', '0', 'A', CONCAT('k', seq), 'd', UTC_TIMESTAMP()
	    FROM seq_1_to_45;
	    INSERT INTO order_items (order_id, book_id, title, author,
		language, quantity, unit_price, total_price)
	    SELECT id, 1201, 'A title', 'A', 'en', 1, 10, 10 FROM orders
	    WHERE user_id = $user");
	my @all = map { sprintf '20261101-%06d', $_ } reverse 1 .. 45;
	my @found;
	my $path = '/orders';
	my $pages = 0;
	while ($path && $pages++ < 9) {
		$reader->get($path);
		push @found, @{listed($reader)};
		($path) = $reader->html =~ m{<a href="(/orders\?after=\d+)"};
	}
	is $pages, 3, 'three pages';
	is_deeply \@found, \@all, 'each order once, in order';
	like $reader->html, qr{<a href="/orders">First page</a>},
	    'and back to the first';
	is $reader->get("/orders?after=$_")->status, 400, "not after \"$_\""
	    for '0', '-1', 'x', '9' x 30;
	$reader->get('/orders?after=1');
	is $reader->status, 200, 'the end is no mistake';
};

subtest 'in Korean' => sub {
	my $reader = member(lang => 'ko');

	$reader->add($_) for 1202, 1203;
	$reader->order;
	like $reader->get('/orders')->text, qr/외 1종 결제 대기 2,000원/,
	    'what, state and total';
};

site_stop();
done_testing();
