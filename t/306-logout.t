#!/usr/bin/perl
# POST /logout: over is over.
use strict;
use warnings;

use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
my $reader = Seoga::Reader->new;
my $username = $reader->register;
my $sid = $reader->{cookies}{sid};
my ($id) = $sid =~ /^([^.]*)/;

is $reader->get('/logout')->status, 405, 'a link cannot do it';
is $reader->header('allow'), 'POST', 'with Allow';
ok $reader->signed_in, 'still signed in';

is $reader->post('/logout', {})->status, 403, 'nor a form without token';
is $reader->get('/')->send('/logout', csrf => 'x' x 43)->status, 403,
    'nor one with a wrong token';
$reader->get('/');
$reader->post('/logout', $reader->form('/logout'),
    'Sec-Fetch-Site' => 'cross-site');
is $reader->status, 403, 'nor another site';
ok $reader->signed_in, 'still signed in';

$reader->get('/');
my $form = $reader->form('/logout');
$reader->send('/logout');
is $reader->status, 303, 'a form of ours does';
isnt $reader->{cookies}{sid}, $sid, 'with a new session';
$reader->follow;
like $reader->text, qr/You are signed out\./, 'it is said';
like $reader->html, qr{<a href="/login}, 'the page offers to sign in';
unlike $reader->html, qr{/account}, 'and no account';
ok !$reader->signed_in, 'signed out';
is redis('EXISTS', "session:$id"), 0, 'the session is gone';

my $thief = Seoga::Reader->new;
$thief->{cookies}{sid} = $sid;
ok !$thief->signed_in, 'whoever has the old cookie is nobody';

$thief->{cookies}{sid} = $sid;
$thief->post('/logout', $form);
is $thief->status, 303, 'a second click is no mistake';

ok $reader->login($username)->signed_in, 'and in again';

site_stop();
done_testing();
