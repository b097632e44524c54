#!/usr/bin/perl
# `seoga import` of CSV: what is taken, changed, left alone and refused; twice
# is once; a real file of ten thousand books.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');

my $file = site_dir() . '/books.csv';

sub import_file {
	my ($text, @options) = @_;

	spew($file, $text) if defined $text;
	return seoga('import', $file, @options);
}

sub status { return $? >> 8 }

# Thirty seconds, on a machine that has not much else to do.
sub limit {
	my ($load) = slurp('/proc/loadavg') =~ /^(\S+)/;
	my $processors = () = slurp('/proc/cpuinfo') =~ /^processor/mg;

	return $load > 2 * $processors ? 180 : 30;
}

# The book's columns, by its title.
sub book {
	my ($title, $columns) = @_;
	my $rows = sql("SELECT $columns FROM books WHERE title = '$title'");

	chomp $rows;
	return $rows;
}

# Everything that an import may touch.
sub state {
	return sql('SELECT * FROM books ORDER BY id;
	    SELECT id, book_count FROM categories ORDER BY id;
	    SELECT book_id, delta, stock_after, reason, note
	    FROM stock_changes ORDER BY id');
}

sub counts_are_true {
	is sql('SELECT COUNT(*) FROM categories c WHERE book_count <>
	    (SELECT COUNT(*) FROM books WHERE category_id = c.id
		AND withdrawn_at IS NULL)') + 0, 0,
	    'the counts of categories are true';
	is sql('SELECT COUNT(*) FROM books b JOIN (SELECT book_id,
	    SUM(delta) AS copies FROM stock_changes GROUP BY book_id) c
	    ON c.book_id = b.id WHERE stock_quantity <> copies') + 0, 0,
	    'and the history of stocks adds up';
}

my $own = <<"END";
source_id,isbn13,title,author,publisher,published_year,language,description,price,stock_quantity,category
t:1,978-89-01-00001-5,"첫째, 책",김하나,새벽,1999,ko,"두 줄
설명 ""인용""","12,000",5,korean-fiction
t:2,,Second 'book' \\ 📚,Ann Other,,-350,eng,,₩9900,0,world-fiction
t:3,0-19-852663-6,Third,A; B,Press,2008.0,en-GB,,15000원,7,science
END

subtest 'a trial writes nothing' => sub {
	my $before = state();
	my $said = import_file($own);

	is status(), 0, 'all is well';
	like $said, qr/^ +3 records\n +3 new\nNothing was written/m, 'says so';
	is state(), $before, 'and has not';
	is sql("SELECT COUNT(*) FROM audit WHERE act LIKE 'import.%'") + 0, 0,
	    'nor is it in the audit log';
};

subtest 'books are added' => sub {
	my $said = import_file($own, '--apply');

	is status(), 0, 'all is well';
	like $said, qr/^ +3 records\n +3 added\n\z/m, 'says so';
	is book('첫째, 책', 'author, publisher, published_year, isbn13,
	    language, description, price, stock_quantity, category_id,
	    source_id, version'),
	    join("\t", '김하나', '새벽', 1999, '9788901000015', 'ko',
	    '두 줄\n설명 "인용"', '12000.00', 5, 12, 't:1', 1), 'the first';
	is sql("SELECT title, author, publisher, published_year, isbn13,
	    language, price, stock_quantity FROM books
	    WHERE source_id = 't:2'"),
	    join("\t", "Second 'book' \\\\ 📚", 'Ann Other', 'NULL', -350,
	    'NULL', 'en', '9900.00', 0) . "\n", 'the second';
	is book('Third', 'published_year, isbn13, language, price'),
	    join("\t", 2008, '9780198526636', 'en', '15000.00'),
	    'the third, its ISBN of 10 digits as one of 13';
	is sql("SELECT c.delta, c.stock_after, c.reason, c.note
	    FROM stock_changes c JOIN books b ON b.id = c.book_id
	    WHERE b.source_id LIKE 't:%' ORDER BY c.id"),
	    "5\t5\timported\tbooks.csv\n7\t7\timported\tbooks.csv\n",
	    'the history of stocks';
	is sql("SELECT act, actor, object, label,
	    JSON_EXTRACT(changes, '\$.added[1]') FROM audit
	    WHERE act LIKE 'import.%' ORDER BY id"),
	    "import.begin\tsystem\timport\tbooks.csv\tNULL\n"
	    . "import.end\tsystem\timport\tbooks.csv\t3\n",
	    'and the audit log';
	counts_are_true();
};

subtest 'again' => sub {
	my $before = state();

	like import_file($own, '--apply'),
	    qr/^ +3 records\n +3 as they are/m, 'nothing to do';
	is state(), $before, 'nothing is done';
};

subtest 'changes' => sub {
	sql("UPDATE books SET stock_quantity = 3 WHERE source_id = 't:1';
	    INSERT INTO stock_changes (book_id, delta, stock_after, reason)
	    SELECT id, -2, 3, 'ordered' FROM books WHERE source_id = 't:1'");
	like import_file($own, '--apply'), qr/ 3 as they are/,
	    'what was sold since stays sold';
	(my $new = $own) =~ s/"12,000"/13000/;
	$new =~ s/Ann Other/ANN OTHER/;
	like import_file($new), qr/ 2 would change a book\n +1 as they/,
	    'a trial';
	like import_file($new, '--apply'), qr/ 2 changed\n +1 as they are/,
	    'what the file says else';
	is book('첫째, 책', 'price, stock_quantity, version,
	    updated_at >= created_at'), "13000.00\t3\t2\t1",
	    'price and version';
	is sql("SELECT author FROM books WHERE source_id = 't:2'"),
	    "ANN OTHER\n", 'letters large and small are not the same';
	like import_file($new, '--apply', '--set-stock'), qr/ 1 changed/,
	    '--set-stock';
	is sql("SELECT b.stock_quantity, c.delta FROM books b
	    JOIN stock_changes c ON c.book_id = b.id
	    WHERE source_id = 't:1' ORDER BY c.id DESC LIMIT 1"), "5\t2\n",
	    'sets it and notes how much that was';
	like import_file("source_id,title,category\nt:3,Third,history\n",
	    '--apply', '--price', 1), qr/ 1 changed/, 'another category';
	is book('Third', 'category_id, price, author'),
	    "2\t15000.00\tA; B", 'what the file does not say stays';
	sql("UPDATE books SET withdrawn_at = NOW() WHERE source_id = 't:3'");
	like import_file($own, '--apply'), qr/ 1 of withdrawn books/,
	    'a withdrawn book is left alone';
	counts_are_true();
};

subtest 'what is refused' => sub {
	my $before = state();
	my $head = "source_id,isbn,title,author,price,stock,category\n";
	my @cases = (
		[',,,A,1,1,history', 'it has no title'],
		["b:1,,${\('x' x 256)},A,1,1,history",
		    qr/the title "x+…" has more than 255 characters/],
		['b:1,,T,,1,1,history', qr/no author, and --author gives/],
		['b:1,,T,A,,1,history', qr/no price, and --price gives/],
		['b:1,,T,A,cheap,1,history', qr/"cheap" is no number of won/],
		['b:1,,T,A,-1,1,history', qr/"-1" is no number of won/],
		['b:1,,T,A,100000000,1,history', qr/is no number of won/],
		['b:1,,T,A,"1,0000",1,history', qr/is no number of won/],
		['b:1,,T,A,1.005,1,history', qr/is no number of won/],
		['b:1,,T,A,1,many,history', qr/the stock "many" is no number/],
		['b:1,,T,A,1,1000001,history', qr/from 0 to 1000000/],
		['b:1,,T,A,1,-1,history', qr/the stock "-1"/],
		['b:1,,T,A,1,1,', qr/no category, and --category gives none/],
		['b:1,,T,A,1,1,nothing', qr/there is no category "nothing"/],
		["b:1,,T\x{e2}\x{80}\x{ae},A,1,1,history",
		    qr/title has characters that cannot be seen/],
		["b:1,,T\0,A,1,1,history", qr/characters that cannot be seen/],
		["b:1,,\xb0\xa1,A,1,1,history",
		    qr/not UTF-8; .* add --charset cp949/],
		["${\('y' x 65)},,T,A,1,1,history", qr/more than 64 char/],
		['b:1,,T,A,1,1', qr/it has 6 fields, and the first line 7/],
		['b:1,,"T"x,A,1,1,history', qr/text after the closing quote/],
		['t:1,0198526636,T,A,1,1,history',
		    qr/its keys are those of two books/],
	);

	for (@cases) {
		my ($row, $message) = @$_;
		my $said = import_file("$head\n$row\n", '--apply');

		like $said, qr/^\Q$file\E, line 3: error: .*$message/m,
		    "$row" =~ s/[^ -~]/?/gr;
		is status(), 3, 'which the status tells';
	}
	is state(), $before, 'nothing of it is in the catalogue';
	like import_file("${head}b:2,,T,A,1,1,history\nb:2,,T2,A,1,1,history\n"
	    . "b:3,,U,A,1,1,history\n", '--apply'),
	    qr/line 3: error: line 2 has the same.* 2 added\n +1 refused/s,
	    'one bad record, and the others are in';
	like import_file(
	    "source_id,isbn,title,author,price,category\n"
	    . "b:9,9788901000015,T,A,1,history\n"
	    . "t:1,,T,A,1,history\n"),
	    qr/line 3: error: it is the same book as the one at 2/,
	    'one book by two names';
};

subtest 'what is left out with a note' => sub {
	my $authors = join ', ', map { "Author Number $_" } 1 .. 40;
	my $said = import_file("source_id,isbn,title,author,price,year,"
	    . "language,image_url,category\n"
	    . "n:1,9788901000018,Noted,\"$authors\",1,soon,xyz,"
	    . "http://else.example/x.jpg,history\n", '--apply');

	is status(), 0, 'no error';
	like $said, qr/note: "9788901000018" is no ISBN and is left out/,
	    'a wrong check digit';
	like $said, qr/note: "soon" is no year/, 'a year';
	like $said, qr/note: "xyz" is no language/, 'a language';
	like $said, qr/note: its picture is not of this site/, 'a picture';
	like $said, qr/note: its authors are cut to 255/, 'many authors';
	is book('Noted', 'isbn13, published_year, language, image_url'),
	    "NULL\tNULL\tko\tNULL", 'the rest is in';
	like book('Noted', 'author'), qr/\AAuthor Number 1, .*, …\z/, 'cut';
};

subtest 'columns and defaults' => sub {
	like import_file("\xef\xbb\xbf제목,저자,출판사,정가,재고\r\n"
	    . "가나다,홍길동,서가,\"1,500원\",2\r\n", '--apply',
	    '--category', 'history'), qr/ 1 added/, 'Korean names';
	is book('가나다', 'author, price, stock_quantity, category_id,
	    source_id LIKE "text:%"'), "홍길동\t1500.00\t2\t2\t1",
	    'a book without any number is known by its words';
	like import_file(undef, '--apply', '--category', 'history'),
	    qr/ 1 as they are/, 'and known again';
	like import_file("Name,Writer,No,Group\nMapped,W,7,Old novels\n",
	    '--apply', '--map', 'title=Name', '--map', 'author=Writer',
	    '--map', 'source_id=No', '--map', 'category=Group',
	    '--map-category', 'Old=korean-classics', '--price', '20.50',
	    '--stock', 4, '--language', 'en', '--source', 'shelf'),
	    qr/ 1 added/, '--map and defaults';
	is book('Mapped', 'source_id, price, stock_quantity, language,
	    category_id'), "shelf:7\t20.50\t4\ten\t11", 'each as told';
	my $cp949 = "title,author,price,category\n"
	    . "\xc7\xd1\xb1\xdb,\xb1\xe8,1,history\n";
	like import_file($cp949, '--apply', '--charset', 'cp949'),
	    qr/ 1 added/, 'a file in CP949';
	is book('한글', 'author'), '김', 'is read';
	like import_file("title,kdc,ddc\nKdc,813.6,\nDdc,,530.1\nNo,x,\n",
	    '--apply', '--price', 1, '--author', 'N', '--category', 'arts'),
	    qr/ 3 added/, 'classes';
	is join(' ', map { book($_, 'category_id') } qw(Kdc Ddc No)),
	    '12 52 6', 'by KDC, by DDC, by default';
};

subtest 'mistakes' => sub {
	for (
		[[], qr/usage: seoga import/],
		[[$file, '--format', 'doc'], qr/there is no format "doc"/],
		[["$file.none"], qr/cannot read .*No such file/],
		[[$file, '--category', 'x'], qr/there is no category "x"/],
		[[$file, '--price', 'x'], qr/"x" is no number of won/],
		[[$file, '--stock', '-1'], qr/"-1" is no number/],
		[[$file, '--language', 'english'], qr/no code of two letters/],
		[[$file, '--map', 'x'], qr/not of the form/],
		[[$file, '--map', 'nix=title'], qr/there is no fact "nix"/],
		[[$file, '--map', 'title=nix'], qr/no column "nix"/],
		[[$file, '--charset', 'nix'], qr/no character set "nix"/],
	) {
		my ($arguments, $message) = @$_;

		like seoga('import', @$arguments), $message,
		    join ' ', 'import', map { s{.*/}{}r } @$arguments;
		is status(), 1, 'is a mistake';
	}
	like import_file(''), qr/the file is empty/, 'an empty file';
	like import_file("a,b\n1,2\n"), qr/no column for the title/,
	    'one without names';
	like seoga('import', '--help'), qr/\Ausage: seoga import/, '--help';
};

my $data = "$ENV{SEOGA_SRCDIR}/../shared/data/goodbooks-10k-books.csv";

SKIP: {
	skip 'the file of ten thousand books is not there', 1
	    if !-r $data;
	subtest 'ten thousand books' => sub { ten_thousand() };
}

sub ten_thousand {
	my @options = ($data, '--category', 'world-fiction', '--price',
	    15000, '--stock', 3, '--language', 'en');
	my $begin = time;
	my $said = seoga('import', @options, '--apply');
	my $seconds = time - $begin;

	diag sprintf '10,000 records in %.1f s', $seconds;
	is status(), 0, 'all are taken';
	like $said, qr/^ +10000 records$/m, 'all';
	my ($added) = $said =~ /^ +(\d+) added$/m;
	my ($changed) = $said =~ /^ +(\d+) changed$/m;
	is $added + ($changed // 0), 10000, 'each is there now';
	cmp_ok $added, '>', 9900, 'most are new';
	cmp_ok $seconds, '<', limit(), 'in time';
	like $said, qr/^ 5\d%  \d+ records$/m, 'it told how far it was';
	like $said, qr/and \d+ more messages/, 'and not every small thing';
	is sql("SELECT COUNT(*), COUNT(isbn13), SUM(language = 'en'),
	    MIN(published_year) FROM books WHERE source_id LIKE 'goodb%'"),
	    "10000\t9277\t9815\t-1750\n", 'what is in';
	is sql("SELECT isbn13, title, author, published_year, language,
	    price, stock_quantity FROM books
	    WHERE source_id = 'goodbooks:2'"), join("\t", '9780439554930',
	    "Harry Potter and the Sorcerer's Stone (Harry Potter, #1)",
	    'J.K. Rowling, Mary GrandPré', 1997, 'en', '15000.00', 3)
	    . "\n", 'one of them';
	counts_are_true();
	my $before = state();
	$said = seoga('import', @options, '--apply');
	like $said, qr/^ +10000 records\n +10000 as they are in the cat/m,
	    'again: nothing to do';
	is state(), $before, 'and nothing done';
	like seoga('import', @options), qr/10000 as they are/, 'so a trial';
}

# Stopped in the middle and begun again.
SKIP: {
	skip 'the file of ten thousand books is not there', 1
	    if !-r $data;
	subtest 'cut short' => sub {
		sql("DELETE FROM stock_changes WHERE note LIKE 'goodbooks%';
		    DELETE FROM books WHERE source_id LIKE 'goodbooks:%'");
		for my $signal (qw(TERM KILL)) {
			cut_short($signal);
		}
		my $said = seoga('import', $data, '--apply', '--category',
		    'world-fiction', '--price', 15000, '--stock', 3);
		like $said, qr/^ +10000 records$/m, 'the rest';
		is sql("SELECT COUNT(*) > 9900, COUNT(*) = COUNT(DISTINCT
		    source_id) FROM books WHERE source_id LIKE 'goodb%'"),
		    "1\t1\n", 'all, and each once';
		is sql('SELECT COUNT(*) FROM categories c
		    WHERE book_count <> (SELECT COUNT(*) FROM books
		    WHERE category_id = c.id AND withdrawn_at IS NULL)') + 0,
		    0, 'the counts of categories are true';
		is sql("SELECT COUNT(*) FROM books b
		    WHERE source_id LIKE 'goodbooks:%' AND stock_quantity <>
		    (SELECT SUM(delta) FROM stock_changes
		    WHERE book_id = b.id)") + 0, 0, 'and the stocks';
		is sql("SELECT COUNT(*) FROM stock_changes
		    WHERE note LIKE 'goodbooks%'"), sql("SELECT COUNT(*)
		    FROM books WHERE source_id LIKE 'goodbooks:%'"),
		    'each noted once';
	};
}

sub cut_short {
	my ($signal) = @_;
	my $had = in_it();
	my $pid = fork() // die "fork: $!\n";

	if (!$pid) {
		open STDOUT, '>', site_dir() . '/cut' or die;
		open STDERR, '>&', \*STDOUT or die;
		exec "$ENV{SEOGA_SRCDIR}/bin/seoga", 'import', $data,
		    '--apply', '--category', 'world-fiction', '--price',
		    15000, '--stock', 3 or POSIX::_exit(127);
	}
	await(20, sub { in_it() > $had + 500 });
	kill $signal, $pid;
	waitpid $pid, 0;
	my $has = in_it();
	cmp_ok $has, '>', $had, "$signal: $has books are in";
	cmp_ok $has, '<', 9900, 'not all';
	like slurp(site_dir() . '/cut'), qr/It was stopped. Do the same again/,
	    'says what to do' if $signal eq 'TERM';
}

sub in_it {
	return sql("SELECT COUNT(*) FROM books
	    WHERE source_id LIKE 'goodbooks:%'") + 0;
}

site_stop();
done_testing();
