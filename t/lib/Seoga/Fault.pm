# Seoga::Fault -- takes the servers of a test's site away, hangs them and
# brings them back; and clients that add to a cart all the while.
#
#	site_start(db_hosts => '');	# with a MariaDB of its own
#	backend_stop('mariadb');
#	backend_start('mariadb');
package Seoga::Fault;

use strict;
use warnings;

use Exporter qw(import);
use HTTP::Tiny;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json encode_json);
use POSIX ();
use Seoga::Test;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(
    backend_pid backend_stop backend_start backend_hang backend_wake
    own_sql api member_token idempotent adders_start adders_stop
    quantities all_workers percentile);

my %child;		# the servers that we started, by name
my $main = $$;
my @adders;

# What we started goes with us, also when the test dies half-way.
END {
	if ($$ == $main) {
		my $status = $?;
		kill 'KILL', map { $_->{pid} } @adders;
		for my $name (keys %child) {
			kill 'CONT', $child{$name};
			kill 'TERM', $child{$name};
			waitpid $child{$name}, 0;
		}
		$? = $status;
	}
}

sub _run_dir { return site_dir() . '/var/run' }

sub backend_pid {
	my ($name) = @_;
	my $pid = slurp(_run_dir() . "/$name.pid") =~ s/\s//gr;

	return $pid if $pid ne '' && slurp("/proc/$pid/cmdline") =~ /\Q$name/i;
	return undef;
}

