#!/usr/bin/perl
# GET and POST /orders/<number>: what is shown of an order, paying it,
# cancelling it, ordering again, and that no state is skipped.
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

my %card = (approved => '4242 4242 4242 4242',
    declined => '4000-0000-0000-0002', silent => '4000000000000259');

sub member {
	my (%option) = @_;
	my $reader = Seoga::Reader->new(%option);

	$reader->{username} = $reader->register;
	return $reader;
}

sub admin {
	my $reader = Seoga::Reader->new;
	my $username = $reader->register;

	seoga_ok('user', 'role', $username, 'admin');
	return $reader->login($username);
}

# A reader with an order of two copies of a book.
sub buyer {
	my ($book, %address) = @_;
	my $reader = member();

	$reader->add($book, 2);
	my $number = $reader->order(%address);
	return ($reader, $number);
}

sub state {
	my ($number) = @_;

	return sql("SELECT state FROM orders WHERE number = '$number'") =~
	    s/\n//r;
}

sub stock {
	return sql("SELECT stock_quantity FROM books WHERE id = $_[0]") + 0;
}

sub payments {
	my ($number) = @_;

	return join ' ', split /\n/, sql("SELECT p.result FROM payments p
	    JOIN orders o ON o.id = p.order_id WHERE o.number = '$number'
	    ORDER BY p.id");
}

sub set_state {
	my ($number, $state) = @_;

	sql("UPDATE orders SET state = '$state' WHERE number = '$number'");
}

sub pay {
	my ($reader, $number, $card) = @_;

	$reader->get("/orders/$number");
	return $reader->send("/orders/$number", where => { act => 'pay' },
	    card => $card);
}

subtest 'what is shown' => sub {
	my ($reader, $number) = buyer(1201, recipient => '<b>R</b>',
	    address => '"><script>alert(1)</script>', postcode => 'SW1A 1AA');

	$reader->get("/orders/$number");
	is $reader->status, 200, 'there';
	like $reader->html, qr{<title>Order \Q$number\E - Seoga</title>},
	    'the title';
	like $reader->text, qr/Waiting for payment Pay until .* \(1[45] min left\)/,
	    'its state, and what happens next';
	like $reader->text, qr/2 × ₩1,000 ₩2,000/, 'lines';
	like $reader->text, qr/Total ₩2,000/, 'the total';
	like $reader->text, qr/<b>R<\/b>/, 'the recipient as typed';
	like $reader->text, qr/SW1A 1AA "><script>alert\(1\)<\/script>/,
	    'and the address';
	unlike $reader->html, qr/<script|<b>R/, 'escaped';
	like $reader->text,
	    qr/History Waiting for payment \d+ \w+ \d{4} \d\d:\d\d UTC, by you/,
	    'its history';
	like $reader->html, qr{<code>4242 4242 4242 4242</code>},
	    'cards to try';
	sql("UPDATE books SET title = 'Renamed', price = 7777 WHERE id = 1201");
	$reader->get("/orders/$number");
	unlike $reader->text, qr/Renamed|7,777/, 'titles and prices are frozen';
	is $reader->header('cache-control'), 'no-store', 'nobody keeps it';
};

subtest 'whose it is' => sub {
	my ($reader, $number) = buyer(1202);
	my $other = member();
	my $guest = Seoga::Reader->new;

	is $other->get("/orders/$number")->status, 404, 'not another\'s';
	like $other->text, qr/There is no such order/, 'nor is it told of';
	is $other->get('/orders/20261121-000000')->status, 404, 'as if none';
	my $form = $reader->get("/orders/$number")->form("/orders/$number");
	my $csrf = $other->get('/cart')->form('/logout')->{csrf};
	for my $act (qw(pay cancel again)) {
		$other->post("/orders/$number", { csrf => $csrf, act => $act,
		    card => $card{approved} });
		is $other->status, 404, "nor to be changed: $act";
	}
	$other->post("/orders/$number", { csrf => $csrf, act => 'state',
	    state => 'paid' });
	is $other->status, 403, 'nor its state';
	is state($number), 'pending', 'as it was';
	is $guest->get("/orders/$number")->status, 303,
	    'a guest has to sign in';
	is $reader->get("/orders/$_")->status, 404, "none: $_" for
	    '20261121', 'x', '20261121-', lc $number, "$number/x", '1-' .
	    'A' x 300;
	my $admin = admin();
	$admin->get("/orders/$number");
	is $admin->status, 200, 'an administrator sees it';
	like $admin->text, qr/Username \Q$reader->{username}\E/,
	    'and whose it is';
	is $admin->form("/orders/$number", { act => $_ }), undef,
	    "but has no form to $_" for qw(pay again);
};

subtest 'paying' => sub {
	my ($reader, $number) = buyer(1203);

	pay($reader, $number, $card{declined});
	is $reader->status, 409, 'a declined card';
	like $reader->html, qr{id="e-card">The card was declined}, 'said';
	like $reader->html, qr{<title>Error: }, 'in the title, too';
	is state($number), 'pending', 'the order waits';
	unlike $reader->html, qr/4000-0000-0000-0002"/,
	    'the number is not given back';
	$reader->send("/orders/$number", where => { act => 'pay' },
	    card => $card{silent});
	is $reader->status, 503, 'no answer in time';
	expect_error(qr/"path":"\/orders\/\Q$number\E".*"status":503/);
	like $reader->html, qr{id="e-card">The payment service did not answer},
	    'said';
	is state($number), 'pending', 'the order waits';
	$reader->send("/orders/$number", where => { act => 'pay' },
	    card => $card{approved});
	is $reader->status, 303, 'an approved card';
	is $reader->header('location'), "/orders/$number", 'leads back';
	$reader->follow;
	like $reader->text, qr/Your order is paid/, 'said';
	like $reader->text, qr/We are packing your books/, 'what is next';
	is state($number), 'paid', 'paid';
	is payments($number), 'declined timeout approved', 'all attempts';
	like $reader->text, qr/Payment declined: .* No answer from the payment service: .* Payment approved: ₩2,000/,
	    'are listed';
	is $reader->form("/orders/$number", { act => 'pay' }), undef,
	    'no form to pay any more';
	is scalar(grep { slurp($_) =~ /4242.?4242/ }
	    glob(site_dir() . '/*.log ' . site_dir() . '/var/log/*')), 0,
	    'no log has the number';
};

subtest 'no answer, then cancelled' => sub {
	my ($reader, $number) = buyer(1207);

	pay($reader, $number, $card{silent}) for 1 .. 2;
	expect_error(qr/"path":"\/orders\/\Q$number\E".*"status":503/);
	like $reader->get("/orders/$number?confirm=cancel")->text,
	    qr/If anything was charged, you get it back\. The books/, 'said';
	$reader->send("/orders/$number", where => { act => 'cancel' });
	$reader->follow;
	like $reader->text, qr/is cancelled\. If anything was charged, you get/,
	    'and said again';
	is scalar(() = $reader->text =~ /given back, if it was charged/g), 2,
	    'of each attempt';
	unlike $reader->text, qr/Money given back/, 'not twice the money';
};

subtest 'a card that is none' => sub {
	my ($reader, $number) = buyer(1204);

	for my $wrong ('', '4242', '4242 4242 4242 4241', 'x' x 16,
	    '4' x 40) {
		pay($reader, $number, $wrong);
		is $reader->status, 400, "\"$wrong\" is refused";
		like $reader->html, qr{id="e-card">Check the card number},
		    'and it is said why';
	}
	pay($reader, $number, '4' x 41);
	is $reader->status, 400, 'so is one too long';
	is payments($number), '', 'nobody was asked';
};

subtest 'paying twice' => sub {
	my ($reader, $number) = buyer(1205);
	my $form = $reader->get("/orders/$number")->form("/orders/$number",
	    { act => 'pay' });
	my @pids = map {
		my $pid = fork() // die;
		if (!$pid) {
			$reader->post("/orders/$number", { %$form,
			    card => $card{approved} });
			POSIX::_exit($reader->status == 303 ? 0 : 1);
		}
		$pid;
	} 1 .. 6;
	my $wrong = grep { waitpid $_, 0; $? } @pids;

	is $wrong, 0, 'is no mistake';
	is payments($number), 'approved', 'but one payment';
	is sql("SELECT COUNT(*) FROM order_history h JOIN orders o
	    ON o.id = h.order_id WHERE number = '$number'
	    AND to_state = 'paid'") + 0, 1, 'and one change';
};

subtest 'the time is over' => sub {
	my ($reader, $number) = buyer(1206);
	my $form = $reader->get("/orders/$number")->form("/orders/$number",
	    { act => 'pay' });

	sql("UPDATE orders SET expires_at = UTC_TIMESTAMP() - INTERVAL 1 SECOND
	    WHERE number = '$number'");
	$reader->get("/orders/$number");
	like $reader->text, qr/The time for paying is over/, 'said';
	is $reader->form("/orders/$number", { act => 'pay' }), undef,
	    'no form to pay';
	$reader->post("/orders/$number", { %$form, card => $card{approved} });
	is $reader->status, 409, 'nor can it be paid';
	like $reader->html, qr{<a href="#f-act">[^<]*expired}, 'and why';
	is payments($number), '', 'nothing was charged';
	sql("UPDATE orders SET expires_at = UTC_TIMESTAMP() + INTERVAL 20 SECOND
	    WHERE number = '$number'");
	like $reader->get("/orders/$number")->text, qr/\(1 min left\)/,
	    'the last minute';
};

subtest 'cancelling' => sub {
	my ($reader, $number) = buyer(1301);

	is stock(1301), 498, 'reserved';
	$reader->get("/orders/$number");
	is $reader->form("/orders/$number", { act => 'cancel' }), undef,
	    'not by one click';
	like $reader->html,
	    qr{<a href="/orders/\Q$number\E\?confirm=cancel">Cancel the order},
	    'but by a link';
	$reader->get("/orders/$number?confirm=cancel");
	is state($number), 'pending', 'which only asks';
	like $reader->text, qr/Cancel this order\? Nothing was charged/, 'so';
	like $reader->html, qr{<a href="/orders/\Q$number\E">No, keep it},
	    'and lets one off';
	$reader->send("/orders/$number", where => { act => 'cancel' });
	is $reader->status, 303, 'cancelled';
	my $again = $reader->follow;
	like $reader->text, qr/is cancelled\. Nothing was charged/, 'said';
	is state($number), 'cancelled', 'so it is';
	is stock(1301), 500, 'the copies are back';
	unlike $reader->html, qr/confirm=cancel/, 'no way to do it again';
	$reader->get("/orders/$number?confirm=cancel");
	is $reader->form("/orders/$number", { act => 'cancel' }), undef,
	    'nor by its address';
};

subtest 'cancelling what is paid' => sub {
	my ($reader, $number) = buyer(1302);

	pay($reader, $number, $card{approved});
	$reader->get("/orders/$number?confirm=cancel");
	like $reader->text, qr/You get ₩2,000 back on your card/, 'asked';
	my $form = $reader->form("/orders/$number", { act => 'cancel' });
	$reader->post("/orders/$number", $form);
	is $reader->status, 303, 'cancelled';
	$reader->follow;
	like $reader->text, qr/You get your money back/, 'said';
	is state($number), 'refunded', 'the money goes back';
	is payments($number), 'approved refunded', 'as is written down';
	is stock(1302), 500, 'the copies, too';
	$reader->post("/orders/$number", $form);
	is $reader->status, 409, 'not twice';
	is payments($number), 'approved refunded', 'nothing more';
	is stock(1302), 500, 'of either';
};

subtest 'what the states allow' => sub {
	my ($reader, $number) = buyer(1303);
	my $page = $reader->get("/orders/$number?confirm=cancel");
	my $cancel = $page->form("/orders/$number", { act => 'cancel' });
	my $pay = $page->get("/orders/$number")->form("/orders/$number",
	    { act => 'pay' });
	my %can = (shipped => [409, 303], delivered => [409, 303],
	    cancelled => [409, 409], refunded => [409, 409]);

	for my $state (sort keys %can) {
		set_state($number, $state);
		$reader->post("/orders/$number", $cancel);
		is $reader->status, $can{$state}[0], "$state: cancel";
		like $reader->text, qr/another state now/, "$state: said";
		is stock(1303), 498, "$state: no copy comes back";
		$reader->post("/orders/$number", { %$pay,
		    card => $card{approved} });
		is $reader->status, $can{$state}[1], "$state: pay";
		is state($number), $state, "$state: as it was";
		$reader->get("/orders/$number?confirm=cancel");
		is $reader->form("/orders/$number", { act => $_ }), undef,
		    "$state: no form to $_" for qw(pay cancel);
	}
	is payments($number), '', 'nothing was charged in any';
};

subtest 'order again' => sub {
	my $reader = member();

	$reader->add($_, 3) for 1401, 1402, 1403;
	my $number = $reader->order;
	is $reader->get("/orders/$number")->form("/orders/$number",
	    { act => 'again' }), undef, 'not before the first is paid';
	pay($reader, $number, $card{approved});
	sql('UPDATE books SET stock_quantity = 0 WHERE id = 1402;
	    UPDATE books SET withdrawn_at = UTC_TIMESTAMP() WHERE id = 1403');
	$reader->get("/orders/$number");
	my $form = $reader->form("/orders/$number", { act => 'again' });
	$reader->post("/orders/$number", $form);
	is $reader->header('location'), '/cart', 'leads to the cart';
	$reader->follow;
	like $reader->text, qr/What can be ordered again is in your cart/,
	    'said';
	is_deeply $reader->cart, { 1401 => 3 }, 'what can be had is in it';
	$reader->post("/orders/$number", $form);
	is_deeply $reader->cart, { 1401 => 3 }, 'a double click adds once';
	sql('UPDATE books SET stock_quantity = 0 WHERE id = 1401');
	$reader->get("/orders/$number");
	$reader->submit("/orders/$number", where => { act => 'again' });
	like $reader->text, qr/None of these books can be ordered right now/,
	    'nothing left: said';
	is $reader->get("/orders/$number")->status, 200,
	    'a withdrawn book does no harm';
};

subtest 'nonsense' => sub {
	my ($reader, $number) = buyer(1501);
	my $csrf = $reader->get("/orders/$number")->form('/logout')->{csrf};

	for my $act ('', 'x', 'delete', 'pay ' x 9) {
		is $reader->post("/orders/$number", { csrf => $csrf,
		    act => $act })->status, 400, "act \"$act\"";
	}
	is $reader->post("/orders/$number", { csrf => $csrf })->status, 400,
	    'no act';
	is $reader->post("/orders/$number", { csrf => $csrf, act => 'state',
	    state => 'paid' })->status, 403, 'a state of one\'s own';
	is $reader->post("/orders/$number", { act => 'cancel' })->status, 403,
	    'no token';
	is $reader->post("/orders/$number", { csrf => $csrf, act => 'cancel' },
	    Origin => 'https://evil.example')->status, 403, 'another site';
	is state($number), 'pending', 'as it was';
};

subtest 'in Korean' => sub {
	my $reader = member(lang => 'ko');

	$reader->add(1502);
	my $number = $reader->order;
	like $reader->text, qr/결제 대기 .*까지 결제하세요\(1[45]분 남음\)/,
	    'the state';
	pay($reader, $number, $card{declined});
	like $reader->html, qr/id="e-card">\p{Hangul}/, 'a refusal';
};

site_stop();
done_testing();
