#!/usr/bin/perl
# No log of nginx, the programs, the jobs, Redis, MariaDB or the supervisor has
# a password, its hash, a token, a cookie, a card or what somebody looked for;
# nor, but for MariaDB's slow one, who it was and where they live.
use strict;
use warnings;

use JSON::PP qw(decode_json encode_json);
use Test::More;

use Seoga::Logs;
use Seoga::Reader;
use Seoga::Shop;
use Seoga::Test;

plan skip_all => 'run through t/run, which starts MariaDB'
    if !$ENV{SEOGA_TEST_DB_SOCKET};

# Every statement is slow for once: that log has values.
my $slow = "/tmp/seoga-slow-$$.log";
sql("SET GLOBAL slow_query_log_file = '$slow'; SET GLOBAL long_query_time = 0;
    SET GLOBAL slow_query_log = 1");
END {
	if ($slow) {
		my $status = $?;
		eval { sql('SET GLOBAL slow_query_log = 0;
		    SET GLOBAL long_query_time = 10') };
		unlink $slow;
		$? = $status;
	}
}

shop_start(workers => 1);
my %secret;

# -- a reader, with a browser --

my $password = 'Pass-7Wq31-phrase';
my $wrong = 'Wrong-8Zk42-phrase';
my $next = 'Next-9Xj53-phrase';
my $reader = Seoga::Reader->new;
my $name = $reader->register(password => $password, password2 => $password);
$secret{'a password'} = $password;
sub note_page {
	my ($what) = @_;

	$secret{"the session, $what"} = $_
	    for grep { /^[0-9a-f-]{32,36}$/ } values %{$reader->{cookies}};
	my $html = $reader->html;
	while ($html =~
	    /name="(\w+)"[^>]* value="([0-9a-f]{16,64}(?:-[0-9a-f-]+)?)"/g) {
		$secret{"$1 of a form, $what"} = $2;
	}
}
$reader->get('/login');
note_page('before');
$reader->submit('/login', username => $name, password => $wrong);
$secret{'a wrong password'} = $wrong;
$reader->login($name, password => $password);
is $reader->status, 200, 'signed in';
my ($book) = shop_books(1, 9);
$reader->get("/books/$book");
note_page('on a book');
$reader->submit('/cart/add', quantity => 1);
$reader->get('/account');
note_page('on the account');
my ($form) = grep { /password/ } $reader->html =~ /action="([^"]+)"/g;
$reader->submit($form // '/account', old_password => $password,
    old => $password, password => $next, password2 => $next,
    new => $next, new2 => $next) if $reader->html =~ /type="password"/;
$secret{'a new password'} = $next;
$reader->get('/checkout');
note_page('at the checkout');

# -- a program, with a token --

my $api = http(post => '/api/users/login', { content => encode_json(
    { username => $name, password => $password }),
    headers => { 'Content-Type' => 'application/json' } });
my $token = eval { decode_json($api->{content})->{token} };
$secret{'a token'} = $token if $token;
my ($buyer) = shop_buyers(1);
$secret{'another token'} = $buyer->{token};
my $key = 'idempotent-5Lp86-key';
$secret{'an Idempotency-Key'} = $key;
my $order = place_order($buyer, $key, [$book, 1]);
is $order->{status}, 201, 'an order';
my $number = $order->{json}{number} // $order->{json}{id};
for my $card ('4242424242424242', '4000000000000002') {
	$secret{"a card, $card"} = $card;
	pay_order($buyer, $number, $card);
}
$secret{'a word that was looked for'} = 'Lookfor6Nm97';
$secret{'basic authorization'} = 'QmFzaWM2Um44';
$secret{'a cookie of somebody else'} = 'Cookie7To09';
# As t/lib/Seoga/Shop.pm sends them, and the shop stores them.
$secret{'a phone number'} = '010-1234-5678';
$secret{'where somebody lives'} = 'Seoul, Mapo';
$secret{'the name of a member'} = $name;
is sql("SELECT COUNT(*) FROM orders WHERE
    phone = '$secret{'a phone number'}' AND
    address = '$secret{'where somebody lives'}'") + 0, 1, 'it is stored';
$secret{'a referrer'} = 'Referrer8Up10';
$secret{'who asks'} = 'Agent9Vq21';
my %header = (Authorization => "Basic $secret{'basic authorization'}",
    Cookie => "session=$secret{'a cookie of somebody else'}",
    Referer => "http://a/?q=$secret{'a referrer'}",
    'User-Agent' => $secret{'who asks'});
my $query = "q=$secret{'a word that was looked for'}";
http(get => "$_?$query", { headers => \%header })
    for '/books', '/api/books/books', '/none', '/static/none', '/search',
    '/cart';
# What is no form is told of as a field of that name.
for (['application/x-www-form-urlencoded', encode_json({ username => $name,
    password => 'Typeless-3Gh65' })], ['application/x-www-form-urlencoded',
    'Bare-4Jk76'], ['application/json', '{"Member-2Bn54":1}']) {
	my ($type, $body) = @$_;
	my ($word) = $body =~ /(\w+-\d\w\w\d\d)/;

	$secret{"the name of a field, $word"} = $word;
	is http(post => '/api/cart/cart/add', { content => $body,
	    headers => { 'Content-Type' => $type,
	    Authorization => "Bearer $buyer->{token}" } })->{status}, 400,
	    "$word is refused";
}
$secret{'a word in an address'} = 'Address5Rt32';
http(get => "/api/books?$secret{'a word in an address'}");
# What nginx itself refuses, and what it cannot pass on.
http(post => "/cart/add?$query", { headers => \%header,
    content => 'x' x 200_000 });
http(get => '/books?' . $query . 'x' x 40_000, { headers => \%header });
expect_error(qr/"status":50[0-9]/);
my ($socket) = map { m{unix:(/\S*products\S*?sock)} ? $1 : () }
    map { slurp($_) } glob(site_dir() . '/var/nginx/*/upstreams.conf');
rename $socket, "$socket.away" or die "$socket: $!";
is http(get => "/catalog/products?$query", { headers => \%header })->{status},
    502, 'a program that cannot be reached';
rename "$socket.away", $socket;

# -- what the logs have --

sub hashes {
	my @hash = split /\n/, sql('SELECT password_hash FROM users
	    WHERE password_hash LIKE \'$argon%\'');

	return map { ("the hash $_" => $_) } grep { length } @hash;
}
%secret = (%secret, hashes());
ok await_edge(), 'nginx has written its lines';
site_stop();

my %log = all_logs();
$log{'the slow log'} = slurp($slow);
cmp_ok length $log{'the slow log'}, '>', 1000, 'MariaDB told of statements';
like $log{'the slow log'}, qr/\Q$name\E/, 'with their values';
cmp_ok scalar(keys %secret), '>', 14, 'secrets enough';
for my $what (sort keys %secret) {
	my $text = quotemeta $secret{$what};
	# Of the slow log, doc/log.md says that it has values.
	my @among = grep { $_ ne 'the slow log' ||
	    $what =~ /password|hash|token|card|session/ } sort keys %log;

	is_deeply [grep { $log{$_} =~ /$text/ } @among], [],
	    "no log has $what";
}
is +(stat site_dir() . '/var/log')[2] & 0077, 0,
    'the folder is for nobody else';

done_testing;
