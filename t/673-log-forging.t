#!/usr/bin/perl
# Nobody writes lines of the log but nginx and the programs: whatever stands
# in a path, a header, a field or a title, each line stays one line of JSON,
# with the keys that it should have.
use strict;
use warnings;
use utf8;

use Encode qw(encode);
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

use Seoga::Logs;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my ($port) = url() =~ /:(\d+)/;
my $mark = 'Forged7461';

# What ends a line, a text or an object somewhere, as bytes.
my $line = qq({"ts":"2026-01-01T00:00:00.000Z","lvl":"error","trace":"")
    . qq(,"prog":"$mark","pid":1,"ev":"req.end"});
my @payloads = (
	"$mark\r\n$line\r\n",
	qq($mark","user":1,"x":"),
	qq($mark\\","user":1,"x":"\\),
	"$mark\\",
	encode('UTF-8', "$mark\x{2028}$line\x{2029}\x{85}$line"),
	"$mark\e[2J\e[31m\x07\x08\x7f",
	encode('UTF-8', "$mark\x{9b}31m\x{202e}\x{feff}\x{0}"),
	"$mark\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80",
	"$mark\0$line",
	encode('UTF-8', "$mark 책 '\"<>&`\$(id)\${x}"),
	$mark . '%0d%0a%22%7d%00%5c%22',
	$mark . 'x' x 3000,
);

sub percent {
	my ($bytes) = @_;

	return $bytes =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
}

# What no client would send; the first line of the answer.
sub raw {
	my ($bytes) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port",
	    Timeout => 5) or die "connect: $!\n";

	local $SIG{PIPE} = 'IGNORE';
	syswrite $socket, $bytes;
	shutdown $socket, 1;
	local $/;
	my $answer = <$socket> // '';
	return $answer =~ /\A(?:HTTP\S+ (\d+))?/ ? $1 // 0 : 0;
}

my $requests = 0;
for my $bytes (@payloads) {
	my $inline = $bytes =~ s/[\r\n]+/ /gr;
	my $percent = percent($bytes);
	my @headers = map { "$_: $inline\r\n" } qw(User-Agent Referer
	    X-Request-Id traceparent tracestate Cookie Accept-Language
	    X-Forwarded-For Origin Authorization Idempotency-Key
	    If-None-Match X-Forwarded-Proto);

	for my $request (
		"GET /books/$percent?q=$percent HTTP/1.1\r\nHost: a\r\n",
		"GET /books?q=$percent&sort=$percent HTTP/1.1\r\nHost: a\r\n",
		"GET /$inline HTTP/1.1\r\nHost: a\r\n",
		"$inline /books HTTP/1.1\r\nHost: a\r\n",
		"GET /books HTTP/1.1\r\nHost: $inline\r\n",
		(map { "GET /books HTTP/1.1\r\nHost: a\r\n$_" } @headers)) {
		raw("${request}Connection: close\r\n\r\n");
		$requests++;
	}
	for my $path ('/login', '/register', '/cart/add', '/lang',
	    '/checkout') {
		http(post => $path, { content => join('&', map {
		    "$_=$percent" } qw(username password name password2 id
		    quantity lang to token next), $percent),
		    headers => { 'Content-Type' =>
		    'application/x-www-form-urlencoded' } });
	}
	for my $path ('/api/users/login', '/api/users/register',
	    '/api/cart/cart/add', '/api/orders') {
		http(post => $path, { content => $_, headers => {
		    'Content-Type' => 'application/json' } })
		    for JSON::PP->new->encode({ map { $_ => $bytes }
		    qw(username password name id), $bytes }), $bytes;
	}
}

# Names and titles that the site takes, and shows, and logs what it likes of.
my $reader = Seoga::Reader->new;
my $name = $reader->register(name => "Kim \"$mark\" \\ 책");
$reader->login($name);
$reader->get($_) for '/account', '/cart', '/orders';
my $admin = staff('admin');
for my $title ("$mark \",\"user\":1", "$mark \\", "$mark 책") {
	$admin->get('/admin/books/new');
	$admin->submit('/admin/books/new', title => $title, author => $title,
	    price => '1000');
	my ($id) = ($admin->header('location') // '') =~ /(\d+)/;
	$admin->get("/books/$id") if $id;
	$admin->get('/admin/audit');
}

ok await_edge(), 'nginx has written its lines';
site_stop();
is_deeply [wrong_lines()], [], 'every line is as described';
my %log = all_logs();
for my $file (sort keys %log) {
	unlike $log{$file}, qr/^[^\n]{0,60}$mark/m,
	    "$file: no line begins with ours";
	next if $file !~ /(?:access|seoga)\.log$/;
	# Strange bytes stand there as \u00XX, or not at all.
	unlike $log{$file}, qr/[\x00-\x09\x0b-\x1f\x7f]/,
	    'no control characters';
	unlike $log{$file}, qr/\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]/,
	    'nor those of Unicode';
}
my %events = logged_events();
cmp_ok $events{'nginx.request'}, '>=', $requests,
    'nginx has a line for each request';
is_deeply [grep { $_->{prog} eq $mark || ($_->{user} // 0) == 1 &&
    $_->{path} =~ /$mark/ } log_lines(), access_lines()], [],
    'and nobody else has one';

done_testing;
