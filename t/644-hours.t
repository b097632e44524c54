#!/usr/bin/perl
# The hours of service in MariaDB: each request counts once, whatever becomes
# of MariaDB and of the recorder on the way; /status and /status/slo while
# MariaDB is away or hangs.
use strict;
use warnings;
use utf8;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start(db_hosts => '', history_step_s => 1, connect_ms => 1000,
    command_ms => 1000, breaker_probe_ms => 100, breaker_reset_s => 1);
seoga_ok('migrate', '--sample');
expect_error(qr/"ev":"db\.error"/, qr/"status":503/, qr/"status":500/);

my $student = Seoga::Reader->new(lang => 'en');
my $name = $student->register;
own_sql("UPDATE users SET role = 'student' WHERE username = '$name'");
$student->login($name);

sub counted { return 0 + own_sql(
    'SELECT COALESCE(SUM(requests), 0) FROM service_hours') }

sub answered { return scalar(() = access_lines()) }

sub ask { http(get => '/api/health') for 1 .. $_[0] }

sub figure {
	my ($name) = @_;

	return (private(get => '/metrics')->{content} =~
	    /^\Q$name\E (\S+)/m)[0];
}

sub recorder {
	my ($pid) = seoga('status') =~ /^recorder\s+pid (\d+)/m;

	return $pid;
}

# All that nginx has logged is counted, and no more, also a while later.
sub agree {
	my ($when) = @_;
	sleep 2;	# nginx writes its log once a second
	my $wanted = answered();

	ok await(30, sub { counted() >= $wanted }), "$when: all is counted";
	sleep 3;
	is counted(), answered(), "$when: and once";
}

ask(50);
agree('at first');

# One table that is locked for a moment.
my $locker = fork() // die "fork: $!\n";
if (!$locker) {
	own_sql('LOCK TABLES outbox WRITE; DO SLEEP(2)');
	POSIX::_exit(0);
}
ok await(2, sub { !figure('seoga_db_up') }),
    'who does not answer the recorder is away';
waitpid $locker, 0;
ok await(2.5, sub { figure('seoga_db_up') }), 'until it does: it asks on';

# Nothing tells whether a statement that hangs was carried out.
ask(30);
for (1 .. 3) {
	backend_hang('mariadb');
	ask(20);
	sleep 3;
	is $student->get('/status')->status, 200, '/status while MariaDB hangs'
	    if $_ == 1;
	backend_wake('mariadb');
	sleep 1;
}
agree('after MariaDB hung');

backend_stop('mariadb');
ask(40);
like $student->get('/status')->text, qr/MariaDB does not answer/,
    '/status says that MariaDB is away';
is $student->get('/status/slo')->status, 200, 'objectives are shown';
like $student->text, qr/older than an hour is not known just now/,
    'as far as they are known';
my $begin = time;
like seoga('status'), qr/MariaDB\s+does not answer/, 'so does the terminal';
cmp_ok time - $begin, '<', 8, 'soon';
sleep 8;
backend_start('mariadb');
agree('after MariaDB was away');

for (1 .. 4) {
	my $pid = recorder();

	ask(25);
	sleep .3 * $_;
	kill 'KILL', $pid;
	await(10, sub { my $next = recorder(); $next && $next != $pid });
}
agree('after the recorder was killed');

site_stop();
done_testing();
