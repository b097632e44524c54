#!/usr/bin/perl
# The layers of lib/, as the tables of doc/architecture.md have them.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Test::More;

my $top = abs_path($ENV{top_srcdir} // dirname(abs_path(__FILE__)) . '/..');

sub slurp {
	my ($path) = @_;

	open my $in, '<', $path or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

my $page = slurp("$top/doc/architecture.md");
my (@order, %owner, %exception);
for (split /\n/, $page) {
	if (/^\| (\w+) \|[^|]*\| ?(.*?) ?\|$/ && $1 ne 'module' &&
	    $1 ne 'file') {
		push @order, $1;
		$owner{$_} = $order[-1] for $2 =~ /`([^`]+)`/g;
	}
	$exception{"$1 $2"} = $3
	    if /^\| `([\w.]+)` \| `([\w.]+)` \| (.+) \|$/;
}
my %place = map { $order[$_] => $_ } 0 .. $#order;

sub module_of { return basename($_[0]) =~ s/(?:_\w+)?\.[ch]$//r }

# Comments and texts are not code.
sub code_of {
	my ($path) = @_;

	return slurp($path) =~ s{/\*.*?\*/}{}gsr =~
	    s/"(?:[^"\\\n]|\\.)*"(?=[^\n]*)/keep($&)/ger;
}

# The names in #include "..." stay.
sub keep { return $_[0] =~ /^"[\w.\/]+\.h"$/ ? $_[0] : '""' }

my @lib = glob "$top/lib/*.[ch]";
my @rest = glob "$top/cgi-bin/*.c $top/bin/*.[ch]";
my %module = map { module_of($_) => 1 } @lib;

is_deeply [sort keys %module], [sort @order],
    'the table has the modules of lib/';
is scalar(keys %place), scalar(@order), 'each once';

my (@wrong, @foreign, %used);
for my $file (@lib) {
	my $name = basename($file);
	my $mine = module_of($file);

	for my $header (code_of($file) =~ /^#include "([^"]+)"/mg) {
		my $other = module_of($header);

		next if $other eq $mine;
		push @foreign, "$name: $header"
		    if $header =~ /_internal\.h$/;
		next if defined $place{$other} && $place{$other} <
		    ($place{$mine} // -1);
		if ($exception{"$name $header"}) {
			$used{"$name $header"} = 1;
			next;
		}
		push @wrong, "$name includes $header";
	}
}
is_deeply \@wrong, [], 'a file includes only what stands above it';
is_deeply \@foreign, [], 'the inside of a module is its own';
is_deeply [grep { !$used{$_} } sort keys %exception], [],
    'each exception is one';
cmp_ok scalar(keys %exception), '<', 3, 'and they are few';

cmp_ok scalar(keys %owner), '>=', 8, 'some things have one user';
for my $what (sort keys %owner) {
	my @users = grep {
		my $code = code_of($_);
		$what =~ /\.h$/ ? $code =~ m{^#include <\Q$what\E>}m :
		    $code =~ /\b(?:secure_)?\Q$what\E\s*\(/
	} @lib, @rest;
	my %modules = map {
		(dirname($_) =~ m{/lib$} ? module_of($_) : $_) => 1
	} @users;

	is_deeply [keys %modules], [$owner{$what}],
	    "$what is used by $owner{$what} alone";
}

# SQL and Redis keys are of the domain: programs have none.
my @sql = grep {
	slurp($_) =~ /"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE) |db_stmt|cache_queue|cache_command/
} glob "$top/cgi-bin/*.c";
is_deeply \@sql, [], 'no SQL and no Redis in cgi-bin/';

done_testing();
