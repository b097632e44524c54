#!/usr/bin/perl
# /admin and /admin/books: the list, adding, editing, two versions, withdrawing.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
sub somebody { return Seoga::Reader->new }

my $kim = staff('librarian', 'kim');
my $lee = staff('admin', 'lee');
my %book = (title => 'A New Book', author => 'Somebody', category_id => 53,
    price => '12,500', stock => 7, publisher => 'A House',
    published_year => 2020, isbn13 => '978-0-306-40615-7',
    language => 'en', description => "One\r\nTwo", image_url => '');

sub row {
	my ($id, $columns) = @_;

	return decode_utf8(sql("SELECT $columns FROM books WHERE id = $id"))
	    =~ s/\n\z//r;
}

sub add {
	my (%values) = @_;

	$kim->get('/admin/books/new');
	return $kim->send('/admin/books/new', %book,
	    %values);
}

sub id_of { return ($_[0]->header('location') =~ m{/(\d+)$})[0] }

subtest 'who may' => sub {
	only_for('librarian', '/admin', '/admin/books', '/admin/books/new',
	    '/admin/books/1101');
	unlike somebody()->get('/')->html, qr{href="/admin"},
	    'guests see no link';
	like $kim->get('/')->html, qr{href="/admin">Manage<}, 'librarians do';
	unlike $kim->get('/admin')->html, qr{href="/admin/users"},
	    'but none to what is for administrators';
	like $lee->get('/admin')->html, qr{href="/admin/users"}, 'who have it';
};

subtest 'overview' => sub {
	my $books = sql('SELECT COUNT(*) FROM books') + 0;

	like $kim->get('/admin')->text, qr/ $books books on the shelves/,
	    'books';
	like $kim->text, qr/\d+\+? running low .*\d+\+? sold out/, 'stock';
};

