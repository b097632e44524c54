#!/usr/bin/perl
# What each page may cost: SQL statements, trips to Redis, bytes.
use strict;
use warnings;

use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 99');

my $guest = Seoga::Reader->new;
my $member = Seoga::Reader->new;
$member->register;

sub cost {
	my ($reader) = @_;
	my ($end) = ends_of($reader->trace);

	return "$end->{db} SQL, $end->{redis} Redis";
}

# The first request after a start prepares, and fills the cache.
sub warm {
	my ($code, $times) = @_;

	$code->() for 1 .. $times // 4;
}

sub page {
	my ($reader, $path, $cost, $name) = @_;

	warm(sub { $reader->get($path) });
	is $reader->status, 200, $name;
	is cost($reader), $cost, "$name: $cost";
	cmp_ok length $reader->bytes, '<', 30_000, "$name: under 30 kB ("
	    . length($reader->bytes) . ' bytes)';
}

$guest->add($_) for 1101 .. 1105;
$member->add($_) for 1101 .. 1105;
$_->get('/cart') for $guest, $member;
for (['a guest', $guest], ['a member', $member]) {
	my ($who, $reader) = @$_;

	page($reader, $_->[0], $_->[1], "$who, $_->[2]")
	    for ['/', '1 SQL, 1 Redis', 'home'],
	    ['/books', '1 SQL, 1 Redis', 'the list'],
	    ['/books?sort=newest', '1 SQL, 1 Redis', 'newest'],
	    ['/books?category=1', '1 SQL, 1 Redis', 'a category'],
	    ['/books?q=a', '2 SQL, 1 Redis', 'a search'],
	    ['/books/1101', '0 SQL, 1 Redis', 'a book'],
	    ['/cart', '1 SQL, 1 Redis', 'the cart'];
}
page($guest, '/login', '0 SQL, 1 Redis', 'signing in');
page($guest, '/register', '0 SQL, 1 Redis', 'registering');
page($member, '/account', '1 SQL, 3 Redis', 'the account');
page($member, '/checkout', '2 SQL, 1 Redis', 'checkout');
my $order = $member->order;
page($member, "/orders/$order", '4 SQL, 1 Redis', 'an order');
page($member, '/orders', '1 SQL, 1 Redis', 'one\'s orders');
$member->add($_) for 1101 .. 1105;
page(Seoga::Reader->new, '/covers/1101.svg', '1 SQL, 0 Redis', 'a cover');
page(Seoga::Reader->new, '/api/health', '0 SQL, 0 Redis', 'health');

{
	my $korean = Seoga::Reader->new(lang => 'ko');
	page($korean, '/books', '1 SQL, 1 Redis', 'the list in Korean');
}

# A POST may cost a flash message more.
sub act {
	my ($reader, $from, $action, $values, $cost) = @_;

	$reader->get($from);
	$reader->send($action, %$values);
	is $reader->status, 303, $action;
	is cost($reader), $cost, "$action: $cost";
}

for (['a guest', $guest], ['a member', $member]) {
	my ($who, $reader) = @$_;

	note $who;
	for (1 .. 3) {
		$reader->add(1201);
		$reader->get('/cart');
		$reader->submit('/cart/set', quantity => 2);
	}
	act($reader, '/books/1201', '/cart/add', {}, '1 SQL, 3 Redis');
	act($reader, '/cart', '/cart/set', { quantity => 3 },
	    '1 SQL, 3 Redis');
	act($reader, '/cart', '/cart/remove', {}, '0 SQL, 3 Redis');
	act($reader, '/cart', '/cart/clear', {}, '0 SQL, 3 Redis');
}
act($member, '/', '/logout', {}, '0 SQL, 3 Redis');

subtest 'what a browser loads beside' => sub {
	my $home = $guest->get('/')->html;
	my @links = $home =~ /(?:href|src)="(\/static[^"]*)"/g;
	my $bytes = 0;

	for my $path (do { my %seen; grep { !$seen{$_}++ } @links }) {
		$guest->get($path, 'Accept-Encoding' => 'gzip');
		is $guest->status, 200, $path;
		like $guest->header('cache-control'), qr/immutable/,
		    'is kept for good';
		$bytes += length $guest->bytes;
	}
	cmp_ok $bytes, '<', 10_000, "style and icon: $bytes bytes";
	$guest->get('/', 'Accept-Encoding' => 'gzip');
	is $guest->header('content-encoding'), 'gzip', 'pages are packed';
	cmp_ok length $guest->bytes, '<', 8_000, 'the home page: '
	    . length($guest->bytes) . ' bytes';
};

# The process of that pid file, and its children.
sub family {
	my ($name) = @_;
	my $pid = slurp(site_dir() . "/var/run/$name.pid") =~ s/\s//gr;

	return $pid, split ' ', slurp("/proc/$pid/task/$pid/children");
}

# kB: what processes share is counted by share.
sub memory_of {
	my $sum = 0;

	$sum += slurp("/proc/$_/smaps_rollup") =~ /^Pss:\s+(\d+)/m ? $1 : 0
	    for @_;
	return $sum;
}

subtest 'memory of all but MariaDB and Redis' => sub {
	my ($supervisor, @workers) = family('supervisord');
	my $own = memory_of($supervisor);
	my $all = memory_of($supervisor, @workers, family('nginx'));

	plan skip_all => 'the sanitizer takes more'
	    if slurp("/proc/$workers[0]/maps") =~ /libasan/;
	cmp_ok $own, '<', 18_000, "the supervisor: $own kB";
	cmp_ok $all, '<', 100_000, "all together: $all kB";
};

site_stop();
done_testing();
