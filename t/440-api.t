#!/usr/bin/perl
# The JSON API is what doc/openapi.yaml says: every operation, every status
# that a client can bring about, every limit.
use strict;
use warnings;
use utf8;

use File::Temp ();
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Api;
use Seoga::Fault;
use Seoga::Picture;
use Seoga::Test;

my $top = $ENV{SEOGA_SRCDIR};
my $listed = 'https://app.example.org';

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

site_start(cors_origins => "http://localhost:3000, $listed",
    connect_ms => 300, command_ms => 600, nginx_workers => 1);
seoga_ok('migrate', '--sample');

# 900001 in plenty, 900002 sold out, 900003 soon to vanish, 900101 and on to
# fill a cart.
sql("INSERT INTO books (id, category_id, title, author, price,
    stock_quantity) VALUES
    (900001, 53, 'Plenty', 'Author', 150.50, 500),
    (900002, 53, 'Sold out', 'Author', 1, 0),
    (900003, 53, 'Soon gone', 'Author', 2, 5),
    " . join(', ', map { "($_, 53, 'Book $_', 'Author', 10, 99)" }
    900_101 .. 900_201));
seoga_ok('reindex');

api_open();
my $doc = api_document();
my $token = member('kim');
my $other = member('lee');
member('libby');
sql("UPDATE users SET role = 'librarian' WHERE username = 'libby'");
my $librarian = login_of('libby');

sub token_for {
	my ($id) = @_;

	return () if !operation($id)->{security};
	return (token => $id =~ /Product|Picture/ ? $librarian : $token);
}

sub add {
	my ($book, $quantity, %more) = @_;

	return call('addToCart', token => $token, json =>
	    { book_id => $book, quantity => $quantity }, %more);
}

