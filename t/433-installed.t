#!/usr/bin/perl
# What `make install` writes is a whole site: it runs from there, in any
# place, and needs nothing of the tree it was built in.
use strict;
use warnings;

use File::Temp ();
use HTTP::Tiny;
use Test::More;

use Seoga::Test;

my ($top, $build) = @ENV{qw(SEOGA_SRCDIR SEOGA_BUILD)};
plan skip_all => 'run through t/run, which leaves root' if !$top || $> == 0;
plan skip_all => 'the programs are not built'
    if !-x "$build/bin/seoga-migrate";

my $dir = File::Temp->newdir('seoga-n-XXXXXX', DIR => '/tmp');
my $usr = "$dir/dest/usr";
# Of the make that runs the tests, this one is no part.
delete @ENV{grep { /^(?:MAKE|MFLAGS|SEOGA_(?:BUILD|SRCDIR)|DESTDIR)/ }
    keys %ENV};
is system("make -C '$build' install prefix=/usr DESTDIR='$dir/dest' "
    . ">'$dir/made' 2>&1"), 0, 'make install' or die slurp("$dir/made");

# Whatever happens, nothing of it stays.
my $running;
END {
	if ($running) {
		local $?;
		kill 'TERM', $running;
		waitpid $running, 0;
	}
}

sub run_site {
	my $pid = $running = fork() // die "fork: $!\n";

	if (!$pid) {
		@ENV{qw(SEOGA_VAR SEOGA_PORT SEOGA_PRIVATE_PORT)} =
		    ("$dir/var", 0, 0);
		chdir '/' or die;
		open STDOUT, '>', "$dir/said" or die;
		open STDERR, '>&', \*STDOUT or die;
		exec "$usr/bin/seoga", 'run';
		die;
	}
	await(60, sub { slurp("$dir/said") =~ /runs on (\S+)/ });
	return slurp("$dir/said") =~ m{runs on (\S+)/\s} ? $1 : undef;
}

sub page {
	my ($url, $lang) = @_;

	return HTTP::Tiny->new(
	    default_headers => { 'Accept-Language' => $lang })->get($url);
}

my $at = run_site();
ok $at, 'it runs' or die slurp("$dir/said");
my $page = page("$at/books", 'en');
is $page->{status}, 200, 'a page';
like $page->{content}, qr{href="/books/\d+"}, 'with books';
my ($style) = $page->{content} =~ m{href="(/static/[^"]+\.css[^"]*)"};
is page("$at$style", 'en')->{status}, 200, 'its style sheet';
like page("$at/login", 'en')->{content}, qr/Sign in/, 'English';
like page("$at/login", 'ko')->{content}, qr/로그인/, 'Korean';
like page("$at/nowhere", 'ko')->{content}, qr/찾을 수 없습니다/,
    'a page of nginx, too';
my @commands = map { slurp("/proc/$_/cmdline") }
    grep { slurp("/proc/$_/environ") =~ /\0SEOGA_VAR=\Q$dir\E/ }
    map { m{(\d+)} } glob('/proc/[0-9]*');
isnt scalar(grep { m{^\Q$usr\E/libexec/} } @commands), 0,
    'the programs are the installed ones';
is_deeply [grep { /\Q$top\E|\Q$build\E/ } @commands], [],
    'no process is from the tree';
kill 'TERM', $running;
waitpid $running, 0;
is $?, 0, 'it stops';
undef $running;

done_testing();
