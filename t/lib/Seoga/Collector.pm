# Seoga::Collector -- a collector of spans beside a site under test, and what
# it was sent.
#
#	collector_start();
#	collector_mode('429 3');
#	export_once();		# what is old enough by now
#	my %span = collected();
package Seoga::Collector;

use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Seoga::Test;

our @EXPORT = qw(collector_start collector_stop collector_mode collector_port
    posts collected export_once export_start export_stop);

my $top = $ENV{SEOGA_SRCDIR};
my ($dir, $pid, $exporter);
my $main = $$;

END {
	if ($$ == $main) {
		my $status = $?;
		export_stop();
		collector_stop();
		$? = $status;
	}
}

sub _spawn {
	my (@command) = @_;
	my $child = fork() // die "fork: $!\n";

	return $child if $child;
	open STDOUT, '>>', "$dir/said";
	open STDERR, '>&', \*STDOUT;
	exec(@command) or POSIX::_exit(127);
}

sub collector_start {
	$dir //= File::Temp->newdir('seoga-c-XXXXXX', DIR => '/tmp');
	unlink "$dir/port";
	collector_mode('ok');
	$pid = _spawn('/usr/bin/python3', '-B',
	    "$top/t/lib/otlp-collector.py", "$dir");
	await(10, sub { -e "$dir/port" }) or die "the collector does not run\n";
	$ENV{SEOGA_OTLP_ENDPOINT} = 'http://127.0.0.1:' . slurp("$dir/port");
}

sub collector_stop {
	return if !$pid;
	kill TERM => $pid;
	waitpid $pid, 0;
	undef $pid;
}

sub collector_mode { spew("$dir/mode", "$_[0]\n") }

# Every request that it got.
sub posts {
	return map { JSON::PP::decode_json($_) } split /\n/,
	    slurp("$dir/requests");
}

# Spans that it has taken, by trace and span: how often, and what.
sub collected {
	my %span;

	for my $post (grep { $_->{status} == 200 } posts()) {
		push @{$span{"$_->{traceId} $_->{spanId}"}}, $_
		    for @{$post->{spans}};
	}
	return %span;
}

sub export_once { return seoga('otlp', '--once') }

sub export_start {
	$exporter = _spawn("$top/bin/seoga", 'otlp');
}

sub export_stop {
	my ($signal) = @_;

	return if !$exporter;
	kill $signal // 'TERM', $exporter;
	waitpid $exporter, 0;
	undef $exporter;
}

1;
