#!/usr/bin/perl
# A buyer's journey in w3m: from the cart over a mistake, a changed price and
# a declined card to a paid order; cancelled, and ordered again.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Test;
use Seoga::W3m;

plan skip_all => Seoga::W3m::missing() if Seoga::W3m::missing();

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 20');
my ($kept, $lost) = split /\s+/, sql("SELECT MAX(id) FROM books
    WHERE title = 'Pride and Prejudice' UNION SELECT MAX(id) FROM books
    WHERE title = '1984'");
my $reader = Seoga::Reader->new;
my $username = $reader->register(name => 'Text Reader');
$reader->add($kept, 2);
$reader->add($lost);

sub orders { return sql('SELECT COUNT(*) FROM orders') + 0 }

sub stock {
	return sql("SELECT stock_quantity FROM books WHERE id = $_[0]") + 0;
}

w3m_start('/login?next=/cart');
shows(qr/Not a member yet/, 'sign in to buy');
to('Sign in', 'Username');
next_fields($username, 'a long enough password');
press("\t\t\r");
shows(qr/Pride and Prejudice.*Total/s, 'the cart to buy');
follow('Total', 'Checkout');
shows(qr/Checkout\n.*Prejudice +2\h×\h₩[\d,]+ +₩[\d,]+\n.*Where should/s,
    'the checkout');

to('Where should', 'Phone');
next_fields('call me');
press("\t\t\t\r");
shows(qr/There is a problem.*Write the phone number.*Postcode is missing/s,
    'all mistakes at once');
like seen(), qr/\[call me *\]/, 'what was typed is kept';

sql("UPDATE books SET price = price + 500 WHERE id = $kept;
    UPDATE books SET stock_quantity = 0 WHERE id = $lost");
to('Where should', 'Phone');
next_fields('010-1234-5678', '03925', '12 Worldcup-ro, Seoul');
press("\t\r");
shows(qr/Nothing has been ordered.*Checkout\n.*What has changed/s,
    'refused, for it changed');
like seen(), qr/• Pride and Prejudice: The price changed from ₩[\d,]+ to ₩/,
    'the price';
like seen(), qr/• 1984: It has sold out/, 'and what sold out';
like seen(), qr/\[12 Worldcup-ro, Seou/, 'the address is kept';
is orders(), 0, 'nothing is ordered';

follow('Place the order');
shows(qr/Your order has been placed.*Order \d{8}-\w{6}\n.*Waiting for payment/s,
    'the order');
my ($number) = seen() =~ /Order (\d{8}-\w{6})/;
is stock($kept), 18, 'reserved';
is orders(), 1, 'one order';

expect_error(qr/"path":"\/orders\/\Q$number\E".*"status":503/);

sub pay {
	my ($card) = @_;

	to('Pay ₩', 'Card number');
	next_fields($card);
	press("\t\r");
}

pay('4000 0000 0000 0002');
shows(qr/There is a problem.*The card was declined/s, 'a declined card');
pay('4000 0000 0000 0259');
shows(qr/There is a problem.*did not answer/s, 'no answer in time');
pay('4242 4242 4242 4242');
shows(qr/order is paid.*Payments.*declined.*No answer.*approved/s, 'paid');
like seen(), qr/1\. Waiting for payment .*by you\n +2\. Paid .*by you/,
    'the history';
unlike seen(), qr/Card number/, 'no second time';

follow('^Cancel the order');
shows(qr/Cancel this order\?.*You get ₩[\d,]+ back/s, 'asked before');
follow('No, keep it');
shows(qr/We are packing your books/, 'kept');
follow('^Cancel the order');
shows(qr/Cancel this order\?/, 'asked again');
follow('Yes, cancel');
shows(qr/Refunded.*Money given back/s, 'cancelled, and refunded');
is stock($kept), 20, 'on the shelf again';

follow('Order these books again');
shows(qr/Your cart.*Pride and Prejudice.*\[2 *\]/s, 'the same again');
follow('Orders');
shows(qr/Your orders.*Prejudice.*Refunded ₩[\d,]+\n.*Order \Q$number\E/s,
    'the list of orders');

w3m_stop();
site_stop();
done_testing();
