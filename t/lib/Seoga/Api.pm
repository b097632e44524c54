# Seoga::Api -- a client of the JSON API that believes doc/openapi.yaml: each
# answer must be one that the file describes.
#
#	use Seoga::Api;
#	api_open();
#	my $token = member('kim');
#	my $answer = call('addToCart', token => $token,
#	    json => { book_id => 7 });
#	is $answer->{json}{quantity}, 1;
#
# call() is a test of its own: status, content type, headers and body must be
# as described.
package Seoga::Api;

use strict;
use warnings;

use Exporter qw(import);
use HTTP::Tiny;
use IPC::Open2 qw(open2);
use JSON::PP ();
use Seoga::Test qw(http);
use Test::More;

our @EXPORT = qw(api_open api_mistakes api_document operations operation
    call described_as as_described header seen not_called member login_of
    fails);

my $top = $ENV{SEOGA_SRCDIR};
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my ($to, $from, $document, $mistakes, %operation, %seen);

# Starts the checker with a file, doc/openapi.yaml unless told otherwise.
sub api_open {
	my ($file) = @_;

	$file //= "$top/doc/openapi.yaml";
	# Debian's own python3, whatever else is in the PATH.
	open2($from, $to, '/usr/bin/python3', '-B', "$top/t/lib/openapi.py",
	    $file);
	my $line = <$from> // die "the checker of OpenAPI does not run\n";
	my $first = $json->decode($line);
	($document, $mistakes) = @$first{qw(document mistakes)};
	%operation = ();
	for my $path (sort keys %{$document->{paths}}) {
		my $item = $document->{paths}{$path};
		for my $method (qw(get post put delete)) {
			my $it = $item->{$method} or next;
			$operation{$it->{operationId}} = { %$it,
			    path => $path, method => $method };
		}
	}
}

sub api_mistakes { return $mistakes }

sub api_document { return $document }

sub operations { return sort keys %operation }

sub operation {
	my ($id) = @_;

	return $operation{$id} // die "there is no operation $id\n";
}

# What is wrong with a value.
sub schema_errors {
	my ($schema, $value) = @_;

	print $to $json->encode({ schema => $schema, value => $value }), "\n";
	$to->flush;
	my $line = <$from> // die "the checker of OpenAPI has gone\n";
	my $wrong = eval { $json->decode($line) };
	return $wrong ? @$wrong : die "the checker of OpenAPI said: $line\n";
}

sub resolved {
	my ($value) = @_;
	my $ref = $value->{'$ref'} // return $value;
	my $target = $document;

	for my $part (split m{/}, $ref =~ s{^#/}{}r) {
		$target = $target->{$part =~ s{~1}{/}gr};
	}
	return $target;
}

sub header {
	my ($answer, $name) = @_;
	my $value = $answer->{headers}{lc $name};

	return ref $value ? join(', ', @$value) : $value;
}

# One request of an operation:
#	id => path parameter; query => 'a=b'; token => bearer;
#	json => value, or content => bytes with type => content type;
#	headers => {...}; method => another one than the operation's
sub call {
	my ($id, %ask) = @_;
	my $op = operation($id);
	my $method = $ask{method} // $op->{method};
	my $answer = http($method, path_of($op, %ask), request_of(%ask));
	my $status = $answer->{status};
	my $response = $op->{responses}{$status};

	$answer->{content} //= '';
	$answer->{json} = $json->decode($answer->{content})
	    if ($answer->{headers}{'content-type'} // '') =~ /json/ &&
	    $answer->{content} ne '';
	if (!$response) {
		$response = '#/components/responses/MethodNotAllowed'
		    if $status == 405 && $method ne $op->{method};
		$response = $response && { '$ref' => $response };
	}
	$seen{$id}{$status}++ if $method eq $op->{method};
	described_as("$method $op->{path} $status", $answer, $response,
	    $method eq 'head');
	return $answer;
}

sub path_of {
	my ($op, %ask) = @_;
	my $path = $op->{path} =~ s/\{id\}/$ask{id} \/\/ 7/er;

	return defined $ask{query} ? "$path?$ask{query}" : $path;
}

sub request_of {
	my (%ask) = @_;
	my %header = %{$ask{headers} // {}};
	my $content = $ask{content};

	$header{Authorization} = "Bearer $ask{token}" if defined $ask{token};
	if (exists $ask{json}) {
		$content = $json->encode($ask{json});
		$header{'Content-Type'} //= 'application/json';
	}
	$header{'Content-Type'} = $ask{type} if defined $ask{type};
	return { headers => \%header,
	    defined $content ? (content => $content) : () };
}

# A test: the answer is one of that response, an object or a component's name.
sub described_as {
	my ($name, $answer, $response, $headless) = @_;
	my @wrong = $response ? as_described($answer, $response, $headless)
	    : ('this status is not described');

	ok !@wrong, "$name, as described"
	    or diag join "\n", @wrong, $answer->{content} // '';
}

sub as_described {
	my ($answer, $response, $headless) = @_;

	$response = resolved(ref $response ? $response :
	    { '$ref' => "#/components/responses/$response" });
	return (wrong_headers($answer, $response),
	    $headless ? () : wrong_content($answer, $response),
	    wrong_problem($answer));
}

sub wrong_headers {
	my ($answer, $response) = @_;
	my @wrong;

	for my $name (sort keys %{$response->{headers}}) {
		my $header = resolved($response->{headers}{$name});
		my $value = header($answer, $name);
		if (!defined $value) {
			push @wrong, "$name is missing" if $header->{required};
			next;
		}
		push @wrong, map { "$name: $_" }
		    schema_errors($header->{schema}, $value);
	}
	return @wrong;
}

sub wrong_content {
	my ($answer, $response) = @_;
	my $type = $answer->{headers}{'content-type'};
	my $media = $response->{content};

	if (!$media) {
		return $answer->{content} eq '' ? () : ('there is a body');
	}
	my ($expected) = keys %$media;
	return "the type is " . ($type // 'none')
	    if ($type // '') ne "$expected; charset=utf-8";
	return schema_errors($media->{$expected}{schema}, $answer->{json});
}

# A problem repeats what the head says, and leaks nothing.
sub wrong_problem {
	my ($answer) = @_;
	my $problem = $answer->{json};
	my @wrong;

	return if $answer->{status} < 400 || !$problem;
	push @wrong, "status $problem->{status} in the body"
	    if $problem->{status} != $answer->{status};
	push @wrong, 'another request id in the body'
	    if $problem->{request_id} ne header($answer, 'x-request-id');
	push @wrong, 'the body names something of the inside'
	    if $answer->{content} =~ /\.c:\d|SELECT |HGETALL|mysql/;
	return @wrong;
}

# The statuses that an operation has given so far.
sub seen {
	my ($id) = @_;

	return sort keys %{$seen{$id} // {}};
}

# Operations that have not succeeded yet.
sub not_called {
	return grep { !grep { /^2/ } seen($_) } operations();
}

# --- members ---

my $password = 'a password for tests';

# Registers one; gives a token.
sub member {
	my ($username) = @_;

	call('register', json => { username => $username, name => 'Test',
	    password => $password });
	return login_of($username);
}

sub login_of {
	my ($username, %more) = @_;

	return call('login', json => { username => $username,
	    password => $password, %more })->{json}{token};
}

# A test: the call is refused with that status; gives the answer.
sub fails {
	my ($status, $why, $id, %ask) = @_;
	my $answer = call($id, %ask);

	is $answer->{status}, $status, "$id: $why: $status";
	return $answer;
}

1;
