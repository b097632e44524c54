# Seoga::Reader -- one reader with a browser of the simplest kind: cookies,
# links, and forms filled in and sent as the page in hand offers them.
#
#	my $reader = Seoga::Reader->new(lang => 'en');
#	$reader->get('/books/1101');
#	$reader->submit('/cart/add', quantity => 2);	# follows the redirect
#	like $reader->text, qr/in your cart/;
package Seoga::Reader;

use strict;
use warnings;

use Encode ();
use HTML::Entities ();
use HTML::Form;
use HTTP::Tiny;
use Seoga::Test qw(url);
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

# lang: Accept-Language; headers: sent with each request.
sub new {
	my ($class, %option) = @_;
	my $self = bless {
		cookies => {}, set_cookies => [],
		headers => {
			'Accept' => 'text/html',
			'Accept-Language' => $option{lang} // 'en',
			%{$option{headers} // {}},
		},
	}, $class;

	return $self;
}

sub get {
	my ($self, $path, %header) = @_;

	return $self->ask(get => $path, headers => \%header);
}

# A form's fields, sent just as they are; no redirect is followed.
sub post {
	my ($self, $path, $fields, %header) = @_;

	return $self->ask(post => $path, headers => {
		'Content-Type' => 'application/x-www-form-urlencoded',
		%header }, content => ref $fields ?
	    HTTP::Tiny->new->www_form_urlencode($fields) : $fields);
}

# One request; the answer is the page in hand.
sub ask {
	my ($self, $method, $path, %request) = @_;
	my $cookies = join '; ',
	    map { "$_=$self->{cookies}{$_}" } sort keys %{$self->{cookies}};
	my %headers = (%{$self->{headers}},
	    $cookies ne '' ? (Cookie => $cookies) : (),
	    %{delete $request{headers} // {}});

	delete $headers{$_} for grep { !defined $headers{$_} } keys %headers;
	my $agent = HTTP::Tiny->new(max_redirect => 0, timeout => 30,
	    keep_alive => 0, agent => delete $headers{'User-Agent'} //
	    'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0');
	$self->{answer} = $agent->request(uc $method, url($path),
	    { %request, headers => \%headers });
	$self->{path} = $path;
	$self->_keep_cookies;
	return $self;
}

sub _keep_cookies {
	my ($self) = @_;
	my $set = $self->{answer}{headers}{'set-cookie'} // [];

	$self->{set_cookies} = ref $set ? $set : [$set];
	for (@{$self->{set_cookies}}) {
		my ($name, $value) = /^([^=]+)=([^;]*)/ or next;
		$self->{cookies}{$name} = $value;
		delete $self->{cookies}{$name} if /;\s*Max-Age=(?:0|-)/i;
	}
}

# The cookie that the last answer set, whole; undef for none.
sub set_cookie {
	my ($self, $name) = @_;

	return (grep { /^\Q$name\E=/ } @{$self->{set_cookies}})[0];
}

# Fills in a form of the page in hand and sends it; follows the redirect.
# Where several forms go to the same place, where => {name => value} tells
# which one; names that the form does not have are added to it.
sub submit {
	my ($self, $action, %values) = @_;

	return $self->send($action, %values)->follow;
}

sub send {
	my ($self, $action, %values) = @_;
	my $form = $self->form($action, delete $values{where});

	if (!defined $form) {
		fail "there is a form for $action on $self->{path}";
		return $self;
	}
	return $self->post($action, { %$form, %values });
}

# The fields of a form of the page in hand, as a browser would send them.
sub form {
	my ($self, $action, $where) = @_;

	FORM: for my $form (HTML::Form->parse($self->html, url('/'))) {
		next if $form->action->path ne $action;
		my %fields = $form->form;
		for (keys %{$where // {}}) {
			next FORM if ($fields{$_} // '') ne $where->{$_};
		}
		return \%fields;
	}
	return undef;
}

sub follow {
	my ($self) = @_;

	for (1 .. 5) {
		return $self if $self->status !~ /^30[1238]$/;
		$self->get($self->header('location'));
	}
	fail 'a chain of redirects ends';
	return $self;
}

sub status { return $_[0]{answer}{status} }

sub header {
	my ($self, $name) = @_;
	my $value = $self->{answer}{headers}{lc $name};

	return ref $value ? join ', ', @$value : $value;
}

sub bytes { return $_[0]{answer}{content} }

sub html { return Encode::decode('UTF-8', $_[0]->bytes) }

# What a person reads: no markup, one blank between words.
sub text {
	my ($self) = @_;
	my $html = $self->html =~ s{<head>.*?</head>}{}sr;

	$html = HTML::Entities::decode_entities($html =~ s/<[^>]*>/ /gr);
	return $html =~ s/\s+/ /gr;
}

sub trace { return $_[0]->header('x-request-id') }

# --- what most tests do ---

my $number = 0;
my $password = 'a long enough password';

# Registers somebody new; gives the user name.
sub register {
	my ($self, %values) = @_;
	my $username = $values{username} // "reader$$." . ++$number;

	$self->get('/register');
	$self->submit('/register', username => $username,
	    name => 'A Reader', password => $password,
	    password2 => $password, %values);
	is $self->status, 200, "$username registers"
	    or diag $self->text;
	return $username;
}

sub login {
	my ($self, $username, %values) = @_;

	$self->get('/login');
	return $self->submit('/login', username => $username,
	    password => $password, %values);
}

sub logout {
	my ($self) = @_;

	return $self->submit('/logout');
}

sub add {
	my ($self, $book, $quantity) = @_;

	$self->get("/books/$book");
	return $self->submit('/cart/add', quantity => $quantity // 1);
}

# Orders what is in the cart; gives the order's number.
sub order {
	my ($self, %values) = @_;

	$self->get('/checkout');
	$self->submit('/checkout', recipient => 'A Reader',
	    phone => '010-1234-5678', postcode => '03925',
	    address => '12 Worldcup-ro, Mapo-gu, Seoul', %values);
	my ($number) = $self->{path} =~ m{^/orders/([0-9]+-[0-9A-Z]+)$};
	ok defined $number, 'an order' or diag $self->text;
	return $number;
}

sub signed_in {
	my ($self) = @_;

	$self->get('/account');
	return $self->status == 200;
}

# The cart's lines: book id -> quantity.
sub cart {
	my ($self) = @_;

	$self->get('/cart');
	return { map { my %f = $_->form; $f{book_id} => $f{quantity} }
	    grep { $_->action->path eq '/cart/set' }
	    HTML::Form->parse($self->html, url('/')) };
}

1;
