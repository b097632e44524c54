#!/usr/bin/perl
# Every text that a reader sees has a Korean translation, with the same tags
# and printf directives, and the catalogue holds nothing else.
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use utf8;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Spec;
use Test::More;

my $top = abs_path($ENV{top_srcdir} // dirname(abs_path(__FILE__)) . '/..');
my $po = "$top/po/ko.po";

sub slurp {
	my ($path) = @_;

	open my $in, '<:encoding(UTF-8)', $path or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

# The engine folds white space before it looks a message up.
sub fold {
	my ($text) = @_;

	$text =~ s/\s+/ /g;
	$text =~ s/^ | $//g;
	return $text;
}

sub unescape {
	my ($text) = @_;
	my %special = (n => "\n", t => "\t", r => "\r");

	$text =~ s/\\(.)/$special{$1} \/\/ $1/ge;
	return $text;
}

# "a" "b" as C and PO join them.
sub join_literals {
	my ($source) = @_;

	return join '', map { unescape($_) } $source =~ /"((?:[^"\\]|\\.)*)"/g;
}

sub template_messages {
	my ($text) = @_;
	my @found;

	$text =~ s/\{\{!.*?\}\}//gs;
	while ($text =~ /\{\{#\s*_\s*\}\}(.*?)\{\{\/\s*_\s*\}\}/gs) {
		push @found, fold($1);
	}
	return @found;
}

my $literal = qr/"(?:[^"\\\n]|\\.)*"/;

# Comments become blanks; literals stay, whatever they hold.
sub without_comments {
	my ($text) = @_;

	$text =~ s{($literal|'(?:[^'\\\n]|\\.)+')|/\*.*?\*/|//[^\n]*}
	    {$1 // ' '}gse;
	return $text;
}

sub c_messages {
	my ($text) = @_;
	my @found;

	$text = without_comments($text);
	while ($text =~ /(?<!\w)N?_\(\s*($literal(?:\s*$literal)*)\s*\)/g) {
		push @found, join_literals($1);
	}
	return @found;
}

# msgid -> msgstr of a PO file without plurals and contexts.
sub read_po {
	my ($text) = @_;
	my (%entry, @twice);

	while ($text =~ /^msgid\s+((?:$literal\s*)+)^msgstr\s+((?:$literal\s*)+)/gm) {
		my ($id, $str) = (join_literals($1), join_literals($2));
		push @twice, $id if exists $entry{$id};
		$entry{$id} = $str;
	}
	return (\%entry, \@twice);
}

# What a translator must not change: mustache tags and HTML tags in any
# order, printf directives in their order.
sub signature {
	my ($text, $is_format) = @_;
	my @tags = $text =~ /(\{\{.*?\}\}|<[^>]*>)/g;
	my @directives;

	if ($is_format) {
		my $next = 1;
		(my $rest = $text) =~ s/%%//g;
		while ($rest =~ /%(?:(\d+)\$)?([-+ #0]*[\d.*]*(?:hh?|ll?|[jzt])?[a-zA-Z])/g) {
			push @directives, ($1 // $next++) . ":$2";
		}
	}
	return join ' | ', sort(@tags), sort(@directives);
}

# The extractor itself: a reader that finds nothing would pass everything.
is_deeply [template_messages("{{#_}}One\n  two{{/_}}<b>{{#_}}{{n}} left{{/_}}</b>")],
    ['One two', '{{n}} left'], 'messages of a template';
is_deeply [c_messages(qq{f(_("a \\"b\\""\n "c"), N_("d"), x_("e")); /* _("f") */})],
    ['a "b"c', 'd'], 'messages of a program';
isnt signature('%s of %d', 1), signature('%d of %s', 1), 'directives in order';
is signature('%2$d of %1$s', 1), signature('%s: %d', 1), 'numbered directives';
isnt signature('{{a}}', 0), signature('{{b}}', 0), 'tags';

my %used;	# msgid -> where it stands
my %is_format;
my @templates = (glob("$top/templates/*.mustache"),
    glob("$top/templates/part/*.mustache"));
my @sources = map { glob "$top/$_" } 'lib/*.c', 'cgi-bin/*.c', 'lib/*.h';

for my $path (@templates) {
	push @{ $used{$_} }, File::Spec->abs2rel($path, $top)
	    for template_messages(slurp($path));
}
for my $path (@sources) {
	for my $id (c_messages(slurp($path))) {
		push @{ $used{$id} }, File::Spec->abs2rel($path, $top);
		$is_format{$id} = 1;
	}
}
cmp_ok scalar(@templates), '>=', 8, 'templates were found';
cmp_ok scalar(keys %used), '>=', 50, 'texts were found';

my $text = slurp($po);
my ($entry, $twice) = read_po($text);
my $header = delete $entry->{''};

like $header, qr/charset=UTF-8/, 'the catalogue is UTF-8';
is_deeply $twice, [], 'no text stands twice in the catalogue';
unlike $text, qr/^#(?:,.*fuzzy|~)/m, 'no fuzzy or obsolete entry';
is system('msgfmt', '--check', '-o', File::Spec->devnull, $po), 0,
    'msgfmt accepts the catalogue';

is_deeply [map { "$_ ($used{$_}[0])" }
	grep { ($entry->{$_} // '') eq '' } sort keys %used],
    [], 'every text has a Korean translation';
is_deeply [grep { !$used{$_} } sort keys %$entry], [],
    'no translation is left over';
is_deeply [grep {
		signature($_, $is_format{$_}) ne
		signature($entry->{$_}, $is_format{$_})
	} sort keys %$entry],
    [], 'tags and directives are the same in both languages';
is_deeply [grep { $entry->{$_} !~ /\p{Hangul}/ && /\pL{2}/ && !/^\{\{[^}]*\}\}$/ }
	sort keys %$entry],
    [], 'every translation is Korean';

# Words that a reader sees must be marked: nothing but tags, blanks, signs and
# names between the HTML tags of a template.
my %name = map { $_ => 1 } qw(서가 Seoga ISBN SQL Redis UTC ms
    A B EXPLAIN bin seoga trace);
my @unmarked;
for my $path (@templates) {
	next if $path =~ /-url\.mustache$/;	# an address, for an attribute
	my $body = slurp($path);
	$body =~ s/\{\{!.*?\}\}//gs;
	$body =~ s/\{\{#\s*_\s*\}\}.*?\{\{\/\s*_\s*\}\}//gs;
	$body =~ s/\{\{.*?\}\}//gs;
	push @unmarked, map { File::Spec->abs2rel($path, $top) . ": $_" }
	    $body =~ /\s(?:alt|title|placeholder|aria-label)="([^"]*\pL[^"]*)"/g;
	$body =~ s/<[^>]*>/ /g;
	push @unmarked, map { File::Spec->abs2rel($path, $top) . ": $_" }
	    grep { !$name{$_} } $body =~ /(\pL+)/g;
}
is_deeply \@unmarked, [], 'every visible text of a template is marked';

done_testing;
