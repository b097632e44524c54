#!/usr/bin/perl
# `seoga run`: an instance with servers of its own, from nothing to a page and
# back to nothing, also after a crash.
use strict;
use warnings;

use File::Temp ();
use HTTP::Tiny;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Test;

my $top = $ENV{SEOGA_SRCDIR};
plan skip_all => 'run through t/run, which leaves root' if !$top || $> == 0;
plan skip_all => 'the programs are not built'
    if !-x "$ENV{SEOGA_BUILD}/bin/seoga-migrate";

# The path of its folder is too long for a socket.
my $dir = File::Temp->newdir('seoga-i-XXXXXX', DIR => '/tmp');
my $var = "$dir/" . 'long' x 20 . '/var';
mkdir $var =~ s{/var$}{}r or die;
@ENV{qw(SEOGA_VAR SEOGA_PORT SEOGA_PRIVATE_PORT)} = ($var, 0, 0);

# Whatever happens, nothing of it stays.
my $running;
END {
	if ($running) {
		local $?;
		kill 'TERM', $running;
		waitpid $running, 0;
	}
}

sub run_site {
	unlink "$dir/said";
	my $pid = $running = fork() // die "fork: $!\n";

	if (!$pid) {
		open STDOUT, '>', "$dir/said" or die;
		open STDERR, '>&', \*STDOUT or die;
		exec "$top/bin/seoga", 'run';
		die;
	}
	my ($at) = await(60, sub { slurp("$dir/said") =~ /runs on (\S+)/ })
	    ? slurp("$dir/said") =~ /runs on (\S+)/ : ();
	return ($pid, $at);
}

sub ended {
	my ($pid) = @_;

	waitpid $pid, 0;
	undef $running;
	return $?;
}

# supervisord removes its pid file, and then takes a moment to end.
sub slow_end {
	$ENV{PYTHONUSERBASE} = "$dir/python";
	chomp(my $site = `python3 -m site --user-site`);
	system 'mkdir', '-p', $site;
	spew("$site/usercustomize.py", <<~'END');
		import atexit, sys, time
		if any("supervisord.conf" in word for word in sys.orig_argv):
		    atexit.register(time.sleep, 0.5)
		END
}

sub processes {
	return grep { slurp("/proc/$_/environ") =~ /^(?:.*\0)?SEOGA_VAR=\Q$var\E\0/s
	    && $_ != $$ } map { m{(\d+)} } glob('/proc/[0-9]*');
}

slow_end();
my ($pid, $at) = run_site();
ok $at, 'it runs' or BAIL_OUT(slurp("$dir/said"));
my $page = HTTP::Tiny->new->get($at);
is $page->{status}, 200, 'the first page is there';
like $page->{content}, qr{href="/books/\d+"}, 'with books';
like slurp("$dir/said"), qr/admin +password \S{8,}/, 'and demo accounts';
like seoga('run'), qr/running already: \Q$at\E/, 'a second one says where';
like seoga('status'), qr/mariadb +pid \d+\nredis +pid \d+/, 'status';
is((stat "$var/secret/key")[2] & 0777, 0600, 'secrets are private');
like seoga('env'), qr/^SEOGA_DB_USER=seoga$/m, 'programs have an account';
my ($books) = grep { slurp("/proc/$_/cmdline") =~ m{/cgi-bin/books\0} }
    processes();
unlike slurp("/proc/$books/environ"), qr/ADMIN/,
    'and do not know the one that changes tables';

my $begin = time;
kill 'TERM', $pid;
is ended($pid), 0, 'TERM ends it well';
diag sprintf 'stopped in %.1f s', time - $begin;
is_deeply [processes()], [], 'nothing is left';

$begin = time;
($pid, $at) = run_site();
ok $at, 'it runs again' or BAIL_OUT(slurp("$dir/said"));
diag sprintf 'warm start in %.1f s', time - $begin;
is(HTTP::Tiny->new->get($at)->{status}, 200, 'and there it is again');
my %server = seoga('status') =~ /^(mariadb|redis) +pid (\d+)$/mg;
kill 'KILL', values %server;
for my $name (sort keys %server) {
	ok await(30, sub { slurp("$dir/said") =~ /^$name died; starting/m }),
	    "a $name that was killed is missed";
}
ok await(30, sub {
	HTTP::Tiny->new->get("$at/api/ready")->{status} == 200
}), 'both are back';
like(HTTP::Tiny->new->get("$at/books")->{content}, qr{href="/books/\d+"},
    'with all books');
my ($supervisord) = grep { slurp("/proc/$_/cmdline") =~ /supervisord/ }
    processes();
kill 'KILL', $supervisord;
isnt ended($pid), 0, 'without supervisord it gives up';
like slurp("$dir/said"), qr/died/, 'and says so';
ok await(5, sub { !processes() }), 'nothing is left then either';

# nginx's own processes would answer for ever.
($pid, $at) = run_site();
my ($nginx) = seoga('status') =~ /^nginx +pid (\d+)/m;
kill 'KILL', $nginx;
isnt ended($pid), 0, 'nor is there a site without nginx';
is(HTTP::Tiny->new(timeout => 5)->get($at)->{status}, 599,
    'and nobody answers in its place');

# Starts that fail: before there is a server, and while MariaDB starts.
my $other = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
{
	local $ENV{SEOGA_PORT} = $other->sockport;
	like seoga('run'), qr/another program has port $ENV{SEOGA_PORT} of/,
	    'a port that is taken is told';
	isnt $?, 0, 'and nothing starts';
}
{
	local $ENV{SEOGA_PRIVATE_PORT} = $other->sockport;
	my $taken = $ENV{SEOGA_PRIVATE_PORT};
	like seoga('run'), qr/has port $taken of .*setting SEOGA_PRIVATE_PORT/,
	    'nor when it is the private one';
	isnt $?, 0, 'nothing starts';
	local $ENV{SEOGA_PORT} = $ENV{SEOGA_PRIVATE_PORT};
	like seoga('run'), qr/what is private needs one of its own/,
	    'one port for both is refused';
	isnt $?, 0, 'nothing starts';
}
spew("$dir/seoga-errors", "#!/bin/sh\necho no such luck; exit 1\n");
chmod 0755, "$dir/seoga-errors";
{
	local @ENV{qw(SEOGA_COMMAND_DIR SEOGA_JOBS)} = ($dir, '/dev/null');
	like seoga('run'), qr/no such luck/, 'what fails is told';
	isnt $?, 0, 'and the start has failed';
}
is_deeply [processes()], [], 'nothing is left of either';
($pid, $at) = run_site();
ok $at, 'the next start succeeds' or BAIL_OUT(slurp("$dir/said"));
kill 'TERM', $pid;
is ended($pid), 0, 'and ends well';

done_testing();
