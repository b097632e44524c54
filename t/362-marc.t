#!/usr/bin/perl
# `seoga import` of MARC 21 and KORMARC: ISO 2709, written here, in UTF-8,
# MARC-8 and EUC-KR, and MARCXML; what each field becomes; broken records.
use strict;
use warnings;
use utf8;

use Encode qw(decode encode);
use Test::More;
use Time::HiRes qw(time);

use Seoga::Test;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);
site_start();
seoga_ok('migrate', '--sample');

my $file = site_dir() . '/records.mrc';
my @defaults = ('--price', 9000, '--category', 'arts', '--author',
    'unknown');

# Thirty seconds, on a machine that has not much else to do.
sub limit {
	my ($load) = slurp('/proc/loadavg') =~ /^(\S+)/;
	my $processors = () = slurp('/proc/cpuinfo') =~ /^processor/mg;

	return $load > 2 * $processors ? 180 : 30;
}

# A record of fields: [tag, data] or [tag, indicators, code => text ...].
sub iso2709 {
	my ($charset, $sign, @fields) = @_;
	my ($directory, $data) = ('', '');

	for my $field (@fields) {
		my ($tag, @rest) = @$field;
		my $text = @rest == 1 ? $rest[0] : shift @rest;
		while (@rest > 1) {
			my ($code, $value) = splice @rest, 0, 2;
			$text .= "\x1f$code$value";
		}
		$text = encode($charset, $text) if $charset;
		$text .= "\x1e";
		$directory .= sprintf '%s%04d%05d', $tag, length $text,
		    length $data;
		$data .= $text;
	}
	$directory .= "\x1e";
	my $base = 24 + length $directory;
	return sprintf('%05dnam %s22%05d   4500', $base + length($data) + 1,
	    $sign, $base) . "$directory$data\x1d";
}

sub import_text {
	my ($text, @options) = @_;

	spew($file, $text);
	return decode('UTF-8', seoga('import', $file, @defaults,
	    '--all-messages', @options));
}

sub row {
	my ($columns, $where) = @_;
	my $row = decode('UTF-8', sql(encode('UTF-8',
	    "SELECT $columns FROM books WHERE $where")));

	chomp $row;
	return $row;
}

my @korean = (
	['001', 'KMO201300001'],
	['003', '011001'],
	['008', '130503s2013    ulka          000af kor  '],
	['020', '1 ', a => '9788901000022 (세트)'],
	['020', '  ', a => '89-01-00001-X', g => '03810', c => ':₩13,500'],
	['049', '0 ', l => 'EM0001', l => 'EM0002', f => '일반'],
	['056', '  ', a => '813.6', 2 => '5'],
	['245', '00', a => '달빛 서재 :', b => '긴 이야기 /',
	    d => '지은이: 김하나 ;', e => '그림: 이두리'],
	['260', '  ', a => '서울 :', b => '새벽,', c => '2013'],
	['520', '  ', a => '책을 좋아하는 이들의 이야기.'],
	['700', '1 ', a => '이두리'],
	['950', '0 ', b => '₩99000'],
);
my $isbn = '978890100001';
{
	my ($sum, $i) = (0, 0);
	$sum += $_ * ($i++ % 2 ? 3 : 1) for split //, $isbn;
	$isbn .= (10 - $sum % 10) % 10;
	my $ten = '890100001';
	($sum, $i) = (0, 10);
	$sum += $_ * $i-- for split //, $ten;
	my $check = (11 - $sum % 11) % 11;
	$check = 'X' if $check == 10;
	$korean[4][3] = "89-01-00001-$check";
}
my @facts = ('title, author, publisher, published_year, isbn13, language,
    description, price, stock_quantity, category_id, source_id',
    join "\t", '달빛 서재 : 긴 이야기', '김하나', '새벽', 2013, $isbn, 'ko',
    '책을 좋아하는 이들의 이야기.', '13500.00', 2, 12,
    '011001:KMO201300001');

