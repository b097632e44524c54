#!/usr/bin/perl
# `seoga import` where things go wrong: two at once, MariaDB killed under it,
# files that are no CSV, long rows, many bad rows, damaged MARC; and what
# readers and the audit log see of it.
use strict;
use warnings;
use utf8;

use Encode qw(decode encode);
use Fcntl ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);
site_start(db_hosts => '');
seoga_ok('migrate', '--sample');
expect_error(qr/db\.(?:error|connect|lost)|MariaDB/);

my $file = site_dir() . '/books.csv';
my $head = "source_id,isbn,title,author,price,stock,category\n";

sub status { return $? >> 8 }

# Bytes into the file; what the command says, in characters.
sub import_bytes {
	my ($bytes, @options) = @_;

	spew($file, $bytes) if defined $bytes;
	return decode('UTF-8', seoga('import', $file, @options));
}

sub import_text {
	my ($text, @options) = @_;

	return import_bytes(encode('UTF-8', $text), @options);
}

sub row {
	my ($text) = @_;
	my $row = decode('UTF-8', own_sql(encode('UTF-8', $text)));

	chomp $row;
	return $row;
}

# Runs an import beside us; gives its pid, and its output goes to a file.
sub import_beside {
	my ($name, $said, @options) = @_;
	my $pid = fork() // die "fork: $!\n";

	if (!$pid) {
		open STDIN, '<', '/dev/null' or POSIX::_exit(127);
		open STDOUT, '>', $said or POSIX::_exit(127);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
		exec "$ENV{SEOGA_SRCDIR}/bin/seoga", 'import', $name,
		    @options or POSIX::_exit(127);
	}
	return $pid;
}

