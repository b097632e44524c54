#!/usr/bin/perl
# /admin/categories: the tree, and what can be done to it without breaking it.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8);
use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my $kim = staff('librarian', 'kim');
my $lee = staff('librarian', 'lee');
my $list = '/admin/categories';

sub one {
	my ($id, $columns) = @_;

	return decode_utf8(sql("SELECT $columns FROM categories
	    WHERE id = $id")) =~ s/\n\z//r;
}

sub add {
	my ($ko, $en, $parent) = @_;

	$kim->get($list);
	$kim->send($list, name_ko => $ko, name_en => $en,
	    parent_id => $parent // '');
	return sql('SELECT MAX(id) FROM categories') + 0;
}

sub edit {
	my ($id, %values) = @_;

	$kim->get("$list/$id");
	return $kim->send("$list/$id", where => { version =>
	    one($id, 'version') }, %values);
}

sub act {
	my ($id, $act) = @_;

	$kim->get($list);
	my $csrf = $kim->form('/logout')->{csrf};
	return $kim->post("$list/$id", { csrf => $csrf, act => $act });
}

# Every category can be reached from the top.
sub is_a_tree {
	my ($name) = @_;

	is sql('WITH RECURSIVE t AS (SELECT id FROM categories
	    WHERE parent_id IS NULL UNION ALL SELECT c.id FROM categories c
	    JOIN t ON c.parent_id = t.id)
	    SELECT (SELECT COUNT(*) FROM t) - COUNT(*) FROM categories'),
	    "0\n", $name;
}

subtest 'who may' => sub {
	only_for('librarian', '/admin/categories', '/admin/categories/1');
};

subtest 'the tree' => sub {
	$kim->get($list);
	my @shown = $kim->html =~ m{<a href="/admin/categories/(\d+)"}g;
	is scalar(@shown), sql('SELECT COUNT(*) FROM categories') + 0, 'all';
	is_deeply [@shown[0 .. 2]], [1, 11, 12], 'in the order of the tree';
	like $kim->html, qr/한국 소설.*Korean fiction/, 'in both languages';
	is $kim->get("$list/999")->status, 404, 'no such one';
};

subtest 'adding' => sub {
	my $id = add('만화', 'Comics & <i>Cartoons</i>', 1);
	is $kim->status, 303, 'done';
	is one($id, 'name_ko, name_en, slug, parent_id, position'),
	    "만화\tComics & <i>Cartoons</i>\tcomics-i-cartoons-i\t1\t8",
	    'behind its siblings';
	unlike $kim->follow->html, qr/<i>/, 'markup is text';
	my $again = add('만화', 'Comics & <i>Cartoons</i>', 2);
	is one($again, 'slug'), 'comics-i-cartoons-i-2', 'elsewhere again';
	my $korean = add('그림책', '그림책' x 0 || 'x' x 80);
	is one($korean, 'parent_id'), 'NULL', 'at the top';
	for (['만화', 'Other', 1, 'name_ko'], ['다른', 'Comics & <i>Cartoons</i>',
	    1, 'name_en'], ['', 'English', 1, 'name_ko'],
	    ['한국어', '', 1, 'name_en'], ['x' x 81, 'E', 1, 'name_ko'],
	    ['가', 'E', 999, 'parent_id'], ['가', 'E', 'x', 'parent_id']) {
		my ($ko, $en, $parent, $field) = @$_;
		add($ko, $en, $parent);
		is $kim->status, 400, "refused because of $field";
		like $kim->html, qr{id="e-$field"}, 'with words';
	}
	like Seoga::Reader::get(Seoga::Reader->new, '/books?category=1')
	    ->html, qr/Comics &amp;/, 'readers see it at once';
	is_deeply changes_of(category => $id), ['kim category.add'], 'logged';

	$kim->get($list);
	my %form = (%{$kim->form($list)}, name_ko => 'once', name_en => 'once');
	at_once((sub { $kim->post($list, \%form)->status }) x 4);
	is sql("SELECT COUNT(*) FROM categories WHERE name_en = 'once'"),
	    "1\n", 'sent twice, it is there once';
	is $kim->post($list, { %form, name_en => 'twice' })->status, 422,
	    'another one by the same form is told';
};

subtest 'naming and moving' => sub {
	edit(13, name_ko => '우리 시', name_en => 'Our poems');
	is $kim->status, 303, 'renamed';
	is one(13, 'name_ko, name_en, slug, version'),
	    "우리 시\tOur poems\tkorean-poetry\t2", 'the slug stays';
	edit(13, parent_id => 6);
	is one(13, 'parent_id, version'), "6\t3", 'moved';
	is_deeply changes_of(category => 13), [('kim category.edit') x 2],
	    'logged';
	like sql("SELECT changes FROM audit WHERE object = 'category'
	    AND object_id = 13 ORDER BY id DESC LIMIT 1"),
	    qr/"parent_id":\[1,6\]/, 'with before and after';
	edit(13, parent_id => '');
	is one(13, 'parent_id'), 'NULL', 'to the top';
	edit(13, parent_id => 1);
	edit(13, name_ko => '한국 소설');
	is $kim->status, 400, 'a name that a sibling has';
	like $kim->html, qr/id="e-name_ko"/, 'is said';
};

subtest 'no circles' => sub {
	for (['itself', 1, 1], ['its child', 1, 12]) {
		my ($what, $id, $parent) = @$_;
		edit($id, parent_id => $parent);
		is $kim->status, 400, "not into $what";
		like $kim->html, qr/id="e-parent_id">A category cannot/,
		    'and it says why';
	}
	my $a = add('가', 'level two', 7);
	my $b = add('나', 'level three', $a);
	my $c = add('다', 'level four', $b);
	is $kim->status, 303, 'four levels';
	add('라', 'level five', $c);
	is $kim->status, 400, 'not five';
	edit($a, parent_id => 12);
	is $kim->status, 400, 'nor by moving a branch';
	edit(7, parent_id => $c);
	is $kim->status, 400, 'not far below itself';
	is_a_tree('it is a tree');
	my $reader = Seoga::Reader->new;
	like $reader->get("/books?category=$c")->html,
	    qr{aria-current="page">level four}, 'readers reach the deepest';

	for my $round (1 .. 5) {
		sql('UPDATE categories SET parent_id = NULL
		    WHERE id IN (4, 5)');
		$kim->get("$list/4");
		$lee->get("$list/5");
		at_once(sub { $kim->send("$list/4", where => { version =>
		    one(4, 'version') }, parent_id => 5)->status },
		    sub { $lee->send("$list/5", where => { version =>
		    one(5, 'version') }, parent_id => 4)->status });
		is_a_tree("two moves at once, round $round");
	}
	sql('UPDATE categories SET parent_id = NULL WHERE id IN (4, 5)');
};

subtest 'two librarians' => sub {
	$_->get("$list/21") for $kim, $lee;
	$lee->send("$list/21", where => { version => 1 }, name_en => 'Lee');
	$kim->send("$list/21", where => { version => 1 }, name_en => 'Kim',
	    name_ko => '김');
	is $kim->status, 409, 'the second is asked';
	like $kim->text, qr/Kim.*Lee/, 'with both names';
	is one(21, 'name_en'), 'Lee', 'nothing is saved';
	my %form = %{$kim->form("$list/21")};
	delete $form{act};
	$kim->post("$list/21", { %form, act => 'review' });
	is $kim->status, 200, 'it can be looked over';
	is $kim->form("$list/21")->{name_en}, 'Kim', 'with what was typed';
	is one(21, 'name_en'), 'Lee', 'and is not saved';
	$kim->post("$list/21", { %form, pick_name_en => 'theirs' });
	is one(21, 'name_en, name_ko, version'), "Lee\t김\t3", 'as chosen';

	$_->get("$list/21") for $kim, $lee;
	$lee->send("$list/21", where => { version => 3 }, name_ko => '이');
	$kim->send("$list/21", where => { version => 3 }, parent_id => 3);
	is $kim->status, 409, 'each something else';
	like $kim->html, qr{name="pick_name_ko" type="radio" value="theirs" checked},
	    "the other's name is proposed";
	like $kim->html, qr{name="pick_parent_id" type="radio" value="mine" checked},
	    'and my place';
	like $kim->text, qr/In the catalogue now \(lee/, 'and it says whose';
	$kim->submit("$list/21");
	is one(21, 'name_ko, parent_id, version'), "이\t3\t5",
	    'nothing of either is lost';
};

subtest 'order' => sub {
	my $order = sub { return join ' ', split /\n/, sql('SELECT id
	    FROM categories WHERE parent_id = 5 ORDER BY position, id') };
	my @ids = split / /, $order->();

	is act($ids[1], 'up')->status, 303, 'up';
	is $order->(), join(' ', @ids[1, 0, 2 .. $#ids]), 'one place';
	act($ids[1], 'up');
	is $order->(), join(' ', @ids[1, 0, 2 .. $#ids]),
	    'the first stays the first';
	act($ids[1], 'down');
	is $order->(), "@ids", 'down again';
	sql('UPDATE categories SET position = 1 WHERE parent_id = 5');
	act($ids[0], 'down');
	is $order->(), join(' ', @ids[1, 0, 2 .. $#ids]),
	    'equal positions are put right';
};

subtest 'deleting' => sub {
	my $id = add('빈', 'Empty', 3);
	my $count = sql('SELECT COUNT(*) FROM categories') + 0;

	$kim->get("$list/1");
	$kim->submit("$list/1", where => { act => 'delete' });
	like $kim->text, qr/There are categories in this one/, 'with children';
	$kim->get("$list/11");
	$kim->submit("$list/11", where => { act => 'delete' });
	like $kim->text, qr/There are books in this category/, 'with books';
	sql("INSERT INTO books (category_id, title, author, price,
	    withdrawn_at) VALUES ($id, 'T', 'A', 1, UTC_TIMESTAMP())");
	$kim->get("$list/$id");
	$kim->submit("$list/$id", where => { act => 'delete' });
	like $kim->text, qr/withdrawn ones/, 'with a withdrawn book';
	is sql('SELECT COUNT(*) FROM categories') + 0, $count, 'all there';
	sql("DELETE FROM books WHERE category_id = $id");
	$kim->get("$list/$id");
	$kim->submit("$list/$id", where => { act => 'delete' });
	like $kim->text, qr/The category is deleted/, 'an empty one';
	is sql('SELECT COUNT(*) FROM categories') + 0, $count - 1, 'is gone';
	is act($id, 'delete')->status, 404, 'again: it is not there';
	is act($id, 'up')->status, 404, 'nor to be moved';
	is_deeply changes_of(category => $id),
	    ['kim category.add', 'kim category.delete'], 'logged';

	my @gone = map { add("끝$_", "End $_", 2) } 1 .. 4;
	for my $n (0 .. 3) {
		my $victim = $gone[$n];
		$kim->get("$list/$victim");
		$lee->get('/admin/books/new');
		at_once(sub { $kim->send("$list/$victim",
		    where => { act => 'delete' })->status },
		    sub { $lee->send('/admin/books/new', title => "Race $n",
		    author => 'A', category_id => $victim, price => 1)
		    ->status });
		is sql("SELECT COUNT(*) FROM books b LEFT JOIN categories c
		    ON c.id = b.category_id WHERE b.title = 'Race $n'
		    AND c.id IS NULL"), "0\n", 'no book without a category';
	}
};

site_stop();
done_testing();