subtest 'KORMARC in UTF-8' => sub {
	my $text = iso2709('UTF-8', 'a', @korean);

	like import_text($text), qr/^ +1 records\n +1 new\nNothing/m,
	    'a trial';
	like import_text($text, '--apply'), qr/ 1 added/, 'added';
	is row($facts[0], "isbn13 = '$isbn'"), $facts[1], 'its facts';
	like import_text($text, '--apply'), qr/ 1 as they are/, 'once';
	like import_text(iso2709('UTF-8', ' ', @korean), '--apply'),
	    qr/ 1 as they are/, 'the same without the sign in the leader';
};

subtest 'KORMARC in EUC-KR' => sub {
	# The won sign is where ASCII has a backslash.
	my @fields = map { [@$_] } @korean;
	$fields[4][-1] = ':\\13,500';
	my $text = iso2709('cp949', ' ', @fields);

	like import_text($text, '--apply'), qr/ 1 as they are/,
	    'the same book';
	like import_text($text, '--charset', 'euc-kr'), qr/ 1 as they are/,
	    'when told so, too';
	like import_text($text, '--charset', 'utf-8'), qr/not UTF-8/,
	    'and not when told otherwise';
	$fields[0][1] = 'KMO2';
	$fields[4][3] = '';
	$fields[7] = ['245', '00', a => '뷁똠방각하 펲시콜라', d => '김하나 지음'];
	like import_text(iso2709('cp949', ' ', @fields), '--apply'),
	    qr/ 1 added/, 'syllables that only CP949 has';
	is row('author', "title = '뷁똠방각하 펲시콜라'"), '김하나',
	    'are read';
};

my @english = (
	['001', '  92005291 '],
	['003', 'DLC'],
	['008', '920219s1993    caua   j      000 0 eng  '],
	['020', '  ', a => '0152038655 :', c => '$15.95'],
	['082', '00', a => '811/.52', 2 => '20'],
	['100', '1 ', a => 'Sandburg, Carl,', d => '1878-1967.'],
	['245', '10', a => 'Arithmetic /', c => 'Carl Sandburg ; illustrated'
	    . ' as an anamorphic adventure by Ted Rand.'],
	['260', '  ', a => 'San Diego :', b => 'Harcourt Brace Jovanovich,',
	    c => 'c1993.'],
	['520', '  ', a => 'A poem about numbers.'],
	['852', '  ', a => 'Main', p => '39074'],
);

subtest 'MARC 21' => sub {
	like import_text(iso2709('', ' ', @english), '--apply'),
	    qr/ 1 added/, 'added';
	is row($facts[0], "source_id = 'DLC:92005291'"), join("\t",
	    'Arithmetic', 'Carl Sandburg', 'Harcourt Brace Jovanovich', 1993,
	    '9780152038656', 'en', 'A poem about numbers.', '9000.00', 1,
	    14, 'DLC:92005291'), 'its facts; dollars are no won';
};

subtest 'MARC-8' => sub {
	# In MARC-8 accents come before their letters: "Brontë", "Gödel".
	my @fields = (['001', 'm8'],
	    ['100', '1 ', a => "Bront\xe8e, Emily,"],
	    ['245', '10', a => "G\xe8odel and \xe2etudes /", c => 'E. B.']);

	like import_text(iso2709('', ' ', @fields), '--apply'),
	    qr/ 1 added/, 'added';
	is row('title, author', "source_id = 'marc:m8'"),
	    "Gödel and études\tEmily Brontë", 'with its accents';
	my @escaped = (['001', 'm9'],
	    ['245', '10', a => "\x1b(NABC\x1b(B and more"]);
	like import_text(iso2709('', ' ', @escaped), '--apply'),
	    qr/ 1 added/, 'another alphabet';
	like row('title', "source_id = 'marc:m9'"), qr/\A\p{Cyrillic}{3} and/,
	    'is Cyrillic';
};

