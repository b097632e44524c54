#!/usr/bin/perl
# Traces in a real browser with script off: a student looks at an order, opens
# a step, asks MariaDB about a statement, and compares two requests; on a phone
# and on a wide screen, in Korean and in English.  The pictures are kept in
# SEOGA_TEST_ARTEFACTS, or var/artefacts of the build.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Album;
use Seoga::Chromium;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

plan skip_all => Seoga::Chromium::missing() if Seoga::Chromium::missing();

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 99');

my $album = Seoga::Album->new;

my $student = staff('student', 'stu.dent');
$student->add($_) for split ' ', sql('SELECT id FROM books LIMIT 2');
$student->order;
my ($order) = map { $_->{trace} } grep { $_->{ev} eq 'req.end' &&
    $_->{path} eq '/checkout' && $_->{method} eq 'POST' } log_lines();
ok await(10, sub {
	$student->get("/trace/$order")->status == 200 &&
	    $student->html =~ /nginx POST/ && $student->html =~ /relay/;
}), 'an order is there, with what the relay did';

my %words = (
	en => { latest => 'Latest', slowest => 'Slowest',
		went => qr/Where the time went/, later => qr/What jobs did/,
		plan => qr/How MariaDB would carry it out/,
		two => qr/Compare two traces/, sums => qr/Whole request, ms/,
		back => 'Back to the trace' },
	ko => { latest => '최신', slowest => '느린 순',
		went => qr/시간이 쓰인 곳/, later => qr/나중에 작업이 한 일/,
		plan => qr/MariaDB가 실행하는 방법/, two => qr/추적 두 개 비교/,
		sums => qr/요청 전체/, back => '추적으로 돌아가기' },
);
my %size = (phone => [360, 780], desktop => [1280, 800]);
my ($browser, $lang, $kind, $number);

sub picture {
	my ($name) = @_;

	$album->page($browser, $size{$kind}[0], sprintf '%s-%s-trace-%02d-%s',
	    $lang, $kind, ++$number, $name);
}

sub journey {
	my $w = $words{$lang};

	$number = 0;
	$browser->open(url('/login?next=%2Faccount'));
	$browser->forget;
	$browser->refresh;
	$browser->type('#f-username', 'stu.dent');
	$browser->type('#f-password', 'a long enough password');
	$browser->follow('main button');
	$browser->follow('main a[href="/trace"]');
	seen($browser, '.sort [aria-current]', qr/^$w->{latest}$/,
	    'the latest');
	picture('list');
	$browser->follow_link($w->{slowest});
	seen($browser, '.sort [aria-current]', qr/^$w->{slowest}$/,
	    'the slowest');
	$browser->type('#f-status', '303');
	$browser->follow('.filter button');
	seen($browser, '.traces', qr{POST /checkout}, 'filtered');

	$browser->type('#f-id', $order);
	$browser->follow('.filter + .filter button');
	seen($browser, 'h2', qr{^POST /checkout}, 'the order, by its number');
	seen($browser, 'main', $w->{$_}, $_) for qw(went later);
	ok !visible('.facts-of'), 'attributes are folded';
	$browser->click('.waterfall tr.k-sql summary');
	ok visible('tr.k-sql .facts-of'), 'until one looks';
	seen($browser, 'tr.k-sql .facts-of', qr/db\.system/, 'at them');
	cmp_ok scalar($browser->find('.waterfall .bar rect:not(.tick)')),
	    '>=', 20, 'a bar for each step';
	picture('one');
	$browser->click('tr.k-sql .facts-of + p a');
	like $browser->url, qr/#sql-tx\.begin$/, 'a link to its text';
	$browser->follow('.statement form button');
	seen($browser, 'main', $w->{plan}, 'MariaDB is asked');
	picture('explain');
	$browser->follow_link($w->{back});
	seen($browser, 'h2', qr{^POST /checkout}, 'and back');

	$browser->open(url('/trace?route=cart-add'));
	my ($other) = $browser->_ask(GET => '/element/' .
	    $browser->_one('#a-1') . '/attribute/value');
	$browser->open(url("/trace/$order"));
	$browser->type('#f-b', $other);
	$browser->follow('[aria-labelledby=compare] button');
	seen($browser, 'h1', $w->{two}, 'two of them');
	seen($browser, 'main', $w->{sums}, 'with sums');
	picture('compare');
}

# Whether a person sees it.
sub visible {
	my ($css) = @_;
	my ($element) = $browser->find($css) or return 0;

	return $browser->_ask(GET => "/element/$element/displayed") ? 1 : 0;
}

in_each(\%size, sub {
	($browser, $lang, $kind) = @_;
	journey();
});

subtest 'every width, dark, on paper' => sub {
	$kind = 'desktop';
	$number = 80;
	for my $width (320, 600, 704, 992, 1920) {
		$browser->size($width, 800);
		for my $path ('/trace', "/trace/$order",
		    "/trace/compare?a=$order&b=$order") {
			$browser->open(url($path));
			cmp_ok $browser->width, '<=', $width,
			    "$path at $width px";
		}
	}
	$browser->size(@{$size{desktop}});
	for (['dark', undef], ['light', 'print']) {
		$browser->look(@$_);
		$browser->open(url("/trace/$order"));
		picture($_->[1] // $_->[0]);
	}
};

undef $browser;
site_stop();
done_testing();
