#!/usr/bin/perl
# The tree as a whole: what each file says first, what none may hold, and that
# the settings in the page for administrators are those that are read.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Find;
use Test::More;

my $top = abs_path($ENV{top_srcdir} // dirname(abs_path(__FILE__)) . '/..');

sub slurp {
	my ($path) = @_;

	open my $in, '<', "$top/$path" or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

# What somebody wrote, not what a build or a run made.
my @files;
my %ours = map { $_ => 1 } qw(README bootstrap configure.ac Makefile.am
    .clang-format .clang-tidy .gitignore);
find({ no_chdir => 1, wanted => sub {
	my $path = $File::Find::name =~ s{^\Q$top\E/?}{}r;

	if (-d) {
		$File::Find::prune = 1 if $path ne '' && $path !~ m{^(?:
		    lib|cgi-bin|templates|static|nginx|sql|po|bin|k8s|t|
		    bench|doc|control|monitoring|\.ci)(?:/|$)}x ||
		    $path =~ m{/(?:\.deps|__pycache__)$};
		return;
	}
	return if $path !~ m{/} && !$ours{$path};
	return if $path =~ m{\.(?:o|a|gcda|gcno|log|trs|pyc|mo)$|/\.dirstamp$};
	# Programs are compiled beside their sources.
	open my $in, '<', $_ or return;
	read $in, my $start, 4;
	push @files, $path if ($start // '') ne "\x7fELF" && -s;
} }, $top);
@files = sort @files;
my %text = map { $_ => slurp($_) } @files;
cmp_ok scalar(@files), '>=', 100, scalar(@files) . ' files';

sub none_holds {
	my ($what, $pattern, @among) = @_;

	is_deeply [map {
		my $file = $_;
		my $n = 0;
		map { $n++; /$pattern/ ? "$file:$n: $_" : () }
		    split /\n/, $text{$file}
	} @among ? @among : @files], [], $what;
}

# -- how files begin ---

my %opening = (
	c => qr{\A/\*\s+\*? ?\S}, h => qr{\A/\*\s+\*? ?\S},
	css => qr{\A/\* \S}, lua => qr{\A-- \S}, sql => qr{\A-- \S},
	ac => qr{\Adnl \S}, md => qr{\A# \S}, tmpl => qr{\A\{\{- /\* \S},
	mustache => qr/\A\{\{! \S/,
	svg => qr{\A(?:<\?xml.*?\?>\s*)?(?:<!--\s*\S|<svg)},
	yaml => qr{\A(?:# \S|openapi:)}, po => qr{\A# \S},
	json => qr/\A\{/,	# there are no comments in JSON
);
my $hash = qr{\A(?:\#!.*\n)?(?:\# \S|; \S|""")};
is_deeply [grep {
	my ($ending) = basename($_) =~ /\.(\w+)$/;
	my $opening = $opening{$ending // ''} // $hash;
	$_ ne 'README' && $text{$_} !~ $opening
} @files], [], 'each file begins with what it is for';

# One sentence or more, before anything else happens.
is_deeply [grep { !/\A\/\*(.*?)\*\//s || $1 !~ /\w.*[.:;]\s*/s }
    map { $text{$_} } grep { /\.[ch]$/ } @files], [],
    'those in C with a sentence';

# -- what none may hold ---

# Put together here, lest this file be found.
my $homes = join '|', map { "/$_/" } qw(home root Users), 'w' . 'ork';
none_holds('no path of one machine', qr{(?<![\w.\$\}\@/-])(?:$homes)\w},
    grep { !m{^t/904} } @files);
none_holds('no line of a merge', qr/^(?:<<<<<<<|=======$|>>>>>>>)/);
none_holds('no blank at the end of a line', qr/[ \t]$/,
    grep { !/\.(?:md|po)$/ } @files);
my $later = join '|', 'TO' . 'DO', 'FIX' . 'ME', 'XX' . 'X\b', 'HA' . 'CK\b';
none_holds('nothing is left for later', qr/\b(?:$later)/);
is_deeply [grep { $text{$_} =~ /\r/ } @files], [], 'no carriage returns';
# What stands within a line of another template has no end of line.
is_deeply [grep { $text{$_} !~ /\n\z/ && !m{^templates/part/} } @files], [],
    'the last line ends, too';

# -- banned functions ---

my @c = grep { m{^(?:lib|cgi-bin|bin)/.*\.[ch]$} } @files;
my @banned = qw(strcpy strcat sprintf vsprintf strtok gets strncpy atoi atol
    system popen alloca rand srand mktemp tmpnam strncat asctime ctime
    FCGX_FPrintF FCGI_printf);
my %code = map { $_ => $text{$_} =~ s{/\*.*?\*/}{}gsr =~ s/"(?:[^"\\\n]|\\.)*"/""/gr }
    @c;
for my $function (@banned) {
	is_deeply [grep { $code{$_} =~ /(?<![\w.>])\Q$function\E\s*\(/ } @c],
	    [], "nobody calls $function()";
}
my ($poisoned) = $text{'lib/base.h'} =~ /^#pragma GCC poison (.*)$/m;
cmp_ok scalar(split ' ', $poisoned // ''), '>=', 8,
    'the compiler knows the worst';
is_deeply [grep { $code{$_} =~ /fcgi_stdio/ } @c], [], 'no fcgi_stdio.h';
is_deeply [grep { $code{$_} =~ /^typedef struct/m } @c], [],
    'struct thing, without typedef';
my @wide;
# Bodies of parts in a test are longer than a line of code should be.
for my $file (grep { m{\.[ch]$} && !m{^t/032-} } @files) {
	my $n = 0;

	for my $line (split /\n/, $text{$file}) {
		utf8::decode(my $shown = $line);
		$n++;
		1 while $shown =~ s/^([^\t]*)\t/$1 . ' ' x
		    (8 - length($1) % 8)/e;
		push @wide, "$file:$n" if length $shown > 80;
	}
}
is_deeply \@wide, [], 'eighty columns';

# -- what is promised ---

like $text{README}, qr{\./bootstrap run\b}, 'README: how to run it';
like $text{README}, qr{\./bootstrap check\b}, 'README: how to check it';
like $text{'.ci/run'}, qr{\./bootstrap check\b}, 'so does the integration';
is_deeply [grep { -e "$top/$_" && !-x _ } '.ci/run', 'bootstrap', 'bin/seoga',
    't/run', 't/one'], [], 'commands can be run';
for my $page (grep { /^(?:README|doc\/.*\.md)$/ } @files) {
	my @dead = grep {
		my $target = (m{^/} ? '' : dirname($page) . '/') . $_ =~
		    s/#.*//r;
		$_ !~ /^#/ && !-e "$top/$target"
	} grep { !m{^\w+:} } $text{$page} =~ /\]\(([^)\s]+)\)/g;
	is_deeply \@dead, [], "$page: links lead somewhere";
}

# -- settings ---

my %told;
for (split /\n/, $text{'doc/configuration.md'}) {
	next if !/^\| (`SEOGA_.*?) \|/;
	my $names = $1;
	while ($names =~ /`(SEOGA_\w+)`(\*?)/g) {
		$told{$1} = $2;
	}
}
my (%read, %secret);
my $conf = $text{'lib/conf.c'};
$read{$_} = 1 for $conf =~ /"(SEOGA_[A-Z0-9_]+)"/g;
$secret{$_} = 1 for $conf =~ /secret_text\(r,\s*"(SEOGA_\w+)"/g;
my $settings = $text{'control/settings.py'};
for my $file (grep { /^control\/.*\.py$/ } @files) {
	$read{"SEOGA_$_"} = 1 for $text{$file} =~
	    /(?:\b(?:s|self|settings)\.(?:get|_number|_choice|_folders|port_of)|\._folders)\(\s*"([A-Z0-9_]+)"/g;
	$read{"SEOGA_$_"} = 1 for $text{$file} =~ /"([A-Z_]+_PORT)", \d+\)/g;
	$secret{"SEOGA_$_"} = $read{"SEOGA_$_"} = 1 for $text{$file} =~
	    /\bsecret_text\(\s*"([A-Z0-9_]+)"/g;
}
$read{$_} = 1 for $settings =~ /env\.get\("(SEOGA_[A-Z0-9_]+)"/g;
cmp_ok scalar(keys %read), '>=', 30, 'settings were found';
is_deeply [grep { !defined $told{$_} } sort keys %read], [],
    'each setting is described';
is_deeply [grep { !$read{$_} } sort keys %told], [],
    'and what is described is read';
is_deeply [grep { $told{$_} eq '*' } sort keys %told], [sort keys %secret],
    'a star for those that may be in a file';

# What every number is unless it is set.
my %default = $conf =~ /number\(r, "(SEOGA_\w+)", (\d+),/g;
cmp_ok scalar(keys %default), '>=', 6, 'numbers have defaults';
for my $name (sort keys %default) {
	like $text{'doc/configuration.md'},
	    qr/^\| `\Q$name\E` \| `$default{$name}` \|/m,
	    "$name: $default{$name}, as described";
}

# -- what is packed ---

is_deeply [grep { m{^(?:lib|bin)/.*\.h$} &&
    $text{'Makefile.am'} !~ /\s\Q$_\E\s/ } @files], [],
    'each header is in Makefile.am';

# -- migrations ---

my @migrations = map { m{^sql/(\d+)-} ? $1 : () } @files;
is_deeply \@migrations, [map { sprintf '%03d', $_ } 1 .. @migrations],
    'migrations have one number each';

done_testing();
