#!/usr/bin/perl
# A buyer's journey in a real browser with script off: from the cart over a
# mistake, a changed price and a declined card to a paid order, and back; on a
# phone and on a wide screen, in Korean and in English.  The pictures are kept
# in SEOGA_TEST_ARTEFACTS, or var/artefacts of the build.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Album;
use Seoga::Chromium;
use Seoga::Reader;
use Seoga::Test;

plan skip_all => Seoga::Chromium::missing() if Seoga::Chromium::missing();

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 50');
my @books = split /\n/, sql("(SELECT id FROM books WHERE language = 'ko'
	ORDER BY CHAR_LENGTH(title) DESC, id LIMIT 2)
    UNION (SELECT id FROM books WHERE language = 'en'
	ORDER BY CHAR_LENGTH(title) DESC, id LIMIT 2)");

my $album = Seoga::Album->new;

my %words = (
	en => { changed => qr/The price changed from/, out => qr/has sold out/,
		placed => qr/has been placed/, wait => qr/Waiting for payment/,
		declined => qr/card was declined/, paid => qr/order is paid/,
		ask => qr/Cancel this order\?/,
		back => qr/You get your money back/ },
	ko => { changed => qr/바뀌었습니다/, out => qr/품절되었습니다/,
		placed => qr/주문이 접수되었/, wait => qr/결제 대기/,
		declined => qr/./, paid => qr/결제가 완료되었/,
		ask => qr/이 주문을 취소할까요/, back => qr/환불됩니다/ },
);
my %size = (phone => [390, 844], desktop => [1280, 800]);
my ($browser, $kind, $lang, $number);

sub picture {
	my ($name) = @_;

	$album->page($browser, $size{$kind}[0], sprintf '%s-%s-orders-%02d-%s',
	    $lang, $kind, ++$number, $name);
}

sub sign_in {
	my ($username) = @_;

	$browser->open(url('/'));
	$browser->forget;
	$browser->open(url('/login?next=/cart'));
	$browser->type('#f-username', $username);
	$browser->type('#f-password', 'a long enough password');
	$browser->follow('main form button');
}

sub orders { return sql('SELECT COUNT(*) FROM orders') + 0 }

sub journey {
	my $w = $words{$lang};
	my $reader = Seoga::Reader->new;
	my $username = $reader->register(name => $lang eq 'ko' ? '김독자' :
	    'Ann Reader');
	my $before = orders();

	$number = 0;
	$reader->add($_) for @books;
	sign_in($username);
	picture('cart');
	$browser->follow('.go a');
	picture('checkout');
	$browser->type('#f-phone', 'x');
	$browser->follow('main form button');
	picture('mistakes');
	$browser->type('#f-phone', '010-1234-5678');
	$browser->type('#f-postcode', '03925');
	$browser->type('#f-address', '서울 마포구 월드컵로 12, 3층');
	sql("UPDATE books SET price = price + 500 WHERE id = $books[0];
	    UPDATE books SET stock_quantity = 0 WHERE id = $books[1]");
	$browser->follow('main form button');
	seen($browser, '#changes', $w->{changed}, 'another price');
	seen($browser, '#changes', $w->{out}, 'sold out');
	is scalar($browser->find('#f-address[value^="서울"]')), 1, 'kept';
	picture('changed');
	is orders(), $before, 'nothing ordered yet';
	$browser->follow('main form button');
	seen($browser, '.flash', $w->{placed}, 'ordered');
	seen($browser, '.progress', $w->{wait}, 'its state');
	my $order = $browser->url;
	like $order, qr{/orders/\d+-\w+$}, 'its page';
	picture('order');
	$browser->refresh;
	is $browser->url, $order, 'F5 shows it again';
	$browser->back;
	eval { $browser->follow('main form button') };
	is orders(), $before + 1, 'nor does the way back order twice';

	$browser->open($order);
	$browser->type('#f-card', '4000 0000 0000 0002');
	$browser->follow('main form button');
	seen($browser, '#e-card', $w->{declined}, 'declined');
	picture('declined');
	$browser->type('#f-card', '4242 4242 4242 4242');
	$browser->follow('main form button');
	seen($browser, '.flash', $w->{paid}, 'paid');
	picture('paid');
	$browser->look('light', 'print');
	picture('paper');
	$browser->look('dark');
	picture('dark');
	$browser->look('light');
	$browser->follow('.acts a');
	seen($browser, '.confirm', $w->{ask}, 'asked');
	picture('confirm');
	$browser->follow('.confirm a');
	is $browser->url, $order, 'the way out';
	$browser->follow('.acts a');
	$browser->follow('.confirm button');
	seen($browser, '.flash', $w->{back}, 'cancelled');
	$browser->follow('.me a[href="/orders"]');
	is scalar($browser->find('.orders li')), 1, 'one order in the list';
	picture('list');
	sql("UPDATE books SET stock_quantity = 50 WHERE id = $books[1]");
}

in_each(\%size, sub {
	($browser, $lang, $kind) = @_;
	journey();
});

subtest 'every width' => sub {
	my $admin = Seoga::Reader->new;
	my $username = $admin->register(name => 'A Name That Is Rather Long');

	seoga_ok('user', 'role', $username, 'admin');
	$admin->login($username);
	$admin->add($_, 30) for @books;
	my $order = $admin->order(address => 'A' x 120, recipient => '가' x 60);
	$admin->add($_, 9) for @books;
	sign_in($username);
	for my $width (320, 360, 600, 704, 768, 992, 1920) {
		$browser->size($width, 800);
		for my $path ('/checkout', "/orders/$order", '/orders',
		    "/orders/$order?confirm=cancel", '/admin/orders') {
			$browser->open(url($path));
			cmp_ok $browser->width, '<=', $width,
			    "$path at $width px";
		}
	}
};

undef $browser;
site_stop();
done_testing();
