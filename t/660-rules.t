#!/usr/bin/perl
# Rules, alerts and the configurations, as promtool and amtool see them: each
# alert has a test that it fires, one that it does not just below, and a
# runbook.
use strict;
use warnings;

use File::Basename qw(basename);
use File::Temp ();
use Test::More;

use Seoga::Test;

my ($top, $build) = @ENV{qw(SEOGA_SRCDIR SEOGA_BUILD)};
plan skip_all => 'run through t/run' if !$top;
for my $tool (qw(promtool amtool prometheus prometheus-alertmanager)) {
	plan skip_all => "$tool is not installed" if !-x "/usr/bin/$tool";
}
my $monitoring = "$top/monitoring";

sub said {
	my (@command) = @_;

	open my $out, '-|', '/bin/sh', '-c', 'exec "$@" 2>&1', 'sh', @command
	    or die;
	local $/;
	my $text = <$out>;
	close $out;
	return $text;
}

# YAML as Perl's data, by way of JSON.
sub yaml {
	my ($file) = @_;

	return JSON::PP::decode_json(said('python3', '-c', <<~'END', $file));
		import json, sys, yaml
		print(json.dumps(yaml.safe_load(open(sys.argv[1]))))
		END
}

# --- the rules ---

my @rule_files = glob "$monitoring/rules/*.yml";
like said('promtool', 'check', 'rules', @rule_files), qr/SUCCESS: \d+ rules/,
    'the rules are rules';
is $?, 0, 'says promtool';
my @test_files = glob "$monitoring/tests/*.yml";
my $tested = said('promtool', 'test', 'rules', @test_files);
is $?, 0, 'all tests of promtool pass' or diag $tested;

my %alert = map { $_->{alert} => $_ } grep { $_->{alert} }
    map { @{$_->{rules}} } map { @{yaml($_)->{groups}} } @rule_files;
cmp_ok scalar(keys %alert), '>=', 20, 'there are alerts';
my (%fires, %silent, %over);
for my $test (map { @{yaml($_)->{tests}} } @test_files) {
	my $fired = '';

	for my $at (@{$test->{alert_rule_test}}) {
		my $name = $at->{alertname};
		if (@{$at->{exp_alerts}}) {
			$fires{$name}++;
			$fired = $name;
		} elsif ($fired eq $name) {
			$over{$name}++;
		} elsif (@{$test->{alert_rule_test}} == 1) {
			$silent{$name}++;
		}
	}
}
my @names = sort keys %alert;
is_deeply [grep { !$fires{$_} } @names], [], 'each is seen firing';
is_deeply [grep { !$over{$_} } @names], [], 'and each resolving';
is_deeply [grep { !$silent{$_} } @names], [], 'and none fires just below';

# --- what each alert says ---

