#!/usr/bin/perl
# From a request to its trace in Redis: what programs, nginx and jobs logged.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 99');

my $number = 0;

sub new_id { return sprintf '613%029x', ++$number }

# The lines of a trace that are in Redis.
sub kept {
	my ($trace) = @_;
	my @keys = split /\n/, redis('KEYS', 'trace-block:*');

	return map { decode_json($_) } grep { /"trace":"\Q$trace\E"/ }
	    map { split /\n/, redis('LRANGE', $_, 0, -1) }
	    sort { substr($a, 12) <=> substr($b, 12) } @keys;
}

sub events_of { return join ' ', map { $_->{ev} } @_ }

# A GET with these headers; its trace.
sub ask {
	my ($path, $status, %header) = @_;
	my $id = new_id();

	is http(get => $path, { headers => { 'X-Request-Id' => $id,
	    %header } })->{status}, $status, "$path: $status";
	return $id;
}

subtest 'a page' => sub {
	my $start = time;
	my $trace = ask('/books', 200);

	ok await(5, sub { events_of(kept($trace)) =~ /req\.end/ }),
	    'its lines are kept';
	cmp_ok time - $start, '<', 3, 'soon';
	ok await(5, sub { events_of(kept($trace)) =~ /nginx\.request/ }),
	    'so is that of nginx';
	cmp_ok time - $start, '<', 5, 'a little later';
	like events_of(kept($trace)),
	    qr/^req\.begin.* db\.query.* req\.end nginx\.request$/, 'all of them';
	my @logged = grep { $_->{trace} eq $trace } log_lines(), access_lines();
	is_deeply [kept($trace)], \@logged, 'as they were logged';
};

subtest 'no program was asked' => sub {
	for (['/no-such-page', 404], ['/static/seoga.css', 200],
	    ['/static/none.css', 404]) {
		my $trace = ask(@$_);
		ok await(5, sub {
			events_of(kept($trace)) eq 'nginx.request' }),
		    'nginx alone';
		ok await(3, sub {
			join(' ', map { redis('LRANGE', $_, 0, -1) }
			    split /\n/, redis('KEYS', 'trace-list:*'))
			    =~ /^\d+ \d+ $_->[1] GET - 0 0 0 \d+ $trace \S+$/m
		}), 'it is listed';
	}
};

# W3C: whoever calls decides.
subtest 'not sampled' => sub {
	my $number = 'cafe' x 8;
	my $caller = 'fade' x 8;
	my $get = sub {
		my ($id, $flags) = @_;
		is http(get => '/books', { headers => {
		    traceparent => "00-$id-00f067aa0ba902b7-$flags" }
		})->{status}, 200, "flags $flags";
	};

	$get->($number, '00');
	$get->($caller, '01');
	ok await(5, sub {
		events_of(kept($caller)) =~ /req\.end nginx\.request/ }),
	    'the one is kept';
	is events_of(kept($number)), '', 'the other is not';
	ok scalar(grep { $_->{trace} eq $number } log_lines()),
	    'but logged it is';
};

# A program that logs more than a piece can hold: the address is in it twice.
subtest 'a long address' => sub {
	my $path = '/books/' . '%ED' x 2000;
	my $trace = ask($path, 404);

	ok await(5, sub { events_of(kept($trace)) =~ /nginx\.request/ }),
	    'is kept';
	my ($line) = grep { $_->{ev} eq 'nginx.request' } kept($trace);
	is length($line->{path}), length($path), 'whole';
};

subtest 'what jobs do later' => sub {
	my $member = Seoga::Reader->new;

	$member->register;
	$member->add(1101);
	my $order = $member->order;
	my $trace = sql("SELECT trace FROM outbox WHERE subject = '$order'
	    ORDER BY id LIMIT 1") =~ s/\s//gr;
	like $trace, qr/^[0-9a-f]{32}$/, "an order, $order";
	ok await(10, sub { events_of(kept($trace)) =~ /event\.sent/ }),
	    'its event was sent' or diag events_of(kept($trace));
	my ($sent) = grep { $_->{ev} eq 'event.sent' } kept($trace);
	is $sent->{prog}, 'relay', 'by the relay';
	ok await(10, sub {
		grep { $_->{ev} eq 'job.round' && $_->{prog} eq 'relay' }
		    map { decode_json($_) } grep { /"job\.round"/ }
		    map { split /\n/, redis('LRANGE', $_, 0, -1) }
		    split /\n/, redis('KEYS', 'trace-block:*')
	}), 'whose round is a trace as well';
	is scalar(grep { /"prog":"recorder"/ }
	    map { split /\n/, redis('LRANGE', $_, 0, -1) }
	    split /\n/, redis('KEYS', 'trace-block:*')), 0,
	    'those of the recorder are none';
};

subtest 'bounds' => sub {
	my @keys = split /\n/, redis('KEYS', 'trace*');

	cmp_ok scalar(@keys), '<', 30, 'few keys: ' . @keys;
	for (grep { /^trace-(?:blocks$|\w+:\d+$)/ } @keys) {
		my $ttl = redis('TTL', $_);
		cmp_ok $ttl, '>', 3500, "$_ has an end";
		cmp_ok $ttl, '<=', 3660, 'in an hour';
	}
};

subtest 'instances' => sub {
	my ($name) = split /\n/, redis('ZRANGE', 'instances', 0, -1);
	my %instance = split /\n/, redis('HGETALL', "instance:$name");

	ok await(12, sub {
		%instance = split /\n/, redis('HGETALL', "instance:$name");
		$instance{workers} > 20
	}), 'this one counts its workers';
	like $instance{host}, qr/\S/, 'has a host';
	cmp_ok abs(time - $instance{started}), '<', 100, 'began just now';
	my $ttl = redis('TTL', "instance:$name");
	cmp_ok $ttl, '>', 15, 'lives for a while';
	cmp_ok $ttl, '<=', 30, 'unless it says more';
	is +(split ' ', (seoga('status') =~ /^recorder +pid (\d+)$/m)[0])[0],
	    $instance{pid}, 'the recorder says so';
};

subtest 'at rest' => sub {
	my ($pid) = seoga('status') =~ /^recorder +pid (\d+)$/m;
	my $ticks = sub {
		my @field = split ' ', slurp("/proc/$pid/stat") =~ s/.*\) //r;
		return $field[11] + $field[12];
	};
	my $before = $ticks->();

	plan skip_all => 'the sanitizer takes more'
	    if slurp("/proc/$pid/maps") =~ /libasan/;
	sleep 5;
	cmp_ok $ticks->() - $before, '<=', 5, 'the recorder takes under 1 %';
	ok !(grep { $_->{ev} eq 'job.round' && $_->{prog} eq 'recorder' }
	    log_lines()), 'and says nothing';
};

site_stop();
done_testing();
