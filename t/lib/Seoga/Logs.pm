# Seoga::Logs -- what a site under test has logged, line by line and whole.
#
#	is_deeply [wrong_lines()], [], 'each line is as described';
package Seoga::Logs;

use strict;
use warnings;

use Exporter qw(import);
use Seoga::Test;

our @EXPORT = qw(wrong_lines logged_events all_logs await_edge);

my $top = $ENV{SEOGA_SRCDIR};
my %events;

# Lines that are not as doc/log.schema.json has them; without names of files,
# those of this site.
sub wrong_lines {
	my (@files) = @_;

	@files = (site_dir() . '/seoga.log',
	    glob(site_dir() . '/var/log/access.log*')) if !@files;
	# Debian's own python3, whatever else is in the PATH.
	open my $out, '-|', '/usr/bin/python3', '-B', "$top/t/lib/loglines.py",
	    "$top/doc/log.schema.json", @files or die "python3: $!\n";
	my @lines = <$out>;
	close $out or die "t/lib/loglines.py failed\n";
	chomp @lines;
	%events = map { /^(\S+) (\d+)$/ ? ($1, $2) : () } @lines;
	return grep { !/^\S+ \d+$/ } @lines;
}

# How many lines of each event the last wrong_lines() saw.
sub logged_events { return %events }

# Every byte that anybody wrote to a log: by file.
sub all_logs {
	return map { $_ => slurp($_) } site_dir() . '/seoga.log',
	    glob(site_dir() . '/var/log/*');
}

# Once nginx has written what it knows of the requests so far.
sub await_edge {
	my $id = http(get => '/static/none')->{headers}{'x-request-id'};

	return await(5, sub {
		grep { $_->{trace} eq $id } access_lines();
	});
}

1;
