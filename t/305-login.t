#!/usr/bin/perl
# GET and POST /login: who may come in, who has to wait, and what a session
# is then.
use strict;
use warnings;
use utf8;

use POSIX ();
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start(trusted_proxies => '127.0.0.1 ::1');
my $password = 'a long enough password';
my $who = 0;

# A browser at an address of its own.
sub visitor {
	my (%header) = @_;

	$who++;
	return Seoga::Reader->new(headers =>
	    { 'X-Forwarded-For' => "198.51.100.$who", %header });
}

sub at {
	return visitor('X-Forwarded-For' => $_[0]);
}

sub member {
	my $reader = visitor();
	my $username = $reader->register;

	return ($username, $reader);
}

sub fail_times {
	my ($reader, $username, $times) = @_;

	$reader->login($username, password => 'wrong password')
	    for 1 .. $times;
	return $reader;
}

# The answer that a person would give to the question on the page.
sub answer {
	my ($reader) = @_;
	my ($a, $b) = $reader->text =~ /How much is (\d+) plus (\d+)\?/;

	return defined $a ? $a + $b : undef;
}

subtest 'in' => sub {
	my ($username) = member();
	my $reader = visitor();

	$reader->get('/login');
	my $sid = $reader->{cookies}{sid};
	$reader->send('/login', username => " \U$username ",
	    password => $password);
	is $reader->status, 303, 'a redirect';
	is $reader->header('location'), '/', 'to the home page';
	is $reader->header('cache-control'), 'no-store', 'not to be kept';
	isnt $reader->{cookies}{sid}, $sid, 'a new session';
	my $cookie = $reader->set_cookie('sid');
	like $cookie, qr/; *HttpOnly/i, 'no script reads the cookie';
	like $cookie, qr/; *SameSite=Lax/i, 'no other site sends it';
	like $cookie, qr{; *Path=/(?:;|$)}i, 'it is for the whole site';
	unlike $cookie, qr/Max-Age|Expires/i, 'it ends with the browser';
	$reader->follow;
	like $reader->text, qr/You are signed in\./, 'said once';
	unlike $reader->get('/')->text, qr/You are signed in\./, 'only once';
	like $reader->get('/login')->text, qr/You are signed in as /,
	    'the form knows';
	unlike visitor()->get('/login')->text, qr/You are signed in/,
	    'and of a guest, too';
	my ($id) = $reader->{cookies}{sid} =~ /^([0-9a-f-]{36})\.\d+$/;
	my $ttl = redis('TTL', "session:$id");
	ok $ttl > 1500 && $ttl <= 1800, "it lives half an hour ($ttl s)";
};

subtest 'remember me' => sub {
	my ($username) = member();
	my $reader = visitor()->login($username, remember => 1);
	my ($id) = $reader->{cookies}{sid} =~ /^([0-9a-f-]{36})/;

	ok $reader->signed_in, 'in';
	cmp_ok redis('TTL', "session:$id"), '>', 600000, 'for a week';
	$reader->get('/login');
	$reader->send('/login', username => $username,
	    password => $password, remember => 1);
	like $reader->set_cookie('sid'), qr/; *Max-Age=604800\b/i,
	    'the cookie, too';
};

subtest 'not in' => sub {
	my ($username) = member();
	my $wrong = fail_times(visitor(), $username, 1);
	my $unknown = fail_times(visitor(), 'nobody.here', 1);

	is $wrong->status, 400, 'a wrong password';
	like $wrong->html, qr{<title>Error: Sign in}, 'the title says so';
	like $wrong->html, qr{name="username" value="\Q$username\E"},
	    'the name is kept';
	unlike $wrong->html, qr/wrong password/, 'the password is not';
	is $unknown->status, $wrong->status, 'an unknown name: the same';
	my $same = $unknown->html =~ s/nobody\.here/$username/gr;
	s/[0-9a-f]{32,}|value="[^"]*"|[\d.\s]+(?:ms|kB)\b//g
	    for $same, my $other = $wrong->html;
	is $same, $other, 'word for word, and as many statements';
	is visitor()->login('')->status, 400, 'no name';
	like visitor()->login($username, password => '')->html,
	    qr{id="e-password"}, 'no password';
	is visitor()->login($username, password => 'p' x 129)->status, 400,
	    'a password longer than any';
	is visitor()->login('n' x 65)->status, 400, 'a name, too';
};

