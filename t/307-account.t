#!/usr/bin/perl
# GET and POST /account, POST /account/sessions: what is a member's own.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Test;

sub somebody { return Seoga::Reader->new(@_) }

site_start();
my $password = 'a long enough password';
my $agent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/1';
my $reader = Seoga::Reader->new;
my $username = $reader->register(name => 'First Name');

# Another device of the same member.
sub device {
	my (%header) = @_;

	return Seoga::Reader->new(headers => \%header)->login($username,
	    password => $password);
}

sub change {
	my ($action, %values) = @_;

	$reader->get('/account');
	return $reader->submit('/account', where => { action => $action },
	    %values);
}

subtest 'the page' => sub {
	is $reader->get('/account')->status, 200, 'is there';
	like $reader->text, qr/Username \Q$username\E Role Reader/,
	    'who it is';
	like $reader->html, qr{<title>Your account - Seoga</title>}, 'title';
	is $reader->header('cache-control'), 'no-store', 'not to be kept';
	is $reader->header('content-language'), 'en', 'in English';
	is somebody()->get('/account')->status, 303,
	    'not for guests';
	is somebody()->post('/account', {})->header('location'),
	    '/login?next=%2Faccount', 'nor to change';
};

subtest 'name' => sub {
	my $phone = device('User-Agent' => $agent);

	change(name => name => '  새 이름 <b>  ');
	like $reader->text, qr/Your name has been changed/, 'changed';
	like $reader->html, qr{<a href="/account">새 이름 &lt;b&gt;</a>},
	    'it is on every page';
	like $phone->get('/')->html, qr{새 이름 &lt;b&gt;},
	    'also on other devices';
	like device()->get('/')->html, qr{새 이름}, 'and it stays';
	change(name => name => '');
	is $reader->status, 400, 'none is refused';
	like $reader->html, qr{id="e-name">Enter your name}, 'with words';
	like $reader->html, qr{<title>Error:}, 'in the title, too';
	change(name => name => 'x' x 81);
	is $reader->status, 400, 'too long';
	like $reader->html, qr{name="name" value="x{81}"}, 'but kept';
	like $reader->html, qr{<a href="/account">새 이름}, 'still the old';
};

subtest 'password' => sub {
	my $new = 'another good password';
	my $phone = device('User-Agent' => $agent);
	my %change = (password_old => $password, password => $new,
	    password2 => $new);

	for (['a wrong old one', 'password_old', password_old => 'no no no'],
	    ['no old one', 'password_old', password_old => ''],
	    ['no new one', 'password', password => '', password2 => ''],
	    ['a short one', 'password', password => 'short',
	    password2 => 'short'],
	    ['two new ones', 'password2', password2 => 'something else']) {
		my ($what, $field, %wrong) = @$_;
		change(password => %change, %wrong);
		is $reader->status, 400, "$what is refused";
		like $reader->html, qr{id="e-$field"}, 'with words beside it';
		unlike $reader->html, qr/\Q$new\E/, 'no password comes back';
	}
	ok $phone->signed_in, 'nothing has happened yet';
	change(password => %change);
	like $reader->text, qr/Your password has been changed/, 'changed';
	ok $reader->signed_in, 'this device stays signed in';
	ok !$phone->signed_in, 'the others are signed out';
	$phone->login($username, password => $password);
	ok !$phone->signed_in, 'the old password is none any more';
	$password = $new;
	ok device()->signed_in, 'the new one is';
};

subtest 'guessing the old password' => sub {
	for my $n (1 .. 12) {
		change(password => password_old => "guess number $n",
		    password => 'x' x 10, password2 => 'x' x 10);
		last if $reader->status == 429;
	}
	is $reader->status, 429, 'is stopped as in signing in';
	redis('DEL', split /\n/, redis('KEYS', 'login-failures:*'));
};

subtest 'language' => sub {
	change(language => lang => 'ko');
	like $reader->html, qr{<html lang="ko">}, 'at once';
	like $reader->text, qr/언어/, 'in its words';
	like $reader->text, qr/ \d\d:\d\d \(한국 시간\) /,
	    "with Korea's hours";
	like $reader->{cookies}{lang}, qr/^ko$/, 'for this browser';
	my $other = device();
	like $other->get('/')->html, qr{<html lang="ko">},
	    'and wherever the member signs in';
	change(language => lang => 'fr');
	is $reader->status, 400, 'only those that there are';
	change(language => lang => 'en');
	like $reader->html, qr{<html lang="en">}, 'back';
};