subtest 'the list' => sub {
	$kim->get('/admin/books');
	my @first = $kim->html =~ m{<h2><a href="/admin/books/(\d+)"}g;
	is_deeply \@first, [split /\n/, sql('SELECT id FROM books
	    ORDER BY created_at DESC, id DESC LIMIT 30')], 'newest first';
	my ($next) = $kim->html =~ m{<a href="([^"]+)" rel="next">};
	$kim->get(HTML::Entities::decode_entities($next));
	my @second = $kim->html =~ m{<h2><a href="/admin/books/(\d+)"}g;
	is_deeply \@second, [split /\n/, sql('SELECT id FROM books
	    ORDER BY created_at DESC, id DESC LIMIT 30 OFFSET 30')],
	    'the next page';
	for (['category=13', 'category_id = 13'],
	    ['category=1', 'category_id BETWEEN 11 AND 17'],
	    ['q=jane+austen', "author = 'Jane Austen'"],
	    ['q=1432', 'id = 1432'],
	    ['q=9780345391803', "isbn13 = '9780345391803'"],
	    ['q=0345391802', "isbn13 = '9780345391803'"],
	    ['q=100%25_', 'FALSE'],
	    ['category=13&q=1302', 'id = 1302']) {
		my ($query, $where) = @$_;
		$kim->get("/admin/books?$query");
		is_deeply [$kim->html =~ m{<h2><a href="/admin/books/(\d+)"}g],
		    [split /\n/, sql("SELECT id FROM books WHERE $where
		    ORDER BY created_at DESC, id DESC LIMIT 30")], $query;
	}
	for my $of ('', '&category=13', '&category=1', '&q=a') {
		my $where = $of =~ /=13/ ? 'category_id = 13' :
		    $of =~ /=1/ ? 'category_id BETWEEN 11 AND 17' :
		    $of ? "(title LIKE '%a%' OR author LIKE '%a%')" : 'TRUE';
		my (@ids, %times);
		$kim->get("/admin/books?show=low$of");
		while (1) {
			push @ids, $kim->html =~
			    m{<h2><a href="/admin/books/(\d+)"}g;
			my ($url) = $kim->html =~
			    m{<a href="([^"]+)" rel="next">} or last;
			$kim->get(HTML::Entities::decode_entities($url));
		}
		is_deeply \@ids, [split /\n/, sql("SELECT id FROM books
		    WHERE stock_quantity <= 3 AND $where
		    ORDER BY stock_quantity, id")], "low$of, all pages";
	}
	is $kim->get('/admin/books?show=colour')->status, 400, 'show: nonsense';
	is $kim->get('/admin/books?category=999')->status, 404, 'no category';
	for my $cursor ('x', '1.', '.1', '99999999999999.1', '1.1',
	    '20260101000000.1x', "20260101000000.1'") {
		like $kim->get("/admin/books?after=$cursor")->status,
		    qr/^(?:200|400)$/, "cursor $cursor";
	}
	is $kim->get('/admin/books?after=x.1')->status, 400, 'a bad one';
};

subtest 'adding' => sub {
	add();
	is $kim->status, 303, 'is done';
	my $id = id_of($kim);
	is row($id, 'title, price, stock_quantity, isbn13, published_year,
	    version, description'), "A New Book\t12500.00\t7\t9780306406157\t"
	    . "2020\t1\tOne\\nTwo", 'with all its facts';
	is sql("SELECT CONCAT(delta, ' ', reason) FROM stock_changes
	    WHERE book_id = $id"), "7 set\n", 'its stock has a history';
	is_deeply changes_of(book => $id), ['kim book.add'], 'and the log';
	is somebody()->get("/books/$id")->status, 200,
	    'readers see it';
	like somebody()->get('/books?category=53')->html,
	    qr{href="/books/$id"}, 'on its shelf';
};

subtest 'mistakes' => sub {
	for (['title', ''], ['title', 'x' x 256], ['title', "a\x{202e}b"],
	    ['author', ''], ['price', ''], ['price', 'free'],
	    ['price', '-1'], ['price', '100000000000'], ['price', '1.234'],
	    ['published_year', '0'], ['published_year', 'old'],
	    ['published_year', '9999'], ['isbn13', '9780306406158'],
	    ['isbn13', '12345'], ['category_id', '999'],
	    ['category_id', ''], ['language', 'F1'], ['language', ''],
	    ['stock', '-1'], ['stock', '1000001'],
	    ['description', 'x' x 5001],
	    ['image_url', 'https://evil.example/x.png'],
	    ['image_url', '//evil.example/x.png'],
	    ['image_url', 'javascript:alert(1)']) {
		my ($field, $value) = @$_;
		add(isbn13 => '', publisher => 'Kept House',
		    $field => $value);
		is $kim->status, 400, "$field: " . substr $value, 0, 20;
		like $kim->html, qr{id="e-$field"}, 'words beside it';
		like $kim->html, qr{<a href="#f-$field">}, 'and above';
		like $kim->html, qr{value="Kept House"}, 'the rest is kept';
	}
	is sql("SELECT COUNT(*) FROM books WHERE publisher = 'Kept House'"),
	    "0\n", 'nothing was added';
	add(map { $_ => '' } qw(title author category_id price));
	like $kim->html, qr{id="e-$_"}, "several at once: $_" for
	    qw(title author category_id price);
	add(isbn13 => '0-306-40615-2');
	is $kim->status, 409, 'an ISBN that is there, as ten digits';
	like $kim->text, qr/“A New Book” has this ISBN already/, 'says whose';
	like $kim->html, qr{value="0-306-40615-2"}, 'kept as typed';
};

subtest 'sent twice' => sub {
	$kim->get('/admin/books/new');
	my $form = $kim->form('/admin/books/new');
	my %values = (%$form, %book, isbn13 => '', title => 'Twice');

	my @to = at_once((sub { $kim->post('/admin/books/new', \%values)
	    ->header('location') }) x 4);
	is_deeply [grep { $_ ne $to[0] } @to], [], 'leads to the same book';
	is sql("SELECT COUNT(*) FROM books WHERE title = 'Twice'"), "1\n",
	    'which is there once';
	$kim->post('/admin/books/new', { %values, title => 'Thrice' });
	is $kim->status, 422, 'a form with another book in it';
	like $kim->text, qr/sent before, with something else in it/, 'is told';
	is sql("SELECT COUNT(*) FROM books WHERE title = 'Thrice'"), "0\n",
	    'not taken for added';
	add(once => "bad key");
	is $kim->status, 400, 'a key that is none';
};

subtest 'editing' => sub {
	my $form = $kim->get('/admin/books/1432')->form('/admin/books/1432');
	is $form->{title}, 'Pride and Prejudice', 'the form is filled in';
	is $form->{price}, 11300, 'the price without signs';
	$kim->submit('/admin/books/1432', price => '₩9,900.50' =~ s/₩//r,
	    description => "a\r\nb", published_year => -431);
	like $kim->text, qr/The book is saved/, 'saved';
	is row(1432, 'price, description, published_year, version'),
	    "9900.50\ta\\nb\t-431\t2", 'as said';
	is_deeply changes_of(book => 1432), ['kim book.edit'], 'in the log';
	like sql('SELECT changes FROM audit WHERE object_id = 1432'),
	    qr/"price":\[1130000,990050\]/, 'with before and after';
	like somebody()->get('/books/1432')->text, qr/431 BCE/,
	    'readers see it at once';
	$kim->send('/admin/books/1432');
	is row(1432, 'version'), 2, 'saving the same changes nothing';
	is scalar(@{changes_of(book => 1432)}), 1, 'nor does the log';
	$kim->get('/admin/books/1432');
	$kim->send('/admin/books/1432', isbn13 => '9780306406157');
	is $kim->status, 409, "another book's ISBN";
	like $kim->html, qr{id="e-isbn13"}, 'beside the field';
	$kim->get('/admin/books/1432');
	$kim->send('/admin/books/1432', title => '');
	is $kim->status, 400, 'no title';
	is $kim->form('/admin/books/1432')->{version}, 2, 'the version stays';
	is $kim->get('/admin/books/9999999')->status, 404, 'no such book';
	my $csrf = $kim->get('/admin/books/1432')->form('/logout')->{csrf};
	is $kim->post('/admin/books/1432', { csrf => $csrf, title => 'x' })
	    ->status, 400, 'without a version';
	is $kim->post('/admin/books/1432', { title => 'x', version => 2 })
	    ->status, 403, 'without a token';
	is row(1432, 'title'), 'Pride and Prejudice', 'as it was';
};

subtest 'two librarians' => sub {
	my $url = '/admin/books/1433';
	my $was = row(1433, 'author');

	$_->get($url) for $kim, $lee;
	$lee->submit($url, title => 'From Lee', publisher => 'House of Lee');
	like $lee->text, qr/saved/, 'the first is saved';
	$kim->send($url, title => 'From Kim', price => '777');
	is $kim->status, 409, 'the second is asked';
	like $kim->html, qr{<legend>Title</legend>}, 'about the title';
	like $kim->text, qr/You have both changed this.*From Kim.*In the catalogue now \(lee.*From Lee/,
	    'which both have changed';
	like $kim->html, qr{name="pick_title" type="radio" value="mine" checked},
	    'what was typed comes first';
	like $kim->html, qr{name="pick_publisher" type="radio" value="theirs" checked},
	    'a fact that only the other changed is his';
	like $kim->html, qr{name="pick_price" type="radio" value="mine" checked},
	    'one that only I changed is mine';
	unlike $kim->html, qr{<legend>Author}, 'the rest is not asked';
	is row(1433, 'title'), 'From Lee', 'nothing is saved yet';

	my %form = %{$kim->form($url)};
	delete $form{act};
	$kim->post($url, { %form, act => 'review' });
	is $kim->status, 200, 'it can be looked over';
	my $again = $kim->form($url);
	is $again->{title}, 'From Kim', 'with what was chosen';
	is $again->{publisher}, 'House of Lee', 'from both';
	is row(1433, 'version'), 2, 'still not saved';
	$kim->post($url, { %form, pick_title => 'theirs' });
	is $kim->status, 303, 'and saved';
	is row(1433, 'title, publisher, price, version, author'),
	    "From Lee\tHouse of Lee\t777.00\t3\t$was", 'as chosen';

	$_->get($url) for $kim, $lee;
	my %same = (title => 'Both the same');
	$lee->submit($url, %same);
	$kim->submit($url, %same);
	like $kim->text, qr/saved/, 'the same from both is no conflict';
	is row(1433, 'version'), 4, 'and saved once';

	$_->get($url) for $kim, $lee;
	$kim->send($url, title => 'K2');
	$lee->get($url);
	$lee->send($url, title => 'L2');
	$kim->get($url);
	my %stale = %{$kim->form($url)};
	$lee->get($url);
	$lee->send($url, title => 'L3');
	$kim->post($url, { %stale, title => 'K3', pick_title => 'theirs' });
	is $kim->status, 409, 'a choice between older ones is asked again';
	is row(1433, 'title'), 'L3', 'and changes nothing';
};

subtest 'many at once' => sub {
	my $url = '/admin/books/1434';
	my @people = map { staff('librarian') } 1 .. 4;

	$_->get($url) for @people;
	my @status = at_once(map { my ($one, $n) = ($people[$_], $_);
	    sub { $one->send($url, title => "Title $n")->status } } 0 .. 3);
	is_deeply [sort @status], [303, 409, 409, 409], 'one is saved';
	is row(1434, 'version'), 2, 'one new version';
	is scalar(@{changes_of(book => 1434)}), 1, 'one line in the log';
};

subtest 'withdrawing' => sub {
	my $url = '/admin/books/1101';
	my $reader = Seoga::Reader->new;
	my $count = sql('SELECT book_count FROM categories WHERE id = 11') + 0;

	sql('UPDATE books SET stock_quantity = 9 WHERE id = 1101');
	$reader->add(1101);
	is_deeply $reader->cart, { 1101 => 1 }, 'in a cart';
	$kim->get($url);
	$lee->get($url);
	$kim->submit($url, where => { act => 'withdraw' });
	like $kim->text, qr/The book is withdrawn/, 'withdrawn';
	like $kim->text, qr/readers do not see it/, 'its page says so';
	is $reader->get('/books/1101')->status, 404, 'gone for readers';
	is $reader->get('/covers/1101.svg')->status, 404, 'its cover, too';
	unlike $reader->get('/books?category=11')->html, qr{/books/1101"},
	    'from the list';
	is api_status('/api/books/1101'), 404, 'from the API';
	like $reader->get('/cart')->text, qr/no longer in our catalogue/,
	    'and from carts';
	is sql('SELECT book_count FROM categories WHERE id = 11') + 0,
	    $count - 1, 'it does not count';
	unlike $kim->get('/admin/books?category=11')->html,
	    qr{/admin/books/1101"}, 'not among those on the shelves';
	like $kim->get('/admin/books?show=withdrawn')->html,
	    qr{/admin/books/1101"}, 'but among the withdrawn';
	$lee->send($url, where => { act => 'withdraw' });
	is $lee->status, 303, 'again is harmless';
	is row(1101, 'version'), 2, 'and changes nothing';
	$kim->get($url);
	$lee->get($url);
	$kim->submit($url, title => 'Changed while withdrawn');
	$lee->submit($url, where => { act => 'bring-back' });
	like $lee->text, qr/Somebody has edited this book/, 'a stale act';
	$lee->submit($url, where => { act => 'bring-back' });
	like $lee->text, qr/on the shelves again/, 'brought back';
	is $reader->get('/books/1101')->status, 200, 'for readers, too';
	is_deeply changes_of(book => 1101), ['kim book.withdraw',
	    'kim book.edit', 'lee book.bring_back'], 'all in the log';
};

sub api_status { return http(get => $_[0])->{status} }

subtest 'markup is text' => sub {
	my $evil = q{"><script>alert('x')</script>&amp;};
	add(title => $evil, author => $evil, publisher => $evil, isbn13 => '',
	    description => "</textarea>$evil");
	my $id = id_of($kim);

	for my $path ("/admin/books/$id", "/admin/books?q=$id",
	    "/admin/books?q=" . '%22%3E%3Cscript%3E', "/books/$id") {
		$kim->get($path);
		is $kim->status, 200, $path;
		unlike $kim->html, qr/<script/, 'no script';
	}
	is $kim->get("/admin/books/$id")->form("/admin/books/$id")->{title},
	    $evil, 'as it was typed';
	$lee->get("/admin/books/$id");
	$kim->submit("/admin/books/$id", title => "$evil 2");
	$lee->send("/admin/books/$id", title => "$evil 3",
	    publisher => "$evil 4");
	is $lee->status, 409, 'two versions';
	unlike $lee->html, qr/<script/, 'no script';
	is $lee->form("/admin/books/$id")->{publisher}, "$evil 4", 'kept';
};

subtest 'Korean' => sub {
	my $park = staff('librarian', 'park', lang => 'ko');

	like $park->get('/admin')->text, qr/서가 관리/, 'overview';
	like $park->get('/admin/books/1102')->text, qr/이 책 회수/, 'a book';
	$park->send('/admin/books/1102', title => '');
	like $park->text, qr/제목/, 'mistakes';
};

site_stop();
done_testing();
