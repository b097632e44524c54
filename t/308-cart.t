#!/usr/bin/perl
# /cart and its forms: nothing is lost, nothing is counted twice, and what has
# changed since is said.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 500, price = 1000');

sub guest { return Seoga::Reader->new(@_) }

sub member {
	my $reader = guest();

	$reader->register;
	return $reader;
}

# The cart's key in Redis.
sub key {
	my ($reader) = @_;
	my ($uuid, $user) = split /\./, $reader->{cookies}{sid};

	return 'cart:' . ($user // $uuid);
}

sub line {
	my ($reader, $book) = @_;
	my ($row) = grep { /name="book_id" value="$book"/ }
	    split /<li>/, $reader->get('/cart')->html;

	return ($row // '') =~ s/<[^>]*>/ /gr =~ s/\s+/ /gr;
}

for my $kind (qw(guest member)) {
	subtest "a $kind\'s cart" => sub {
		my $reader = $kind eq 'guest' ? guest() : member();

		$reader->get('/cart');
		like $reader->text, qr/There is nothing in your cart/,
		    'empty at first';
		$reader->get('/books/1201');
		$reader->send('/cart/add', quantity => 2);
		is $reader->status, 303, 'adding redirects';
		is $reader->header('location'), '/cart', 'to the cart';
		$reader->follow;
		like $reader->text, qr/The book is in your cart/, 'said';
		like $reader->html, qr{>Cart <b>1</b>}, 'counted';
		$reader->add(1201, 3);
		$reader->add(1202);
		is_deeply $reader->cart, { 1201 => 5, 1202 => 1 },
		    'the same book is one line';
		like $reader->text, qr/Books: 2, copies: 6/, 'counts';
		like $reader->text, qr/Total ₩6,000/, 'and total';
		like line($reader, 1201), qr/₩5,000/, 'of a line, too';
		$reader->submit('/cart/set', where => { book_id => 1201 },
		    quantity => 7);
		like $reader->text, qr/The quantity has been changed/, 'set';
		is_deeply $reader->cart, { 1201 => 7, 1202 => 1 }, 'to it';
		$reader->submit('/cart/remove', where => { book_id => 1202 });
		like $reader->text, qr/has been removed from your cart/,
		    'removed';
		is_deeply $reader->cart, { 1201 => 7 }, 'that one';
		$reader->submit('/cart/set', where => { book_id => 1201 },
		    quantity => 0);
		is_deeply $reader->cart, {}, 'a quantity of none removes';
		$reader->add($_) for 1201, 1202;
		$reader->submit('/cart/clear');
		like $reader->text, qr/Your cart is empty now/, 'emptied';
		is_deeply $reader->cart, {}, 'all of it';
		is $kind eq 'guest', $reader->text =~
		    /Sign in to keep your cart/, 'a guest is told how to keep it';
	};
}

subtest 'how long' => sub {
	my $guest = guest()->add(1201);
	my $ttl = redis('TTL', key($guest));

	ok $ttl > 600000 && $ttl <= 604800, "a guest's: a week ($ttl s)";
	my $member = member()->add(1201);
	is redis('TTL', key($member)), -1, 'a member\'s: for good';
	my $again = guest();
	$member->logout;
	ok !keys %{$member->cart}, 'not shown when signed out';
};

subtest 'carts are apart' => sub {
	my ($one, $other) = (guest()->add(1201), guest()->add(1202));

	is_deeply $one->cart, { 1201 => 1 }, 'one';
	is_deeply $other->cart, { 1202 => 1 }, 'the other';
};

subtest 'merged at login' => sub {
	my $reader = guest();
	my $username = $reader->register;

	$reader->add(1201, 60);
	$reader->add(1202, 2);
	$reader->logout;
	$reader->add(1201, 60);
	$reader->add(1203, 3);
	my $guest_key = key($reader);
	$reader->login($username);
	is_deeply $reader->cart, { 1201 => 99, 1202 => 2, 1203 => 3 },
	    'sums, at most 99';
	is redis('EXISTS', $guest_key), 0, 'the guest\'s is gone';
	$reader->login($username);
	is_deeply $reader->cart, { 1201 => 99, 1202 => 2, 1203 => 3 },
	    'signing in again adds nothing';
};

my @ids = split /\n/, sql('SELECT id FROM books WHERE id <> 1201
    ORDER BY id LIMIT 120');

subtest 'limits' => sub {
	my $reader = guest();

	$reader->add(1201, 99);
	is_deeply $reader->cart, { 1201 => 99 }, '99 copies';
	$reader->add(1201);
	is $reader->status, 409, 'not one more';
	like $reader->text, qr/at most 99 copies of a book; yours has 99/,
	    'and why';
	is_deeply $reader->cart, { 1201 => 99 }, 'as it was';
	for my $quantity (0, 100, -1, '1.5', 'many', '9' x 30) {
		$reader->get('/books/1202');
		is $reader->submit('/cart/add', quantity => $quantity)
		    ->status, 400, "not \"$quantity\" copies";
	}
	$reader->get('/books/1202');
	$reader->submit('/cart/add', quantity => '');
	is_deeply $reader->cart, { 1201 => 99, 1202 => 1 },
	    'no number is one';
	for my $quantity (100, -1, '1.5', 'many') {
		$reader->get('/cart');
		$reader->submit('/cart/set', where => { book_id => 1201 },
		    quantity => $quantity);
		like $reader->text, qr/must be a whole number from 1 to 99/,
		    "set to \"$quantity\": said";
	}
	is_deeply $reader->cart, { 1201 => 99, 1202 => 1 }, 'as it was';

	redis('HSET', key($reader), map { $_ => 1 } @ids[0 .. 97]);
	redis('HDEL', key($reader), 1202);
	redis('HSET', key($reader), 1201, 1);
	my $lines = redis('HLEN', key($reader));
	my @more = grep { !redis('HEXISTS', key($reader), $_) } @ids;
	$reader->add($more[$_ - $lines]) for $lines .. 99;
	is scalar(keys %{$reader->cart}), 100, '100 lines';
	$reader->add($more[-1]);
	is $reader->status, 409, 'not one more';
	like $reader->text, qr/it holds 100 different books/, 'and why';
	$reader->add(1201);
	is $reader->cart->{1201}, 2, 'more of one that is in';
	cmp_ok length $reader->get('/cart', 'Accept-Encoding' => 'gzip')
	    ->bytes, '<', 30_000, 'a full cart is still under 30 kB';
};

subtest 'a merge keeps the limits' => sub {
	my $reader = guest();
	my $username = $reader->register;

	redis('HSET', key($reader), map { $_ => 1 } @ids[0 .. 97]);
	$reader->logout;
	$reader->add($_, 2) for @ids[97 .. 100];
	$reader->login($username);
	my $cart = $reader->cart;
	is scalar(keys %$cart), 100, '100 lines';
	is $cart->{$ids[97]}, 3, 'those that were in are summed';
};

subtest 'what has changed is said' => sub {
	my $reader = member();
	my @books = (1301 .. 1305);

	$reader->add($_, 2) for @books;
	my ($title) = $reader->get('/books/1301')->html =~
	    m{<h1[^>]*>([^<]*)};
	sql('DELETE FROM books WHERE id = 1301;
	    UPDATE books SET stock_quantity = 0 WHERE id = 1302;
	    UPDATE books SET stock_quantity = 1 WHERE id = 1303;
	    UPDATE books SET price = 1500 WHERE id = 1304');
	like line($reader, 1301),
	    qr/\Q$title\E This book is no longer in our catalogue/,
	    'vanished, by its name';
	like line($reader, 1302), qr/It has sold out since.*Not counted/,
	    'sold out';
	like line($reader, 1303), qr/Only 1 left\. Choose fewer/,
	    'too few left';
	like line($reader, 1303), qr/Not counted/, 'and not counted';
	like line($reader, 1304),
	    qr/The price changed from ₩1,000 to ₩1,500\..*₩3,000/,
	    'another price';
	unlike line($reader, 1305), qr/changed|left|sold/i, 'nothing';
	like $reader->text, qr/Total ₩5,000/, 'the total is of the rest';

	$reader->submit('/cart/set', where => { book_id => 1304 },
	    quantity => 2);
	unlike line($reader, 1304), qr/The price changed/,
	    'a change accepts the price';
	$reader->get('/cart');
	$reader->submit('/cart/set', where => { book_id => 1303 },
	    quantity => 1);
	unlike line($reader, 1303), qr/Not counted/, 'fewer will do';
	$reader->get('/cart');
	$reader->submit('/cart/remove', where => { book_id => 1301 });
	is line($reader, 1301), '', 'what vanished can be removed';
	$reader->get('/books/1305');
	sql('UPDATE books SET stock_quantity = 0 WHERE id = 1305');
	$reader->submit('/cart/add', quantity => 1);
	is $reader->status, 409, 'sold out while looking';
	like $reader->text, qr/sold out, so it was not added/, 'is said';
	sql('UPDATE books SET title = "Renamed" WHERE id = 1304');
	like line($reader, 1304), qr/Renamed/, 'titles are today\'s';
};

subtest 'nothing twice' => sub {
	my $reader = guest();

	$reader->get('/books/1401');
	my $form = $reader->form('/cart/add');
	$reader->post('/cart/add', $form) for 1, 2;
	is $reader->status, 303, 'a double click is no mistake';
	is_deeply $reader->cart, { 1401 => 1 }, 'but one book';
	my %all = (%$form, quantity => 5);
	$reader->post('/cart/add', \%all);
	is_deeply $reader->cart, { 1401 => 1 }, 'with another quantity, too';
	my ($remove) = $reader->form('/cart/remove');
	$reader->post('/cart/remove', $remove) for 1, 2;
	is $reader->status, 303, 'removing twice is no mistake';
	$reader->post('/cart/add', $form);
	is_deeply $reader->cart, {}, 'nor does it come back';
	$reader->add(1401);
	is_deeply $reader->cart, { 1401 => 1 }, 'a new form adds it';
	my ($set) = $reader->form('/cart/set');
	$reader->post('/cart/remove', $reader->form('/cart/remove'));
	$reader->post('/cart/set', { %$set, quantity => 4 });
	is $reader->status, 404, 'what was removed elsewhere cannot be set';
	is_deeply $reader->cart, {}, 'nor come back so';
	$reader->post('/cart/clear', { csrf => $form->{csrf} }) for 1, 2;
	is $reader->status, 303, 'emptying twice is no mistake';

	my $username = $reader->register;
	$reader->post('/cart/add', $form);
	is $reader->status, 403, 'a form from before signing in is too old';
	like $reader->text, qr/too old/, 'and is told so';
	is $reader->header('location'), undef, 'no redirect';
};

subtest 'many at once' => sub {
	my $reader = guest();

	$reader->add(1501);
	my $csrf = $reader->get('/cart')->form('/cart/clear')->{csrf};
	my @pids = map {
		my $pid = fork() // die;
		if (!$pid) {
			my $wrong = 0;
			for (1 .. 12) {
				$reader->post('/cart/add', { csrf => $csrf,
				    book_id => 1501, quantity => 1 });
				$wrong++ if $reader->status != 303;
			}
			POSIX::_exit($wrong);
		}
		$pid;
	} 1 .. 8;
	my $wrong = 0;
	for (@pids) {
		waitpid $_, 0;
		$wrong += $? >> 8;
	}
	is $wrong, 0, '96 forms are taken';
	is_deeply $reader->cart, { 1501 => 97 }, 'and each counts';
};

subtest 'not from another site' => sub {
	my $reader = guest();
	my $stranger = guest()->get('/cart');

	$reader->add(1601, 5);
	$reader->get('/cart');
	my $csrf = $reader->form('/cart/clear')->{csrf};
	my $ours = url('') =~ s{/$}{}r;
	my ($port) = $ours =~ /:(\d+)$/;
	my %form = ('/cart/add' => { book_id => 1602, quantity => 1 },
		'/cart/set' => { book_id => 1601, quantity => 1 },
		'/cart/remove' => { book_id => 1601 }, '/cart/clear' => {});
	my @forged = (
		['no token', {}, {}],
		['an empty token', { csrf => '' }, {}],
		['a wrong token', { csrf => 'f' x length $csrf }, {}],
		['half a token', { csrf => substr $csrf, 0, 16 }, {}],
		['a stranger\'s token', { csrf =>
		    $stranger->get('/books/1601')->form('/cart/add')
		    ->{csrf} }, {}],
		map { ["@$_", { csrf => $csrf }, { @$_ }] }
		['Origin', 'https://evil.example'], ['Origin', 'null'],
		['Origin', "$ours.evil.example"], ['Origin', "$ours/"],
		['Origin', 'https://localhost:' . $port],
		['Origin', 'http://localhost:1'],
		['Sec-Fetch-Site', 'cross-site'],
		['Sec-Fetch-Site', 'same-site'],
	);

	for my $path (sort keys %form) {
		for (@forged) {
			my ($what, $token, $header) = @$_;
			$reader->post($path, { %{$form{$path}}, %$token },
			    %$header);
			is $reader->status, 403, "$path: $what";
		}
	}
	is_deeply $reader->cart, { 1601 => 5 }, 'nothing was changed';
	$reader->post('/cart/set', { csrf => $csrf, book_id => 1601,
		quantity => 'x' }, Origin => 'https://evil.example');
	is $reader->status, 403, 'nor is one with a mistake shown again';
	unlike $reader->get('/cart')->text, qr/must be a whole number/,
	    'and no message comes of it';
	$reader->post('/cart/set', { %{$form{'/cart/set'}}, csrf => $csrf },
	    Origin => $ours, 'Sec-Fetch-Site' => 'same-origin');
	is $reader->status, 303, 'from ours it is taken';
	is guest()->post('/cart/add', { book_id => 1601, csrf => $csrf })
	    ->status, 403, 'not without a session';
};

subtest 'the back button' => sub {
	my $reader = guest();

	for my $path ('/cart', '/books/1701', '/login', '/register') {
		is $reader->get($path)->header('cache-control'), 'no-store',
		    "$path is fetched again";
	}
	$reader->get('/books/1701')->send('/cart/add');
	is $reader->header('cache-control'), 'no-store', 'so is a redirect';
};

subtest 'how long a guest\'s cart is kept' => sub {
	my $reader = guest()->add(1701);
	my $id = $reader->{cookies}{sid} =~ s/\..*//r;
	my @keys = ("cart:$id", "cart-seen:$id");

	cmp_ok redis('TTL', $_), '>', 7 * 24 * 3600 - 60, "a week: $_"
	    for @keys;
	redis('EXPIRE', $_, 100) for @keys;
	$reader->get('/cart')->submit('/cart/set', quantity => 2);
	cmp_ok redis('TTL', $_), '>', 7 * 24 * 3600 - 60,
	    "from its last change on: $_" for @keys;
};

# Nobody's mistake in Redis may bring down those who share its program.
subtest 'a key of Redis that is no cart' => sub {
	my $reader = guest()->add(1701);
	my $id = $reader->{cookies}{sid} =~ s/\..*//r;
	my $other = guest()->add(1702);
	my @pids = sort(pids('cart'));

	expect_error(qr/WRONGTYPE/, qr/"path":"\/cart".*"status":500/);
	redis('DEL', "cart:$id");
	redis('SET', "cart:$id", 'abcdefgh');
	is $reader->get('/cart')->status, 500, 'a mistake of ours';
	is_deeply [sort(pids('cart'))], \@pids, 'nobody died of it';
	redis('DEL', "cart:$id");
	$reader->add(1701);
	is_deeply $other->cart, { 1702 => 1 }, 'the others have theirs';
	ok $reader->cart->{1701}, 'and so has the reader';
};

subtest 'nonsense' => sub {
	my $reader = guest()->add(1701);
	my $csrf = $reader->get('/cart')->form('/cart/clear')->{csrf};

	is $reader->post('/cart/add', { csrf => $csrf })->status, 400,
	    'no book';
	is $reader->post('/cart/add', { csrf => $csrf, book_id => 7 })
	    ->status, 404, 'no such book';
	is $reader->post('/cart/add', { csrf => $csrf, book_id => 'x' })
	    ->status, 400, 'no number';
	is $reader->post('/cart/add', { csrf => $csrf, book_id => 1701,
	    price => 1 })->status, 400, 'a price of one\'s own';
	is $reader->post('/cart/add', { csrf => $csrf, book_id => 1701,
	    once => 'x' x 65 })->status, 400, 'a key too long';
	is $reader->post('/cart/remove', { csrf => $csrf })->status, 400,
	    'removing nothing';
	is $reader->get('/cart/add')->status, 405, 'GET adds nothing';
	is_deeply $reader->cart, { 1701 => 1 }, 'as it was';
};

site_stop();
done_testing();
