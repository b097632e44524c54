#!/usr/bin/perl
# /admin/queues: how events come along, and dead letters, which can be
# replayed or discarded.
use strict;
use warnings;
use utf8;

use File::Temp ();
use JSON::PP ();
use Test::More;

use Seoga::Reader;
use Seoga::Test;

my $jobs = File::Temp->new;
print $jobs "statistics\n";
close $jobs;
chmod 0644, "$jobs";
site_start(jobs => "$jobs", events_retry_ms => 100);
expect_error(qr/"ev":"event\.dead"/);

my $json = JSON::PP->new->utf8->canonical;
my $admin = Seoga::Reader->new;
my $name = $admin->register;

for my $path ('/admin/queues', '/admin/sales') {
	is(Seoga::Reader->new->get($path)->status, 303,
	    "$path: a guest is asked who that is");
	is $admin->get($path)->status, 403, "$path: a reader may not";
}
is $admin->post('/admin/queues', { act => 'discard', id => '1-1' })->status,
    403, 'nor act';
sql("UPDATE users SET role = 'admin' WHERE username = '$name'");
$admin->logout;
$admin->login($name);

sub dead { return redis('XLEN', 'orders:dead') + 0 }

sub page { return $admin->get('/admin/queues')->text }

sub event {
	my ($id, $day) = @_;

	return $json->encode({ specversion => '1.0', id => "$id",
	    type => 'order.refunded', subject => "20261101-00000$id",
	    data => { total => 500, created_at => "$day" . 'T00:00:00Z',
	    items => [{ book_id => 1, quantity => 1, total_price => 500 }] } });
}

subtest 'nothing there' => sub {
	redis('DEL', 'orders', 'orders:dead');
	is $admin->get('/admin/queues')->status, 200, 'a page';
	like page(), qr/Waiting in the outbox 0 In the queue 0 Dead letters 0/,
	    'of noughts';
	like page(), qr/There are none: every event/, 'no dead letters';
};

subtest 'what waits' => sub {
	sql("INSERT INTO outbox (topic, subject, payload, trace, span,
	    created_at) SELECT 'order.paid', '1', '{}', REPEAT('0', 32),
	    REPEAT('0', 16), UTC_TIMESTAMP() - INTERVAL 90 SECOND
	    FROM seq_1_to_3");
	like page(), qr/outbox 3 \(the first for 9\d s\)/, 'in the outbox';
	sql('DELETE FROM outbox');
	ok await(10, sub { page() =~ /statistics 0 0 statistics, \S+\.\d+: 0 under way/ }),
	    'who reads' or diag page();
	redis('XGROUP', 'CREATE', 'orders', 'slow', '0');
	redis('XADD', 'orders', '*', 'event', '{"id":"1","type":"x",
	    "subject":"y"}');
	like page(), qr/slow 1 0/, 'a group that lags';
	redis('XREADGROUP', 'GROUP', 'slow', 'me', 'STREAMS', 'orders', '>');
	like page(), qr/slow 0 1 .*slow, me: 1 under way/, 'that has not finished';
	redis('XGROUP', 'DESTROY', 'orders', 'slow');
};

# Dead letters of several kinds.
redis('XADD', 'orders', '*', 'event', $_) for '<b>no JSON</b>',
    '"text"', '[]', '{"id":1,"type":{},"subject":null}',
    event(7, '2026-11-01');
ok await(20, sub { dead() == 5 }), 'five dead letters';

subtest 'dead letters' => sub {
	my $page = page();

	like $page, qr/Dead letters 5/, 'are counted';
	like $page, qr/it is not JSON/, 'with the reason';
	like $page, qr/order\.refunded 20261101-000007/, 'and what it was';
	like $page, qr/statistics, 5 tries/, 'and how often it was tried';
	like $admin->html, qr/&lt;b&gt;no JSON&lt;/, 'shown as it is';
	is scalar(() = $admin->html =~ m{<h3>An event that cannot be read</h3>}g), 4,
	    'also those that say nothing';
};

