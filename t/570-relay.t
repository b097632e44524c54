#!/usr/bin/perl
# Events on their way from the outbox to those who count them: in order, none
# lost, whatever is killed or away; and what cannot be counted is told.
use strict;
use warnings;

use JSON::PP qw(decode_json encode_json);
use List::Util qw(sum0);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

# Two relays; what a dead consumer left is taken over at once.
my $jobs = File::Temp->new;
print $jobs "relay workers=2\n";
close $jobs;
chmod 0644, "$jobs";
site_start(jobs => "$jobs", events_retry_ms => 300, events_max => 4000,
    connect_ms => 500, command_ms => 1000);

my $trace = 'abcdef0123456789' x 2;
my $span = 'fedcba9876543210';

# Writes n events, of several orders one after another.
sub write_events {
	my ($n, $orders, $more, $writer) = @_;

	sql("INSERT INTO outbox (topic, subject, payload, trace, span)
	    SELECT 'order.paid', CONCAT('20261121-', seq % $orders, '" . ($writer // '') . "'),
	    JSON_OBJECT('n', seq, 'more', REPEAT('x', " . ($more // 0) . ")),
	    '$trace', '$span' FROM seq_1_to_$n");
}

sub waiting {
	return sql('SELECT COUNT(*) FROM outbox
	    WHERE delivered_at IS NULL') + 0;
}

# What is in the stream, oldest first; all of it or what came after an entry.
sub stream {
	my ($last) = @_;
	my @lines = split /\n/, redis('XRANGE', 'orders',
	    $last && $$last ? "($$last" : '-', '+');

	$$last = (grep { /^\d+-\d+$/ } @lines)[-1] // $$last if $last;
	return map { /^\{/ ? decode_json($_) : () } @lines;
}

sub job_pids {
	my ($name) = @_;
	my ($pids) = seoga('status') =~ /^\Q$name\E +pid ([\d ]+)$/m;

	return split ' ', $pids // '';
}

# The same, found at once.
sub relays {
	my $mine = slurp(site_dir() . '/var/run/supervisord.pid') =~ s/\s//gr;

	return grep { slurp("/proc/$_/cmdline") =~ m{/seoga-relay\0} }
	    split ' ', slurp("/proc/$mine/task/$mine/children");
}

# Ids that were repeated are not counted; within an order, the first time of
# each is in order.
sub in_order {
	my (@events) = @_;
	my (%last, %seen, $wrong);

	for (grep { !$seen{$_->{id}}++ } @events) {
		$wrong++ if ($last{$_->{subject}} // 0) > $_->{id};
		$last{$_->{subject}} = $_->{id};
	}
	return !$wrong;
}

subtest 'an event' => sub {
	is scalar(my @two = job_pids('relay')), 2, 'two relays run';
	sql("INSERT INTO outbox (topic, subject, payload, trace, span,
	    created_at) VALUES ('order.paid', '20261121-7K3QXM',
	    '{\"title\": \"\\\\\"서가\\\\\"\"}', '$trace', '$span',
	    '2026-11-21 10:20:30.456')");
	ok await(5, sub { !waiting() }), 'is delivered';
	my ($event) = stream();
	my ($sent) = ($event->{traceparent} // '') =~
	    /^00-$trace-([0-9a-f]{16})-01$/;
	isnt $sent, $span, 'what comes is below the sending';
	is_deeply $event, { specversion => '1.0',
	    id => sql('SELECT MAX(id) FROM outbox') =~ s/\s//gr,
	    source => '/orders', type => 'order.paid',
	    subject => '20261121-7K3QXM', time => '2026-11-21T10:20:30Z',
	    datacontenttype => 'application/json',
	    traceparent => "00-$trace-$sent-01",
	    data => { title => "\"\x{c11c}\x{ac00}\"" } }, 'as a CloudEvent';
	ok await(5, sub {
		grep { $_->{ev} eq 'event.sent' && $_->{trace} eq $trace &&
		    $_->{span} eq $sent && $_->{parent} eq $span }
		    log_lines()
	}), 'its line has the trace of the request, below its span';
	my $said = seoga('trace', $trace);
	like $said, qr/^ +0\.00  relay: event\.sent,.*20261121-7K3QXM/ms,
	    'which seoga trace shows as done later';
	unlike $said, qr/has not written/, 'and misses no request there';
	my ($round) = grep { $_->{ev} eq 'job.round' } log_lines();
	like seoga('trace', $round->{trace}),
	    qr/relay pid \d+, \d+ done.*SQL outbox.*^\d+ SQL, \d+ Redis/ms,
	    'the round of the relay is there as well';
};

subtest 'the channel' => sub {
	my $pid = open(my $out, '-|', 'timeout', '20', 'redis-cli', '-s',
	    site_dir() . '/var/run/redis.sock', '--raw', 'SUBSCRIBE',
	    'orders:status') or die;
	<$out> for 1 .. 3;
	write_events(1, 1);
	<$out> for 1 .. 2;
	my $message = decode_json(scalar <$out>);
	kill 'TERM', $pid;
	close $out;
	is $message->{status}, 'paid', 'tells the state';
	is $message->{order}, '20261121-0', 'of an order';
	is $message->{event}, sql('SELECT MAX(id) FROM outbox') + 0,
	    'and the event';
};

# Relays killed all the while; events come in from several sides.
subtest 'relays killed in the middle' => sub {
	redis('DEL', 'orders');
	sql('DELETE FROM outbox');
	my $writers = 3;
	my @writers = map {
		my $writer = "W$_";
		my $pid = fork() // die;
		if (!$pid) {
			write_events(60, 7, 500, $writer) for 1 .. 10;
			POSIX::_exit(0);
		}
		$pid;
	} 1 .. $writers;
	my $killed = 0;
	my $end = time + 30;
	my ($last, @events);

	# Read as we go: what is sent again and again goes beyond the bound.
	while (time < $end) {
		$killed += kill 'KILL', relays() if $killed < 50;
		sleep 0.01 + rand 0.05;
		push @events, stream(\$last);
		last if $killed >= 50 && !waiting();
	}
	waitpid $_, 0 for @writers;
	ok await(15, sub { !waiting() }), 'all are delivered in the end';
	cmp_ok $killed, '>=', 50, "$killed relays killed";
	push @events, stream(\$last);
	my %seen;
	$seen{$_->{id}}++ for @events;
	is_deeply [sort { $a <=> $b } keys %seen],
	    [split /\n/, sql('SELECT id FROM outbox ORDER BY id')],
	    'none is lost, none is made up';
	is scalar(keys %seen), $writers * 10 * 60, 'each that was written';
	ok in_order(@events), 'those of an order are in order';
	note scalar(@events) - keys(%seen) . ' repeated';
};

# Holds the turn: the other relay waits, nothing is sent twice.
subtest 'two relays at peace' => sub {
	ok await(5, sub { job_pids('relay') == 2 }), 'two are back';
	redis('DEL', 'orders');
	write_events(50, 3) for 1 .. 12;
	ok await(10, sub { !waiting() }), 'all are delivered';
	my @events = stream();
	is scalar(@events), 600, 'each once';
	is_deeply [map { $_->{id} } @events],
	    [sort { $a <=> $b } map { $_->{id} } @events], 'all in order';
	my %by = map { $_->{pid} => 1 }
	    grep { $_->{ev} eq 'event.sent' } log_lines();
	cmp_ok scalar(keys %by), '>=', 2, 'by several relays';
};

subtest 'a stream that nobody reads is bounded' => sub {
	redis('DEL', 'orders');
	write_events(9000, 3);
	ok await(20, sub { !waiting() }), 'all are delivered';
	cmp_ok redis('XLEN', 'orders'), '<=', 8000, 'and some forgotten';
};

subtest 'a reader that is far behind' => sub {
	redis('DEL', 'orders');
	redis('XGROUP', 'CREATE', 'orders', 'slow', '0', 'MKSTREAM');
	write_events(9000, 3);
	ok await(10, sub {
		grep { $_->{ev} eq 'relay.room' } log_lines()
	}), 'is told';
	my $held = redis('XLEN', 'orders');
	cmp_ok $held, '<=', 8000, "the stream holds $held";
	cmp_ok waiting(), '>=', 1000, 'the rest waits';
	my $read = 0;
	my $end = time + 20;
	while (time < $end && $read < 9000) {
		my @ids = redis('XREADGROUP', 'GROUP', 'slow', 'me', 'COUNT',
		    500, 'STREAMS', 'orders', '>') =~ /^(\d+-\d+)$/mg;
		redis('XACK', 'orders', 'slow', @ids) if @ids;
		$read += @ids;
		sleep 0.1 if !@ids;
	}
	is $read, 9000, 'and loses nothing';
	redis('XGROUP', 'DESTROY', 'orders', 'slow');
	ok await(10, sub { !waiting() }), 'none waits';
};

subtest 'Redis away' => sub {
	expect_error(qr/"ev":"redis\.error".*"prog":"relay"/,
	    qr/"prog":"relay".*"ev":"redis\.error"/);
	redis('DEL', 'orders');
	backend_stop('redis');
	write_events(50, 3);
	sleep 1.5;
	is waiting(), 50, 'events wait';
	backend_start('redis');
	ok await(15, sub { !waiting() }), 'until it is back';
	my %seen = map { $_->{id} => 1 } stream();
	is scalar(keys %seen), 50, 'then all are there';
};

subtest 'what was delivered is forgotten' => sub {
	write_events(5, 1);
	await(5, sub { !waiting() });
	sql('UPDATE outbox SET delivered_at = UTC_TIMESTAMP()
	    - INTERVAL 8 DAY LIMIT 3');
	kill 'TERM', job_pids('relay');
	ok await(10, sub {
		sql('SELECT COUNT(*) FROM outbox WHERE delivered_at
		    < UTC_TIMESTAMP() - INTERVAL 7 DAY') == 0
	}), 'after a week';
	cmp_ok sql('SELECT COUNT(*) FROM outbox'), '>', 0, 'not before';
};

subtest 'the list of jobs' => sub {
	spew("$jobs", "relay workers=1\n");
	seoga_ok('reload');
	is scalar(my @one = job_pids('relay')), 1, 'reload applies it';
	spew("$jobs", "# relay\n");
	like seoga_ok('reload'), qr/Stopped: relay/, 'also without the job';
	is scalar(my @none = job_pids('relay')), 0, 'none runs';
	for (["relay\nrelay\n", qr/line 2: relay is on an earlier line/],
	    ["no-such\n", qr/line 1: there is no job "no-such"/],
	    ["relay workers=0\n", qr/line 1: "workers=0" is not workers=N/],
	    ["../x\n", qr/is not the name of a job/]) {
		spew("$jobs", $_->[0]);
		like seoga('reload'), $_->[1], "refused: $_->[0]";
	}
	spew("$jobs", "relay\n");
	seoga_ok('reload');
	my ($pid) = job_pids('relay');
	ok $pid, 'it runs again';
	seoga_ok('restart');
	isnt +(job_pids('relay'))[0], $pid, 'restart replaces it';
};

site_stop();
done_testing();