subtest 'names and titles' => sub {
	my @cases = (
		['245', '00', a => 'T', d => '김하나 지음'] => 'T', '김하나',
		['245', '00', a => 'T', d => '김하나, 박둘 [공]지음'],
		'T', '김하나, 박둘 [공]지음',
		['245', '00', a => 'T', c => 'by Ann Other.'],
		'T', 'Ann Other',
		['245', '00', a => 'T', c => '저자: 최세 ; 역자: 정네'],
		'T', '최세',
		['245', '00', a => 'T', d => '박둘 외 지음'], 'T', '박둘',
		['245', '10', a => '토지.', n => '1 :', p => '어둠의 발소리 /',
		    d => '박경리 지음'],
		'토지.. 1. 어둠의 발소리', '박경리',
		['245', '00', a => '단위 =', x => 'Unit /', d => '한빛 엮음'],
		'단위', '한빛',
		['245', '00', a => 'Q'], 'Q', 'unknown',
	);
	my ($text, @expected) = ('');
	while (my ($field, $title, $author) = splice @cases, 0, 3) {
		push @expected, [$title, $author];
		$text .= iso2709('UTF-8', 'a', ['001', 'c' . @expected],
		    $field);
	}
	$text .= iso2709('UTF-8', 'a', ['001', 'd1'], ['100', '0 ',
	    a => '세종,'], ['245', '10', a => 'S']) . "\r\n"
	    . iso2709('UTF-8', 'a', ['001', 'd2'], ['245', '10', a => 'U'],
	    ['264', ' 4', c => '©1999'], ['264', ' 1', b => '[서가]',
	    c => '단기4288 [1955]'], ['041', '0 ', a => 'jpn'],
	    ['020', '  ', a => '8901000010', c => '비매품']);
	my $said = import_text($text, '--apply', '--source', 'names');
	like $said, qr/ ${\(@expected + 2)} added/, 'all are added';
	for my $i (0 .. $#expected) {
		is row('title, author', "source_id = 'names:c" . ($i + 1)
		    . "'"), join("\t", @{$expected[$i]}),
		    join ' / ', @{$expected[$i]};
	}
	is row('author', "source_id = 'names:d1'"), '세종', 'a single name';
	is row('publisher, published_year, language, price, isbn13',
	    "source_id = 'names:d2'"),
	    "서가\t1955\tja\t9000.00\tNULL", 'supplied by the cataloguer';
	like $said, qr/note: "8901000010" is no ISBN/, 'a wrong ISBN';
};

