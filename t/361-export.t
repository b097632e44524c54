#!/usr/bin/perl
# `seoga export`: CSV and MARCXML of the whole catalogue; brought back, it
# changes nothing, and in an empty catalogue it makes the same books.
use strict;
use warnings;

use Test::More;

use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');

# What makes trouble in CSV, XML, SQL or JSON.
sql(<<'END');
INSERT INTO books (category_id, title, author, publisher, published_year,
    isbn13, language, description, price, stock_quantity, image_url,
    source_id) VALUES
(12, 'Quotes "and", <b>&amp;</b> ''apos''', 'A, B; C', 'P & Co', -350,
    '9780198526636', 'ar', 'line 1\r\nline 2\n\n\ttabbed ]]> end', 1.50, 3,
    '/covers/x.webp', 'x:1'),
(12, '=1+1', '', NULL, NULL, NULL, 'zz', NULL, 0, 0, NULL, NULL),
(12, '책 📚 back\\slash', 'ａ', '', 9999, NULL, 'ko', '', 99999999.99,
    1000000, NULL, NULL),
(12, 'Withdrawn', 'W', NULL, NULL, NULL, 'en', NULL, 5, 1, NULL, 'x:2');
UPDATE books SET withdrawn_at = NOW() WHERE title = 'Withdrawn';
INSERT INTO books (category_id, title, author, language, price,
    stock_quantity) SELECT 12, CONCAT('Many ', seq), 'M', 'en', seq, 0
    FROM seq_1_to_700;
END

my $shown = 'SELECT COUNT(*) FROM books WHERE withdrawn_at IS NULL';

# All but what a new catalogue gives itself.
sub facts {
	return sql("SELECT title, author, NULLIF(publisher, ''),
	    published_year, isbn13, language, NULLIF(description, ''), price,
	    stock_quantity, category_id, image_url, created_at
	    FROM books WHERE withdrawn_at IS NULL
	    ORDER BY BINARY title, created_at, id");
}

sub untouched {
	return sql('SELECT * FROM books ORDER BY id');
}

my $count = sql($shown) + 0;
my $before = untouched();
my $facts = facts();

for my $format (qw(csv marcxml)) {
	my $file = site_dir() . "/books.$format";

	subtest $format => sub {
		like seoga('export', $format, $file), qr/^$count books$/m,
		    "$count books";
		is $?, 0, 'are written';
		my $text = slurp($file);
		unlike $text, qr/Withdrawn/, 'none that is withdrawn';
		is seoga('export', $format) =~ s/^\d+ books\n//mr, $text,
		    'the same to standard output';
		ok !-e "$file.part", 'nothing half is left';

		my $said = seoga('import', $file, '--apply', '--set-stock');
		is $?, 0, 'it can be read back';
		like $said, qr/^ +$count records\n +$count as they are/m,
		    'and all is as it was';
		unlike $said, qr/note:/, 'without a word';
		ok untouched() eq $before, 'to the letter';
	};
}

subtest 'the form of it' => sub {
	my $csv = slurp(site_dir() . '/books.csv');

	like $csv, qr/\A\xef\xbb\xbfid,created_at,source_id,isbn13,title,/,
	    'names of columns after a byte order mark';
	is scalar(() = $csv =~ /\r\n/g), $count + 2,
	    'each row ends as RFC 4180 says';
	like $csv, qr/,"Quotes ""and"", <b>&amp;<\/b> 'apos'","A, B; C",/,
	    'quotes';
	like $csv, qr/,1\.50,3,/, 'a price with places';
	my $xml = site_dir() . '/books.marcxml';
	is system('python3', '-c', <<'END', $xml, $count), 0, 'XML';
import sys, xml.etree.ElementTree as tree
slim = "{http://www.loc.gov/MARC21/slim}"
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == slim + "collection"
records = root.findall(slim + "record")
assert len(records) == int(sys.argv[2])
for record in records:
    assert len(record.find(slim + "leader").text) == 24
    fixed = [f.text for f in record.findall(slim + "controlfield")
             if f.get("tag") == "008"]
    assert len(fixed) == 1 and len(fixed[0]) == 40, fixed
    tags = [f.get("tag") for f in record]
    assert tags[1:] == sorted(tags[1:]) and "245" in tags, tags
END
};

subtest 'another catalogue' => sub {
	for my $format (qw(csv marcxml)) {
		sql('DELETE FROM stock_changes; DELETE FROM books');
		my $said = seoga('import', site_dir() . "/books.$format",
		    '--apply', '--author', 'nobody');
		like $said, qr/ $count added/, "$format: all are added";
		ok facts() =~ s/\tnobody\t/\t\t/r eq $facts,
		    'and are the same books';
		my $once = untouched();
		$said = seoga('import', site_dir() . "/books.$format",
		    '--apply', '--author', 'nobody');
		like $said, qr/ $count as they are/, 'twice is once';
		ok untouched() eq $once, 'to the letter';
	}
};

subtest 'mistakes' => sub {
	for (
		[[], qr/usage: seoga export/],
		[['pdf'], qr/there is no format "pdf"/],
		[['csv', '/proc/none/x'], qr/cannot write .proc.none.x: No /],
	) {
		my ($arguments, $message) = @$_;

		like seoga('export', @$arguments), $message,
		    "export @$arguments";
		isnt $?, 0, 'is a mistake';
	}
	like seoga('export', '--help'), qr/\Ausage: seoga export/, '--help';
	open my $full, '-|', "$ENV{SEOGA_SRCDIR}/bin/seoga export csv 2>&1 "
	    . '>/dev/full' or die;
	like join('', <$full>), qr/cannot write to standard output: No space/,
	    'a full disk is told';
	close $full;
	isnt $?, 0, 'is a mistake';
};

site_stop();
done_testing();
