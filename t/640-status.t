#!/usr/bin/perl
# /status and /status/slo: for students and administrators; what was done is
# what is shown, also after a worker was killed and while a backend is away.
use strict;
use warnings;
use utf8;

use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Fault;
use Seoga::Metrics;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Svg;
use Seoga::Test;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

site_start(history_step_s => 1, connect_ms => 300, command_ms => 600,
    breaker_reset_s => 1);
seoga_ok('migrate', '--sample');

my $student = staff('student', undef, lang => 'en');
my $admin = staff('admin', undef, lang => 'en');
my $reader = staff('reader');
my $librarian = staff('librarian');

# --- who may see it ---

for my $path ('/status', '/status/slo') {
	is(Seoga::Reader->new->get($path)->status, 303, "$path: guests sign in");
	is $_->[1]->get($path)->status, $_->[2], "$path: $_->[0]"
	    for [student => $student, 200], [admin => $admin, 200],
	    [reader => $reader, 403], [librarian => $librarian, 403];
}
like $student->get('/books')->html, qr{<a href="/status">},
    'students find the way to it';
unlike $reader->get('/books')->html, qr{<a href="/status">},
    'readers are not shown one';

# --- it comes anew, and can be kept still ---

my $meta = qr/<meta http-equiv="refresh" content="15">/;
like $student->get('/status')->html, $meta, 'it comes anew by itself';
like $student->html, qr{<a href="/status\?refresh=0">}, 'that can be stopped';
unlike $student->get('/status?refresh=0')->html, $meta, 'then it stays';
like $student->html, qr{<a href="/status">}, 'and started again';
unlike $student->get('/status/slo')->html, $meta, 'objectives stay';

# --- the figures are true ---

# The numbers of a row: of 1, 5, and 60 minutes.
sub row {
	my ($route) = @_;
	my ($row) = $student->get('/status')->html =~
	    m{<tr><th scope="row">\Q$route\E</th>(.*?)</tr>}s or return;
	my @cells = $row =~ m{<td>(.*?)</td>}gs;

	s{<svg.*?</svg>}{}s for @cells;
	return map { [map { s/^\s+|\s+$//gr } split /·/] } @cells;
}

is http(get => '/books/1101')->{status}, 200, 'a book' for 1 .. 20;
is http(get => '/books/999999')->{status}, 404, 'no book' for 1 .. 7;
my @cells;
ok await(10, sub {
	@cells = row('book');
	@cells && $cells[1][2] eq '7';
}), 'the seven mistakes are counted';
is $cells[1][$_], 7, 'in each window' for 0 .. 2;
is $cells[2][2], 0, 'no errors';
like $cells[3][2], qr/^[\d.]+ (?:ms|µs)$/, 'half of them took some time';
my $covered = history_s();
ok $covered > 0 && abs($cells[0][2] * $covered - 27) < 4,
    "27 requests in $covered s are $cells[0][2] a second"
    or diag explain \@cells;
like $student->text, qr/\d+ s of the last hour are covered/,
    'what is not covered is not claimed';
charts_ok($student->html, '/status');

sub history_s {
	my ($n) = $student->text =~ /([\d.]+) s of the last hour/;

	return $n // 0;
}

# --- workers ---

sub workers {
	my ($busy, $all) =
	    $student->get('/status')->text =~ /Busy workers (\d+) of (\d+)/;

	return $all // -1;
}

my $before = workers();
my $all = all_workers();
cmp_ok $before, '>=', scalar(@$all), "$before workers, jobs among them";
cmp_ok $before, '<=', @$all + 8, 'and nobody else';
my ($victim) = pids('cover');
kill 'KILL', $victim;
ok await(10, sub { gone($victim) && workers() == $before }),
    'a killed worker is buried, and the next one counted';
like $student->text, qr/1 crashed/, 'and that it died';

# --- the disk ---

# As df has it, and the alert DiskFilling: the part of what we may fill.
my $of_df = `df --output=pcent @{[site_dir()]}` =~ /(\d+)%/ ? $1 : -1;
my ($of_status) =
    $student->get('/status')->text =~ /Disk in use .*? \(([0-9.]+) %\)/;
cmp_ok abs($of_status - $of_df), '<', 2, "$of_status % of the disk in use";

# --- objectives ---

ok await(15, sub {
	sql('SELECT COALESCE(SUM(requests), 0) FROM service_hours') > 27
}), 'the hours are in MariaDB';
my $slo = $student->get('/status/slo')->text;
like $slo, qr/Uptime: .*Speed: .*Errors: /s, 'three objectives';
like $slo, qr/30 days 100 %/, 'kept so far';
charts_ok($student->html, '/status/slo');

# --- MariaDB away ---

expect_error(qr/"ev":"db\.error"/, qr/"ev":"redis\.error"/,
    qr/"prog":"nginx".*"status":50/, qr/"status":50/);
like $student->get('/status')->text, qr/MariaDB, the database Version 1/,
    'MariaDB tells its version';
like $student->text, qr/There is no replica/, 'and that it has no replica';
like $student->text, qr/Append-only file on/, 'Redis has its file';

backend_stop('redis');
is $student->get('/status')->status, 503,
    'without Redis nobody is signed in, so nobody may see it'
    or diag $student->text;
like $student->html, qr{<meta http-equiv="refresh" content="15">},
    'whoever has it open will see it again';
unlike $student->get('/orders')->html, qr/http-equiv="refresh"/,
    'other pages wait for the reader';
my $said = seoga('figures');
is $? >> 8, 0, 'but the terminal shows it';
like $said, qr/Redis\s+does not answer/, 'and says what is away';
like $said, qr/Requests/, 'with the figures';
backend_start('redis');

site_stop();
done_testing();
