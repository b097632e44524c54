#!/usr/bin/perl
# Many buyers at once: the last copy is sold once, no copy is lost, one key is
# one order, and of two changes that exclude each other one happens.
use strict;
use warnings;

use List::Util qw(shuffle uniq);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Shop;
use Seoga::Test;

srand 20261121;
shop_start(command_ms => 9000);

my $admin = shop_admin();

sub statuses {
	my %count;

	$count{$_->{status}}++ for @_;
	return \%count;
}

sub number { return $_[0]{json}{number} }

# Orders of one copy of a book by a buyer.
sub orders {
	my ($who, $n, $book) = @_;

	return map { number(place_order($who, "$book-$_-" . rand,
	    [$book, 1])) } 1 .. $n;
}

sub state_of {
	my ($number) = @_;

	return shop_sql("SELECT state FROM orders WHERE number = '$number'")
	    =~ s/\s//gr;
}

subtest 'the last copy and a hundred buyers' => sub {
	my ($book) = shop_books(1, 1);
	my @buyers = shop_buyers(100);
	my @answers = at_once(16, map {
		my $who = $_;
		sub { place_order($who, 'last', [$book, 1]) }
	} @buyers);

	is_deeply statuses(@answers), { 201 => 1, 409 => 99 }, 'one has it';
	is stock_of($book), 0, 'none is left';
	is_deeply [uniq map { $_->{json}{lines}[0]{problem} }
	    grep { $_->{status} == 409 } @answers], ['sold_out'],
	    'the others are told';
};

subtest 'fifty orders over five books' => sub {
	my @books = shop_books(5, 40);
	my @buyers = shop_buyers(50);
	my @answers = at_once(12, map {
		my $who = $_;
		my @items = map { [$_, 1 + int rand 4] }
		    (shuffle @books)[0 .. 1 + rand 3];
		sub { place_order($who, 'k', @items) }
	} @buyers);
	my $count = statuses(@answers);

	is_deeply [grep { !/^(?:201|409)$/ } keys %$count], [],
	    'each is accepted or refused';
	cmp_ok $count->{201} // 0, '>=', 20, "$count->{201} are accepted";
	cmp_ok number_of('SELECT MIN(stock_quantity) FROM books'), '>=', 0,
	    'no stock is below zero';
};

subtest 'one key at many workers' => sub {
	my ($book) = shop_books(1, 100);
	my ($who) = shop_buyers(1);
	my @keys = map { "key$_" } 1 .. 10;
	my @answers = at_once(12, map {
		my $key = $keys[$_ % 10];
		sub { +{ %{place_order($who, $key, [$book, 2])}, key => $key } }
	} 0 .. 119);
	my %numbers;

	push @{$numbers{$_->{key}}}, number($_) for @answers;
	is_deeply statuses(@answers), { 201 => 120 }, 'each is answered';
	is_deeply { map { $_ => scalar uniq @{$numbers{$_}} } @keys },
	    { map { $_ => 1 } @keys }, 'each key has one order';
	is stock_of($book), 80, 'of two copies';
};

subtest 'one key for the last copies' => sub {
	my ($book) = shop_books(1, 2);
	my ($who) = shop_buyers(1);
	my @answers = at_once(12, map {
		sub { place_order($who, 'same', [$book, 2]) }
	} 1 .. 24);

	is_deeply statuses(@answers), { 201 => 24 },
	    'who has them is not told that they are gone';
	is scalar(uniq map { number($_) } @answers), 1, 'one order';
};

subtest 'one key, two requests' => sub {
	my ($book) = shop_books(1, 100);
	my ($who) = shop_buyers(1);
	my @answers = at_once(12, map {
		my $copies = 1 + $_ % 2;
		sub { place_order($who, 'two', [$book, $copies]) }
	} 1 .. 24);

	is_deeply statuses(@answers), { 201 => 12, 422 => 12 },
	    'the second is refused';
};

subtest 'paid at once from six tabs' => sub {
	my ($book) = shop_books(1, 20);
	my ($who) = shop_buyers(1);
	my @numbers = orders($who, 10, $book);
	my @answers = at_once(12, map {
		my $number = $numbers[$_ % 10];
		sub { pay_order($who, $number) }
	} 0 .. 59);

	is_deeply statuses(@answers), { 200 => 60 }, 'each is paid';
	is_deeply [uniq map { state_of($_) } @numbers], ['paid'], 'all are';
};

