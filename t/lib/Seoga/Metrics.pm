# Seoga::Metrics -- reads Prometheus's text format and OpenMetrics strictly.
#
#	my $m = metrics_parse($text);		# or ($text, 'open')
#	$m->{mistakes}			# [] when all is as the formats say
#	$m->{value}{'seoga_users{}'}	# by name and labels, sorted by name
#	$m->{type}{seoga_users}		# of the family
package Seoga::Metrics;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(metrics_parse metric_of);

my $name = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $number = qr/[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN/;
my %endings = (
	counter => ['_total', '_created'], gauge => [''], info => ['_info'],
	histogram => ['_bucket', '_sum', '_count', '_created'],
);

sub metrics_parse {
	my ($text, $open) = @_;
	my %m = (mistakes => [], value => {}, type => {}, help => {},
	    unit => {}, open => $open);

	_wrong(\%m, 'the last line has no end') if $text !~ /\n\z/;
	if ($open) {
		_wrong(\%m, 'no # EOF at the end') if $text !~ s/^# EOF\n\z//m;
		_wrong(\%m, 'an empty line') if $text =~ /^$/m;
	}
	_line(\%m, $_) for split /\n/, $text;
	_family_ends(\%m);
	_complete(\%m);
	return \%m;
}

# The value of a series, its labels in any order; undef when there is none.
sub metric_of {
	my ($m, $series, %labels) = @_;

	return $m->{value}{_key($series, \%labels)};
}

sub _wrong {
	my ($m, $text) = @_;

	push @{$m->{mistakes}}, $text;
}

sub _key {
	my ($series, $labels) = @_;

	return "$series\{" . join(',', map { "$_=\"$labels->{$_}\"" }
	    sort keys %$labels) . '}';
}

sub _line {
	my ($m, $line) = @_;

	if ($line =~ /^# (HELP|TYPE|UNIT) ($name) (.*)$/) {
		_about($m, lc $1, $2, $3);
	} elsif ($line =~ /^#/) {
		_wrong($m, "no such comment: $line");
	} elsif ($line =~ /^($name)(?:\{(.*)\})? ($number)$/) {
		my ($series, $labels, $value) = ($1, $2, $3);

		_sample($m, $series, _labels($m, $labels), $value);
	} else {
		_wrong($m, "what is this: $line");
	}
}

# What is said of a family comes before its samples, and once.
sub _about {
	my ($m, $what, $family, $text) = @_;

	if (($m->{family} // '') ne $family) {
		_family_ends($m);
		_wrong($m, "$family comes twice") if $m->{seen}{$family}++;
		$m->{family} = $family;
	}
	_wrong($m, "$family: $what after samples") if $m->{samples};
	_wrong($m, "$family: $what twice") if exists $m->{$what}{$family};
	_wrong($m, "$family: an odd escape in $text")
	    if $what eq 'help' && $text =~ /\\(?![\\n"])/;
	_wrong($m, "$family: the name does not end in its unit")
	    if $what eq 'unit' && $family !~ /_\Q$text\E$/;
	$m->{$what}{$family} = $text;
}

sub _labels {
	my ($m, $text) = @_;
	my %labels;

	$text //= '';
	while ($text =~ s/^([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(,|$)//) {
		_wrong($m, "label $1 twice") if exists $labels{$1};
		$labels{$1} = $2;
		_wrong($m, 'a comma too many') if $3 && $text eq '';
	}
	_wrong($m, "what labels are these: $text") if $text ne '';
	return \%labels;
}

sub _sample {
	my ($m, $series, $labels, $value) = @_;
	my $family = $m->{family} // '';
	my $type = $m->{type}{$family} // '';
	my $key = _key($series, $labels);
	my @endings = @{$endings{$type} // []};

	# In the text format a counter's family has its ending, too.
	@endings = ('') if $type eq 'counter' && !$m->{open};
	$m->{samples}++;
	_wrong($m, "$series is not of the $type \"$family\"")
	    if !grep { $series eq "$family$_" } @endings;
	_wrong($m, "$key twice") if exists $m->{value}{$key};
	_wrong($m, "$key is $value") if $type =~ /^(?:counter|histogram)$/ &&
	    $value !~ /^\d/;
	_wrong($m, "$series: a counter ends in _total")
	    if ($type eq 'counter') != ($series =~ /_total$/);
	$m->{value}{$key} = $value;
	push @{$m->{buckets}}, [$labels, $value] if $series =~ /_bucket$/;
}

sub _family_ends {
	my ($m) = @_;

	_histogram($m) if $m->{buckets};
	delete @$m{qw(buckets samples)};
}

# For each set of labels: rising bounds, rising counts, the last is all.
sub _histogram {
	my ($m) = @_;
	my $family = $m->{family};
	my (%series, %labels);

	for (@{$m->{buckets}}) {
		my %rest = %{$_->[0]};
		my $le = delete $rest{le} // '';

		push @{$series{_key('', \%rest)}}, [$le, $_->[1]];
		$labels{_key('', \%rest)} = \%rest;
	}
	for my $key (sort keys %series) {
		my @at = @{$series{$key}};
		my $count = $m->{value}{_key("${family}_count", $labels{$key})};

		_wrong($m, "$family$key: no +Inf") if $at[-1][0] ne '+Inf';
		_wrong($m, "$family$key: +Inf is not the count")
		    if !defined $count || $count != $at[-1][1];
		_wrong($m, "$family$key: no sum") if !exists
		    $m->{value}{_key("${family}_sum", $labels{$key})};
		for my $i (1 .. $#at) {
			_wrong($m, "$family$key: bounds do not rise")
			    if $at[$i][0] ne '+Inf' &&
			    $at[$i][0] <= $at[$i - 1][0];
			_wrong($m, "$family$key: counts fall")
			    if $at[$i][1] < $at[$i - 1][1];
		}
	}
}

sub _complete {
	my ($m) = @_;

	for my $family (sort keys %{$m->{seen}}) {
		_wrong($m, "$family has no type") if !$m->{type}{$family};
		_wrong($m, "$family has no help") if !length
		    ($m->{help}{$family} // '');
	}
}

1;
