#!/usr/bin/perl
# Workers and MariaDB killed with -9 while orders are placed, paid and
# cancelled: whoever asks again with the same key gets the same order, no copy
# is lost, and what was paid has its event, once.
use strict;
use warnings;

use JSON::PP qw(decode_json encode_json);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Shop;
use Seoga::Test;

shop_start(workers => 2, db_hosts => '', sql => \&own_sql,
    command_ms => 3000);
expect_error(qr/./);	# whatever was said: the books tell

my @books = shop_books(4, 400);
my @buyers = shop_buyers(6);
my $stop = site_dir() . '/buyers.stop';

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

# In the background: the buyers, and who kills.
my $buying = fork() // die "fork: $!\n";
if (!$buying) {
	my @said = at_once(6, map { my $n = $_; sub { buy($n) } } 0 .. 5);
	spew(site_dir() . '/said', encode_json(\@said));
	POSIX::_exit(0);
}
sleep 1;
my ($killed, $restarts) = (0, 0);
for my $round (1 .. 12) {
	$killed += kill_all($_) for qw(orders order-pay order-status);
	sleep 0.4;
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
    own_sql('SELECT number, state FROM orders');

cmp_ok $killed, '>=', 20, "$killed workers were killed";
is $restarts, 3, 'and MariaDB three times';
cmp_ok scalar(keys %told), '>=', 40, scalar(keys %told) . ' orders';
is_deeply [map { $_->{lost} } @said], [(0) x 6],
    'each got an answer in the end';
is_deeply \%state, \%told, 'all orders are there, each as its buyer was told';
shop_is_sound('after all');
site_stop();
done_testing();
