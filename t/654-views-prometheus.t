#!/usr/bin/perl
# Every question of the six views, asked of a real Prometheus that reads a real
# site: each is understood, each figure it names is there, and where page and
# Prometheus tell the same, they say the same.
use strict;
use warnings;
use utf8;

use HTTP::Tiny;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Reader;
use Seoga::Test;

for my $program (qw(prometheus prometheus-alertmanager prometheus-node-exporter
    prometheus-nginx-exporter prometheus-redis-exporter
    prometheus-mysqld-exporter)) {
	plan skip_all => "$program is not installed; ./bootstrap check does so"
	    if !-x "/usr/bin/$program";
}

site_start(db_hosts => '', monitoring => 'on', prometheus_port => 0,
    alertmanager_port => 0, node_exporter_port => 0,
    nginx_exporter_port => 0, redis_exporter_port => 0,
    mysqld_exporter_port => 0, scrape_s => 1, history_step_s => 1);
seoga_ok('migrate', '--sample');
my ($prometheus) = seoga('status') =~
    m{^prometheus +pid \d+ +(http://127\.0\.0\.1:\d+/)$}m;
ok $prometheus, 'Prometheus runs' or BAIL_OUT('no Prometheus');

# {status, value of the first or undef}
sub query {
	my ($promql) = @_;
	my $answer = HTTP::Tiny->new(timeout => 10)->post_form(
	    "${prometheus}api/v1/query", { query => $promql });
	my $data = eval { decode_json($answer->{content}) } // {};
	my ($first) = @{$data->{data}{result} // []};

	return { status => $data->{status} // $answer->{content},
		value => $first ? $first->{value}[1] : undef };
}

my $reader = Seoga::Reader->new;
$reader->register;
my $name = $reader->register;
own_sql("UPDATE users SET role = 'admin' WHERE username = '$name'");
$reader->login($name);
my ($book) = split ' ', own_sql('SELECT id FROM books
    WHERE stock_quantity > 5 ORDER BY id LIMIT 1');
$reader->add($book, 1);
for (1 .. 10) {
	http(get => "/$_") for 'books', 'books?q=zzzz', "books/$book", '.env';
	http(post => '/api/users/login', { headers => {
	    'Content-Type' => 'application/json' },
	    content => '{"username":"nobody","password":"no"}' });
}
ok await(30, sub { (query('count(up == 1)')->{value} // 0) == 6 }),
    'all is read';
ok await(30, sub {
	(query('sum(increase(seoga_edge_requests_total[1h]))')->{value} // 0)
	    > 0
}), 'twice';

my $rules = seoga('dashboards', '--rules');
my @exprs = $rules =~ /expr: >-\n +(.*)$/mg;
my @refused = grep { query($_)->{status} ne 'success' } @exprs;
is_deeply \@refused, [], scalar(@exprs) . ' questions are understood';

my %names;
for my $expr (@exprs) {
	my $bare = $expr =~ s/'[^']*'//gr;
	$names{$_}++ for $bare =~ /\b((?:seoga|mysql|redis)_\w+)/g;
}
my @missing = grep { !defined query("count($_)")->{value} } sort keys %names;
is_deeply \@missing, [], scalar(keys %names) . ' figures are there';

# Labels, too: what is asked for by a label that nobody gives has no answer.
# Statuses have none before the first answer of their kind, and rates none
# before it was read twice.
my @silent = grep { !/5xx|'5\.\.|code='(?:400|403|429)'/ } @exprs;
await(30, sub { !(@silent = grep { !defined query($_)->{value} } @silent) });
is_deeply \@silent, [], 'and each question has an answer';

# A tile of a page.
sub tile {
	my ($view, $id, $label) = @_;
	my ($section) = $reader->get("/status/$view")->html =~
	    m{<section id="\Q$id\E"(.*?)</section>}s;

	return ($section =~ m{<dt>\Q$label\E</dt> <dd>([\d,]+)})[0] =~
	    s/,//gr;
}

for my $same (['application', 'app-now', 'Workers', 'sum(seoga_workers)'],
    ['business', 'biz-stock', 'Books', 'max(seoga_books)'],
    ['business', 'biz-stock', 'Members', 'max(seoga_users)'],
    ['redis', 'redis-server', 'Events in the queue',
	'max(seoga_queue_length)']) {
	my ($view, $id, $label, $promql) = @$same;
	my ($page, $told);

	ok await(20, sub {
		$page = tile($view, $id, $label);
		$told = query($promql)->{value};
		defined $told && $page eq $told
	}), "$view: $label" or diag "$page here, $told there";
}

site_stop();
done_testing();
