#!/usr/bin/perl
# The rules of the pages: no script, no inline style, escaped values in quoted
# attributes, a label for each field, a token in each form, enough contrast.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Spec;
use List::Util qw(min max);
use Test::More;

my $top = abs_path($ENV{top_srcdir} // dirname(abs_path(__FILE__)) . '/..');

sub slurp {
	my ($path) = @_;

	open my $in, '<:encoding(UTF-8)', $path or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

my %template = map {
	(File::Spec->abs2rel($_, "$top/templates") =~ s/\.mustache$//r) =>
	    slurp($_) =~ s/\{\{[!<].*?\}\}//gsr
} glob("$top/templates/*.mustache"), glob("$top/templates/part/*.mustache");
my @names = sort keys %template;

cmp_ok scalar(@names), '>=', 10, 'templates were found';

sub none_holds {
	my ($what, $pattern) = @_;

	is_deeply [grep { $template{$_} =~ $pattern } @names], [], $what;
}

none_holds('no script', qr/<script|\son[a-z]+\s*=|javascript:/i);
none_holds('no inline style', qr/<style|\sstyle\s*=/i);
none_holds('no unescaped value', qr/\{\{\{|\{\{\s*&/);
none_holds('no fixed address of another site',
    qr/(?:href|src|action)="(?:https?:)?\/\//);

# A tag with the sections within it taken out must have quoted attributes only.
sub tags {
	my ($text) = @_;
	my @found;

	while ($text =~ /<([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/gi) {
		push @found, [$1, $2];
	}
	return @found;
}

my (@unquoted, @no_label, @no_alt, @no_token);
for my $name (@names) {
	my $text = $template{$name};
	for my $tag (tags($text)) {
		my ($element, $attributes) = @$tag;
		(my $rest = $attributes) =~ s/\{\{[#^\/].*?\}\}//g;
		$rest =~ s/\s[a-zA-Z:-]+="[^"]*"//g;
		$rest =~ s/\s(?:checked|selected|novalidate|hidden|open)\b//g;
		push @unquoted, "$name: <$element$attributes>"
		    if $rest =~ /[^\s\/]/;
		push @no_alt, "$name: $attributes"
		    if $element eq 'img' && $attributes !~ /\salt="/;
		next unless $element =~ /^(?:input|select|textarea)$/;
		next if $attributes =~ /type="hidden"/;
		my ($id) = $attributes =~ /\sid="([^"]+)"/;
		push @no_label, "$name: $attributes"
		    unless defined $id && $text =~ /<label for="\Q$id\E"/;
	}
	while ($text =~ /(<form[^>]*method="post".*?<\/form>)/gs) {
		my $form = $1;
		push @no_token, "$name: " . substr $form, 0, 60
		    unless $form =~ /name="csrf" value="\{\{csrf\}\}"/;
	}
}
is_deeply \@unquoted, [], 'attributes are quoted';
is_deeply \@no_alt, [], 'every image has its alt';
is_deeply \@no_label, [], 'every field has its label';
is_deeply \@no_token, [], 'every POST form carries the token';

# Each page, with its partials, has one h1 and no id twice.
sub whole {
	my ($name, @within) = @_;

	# What holds itself, as the branches of a tree do, is looked at once.
	return '' if grep { $_ eq $name } @within;
	return $template{$name} =~
	    s/\{\{>\s*(\S+?)\s*\}\}/whole($1, $name, @within)/ger;
}
for my $name (grep { !/^part\/|^cover/ } @names) {
	my $page = whole($name) . whole('part/layout');
	my @h1 = $page =~ /<h1/g;
	my %count;
	$count{$_}++ for $page =~ /\sid="([^"{]+)"/g;
	is scalar(@h1), 1, "$name has one h1";
	is_deeply [grep { $count{$_} > 1 } sort keys %count], [],
	    "$name has no id twice";
	my @missing = grep { !$count{$_} }
	    map { split / / } map { s/\{\{.*?\}\}//gr }
	    $page =~ /\saria-(?:labelledby|describedby)="([^"]*)"/g;
	is_deeply \@missing, [], "$name refers to ids that are there";
}

my $css = slurp("$top/static/seoga.css");
cmp_ok -s "$top/static/seoga.css", '<', 44_000, 'the style sheet is small';
my $watch = slurp("$top/static/watch.css");
cmp_ok length $watch, '<', 24_000, 'so is that of the pages for who watches';
unlike $watch, qr/url\(|\@import|\@font-face/, 'which loads nothing else';
unlike $css, qr/url\(|\@import|\@font-face/, 'it loads nothing else';

# WCAG 2.2: relative luminance and contrast.
sub luminance {
	my @rgb = map { $_ <= 0.04045 ? $_ / 12.92 : (($_ + 0.055) / 1.055) ** 2.4 }
	    @_;

	return 0.2126 * $rgb[0] + 0.7152 * $rgb[1] + 0.0722 * $rgb[2];
}

sub hex_rgb {
	my ($hex) = @_;

	$hex =~ s/(.)/$1$1/g if length $hex == 3;
	return map { hex($_) / 255 } $hex =~ /(..)/g;
}

sub hsl_rgb {
	my ($h, $s, $l) = @_;
	my $a = $s * min($l, 1 - $l);

	return map {
		my $k = ($_ + $h / 30) - 12 * int(($_ + $h / 30) / 12);
		$l - $a * max(-1, min($k - 3, 9 - $k, 1))
	} 0, 8, 4;
}

sub contrast {
	my ($one, $two) = @_;

	return (max($one, $two) + 0.05) / (min($one, $two) + 0.05);
}

is sprintf('%.0f', contrast(luminance(hex_rgb('fff')), luminance(hex_rgb('000')))),
    21, 'white on black is 21:1';

my ($light) = $css =~ /^:root \{(.*?)^\}/ms;
my ($dark) = $css =~ /prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}/s;
for my $scheme ([light => $light], [dark => $dark]) {
	my ($name, $rules) = @$scheme;
	my %color = $rules =~ /--([\w-]+): #([0-9a-f]+);/g;
	for my $pair (qw(ink/paper ink/sheet ink/wash ink/bad-wash soft/paper
	    soft/sheet accent/paper accent/sheet accent/wash
	    on-accent/accent bad/paper bad/bad-wash), 'edge/paper',
	    'edge/sheet') {
		my ($text, $ground) = split /\//, $pair;
		my $least = $text eq 'edge' ? 3 : 4.5;
		cmp_ok contrast(map { luminance(hex_rgb($color{$_})) }
		    $text, $ground), '>=', $least, "$name: $pair";
	}
}

# On covers the ground's hue and the text's may be any.
my $cover = $template{'cover.svg'};
my ($ink) = $cover =~ /<g font-family="[^"]*"(.*?)>/;
for my $design (qw(a b c d)) {
	my ($ground) = $cover =~ /\{\{#$design\}\}\s*<rect width="300" height="450" fill="([^"]+)"/;
	my ($text) = $ink =~ /\{\{#$design\}\} fill="([^"]+)"/;
	my $least = 21;
	my @grounds = luminances($ground);
	for my $t (luminances($text)) {
		$least = min($least, map { contrast($t, $_) } @grounds);
	}
	cmp_ok $least, '>=', 4.5, "cover design $design: text on its ground";
}

sub luminances {
	my ($fill) = @_;

	return luminance(hex_rgb($1)) if $fill =~ /^#([0-9a-f]+)$/;
	my ($s, $l) = $fill =~ /,(\d+)%,(\d+)%/ or die "fill $fill\n";
	return map { luminance(hsl_rgb($_ * 5, $s / 100, $l / 100)) } 0 .. 71;
}

done_testing;
