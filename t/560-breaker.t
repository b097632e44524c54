#!/usr/bin/perl
# A backend that hangs costs a deadline five times, and then nobody waits for
# it any more, in any worker of any program; one probe at a time finds out
# when it is back.
use strict;
use warnings;
use utf8;

use List::Util qw(max);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Reader;
use Seoga::Test;

my $deadline_s = 1;
my $fast_s = 0.5;
site_start(db_hosts => '', connect_ms => 1000 * $deadline_s,
    command_ms => 1000 * $deadline_s, breaker_probe_ms => 2500,
    breaker_reset_s => 3);
seoga_ok('migrate', '--sample');
expect_error(qr/"ev":"(?:db|redis)\.error"/,
    qr/"ev":"nginx\.request".*"status":503/);

my ($book, $other) = split ' ', own_sql('SELECT id FROM books
    WHERE stock_quantity > 0 ORDER BY id LIMIT 2');
my $reader = Seoga::Reader->new;
my $name = $reader->register;
my $token = member_token();
my $workers = all_workers();
my %lines = (redis => 0, mariadb => 0);

$reader->add($book, 2);
$reader->get("/books/$book");

sub breakers { return api(get => '/api/ready')->{json}{breakers} }

# Seconds that a request takes.
sub timed {
	my ($path, $token) = @_;
	my $start = time;
	my $answer = api(get => $path, $token);

	return (time - $start, $answer);
}

# Many at once, each by a process of its own; gives what each took.
sub all_at_once {
	my ($clients, $path) = @_;
	my (@results, @took);

	for (1 .. $clients) {
		my $pid = open(my $result, '-|') // die "fork: $!\n";
		if (!$pid) {
			my ($took) = timed($path, $token);
			syswrite STDOUT, "$took\n";
			POSIX::_exit(0);
		}
		push @results, $result;
	}
	for my $result (@results) {
		push @took, <$result> + 0;
		close $result;
	}
	return @took;
}

sub events {
	my ($event, $backend) = @_;

	return grep { $_->{ev} eq $event && $_->{backend} eq $backend }
	    log_lines();
}

# It hangs; these paths find out, one after the other, at a deadline each.
sub opens {
	my ($backend, @paths) = @_;

	backend_hang($backend);
	for my $n (1 .. 5) {
		my $path = $paths[$n % @paths];
		my ($took) = timed($path, $token);
		cmp_ok $took, '>', $deadline_s / 2,
		    "$path, the $n. to be cut by a deadline";
	}
	my $breaker = breakers()->{$backend};
	is $breaker->{state}, 'open', 'the breaker is open';
	is $breaker->{failures}, 5, 'after five failures';
	is $breaker->{opened}, 1, 'for the first time';
}

# Nobody waits, but for a probe that may be out.
sub nobody_waits {
	my ($what, %status) = @_;
	my $before = events('breaker.probe', $what);
	my (@slow, $count);

	for my $round (1 .. 6) {
		for my $path (sort keys %status) {
			my ($took, $answer) = timed($path, $token);
			is $answer->{status}, $status{$path}, $path
			    if $round == 1;
			push @slow, "$path $took" if $took > $fast_s;
			$count++;
		}
	}
	my $probes = events('breaker.probe', $what) - $before;
	cmp_ok scalar(@slow), '<=', $probes,
	    "of $count requests only probes ($probes) were slow"
	    or diag join "\n", @slow;
}

# The wait is over: of many at once, one finds out, the others are refused.
sub one_probe {
	my ($backend, $path) = @_;

	my $before = events('breaker.probe', $backend);
	sleep 3.1;
	my @took = all_at_once(8, $path);
	is scalar(grep { $_ > $deadline_s / 2 } @took), 1,
	    'one of eight is the probe' or diag "@took";
	is events('breaker.probe', $backend) - $before, 1, 'and one is logged';
	isnt breakers()->{$backend}{state}, 'closed', 'which failed';
}

sub heals {
	my ($backend) = @_;

	backend_wake($backend);
	ok await(8, sub { http(get => '/api/ready')->{status} == 200 }),
	    'it heals by itself';
	is_deeply breakers()->{$backend}, { state => 'closed', failures => 0,
		opened => 1 }, 'the breaker is closed';
	is scalar(events('breaker.open', $backend)), 1,
	    'it opened once for all workers';
	is scalar(events('breaker.closed', $backend)), 1, 'and closed once';
	is $reader->cart->{$book}, 2, 'the cart is there';
	ok $reader->signed_in, 'and its member signed in';
	is_deeply all_workers(), $workers, 'no worker has left';
}

is_deeply breakers(), { map { $_ => { state => 'closed', failures => 0,
	opened => 0 } } qw(mariadb redis) }, 'both are closed';

subtest 'an answer is an answer' => sub {
	for (1 .. 8) {
		is api(post => '/api/users/register', undef, { username =>
		    $name, name => 'Twice', password => 'long enough' })
		    ->{status}, 409, 'a duplicate key';
		api(get => '/api/books/1');
	}
	is_deeply [map { @{breakers()->{$_}}{qw(state failures)} }
	    qw(mariadb redis)], [('closed', 0) x 2], 'is no failure';
};

subtest 'Redis hangs' => sub {
	opens('redis', '/api/cart', '/books');
	nobody_waits('redis', '/' => 200, '/books' => 200,
	    "/books/$book" => 200, '/cart' => 503, '/login' => 503,
	    '/api/cart' => 503, '/api/books' => 200, '/api/ready' => 503);
	my ($took, $refused) = timed('/api/cart', $token);
	like $refused->{headers}{'retry-after'}, qr/^[1-5]$/,
	    'Retry-After says when';
	my ($end) = ends_of($refused->{headers}{'x-request-id'});
	is $end->{redis}, 0, 'Redis was not asked'
	    if $took < $fast_s;
	$reader->get('/books');
	is $reader->status, 200, 'the list can be read';
	like $reader->html, qr{href="/login}, 'as a guest';
	one_probe('redis', '/api/cart');
	heals('redis');
};

subtest 'MariaDB hangs' => sub {
	api(get => "/books/$book");	# which fills the cache
	opens('mariadb', '/api/books');
	nobody_waits('mariadb', '/' => 503, '/books' => 503,
	    "/books/$book" => 200, "/books/$other" => 503,
	    '/api/books' => 503, '/api/ready' => 503, '/login' => 200);
	one_probe('mariadb', '/api/books');
	heals('mariadb');
};

# No way to it is as good as silence, and found at once.
subtest 'Redis stops' => sub {
	backend_stop('redis');
	http(get => '/api/ready') for 1 .. 6;
	is breakers()->{redis}{state}, 'open', 'the breaker is open';
	is breakers()->{mariadb}{state}, 'closed', 'the other is not';
	backend_start('redis');
	ok await(8, sub { http(get => '/api/ready')->{status} == 200 }),
	    'it heals';
	is breakers()->{redis}{opened}, 2, 'counted';
};

site_stop();
done_testing();
