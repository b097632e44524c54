#!/usr/bin/perl
# A site with all its monitoring: the exporters deliver; then MariaDB is
# stopped and workers are killed, and Prometheus, Alertmanager, the log, a mail
# server and a webhook hear of it, and that it is over.
use strict;
use warnings;
use utf8;

use Encode qw(decode);
use File::Temp ();
use HTTP::Tiny;
use JSON::PP qw(decode_json);
use MIME::QuotedPrint qw(decode_qp);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

my $top = $ENV{SEOGA_SRCDIR} // '.';
for my $program (qw(prometheus prometheus-alertmanager prometheus-node-exporter
    prometheus-nginx-exporter prometheus-redis-exporter
    prometheus-mysqld-exporter)) {
	plan skip_all => "$program is not installed; ./bootstrap check does so"
	    if !-x "/usr/bin/$program";
}

# --- who gets the alerts ---

my $heard = File::Temp->newdir('seoga-h-XXXXXX', DIR => '/tmp');
my $receivers = fork() // die "fork: $!\n";
if (!$receivers) {
	exec 'python3', '-B', "$top/t/lib/receivers.py", "$heard" or die;
}
my $main = $$;
END {
	if ($receivers && $$ == $main) {
		local $?;
		kill 'TERM', $receivers;
		waitpid $receivers, 0;
	}
}
ok await(10, sub { -e "$heard/ports" }), 'a mail server and a webhook';
my ($smtp, $hook) = split ' ', slurp("$heard/ports");

# --- the site ---

my $begin = time;
site_start(db_hosts => '', monitoring => 'on', prometheus_port => 0,
    alertmanager_port => 0, node_exporter_port => 0,
    nginx_exporter_port => 0, redis_exporter_port => 0,
    mysqld_exporter_port => 0, scrape_s => 1, history_step_s => 1,
    alert_wait_s => 0,
    alert_interval_s => 1, alert_smtp => "127.0.0.1:$smtp",
    alert_smtp_tls => 'off', alert_to => 'ops@example.org',
    alert_from => 'seoga@example.org',
    alert_webhook => "http://127.0.0.1:$hook/");
diag sprintf 'up in %.1f s', time - $begin;

