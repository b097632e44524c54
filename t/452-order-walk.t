#!/usr/bin/perl
# Random walks over the states of orders, by their readers, others and an
# administrator: each answer, each state and the stock are those of a model.
use strict;
use warnings;

use File::Temp ();
use Test::More;

use Seoga::Shop;
use Seoga::Test;

my $seed = $ENV{SEOGA_TEST_SEED} // 20261121;
my $steps = 400;		# at least; until all was met
my $most = 4000;
my %next = (
	pending => { paid => 1, cancelled => 1 },
	paid => { shipped => 1, refunded => 1 },
	shipped => { delivered => 1, refunded => 1 },
	delivered => { refunded => 1 },
	cancelled => {}, refunded => {},
);
my %card = (good => '4242 4242 4242 4242', declined =>
    '4000-0000-0000-0002', silent => '4000000000000259');

srand $seed;
# The site's own job would come between an act and the model.
my $jobs = File::Temp->new(TEMPLATE => 'seoga-jobs-XXXXXX', DIR => '/tmp');
chmod 0644, "$jobs";
shop_start(workers => 1, jobs => "$jobs");
# The payment service that gives no answer.
expect_error(qr{"uri":"/api/orders/[^"]*/payment"|/payment".*"status":503});
my ($book) = shop_books(1, 40);
my ($reader, $other) = shop_buyers(2);
my $admin = shop_admin();
# The model: the stock, and {number, state, over} of each order; over: its
# time is.
my ($stock, @orders) = (40);

sub pick { return $_[rand @_] }

sub where {
	my ($order) = @_;

	return $order->{over} && $order->{state} eq 'pending' ? 'expired' :
	    $order->{state};
}

# Acts give [status that the model expects, answer].
my %acts = (
	place => sub {
		my $copies = 1 + int rand 3;
		my $answer = place_order($reader, 'walk' . rand,
		    [$book, $copies]);
		return [409, $answer, "place $copies"] if $copies > $stock;
		$stock -= $copies;
		push @orders, { number => $answer->{json}{number},
		    copies => $copies, state => 'pending' };
		return [201, $answer, "place $copies"];
	},
	pay => sub {
		my ($order) = @_;
		my $kind = pick(qw(good good good declined silent wrong));
		my $answer = pay_order($reader, $order->{number},
		    $card{$kind} // '4242 4242 4242 4241');
		my $state = $order->{state};
		my $status = $kind eq 'wrong' ? 400 :
		    $state =~ /paid|shipped|delivered/ ? 200 :
		    $state ne 'pending' || $order->{over} ? 409 :
		    { good => 200, declined => 409, silent => 503 }->{$kind};
		$order->{state} = 'paid'
		    if $status == 200 && $state eq 'pending';
		return [$status, $answer, "pay $kind"];
	},
	cancel => sub {
		my ($order) = @_;
		my $answer = set_status($reader, $order->{number},
		    'cancelled');
		my $to = { pending => 'cancelled', paid => 'refunded' }
		    ->{$order->{state}};
		return [409, $answer, 'cancel'] if !$to;
		$stock += $order->{copies};
		$order->{state} = $to;
		return [200, $answer, 'cancel'];
	},
	set => sub {
		my ($order) = @_;
		my $to = pick(sort keys %next);
		my $answer = set_status($admin, $order->{number}, $to);
		my $from = $order->{state};
		return [409, $answer, "set $to"] if !$next{$from}{$to};
		$stock += $order->{copies} if $to eq 'cancelled' ||
		    $to eq 'refunded' && $from eq 'paid';
		$order->{state} = $to;
		return [200, $answer, "set $to"];
	},
	forbidden => sub {
		my ($order) = @_;
		return [403, set_status($reader, $order->{number},
		    pick(qw(paid shipped delivered refunded))), 'set it'];
	},
	stranger => sub {
		my ($order) = @_;
		return [404, pick(
		    sub { set_status($other, $order->{number}, 'cancelled') },
		    sub { pay_order($other, $order->{number}) },
		    sub { ask(get => "/api/orders/$order->{number}", $other) }
		    )->(), 'by a stranger'];
	},
	late => sub {
		my ($order) = @_;
		shop_sql("UPDATE orders SET expires_at = UTC_TIMESTAMP()
		    WHERE number = '$order->{number}'");
		$order->{over} = 1;
		return;
	},
	expire => sub {
		seoga_ok('expire', '--once');
		for (grep { $_->{over} && $_->{state} eq 'pending' }
		    @orders) {
			$_->{state} = 'cancelled';
			$stock += $_->{copies};
		}
		return;
	},
);
# More of what makes orders go on.
my @often = (qw(place place pay pay cancel set set set forbidden stranger
    late expire));
my (@wrong, %met);

# What can be done in each state: a walk that does not come there proves
# nothing.
my @states = ('expired', sort keys %next);
my @all = ((map { ("pay good $_", "cancel $_") } @states),
    (map { "pay $_ pending" } qw(declined silent wrong)),
    (map { my $to = $_; map { "set $to $_" } @states } sort keys %next));
my $step = 0;

while ($step++ < $most) {
	last if $step > $steps && !grep { !$met{$_} } @all;
	my $act = @orders ? pick(@often) : 'place';
	# Each state as often: most orders are soon cancelled or refunded.
	my %in;
	push @{$in{where($_)}}, $_ for @orders;
	my $order = @orders ? pick(@{$in{pick(sort keys %in)}}) : undef;
	my $from = $order ? where($order) : '';
	my $result = $acts{$act}->($order);

	next if !$result;
	my ($expected, $answer, $what) = @$result;
	$met{"$what $from"}++ if $what !~ /^place/;
	push @wrong, "step $step: $what in state $from: $answer->{status}, "
	    . "not $expected" if $answer->{status} != $expected;
	my $now = $answer->{json}{state};
	push @wrong, "step $step: $what in state $from: $now, not "
	    . $order->{state} if $act =~ /^(?:pay|cancel|set)$/ &&
	    $answer->{status} == 200 && $now ne $order->{state};
	last if @wrong > 5;
	if ($step % 50 == 0) {
		is stock_of($book), $stock, "step $step: the stock";
		my %state = map { split /\t/ } split /\n/,
		    shop_sql('SELECT number, state FROM orders');
		is_deeply \%state, { map { $_->{number} => $_->{state} }
		    @orders }, "step $step: all states";
	}
}
is_deeply \@wrong, [], "$step steps are as the model has them"
    or diag "SEOGA_TEST_SEED=$seed";
is_deeply [grep { !$met{$_} } @all], [],
    'it met all that can be done in each state';
cmp_ok scalar(@orders), '>', 20, scalar(@orders) . ' orders';
is_deeply [split ' ', shop_sql('SELECT DISTINCT to_state
    FROM order_history ORDER BY to_state')], [sort keys %next],
    'every state was reached';
shop_is_sound('after the walk');
site_stop();
done_testing();
