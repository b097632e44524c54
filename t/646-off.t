#!/usr/bin/perl
# A site whose traces and figures are switched off (SEOGA_TELEMETRY=off): it
# serves as ever, and its pages say so.
use strict;
use warnings;

use Test::More;

use Seoga::Staff;
use Seoga::Test;

site_start(telemetry => 'off');

seoga_ok('migrate', '--sample');
my $admin = staff('admin', undef, lang => 'en');

subtest 'the shop is open' => sub {
	$admin->add(1101, 1);
	is $admin->get($_)->status, 200, $_
	    for '/', '/books?q=a', "/books/1101", '/cart', '/checkout';
	ok $admin->order, 'an order';
	my $kept = http(get => '/books', { headers => {
	    traceparent => '00-' . 'a' x 32 . '-' . 'b' x 16 . '-01' } });
	like $kept->{headers}{traceparent}, qr/^00-a{32}-[0-9a-f]{16}-00$/,
	    'no trace is kept, and the answer says so';
};

subtest 'pages that show what is not there' => sub {
	$admin->get('/status');
	is $admin->status, 200, 'status';
	like $admin->html, qr/Figures are switched off/, 'says why';
	unlike $admin->html, qr/recorder/, 'and blames nobody';
	for ('/status/slo', map { "/status/$_" } qw(application api database
	    redis business attack)) {
		is $admin->get($_)->status, 200, $_;
		unlike $admin->html, qr/\b(?:nan|inf)\b/i, 'numbers are numbers';
	}
	is $admin->get('/trace')->status, 200, 'traces';
	is $admin->get('/trace/' . 'a' x 32)->status, 404, 'none is there';
	is private(get => '/metrics')->{status}, 200, 'metrics';
};

site_stop();
done_testing();
