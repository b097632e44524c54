#!/usr/bin/perl
# What librarians and readers see of an import: the audit log, the history of
# stocks, books in other languages, which stay so when they are edited.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8 encode_utf8);
use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);
site_start();
seoga_ok('migrate', '--sample');
my $kim = staff('librarian', 'kim');
my $lee = staff('admin', 'lee');
my $file = site_dir() . '/from-japan.csv';

sub import_rows {
	spew($file, encode_utf8(join '', map { "$_\n" }
	    'source_id,title,author,price,stock,language,category', @_));
	return decode_utf8(seoga('import', $file, '--apply'));
}

import_rows('j:1,吾輩は猫である,夏目漱石,9000,4,jpn,world-fiction',
    'z:1,Ayvu Rapyta,Guaraní,8000,1,gn,world-fiction',
    'b:1,,,1,1,,world-fiction');
import_rows('j:1,吾輩は猫である,夏目漱石,9500,4,jpn,world-fiction');
my $id = sql("SELECT id FROM books WHERE source_id = 'j:1'") + 0;
my $other = sql("SELECT id FROM books WHERE source_id = 'z:1'") + 0;

subtest 'the audit log' => sub {
	$lee->get('/admin/audit');
	is_deeply [$lee->html =~ m{<h2>(\w+ \w+):}g], ['Import ended',
	    'Book edited', 'Import begun', 'Import ended', 'Book added',
	    'Book added', 'Import begun'],
	    'both of them, around what they did';
	like $lee->html, qr{Book edited: <a href="/admin/books/$id">吾輩},
	    'a link to the book';
	like $lee->html, qr{Price</span> <del>₩9,000</del> <ins>₩9,500</ins>},
	    'its price, before and after';
	like $lee->html, qr{<span>Language</span>.*<ins>Japanese</ins>},
	    'languages in words';
	$lee->get('/admin/audit?what=import');
	like $lee->text, qr/from-japan\.csv/, 'the file';
	is_deeply [$lee->html =~ m{<h2>(\w+ \w+):}g], ['Import ended',
	    'Import begun', 'Import ended', 'Import begun'], 'imports alone';
	like $lee->text, qr/Added\D+2\b.*Refused\D+1\b/, 'and their figures';
	unlike $lee->html, qr{href="[^"]*/0"}, 'with no dead link';
	$kim->get('/admin/audit');
	like $kim->text, qr/Import ended: from-japan/, 'librarians see it, too';
};

subtest 'the history of the stock' => sub {
	$kim->get("/admin/books/$id/stock");
	like $kim->text, qr/Imported.*from-japan\.csv/, 'names the file';
};

subtest 'languages' => sub {
	like decode_utf8(http(get => "/books/$id",
	    { headers => { 'Accept-Language' => 'en' } })->{content}),
	    qr{<dd>Japanese</dd>}, 'a reader is told';
	like decode_utf8(http(get => "/books/$id",
	    { headers => { 'Accept-Language' => 'ko' } })->{content}),
	    qr{<dd>일본어</dd>}, 'in Korean, too';
	for ([$id, 'ja'], [$other, 'gn']) {
		my ($book, $code) = @$_;

		$kim->get("/admin/books/$book");
		like $kim->html,
		    qr/<option value="$code" selected/, "$code is chosen";
		$kim->send("/admin/books/$book", publisher => 'Imported');
		is sql("SELECT language, publisher FROM books
		    WHERE id = $book"), "$code\tImported\n",
		    'and stays when something else is changed';
	}
};

site_stop();
done_testing();
