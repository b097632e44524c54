# Seoga::Shop -- buyers who order all at once, and what must be true of the
# shop's books, orders and events whatever they did.
#
#	shop_start(workers => 3);	# a site with some workers for orders
#	my @books = shop_books(5, 40);	# five books of 40 copies each
#	my @buyers = shop_buyers(100);
#	my @answers = at_once(16, map { [place => $_, ...] } @buyers);
#	shop_is_sound('afterwards');
package Seoga::Shop;

use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();
use HTTP::Tiny;
use JSON::PP qw(decode_json encode_json);
use POSIX ();
use Seoga::Test;
use Test::More;

our @EXPORT = qw(shop_start shop_books shop_buyers shop_admin shop_sql
    ask at_once place_order pay_order set_status shop_is_sound stock_of
    number_of);

my (%initial, $sql, $routes, $people);
my $next_book = 800_001;
my $top = $ENV{SEOGA_SRCDIR};

# One worker of a kind would do one thing after the other.
sub shop_start {
	my (%setting) = @_;
	my $workers = delete $setting{workers} // 3;
	my $text = slurp("$top/nginx/routes.conf");

	$sql = delete $setting{sql} // \&sql;
	$text =~ s/(prog (?:orders|order-pay|order-status|checkout);.*workers=)\d+/$1$workers/g;
	$routes = File::Temp->new(TEMPLATE => 'seoga-routes-XXXXXX',
	    DIR => '/tmp');
	spew("$routes", $text);
	chmod 0644, "$routes";
	site_start(routes => "$routes", %setting);
	seoga_ok('migrate', '--sample');
}

sub shop_sql { return $sql->(@_) }

sub number_of { return $sql->($_[0]) + 0 }

# So many books of so many copies each.
sub shop_books {
	my ($n, $copies) = @_;
	my @ids = map { $next_book++ } 1 .. $n;

	$sql->('INSERT INTO books (id, category_id, title, author, price,
	    stock_quantity) VALUES ' . join ', ',
	    map { "($_, 53, 'Book $_', 'Author', 10 + $_ % 7, $copies)" }
	    @ids);
	$initial{$_} = $copies for @ids;
	return @ids;
}

