#!/usr/bin/perl
# GET /covers/<id>.svg: well-formed, escaped and cacheable drawings, also of
# titles that no designer thought of.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my $reader = Seoga::Reader->new;

# An XML parser's words on a text; "" when it is well-formed.
sub xml_error {
	my ($bytes) = @_;

	spew(site_dir() . '/xml', $bytes);
	return qx{python3 -c 'import sys, xml.dom.minidom as d
try:
	d.parse(sys.argv[1])
except Exception as e:
	print(e)' ${\site_dir()}/xml};
}

isnt xml_error('<svg><a></svg>'), '', 'the parser finds mistakes';

my %title = (
	900001 => q(<script>alert("1")</script> & 'quotes'),
	900002 => 'x' x 255,
	900003 => '가' x 255,
	900004 => join(' ', ('word') x 51),
	900005 => ' ',
	900006 => '&amp; ]]> <!-- --> <?xml?>',
	900007 => '책 📚 é ﷽ ' x 20,
	900008 => 'Donaudampfschiffahrtselektrizitätenhauptbetriebswerk',
	900009 => '1',
);
for my $id (sort keys %title) {
	my $text = encode_utf8($title{$id} =~ s/'/''/gr);

	sql("INSERT INTO books (id, category_id, title, author, price)
	    VALUES ($id, 11, '$text', '$text', 1)");
}

for my $id (sort(keys %title), split /\n/,
    sql('SELECT id FROM books WHERE id < 900000 AND id % 10 = 1')) {
	$reader->get("/covers/$id.svg");
	is $reader->status, 200, "cover $id";
	is xml_error($reader->bytes), '', 'is well-formed';
	unlike $reader->html, qr/<script|\son\w+=/i, 'nothing runs in it';
	cmp_ok length $reader->bytes, '<', 6000, 'is small';
}

subtest 'the text fits' => sub {
	$reader->get('/covers/900002.svg');
	my @lines = $reader->html =~ m{<text x="30" y="\d+">([^<]*)</text>}g;

	cmp_ok scalar(@lines), '>', 1, 'a word that is too long is cut';
	cmp_ok scalar(@lines), '<=', 8, 'into few lines';
	my @y = $reader->html =~ m{<text x="30" y="(\d+)">}g;
	is_deeply [grep { $_ < 20 || $_ > 268 } @y], [], 'above the ornament';
	$reader->get('/covers/900001.svg');
	like $reader->html, qr/&lt;script&gt;/, 'markup is text';
};

subtest 'caches' => sub {
	$reader->get('/covers/1101.svg');
	my $tag = $reader->header('etag');

	is $reader->header('content-type') =~ s/;.*//r, 'image/svg+xml',
	    'it is an image';
	like $reader->header('cache-control'), qr/^public, max-age=\d{4,}/,
	    'that may be kept';
	like $tag, qr/^(?:W\/)?"\w+"$/, 'it has a tag';
	$reader->get('/covers/1101.svg', 'If-None-Match' => $tag);
	is $reader->status, 304, 'which saves the next transfer';
	is $reader->bytes // '', '', 'of its body';
	is $reader->header('etag'), $tag, 'with the same tag';
	$reader->get('/covers/1101.svg', 'If-None-Match' => '"other"');
	is $reader->status, 200, 'another tag does not';
	is $reader->get('/covers/1101.svg')->bytes,
	    $reader->get('/covers/1101.svg')->bytes, 'always the same';
	is $reader->header('set-cookie'), undef, 'and sets no cookie';
	sql("UPDATE books SET title = 'Another title' WHERE id = 1101");
	$reader->get('/covers/1101.svg', 'If-None-Match' => $tag);
	is $reader->status, 200, 'a changed title is a new cover';
};

is $reader->get('/covers/1.svg')->status, 404, 'no such book';
is $reader->get('/covers/x.svg')->status, 404, 'no number';
is $reader->get('/covers/1101.png')->status, 404, 'another format';

site_stop();
done_testing();
