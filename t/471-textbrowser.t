#!/usr/bin/perl
# A reader's journey in w3m: the forms are found, filled in and sent by keys,
# as somebody would who has no other browser.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Test;
use Seoga::W3m;

plan skip_all => Seoga::W3m::missing() if Seoga::W3m::missing();

site_start();
seoga_ok('migrate', '--sample');
sql("UPDATE books SET stock_quantity = 20 WHERE title LIKE 'Pride and%'");

w3m_start('/');
my $password = 'ten green bottles';

shows(qr/Books on our shelves/, 'home');
my $first = (split /\n\s*\n/, seen())[0];
like $first, qr/^Skip to content/, 'a way past the header';
like seen(), qr/• Cart\n +• Sign in/, 'the menu is a list';
unlike seen(), qr/\[IMG\]|\.svg|\[cover/i, 'no noise of pictures';
like seen(), qr/₩[\d,]+ In stock/, 'what is in stock is said';

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
like seen(), qr/\[w3m\.reader *\]/, 'and what was typed is kept';
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
like seen(), qr/Cart 1/, 'counted above';

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
like seen(), qr/Quantity.*\[2 *\]/, 'with both copies';

follow('한국어');
shows(qr/장바구니.*Pride and Prejudice/s, 'in Korean');
unlike seen(), qr/Total|Quantity/, 'all of it';
follow('English');
shows(qr/Total/, 'and back');

w3m_stop();
site_stop();
done_testing();