# Members with tokens, without the work of so many passwords.
sub shop_buyers {
	my ($n, $role) = @_;
	my @buyers;

	$role //= 'reader';
	for (1 .. $n) {
		my $id = 700_000 + ++$people;
		my $token = sprintf '%08x-0000-4000-8000-%012x', $$, $id;
		push @buyers, { id => $id, token => $token,
			name => "buyer$id" };
	}
	$sql->('INSERT INTO users (id, username, name, password_hash, role)
	    VALUES ' . join ', ',
	    map { "($_->{id}, '$_->{name}', 'Buyer', '', '$role')" } @buyers);
	redis('EVAL', 'for i = 1, #ARGV, 3 do
	    redis.call("HSET", "session:" .. ARGV[i], "user_id", ARGV[i + 1],
		"username", ARGV[i + 2], "name", "Buyer", "role", "'
	    . $role . '", "remember", "0", "created", "1", "seen", "1")
	    redis.call("EXPIRE", "session:" .. ARGV[i], 1800)
	    end', 0, map { @$_{qw(token id name)} } @buyers);
	return @buyers;
}

sub shop_admin { return (shop_buyers(1, 'admin'))[0] }

# One request on the API, on a connection that is kept; gives the status and
# the JSON.  Who has less patience sets $Seoga::Shop::patience.
our $patience = 30;	# seconds
my %agent;
sub ask {
	my ($method, $path, $who, $body, %header) = @_;

	$agent{$patience} //= HTTP::Tiny->new(timeout => $patience,
	    keep_alive => 1);
	my $answer = $agent{$patience}->request(uc $method, url($path), {
		headers => { Authorization => "Bearer $who->{token}",
			'Content-Type' => 'application/json', %header },
		defined $body ? (content => encode_json($body)) : () });
	return { status => $answer->{status}, json =>
	    scalar eval { decode_json($answer->{content}) } };
}

# items: [book, copies] each.
sub place_order {
	my ($who, $key, @items) = @_;

	return ask(post => '/api/orders', $who, { recipient => 'Kim',
	    phone => '010-1234-5678', postcode => '03925',
	    address => 'Seoul, Mapo', items => [map {
	    { book_id => 0 + $_->[0], quantity => 0 + $_->[1] } } @items] },
	    'Idempotency-Key' => $key);
}

sub pay_order {
	my ($who, $number, $card) = @_;

	return ask(post => "/api/orders/$number/payment", $who,
	    { card => $card // '4242424242424242' });
}

sub set_status {
	my ($who, $number, $status) = @_;

	return ask(put => "/orders/$number/status", $who,
	    { status => $status });
}

# Runs the jobs (each a code that gives an answer) in so many processes, each
# taking the next of its share as fast as it can; gives the answers in the
# order of the jobs.
sub at_once {
	my ($clients, @jobs) = @_;
	my (@results, @answers);

	$clients = @jobs if @jobs < $clients;
	for my $n (0 .. $clients - 1) {
		my @mine = grep { $_ % $clients == $n } 0 .. $#jobs;
		my $pid = open(my $result, '-|') // die "fork: $!\n";

		if (!$pid) {
			%agent = ();
			my @said = map { [$_, $jobs[$_]->()] } @mine;
			my $text = encode_json(\@said);
			while ($text ne '') {
				my $n = syswrite(STDOUT, $text) // last;
				substr $text, 0, $n, '';
			}
			POSIX::_exit(0);
		}
		push @results, $result;
	}
	for my $result (@results) {
		my $text = do { local $/; <$result> };
		close $result;
		$answers[$_->[0]] = $_->[1] for @{decode_json($text)};
	}
	return @answers;
}

sub stock_of {
	my ($book) = @_;

	return number_of("SELECT stock_quantity FROM books WHERE id = $book");
}

# A subtest: to the unit, and to the event.
sub shop_is_sound {
	my ($when) = @_;

	subtest "the shop is sound $when" => sub {
		_stock_is_right();
		_orders_are_right();
		_events_are_right();
	};
}

# Those that are held by an order, or were sent away.
my $held = "o.state IN ('pending', 'paid', 'shipped', 'delivered')
    OR EXISTS (SELECT * FROM order_history h WHERE h.order_id = o.id
	AND h.to_state = 'shipped')";

sub _stock_is_right {
	my (%stock, %ordered, %noted);

	for (split /\n/, $sql->("SELECT b.id, b.stock_quantity,
	    COALESCE((SELECT SUM(i.quantity) FROM order_items i
		JOIN orders o ON o.id = i.order_id
		WHERE i.book_id = b.id AND ($held)), 0),
	    COALESCE((SELECT SUM(delta) FROM stock_changes c
		WHERE c.book_id = b.id), 0)
	    FROM books b WHERE b.id >= 800001")) {
		my ($id, $stock, $ordered, $noted) = split /\t/;
		$stock{$id} = $stock + $ordered;
		$noted{$id} = $stock - $noted;
	}
	is_deeply \%stock, \%initial, 'stock and orders make what there was';
	is_deeply \%noted, \%initial, 'so says the history of the stock';
}

sub _orders_are_right {
	is number_of('SELECT COUNT(*) FROM orders o WHERE total <>
	    (SELECT SUM(total_price) FROM order_items i
	    WHERE i.order_id = o.id)'), 0, 'each total is that of its lines';
	is number_of('SELECT COUNT(*) FROM orders o WHERE NOT EXISTS
	    (SELECT * FROM order_items i WHERE i.order_id = o.id)'), 0,
	    'each order has lines';
	is number_of('SELECT COUNT(*) FROM orders o WHERE state <>
	    (SELECT to_state FROM order_history h WHERE h.order_id = o.id
	    ORDER BY id DESC LIMIT 1)'), 0,
	    'each state is the last of its history';
	is number_of('SELECT COUNT(*) FROM (SELECT 1 FROM order_history
	    GROUP BY order_id, to_state HAVING COUNT(*) > 1) twice'), 0,
	    'no state is reached twice';
	is number_of("SELECT COUNT(*) FROM (SELECT 1 FROM stock_changes
	    WHERE order_id IS NOT NULL GROUP BY order_id, book_id, reason
	    HAVING COUNT(*) > 1) twice"), 0,
	    'nothing is taken or given back twice';
	is number_of("SELECT COUNT(*) FROM orders o WHERE
	    (SELECT COUNT(*) FROM payments p WHERE p.order_id = o.id
	    AND p.result = 'approved') <> EXISTS (SELECT * FROM order_history h
	    WHERE h.order_id = o.id AND h.to_state = 'paid'
	    AND h.actor_id = o.user_id)"), 0,
	    'who paid, paid once; who did not, did not';
}

sub _events_are_right {
	is number_of("SELECT COUNT(*) FROM order_history h
	    JOIN orders o ON o.id = h.order_id WHERE 1 <>
	    (SELECT COUNT(*) FROM outbox x WHERE x.subject = o.number
	    AND x.topic = CONCAT('order.', h.to_state))"), 0,
	    'each change has one event';
	is number_of('SELECT COUNT(*) FROM outbox'),
	    number_of('SELECT COUNT(*) FROM order_history'),
	    'and each event its change';
}

1;