subtest 'readers see it at once' => sub {
	import_text("${head}r:1,,Old title,A,1000,1,history\n", '--apply');
	my $id = row("SELECT id FROM books WHERE source_id = 'r:1'");
	like http(get => "/books/$id")->{content}, qr/Old title/, 'before';
	like redis('EXISTS', "cache:book:ko:$id", "cache:book:en:$id"),
	    qr/[12]/, 'is cached';
	my $count = sub {
		return decode('UTF-8', http(get => '/books',
		    { headers => { 'Accept-Language' => 'en' } })->{content})
		    =~ m{>History</a>\s*<span[^>]*>\s*\(?(\d+)}s ? $1 : undef;
	};
	my $had = $count->();
	import_text("${head}r:1,,New title,A,2500,1,history\n"
	    . "r:2,,Another,A,1,1,history\n", '--apply');
	my $page = http(get => "/books/$id")->{content};
	like $page, qr/New title/, 'the title after it';
	like $page, qr/2,500/, 'the price, too';
	is $count->(), defined $had ? $had + 1 : undef,
	    'and how many a category has';
	is row("SELECT act, actor, label, JSON_COMPACT(changes) FROM audit
	    WHERE object = 'book' AND object_id = $id ORDER BY id"),
	    join("\n", map { join "\t", @$_ } ['book.add', 'system',
	    'Old title', row("SELECT JSON_COMPACT(changes) FROM audit
	    WHERE object_id = $id AND act = 'book.add'")], ['book.edit',
	    'system', 'New title', '{"title":["Old title","New title"],'
	    . '"price":[100000,250000]}']),
	    'the audit log knows who and what';
	like row("SELECT changes FROM audit WHERE object_id = $id AND
	    act = 'book.add'"), qr/"title":\[null,"Old title"\]/,
	    'from the beginning';
	my $before = row('SELECT COUNT(*) FROM audit WHERE object = "book"');
	import_bytes(undef, '--apply');
	is row('SELECT COUNT(*) FROM audit WHERE object = "book"'), $before,
	    'what changes nothing is no entry';
};

subtest 'what would change is shown' => sub {
	my $said = import_text("${head}r:1,0-19-852663-6,Newer title,A,1250.5,"
	    . "1,science\n", '--changes');
	my %change = (title => ['"New title"', '"Newer title"'],
	    isbn13 => ['nothing', '"9780198526636"'],
	    price => ['2500', '1250.50'], category => ['history', 'science']);

	like $said, qr/line 2: change: book \d+: .*\b\Q$_ $change{$_}[0] → $change{
	    $_}[1]\E(?:;|$)/m, "$_, before and after" for sort keys %change;
	unlike import_bytes(undef), qr/change:/, 'only when asked for';
};

subtest 'categories by name' => sub {
	my $said = import_text("${head}k:1,,가,A,1,1,한국소설\n"
	    . "k:2,,나,A,1,1,history\nk:3,,다,A,1,1,HISTORY\n", '--apply');
	my ($ko, $en) = split /\t/, row("SELECT name_ko, name_en
	    FROM categories WHERE slug = 'world-fiction'");

	like $said, qr/line 2: error: there is no category "한국소설"/,
	    'none of that name' if row("SELECT COUNT(*) FROM categories
	    WHERE name_ko = '한국소설'") == 0;
	like import_text("${head}k:4,,라,A,1,1,$ko\nk:5,,마,A,1,1,\U$en\E\n",
	    '--apply'), qr/ 2 added/, 'in Korean and in English';
	is row("SELECT COUNT(*) FROM books b JOIN categories c
	    ON c.id = b.category_id WHERE c.slug = 'world-fiction'
	    AND source_id IN ('k:4', 'k:5')"), 2, 'it is that one';
	like import_text("title,author,price\n바,A,1\n", '--category',
	    encode('UTF-8', $ko)), qr/ 1 new/, '--category, too';
	like import_bytes(undef, '--category', 'none'),
	    qr/The categories are: .*history \(.*there is no category "none"/s,
	    'and which there are, if not';
};

subtest 'cells of a spreadsheet' => sub {
	my $said = import_text("source_id,isbn13,isbn,title,author,price,"
	    . "발행일,category\n"
	    . "s:1,9.78043902348e+12,439023483,S1,A,1,2008-05-01,history\n"
	    . "s:2,9.78043902348E+12,,S2,A,1,2009.5.1,history\n"
	    . "s:3,,,S3,A,1,2010년 5월,history\n"
	    . "s:4,,,S4,A,1,20110501,history\n"
	    . "s:5,,,S5,A,1,05/01/2012,history\n", '--apply');

	is row("SELECT GROUP_CONCAT(IFNULL(published_year, '-'), '/',
	    IFNULL(isbn13, '-') ORDER BY title) FROM books
	    WHERE source_id LIKE 's:%'"), '2008/9780439023481,2009/-,'
	    . '2010/-,2011/-,-/-', 'years of dates, and ISBNs';
	like $said, qr/line 3: note: "9\.78043902348E\+12" is no ISBN any/,
	    'that there is none,';
	like $said, qr/any more \(a spreadsheet has rounded it\)/, 'and why';
	unlike $said, qr/line 2: note/, 'nothing where the other column has it';
	like $said, qr{line 6: note: "05/01/2012" is no year}, 'and no guess';
};

subtest 'no CSV' => sub {
	for (
		['a spreadsheet', "PK\3\4\x14\0\6\0", qr/is a spreadsheet/],
		['UTF-16', "\xff\xfet\0i\0t\0", qr/is UTF-16; save it as/],
		['semicolons', "title;author\na;b\n", qr/has no commas/],
		['tabs', "title\tauthor\na\tb\n", qr/has no commas/],
		['CP949', encode('cp949', "제목,저자\n가,나\n"),
		    qr/first line is not UTF-8; .* --charset cp949/],
		['CP949 with a title', encode('cp949', "title,저자\n가,나\n"),
		    qr/first line is not UTF-8; .* --charset cp949/],
	) {
		my ($name, $bytes, $message) = @$_;

		like import_bytes($bytes), $message, $name;
		is status(), 1, 'is a mistake';
	}
	like import_bytes(encode('cp949', "제목,저자,가격\n똠방각하,나,1\n"),
	    '--charset', 'euc-kr', '--category', 'history', '--apply'),
	    qr/ 1 (?:added|refused)/, 'what is not in EUC-KR';
	like import_bytes(encode('cp949', "제목,저자,가격\n똠방각하,나,1\n"),
	    '--charset', 'cp949', '--category', 'history', '--apply'),
	    qr/ 1 (?:added|as they)/, 'is in CP949';
	is row("SELECT COUNT(*) FROM books WHERE title = '똠방각하'"), 1,
	    'and read';
	chmod 0, $file;
	like import_bytes(undef), qr/Permission denied; try: seoga import - </,
	    'what the account may not read' if $> != 0;
	chmod 0644, $file;
};

subtest 'two at once' => sub {
	my $fifo = site_dir() . '/fifo';
	my $said = site_dir() . '/first';

	POSIX::mkfifo($fifo, 0600) or die;
	my $pid = import_beside($fifo, $said, '--apply');
	# It opens the pipe, then takes the lock, then waits for more.
	sysopen my $pipe, $fifo, Fcntl::O_WRONLY or die;
	syswrite $pipe, "${head}w:1,,First,A,1,1,history\n";
	ok await(10, sub {
		import_text("${head}w:2,,Second,A,1,1,history\n", '--apply')
		    =~ /another import is under way/
	}), 'the second waits for its turn';
	is status(), 1, 'which is a mistake';
	like import_bytes(undef), qr/ 1 new/, 'a trial may be made';
	close $pipe;
	waitpid $pid, 0;
	is $?, 0, 'the first goes on';
	like slurp($said), qr/ 1 (?:added|as)/, 'and is done';
	like import_bytes(undef, '--apply'), qr/ 1 (?:added|as)/,
	    'then the second';
};

# A peak of memory in KiB, while the command runs.
sub peak_of {
	my ($pid) = @_;
	my $peak = 0;

	while (waitpid($pid, POSIX::WNOHANG()) == 0) {
		$peak = $1 if slurp("/proc/$pid/status") =~
		    /^VmHWM:\s+(\d+)/m && $1 > $peak;
		sleep 0.01;
	}
	return $peak;
}

subtest 'large files' => sub {
	my $said = site_dir() . '/said';
	# AddressSanitizer keeps what was freed.
	my $most = slurp("$ENV{SEOGA_BUILD}/bin/seoga-import") =~
	    /__asan_init/ ? 1024 : 256;
	my %file = (
		# Each row longer than what a statement of 300 could carry.
		'long rows' => [400, sub { my ($i) = @_;
		    "l:$i,,Long $i,A,1,1,history,\"" . "설명 \"\"$i\"\"\n" x
		    3000 . "\"\n" }, qr/ 400 added/],
		'the same' => [400, sub { my ($i) = @_;
		    "l:$i,,Long $i,A,2,1,history,\"" . "설명 \"\"$i\"\"\n" x
		    3000 . "\"\n" }, qr/ 400 changed/],
		'bad rows' => [100_000, sub { "b:$_[0],,,A,1,1,history,"
		    . 'x' x 100 . "\n" }, qr/ 100000 refused/],
		'rows of other lengths' => [50_000, sub { "a,\"b\n\n\"," .
		    'c' x 200 . "\n" }, qr/ 50000 refused/],
	);

	for my $name ('long rows', 'the same', 'bad rows',
	    'rows of other lengths') {
		my ($n, $row, $message) = @{$file{$name}};
		open my $out, '>:encoding(UTF-8)', $file or die;
		print $out $head =~ s/\n/,description\n/r;
		print $out $row->($_) for 1 .. $n;
		close $out or die;
		my $size = -s $file;
		my $peak = peak_of(import_beside($file, $said, '--apply'));
		diag sprintf '%s: %d MB of file, %d MB of memory', $name,
		    $size >> 20, $peak >> 10;
		like slurp($said), $message, "$name: all are read";
		cmp_ok $peak, '<', $most << 10, 'within memory';
	}
	is row("SELECT COUNT(*) FROM books WHERE source_id LIKE 'l:%'
	    AND LENGTH(description) > 30000 AND price = 2"), 400,
	    'long descriptions are whole';
};

subtest 'a bar on a terminal' => sub {
	open my $out, '>', $file or die;
	print $out $head, map { "p:$_,,Bar $_,A,1,1,history\n" } 1 .. 3000;
	close $out or die;
	my $said = site_dir() . '/typescript';
	system 'script', '-qec', "$ENV{SEOGA_SRCDIR}/bin/seoga import $file",
	    $said;
	my $shown = slurp($said);
	like $shown, qr/\r\[#+\.*\] +\d+%  \d+ records, \d+ a second/, 'moves';
	like $shown, qr/\r\e\[K +3000 records/,
	    'and is gone when it is done';
	my $piped = `cat '$file' | '$ENV{SEOGA_SRCDIR}/bin/seoga' import - 2>&1`;
	like $piped, qr/^1200 records\n/m, 'of a pipe, how many there were';
};

sub in_it {
	return row("SELECT COUNT(*) FROM books WHERE source_id LIKE 'm:%'");
}

subtest 'MariaDB is killed under it' => sub {
	open my $out, '>', $file or die;
	print $out $head, map { "m:$_,,Kill $_,A,1,3,history\n" } 1 .. 12_000;
	close $out or die;
	my $said = site_dir() . '/said';
	my $pid = import_beside($file, $said, '--apply');
	ok await(20, sub { in_it() > 300 }), 'some are in';
	kill 'KILL', my $server = backend_pid('mariadb');
	await(10, sub { waitpid $server, POSIX::WNOHANG(); gone($server) });
	sleep 1;
	backend_start('mariadb');
	waitpid $pid, 0;
	is $?, 0, 'it goes on by itself';
	like slurp($said), qr/MariaDB is away; trying again in 1 s/, 'says so';
	like slurp($said), qr/^ +12000 records$/m, 'to the end';
	is in_it(), 12_000, 'all are in';
	is row("SELECT COUNT(*), SUM(delta) FROM stock_changes s
	    JOIN books b ON b.id = s.book_id WHERE source_id LIKE 'm:%'"),
	    "12000\t36000", 'each stock noted once';
	is row("SELECT COUNT(*) FROM audit a JOIN books b
	    ON b.id = a.object_id WHERE a.object = 'book'
	    AND source_id LIKE 'm:%'"), 12_000, 'each book, too';
	is row('SELECT COUNT(*) FROM categories c WHERE book_count <>
	    (SELECT COUNT(*) FROM books WHERE category_id = c.id
	    AND withdrawn_at IS NULL)'), 0, 'counts are true';
};

# A record of fields: [tag, data] or [tag, indicators, code => text ...].
sub iso2709 {
	my ($charset, @fields) = @_;
	my ($directory, $data) = ('', '');

	for my $field (@fields) {
		my ($tag, @rest) = @$field;
		my $text = @rest == 1 ? $rest[0] : shift @rest;
		while (my ($code, $value) = splice @rest, 0, 2) {
			$text .= "\x1f$code$value" if defined $value;
		}
		$text = encode($charset, $text) . "\x1e";
		$directory .= sprintf '%s%04d%05d', $tag, length $text,
		    length $data;
		$data .= $text;
	}
	$directory .= "\x1e";
	my $base = 24 + length $directory;
	return sprintf('%05dnam  22%05d   4500', $base + length($data) + 1,
	    $base) . "$directory$data\x1d";
}

my @defaults = ('--category', 'history', '--price', 1, '--author', 'A');

subtest 'what MARC is written in' => sub {
	my $fixed = '130503s2013    ulka          000af kor  ';
	my @fields = (['001', 'e1'], ['008', $fixed],
	    ['245', '00', a => '서가의 책 뷁']);

	like import_bytes(iso2709('cp949', @fields), '--apply', @defaults),
	    qr/ 1 added/, 'CP949 without fields of KORMARC';
	is row("SELECT title FROM books WHERE source_id = 'marc:e1'"),
	    '서가의 책 뷁', 'is known by its language';
	like import_bytes("\xef\xbb\xbf" . iso2709('UTF-8', @fields),
	    @defaults), qr/ 1 as they are/, 'after a byte order mark';
	like import_bytes(iso2709('UTF-8', ['001', 'e2'],
	    ['245', '00', a => "nul\0"]), @defaults),
	    qr/record 1: error: it has bytes that no text has/, 'NUL';
};

# libyaz's reader looked behind the end of some of these.
subtest 'damaged MARC' => sub {
	my $seed = 42;
	my $random = sub {
		$seed = ($seed * 1103515245 + 12345) & 0x7fffffff;
		return ($seed >> 8) % $_[0];
	};
	my $good = sub {
		return iso2709('cp949', ['001', "$_[0]"], ['020', '  ',
		    a => '9788901000015', c => '₩1000'], ['049', '0 ',
		    l => 'E1'], ['245', '00', a => "책 $_[0]", b => '둘']);
	};
	my $text = '';
	for my $i (1 .. 1500) {
		my $record = iso2709('cp949', ['001', "bad$i"], ['049', '0 ',
		    l => 'E1'], ['245', '00', a => "나쁨", b => ''],
		    ['500', '  ', "\x1f" => '']);
		for (1 .. 1 + $random->(4)) {
			my $byte = $random->(256);
			$byte = 0xff if $byte == 0x1d;
			substr $record, $random->(length($record) - 1), 1,
			    chr $byte;
		}
		$text .= $record;
		$text .= iso2709('UTF-8', ['001', "good$i"], ['245', '00',
		    a => "Good $i"]) if $i % 100 == 0;
	}
	my $said = import_bytes($text, '--apply', @defaults);
	is status(), 3, 'some are refused';
	unlike $said, qr/Sanitizer|runtime error/, 'and nothing worse';
	like $said, qr/^ +1515 records$/m, 'all are read';
	is row("SELECT COUNT(*) FROM books
	    WHERE source_id LIKE 'marc:good%'"), 15, 'the good ones are in';
	my $at = length($text) >> 1;
	for my $cut (1 .. 12) {
		my $said = import_bytes(substr($text, $at - 40 + $cut, 400 +
		    $cut), '--format', 'marc', @defaults);
		fail "cut at $cut: $said" if status() != 3 && status() != 0;
	}
	pass 'nor when it is cut anywhere';
};

site_stop();
done_testing();
