#!/usr/bin/perl
# Many who sign in at once: hashing takes long, but it is only they who wait.
use strict;
use warnings;

use JSON::PP qw(decode_json encode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

my $clients = 8;
my $each_s = 4;		# how long pages are asked for in the storm

site_start();
seoga_ok('migrate', '--sample');
my @members = map { my (undef, @known) = member_token(); [@known] } 1 .. 4;

# Signs in again and again until told to stop; every fourth time with a wrong
# password, which takes as long.
sub storm {
	my ($stop, $who) = @_;
	my ($name, $password) = @{$members[$who % @members]};
	my (@ms, @strange);
	my $n = 0;

	until (-e $stop) {
		my $wrong = ++$n % 4 == 0;
		my $start = time;
		my $answer = api(post => '/api/users/login', undef, {
			username => $wrong ? "$name.$who.$n" : $name,
			password => $password });
		push @ms, 1000 * (time - $start);
		my $as_wanted = $wrong ?
		    $answer->{status} == 401 && $answer->{json}{detail} :
		    $answer->{status} == 200 &&
		    ($answer->{json}{token} // '') =~ /^[0-9a-f-]{36}$/;
		push @strange, "$answer->{status} $answer->{content}"
		    if !$as_wanted;
	}
	return { ms => \@ms, strange => \@strange };
}

sub storm_begins {
	my ($stop) = @_;

	return map {
		my $who = $_;
		my $pid = open(my $results, '-|') // die "fork: $!\n";

		if (!$pid) {
			syswrite STDOUT, encode_json(storm($stop, $who));
			POSIX::_exit(0);
		}
		$results;
	} 1 .. $clients;
}

# Pages for some time, in ms.
sub pages {
	my ($seconds) = @_;
	my $end = time + $seconds;
	my (@ms, @failed);

	while (time < $end || @ms < 40) {
		my $start = time;
		my $answer = http(get => '/books');
		push @ms, 1000 * (time - $start);
		push @failed, $answer->{status} if $answer->{status} != 200;
		sleep 0.01;
	}
	is_deeply \@failed, [], scalar(@ms) . ' pages were answered';
	return \@ms;
}

my $calm = pages($each_s / 2);
my $stop = site_dir() . '/storm.stop';
my @storm = storm_begins($stop);
sleep 0.5;
my $stormy = pages($each_s);
spew($stop, '');
my (@logins, @strange);
for my $results (@storm) {
	my $got = decode_json(do { local $/; <$results> });
	close $results;
	push @logins, @{$got->{ms}};
	push @strange, @{$got->{strange}};
}

cmp_ok scalar(@logins), '>=', 2 * $clients, @logins . ' logins';
is_deeply \@strange, [], 'each was answered as it should be';
my ($before, $during) = map { percentile(0.95, @$_) } $calm, $stormy;
my $login = percentile(0.5, @logins);
diag sprintf 'p95 of pages %.1f ms, in the storm %.1f; login p50 %.1f ms',
    $before, $during, $login if $ENV{TEST_VERBOSE};

# If pages queued with the logins, they would take as long as these; the other
# bound is for machines where a login is slower than anything.
cmp_ok $during, '<', $login / 2, 'a page does not wait for logins';
cmp_ok $during, '<', 12 * $before + 20, 'and is not much slower than before';

is_deeply [grep { $_->{status} >= 500 } access_lines()], [],
    'nobody was turned away';
site_stop();
done_testing();
