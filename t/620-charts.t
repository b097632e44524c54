#!/usr/bin/perl
# What t/lib/Seoga/Svg.pm takes for a chart that is for everybody, and what
# it finds wrong: a helper that finds nothing would prove nothing.
use strict;
use warnings;

use Test::More;

use Seoga::Svg;

my $table = '<table><tr><td>SQL</td><td>1.50</td></tr></table>';
my $shape = '<rect x="0" y="1.5" width="30%" height="8">'
    . '<title>SQL: 1.50 ms</title></rect>';

sub chart {
	my ($shapes, $attributes, $words) = @_;

	return '<svg ' . ($attributes //
	    'role="img" aria-labelledby="t d" viewBox="0 0 10 10"') . '>'
	    . ($words // '<title id="t">Times</title><desc id="d">One bar.'
	    . '</desc>') . ($shapes // $shape) . '</svg>';
}

charts_ok(chart() . $table, 'a good one');
my ($good) = charts(chart() . $table);
is $good->{title}, 'Times', 'its title';
is $good->{desc}, 'One bar.', 'its description';
is_deeply $good->{values}, ['SQL: 1.50 ms'], 'what it tells';
is_deeply [chart_mistakes(chart('<svg x="5%">' . $shape . '</svg>')
    . $table)], [], 'one within one is part of it';
is_deeply [chart_mistakes('<p>no chart</p>')], [], 'none, no mistake';

for (
	[chart($shape, 'aria-labelledby="t d"'), qr/no role/, 'no role'],
	[chart($shape, 'role="img"'), qr/no aria-labelledby/, 'no words'],
	[chart($shape, 'role="img" aria-labelledby="t"'), qr/leads to title$/,
	    'no description'],
	[chart($shape, undef, '<title id="t"></title><desc id="d">x</desc>'),
	    qr/nothing\(t\)/, 'an empty title'],
	[chart($shape, 'role="img" aria-labelledby="t d"',
	    '<title id="t">x</title>') . '<p id="d">x</p>', qr/nothing\(d\)/,
	    'the description is elsewhere'],
	[chart($shape) . chart($shape), qr/the id t is there 2 times/,
	    'an id twice'],
	[chart('<rect width="nan" height="1"/>'), qr/width="nan"/,
	    'not a number'],
	[chart('<rect width="-1" height="1"/>'), qr/width="-1"/,
	    'a negative width'],
	[chart('<rect style="fill:red"/>'), qr/inline style/, 'a style'],
	[chart('<g onclick="x"></g>'), qr/script/, 'a script'],
	[chart('<polyline points="1,inf"/>'), qr/points/, 'a bad point'],
	[chart('<g>'), qr/<g> 1 times, closed 0/, 'not closed'],
	[chart('<rect><title>SQL: 2.75 ms</title></rect>'),
	    qr/no table has 2\.75/, 'a number of its own'],
	[chart($shape, 'aria-hidden="true"', ''), qr/not in a row/,
	    'hidden, outside of a table'],
) {
	my ($svg, $pattern, $name) = @$_;

	like join("\n", chart_mistakes($svg . $table)), $pattern, $name;
}
like join(' ', chart_mistakes(chart())), qr/there is no table/, 'no table';
my $hidden = chart($shape, 'aria-hidden="true"', '');
is_deeply [chart_mistakes("<table><tr><td>1.50 $hidden</td></tr></table>")],
    [], 'hidden beside its number';
like join(' ', chart_mistakes("<table><tr><td>SQL $hidden</td></tr></table>")),
    qr/no number is beside/, 'hidden, and no number';

done_testing();
