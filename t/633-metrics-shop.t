#!/usr/bin/perl
# What /metrics says of the shop after readers have signed in, searched, filled
# carts, ordered and paid: each once, and nothing that did not happen.
use strict;
use warnings;

use Test::More;

use Seoga::Fault ();
use Seoga::Metrics;
use Seoga::Reader;
use Seoga::Shop;
use Seoga::Test;

shop_start(db_hosts => '', sql => \&Seoga::Fault::own_sql, order_expiry_s => 4,
    connect_ms => 300, command_ms => 1500);
my ($book, $rare) = (shop_books(1, 500), shop_books(1, 1));
my ($kim, $lee, $admin) = (shop_buyers(2), shop_admin());

# What the code changes, and by how much: "seoga_orders_total state=paid".
sub changes {
	my ($expected, $what, $code) = @_;
	my $before = figures();

	$code->();
	my $after = figures();
	my %delta = map { $_ => $after->{$_} - $before->{$_} } keys %$after;
	delete @delta{grep { !$delta{$_} } keys %delta};
	is_deeply \%delta, $expected, $what or diag explain \%delta;
}

my $shop = qr/logins|registrations|cart_adds|orders|revenue|searches/;

sub figures {
	my $m = metrics_parse(private(get => '/metrics')->{content});

	is_deeply $m->{mistakes}, [], 'no mistakes' if @{$m->{mistakes}};
	return { map {
		my ($name, $label) = /^seoga_(\w+?)_total\{(?:\w+="(\w+)")?\}/;
		$name && $name =~ /^(?:$shop)/ ?
		    (join(' ', $name, $label // ()) => $m->{value}{$_}) : ()
	} keys %{$m->{value}} };
}

# -- members --

my $reader = Seoga::Reader->new;
my $name;
changes({ registrations => 1 }, 'a registration', sub {
	$name = $reader->register });
changes({}, 'the same name again', sub {
	Seoga::Reader->new->get('/register')->submit('/register',
	    username => $name, name => 'Other', password => 'another-secret',
	    password2 => 'another-secret') });
changes({ 'logins ok' => 1 }, 'a login', sub {
	Seoga::Reader->new->login($name) });
changes({ 'logins failed' => 2 }, 'logins that fail', sub {
	sign_in($_, 'wrong-password') for $name, 'nobody' });
changes({ 'logins failed' => 1 }, 'nor with no name at all', sub {
	sign_in("no such name", 'wrong-password') });
Seoga::Fault::own_sql("UPDATE users SET locked = TRUE
    WHERE username = '$name'");
changes({ 'logins locked' => 1 }, 'of a locked account', sub {
	Seoga::Reader->new->login($name) });

sub sign_in {
	my ($user, $password) = @_;

	return ask(post => '/api/users/login', { token => '' },
	    { username => $user, password => $password });
}

# -- searches --

changes({ 'searches hits' => 2 }, 'searches with hits', sub {
	http(get => '/books?q=Book');
	http(get => '/api/books?q=Book') });
changes({ 'searches none' => 1 }, 'and without', sub {
	http(get => '/books?q=zzzzqqqq') });
changes({}, 'shelves are no searches', sub {
	http(get => $_) for '/', '/books', '/books?sort=price', '/books?q=' });
my ($next) = ask(get => '/api/books?q=a&limit=2', $kim)->{json}{next};
changes({}, 'nor is the next page', sub {
	is ask(get => "/api/books?q=a&limit=2&after=$next", $kim)->{status},
	    200, 'there is one' });

# -- carts --

changes({ cart_adds => 2 }, 'books in the cart', sub {
	add($_) for 1, 2 });
changes({ cart_adds => 1 }, 'a key counts once', sub {
	add(1, 'Idempotency-Key' => 'once-and-for-all') for 1 .. 3 });
changes({}, 'what is not there does not', sub { add(1, book => 999_999) });

sub add {
	my ($quantity, %header) = @_;

	return ask(post => '/api/cart/add', $kim, { book_id =>
	    delete $header{book} // $book, quantity => $quantity }, %header);
}

# -- orders --

my (@numbers, $price);
changes({ 'orders placed' => 1 }, 'an order', sub {
	push @numbers, number(place_order($kim, 'one', [$book, 2])) });
changes({}, 'sent again is none', sub {
	is number(place_order($kim, 'one', [$book, 2])), $numbers[0],
	    'the same' });
changes({ 'orders placed' => 1 }, 'sent eight times at once is one', sub {
	my %seen = map { number($_) => 1 } at_once(8, map {
		sub { place_order($lee, 'two', [$book, 1]) } } 1 .. 8);
	is scalar(keys %seen), 1, 'one order';
	push @numbers, keys %seen });
changes({}, 'nor is one that was refused', sub {
	is place_order($kim, 'many', [$rare, 2])->{status}, 409, 'no copies';
	is place_order($kim, 'none', [999_999, 1])->{status}, 409, 'no book' });

changes({}, 'a card that is declined', sub {
	pay_order($kim, $numbers[0], '4000000000000002') });
my $total = number_of("SELECT total FROM orders WHERE number = '$numbers[0]'");
cmp_ok $total, '>', 0, 'has a price';
changes({ 'orders paid' => 1, revenue_won => $total }, 'a payment', sub {
	is pay_order($kim, $numbers[0])->{status}, 200, 'is taken' });
changes({}, 'is one', sub { pay_order($kim, $numbers[0]) });
changes({ 'orders cancelled' => 1 }, 'given back, and cancelled', sub {
	is set_status($admin, $numbers[0], 'refunded')->{status}, 200,
	    'is possible' });
changes({}, 'once', sub { set_status($admin, $numbers[0], 'refunded') });

# The job that expires orders counts in the same file.
ok await(20, sub { figures()->{'orders cancelled'} == 2 }),
    'an order that is not paid in time is cancelled';
changes({ 'orders placed' => 1, 'orders paid' => 1, revenue_won => 3 * 10.00
    + 3 * ($book % 7) }, 'an order that an administrator has the money for',
    sub {
	my $number = number(place_order($lee, 'three', [$book, 3]));
	is set_status($admin, $number, $_)->{status}, 200, $_
	    for 'paid', 'shipped', 'delivered' });

sub number { return $_[0]{json}{number} // $_[0]{json}{order}{number} }

# -- without backends --

expect_error(qr/"(?:db|redis)\.error"/, qr/"status":50\d/);
Seoga::Fault::backend_stop($_) for qw(mariadb redis);
http(get => '/books') for 1 .. 3;
my $page = private(get => '/metrics');
is $page->{status}, 200, 'without MariaDB and Redis there are still figures';
my $m = metrics_parse($page->{content});
is_deeply $m->{mistakes}, [], 'that are right';
cmp_ok metric_of($m, 'seoga_sql_errors_total'), '>', 0, 'errors of SQL';
cmp_ok metric_of($m, 'seoga_redis_errors_total'), '>', 0, 'and of Redis';
ok await(20, sub {
	http(get => '/books');
	$m = metrics_parse(private(get => '/metrics')->{content});
	metric_of($m, 'seoga_breaker_open', backend => 'mariadb') == 1 &&
	    metric_of($m, 'seoga_breaker_open', backend => 'redis') == 1;
}), 'the breakers open';
is metric_of($m, 'seoga_breaker_opened_total', backend => $_), 1, "$_: once"
    for qw(mariadb redis);
cmp_ok metric_of($m, 'seoga_http_requests_total', route => 'books',
    method => 'GET', status => '5xx'), '>', 0, 'answers with 503';

ok await(30, sub {
	$m = metrics_parse(private(get => '/metrics')->{content});
	metric_of($m, 'seoga_db_up') == 0 && metric_of($m, 'seoga_redis_up') == 0;
}), 'the gauges say so, too';
is metric_of($m, $_), undef, "nobody knows $_"
    for qw(seoga_users seoga_db_connections seoga_queue_length);
cmp_ok metric_of($m, 'seoga_memory_bytes'), '>', 0, 'others are known';

Seoga::Fault::backend_start($_) for qw(mariadb redis);
ok await(20, sub { http(get => '/books')->{status} == 200 }), 'all is well';
ok await(20, sub {
	$m = metrics_parse(private(get => '/metrics')->{content});
	metric_of($m, 'seoga_sql_reconnects_total') > 0 &&
	    metric_of($m, 'seoga_redis_reconnects_total') > 0;
}), 'new connections are counted';

site_stop();
done_testing();