for my $name (@names) {
	my ($labels, $says) = @{$alert{$name}}{qw(labels annotations)};

	like $labels->{severity}, qr/^(?:critical|warning)\z/,
	    "$name: severity";
	ok length($labels->{about} // ''), 'of what it tells';
	is_deeply [sort keys %$says], [qw(description runbook_url summary
		summary_ko)], 'all texts';
	like $says->{summary_ko}, qr/\p{Hangul}/, 'in Korean, too';
	is $says->{runbook_url},
	    "{{ \$externalLabels.seoga }}/runbook/$name", 'its runbook';
	like slurp("$top/doc/runbook/$name.md"),
	    qr/^# $name: .*\n\n\*\*\u$labels->{severity}\*\*: /,
	    'is there, and names its severity';
	my %severity = (critical => '긴급', warning => '주의');
	like slurp("$top/doc/runbook/ko/$name.md"),
	    qr/^# $name: .*\n\n\*\*$severity{$labels->{severity}}\*\*: /,
	    'in Korean, too';
}
is_deeply [map { basename($_, '.md') } glob "$top/doc/runbook/*.md"], \@names,
    'no runbook is left over';
is_deeply [map { basename($_, '.md') } glob "$top/doc/runbook/ko/*.md"],
    \@names, 'nor a Korean one';
for my $name (@names) {
	my @commands = map { my $text = slurp("$top/doc/runbook/$_$name.md");
		[map { s/ +#.*//r } $text =~ /^ {4,}(.*)$/mg] } '', 'ko/';
	is_deeply @commands, "$name: both say the same commands";
}
my %row = slurp("$top/doc/monitoring.md") =~
    m{^\| \[(\w+)\]\(runbook/\w+\.md\) \| (.*) \|$}mg;
is_deeply [sort keys %row], \@names, 'doc/monitoring.md has them all';

# Metrics that rules ask for are exposed, or of an exporter.
my %asked;
for (map { @{$_->{rules}} } map { @{yaml($_)->{groups}} } @rule_files) {
	$asked{$1}++ while $_->{expr} =~ /\b(seoga_\w+)/g;
}
my %told = slurp("$top/lib/expose.c") =~ /"(seoga_\w+)"()/g;
is_deeply [grep {
	my $name = $_ =~ s/_(?:total|bucket|sum|count)$//r;
	!exists $told{$_} && !exists $told{$name}
} sort keys %asked], [], 'what rules ask for is exposed';

# --- the configurations, as an instance has them ---

my $dir = File::Temp->newdir('seoga-r-XXXXXX', DIR => '/tmp');

sub configure {
	my (%setting) = @_;
	local %ENV = (%ENV, SEOGA_VAR => "$dir/var", SEOGA_MONITORING => 'on',
	    SEOGA_PRIVATE_PORT => 9180,
	    map { ("SEOGA_\U$_" => $setting{$_}) } keys %setting);

	return said('python3', '-B', '-c', <<~'END', "$top/control");
		import sys
		sys.path.insert(0, sys.argv[1])
		from monitoring import Monitoring
		from settings import Settings, Mistake
		settings = Settings()
		settings.make_folders()
		try:
		    for monitor in Monitoring(settings).monitors():
		        print(monitor.name, monitor.binary)
		except Mistake as mistake:
		    print("mistake:", mistake)
		END
}

sub tools_agree {
	my ($what) = @_;

	my $said = said('promtool', 'check', 'config',
	    "$dir/var/monitoring/prometheus.yml");
	is $?, 0, "$what: promtool agrees" or diag $said;
	$said = said('amtool', 'check-config',
	    "$dir/var/monitoring/alertmanager.yml");
	is $?, 0, "$what: amtool agrees" or diag $said;
}

sub receivers_of {
	my ($severity) = @_;
	my $said = said('amtool', 'config', 'routes', 'test',
	    "--config.file=$dir/var/monitoring/alertmanager.yml",
	    'alertname=A', "severity=$severity");

	return $said =~ s/^Warning: .*\n//mr =~ s/\s+\z//r;
}

my $monitors = configure();
is_deeply [$monitors =~ /^(\S+)/mg], [qw(prometheus alertmanager node-exporter
    nginx-exporter redis-exporter mysqld-exporter)], 'all that run';
is_deeply [grep { !/127\.0\.0\.1:\d+/ } $monitors =~
    /(?<=web\.listen-address=)(\S+)/g], [], 'on this host alone';
like $monitors, qr/retention\.size=512MB/, 'and keep so much';
tools_agree('as it comes');
my $alertmanager = "$dir/var/monitoring/alertmanager.yml";
unlike slurp($alertmanager), qr/email_configs/, 'no e-mail';
is scalar(() = slurp($alertmanager) =~ /webhook_configs/g), 1,
    'no webhook but the log';
is receivers_of($_), 'log,people', "$_: to the log and to people"
    for qw(critical warning);

spew("$dir/password", "sec\"ret\\\n");
configure(alert_smtp => 'mail.example.org:587', alert_to => 'a@example.org',
    alert_smtp_user => "it's", alert_smtp_password_file => "$dir/password",
    alert_webhook => 'https://example.org/hook?a=b&c="d"');
tools_agree('with all receivers');
my ($people) = grep { $_->{name} eq 'people' }
    @{yaml($alertmanager)->{receivers}};
is $people->{email_configs}[0]{$_->[0]}, $_->[1], "e-mail: $_->[0]"
    for ['smarthost', 'mail.example.org:587'], ['to', 'a@example.org'],
    ['auth_username', "it's"], ['auth_password', 'sec"ret\\'];
ok $people->{email_configs}[0]{require_tls}, 'under TLS';
is $people->{webhook_configs}[0]{url}, 'https://example.org/hook?a=b&c="d"',
    'the webhook';
is((stat $alertmanager)[2] & 0777, 0600, 'nobody else reads it');
configure(db_hosts => 'db.example.org:3307,other:3306', db_user => 'u',
    db_password => 'p', redis_hosts => 'redis.example.org:6379',
    redis_password => 'r');
tools_agree('with servers of one\'s own');
is slurp("$dir/var/monitoring/mysqld.cnf"), <<'END', 'their MariaDB';
[client]
host=db.example.org
port=3307
user=u
password=p
END
like slurp("$dir/var/monitoring/redis.json"),
    qr{\A\{"redis://redis\.example\.org:6379": "r"\}\z}, 'their Redis';

done_testing();
