#!/usr/bin/perl
# The sample catalogue is large, half Korean, and consistent in itself: what
# the text of sql/sample.sql can tell without a database.
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use utf8;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

my $top = abs_path($ENV{top_srcdir} // dirname(abs_path(__FILE__)) . '/..');
my $file = "$top/sql/sample.sql";

sub slurp {
	my ($path) = @_;

	open my $in, '<:encoding(UTF-8)', $path or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

# The next value in $$text: a string, a number, NULL (undef) or the name of
# a column that stands earlier in the same row.
sub value {
	my ($text, $row) = @_;

	if ($$text =~ /\G\s*'((?:[^'\\]|'')*)'/gc) {
		return $1 =~ s/''/'/gr;
	}
	return undef if $$text =~ /\G\s*NULL\b/gc;
	return $1 if $$text =~ /\G\s*(-?\d+(?:\.\d+)?)/gc;
	return $row->{$1} if $$text =~ /\G\s*(\w+)/gc && exists $row->{$1};
	die 'no value at: ', substr($$text, pos($$text) // 0, 60), "\n";
}

sub row {
	my ($text, @columns) = @_;
	my %row;

	$$text =~ /\G\s*\(/gc or die "no row\n";
	while (@columns) {
		my $column = shift @columns;

		$row{$column} = value($text, \%row);
		$$text =~ (@columns ? qr/\G\s*,/ : qr/\G\s*\)/)
		    or die "too many or too few values: $column\n";
		pos($$text) = $+[0];
	}
	return \%row;
}

# One statement to its table and rows; as strict as the file is regular.
sub statement {
	my ($text) = @_;
	my @rows;

	$text =~ /\G\s*INSERT IGNORE INTO (\w+)\s*\(([\w\s,]+)\)\s*VALUES/gc
	    or die 'not an INSERT IGNORE: ', substr($text, 0, 60), "\n";
	my $table = $1;
	my @columns = split /\s*,\s*/, $2 =~ s/^\s+|\s+$//gr;

	do {
		push @rows, row(\$text, @columns);
	} while ($text =~ /\G\s*,/gc);
	$text =~ /\G\s*\z/gc
	    or die 'junk: ', substr($text, pos($text), 60), "\n";
	return ($table, @rows);
}

sub isbn13_ok {
	my ($isbn) = @_;
	my ($sum, $weight) = (0, 1);

	return 0 if $isbn !~ /^97[89]\d{10}$/;
	for my $digit (split //, $isbn) {
		$sum += $digit * $weight;
		$weight = 4 - $weight;
	}
	return $sum % 10 == 0;
}

