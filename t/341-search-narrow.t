#!/usr/bin/perl
# Search: counts and links that narrow it down, page after page, what else may
# have been meant, and that librarians' changes are found at once.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my $reader = Seoga::Reader->new;

sub address {
	my (%query) = @_;

	return '/books?' . HTTP::Tiny->new->www_form_urlencode(\%query);
}

sub ids { return [$reader->html =~ m{<h2><a href="/books/(\d+)"}g] }

sub look_for {
	my ($q, %more) = @_;

	$reader->get(address(q => $q, %more));
	return ids();
}

sub link_to {
	my ($label) = @_;
	my ($tag) = $reader->html =~
	    m{(<a [^>]*)>\s*\Q$label\E\s*(?:<span>[\d,]+</span>)?\s*</a>};

	return HTML::Entities::decode_entities(
	    (($tag // '') =~ /href="([^"]*)"/)[0] // '');
}

# The choices of the page: label => count.
sub choices {
	my ($name) = @_;
	my ($nav) = $reader->html =~
	    m{<nav aria-label="\Q$name\E">(.*?)</nav>}s;

	return { map { HTML::Entities::decode_entities($_) }
	    ($nav // '') =~ m{<a [^>]*>([^<]*?) <span>(\d+)</span></a>}g };
}

sub all_pages {
	my ($path) = @_;
	my @ids;

	$reader->get($path);
	for (1 .. 100) {
		push @ids, @{ids()};
		my ($url) = $reader->html =~ m{<a href="([^"]+)" rel="next">}
		    or last;
		$reader->get(HTML::Entities::decode_entities($url));
	}
	return \@ids;
}

# What LIKE says, where spaces make no difference.
sub where {
	my ($q) = @_;

	return "(title LIKE '%$q%' OR author LIKE '%$q%'
	    OR publisher LIKE '%$q%')";
}

sub count_of { return sql("SELECT COUNT(*) FROM books WHERE $_[0]") + 0 }

subtest 'counts' => sub {
	my $in = where('an');
	my $all = count_of($in);

	cmp_ok $all, '>', 40, "$all books";
	look_for('an');
	like $reader->text, qr/$all books were found\./, 'how many';
	is_deeply choices('Language'), { English => $all }, 'languages';
	my %bands = ('under ₩10,000' => [0, 10_000],
	    '₩10,000 to under ₩15,000' => [10_000, 15_000],
	    '₩15,000 to under ₩20,000' => [15_000, 20_000],
	    '₩20,000 to under ₩30,000' => [20_000, 30_000],
	    '₩30,000 and more' => [30_000, 1e9]);
	my %want = map { $_ => count_of("$in AND price >= $bands{$_}[0]
	    AND price < $bands{$_}[1]") } keys %bands;
	delete @want{grep { !$want{$_} } keys %want};
	is_deeply choices('Price'), \%want, 'prices';
	my %decades = map { split /\t/ } split /\n/, sql("SELECT
	    IF(published_year < 1900, 'before 1900', CONCAT(
	    published_year DIV 10, '0–', published_year DIV 10, '9')),
	    COUNT(*) FROM books WHERE $in AND published_year IS NOT NULL
	    GROUP BY 1");
	utf8::decode($_) for my @labels = keys %decades;
	is_deeply choices('Year'), { map { my $key = $_; utf8::encode($key);
	    $_ => $decades{$key} } @labels }, 'decades';
	is_deeply choices('Availability'), { 'In stock' =>
	    count_of("$in AND stock_quantity > 0") }, 'in stock';
	my ($count) = $reader->html =~ m{>History <span>(\d+)</span>};
	is $count // 0, count_of("$in AND category_id IN (SELECT c.id FROM
	    categories c LEFT JOIN categories p ON p.id = c.parent_id
	    WHERE 'history' IN (c.slug, p.slug))"), 'a category';
};

subtest 'narrowing down' => sub {
	my $in = where('an');

	look_for('an');
	$reader->get(link_to('English'));
	my $english = count_of("$in AND language = 'en'");
	like $reader->text, qr/$english books were found/, 'one language';
	like $reader->html, qr{<details class="facets" open>}, 'is shown';
	like $reader->html,
	    qr{aria-current="true">English <span>$english</span>}, 'as chosen';
	$reader->get(link_to('In stock'));
	my $stocked = count_of("$in AND language = 'en' AND stock_quantity > 0");
	like $reader->text, qr/$stocked books were found/, 'and in stock';
	is_deeply [sort @{all_pages($reader->{path})}],
	    [split /\n/, sql("SELECT id FROM books WHERE $in AND
	    language = 'en' AND stock_quantity > 0 ORDER BY CAST(id AS CHAR)")],
	    'these are the books';
	look_for('an', language => 'en', in_stock => 1);
	$reader->get(link_to('Price'));
	like $reader->text, qr/$stocked books were found/, 'sorted, the same';
	$reader->get(link_to('English'));
	like $reader->text, qr/${\count_of("$in AND stock_quantity > 0")} books/,
	    'chosen again, let go';
	$reader->get(link_to('Show all that was found, without limits'));
	like $reader->text, qr/${\count_of($in)} books/, 'all again';
	look_for('an', language => 'en', price => 1, decade => 1890);
	is $reader->status, 200, 'perhaps none';
	for my $bad ('price=9', 'price=x', 'decade=x', 'sort=colour',
	    'language=english', 'after=1', "after=1.1'", 'after=x.1') {
		is $reader->get("/books?q=an&$bad")->status, 400, $bad;
	}
};

subtest 'page after page' => sub {
	my $in = where('an');
	my @want = split /\n/, sql("SELECT id FROM books WHERE $in");

	for my $sort (qw(relevance title newest price)) {
		my $got = all_pages(address(q => 'an', sort => $sort));
		is_deeply [sort @$got], [sort @want], "each once, by $sort";
	}
	my $first = look_for('an');
	my $next = link_to('Next page');
	$reader->get($next);
	my $second = ids();
	sql("INSERT INTO books (category_id, title, author, language, price)
	    VALUES (53, 'An', 'Somebody', 'en', 100)");
	seoga_ok('reindex');
	$reader->get($next);
	is_deeply ids(), $second, 'a page stays where it is';
	$reader->get(link_to('Previous page'));
	is_deeply ids(), $first, 'and so does the one before';
	look_for('an');
	like $reader->html, qr{<img[^>]*>An</a>}, 'the nearest comes first';
};

subtest 'what may have been meant' => sub {
	sql("INSERT INTO books (category_id, title, author, language, price)
	    VALUES (53, '기적의 도서관', '한나무', 'ko', 100),
	    (53, 'The Lighthouse Almanac', 'Ruth Ashby', 'en', 100)");
	seoga_ok('reindex');
	for (['기젹의', '기적의', 'another vowel'],
	    ['기적의 도서곤', '기적의 도서관', 'two words'],
	    ['lihgthouse', 'lighthouse', 'two letters swapped'],
	    ['Lighthuose almanak', 'lighthouse almanac', 'two mistakes'],
	    ['asbhy', 'ashby', 'an author']) {
		my ($q, $want, $why) = @$_;

		is_deeply look_for($q), [], "$q is not found";
		like $reader->text, qr/Did you mean/, $why;
		my $url = link_to($want);
		ok $url, "$want is offered" or diag $reader->text;
		$reader->get($url);
		cmp_ok scalar(@{ids()}), '>=', 1, 'and found';
	}
	look_for('qzxwvq');
	unlike $reader->text, qr/Did you mean/, 'nothing is like that';
};

subtest 'librarians' => sub {
	my $kim = staff('librarian', 'kim');
	my %book = (title => '물시계의 시간', author => '아무개', category_id => 53,
	    price => '12,500', stock => 0, publisher => '', isbn13 => '',
	    published_year => 2020, language => 'ko', description => '',
	    image_url => '');

	$kim->get('/admin/books/new');
	$kim->send('/admin/books/new', %book);
	is $kim->status, 303, 'adds a book';
	my ($id) = $kim->header('location') =~ m{/(\d+)$};
	is_deeply look_for('물시계'), [$id], 'which is found';
	is_deeply look_for('ㅁㅅㄱㅇ'), [$id], 'by its consonants, too';
	is_deeply look_for('물시계', in_stock => 1), [], 'sold out';
	$kim->get("/admin/books/$id");
	$kim->submit("/admin/books/$id", where => { title => $book{title} },
	    title => '해시계의 시간', isbn13 => '978-0-306-40615-7');
	is_deeply look_for('물시계'), [], 'its old title is not found';
	is_deeply look_for('해시계'), [$id], 'its new one is';
	is_deeply look_for('0306406152'), [$id], 'and its ISBN';
	$kim->submit("/admin/books/$id", where => { act => 'withdraw' });
	is_deeply look_for('해시계'), [], 'one that is withdrawn is not found';
	$kim->submit("/admin/books/$id", title => '모래시계의 시간');
	is_deeply look_for('모래시계'), [], 'nor when it is edited then';
	$kim->submit("/admin/books/$id", where => { act => 'bring-back' });
	is_deeply look_for('모래시계'), [$id], 'brought back it is';
	is_deeply look_for('해시계'), [], 'as it is now';
};

site_stop();
done_testing();
