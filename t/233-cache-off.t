#!/usr/bin/perl
# SEOGA_CACHE_S=0: nothing of MariaDB is kept in Redis, and nothing is missed.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

site_start(cache_s => 0);
seoga_ok('migrate', '--sample');
my ($book) = split ' ', sql('SELECT id FROM books LIMIT 1');

for (1 .. 3) {
	is http(get => $_)->{status}, 200, $_
	    for '/', '/books', "/books/$book";
}
is redis(KEYS => 'cache:*'), '', 'nothing is kept';
is scalar(grep { $_->{ev} eq 'db.query' && $_->{name} =~ /^book\.by_id\./ }
	log_lines()), 3, 'MariaDB is read each time';
is_deeply api(get => '/api/ready')->{json}{caches}{book},
    { hits => 0, early => 0, misses => 0 }, 'and nothing counted';

site_stop();
done_testing();