# The id of the letter with that in its text.
sub letter {
	my ($part) = @_;
	my ($li) = grep { /\Q$part\E/ } split /<li>/, $admin->html;

	return ($li // '') =~ /name="id" value="([^"]+)"/ ? $1 : undef;
}

subtest 'discard' => sub {
	page();
	my $id = letter('no JSON');
	$admin->submit('/admin/queues', where => { id => $id },
	    act => 'discard');
	like $admin->text, qr/The event has been discarded/, 'is told';
	is dead(), 4, 'and done';
	is letter('no JSON'), undef, 'it is gone';
	like sql("SELECT actor, act, object, object_id, label, changes
	    FROM audit ORDER BY id DESC LIMIT 1"),
	    qr/^\Q$name\E\tevent\.discard\tevent\t0
	    \tAn\ event\ that\ cannot\ be\ read\t.*JSON/x,
	    'and in the audit log';
	$admin->get('/admin/queues');
	$admin->post('/admin/queues', { csrf => csrf(), id => $id,
	    act => 'discard' });
	is $admin->status, 404, 'twice is once';
	like $admin->text, qr/There is no such dead letter/, 'and told';
};

sub csrf {
	return $admin->get('/admin/queues')->form('/admin/queues')->{csrf};
}

subtest 'replay' => sub {
	sql("INSERT INTO sales_days VALUES ('2026-11-01', 2, 3, 30.00)");
	page();
	my $id = letter('20261101-000007');
	$admin->submit('/admin/queues', where => { id => $id },
	    act => 'replay');
	like $admin->text, qr/The event is in the queue again/, 'is told';
	ok await(10, sub {
		sql("SELECT orders, copies, revenue FROM sales_days
		    WHERE day = '2026-11-01'") eq "1\t2\t25.00\n"
	}), 'and counts, now that it can';
	is dead(), 3, 'no longer a dead letter';
	like sql("SELECT act, object_id, label FROM audit ORDER BY id DESC
	    LIMIT 1"), qr/^event\.replay\t7\torder\.refunded 20261101-000007/,
	    'and in the audit log';
	$admin->post('/admin/queues', { csrf => csrf(), id => $id,
	    act => 'replay' });
	is $admin->status, 404, 'twice is once';
	is sql("SELECT COUNT(*) FROM audit") + 0, 2, 'nothing more to audit';
	page();
	$admin->submit('/admin/queues', where => { id => letter('text') },
	    act => 'replay');
	ok await(10, sub { dead() == 3 }), 'what is still wrong comes back';
};

subtest 'nonsense' => sub {
	my $csrf = csrf();
	my $id = letter('text');

	for (['burn', $id, 400], ['replay', '1', 400], ['replay', '-', 400],
	    ['replay', '+ 1', 404], ['discard', '1-', 400],
	    ['discard', '99999999999999999999-1', 404],
	    ['discard', '1-1', 404]) {
		my ($act, $of, $status) = @$_;
		is $admin->post('/admin/queues', { csrf => $csrf, id => $of,
		    act => $act })->status, $status, "$act $of: $status";
	}
	is $admin->post('/admin/queues', { id => $id, act => 'discard' })
	    ->status, 403, 'without a token: 403';
	is $admin->ask(put => '/admin/queues')->status, 405, 'PUT: 405';
	is dead(), 3, 'nothing has changed';
};

subtest 'long ones' => sub {
	# By a script: no command line has room for them.
	redis('EVAL', 'for i = 1, 50 do redis.call("XADD", KEYS[1], "*",
	    "event", ARGV[1] .. string.rep(ARGV[2], 50000) .. ARGV[3],
	    "reason", "r", "group", "g", "tries", "5") end', 1, 'orders:dead',
	    '{"id":"8","type":"order.paid","subject":"20261101-LONG88",'
	    . '"data":{"title":"', '가', '"}}');
	page();
	is $admin->status, 200, 'fifty of them are a page';
	is scalar(() = $admin->html =~ m{<h3>order\.paid 20261101-LONG88</h3>}g),
	    50, 'each by its name';
	like $admin->html, qr/가{1000}…</, 'cut between characters';
	cmp_ok length $admin->bytes, '<', 400_000, 'not a page without end';
	redis('EVAL', 'redis.call("XADD", KEYS[1], "*", "event",
	    string.rep("x", 9000000))', 1, 'orders:dead');
	for (1 .. 51) {
		page();
		my $id = letter('g, 5 tries') // letter('xxxx') // last;
		$admin->submit('/admin/queues', where => { id => $id },
		    act => 'discard');
	}
	is dead(), 3, 'and all can be discarded';
	is sql("SELECT COUNT(*) FROM audit WHERE label LIKE '%LONG88'
	    AND object_id = 8") + 0, 50, 'under their names';
};

subtest 'an event with a number that none has' => sub {
	redis('XADD', 'orders:dead', '*', 'event',
	    '{"id":"-5","type":"order.odd","subject":"x"}');
	page();
	$admin->submit('/admin/queues', where => { id => letter('order.odd') },
	    act => 'discard');
	is $admin->status, 200, 'can be discarded';
	is dead(), 3, 'and is';
};

subtest 'Korean' => sub {
	my $korean = Seoga::Reader->new(lang => 'ko');

	$korean->login($name);
	like $korean->get('/admin/queues')->html, qr{<h1>대기열</h1>}, 'too';
	like $korean->text, qr/다시 보내기/, 'with its buttons';
};

site_stop();
done_testing();
