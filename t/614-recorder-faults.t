#!/usr/bin/perl
# What becomes of traces and figures when the recorder is killed, the log of
# nginx moved, Redis away, hung or full, and the ring gone: requests never
# fail for it, and counters tell what was lost.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Metrics;
use Seoga::Test;

site_start(connect_ms => 300, command_ms => 600, breaker_probe_ms => 100,
    breaker_reset_s => 1);
seoga_ok('migrate', '--sample');
my $run = site_dir() . '/var/run';
my $log = site_dir() . '/var/log/access.log';

sub recorders {
	my $mine = slurp("$run/supervisord.pid") =~ s/\s//gr;

	return grep { slurp("/proc/$_/cmdline") =~ m{/seoga-recorder\0} }
	    split ' ', slurp("/proc/$mine/task/$mine/children");
}

my $number = 0;

# Asks for a page; gives the id.
sub ask {
	my ($path, $status) = @_;
	my $id = sprintf '614%029x', ++$number;
	my $answer = http(get => $path, { headers => {
	    'X-Request-Id' => $id } });

	is $answer->{status}, $status // 200, "$path: $answer->{status}";
	return $id;
}

# The events of a trace in Redis; of several blocks, in any order.
sub kept {
	my ($id) = @_;
	my @keys = sort { ($a =~ /(\d+)/)[0] <=> ($b =~ /(\d+)/)[0] }
	    split /\n/, redis('KEYS', 'trace-block:*');

	return join ' ', map { $_->{ev} } map { decode_json($_) }
	    grep { /"trace":"$id"/ } map { split /\n/,
	    redis('LRANGE', $_, 0, -1) } @keys;
}

sub is_kept {
	my ($id, $name, $seconds) = @_;

	# In either order: who began anew reads nginx's log first.
	ok await($seconds // 8, sub {
		my $kept = kept($id);
		$kept =~ /req\.end/ && $kept =~ /nginx\.request/;
	}), $name or diag kept($id);
}

