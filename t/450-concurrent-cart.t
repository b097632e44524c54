#!/usr/bin/perl
# Many clients and one cart: no addition is lost, none counts twice, no limit
# is passed.
use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP qw(encode_json);
use POSIX ();
use Test::More;

use Seoga::Api;
use Seoga::Test;

my $clients = 8;

site_start();
seoga_ok('migrate', '--sample');
api_open();
my $token = member('kim');
my @books = split ' ', sql('SELECT id FROM books WHERE stock_quantity > 0
    ORDER BY id LIMIT 20');

# Each client makes its requests, [book, key] each, as fast as it can; gives
# how often there was which status.
sub at_once {
	my (@requests_of) = @_;
	my (@results, %count);

	for my $requests (@requests_of) {
		my $pid = open(my $result, '-|') // die "fork: $!\n";
		if (!$pid) {
			add_all(@$requests);
			POSIX::_exit(0);
		}
		push @results, $result;
	}
	for my $result (@results) {
		$count{$_}++ for map { 0 + $_ } <$result>;
		close $result;
	}
	return \%count;
}

sub add_all {
	my (@requests) = @_;
	my $agent = HTTP::Tiny->new(timeout => 30, keep_alive => 1);
	my $statuses = '';

	for (@requests) {
		my ($book, $key) = @$_;
		$statuses .= $agent->post(url('/api/cart/add'), {
		    content => encode_json({ book_id => 0 + $book }),
		    headers => {
			'Content-Type' => 'application/json',
			'Authorization' => "Bearer $token",
			$key ? ('Idempotency-Key' => $key) : (),
		    } })->{status} . "\n";
	}
	syswrite STDOUT, $statuses;
}

# Book number => copies.
sub cart {
	return { map { $_->{book_id} => $_->{quantity} }
	    @{call('showCart', token => $token)->{json}{lines}} };
}

subtest '1000 additions' => sub {
	my @all = map { [$books[$_ % 20]] } 0 .. 999;
	my @parts;

	push @{$parts[$_ % $clients]}, $all[$_] for 0 .. 999;
	is_deeply at_once(@parts), { 200 => 1000 }, 'each is accepted';
	is_deeply cart(), { map { $_ => 50 } @books }, 'none is lost';
	call('clearCart', token => $token);
};

subtest 'one line filled by all' => sub {
	my @parts = map { [([$books[0]]) x 25] } 1 .. $clients;

	is_deeply at_once(@parts), { 200 => 99, 409 => 101 },
	    '99 are accepted';
	is_deeply cart(), { $books[0] => 99 }, 'and there';
	call('clearCart', token => $token);
};

subtest 'the hundredth line' => sub {
	my @many = split ' ', sql('SELECT id FROM books
	    WHERE stock_quantity > 0 ORDER BY id LIMIT 120');
	my @parts;

	push @{$parts[$_ % $clients]}, [$many[$_]] for 0 .. 119;
	is_deeply at_once(@parts), { 200 => 100, 409 => 20 },
	    '100 are accepted';
	is scalar(keys %{cart()}), 100, 'and there';
	call('clearCart', token => $token);
};

subtest 'the same keys from all' => sub {
	my @parts = map { [map { [$books[$_ % 5], "key$_"] } 1 .. 25] }
	    1 .. $clients;

	is_deeply at_once(@parts), { 200 => 25 * $clients },
	    'each is answered';
	is_deeply cart(), { map { $_ => 5 } @books[0 .. 4] },
	    'each counts once';
};

site_stop();
done_testing();
