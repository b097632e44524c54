#!/usr/bin/perl
# Counting sales: each event once, whoever is killed or away meanwhile; what
# cannot be counted becomes a dead letter and holds up nobody.
use strict;
use warnings;

use File::Temp ();
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

my $jobs = File::Temp->new;
print $jobs "relay\nstatistics workers=2\n";
close $jobs;
chmod 0644, "$jobs";
site_start(db_hosts => '', jobs => "$jobs", events_retry_ms => 300,
    connect_ms => 500, command_ms => 1000);
expect_error(qr/"ev":"event\.dead"/);

my $json = JSON::PP->new->canonical;
my $id = 1000;

# As the relay writes it.
sub event {
	my ($type, %order) = @_;
	my @items = @{$order{items} // [[7, 2, 3000000]]};
	my $total = 0;

	$total += $_->[2] for @items;
	return $json->encode({ specversion => '1.0', id => '' . ++$id,
	    source => '/orders', type => $type,
	    subject => $order{number} // '20261121-7K3QXM',
	    time => '2026-11-22T00:00:01Z',
	    traceparent => $order{traceparent} //
	    '00-' . 'ab' x 16 . '-' . 'cd' x 8 . '-01',
	    data => { total => $total,
	    created_at => $order{at} // '2026-11-21T23:59:59Z',
	    items => [map { { book_id => $_->[0], quantity => $_->[1],
	    total_price => $_->[2] } } @items] } });
}

sub send_events { redis('XADD', 'orders', '*', 'event', $_) for @_ }

sub day {
	my ($day) = @_;

	return own_sql("SELECT orders, copies, revenue FROM sales_days
	    WHERE day = '" . ($day // '2026-11-21') . "'") =~ s/\n//r;
}

sub book {
	my ($book) = @_;

	return own_sql("SELECT copies, revenue FROM sales_books
	    WHERE day = '2026-11-21' AND book_id = $book") =~ s/\n//r;
}

# Nothing is unread, nothing under way.
sub idle {
	return await(20, sub {
		my %g = split /\n/, redis('XINFO', 'GROUPS', 'orders');
		($g{lag} // 1) eq '0' && $g{pending} == 0
	});
}

sub dead { return redis('XLEN', 'orders:dead') }

sub statisticians {
	my $mine = slurp(site_dir() . '/var/run/supervisord.pid') =~ s/\s//gr;

	return grep { slurp("/proc/$_/cmdline") =~ m{/seoga-statistics\0} }
	    split ' ', slurp("/proc/$mine/task/$mine/children");
}

is scalar(my @two = statisticians()), 2, 'two count';

subtest 'a sale and its refund' => sub {
	my $paid = event('order.paid', items => [[7, 2, 3000050], [3, 1, 1200]]);

	send_events(event('order.pending'), $paid, event('order.shipped'));
	ok idle(), 'all is read';
	is day(), "1\t3\t30012.50", 'the day of the order';
	is day('2026-11-22'), '', 'not that of the event';
	is book(7), "2\t30000.50", 'a book';
	is book(3), "1\t12.00", 'and another';
	send_events($paid, $paid);
	ok idle(), 'once more';
	is day(), "1\t3\t30012.50", 'counts once';
	ok scalar(grep { $_->{ev} eq 'event.counted' &&
	    $_->{trace} eq 'ab' x 16 } log_lines()),
	    'the line has the trace of the request';
	send_events(event('order.refunded',
	    items => [[3, 1, 1200], [7, 2, 3000050]]));
	ok idle(), 'refunded';
	is day(), "0\t0\t0.00", 'is taken away';
	is book(7), "0\t0.00", 'from the book, too';
	my $forged = event('order.paid', at => '2026-09-09T00:00:00Z',
	    traceparent => sprintf '%-55s', '00-","user":7,"trace":"');
	send_events($forged);
	ok idle(), 'with a traceparent that is none';
	is day('2026-09-09'), "1\t2\t30000.00", 'counts';
	unlike slurp(site_dir() . '/seoga.log'), qr/"user":7/,
	    'and writes nothing of its own';
	is dead(), 0, 'no dead letters';
};

subtest 'from the outbox' => sub {
	own_sql("INSERT INTO outbox (topic, subject, payload, trace, span)
	    VALUES ('order.paid', '20261101-000001', '{\"total\": 500,
	    \"created_at\": \"2026-11-01T12:00:00Z\", \"items\":
	    [{\"book_id\": 1, \"quantity\": 1, \"total_price\": 500}]}',
	    REPEAT('0', 32), REPEAT('0', 16))");
	ok await(10, sub { day('2026-11-01') eq "1\t1\t5.00" }),
	    'through the relay to the count';
};

# A refund that comes first waits for its sale.
subtest 'out of order' => sub {
	my ($sale, $refund) = map {
		event("order.$_", at => '2026-10-01T00:00:00Z')
	} qw(paid refunded);

	send_events($refund);
	sleep 0.5;
	is day('2026-10-01'), '', 'a refund without a sale';
	send_events($sale);
	ok idle(), 'is tried again';
	is day('2026-10-01'), "0\t0\t0.00", 'and counts after the sale';
	is dead(), 0, 'no dead letters';
};

my %poison = (
	'not JSON' => ['{', qr/it is not JSON/],
	'no event' => ['{"type": "order.paid"}', qr/lacks id, type or subj/],
	'no number' => [event('order.paid') =~ s/"id":"\d+"/"id":"x"/r,
	    qr/lacks id/],
	'no items' => [event('order.paid') =~ s/"items":\[.*?\]/"items":[]/r,
	    qr/no items/],
	'no total' => [event('order.paid') =~ s/"total":\d+/"total":-1/r,
	    qr/no total/],
	'no quantity' => [event('order.paid')
	    =~ s/"quantity":\d+/"quantity":"2"/r, qr/an item lacks/],
	'no day' => [event('order.paid', at => 'yesterday')
	    =~ s/"time":"[^"]*"/"time":""/r, qr/has a time/],
	'a refund of nothing' => [event('order.refunded',
	    at => '2020-01-01T00:00:00Z'), qr/has not been counted/],
	'a date that is none' => [event('order.paid',
	    at => '2026-99-99T00:00:00Z'), qr/MariaDB refuses/],
);
subtest 'poison' => sub {
	expect_error(qr/"ev":"db\.error".*"name":"sales\./,
	    qr/"name":"sales\..*"ev":"db\.error"/);
	for my $name (sort keys %poison) {
		send_events($poison{$name}[0]);
		send_events(event('order.paid', at => '2026-09-01T00:00:00Z'));
	}
	my $n = keys %poison;
	ok await(3, sub { (split /\t/, day('2026-09-01'))[0] // 0 == $n }),
	    'the others are counted meanwhile';
	ok idle(), 'it comes to an end';
	is dead(), $n, 'each is a dead letter';
	my @letters = split /(?=^\d+-\d+$)/m,
	    redis('XRANGE', 'orders:dead', '-', '+');
	for my $name (sort keys %poison) {
		my ($letter) = grep { /^\Q$poison{$name}[0]\E$/m } @letters;
		like $letter, $poison{$name}[1], "$name: the reason";
		like $letter, qr/^group\nstatistics\ntries\n5$/m,
		    "$name: after five tries";
	}
	is day('2026-09-01'), "$n\t" . 2 * $n . "\t" . 30000 * $n . '.00',
	    'the others once each';
};

subtest 'an entry that ends its consumers' => sub {
	my $before = dead();
	my $entry = redis('XADD', 'orders', '*', 'event',
	    event('order.paid', at => '2026-08-01T00:00:00Z'));

	ok idle(), 'counted';
	# As if five had died of it.
	redis('XADD', 'orders', '999999999999999-1', 'event',
	    event('order.paid', at => '2026-08-02T00:00:00Z'));
	ok idle(), 'so is the next';
	redis('XCLAIM', 'orders', 'statistics', 'dead', 0,
	    '999999999999999-1', 'RETRYCOUNT', 6, 'FORCE', 'JUSTID');
	ok await(5, sub { dead() == $before + 1 }), 'is put aside';
	ok idle(), 'and out of the way';
	redis('XTRIM', 'orders', 'MAXLEN', 0);
};

# Whatever happens to those who count, the sums are right.
subtest 'killed in the middle' => sub {
	redis('DEL', 'orders');
	own_sql('DELETE FROM sales_days; DELETE FROM sales_books');
	my @events = map {
		event('order.paid', items => [[1 + $_ % 5, 1, 100], [9, 2, 50]])
	} 1 .. 600;
	my $killed = 0;
	my $pid = fork() // die;

	if (!$pid) {
		send_events(@events);
		POSIX::_exit(0);
	}
	# Not so long that an entry is given up.
	my $end = time + 0.9;
	while (time < $end) {
		$killed += kill 'KILL', statisticians();
		sleep 0.02 + rand 0.06;
	}
	waitpid $pid, 0;
	cmp_ok $killed, '>=', 2, "$killed killed";
	ok idle(), 'all is counted';
	is day(), "600\t1800\t900.00", 'once each';
	is book(9), "1200\t300.00", 'and so are the books';
	cmp_ok redis('XINFO', 'CONSUMERS', 'orders', 'statistics') =~ s/name//gr
	    =~ tr/\n//, '>', 2, 'there were several';
};

subtest 'MariaDB away' => sub {
	my $before = dead();

	expect_error(qr/"ev":"db\.error"/);
	backend_stop('mariadb');
	send_events(map { event('order.paid', at => '2026-07-01T00:00:00Z') }
	    1 .. 5);
	sleep 4;
	is dead(), $before, 'is no fault of the events';
	backend_start('mariadb');
	ok await(15, sub { day('2026-07-01') eq "5\t10\t150000.00" }),
	    'they are counted when it is back';
	ok idle(), 'all of them';
};

subtest 'Redis away' => sub {
	expect_error(qr/"ev":"redis\.error"/);
	backend_stop('redis');
	sleep 1;
	backend_start('redis');
	send_events(event('order.paid', at => '2026-06-01T00:00:00Z'));
	ok await(15, sub { day('2026-06-01') eq "1\t2\t30000.00" }),
	    'it goes on when it is back' or diag join "\n",
	    map { $json->encode($_) } (grep { $_->{prog} eq 'statistics' }
	    log_lines())[-12 .. -1];
};

site_stop();
done_testing();
