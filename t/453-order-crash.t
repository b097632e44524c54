#!/usr/bin/perl
# Workers, jobs and MariaDB killed with -9 while orders are placed, paid and
# cancelled: whoever asks again with the same key gets the same order, no copy
# is lost, and what was paid has its event and is counted, once.
use strict;
use warnings;

use IO::Handle ();
use JSON::PP qw(decode_json encode_json);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Shop;
use Seoga::Test;

shop_start(workers => 2, db_hosts => '', sql => \&own_sql,
    command_ms => 3000, events_retry_ms => 500);
expect_error(qr/./);	# whatever was said: the books tell

# --- in the middle, by the step ---

# A session that locks a book until release() is called.
sub hold {
	my ($book) = @_;

	local $ENV{MYSQL_PWD} =
	    slurp(site_dir() . '/var/secret/db-root') =~ s/\s//gr;
	open my $session, '|-', 'mariadb --no-defaults -uroot --unbuffered'
	    . ' --socket=' . site_dir() . '/var/run/mariadb.sock seoga'
	    . ' >/dev/null 2>&1' or die "mariadb: $!\n";
	$session->autoflush(1);
	print $session "BEGIN; UPDATE books SET price = price
	    WHERE id = $book;\n";
	await(10, sub { !number_of("SELECT COUNT(*) FROM books
	    WHERE id = $book FOR UPDATE SKIP LOCKED") }) or die "no lock\n";
	return $session;
}

# Whoever orders the book stands in the middle of the transaction now.
sub await_waiting {
	ok await(10, sub { number_of("SELECT variable_value
	    FROM information_schema.global_status
	    WHERE variable_name = 'innodb_row_lock_current_waits'") }),
	    'it is in the middle';
}

sub release {
	my ($session) = @_;

	print $session "COMMIT;\n\\q\n";
	close $session;
}

# Does it in the background; answer_of() waits for it.
sub begin {
	my ($code) = @_;
	my $pid = open(my $answer, '-|') // die "fork: $!\n";

	return $answer if $pid;
	my ($said) = at_once(1, $code);
	syswrite STDOUT, encode_json($said);
	POSIX::_exit(0);
}

sub answer_of {
	my ($answer) = @_;
	my $text = do { local $/; <$answer> };

	close $answer;
	return decode_json($text);
}

sub kill_all {
	my ($prog) = @_;
	my @pids = pids($prog);

	kill 'KILL', @pids;
	return scalar @pids;
}

sub kill_mariadb {
	my $pid = backend_pid('mariadb') // die 'MariaDB does not run';

	kill 'KILL', $pid;
	await(10, sub { waitpid($pid, POSIX::WNOHANG()); gone($pid) });
	sleep 0.3;
	backend_start('mariadb') if !backend_pid('mariadb');
}

# Sends it until there is an answer that says how it ended.
sub insist {
	my ($code) = @_;
	my $end = time + 40;

	while (time < $end) {
		my $answer = $code->();
		return $answer if $answer->{status} =~ /^(?:2..|409)$/;
		sleep 0.05;
	}
	return { status => 0 };
}

# Two copies are ordered, something happens in the middle of it, and it is
# ordered again with the same key.
sub in_the_middle {
	my ($what, $status, $happens) = @_;

	subtest "in the middle: $what" => sub {
		my ($book) = shop_books(1, 10);
		my ($who) = shop_buyers(1);
		my $place = sub { place_order($who, 'middle', [$book, 2]) };

		ask(post => '/api/cart/add', $who,
		    { book_id => $book, quantity => 3 });
		my $session = hold($book);
		my $first = begin($place);
		await_waiting();
		$happens->($session, $who);
		like answer_of($first)->{status}, $status, 'the answer';
		my $again = insist($place);
		is $again->{status}, 201, 'who asks again has the order';
		is number_of("SELECT COUNT(*) FROM orders
		    WHERE user_id = $who->{id}"), 1, 'which is one';
		is stock_of($book), 8, 'of two copies';
		is_deeply { map { $_->{book_id} => $_->{quantity} }
		    @{insist(sub { ask(get => '/api/cart', $who)
		    })->{json}{lines}} }, { $book => 1 },
		    'which left the cart once';
	};
}

{
	local $Seoga::Shop::patience = 0.5;
	in_the_middle('the client gives up', qr/^599$/, sub {
		my ($session, $who) = @_;

		sleep 1;
		release($session);
		ok await(10, sub { number_of("SELECT COUNT(*) FROM orders
		    WHERE user_id = $who->{id}") }), 'it was placed';
	});
}
in_the_middle('the worker is killed', qr/^50[234]$/, sub {
	my ($session) = @_;

	is kill_all('orders'), 2, 'killed';
	release($session);
});
in_the_middle('the worker is killed after COMMIT', qr/^50[234]$/, sub {
	my ($session, $who) = @_;

	backend_hang('redis');
	release($session);
	ok await(2, sub { number_of("SELECT COUNT(*) FROM orders
	    WHERE user_id = $who->{id}") }), 'it was placed';
	kill_all('orders');
	backend_wake('redis');
});
in_the_middle('MariaDB is killed', qr/^50[234]$/, sub {
	my ($session) = @_;

	local $SIG{PIPE} = 'IGNORE';
	kill_mariadb();
	release($session);
});

# --- and at any time ---

my @books = shop_books(4, 400);
my @buyers = shop_buyers(6);
my $stop = site_dir() . '/buyers.stop';

# One buyer orders, pays every second order and cancels every sixth, until he
# is told to stop; gives what he was told: number => what it should be.
sub buy {
	my ($n) = @_;
	my $who = $buyers[$n];
	my (%told, $lost);

	for (my $i = 0; !-e $stop; $i++) {
		my @items = ([$books[$i % 4], 1], [$books[($i + $n) % 4], 1]);
		my $placed = insist(sub { place_order($who, "k$i", @items) });
		my $number = $placed->{json}{number};

		$lost++, last if $placed->{status} == 0;
		next if $placed->{status} == 409;
		$told{$number} = 'pending';
		next if $i % 2;
		my $paid = insist(sub { pay_order($who, $number) });
		$lost++, last if $paid->{status} != 200;
		$told{$number} = 'paid';
		next if $i % 3;
		# A cancel whose answer was lost is 409 the second time.
		$lost++, last if !insist(sub {
			set_status($who, $number, 'cancelled')
		})->{status};
		$told{$number} = 'refunded';
	}
	return { told => \%told, lost => $lost // 0 };
}

sub kill_jobs {
	my $mine = slurp(site_dir() . '/var/run/supervisord.pid') =~ s/\s//gr;

	return kill 'KILL', grep { slurp("/proc/$_/cmdline") =~
	    m{/seoga-(?:relay|statistics|expire)\0} }
	    split ' ', slurp("/proc/$mine/task/$mine/children");
}

# In the background: the buyers, and who kills.
my $buying = fork() // die "fork: $!\n";
if (!$buying) {
	my @said = at_once(6, map { my $n = $_; sub { buy($n) } } 0 .. 5);
	spew(site_dir() . '/said', encode_json(\@said));
	POSIX::_exit(0);
}
sleep 1;
my ($killed, $jobs, $restarts) = (0, 0, 0);
for my $round (1 .. 12) {
	$killed += kill_all($_) for qw(orders order-pay order-status);
	sleep 0.2;
	$jobs += kill_jobs();
	sleep 0.2;
	if ($round % 4 == 0) {
		kill_mariadb();
		$restarts++;
		sleep 0.8;
	}
}
sleep 1.5;
spew($stop, '');
waitpid $buying, 0;
my @said = @{decode_json(slurp(site_dir() . '/said'))};
my %told = map { %{$_->{told}} } @said;
my %state = map { split /\t/ } split /\n/,
    own_sql('SELECT number, state FROM orders o WHERE user_id IN ('
    . join(', ', map { $_->{id} } @buyers) . ')');

cmp_ok $killed, '>=', 20, "$killed workers were killed";
cmp_ok $jobs, '>=', 12, "$jobs jobs";
is $restarts, 3, 'and MariaDB three times';
cmp_ok scalar(keys %told), '>=', 40, scalar(keys %told) . ' orders';
is_deeply [map { $_->{lost} } @said], [(0) x 6],
    'each got an answer in the end';
is_deeply \%state, \%told, 'all orders are there, each as its buyer was told';
shop_is_sound('after all');

subtest 'events reach who counts them' => sub {
	ok await(30, sub { !number_of('SELECT COUNT(*) FROM outbox
	    WHERE delivered_at IS NULL') }), 'all are on their way';
	my %event = map { ($_->{id} => $_) }
	    map { /^\{/ ? decode_json($_) : () }
	    split /\n/, redis('XRANGE', 'orders', '-', '+');
	my %paid;

	is_deeply [sort { $a <=> $b } keys %event], [map { $_ + 0 } split ' ',
	    own_sql('SELECT id FROM outbox ORDER BY id')],
	    'none is lost, and none is of what did not happen';
	$paid{$_->{subject}}++ for grep { $_->{type} eq 'order.paid' }
	    values %event;
	is_deeply \%paid, { map { $_ => 1 } grep { $told{$_} ne 'pending' }
	    keys %told }, 'what was paid has one';
	my $sales = sub { return join ' ', split ' ', own_sql($_[0]) };
	my $sold = $sales->('SELECT COUNT(*), SUM(total), (SELECT
	    SUM(quantity) FROM order_items i JOIN orders p
	    ON p.id = i.order_id WHERE p.state = "paid")
	    FROM orders WHERE state = "paid"');
	my $counted;

	await(20, sub { ($counted = $sales->('SELECT SUM(orders),
	    SUM(revenue), SUM(copies) FROM sales_days')) eq $sold });
	is $counted, $sold, 'and is counted once';
};

# Redis answers, but has no room for more.
subtest 'what Redis refuses is not lost' => sub {
	my $waiting = 'SELECT COUNT(*) FROM outbox WHERE delivered_at IS NULL';

	redis('CONFIG', 'SET', 'maxmemory', '1');
	own_sql("INSERT INTO outbox (topic, subject, payload, trace, span)
	    VALUES ('order.pending', 'refused', '{}', REPEAT('a', 32),
	    REPEAT('b', 16))");
	sleep 1.5;
	is number_of($waiting), 1, 'it waits';
	redis('CONFIG', 'SET', 'maxmemory', '0');
	ok await(20, sub { !number_of($waiting) }), 'until there is room';
	like redis('XRANGE', 'orders', '-', '+'), qr/"subject":"refused"/,
	    'then it is there';
};
site_stop();
done_testing();
