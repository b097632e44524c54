#!/usr/bin/perl
# /admin/users: roles and locks, what they end, and that an administrator is
# always left.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start();
sub somebody { return Seoga::Reader->new }

my $kim = staff('admin', 'kim');
my $url = '/admin/users';

sub role_of {
	return sql("SELECT role FROM users WHERE username = '$_[0]'")
	    =~ s/\n//r;
}

sub token {
	my ($who) = @_;

	return $who->get('/')->form('/logout')->{csrf};
}

# What an administrator's page of that member would send.
sub act {
	my ($who, $username, %values) = @_;

	$values{csrf} //= token($who);
	return $who->post("$url/" . user_id($username), \%values);
}

subtest 'who may' => sub {
	only_for('admin', '/admin/users', '/admin/users/1');
};

subtest 'the list' => sub {
	my $reader = Seoga::Reader->new;
	$reader->register(username => 'zoe', name => '<b>Zoë</b> 100%');
	sql("INSERT INTO users (username, name, password_hash)
	    SELECT CONCAT('many', seq), 'Many', 'x' FROM seq_1_to_60");

	is $kim->get($url)->status, 200, 'is there';
	my @seen;
	while (1) {
		push @seen, $kim->html =~
		    m{<h2><a href="/admin/users/\d+">([^<]+)</a>}g;
		my ($next) = $kim->html =~ m{<a href="([^"]+)" rel="next">}
		    or last;
		$kim->get(HTML::Entities::decode_entities($next));
	}
	is_deeply \@seen, [split /\n/, sql('SELECT username FROM users
	    ORDER BY username')], 'all, page by page';
	for (['q=zo%C3%AB', qr/zoe/, 1], ['q=ZOE', qr/zoe/, 1],
	    ['q=100%25', qr/zoe/, 1], ['q=%25', qr/zoe/, 1],
	    ['q=%ED%95%9C', qr/No member/, 0], ['role=admin', qr/kim/, 1],
	    ['locked=1', qr/No member/, 0], ['q=kim&role=reader',
	    qr/No member/, 0]) {
		my ($query, $text, $count) = @$_;
		like $kim->get("$url?$query")->text, $text, $query;
		is scalar(() = $kim->html =~ m{<h2><a href="/admin/users/}g),
		    $count, "$count of them";
	}
	unlike $kim->get("$url?q=zoe")->html, qr/<b>Zo/, 'names are text';
	is $kim->get("$url?role=king")->status, 400, 'an unknown role';
	is $kim->get("$url?after=%27")->status, 400, 'a bad cursor';
	is $kim->get("$url/999999")->status, 404, 'no such member';
};

subtest 'roles' => sub {
	my $zoe = somebody()->login('zoe');
	my $id = user_id('zoe');

	ok $zoe->signed_in, 'a member is signed in';
	$kim->get("$url/$id");
	$kim->submit("$url/$id", where => { act => 'role' },
	    role => 'librarian');
	like $kim->text, qr/The role is set/, 'a role is given';
	like $kim->text, qr/Role Librarian/, 'and shown';
	is role_of('zoe'), 'librarian', 'for good';
	ok !$zoe->signed_in, 'that ends the sessions';
	$zoe->login('zoe');
	is $zoe->get('/admin/books')->status, 200, 'the next has the role';
	is_deeply changes_of(user => $id), ['kim user.role'], 'logged';
	like sql("SELECT changes FROM audit WHERE object = 'user'"),
	    qr/"role":\["reader","librarian"\]/, 'with before and after';
	act($kim, 'zoe', act => 'role', role => 'librarian');
	is $kim->status, 303, 'again';
	is scalar(@{changes_of(user => $id)}), 1, 'is logged once';
	$zoe->login('zoe');
	for (['king', 400], ['', 400]) {
		is act($kim, 'zoe', act => 'role', role => $_->[0])->status,
		    $_->[1], "role '$_->[0]'";
	}
	is act($kim, 'zoe', act => 'adopt')->status, 400, 'another act';
	is act($kim, 'zoe')->status, 400, 'none';
	is $kim->post("$url/$id", { act => 'lock' })->status, 403, 'no token';
	is act($zoe, 'kim', act => 'role', role => 'reader')->status, 403,
	    'a librarian may not';
};

subtest 'locks' => sub {
	my $zoe = somebody()->login('zoe');
	my $phone = somebody()->login('zoe');
	my $token = JSON::PP::decode_json(http(post => '/api/users/login', {
	    headers => { 'Content-Type' => 'application/json' },
	    content => '{"username":"zoe","password":"a long enough password"}'
	    })->{content})->{token};
	my $by_token = sub { http(get => '/api/cart', { headers => {
	    Authorization => "Bearer $token" } })->{status} };
	my $id = user_id('zoe');

	is $by_token->(), 200, 'an app is signed in, too';
	$kim->get("$url/$id");
	$kim->submit("$url/$id", where => { act => 'lock' });
	like $kim->text, qr/The account is locked/, 'locked';
	ok !$_->signed_in, 'signed out at once' for $zoe, $phone;
	is $by_token->(), 401, 'the app as well';
	$zoe->login('zoe');
	ok !$zoe->signed_in, 'nobody gets in';
	like $zoe->login('zoe')->text, qr/This account is locked/, 'it says so';
	like $kim->get("$url?locked=1")->text, qr/zoe/, 'among the locked';
	$kim->get("$url/$id");
	$kim->submit("$url/$id", where => { act => 'unlock' });
	$zoe->login('zoe');
	ok $zoe->signed_in, 'unlocked, it is open again';
	is_deeply changes_of(user => $id),
	    ['kim user.role', 'kim user.lock', 'kim user.unlock'], 'logged';
};

subtest 'oneself' => sub {
	$kim->get("$url/" . user_id('kim'));
	like $kim->text, qr/This is you/, 'the page says so';
	is $kim->form("$url/" . user_id('kim')), undef, 'and has no form';
	for (['role', 'reader'], ['lock', ''], ['role', 'admin']) {
		is act($kim, 'kim', act => $_->[0], role => $_->[1])->status,
		    409, "$_->[0] $_->[1]";
	}
	is role_of('kim'), 'admin', 'still an administrator';
	ok $kim->signed_in, 'and here';
};

sub admins {
	return 0 + sql("SELECT COUNT(*) FROM users WHERE role = 'admin'
	    AND NOT locked");
}

subtest 'the last administrator' => sub {
	for my $round (1 .. 5) {
		my ($a, $b) = map { staff('admin') } 1 .. 2;
		sql("UPDATE users SET role = 'reader' WHERE role = 'admin'
		    AND username NOT IN ('$a->{username}', '$b->{username}')");
		my @acts = $round % 2 ? (act => 'role', role => 'reader') :
		    (act => 'lock');
		my @tokens = map { token($_) } $a, $b;
		at_once(sub { act($a, $b->{username}, @acts,
		    csrf => $tokens[0])->status },
		    sub { act($b, $a->{username}, @acts,
		    csrf => $tokens[1])->status });
		is admins(), 1, "two against each other: one is left ($round)";
	}
	my @ring = map { staff('admin') } 1 .. 4;
	my $names = join ',', map { "'$_->{username}'" } @ring;
	sql("UPDATE users SET role = 'reader' WHERE role = 'admin'
	    AND username NOT IN ($names)");
	my @tokens = map { token($_) } @ring;
	at_once(map { my $n = $_; sub { act($ring[$n],
	    $ring[($n + 1) % 4]{username}, act => 'role', role => 'reader',
	    csrf => $tokens[$n])->status } } 0 .. 3);
	cmp_ok admins(), '>=', 1, 'four in a ring: one at least';
};

subtest 'locked while signing in' => sub {
	my $chief = staff('admin', 'chief');
	my $late = Seoga::Reader->new;
	my $name = $late->register;

	for my $round (1 .. 6) {
		sql("UPDATE users SET locked = FALSE
		    WHERE username = '$name'");
		my $one = Seoga::Reader->new;
		my $csrf = token($chief);
		$one->get('/login');
		my ($cookies) = at_once(sub {
			$one->send('/login', username => $name,
			    password => 'a long enough password');
			return $one->{cookies}{sid} // '';
		}, sub { act($chief, $name, act => 'lock',
		    csrf => $csrf)->status });
		$one->{cookies}{sid} = $cookies;
		ok !$one->signed_in, "no session survives the lock ($round)";
	}
};

site_stop();
done_testing();
