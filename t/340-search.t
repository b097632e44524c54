#!/usr/bin/perl
# Search: what a question finds, in which order, and that books are found as
# they are at once.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use HTTP::Tiny;
use JSON::PP ();
use Test::More;

use Seoga::Reader;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my $reader = Seoga::Reader->new;
my $file = site_dir() . '/books.csv';

sub address {
	my ($path, %query) = @_;

	return "$path?" . HTTP::Tiny->new->www_form_urlencode(\%query);
}

# The titles that the page shows, in their order.
sub found {
	my ($q, %more) = @_;

	$reader->get(address('/books', q => $q, %more));
	return [map { HTML::Entities::decode_entities($_) }
	    $reader->html =~ m{<h2><a href="/books/\d+"[^>]*><img[^>]*>([^<]*)</a>}g];
}

# The same, as the API has it.
sub listed {
	my ($q, %more) = @_;
	my $answer = $reader->get(address('/api/books', q => $q,
	    limit => 100, %more))->bytes;

	return [map { $_->{title} } @{JSON::PP::decode_json($answer)->{books}}];
}

sub import_books {
	spew($file, encode_utf8(join "\n", 'source_id,isbn13,title,author,' .
	    'publisher,published_year,language,description,price,' .
	    'stock_quantity,category', @_, ''));
	seoga_ok('import', $file, '--apply');
}

import_books(split /\n/, <<'END');
s:1,978-89-01-00001-5,우주해적왕 하로크,마쓰모토 레이지,새벽바다,1978,ko,,12000,5,korean-fiction
s:2,,바다의 해적,김하나,노을,2004,ko,,8000,0,korean-fiction
s:3,,해적,이두리,노을,2015,ko,,15000,2,korean-fiction
s:4,,해 적는 밤,박세나,노을,2021,ko,,20000,1,korean-poetry
s:5,,고요한 항구,해적 연구회,항구,1999,ko,,30000,9,history
s:6,0-19-852663-6,The Zwölf Müller-Häuser,Ann O'Ther,Zpress,1899,en,,29999,1,world-fiction
s:7,,ＺＷＯＬＦ mills,Bob,Zpress,,en,,9999,0,world-fiction
s:8,,C++ for zpirates,Carol,Zpress,2020,en,,15000,3,science
s:9,,C# for zpirates,Carol,Zpress,2020,en,,15000,3,science
END

subtest 'words' => sub {
	for (['해적', ['해적', '해 적는 밤', '바다의 해적', '우주해적왕 하로크',
		 '고요한 항구'], 'the title itself, its start, a word of it,'
		. ' within a compound, the author'],
	    ['우주 해적 왕', ['우주해적왕 하로크'], 'more spaces'],
	    ['우주해적왕하로크', ['우주해적왕 하로크'], 'fewer'],
	    ['적왕', ['우주해적왕 하로크'], 'within a compound'],
	    ['왕하', ['우주해적왕 하로크'], 'across a space'],
	    ['하로크 노을', [], 'each word is there'],
	    ['노을 해적', ['해적', '해 적는 밤', '바다의 해적'],
		'a word of the title, one of the publisher'],
	    ['zWoLf', ['ＺＷＯＬＦ mills', 'The Zwölf Müller-Häuser'],
		'case, accents, full width'],
	    ['muller hauser', ['The Zwölf Müller-Häuser'], 'umlauts'],
	    ['OTHER zpress', ['The Zwölf Müller-Häuser'], 'an apostrophe'],
	    ["zw\N{U+F6}lf m", ['The Zwölf Müller-Häuser',
		'ＺＷＯＬＦ mills'], 'a word of one letter'],
	    ["zwo\N{U+308}lf hauser", ['The Zwölf Müller-Häuser'],
		'a letter and its accent'],
	    ["\N{U+1112}\N{U+1162}\N{U+110C}\N{U+1165}\N{U+11A8}왕",
		['우주해적왕 하로크'], 'Hangul in parts'],
	    ["\N{U+1112}\N{U+1162}\N{U+110C}\N{U+1165}\N{U+11A8} 왕",
		['우주해적왕 하로크'], 'Hangul in parts, as a word'],
	    ['C++ zpirates', ['C++ for zpirates'], 'C++'],
	    ['c# zpirates', ['C# for zpirates'], 'C#']) {
		my ($q, $want, $why) = @$_;

		is_deeply [sort @{found($q)}], [sort @$want], "$why: $q";
		is_deeply [sort @{listed($q)}], [sort @$want], 'the API, too';
	}
};

subtest 'initial consonants' => sub {
	is found('ㅎㅈ')->[0], '해적', 'the title itself first';
	is_deeply found('노을 ㅎㅈ'), ['해적', '바다의 해적', '해 적는 밤'],
	    'beside a word';
	is_deeply found('ㅇㅈㅎㅈㅇ'), ['우주해적왕 하로크'], 'of a compound';
	is_deeply found('ㅂㄷ ㅎㅈ'), ['바다의 해적', '우주해적왕 하로크'],
	    'of two words';
	is_deeply found('우주ㅎㅈ'), ['우주해적왕 하로크'],
	    'after what is spelt out';
	is_deeply found('ㅋㅋㅋㅋㅋㅋㅋ'), [], 'that nothing has';
};

subtest 'ISBN' => sub {
	for my $isbn ('978-89-01-00001-5', '9788901000015', '8901000016',
	    '89-01-00001-6', '978 89 01 00001 5') {
		is_deeply found($isbn), ['우주해적왕 하로크'], "<$isbn>";
	}
	for my $isbn ('0198526636', '0-19-852663-6', '9780198526636',
	    'ISBN 0-19-852663-6') {
		is_deeply found($isbn), ['The Zwölf Müller-Häuser'],
		    "<$isbn>";
	}
	is_deeply found('9788901000016'), [], 'with a wrong digit';
};

subtest 'signs are text' => sub {
	for my $q ('해적%', '해_', '%', '_', '"', "'", "해적' OR '1'='1",
	    '+해적 -노을', '해적*', '(해적)', '"바다의 해적"', '~해적',
	    '해적 AND 노을', '\\', '|', '해적|노을', '@해적',
	    '<b>', '&amp;', '%%%', ';', '--', '/*', "\N{U+1F4DA}") {
		$reader->get(address('/books', q => $q));
		is $reader->status, 200, "a page for $q";
		my $folded = $q =~ s/[^\w\s]//gr;
		is_deeply found($q), found($folded), "nothing but $folded"
		    if $folded =~ /\w/;
	}
	is_deeply found('%'), [], 'a sign alone finds nothing';
	is_deeply found('해%왕'), [], 'nor does it stand for others';
	is_deeply found('"바다의 해적"'), ['바다의 해적'], 'quotes';
};

subtest 'at once' => sub {
	import_books('s:3,,은하철도,이두리,노을,2015,ko,,15000,2,korean-fiction');
	is_deeply found('은하'), ['은하철도'], 'a new title';
	is_deeply found('해적 이두리'), [], 'not by the old one';
	sql("UPDATE books SET withdrawn_at = UTC_TIMESTAMP()
	    WHERE source_id = 's:3'");
	is_deeply found('은하'), [], 'a withdrawn book is not found';
	sql("UPDATE books SET price = 500, stock_quantity = 0
	    WHERE source_id = 's:2'");
	is_deeply found('바다', price => 1, category => 12), ['바다의 해적'],
	    'a price';
	ok !grep({ $_ eq '바다의 해적' } @{found('바다', in_stock => 1)}),
	    'a last copy';
};

site_stop();
done_testing();
