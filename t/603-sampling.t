#!/usr/bin/perl
# Which requests are sampled: the caller's flag, else SEOGA_TRACE_RATE; how the
# decision goes on: to the client, to MariaDB's logs, and with an event.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;

use Seoga::Shop;
use Seoga::Test;

shop_start(trace_rate => '0.25', sql_comments => 1000000);
my ($book) = shop_books(1, 1000);
my ($buyer) = shop_buyers(1);
my $number = 0;

sub traceparent {
	my ($flags) = @_;

	return sprintf '00-%08x%024x-00f067aa0ba902b7-%s',
	    ++$number * 0x1010101, $$, $flags;
}

sub flags_for {
	my (%headers) = @_;

	return substr http(get => '/nowhere',
	    { headers => \%headers })->{headers}{traceparent}, -2;
}

subtest 'the caller decides' => sub {
	is flags_for(traceparent => traceparent($_->[0])), $_->[1],
	    "$_->[0]: $_->[1]"
	    for ['01', '01'], ['00', '00'], ['03', '01'], ['ff', '01'],
	    ['02', '00'], ['fe', '00'];
};

subtest 'else the rate' => sub {
	my $sampled = grep { flags_for() eq '01' } 1 .. 300;

	cmp_ok $sampled, '>', 40, "$sampled of 300 is not too few";
	cmp_ok $sampled, '<', 120, 'nor too many';
	my $id = sprintf '%032x', 77;
	share_trace($id);
	my %flags = map { flags_for('X-Request-Id' => $id) => 1 } 1 .. 5;
	is scalar(keys %flags), 1, 'all parts of a trace decide alike';
	my ($line) = grep { $_->{trace} eq $id } access_lines();
	ok await(5, sub {
		($line) = grep { $_->{trace} eq $id } access_lines();
	}), 'nginx has logged it';
	is $line->{flags}, (keys %flags)[0], 'with its flags';
	%flags = ();
	$flags{flags_for(traceparent => "00-$id-00f067aa0ba902b7")}++
	    for 1 .. 60;
	is scalar(keys %flags), 2, 'what is no traceparent decides nothing';
};

# --- MariaDB's logs ---

my $general = site_dir() . '/general.log';
chmod 0777, site_dir();
sql("SET GLOBAL log_output = 'FILE', GLOBAL general_log_file = '$general',
    GLOBAL slow_query_log_file = '$general.slow'");

# Runs the code; gives what MariaDB wrote down meanwhile.
sub logged {
	my ($code) = @_;

	sql('SET GLOBAL general_log = 1, GLOBAL slow_query_log = 1,
	    GLOBAL long_query_time = 0');
	$code->();
	sql('SET GLOBAL general_log = 0, GLOBAL slow_query_log = 0,
	    GLOBAL long_query_time = 10');
	my @texts = map { slurp($_) } $general, "$general.slow";
	unlink $general, "$general.slow";
	sql('FLUSH GENERAL LOGS, SLOW LOGS');
	return @texts;
}

subtest 'a statement leads back to its trace' => sub {
	my $parent = traceparent('01');
	my $id = substr $parent, 3, 32;
	my ($all, $slow) = logged(sub {
		forget_books($book);
		http(get => "/books/$book",
		    { headers => { traceparent => $parent } });
	});
	my ($begin) = grep { $_->{trace} eq $id && $_->{ev} eq 'req.begin' }
	    log_lines();
	my $comment = "/*action='book.by_id.ko',route='book',"
	    . "traceparent='00-$id-$begin->{span}-01'*/";
	like $all, qr/Prepare\t.* WHERE b\.id = \?.*\Q$comment\E$/m,
	    'in the general log, prepared';
	like $all, qr/Execute\t.*\Q$comment\E$/m, 'and executed';
	like $slow, qr/\Q$comment\E;$/m, 'in the slow log';
	my @answers = seoga('trace', $id);
	like $answers[0], qr/SQL book\.by_id\.ko, 1 row\b/, 'which is shown';
};

subtest 'one that is not sampled does not' => sub {
	my $parent = traceparent('00');
	my ($all) = logged(sub {
		forget_books($book);
		http(get => "/books/$book",
		    { headers => { traceparent => $parent } });
	});

	unlike $all, qr/traceparent/, 'without a trace';
	like $all, qr{/\*action='book\.by_id\.ko',route='book'\*/},
	    'but with who asks';
};

subtest 'in a transaction' => sub {
	my $parent = traceparent('01');
	my ($all) = logged(sub {
		my $placed = ask(post => '/api/orders', $buyer,
		    { recipient => 'Kim', phone => '010-1234-5678',
		    postcode => '03925', address => 'Seoul', items =>
		    [{ book_id => 0 + $book, quantity => 1 }] },
		    'Idempotency-Key' => 'in-a-transaction-1',
		    traceparent => $parent);
		is $placed->{status}, 201, 'an order';
	});
	my $id = substr $parent, 3, 32;

	like $all, qr/Execute\t\Q$_\E.*route='orders',traceparent='00-$id-/,
	    $_ for 'START TRANSACTION', 'INSERT INTO orders',
	    'INSERT INTO outbox', 'COMMIT';
};

# --- events ---

sub event_of {
	my ($subject) = @_;
	my $stream = redis('XRANGE', 'orders', '-', '+');
	my ($event) = grep { $_->{subject} eq $subject }
	    map { decode_json($_) } $stream =~ /^(\{.*\})$/mg;

	return $event;
}

subtest 'an event' => sub {
	for my $flags ('00', '01') {
		my $parent = traceparent($flags);
		my $placed = ask(post => '/api/orders', $buyer,
		    { recipient => 'Kim', phone => '010-1234-5678',
		    postcode => '03925', address => 'Seoul', items =>
		    [{ book_id => 0 + $book, quantity => 1 }] },
		    'Idempotency-Key' => "an-event-of-flags-$flags",
		    traceparent => $parent);
		is $placed->{status}, 201, 'an order';
		my $order = $placed->{json}{number} //
		    $placed->{json}{order}{number};
		ok await(5, sub { event_of($order) }), 'its event is sent';
		my ($sent) = grep { $_->{ev} eq 'event.sent' &&
		    $_->{subject} eq $order } log_lines();
		my ($begin) = grep { $_->{ev} eq 'req.begin' &&
		    $_->{trace} eq substr $parent, 3, 32 } log_lines();
		is event_of($order)->{traceparent}, '00-'
		    . substr($parent, 3, 32) . "-$sent->{span}-$flags",
		    "goes on with $flags, below what sent it";
		is $sent->{parent}, $begin->{span},
		    'which is below the request';
	}
};

sql("SET GLOBAL log_output = 'FILE', GLOBAL general_log_file = DEFAULT,
    GLOBAL slow_query_log_file = DEFAULT");
site_stop();

# --- settings ---

subtest 'settings' => sub {
	for my $bad (qw(1.1 5% .5 0.00001 -1 all)) {
		local $ENV{SEOGA_TRACE_RATE} = $bad;
		like seoga('start'), qr/SEOGA_TRACE_RATE is '\Q$bad\E'/,
		    "$bad is refused";
	}
};

done_testing();
