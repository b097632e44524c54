# Seoga::Chromium -- a real browser without a screen and with script off,
# driven through chromedriver by the WebDriver protocol (W3C), plain HTTP.
package Seoga::Chromium;

use strict;
use warnings;

use File::Temp ();
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8;

# Why there is no browser here; "" if there is one.
sub missing {
	for my $program (qw(chromedriver chromium)) {
		return "$program is not installed"
		    if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
	}
	return '';
}

# lang: what the browser asks for, "ko-KR,ko".
sub new {
	my ($class, %option) = @_;
	my $self = bless { folder => File::Temp->newdir(
	    'seoga-c-XXXXXX', DIR => '/tmp'),
	    http => HTTP::Tiny->new(timeout => 60) }, $class;

	$self->_start_driver;
	$self->_start_session($option{lang});
	return $self;
}

# On a port of our choice: its own (--port=0) needs IPv6.  Somebody else may
# take that port in between, so this is tried again.
sub _start_driver {
	my ($self) = @_;
	my $folder = "$self->{folder}";

	for (1 .. 5) {
		my $port = IO::Socket::INET->new(Listen => 1,
		    LocalAddr => '127.0.0.1')->sockport;
		$self->{pid} = open $self->{output}, '-|', 'env',
		    "HOME=$folder", "TMPDIR=$folder", 'chromedriver',
		    "--port=$port" or die "chromedriver: $!\n";
		while (defined(my $line = readline $self->{output})) {
			next if $line !~ /started successfully on port $port/;
			$self->{base} = "http://127.0.0.1:$port/session";
			return;
		}
		close $self->{output};
	}
	delete $self->{pid};
	die "chromedriver did not start\n";
}

sub _start_session {
	my ($self, $lang) = @_;
	my $session = $self->_ask(POST => '', { capabilities => {
	    alwaysMatch => { 'goog:chromeOptions' => {
		args => ['--headless=new', '--no-sandbox', '--disable-gpu',
		    '--disable-dev-shm-usage', '--hide-scrollbars',
		    '--no-first-run', '--disable-extensions',
		    '--disable-background-networking',
		    "--user-data-dir=$self->{folder}/profile"],
		prefs => { 'profile.managed_default_content_settings'
		    . '.javascript' => 2,
		    'intl.accept_languages' => $lang },
	    } } } });

	$self->{session} = "/$session->{sessionId}";
}

# One WebDriver command; gives its value, dies on an error.
sub _ask {
	my ($self, $method, $path, $body) = @_;
	my $answer = $self->{http}->request($method,
	    $self->{base} . ($self->{session} // '') . $path,
	    $method eq 'POST' ? { content => $json->encode($body // {}),
	    headers => { 'Content-Type' => 'application/json' } } : {});
	my $value = eval { $json->decode($answer->{content})->{value} };

	die "WebDriver, $path: $answer->{content}\n" if !$answer->{success};
	return $value;
}

# A command of the DevTools protocol, for what WebDriver cannot do.
sub devtools {
	my ($self, $command, %parameters) = @_;

	return $self->_ask(POST => '/goog/cdp/execute',
	    { cmd => $command, params => \%parameters });
}

sub size {
	my ($self, $width, $height) = @_;

	$self->devtools('Emulation.setDeviceMetricsOverride',
	    width => $width, height => $height, deviceScaleFactor => 1,
	    mobile => $width < 600 ? JSON::PP::true : JSON::PP::false);
}

# light or dark, screen or print
sub look {
	my ($self, $scheme, $media) = @_;

	$self->devtools('Emulation.setEmulatedMedia', media => $media // '',
	    features => [{ name => 'prefers-color-scheme',
	    value => $scheme }]);
}

# How wide the page is; more than the window means scrolling sideways.
sub width {
	my ($self) = @_;

	return $self->devtools('Page.getLayoutMetrics')
	    ->{cssContentSize}{width};
}

sub open { $_[0]->_ask(POST => '/url', { url => $_[1] }) }

sub url { return $_[0]->_ask(GET => '/url') }

sub title { return $_[0]->_ask(GET => '/title') }

sub back { $_[0]->_ask(POST => '/back') }

# All cookies of the page's site.
sub forget { $_[0]->_ask(DELETE => '/cookie') }

sub refresh { $_[0]->_ask(POST => '/refresh') }

# Elements by CSS, within the page.
sub find {
	my ($self, $css) = @_;

	return map { values %$_ } @{$self->_ask(POST => '/elements',
	    { using => 'css selector', value => $css })};
}

sub _one {
	my ($self, $css) = @_;
	my ($element) = $self->find($css);

	die "there is no $css on ", $self->url, "\n" if !defined $element;
	return $element;
}

# What a person sees of it.
sub text {
	my ($self, $css) = @_;

	return $self->_ask(GET => '/element/' . $self->_one($css // 'body')
	    . '/text');
}

sub click {
	my ($self, $css) = @_;

	$self->_ask(POST => '/element/' . $self->_one($css) . '/click');
}

# Clicks on what leads to another page, and waits for that.
sub follow {
	my ($self, $css) = @_;

	$self->_leave($self->_one($css));
}

sub _leave {
	my ($self, $element) = @_;
	my $page = $self->_one('html');
	my $end = time + 20;

	$self->_ask(POST => "/element/$element/click");
	while (time < $end) {
		my ($now) = eval { $self->find('html') };
		return if defined $now && $now ne $page;
		sleep 0.05;
	}
	die "the click leads nowhere from ", $self->url, "\n";
}

# The same for the link with these words.
sub follow_link {
	my ($self, $words) = @_;
	my ($link) = map { values %$_ } @{$self->_ask(POST => '/elements',
	    { using => 'link text', value => $words })};

	die "there is no link \"$words\" on ", $self->url, "\n" if !$link;
	$self->_leave($link);
}

sub type {
	my ($self, $css, $text) = @_;
	my $element = $self->_one($css);

	$self->_ask(POST => "/element/$element/clear");
	$self->_ask(POST => "/element/$element/value", { text => "$text" });
}

# The whole page, also what is below the window's edge, as PNG.
sub screenshot {
	my ($self, $file) = @_;
	my $picture = $self->devtools('Page.captureScreenshot',
	    format => 'png', captureBeyondViewport => JSON::PP::true);

	CORE::open my $out, '>', $file or die "$file: $!\n";
	binmode $out;
	print $out decode_base64($picture->{data});
	close $out or die "$file: $!\n";
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $@);

	return if !$self->{pid};
	eval { $self->_ask(DELETE => '') } if $self->{session};
	kill 'TERM', $self->{pid};
	close $self->{output};
}

1;
