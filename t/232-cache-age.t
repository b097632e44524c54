#!/usr/bin/perl
# How old a price gets: as old as is set, whoever reads and whoever is away.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

my $life = 2;
site_start(db_hosts => '', cache_s => $life, breaker_probe_ms => 100,
    breaker_reset_s => 1);
seoga_ok('migrate', '--sample');

sub price { return api(get => "/catalog/products/$_[0]")->{json}{price} }

sub books_read {
	return scalar(grep { $_->{ev} eq 'db.query' &&
	    $_->{name} =~ /^book\.by_id\./ } log_lines());
}

subtest 'a price gets as old as is set' => sub {
	my ($book) = split ' ', own_sql('SELECT id FROM books LIMIT 1');
	my ($changed, $late, $old) = (0, 0, 0);

	for my $round (1 .. 3) {
		price($book);
		sleep 0.3 * $round;
		own_sql("UPDATE books SET price = $round WHERE id = $book");
		$changed = time;
		while (time - $changed < $life + 1) {
			my $asked = time;
			my $is_new = price($book) == 100 * $round;
			$old++ if !$is_new;
			$late++ if !$is_new && $asked - $changed > $life + 0.1;
			sleep 0.05;
		}
	}
	is $late, 0, "nobody saw an old price after $life seconds";
	cmp_ok $old, '>', 0, 'but within them';
};

subtest 'also while MariaDB is away' => sub {
	my ($book) = split ' ', own_sql('SELECT id FROM books LIMIT 1');

	expect_error(qr/"ev":"db\.error"/,
	    qr/"ev":"nginx\.request".*"status":503/);
	is http(get => "/books/$book")->{status}, 200, 'kept';
	my $read = time;
	backend_stop('mariadb');
	is http(get => "/books/$book")->{status}, 200,
	    'it can be read without MariaDB' if time - $read < $life - 1;
	sleep $life + 0.2;
	is http(get => "/books/$book")->{status}, 503,
	    'and not when it is too old';
	backend_start('mariadb');
	ok await(8, sub { http(get => "/books/$book")->{status} == 200 }),
	    'it comes back';
};

subtest 'many readers, one SELECT a life' => sub {
	my ($book) = split ' ', own_sql('SELECT id FROM books LIMIT 1');
	my $before = books_read();
	my $start = time;

	load_start(4, "/books/$book");
	sleep 5;
	my ($count, @failed) = load_stop();
	my $read = books_read() - $before;
	my $lives = (time - $start) / $life + 1;
	is_deeply \@failed, [], 'all got their page';
	cmp_ok $count, '>', 100, 'many did';
	cmp_ok $read, '<=', 2 * $lives, "$count readers, $read SELECTs";
};

site_stop();
done_testing();
