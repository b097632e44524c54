#!/usr/bin/perl
# GET and POST /register: becoming a member.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

sub somebody { return Seoga::Reader->new(@_) }

site_start();
my $password = 'seven words are enough';

sub visitor {
	my $reader = Seoga::Reader->new(@_);

	return $reader->get('/register');
}

sub count {
	my ($username) = @_;

	return sql("SELECT COUNT(*) FROM users
	    WHERE username = '$username'") + 0;
}

sub registering {
	my ($reader, %values) = @_;

	return $reader->send('/register', username => 'somebody',
	    name => 'Some Body', password => $password,
	    password2 => $password, %values);
}

subtest 'a new member' => sub {
	my $reader = visitor();
	my $sid = $reader->{cookies}{sid};

	registering($reader, username => 'Anna.Kim', name => '김안나');
	is $reader->status, 303, 'a redirect';
	is $reader->header('location'), '/', 'to the home page';
	$reader->follow;
	like $reader->text, qr/Your account is ready and you are signed in/,
	    'that says so';
	like $reader->html, qr{<a href="/account">김안나</a>}, 'signed in';
	unlike $reader->get('/')->text, qr/Your account is ready/, 'once';
	isnt $reader->{cookies}{sid}, $sid, 'with a new session';
	my ($row) = split /\n/, sql("SELECT username, name, role, locked,
	    password_hash FROM users WHERE username = 'anna.kim'");
	like decode_utf8($row),
	    qr/^anna\.kim\t김안나\treader\t0\t\$argon2id\$/,
	    'the row: a reader, the name in small letters, hashed';
	unlike $row, qr/seven words/, 'not the password itself';
	ok somebody()->login('ANNA.kim', password => $password)
	    ->signed_in, 'who can sign in whatever the case';
};

subtest 'mistakes keep what was typed' => sub {
	my $reader = visitor();

	registering($reader, username => 'ab', name => 'Al "B" <i>',
	    password2 => 'other than that');
	is $reader->status, 400, 'refused';
	like $reader->html, qr{<title>Error: Register - Seoga</title>},
	    'the title says so';
	like $reader->html, qr{<a href="#f-username">}, 'a summary with links';
	my ($message) = $reader->html =~ m{<a href="#f-username">([^<]*)<};
	like $reader->html, qr{id="e-username">\Q$message\E<},
	    'the same words beside the field';
	like $reader->html, qr{name="username" value="ab"}, 'the username';
	like $reader->html, qr{name="name" value="Al &quot;B&quot; &lt;i&gt;"},
	    'the name';
	unlike $reader->html, qr/\Q$password\E|other than that/,
	    'but no password';
	like $reader->html, qr{id="f-username"[^>]*aria-invalid="true"},
	    'marked as invalid';
	registering($reader, username => 'abc.def');
	is $reader->status, 303, 'corrected, it is taken';
};

my %refused = (
	'no username' => [username => ''],
	'a short one' => [username => 'ab'],
	'a long one' => [username => 'a' x 33],
	'a blank in it' => [username => 'some body'],
	'a dot first' => [username => '.body'],
	'Hangul' => [username => '김안나나'],
	'a quote' => [username => q(bob'--)],
	'a line end' => [username => "bob\nbob"],
	'no name' => [name => ''],
	'blanks as name' => [name => '   '],
	'a long name' => [name => '가' x 81],
	'no password' => [password => '', password2 => ''],
	'a short password' => [password => 'seven77', password2 => 'seven77'],
	'a long password' => [password => 'p' x 129, password2 => 'p' x 129],
	'two passwords' => [password2 => 'another password'],
	'one password' => [password2 => ''],
);
for my $what (sort keys %refused) {
	my $reader = visitor();

	registering($reader, @{$refused{$what}});
	is $reader->status, 400, "$what: refused";
	my $field = $refused{$what}[0] eq 'password' && @{$refused{$what}} > 2
	    ? 'password' : $refused{$what}[0];
	like $reader->html, qr{id="e-$field"}, "$what: said beside it";
	like $reader->html, qr{id="f-$field"}, "$what: with a target";
}

subtest 'edges that are right' => sub {
	registering(visitor(), username => 'a' x 32, name => '가' x 80,
	    password => '비' x 128, password2 => '비' x 128);
	is count('a' x 32), 1, 'the longest';
	registering(visitor(), username => 'a-_', name => 'x',
	    password => ' blank8 ', password2 => ' blank8 ');
	ok somebody()->login('a-_', password => ' blank8 ')
	    ->signed_in, 'the shortest; blanks of a password count';
	ok !somebody()->login('a-_', password => 'blank8')
	    ->signed_in, 'all of them';
};

subtest 'a name that is taken' => sub {
	my $reader = visitor();

	registering($reader, username => 'taken');
	registering($reader = visitor(), username => 'TAKEN');
	is $reader->status, 409, 'is a conflict';
	like $reader->html, qr{id="e-username">This username is taken},
	    'said beside it';
	like $reader->html, qr{value="TAKEN"}, 'and kept';
	is count('taken'), 1, 'one is there';
};

subtest 'two at once' => sub {
	my @pids = map {
		my $reader = visitor();
		my $pid = fork() // die;
		if (!$pid) {
			registering($reader, username => 'twins');
			POSIX::_exit($reader->status == 303 ? 1 :
			    $reader->status == 409 ? 0 : 2);
		}
		$pid;
	} 1, 2;
	my @status = sort map { waitpid $_, 0; $? >> 8 } @pids;

	is_deeply \@status, [0, 1], 'one wins';
};

subtest 'where to go on' => sub {
	my $reader = visitor();

	$reader->get('/register?next=/books/1');
	like $reader->html, qr{href="/login\?next=(?:/|%2F)books}i,
	    'the way to sign in keeps it';
	registering($reader, username => 'nextone');
	is $reader->header('location'), '/books/1', 'a page of ours';
	$reader = visitor()->get('/register?next=//evil.example/');
	registering($reader, username => 'nexttwo');
	is $reader->header('location'), '/', 'not another site';
};

subtest 'the guest\'s cart comes along' => sub {
	seoga_ok('migrate', '--sample');
	sql('UPDATE books SET stock_quantity = 9 WHERE id = 1201');
	my $reader = Seoga::Reader->new;

	$reader->add(1201, 3);
	$reader->get('/register');
	registering($reader, username => 'withcart');
	is_deeply $reader->cart, { 1201 => 3 }, 'it does';
};

subtest 'nobody can make himself an administrator' => sub {
	my $reader = visitor();

	registering($reader, username => 'climber', role => 'admin');
	is $reader->status, 400, 'an unknown field is refused';
	is count('climber'), 0, 'nothing was made';
};

subtest 'from another site' => sub {
	my %fields = (username => 'forged', name => 'x', password => $password,
	    password2 => $password);

	is somebody()->post('/register', \%fields)->status, 403,
	    'without a token';
	is somebody()->post('/register', { %fields,
	    csrf => visitor()->form('/register')->{csrf} })->status, 403,
	    'with the token of another session';
	is count('forged'), 0, 'nothing was made';
};

site_stop();
done_testing();
