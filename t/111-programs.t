#!/usr/bin/perl
# The real programs without nginx: started as the site starts them, asked by
# a client of its own.
use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::FastCGI qw(record begin_request params stdin request);
use Seoga::Test;

site_start();
my $build = $ENV{SEOGA_BUILD};
my %environment = map { /^(\w+)=(.*)$/ ? ($1, $2) : () }
    split /\n/, seoga_ok('env');
my $traces = 0;
my @started;

# A worker of this program, beside those of the site, which ask for nothing.
sub start {
	my ($prog) = @_;
	my $worker = Seoga::FastCGI->start(["$build/cgi-bin/$prog"],
	    environment => \%environment);

	push @started, $worker;
	return $worker;
}

# What nginx gives to each program.
sub parameters {
	my ($method, $uri, %more) = @_;
	my ($query) = $uri =~ /\?(.*)/;

	return { REQUEST_METHOD => $method, REQUEST_URI => $uri,
	    QUERY_STRING => $query // '', REMOTE_ADDR => '192.0.2.1',
	    HTTP_HOST => 'localhost', SEOGA_TRACE => sprintf('%032x', ++$traces),
	    %more };
}

sub status {
	my ($answer) = @_;

	return $answer && $answer->{header}{status} =~ /^(\d+)/ ? $1 : 0;
}

subtest 'health, split at every byte' => sub {
	my $worker = start('health');
	my $length = length request(parameters(GET => '/api/health'), '');
	my ($c, $failed) = ($worker->connection, 0);

	for my $at (1 .. $length - 1) {
		my $bytes = request(parameters(GET => '/api/health',
		    SEOGA_API => 1), '', keep => 1);
		$c->send_pieces(substr($bytes, 0, $at), substr $bytes, $at);
		$failed++ if status($c->answer(5)) != 200;
	}
	is $failed, 0, "$length requests on one connection";
};

subtest 'books' => sub {
	my $worker = start('books');
	my $page = $worker->ask(parameters(GET => '/books'), '');
	is status($page), 200, 'a page';
	like $page->{body}, qr{<html lang="ko">.*</html>\s*$}s, '... whole';
	is $page->{stderr}, '', '... and nothing on the error stream';
	is length $page->{body}, $page->{header}{'content-length'},
	    '... as long as it says' if $page->{header}{'content-length'};

	my $head = $worker->ask(parameters(HEAD => '/books'), '');
	is status($head), 200, 'HEAD';
	is $head->{body}, '', '... without a body';
	my $json = $worker->ask(parameters(GET => '/api/books',
	    SEOGA_API => 1), '');
	is ref decode_json($json->{body}), 'HASH', 'JSON';
	for my $bad ("a\xff\xfe", "\r\nX-Bad: 1", "%00", "'\"<script>") {
		my $answer = $worker->ask(parameters(GET => "/books?q=$bad"),
		    '');
		ok status($answer), 'a strange query is answered';
		unlike $answer->{head}, qr/X-Bad/i, '... with clean headers';
	}
	is status($worker->ask(parameters(PUT => '/books'), '')), 405, 'PUT';
};

subtest 'the worker answers in the language asked for' => sub {
	my $worker = start('books');

	for (['en', 'en'], ['ko', 'ko'], ['en;q=0.1,ko;q=0.2', 'ko'],
	    ['de', 'ko'], ['*;q=0.5,ko;q=0', 'en']) {
		my ($accept, $lang) = @$_;
		my $page = $worker->ask(parameters(GET => '/books',
		    HTTP_ACCEPT_LANGUAGE => $accept), '');
		like $page->{body}, qr/<html lang="$lang">/, $accept;
	}
};

subtest 'an address that is no text' => sub {
	for (['cart', '/cart', 401], ['book', '/books/999999999', 404]) {
		my ($prog, $path, $expected) = @$_;
		my $worker = start($prog);
		my ($pid) = $worker->pids;

		for my $bytes ("\xff\xfe", "\xed\xa0\x80", "\xea\xb0", '"\\') {
			my $answer = $worker->ask(parameters(
			    GET => "/$bytes/../api$path", SEOGA_API => 1,
			    SEOGA_ID => '999999999'), '');
			is status($answer), $expected, "$prog: the API";
			my $body = $answer ? $answer->{body} : '{}';
			like eval { decode_json($body)->{instance} } // '',
			    qr{^/[!-~]+/\.\./api\Q$path\E$},
			    '... names it as an address';
			my $page = $worker->ask(parameters(
			    GET => "/$bytes/..$path",
			    SEOGA_ID => '999999999'), '');
			ok status($page), '... the page is made';
		}
		kill 0, $pid or fail "$prog is gone";
	}
};

subtest 'bodies of cart-add' => sub {
	my $worker = start('cart-add');
	my %form = (CONTENT_TYPE => 'application/x-www-form-urlencoded');
	my $limit = 65536;

	my $answer = $worker->ask(parameters(POST => '/cart/add', %form,
	    CONTENT_LENGTH => $limit + 1), '');
	is status($answer), 413, 'one byte more than the limit';
	$answer = $worker->ask(parameters(POST => '/cart/add', %form),
	    'x=' . 'y' x $limit);
	is status($answer), 413, '... all of it sent';
	$answer = $worker->ask(parameters(POST => '/cart/add', %form,
	    SEOGA_API => 1, CONTENT_LENGTH => $limit + 1), '');
	is decode_json($answer->{body})->{status}, 413, '... for the API';
	$answer = $worker->ask(parameters(POST => '/cart/add', %form,
	    CONTENT_LENGTH => '4x'), 'book_id=1');
	is status($answer), 400, 'a length that is no number';
	$answer = $worker->ask(parameters(POST => '/cart/add', %form,
	    CONTENT_LENGTH => 3), 'book_id=1');
	is status($answer), 400, 'another length than the body has';
	$answer = $worker->ask(parameters(POST => '/cart/add', %form),
	    "book_id=1\0&quantity=1");
	ok status($answer) >= 400 && status($answer) < 500, 'a NUL in it';
	$answer = $worker->ask(parameters(POST => '/cart/add', %form),
	    'book_id=1&quantity=1');
	is status($answer), 403, 'a whole one, from nowhere';
};

subtest 'TERM in mid-request, and a kept connection' => sub {
	my $worker = start('books');
	my ($pid) = $worker->pids;
	my $c = $worker->connection;
	my $bytes = request(parameters(GET => '/books'), '', keep => 1);

	$c->send(substr $bytes, 0, 100);
	sleep 0.2;
	kill 'TERM', $pid;
	sleep 0.2;
	$c->send(substr $bytes, 100);
	is status($c->answer(5)), 200, 'the request is answered';
	$c->close;
	is $worker->wait_for($pid), 0, 'the worker leaves';
};

is scalar(grep { !$_->stop } @started), 0, 'every worker leaves in peace';
is join('', map { $_->said } @started), '', 'they said nothing';
site_stop();
done_testing;
