#!/usr/bin/perl
# Every statement: its name is its own, it finds what it wants through an index
# in a catalogue of some size, and the programs' account is enough for it.
use strict;
use warnings;

use MIME::Base64 qw(decode_base64);
use Test::More;

use Seoga::Fault;
use Seoga::Picture;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

my $top = $ENV{SEOGA_SRCDIR};

# Statements may read a whole table for these reasons only.
my %whole_table = (
	'category.tree' => [qr/ FROM categories ORDER BY position, id(?: FOR UPDATE)?$/,
	    'all categories are wanted, and there are few'],
	'popular' => [qr/ FROM \(SELECT book_id, SUM\(copies\)/,
	    'what was sold in three days is summed up and sorted, once in ten'
	    . ' minutes'],
	'best' => [qr/ FROM \(SELECT book_id, CAST\(SUM\(copies\)/,
	    'what was sold in a week is summed up and sorted, when somebody'
	    . ' who may looks at it'],
	'tables' => [qr/ FROM information_schema\.TABLES /,
	    'that is no table: MariaDB tells what it knows of ours'],
	'desk' => [qr/ LOCATE\('/,
	    'librarians look for a part of a title or name: what stands'
	    . ' anywhere in it is in no index'],
	'low' => [qr/ FORCE INDEX \(by_(?:stock|withdrawn)\) .* category_id IN /,
	    'those of a category are looked for among all that run low'],
	'members' => [qr/ FROM users FORCE INDEX \(by_username\) WHERE TRUE AND /,
	    'members of a role or locked ones, by name: few look for them'],
	'figures' => [qr/ FROM information_schema\.GLOBAL_STATUS /,
	    'what MariaDB counts is in its memory, in no table'],
	'rows' => [qr/^SELECT \(SELECT COUNT\(\*\) FROM users\)/,
	    'the recorder counts all members and books, once a minute'],
	'search' => [qr/ FROM book_grams /,
	    'hits are sorted by how near they are, and counted; the index of'
	    . ' pieces says which they are'],
);

# The names in the sources.
my (%named, @names);
for my $file (glob("$top/lib/*.c"), glob("$top/bin/*.c")) {
	my $text = slurp($file) =~ s{/\*.*?\*/}{}gsr;

	push @names, $text =~
	    /struct db_stmt\s+\w+\s*=\s*\{\s*"([^"]+)"\s*,/g;
	# Those that are put together get their names from what they do.
	my @all = $text =~ /static const struct db_stmt\s+\w+\s*=\s*\{/g;
	my @found = $text =~ /struct db_stmt\s+\w+\s*=\s*\{\s*"[^"]+"/g;
	is scalar(@found), scalar(@all), "$file: each has a name" if @all;
}
$named{$_}++ for @names;
cmp_ok scalar(@names), '>=', 15, 'statements were found';
is_deeply [grep { $named{$_} > 1 } sort keys %named], [],
    'no name stands for two statements';
is_deeply [grep { !/^[a-z]+(?:\.[a-z_]+)+$/ } sort keys %named], [],
    'names are of one form';

site_start(history_step_s => 1);
seoga_ok('migrate', '--sample');
sql('INSERT INTO books (category_id, title, author, publisher,
	published_year, language, price, stock_quantity, created_at)
    SELECT category_id, CONCAT(title, " ", seq), author, publisher,
	published_year, language, price + seq * 10, 1 + seq,
	created_at - INTERVAL seq HOUR
    FROM books, seq_1_to_20');
seoga_ok('reindex');
sql('ANALYZE TABLE books, categories, users, book_search, book_grams');
my $many = sql('SELECT COUNT(*) FROM books') + 0;
cmp_ok $many, '>', 5000, "$many books";

# Somebody who may see all pages.
sub administrate {
	my $admin = Seoga::Reader->new;
	my $name = $admin->register;

	sql("UPDATE users SET role = 'admin' WHERE username = '$name'");
	$admin->logout;
	$admin->login($name);
	for my $path (qw(/admin/sales /admin/queues /
	    /status/business /status/database)) {
		redis('DEL', 'cache:popular');
		is $admin->get($path)->status, 200, $path;
	}
}

# What librarians and administrators do.
sub keep {
	my $admin = staff('admin');
	my $name = staff('reader')->{username};
	my $act = sub {
		my ($path, $status, %values) = @_;
		my $where = delete $values{where};

		$admin->get($path);
		$admin->send($path, $where ? (where => $where) : (), %values);
		is $admin->status, $status, "$path: $status";
	};
	my %book = (title => 'T', author => 'A', category_id => 11,
	    price => 1, stock => 5);

	sql("UPDATE books SET withdrawn_at = created_at WHERE id % 50 = 7");
	sql("INSERT INTO users (username, name, password_hash)
	    SELECT CONCAT('member', seq), 'M', 'x' FROM seq_1_to_500");
	sql("INSERT INTO audit (actor_id, actor, act, object, object_id,
	    label, changes, trace) SELECT IF(seq % 3, " .
	    user_id($name) . ", NULL), 'x', 'book.edit',
	    IF(seq % 5, 'book', 'user'), 1000 + seq % 300, 'L', '{}',
	    REPEAT('0', 32) FROM seq_1_to_3000");
	sql('ANALYZE TABLE audit, users, books');
	$admin->get('/admin');
	for my $show ('', 'low', 'withdrawn') {
		for my $of ('', '&category=11', '&category=1', '&q=a') {
			$admin->get("/admin/books?show=$show$of");
			follow($admin, 'next')
			    if $admin->html =~ /rel="next"/;
		}
	}
	$act->('/admin/books/new', 303, %book, isbn13 => '9780306406157');
	$act->('/admin/books/new', 409, %book, isbn13 => '9780306406157');
	$act->('/admin/books/new', 303, %book, once => 'the-same')
	    for 1 .. 2;
	$act->('/admin/books/1102', 303, price => 77);
	$act->('/admin/books/1102', 409, price => 78, version => 1);
	$act->('/admin/books/1102', 303, where => { act => 'withdraw' });
	$act->('/admin/books/1102', 303, where => { act => 'bring-back' });
	$act->('/admin/books/1102/stock', 303, change => $_->[0],
	    copies => $_->[1], note => 'because')
	    for [add => 2], [subtract => 1], [set => 9];
	for my $colour (1, 90) {
		send_cover($admin, 1102, png(32, 48, $colour));
		is $admin->status, 303, 'a cover';
	}
	$act->('/admin/categories', 303, name_ko => 'A', name_en => 'A');
	my $new = sql('SELECT MAX(id) FROM categories') + 0;
	$act->("/admin/categories/$new", 303, name_ko => 'B');
	$admin->get('/admin/categories');
	$admin->submit("/admin/categories/$new", where => { act => 'up' });
	is $admin->status, 200, 'a category one place up';
	$act->("/admin/categories/$new", 303, where => { act => 'delete' });
	for my $query ('', 'q=member', 'role=reader', 'locked=1') {
		$admin->get("/admin/users?$query");
		follow($admin, 'next') if $admin->html =~ /rel="next"/;
	}
	my $user = '/admin/users/' . user_id($name);
	$act->($user, 303, where => { act => 'role' }, role => 'student');
	$act->($user, 303, where => { act => 'lock' });
	$act->($user, 303, where => { act => 'unlock' });
	for my $query ('', 'what=book.edit', "actor=$name", 'what=book', 'what=book&id=1102',
	    'actor=system', "actor=$name&what=user") {
		$admin->get("/admin/audit?$query");
		follow($admin, 'next') if $admin->html =~ /rel="next"/;
	}
}

# What the jobs count: an order paid, another refunded.
sub events {
	my $data = '{"total": 500, "created_at": "2026-11-01T12:00:00Z",
	    "items": [{"book_id": 1101, "quantity": 1, "total_price": 500}]}';

	sql("INSERT INTO outbox (topic, subject, payload, trace, span)
	    SELECT IF(seq > 2, 'order.refunded', 'order.paid'), '1', '$data',
	    REPEAT('0', 32), REPEAT('0', 16) FROM seq_1_to_3");
	ok await(10, sub {
		sql('SELECT COUNT(*) FROM events_consumed') == 3
	}), 'sales are counted';
}

sub log_statements {
	my ($on) = @_;
	my $output = $on ? 'TABLE' : 'FILE';

	sql("SET GLOBAL log_output = '$output', GLOBAL general_log = $on");
}

sub follow {
	my ($reader, $label) = @_;
	my ($url) = $reader->html =~ m{<a [^>]*href="([^"]+)"[^>]*rel="$label"}
	    or $reader->html =~ m{<a [^>]*rel="$label"[^>]*href="([^"]+)"};

	$url or return diag "no link $label on $reader->{path}";
	$reader->get(HTML::Entities::decode_entities($url));
	is $reader->status, 200, "$reader->{path}";
}

# Makes the programs say all they have to say.
sub exercise {
	my $reader = Seoga::Reader->new;
	my ($leaf, $branch) = split ' ', sql('SELECT
	    (SELECT MIN(id) FROM categories WHERE parent_id IS NOT NULL),
	    (SELECT MIN(parent_id) FROM categories)');
	my @books = split ' ', sql('SELECT id FROM books
	    WHERE stock_quantity > 2 ORDER BY id LIMIT 9');
	my $name = $reader->register;

	for my $sort (qw(title newest price)) {
		for my $of ('', "&category=$leaf", "&category=$branch",
		    '&q=a') {
			$reader->get("/books?sort=$sort$of");
			follow($reader, 'next');
			follow($reader, 'prev');
		}
	}
	$reader->get('/books?q=978-89-364-3426-7');
	for my $lang (qw(ko en)) {
		my $other = Seoga::Reader->new(lang => $lang);
		redis('DEL', 'cache:categories:ko', 'cache:categories:en');
		$other->get('/books');
		$other->get("/books/$books[0]");
		is $other->status, 200, "/books/$books[0] in $lang";
	}
	for my $book (@books) {
		$reader->add($book);
		$reader->get('/cart');
	}
	is scalar(keys %{$reader->cart}), scalar(@books), 'a cart of some';
	my $new = 'another long enough password';
	my $account = sub {
		my ($action, %fields) = @_;

		$reader->get('/account');
		$reader->send('/account', where => { action => $action },
		    %fields);
		is $reader->status, 303, "/account: $action";
	};
	$account->('name', name => 'Other');
	$account->('language', lang => 'ko');
	$account->('password', password_old => 'a long enough password',
	    password => $new, password2 => $new);
	$reader->get('/books');
	$reader->logout;
	$reader->login($name, password => $new);
	ok $reader->signed_in, 'signed in again';
	is api(get => '/api/ready')->{status}, 200, 'ready';
	seoga_ok('expire', '--once');
	keep();
	events();
	administrate();
	sql('DELETE FROM service_hours');
	ok await(10, sub { sql('SELECT COUNT(*) FROM service_hours') > 0 }),
	    'the recorder has counted';
}

log_statements(1);
exercise();
log_statements(0);
END { log_statements(0) if $ENV{SEOGA_TEST_DB_SOCKET} && site_dir() }

my @ran = map { decode_base64($_) } split /\n/, sql("SELECT DISTINCT
    REPLACE(TO_BASE64(argument), '\\n', '') FROM mysql.general_log WHERE command_type = 'Execute'
    AND user_host LIKE 'p$$\[%'");
# Who asked for it stands behind it.  What a job prepared before the log was on
# is there without its values.
my %once;
@ran = grep { !/ \?/ && !$once{$_}++ }
    map { s{ /\*action=[^*]*\*/\z}{}r } @ran;
cmp_ok scalar(@ran), '>=', 40, scalar(@ran) . ' statements ran';

# Programs' names come from the log; commands have no part in it.
my %seen = map { $_->{name} => 1 }
    grep { $_->{ev} eq 'db.query' } log_lines();
# No program uses these yet, or only with a bucket.
my $later = qr/^(?:outbox|order)\.|^stock\.(?:take|return)$|^cover\.find$/;
# The recorder, which logs none of its own.
my $recorder = qr/^history\.(?:add|prune|sum|by_day)$|^vitals\./;
my $commands = qr/^(?:bulk|migrate|search|reindex|tx)\.|^cover\.(?:unused|remove)$/;
is_deeply [grep { !$seen{$_} && $_ !~ $commands && $_ !~ $later &&
	$_ !~ $recorder }
    sort keys %named], [], 'each that programs have was among them';
for my $sort (qw(title newest price)) {
	for my $from (qw(first after before)) {
		ok scalar(grep { /^book\.list\.$sort\.$from/ } keys %seen),
		    "the list by $sort, $from";
	}
}

sub excuse {
	my ($text) = @_;

	for my $name (sort keys %whole_table) {
		return $name if $text =~ $whole_table{$name}[0];
	}
	return undef;
}

# How MariaDB goes about it.
sub plan_of {
	my ($text) = @_;

	return map {
		my %row;
		@row{qw(id select table type keys key length ref rows extra)} =
		    split /\t/;
		\%row
	} split /\n/, sql("EXPLAIN $text");
}

# How many rows it really looks at.
sub rows_read {
	my ($text) = @_;
	my $sum = 0;

	open my $out, '-|', 'mariadb', '--no-defaults', '-uroot', '-N', '-B',
	    "--socket=$ENV{SEOGA_TEST_DB_SOCKET}", '-e', "FLUSH STATUS;
	    $text; SHOW SESSION STATUS LIKE 'Handler_read%'",
	    $ENV{SEOGA_DB_NAME} or die "mariadb: $!\n";
	while (<$out>) {
		$sum += $1 if /^Handler_read_\w+\t(\d+)$/;
	}
	close $out or die "mariadb refuses: $text\n";
	return $sum;
}

my (%excused, @scans, @sorts, @many);
for my $text (@ran) {
	next if $text !~ /^\(?(?:SELECT|UPDATE)/;
	my $name = excuse($text);

	$excused{$name} = 1 if $name;
	next if $name;
	for my $step (plan_of($text)) {
		next if $step->{table} =~ /^<(?:union|derived)|^NULL$/;
		# JSON that a program sends is no table.
		next if ($step->{extra} // '') =~ /Table function/;
		push @scans, "$step->{type} $text" if $step->{type} eq 'ALL';
		# What comes out of a union is sorted, and that is little.
		push @sorts, $text if ($step->{extra} // '') =~ /filesort/;
	}
	next if $text !~ /^\(?SELECT/;
	my $parts = () = $text =~ /SELECT/g;
	my $read = rows_read($text);
	# A page of 20 and one, from each part; the union is read again.
	push @many, "$read rows: $text" if $read > 60 * $parts + 40;
}
is_deeply \@scans, [], 'no table is read from end to end';
is_deeply \@sorts, [], 'and none sorted';
is_deeply \@many, [], 'nor are more rows read than a page can show';
is_deeply [sort keys %excused], [sort keys %whole_table],
    'but for those with a reason';

site_stop();
done_testing();
