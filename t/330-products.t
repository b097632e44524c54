#!/usr/bin/perl
# /catalog/products and /api/products: filters, cursors, and what a librarian's
# change does to the shelves, the stock and the log of changes.
use strict;
use warnings;
use utf8;

use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);
use URI::Escape qw(uri_escape_utf8);

use Seoga::Fault;
use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my ($token, $name) = member_token();
my $login = sub {
	my ($who) = @_;

	return api(post => '/api/users/login', undef, { username => $who,
	    password => 'a long enough password' })->{json}{token};
};
sql("UPDATE users SET role = 'librarian' WHERE username = '$name'");
$token = $login->($name);
my (undef, $reader) = member_token();
my $stranger = $login->($reader);

sub ids {
	my ($query) = @_;
	my (@ids, $cursor);

	do {
		my $answer = api(get => "/catalog/products?limit=17&$query"
		    . (defined $cursor ? '&cursor=' . uri_escape_utf8($cursor)
		    : ''));
		is $answer->{status}, 200, $query or return;
		push @ids, map { $_->{id} } @{$answer->{json}{products}};
		$cursor = $answer->{json}{next};
	} while (defined $cursor);
	return \@ids;
}

sub expected {
	my ($where) = @_;

	return [split ' ', sql("SELECT id FROM books
	    WHERE withdrawn_at IS NULL AND $where")];
}

subtest 'filters' => sub {
	my $in = 'category_id IN (SELECT id FROM categories
	    WHERE id = 5 OR parent_id = 5)';

	sql('UPDATE books SET stock_quantity = 0 WHERE id % 3 = 0;
	    UPDATE books SET withdrawn_at = UTC_TIMESTAMP() WHERE id % 50 = 7');
	is_deeply ids('sort=price'), expected('TRUE ORDER BY price, id'),
	    'all by price';
	is_deeply ids('category=5&sort=price'),
	    expected("$in ORDER BY price, id"), 'what is below a category';
	is_deeply ids('min_price=1500000&max_price=2000000&sort=price'),
	    expected('price BETWEEN 15000 AND 20000 ORDER BY price, id'),
	    'a price from 15,000 to 20,000';
	is_deeply ids('in_stock=1&sort=newest'), expected('stock_quantity > 0
	    ORDER BY created_at DESC, id DESC'), 'in stock, newest first';
	is_deeply ids('in_stock=true&category=5&max_price=1800000'),
	    expected("$in AND stock_quantity > 0 AND price <= 18000
	    ORDER BY title, id"), 'three at once, by name';
	is_deeply ids('max_price=0'), [], 'nothing is free';
	is scalar(@{ids('in_stock=no')}), scalar(@{expected('TRUE')}),
	    'no is no filter';
	my @found = @{ids('q=1984&in_stock=0')};
	ok scalar(grep { $_ == 1448 } @found), 'a search';
	is_deeply ids('q=1984&max_price=1'), [], 'a search with a price';
	is_deeply api(get => '/api/products?limit=3')->{json},
	    api(get => '/catalog/products?limit=3')->{json},
	    '/api/products is the same list';
};

my %book = (name => '새 책', author => '지은이', price => 1_250_000,
	category_id => 53, stock_quantity => 5, isbn13 => '0-306-40615-2',
	published_year => 2024, description => '소개', publisher => '출판사');

subtest 'from the first to the last' => sub {
	my $made = api(post => '/catalog/products', $token, \%book,
	    'Idempotency-Key' => 'p1');
	is $made->{status}, 201, 'made';
	my ($path) = $made->{headers}{location};
	my $it = $made->{json};
	my %has = (%book, title => '새 책', isbn13 => '9780306406157',
		version => 1, language => 'ko', image_url => undef);
	is_deeply { map { $_ => $it->{$_} } keys %has }, \%has, 'as sent';
	is api(post => '/catalog/products', $token, \%book,
	    'Idempotency-Key' => 'p1')->{json}{id}, $it->{id},
	    'the same key again: the same product';
	is sql("SELECT COUNT(*) FROM books WHERE title = '새 책'") + 0, 1,
	    'once';
	is api(post => '/catalog/products', $token, { %book, name => '다른 책',
	    isbn13 => undef }, 'Idempotency-Key' => 'p1')->{status}, 422,
	    'the same key with another product is not that';
	is sql("SELECT COUNT(*) FROM books WHERE title = '다른 책'") + 0, 0,
	    'nor is it made';
	is api(post => '/catalog/products', $token, { %book, name => 'x' })
	    ->{status}, 409, 'another one with its ISBN';

	my $page = Seoga::Reader->new(lang => 'ko');
	my $path_of_page = "/books/$it->{id}";
	$page->get($path_of_page);
	like $page->text, qr/새 책.*12,500원/s, 'readers see it';
	is api(get => $path)->{json}{price}, 1_250_000, 'so do programs';
	my $changed = api(put => $path, $token, { %$it{qw(name title author
	    publisher published_year isbn13 language description
	    category_id version)}, price => 990_000 });
	is $changed->{status}, 200, 'changed';
	is $changed->{json}{version}, 2, 'another version';
	is $changed->{json}{stock_quantity}, 5, 'the stock as it was';
	is api(get => $path)->{json}{price}, 990_000,
	    'and seen at once, in spite of the cache';
	like $page->get($path_of_page)->text, qr/9,900원/, 'on the page, too';

	my $tag = api(get => $path)->{headers}{etag};
	sql("UPDATE books SET stock_quantity = 3 WHERE id = $it->{id}");
	forget_books($it->{id});	# as a sale does
	is api(put => $path, $token, { %book, stock_quantity => 5 },
	    'If-Match' => $tag)->{status}, 412,
	    'If-Match minds what was sold';
	forget_books($it->{id});
	$tag = api(get => $path)->{headers}{etag};
	my $sale = fork() // die "fork: $!\n";
	if (!$sale) {
		sql("START TRANSACTION; UPDATE books SET stock_quantity = 2
		    WHERE id = $it->{id}; DO SLEEP(1); COMMIT");
		POSIX::_exit(0);
	}
	sleep 0.4;
	my $late = api(put => $path, $token, { %book, stock_quantity => 5 },
	    'If-Match' => $tag);
	waitpid $sale, 0;
	is $late->{status}, 409, 'also at that very moment';
	is $late->{json}{current}{stock_quantity}, 2, 'and tells what there is';
	is api(put => $path, $token, { %book, stock_quantity => 9 })
	    ->{json}{stock_quantity}, 9, 'the stock is set';
	like sql("SELECT GROUP_CONCAT(reason, ' ', stock_after) FROM
	    stock_changes WHERE book_id = $it->{id}"), qr/set 9/,
	    'with a line in its history';

	is api(delete => $path, $token)->{status}, 204, 'withdrawn';
	is api(get => $path)->{status}, 404, 'is not there';
	is api(put => $path, $token, \%book)->{status}, 404,
	    'nor to be changed';
	is $page->get($path_of_page)->status, 404, 'nor on a page';
	is sql("SELECT COUNT(*) FROM books WHERE id = $it->{id}") + 0, 1,
	    'but kept for its orders';
	is sql("SELECT GROUP_CONCAT(act ORDER BY id) FROM audit
	    WHERE object_id = $it->{id} AND object = 'book'") =~ s/\s//gr,
	    'book.add,book.edit,book.stock,book.edit,book.withdraw',
	    'all in the log';
};

subtest 'who may' => sub {
	for ([post => '/catalog/products'], [put => '/catalog/products/1101'],
	    [delete => '/catalog/products/1101']) {
		my ($method, $path) = @$_;
		my $body = $method eq 'delete' ? undef : \%book;

		is api($method, $path, undef, $body)->{status}, 401,
		    "$method: nobody";
		is api($method, $path, $stranger, $body)->{status}, 403,
		    "$method: a reader";
	}
	is api(get => '/catalog/products/1101')->{status}, 200,
	    'all may look';
};

subtest 'what is wrong' => sub {
	my %wrong = (name => '', price => -1, category_id => 4_000_000,
		stock_quantity => 1_000_001, published_year => 0,
		isbn13 => '9780306406158', language => 'F1',
		image_url => 'https://example.org/x.png', title => 'another',
		author => 'x' x 256, description => 'x' x 5001);

	for my $field (sort keys %wrong) {
		my $answer = api(post => '/catalog/products', $token,
		    { %book, isbn13 => undef, $field => $wrong{$field} });
		is $answer->{status}, 400, $field;
		is_deeply [keys %{$answer->{json}{errors} // {}}], [$field],
		    'is named';
	}
	is_deeply [sort keys %{api(post => '/catalog/products', $token, {})
	    ->{json}{errors}}], [qw(category_id name price)],
	    'what is missing';
	is api(post => '/catalog/products', $token, { title => 'Only this',
	    price => 1, category_id => 53 })->{json}{author}, '저자 미상',
	    'an author need not be known';
};

# Each adds to the price what it read; with the version nothing gets lost.
subtest 'many at once' => sub {
	my $id = api(post => '/catalog/products', $token, { name => 'Race',
	    price => 1000, category_id => 53 })->{json}{id};
	my ($clients, $each, @pids) = (4, 6);

	for (1 .. $clients) {
		my $pid = fork() // die "fork: $!\n";
		if (!$pid) {
			my $done = 0;
			while ($done < $each) {
				my $it = api(get => "/catalog/products/$id")
				    ->{json};
				$done++ if api(put => "/catalog/products/$id",
				    $token, { name => 'Race', price =>
				    $it->{price} + 1, category_id => 53,
				    version => $it->{version} })->{status}
				    == 200;
			}
			POSIX::_exit(0);
		}
		push @pids, $pid;
	}
	waitpid $_, 0 for @pids;
	my $it = api(get => "/catalog/products/$id")->{json};
	is $it->{price}, 1000 + $clients * $each, 'each change is in it';
	is $it->{version}, 1 + $clients * $each, 'and counted';
};

site_stop();
done_testing();
