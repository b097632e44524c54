#!/usr/bin/perl
# One list of panels: the dashboards for Grafana are what `seoga dashboards`
# makes of it, each page has the same panels in the same order, and every
# PromQL is right and asks for figures that there are.
use strict;
use warnings;
use utf8;

use File::Temp ();
use HTML::Entities qw(decode_entities);
use JSON::PP qw(decode_json);
use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

my $top = $ENV{SEOGA_SRCDIR};
my @views = qw(application api database redis business attack);

sub bytes {
	my ($path) = @_;

	open my $in, '<:raw', $path or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

site_start(history_step_s => 1);
seoga_ok('migrate');

my $made = File::Temp->newdir('seoga-d-XXXXXX', DIR => '/tmp');
seoga_ok('dashboards', "$made");
my (%dashboard, %ids, %uids);
for my $view (@views) {
	my $file = "seoga-$view.json";

	is bytes("$made/$file"), bytes("$top/monitoring/grafana/$file"),
	    "$file is what the list gives";
	$dashboard{$view} = decode_json(bytes("$made/$file"));
}
is scalar(() = glob "$made/*"), scalar(@views), 'and no more';
is scalar(() = glob "$top/monitoring/grafana/*.json"), scalar(@views),
    'six are kept';

# --- for Grafana ---

my %types = map { $_ => 1 } qw(stat timeseries table text);
my %units = map { $_ => 1 }
    qw(short reqps s bytes percentunit currencyKRW none);

# No two panels may overlap, and none may stand out of the grid.
sub places_ok {
	my ($view, @panels) = @_;
	my (%taken, @wrong);

	for my $panel (@panels) {
		my ($x, $y, $w, $h) = @{$panel->{gridPos}}{qw(x y w h)};
		push @wrong, "$panel->{title}: out of the grid"
		    if $x < 0 || $w < 1 || $x + $w > 24 || $h < 1;
		for my $i ($x .. $x + $w - 1) {
			push @wrong, "$panel->{title}: on another"
			    if grep { $taken{"$i,$_"}++ } $y .. $y + $h - 1;
		}
	}
	is_deeply \@wrong, [], "$view: places";
}

sub panel_ok {
	my ($view, $panel) = @_;
	my $name = "$view: $panel->{title}";
	my $source = { type => 'prometheus', uid => '${DS_PROMETHEUS}' };

	ok $types{$panel->{type}}, "$name: a kind that Grafana has";
	like $panel->{links}[0]{url},
	    qr{^\$\{site\}/status/$view#[a-z-]+$}, "$name: its page";
	if ($panel->{type} eq 'text') {
		like $panel->{options}{content}, qr/\]\(\$\{site\}/,
		    "$name: leads there";
		return;
	}
	is_deeply $panel->{datasource}, $source, "$name: its source";
	ok $units{$panel->{fieldConfig}{defaults}{unit}}, "$name: its unit";
	my @refs = map { $_->{refId} } @{$panel->{targets}};
	is_deeply \@refs, [('A' .. 'Z')[0 .. $#refs]], "$name: questions";
	is_deeply [grep { !$_->{expr} || !$_->{legendFormat} ||
	    $_->{datasource}{uid} ne $source->{uid} } @{$panel->{targets}}],
	    [], "$name: each is one";
}

for my $view (@views) {
	my $d = $dashboard{$view};

	is $d->{uid}, "seoga-$view", "$view: its uid";
	ok !$uids{$d->{uid}}++, "$view: is its own";
	like $d->{title}, qr/^Seoga: ./, "$view: a title";
	is $d->{id}, undef, "$view: Grafana gives the number";
	is $d->{schemaVersion}, 38, "$view: of Grafana 9 and 10";
	is $d->{refresh}, '30s', "$view: comes again";
	is $d->{time}{from}, 'now-1h', "$view: an hour";
	my %variable = map { $_->{name} => $_ } @{$d->{templating}{list}};
	is $variable{DS_PROMETHEUS}{type}, 'datasource', "$view: a source";
	is !!$variable{route}, $view eq 'api', "$view: a route to choose";
	my %number;
	$number{$_->{id}}++ for @{$d->{panels}};
	is_deeply [grep { $number{$_} > 1 } keys %number], [],
	    "$view: each panel has a number of its own";
	places_ok($view, @{$d->{panels}});
	panel_ok($view, $_) for @{$d->{panels}};
	for my $panel (@{$d->{panels}}) {
		my ($id) = $panel->{links}[0]{url} =~ /#(.*)/;
		ok !$ids{$id}++, "$id: once in all";
	}
	my @uses = grep { /\$route/ } map { map { $_->{expr} }
	    @{$_->{targets} // []} } @{$d->{panels}};
	is @uses > 0, $view eq 'api', "$view: the route is used where it is";
}

for my $kind (qw(datasources dashboards)) {
	my $text = bytes("$top/monitoring/grafana/provisioning/$kind/"
	    . 'seoga.yaml');
	like $text, qr/^apiVersion: 1$/m, "$kind: provisioning";
}

# --- the pages ---

my $admin = staff('admin');

# A table without rows has no heads either.
ok await(20, sub {
	$admin->get('/status/api')->html =~ m{<th scope="row">login</th>}
}), 'the sign-in is counted';
for my $view (@views) {
	my @grafana = map {
		my ($id) = $_->{links}[0]{url} =~ /#(.*)/;
		[$id, $_->{title}]
	} @{$dashboard{$view}{panels}};
	my @page;

	$admin->get("/status/$view");
	my $html = $admin->html;
	while ($html =~ m{<section id="([^"]+)"[^>]*>(.*?)</section>}gs) {
		my ($id, $inner) = ($1, $2);
		my ($title) = $inner =~
		    m{<(?:h2|figcaption)[^>]*>(.*?)</(?:h2|figcaption)>}s;
		push @page, [$id, decode_entities($title)];
		labels_ok($view, $id, $inner);
	}
	is_deeply \@page, \@grafana, "$view: the same panels, in order";
}

# What Grafana's legends and columns say, the page does, too.
sub labels_ok {
	my ($view, $id, $inner) = @_;
	my ($panel) = grep { $_->{links}[0]{url} =~ /#\Q$id\E$/ }
	    @{$dashboard{$view}{panels}};
	my $text = decode_entities($inner);
	my @lost = grep { index($text, ">$_<") < 0 && index($text, $_) < 0 }
	    map { $_->{legendFormat} } @{$panel->{targets} // []};

	is_deeply \@lost, [], "$view, $id: the same figures";
}

# --- PromQL ---

my $rules = seoga('dashboards', '--rules');
my @exprs = $rules =~ /expr: >-\n +(.*)$/mg;
cmp_ok scalar(@exprs), '>=', 80, scalar(@exprs) . ' questions';
my @asked = map { map { $_->{expr} } map { @{$_->{targets} // []} }
    @{$dashboard{$_}{panels}} } @views;
is_deeply [sort @exprs], [sort map { s/\$route/.*/gr } @asked],
    'the rules have each, and nothing else';

# The names of /metrics, and those of exporters that are Debian's.
my $metrics = private(get => '/metrics')->{content};
my %known = map { $_ => 1 } $metrics =~ /^# TYPE (\S+)/mg;
$known{"${_}_bucket"} = $known{"${_}_count"} = $known{"${_}_sum"} = 1
    for $metrics =~ /^# TYPE (\S+) histogram/mg;
cmp_ok scalar(keys %known), '>=', 40, 'figures of Seoga';
my %unknown;
for my $expr (@exprs) {
	my $bare = $expr =~ s/'[^']*'//gr;
	for my $name ($bare =~ /\b(seoga_\w+)/g) {
		$unknown{$name}++ if !$known{$name};
	}
}
is_deeply \%unknown, {}, 'each that is asked for is told';
unlike $rules, qr/by \((?!le\b|route\b)/, 'sums by known labels alone';

SKIP: {
	skip 'promtool is not installed', 2 if !-x '/usr/bin/promtool';
	spew("$made/rules.yml", $rules);
	my $said = qx{/usr/bin/promtool check rules $made/rules.yml 2>&1};
	is $?, 0, 'promtool finds nothing wrong' or diag $said;
	like $said, qr/SUCCESS: @{[scalar @exprs]} rules found/, 'in any';
}

is seoga('dashboards') =~ /usage: seoga dashboards FOLDER/, 1, 'usage';
isnt $?, 0, 'is a mistake';
seoga('dashboards', "$made/nothing");
isnt $?, 0, 'so is a folder that is not there';

site_stop();
done_testing();