my $status = seoga('status');
my %at = $status =~ m{^(\S+) +pid \d+ +(http://127\.0\.0\.1:\d+/)$}mg;
my %monitor = $status =~ m{^(\S+) +pid (\d+) +http://}mg;
is_deeply [sort keys %at], [qw(alertmanager mysqld-exporter nginx-exporter
    node-exporter prometheus redis-exporter)], 'all of it runs';

sub json_of {
	my ($url) = @_;
	my $answer = HTTP::Tiny->new(timeout => 5)->get($url);

	return $answer->{success} ? decode_json($answer->{content}) : undef;
}

# The values of a question, by the rest of their labels.
sub query {
	my ($promql) = @_;
	my $data = json_of("$at{prometheus}api/v1/query?query="
	    . HTTP::Tiny->_uri_escape($promql)) // return;

	return map { 0 + $_->{value}[1] } @{$data->{data}{result}};
}

sub says {
	my ($seconds, $promql, $value) = @_;

	return await($seconds, sub {
		my @values = query($promql);
		@values == 1 && $values[0] == $value;
	});
}

ok says(15, 'count(up == 1)', 6), 'all six targets are up'
    or diag explain json_of("$at{prometheus}api/v1/targets");
ok says(10, "$_", 1), "$_ is 1"
    for qw(mysql_up redis_up nginx_up seoga_build_info);
ok says(10, 'mysql_global_status_threads_connected > bool 3', 1),
    'the exporter of MariaDB may see its figures';
ok says(10, 'redis_connected_clients > bool 3', 1), 'that of Redis';
ok says(10, 'nginx_connections_accepted > bool 0', 1), 'that of nginx';
ok says(10, 'node_memory_MemTotal_bytes > bool 1e6', 1), 'that of the host';
my ($loaded) = grep { $_ } map { scalar @{$_->{data}{groups}} }
    json_of("$at{prometheus}api/v1/rules");
is $loaded, 5, 'all groups of rules are loaded';
is own_sql("SELECT COUNT(*) FROM information_schema.table_privileges
    WHERE grantee LIKE '%seoga_monitor%'") + 0, 0,
    'who watches MariaDB sees no table';

# --- it breaks ---

sub alert_of {
	my ($name) = @_;
	my $data = json_of("$at{prometheus}api/v1/alerts") // return;

	return (grep { $_->{labels}{alertname} eq $name }
	    @{$data->{data}{alerts}})[0];
}

sub firing {
	my ($name) = @_;
	my $alert = alert_of($name);

	return $alert && $alert->{state} eq 'firing' ? $alert : undef;
}

sub at_alertmanager {
	my ($name) = @_;

	return (grep { $_->{labels}{alertname} eq $name }
	    @{json_of("$at{alertmanager}api/v2/alerts") // []})[0];
}

sub in_log {
	my ($event, $name) = @_;

	return (grep { $_->{ev} eq $event && $_->{alert} eq $name }
	    log_lines())[0];
}

sub mail {
	my ($pattern) = @_;

	return (grep { $_ =~ $pattern } map { decode('UTF-8', $_) }
	    map { my ($head, $body) = split /\r\n\r\n/, $_, 2;
		$head . decode_qp($body) }
	    map { slurp($_) } glob "$heard/mail.[0-9]*")[0];
}

sub hooked {
	my ($status, $name) = @_;

	return (grep { $_->{status} eq $status &&
	    $_->{groupLabels}{alertname} eq $name }
	    map { decode_json(slurp($_)) } glob "$heard/hook.*[0-9]")[0];
}

expect_error(qr/db\.|mariadb|MariaDB|redis|breaker|50[0234]/);
is alert_of('MariaDBDown'), undef, 'no alert of MariaDB before';
$begin = time;
backend_stop('mariadb');
ok says(10, 'mysql_up', 0), 'MariaDB is seen to be away';
is await(5, sub { alert_of('MariaDBDown') })->{state}, 'pending',
    'and watched';
http(get => '/books?q=x') for 1 .. 12;	# opens the breaker

# Meanwhile a program crashes again and again.
for (1 .. 3) {
	my ($pid) = await(10, sub { (pids('cover'))[0] });
	kill 'KILL', $pid;
	await(5, sub { gone($pid) });
	sleep 2;
}
my $loop = await(30, sub { firing('WorkerCrashLoop') });
ok $loop, 'a crash loop fires';
is $loop->{labels}{route}, 'cover', 'and names the program';

my $alert = await(50, sub { firing('MariaDBDown') });
ok $alert, sprintf 'MariaDBDown fires (after %.0f s)', time - $begin;
is $alert->{labels}{severity}, 'critical', 'it is critical';
is $alert->{annotations}{summary_ko}, 'MariaDB가 응답하지 않습니다',
    'in Korean, too';
my ($runbook) = $alert->{annotations}{runbook_url} =~
    m{^http://localhost:\d+(/runbook/\w+)$};
is http(get => $runbook)->{status}, 200, 'its runbook is there, without MariaDB';

ok await(10, sub { at_alertmanager('MariaDBDown') }), 'Alertmanager has it';
my $line = await(10, sub { in_log('alert.firing', 'MariaDBDown') });
ok $line, 'the log has it';
is $line->{summary}, 'MariaDB is away', 'with what it says';
ok await(10, sub { in_log('alert.firing', 'WorkerCrashLoop') }),
    'and the crash loop';
my $mail = await(10, sub { mail(qr/FIRING.*MariaDBDown/) });
ok $mail, 'the mail server has it';
like $mail, qr/^To: ops\@example\.org\r?$/m, 'for whom';
like $mail, qr/MariaDB is away\r?\nMariaDB가 응답하지 않습니다\r?\n/,
    'in both languages';
like $mail, qr{Runbook +http://localhost:\d+/runbook/MariaDBDown}, 'a link';
my $hooked = await(10, sub { hooked('firing', 'MariaDBDown') });
ok $hooked, 'the webhook has it';
is $hooked->{alerts}[0]{labels}{seoga}, url() =~ s{/\z}{}r, 'and of which site';
ok await(40, sub { firing('BreakerOpen') }), 'the breaker is told of';
ok await(10, sub {
	my $breaker = at_alertmanager('BreakerOpen');
	$breaker && $breaker->{status}{state} eq 'suppressed';
}), 'but muted: what is critical says enough';
is in_log('alert.firing', 'BreakerOpen'), undef, 'nobody hears of it';

# --- and is mended ---

my $mended = time;
backend_start('mariadb');
ok await(40, sub {
	http(get => '/books?q=x');	# closes the breaker
	!alert_of('MariaDBDown');
}), 'the alert is over';
ok await(20, sub { in_log('alert.resolved', 'MariaDBDown') }),
    sprintf 'says the log (after %.0f s)', time - $mended;
ok await(10, sub { mail(qr/RESOLVED.*MariaDBDown/) }), 'the mail server';
ok await(10, sub { hooked('resolved', 'MariaDBDown') }), 'and the webhook';
ok await(20, sub { !alert_of('BreakerOpen') }), 'the breaker is closed, too';
diag sprintf 'broken and mended in %.0f s', time - $begin;

# --- commands ---

seoga_ok($_) for qw(reopen restart reload);
my %still = seoga('status') =~ m{^(\S+) +pid (\d+) +http://}mg;
is_deeply \%still, \%monitor,
    'reopen, restart and reload leave the monitoring alone';
{
	local $ENV{SEOGA_ALERT_TO} = 'others@example.org';
	like seoga('reload'), qr/SEOGA_ALERT_TO is read when the site starts/,
	    'a setting of it that comes too late is refused';
}
{
	local $ENV{SEOGA_PRIVATE_PORT} = 1 + (private_url() =~ /:(\d+)/)[0];
	like seoga('reload'), qr/SEOGA_PRIVATE_PORT is read when the site/,
	    'nor does the private side move away from it';
}
backend_stop('mariadb');
site_stop();
is_deeply [grep { !gone($_) } values %monitor], [], 'it stops with the site';

done_testing();
