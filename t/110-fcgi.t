#!/usr/bin/perl
# lib/fcgi through a client of its own: records split anywhere, clients that
# lie, fall silent or go away, kept connections, and the signals.  Whatever
# comes, the worker goes on serving.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::FastCGI qw(record begin_request params stdin pair request);

use constant { RC_OK => 0, RC_BAD_INPUT => -1, RC_TOO_LARGE => -7 };
use constant { MIB => 1 << 20, CANT_MPX_CONN => 1 };

my $build = $ENV{SEOGA_BUILD} // '.';
my $echo = "$build/t/echo";
plan skip_all => 'the programs are not built' if !-x $echo;

my @started;

# Workers of t/echo.c: at most 1 MiB of body, 30 s a request, 5 s to drain.
sub start {
	my (%o) = @_;
	my $worker = Seoga::FastCGI->start([$echo, MIB, $o{request_s} // 30,
	    $o{drain_s} // 5, $o{log} // ()], %o);

	push @started, $worker;
	return $worker;
}

my $worker = start();
my ($pid) = $worker->pids;
# Those that must fall silent do so while the other tests run.
my @silent = map { silence($_) } (
	[10, 'half a header' => substr begin_request(), 0, 5],
	[10, 'half a body' => begin_request()
	    . params({ CONTENT_LENGTH => 100 }) . record(5, 'x' x 50)],
	[10, 'no end of the parameters' => begin_request() . record(4, '')
	    =~ s/\0\0\0\0$//r],
	[2, 'no byte' => '']);

sub silence {
	my ($seconds, $what, $bytes) = @{$_[0]};
	my $own = start();
	my $c = $own->connection;

	$c->send($bytes);
	return { seconds => $seconds, what => $what, worker => $own, c => $c,
	    start => time };
}

sub serves {
	my ($what) = @_;
	my $start = time;
	my $answer = $worker->ask({}, 'ping', seconds => 5);
	is $answer->{body}, 'ping', "$what; the worker goes on";
	cmp_ok time - $start, '<', 1, '... at once';
	is $answer->{header}{'x-pid'}, $pid, '... the same worker';
}

sub rc_is {
	my ($answer, $rc, $what) = @_;

	is $answer->{header}{'x-rc'}, $rc, $what;
}

sub random_bytes {
	my ($n) = @_;

	return join '', map { chr int rand 256 } 1 .. $n;
}

# Cuts bytes at so many random places.
sub cut {
	my ($bytes, $cuts) = @_;
	my %at = map { int rand(length $bytes) => 1 } 1 .. $cuts;
	my $from = 0;

	return map {
		my $piece = substr $bytes, $from, $_ - $from;
		$from = $_;
		$piece;
	} (sort { $a <=> $b } keys %at), length $bytes;
}

subtest 'records split at every byte' => sub {
	my $bytes = request({ A => 'b' }, "ab\0c");
	my ($failed, $kept_failed) = (0, 0);

	for my $at (1 .. length($bytes) - 1) {
		my $c = $worker->connection;
		$c->send_pieces(substr($bytes, 0, $at), substr $bytes, $at);
		my $answer = $c->answer(5);
		$failed++ if !$answer || ($answer->{body} // '') ne "ab\0c";
	}
	is $failed, 0, 'two writes';
	my $c = $worker->connection;
	$c->send_pieces(split //, $bytes);
	is $c->answer(5)->{body}, "ab\0c", 'a write for each byte';
	serves('splits');
};

subtest 'records split at every byte, on one kept connection' => sub {
	for my $body ('', "ab\0c") {
		my $bytes = request({ A => 'b' }, $body, keep => 1);
		my ($c, $failed) = ($worker->connection, 0);
		for my $at (1 .. length($bytes) - 1) {
			$c->send_pieces(substr($bytes, 0, $at),
			    substr $bytes, $at);
			my $answer = $c->answer(5);
			$failed++ if !$answer || ($answer->{body} // '') ne $body;
			$c = $worker->connection if !$answer;
		}
		is $failed, 0, length $body ? 'with a body' : 'without a body';
		ok !$c->closes(0.05), 'it is still kept';
	}
	serves('splits on a kept connection');
};

subtest 'the end of the body comes late' => sub {
	my $c = $worker->connection;
	my $request = request({}, 'body', keep => 1);

	for (1 .. 5) {
		$c->send(substr $request, 0, -8);
		sleep 0.05;
		$c->send(substr $request, -8);
		is $c->answer(5)->{body}, 'body', 'an answer';
		ok !$c->closes(0.02), 'the connection is kept';
	}
	serves('a late end');
};

subtest 'larger requests, split at random' => sub {
	my %param = map { ("NAME_$_" => 'v' x int rand 300) } 1 .. 200;
	my $body = random_bytes(100_000);
	my $failed = 0;

	for my $n (1 .. 30) {
		my $c = $worker->connection;
		$c->send_pieces(cut(request(\%param, $body,
		    size => 1 + int(rand 9000), padding => int rand 256),
		    1 + int rand 100));
		my $answer = $c->answer(5);
		$failed++ if !$answer || ($answer->{body} // '') ne $body;
	}
	is $failed, 0, 'all answered';
	serves('random splits');
};

subtest 'padding' => sub {
	for my $padding (1, 7, 8, 255) {
		for my $keep (0, 1) {
			my $c = $worker->connection;
			for (1 .. 1 + $keep) {
				$c->send(request({}, 'body', keep => $keep,
				    padding => $padding));
				is $c->answer(5)->{body}, 'body',
				    "$padding bytes, keep $keep";
			}
		}
	}
	serves('padding');
};

sub shown {
	my ($name, $param, %o) = @_;
	my $answer = $worker->ask({ SHOW => $name, %$param }, '', %o);

	return $answer->{body};
}

subtest 'parameters' => sub {
	is shown(X => { X => 'short' }, long => 1), 'short', 'long lengths';
	for my $n (1, 127, 128, 129, 255, 256, 65535, 65536, 200_000) {
		is length shown(X => { X => 'v' x $n }), $n, "$n bytes of value";
		is shown('N' x $n, { ('N' x $n) => 'x' }), 'x',
		    "$n bytes of name" if $n < 1000;
	}
	is shown(P2999 => { map { ("P$_" => "v$_") } 1 .. 3000 }), 'v2999',
	    '3000 of them';
	is shown(X => { X => 'in pieces' }, size => 1), 'in pieces',
	    'a record for each byte';
	is shown(X => { X => '' }), '(absent)', 'an empty one is absent';
	is shown(X => { Y => 1 }), '(absent)', 'an absent one';
	is shown(X => { XY => 1, x => 2 }), '(absent)',
	    'no other name will do';
	is shown(X => { X => "a\0b" }), 'a', 'a NUL ends the value';
	is shown(X => { "X\0Y" => 1 }), '(absent)', 'no NUL in a name';
	is shown(X => { X => "\xff\xfe\r\n" }), "\xff\xfe\r\n", 'any bytes';
	serves('parameters');
};

subtest 'parameters that lie about their lengths' => sub {
	my %lie = (
		'no value' => "\x01",
		'half a length' => "\x80\0",
		'longer than the stream' => "\x0a\x0aX",
		'a huge name' => "\xff\xff\xff\xff\x01X",
		'a huge value' => "\x01\xff\xff\xff\xffX",
		'both huge' => "\xff\xff\xff\xff\xff\xff\xff\xff",
		'an overflow' => "\xff\xff\xff\xff\xff\xff\xff\xfe" . 'x' x 999,
	);
	for my $what (sort keys %lie) {
		my $c = $worker->connection;
		$c->send(begin_request(), record(4, $lie{$what}),
		    record(4, ''), record(5, ''));
		ok $c->closes(5), "$what: dropped";
	}
	serves('lies');
};

subtest 'bodies' => sub {
	my $every = join '', map { chr } 0 .. 255;

	is $worker->ask({}, $every)->{body}, $every, 'every byte';
	is $worker->ask({}, "\0" x 5000)->{body}, "\0" x 5000, 'NULs';
	is $worker->ask({}, 'x' x 3000, size => 1)->{body}, 'x' x 3000,
	    'a record for each byte';
	my $large = random_bytes(MIB);
	ok $worker->ask({}, $large)->{body} eq $large, 'as large as allowed';
	my $answer = $worker->ask({ CONTENT_LENGTH => '' }, '');
	rc_is($answer, RC_OK, 'an empty length');
	is $answer->{header}{'x-len'}, 0, 'no body';
	is $worker->ask({ CONTENT_LENGTH => '0004' }, 'body')->{body}, 'body',
	    'zeros before the length';
	serves('bodies');
};

subtest 'lengths that are no numbers' => sub {
	for my $length ('-1', 'x', '4x', '+4', ' 4', '4 ', '1e1', '0x4',
	    '4,4', '99999999999999999999', '4294967300', "\xef\xbc\x94") {
		my $answer = $worker->ask({ CONTENT_LENGTH => $length },
		    'body', seconds => 5);
		rc_is($answer, RC_BAD_INPUT, "\"$length\"");
		is $answer->{header}{'x-len'}, 0, '... no body';
	}
	serves('bad lengths');
};

subtest 'lengths that do not match' => sub {
	for my $length (3, 5, 1000, 0, '') {
		my $c = $worker->connection;
		$c->send(request({ CONTENT_LENGTH => $length }, 'body',
		    keep => 1));
		rc_is($c->answer(5), RC_BAD_INPUT, "\"$length\" for 4 bytes");
		ok $c->closes(1), '... not kept';
	}
	serves('lengths that do not match');
};

subtest 'too large' => sub {
	my $c = $worker->connection;

	$c->send(request({ CONTENT_LENGTH => MIB + 1 }, '', keep => 1));
	my $answer = $c->answer(5);
	rc_is($answer, RC_TOO_LARGE, 'told before the body is there');
	is $answer->{header}{'x-len'}, 0, 'nothing was read';
	$c->close;
	$c = $worker->connection;
	$c->send(begin_request(keep => 1),
	    params({ CONTENT_LENGTH => 3 * MIB }), stdin('x' x (3 * MIB)));
	rc_is($c->answer(10), RC_TOO_LARGE, 'told though all of it was sent');
	ok $c->closes(5), 'not kept: what is unread would come next';
	$c->close;
	$c = $worker->connection;
	$c->send(begin_request(keep => 1), params({}), stdin('x' x (3 * MIB)));
	rc_is($c->answer(10), RC_BAD_INPUT, 'a body that nobody announced');
	ok $c->closes(5), '... not kept';
	$c->close;
	serves('too large');
};

subtest 'not the protocol' => sub {
	my %wrong = (
		'wrong version' => record(1, pack('nCx5', 1, 0), version => 2),
		'version 0' => record(1, pack('nCx5', 1, 0), version => 0),
		'no begin' => params({ A => 1 }),
		'a short begin' => record(1, "\0\1\0"),
		'a long begin' => record(1, pack('nCx9', 1, 0)),
		'request 0' => record(1, pack('nCx5', 1, 0), id => 0),
		'unknown role' => begin_request(role => 99),
		'body before parameters' => begin_request() . stdin('x'),
		'an end from the client' => begin_request() . record(3, "\0" x 8),
		'output from the client' => begin_request() . record(6, 'x'),
		'unknown type' => begin_request() . record(99, 'x'),
		'HTTP' => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		'wrong version in the body' => begin_request()
		    . params({ CONTENT_LENGTH => 9 })
		    . record(5, 'body', version => 7),
		'unknown type in the body' => begin_request()
		    . params({ CONTENT_LENGTH => 9 }) . record(99, 'x'),
		'abort' => begin_request() . record(2, ''),
		'abort in the body' => begin_request()
		    . params({ CONTENT_LENGTH => 9 }) . record(5, 'body')
		    . record(2, ''),
	);
	for my $what (sort keys %wrong) {
		my $c = $worker->connection;
		$c->send($wrong{$what});
		ok $c->closes(1), "$what: dropped";
	}
	my $failed = 0;
	for (1 .. 100) {
		my $c = $worker->connection;
		$c->send(random_bytes(1 + int rand 200), "\0" x 8);
		$c->close;
	}
	serves('not the protocol');
};

subtest 'management records' => sub {
	# libfcgi never frees the 48 bytes that it takes for an unknown one.
	my $own = start(environment => { ASAN_OPTIONS => 'detect_leaks=0' });
	my $c = $own->connection;
	my $end = time + 5;

	$c->send(record(9, pair('FCGI_MPXS_CONNS', ''), id => 0),
	    record(42, '', id => 0), request({}, 'body'));
	my $values = $c->record($end);
	is $values->{type}, 10, 'values are told';
	like $values->{content}, qr/FCGI_MPXS_CONNS0/, 'one at a time';
	my $unknown = $c->record($end);
	is $unknown->{type}, 11, 'an unknown one is told';
	is ord $unknown->{content}, 42, '... which';
	is $c->answer(5)->{body}, 'body', 'the request is answered';
	is $own->ask({}, 'x')->{body}, 'x', 'the worker goes on';
};

subtest 'requests are not multiplexed' => sub {
	my $c = $worker->connection;

	$c->send(begin_request(id => 1), begin_request(id => 2),
	    record(4, pair(X => 'two'), id => 2),
	    params({ SHOW => 'X', X => 'one' }, id => 1), stdin('', id => 1));
	my $refused = $c->answer(5);
	is $refused->{id}, 2, 'the second is refused';
	is $refused->{protocol}, CANT_MPX_CONN, '... as one too many';
	my $answer = $c->answer(5);
	is $answer->{id}, 1, 'the first is answered';
	is $answer->{body}, 'one', '... with what is its own';
	is $worker->ask({}, 'x', id => 65535)->{id}, 65535, 'the highest id';
	serves('multiplexed requests');
};

subtest 'a request that breaks off is not served' => sub {
	my $dir = File::Temp->newdir('seoga-l-XXXXXX', DIR => '/tmp');
	my $own = start(log => "$dir/log");
	my $request = begin_request() . record(4, pair(REQUEST_METHOD => 'POST'))
	    . record(4, pair(CONTENT_LENGTH => 4)) . record(4, '')
	    . record(5, 'bo') . record(5, 'dy') . record(5, '');

	for my $length (1 .. length($request) - 1) {
		my $c = $own->connection;
		$c->send(substr $request, 0, $length);
		$c->close;
	}
	is $own->ask({}, 'x')->{body}, 'x', 'the worker goes on';
	$own->stop;     # what it says of an answer comes after it
	my $served = () = read_file("$dir/log") =~ /req\.end/g;
	is $served, 1, 'no part of a request was taken for all of it';
};

subtest 'clients that go away' => sub {
	my $request = request({ BYTES => 300_000 }, 'body' x 1000);
	my %part = ('at once' => 0, 'in a header' => 5, 'in a body' => 3000,
	    'before the answer' => length $request);

	for my $what (sort keys %part) {
		for (1 .. 10) {
			my $c = $worker->connection;
			$c->send(substr $request, 0, $part{$what});
			$c->close;
		}
		serves("gone $what");
	}
	my $c = $worker->connection;
	$c->send(request({ BYTES => 4 * MIB }, ''));
	$c->read_more(time + 5, 1000);
	$c->close;
	serves('gone in the answer');
	$c = $worker->connection;
	$c->send(request({}, 'body', keep => 1));
	$c->answer(5);
	$c->close;
	serves('gone between requests');
};

subtest 'large answers' => sub {
	my $pattern = join '', map { chr } 0 .. 250;

	for my $bytes (1, 8183, 8184, 8185, 65536, 4 * MIB, 7 * MIB) {
		my $body = $worker->ask({ BYTES => $bytes }, '')->{body};
		my $want = substr $pattern x ($bytes / 251 + 1), 0, $bytes;
		ok $body eq $want, "$bytes bytes";
	}
	# About the longest record, and over it, on one kept connection.
	my ($c, $failed) = ($worker->connection, 0);
	for my $bytes (1, 65450 .. 65550, 4 * MIB, 1) {
		$c->send(request({ BYTES => $bytes }, '', keep => 1));
		my $body = ($c->answer(5) // {})->{body} // '';
		$failed++ if $body ne substr $pattern x ($bytes / 251 + 1),
		    0, $bytes;
	}
	is $failed, 0, 'any length on a kept connection';
	serves('large answers');
};

subtest 'kept connections' => sub {
	my $c = $worker->connection;
	my $failed = 0;

	for my $n (1 .. 200) {
		$c->send(request({}, "body $n", keep => 1, id => $n));
		my $answer = $c->answer(5);
		$failed++ if $answer->{body} ne "body $n" || $answer->{id} != $n;
	}
	is $failed, 0, '200 requests on one connection';
	$c->send(request({}, 'last', keep => 0));
	is $c->answer(5)->{body}, 'last', 'the last one';
	ok $c->closes(1), '... is the last one';
	$c = $worker->connection;
	$c->send(request({ SILENT => 1 }, '', keep => 1));
	$c->answer(5);
	ok $c->closes(1), 'without a reply it is not kept';
	serves('kept connections');
};

subtest 'kept connections do not starve each other' => sub {
	my @c = map { $worker->connection } 1 .. 10;
	my ($failed, $slowest) = (0, 0);

	for my $n (1 .. 30) {
		# All ask at once; then each is answered in its turn.
		$_->send(request({}, "body $n", keep => 1)) for @c;
		for (@c) {
			my $answer = $_->answer(5);
			$failed++ if !$answer || ($answer->{body} // '') ne "body $n";
			$slowest = $answer->{seconds}
			    if $answer && $answer->{seconds} > $slowest;
		}
		my $new = $worker->ask({}, 'new', seconds => 5);
		$failed++ if !$new || $new->{body} ne 'new';
		$slowest = $new->{seconds} if $new && $new->{seconds} > $slowest;
	}
	is $failed, 0, 'all are answered, and new connections between them';
	cmp_ok $slowest, '<', 0.5, '... soon';
};

sub descriptors {
	my ($of) = @_;

	return scalar(() = glob "/proc/$of/fd/*");
}

subtest '300 idle connections' => sub {
	my $before = descriptors($pid);
	my (@c, $failed, $kept);

	for my $n (1 .. 300) {
		my $c = $worker->connection;
		$c->send(request({}, "body $n", keep => 1));
		my $answer = $c->answer(2);
		$failed++ if !$answer || ($answer->{body} // '') ne "body $n";
		push @c, $c;
	}
	ok !$failed, 'each gets its first answer';
	serves('300 idle connections');
	for my $c (@c) {
		next if $c->closes(0);
		$c->send(request({}, 'again', keep => 1));
		my $answer = $c->answer(5);
		$failed++ if !$answer || ($answer->{body} // '') ne 'again';
		$kept++;
	}
	ok !$failed, 'those that are kept get another one';
	cmp_ok $kept, '>=', 200, "... and that is most of them ($kept)";
	$_->close for @c;
	serves('300 closed connections');
	cmp_ok descriptors($pid), '<=', $before + 1, 'all are forgotten';
};

subtest 'TERM in mid-request' => sub {
	my $own = start();
	my ($its) = $own->pids;
	my $c = $own->connection;
	my $body = random_bytes(50_000);
	my $request = request({}, $body, keep => 1);

	$c->send(substr $request, 0, 30_000);
	sleep 0.1;
	kill 'TERM', $its;
	sleep 0.3;
	$c->send(substr $request, 30_000);
	ok $c->answer(5)->{body} eq $body, 'a half-read body is finished';
	$c->close;
	is $own->wait_for($its, 2), 0, 'then the worker leaves';

	$its = $own->spawn;
	$c = $own->connection;
	$c->send(request({ BYTES => 4 * MIB }, ''));
	$c->read_more(time + 5, 1000);
	kill 'TERM', $its;
	my $answer = $c->answer(30, most => 30_000, delay => 0.001);
	is length $answer->{body}, 4 * MIB, 'a slow 4 MB reply arrives whole';
	is $own->wait_for($its), 0, 'then the worker leaves';

	$its = $own->spawn;
	$c = $own->connection;
	$c->send(request({ SLEEP_MS => 500 }, 'slow'));
	sleep 0.1;
	kill 'TERM', $its;
	is $c->answer(5)->{body}, 'slow', 'a handler is not interrupted';
	is $own->wait_for($its), 0, 'then the worker leaves';
};

subtest 'TERM with kept connections' => sub {
	my $own = start();
	my ($its) = $own->pids;
	my @c = map { $own->connection } 1 .. 3;

	for (@c) {
		$_->send(request({}, 'first', keep => 1));
		$_->answer(5);
	}
	kill 'TERM', $its;
	is $own->wait_for($its, 0.5), undef, 'the worker waits for them';
	$c[0]->send(request({}, 'second', keep => 1));
	is $c[0]->answer(5)->{body}, 'second', 'answers what still comes';
	ok $c[0]->record(time + 1),
	    '... with a surplus record, lest nginx keep the connection';
	ok $c[0]->closes(1), '... and closes';
	my $new = $own->connection;
	$new->send(request({}, 'new'));
	$_->close for @c[0, 1];
	is $new->answer(0.5), undef, 'it takes no new ones';
	is $own->wait_for($its, 0.3), undef, 'one kept one is left';
	$c[2]->close;
	is $own->wait_for($its, 2), 0, 'it leaves when the last one closes';
	$own->spawn;
	is $new->answer(5)->{body}, 'new', 'the next worker takes the new one';
};

subtest 'TERM, and a client that never closes' => sub {
	my $own = start(drain_s => 1);
	my ($its) = $own->pids;
	my $c = $own->connection;
	my $start = time;

	$c->send(request({}, 'first', keep => 1));
	$c->answer(5);
	kill 'TERM', $its;
	is $own->wait_for($its, 5), 0, 'it leaves when its time is over';
	cmp_ok time - $start, '>=', 0.9, '... and not before';
	ok $c->closes(1), 'the connection is closed';
};

subtest 'USR1' => sub {
	my $dir = File::Temp->newdir('seoga-l-XXXXXX', DIR => '/tmp');
	my $own = start(log => "$dir/log");
	my ($its) = $own->pids;

	$own->ask({}, 'x');
	rename "$dir/log", "$dir/log.1";
	my $c = $own->connection;
	my $request = request({}, 'body' x 1000);
	$c->send(substr $request, 0, 2000);
	sleep 0.1;
	kill 'USR1', $its;
	sleep 0.1;
	$c->send(substr $request, 2000);
	is $c->answer(5)->{body}, 'body' x 1000, 'no request is cut';
	$own->ask({}, 'x');
	# What is logged of a request comes after its answer.
	for (1 .. 100) {
		last if -s "$dir/log";
		sleep 0.05;
	}
	ok -s "$dir/log", 'the log is a new file';
	my $lines = () = map { /req\.end/g } map { read_file("$dir/$_") }
	    'log', 'log.1';
	is $lines, 3, 'each request is in the old or the new one';
	is join(' ', $own->pids), $its, 'the worker is the same';
	kill 0, $its or fail 'it is gone';
};

sub read_file {
	my ($path) = @_;

	open my $in, '<', $path or return '';
	local $/;
	return scalar <$in>;
}

subtest 'kill -9' => sub {
	my $own = start(workers => 2);
	my $c = $own->connection;

	$c->send(request({ SLEEP_MS => 5000 }, 'x'));
	sleep 0.2;
	my ($busy) = grep { read_file("/proc/$_/stat") =~ /\) S/
	    && descriptors($_) > descriptors_idle($own) } $own->pids;
	kill 'KILL', $busy;
	ok $c->closes(2), 'the client knows at once';
	is $own->wait_for($busy), 9, 'one is dead';
	is $own->ask({}, 'x', seconds => 5)->{body}, 'x', 'the other serves';
	my $spawned = $own->spawn;
	is scalar(() = $own->pids), 2, 'a new one takes its place';
	my ($other) = grep { $_ != $spawned } $own->pids;
	kill 'TERM', $other;
	is $own->wait_for($other), 0, 'the other leaves';
	is $own->ask({}, 'x', seconds => 5)->{header}{'x-pid'}, $spawned,
	    'it serves, too';
};

# The fewest descriptors that one of these workers has open.
sub descriptors_idle {
	my ($own) = @_;

	return (sort { $a <=> $b } map { descriptors($_) } $own->pids)[0];
}

subtest 'a handler that hangs' => sub {
	my $own = start(request_s => 1);
	my ($its) = $own->pids;
	my $c = $own->connection;

	$c->send(request({ SLEEP_MS => 20_000 }, 'x'));
	is $own->wait_for($its, 4), 1 << 8, 'the worker ends';
	ok $c->closes(1), 'the client knows';
	like $own->said, qr/^\{"lvl":"error","ev":"fcgi\.stuck"\}$/m,
	    'the log says so';
	$own->spawn;
	is $own->ask({}, 'x')->{body}, 'x', 'the next one serves';
};

subtest 'several workers, several clients' => sub {
	my $own = start(workers => 3);
	my @results;

	for my $client (1 .. 6) {
		defined(my $child = open my $from, '-|') or die "fork: $!\n";
		if (!$child) {
			my $failed = 0;
			for my $n (1 .. 100) {
				my $body = "$client $n";
				my $answer = $own->ask({}, $body);
				$failed++ if !$answer
				    || ($answer->{body} // '') ne $body;
			}
			print $failed;
			close STDOUT;
			POSIX::_exit(0);
		}
		push @results, $from;
	}
	is join('', map { scalar <$_> } @results), '000000', 'none failed';
};

subtest 'descriptor 0 is no listening socket' => sub {
	my $said = qx{$echo 1000 1 1 </dev/null 2>&1};

	is $? >> 8, 1, 'it does not start';
	like $said, qr/"ev":"fcgi.start"/, 'and says why';
};

subtest 'clients that fall silent' => sub {
	for my $s (@silent) {
		ok $s->{c}->closes($s->{seconds} + 2
		    - (time - $s->{start})), "$s->{what}: dropped";
		is $s->{worker}->ask({}, 'x', seconds => 3)->{body}, 'x',
		    '... and others are served';
	}
};

is scalar(grep { !$_->stop } @started), 0, 'every worker leaves in peace';
is join('', grep { !/^\{.*\}$/ } map { split /^/, $_->said } @started), '',
    'they said nothing but their log';
done_testing;
