#!/usr/bin/perl
# What Alertmanager tells becomes lines of the log; and the runbooks are pages.
use strict;
use warnings;
use utf8;

use File::Basename qw(basename);
use JSON::PP qw(encode_json);
use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

my $top = $ENV{SEOGA_SRCDIR};
site_start();

# --- the log sink ---

# As Alertmanager sends it.
sub message {
	my (%with) = @_;

	return { version => '4', groupKey => '{}:{alertname="MariaDBDown"}',
		truncatedAlerts => 0, status => 'firing', receiver => 'log',
		groupLabels => { alertname => 'MariaDBDown' },
		commonLabels => { alertname => 'MariaDBDown' },
		commonAnnotations => {}, externalURL => 'http://localhost/',
		alerts => [alert()], %with };
}

sub alert {
	my (%with) = @_;

	return { status => 'firing', labels => { alertname => 'MariaDBDown',
			severity => 'critical', about => 'mariadb' },
		annotations => { summary => 'MariaDB is away' },
		startsAt => '2026-11-21T10:20:30.123Z',
		endsAt => '0001-01-01T00:00:00Z', fingerprint => 'a1b2',
		generatorURL => 'http://localhost/graph', %with };
}

sub report {
	my ($what, $type) = @_;

	return private(post => '/alerts', {
		content => ref $what ? encode_json($what) : $what,
		headers => { 'Content-Type' => $type // 'application/json' },
	});
}

sub told {
	my ($answer) = @_;
	my $trace = $answer->{headers}{'x-request-id'};

	ends_of($trace);
	return grep { $_->{trace} eq $trace && $_->{ev} =~ /^alert\./ }
	    log_lines();
}

my $answer = report(message());
is $answer->{status}, 204, 'an alert is taken';
my ($line) = told($answer);
is $line->{ev}, 'alert.firing', 'its line';
is $line->{lvl}, 'warn', 'is a warning';
is_deeply { map { $_ => $line->{$_} }
    qw(alert severity labels summary since) },
    { alert => 'MariaDBDown', severity => 'critical',
	labels => 'about="mariadb"', summary => 'MariaDB is away',
	since => '2026-11-21T10:20:30.123Z' }, 'with what it tells';

my @lines = told(report(message(status => 'resolved', alerts => [
    alert(status => 'resolved', endsAt => '2026-11-21T10:25:00Z'),
    alert(labels => { alertname => 'DiskFilling', device => 'disk' }),
])));
is_deeply [map { "$_->{lvl} $_->{ev} $_->{alert}" } @lines],
    ['info alert.resolved MariaDBDown', 'warn alert.firing DiskFilling'],
    'several in one message';
is $lines[0]{until}, '2026-11-21T10:25:00Z', 'and when one was over';

my @forged = told(report(message(alerts => [alert(
    annotations => { summary => "x\n{\"ts\":\"forged\"}\x{1b}[31m" },
    labels => { alertname => "A\nB", job => 'x' x 5000 })])));
is scalar(@forged), 1, 'nobody forges a line';
cmp_ok length encode_json($forged[0]), '<', 3000, 'and it is bounded';
my %many = map { sprintf('label%02d', $_) => 'v' x 300 } 1 .. 31;
my ($long) = told(report(message(alerts => [
    alert(labels => { alertname => 'A', %many })])));
cmp_ok length $long->{labels}, '<', 2500, 'so are many labels';
my ($cut) = told(report(message(alerts => [
    alert(annotations => { summary => "\x{c11c}" x 100 })])));
like $cut->{summary}, qr/^\x{c11c}{60,66}\z/, 'cut between letters';

my %broken = (
	'no JSON' => '{"version":"4"',
	'nothing' => '',
	'a list' => '[]',
	'another version' => message(version => '3'),
	'no version' => do { my $m = message(); delete $m->{version}; $m },
	'no alerts' => message(alerts => []),
	'alerts that are none' => message(alerts => ['x']),
	'alerts that are an object' => message(alerts => {}),
	'a number for an alert' => message(alerts => [1]),
	'no status' => message(alerts => [alert(status => undef)]),
	'another status' => message(alerts => [alert(status => 'perhaps')]),
	'no labels' => message(alerts => [alert(labels => undef)]),
	'a list of labels' => message(alerts => [alert(labels => [])]),
	'no name' => message(alerts => [alert(labels => { a => 'b' })]),
	'an empty name' => message(alerts => [
		alert(labels => { alertname => '' })]),
	'a number as a label' => message(alerts => [
		alert(labels => { alertname => 'A', n => 1 })]),
	'no annotations' => message(alerts => [alert(annotations => undef)]),
	'groupLabels that are a text' => message(groupLabels => 'x'),
	'something more' => message(extra => 1),
	'too many' => message(alerts => [map { alert() } 1 .. 21]),
	'too many labels' => message(alerts => [alert(labels => {
		alertname => 'A', map { ("l$_" => 'v') } 1 .. 40 })]),
	'too deep' => message(alerts => [alert(labels => {
		alertname => 'A', l => { m => { n => 1 } } })]),
);
for my $what (sort keys %broken) {
	my $answer = report($broken{$what});

	is $answer->{status}, 400, "$what: refused";
	like $answer->{headers}{'content-type'}, qr{^application/problem\+json},
	    'with a problem';
	is scalar(told($answer)), 0, 'and nothing is told';
}
is report(message(alerts => [alert(labels => { alertname => 'A',
    l => 'x' x 300_000 })]))->{status}, 413, 'too large';
is report('version=4', 'application/x-www-form-urlencoded')->{status}, 400,
    'no form';
is private(get => '/alerts')->{status}, 405, 'only by POST';
is http(post => '/alerts', { content => encode_json(message()),
    headers => { 'Content-Type' => 'application/json' } })->{status}, 404,
    'and on the private side only';

# --- the runbooks ---

my @names = map { basename($_, '.md') } glob "$top/doc/runbook/*.md";
my $reader = Seoga::Reader->new;
$reader->get('/runbook');
is $reader->status, 200, 'the runbooks, for everybody';
my @severities = $reader->html =~ m{class="tag">(Critical|Warning)<}g;
is scalar(@severities), scalar(@names), 'each with how bad it is';
is_deeply [sort $reader->html =~ m{href="/runbook/(\w+)"}g], [sort @names],
    'all of them';
like $reader->text, qr/MariaDBDown\s+MariaDB is away/, 'with what they say';
for my $name (@names) {
	$reader->get("/runbook/$name");
	is $reader->status, 200, $name;
	my $html = $reader->html;
	my ($main) = $html =~ m{<main.*?>(.*)</main>}s;
	is_deeply [$main =~ m{<h2>(.*?)</h2>}g], ['What it means',
		'What readers notice', 'Look first', 'Causes and remedies',
		'Is it over?'], 'has all parts';
	is scalar(() = $main =~ /<h1>/g), 1, 'one title';
	unlike $main =~ s/<[^>]*>//gr, qr/\*\*|\]\(|`|^#/m,
	    'nothing of its marks is left';
	is_deeply [grep { my $to = $_; !grep { $_ eq $to } @names }
	    $main =~ m{href="/runbook/(\w+)"}g], [], 'links lead on';
}
$reader->get('/runbook/RedisDown');
like $reader->html,
    qr{<pre tabindex="0"><code>bin/seoga status\nredis-cli }s,
    'commands stand as they are typed';
like $reader->html, qr{<a href="/runbook/MariaDBDown">MariaDBDown</a>},
    'a link to another';
my $korean = Seoga::Reader->new(lang => 'ko');
like $korean->get('/runbook')->text,
    qr/문제가 생겼을 때.*MariaDBDown\s+MariaDB가 응답하지 않습니다/,
    'in Korean';
for my $name (@names) {
	my ($main) = $korean->get("/runbook/$name")->html =~
	    m{<main.*?>(.*)</main>}s;
	is_deeply [$main =~ m{<h2>(.*?)</h2>}g], ['무엇을 뜻하나',
		'이용자에게 보이는 것', '먼저 볼 것', '원인과 대처',
		'끝났는지 확인'], "$name in Korean";
	unlike $main =~ s/<[^>]*>//gr, qr/\*\*|\]\(|`|^#/m,
	    'nothing of its marks is left';
	like $main, qr/<article class="prose runbook" lang="ko">/, 'and so said';
}
for my $path (qw(/runbook/Nothing /runbook/a.b
    /runbook/%2e%2e%2fREADME /runbook/MariaDBDown.md
    /runbook/MariaDBDown/), '/runbook/' . 'A' x 61) {
	is $reader->get($path)->status, 404, "$path: none";
}

# Who sees /status finds them there, and the way back.
my $student = staff('student');
like $student->get('/runbook/RedisDown')->html,
    qr{<nav[^>]*>.*href="/status".*href="/runbook"}s, 'beside /status';
unlike $reader->get('/runbook/RedisDown')->html, qr{href="/status"},
    'but for others';

# Wanted most when nobody can sign in.
redis('SHUTDOWN', 'NOSAVE');
await(5, sub { !-S site_dir() . '/var/run/redis.sock' });
is $reader->get('/runbook/RedisDown')->status, 200,
    'without Redis they can be read';
like $reader->text, qr/Redis has sessions, carts/, 'all of it';

expect_error(qr/redis|"ev":"cache\./i);
site_stop();
done_testing();
