#!/usr/bin/perl
# GET and POST /checkout: from the cart to an order, once, at the price that
# was shown, and with nothing lost that was typed.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 500, price = 1000');

my %address = (recipient => '김 서가', phone => '010-1234-5678',
    postcode => '03925', address => '서울 마포구 월드컵로 12, 3층');

sub member {
	my (@books) = @_;
	my $reader = Seoga::Reader->new;

	$reader->{username} = $reader->register;
	$reader->add($_) for @books;
	return $reader;
}

sub orders {
	my ($reader) = @_;

	return split /\n/, sql("SELECT o.number FROM orders o
	    JOIN users u ON u.id = o.user_id
	    WHERE u.username = '$reader->{username}' ORDER BY o.id");
}

sub stock {
	return sql("SELECT stock_quantity FROM books WHERE id = $_[0]") + 0;
}

# The order that the redirect leads to.
sub led_to {
	my ($reader) = @_;

	return ($reader->header('location') // '') =~
	    m{^/orders/([0-9]{8}-[0-9A-Z]{6})$} ? $1 : undef;
}

subtest 'who may order' => sub {
	my $guest = Seoga::Reader->new;

	$guest->get('/checkout');
	is $guest->status, 303, 'a guest is sent';
	like $guest->header('location'), qr{^/login\?next=(?:/|%2F)checkout$}i,
	    'to sign in, and back';
	is $guest->post('/checkout', \%address)->status, 303, 'so is a form';
	like $guest->header('location'), qr{^/login\?next=(?:/|%2F)checkout$}i,
	    'and back, for one\'s session may have ended';
	$guest->add(1201, 3);
	my $username = member()->{username};
	$guest->login($username);
	$guest->get('/checkout');
	like $guest->text, qr/3 × ₩1,000 ₩3,000/, 'the cart comes along';
};

subtest 'nothing to order' => sub {
	my $reader = member();

	$reader->get('/checkout');
	is $reader->status, 200, 'an empty cart is no mistake';
	like $reader->text, qr/There is nothing in your cart/, 'it says so';
	is $reader->form('/checkout'), undef, 'and has no form';
	unlike $reader->get('/cart')->html, qr{href="/checkout"},
	    'nor is the way there shown';
	$reader->add(1202);
	sql('UPDATE books SET stock_quantity = 0 WHERE id = 1202');
	$reader->get('/checkout');
	like $reader->text, qr/None of the books in your cart can be ordered/,
	    'sold out: said';
	is $reader->form('/checkout'), undef, 'no form either';
	sql('UPDATE books SET stock_quantity = 500 WHERE id = 1202');
};

subtest 'an order' => sub {
	my $reader = member();
	my $before = stock(1201);

	$reader->add(1201, 2);
	$reader->add(1203);
	like $reader->get('/cart')->html,
	    qr{<a class="button" href="/checkout">Checkout</a>}, 'the way';
	$reader->get('/checkout');
	like $reader->text, qr/2 × ₩1,000 ₩2,000/, 'a line';
	like $reader->text, qr/Total ₩3,000/, 'the total';
	like $reader->text, qr/Place the order for ₩3,000/, 'on the button';
	is $reader->form('/checkout')->{recipient}, 'A Reader', 'the name';
	$reader->send('/checkout', %address);
	is $reader->status, 303, 'taken';
	my $number = led_to($reader);
	ok $number, 'leads to the order';
	$reader->follow;
	is $reader->status, 200, 'which is there';
	like $reader->text, qr/Your order has been placed/, 'said';
	like $reader->text, qr/Order \Q$number\E/, 'its number';
	like $reader->text, qr/서울 마포구 월드컵로 12, 3층/, 'its address';
	is_deeply $reader->cart, {}, 'the cart is empty';
	is stock(1201), $before - 2, 'the copies are reserved';
	is decode_utf8(sql("SELECT state, total, recipient FROM orders
	    WHERE number = '$number'")), "pending\t3000.00\t김 서가\n",
	    'the row';

	$reader->add(1201);
	my $form = $reader->get('/checkout')->form('/checkout');
	is $form->{$_}, $address{$_}, "the next one knows the $_"
	    for sort keys %address;
};

subtest 'the same form again' => sub {
	my $reader = member(1301, 1302);
	my $form = $reader->get('/checkout')->form('/checkout');
	my %filled = (%$form, %address);

	$reader->post('/checkout', \%filled);
	my $first = led_to($reader);
	$reader->post('/checkout', \%filled);
	is led_to($reader), $first, 'a double click leads to the same order';
	$reader->follow;
	like $reader->text, qr/had been placed already/, 'and says so';
	$reader->add(1301);
	$reader->post('/checkout', \%filled);
	is led_to($reader), $first, 'also when the cart has been filled again';
	is_deeply $reader->cart, { 1301 => 1 }, 'which stays as it is';
	is scalar(orders($reader)), 1, 'one order';
	my $next = $reader->get('/checkout')->form('/checkout');
	isnt $next->{once}, $form->{once}, 'the next form has another key';
	$reader->post('/checkout', { %$next, %address });
	isnt led_to($reader), $first, 'and gives another order';
	is scalar(orders($reader)), 2, 'two orders';
};

subtest 'eight clicks at once' => sub {
	my $reader = member(1303);
	my $form = $reader->get('/checkout')->form('/checkout');
	my $before = stock(1303);
	my @pids = map {
		my $pid = fork() // die;
		if (!$pid) {
			$reader->post('/checkout', { %$form, %address });
			POSIX::_exit($reader->status == 303 ? 0 : 1);
		}
		$pid;
	} 1 .. 8;
	my $wrong = grep { waitpid $_, 0; $? } @pids;

	is $wrong, 0, 'each is answered';
	is scalar(orders($reader)), 1, 'one order';
	is stock(1303), $before - 1, 'one copy';
};

subtest 'two tabs' => sub {
	my $reader = member(1304);
	my $one = $reader->get('/checkout')->form('/checkout');
	my $other = $reader->get('/checkout')->form('/checkout');

	$reader->post('/checkout', { %$one, %address });
	my $number = led_to($reader);
	ok $number, 'the first orders';
	$reader->post('/checkout', { %$other, %address });
	is led_to($reader), $number, 'the second leads to the same order';
	$reader->post('/checkout', { %$other, %address,
	    recipient => 'Somebody else' });
	is $reader->status, 422, 'with another address it is refused';
	like $reader->text, qr/Nothing has been ordered/, 'said';
	like $reader->html, qr{<a href="/orders/\Q$number\E">}, 'with a link';
	is scalar(orders($reader)), 1, 'one order';

	$reader->add(1304);
	my $early = $reader->get('/checkout')->form('/checkout');
	$reader->add(1305);
	my $late = $reader->get('/checkout')->form('/checkout');
	$reader->post('/checkout', { %$late, %address });
	ok led_to($reader), 'a tab with another book in it';
	$reader->post('/checkout', { %$early, %address });
	is $reader->status, 422, 'the older tab orders nothing twice';
	is scalar(orders($reader)), 2, 'two orders';
};

# name, what happens meanwhile, what is said, whether it can be ordered then
my @changes = (
	['another price', 'price = 1234', qr/The price changed from ₩1,000 to ₩1,234/,
	    1],
	['sold out', 'stock_quantity = 0', qr/It has sold out/, 0],
	['too few', 'stock_quantity = 1', qr/Only 1 left: choose fewer/, 0],
	['withdrawn', 'withdrawn_at = UTC_TIMESTAMP()',
	    qr/It is no longer in our catalogue/, 0],
);
for my $i (0 .. $#changes) {
	my ($name, $change, $said, $can) = @{$changes[$i]};
	my ($book, $other) = (1401 + 2 * $i, 1402 + 2 * $i);

	subtest "meanwhile: $name" => sub {
		my $reader = member();
		my ($count) = sql('SELECT COUNT(*) FROM orders') + 0;

		$reader->add($book, 2);
		$reader->add($other);
		$reader->get('/checkout');
		my $form = $reader->form('/checkout');
		sql("UPDATE books SET $change WHERE id = $book");
		$reader->send('/checkout', %address,
		    address => '<b>"Kept" & safe</b>');
		is $reader->status, 409, 'refused';
		like $reader->text, qr/Nothing has been ordered/, 'said first';
		like $reader->html, qr{<title>Error: Checkout - Seoga</title>},
		    'also in the title';
		like $reader->text, $said, 'line by line';
		my ($others) = $reader->text =~ /cannot be ordered right now:(.*)/;
		if ($can) {
			is $others, undef, 'all can be ordered';
		} else {
			like $others, $said, 'and where the others are';
		}
		is sql('SELECT COUNT(*) FROM orders') + 0, $count, 'no order';
		is stock($other), 500, 'no copy taken of the others';
		my $again = $reader->form('/checkout');
		is $again->{$_}, $address{$_}, "kept: $_"
		    for qw(recipient phone postcode);
		is $again->{address}, '<b>"Kept" & safe</b>', 'kept: address';
		isnt $again->{lines}, $form->{lines}, 'the lines are of now';
		unlike $reader->html, qr/<b>"Kept"/, 'escaped';
		$reader->send('/checkout');
		is $reader->status, 303, 'what is shown can be ordered';
		$reader->follow;
		my ($copies) = sql("SELECT GROUP_CONCAT(book_id, ':', quantity
		    ORDER BY book_id SEPARATOR ' ') FROM order_items i
		    JOIN orders o ON o.id = i.order_id
		    WHERE o.number = '@{[orders($reader)]}'");
		is $copies, $can ? "$book:2 $other:1\n" : "$other:1\n",
		    'and only that is';
		is_deeply $reader->cart,
		    $can || $name eq 'withdrawn' ? {} : { $book => 2 },
		    'the rest stays in the cart';
	};
}

subtest 'the cart changed in another tab' => sub {
	my $reader = member(1501, 1502);

	$reader->get('/checkout');
	my $form = $reader->form('/checkout');
	$reader->add(1503);
	$reader->submit('/cart/remove', where => { book_id => 1502 });
	$reader->post('/checkout', { %$form, %address, phone => '1' });
	is $reader->status, 400, 'a mistake in the form';
	like $reader->text, qr/It is no longer in your cart/, 'what went';
	like $reader->text, qr/It is new in your cart/, 'and came, is said';
	$reader->post('/checkout', { %$form, %address });
	ok led_to($reader), 'a form orders what it showed';
	is_deeply $reader->cart, { 1503 => 1 }, 'what came later stays';
};

subtest 'mistakes keep what was typed' => sub {
	my $reader = member(1504);

	$reader->get('/checkout');
	$reader->send('/checkout', recipient => '', phone => 'call me maybe',
	    postcode => '<1>', address => 'x');
	is $reader->status, 400, 'refused';
	like $reader->html, qr{<title>Error: Checkout - Seoga</title>},
	    'the title says so';
	like $reader->html, qr{<a href="#f-$_">}, "a link to $_"
	    for qw(recipient address phone postcode);
	like $reader->html, qr{id="e-address"}, 'said beside it';
	like $reader->html, qr{value="call me maybe"}, 'the phone is kept';
	like $reader->html, qr{value="&lt;1&gt;"}, 'and the postcode';
	$reader->send('/checkout', %address, phone => 'call me maybe',
	    postcode => '<1>');
	is $reader->status, 400, 'refused for two of them alone';
	like $reader->html, qr{id="e-phone">Write the phone number},
	    'the phone';
	like $reader->html, qr{id="e-postcode">Write the postcode},
	    'the postcode';
	$reader->send('/checkout', %address);
	is $reader->status, 303, 'corrected, it is taken';
};

my %refused = (
	'a long recipient' => [recipient => '가' x 81],
	'a long phone number' => [phone => '1' x 33],
	'a short one' => [phone => '1'],
	'a phone number of hyphens' => [phone => '-' x 11],
	'a postcode of hyphens' => [postcode => '-----'],
	'a long postcode' => [postcode => '1' x 11],
	'a long address' => [address => '가' x 256],
	'a line end' => [address => "one\ntwo three"],
	'blanks' => [recipient => '   '],
);
subtest 'input' => sub {
	my $reader = member(1505);

	$reader->get('/checkout');
	my $form = $reader->form('/checkout');
	for my $what (sort keys %refused) {
		my ($field) = @{$refused{$what}};

		$reader->post('/checkout', { %$form, %address,
		    @{$refused{$what}} });
		is $reader->status, 400, "$what: refused";
		like $reader->html, qr{id="e-$field"}, "$what: said beside it";
	}
	my @lines = ('', 'x', '1505', '1505:1', '1505:1:', '1505:1:1000:1',
	    '1505:-1:1000', '1505:0:1000', '1505:1:1000  1506:1:1000', '0:1:1000',
	    '1505:1:1000,1506:1:1000', '9' x 30 . ':1:1000',
	    join(' ', map { "$_:1:1000" } 1201 .. 1301));
	for my $lines (@lines) {
		is $reader->post('/checkout', { %$form, %address,
		    lines => $lines })->status, 400, 'lines: ' .
		    substr $lines, 0, 30;
	}
	is $reader->post('/checkout', { %$form, %address,
	    lines => '1505:1:1' })->status, 409, 'a price of one\'s own';
	is $reader->post('/checkout', { %$form, %address,
	    lines => '7:1:1000' })->status, 409, 'a book that is none';
	is $reader->post('/checkout', { %$form, %address,
	    lines => '1505:100:100000' })->status, 400, 'too many copies';
	for my $once ('', 'x' x 65, "a\x{e9}b") {
		is $reader->post('/checkout', { %$form, %address,
		    once => $once })->status, 400, 'a key that is none';
	}
	is $reader->post('/checkout', { %$form, %address, total => 1 })
	    ->status, 400, 'a total of one\'s own';
	is scalar(orders($reader)), 0, 'nothing was ordered';
	$reader->post('/checkout', { %$form, recipient => '가' x 80,
	    phone => '+82 (0)2-123.4567', postcode => 'SW1A 1AA',
	    address => '나' x 255 });
	is $reader->status, 303, 'the longest are taken';
};

subtest 'not from another site' => sub {
	my $reader = member(1506);
	my $form = $reader->get('/checkout')->form('/checkout');

	is $reader->post('/checkout', { %$form, %address, csrf => 'f' x 32 })
	    ->status, 403, 'a wrong token';
	is $reader->post('/checkout', { %$form, %address },
	    Origin => 'https://evil.example')->status, 403, 'another origin';
	is scalar(orders($reader)), 0, 'nothing was ordered';
	is $reader->get('/checkout')->header('cache-control'), 'no-store',
	    'the page is fetched again';
};

subtest 'in Korean' => sub {
	my $reader = Seoga::Reader->new(lang => 'ko');

	$reader->register;
	$reader->add(1507, 2);
	$reader->get('/checkout');
	like $reader->text, qr/2 × 1,000원 2,000원/, 'prices';
	like $reader->text, qr/2,000원 주문하기/, 'the button';
	$reader->send('/checkout', %address);
	is $reader->status, 303, 'ordered';
	$reader->follow;
	like $reader->text, qr/결제 대기/, 'the state';
};

site_stop();
done_testing();
