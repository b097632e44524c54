#!/usr/bin/perl
# From a request to its trace in Redis: what programs, nginx and jobs logged.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');

# The lines of a trace that are in Redis.
sub kept {
	my ($trace) = @_;

	return map { decode_json($_) }
	    grep { /"trace":"\Q$trace\E"/ }
	    map { split /\n/, redis('LRANGE', $_, 0, -1) }
	    sort split /\n/, redis('KEYS', 'trace-block:*');
}

sub events_of { return join ' ', map { $_->{ev} } @_ }

subtest 'a page' => sub {
	my $trace = '61300000' . '0' x 23 . '1';
	my $start = time;

	is http(get => '/books', { headers => {
		'X-Request-Id' => $trace } })->{status}, 200, 'is shown';
	ok await(5, sub { events_of(kept($trace)) =~ /req\.end/ }),
	    'its lines are kept';
	cmp_ok time - $start, '<', 2, 'soon';
	ok await(5, sub { events_of(kept($trace)) =~ /nginx\.request/ }),
	    'so is that of nginx';
	cmp_ok time - $start, '<', 3, 'a little later';
	like events_of(kept($trace)),
	    qr/^req\.begin.* db\.query.* req\.end nginx\.request$/, 'all of them';
};

site_stop();
done_testing();