# Book number => copies.
sub cart {
	return { map { $_->{book_id} => $_->{quantity} }
	    @{call('showCart', token => $_[0] // $token)->{json}{lines}} };
}

sub set_book {
	my ($id, $set) = @_;

	sql("UPDATE books SET $set WHERE id = $id");
	forget_books($id);
}

# --- the file itself ---

is_deeply api_mistakes(), [], 'doc/openapi.yaml is valid OpenAPI 3.1';

subtest 'the check of the file finds mistakes' => sub {
	my $text = slurp("$top/doc/openapi.yaml");
	my %mistake = (
		'leads nowhere' => sub { s{schemas/Cart'}{schemas/Carts'} },
		'openapi: must be 3.1.x' => sub { s/^openapi: 3.1/openapi: 3.0/m },
		'description is missing' =>
		    sub { s/^    Done:\n      description.*\n/    Done:\n/m },
		'schema is missing' => sub { s/schema: (\{enum: \[t)/x-schema: $1/ },
		'parameters are not those declared' =>
		    sub { s{^  /api/books/\{id\}}{  /api/books/{isbn}}m },
		'is not valid under any' =>
		    sub { s/Money:\n(.*\n) +type: integer/Money:\n$1      type: int/ },
		'the operationId is taken' => sub { s/showBookTwin/showBook/ },
		'does not belong to a' => sub { s/ summary: The cart/ sumary: x/ },
		'is used nowhere' => sub { s/^    Money:/    Coins: {}\n    Money:/m },
		'a security scheme is not declared' =>
		    sub { s/bearer: \[\]/cookie: []/ },
		'is no status' => sub { s/'304'/'30x'/ },
		'no response is a success' =>
		    sub { s/^ +'204': .*\n//m },
	);

	for my $expected (sort keys %mistake) {
		my $file = File::Temp->new(SUFFIX => '.yaml');
		local $_ = $text;
		$mistake{$expected}->();
		isnt $_, $text, "$expected: planted";
		spew("$file", $_);
		api_open("$file");
		like join("\n", @{api_mistakes()}), qr/\Q$expected/,
		    "$expected: found";
	}
	api_open();
};

subtest 'paths and routes agree' => sub {
	my (%exact, @patterns, %used);

	# What is for machines beside the site is no part of its API.
	for (grep { /set \$api 1/ && /^location/ && !/private\.conf/ }
	    split /\n/, slurp("$top/nginx/routes.conf")) {
		/^location = (\S+)/ ? $exact{$1} = 1 :
		    /^location ~ (\S+)/ && push @patterns, $1;
	}
	for my $path (sort keys %{$doc->{paths}}) {
		my $real = $path =~ s/\{id\}/7/r;
		my @routes = grep { $real eq $_ } keys %exact;
		push @routes, grep { $real =~ /$_/ } @patterns;
		is scalar(@routes), 1, "$path is routed";
		$used{$_} = 1 for @routes;
	}
	is_deeply [grep { !$used{$_} } sort(keys %exact), @patterns], [],
	    'every route of the API is in the file';
};

subtest 'twins are alike' => sub {
	my @twins = grep { /Twin$/ } operations();

	is scalar(@twins), 6, 'six operations have a twin';
	for my $id (@twins) {
		my %one = %{operation($id =~ s/Twin$//r)};
		my %two = %{operation($id)};
		is $one{path} =~ s{^(/api/(\w+))/\2}{$1}r, $two{path},
		    "$id: the short path";
		delete @$_{qw(path operationId)} for \%one, \%two;
		is_deeply \%two, \%one, "$id: all else is equal";
	}
};

# --- what holds for every operation ---

my $big = 'x' x 65_537;
for my $id (operations()) {
	my $op = operation($id);
	my @token = token_for($id);

	subtest "$id: $op->{method} $op->{path}" => sub {
		fails(400, 'unknown query', $id, @token,
		    query => 'nosuch=1');
		takes_files($id) ? file_bodies($id, @token) :
		    text_bodies($id, @token);
		other_methods($id);
		without_token($id) if $op->{security};
		not_modified($id) if $op->{method} eq 'get' && $id !~ /Book$|BookT|showOrder|showProduct|OrdersOf/;
	};
}

sub takes_files {
	my ($id) = @_;

	return operation($id)->{requestBody}{content}{'multipart/form-data'};
}

sub text_bodies {
	my ($id, @token) = @_;

	fails(400, 'unknown field', $id, @token, json => { nosuch => 1 });
	fails(400, 'unknown form field', $id, @token, content => 'nosuch=1',
	    type => 'application/x-www-form-urlencoded');
	fails(415, 'plain text', $id, @token, content => 'x',
	    type => 'text/plain');
	fails(415, 'a form of files', $id, @token, content => 'x',
	    type => 'multipart/form-data; boundary=x');
	fails(413, 'too large', $id, @token, content => $big,
	    type => 'application/json');
}

sub file_bodies {
	my ($id, @token) = @_;
	my @form = multipart(file => ['x.png', png(32, 48, 1)], nosuch => 1);
	my @long = multipart(file => ['x', 'x' x 11_000_000]);

	fails(400, 'unknown field', $id, @token, type => $form[0],
	    content => $form[1]);
	fails(400, 'not whole', $id, @token, type => $form[0],
	    content => substr($form[1], 0, -9));
	fails(415, $_, $id, @token, content => 'x', type => $_)
	    for 'text/plain', 'application/json', 'image/png',
	    'application/x-www-form-urlencoded';
	fails(413, 'too large', $id, @token, type => $long[0],
	    content => $long[1]);
}

sub other_methods {
	my ($id) = @_;
	my $op = operation($id);
	my $path = $op->{path} =~ s/\{id\}/7/r;
	my $methods = $doc->{paths}{$op->{path}};
	my @methods = map { $_ eq 'GET' ? qw(GET HEAD) : $_ }
	    grep { $methods->{lc $_} } qw(GET POST PUT DELETE);
	my $allow = join ', ', @methods, 'OPTIONS';

	for my $wrong (grep { !$methods->{lc $_} } qw(GET POST PUT DELETE
	    PATCH BREW)) {
		my $answer = fails(405, $wrong, $id, method => lc $wrong);
		is header($answer, 'allow'), $allow, "$wrong: Allow";
	}
	my $options = http(options => $path);
	is $options->{status}, 204, 'OPTIONS';
	is header($options, 'allow'), $allow, 'OPTIONS: Allow';
	is header($options, 'access-control-allow-origin'), undef,
	    'OPTIONS: nothing for no origin';
}

sub without_token {
	my ($id) = @_;
	my $fresh = login_of('lee');
	my %without = (
		'no token' => [],
		'no uuid' => [token => 'x'],
		'nobody\'s token' =>
		    [token => '00000000-0000-4000-8000-000000000000'],
		'another scheme' =>
		    [headers => { Authorization => "Basic $token" }],
		'a cookie' => [headers => { Cookie => "sid=$token.1" }],
		'the token as a query' => [query => "token=$token"],
	);

	for my $why (sort keys %without) {
		my $answer = fails(401, $why, $id, @{$without{$why}});
		my $sent = $why =~ /uuid|nobody|scheme/;
		is header($answer, 'www-authenticate'), 'Bearer realm="seoga"'
		    . ($sent ? ', error="invalid_token"' : ''),
		    "$why: the challenge";
	}
	redis(DEL => "session:$fresh");
	fails(401, 'a token that ran out', $id, token => $fresh);
}

sub not_modified {
	my ($id, @more) = @_;
	my $full = call($id, token_for($id), @more);
	my $tag = header($full, 'etag');
	my $head = call($id, token_for($id), @more, method => 'head');

	is $full->{status}, 200, "$id: it is there";
	is $head->{status}, 200, "$id: HEAD";
	is $head->{content}, '', "$id: HEAD has no body";
	is $head->{headers}{$_}, $full->{headers}{$_}, "$id: HEAD: $_"
	    for qw(etag content-type content-length);
	for my $match ($tag, "W/$tag", qq("x", $tag), '*') {
		my $answer = call($id, token_for($id), @more,
		    headers => { 'If-None-Match' => $match });
		is $answer->{status}, 304, "$id: $match: 304";
	}
	is call($id, token_for($id), @more, headers =>
	    { 'If-None-Match' => '"0123"' })->{status}, 200,
	    "$id: another tag: 200";
}

# --- books ---

for my $twin ('', 'Twin') {
	my ($list, $show) = ("listBooks$twin", "showBook$twin");

	subtest "$list: pages" => sub {
		my (@forth, @back, $answer);
		my ($query, $last) = 'category=53&sort=price&limit=40';

		is scalar(@{call($list)->{json}{books}}), 20,
		    '20 books unless told otherwise';
		for ($answer = call($list, query => $query);;
		    $answer = call($list, query => "$query&after=$last")) {
			push @forth, map { $_->{id} }
			    @{$answer->{json}{books}};
			$last = $answer->{json}{next} // last;
		}
		is $answer->{json}{next}, undef, 'the last page has no next';
		my %seen = map { $_ => 1 } @forth;
		is scalar(keys %seen), scalar(@forth), 'none comes twice';
		is scalar(@forth), sql('SELECT COUNT(*) FROM books
		    WHERE category_id = 53') + 0, 'none is left out';
		unshift @back, map { $_->{id} } @{$answer->{json}{books}};
		while (defined $answer->{json}{previous}) {
			$answer = call($list, query =>
			    "$query&before=$answer->{json}{previous}");
			unshift @back, map { $_->{id} }
			    @{$answer->{json}{books}};
		}
		is_deeply \@back, \@forth, 'back is the same as forth';
	};

	subtest "$list: refusals and small things" => sub {
		fails(404, 'no such category', $list,
		    query => 'category=4294967295');
		fails(400, 'order', $list, query => 'sort=author');
		fails(400, 'cursor', $list, query => 'after=x');
		fails(400, 'two cursors', $list,
		    query => 'after=1.x&before=1.x');
		fails(400, 'cursor', $list, query => 'before=-1.x');
		fails(400, 'UTF-8', $list, query => 'q=%ff');
		fails(400, 'NUL', $list, query => 'q=%00');
		fails(400, 'line break', $list, query => 'q=a%0Ab');
		fails(400, 'a field of a page', $list, query => 'next=/');
		fails(413, '201 names', $list,
		    query => join '&', ('limit=1') x 201);
		is scalar(@{call($list, query => 'limit=2&limit=3')
		    ->{json}{books}}), 2, 'the first of two values counts';
		is scalar(@{call($list, query => 'limit=&sort=&q=')
		    ->{json}{books}}), 20, 'empty is not given';
		is call($list, query => 'q=Soon+gone')->{json}{books}[0]{id},
		    900003, 'found by title';
		is_deeply call($list, query => "q='%22%3B--%25_|")
		    ->{json}{books}, [], 'signs of SQL are just text';
	};

	subtest "$show" => sub {
		my $book = call($show, id => 900001,
		    headers => { 'Accept-Language' => 'en' });
		my $korean = call($show, id => 900001);

		is $book->{json}{price}, 15050, 'the price in minor units';
		isnt $korean->{json}{category}, $book->{json}{category},
		    'the category in the reader\'s language';
		isnt header($korean, 'etag'), header($book, 'etag'),
		    'which makes another ETag';
		not_modified($show, id => 900001);
		set_book(900001, 'price = 160.50');
		is call($show, id => 900001, headers => { 'If-None-Match' =>
		    header($korean, 'etag') })->{status}, 200,
		    'a change makes another ETag';
		set_book(900001, 'price = 150.50');
		fails(404, 'no such book', $show, id => $_)
		    for 900099, 0, '9223372036854775807',
		    '9223372036854775808', '9' x 30, 'abc', '-1', '1.5', '1/';
	};
}

subtest 'compressed' => sub {
	my $plain = call('listBooks');
	my $small = http(get => '/api/books',
	    { headers => { 'Accept-Encoding' => 'gzip' } });

	is header($small, 'content-encoding'), 'gzip', 'gzip when asked';
	is header($small, 'etag'), 'W/' . header($plain, 'etag'),
	    'with a weak ETag';
	is call('listBooks', headers => { 'Accept-Encoding' => 'gzip',
	    'If-None-Match' => header($small, 'etag') })->{status}, 304,
	    'that is understood';
};

# --- members ---

subtest 'register' => sub {
	my %valid = (username => 'Park.1', name => '  박 씨 ',
	    password => 'long enough');
	my $member = call('register', json => \%valid);

	is $member->{status}, 201, 'a member';
	is_deeply [@{$member->{json}}{qw(username name role)}],
	    ['park.1', '박 씨', 'reader'], 'as entered';
	is header($member, 'set-cookie'), undef, 'is not signed in by cookie';
	ok !exists $member->{json}{token}, 'nor by a token';
	like fails(409, 'taken', 'register', json => { %valid,
	    username => 'PARK.1' })->{json}{errors}{username}, qr/\S/,
	    'the field is named';
	for my $wrong ([username => 'a b'], [username => '.ab'],
	    [username => 'ab"'], [username => '박씨입니다'], [name => ' '],
	    [name => "a\tb"], [name => "a\x{202e}b"], [password => undef],
	    [password => 12345678], [name => ['x']], [name => {}],
	    [password2 => 'something else'], [name => JSON::PP::true],
	    [name => 'a' x 81]) {
		my ($field, $value) = @$wrong;
		my $answer = fails(400, $field, 'register', json => { %valid,
		    username => 'park.2', $field => $value });
		is_deeply [keys %{$answer->{json}{errors}}], [$field],
		    'the field is named';
	}
	for my $field (qw(username name password)) {
		my %without = (%valid, username => 'park.2');
		delete $without{$field};
		is_deeply [keys %{fails(400, "no $field", 'register',
		    json => \%without)->{json}{errors}}], [$field],
		    'the field is named';
	}
	is call('register', json => { %valid, username => 'park.3',
	    password2 => 'long enough' })->{status}, 201, 'repeated';
	is call('register', type => 'application/x-www-form-urlencoded',
	    content => 'username=park.4&name=%EB%B0%95&password=long+enough')
	    ->{status}, 201, 'by a form';
	fails(400, "a page's $_", 'register', json => { %valid, $_ => 'x' })
	    for qw(next csrf once role);
};

subtest 'login and logout' => sub {
	my $short = login_of('kim');
	my $long = login_of('kim', remember => JSON::PP::true);
	my $user = call('login', json => { username => 'KIM', password =>
	    'a password for tests' });

	is $user->{json}{user}{username}, 'kim', 'in any case';
	is header($user, 'set-cookie'), undef, 'no cookie';
	cmp_ok redis(TTL => "session:$short"), '<=', 1800,
	    'half an hour';
	cmp_ok redis(TTL => "session:$long"), '>', 604_000, 'a week';
	is call('showCart', token => $short)->{status}, 200, 'it is valid';
	is call('logout', token => $short)->{status}, 204, 'out';
	fails(401, 'the old token', 'showCart', token => $short);
	fails(401, 'twice', 'logout', token => $short);
	is call('showCart', token => $long)->{status}, 200,
	    'the other session goes on';
	is call('showCart', headers => { Authorization => "bEARER  $long" })
	    ->{status}, 200, 'the scheme in any case';
	fails(401, "a page's cookie", 'showCart',
	    headers => { Cookie => "sid=$long" });

	sql("UPDATE users SET locked = TRUE WHERE username = 'park.1'");
	fails(403, 'locked', 'login', json => { username => 'park.1',
	    password => 'long enough' });
	fails(401, 'locked, and a wrong password', 'login', json =>
	    { username => 'park.1', password => 'wrong' });
};

for my $name ('park.3', 'nobody') {
	subtest "failures of $name" => sub {
		my %try = (username => $name, password => 'wrong');
		my $try = sub {
			my ($status, %more) = @_;

			return fails($status, 'try', 'login', json =>
			    { %try, %more })->{json};
		};
		my $answer_to = sub {
			my ($question) = @_;
			my ($a, $b) = $question->{text} =~ /(\d+)/g;

			return (question_token => $question->{token},
			    answer => $a + $b . '');
		};

		$try->(401) for 1 .. 3;
		my $problem = $try->(400);
		like $problem->{errors}{answer}, qr/\S/, 'an answer is due';
		$problem = $try->(400, $answer_to->($problem->{question}),
		    answer => '1');
		ok $problem->{question}, 'a wrong one brings a new question';
		my %right = $answer_to->($problem->{question});
		$try->(401, %right);
		$problem = $try->(400, %right);
		ok $problem->{question}, 'an answer counts once';
		my $locked = fails(429, 'the fifth failure', 'login', json =>
		    { %try, $answer_to->($problem->{question}) });
		my $wait = header($locked, 'retry-after');
		cmp_ok $wait, '<=', 900, 'locked for 15 minutes';
		cmp_ok $wait, '>', 800, 'and not less';
		fails(429, 'even with the right password', 'login', json =>
		    { %try, password => 'long enough' });
	};
}

# --- the cart ---

for my $twin ('', 'Twin') {
	subtest "the cart$twin" => sub {
		my $cart = sub {
			return call("showCart$twin", token => $token)->{json};
		};
		my $add = sub {
			return call("addToCart$twin", token => $token, @_);
		};

		call("clearCart$twin", token => $token);
		is_deeply $cart->(), { lines => [], count => 0,
		    quantity => 0, total => 0 }, 'empty';
		is_deeply $add->(json => { book_id => 900001 })->{json},
		    { book_id => 900001, quantity => 1 }, 'one by default';
		is $add->(content => 'book_id=900001&quantity=2',
		    type => 'application/x-www-form-urlencoded')
		    ->{json}{quantity}, 3, 'two more, by a form';
		$add->(json => { book_id => '900003', quantity => '1' });
		is_deeply [@{$cart->()}{qw(count quantity total)}],
		    [2, 4, 3 * 15050 + 200], 'the sums';
		fails(404, 'no such book', "addToCart$twin", token => $token,
		    json => { book_id => 900099 });
		like fails(409, 'sold out', "addToCart$twin",
		    token => $token, json => { book_id => 900002 },
		    headers => { 'Accept-Language' => 'en' })
		    ->{json}{detail}, qr/sold out/, 'it says so';
		is call("removeFromCart$twin", token => $token,
		    id => 900001)->{status}, 204, 'removed';
		fails(404, 'removed before', "removeFromCart$twin",
		    token => $token, id => 900001);
		fails(404, 'no number', "removeFromCart$twin",
		    token => $token, id => $_) for 0, 'x', '9' x 20;
		is_deeply cart(), { 900003 => 1 }, 'the other line stays';
		is call("clearCart$twin", token => $token, json => {})
		    ->{status}, 204, 'cleared';
		is_deeply cart(), {}, 'empty again';
	};
}

subtest 'bodies' => sub {
	my %wrong = (
		'bad JSON' => '{"book_id":', 'no JSON' => 'book_id=1',
		'a list' => '[]', 'a number' => '1', 'nothing' => '',
		'two values' => '{"book_id":1}{"book_id":1}',
		'a name twice' => '{"book_id":1,"book_id":1}',
		'deep' => '{"book_id":' . '[' x 30_000 . ']' x 30_000 . '}',
		'bad UTF-8' => "{\"book_id\":\"\xff\"}",
		'a bad name' => "{\"\xff\":1}",
		'half a pair' => '{"book_id":"\ud800"}',
		'NUL' => "{\"book_id\":\"1\0\"}",
		'escaped NUL' => '{"book_id":"1\u0000"}',
		'NaN' => '{"book_id":NaN}',
		'a fraction' => '{"book_id":1.5}', 'true' => '{"book_id":true}',
		'null' => '{"book_id":null}', 'words' => '{"book_id":"one"}',
		'too big' => '{"book_id":9223372036854775808}',
		'too big text' => '{"book_id":"9223372036854775808"}',
		'negative' => '{"book_id":-1}', 'zero' => '{"book_id":0}',
		'quantity 0' => '{"book_id":900001,"quantity":0}',
		'quantity 100' => '{"book_id":900001,"quantity":100}',
		'unknown' => '{"book_id":900001,"price":1}',
		'proto' => '{"book_id":900001,"__proto__":{}}',
	);
	my %form = ('NUL' => 'book_id=1%00', 'bad UTF-8' => 'book_id=%ff',
		'bad escape' => 'book_id=%zz', 'twice' =>
		'book_id=900001&book_id=900001', 'words' => 'book_id=x');

	fails(400, $_, 'addToCart', token => $token, content => $wrong{$_},
	    type => 'application/json') for sort keys %wrong;
	fails(400, "form: $_", 'addToCart', token => $token,
	    content => $form{$_}, type => 'application/x-www-form-urlencoded')
	    for sort keys %form;
	fails(400, 'in the query', 'addToCart', token => $token,
	    query => 'quantity=3', json => { book_id => 900001 });
	fails(413, 'names', 'addToCart', token => $token, json =>
	    { map { ("n$_" => 1) } 1 .. 201 });
	fails(415, 'no type', 'addToCart', token => $token,
	    content => '{"book_id":900001}',
	    type => 'application/octet-stream');
	fails(415, 'nearly', 'addToCart', token => $token,
	    content => '{"book_id":900001}', type => 'application/jsonx');
	is_deeply cart(), {}, 'nothing was added';
	is add(900001, 1, type => 'Application/JSON; charset=UTF-8')
	    ->{status}, 200, 'with a charset';
	is call('addToCart', token => $token, type => 'application/json',
	    content => '{"book_id":900001}' . ' ' x (65_536 - 18))->{status},
	    200, '65,536 bytes';
	fails(413, 'one more', 'addToCart', token => $token,
	    type => 'application/json',
	    content => '{"book_id":900001}' . ' ' x (65_537 - 18));
	is_deeply cart(), { 900001 => 2 }, 'two were added';
	call('clearCart', token => $token);
};

subtest 'limits of a cart' => sub {
	add(900001, 98);
	is add(900001, 1)->{json}{quantity}, 99, '99 of one book';
	fails(409, 'not one more', 'addToCart', token => $token,
	    json => { book_id => 900001 });
	for my $book (900_101 .. 900_199) {
		add($book, 1)->{status} == 200 or fail "book $book";
	}
	is call('showCart', token => $token)->{json}{count}, 100,
	    '100 lines';
	fails(409, 'not one more', 'addToCart', token => $token,
	    json => { book_id => 900200 });
	is add(900101, 1)->{json}{quantity}, 2,
	    'more of a line that is there';
	call('removeFromCart', token => $token, id => 900101);
	is add(900200, 1)->{status}, 200, 'one out, one in';
	is_deeply cart($other), {}, 'the other member\'s cart is his own';
	call('clearCart', token => $token);
};

subtest 'lines that changed' => sub {
	my %problem;
	my $look = sub {
		my $cart = call('showCart', token => $token)->{json};

		%problem = map { $_->{book_id} => $_->{problem} }
		    @{$cart->{lines}};
		return $cart->{total};
	};

	add($_, 2) for 900001, 900003, 900101, 900102, 900103;
	is $look->(), 2 * (15050 + 200 + 3000), 'all count';
	sql('DELETE FROM books WHERE id = 900003');
	set_book(900101, 'stock_quantity = 0');
	set_book(900102, 'stock_quantity = 1');
	set_book(900103, 'price = 11');
	is $look->(), 2 * (15050 + 1100), 'what can be ordered counts';
	is_deeply \%problem, { 900001 => undef, 900003 => 'gone',
	    900101 => 'sold_out', 900102 => 'short', 900103 => 'price' },
	    'each says what is the matter';
	call('clearCart', token => $token);
};

subtest 'Idempotency-Key' => sub {
	my $key = sub {
		return headers => { 'Idempotency-Key' => $_[0] };
	};

	is add(900001, 2, $key->('a'))->{json}{quantity}, 2, 'once';
	is add(900001, 2, $key->('a'))->{json}{quantity}, 2, 'again: once';
	is add(900001, 2, $key->('b'))->{json}{quantity}, 4, 'another key';
	is add(900001, 2)->{json}{quantity}, 6, 'no key';
	is add(900001, 2)->{json}{quantity}, 8, 'no key again';
	is call('addToCart', token => $other, $key->('a'), json =>
	    { book_id => 900001 })->{json}{quantity}, 1,
	    'a key is of one cart';
	call('clearCart', token => $other);
	fails(409, 'refused', 'addToCart', token => $token, $key->('c'),
	    json => { book_id => 900001, quantity => 99 });
	is add(900001, 1, $key->('c'))->{json}{quantity}, 9,
	    'a refusal leaves the key unused';
	call('removeFromCart', token => $token, id => 900001);
	is add(900001, 1, $key->('c'))->{json}{quantity}, 0,
	    'used, and the line is gone';
	is add(900104, 1, $key->('x' x 64))->{status}, 200, '64 characters';
	fails(400, '65 characters', 'addToCart', token => $token,
	    json => { book_id => 900104 }, $key->('x' x 65));
	call('clearCart', token => $token);
};

# --- products ---

for my $list (qw(listProducts listProductsOfShop)) {
	subtest $list => sub {
		my (@ids, $cursor);
		my $query = 'category=53&sort=price&limit=40';

		do {
			my $page = call($list, query => $query
			    . (defined $cursor ? "&cursor=$cursor" : ''))
			    ->{json};
			push @ids, map { $_->{id} } @{$page->{products}};
			$cursor = $page->{next};
		} while (defined $cursor);
		is_deeply \@ids, [split ' ', sql('SELECT id FROM books
		    WHERE category_id = 53 AND withdrawn_at IS NULL
		    ORDER BY price, id')],
		    'page after page, all of a category by price';
		fails(404, 'no such category', $list,
		    query => 'category=4294967295');
		fails(400, $_, $list, query => $_) for 'cursor=x', 'sort=x',
		    'min_price=-1', 'max_price=x', 'in_stock=maybe',
		    'limit=101', 'limit=0', 'after=1.x';
		not_modified($list);
	};
}

for my $add (qw(addProduct addProductToShop)) {
	subtest $add => sub {
		my %valid = (name => 'A product', price => 1250,
			category_id => 53);
		my $ask = sub {
			return call($add, token => $librarian,
			    json => { %valid, @_ });
		};
		my $new = $ask->(isbn13 => $add =~ /Shop/ ? '0306406152' :
		    '978-89-364-3426-7');

		is $new->{status}, 201, 'added';
		is header($new, 'location'),
		    "/catalog/products/$new->{json}{id}", 'is there';
		fails(403, 'a reader', $add, token => $token,
		    json => \%valid);
		is $ask->(isbn13 => $new->{json}{isbn13})->{status}, 409,
		    'the ISBN again';
		is $ask->(isbn13 => '978-89-364-3426-8')->{status}, 400,
		    'no ISBN';
		is $ask->(category_id => 99)->{status}, 400, 'no category';
		my @once = (token => $librarian,
		    headers => { 'Idempotency-Key' => $add });
		my $first = call($add, @once, json => \%valid);
		is call($add, @once, json => \%valid)->{json}{id},
		    $first->{json}{id}, 'twice the same with a key is one';
		fails(422, 'another one with this key', $add, @once,
		    json => { %valid, price => 1 });
	};
}

subtest 'showProduct, changeProduct, withdrawProduct' => sub {
	my %valid = (name => 'Another', price => 1250, category_id => 53,
		stock_quantity => 4);
	my $new = call('addProduct', token => $librarian, json => \%valid)
	    ->{json};
	my $id = $new->{id};
	my $show = sub { call('showProduct', id => $id) };
	my $change = sub {
		my ($json, %more) = @_;

		return call('changeProduct', token => $librarian, id => $id,
		    json => { %valid, %$json }, %more);
	};
	my $withdraw = sub {
		return call('withdrawProduct', token => $librarian,
		    id => $id, @_);
	};
	my $if = sub { return headers => { 'If-Match' => $_[0] } };

	is_deeply $show->()->{json}, $new, 'as it was added';
	not_modified('showProduct', id => $id);
	my $tag = header($show->(), 'etag');
	is $change->({ price => 1300, version => 1 })->{json}{price}, 1300,
	    'changed';
	my $stale = $change->({ price => 1400, version => 1 });
	is $stale->{status}, 409, 'by an old version';
	is $stale->{json}{current}{price}, 1300, 'this is the new one';
	is $change->({ price => 1400 }, $if->($tag))->{status}, 412,
	    'by an old tag';
	$tag = header($show->(), 'etag');
	is $change->({ price => 1400 }, $if->($tag))->{status}, 200,
	    'by the new tag';
	is $change->({ price => 1500 }, $if->('*'))->{status}, 200, 'by any';
	is $show->()->{json}{price}, 1500, 'is what is shown';
	fails(403, 'a reader', 'changeProduct', token => $token, id => $id,
	    json => \%valid);
	fails(400, 'no price', 'changeProduct', token => $librarian,
	    id => $id, json => { name => 'x', category_id => 53 });
	fails(404, 'none', 'changeProduct', token => $librarian,
	    id => 900099, json => \%valid);
	fails(403, 'a reader', 'withdrawProduct', token => $token,
	    id => $id);
	is $withdraw->(json => { version => 1 })->{status}, 409,
	    'an old version';
	is $withdraw->($if->($tag))->{status}, 412, 'an old tag';
	is $withdraw->()->{status}, 204, 'withdrawn';
	is $withdraw->()->{status}, 404, 'is gone';
	is $show->()->{status}, 404, 'for all';
};

subtest 'uploadPicture' => sub {
	my $send = sub {
		my ($type, $body) = multipart(@_);

		return call('uploadPicture', token => $librarian,
		    type => $type, content => $body);
	};
	my $png = png(600, 900, 60);
	my $alone = $send->(file => ['x.png', $png]);

	is $alone->{status}, 201, 'a picture';
	is header($alone, 'location'), $alone->{json}{url}, 'is there';
	is http(get => $alone->{json}{$_})->{headers}{'content-type'},
	    'image/jpeg', $_ for qw(url thumbnail_url);
	is "$alone->{json}{width}x$alone->{json}{height}", '600x900',
	    'of that size';
	is $alone->{json}{book_id}, undef, 'of no book';
	my $version = sql('SELECT version FROM books WHERE id = 900001') + 0;
	my $with = $send->(book_id => 900001, version => $version,
	    file => ['x', $png]);
	is $with->{json}{url}, $alone->{json}{url}, 'the same picture';
	is $with->{json}{version}, $version + 1, 'of a book, a version on';
	my $book = call('showBook', id => 900001)->{json};
	is $book->{cover_url}, $alone->{json}{url}, 'as the book says';
	is $book->{thumbnail_url}, $alone->{json}{thumbnail_url}, 'twice';
	my $other = ['x', png(60, 90, 61)];
	is $send->(book_id => 900001, version => $version,
	    file => $other)->{status}, 409, 'by an old version';
	is call('showBook', id => 900001)->{json}{cover_url},
	    $alone->{json}{url}, 'nothing was changed';
	is $send->(book_id => 900001, file => $other)->{status}, 201,
	    'by any version';
	is $send->(book_id => 900099, file => $other)->{status}, 404,
	    'no such book';
	is $send->(@$_)->{status}, 400, 'a mistake in it'
	    for [], [file => 'x'], [book_id => 'x', file => $other],
	    [act => 'remove', file => $other],
	    [version => 0, file => $other];
	my $text = $send->(file => ['x.png', '<svg/>']);
	is $text->{status}, 415, 'no picture';
	is $send->(file => ['x', substr $png, 0, 99])->{status}, 400,
	    'a part of one';
	my ($type, $body) = multipart(file => ['x', $png]);
	fails(403, 'a reader', 'uploadPicture', token => $token,
	    type => $type, content => $body);
};

# --- orders ---

subtest 'orders' => sub {
	my $boss = member('boss');
	my %to = (recipient => '김서가', phone => '010-1234-5678',
		postcode => '03925', address => '서울 마포구 책길 1');
	my $place = sub {
		my ($key, %more) = @_;

		return call('placeOrder', token => $token, json =>
		    { %to, %more }, headers => { 'Idempotency-Key' => $key });
	};
	my $order = sub {
		my $key = 'order' . rand;
		return $place->($key, items => [{ book_id => 900001 }])
		    ->{json};
	};
	my $status = sub {
		my ($id, $to, $who) = @_;

		return call('setOrderStatus', token => $who // $boss,
		    id => $id, json => { status => $to });
	};
	my $pay = sub {
		my ($id, $card, $who) = @_;

		return call('payOrder', token => $who // $token, id => $id,
		    json => { card => $card });
	};
	my $card = '4242 4242 4242 4242';

	sql("UPDATE users SET role = 'admin' WHERE username = 'boss'");
	$boss = login_of('boss');
	my @items = ({ book_id => 900001, quantity => 2, price => 15050 },
	    { book_id => 900104 });
	my $first = $place->('o1', items => \@items);
	is $first->{status}, 201, 'placed';
	is $first->{json}{total}, 2 * 15050 + 1000, 'the total';
	my $number = $first->{json}{number};
	is header($first, 'location'), "/api/orders/$number", 'where it is';
	my $again = $place->('o1', items => [reverse @items]);
	is $again->{status}, 201, 'again';
	is_deeply $again->{json}, $first->{json}, 'the same answer';
	is $place->('o1', items => [$items[0]])->{status}, 422,
	    'the key with another request';
	my $changed = $place->('o2', items => [{ %{$items[0]}, price => 1 },
	    { book_id => 900101 }, { book_id => 900099 }]);
	is $changed->{status}, 409, 'changed';
	is_deeply { map { $_->{book_id} => $_->{problem} }
	    @{$changed->{json}{lines}} }, { 900001 => 'price',
	    900101 => 'sold_out', 900099 => 'gone' }, 'what has';
	my %wrong = ('no items' => [], 'too many' => [(\%{$items[1]}) x 101],
		'no book' => [{}], 'no object' => [1], 'a list' => [[]],
		'book 0' => [{ book_id => 0 }],
		'a text' => [{ book_id => '900001' }],
		'a fraction' => [{ book_id => 900001, quantity => 1.5 }],
		'quantity 0' => [{ book_id => 900001, quantity => 0 }],
		'quantity 100' => [{ book_id => 900001, quantity => 100 }],
		'a sum over 99' => [({ book_id => 900001, quantity => 50 })
		    x 2],
		'a price below 0' => [{ book_id => 900001, price => -1 }],
		'no price' => [{ book_id => 900001, price => undef }],
		'unknown' => [{ book_id => 900001, title => 'x' }]);
	is $place->("w $_", items => $wrong{$_})->{status}, 400, $_
	    for sort keys %wrong;
	is $place->('w', items => { book_id => 900001 })->{status}, 400,
	    'no list';
	is $place->('w', items => [$items[1]], phone => 'call me now')
	    ->{status}, 400, 'no phone number';
	is $place->('x' x 65, items => \@items)->{status}, 400, 'a long key';
	fails(400, 'no key', 'placeOrder', token => $token, json =>
	    { %to, items => \@items });

	add(900001, 3);
	my $whole = $place->('o3');
	is $whole->{json}{items}[0]{quantity}, 3, 'the whole cart';
	is_deeply cart(), {}, 'which is empty then';
	is_deeply $place->('o3')->{json}, $whole->{json}, 'again';
	is $place->('o4')->{status}, 400, 'nothing to order';

	is_deeply call('showOrder', token => $token, id => $number)->{json},
	    $first->{json}, 'the order';
	is_deeply call('showOrder', token => $token, id =>
	    $first->{json}{id})->{json}, $first->{json}, 'by its id';
	not_modified('showOrder', id => $number);
	fails(404, 'another member', 'showOrder', token => $other,
	    id => $number);
	fails(404, 'none', 'showOrder', token => $token, id => $_)
	    for 'x', '0', '9' x 30, '20261121-AAAAAA';
	is call('showOrder', token => $boss, id => $number)->{status}, 200,
	    'an administrator';
	my @asked = (map { $_->{number} } @{call('listOrders', token =>
	    $token)->{json}{orders}});
	is_deeply \@asked, [$whole->{json}{number}, $number], 'the list';
	my $page = call('listOrders', token => $token, query => 'limit=1')
	    ->{json};
	is_deeply [map { $_->{number} } @{call('listOrders', token => $token,
	    query => "limit=1&after=$page->{next}")->{json}{orders}}],
	    [$number], 'the next page';
	my $me = $first->{json}{user_id};
	not_modified('listOrdersOf', id => $me);
	is scalar(@{call('listOrdersOf', token => $boss, id => $me)
	    ->{json}{orders}}), 2, 'for an administrator';
	fails(403, 'another member', 'listOrdersOf', token => $other,
	    id => $me);
	is http(get => '/orders', { headers => { Accept => 'application/json',
	    Authorization => "Bearer $token" } })->{content},
	    call('listOrders', token => $token)->{content},
	    '/orders for JSON';
	is http(get => "/orders/$number", { headers => { Accept =>
	    'application/json', Authorization => "Bearer $token" } })
	    ->{content}, call('showOrder', token => $token, id => $number)
	    ->{content}, 'and one of them';
	my $page_itself = http(get => '/orders');
	is $page_itself->{status}, 303, 'else a page';
	is http(post => '/orders', { headers => { Authorization =>
	    "Bearer $token", 'Idempotency-Key' => 'o1',
	    'Content-Type' => 'application/json' }, content =>
	    JSON::PP->new->utf8->encode({ %to, items => \@items }) })
	    ->{status}, 201, 'POST /orders';

	is $pay->($number, '4000 0000 0000 0002')->{status}, 409, 'declined';
	is $pay->($number, '1234')->{status}, 400, 'no card';
	expect_error(qr{"path":"/api/orders/[^"]*/payment".*"status":503},
	    qr{"uri":"/api/orders/[^"]*/payment"});
	is $pay->($number, '4000 0000 0000 0259')->{status}, 503,
	    'no answer';
	is $pay->($number, $card, $other)->{status}, 404, 'not by others';
	is $pay->($number, $card)->{json}{state}, 'paid', 'paid';
	is $pay->($number, $card)->{json}{state}, 'paid', 'already';

	is $status->($number, 'delivered')->{json}{state}, 'paid',
	    'no state is skipped';
	is $status->($number, 'lost')->{status}, 400, 'no such state';
	is $status->($number, 'shipped', $token)->{status}, 403,
	    'not by its reader';
	is $status->($number, 'shipped', $other)->{status}, 404,
	    'not by others';
	is $status->($number, $_)->{json}{state}, $_, $_
	    for qw(shipped delivered refunded);
	is $status->($order->()->{number}, 'cancelled', $token)
	    ->{json}{state}, 'cancelled', 'cancelled by its reader';
	my $paid = $order->()->{number};
	$pay->($paid, $card);
	is $status->($paid, 'cancelled', $token)->{json}{state}, 'refunded',
	    'and refunded';
	is $pay->($paid, $card)->{status}, 409, 'too late to pay';
	is sql('SELECT 500 - SUM(quantity) FROM order_items
	    JOIN orders ON id = order_id WHERE book_id = 900001
	    AND (state = "pending" OR number = "' . $number . '")') + 0,
	    sql('SELECT stock_quantity FROM books WHERE id = 900001') + 0,
	    'the stock is right';
};

# --- limits: the numbers are those of the file ---

# Texts of the least and the most length, and one beyond each.
sub lengths {
	my ($schema, $character) = @_;
	my ($min, $max) = @$schema{qw(minLength maxLength)};

	return ([grep { defined } $min, $max],
	    [grep { defined && $_ >= 0 } defined $min && $min > 0 ?
	    $min - 1 : undef, $max + 1]);
}

subtest 'limits of text and numbers' => sub {
	my $schemas = $doc->{components}{schemas};
	my $parameters = $doc->{components}{parameters};
	my $new = $schemas->{NewMember}{properties};
	my $n = 0;

	for my $field (qw(username name password)) {
		my ($in, $out) = lengths($new->{$field});
		my $character = $field eq 'username' ? 'u' : '한';
		for my $length (@$in, @$out) {
			my $inside = grep { $_ == $length } @$in;
			my %member = (username => 'limit' . ++$n,
			    name => 'n', password => 'p' x 8,
			    $field => $character x $length);
			is call('register', json => \%member)->{status},
			    $inside ? 201 : 400, "$field: $length characters";
		}
	}
	my $credentials = $schemas->{Credentials}{properties};
	for my $field (qw(username password question_token answer)) {
		my ($in, $out) = lengths($credentials->{$field});
		for my $length (@$in, @$out) {
			my $inside = grep { $_ == $length } @$in;
			my %try = (username => 'limits' . ++$n,
			    password => 'p', $field => '7' x $length);
			my $answer = call('login', json => \%try);
			# An answer that nobody asked for may be empty.
			is $answer->{status}, $inside ||
			    $length == 0 && $field eq 'question_token' ?
			    401 : 400, "$field: $length characters";
		}
	}
	for my $name (qw(Category Limit)) {
		my ($parameter, %s) = ($parameters->{$name},
		    %{$parameters->{$name}{schema}});
		for my $value (@s{qw(minimum maximum)}, $s{minimum} - 1,
		    $s{maximum} + 1) {
			my $inside = $value >= $s{minimum} &&
			    $value <= $s{maximum};
			my $answer = call('listBooks',
			    query => "$parameter->{name}=$value");
			is $answer->{status} == 400, !$inside,
			    "$parameter->{name}=$value";
		}
	}
	my $most = $parameters->{Search}{schema}{maxLength};
	is call('listBooks', query => 'q=' . '%EC%B1%85' x $most)->{status},
	    200, "q: $most characters";
	fails(400, 'q: one more', 'listBooks',
	    query => 'q=' . 'q' x ($most + 1));
	$most = $schemas->{Cursor}{maxLength};
	is call('listBooks', query => 'after=1.' . 'q' x ($most - 2))
	    ->{status}, 200, "after: $most characters";
	fails(400, 'after: one more', 'listBooks',
	    query => 'after=1.' . 'q' x ($most - 1));
};

# --- languages, origins, request ids ---

subtest 'languages' => sub {
	my %title = (ko => qr/\p{Hangul}/, en => qr/^[\x20-\x7e]+$/);
	my @cases = ([{}, 'ko'], [{ 'Accept-Language' => 'en' }, 'en'],
		[{ 'Accept-Language' => 'en;q=0.5, ko-KR' }, 'ko'],
		[{ 'Accept-Language' => 'fr, en-GB;q=0.1' }, 'en'],
		[{ 'Accept-Language' => 'en', Cookie => 'lang=ko' }, 'ko'],
		[{ 'Accept-Language' => 'zz' }, 'ko']);

	for (@cases) {
		my ($headers, $lang) = @$_;
		my @answers = (fails(401, $lang, 'showCart',
		    headers => $headers), fails(404, $lang, 'showBook',
		    id => 900099, headers => $headers));
		for my $answer (@answers) {
			is header($answer, 'content-language'), $lang,
			    "$lang: Content-Language";
			like $answer->{json}{$_}, $title{$lang}, "$lang: $_"
			    for qw(title detail);
		}
		like fails(400, $lang, 'register', headers => $headers,
		    json => { username => 'x', name => 'x', password =>
		    'long enough' })->{json}{errors}{username},
		    $title{$lang}, "$lang: errors";
	}
};

subtest 'origins' => sub {
	my $ask = sub {
		my ($method, $path, $origin, %more) = @_;

		return http($method => $path, { headers => {
		    Origin => $origin, %more } });
	};
	my %wants = ('Access-Control-Request-Method' => 'POST',
		'Access-Control-Request-Headers' => 'authorization');

	for my $origin ($listed, 'http://localhost:3000') {
		my $answer = $ask->(options => '/api/cart/add', $origin,
		    %wants);
		is $answer->{status}, 204, "$origin: preflight";
		is header($answer, 'access-control-allow-origin'), $origin,
		    'may';
		is header($answer, 'access-control-allow-methods'),
		    'POST, OPTIONS', 'with these methods';
		for my $header (qw(Authorization Content-Type
		    Idempotency-Key If-None-Match)) {
			like header($answer, 'access-control-allow-headers'),
			    qr/\b$header\b/, "with $header";
		}
		is header($answer, 'access-control-allow-credentials'),
		    undef, 'without cookies';
		for my $path ('/api/books', '/api/cart', '/api/nothing') {
			my $read = $ask->(get => $path, $origin);
			is header($read, 'access-control-allow-origin'),
			    $origin, "$origin reads $path";
			like header($read, 'access-control-expose-headers'),
			    qr/X-Request-Id/, 'with the request id';
		}
		is header($ask->(get => '/books', $origin),
		    'access-control-allow-origin'), undef, 'but no page';
		is header($ask->(get => '/nothing', $origin),
		    'access-control-allow-origin'), undef, 'not even one'
		    . ' that is not there';
	}
	for my $origin ('https://example.org', "$listed.evil.example",
	    'https://app.example.org:444', 'http://app.example.org', 'null',
	    '*', 'x') {
		my $answer = $ask->(options => '/api/cart/add', $origin,
		    %wants);
		is $answer->{status}, 204, "$origin: an answer";
		for ($answer, $ask->(get => '/api/books', $origin),
		    $ask->(get => '/api/nothing', $origin)) {
			is_deeply [grep { /^access-control/ }
			    keys %{$_->{headers}}], [], 'that allows nothing';
		}
	}
	like header(call('listBooks'), 'vary'), qr/\bOrigin\b/,
	    'caches are told';
	for my $wrong ('*', 'app.example.org', 'https://a.example/',
	    'https://a.example";}') {
		local $ENV{SEOGA_CORS_ORIGINS} = $wrong;
		like seoga('status'), qr/SEOGA_CORS_ORIGINS has/,
		    "the setting cannot be $wrong";
	}
};

subtest 'request ids' => sub {
	my $trace = '4bf92f3577b34da6a3ce929d0e0e4736';
	my %sent = (traceparent => "00-$trace-00f067aa0ba902b7-01");
	my @same = (call('health', headers => \%sent),
	    call('health', headers => { 'X-Request-Id' => $trace }),
	    call('showCart', headers => \%sent),
	    call('health', headers => \%sent, query => 'x=1'),
	    call('showBook', headers => \%sent, id => 'x'));

	share_trace($trace);
	is header($_, 'x-request-id'), $trace, "$_->{status}: it is kept"
	    for @same;
	like header($same[0], 'traceparent'), qr/^00-$trace-/,
	    'also in traceparent';
	isnt header(call('health', headers => { 'X-Request-Id' => "x\t<" }),
	    'x-request-id'), 'x', 'nonsense is not';
};

# --- answers of nginx, and of a site that is not well ---

subtest 'nginx answers like the programs' => sub {
	my $decode = sub {
		my ($answer) = @_;

		$answer->{json} = JSON::PP::decode_json($answer->{content});
		return $answer;
	};
	for my $path ('/api', '/api/', '/api/nothing', '/api/health/',
	    '/api/books/1/2', '/api/users', '/api?x') {
		my $answer = $decode->(http(get => $path));
		is $answer->{status}, 404, $path;
		described_as($path, $answer, 'NotFound');
	}
	described_as('a long header', $decode->(http(get => '/api/books',
	    { headers => { 'X-Long' => 'x' x 40_000 } })), 'BadRequest');
	my $long = http(get => '/api/books?q=' . 'x' x 10_000);
	is $long->{status}, 400, 'an address too long to be read';
	like header($long, 'x-request-id'), qr/^[0-9a-f]{32}$/,
	    'has a request id, too';
};

subtest 'a worker dies at work' => sub {
	my ($worker) = pids('cart-clear');

	expect_error(qr/"ev":"nginx\.request".*"status":502/);
	# This one leaves a connection to the worker, which the next one uses.
	call('clearCart', token => $token);
	kill STOP => $worker;
	system "(sleep 0.5; kill -KILL $worker) &";
	my $answer = fails(502, 'killed', 'clearCart', token => $token);
	is await(5, sub { http(post => '/api/cart/clear', { headers =>
	    { Authorization => "Bearer $token" } })->{status} == 204 }), 1,
	    'another one takes its place';
};

subtest 'Redis hangs' => sub {
	expect_error(qr/"ev":"redis\.error"/,
	    qr/"ev":"nginx\.request".*"status":503/);
	backend_hang('redis');
	my $ready = fails(503, 'Redis', 'ready');
	is_deeply [@{$ready->{json}}{qw(mariadb redis)}], [qw(ok away)],
	    'ready says who is away';
	fails(503, 'Redis', 'addToCart', token => $token,
	    json => { book_id => 900001 });
	is call('health')->{status}, 200, 'health asks nobody';
	is call('listBooks')->{status}, 200, 'the catalogue can be read';
	backend_wake('redis');
	is await(5, sub { http(get => '/api/ready')->{status} == 200 }), 1,
	    'it heals';
};

# --- doc/api.md ---

# Runs the lines with "$"; the lines below each are what it prints, with "…"
# for anything.
subtest 'the examples of doc/api.md' => sub {
	my @examples;
	my ($site) = url() =~ m{^(.*)/$};

	open my $in, '<:encoding(UTF-8)', "$top/doc/api.md" or die "$!\n";
	while (<$in>) {
		/^    \$ (.*)/ ? push @examples, [$1, ''] :
		    /^    (.*)/ && ($examples[-1][1] .= "$1\n");
	}
	cmp_ok scalar(@examples), '>', 5, 'there are some';
	my $script = join '', map { "$_->[0]\nprintf '\\036'\n" } @examples;
	utf8::encode($script);
	spew(site_dir() . '/examples', $script =~
	    s{http://localhost:8080}{$site}gr);
	my @said = split /\036/, qx{sh @{[site_dir()]}/examples 2>&1};
	for my $example (@examples) {
		my ($command, $expected) = @$example;
		my $pattern = join '.*?', map { quotemeta }
		    split /…/, $expected, -1;
		my $said = shift @said;
		utf8::decode($said);
		like $said =~ s/(?<=[^\n])\z/\n/r, qr/\A$pattern\z/s, $command;
	}
};

# --- nothing is left out ---

is_deeply [not_called()], [], 'every operation was called, and succeeded';

# These need an unwell site or limits that are on: t/441-api-limits.t, t/5*.
my %elsewhere = map { $_ => 1 } 429, 500, 502, 503, 504;
for my $id (operations()) {
	my %given = map { $_ => 1 } seen($id);
	is_deeply [grep { !$given{$_} && !$elsewhere{$_} }
	    sort keys %{operation($id)->{responses}}], [],
	    "$id: every status was seen";
}

site_stop();
done_testing();
