#!/usr/bin/perl
# Paging by key: forth and back over the whole list each book comes once, in
# every order, whatever is added and removed meanwhile.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use HTML::Entities qw(decode_entities);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');

# Keys that are alike, cased alike, or hard to write into an address.
my @hard = ('Same', 'Same', 'same', 'SAME', 'Sáme', 'a&b=c', 'a+b', 'a b',
    '100%', '%41', '?q=1#x', '"quoted"', "it's", '<b>', '.', '..', '/', '\\',
    '1.2.3', '한글', '한글', '漢字', '📚', 'x' x 255, '가' x 90, ' led',
    'trailing ', '');
my $id = 900_000;
sql(encode_utf8(join ';',
    map { adding($_, 999.99, "'2026-01-01 00:00:00'") } @hard));
seoga_ok('reindex');
my %order = (title => 'title, id', newest => 'created_at DESC, id DESC',
    price => 'price, id');
my $reader = Seoga::Reader->new;

sub adding {
	my ($title, $price, $when) = @_;
	my $sql = $title =~ s/([\\'])/\\$1/gr;

	$id++;
	return "INSERT INTO books (id, category_id, title, author, price,
	    created_at) VALUES ($id, 53, '$sql', 'x', $price, $when)";
}

sub ids {
	return $reader->html =~ m{<h2><a href="/books/(\d+)"}g;
}

sub want {
	my ($sort, $where) = @_;

	return split /\n/, sql("SELECT id FROM books WHERE $where
	    ORDER BY $order{$sort}");
}

sub way {
	my ($rel) = @_;

	return decode_entities(($reader->html
	    =~ m{<link rel="$rel" href="([^"]*)">})[0] // '');
}

# Follows the links of one kind; the ids of each page, the first one too.
sub walk {
	my ($rel, $each) = @_;
	my @pages = ([ids()]);

	while (my $path = way($rel)) {
		die "the list has no end\n" if @pages > 100;
		$each->(scalar @pages) if $each;
		$reader->get($path);
		is $reader->status, 200, $path if $reader->status != 200;
		push @pages, [ids()];
	}
	return @pages;
}

for my $list (['all', '', 'TRUE'],
    ['a category with children', '&category=5', 'category_id IN (SELECT id
    FROM categories WHERE parent_id = 5 OR id = 5)'],
    ['one without', '&category=53', 'category_id = 53'],
    ['a search', '&q=a', "(title LIKE '%a%' OR author LIKE '%a%'
    OR publisher LIKE '%a%')"],
    ['a search in a category', '&q=a&category=5', "(title LIKE '%a%' OR
    author LIKE '%a%' OR publisher LIKE '%a%') AND category_id IN (SELECT id FROM categories WHERE
    parent_id = 5 OR id = 5)"]) {
	my ($name, $query, $where) = @$list;

	for my $sort (sort keys %order) {
		subtest "$name, by $sort" => sub {
			my @want = want($sort, $where);
			cmp_ok scalar(@want), '>', 20, 'several pages';
			$reader->get("/books?sort=$sort$query");
			my @forth = walk('next');
			is_deeply [map { @$_ } @forth], \@want,
			    'forth: each once, in order';
			is_deeply [grep { @$_ != 20 } @forth[0 .. $#forth - 1]],
			    [], 'in full pages';
			cmp_ok scalar(@{$forth[-1]}), '>', 0,
			    'the last is not empty';
			my @back = walk('prev');
			is_deeply [map { @$_ } reverse @back], \@want,
			    'back: the same';
			is way('prev'), '', 'up to the first page';
		};
	}
}

sub refused {
	my ($statement) = @_;

	open my $said, '>&', \*STDERR or die "STDERR: $!\n";
	open STDERR, '>', '/dev/null' or die "/dev/null: $!\n";
	my $taken = eval { sql($statement); 1 };
	open STDERR, '>&', $said or die "STDERR: $!\n";
	return !$taken;
}

subtest 'books that no page could begin after' => sub {
	my $insert = 'INSERT INTO books (category_id, title, author, price)
	    VALUES (53,';

	ok refused("$insert $_, 'x', 100)"), "none is called $_"
	    for "'a\\nb'", "'a\\0b'", "'\\tx'", "_utf8mb4 x'61E2808B62'",
	    "_utf8mb4 x'61E280AE62'", "_utf8mb4 x'61C28562'",
	    "_utf8mb4 x'E385A4'";
	ok refused("$insert 'Below', 'x', -0.01)"),
	    'none costs less than nothing';
	ok refused("$insert 'Author', 'x\\0y', 1)"),
	    'none is by somebody whose name cannot be drawn';
	ok !refused("$insert _utf8mb4 x'EAB080F09F9880', 'x', 0);
	    DELETE FROM books WHERE author = 'x' AND price = 0"),
	    'others may be called anything';
};

subtest 'an exact number of pages' => sub {
	sql("INSERT INTO categories (id, slug, name_ko, name_en)
	    VALUES (98, 'forty', 'Forty', 'Forty')");
	redis('DEL', 'cache:categories:en');
	sql("INSERT INTO books (category_id, title, author, price)
	    SELECT 98, CONCAT('Forty ', seq), 'x', seq FROM seq_1_to_40");
	$reader->get('/books?category=98&sort=price');
	my @pages = walk('next');
	is_deeply [map { scalar @$_ } @pages], [20, 20], 'two full ones';
};

$id = 950_000;		# above what MariaDB has numbered by itself

# While a reader walks, others add and remove: what was there all the time
# comes exactly once.
for my $sort (sort keys %order) {
	subtest "changes while walking, by $sort" => sub {
		my @before = want($sort, 'TRUE');
		my (%gone, %came);
		my $change = sub {
			my ($page) = @_;
			my @victims = ((ids())[-1, 5], $before[-$page * 3]);
			my @sql = 'DELETE FROM books WHERE id IN ('
			    . join(', ', @victims) . ')';
			@gone{@victims} = (1) x @victims;
			for my $title ('  first', '힣힣힣', "Page $page") {
				push @sql, adding($title, 5000 * $page,
				    "NOW() - INTERVAL $page DAY");
				$came{$id} = 1;
			}
			sql(encode_utf8(join ';', @sql));
		};

		for my $rel ('next', 'prev') {
			$reader->get("/books?sort=$sort") if $rel eq 'next';
			%came = ();
			my @stayed = want($sort, 'TRUE');
			my @pages = walk($rel, $change);
			my @seen = map { @$_ }
			    $rel eq 'next' ? @pages : reverse @pages;
			my %times;
			$times{$_}++ for @seen;
			is_deeply [grep { $times{$_} > 1 } keys %times], [],
			    "$rel: none twice";
			my %is_gone = %gone;
			is_deeply [grep { !$times{$_} && !$is_gone{$_} }
			    @stayed], [], "$rel: none is missed";
			is_deeply [grep { !$gone{$_} && !$came{$_} } @seen],
			    [grep { !$gone{$_} } @stayed],
			    "$rel: in order";
		}
	};
}

subtest 'a page whose book is gone' => sub {
	$reader->get('/books?sort=title');
	my $next = way('next');
	my @first = ids();
	my @all = want('title', 'TRUE');
	sql("DELETE FROM books WHERE id = $first[-1]");
	$reader->get($next);
	is_deeply [ids()], [@all[20 .. 39]], 'stays where it is';
};

subtest 'both ends' => sub {
	$reader->get('/books?sort=price&after=99999999.9999999999');
	is $reader->status, 200, 'after the last';
	is_deeply [ids()], [], 'there is nothing';
	$reader->get('/books?sort=price&before=1.0');
	is_deeply [ids()], [], 'nor before the first';
};

subtest 'cursors that are none' => sub {
	for my $cursor ('x', '1', '.', '.x', '-1.x', '0.x', '1x.y',
	    '', '9' x 30 . '.x', '1.' . 'x' x 300) {
		for my $way ('after', 'before') {
			for my $sort (sort keys %order) {
				$reader->get("/books?sort=$sort&$way=$cursor");
				is $reader->status, 400,
				    "$sort, $way=" . substr $cursor, 0, 20;
			}
		}
	}
	for (['price', '1.x'], ['price', '1.'], ['price', '1.1e9'],
	    ['price', '1.9999999999999999999999'], ['newest', '1.x'],
	    ['newest', '1.'], ['newest', '1.2026-99-99T00:00:00Z'],
	    ['newest', '1.2026-01-01 00:00:00x']) {
		my ($sort, $cursor) = @$_;
		for my $way ('after', 'before') {
			$reader->get("/books?sort=$sort&$way=" . ($cursor
			    =~ s/ /%20/gr));
			is $reader->status, 400, "$sort, $way=$cursor";
		}
	}
	$reader->get('/books?after=1.x&before=1.x');
	is $reader->status, 400, 'both ways at once';
	like $reader->text, qr/Start again at the first page/,
	    'with a way on';
};

site_stop();
done_testing();
