#!/usr/bin/perl
# What an attacker would try: nothing that comes in may run, redirect, inject,
# bring down or leak.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use HTML::TokeParser;
use Test::More;
use Time::HiRes qw(time);

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
sql('UPDATE books SET stock_quantity = 50');

my $password = 'secret-pass-phrase';
my @secrets = ($password, 'another-secret-one', 'wrong-secret-guess');

sub guest { return Seoga::Reader->new(@_) }

my $member = guest();
my $username = $member->register(password => $password,
    password2 => $password);

# What a browser would take for markup that is not ours.
sub foreign_markup {
	my ($html) = @_;
	my %ours = map { $_ => 1 } qw(action aria-current aria-describedby
	    aria-hidden aria-invalid aria-label aria-labelledby alt
	    autocapitalize autocomplete charset checked class content for
	    height href hreflang id inputmode lang loading max maxlength
	    method min name novalidate open placeholder rel role selected
	    size spellcheck src tabindex type value width);
	my %tags = map { $_ => 1 } qw(a article b body br button code dd div dl
	    details dt footer form h1 h2 head header html img input label li link main
	    meta nav ol option p section select span summary title ul);
	my $tokens = HTML::TokeParser->new(\$html);
	my @foreign;

	while (my $token = $tokens->get_token) {
		next if $token->[0] ne 'S';
		my (undef, $tag, $attributes) = @$token;
		push @foreign, "<$tag>" if !$tags{$tag};
		push @foreign, "<$tag $_>"
		    for grep { !$ours{$_} && $_ ne '/' } keys %$attributes;
		for (qw(href src action)) {
			push @foreign, "$_=$attributes->{$_}"
			    if defined $attributes->{$_} &&
			    $attributes->{$_} !~ m{^(?:/(?!/)|#)};
		}
	}
	return \@foreign;
}

is_deeply foreign_markup('<p onclick="x"><script></p><a href="//x">'),
    ['<p onclick>', '<script>', 'href=//x'], 'foreign markup is seen';

my $evil = q("'><script>alert(1)</script><img src=x onerror=alert(1)>)
    . q({{csrf}}{{{csrf}}}<!--# echo var="trace_id" -->&lt;);

sub harmless {
	my ($reader, $what) = @_;

	is_deeply foreign_markup($reader->html), [], "$what: nothing foreign";
	like $reader->text, qr/\Q$evil\E/, "$what: but shown as it is"
	    if $what !~ /\(not shown\)/;
}

subtest 'markup in what the library stores' => sub {
	my $sql = $evil =~ s/'/''/gr;

	sql("INSERT INTO books (id, category_id, title, author, publisher,
	    description, price, stock_quantity, image_url) VALUES
	    (1, 53, '$sql', '$sql', '$sql', '$sql', 100, 9, NULL),
	    (2, 53, '$sql', '$sql', '$sql', '$sql', 100, 9,
	     '/x\" onerror=\"alert(1)');
	    UPDATE categories SET name_en = LEFT('$sql', 80),
	    name_ko = LEFT('$sql', 80) WHERE id = 53");
	seoga_ok('reindex');
	redis('DEL', 'cache:categories:en', 'cache:categories:ko');
	$evil = substr $evil, 0, 79;
	for my $reader (guest(), guest(lang => 'ko'), $member) {
		harmless($reader->get($_), $_) for '/books?q=alert',
		    '/books?category=53', '/books/1', '/books/2';
		$reader->add(1);
		$reader->add(2);
		harmless($reader->get('/cart'), 'the cart');
	}
	sql('DELETE FROM books WHERE id = 1; UPDATE books SET price = 200,
	    stock_quantity = 1 WHERE id = 2');
	harmless($member->get('/cart'), 'the cart, when they are gone');
};

subtest 'markup in what readers type' => sub {
	my $q = HTTP::Tiny->new->www_form_urlencode({ q => $evil });
	my $value = HTML::Entities::encode_entities($evil, '&<>"\'');

	harmless(guest()->get("/books?$q"), 'a search');
	harmless(guest()->get("/books?$q&category=11"), 'in a category');
	harmless(guest()->get("/books?utm=<script>&$q&sort=price&before=x"),
	    'with a page (not shown)');
	harmless(guest()->get('/nothing/<script>"\'?<script>'),
	    'an address (not shown)');
	harmless(guest()->get('/login?next=/"><script>'),
	    'a next (not shown)');
	my $reader = guest();
	$reader->get('/register')->send('/register', username => $evil,
	    name => $evil, password => $password);
	harmless($reader, 'a form (not shown)');
	is $reader->form('/register')->{name}, $evil, 'its name is kept';
	is $reader->form('/register')->{username}, $evil, 'and user name';
	$reader->get('/login')->send('/login', username => substr($evil, 0,
	    60), password => $password, next => qq(/"onclick="x));
	harmless($reader, 'signing in (not shown)');
	is $reader->form('/login')->{next}, qq(/"onclick="x), 'next is kept';
	$member->get('/account');
	$member->submit('/account', where => { action => 'name' },
	    name => $evil);
	harmless($member->get($_), $_)
	    for '/', '/books/1101', '/cart', '/account', '/books/999';
};

subtest 'markup in headers' => sub {
	for my $header ('User-Agent', 'Referer', 'Accept-Language', 'Cookie',
	    'X-Forwarded-For', 'X-Request-Id', 'traceparent', 'Origin',
	    'Accept', 'If-None-Match') {
		my $reader = guest();
		$reader->get('/login', $header => $evil);
		harmless($reader, "$header (not shown)");
		unlike $reader->html, qr/alert\(1\)/, 'not repeated';
		unlike join("\n", %{$reader->{answer}{headers}}), qr/alert/,
		    'not in the headers';
	}
	my $reader = guest(headers => { 'User-Agent' => $evil });
	$reader->login($username, password => $password);
	harmless($reader->get('/account'), 'a device');
};

subtest 'header injection' => sub {
	my $inject = "\r\nX-Injected: 1\r\nSet-Cookie: injected=1";
	my $quoted = $inject =~ s/(.)/sprintf '%%%02x', ord $1/egsr;

	for my $next ("/$quoted", "/x$quoted/", "$quoted/", "/%0dX-Injected:1",
	    "/%0aX-Injected:1", "/\x{e5}\x{98}\x{8a}", "/%00$quoted",
	    "/%c4%8d%c4%8aX-Injected:1") {
		for my $path ("/lang?to=en&next=$next",
		    "/lang?to=en$quoted", "/login?next=$next",
		    "/books?q=$next&after=$quoted", "/account?$next",
		    "/$next") {
			my $reader = guest()->get(encode_utf8($path));
			my $headers = join "\n", map { lc }
			    %{$reader->{answer}{headers}};
			unlike $headers, qr/x-injected\n|injected=1/,
			    'nothing injected';
			cmp_ok $reader->status, '<', 500, 'no mistake of ours';
		}
	}
	my $reader = guest()->get('/login');
	$reader->send('/login', username => $username, password => $password,
	    next => "/x$inject");
	unlike join("\n", %{$reader->{answer}{headers}}), qr/injected/i,
	    'nor by a form';
	for my $sid ('x' x 4000, '../..', "a b", '01234567-89ab', '"quoted"',
	    '*', 'session:x', '01234567-89ab-4cde-8f01-23456789abcd.-1',
	    '01234567-89ab-4cde-8f01-23456789abcd.' . '9' x 40,
	    '01234567-89ab-4cde-8f01-23456789abcd.1 OR 1=1') {
		$reader = guest();
		$reader->{cookies}{sid} = $sid;
		is $reader->get('/cart')->status, 200, 'any cookie is a guest'
		    . '\'s: ' . substr $sid, 0, 40;
	}
};

my @away = ('//evil.example', '///evil.example', '/\\evil.example',
    '\\\\evil.example', '\\/evil.example', 'https://evil.example',
    'https:evil.example', 'http:/evil.example', 'javascript:alert(1)',
    'data:text/html,x', 'evil.example', '@evil.example', '.evil.example',
    "/\t/evil.example", "\t//evil.example", ' //evil.example',
    "/\n/evil.example", "/\x{0}/evil.example", '/%09/evil.example ' . "\\",
    'x' x 1990, '', '?x', '#x', '/\\/evil.example', "/\x{7f}/evil.example");

subtest 'redirects stay here' => sub {
	for my $next (@away) {
		my $query = HTTP::Tiny->new->www_form_urlencode(
		    { to => 'en', next => $next });
		my $shown = $next =~ s/[^ -~]/./gr =~ s/^(.{30}).*/$1/r;
		my $reader = guest()->get("/lang?$query");
		if ($reader->status == 303) {
			is $reader->header('location'), '/', "lang: $shown"
		} else {
			is $reader->status, 400, "lang: $shown, refused";
		}
		$reader->get('/login?' . HTTP::Tiny->new->www_form_urlencode(
		    { next => $next }));
		next if $reader->status == 400;
		$reader->send('/login', username => $username,
		    password => $password);
		is $reader->header('location'), '/', "login: $shown";
		$reader = guest()->get('/login');
		$reader->send('/login', username => $username,
		    password => $password, next => $next);
		like $reader->status == 303 ? $reader->header('location') :
		    '/', qr{^/$}, "login's form: $shown";
	}
	for my $next ('/books?sort=price&q=a%20b', '/books/1#x', '/?a=x') {
		my $query = HTTP::Tiny->new->www_form_urlencode(
		    { to => 'en', next => $next });
		is guest()->get("/lang?$query")->header('location'), $next,
		    "ours: $next";
	}
};

subtest 'SQL and Redis metacharacters' => sub {
	my $users = sql('SELECT COUNT(*) FROM users');
	my $books = sql('SELECT COUNT(*) FROM books');
	my $keys = redis('DBSIZE');

	for my $nasty (q('), q(''), q("), '\\', '\\\'', '%', '_', '`', ';', '--',
	    '/*', '#', q(' OR 1=1 --), q(1; DROP TABLE users), '*', '$',
	    '{1}', '[a-z]', '?', ':', "cart:1", '${x}', '%s%n', '()', '\\x00',
	    "EVAL \"x\" 0", '1 UNION SELECT 1', '0x31', '1e3') {
		my $value = HTTP::Tiny->new->www_form_urlencode(
		    { x => $nasty }) =~ s/^x=//r;
		my $reader = guest();
		my @status = map { $reader->get($_)->status }
		    "/books?q=$value", "/books?category=$value",
		    "/books?sort=$value", "/books?after=$value",
		    "/books?before=1.$value", "/books?sort=price&after=1.$value",
		    "/books?sort=newest&after=1.$value",
		    "/books/$value", "/covers/$value.svg", "/lang?to=$value";
		push @status, $reader->login($nasty,
		    password => 'wrong-secret-guess')->status;
		$reader->get('/books/1101');
		push @status, $reader->send('/cart/add', once => $nasty)
		    ->status;
		$reader->get('/books/1101');
		push @status, $reader->send('/cart/add', book_id => $nasty)
		    ->status;
		$member->get('/account');
		push @status, $member->send('/account',
		    where => { action => 'name' }, name => $nasty)->status;
		is $member->get('/account')->form('/account')->{name},
		    $nasty, "a name may be: $nasty";
		$member->get('/account');
		push @status, $member->send('/account/sessions',
		    where => { id => 'all' }, id => $nasty)->status;
		is_deeply [grep { $_ >= 500 } @status], [],
		    "no mistake of ours: $nasty";
	}
	is sql('SELECT COUNT(*) FROM users'), $users, 'all users are there';
	is sql('SELECT COUNT(*) FROM books'), $books, 'all books, too';
	cmp_ok redis('DBSIZE'), '>=', $keys, 'and all of Redis';
};

subtest 'bytes that are no text' => sub {
	for my $bad ('%ff', '%c3%28', '%c0%af', '%e0%80%af', '%ed%a0%80',
	    '%f4%90%80%80', '%f8%88%80%80%80', '%00', 'a%00b', '%01', '%1b',
	    'a%0d%0ab', '%', '%4', '%zz') {
		my $reader = guest();
		for my $path ("/books?q=$bad", "/books?after=1.$bad",
		    "/lang?to=en&next=/$bad") {
			is $reader->get($path)->status, 400, $path;
		}
		my $csrf = $reader->get('/login')->form('/login')->{csrf};
		is $reader->post('/login', "csrf=$csrf&username=$bad&"
		    . "password=$bad")->status, 400, "a form: $bad";
		cmp_ok $reader->get("/books/$bad")->status, '<', 500,
		    'a path';
	}
	is guest()->get("/books?q=\x{ff}")->status, 400, 'raw';
	my $got = http(get => "/\xff\xfe/../books");
	is $got->{status}, 200, 'a raw path';
	ok await(5, sub { grep { $_->{trace} eq
	    $got->{headers}{'x-request-id'} } access_lines() }),
	    '... is logged as JSON';
	is guest()->get('/books?q=%EC%84%9C%EA%B0%80')->status, 200,
	    'text is text';
};

subtest 'forms out of shape' => sub {
	my $reader = guest()->get('/books/1101');
	my $csrf = $reader->form('/cart/add')->{csrf};

	for (['text', 'text/plain', 415], ['XML', 'application/xml', 415],
	    ['JSON', 'application/json', 415], ['no type', undef, 415],
	    ['no boundary', 'multipart/form-data', 400]) {
		my ($what, $type, $status) = @$_;
		$reader->ask(post => '/cart/add', content => '{"csrf":1}',
		    headers => { $type ? ('Content-Type' => $type) : () });
		is $reader->status, $status, $what;
	}
	is $reader->post('/cart/add', "csrf=$csrf&book_id=1101&book_id=1102")
	    ->status, 400, 'a name twice';
	is $reader->post('/cart/add', "csrf=$csrf&book_id=1101"
	    . '&price=1')->status, 400, 'a name that is not the form\'s';
	is $reader->post('/cart/add', "csrf=$csrf&book_id=1101"
	    . '&once=' x 300)->status, 400, 'one 300 times';
	is_deeply $reader->cart, {}, 'nothing was changed';
};

subtest 'sizes' => sub {
	my $ten = 10 * 1024 * 1024;

	for my $path ('/cart/add', '/login', '/register', '/account', '/lang',
	    '/nothing', '/api/cart/add', '/api/users/login') {
		my $begin = time;
		my $answer = guest()->post($path, 'x=' . 'x' x $ten);
		is $answer->status, 413, "10 MB to $path";
		cmp_ok time - $begin, '<', 5, 'at once';
	}
	for my $size (1000, 60_000, 65_536, 65_537, 200_000) {
		my $reader = guest()->get('/login');
		$reader->send('/login', username => 'x' x $size);
		is $reader->status, $size < 65_000 ? 400 : 413,
		    "a field of $size bytes";
	}
	for (['a header of 7 kB', { 'X-Long' => 'x' x 7_000 }, 200],
	    ['a header of 9 kB', { 'X-Long' => 'x' x 9_000 }, 400],
	    ['100 headers', { map { ("X-$_" => 'x') } 1 .. 100 }, 200],
	    ['40 kB of headers', { map { ("X-$_" => 'x' x 1000) } 1 .. 40 },
	    400],
	    ['a 7 kB cookie', { Cookie => 'sid=' . 'x' x 7_000 }, 200],
	    ['500 cookies', { Cookie => join '; ', map { "c$_=$_" } 1 .. 500 },
	    200],
	    ['a strange cookie', { Cookie => '=;;= sid = x; sid; ,"' }, 200]) {
		my ($what, $headers, $status) = @$_;
		is guest()->get('/cart', %$headers)->status, $status, $what;
	}
	is guest()->get('/books?q=' . 'x' x 7_000)->status, 400,
	    'a long query';
	is guest()->get('/books?' . 'x&' x 3_000)->status, 413,
	    'a query of many names';
	is guest()->get('/' . 'x/' x 3_500)->status, 404, 'a long path';
	is guest()->get('/books')->status, 200, 'the site is well';
};

subtest 'paths' => sub {
	for my $path ('/static/../nginx/nginx.conf', '/static/..%2fREADME',
	    '/static/%2e%2e/README', '/..%00/etc/passwd', '/.git/config',
	    '/static/.hidden', '/cgi-bin/books', '/var/secret/db',
	    '/_error/404.html', '/_error/404.json', '/static//../README',
	    '/templates/part/layout.mustache', '/nginx_status') {
		my $answer = guest()->get($path);
		like $answer->status, qr/^40[0-5]$/, $path;
		unlike $answer->html, qr/fastcgi_pass|root:|\{\{|bootstrap/,
		    'shows no file';
	}
};

subtest 'headers of every page' => sub {
	my %pages = ('/' => 200, '/books?sort=price' => 200,
	    '/books/1101' => 200, '/cart' => 200, '/login' => 200,
	    '/register' => 200, '/account' => 303, '/logout' => 405,
	    '/lang?to=en' => 303, '/lang' => 400, '/nothing' => 404,
	    '/covers/1101.svg' => 200, '/static/seoga.css' => 200,
	    '/static/favicon.svg' => 200, '/static/' => 403,
	    '/favicon.ico' => 204, '/api/books' => 200, '/api/cart' => 401,
	    '/api/health' => 200, '/api/nothing' => 404);

	for my $path (sort keys %pages) {
		for my $reader (guest(), $member) {
			$reader->get($path);
			is $reader->status, $pages{$path}, $path
			    if $reader != $member;
			my $csp = $reader->header('content-security-policy');
			for my $rule ("default-src 'none'",
			    "script-src 'none'", "img-src 'self'",
			    "style-src 'self'", "form-action 'self'",
			    "base-uri 'none'", "frame-ancestors 'none'") {
				is scalar(() = $csp =~ /\Q$rule\E/g), 1,
				    "$path: $rule";
			}
			is $reader->header('x-content-type-options'),
			    'nosniff', "$path: no guessing of types";
			is $reader->header('referrer-policy'), 'same-origin',
			    "$path: no referrer to others";
			like $reader->header('x-request-id'),
			    qr/^[0-9a-f]{32}$/, "$path: a request id";
			unlike $reader->header('server') // '', qr/\d/,
			    "$path: no version";
			is $reader->header('x-powered-by'), undef,
			    "$path: no boast";
			for (@{$reader->{set_cookies}}) {
				like $_, qr/; *HttpOnly/i, "$path: HttpOnly";
				like $_, qr/; *SameSite=Lax/i, 'SameSite';
				like $_, qr{; *Path=/(?:;|$)}i, 'Path';
				unlike $_, qr/; *Domain/i, 'no Domain';
			}
		}
	}
};

subtest 'no secret in any log' => sub {
	my $reader = guest()->login($username, password =>
	    'wrong-secret-guess');
	$reader->login($username, password => $password);
	$reader->get('/account');
	push @secrets, ($reader->{cookies}{sid} =~ /^([^.]*)/)[0],
	    $reader->form('/logout')->{csrf},
	    ($reader->html =~ /name="id" value="(\w{20,})"/)[0] // 'none',
	    $reader->get('/books/1101')->form('/cart/add')->{once};
	$reader->add(1101);
	$reader->get('/books?q=private+thoughts&after=1.secretcursor');
	push @secrets, 'private thoughts', 'private+thoughts',
	    'secretcursor';
	$reader->get('/account');
	$reader->submit('/account', where => { action => 'password' },
	    password_old => $password, password => 'another-secret-one',
	    password2 => 'another-secret-one');
	my $token = JSON::PP::decode_json($reader->ask(post =>
	    '/api/users/login', content => JSON::PP::encode_json(
	    { username => $username, password => 'another-secret-one' }),
	    headers => { 'Content-Type' => 'application/json' })->bytes)
	    ->{token};
	push @secrets, $token;
	$reader->get('/api/cart', Authorization => "Bearer $token");
	is $reader->status, 200, 'the API\'s token is a good one';
	$reader->get('/api/cart', Authorization => 'Bearer x');
	ends_of($reader->trace);
	my @files = ((grep { -f } glob(site_dir() . '/var/log/*')),
	    site_dir() . '/seoga.log');
	my $all = join '', map { slurp($_) } @files;
	cmp_ok length $all, '>', 100_000, 'there are logs';
	like $all, qr/login\.failed/, 'of failures, too';
	for my $secret (@secrets) {
		unlike $all, qr/\Q$secret\E/, 'not: '
		    . substr($secret, 0, 6) . '…' or diag map { "$_\n" }
		    ($all =~ /^.*\Q$secret\E.*$/mg)[0];
	}
};

site_stop();
done_testing();