# Two things are done to each of some orders at once, by a code each that gives
# an answer; just one may succeed, and tells the state.
sub either {
	my ($what, $numbers, %do) = @_;
	my @names = sort keys %do;
	my @jobs = map {
		my $number = $_;
		map { my $do = $do{$_}[0]; sub { $do->($number) } } @names
	} @$numbers;
	my @answers = at_once(8, @jobs);
	my (%happened, @wrong);

	for my $number (@$numbers) {
		my %ok;
		for (@names) {
			my $status = (shift @answers)->{status};
			$ok{$_} = 1 if $status == 200;
			push @wrong, "$_: $status"
			    if $status != 200 && $status != 409;
		}
		my @done = keys %ok;
		my $state = state_of($number);
		push @wrong, "$number is $state after: @done"
		    if @done != 1 || $state ne $do{$done[0]}[1];
		$happened{$done[0] // 'nothing'}++;
	}
	is_deeply \@wrong, [], "$what: one of the two";
	diag "$what: ", join ', ', map { "$_ $happened{$_}" }
	    sort keys %happened;
}

subtest 'cancelled against shipped' => sub {
	my ($book) = shop_books(1, 60);
	my ($who) = shop_buyers(1);
	my @numbers = orders($who, 30, $book);

	pay_order($who, $_) for @numbers;
	either('cancel and ship', \@numbers,
	    cancel => [sub { set_status($who, $_[0], 'cancelled') },
		'refunded'],
	    ship => [sub { set_status($admin, $_[0], 'shipped') },
		'shipped']);
};

subtest 'cancelled twice' => sub {
	my ($book) = shop_books(1, 60);
	my ($who) = shop_buyers(1);
	my @numbers = orders($who, 30, $book);

	either('cancel and cancel', \@numbers,
	    reader => [sub { set_status($who, $_[0], 'cancelled') },
		'cancelled'],
	    admin => [sub { set_status($admin, $_[0], 'cancelled') },
		'cancelled']);
	is stock_of($book), 60, 'all are back';
};

# A payment that comes second finds the order cancelled, and one that comes
# first is refunded when it is cancelled then: both may succeed.
subtest 'paid against cancelled' => sub {
	my ($book) = shop_books(1, 60);
	my ($who) = shop_buyers(1);
	my @numbers = orders($who, 30, $book);
	my @answers = at_once(8, map {
		my $number = $_;
		(sub { pay_order($who, $number) },
		sub { set_status($who, $number, 'cancelled') })
	} @numbers);
	my @wrong;

	for my $number (@numbers) {
		my ($pay, $cancel) = map { $_->{status} }
		    splice @answers, 0, 2;
		my $state = state_of($number);
		push @wrong, "$number: $pay, $cancel, $state"
		    if $cancel != 200 || $pay !~ /^(?:200|409)$/ ||
		    $state ne ($pay == 200 ? 'refunded' : 'cancelled');
	}
	is_deeply \@wrong, [], 'in the end all are cancelled';
	is stock_of($book), 60, 'all are back';
};

# The time is over while half of the payments are made; two jobs run.
subtest 'paid against expired' => sub {
	my ($book) = shop_books(1, 80);
	my ($who) = shop_buyers(1);
	my @numbers = orders($who, 60, $book);

	shop_sql('UPDATE orders SET expires_at = UTC_TIMESTAMP()
	    + INTERVAL 1 SECOND WHERE state = "pending" AND user_id = '
	    . $who->{id});
	my $end = time + 6;
	my @jobs = map { sub {
		while (time < $end) {
			seoga_ok('expire', '--once');
			last if !number_of('SELECT COUNT(*) FROM orders
			    WHERE state = "pending" AND user_id = '
			    . $who->{id});
		}
		return { status => 0 };
	} } 1 .. 2;
	my @payers = map {
		my $n = $_;
		sub {
			my %said;
			for my $number (@numbers[grep { $_ % 2 == $n }
			    0 .. 59]) {
				$said{$number} = pay_order($who, $number)
				    ->{status};
				sleep 0.03;
			}
			return \%said;
		}
	} 0, 1;
	my (undef, undef, @said) = at_once(4, @jobs, @payers);
	my %said = map { %$_ } @said;
	my @wrong = grep { state_of($_) ne
	    ({ 200 => 'paid', 409 => 'cancelled' }->{$said{$_}} // '?') }
	    @numbers;

	is_deeply \@wrong, [], 'each is paid, or cancelled';
	my $paid = grep { $_ == 200 } values %said;
	diag "expired: $paid paid, ", 60 - $paid, ' cancelled';
	is stock_of($book), 80 - $paid, 'what was not paid is back';
};

subtest 'lines leave the cart once' => sub {
	my ($one, $two) = shop_books(2, 50);
	my ($who) = shop_buyers(1);

	ask(post => '/api/cart/add', $who,
	    { book_id => 0 + $_->[0], quantity => $_->[1] })
	    for [$one, 5], [$two, 3];
	my @answers = at_once(8, map {
		sub { place_order($who, 'cart', [$one, 2], [$two, 3]) }
	} 1 .. 16);
	is_deeply statuses(@answers), { 201 => 16 }, 'ordered';
	is_deeply { map { $_->{book_id} => $_->{quantity} }
	    @{ask(get => '/api/cart', $who)->{json}{lines}} },
	    { $one => 3 }, 'the rest stays';
};

shop_is_sound('after all');
site_stop();
done_testing();
