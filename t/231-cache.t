#!/usr/bin/perl
# What is kept in Redis of MariaDB, as readers see it: who reads MariaDB, what
# a change does, how old a price may be, and that nobody pays a kept one.
use strict;
use warnings;
use utf8;

use File::Temp ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Reader;
use Seoga::Test;

# More workers than a page of a book usually has, so that they can collide.
my $routes = File::Temp->new(TEMPLATE => 'seoga-r-XXXXXX', DIR => '/tmp');
print {$routes} slurp("$ENV{SEOGA_SRCDIR}/nginx/routes.conf") =~
    s/(set \$prog book; .*# workers=)2/${1}8/r;
close $routes;
chmod 0644, "$routes";
site_start(routes => "$routes");
seoga_ok('migrate', '--sample');
my ($token, $name) = member_token();
sql("UPDATE users SET role = 'librarian' WHERE username = '$name'");
$token = api(post => '/api/users/login', undef, { username => $name,
    password => 'a long enough password' })->{json}{token};
my ($id, $second) = split ' ', sql('SELECT id FROM books
    WHERE stock_quantity > 5 AND isbn13 IS NOT NULL ORDER BY id LIMIT 2');
$_ += 0 for $id, $second;

sub counts { return api(get => '/api/ready')->{json}{caches}{$_[0]} }

# What a piece of work adds to the counts of a cache.
sub counted {
	my ($cache, $code) = @_;
	my $before = counts($cache);

	$code->();
	my $after = counts($cache);
	return { map { $_ => $after->{$_} - $before->{$_} } keys %$after };
}

sub price { return api(get => "/catalog/products/$_[0]")->{json}{price} }

# Changes a product by its PUT; gives the status.
sub change {
	my ($book, %facts) = @_;
	my $it = api(get => "/catalog/products/$book")->{json};

	return api(put => "/catalog/products/$book", $token,
	    { (map { $_ => $it->{$_} } grep { defined $it->{$_} }
	    qw(title author publisher published_year isbn13 language
	    description price category_id image_url)), %facts })->{status};
}

# The same request from so many clients at once, so many times each.
sub hammer {
	my ($clients, $times, @paths) = @_;
	my @pids;

	for (1 .. $clients) {
		my $pid = fork() // die "fork: $!\n";
		if (!$pid) {
			for (1 .. $times) {
				http(get => $_) for @paths;
			}
			POSIX::_exit(0);
		}
		push @pids, $pid;
	}
	waitpid $_, 0 for @pids;
}

sub books_read {
	return scalar(grep { $_->{ev} eq 'db.query' &&
	    $_->{name} =~ /^book\.by_id\./ } log_lines());
}

subtest 'hits and misses are counted' => sub {
	is_deeply counted('book', sub { price($id) }),
	    { hits => 0, early => 0, misses => 1 }, 'the first has to read';
	is_deeply counted('book', sub { price($id) for 1 .. 5 }),
	    { hits => 5, early => 0, misses => 0 }, 'five do not';
	is_deeply counted('book', sub {
		http(get => "/books/$id", { headers =>
		    { 'Accept-Language' => 'ko' } });
		http(get => "/api/books/$id");
	}), { hits => 2, early => 0, misses => 0 }, 'page and API share it';
	is_deeply counted('book', sub { http(get => '/books/1') for 1 .. 2 }),
	    { hits => 0, early => 0, misses => 2 },
	    'what is not there is not kept';
	redis(DEL => 'cache:categories:ko');
	is_deeply counted('categories', sub { http(get => '/books') for 1 .. 3 }),
	    { hits => 2, early => 0, misses => 1 }, 'the tree';
	redis(DEL => 'cache:popular');
	is_deeply counted('popular', sub { http(get => '/') for 1 .. 3 }),
	    { hits => 2, early => 0, misses => 1 }, 'popular books';
	my $book = counts('book');
	my @row = seoga_ok('cache') =~ /^book +(\d+) +(\d+) +(\d+) +([\d.]+)%$/m;
	is_deeply [@row[0 .. 2]], [@$book{qw(hits early misses)}],
	    'seoga cache says the same';
	is $row[3], sprintf('%.1f', 100 * $book->{hits} /
	    ($book->{hits} + $book->{early} + $book->{misses})), 'and the rate';
	is_deeply [sort keys %{api(get => '/api/ready')->{json}{caches}}],
	    [qw(book categories other popular)], 'these caches are there';
};

subtest 'a change is seen at once' => sub {
	my $home = Seoga::Reader->new;

	is price($id), api(get => "/api/books/$id")->{json}{price}, 'kept';
	is change($id, price => 1_234_500), 200, 'a price is changed';
	is price($id), 1_234_500, 'and shown';
	sql("INSERT INTO sales_books (day, book_id, copies)
	    VALUES (UTC_DATE(), $id, 1000)");
	redis(DEL => 'cache:popular');
	$home->get('/');
	is change($id, title => 'Brand new words'), 200, 'a title';
	like $home->get('/')->text, qr/Brand new words/,
	    'is also among the popular books';
	my ($in) = split ' ', sql("SELECT category_id FROM books WHERE id = $id");
	my ($to) = split ' ', sql("SELECT id FROM categories c WHERE
	    parent_id IS NOT NULL AND id <> $in LIMIT 1");
	my $held = sub { $home->get("/books?category=$to")->html };
	my ($before) = $held->() =~ m{category=$to"[^>]*>[^<]*<span>(\d+)<};
	is change($id, category_id => $to), 200, 'it is put elsewhere';
	my ($after) = $held->() =~ m{category=$to"[^>]*>[^<]*<span>(\d+)<};
	is $after, $before + 1, 'and counted there';
	is api(delete => "/catalog/products/$id", $token)->{status}, 204,
	    'it is withdrawn';
	is http(get => "/books/$id")->{status}, 404, 'and gone';
	unlike $home->get('/')->text, qr/Brand new words/,
	    'also from the popular books';
};

subtest 'an order and an import are changes' => sub {
	my $stock = api(get => "/catalog/products/$second")->{json}
	    {stock_quantity};
	my $order = api(post => '/api/orders', $token, {
		recipient => '홍길동', phone => '010-1234-5678',
		postcode => '04524', address => '서울특별시 중구 세종대로 110',
		items => [{ book_id => $second, quantity => 2 }] },
	    'Idempotency-Key' => 'cache-1');

	is $order->{status}, 201, 'two copies are ordered'
	    or diag $order->{content};
	is api(get => "/catalog/products/$second")->{json}{stock_quantity},
	    $stock - 2, 'and the stock is shown without them';
	my $file = site_dir() . '/import.csv';
	my ($isbn) = split ' ', sql("SELECT isbn13 FROM books
	    WHERE id = $second");
	spew($file, "isbn13,title,price\n$isbn,Imported,77000\n");
	my $said = seoga('import', $file, '--apply');
	my $it = api(get => "/catalog/products/$second")->{json};
	is_deeply [@$it{qw(title price)}], ['Imported', 7_700_000],
	    'what is imported, too' or diag $said;
};

subtest 'what is refused changes nothing' => sub {
	my $other = sql("SELECT isbn13 FROM books WHERE id <> $second
	    AND isbn13 IS NOT NULL LIMIT 1") =~ s/\s//gr;

	price($second);
	my $got = counted('book', sub {
		is api(put => "/catalog/products/$second", $token,
		    { name => 'x', price => 1, category_id => 53,
		    isbn13 => $other })->{status}, 409, 'refused';
		price($second);
	});
	is_deeply $got, { hits => 1, early => 0, misses => 0 },
	    'and what is kept stays';
};

# Readers fill it all the time, each from a SELECT of a moment ago.
subtest 'nobody keeps what was read before a change' => sub {
	my @wrong;

	load_start(4, "/books/$second", "/catalog/products/$second");
	for my $price (map { 10_000 * $_ } 1 .. 60) {
		change($second, price => $price) == 200 or next;
		my $shown = price($second);
		push @wrong, "$shown after $price" if $shown != $price;
	}
	my ($count, @failed) = load_stop();
	is_deeply \@wrong, [], "60 changes among $count readers";
	is_deeply \@failed, [], 'who all got their page';
};

subtest 'one reads for all' => sub {
	my ($rounds, $clients) = (25, 8);
	my $before = books_read();

	for (1 .. $rounds) {
		forget_books($second);
		hammer($clients, 1, "/api/books/$second");
	}
	my $read = books_read() - $before;
	# A reader who waited too long, on a busy machine, reads for himself.
	cmp_ok $read, '<=', $rounds * 1.3, "$clients at once, $rounds times: "
	    . "$read SELECTs";
	cmp_ok $read, '>=', $rounds, 'each time at least one';
};

# The one who was to fill it died on the way.
subtest 'nobody waits for ever' => sub {
	forget_books($second);
	redis('SET', "cache:book:ko:$second:lock", 'nobody', 'PX', 5000);
	my $start = time;
	my $answer = http(get => "/api/books/$second");
	my $took = time - $start;

	is $answer->{status}, 200, 'the page comes';
	cmp_ok $took, '>', 0.02, 'after a wait';
	cmp_ok $took, '<', 1, 'that is short';
	redis(DEL => "cache:book:ko:$second:lock");
	http(get => '/api/books/1');
	is redis(EXISTS => 'cache:book:ko:1:lock'), 0,
	    'who finds no book leaves no lock';
};

# Nobody would ever sell it for this.
subtest 'what is kept is never paid' => sub {
	my ($true) = split /\./, sql("SELECT price FROM books
	    WHERE id = $second");
	my $buyer = Seoga::Reader->new;

	$buyer->register;
	price($second);
	redis(SET => "cache:book:$_:$second", redis(GET =>
	    "cache:book:$_:$second") =~ s/"price":\d+/"price":100/r)
	    for grep { redis(GET => "cache:book:$_:$second") } qw(ko en);
	is price($second), 100, 'a wrong price is kept, and shown';
	api(post => '/api/cart/add', $token, { book_id => $second,
	    quantity => 1 });
	is api(get => '/api/cart', $token)->{json}{total}, 100 * $true,
	    'the cart has the true one';
	my $order = api(post => '/api/orders', $token, {
		recipient => '홍길동', phone => '010-1234-5678',
		postcode => '04524', address => '서울특별시 중구 세종대로 110' },
	    'Idempotency-Key' => 'cache-2');
	is $order->{json}{total}, 100 * $true, 'and so has the order'
	    or diag $order->{content};
	$buyer->get("/books/$second");
	$buyer->submit('/cart/add', quantity => 1);
	like $buyer->get('/checkout')->text, qr/@{[comma($true)]}/,
	    'and the form to order';
};

sub comma { return scalar reverse((reverse $_[0]) =~ s/(\d{3})(?=\d)/$1,/gr) }

site_stop();
done_testing();
