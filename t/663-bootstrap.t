#!/usr/bin/perl
# `./bootstrap run monitoring`, twice: the site with all that watches it, and
# nothing is left of it after Ctrl-C.
use strict;
use warnings;

use File::Temp ();
use HTTP::Tiny;
use IO::Socket::INET;
use Test::More;

use Seoga::Test;

my ($top, $build) = @ENV{qw(SEOGA_SRCDIR SEOGA_BUILD)};
plan skip_all => 'run through t/run, which leaves root' if !$top || $> == 0;
plan skip_all => 'bootstrap builds in the tree' if $top ne $build;
delete @ENV{grep { /^(?:MAKE|MFLAGS|SEOGA_|DESTDIR)/ } keys %ENV};
plan skip_all => 'the tree is not built'
    if system("make -q -C '$top' >/dev/null 2>&1") != 0;
my @missing = grep { !-x "/usr/bin/$_" } qw(prometheus
    prometheus-alertmanager prometheus-node-exporter prometheus-nginx-exporter
    prometheus-redis-exporter prometheus-mysqld-exporter);
plan skip_all => "not installed: @missing; ./bootstrap check does so"
    if @missing;

my $dir = File::Temp->newdir('seoga-b-XXXXXX', DIR => '/tmp');
@ENV{qw(SEOGA_VAR SEOGA_PRIVATE_PORT SEOGA_SCRAPE_S)} = ("$dir/var", 0, 1);

# Whatever happens, nothing of it stays.
my $running;
my $main = $$;
END {
	if ($running && $$ == $main) {
		local $?;
		kill 'INT', $running;
		waitpid $running, 0;
	}
}

sub run_site {
	unlink "$dir/said";
	$running = fork() // die "fork: $!\n";
	if (!$running) {
		open STDOUT, '>', "$dir/said" or die;
		open STDERR, '>&', \*STDOUT or die;
		exec "$top/bootstrap", 'run', 'monitoring', '--port', 0;
		die;
	}
	await(90, sub { slurp("$dir/said") =~ /^    mysqld-exporter/m });
	return slurp("$dir/said");
}

sub processes {
	return grep { $_ != $$ && slurp("/proc/$_/environ") =~
	    /^(?:.*\0)?SEOGA_VAR=\Q$dir\E\/var\0/s }
	    map { m{(\d+)} } glob('/proc/[0-9]*');
}

# A port that is usual, but taken, is no hindrance.
my $taken = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
    LocalPort => 9093, ReuseAddr => 1);
for my $time (qw(first second)) {
	my $said = run_site();
	my %at = $said =~ m{^    (\S+) +(http://127\.0\.0\.1:\d+/)$}mg;

	is_deeply [sort keys %at], [qw(alertmanager mysqld-exporter
	    nginx-exporter node-exporter prometheus redis-exporter)],
	    "the $time time: it says where all of it is" or diag $said;
	my ($site) = $said =~ /runs on (\S+)/;
	is(HTTP::Tiny->new->get($site)->{status}, 200, 'the site is there');
	unlike $at{alertmanager}, qr/:9093/, 'not where another program is'
	    if $taken;
	for my $name (sort keys %at) {
		is(HTTP::Tiny->new->get("$at{$name}metrics")->{status}, 200,
		    "$name answers");
	}
	ok await(20, sub {
		HTTP::Tiny->new->get("$at{prometheus}api/v1/query?query="
		    . 'count(up==1)')->{content} =~ /,"6"\]/;
	}), 'and Prometheus has them all';
	kill 'INT', $running;
	waitpid $running, 0;
	is $?, 0, 'Ctrl-C ends it well';
	undef $running;
	is_deeply [map { slurp("/proc/$_/cmdline") } processes()], [],
	    'nothing is left';
}
ok -d "$dir/var/monitoring/prometheus/wal", 'but what it knows';
cmp_ok -s "$dir/var/monitoring/prometheus.yml", '>', 0,
    'and how it was set up';

# Without it there is nothing of it.
delete $ENV{SEOGA_MONITORING};
$ENV{SEOGA_PORT} = 0;
seoga_ok('start');
unlike seoga('status'), qr/prometheus|exporter/, 'else it does not run';
is_deeply [grep { slurp("/proc/$_/cmdline") =~ /prometheus/ } processes()],
    [], 'no process of it';
like seoga('stop'), qr/Stopped/, 'stopped';

done_testing();
