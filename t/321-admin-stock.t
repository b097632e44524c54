#!/usr/bin/perl
# /admin/books/ID/stock: setting, adding, taking away, and the history of it.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my $kim = staff('librarian', 'kim');
my $url = '/admin/books/1102/stock';

sub stock { return sql('SELECT stock_quantity FROM books WHERE id = 1102') + 0 }

sub change {
	my ($change, $copies, $note) = @_;

	$kim->get($url);
	return $kim->send($url, change => $change, copies => $copies,
	    note => $note // 'because');
}

sql('UPDATE books SET stock_quantity = 10 WHERE id = 1102');

subtest 'who may' => sub {
	only_for('librarian', '/admin/books/1/stock', $url);
};

subtest 'changes' => sub {
	change(add => 5, '새로 <b>들어옴</b>');
	is $kim->status, 303, 'adding';
	is stock(), 15, 'adds';
	is $kim->follow->status, 200, 'and shows it';
	like $kim->text, qr/Copies: 15/, 'at once';
	like $kim->text, qr{새로 <b>들어옴</b>}, 'with the reason, as text';
	like $kim->text, qr/\+5 → 15/, 'in the history';
	change(subtract => 3);
	is stock(), 12, 'taking away';
	change(set => 40);
	is stock(), 40, 'counting';
	is_deeply changes_of(book => 1102), [('kim book.stock') x 3],
	    'all in the log';
	like sql('SELECT changes FROM audit WHERE object_id = 1102
	    ORDER BY id DESC LIMIT 1'),
	    qr/"stock_quantity":\[12,40\].*"note":\[null,"because"\]/,
	    'with before, after and reason';
	is sql('SELECT GROUP_CONCAT(delta, " ", stock_after, " ", reason
	    ORDER BY id) FROM stock_changes WHERE book_id = 1102'),
	    "5 15 added,-3 12 taken,28 40 set\n", 'and in the history';
	change(set => 40);
	is scalar(@{changes_of(book => 1102)}), 3,
	    'a count that was right changes nothing';
	is sql('SELECT version FROM books WHERE id = 1102'), "1\n",
	    'facts are not touched';
	like Seoga::Reader::get(Seoga::Reader->new, '/books/1102')->html,
	    qr/max="40"/, 'readers see it at once';
};

subtest 'mistakes' => sub {
	for (['add', ''], ['add', 'many'], ['add', -1], ['add', 1000001],
	    ['', 1], ['steal', 1], ['add', 1, ''], ['add', 1, 'x' x 201]) {
		my ($change, $copies, $note) = @$_;
		change($change, $copies, $note);
		is $kim->status, 400, "refused: '$change' $copies";
		like $kim->html, qr/class="wrong"/, 'words beside the field';
	}
	change(subtract => 41, 'too many');
	is $kim->status, 409, 'more than there are';
	like $kim->html, qr{id="e-copies">There are only 40}, 'says how many';
	is $kim->form($url)->{copies}, 41, 'what was typed stays';
	is $kim->form($url)->{change}, 'subtract', 'what was chosen, too';
	change(add => 1000000);
	is $kim->status, 409, 'more than a book can have';
	is stock(), 40, 'nothing has changed';
	is $kim->get('/admin/books/9999999/stock')->status, 404, 'no book';
};

subtest 'sold while it was counted' => sub {
	my $reader = Seoga::Reader->new;

	$kim->get($url);
	$reader->register;
	$reader->add(1102, 2);
	ok $reader->order, 'ordered';
	is stock(), 38, 'in the meantime';
	$kim->send($url, change => 'set', copies => 39, note => 'counted');
	is $kim->status, 409, 'an older count';
	like $kim->html, qr{id="e-copies">There were 40 .* now there are 38},
	    'says what has changed';
	like $kim->text, qr/Ordered .*-2 → 38/, 'and why';
	is $kim->form($url)->{copies}, 39, 'what was typed stays';
	is $kim->form($url)->{note}, 'counted', 'with the reason';
	is stock(), 38, 'nothing is changed';
	$kim->send($url, copies => 37);
	is $kim->status, 303, 'the number of now';
	is stock(), 37, 'is taken';
	$kim->get($url);
	$kim->send($url, change => 'add', copies => 3, note => 'x', seen => 3);
	is $kim->status, 303, 'adding does not depend on it';
	$kim->get($url);
	$kim->send($url, change => 'set', copies => 40, note => 'x', seen => 3);
	is $kim->status, 303, 'nor what is right already';
};

subtest 'sent twice' => sub {
	$kim->get($url);
	my %form = (%{$kim->form($url)}, change => 'add', copies => 1,
	    note => 'double click');

	is_deeply [at_once((sub { $kim->post($url, \%form)->status }) x 6)],
	    [(303) x 6], 'each is answered';
	is stock(), 41, 'it counts once';
	is $kim->post($url, { %form, copies => 2 })->status, 422,
	    'with another number it is not the same';
	is stock(), 41, 'nothing is changed';
	change(add => 1);
	is stock(), 42, 'another form counts again';
};

subtest 'several at once' => sub {
	my @people = map { staff('librarian') } 1 .. 4;

	at_once(map { my $one = $_; sub {
		for (1 .. 10) {
			$one->get($url);
			$one->send($url, change => 'add', copies => 3,
			    note => 'race');
			$one->get($url);
			$one->send($url, change => 'subtract', copies => 2,
			    note => 'race');
		}
		return '';
	} } @people);
	is stock(), 42 + 40, 'none is lost';
	is sql("SELECT SUM(delta) FROM stock_changes WHERE book_id = 1102")
	    + 0, 82 - 10, 'the history sums up to it';
};

subtest 'withdrawn' => sub {
	sql('UPDATE books SET withdrawn_at = UTC_TIMESTAMP() WHERE id = 1102');
	change(set => 1, 'the last');
	is stock(), 1, 'its copies can still be counted';
};

site_stop();
done_testing();
