#!/usr/bin/perl
# /admin/audit: who changed what.
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
my $lee = staff('admin', 'lee');
my $url = '/admin/audit';

sub entries {
	return scalar(() = $lee->html =~ /<h2>/g);
}

subtest 'who may' => sub {
	only_for('librarian', '/admin/audit');
	like $lee->get($url)->text, qr/No change is like this/, 'empty yet';
};

subtest 'entries' => sub {
	$kim->get('/admin/books/1432');
	$kim->send('/admin/books/1432', title => '<b>New</b>', price => 500,
	    category_id => 13, publisher => '');
	my $trace = $kim->trace;
	$kim->get('/admin/books/1432/stock');
	$kim->send('/admin/books/1432/stock', change => 'set', copies => 77,
	    note => 'counted & checked');
	$lee->get('/admin/categories/12');
	$lee->send('/admin/categories/12', where => { version => 1 },
	    parent_id => 2);
	my $id = user_id('kim');
	$lee->get("/admin/users/$id");
	$lee->send("/admin/users/$id", where => { act => 'lock' });
	$lee->get("/admin/users/$id");
	$lee->send("/admin/users/$id", where => { act => 'unlock' });
	$lee->get($url);

	is entries(), 5, 'all are there';
	like $lee->text, qr/Account unlocked.*Account locked.*Category edited.*Stock changed.*Book edited/,
	    'the latest first';
	like $lee->html, qr{Book edited: <a href="/admin/books/1432">&lt;b&gt;New&lt;/b&gt;</a>},
	    'a link to the book, its title as text';
	like $lee->html, qr{<span>Title</span> <del>Pride and Prejudice</del> <ins>&lt;b&gt;New&lt;/b&gt;</ins>},
	    'before and after';
	like $lee->html, qr{<span>Price</span> <del>₩11,300</del> <ins>₩500</ins>},
	    'money as money';
	like $lee->html, qr{<span>Category</span> <del>Literature / World fiction</del> <ins>Literature / Korean poetry</ins>},
	    'categories by name';
	like $lee->html, qr{<span>Within</span> <del>Literature</del> <ins>History</ins>},
	    'also of a category';
	like $lee->html, qr{<span>Locked</span> <del>No</del> <ins>Yes</ins>},
	    'a lock';
	like $lee->text, qr/Reason counted & checked/, 'a reason';
	like $lee->html, qr{<code>\Q$trace\E</code>}, 'the request of it';
	unlike $lee->html, qr/version/i, 'nothing of the inside';
	for my $link ($lee->html =~ m{<h2>[^<]*<a href="([^"]+)"}g) {
		is $lee->get($link)->status, 200, "$link leads somewhere";
	}
};

subtest 'filters' => sub {
	for (['actor=kim', 2], ['actor=KIM', 2], ['actor=lee', 3],
	    ['actor=nobody', 0], ['actor=%ED%95%9C', 0], ['actor=%27', 0],
	    ['what=book', 2], ['what=user&actor=lee', 2],
	    ['what=book&id=1432', 2], ['what=book&id=1', 0],
	    ['what=nothing', 0], ['actor=system', 0]) {
		my ($query, $count) = @$_;
		$lee->get("$url?$query");
		is $lee->status, 200, $query;
		is entries(), $count, "$count of them";
	}
	for (['what=book.edit', 1], ['what=book.stock&actor=kim', 1],
	    ['what=user.lock', 1], ['what=.', 0], ['what=book.edit&id=1', 0]) {
		my ($query, $count) = @$_;
		is $lee->get("$url?$query")->status, 200, $query;
		is entries(), $count, "$count of them";
	}
	like $lee->get("$url?what=book.edit")->html,
	    qr{<option value="book.edit" selected>}, 'what was chosen is kept';
	is $lee->get("$url?id=x")->status, 400, 'a number that is none';
	is $lee->get("$url?after=x")->status, 400, 'a page that is none';
};

subtest 'librarians' => sub {
	my $park = staff('librarian', 'park');

	$park->get($url);
	is scalar(() = $park->html =~ /<h2>/g), 3,
	    'what happened to books and categories';
	unlike $park->html, qr{/admin/users|value="(?:user|order|event)},
	    'nothing of members and orders';
	for my $query ('what=user', 'what=user.lock', 'what=user&id=' .
	    user_id('kim'), 'actor=lee&what=user') {
		unlike $park->get("$url?$query")->html, qr/Account|<h2>/,
		    "$query: nothing";
	}
	like $park->get('/admin')->text, qr/Latest changes Category edited/,
	    'so on the overview';
	like $lee->get('/admin')->text, qr/Latest changes Account unlocked/,
	    'administrators see all there, too';
	$park->get('/admin/books/1432');
	$park->get('/admin/audit?what=book&id=1432');
	is scalar(() = $park->html =~ /<h2>/g), 2, 'the changes of one book';
};

subtest 'pages' => sub {
	sql("INSERT INTO audit (actor, act, object, object_id, label, changes,
	    trace) SELECT 'system', 'book.edit', 'book', seq, 'Many', '{}',
	    REPEAT('0', 32) FROM seq_1_to_70");
	my $count = 0;
	my $pages = 0;
	$lee->get("$url?actor=system&what=book");
	while (1) {
		$count += entries();
		$pages++;
		my ($next) = $lee->html =~ m{<a href="([^"]+)" rel="next">}
		    or last;
		sql("INSERT INTO audit (actor, act, object, object_id, label,
		    changes, trace) VALUES ('system', 'book.edit', 'book', 1,
		    'Meanwhile', '{}', REPEAT('0', 32))");
		$lee->get(HTML::Entities::decode_entities($next));
	}
	is $count, 70, 'each entry once, whatever comes in the meantime';
	is $pages, 3, 'on three pages';
	my ($first) = $lee->html =~ m{<a href="([^"]+)">First page};
	$lee->get(HTML::Entities::decode_entities($first));
	like $lee->text, qr/Meanwhile/, 'and back to the start';
};

subtest 'all or nothing' => sub {
	sql('ALTER TABLE audit ADD CONSTRAINT no_more
	    CHECK (object_id <> 1433)');
	expect_error(qr/no_more/, qr{/admin/books/1433});
	$lee->get('/admin/books/1433');
	$lee->send('/admin/books/1433', title => 'Not logged');
	is $lee->status, 500, 'what cannot be logged';
	isnt sql('SELECT title FROM books WHERE id = 1433'), "Not logged\n",
	    'is not done';
};

subtest 'a cover' => sub {
	sql(q{INSERT INTO audit (actor, act, object, object_id, label, changes,
	    trace) VALUES ('kim', 'book.cover', 'book', 1432, 'T',
	    CONCAT('{"cover": [null, "', REPEAT('ab', 32), '"]}'),
	    REPEAT('0', 32))});
	like $lee->get($url)->html,
	    qr{Cover changed: .*<span>Cover</span> <ins>abababababab</ins>}s,
	    'by the beginning of its digest';
};

subtest 'something unknown' => sub {
	sql(q{INSERT INTO audit (actor, act, object, object_id, label, changes,
	    trace) VALUES ('x', 'thing.do', 'thing', 5, '<i>label</i>',
	    '{"<u>field</u>": [null, ["a"]], "<s>": [1, "<script>"]}',
	    REPEAT('0', 32))});
	is $lee->get($url)->status, 200, 'is shown';
	like $lee->text, qr/thing\.do: <i>label/, 'as it is';
	unlike $lee->html, qr/<(?:u|i|s|script)>/, 'as text';
};

site_stop();
done_testing();