subtest 'broken records' => sub {
	my $good = sub {
		return iso2709('UTF-8', 'a', ['001', $_[0]],
		    ['245', '00', a => "Good $_[0]"]);
	};
	my $wrong_length = $good->('w1') =~ s/\A\d{5}/00099/r;
	my $no_digits = $good->('w2') =~ s/\A\d{5}/abcde/r;
	my $directory = $good->('w3') =~ s/245\d{4}/2459999/r;
	my $text = join '', $good->('g1'), $wrong_length, $good->('g2'),
	    $no_digits, $good->('g3'), $directory, $good->('g4'), "\x1d",
	    iso2709('UTF-8', 'a', ['001', 'n1'], ['500', '  ', a => 'x']),
	    $good->('g5'), substr $good->('g6'), 0, 60;
	my $said = import_text($text, '--apply');

	is $? >> 8, 3, 'the status tells';
	like $said, qr/record 2: error: its length is not what it says/,
	    'a wrong length';
	like $said, qr/record 4: error: it does not begin with its length/,
	    'none';
	like $said, qr/record 8: error: it is cut off/, 'only an end';
	like $said, qr/record 9: error: it has no title/, 'no title';
	like $said, qr/record 11: error: it is cut off/, 'the end is missing';
	is sql("SELECT GROUP_CONCAT(title ORDER BY title) FROM books
	    WHERE title LIKE 'Good g%'"),
	    "Good g1,Good g2,Good g3,Good g4,Good g5\n",
	    'the good ones between them are in';
	is row('COUNT(*)', "title LIKE 'Good w%' AND source_id <> 'marc:w3'"),
	    0, 'and none that is broken';
};

# What an XML element holds.
sub quoted {
	my ($text) = @_;

	return $text =~ s/&/&amp;/gr =~ s/</&lt;/gr;
}

sub marcxml {
	my (@fields) = @_;
	my $xml = '<m:record><m:leader>00000nam a2200000   4500</m:leader>';

	for (@fields) {
		my ($tag, @rest) = @$_;
		if (@rest == 1) {
			$xml .= qq{<m:controlfield tag="$tag">}
			    . quoted($rest[0]) . '</m:controlfield>';
			next;
		}
		my ($one, $two) = split //, shift @rest;
		$xml .= qq{<m:datafield tag="$tag" ind1="$one" ind2="$two">\n};
		while (my ($code, $value) = splice @rest, 0, 2) {
			$xml .= qq{<m:subfield code="$code">}
			    . quoted($value) . "</m:subfield>\n";
		}
		$xml .= '</m:datafield>';
	}
	return "$xml</m:record>\n";
}

sub collection {
	return encode('UTF-8', join '', qq{<?xml version="1.0"?>\n},
	    qq{<m:collection xmlns:m="http://www.loc.gov/MARC21/slim">\n},
	    @_, "</m:collection>\n");
}

subtest 'MARCXML' => sub {
	my $said = import_text(collection(marcxml(@korean),
	    marcxml(@english), marcxml(['001', 'x1'],
	    ['245', '00', a => 'Cats & <dogs>', c => 'A & B'])), '--apply');

	like $said, qr/^ +3 records\n +1 added\n +2 as they are/m,
	    'what is in already is known';
	is row('title, author', "source_id = 'marc:x1'"),
	    "Cats & <dogs>\tA & B", 'signs of XML are text';
	like import_text(collection(marcxml(['001', 'x2'],
	    ['245', '00', a => 'First']), "<m:record>\n<oops>\n"), '--apply'),
	    qr/line 8: error: the file is no XML from here on: .*oops/,
	    'broken XML is told, and where';
	is $? >> 8, 3, 'as the status does';
	like import_text(collection(marcxml(['001', 'x3'], ['100', '0 ',
	    a => 'No title']), marcxml(['001', 'x4'], ['245', '00',
	    a => 'Last'])), '--apply'),
	    qr/line 3: error: it has no title.* 1 added\n +1 refused/s,
	    'a bad record has a line';
	for my $evil ('<!DOCTYPE x [<!ENTITY a "b">]>',
	    '<!DOCTYPE x SYSTEM "file:///etc/passwd">') {
		like import_text("<?xml version=\"1.0\"?>\n$evil\n<collection>"
		    . '<record/></collection>', '--apply'),
		    qr/has a document type/, 'no entities';
		is $? >> 8, 1, 'which is a mistake';
	}
};

subtest 'ten thousand records' => sub {
	my $text = join '', map {
		iso2709('UTF-8', 'a', ['001', "t$_"], ['003', 'big'],
		    ['245', '00', a => "책 $_ /", d => "저자$_ 지음"],
		    ['260', '  ', b => '큰집', c => 1950 + $_ % 70],
		    ['520', '  ', a => '소개 ' x 40])
	} 1 .. 10_000;
	my $begin = time;
	my $said = import_text($text, '--apply');
	my $seconds = time - $begin;

	diag sprintf '10,000 records in %.1f s', $seconds;
	like $said, qr/ 10000 added/, 'all are added';
	cmp_ok $seconds, '<', limit(), 'in time';
	like import_text($text, '--apply'), qr/ 10000 as they are/, 'once';
};

site_stop();
done_testing();
