#!/usr/bin/perl
# The six views in a browser: on a phone of 360 pixels and on a wide screen, in
# Korean and in English, light and dark; and at a terminal, in w3m.  The
# pictures are kept in SEOGA_TEST_ARTEFACTS, or var/artefacts of the build.
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

site_start(history_step_s => 1);
seoga_ok('migrate', '--sample');

my $album = Seoga::Album->new;

my @views = qw(application api database redis business attack);
my %heading = (
	en => { application => 'Application', api => 'API and pages',
		database => 'MariaDB', redis => 'Redis',
		business => 'Business', attack => 'Attacks' },
	ko => { application => '애플리케이션', api => 'API와 페이지',
		database => 'MariaDB', redis => 'Redis',
		business => '비즈니스', attack => '공격 탐지' },
);
my %size = (phone => [360, 740], desktop => [1280, 800]);

# Something to see.
my $reader = Seoga::Reader->new;
$reader->register;
my ($book) = split ' ', sql('SELECT id FROM books
    WHERE stock_quantity > 5 ORDER BY id LIMIT 1');
my $until = time + ($ENV{SEOGA_TEST_TRAFFIC_S} // 1);
do {
	http(get => '/books?q=' . $_) for qw(book zzzz 서가);
	http(get => "/books/$_") for $book, 999999;
	http(get => "/$_/" . 'long' x 30) for 'wp-admin', 'there' . time;
	select undef, undef, undef, 0.2;
} while (time < $until);
$reader->add($book, 1);
$reader->order;
sql("INSERT INTO sales_days (day, orders, copies, revenue)
    VALUES (UTC_DATE(), 2, 3, 4500000) ON DUPLICATE KEY UPDATE orders = 2");
sql("INSERT INTO sales_books (day, book_id, copies, revenue)
    VALUES (UTC_DATE(), $book, 3, 4500000)
    ON DUPLICATE KEY UPDATE copies = 3");
my $admin = staff('admin', 'kim');
ok await(30, sub {
	$admin->get('/status/attack');
	$admin->html =~ m{<th scope="row">127\.0\.0\.1</th>} &&
	    $admin->get('/status/redis')->html !~ /<p class="warn">/
}), 'there is something to see';

my $browser = Seoga::Chromium->new;
for my $lang (qw(en ko)) {
	sql("UPDATE users SET lang = '$lang' WHERE username = 'kim'");
	$browser->open(url('/'));
	$browser->forget;
	$browser->open(url('/login'));
	$browser->type('#f-username', 'kim');
	$browser->type('#f-password', 'a long enough password');
	$browser->follow('main form button');
	for my $kind (qw(phone desktop)) {
		look_at($lang, $kind, $_) for @views;
	}
}

sub look_at {
	my ($lang, $kind, $view) = @_;

	$browser->size(@{$size{$kind}});
	$browser->look('light');
	$browser->open(url("/status/$view"));
	is $browser->text('h1'), $heading{$lang}{$view},
	    "$lang, $kind: $view";
	cmp_ok $browser->width, '<=', $size{$kind}[0],
	    'nothing to scroll sideways';
	for my $scheme (qw(light dark)) {
		$browser->look($scheme);
		$album->picture($browser, "$lang-$kind-view-$view-$scheme");
	}
}

# At a terminal: the page as a file, of which w3m makes lines.
SKIP: {
	skip 'w3m is not installed', 2 * @views
	    if !grep { -x "$_/w3m" } split /:/, $ENV{PATH};
	for my $view (@views) {
		spew(site_dir() . '/page.html',
		    $admin->get("/status/$view")->bytes);
		my $shown = qx{w3m -dump -cols 80 -O UTF-8 -T text/html \\
		    @{[site_dir()]}/page.html};
		utf8::decode($shown);
		like $shown, qr/^\s*\Q$heading{en}{$view}\E$/m,
		    "w3m: $view";
		like $shown, qr/\d/, 'with numbers';
		$album->text("w3m-view-$view", $shown);
	}
}

site_stop();
done_testing();