# Those rows that fail $good, as "title (id)", so that a failure names them.
sub bad {
	my ($good, @rows) = @_;

	return [map { ($_->{title} // $_->{slug}) . " ($_->{id})" }
	    grep { !$good->($_) } @rows];
}

sub twice {
	my ($key, @rows) = @_;
	my %seen;

	return [grep { $seen{$_}++ } map { $key->($_) } @rows];
}

ok(isbn13_ok('9780131103627'), 'a true ISBN passes the check');
ok(!isbn13_ok('9780131103628'), 'a wrong check digit does not');

my $sql = slurp($file) =~ s/^--.*\n//gmr;
my %rows = (categories => [], books => []);

for my $text (grep { /\S/ } split /;[ \t]*\n/, $sql) {
	my ($table, @more) = statement($text);

	push @{ $rows{$table} }, @more;
}
is_deeply([sort keys %rows], [qw(books categories)], 'only these two tables');

my @categories = @{ $rows{categories} };
my @books = @{ $rows{books} };
my %category = map { $_->{id} => $_ } @categories;
my %parent = map { $_->{parent_id} => 1 } grep { $_->{parent_id} } @categories;
my @leaves = grep { !$parent{ $_->{id} } } @categories;

# Categories.

cmp_ok(scalar @leaves, '>=', 12, 'at least 12 categories hold books');
cmp_ok(scalar keys %parent, '>=', 2, 'and they form a tree');
is_deeply(twice(sub { $_[0]{id} }, @categories), [], 'category ids are unique');
is_deeply(twice(sub { $_[0]{slug} }, @categories), [], 'slugs are unique');
is_deeply(bad(sub { $_[0]{slug} =~ /^[a-z][a-z-]{1,39}$/ }, @categories), [],
    'slugs are plain');
is_deeply(bad(sub { $_[0]{name_ko} =~ /\p{Hangul}/
    && $_[0]{name_en} =~ /^[\x20-\x7e]+$/ }, @categories), [],
    'each category has a Korean and an English name');
is_deeply(twice(sub { ($_[0]{parent_id} // 0) . '/' . $_[0]{position} },
    @categories), [], 'siblings have positions of their own');

my %before;
is_deeply(bad(sub {
	my ($c) = @_;

	$before{ $c->{id} } = 1;
	return !defined $c->{parent_id} || ($before{ $c->{parent_id} }
	    && $c->{parent_id} != $c->{id});
}, @categories), [], 'a parent comes before its children');

# Books.

cmp_ok(scalar @books, '>=', 300, 'at least 300 books');
is_deeply(twice(sub { $_[0]{id} }, @books), [], 'book ids are unique');
is_deeply(twice(sub { lc "$_[0]{title} / $_[0]{author}" }, @books), [],
    'no title and author twice');
is_deeply(bad(sub { $category{ $_[0]{category_id} } }, @books), [],
    'each book is in a category that exists');

my %filled = map { $_->{category_id} => 1 } @books;
is_deeply(bad(sub { $filled{ $_[0]{id} } }, @leaves), [],
    'no leaf of the tree is empty');
is_deeply(bad(sub { !$parent{ $_[0]{category_id} } }, @books), [],
    'books are in leaves only');

# A Korean work is one in a category whose slug begins with "korean-"; the
# language column tells the edition, and half of the world's works are
# offered in Korean.
my $korean = grep { $category{ $_->{category_id} }{slug} =~ /^korean-/ } @books;
my $share = 100 * $korean / @books;
cmp_ok($share, '>=', 40, 'at least 40 in 100 are Korean works');
cmp_ok($share, '<=', 60, 'at most 60 in 100 are Korean works');

is_deeply(bad(sub { $_[0]{language} =~ /^(?:ko|en)$/ }, @books), [],
    'the language is Korean or English');
is_deeply(bad(sub { ($_[0]{description} =~ /\p{Hangul}/)
    == ($_[0]{language} eq 'ko') }, @books), [],
    'the description is in the language of the book');
is_deeply(bad(sub { $_[0]{description} =~ /\S\.$/ }, @books), [],
    'the description is a sentence');
is_deeply(bad(sub { length $_[0]{title} && length $_[0]{title} <= 255
    && length $_[0]{author} && length $_[0]{author} <= 255 }, @books), [],
    'title and author are there and fit');

my @isbn = grep { defined $_->{isbn13} } @books;
cmp_ok(scalar @isbn, '>', 0, 'some books have an ISBN');
is_deeply(bad(sub { isbn13_ok($_[0]{isbn13}) }, @isbn), [],
    'each ISBN has the right check digit');
is_deeply(twice(sub { $_[0]{isbn13} }, @isbn), [], 'no ISBN twice');

is_deeply(bad(sub { $_[0]{price} > 0 && $_[0]{price} % 100 == 0 }, @books), [],
    'prices are positive and whole hundreds of won');
is_deeply(bad(sub { $_[0]{stock_quantity} =~ /^\d+$/ }, @books), [],
    'stock is a count');
ok((grep { $_->{stock_quantity} == 0 } @books), 'something is sold out');
is_deeply(bad(sub { !defined $_[0]{published_year}
    || ($_[0]{published_year} != 0 && $_[0]{published_year} <= 2026) },
    @books), [], 'years are possible');
is_deeply(bad(sub { $_[0]{created_at}
    =~ /^202[4-6]-(?:0[1-9]|1[0-2])-[0-3]\d [01]\d:[0-5]\d:00$/
    && $_[0]{updated_at} eq $_[0]{created_at} }, @books), [],
    'each book says when it was added');

done_testing();
