#!/usr/bin/perl
# GET /books/<id>: all there is to know of a book, and the form to take it.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my $reader = Seoga::Reader->new;

sql("INSERT INTO books (id, category_id, title, author, publisher,
    published_year, isbn13, language, description, price, stock_quantity,
    updated_at) VALUES
    (900001, 53, 'The Title', 'The Author', 'The House', 1984,
     '9780000000019', 'en', 'First line\nSecond line', 12500, 7,
     '2026-03-01 18:00:00'),
    (900002, 53, 'Bare', 'Someone', NULL, NULL, NULL, 'ko', NULL, 0.99, 0,
     '2026-03-01 10:00:00'),
    (900003, 53, 'Old', 'Someone', NULL, -399, NULL, 'ko', NULL, 1, 500,
     '2026-03-01 10:00:00')");

sub facts {
	return { $reader->html =~
	    m{<dt>([^<]*)</dt> <dd[^>]*>(?:<a[^>]*>)?([^<]*)}g };
}

subtest 'all facts' => sub {
	$reader->get('/books/900001');
	is $reader->status, 200, 'the page';
	like $reader->html, qr{<title>The Title - Seoga</title>}, 'its title';
	like $reader->html, qr{<h1 lang="en">The Title</h1>}, 'its heading';
	is_deeply facts(), { Author => 'The Author', Publisher => 'The House',
		Published => '1984', Language => 'English',
		ISBN => '978 000 000 0019', Category => 'Programming',
		'Record updated' => '1 March 2026' }, 'the facts';
	like $reader->text, qr/₩12,500 In stock/, 'price and stock';
	like $reader->html, qr/First line\nSecond line/, 'the description';
	like $reader->html, qr{src="/covers/900001\.svg"}, 'the cover';
	like $reader->html, qr{<a href="/books\?category=53">Programming</a>},
	    'the way to its shelf';
};

subtest 'the form' => sub {
	my $form = $reader->get('/books/900001')->form('/cart/add');

	is $form->{book_id}, 900001, 'names the book';
	is $form->{quantity}, 1, 'begins at one';
	like $form->{once}, qr/^\w{20,}$/, 'has a one-time key';
	like $form->{csrf}, qr/^\w{20,}$/, 'has the session\'s token';
	like $reader->html, qr{name="quantity"[^>]* max="7"},
	    'no more than there are';
	isnt $reader->get('/books/900001')->form('/cart/add')->{once},
	    $form->{once}, 'another key in the next';
	is $reader->header('cache-control'), 'no-store',
	    'going back fetches a new one';
	$reader->get('/books/900003');
	like $reader->html, qr{name="quantity"[^>]* max="99"},
	    'no more than a line holds';
};

subtest 'what is not known is not shown' => sub {
	$reader->get('/books/900002');
	is_deeply [sort keys %{facts()}],
	    ['Author', 'Category', 'Language', 'Record updated'], 'facts';
	unlike $reader->html, qr/About this book/, 'no empty description';
	like $reader->text, qr/Sold out/, 'it is sold out';
	is $reader->form('/cart/add'), undef, 'and cannot be ordered';
	$reader->get('/books/900003');
	is facts()->{Published}, '399 BCE', 'a year of antiquity';
};

subtest 'Korean' => sub {
	my $korean = Seoga::Reader->new(lang => 'ko');

	$korean->get('/books/900001');
	like $korean->text, qr/12,500원/, 'the price';
	like $korean->text, qr/2026년 3월 2일/, 'the date, which is Korea\'s';
};

subtest 'a price with a fraction' => sub {
	sql('UPDATE books SET price = 12000.05 WHERE id = 900001');
	forget_books(900001);
	like $reader->get('/books/900001')->text, qr/₩12,000\.05 /,
	    'is shown whole';
	sql('UPDATE books SET price = 12500 WHERE id = 900001');
	forget_books(900001);
	like $reader->get('/books/900001')->text, qr/₩12,500 /,
	    'and no other has one';
};

subtest 'an image of its own' => sub {
	sql("UPDATE books SET image_url = '/static/favicon.svg'
	    WHERE id = 900001");
	forget_books(900001);
	$reader->get('/books/900001');
	like $reader->html,
	    qr{class="cover" src="/static/favicon\.svg"}, 'is shown';
};

subtest 'no such book' => sub {
	for my $path ('/books/1', '/books/0', '/books/99999999999999999999',
	    '/books/-1', '/books/x', '/books/1101/') {
		is $reader->get($path)->status, 404, $path;
		like $reader->html, qr{<h1>There is no such }, 'a page of ours';
	}
	is $reader->get('/books/01101')->status, 200, 'zeros in front';
};

site_stop();
done_testing();
