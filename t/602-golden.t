#!/usr/bin/perl
# All that happens when a reader orders and pays, as trees of spans: names,
# kinds and who is below whom, against t/602-golden.txt.  When it is right that
# they have changed: SEOGA_TEST_GOLDEN=FILE t/run t/602-golden.t
use strict;
use warnings;
use utf8;

use JSON::PP qw(decode_json);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

my $golden = "$ENV{SEOGA_SRCDIR}/t/602-golden.txt";

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 50, price = 1000');

my %address = (recipient => '김 서가', phone => '010-1234-5678',
    postcode => '03925', address => '서울 마포구 월드컵로 12, 3층');
my %card = (card => '4242424242424242');

sub event_lines {
	my ($id, $ev) = @_;

	return grep { $_->{trace} eq $id && $_->{ev} eq $ev } log_lines();
}

# The trees of a request once all is written that belongs to it.
sub trees {
	my ($id, @events) = @_;

	ok await(10, sub {
		(grep { $_->{trace} eq $id } access_lines()) &&
		    @events == grep { event_lines($id, $_) } @events;
	}), "$id is complete";
	return decode_json(seoga('trace', '--json', $id));
}

sub text_of {
	my ($depth, @spans) = @_;

	return join '', map {
		('  ' x $depth) . "$_->{kind} $_->{name}\n"
		    . text_of($depth + 1, @{$_->{parts}})
	} @spans;
}

sub is_connected {
	my ($trees) = @_;

	is scalar(@$trees), 1, 'one root';
	my (%ids, @wrong);
	my @left = map { [$_, undef] } @$trees;
	while (my ($span, $above) = @{shift(@left) // last}) {
		push @wrong, $span->{id} if $ids{$span->{id}}++ ||
		    $span->{id} !~ /^(?!0{16})[0-9a-f]{16}$/;
		push @wrong, "$span->{id} below another"
		    if $above && $span->{parent} ne $above->{id};
		push @wrong, "$span->{name} longer than what it is in"
		    if $above && !$span->{aside} &&
		    ($span->{start} < $above->{start} || $span->{start} +
			$span->{us} > $above->{start} + $above->{us});
		push @left, map { [$_, $span] } @{$span->{parts}};
	}
	is_deeply \@wrong, [], 'each with an id of its own, in its place';
}

my $reader = Seoga::Reader->new;
$reader->register;

# Places an order and pays for it; gives the trees of both.
sub order {
	my ($book) = @_;

	$reader->add($book);
	$reader->get('/checkout');
	$reader->send('/checkout', %address);
	my $placed = $reader->header('x-request-id');
	my $page = $reader->header('location');
	$reader->get($page);
	$reader->send($page, %card);
	return (trees($placed, 'event.sent'),
	    trees($reader->header('x-request-id'), 'event.sent',
		'event.counted'));
}

order(1101);	# what is kept from then on is there now
my ($placed, $paid) = order(1102);

is_connected($placed);
is_connected($paid);
my $text = "# A checkout in spans: see t/602-golden.t.\n\n"
    . "A reader sends the form of /checkout.\n\n"
    . text_of(0, @$placed) . "\nThe same pays, on the page of the order.\n\n"
    . text_of(0, @$paid);
spew($ENV{SEOGA_TEST_GOLDEN}, $text) if $ENV{SEOGA_TEST_GOLDEN};
is $text, slurp($golden), 'as it was';

site_stop();
done_testing();
