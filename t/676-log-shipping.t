#!/usr/bin/perl
# monitoring/logs/: what Promtail, Fluent Bit, Loki and the journal are told is
# true of the lines that a site writes.  None of these is in Debian 12 but the
# journal, so their files are read here as they would be.
use strict;
use warnings;

use Test::More;

use Seoga::Logs;
use Seoga::Reader;
use Seoga::Test;

site_start();
my $top = $ENV{SEOGA_SRCDIR};
my $reader = Seoga::Reader->new;

$reader->login($reader->register, password => 'wrong');
$reader->get($_) for '/books', '/none', '/cart', '/login';
ok await_edge(), 'nginx has written its lines';
site_stop();
my @logs = (site_dir() . '/seoga.log', site_dir() . '/var/log/access.log');

open my $out, '-|', '/usr/bin/python3', '-B', "$top/t/lib/shipping.py", $top,
    @logs or die "python3: $!\n";
my $said = do { local $/; <$out> };
ok close $out, 'the files are understood';
is $said, "\n", 'and true';

SKIP: {
	my ($analyze) = grep { -x } '/usr/bin/systemd-analyze';

	skip 'systemd-analyze is not installed', 1 if !$analyze;
	my $text = `$analyze verify $top/monitoring/logs/seoga-journal.service 2>&1`;
	unlike $text, qr/seoga-journal.*(?:Unknown|Invalid|Failed to parse)/,
	    'systemd knows what the unit says';
}

done_testing;
