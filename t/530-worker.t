#!/usr/bin/perl
# Workers killed, told to leave in the middle of a request, and replaced one by
# one: nobody notices, and nothing is added twice or lost.
use strict;
use warnings;

use List::Util qw(sum0);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

# A statement that waits for a lock may wait; and books come from MariaDB.
site_start(command_ms => 9000, cache_s => 0);
seoga_ok('migrate', '--sample');
expect_error(qr/"ev":"nginx\.request".*"method":"POST".*"status":50[234]/);

my @books = split ' ', sql('SELECT id FROM books WHERE stock_quantity > 0
    ORDER BY id LIMIT 80');
my $book = $books[0];

sub confirmed { return sum0(values %{$_[0]{confirmed}}) }

# Those who were there, are gone, and as many new ones have come.
sub replaced {
	my ($before, $what) = @_;
	my $now = await(10, sub {
		my $now = all_workers();
		my %old = map { $_ => 1 } @$before;
		@$now == @$before && !(grep { $old{$_} } @$now) ? $now : undef
	});

	ok $now, "$what: all workers are new ones" or
	    diag "before @$before, now @{all_workers()}";
}

# The scheduling policy of proc(5); SCHED_BATCH is 3.
sub policy {
	my ($pid) = @_;

	open my $stat, '<', "/proc/$pid/stat" or return 'gone';
	my ($rest) = <$stat> =~ /\) (.*)/;
	return (split ' ', $rest)[38];
}

sub kill_all {
	my ($prog) = @_;
	my @pids = pids($prog);

	kill 'KILL', @pids;
	return scalar @pids;
}

subtest 'all workers of a program killed again and again' => sub {
	my $killed = 0;
	my $end = time + 30;

	load_start(4, '/books', "/books/$book");
	sleep 0.3;
	# A busy machine takes its time to start them again.
	until ($killed >= 40 || time > $end) {
		$killed += kill_all('books') + kill_all('book');
		sleep 0.25;
	}
	my ($count, @failed) = load_stop();
	cmp_ok $killed, '>=', 30, "$killed killed";
	cmp_ok $count, '>', 100, "under load ($count requests)";
	is_deeply \@failed, [], 'no GET failed';
	for my $prog (qw(books book)) {
		my $workers = $prog eq 'books' ? 3 : 2;
		is await(10, sub { pids($prog) == $workers && $workers }),
		    $workers, "$prog: all are back";
	}
};

# A POST whose worker dies gets no second worker; the client may ask again,
# with the same key.
subtest 'killed in the middle of adding' => sub {
	my $token = member_token();

	adders_start(3, $token, [@books[0 .. 71]], again => 1);
	sleep 0.3;
	for (1 .. 12) {
		kill_all('cart-add');
		sleep 0.15;
	}
	my $added = adders_stop();
	cmp_ok confirmed($added), '>', 50, confirmed($added) . ' adds';
	is_deeply $added->{unknown}, {}, 'all confirmed in the end';
	is_deeply [grep { $_ !~ /^50[24]$/ } keys %{$added->{failed}}], [],
	    'some after a 502';
	is_deeply quantities($token), $added->{confirmed},
	    'each was added once';
};

# Holds the books until it is told to let go; requests wait meanwhile.
sub lock_books {
	# What it says when its sleep is ended is no news.
	open my $in, '|-', '/bin/sh', '-c', 'exec "$@" 2>/dev/null', 'sh',
	    'mariadb', '--no-defaults', '-uroot', '--unbuffered',
	    "--socket=$ENV{SEOGA_TEST_DB_SOCKET}", $ENV{SEOGA_DB_NAME}
	    or die "mariadb: $!\n";

	$in->autoflush;
	print $in "LOCK TABLES books WRITE, categories WRITE;\n"
	    . "DO SLEEP(60);\n";
	await(5, sub { waiting('state', 'User sleep') })
	    or die "the books cannot be locked\n";
	return sub {
		sql('KILL ' . (sql("SELECT id FROM information_schema"
		    . '.processlist WHERE state = "User sleep" AND db = "'
		    . $ENV{SEOGA_DB_NAME} . '"') =~ s/\s.*//sr));
		close $in;
	};
}

sub waiting {
	my ($column, $like) = @_;

	return sql('SELECT COUNT(*) FROM information_schema.processlist WHERE '
	    . "db = '$ENV{SEOGA_DB_NAME}' AND $column LIKE '$like'") + 0;
}

# Sends a request in the background; the code gives its answer.
sub in_background {
	my ($code) = @_;
	my $pid = open(my $out, '-|') // die "fork: $!\n";

	if (!$pid) {
		my $answer = $code->();
		syswrite STDOUT, "$answer->{status}\n$answer->{content}";
		POSIX::_exit(0);
	}
	return sub {
		my ($status, @content) = <$out>;
		close $out;
		chomp $status;
		return { status => $status, content => join '', @content };
	};
}

for my $case (
	['a GET', 'book', sub { http(get => "/books/$book") },
	    qr{</html>\s*$}],
	['a POST', 'cart-add', sub { idempotent($_[0], $book, 'once') },
	    qr/"quantity":1\D/],
) {
	my ($what, $prog, $ask, $whole) = @$case;

	subtest "TERM in the middle of $what" => sub {
		my $token = member_token();
		my @before = pids($prog);
		forget_books($book);	# or Redis would do
		my $release = lock_books();
		my $answer = in_background(sub { $ask->($token) });

		ok await(5, sub {
			waiting('state', 'Waiting for table metadata lock')
		}), 'a worker is at it';
		kill 'TERM', @before;
		my %old = map { $_ => 1 } @before;
		my @left = ();
		ok await(5, sub {
			@left = grep { $old{$_} } pids($prog);
			@left == 1
		}), 'the idle ones leave';
		sleep 0.5;
		is scalar(grep { $old{$_} } pids($prog)), 1,
		    'that one stays';
		$release->();
		my $got = $answer->();
		is $got->{status}, 200, 'and answers';
		like $got->{content}, $whole, 'all of it';
		ok await(10, sub { !grep { $old{$_} } pids($prog) }),
		    'then it leaves';
		ok await(5, sub { pids($prog) == @before }),
		    'and others have come';
		is quantities($token)->{$book}, 1, 'it was added once'
		    if $prog eq 'cart-add';
	};
}

subtest 'rolling restart' => sub {
	my $token = member_token();
	my $before = all_workers();

	load_start(2, '/books', "/books/$book", '/api/health');
	adders_start(2, $token, [@books[0 .. 71]]);
	sleep 0.3;
	seoga_ok('restart');
	sleep 0.3;
	my $added = adders_stop();
	my ($count, @failed) = load_stop();

	cmp_ok $count, '>', 100, "there was load ($count requests)";
	is_deeply \@failed, [], 'no GET failed';
	cmp_ok confirmed($added), '>', 50, confirmed($added) . ' adds';
	is_deeply $added->{failed}, {}, 'no POST failed';
	is_deeply quantities($token), $added->{confirmed},
	    'each was added once';
	replaced($before, 'restart');
	is_deeply [grep { policy($_) != 3 } @{all_workers()}], [],
	    'all are scheduled as batches';
};

is_deeply [map { "$_->{method} $_->{path} $_->{status}" }
    grep { $_->{status} >= 500 && $_->{method} ne 'POST' }
    access_lines()], [], 'no 5xx but to a POST';
site_stop();
done_testing();