sub median {
	my @sorted = sort { $a <=> $b } @_;

	return $sorted[@sorted / 2];
}

subtest 'a name that no account can have' => sub {
	my ($username) = member();
	my $reader = visitor();
	my $unknown = 'The username or the password is not right.';

	for my $name ('홍길동', "r\x{e9}ader", substr($username, 1)
	    . "\x{212a}", 'a b', "x'--", 'no') {
		$reader = visitor();
		$reader->login($name, password => $password);
		is $reader->status, 400, 'is refused as any other';
		like $reader->text, qr/\Q$unknown\E/, '... in the same words';
	}
	fail_times($reader, 'no', 2);
	ok defined answer($reader), '... and counted as any other';
};

subtest 'as much work for an unknown name' => sub {
	my (%us, @ends);
	my ($username) = member();

	for my $n (1 .. 5) {
		for my $name ($username, "nobody.$n") {
			my $reader = visitor();
			fail_times($reader, $name, 1);
			my ($end) = ends_of($reader->trace);
			push @{$us{$name eq $username ? 'known' : 'not'}},
			    $end->{us};
			push @ends, "$end->{db} $end->{redis}";
		}
	}
	my ($known, $not) = map { median(@$_) } @us{qw(known not)};
	ok $known < 2 * $not && $not < 2 * $known,
	    "median $known and $not us";
	cmp_ok $not, '>', 5000, 'which is work';
	is_deeply [grep { $_ ne $ends[0] } @ends], [],
	    'the same number of trips';
};

for my $kind ('a member', 'an unknown name') {
	subtest "$kind: a question, then a lock" => sub {
		my ($username) = $kind eq 'a member' ? member() : "no.$$";
		my $reader = visitor();

		fail_times($reader, $username, 2);
		is answer($reader), undef, 'two failures: no question';
		fail_times($reader, $username, 1);
		ok defined answer($reader), 'three: a question';
		$reader->submit('/login', username => $username,
		    password => $password);
		like $reader->html, qr{id="e-answer">Answer the question},
		    'without an answer not even the right password';
		$reader->submit('/login', username => $username,
		    password => $password, answer => answer($reader) + 1);
		like $reader->html, qr{id="e-answer">That was not the answer},
		    'nor with a wrong one';
		my $form = $reader->form('/login');
		my $right = answer($reader);
		$reader->submit('/login', username => $username,
		    password => 'wrong password', answer => $right);
		is $reader->status, 400, 'a fourth failure';
		$reader->post('/login', { %$form, username => $username,
		    password => $password, answer => $right });
		like $reader->html, qr{id="e-answer"},
		    'an answer counts once';
		$reader->submit('/login', username => $username,
		    password => 'wrong password', answer => answer($reader));
		is $reader->status, 429, 'the fifth locks';
		is $reader->header('retry-after'), 900, 'for 15 minutes';
		like $reader->text, qr/locked for 15 minutes/, 'and says so';
		my $now = visitor('X-Forwarded-For' =>
		    $reader->{headers}{'X-Forwarded-For'});
		$now->login($username);
		is $now->status, 429, 'also for the right password';
		is $now->header('retry-after'), 900, 'alike';
		my $else = visitor()->login($username);
		is $else->status, $kind eq 'a member' ? 200 : 400,
		    'another address is not locked';
		my ($key) = grep { redis('GET', $_) == 5 }
		    split /\n/, redis('KEYS', 'login-failures:*:'
		    . $reader->{headers}{'X-Forwarded-For'});
		my $ttl = redis('TTL', $key);
		ok $ttl > 850 && $ttl <= 900, "until then ($ttl s)";
		unlike $key, qr/\Q$username\E/, 'the key tells no name';
		redis('DEL', $key);
		$now->login($username);
		is $now->status, $kind eq 'a member' ? 200 : 400,
		    'then it is over';
	};
}

