#!/usr/bin/perl
# `seoga user`, and what each command says when asked for help or misused.
use strict;
use warnings;

use IPC::Open2;
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();

my $top = $ENV{SEOGA_SRCDIR};

# With a line on its standard input.
sub told {
	my ($line, @arguments) = @_;
	my $pid = open2(my $out, my $in, '/bin/sh', '-c', 'exec "$@" 2>&1',
	    'sh', "$top/bin/seoga", @arguments);

	local $SIG{PIPE} = 'IGNORE';
	print {$in} "$line\n";
	close $in;
	local $/;
	my $said = <$out>;
	waitpid $pid, 0;
	return $said;
}

subtest 'help' => sub {
	like seoga('help'), qr/^  $_ /m, "$_ is listed"
	    for qw(run reload user migrate trace env);
	for my $name (qw(run start stop status routes reload restart reopen env
	    migrate user trace logs import export cache)) {
		like seoga($name, '--help'), qr/\Ausage: seoga $name\b.*\n./,
		    "$name --help";
		is $?, 0, 'is no mistake';
	}
};

subtest 'mistakes' => sub {
	for (
		[['nonsense'], qr/there is no command "nonsense"/],
		[['reload', 'now'], qr/seoga reload takes no arguments/],
		[['migrate', '--all'], qr/^seoga migrate: usage:/],
		[['user'], qr/^seoga user: usage:/],
		[['user', '--all'], qr/usage: seoga user/],
		[['user', 'add', 'No!'], qr/a user name has 3 to 32 letters/],
		[['user', 'add', 'somebody', '--role', 'king'],
		    qr/there is no role "king": it is reader, student/],
		[['user', 'role', 'nobody.here', 'admin'],
		    qr/There is no such user/],
	) {
		my ($arguments, $message) = @$_;

		like seoga(@$arguments), $message, "seoga @$arguments";
		isnt $?, 0, 'is a mistake';
	}
};

subtest 'an account' => sub {
	my @add = ('user', 'add', 'kim.admin', '--role', 'admin',
	    '--full-name', '김관리', '--password-stdin');

	like told('short', @add), qr/at least 8 characters/, 'too short';
	isnt $?, 0, 'is a mistake';
	is told('a good password', @add),
	    "kim.admin is a member now, with the role admin.\n", 'is made';
	is $?, 0, 'without one';
	like told('a good password', @add), qr/there is a user kim.admin/,
	    'but once';
	my $reader = Seoga::Reader->new->login('kim.admin',
	    password => 'a good password');
	like $reader->get('/account')->html, qr/Administrator/, 'signs in';

	is seoga('user', 'role', 'kim.admin', 'librarian'),
	    "kim.admin has the role librarian and is signed out everywhere.\n",
	    'another role';
	ok !$reader->signed_in, 'nobody goes on with the old one';
	is sql("SELECT CONCAT_WS(' ', actor, act, label, changes) FROM audit"),
	    'system user.role kim.admin {"role":["admin","librarian"]}'
	    . "\n", 'it is in the log';
	$reader->login('kim.admin', password => 'a good password');
	like $reader->get('/account')->html, qr/Librarian/, 'but with this';
	is told('another password', 'user', 'password', 'kim.admin',
	    '--password-stdin'),
	    "kim.admin has a new password and is signed out everywhere.\n",
	    'another password';
	ok !$reader->signed_in, 'who knew the old one is out';
	$reader = Seoga::Reader->new->login('kim.admin',
	    password => 'another password');
	like $reader->get('/account')->html, qr/Librarian/, 'both hold';
};

site_stop();
done_testing();
