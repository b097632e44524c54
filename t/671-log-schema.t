#!/usr/bin/perl
# doc/log.schema.json has each event of the sources, doc/log.md each event and
# key of the schema, and every line of a busy site is as they say.
use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Seoga::Logs;
use Seoga::Reader;
use Seoga::Shop;
use Seoga::Staff;
use Seoga::Test;

my $top = $ENV{SEOGA_SRCDIR} // '.';
my $schema = JSON::PP::decode_json(slurp("$top/doc/log.schema.json"));
my $page = slurp("$top/doc/log.md");

# --- sources, schema and page ---

# Events are words with a dot, told to log_event() or log_msg(): mostly there
# and then, or by way of a function of the same file.
my %by_way = (
	'bin/otlp.c' => [qw(otlp.later otlp.refused otlp.rejected otlp.lost)],
	'bin/statistics.c' => [qw(event.repeated event.counted)],
	'cgi-bin/alerts.c' => [qw(alert.firing alert.resolved)],
	'lib/aside.c' => [qw(cache.hit cache.early cache.miss)],
	'lib/breaker.c' => [qw(breaker.probe breaker.closed breaker.open)],
	'lib/pay.c' => [qw(pay.charge pay.refund)],
	'lib/user.c' => [qw(password.hash password.check)],
);
my @sources = map { s{^\Q$top\E/}{}r } glob("$top/{lib,bin,cgi-bin}/*.c");
my %in_sources = ('nginx.request' => 1);

