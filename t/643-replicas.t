#!/usr/bin/perl
# /status tells of replicas: a real one of MariaDB and one of Redis, first from
# the primaries' side, then with the site on the replica of MariaDB; and says
# so where the right to ask is missing.
use strict;
use warnings;
use utf8;

use File::Temp ();
use IO::Socket::UNIX;
use POSIX ();
use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

my $dir = File::Temp->newdir('seoga-r-XXXXXX', DIR => '/tmp');
my ($main, %server) = ($$);

END {
	if ($$ == $main) {
		my $status = $?;
		kill 'TERM', values %server;
		waitpid $_, 0 for values %server;
		$? = $status;
	}
}

sub spawn {
	my ($name, @command) = @_;
	my $pid = fork() // die "fork: $!\n";

	if (!$pid) {
		$main = 0;
		POSIX::setsid();
		open STDIN, '<', '/dev/null' or die;
		open STDOUT, '>>', "$dir/$name.log" or die;
		open STDERR, '>&', \*STDOUT or die;
		exec @command or POSIX::_exit(127);
	}
	$server{$name} = $pid;
	await(30, sub { IO::Socket::UNIX->new(Peer => "$dir/$name.sock") })
	    or die "$name does not start: " . slurp("$dir/$name.log");
}

# Replication goes over TCP: on a free port of this machine alone.
sub free_port {
	return IO::Socket::INET->new(Listen => 1,
	    LocalAddr => '127.0.0.1')->sockport;
}

sub mariadb_start {
	my ($name, $number, $port) = @_;
	my @data = ('--no-defaults', "--datadir=$dir/$name");
	my $said = qx{mariadb-install-db @data --tmpdir=$dir --skip-test-db \\
	    --auth-root-authentication-method=normal 2>&1};

	die $said if $? != 0;
	spawn($name, '/usr/sbin/mariadbd', @data, "--tmpdir=$dir",
	    "--socket=$dir/$name.sock", "--pid-file=$dir/$name.pid",
	    "--port=$port", '--bind-address=127.0.0.1', '--skip-name-resolve',
	    "--server-id=$number", "--log-bin=$dir/$name-bin",
	    "--relay-log=$dir/$name-relay", "--report-host=$name",
	    qw(--log-bin-trust-function-creators=1
	    --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=16M
	    --innodb-log-file-size=8M --character-set-server=utf8mb4
	    --collation-server=utf8mb4_unicode_520_ci
	    --default-time-zone=+00:00));
}

sub on {
	my ($name, $text) = @_;

	open my $out, '-|', 'mariadb', '--no-defaults', '-uroot', '-N', '-B',
	    "--socket=$dir/$name.sock", '-e', $text or die "mariadb: $!\n";
	local $/;
	my $rows = <$out> // '';
	close $out or die "$name refuses: $text\n";
	return $rows;
}

plan skip_all => 'run through t/run' if !$ENV{SEOGA_TEST_DB_SOCKET};
my ($first, $second) = (free_port(), free_port());
mariadb_start('primary', 1, $first);
mariadb_start('replica', 2, $second);
on('primary', "CREATE DATABASE seoga CHARACTER SET utf8mb4
    COLLATE utf8mb4_unicode_520_ci;
    CREATE USER repl\@'127.0.0.1' IDENTIFIED BY 'repl';
    GRANT REPLICATION SLAVE ON *.* TO repl\@'127.0.0.1';
    CREATE USER program\@localhost IDENTIFIED BY 'program';
    GRANT SELECT, INSERT, UPDATE, DELETE ON seoga.* TO program\@localhost;
    CREATE USER manager\@localhost IDENTIFIED BY 'manager';
    GRANT ALL ON seoga.* TO manager\@localhost");
on('replica', "CHANGE MASTER TO MASTER_HOST = '127.0.0.1',
    MASTER_PORT = $first, MASTER_USER = 'repl', MASTER_PASSWORD = 'repl',
    MASTER_USE_GTID = slave_pos; START SLAVE");
ok await(20, sub { on('replica', "SHOW STATUS LIKE 'Slave_running'") =~
    /ON/ }), 'MariaDB has a replica';

my %account = (db_name => 'seoga', db_user => 'program',
    db_password => 'program', db_admin_user => 'manager',
    db_admin_password => 'manager', history_step_s => 1);
my $own = $ENV{SEOGA_TEST_DB_SOCKET};
$ENV{SEOGA_TEST_DB_SOCKET} = "$dir/primary.sock";

# Somebody who may see it, in the database of this test.
sub student {
	my $reader = Seoga::Reader->new(lang => 'en');
	my $name = $reader->register;

	on('primary', "UPDATE seoga.users SET role = 'student'
	    WHERE username = '$name'");
	$reader->login($name);
	return ($reader, $name);
}

$ENV{"SEOGA_" . uc} = $account{$_} for keys %account;
# The jobs are there before the tables.
expect_error(qr/"error":1146/);
site_start(%account, db_hosts => "$dir/primary.sock");
seoga_ok('migrate');
my ($student, $name) = student();

like $student->get('/status')->text, qr/Replicas that are connected: 1\./,
    'the primary has one';
my $redis_port = free_port();
spawn('redis', 'redis-server', '--port', $redis_port, '--save', '',
    '--bind', '127.0.0.1', '--unixsocket', "$dir/redis.sock");
like $student->get('/status')->text, qr/Replication There is no replica\./,
    'Redis has none';
my $port = free_port();
redis('CONFIG', 'SET', 'port', $port);
system 'redis-cli', '-s', "$dir/redis.sock", 'REPLICAOF', '127.0.0.1', $port;
ok await(20, sub { redis('INFO', 'replication') =~ /state=online/ }),
    'it has one now';
like $student->get('/status')->text,
    qr/Its replicas: 127\.0\.0\.1:$redis_port \(online, [\d.]+ k?B behind\)/,
    'and the page tells how far behind it is';

site_stop();

# --- on the replica, which takes its data from the primary ---

on('replica', 'SET GLOBAL read_only = 0');
site_start(%account, db_hosts => "$dir/replica.sock");
($student) = do {
	my $reader = Seoga::Reader->new(lang => 'en');
	$reader->login($name);
	$reader;
};
like $student->get('/status')->text,
    qr/It is a replica; how far behind it is may only be asked with/,
    'without the right, that is said';
# A session has the rights that it began with.
expect_error(qr/"error":1227/);
on('primary', "GRANT SLAVE MONITOR ON *.* TO program\@localhost");
ok await(20, sub {
	system $ENV{SEOGA_SRCDIR} . '/bin/seoga restart >/dev/null';
	$student->get('/status')->text =~
	    /It is a replica of 127\.0\.0\.1, 0 s behind\./
}), 'with it, how far behind it is' or diag $student->text;
on('replica', 'STOP SLAVE SQL_THREAD');
like $student->get('/status')->text,
    qr/a replica of 127\.0\.0\.1, but replication has stopped/,
    'a replica that stands still is told of';

site_stop();
$ENV{SEOGA_TEST_DB_SOCKET} = $own;
done_testing();
