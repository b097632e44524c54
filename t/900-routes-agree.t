#!/usr/bin/perl
# routes.conf, the sources, Makefile.am, the templates, the texts of programs
# and the tests agree on which programs there are.
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

my $routes = slurp("$top/nginx/routes.conf");
my @lines = grep { /^location/ } split /\n/, $routes;
my %routed;
for (@lines) {
	/\bset \$prog ([a-z0-9-]+);/ && $routed{$1}++;
}
my %source = map { basename($_, '.c') => slurp($_) } glob "$top/cgi-bin/*.c";
my $makefile = slurp("$top/Makefile.am") =~ s/\\\n/ /gr;
my @words = $makefile =~ /^cgi_PROGRAMS \+?= (.*)$/mg;
my %built = map { s{^cgi-bin/}{}r => 1 } map { split ' ' } @words;

cmp_ok scalar(keys %source), '>=', 16, 'there are programs';
is_deeply [sort keys %routed], [sort keys %source],
    'each has a route, and each route a program';
is_deeply [sort keys %built], [sort keys %source],
    'each is built, and nothing else';

# A route for people has a twin for programs, or says by its path that it is
# one of these.
is scalar(grep { m{^location\s+\S+\s+\^?/api/} && !/set \$api 1;/ } @lines),
    0, 'what is under /api/ answers in JSON';
is scalar(grep { !m{^location\s+\S+\s+\^?/(?:api|catalog|orders)/} &&
    /set \$api 1;/ } grep { !/include private\.conf;/ } @lines), 0,
    'and what the documents name so, or no reader reaches';
is scalar(grep { !/include run\.conf; \}/ } @lines), 0,
    'each line ends with run.conf';
my @regex = grep { /^location ~/ } @lines;
is scalar(grep { !/^location ~ \^\S+\$ / } @regex), 0,
    'patterns are anchored at both ends';

my @templates = map { basename($_, '.mustache') }
    glob "$top/templates/*.mustache";
my %uses;
for my $prog (sort keys %source) {
	my $text = $source{$prog};
	my @names = $text =~ /^\t\.name = "([^"]+)",$/mg;

	is_deeply \@names, [$prog], "$prog: says its own name";
	like $text, qr{^/\*\s.*?\S}, "$prog: begins with a sentence";
	like $text, qr/^main\(void\)\n\{\n\treturn route_run\(&\w+\);\n\}/m,
	    "$prog: is a route and no more";
	cmp_ok scalar(() = $text =~ /\n/g), '<', 300, "$prog: is short";
	$uses{$_}++ for $text =~ /page_send(?:_svg)?\([^"]*"([\w.-]+)"/g;
}
delete $uses{error};
is_deeply [sort keys %uses], [grep { $_ ne 'error' } sort @templates],
    'each page has a template, and each template a page';

# A test asks for each route: with its path in a call, or, for the API, because
# t/440-api.t calls every operation of the OpenAPI file.
my $tests = join "\n", map { slurp($_) } grep {
	open my $in, '<', $_ or die; read $in, my $two, 2; $two eq '#!'
} grep { basename($_) ne basename(__FILE__) } glob("$top/t/*.t");
my ($described) = -e "$top/doc/openapi.yaml" ?
    slurp("$top/doc/openapi.yaml") =~ /^paths:\n(.*?)^\w/ms : '';
my %operation = map { $_ => 1 } $described =~ m{^  "?(/[^":]+)"?:}mg;
for (@lines) {
	my ($kind, $path) = /^location\s+(\S+)\s+(\S+)/;

	for my $asked (paths_of($kind, $path)) {
		(my $as_described = $asked) =~ s/<id>/{id}/;
		my $pattern = join '(?:\d|\$|["\'] \.|@\{)',
		    map { quotemeta } split /<id>/, $asked;
		ok $operation{$as_described} ||
		    $tests =~ /['"\s({]$pattern(?![\w-])/,
		    "a test asks for $asked";
	}
}

# What the location stands for, with <id> where a number is.
sub paths_of {
	my ($kind, $path) = @_;

	return $path if $kind eq '=';
	$path =~ s/^\^|\$$|\\(?=\.)//g;
	$path =~ s/\(\?<id>[^)]*\)/<id>/;
	return $path if $path !~ m{\(\?:(\w+/)\)\?};
	return ($path =~ s{\(\?:(\w+/)\)\?}{}r,
	    $path =~ s{\(\?:(\w+/)\)\?}{$1}r);
}

# The worker counts are said once for a program.
my %said;
for (@lines) {
	my ($prog) = /set \$prog ([a-z0-9-]+);/;
	$said{$prog}++ if /#.*\bworkers=\d+/;
}
is_deeply [grep { ($said{$_} // 0) != 1 } sort keys %routed], [],
    'workers are said once for each';

done_testing();
