#!/usr/bin/perl
# How often one client may call the API: the numbers of doc/openapi.yaml.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Seoga::Api;
use Seoga::Test;

my $origin = 'https://app.example.org';
site_start(limits => 'on', cors_origins => $origin);
seoga_ok('migrate', '--sample');
api_open();

# Calls until it is refused; gives the calls that were not, and the refusal.
sub until_refused {
	my ($most, $id, %ask) = @_;

	for my $served (0 .. $most) {
		my $answer = call($id, headers => { Origin => $origin }, %ask);
		return ($served, $answer) if $answer->{status} == 429;
	}
	return ($most + 1, undef);
}

# So many tokens come back in this time.
sub refilled {
	my ($begin, $a_minute) = @_;

	return int((time - $begin) * $a_minute / 60) + 1;
}

my $begin = time;
my $calls = 0;
for (['login', 5, 12], ['register', 10, 6]) {
	my ($id, $most, $wait) = @$_;
	my ($served, $refusal) = until_refused(2 * $most, $id, json => {});

	$calls += $served;
	cmp_ok $served, '>=', $most, "$id: $most at once";
	cmp_ok $served, '<=', $most + refilled($begin, $most),
	    "$id: not many more";
	is header($refusal, 'retry-after'), $wait, "$id: Retry-After";
	is header($refusal, 'access-control-allow-origin'), $origin,
	    "$id: a listed origin may read that";
	ok !exists $refusal->{json}{instance}, "$id: nginx says so";
}

my ($served, $refusal) = until_refused(200, 'listBooks');
$calls += $served;
cmp_ok $calls, '>=', 100, 'all calls: 100 at once';
cmp_ok $calls, '<=', 100 + refilled($begin, 100), 'not many more';
is header($refusal, 'retry-after'), 1, 'Retry-After';
# Whatever the method, right or wrong.
for my $id (grep { !/health|ready/ } operations()) {
	until_refused(5, $id);
	ok grep({ $_ == 429 } seen($id)), "$id is refused";
}

# Other limits hold for these: 50 a second and 201 at once, pages included.
is call($_)->{status}, 200, "$_ is not" for qw(health ready);
$begin = time;
$served = 0;
$served++ while $served < 3000 &&
    http(get => '/api/health')->{status} == 200;
cmp_ok $served, '>', 50, 'health: many at once';
cmp_ok $served, '<=', 201 + 50 * (time - $begin), 'but not without end';
until_refused(500, $_) for qw(health ready);
ok grep({ $_ == 429 } seen($_)), "$_ is refused" for qw(health ready);

site_stop();
done_testing();
