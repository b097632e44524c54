#!/usr/bin/perl
# GET /lang, Accept-Language and the cookie: which language a page is in.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();

sub lang_of {
	my ($reader) = @_;

	return ($reader->get('/')->html =~ /<html lang="(\w+)">/)[0];
}

my %accepted = ('en' => 'en', 'ko' => 'ko', 'en-GB' => 'en', 'ko-KR' => 'ko',
	'' => 'ko', 'fr' => 'ko', 'fr, en' => 'en', 'ko, en' => 'ko',
	'en, ko' => 'en', 'EN-us' => 'en', '*' => 'ko', 'eno' => 'ko',
	'en;q=0.4, ko;q=0.9' => 'ko', 'en;q=0, ko' => 'ko',
	'fr;q=1, en;q=0.5, ko;q=0.2' => 'en', ',,;;q=x' => 'ko',
	'de-DE,de;q=0.9,en;q=0.8' => 'en', 'x' x 3000 => 'ko');
for my $header (sort keys %accepted) {
	is lang_of(Seoga::Reader->new(lang => $header)), $accepted{$header},
	    'Accept-Language: ' . substr $header, 0, 40;
}

subtest 'the reader\'s choice' => sub {
	my $reader = Seoga::Reader->new(lang => 'ko');

	$reader->get('/books?sort=price');
	my ($link) = $reader->html =~ m{<a href="(/lang[^"]*)" lang="en"};
	$link = HTML::Entities::decode_entities($link);
	$reader->get($link);
	is $reader->status, 303, 'a redirect';
	is $reader->header('location'), '/books?sort=price',
	    'to the page one was on';
	like $reader->set_cookie('lang'),
	    qr/^lang=en;.*Max-Age=31536000/, 'kept for a year';
	like $reader->set_cookie('lang'), qr/HttpOnly/, 'not for scripts';
	is lang_of($reader), 'en', 'stronger than the browser\'s';
	like $reader->html, qr{hreflang="ko"[^>]*>한국어</a>},
	    'the other one is offered, in its own words';
	unlike $reader->html, qr{>English</a>}, 'not the same';
	$reader->get('/lang?to=ko');
	is $reader->header('location'), '/', 'home without a page';
	is lang_of($reader), 'ko', 'and back';
};

subtest 'a long address' => sub {
	for my $n (1990, 2500, 6000) {
		my $reader = Seoga::Reader->new(lang => 'ko');
		$reader->get('/books?sort=price&x=' . 'y' x $n);
		is $reader->status, 200, "$n bytes";
		my ($link) = $reader->html
		    =~ m{<a href="(/lang[^"]*)" lang="en"};
		$reader->get(HTML::Entities::decode_entities($link));
		is $reader->status, 303, 'its language can be changed';
		like $reader->header('location'), qr{^/books}, 'there';
	}
	my $reader = Seoga::Reader->new(lang => 'en');
	$reader->get('/account?x=' . '%20' x $_)->follow
	    and like $reader->html, qr{<h1>Sign in</h1>},
	    "$_ escapes: signing in comes first" for 200, 600, 2000;
};

subtest 'cookies that are none' => sub {
	for my $cookie ('xx', 'en-GB', 'KO', 'e', '"en"', 'en%00') {
		my $reader = Seoga::Reader->new(lang => 'ko');
		$reader->{cookies}{lang} = $cookie;
		like lang_of($reader), qr/^(?:ko|en)$/, "lang=$cookie";
		is $reader->status, 200, 'is no mistake';
	}
};

subtest 'refused' => sub {
	my $reader = Seoga::Reader->new;

	is $reader->get('/lang')->status, 400, 'none';
	is $reader->get('/lang?to=fr')->status, 400, 'one we do not have';
	like $reader->text, qr/in Korean and English only/, 'and why';
	is $reader->get('/lang?to=')->status, 400, 'an empty one';
	is $reader->get('/lang?to=english')->status, 400, 'a long one';
	is $reader->header('set-cookie'), undef, 'sets nothing';
	is $reader->post('/lang', { to => 'en' })->status, 405, 'POST';
};

subtest 'nginx agrees' => sub {
	for my $header (sort keys %accepted) {
		next if $header =~ /q=0(?:\.4)?,/;	# it knows no weights
		my $reader = Seoga::Reader->new(lang => $header);
		my ($lang) = $reader->get('/nothing/here')->html =~
		    /<html lang="(\w+)">/;
		is $lang, $accepted{$header},
		    'its pages for ' . substr $header, 0, 40;
	}
	my $reader = Seoga::Reader->new(lang => 'ko');
	$reader->get('/lang?to=en');
	like $reader->get('/nothing')->html, qr/<html lang="en">/,
	    'the choice counts there, too';
};

site_stop();
done_testing();
