# Seoga::Svg -- are the charts of a page for everybody?  Each has a title and
# a description in words, and its numbers are in a table, too.
#
#	use Seoga::Svg;
#	charts_ok($reader->html, 'the page of a trace');
#
# A chart is an <svg role="img" aria-labelledby="TITLE DESC">.  An <svg> may be
# hidden (aria-hidden="true") where it only repeats the numbers that are in its
# row of a table.  The <title> of a shape within a chart tells its values:
# these must be in a table of the page.
package Seoga::Svg;

use strict;
use warnings;

use Exporter qw(import);
use HTML::Entities qw(decode_entities);
use Test::More;

our @EXPORT = qw(charts_ok charts chart_mistakes tables_of);

# The charts of a page: {svg, title, desc, values (the titles of shapes)}.
sub charts {
	my ($html) = @_;

	return map { _chart($_) } grep { !_is_hidden($_) } _svgs($html);
}

# Inner ones, which only move what they hold, belong to the outer.
sub _svgs {
	my ($html) = @_;
	my ($depth, $start, @found) = (0, 0);

	while ($html =~ m{<(/?)svg\b}g) {
		my $at = $-[0];
		if ($1 eq '') {
			$start = $at if $depth++ == 0;
		} elsif (--$depth == 0) {
			push @found, substr $html, $start,
			    pos($html) + 1 - $start;
		}
	}
	return @found;
}

sub _opening { return ($_[0] =~ /\A<svg([^>]*)>/)[0] // '' }

sub _is_hidden { return _opening($_[0]) =~ /\saria-hidden="true"/ }

sub _words { return decode_entities($_[0] =~ s/<[^>]*>/ /gr) =~ s/\s+/ /gr }

sub _chart {
	my ($svg) = @_;
	my %chart = (svg => $svg, title => '', desc => '', values => []);

	while ($svg =~ m{<(title|desc)\b([^>]*)>(.*?)</\1>}gs) {
		my ($element, $attributes, $text) = ($1, $2, $3);
		if ($attributes =~ /\sid="/) {
			$chart{$element} = _words($text);
		} elsif ($element eq 'title') {
			push @{$chart{values}}, _words($text);
		}
	}
	return \%chart;
}

# What the tables of a page say, in one text.
sub tables_of {
	my ($html) = @_;

	return join ' ', map { _words($_) }
	    $html =~ m{<table\b.*?</table>}gs;
}

# What is wrong, in words; nothing for a page that has no charts.
sub chart_mistakes {
	my ($html) = @_;
	my @svgs = _svgs($html);
	my @wrong = map { _mistakes_of($_) } grep { !_is_hidden($_) } @svgs;
	my %ids;

	push @wrong, map { _mistakes_of_hidden($html, $_) }
	    grep { _is_hidden($_) } @svgs;
	push @wrong, map { _forbidden($_) } @svgs;
	$ids{$_}++ for $html =~ /\sid="([^"]*)"/g;
	push @wrong, map { "the id $_ is there $ids{$_} times" }
	    grep { $ids{$_} > 1 } sort keys %ids;
	push @wrong, _not_in_tables($html);
	return @wrong;
}

sub _mistakes_of {
	my ($svg) = @_;
	my $opening = _opening($svg);
	my ($labels) = $opening =~ /\saria-labelledby="([^"]*)"/;
	my @wrong;

	push @wrong, 'no role="img"' if $opening !~ /\srole="img"/;
	return (@wrong, 'no aria-labelledby') if !defined $labels;
	my @ids = split ' ', $labels;
	my $elements = join ' ', map {
		my $id = $_;
		$svg =~ m{<(title|desc)\s[^>]*\bid="\Q$id\E"[^>]*>\s*[^<\s]} ?
		    $1 : "nothing($id)"
	} @ids;
	push @wrong, "aria-labelledby leads to $elements"
	    if $elements ne 'title desc';
	return @wrong;
}

# It may be hidden only where the numbers themselves are beside it.
sub _mistakes_of_hidden {
	my ($html, $svg) = @_;
	my ($row) = grep { index($_, $svg) >= 0 }
	    $html =~ m{<tr\b[^>]*>.*?</tr>}gs;

	return 'hidden, and not in a row of a table' if !defined $row;
	return 'hidden, and no number is beside it'
	    if _words($row =~ s/\Q$svg\E//r) !~ /\d/;
	return;
}

# Neither script nor inline style, and nothing that is no number.
sub _forbidden {
	my ($svg) = @_;
	my @wrong;

	push @wrong, 'script' if $svg =~ /<script|\son[a-z]+=|javascript:/i;
	push @wrong, 'an inline style' if $svg =~ /<style|\sstyle=/i;
	push @wrong, 'another site' if $svg =~ m{(?:href|src)="(?:\w+:)?//};
	while ($svg =~ /\s(x|y|x1|x2|y1|y2|cx|cy|r|width|height)="([^"]*)"/g) {
		my ($name, $value) = ($1, $2);
		push @wrong, qq($name="$value")
		    if $value !~ /^-?\d+(?:\.\d+)?%?$/ ||
		    ($name =~ /^(?:width|height|r)$/ && $value =~ /^-/);
	}
	while ($svg =~ /\s(?:points|d|viewBox)="([^"]*)"/g) {
		push @wrong, qq(points "$1")
		    if $1 !~ /^[-MLHVCSQTAZmlhvcsqtaz\d., ]*$/;
	}
	for my $element (qw(svg g text title desc rect a)) {
		my $open = () = $svg =~ m{<$element\b[^>]*(?<!/)>}g;
		my $closed = () = $svg =~ m{</$element>}g;
		push @wrong, "<$element> $open times, closed $closed times"
		    if $open != $closed;
	}
	return @wrong;
}

# The numbers that a shape tells must be in a table.
sub _not_in_tables {
	my ($html) = @_;
	my $tables = tables_of($html);
	my %there = map { $_ => 1 } $tables =~ /\d[\d,]*(?:\.\d+)?/g;
	my @wrong;

	for my $chart (charts($html)) {
		push @wrong, "there is no table for \"$chart->{title}\""
		    if $tables eq '';
		for my $value (@{$chart->{values}}) {
			my @lost = grep { !$there{$_} }
			    $value =~ /\d[\d,]*(?:\.\d+)?/g;
			push @wrong, "\"$value\": no table has @lost"
			    if @lost;
		}
	}
	return @wrong;
}

# A test: the page has charts, and they are for everybody.
sub charts_ok {
	my ($html, $name) = @_;
	my @wrong = charts($html) ? chart_mistakes($html) :
	    ('there is no chart');

	ok !@wrong, "$name: its charts are for everybody"
	    or diag join "\n", @wrong;
}

1;