subtest 'a question that is answered' => sub {
	my ($username) = member();
	my $reader = fail_times(visitor(), $username, 3);

	$reader->submit('/login', username => $username,
	    password => $password, answer => answer($reader));
	ok $reader->signed_in, 'lets in';
	my $again = at($reader->{headers}{'X-Forwarded-For'});
	fail_times($again, $username, 2);
	is answer($again), undef, 'success sets the count back';
};

subtest 'other accounts of the address' => sub {
	my ($locked) = member();
	my ($other) = member();
	my $reader = fail_times(visitor(), $locked, 3);

	$reader->submit('/login', username => $locked, password => 'wrong!!!',
	    answer => answer($reader)) for 1, 2;
	is $reader->status, 429, 'one is locked';
	ok at($reader->{headers}{'X-Forwarded-For'})->login($other)
	    ->signed_in, 'another is not';
};

subtest 'an address cannot be made up' => sub {
	my ($username) = member();
	my $reader = at('203.0.113.9, 198.51.100.250');

	fail_times($reader, $username, 3);
	ok defined answer(fail_times(at('203.0.113.77, 198.51.100.250'),
	    $username, 1)), 'what the client adds in front does not count';
};

subtest 'the addresses of one IPv6 subscriber are one' => sub {
	my ($username) = member();
	my @at = map { at("2001:db8:0:7::$_") } 1 .. 4;

	fail_times($_, $username, 1) for @at[0 .. 2];
	ok defined answer(fail_times($at[3], $username, 1)),
	    'another address of the network is asked';
	ok !defined answer(fail_times(at('2001:db8:0:8::1'), $username, 1)),
	    'another network is not';
	fail_times(at("::ffff:203.0.113.$_"), $username, 1) for 1 .. 3;
	ok !defined answer(fail_times(at('203.0.113.4'), $username, 1)),
	    'nor do those of IPv4 belong together';
};

subtest 'locked by an administrator' => sub {
	my ($username) = member();

	sql("UPDATE users SET locked = 1 WHERE username = '$username'");
	my $reader = visitor()->login($username);
	is $reader->status, 403, 'not in';
	like $reader->html, qr{id="e-username">This account is locked},
	    'and told why, beside the name';
	ok $reader->form('/login'), 'on the form itself';
	is fail_times(visitor(), $username, 1)->status, 400,
	    'whoever does not know the password is not told';
};