# A sum over all series of that name.
sub metric {
	my ($name) = @_;
	my $value = metrics_parse(
	    private(get => '/metrics')->{content})->{value};
	my $sum = 0;

	$sum += $value->{$_} for grep { /^\Q$name\E(?:\{|$)/ } keys %$value;
	return $sum;
}

sub lines_of_nginx {
	return scalar grep { /nginx\.request/ } map { split /\n/, slurp($_) }
	    glob "$log*";
}

# nginx writes its lines within a second; those of looking are counted, too.
sub edge_agrees {
	my ($name, $less, $more) = @_;
	my ($counted, $lines);

	await(8, sub {
		sleep 1.2;
		$counted = metric('seoga_edge_requests_total');
		$lines = lines_of_nginx();
		abs($counted - $lines) <= 1;
	});
	cmp_ok $counted, '>=', $lines - ($less // 0) - 1,
	    "$name: $counted counted of $lines";
	cmp_ok $counted, '<=', $lines + ($more // 0), 'and none twice';
}

subtest 'at peace' => sub {
	is_kept(ask('/books'), 'a trace is kept');
	my $alone = ask('/no-such-page', 404);
	ok await(5, sub { kept($alone) eq 'nginx.request' }),
	    'so is what nginx answered itself';
	ask('/static/seoga.css') for 1 .. 3;
	edge_agrees('all answers');
};

subtest 'killed under load' => sub {
	my $kills = 0;

	load_start(3, '/books', '/api/health');
	my $end = time + 8;
	while (time < $end) {
		$kills += kill 'KILL', recorders();
		sleep 0.1 + rand 0.4;
	}
	my ($count, @failed) = load_stop();
	cmp_ok $kills, '>=', 4, "$kills times";
	cmp_ok $count, '>', 100, "$count requests";
	is_deeply \@failed, [], 'none failed';
	is_kept(ask('/books'), 'it goes on');
	# Between the two steps of remembering and counting, one a time.
	edge_agrees('nginx\'s answers', $kills, $kills);
};

subtest 'a second one' => sub {
	my ($first) = recorders();
	my $second = fork() // die;

	if (!$second) {
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		exec $ENV{SEOGA_SRCDIR} . '/bin/seoga', 'recorder' or
		    POSIX::_exit(1);
	}
	sleep 1;
	my @ids = map { ask('/books') } 1 .. 10;
	is_kept($_, 'a trace is kept') for @ids;
	edge_agrees('two recorders');
	is +(recorders())[0], $first, 'the first one is still there';
	kill 'TERM', $second;
	waitpid $second, 0;
	is $?, 0, 'the second leaves';
};

subtest 'nginx\'s log' => sub {
	my $before = ask('/books');
	rename $log, "$log.1" or die;
	# Before nginx knows, it goes on in the file that was moved.
	my $between = ask('/books');
	kill 'USR1', slurp("$run/nginx.pid") =~ s/\s//gr;
	ok await(5, sub { -e $log }), 'is moved away, and a new one made';
	my $after = ask('/books');
	is_kept($_, 'none is lost') for $before, $between, $after;
	edge_agrees('moved');

	rename $log, "$log.2" or die;
	my ($old) = recorders();
	kill 'KILL', $old;
	kill 'USR1', slurp("$run/nginx.pid") =~ s/\s//gr;
	await(5, sub { -e $log });
	rename "$log.1", "$log.3";
	rename "$log.2", "$log.1";
	my @ids = map { ask('/books') } 1 .. 5;
	is_kept($_, 'moved while there was none') for @ids;
	edge_agrees('moved while there was none', 1, 1);

	my $counted = metric('seoga_edge_requests_total');
	sleep 1.5;
	truncate $log, 0 or die;
	sleep 0.5;
	is_kept(ask('/books'), 'cut to nothing');
	cmp_ok metric('seoga_edge_requests_total'), '>', $counted,
	    'and counted on';
};

subtest 'Redis away' => sub {
	expect_error(qr/"ev":"redis\.error"/);
	backend_stop('redis');
	my $start = time;
	my @ids = map { ask('/api/health') } 1 .. 20;
	cmp_ok time - $start, '<', 5, 'requests go on';
	sleep 1.5;
	backend_start('redis');
	is_kept($_, 'and are kept when it is back', 12) for @ids[0, 10, 19];
	is scalar(my @one = recorders()), 1, 'the recorder lives';
};

subtest 'Redis hangs' => sub {
	backend_hang('redis');
	my $start = time;
	my @ids = map { ask('/api/health') } 1 .. 20;
	cmp_ok time - $start, '<', 5, 'requests go on';
	sleep 2;
	my $late = ask('/api/health');
	backend_wake('redis');
	is_kept($_, 'and are kept when it wakes', 12) for $ids[0], $late;
};

# Traces that are in Redis.
sub stored {
	my $sum = 0;

	$sum += $_ for redis('HVALS', 'trace-blocks') =~ /^(\d+)/mg;
	return $sum;
}

subtest 'Redis is full' => sub {
	my $lost = metric('seoga_traces_lost_total');
	my $before = stored();
	redis('SETRANGE', 'ballast', 32_000_000, 'x');
	my ($used) = redis('INFO', 'memory') =~ /^used_memory:(\d+)/m;
	# 95 % of it is in use, and hardly by traces: more than the recorder
	# lets stand, however much of them makes room.
	redis('CONFIG', 'SET', 'maxmemory', int($used / 0.95));
	# It looks when it has something to keep.
	ok await(8, sub { ask('/books'); stored() < $before }),
	    'those from before make room';
	my @ids = map { ask('/books') } 1 .. 20;
	ok await(8, sub { metric('seoga_traces_lost_total') >= $lost + 15 }),
	    'traces are lost, and counted';
	is kept($ids[0]), '', 'they are not kept';
	my ($token, $name, $password) = member_token();
	ok $token, 'sessions are';
	is idempotent($token, 1101, 'k1')->{status}, 200, 'and carts';
	redis('CONFIG', 'SET', 'maxmemory', 256 << 20);
	redis('DEL', 'ballast');
	sleep 2.5;
	is_kept(ask('/books'), 'they are again when there is room');
};

# Workers have it open as it was.
subtest 'the ring is gone' => sub {
	unlink "$run/ring" or die;
	is_kept(ask('/books'), 'who has it open goes on');
	seoga_ok('restart');
	is_kept(ask('/books'), 'and a restart makes a new one');
};

# What is no more of a file, whoever has it mapped cannot touch.  A request that
# is not asked again shows it.
subtest 'files cut short' => sub {
	my $deaths = sub {
		scalar(() = slurp(site_dir() . '/var/log/supervisord.log')
		    =~ /SIGBUS/g) };
	my $before = $deaths->();

	for my $file (qw(ring metric history trend attack ring.recorder
	    breaker)) {
		my %seen;

		truncate "$run/$file", 0 or die;
		for my $path (('/cart/add', '/cart/set', '/login') x 2) {
			$seen{http(post => $path)->{status}}++;
			$seen{http(get => '/books')->{status}}++;
		}
		is join(' ', sort keys %seen), '200 403', "$file: nobody sees it";
		sleep 0.5;
	}
	is $deaths->(), $before, 'nobody dies of it';
	is_kept(ask('/books'), 'and it mends itself', 20);
	my $was = metric('seoga_http_requests_total');
	# Whoever had nothing to do meanwhile does not know yet.
	ok await(8, sub {
		http(get => '/books');
		metric('seoga_http_requests_total') > $was }), 'it counts';
};

subtest 'another file in its place' => sub {
	my $file = site_dir() . '/ring';
	# Any free port, but the same again.
	local @ENV{qw(SEOGA_PORT SEOGA_PRIVATE_PORT)} =
	    map { s/.*:(\d+).*/$1/sr } url(), private_url();
	my @bad = ([sub { mkdir $file or die }, 'a folder'],
	    [sub { rmdir $file; spew($file, 'x' x 10_000) }, 'a text'],
	    [sub { chmod 0, $file or die }, 'one that nobody may read']);

	for (@bad) {
		my ($make, $name) = @$_;

		$make->();
		seoga_ok('stop');
		local $ENV{SEOGA_RING_FILE} = $file;
		seoga_ok('start');
		my $id = ask('/books');
		ok await(5, sub { grep { $_->{ev} eq 'ring.file' &&
		    $_->{msg} =~ /^\Q$file/ } log_lines() }),
		    "$name: the log says so";
		ok await(5, sub {
			metric('seoga_edge_requests_total') >= 3 }),
		    'answers are counted';
		unlike kept($id), qr/req\.end/, 'and that is all';
	}
	seoga_ok('stop');
	seoga_ok('start');
	is_kept(ask('/books'), 'without it all is well again');
};

site_stop();
done_testing();
