#!/usr/bin/perl
# A reader's journey in a real browser with script off: on a phone and on a
# wide screen, in Korean and in English.  The pictures are kept in
# SEOGA_TEST_ARTEFACTS, or var/artefacts of the build.
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
sql("UPDATE books SET stock_quantity = 20 WHERE title LIKE 'Pride and%'");

my $album = Seoga::Album->new;

my $browser;
my $password = 'ten green bottles';

my %words = (
	en => { signin => 'Sign in', register => 'Register', lang => 'en',
		welcome => qr/Your account is ready/, cart => qr/Your cart/,
		added => qr/in your cart/, out => qr/You are signed out/,
		in => qr/You are signed in/, other => '한국어',
		others => 'ko', problem => qr/There is a problem/,
		changed => qr/quantity has been changed/, error => qr/^Error: /,
		lost => qr/There is no such page/ },
	ko => { signin => '로그인', register => '회원 가입', lang => 'ko',
		welcome => qr/./, cart => qr/장바구니/, added => qr/장바구니/,
		out => qr/로그아웃/, in => qr/로그인/, other => 'English',
		others => 'en', problem => qr/./, changed => qr/./,
		error => qr/./, lost => qr/./ },
);
my %size = (phone => [390, 844], desktop => [1280, 800]);
my ($kind, $lang, $number);

sub picture {
	my ($name) = @_;

	$album->page($browser, $size{$kind}[0], sprintf '%s-%s-%02d-%s',
	    $lang, $kind, ++$number, $name);
}

sub journey {
	my $w = $words{$lang};
	my $username = "visitor.$lang.$kind";

	$number = 0;
	$browser->open(url('/'));
	$browser->forget;
	$browser->refresh;
	is scalar($browser->find("html[lang=$lang]")), 1, 'our language';
	is scalar($browser->find('.books li')), 20, 'twenty books';
	picture('home');

	$browser->follow('.me a[href^="/login"]');
	picture('login');
	$browser->follow('main a[href^="/register"]');
	$browser->type('#f-username', 'x');
	$browser->follow('main button');
	like $browser->title, $w->{error}, 'a mistake is told in the title';
	seen($browser, '.summary', $w->{problem}, 'and above the form');
	picture('register-mistakes');
	$browser->click('.summary a');
	$browser->type('#f-username', $username);
	$browser->type('#f-name', $lang eq 'ko' ? '김독자' : 'Ann Reader');
	$browser->type('#f-password', $password);
	$browser->type('#f-password2', $password);
	$browser->follow('main button');
	seen($browser, '.flash', $w->{welcome}, 'registered');

	$browser->type('#f-q', 'pride and');
	$browser->follow('.search button');
	seen($browser, '.books', qr/Jane Austen/, 'found');
	picture('search');
	$browser->follow('.books h2 a');
	seen($browser, 'h1', qr/^Pride and Prejudice/, 'opened');
	picture('book');
	$browser->type('#f-quantity', 2);
	$browser->follow('.add button');
	seen($browser, '.flash', $w->{added}, 'added');
	like $browser->url, qr{/cart$}, 'which leads to the cart';
	$browser->refresh;
	is scalar($browser->find('.lines > li')), 1, 'once, F5 or not';
	picture('cart');

	$browser->back;
	seen($browser, 'h1', qr/^Pride and Prejudice/, 'the way back');
	$browser->follow('.me form button');
	seen($browser, '.flash', $w->{out}, 'signed out');
	$browser->open(url('/cart'));
	is scalar($browser->find('.lines > li')), 0, 'nothing to see now';
	picture('cart-empty');

	$browser->follow('.me a[href^="/login"]');
	$browser->type('#f-username', $username);
	$browser->type('#f-password', 'not the password');
	$browser->follow('main button');
	seen($browser, '.wrong', qr/./, 'a wrong password');
	picture('login-mistake');
	$browser->type('#f-password', $password);
	$browser->follow('main button');
	seen($browser, '.flash', $w->{in}, 'signed in');
	like $browser->url, qr{/cart$}, 'back where the reader was';
	is scalar($browser->find('.lines > li')), 1, 'the cart was kept';
	is scalar($browser->find('input[name=quantity][value="2"]')), 1,
	    'with both copies';

	$browser->open(url('/account'));
	picture('account');
	$browser->open(url('/books?category=1&sort=price'));
	picture('category');
	$browser->open(url('/books?q=nothing+like+it'));
	picture('nothing-found');
	$browser->open(url('/books/1'));
	seen($browser, 'h1', $w->{lost}, 'a lost page');
	picture('not-found');
	$browser->open(url('/books'));
	$browser->follow_link($w->{other});
	is scalar($browser->find("html[lang=$w->{others}]")), 1,
	    'the other language';
	like $browser->url, qr{/books$}, 'of the same page';
	$browser->follow_link($words{$w->{others}}{other});
	is scalar($browser->find("html[lang=$lang]")), 1, 'and back';
}

for (['en', 'en-GB,en'], ['ko', 'ko-KR,ko']) {
	($lang, my $accept) = @$_;
	$browser = Seoga::Chromium->new(lang => $accept);
	$browser->open(q(data:text/html,<title>off</title>)
	    . q(<script>document.title='on'</script>));
	is $browser->title, 'off', 'script is off';
	for (sort keys %size) {
		$kind = $_;
		$browser->size(@{$size{$kind}});
		subtest "$lang, $kind" => sub {
			eval { journey(); 1 } or fail "it went on: $@";
		};
	}
}

# A word that no line has room for.
sql("UPDATE books SET title = REPEAT('Donaudampfschiff', 10),
    author = REPEAT('Hohenzollern', 10), stock_quantity = 5
    WHERE id = 1202");

subtest 'every width' => sub {
	$browser->open(url('/books/1202'));
	$browser->follow('.add button');
	for my $width (320, 360, 600, 704, 768, 992, 1920) {
		$browser->size($width, 800);
		for my $path ('/', '/books/1201', '/books/1202',
		    '/books?q=donau', '/cart', '/checkout', '/login',
		    '/register', '/nothing') {
			$browser->open(url($path));
			cmp_ok $browser->width, '<=', $width,
			    "$path at $width px";
		}
	}
};

subtest 'dark, and on paper' => sub {
	$lang = 'ko';
	$number = 80;
	for (['dark', undef, '/'], ['dark', undef, '/books/1201'],
	    ['dark', undef, '/login'], ['light', 'print', '/books'],
	    ['light', 'print', '/books/1201']) {
		my ($scheme, $media, $path) = @$_;
		$kind = 'desktop';
		$browser->size(@{$size{$kind}});
		$browser->look($scheme, $media);
		$browser->open(url($path));
		picture(($media // $scheme) . ($path =~ s{/}{-}gr));
	}
};

undef $browser;
site_stop();
done_testing();
