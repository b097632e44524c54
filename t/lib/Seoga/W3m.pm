# Seoga::W3m -- a reader at a terminal: w3m, whose forms are found, filled in
# and sent by keys, as somebody would who has no other browser.
package Seoga::W3m;

use strict;
use warnings;

use Encode qw(decode_utf8 encode_utf8);
use Exporter qw(import);
use File::Path qw(make_path);
use File::Temp ();
use IPC::Open2;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Test;

our @EXPORT = qw(w3m_start w3m_stop w3m_go press page shows seen to follow fill
    next_fields);

my ($home, $folder, $screen, $keys, $pid, $painter);
my ($pages, $seen) = (0, '');

# Why it cannot be; "" if it can.
sub missing {
	for my $program (qw(w3m script)) {
		return "$program is not installed"
		    if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
	}
	return '';
}

# Opens a path of the site.  The pages are kept in a folder w3m beside the
# pictures of other browsers.
sub w3m_start {
	my ($path) = @_;

	$home = File::Temp->newdir('seoga-w-XXXXXX', DIR => '/tmp');
	$folder = ($ENV{SEOGA_TEST_ARTEFACTS} //
	    "$ENV{SEOGA_BUILD}/var/artefacts") . '/w3m';
	eval { make_path($folder) };
	local @ENV{qw(HOME TERM LC_ALL)} = ("$home", 'vt100', 'C.UTF-8');
	$pid = open2($screen, $keys, 'script', '-qfec',
	    'stty rows 50 cols 80; exec w3m -cookie -o accept_language=en'
	    . ' -o use_history=0 -o confirm_qq=0 -o display_image=0 '
	    . url($path), '/dev/null');
	$keys->autoflush(1);
	# Somebody has to take what w3m paints, or it stops.
	$painter = fork() // die "fork: $!\n";
	return if $painter;
	1 while sysread $screen, my $buffer, 65536;
	POSIX::_exit(0);
}

sub w3m_stop {
	press('Q');
	close $keys;
	waitpid $_, 0 for $pid, $painter;
}

sub press {
	my ($text) = @_;

	print {$keys} encode_utf8($text);
	sleep 0.1;
}

# Goes to a path of the site as by typing its address.
sub w3m_go {
	my ($path) = @_;

	press("U\x15" . url($path) . "\r");
}

# The page as w3m shows it: saved with its own command.
sub page {
	my $file = "$home/page." . ++$pages;

	press("S\x15$file\r");
	await(5, sub { -s $file });
	sleep 0.05;
	return $seen = decode_utf8(slurp($file));
}

# The last page saved.
sub seen { return $seen }

# Until the page shows it, and then keeps a copy of that page.
sub shows {
	my ($pattern, $name) = @_;

	my $found = await(10, sub { page() =~ $pattern });
	ok $found, $name or diag $seen;
	(my $file = $name) =~ s/\W+/-/g;
	spew("$folder/$file.txt", encode_utf8($seen)) if -w $folder;
}

# The cursor on the first place with these words below another one.
sub to {
	my (@words) = @_;

	press('g');
	press("/$_\r") for @words;
}

sub follow {
	to(@_);
	press("\r");
}

# Types into the field under the cursor.
sub fill {
	my ($text) = @_;

	press("\r");
	press("\x15$text\r");
}

# Types into the next fields, one after another.
sub next_fields {
	for my $text (@_) {
		press("\t");
		fill($text);
	}
}

1;
