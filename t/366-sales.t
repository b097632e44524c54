#!/usr/bin/perl
# /admin/sales: sales and revenue by day, for a period.
use strict;
use warnings;
use utf8;

use POSIX qw(strftime);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start(jobs => '/dev/null');
my $admin = Seoga::Reader->new;
my $name = $admin->register;
sql("UPDATE users SET role = 'admin' WHERE username = '$name'");
$admin->logout;
$admin->login($name);

sub day { return strftime('%Y-%m-%d', gmtime(time - 86400 * $_[0])) }

sub rows {
	return [map { [map { s/<[^>]*>//gr } m{<t[hd][^>]*>(.*?)</t[hd]>}g] }
	    $admin->html =~ m{<tbody>(.*?)</tbody>}s ?
	    $1 =~ m{<tr>(.*?)</tr>}gs : ()];
}

subtest 'nothing sold' => sub {
	is $admin->get('/admin/sales')->status, 200, 'a page';
	like $admin->text, qr/Nothing was sold in this period/, 'that says so';
	unlike $admin->html, qr/<svg|<table/, 'no chart, no table';
};

sql("INSERT INTO sales_days VALUES ('" . day(0) . "', 2, 5, 50000.00),
    ('" . day(6) . "', 1, 1, 100000.00), ('" . day(29) . "', 3, 3, 1234.00),
    ('" . day(30) . "', 4, 4, 99999999.00), ('2024-02-29', 1, 2, 10.50)");

subtest 'the last thirty days' => sub {
	$admin->get('/admin/sales');
	is scalar @{rows()}, 3, 'have three days with sales';
	is_deeply [map { [@$_[1 .. 3]] } @{rows()}],
	    [['3', '3', '₩1,234'], ['1', '1', '₩100,000'],
	    ['2', '5', '₩50,000']], 'the first first';
	like $admin->html, qr{<tfoot>.*?<td>6</td><td>9</td><td>₩151,234</td>}s,
	    'and their sum';
	is $admin->form('/admin/sales')->{from}, day(29), 'from';
	is $admin->form('/admin/sales')->{to}, day(0), 'to';
	like $admin->html, qr{aria-current="true">30 days<}, 'is marked';
};

subtest 'the chart' => sub {
	my ($svg) = $admin->html =~ m{(<svg.*?</svg>)}s;

	like $svg, qr/^<svg role="img" aria-labelledby="chart-title chart-desc"/,
	    'has a name';
	like $svg, qr{<title id="chart-title">Revenue by day</title>}, 'title';
	like $svg, qr{<desc id="chart-desc">From .* The highest is ₩100,000,},
	    'and description';
	unlike $svg, qr/script|style=|on\w+=/, 'nothing that does anything';
	my @bars = $svg =~ /<rect x="(\d+)" y="(\d+)" width="8" height="(\d+)">/g;
	is_deeply \@bars, [0, 988, 12, 230, 0, 1000, 290, 500, 500],
	    'a bar for each, as high as its part of the highest';
	like $svg, qr/viewBox="0 0 300 1000"/, 'a place for each day';
};

subtest 'other periods' => sub {
	$admin->get('/admin/sales?from=' . day(6) . '&to=' . day(6));
	is scalar @{rows()}, 1, 'one day';
	$admin->get('/admin/sales');
	my ($week) = $admin->html =~ m{<a href="([^"]+)">7 days<};
	$admin->get($week =~ s/&amp;/&/gr);
	is scalar @{rows()}, 2, 'a week, by its link';
	$admin->get('/admin/sales?from=2024-02-29&to=2024-02-29');
	is_deeply [map { @$_[0 .. 3] } @{rows()}],
	    ['29 February 2024', 1, 2, '₩10.50'], 'a leap day';
	$admin->get('/admin/sales?from=&to=2024-03-01');
	is scalar @{rows()}, 1, 'without a first day: thirty days';
	is $admin->form('/admin/sales')->{from}, '', 'left as it was typed';
};

for (['from=2026-02-30', 'no such day'], ['from=yesterday', 'words'],
    ['to=2026-1-1', 'another form'], ['to=21.11.2026', 'and another'],
    ['from=2026-11-21x', 'too long'],
    ['from=2026-11-21&to=2026-11-20', 'the end before the start'],
    ['from=2020-01-01&to=2026-01-01', 'more than a year']) {
	my ($query, $why) = @$_;
	$admin->get("/admin/sales?$query");
	is $admin->status, 400, "$why: 400";
	like $admin->text, qr/There is a problem/, 'said on top';
}
$admin->get('/admin/sales?from=2026-02-30');
like $admin->text, qr/Enter a day as year-month-day/, 'told beside the field';
like $admin->html, qr/id="f-from"[^>]* value="2026-02-30"[^>]* aria-invalid/,
    'which keeps what was typed';

{
	my $korean = Seoga::Reader->new(lang => 'ko');
	$korean->login($name);
	$korean->get('/admin/sales?from=2024-02-29&to=2024-02-29');
	like $korean->html, qr{<th scope="row">2024년 2월 29일</th>},
	    'Korean days';
	like $korean->html, qr{<h1>판매</h1>}, 'and words';
}
my ($end) = ends_of($admin->get('/admin/sales')->trace);
is "$end->{db} $end->{redis}", '1 1', 'one statement, one trip';

site_stop();
done_testing();
