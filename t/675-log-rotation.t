#!/usr/bin/perl
# logrotate, as var/logrotate.conf tells it, while readers read: each request
# stands in the logs once, each line is whole, and all who write go on in the
# new files.
use strict;
use warnings;

use File::Temp ();
use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Logs;
use Seoga::Reader;
use Seoga::Test;

my ($logrotate) = grep { -x } '/usr/sbin/logrotate', '/usr/bin/logrotate';
plan skip_all => 'logrotate is not installed' if !$logrotate;

site_start();
seoga_ok('migrate', '--sample');
my $var = site_dir() . '/var';
my $conf = "$var/logrotate.conf";

sub rotate {
	my (@options) = @_;

	open my $out, '-|', '/bin/sh', '-c', 'exec "$@" 2>&1', 'sh',
	    $logrotate, '--state', "$var/logrotate.state", @options, $conf
	    or die;
	my $said = join '', <$out>;
	close $out;
	return $said;
}

unlike rotate("--debug"), qr/^error:/m, 'logrotate understands it';
is rotate(), '', 'and has nothing to do yet';
is_deeply [glob("$var/log/*.1")], [], 'nor does it';

my ($log) = grep { -e } site_dir() . '/seoga.log', "$var/log/seoga.log";
my $book = sql('SELECT MIN(id) FROM books') + 0;
load_start(2, '/books', "/books/$book", '/api/books/books');
for my $round (1 .. 4) {
	sleep 0.5;
	is rotate('--force'), '', "moved away: $round";
	ok await(5, sub { -s $log && -s "$var/log/access.log" }),
	    'and begun anew';
}
sleep 0.5;
my ($count, @failed) = load_stop();
is_deeply \@failed, [], 'no request failed';
ok await_edge(), 'nginx has written its lines';

# Who still has one of the old files?
my @old;
for my $fd (glob '/proc/[0-9]*/fd/*') {
	my $file = readlink $fd // next;
	push @old, "$fd $file"
	    if $file =~ m{^\Q$var\E/log/.*(?:\.\d|\(deleted\))} ||
	    $file =~ m{^\Q$log\E[. ]};
}
is_deeply \@old, [], 'nobody holds a file that was moved away';

site_stop();

my $unpacked = File::Temp->newdir;
my (@files, %edge, %ends);
for my $file (glob("$log* $var/log/access.log*")) {
	my $name = $file =~ s{.*/}{}r;

	if ($file =~ /\.gz$/) {
		gunzip($file => "$unpacked/$name") or die $file;
	} else {
		spew("$unpacked/$name", slurp($file));
	}
	push @files, "$unpacked/$name";
	for (split /\n/, slurp("$unpacked/$name")) {
		my ($trace) = /"trace":"(\w{32})"/ or next;
		$edge{$trace}++ if /"ev":"nginx.request"/;
		$ends{$trace}++ if /"ev":"req.end"/;
	}
}
cmp_ok scalar(grep { /\.gz$/ } @files), '>=', 2, 'old ones are packed';
is_deeply [wrong_lines(@files)], [], 'each line is whole';
cmp_ok scalar(keys %ends), '>=', $count, 'no request is missing';
is scalar(keys %edge), scalar(keys %ends) + 1,
    'nginx has them, and the one that no program saw';
is_deeply [grep { $edge{$_} != 1 } keys %edge], [], 'each once';
is_deeply [grep { $ends{$_} != 1 } keys %ends], [], 'of programs, too';

my @told = do {
	open my $out, '-|', "$ENV{SEOGA_BUILD}/bin/seoga-logs", '--event',
	    'req.end', '--log', $log, map { ('--log', $_) } glob("$log.*")
	    or die;
	<$out>;
};
is scalar(@told), scalar(keys %ends), '`seoga logs` finds them all';

done_testing;