subtest 'sessions' => sub {
	$reader->get('/account');
	$reader->submit('/account/sessions', where => { id => 'all' });
	ok !$reader->signed_in, 'signed out everywhere';
	$reader = device();
	my $phone = device('User-Agent' => $agent);
	my $w3m = device('User-Agent' => 'w3m/0.5.3');
	$reader->get('/account');
	my @devices = $reader->html =~ m{<b>([^<]+)</b>}g;
	is_deeply [sort @devices], ['Firefox, Linux', 'Safari, iPhone', 'w3m'],
	    'all are listed';
	is scalar(() = $reader->html =~ /this device/g), 1, 'one is this';
	like $reader->text, qr/127\.0\.0\.1|::1/, 'with the address';
	like $reader->text, qr/ \d\d:\d\d UTC /, 'and the time';
	my ($uuid) = $phone->{cookies}{sid} =~ /^([^.]*)/;
	unlike $reader->html, qr/\Q$uuid\E/, 'but not the secret id';

	my ($row) = grep { /iPhone/ } split /<li>/, $reader->html;
	my ($id) = $row =~ /name="id" value="([^"]+)"/;
	$reader->submit('/account/sessions', where => { id => $id });
	like $reader->text, qr/That device is signed out/, 'one is ended';
	ok !$phone->signed_in, 'that one';
	ok $w3m->signed_in, 'not another';
	unlike $reader->html, qr/iPhone/, 'it left the list';
	$reader->get('/account');
	$reader->post('/account/sessions', {
		csrf => $reader->form('/logout')->{csrf}, id => $id });
	is $reader->status, 404, 'a second time there is none';

	$reader->get('/account');
	my $csrf = $reader->form('/logout')->{csrf};
	my $stranger = Seoga::Reader->new;
	$stranger->register;
	$stranger->get('/account');
	my ($theirs) = $reader->get('/account')->html
	    =~ /name="id" value="([0-9A-Za-z_-]{20,})"/;
	$stranger->post('/account/sessions', { id => $theirs,
		csrf => $stranger->form('/logout')->{csrf} });
	is $stranger->status, 404, 'a stranger cannot end it';
	ok $w3m->signed_in, 'it goes on';

	$reader->post('/account/sessions', { id => 'all' });
	is $reader->status, 403, 'not without a token';
	$reader->post('/account/sessions', { id => 'all', csrf => $csrf });
	is $reader->header('location'), '/', 'all at once';
	like $reader->follow->text, qr/signed out everywhere/, 'said';
	ok !$_->signed_in, 'out' for $reader, $w3m;
	$reader = device();
};

subtest 'nonsense' => sub {
	$reader->get('/account');
	my $csrf = $reader->form('/logout')->{csrf};

	is $reader->post('/account', { csrf => $csrf })->status, 400,
	    'no action';
	is $reader->post('/account', { csrf => $csrf, action => 'role' })
	    ->status, 400, 'an unknown one';
	is $reader->post('/account', { csrf => $csrf, action => 'name',
	    name => 'x', role => 'admin' })->status, 400, 'a field too much';
	is sql("SELECT role FROM users WHERE username = '$username'"),
	    "reader\n", 'still a reader';
	is $reader->post('/account', { action => 'name', name => 'x' })
	    ->status, 403, 'no token';
	$reader->post('/account', { action => 'name', csrf => $csrf,
		name => 'Forged' . 'x' x 80 },
	    Origin => 'https://evil.example');
	is $reader->status, 403, 'from another site, with a mistake';
	unlike $reader->html, qr/Forged/,
	    'no form is filled in by another site';
	like $reader->text, qr/was on another site/, 'but it is told why';
	is $reader->get('/account/sessions')->status, 405, 'GET';
};

subtest 'an account that was removed' => sub {
	sql("DELETE FROM users WHERE username = '$username'");
	is $reader->get('/account')->status, 404, 'is not there';
	like $reader->text, qr/does not exist any more/, 'and says so';
};

site_stop();
done_testing();
