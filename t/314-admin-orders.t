#!/usr/bin/perl
# GET /admin/orders, and the administrator's part of an order's page.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use Test::More;

use Seoga::Fault qw(api);
use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 500, price = 1000');

sub member {
	my ($role) = @_;
	my $reader = Seoga::Reader->new;
	my $username = $reader->register;

	if ($role) {
		seoga_ok('user', 'role', $username, $role);
		$reader->login($username);
	}
	$reader->{username} = $username;
	return $reader;
}

sub listed {
	my ($reader) = @_;
	my ($main) = $reader->html =~ m{<main(.*)</main>}s;

	return [$main =~ m{href="/orders/([0-9]+-[0-9A-Z]+)"}g];
}

sub state {
	my ($number) = @_;

	return sql("SELECT state FROM orders WHERE number = '$number'") =~
	    s/\n//r;
}

# The states that the page in hand offers.
sub offered {
	my ($reader) = @_;
	my ($select) = $reader->html =~
	    m{<select id="f-state" name="state"[^>]*>(.*?)</select>}s;

	return join ' ', ($select // '') =~ /value="(\w+)"/g;
}

sub change {
	my ($admin, $number, $state, %more) = @_;

	$admin->get("/orders/$number");
	return $admin->send("/orders/$number", where => { act => 'state' },
	    state => $state, %more);
}

# Who changed the order of that number, as its JSON tells the reader.
sub actors {
	my ($reader, $number) = @_;
	my $token = api(post => '/api/users/login', undef, {
	    username => $reader->{username},
	    password => 'a long enough password' })->{json}{token};
	my %actor = map { $_->{actor} => 1 }
	    @{api(get => "/api/orders/$number", $token)->{json}{history}};

	return [sort keys %actor];
}

my $admin = member('admin');
my ($anna, $ben) = (member(), member());

$anna->add(1201, 2);
my $first = $anna->order;
$ben->add($_) for 1202, 1203;
my $second = $ben->order;

subtest 'who may see them' => sub {
	is(Seoga::Reader->new->get('/admin/orders')->status, 303,
	    'a guest has to sign in');
	is $anna->get('/admin/orders')->status, 403, 'not a reader';
	is member('librarian')->get('/admin/orders')->status, 403,
	    'nor a librarian';
	is $admin->get('/admin/orders')->status, 200, 'but an administrator';
};

subtest 'the list and its filters' => sub {
	$admin->get('/admin/orders');
	is_deeply listed($admin), [$second, $first], 'all, the latest first';
	like $admin->text, qr/\Q$anna->{username}\E.*Waiting for payment ₩2,000/,
	    'with user, state and total';
	is_deeply listed($admin->get('/admin/orders?state=pending')),
	    [$second, $first], 'by state';
	is_deeply listed($admin->get('/admin/orders?state=paid')), [],
	    'of which there is none';
	like $admin->text, qr/There is no such order/, 'said';
	like $admin->html, qr{<option value="paid" selected>}, 'and kept';
	is_deeply listed($admin->get("/admin/orders?q=$first")), [$first],
	    'by number';
	is_deeply listed($admin->get("/admin/orders?q=$ben->{username}")),
	    [$second], 'by username';
	like $admin->html, qr{name="q" value="\Q$ben->{username}\E"}, 'kept';
	is_deeply listed($admin->get("/admin/orders?q=$ben->{username}"
	    . '&state=pending')), [$second], 'by both';
	is_deeply listed($admin->get('/admin/orders?state=&q=')),
	    [$second, $first], 'what is left empty does not count';
	is_deeply listed($admin->get("/admin/orders?q=%25")), [],
	    'a percent sign is one';
	is_deeply listed($admin->get("/admin/orders?q=%27%22%3Cb%3E")), [],
	    'so are quotes';
	unlike $admin->html, qr/'"<b>/, 'escaped';
	is $admin->get("/admin/orders?$_")->status, 400, "not $_"
	    for 'state=lost', 'after=x', 'after=0', 'q=' . 'x' x 33;
};

subtest 'page by page' => sub {
	my ($user) = sql("SELECT id FROM users
	    WHERE username = '$ben->{username}'") =~ /(\d+)/;

	sql("INSERT INTO orders (number, user_id, state, total, recipient,
		phone, postcode, address, once_key, once_digest, expires_at)
	    SELECT CONCAT('20261101-', LPAD(seq, 6, '0')), $user, 'delivered',
		10, 'R', '0', '0', 'A', CONCAT('k', seq), 'd', UTC_TIMESTAMP()
	    FROM seq_1_to_120");
	my @all = map { sprintf '20261101-%06d', $_ } reverse 1 .. 120;
	for my $filter ('state=delivered', "state=delivered&q=$ben->{username}",
	    "q=$ben->{username}") {
		my (@found, $pages);
		my $path = "/admin/orders?$filter";
		while ($path && $pages++ < 9) {
			$admin->get($path);
			push @found, @{listed($admin)};
			($path) = map { HTML::Entities::decode_entities($_) }
			    $admin->html =~ m{<a href="([^"]+)" rel="next"};
		}
		is $pages, 3, "$filter: three pages";
		is_deeply \@found, [@all, $filter =~ /delivered/ ? () :
		    $second], "$filter: each once";
		like $admin->html, qr{<a href="[^"]+">First page</a>},
		    "$filter: and back";
	}
};

subtest 'from state to state' => sub {
	my @way = (['pending', 'paid cancelled', 'paid'],
	    ['paid', 'shipped refunded', 'shipped'],
	    ['shipped', 'delivered refunded', 'delivered'],
	    ['delivered', 'refunded', 'refunded'],
	    ['refunded', '', undef]);

	for (@way) {
		my ($state, $offered, $next) = @$_;

		$admin->get("/orders/$first");
		is state($first), $state, $state;
		is offered($admin), $offered, "$state: what is next";
		next if !$next;
		change($admin, $first, $next, note => "Now <b>$next</b>");
		is $admin->status, 303, "$state: changed";
		$admin->follow;
		like $admin->text, qr/The state has been changed/, 'said';
	}
	$anna->get("/orders/$first");
	like $anna->text, qr/Shipped \d+ \w+ \d{4} \d\d:\d\d UTC, by the bookshop Now <b>shipped<\/b>/,
	    'the reader sees it in the history, with the note';
	unlike $anna->html, qr/\Q$admin->{username}\E/,
	    'but not who works here';
	unlike $anna->html, qr/<b>shipped/, 'escaped';
	is_deeply actors($anna, $first), ['bookshop', $anna->{username}],
	    'nor is it told in JSON';
	is_deeply actors($admin, $first),
	    [sort $admin->{username}, $anna->{username}],
	    'but to administrators';
	like $admin->get("/orders/$first")->text,
	    qr/Shipped .* UTC, by you/, 'an administrator sees who';
	is sql("SELECT GROUP_CONCAT(DISTINCT actor, ' ', act, ' ', label)
	    FROM audit WHERE object = 'order'"), "$admin->{username} order.state $first\n",
	    'so does the audit log';
	is sql("SELECT COUNT(*) FROM audit WHERE object = 'order'") + 0, 4,
	    'for each change';
	is sql('SELECT stock_quantity FROM books WHERE id = 1201') + 0, 498,
	    'what was shipped does not come back';
};

subtest 'what is not legal' => sub {
	my $form = $admin->get("/orders/$second")->form("/orders/$second",
	    { act => 'state' });

	for my $state (qw(shipped delivered refunded pending)) {
		$admin->post("/orders/$second", { %$form, state => $state });
		is $admin->status, 409, "from pending to $state";
		like $admin->text, qr/another state now/, 'said';
	}
	for my $state ('', 'lost') {
		$admin->post("/orders/$second", { %$form, state => $state,
		    note => 'kept "this"' });
		is $admin->status, 400, "no such state: \"$state\"";
		like $admin->html, qr{value="kept &quot;this&quot;"},
		    'the note is kept';
	}
	$admin->post("/orders/$second", { %$form, state => 'paid',
	    note => '가' x 201 });
	is $admin->status, 400, 'a note too long';
	like $admin->html, qr{id="e-note"}, 'said beside it';
	is state($second), 'pending', 'as it was';
	$ben->get("/orders/$second");
	is offered($ben), '', 'a reader is offered none';
	my $csrf = $ben->form('/logout')->{csrf};
	$ben->post("/orders/$second", { csrf => $csrf, act => 'state',
	    state => 'paid' });
	is $ben->status, 403, 'nor can he';
	is $admin->post('/orders/20261121-000000', { %$form,
	    state => 'paid' })->status, 404, 'no such order';
};

subtest 'two administrators' => sub {
	my $other = member('admin');
	my $early = $other->get("/orders/$second")->form("/orders/$second",
	    { act => 'state' });

	change($admin, $second, 'cancelled');
	is $admin->status, 303, 'one cancels';
	$other->post("/orders/$second", { %$early, state => 'paid' });
	is $other->status, 409, 'the other cannot have it paid';
	like $other->text, qr/Cancelled/, 'and sees its state';
	is sql('SELECT stock_quantity FROM books WHERE id = 1202') + 0, 500,
	    'the copies came back once';
};

subtest 'an administrator\'s own order' => sub {
	$admin->add(1301);
	my $number = $admin->order;

	ok $admin->form("/orders/$number", { act => $_ }), "can $_"
	    for qw(pay state);
	like $admin->html, qr/confirm=cancel/, 'and cancel';
	change($admin, $number, 'cancelled');
	$admin->get("/orders/$number");
	ok $admin->form("/orders/$number", { act => 'again' }),
	    'and order again what was cancelled';
};

subtest 'a reader\'s order cancelled for him' => sub {
	$anna->add(1302);
	my $number = $anna->order;
	my $csrf = $admin->get("/orders/$number")->form('/logout')->{csrf};
	$admin->post("/orders/$number", { csrf => $csrf, act => 'cancel' });
	is state($number), 'cancelled', 'by an administrator';
	is sql("SELECT actor, changes FROM audit WHERE label = '$number'"),
	    qq($admin->{username}\t{"state":["pending","cancelled"]}\n),
	    'is in the audit log';
	$anna->add(1302);
	$number = $anna->order;
	$anna->post("/orders/$number", { csrf => $anna->form('/logout')->{csrf},
	    act => 'cancel' });
	is state($number), 'cancelled', 'by himself';
	is sql("SELECT COUNT(*) FROM audit WHERE label = '$number'") + 0, 0,
	    'is not';
};

site_stop();
done_testing();