for my $file (@sources) {
	my $text = slurp("$top/$file");
	my $calls = 0;

	while ($text =~ /\blog_(?:event|msg)\(([^;"]*)(?:"([^"]+)")?/g) {
		my ($before, $event) = ($1, $2);
		if ($before =~ /^enum log_level/) {
			next;
		} elsif (defined $event) {
			$in_sources{$event} = 1;
		} else {
			$calls++;
		}
	}
	next if $file eq 'lib/log.c';
	for my $event (@{$by_way{$file} // []}) {
		like $text, qr/"\Q$event\E"/, "$file has $event";
		$in_sources{$event} = 1;
	}
	ok !$calls || $by_way{$file},
	    "$file: which events these are is known to this test";
}

my @known = @{$schema->{properties}{ev}{enum}};
my %known = map { $_ => 1 } @known;
is_deeply [grep { !$known{$_} } sort keys %in_sources], [],
    'the schema has the events of the sources';
is_deeply [grep { !$in_sources{$_} } @known], [], 'and no others';
my (%keys_of, %key);
for my $rule (@{$schema->{allOf}}) {
	my $ev = $rule->{if}{properties}{ev};
	my $then = $rule->{then};

	$then = $schema->{'$defs'}{msg} if $then->{'$ref'};
	for my $event ($ev->{const} // @{$ev->{enum}}) {
		ok !$keys_of{$event}, "$event is described once";
		$keys_of{$event} = [sort keys %{$then->{properties}}];
		$key{$_} = 1 for @{$keys_of{$event}};
	}
}
is_deeply [sort keys %keys_of], [sort @known], 'all are described';

# Rows of tables: | `ev`, ... | when | keys |
my %on_page;
for (split /\n/, $page) {
	my ($names, $keys) = /^\| (`[a-z0-9]+\.[a-z_]+`[^|]*) \| [^|]+ \| ([^|]+) \|$/
	    or next;
	push @{$on_page{$_}}, $keys for $names =~ /`([a-z0-9]+\.[a-z_]+)`/g;
}
is_deeply [sort keys %on_page], [sort @known],
    'doc/log.md tells of the same events';
is_deeply [grep { @{$on_page{$_}} != 1 } sort keys %on_page], [], 'once';
for my $event (sort keys %keys_of) {
	my @told = sort(($on_page{$event} // [''])->[0] =~ /`([a-z_]+)`/g);
	my @has = @{$keys_of{$event}};

	# One row for both: a statement has more to say than a trip.
	@told = grep { $_ eq 'msg' } @told if $event eq 'redis.error';
	is_deeply \@told, \@has, "$event: the same keys";
}
for (qw(ts lvl trace prog pid ev at)) {
	ok $schema->{properties}{$_}, "the schema has $_";
	like $page, qr/^\| `$_` \|/m, 'and the page';
}

# --- a busy site ---

shop_start(workers => 1);
my $book = sql('SELECT MIN(id) FROM books WHERE stock_quantity > 5') + 0;

# Every page that there is, as a guest, a reader and an administrator.
my @paths = ('/', '/books', '/books?q=%EC%B1%85', "/books/$book",
    '/books/999999', '/api/books/books', "/api/books/books/$book",
    '/catalog/products', '/api/categories', '/search/suggest?q=a', '/cart',
    '/orders', '/account', '/account/sessions', '/checkout', '/login',
    '/register', '/admin', '/admin/books', '/admin/users', '/admin/audit',
    '/admin/stock', '/admin/categories', '/admin/orders', '/admin/queues',
    '/admin/sales', '/health', '/ready', '/api/ready', '/status', '/trace',
    '/static/seoga.css', '/none', '/books/%00', '/books?limit=x',
    '/api/books/books?limit=-1');
my $guest = Seoga::Reader->new;
my $admin = staff('admin');
my $reader = Seoga::Reader->new;
my $name = $reader->register;
$reader->login($name);
for my $path (@paths) {
	$_->get($path) for $guest, $reader, $admin;
}

subtest 'a reader' => sub {
	Seoga::Reader->new->login($name, password => 'wrong') for 1 .. 6;
	$reader->get("/books/$book")->submit('/cart/add', quantity => 2);
	like $reader->get('/cart')->text, qr/\S/, 'a cart';
	$reader->post('/cart/add', { id => $book });
	http(post => '/api/users/login', { content => '{"username":"x"',
	    headers => { 'Content-Type' => 'application/json' } });
	http(post => '/api/cart/cart/add', { content => '{}',
	    headers => { 'Content-Type' => 'application/json',
	    Authorization => 'Bearer nonsense' } });
	http(delete => '/books');
	http(get => '/books', { headers => { Cookie => 'a' x 7000 } });
	http(get => '/' . 'a' x 7000);
	pass 'and what goes wrong';
};

subtest 'orders' => sub {
	my ($buyer) = shop_buyers(1);
	my ($one, $two) = shop_books(2, 9);

	for my $card ('4242424242424242', '4000000000000002',
	    '4000000000000259') {
		my $order = place_order($buyer, "key-of-$card", [$one, 1],
		    [$two, 2]);
		is $order->{status}, 201, 'placed';
		my $number = $order->{json}{number} // $order->{json}{id};
		pay_order($buyer, $number, $card);
		set_status(shop_admin(), $number, $_)
		    for qw(shipped cancelled nonsense);
	}
};

subtest 'backends that are away' => sub {
	expect_error(qr/redis|mariadb|DOWN|503/i);
	my $pid = slurp(site_dir() . '/var/run/redis.pid') =~ s/\s//gr;
	SKIP: {
		skip 'no Redis of its own', 1 if !$pid;
		kill STOP => $pid;
		http(get => '/books') for 1 .. 3;
		http(get => '/cart') for 1 .. 8;
		kill CONT => $pid;
		ok await(20, sub {
			http(get => '/cart')->{status} < 500;
		}), 'Redis is back';
	}
};

subtest 'jobs' => sub {
	seoga_ok('restart');
	seoga_ok('reopen');
	seoga('import', '/dev/null');
	http(get => '/books');
	ok await(10, sub {
		grep { $_->{ev} eq 'job.start' } log_lines();
	}), 'they log';
};

ok await_edge(), 'nginx has written its lines';
site_stop();
my @wrong = wrong_lines();
is_deeply [@wrong[0 .. ($#wrong < 9 ? $#wrong : 9)]], [],
    'every line is as described'
    or diag join "\n", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)];
my %events = logged_events();
cmp_ok $events{$_} // 0, '>', 0, "there was $_"
    for qw(nginx.request req.begin req.end db.query redis.cmd tmpl.render
    login.failed password.check password.hash job.start job.stop cache.hit
    cache.miss);
note join ', ', map { "$_ $events{$_}" } sort keys %events;

done_testing;