subtest 'an old hash' => sub {
	my ($username) = member();
	my $hash = '$2b$12$'
	    . '5h/zKQaMlGIV2Gm.ZMYPW.QUnhaFhlBWVJqYWLx5tSGgIGLFMNkEe';
	my $bcrypt = qx{python3 -c 'import warnings
warnings.simplefilter("ignore")
import crypt
print(crypt.crypt("$password", "\$2b\$12\$abcdefghijklmnopqrstuu"))'};

	chomp $bcrypt;
	like $bcrypt, qr/^\$2b\$12\$/, 'bcrypt is there';
	sql("UPDATE users SET password_hash = '$bcrypt'
	    WHERE username = '$username'");
	ok visitor()->login($username)->signed_in, 'still lets in';
	like sql("SELECT password_hash FROM users
	    WHERE username = '$username'"), qr/^\$argon2id\$/,
	    'and is upgraded';
	ok visitor()->login($username)->signed_in, 'which lets in, too';
	sql("UPDATE users SET password_hash = '$hash'
	    WHERE username = '$username'");
	is visitor()->login($username)->status, 400, 'another one does not';
};

# Bcrypt at cost 15 takes seconds: time enough to change the password.
subtest 'an old hash, and a new password meanwhile' => sub {
	my ($username) = member();
	my $old = qx{python3 -c 'import warnings
warnings.simplefilter("ignore")
import crypt
print(crypt.crypt("$password", "\$2b\$15\$abcdefghijklmnopqrstuu"))'};
	my $hash = "SELECT password_hash FROM users
	    WHERE username = '$username'";

	chomp $old;
	sql("UPDATE users SET password_hash = '$old'
	    WHERE username = '$username'");
	my $reader = visitor();
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		$reader->login($username);
		POSIX::_exit(0);
	}
	sleep 1;
	is sql($hash), "$old\n", 'still being checked';
	sql("UPDATE users SET password_hash = '\$argon2id\$new'
	    WHERE username = '$username'");
	waitpid $pid, 0;
	is sql($hash), "\$argon2id\$new\n", 'the new password stays';
};

subtest 'a planted session' => sub {
	my ($username) = member();
	my ($id) = sql("SELECT id FROM users
	    WHERE username = '$username'") =~ /(\d+)/;
	my $uuid = '01234567-89ab-4cde-8f01-23456789abcd';

	for my $planted ($uuid, "$uuid.$id") {
		my $victim = visitor();
		my $thief = visitor();
		$_->{cookies}{sid} = $planted for $victim, $thief;
		$victim->login($username);
		isnt $victim->{cookies}{sid}, $planted, 'sid changes';
		ok $victim->signed_in, 'the reader is in';
		ok !$thief->signed_in, 'the thief is not';
		is redis('HGET', "session:$uuid", 'user_id'), '',
		    'the planted one belongs to nobody';
	}
	my $reader = visitor()->login($username);
	my $before = $reader->{cookies}{sid};
	$reader->login($username);
	isnt $reader->{cookies}{sid}, $before, 'signing in again, too';
	my $old = visitor();
	$old->{cookies}{sid} = $before;
	ok !$old->signed_in, 'ends the one before';
};

subtest 'somebody else\'s number in the cookie' => sub {
	seoga_ok('migrate', '--sample');
	sql('UPDATE books SET stock_quantity = 9');
	my ($username, $victim) = member();
	my $thief = visitor();
	my ($id) = $victim->{cookies}{sid} =~ /\.(\d+)$/;

	$victim->add(1201, 2);
	my $forged = "01234567-89ab-4cde-8f01-00000000000a.$id";
	$thief->{cookies}{sid} = $forged;
	is_deeply $thief->cart, {}, 'does not show that cart';
	unlike $thief->html, qr{>Cart <b>}, 'nor its size';
	$thief->{cookies}{sid} = $forged;
	$thief->add(1202, 1);
	is_deeply $victim->cart, { 1201 => 2 }, 'nor changes it';
	my ($other, $member) = member();
	$member->{cookies}{sid} =~ s/\.\d+$/.$id/;
	my $mixed = $member->{cookies}{sid};
	is_deeply $member->cart, {}, 'a member\'s neither';
	$member->{cookies}{sid} = $mixed;
	$member->add(1203, 1);
	is_deeply $victim->cart, { 1201 => 2 }, 'in no way';
};

subtest 'where to go on' => sub {
	my ($username) = member();
	my $reader = visitor()->get('/account');

	is $reader->header('location'), '/login?next=%2Faccount',
	    'a page for members sends here';
	$reader->follow;
	$reader->submit('/login', username => $username,
	    password => $password);
	is $reader->{path}, '/account', 'and back';
	$reader = visitor()->get('/books?sort=price');
	my ($link) = $reader->html =~ m{href="(/login[^"]*)"};
	$reader->get(HTML::Entities::decode_entities($link));
	$reader->submit('/login', username => $username,
	    password => 'wrong at first');
	$reader->submit('/login', username => $username,
	    password => $password);
	is $reader->{path}, '/books?sort=price', 'also after a mistake';
};

subtest 'a forged form' => sub {
	my ($username) = member();
	my %fields = (username => $username, password => $password);

	is visitor()->post('/login', \%fields)->status, 403, 'no token';
	my $reader = visitor()->get('/login');
	$reader->post('/login', { %fields, %{$reader->form('/login')},
	    %fields }, Origin => 'https://evil.example');
	is $reader->status, 403, 'from another site';
	$reader->get('/login');
	$reader->post('/login', { %{$reader->form('/login')}, %fields },
	    Origin => url('') =~ s{/$}{}r);
	is $reader->status, 303, 'from ours it is taken';
};

subtest 'Korean' => sub {
	my ($username) = member();

	sql("UPDATE users SET lang = 'ko' WHERE username = '$username'");
	my $reader = visitor()->login($username);
	like $reader->set_cookie('lang') // $reader->{cookies}{lang}, qr/ko/,
	    'the member\'s own language';
	like $reader->get('/')->html, qr{<html lang="ko">}, 'from here on';
};

site_stop();
done_testing();