sub backend_stop {
	my ($name) = @_;
	my $pid = backend_pid($name) // die "$name does not run\n";

	kill 'TERM', $pid;
	my $gone = await(30, sub {
		waitpid $pid, POSIX::WNOHANG() if ($child{$name} // 0) == $pid;
		gone($pid);
	});
	die "$name does not stop\n" if !$gone;
	delete $child{$name};
}

# As bin/seoga does it.
sub backend_start {
	my ($name) = @_;
	my $var = site_dir() . '/var';
	my @command = $name eq 'redis' ? ('redis-server', "$var/redis.conf") :
	    ('/usr/sbin/mariadbd', "--defaults-file=$var/mariadb.cnf");
	my $pid = fork() // die "fork: $!\n";

	if (!$pid) {
		$main = 0;
		POSIX::setsid();
		open STDIN, '<', '/dev/null' or die;
		open STDOUT, '>>', "$var/log/$name.log" or die;
		open STDERR, '>&', \*STDOUT or die;
		exec @command or POSIX::_exit(127);
	}
	$child{$name} = $pid;
	await(30, sub {
		IO::Socket::UNIX->new(Peer => _run_dir() . "/$name.sock")
	}) or die "$name does not start\n";
}

# It goes on accepting connections (the kernel does), and says nothing.
sub backend_hang {
	my ($name) = @_;
	my $pid = backend_pid($name) // die "$name does not run\n";

	kill 'STOP', $pid;
	# Its other threads go on for a moment.
	await(5, sub { !grep { !/\) [Tt] / } map { eval { slurp($_) } // '' }
	    glob "/proc/$pid/task/*/stat" });
}

sub backend_wake {
	my ($name) = @_;

	kill 'CONT', backend_pid($name) // die "$name does not run\n";
}

# SQL as root of the site's own MariaDB.
sub own_sql {
	my ($text) = @_;

	local $ENV{MYSQL_PWD} =
	    slurp(site_dir() . '/var/secret/db-root') =~ s/\s//gr;
	open my $out, '-|', 'mariadb', '--no-defaults', '-uroot', '-N', '-B',
	    '--default-character-set=utf8mb4',
	    '--socket=' . _run_dir() . '/mariadb.sock', '-e', $text, 'seoga'
	    or die "mariadb: $!\n";
	local $/;
	my $rows = <$out> // '';
	close $out or die "mariadb refuses: $text\n";
	return $rows;
}

# A call of the API; gives HTTP::Tiny's answer, with {json} if it has one.
sub api {
	my ($method, $path, $token, $body, %header) = @_;
	my $answer = http($method, $path, {
		headers => {
			defined $token ?
			    ('Authorization' => "Bearer $token") : (),
			defined $body ?
			    ('Content-Type' => 'application/json') : (),
			%header },
		defined $body ? (content => encode_json($body)) : (),
	});

	$answer->{json} = eval { decode_json($answer->{content}) };
	return $answer;
}

my $number = 0;

# Registers somebody new and gives the token, in a list also the name.
sub member_token {
	my $name = "member$$." . ++$number;
	my $password = 'a long enough password';
	my $made = api(post => '/api/users/register', undef, {
		username => $name, name => 'A Member',
		password => $password });
	die "register: $made->{status} $made->{content}\n"
	    if $made->{status} != 201;
	my $in = api(post => '/api/users/login', undef, {
		username => $name, password => $password });

	die "login: $in->{status} $in->{content}\n" if $in->{status} != 200;
	return wantarray ? ($in->{json}{token}, $name, $password) :
	    $in->{json}{token};
}

# Adds one copy; with the same key it can be sent again and again.
sub idempotent {
	my ($token, $book, $key) = @_;

	return api(post => '/api/cart/add', $token,
	    { book_id => $book, quantity => 1 }, 'Idempotency-Key' => $key);
}

# Several clients add one copy at a time, each to lines of its own in the same
# cart, without end and in the background.  With again => 1 each sends an add
# that failed again, with the same key, until it is confirmed.
sub adders_start {
	my ($clients, $token, $books, %option) = @_;
	my $each = int(@$books / $clients);

	for my $n (0 .. $clients - 1) {
		my @mine = @$books[$n * $each .. ($n + 1) * $each - 1];
		my $stop = site_dir() . '/adders.stop';

		unlink $stop;
		my $pid = open(my $results, '-|') // die "fork: $!\n";
		if (!$pid) {
			$main = 0;
			_add_until($stop, $token, $n, \@mine, %option);
			POSIX::_exit(0);
		}
		push @adders, { pid => $pid, results => $results };
	}
}

sub _add_until {
	my ($stop, $token, $who, $books, %option) = @_;
	my (%confirmed, %unknown, %failed, $agent);
	my $count = 0;

	until (-e $stop) {
		my $book = $books->[$count % @$books];
		my $key = "k$$-$who-" . $count++;
		my $status = _add_once($token, $book, $key, \%option,
		    \%failed, $stop);
		$confirmed{$book}++ if $status == 200;
		$unknown{$book}++ if $status != 200 && $status != 429;
		sleep 0.004;
	}
	syswrite STDOUT, encode_json({ confirmed => \%confirmed,
		unknown => \%unknown, failed => \%failed, count => $count });
}

sub _add_once {
	my ($token, $book, $key, $option, $failed, $stop) = @_;
	my $end = time + 20;

	while (1) {
		my $status = idempotent($token, $book, $key)->{status};
		return $status if $status == 200;
		$failed->{$status}++;
		return $status if !$option->{again} || time > $end;
		sleep 0.05;
	}
}

# Ends them; gives {confirmed => {book => n}, unknown => {book => n},
# failed => {status => n}, count => n}.
sub adders_stop {
	my %sum = (count => 0, confirmed => {}, unknown => {}, failed => {});

	spew(site_dir() . '/adders.stop', '');
	for my $adder (@adders) {
		my $results = $adder->{results};
		my $text = do { local $/; <$results> };
		close $results;
		my $got = decode_json($text);
		$sum{count} += $got->{count};
		for my $what (qw(confirmed unknown failed)) {
			$sum{$what}{$_} += $got->{$what}{$_}
			    for keys %{$got->{$what}};
		}
	}
	@adders = ();
	return \%sum;
}

# What the cart holds: book => quantity.
sub quantities {
	my ($token) = @_;
	my $cart = api(get => '/api/cart', $token);

	die "cart: $cart->{status}\n" if $cart->{status} != 200;
	return { map { $_->{book_id} => $_->{quantity} }
	    @{$cart->{json}{lines}} };
}

# The pids of all workers, in order.
sub all_workers {
	my $mine = slurp(_run_dir() . '/supervisord.pid') =~ s/\s//gr;

	return [sort { $a <=> $b }
	    grep { slurp("/proc/$_/cmdline") =~ m{/cgi-bin/} }
	    split ' ', slurp("/proc/$mine/task/$mine/children")];
}

sub percentile {
	my ($part, @values) = @_;

	@values = sort { $a <=> $b } @values;
	return $values[int($part * (@values - 1) + 0.5)];
}

1;
