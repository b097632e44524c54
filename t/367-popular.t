#!/usr/bin/perl
# Popular books on the home page: those sold most in the last three days, kept
# in Redis for ten minutes, found out by one.
use strict;
use warnings;
use utf8;

use POSIX qw(strftime);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start(jobs => '/dev/null');
seoga_ok('migrate', '--sample');
my $reader = Seoga::Reader->new;

sub day { return strftime('%Y-%m-%d', gmtime(time - 86400 * $_[0])) }

# The ids in the strip, in its order.
sub popular {
	my ($path) = @_;
	my ($strip) = $reader->get($path // '/')->html =~
	    m{<section class="popular".*?</section>}sg ? $& : '';

	return [$strip =~ m{href="/books/(\d+)"}g];
}

sub sold {
	my (%copies) = @_;

	redis('DEL', 'cache:popular', 'cache:popular:lock');
	sql("INSERT INTO sales_books VALUES ('" . day($copies{ago} // 0)
	    . "', $_, $copies{$_}, 0) ON DUPLICATE KEY UPDATE
	    copies = copies + VALUES(copies)") for grep { $_ ne 'ago' }
	    sort keys %copies;
}

sub statements {
	return scalar grep { $_->{ev} eq 'db.query' &&
	    $_->{name} eq 'popular.list' } log_lines();
}

subtest 'nothing sold' => sub {
	is_deeply popular(), [], 'no strip';
	unlike $reader->html, qr/Popular these days/, 'nor its heading';
	my $before = statements();
	popular() for 1 .. 3;
	is statements(), $before, 'and that is known for a while';
};

my @book = split ' ', sql('SELECT id FROM books ORDER BY id LIMIT 9');

subtest 'the most sold' => sub {
	sold($book[0] => 1, $book[1] => 9, $book[2] => 3, $book[3] => 4,
	    $book[4] => 5, $book[5] => 2, $book[6] => 0, $book[7] => -1);
	is_deeply popular(), [@book[1, 4, 3, 2, 5]], 'five, the most first';
	like $reader->html, qr/Popular these days/, 'with a heading';
	my ($title, $author) = map { utf8::decode($_); $_ } split /\t/,
	    sql("SELECT title, author FROM books WHERE id = $book[1]")
	    =~ s/\n//r;
	like $reader->text, qr/\Q$title\E/, 'title';
	like $reader->text, qr/\Q$author\E/, 'and author';
	for my $path ('/books', '/books?sort=newest', '/?q=a') {
		is scalar(@{popular($path)}) == 5, $path =~ m{^/\?}, $path;
	}
};

subtest 'three days' => sub {
	sold(ago => 2, $book[0] => 20);
	sold(ago => 3, $book[5] => 99);
	is_deeply popular(), [@book[0, 1, 4, 3, 2]], 'and not four';
};

subtest 'withdrawn' => sub {
	sql("UPDATE books SET withdrawn_at = UTC_TIMESTAMP()
	    WHERE id = $book[1]");
	redis('DEL', 'cache:popular');
	is_deeply popular(), [@book[0, 4, 3, 2, 5]], 'is not shown';
	sql("UPDATE books SET withdrawn_at = NULL WHERE id = $book[1]");
	redis('DEL', 'cache:popular');
};

subtest 'kept' => sub {
	is scalar @{popular()}, 5, 'shown';
	my $ttl = redis('TTL', 'cache:popular');
	cmp_ok $ttl, '<=', 600, "ten minutes ($ttl s)";
	cmp_ok $ttl, '>=', 590, 'and no less';
	my ($end) = ends_of($reader->get('/')->trace);
	is "$end->{db} $end->{redis}", '1 1', 'then it costs nothing';
};

# Many come at once when it is time: one asks MariaDB.
subtest 'one finds out' => sub {
	popular() for 1 .. 3;
	my $before = statements();
	redis('SET', 'cache:popular:lock', 'another', 'PX', 400);
	redis('DEL', 'cache:popular');
	is_deeply popular(), [], 'while another does, nothing is shown';
	is $reader->status, 200, 'nothing fails';
	is statements(), $before, 'and nothing asked';
	ok await(5, sub { @{popular()} == 5 }), 'then it is there';
	is statements(), $before + 1, 'by one statement';
	redis('DEL', 'cache:popular');
	load_start(6, '/');
	sleep 1;
	my ($count, @failed) = load_stop();
	is_deeply \@failed, [], "$count at once, none fails";
	is statements(), $before + 2, 'one statement';
};

subtest 'Korean' => sub {
	my $korean = Seoga::Reader->new(lang => 'ko');

	like $korean->get('/')->text, qr/요즘 인기 있는 책/, 'too';
};

site_stop();
done_testing();
