#!/usr/bin/perl
# Reading is tried again, a little later each time and never in step with
# others; writing is not.  And a backend that answers, but much too slowly, is
# as good as away.
use strict;
use warnings;
use utf8;

use IO::Select;
use IO::Socket::UNIX;
use List::Util qw(max min);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

site_start(db_hosts => '', command_ms => 4000, breaker_timeout_s => 1,
    breaker_probe_ms => 300, breaker_reset_s => 1);
seoga_ok('migrate', '--sample');
expect_error(qr/"ev":"(?:db|redis)\.error"/,
    qr/"ev":"nginx\.request".*"status":503/);
my ($token, $name) = member_token();
own_sql("UPDATE users SET role = 'librarian' WHERE username = '$name'");
$token = api(post => '/api/users/login', undef, { username => $name,
    password => 'a long enough password' })->{json}{token};

# --- a bad line to a backend: all links can be cut, and new ones refused ---

my %line;	# backend => pid

END { kill 'KILL', values %line }

sub file { return site_dir() . "/line.$_[0].$_[1]" }

sub line_start {
	my ($backend) = @_;
	my $socket = site_dir() . "/var/run/$backend.sock";

	rename $socket, "$socket.real" or die "$socket: $!\n";
	my $listener = IO::Socket::UNIX->new(Local => $socket,
	    Listen => 511) or die "$socket: $!\n";
	chmod 0666, $socket;
	spew(file($backend, 'refuse'), 0);
	my $pid = fork() // die "fork: $!\n";
	if (!$pid) {
		%line = ();
		run_line($backend, $listener, "$socket.real");
		POSIX::_exit(0);
	}
	$line{$backend} = $pid;
}

sub line_end {
	my ($backend) = @_;
	my $socket = site_dir() . "/var/run/$backend.sock";

	kill 'KILL', $line{$backend};
	waitpid delete $line{$backend}, 0;
	rename "$socket.real", $socket or die "$socket: $!\n";
}

sub run_line {
	my ($backend, $listener, $real) = @_;
	my $all = IO::Select->new($listener);
	my (%other, $cut);

	local $SIG{USR1} = sub { $cut = 1 };
	while (1) {
		my @ready = $all->can_read(0.5);
		if ($cut) {
			$all->remove($_), close $_ for values %other;
			(%other, $cut) = ();
			spew(file($backend, 'cut'), '');
			next;
		}
		for my $from (@ready) {
			if ($from == $listener) {
				my $client = $listener->accept or next;
				next if refused($backend);
				my $server = IO::Socket::UNIX->new(
				    Peer => $real) or next;
				@other{$client, $server} = ($server, $client);
				$all->add($client, $server);
				next;
			}
			my $to = $other{$from} or next;
			my $bytes;
			next if sysread($from, $bytes, 65536) &&
			    syswrite $to, $bytes;
			$all->remove($from, $to);
			delete @other{$from, $to};
			close $_ for $from, $to;
		}
	}
}

# One that is refused leaves the time when it came.
sub refused {
	my ($backend) = @_;
	my $left = slurp(file($backend, 'refuse'));

	return 0 if !$left;
	spew(file($backend, 'refuse'), $left - 1);
	spew(file($backend, 'times'),
	    slurp(file($backend, 'times')) . time . "\n");
	return 1;
}

sub cut {
	my ($backend, $refuse) = @_;

	unlink file($backend, $_) for qw(times cut);
	spew(file($backend, 'refuse'), $refuse);
	kill 'USR1', $line{$backend};
	await(5, sub { -e file($backend, 'cut') }) or die "it is not cut\n";
}

sub retries {
	my ($answer, $event) = @_;
	my $trace = $answer->{headers}{'x-request-id'};

	ends_of($trace);
	return scalar(grep { $_->{trace} eq $trace && $_->{ev} eq $event }
	    log_lines());
}

subtest 'reading MariaDB' => sub {
	my @waits;

	line_start('mariadb');
	is http(get => '/api/books')->{status}, 200, 'the line works';
	for my $round (1 .. 8) {
		cut('mariadb', 2);
		my $answer = http(get => '/api/books');
		is $answer->{status}, 200, 'cut off, and refused twice: read';
		is retries($answer, 'db.retry'), 2, 'with two retries'
		    if $round == 1;
		my @times = split /\n/, slurp(file('mariadb', 'times'));
		push @waits, 1000 * ($times[1] - $times[0]);
	}
	# 10 ms and up to as much again.
	cmp_ok min(@waits), '>=', 10, 'after a wait';
	cmp_ok max(@waits) - min(@waits), '>', 0.5,
	    'that is never the same' or diag "@waits";
	cut('mariadb', 3);
	my $answer = http(get => '/api/books');
	is $answer->{status}, 503, 'three times are too often';
	my @times = split /\n/, slurp(file('mariadb', 'times'));
	cmp_ok 1000 * ($times[2] - $times[1]), '>=', 20, 'the wait doubled';
	is http(get => '/api/books')->{status}, 200, 'then it is there again';
};

subtest 'writing MariaDB' => sub {
	my %book = (name => 'Written once', price => 100, category_id => 53);

	is api(post => '/catalog/products', $token, \%book)->{status}, 201,
	    'the line works';
	cut('mariadb', 1);
	my $answer = api(post => '/catalog/products', $token, \%book);
	is $answer->{status}, 503, 'cut off, and refused once: an error';
	is retries($answer, 'db.retry'), 0, 'without a retry';
	is api(post => '/catalog/products', $token, \%book)->{status}, 201,
	    'who tries again himself may';
	is own_sql("SELECT COUNT(*) FROM books
	    WHERE title = 'Written once'") + 0, 2, 'and nothing came twice';
	line_end('mariadb');
};

subtest 'reading Redis' => sub {
	line_start('redis');
	is api(get => '/api/cart', $token)->{status}, 200, 'the line works';
	cut('redis', 2);
	my $answer = api(get => '/api/cart', $token);
	is $answer->{status}, 200, 'cut off, and refused twice: read';
	is retries($answer, 'redis.retry'), 2, 'with two retries';
};

subtest 'writing Redis' => sub {
	my ($book) = split ' ', own_sql('SELECT id FROM books
	    WHERE stock_quantity > 0 LIMIT 1');

	cut('redis', 1);
	my $read = api(get => '/api/cart', $token);
	is retries($read, 'redis.retry'), 1, 'a read is retried';
	is idempotent($token, $book, 'w1')->{status}, 200, 'the line works';
	my $before = quantities($token)->{$book};
	cut('redis', 0);
	is idempotent($token, $book, 'w2')->{status}, 200,
	    'a write on a dead link finds a new one';
	is quantities($token)->{$book}, $before + 1, 'and is done once';
	line_end('redis');
};

subtest 'answers that come too late' => sub {
	ok await(5, sub { http(get => '/api/ready')->{status} == 200 }),
	    'all is well';
	for my $n (1 .. 5) {
		redis('CLIENT', 'PAUSE', 1200);
		my $ready = http(get => '/api/ready');
		is $ready->{status}, 200, "answer $n comes" if $n < 5;
	}
	my $breaker = api(get => '/api/ready')->{json}{breakers}{redis};
	is $breaker->{failures}, 5, 'each is a failure';
	isnt $breaker->{state}, 'closed', 'and five are enough';
	ok await(8, sub { http(get => '/api/ready')->{status} == 200 }),
	    'it heals';
};

site_stop();
done_testing();
