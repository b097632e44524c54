#!/usr/bin/perl
# A librarian's day in a real browser with script off: a book is added after a
# mistake, edited by two at once, counted and withdrawn; a category is added
# and moved; a member is locked out.  On a phone and on a wide screen, in
# Korean and in English; at the end in w3m.  The pictures are kept in
# SEOGA_TEST_ARTEFACTS, or var/artefacts of the build.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use File::Temp ();
use Test::More;

use Seoga::Album;
use Seoga::Chromium;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

plan skip_all => Seoga::Chromium::missing() if Seoga::Chromium::missing();

site_start();
seoga_ok('migrate', '--sample');

my $album = Seoga::Album->new;

my %words = (
	en => { title => 'A Book That Was Just Added', author => 'Somebody',
		missing => qr/Author is missing/, added => qr/in the catalogue/,
		two => qr/Two versions/, both => qr/both changed this/,
		saved => qr/is saved/, stock => qr/stock is changed/,
		withdrawn => qr/is withdrawn/, back => qr/on the shelves again/,
		category => qr/category is added/, moved => qr/is saved/,
		full => qr/books in this category/, role => qr/role is set/,
		locked => qr/is locked/ },
	ko => { title => '방금 들어온 책', author => '아무개',
		missing => qr/저자/, added => qr/목록에/, two => qr/두 /,
		both => qr/./, saved => qr/저장/, stock => qr/재고/,
		withdrawn => qr/회수/, back => qr/서가에/,
		category => qr/분류를 추가/, moved => qr/저장/,
		full => qr/책이 있/, role => qr/역할/, locked => qr/잠/ },
);
my %size = (phone => [320, 844], desktop => [1280, 800]);
my ($browser, $kind, $lang, $number);

sub picture {
	my ($name) = @_;

	$album->page($browser, $size{$kind}[0], sprintf '%s-%s-admin-%02d-%s',
	    $lang, $kind, ++$number, $name);
}

sub sign_in {
	my ($username, $path) = @_;

	$browser->open(url('/'));
	$browser->forget;
	$browser->open(url("/login?next=$path"));
	$browser->type('#f-username', $username);
	$browser->type('#f-password', 'a long enough password');
	$browser->follow('main form button');
}

sub book {
	my ($w) = @_;
	my $other = staff('librarian', undef, lang => $lang);

	$browser->follow('.row .button');
	$browser->type('#f-title', $w->{title});
	$browser->type('#f-price', '12,500');
	$browser->follow('main form button');
	seen($browser, '.summary', $w->{missing}, 'an author is needed');
	is scalar($browser->find('#f-price[value="12,500"]')), 1, 'kept';
	picture('mistakes');
	$browser->type('#f-author', $w->{author});
	$browser->type('#f-description', "One\nTwo");
	$browser->click('#f-category_id option[value="53"]');
	$browser->follow('main form button');
	seen($browser, '.flash', $w->{added}, 'added');
	my ($path) = $browser->url =~ m{(/admin/books/\d+)$};
	picture('book');

	$other->get($path);
	$other->send($path, title => "$w->{title} 2", publisher => 'A House');
	$browser->type('#f-title', "$w->{title} 3");
	$browser->type('#f-description', "One\nThree");
	$browser->follow('.whole button');
	seen($browser, 'h1', $w->{two}, 'somebody was faster');
	seen($browser, 'main', $w->{both}, 'with the same field');
	picture('versions');
	$browser->follow('main form button');
	seen($browser, '.flash', $w->{saved}, 'chosen and saved');
	is scalar($browser->find('#f-title[value$=" 3"]')), 1, 'the one title';
	is scalar($browser->find('#f-publisher[value="A House"]')), 1,
	    'and the other publisher';

	$browser->follow('.links a[href$="/stock"]');
	$browser->type('#f-copies', '12');
	$browser->type('#f-note', $w->{author});
	$browser->follow('main form button');
	seen($browser, '.flash', $w->{stock}, 'counted');
	picture('stock');
	$browser->open(url($path));
	$browser->follow('#s-away ~ form button');
	seen($browser, '.flash', $w->{withdrawn}, 'withdrawn');
	picture('withdrawn');
	$browser->follow('#s-back ~ form button');
	seen($browser, '.flash', $w->{back}, 'brought back');
}

