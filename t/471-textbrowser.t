#!/usr/bin/perl
# A reader's journey in w3m: the forms are found, filled in and sent by keys,
# as somebody would who has no other browser.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8 encode_utf8);
use File::Path qw(make_path);
use File::Temp ();
use IPC::Open2;
use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Reader;
use Seoga::Test;

for my $program (qw(w3m script)) {
	plan skip_all => "$program is not installed"
	    if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

site_start();
seoga_ok('migrate', '--sample');
sql("UPDATE books SET stock_quantity = 20 WHERE title LIKE 'Pride and%'");

my $home = File::Temp->newdir('seoga-w-XXXXXX', DIR => '/tmp');
my $folder = ($ENV{SEOGA_TEST_ARTEFACTS} //
    "$ENV{SEOGA_BUILD}/var/artefacts") . '/w3m';
eval { make_path($folder) };
my ($pages, $seen) = (0, '');
my ($w3m_screen, $w3m_keys);
my $pid = start_w3m();

sub start_w3m {
	local @ENV{qw(HOME TERM LC_ALL)} = ("$home", 'vt100', 'C.UTF-8');

	return open2($w3m_screen, $w3m_keys, 'script', '-qfec',
	    'stty rows 50 cols 80; exec w3m -cookie -o accept_language=en'
	    . ' -o use_history=0 -o confirm_qq=0 -o display_image=0 '
	    . url('/'), '/dev/null');
}

$w3m_keys->autoflush(1);

# Somebody has to take what w3m paints, or it stops.
my $painter = fork() // die;
if (!$painter) {
	1 while sysread $w3m_screen, my $buffer, 65536;
	POSIX::_exit(0);
}

sub press {
	my ($keys) = @_;

	print {$w3m_keys} encode_utf8($keys);
	sleep 0.1;
}

# The page as w3m shows it: saved with its own command.
sub page {
	my $file = "$home/page." . ++$pages;

	press("S\x15$file\r");
	await(5, sub { -s $file });
	sleep 0.05;
	return $seen = decode_utf8(slurp($file));
}

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

# Types into the next field, and goes to what comes after it.
sub fill {
	my ($text) = @_;

	press("\r");
	press("\x15$text\r");
}

my $password = 'ten green bottles';

shows(qr/Books on our shelves/, 'home');
my $first = (split /\n\s*\n/, $seen)[0];
like $first, qr/^Skip to content/, 'a way past the header';
like $seen, qr/• Cart\n +• Sign in/, 'the menu is a list';
unlike $seen, qr/\[IMG\]|\.svg|\[cover/i, 'no noise of pictures';
like $seen, qr/₩[\d,]+ In stock/, 'what is in stock is said';

follow('Sign in');
shows(qr/Not a member yet\?/, 'sign in');
follow('Not a member yet', 'Register');
shows(qr/Already a member/, 'register');
to('Register', 'Username');
press("\t");
fill('w3m.reader');
press("\t");
fill('Text Reader');
press("\t");
fill($password);
press("\t");
fill('something else');
press("\t\r");
shows(qr/There is a problem.*The two passwords are not the same/s,
    'a mistake is told');
like $seen, qr/\[w3m\.reader *\]/, 'and what was typed is kept';
to('Password$');
press("\t");
fill($password);
press("\t");
fill($password);
press("\t\r");
shows(qr/Your account is ready and you are signed in/, 'registered');

to('Search books');
press("\t");
fill('pride and');
press("\t\r");
shows(qr/Search for “pride and”/, 'searched');
follow('Pride and Prejudice');
shows(qr/Elizabeth Bennet/, 'a book');
to('Quantity');
press("\t");
fill('2');
press("\t\r");
shows(qr/The book is in your cart.*Pride and Prejudice.*Total/s, 'added');
like $seen, qr/Cart 1/, 'counted above';

follow('Sign out');
shows(qr/You are signed out/, 'signed out');
follow('Cart');
shows(qr/There is nothing in your cart/, 'an empty cart');
follow('Sign in');
shows(qr/Not a member yet/, 'sign in again');
to('Sign in', 'Username');
press("\t");
fill('w3m.reader');
press("\t");
fill($password);
press("\t\t\r");
shows(qr/You are signed in\..*Pride and Prejudice/s, 'the cart was kept');
like $seen, qr/Quantity.*\[2 *\]/, 'with both copies';

follow('한국어');
shows(qr/장바구니.*Pride and Prejudice/s, 'in Korean');
unlike $seen, qr/Total|Quantity/, 'all of it';
follow('English');
shows(qr/Total/, 'and back');

press('Q');
close $w3m_keys;
waitpid $_, 0 for $pid, $painter;
site_stop();
done_testing();
