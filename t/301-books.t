#!/usr/bin/perl
# GET / and /books: the shelves, their order, categories and search.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my $reader = Seoga::Reader->new;

# The ids of the books on the page in hand, in their order.
sub ids {
	return [$reader->html =~ m{<h2><a href="/books/(\d+)"}g];
}

sub want {
	my ($where_and_order) = @_;

	return [split /\n/, sql("SELECT id FROM books $where_and_order")];
}

sub link_to {
	my ($label) = @_;
	my ($tag) = $reader->html =~
	    m{(<a [^>]*)>\s*\Q$label\E\s*(?:<span>\d+</span>)?\s*</a>};

	return HTML::Entities::decode_entities(
	    (($tag // '') =~ /href="([^"]*)"/)[0] // '');
}

subtest 'the home page' => sub {
	$reader->get('/');
	is $reader->status, 200, 'is there';
	is_deeply ids(), want('ORDER BY title, id LIMIT 20'),
	    'twenty books by title';
	like $reader->html, qr{<title>Library and bookshop - Seoga</title>},
	    'its title';
	unlike $reader->html, qr{class="crumbs}, 'no breadcrumb at the root';
	like $reader->html, qr{<html lang="en">}, 'in English when asked so';
	is $reader->header('content-language'), 'en', 'and says so';
	like $reader->header('vary'), qr/Accept-Language/, 'it varies';
	like $reader->header('content-type'),
	    qr{^text/html; ?charset=utf-8$}i, 'it is HTML in UTF-8';
};

subtest 'a book in the list' => sub {
	my ($out, $low, $dear) =
	    want('WHERE category_id = 11 ORDER BY title, id LIMIT 3')->@*;

	sql("UPDATE books SET stock_quantity = 0 WHERE id = $out;
	    UPDATE books SET stock_quantity = 2 WHERE id = $low;
	    UPDATE books SET price = 1234567 WHERE id = $dear");
	$reader->get('/books?category=11');
	my %row = map { (m{href="/books/(\d+)"})[0] // 0 => $_ }
	    split /<li>/, $reader->html;

	like $row{$out}, qr/Sold out/, 'sold out is said';
	like $row{$low}, qr/Only 2 left/, 'few left is said';
	like $row{$dear}, qr/₩1,234,567/, 'the price is grouped';
	like $row{$dear}, qr{<img src="/covers/$dear\.svg"}, 'with a cover';
	is scalar(() = $reader->html =~ /<li><h2>/g),
	    scalar(() = $reader->html =~ /class="stock /g),
	    'each says whether it is there';
	my ($author) = split /\n/, sql("SELECT author FROM books
	    WHERE id = $dear");
	like $row{$dear}, qr/\Q${\decode_utf8($author)}\E/, 'with its author';
};

subtest 'orders' => sub {
	for (['title', 'title, id'], ['newest', 'created_at DESC, id DESC'],
	    ['price', 'price, id']) {
		my ($sort, $order) = @$_;
		$reader->get("/books?sort=$sort");
		is_deeply ids(), want("ORDER BY $order LIMIT 20"), $sort;
		like $reader->html, qr{aria-current="true">\u$sort<},
		    "$sort is marked";
	}
	is $reader->get('/books?sort=colour')->status, 400, 'an unknown one';
	is $reader->get('/books?sort=')->status, 200, 'an empty one is none';
};

subtest 'pages' => sub {
	$reader->get('/books?sort=price&utm_source=x');
	is $reader->status, 200, 'an unknown name in the query is ignored';
	unlike $reader->html, qr/>Previous page</, 'the first has none before';
	$reader->get(link_to('Next page'));
	is_deeply ids(), want('ORDER BY price, id LIMIT 20 OFFSET 20'),
	    'the next page goes on';
	like $reader->html, qr{<link rel="next" href="/books\?},
	    'links for browsers, too';
	$reader->get(link_to('Previous page'));
	is_deeply ids(), want('ORDER BY price, id LIMIT 20'), 'and back';
	$reader->get(link_to('Next page'));
	$reader->get(link_to('First page'));
	is_deeply ids(), want('ORDER BY price, id LIMIT 20'), 'and to the start';
};

subtest 'categories' => sub {
	my $all = sql('SELECT COUNT(*) FROM books WHERE category_id IN
	    (SELECT id FROM categories WHERE parent_id = 1 OR id = 1)') + 0;

	$reader->get('/books');
	like $reader->html, qr{category=1">Literature <span>$all</span>},
	    'the count of a branch has its children\'s';
	unlike $reader->html, qr/Korean poetry/, 'branches are closed';
	$reader->get(link_to('Literature'));
	like $reader->html, qr{<h1>Literature</h1>}, 'a branch can be chosen';
	is_deeply ids(), want('WHERE category_id IN (SELECT id FROM categories
	    WHERE parent_id = 1 OR id = 1) ORDER BY title, id LIMIT 20'),
	    'with the books of its children';
	$reader->get(link_to('Korean poetry'));
	is_deeply ids(), want('WHERE category_id = 13 ORDER BY title, id
	    LIMIT 20'), 'a child has its own';
	like $reader->html,
	    qr{aria-current="page">Korean poetry <span>}, 'and is marked';
	is $reader->get('/books?category=999')->status, 404, 'unknown: 404';
	is $reader->get('/books?category=x')->status, 400, 'no number: 400';
	is $reader->get('/books?category=-1')->status, 400, 'below one: 400';
};

subtest 'search' => sub {
	sql("INSERT INTO books (id, category_id, title, author, isbn13,
	    language, price) VALUES
	    (900001, 11, 'Zebra 50% off_white', 'Quentin Quux',
	     '9780000000019', 'en', 100),
	    (900002, 11, 'Zebra crossing', 'Nobody', NULL, 'en', 100)");
	seoga_ok('reindex');
	my %found = (zebra => [900001, 900002], 'Quentin QUUX' => [900001],
	    '978-0-00-000001-9' => [900001], '9780000000019' => [900001],
	    '50%' => [900001], 'off_white' => [900001],
	    'zeb%ssing' => [], 'Z_bra' => [], 'Zebra _rossin' => [900002],
	    ' zebra ' => [900001, 900002], '|' => [],
	    q(' OR '1'='1) => []);

	for my $words (sort keys %found) {
		$reader->get('/books');
		$reader->ask(get => '/books?' . HTTP::Tiny->new
		    ->www_form_urlencode({ q => $words }));
		is_deeply [sort @{ids()}], $found{$words}, "\"$words\"";
	}
	$reader->get('/books?q=zebra&category=12');
	is_deeply ids(), [], 'within a category';
	like $reader->text, qr/We found no book for “zebra”/, 'nothing found';
	like $reader->html, qr{name="q"[^>]* value="zebra"}, 'the words stay';
	$reader->get('/books?q=');
	is_deeply ids(), want('ORDER BY title, id LIMIT 20'),
	    'no words are no search';
	is $reader->get('/books?q=' . 'x' x 101)->status, 400, 'too long';
	is $reader->get('/books?q=zebra&sort=price')->status, 200, 'sorted';
};

subtest 'Korean' => sub {
	my $korean = Seoga::Reader->new(lang => 'ko-KR,ko;q=0.9,en;q=0.8');

	$korean->get('/books?category=1');
	like $korean->html, qr{<html lang="ko">}, 'in Korean when asked so';
	like $korean->html, qr{<h1>문학</h1>}, 'with Korean categories';
	like $korean->html, qr/[0-9]원</, 'and prices';
	is $korean->get('/books?category=1')->header('content-language'),
	    'ko', 'and says so';
};

subtest 'nothing there' => sub {
	sql("INSERT INTO categories (id, parent_id, slug, name_ko, name_en)
	    VALUES (99, NULL, 'empty', '빈', 'Nothing')");
	redis('DEL', 'cache:categories:en');
	$reader->get('/books?category=99');
	is $reader->status, 200, 'an empty category is a page';
	like $reader->text, qr/There is no book here yet/, 'that says so';
};

subtest 'methods' => sub {
	is $reader->ask(head => '/books')->status, 200, 'HEAD';
	is $reader->bytes // '', '', 'has no body';
	is $reader->post('/books', {})->status, 405, 'POST is refused';
	is $reader->header('allow'), 'GET, HEAD', 'with Allow';
};

site_stop();
done_testing();