sub categories {
	my ($w) = @_;
	my $name = "$lang $kind";

	$browser->follow('.desk a[href="/admin/categories"]');
	picture('categories');
	$browser->type('#f-name_ko', $name);
	$browser->type('#f-name_en', $name);
	$browser->follow('section form button');
	seen($browser, '.flash', $w->{category}, 'a category');
	my $id = sql("SELECT id FROM categories WHERE name_en = '$name'") + 0;
	$browser->follow(qq{.tree a[href="/admin/categories/$id"]});
	$browser->click('#f-parent_id option[value="1"]');
	picture('category');
	$browser->follow('main form button');
	seen($browser, '.flash', $w->{moved}, 'moved');
	is sql("SELECT parent_id FROM categories WHERE id = $id"), "1\n",
	    'into another';
	$browser->follow('.tree a[href="/admin/categories/11"]');
	$browser->follow('#s-delete ~ form button');
	seen($browser, '.flash', $w->{full}, 'one with books cannot go');
}

sub members {
	my ($w) = @_;
	my $member = Seoga::Reader->new;
	my $username = $member->register(name => 'Somebody Else');

	$browser->follow('.desk a[href="/admin/users"]');
	picture('members');
	$browser->type('#f-find', $username);
	$browser->follow('.sift button');
	$browser->follow('.ledger h2 a');
	$browser->click('#f-role option[value="librarian"]');
	$browser->follow('#s-role ~ form button');
	seen($browser, '.flash', $w->{role}, 'a role');
	$browser->follow('#s-lock ~ form button');
	seen($browser, '.flash', $w->{locked}, 'a lock');
	picture('member');
	ok !$member->signed_in, 'signed out';
	$browser->follow('.desk a[href="/admin/audit"]');
	picture('changes');
}

sub day {
	my $w = $words{$lang};
	my $me = staff('admin');

	$number = 0;
	sign_in($me->{username}, '/admin');
	picture('overview');
	$browser->follow('.desk a[href="/admin/books"]');
	picture('books');
	book($w);
	categories($w);
	members($w);
}

in_each(\%size, sub {
	($browser, $lang, $kind) = @_;
	day();
});

subtest 'every width' => sub {
	my $long = '끝없이긴제목' x 20;
	my $admin = staff('admin');

	sql("UPDATE books SET title = '$long', author = REPEAT('W', 255),
	    publisher = REPEAT('m', 255) WHERE id = 1101");
	sql("UPDATE categories SET name_ko = REPEAT('가', 80),
	    name_en = REPEAT('W', 80) WHERE id = 11");
	$admin->get('/admin/books/1102');
	$admin->send('/admin/books/1102', title => $long,
	    description => 'W' x 5000);
	sign_in($admin->{username}, '/admin');
	for my $width (320, 360, 600, 704, 768, 992, 1920) {
		$browser->size($width, 800);
		for my $path (qw(/admin /admin/books /admin/books?q=1101
		    /admin/books/new /admin/books/1101 /admin/books/1101/stock
		    /admin/categories /admin/categories/11 /admin/users
		    /admin/audit /admin/orders)) {
			$browser->open(url($path));
			cmp_ok $browser->width, '<=', $width,
			    "$path at $width px";
		}
	}
};

undef $browser;

sub in_w3m {
	my ($html) = @_;
	my $file = File::Temp->new(SUFFIX => '.html', DIR => '/tmp');

	print {$file} $html;
	$file->flush;
	open my $w3m, '-|', qw(w3m -I UTF-8 -O UTF-8 -cols 80 -dump -T
	    text/html), "$file" or die "w3m: $!\n";
	local $/;
	return decode_utf8(scalar <$w3m>);
}

subtest 'in w3m' => sub {
	plan skip_all => 'w3m is not installed'
	    if !grep { -x "$_/w3m" } split /:/, $ENV{PATH};
	my $admin = staff('admin');
	my %shows = ('/admin' => qr/\d+ books on the shelves/,
	    '/admin/books' => qr/Copies: \d+/,
	    '/admin/books/new' => qr/^Add the book$/m,
	    '/admin/books/1103' => qr/^Withdraw$/m,
	    '/admin/books/1103/stock' => qr/^Change the stock$/m,
	    '/admin/categories' => qr/역사 · History.*– 한국사 · Korean history/s,
	    '/admin/categories/12' => qr/^Delete$/m,
	    '/admin/users' => qr/Administrator/,
	    '/admin/audit' => qr/Book edited: .*Title \[DEL:/s);

	for my $path (sort keys %shows) {
		my $text = in_w3m($admin->get($path)->bytes);
		like $text, $shows{$path}, $path;
		my $name = $path =~ s/\W+/-/gr;
		$album->text("w3m$name", $text);
	}
};

site_stop();
done_testing();
