#!/usr/bin/perl
# /admin/books/ID/cover: a picture goes up, readers see it, and of what is no
# picture nothing remains.
use strict;
use warnings;
use utf8;

use Test::More;

use Seoga::Picture;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my $book = 1201;
my $path = "/admin/books/$book/cover";
my $kim = staff('librarian', 'kim');
my $reader = Seoga::Reader->new;

sub version {
	return sql("SELECT version FROM books WHERE id = $book") + 0;
}

sub files {
	return sort map { s{.*/}{}r } glob site_dir() . '/var/covers/*/*';
}

subtest 'who may' => sub {
	only_for('librarian', $path);
	is staff('admin')->get($path)->status, 200, 'an administrator may';
	is $kim->get('/admin/books/7/cover')->status, 404,
	    'of a book that is there';
	is $kim->get("/admin/books/$book")->status, 200, 'its page';
	like $kim->html, qr{<a href="\Q$path\E">Cover</a>}, 'leads here';
};

my $hash;
subtest 'from the form to the readers' => sub {
	$reader->get("/books/$book");
	like $reader->html, qr{src="/covers/$book\.svg"}, 'a drawn one first';
	$kim->get($path);
	like $kim->text, qr/What readers see: a drawn cover/, 'so says the form';
	my $version = version();
	send_cover($kim, $book, png(1000, 1500, 3));
	is $kim->status, 303, 'taken' or diag $kim->text;
	$kim->follow;
	like $kim->text, qr/The book has this cover now/, 'said';
	$hash = cover_in_db($book);
	like $hash, qr/^[0-9a-f]{64}$/, 'the book has it';
	like $kim->html, qr{<img src="/covers/$hash\.jpg"}, 'shown';
	is version(), $version + 1, 'a version more';
	like $kim->get("/admin/audit?what=book&id=$book")->text,
	    qr/Cover changed/, 'librarians read of it';
	is sql("SELECT CONCAT_WS(' ', actor, act, object, object_id) FROM audit
	    WHERE act = 'book.cover'"), "kim book.cover book $book\n",
	    'in the audit log';
	like sql("SELECT changes FROM audit WHERE act = 'book.cover'"),
	    qr/"cover":\[null,"$hash"\]/, 'with what changed';

	$reader->get("/books/$book");
	like $reader->html, qr{class="cover" src="/covers/$hash\.jpg"},
	    'on its page, at once';
	$reader->get('/books?q=' . sql("SELECT title FROM books
	    WHERE id = $book") =~ s/\s*\z//r);
	like $reader->html, qr{<img src="/covers/$hash-small\.jpg"},
	    'small in lists';
	$reader->add($book);
	$reader->get('/cart');
	like $reader->html, qr{<img src="/covers/$hash-small\.jpg"},
	    'and in the cart';
};

subtest 'the picture' => sub {
	$reader->get("/covers/$hash.jpg");
	is $reader->status, 200, 'is there';
	is $reader->header('content-type'), 'image/jpeg', 'a JPEG';
	is $reader->header('cache-control'),
	    'public, max-age=31536000, immutable', 'for good';
	is $reader->header('x-content-type-options'), 'nosniff', 'no other';
	is size_of($reader->bytes), '800x1200', 'of bounded size';
	$reader->get("/covers/$hash-small.jpg");
	is $reader->status, 200, 'the small one';
	is size_of($reader->bytes), '240x360', 'is small';
	is_deeply [files()], ["$hash-small.jpg", "$hash.jpg"],
	    'no other file is left';
	is $reader->get($_)->status, 404, "nothing at $_"
	    for '/covers/' . 'a' x 64 . '.jpg', "/covers/$hash.png",
	    "/covers/$hash", "/covers/../covers/$hash.jpg.", '/covers/',
	    '/_covers/7.jpg', "/_covers/$hash.jpg";
};

subtest 'once more' => sub {
	my $version = version();

	send_cover($kim, $book, png(1000, 1500, 3));
	is $kim->status, 303, 'the same picture';
	is version(), $version, 'is no change';
	is sql("SELECT COUNT(*) FROM audit WHERE act = 'book.cover'") + 0, 1,
	    'and no entry';
};

subtest 'what is no picture' => sub {
	my $jpeg = jpeg(300, 400, 5);
	my $png = png(300, 400, 5);
	my $bomb = png_of(15000, 15000, '');
	my @before = files();
	my @refused = (
		['an empty file', '', 415, qr/no picture/],
		['nothing', '', 400, qr/Choose a picture/],
		['a drawing in SVG', '<svg xmlns="http://www.w3.org/2000/svg"'
		    . ' width="90" height="90"><script>alert(1)</script></svg>',
		    415, qr/no picture in JPEG, PNG or WebP/],
		['a page', '<!DOCTYPE html><title>x</title>', 415, qr/no pic/],
		['a GIF', "GIF89a\1\0\1\0\0\0\0;", 415, qr/no picture/],
		['a program', "\x7fELF" . 'x' x 100, 415, qr/no picture/],
		['a JPEG cut short', substr($jpeg, 0, -200), 400,
		    qr/damaged or cut short/],
		['a JPEG cut within', substr($jpeg, 0, 100), 400, qr/damaged/],
		['a PNG cut short', substr($png, 0, -20), 400, qr/damaged/],
		['a PNG of nonsense', png_of(300, 400, 'x'), 400, qr/damaged/],
		['a WebP cut short', substr(webp('lossy'), 0, -9), 400,
		    qr/damaged/],
		['a bomb', $bomb, 400, qr/too many pixels: at most 52 million/],
		['a long bomb', png_of(20000, 20, ''), 400, qr/too many/],
		['a dot', png(1, 1, 1), 400, qr/too small/],
		['a JPEG and an archive', "${jpeg}PK\3\4" . 'x' x 99, 400,
		    qr/holds more than a picture/],
		['a PNG and a page', "$png<script>", 400, qr/holds more/],
		['a WebP and an archive', webp('lossy') . "PK\3\4xx", 400,
		    qr/holds more/],
	);

	for (@refused) {
		my ($what, $bytes, $status, $text) = @$_;

		send_cover($kim, $book, $bytes, name =>
		    $what eq 'nothing' ? '' : 'cover.jpg');
		is $kim->status, $status, "$what: $status";
		like $kim->text, $text, "$what: said";
		like $kim->html, qr{id="e-file"}, "$what: beside the field";
		like $kim->html, qr{<title>Error:}, "$what: and in the title";
	}
	is cover_in_db($book), $hash, 'the cover is as it was';
	is_deeply [files()], \@before, 'nothing was kept';
};

subtest 'what is a picture after all' => sub {
	my %taken = ('a PNG' => png(64, 96, 9), 'a JPEG' => jpeg(64, 96, 10),
	    'a large one' => png(3000, 4500, 11),
	    'one and its preview' => jpeg(64, 96, 12) . jpeg(16, 24, 12),
	    map { ("WebP, $_" => webp($_)) } qw(lossy lossless extended));

	for my $what (sort keys %taken) {
		my $before = cover_in_db($book);
		send_cover($kim, $book, $taken{$what}, name => 'wrong.txt');
		is $kim->status, 303, "$what: taken" or diag $kim->text;
		isnt cover_in_db($book), $before, "$what: the cover now";
	}
};

subtest 'nothing but its pixels' => sub {
	my $secret = 'Taken at 37.5665 N, 126.9780 E';
	my $rows = ("\0" . "\x10\x20\x30" x 64) x 96;

	send_cover($kim, $book, png_of(64, 96, $rows,
	    ['tEXt', "Comment\0$secret"]));
	is $kim->status, 303, 'taken';
	my $now = cover_in_db($book);
	$reader->get("/covers/$now.jpg");
	unlike $reader->bytes, qr/\Q$secret/, 'without what was beside them';
	unlike $reader->bytes, qr/Exif|photoshop|ICC_PROFILE|http:/,
	    'and nothing else';
};

# A JPEG with what cameras write: how it was held.
sub held {
	my ($jpeg, $how) = @_;
	my $exif = "Exif\0\0MM\0*\0\0\0\10" .
	    pack('nnnNnnN', 1, 0x112, 3, 1, $how, 0, 0);

	return substr($jpeg, 0, 2) . "\xff\xe1" .
	    pack('n', 2 + length $exif) . $exif . substr($jpeg, 2);
}

subtest 'upright, and on white' => sub {
	my ($jpeg) = jpeg(300, 200, 13);
	my $none = ("\0" . "\0\0\0\0" x 32);
	my $row = ("\0" . "\xff\xff\xff" x 32);
	my $clear = "\x89PNG\r\n\x1a\n" .
	    Seoga::Picture::chunk('IHDR', pack('NNC5', 32, 48, 8, 6, 0, 0, 0)) .
	    Seoga::Picture::chunk('IDAT',
	    Compress::Zlib::compress($none x 48)) .
	    Seoga::Picture::chunk('IEND', '');
	my $white = png_of(32, 48, $row x 48);

	is +(shrunk($jpeg))[1], '300x200', 'as it lies';
	is +(shrunk(held($jpeg, 6)))[1], '200x300', 'as it was held';
	unlike +(shrunk(held($jpeg, 6)))[2], qr/Exif/, 'which is not kept';
	is +(shrunk($clear))[2], (shrunk($white))[2], 'clear is white';
};

subtest 'too large' => sub {
	my $png = png(64, 96, 20);
	my $pad = 10485760 + 1 - length $png;

	send_cover($kim, $book, $png . "\0" x $pad);
	is $kim->status, 413, 'a byte more than 10 MB';
	like $kim->text, qr/larger than 10 MB/, 'said';
	like $kim->html, qr{id="e-file"}, 'in the form';
	my $jpeg = jpeg(64, 96, 21);
	send_cover($kim, $book, $jpeg . "\0" x (10485760 - length $jpeg));
	is $kim->status, 303, '10 MB are taken' or diag $kim->text;
	send_cover($kim, $book, "\0" x 11_000_000);
	is $kim->status, 413, 'nginx takes no more either';
};

subtest 'two librarians' => sub {
	my $lee = staff('librarian', 'lee');
	my $form = $lee->get($path)->form($path, { act => '' });

	send_cover($kim, $book, png(64, 96, 30));
	my $kims = cover_in_db($book);
	send_cover($lee, $book, png(64, 96, 31), form => $form);
	is $lee->status, 409, 'the second has seen another version';
	is cover_in_db($book), $kims, 'nothing was changed';
	like $lee->html, qr{<img src="/covers/$kims-small\.jpg"}, 'sees hers';
	my ($mine) = $lee->html =~ /name="picture" value="([0-9a-f]{64})"/;
	like $lee->html, qr{<img src="/covers/$mine-small\.jpg"}, 'and his';
	is $reader->get("/covers/$mine-small.jpg")->status, 200, 'kept';
	$lee->submit($path, where => { act => 'use' });
	is cover_in_db($book), $mine, 'and takes his';
	$lee->post($path, { %$form, act => 'use', picture => 'f' x 64,
	    version => version() });
	is $lee->status, 400, 'one that is not kept';
	like $lee->text, qr/not kept any more/, 'said';
	is $lee->post($path, { %$form, act => 'use', picture => $_,
	    version => version() })->status, 400, "nor \"$_\""
	    for '', 'x', "$mine'", '../' . 'a' x 61;
	is $lee->post($path, { %$form, act => 'paint' })->status, 400,
	    'no such act';
};

subtest 'without a picture' => sub {
	$kim->get($path);
	my $stale = $kim->form($path, { act => 'remove' });
	$kim->submit($path, where => { act => 'remove' });
	like $kim->text, qr/no picture any more/, 'removed';
	is cover_in_db($book), '', 'there is none';
	$reader->get("/books/$book");
	like $reader->html, qr{src="/covers/$book\.svg"}, 'drawn again';
	$kim->post($path, $stale);
	is $kim->status, 303, 'twice is as good as once';
	$kim->get($path);
	unlike $kim->html, qr/value="remove"/, 'nothing to remove';
};

subtest 'forged forms' => sub {
	my $form = $kim->get($path)->form($path, { act => '' });
	my ($type, $body) = multipart(version => $form->{version},
	    file => ['x', png(64, 96, 40)]);

	is $kim->post($path, $body, 'Content-Type' => $type)->status, 403,
	    'without the token';
	delete $form->{file};
	($type, $body) = multipart(%$form, file => ['x', png(64, 96, 40)]);
	is $kim->post($path, $body, 'Content-Type' => $type,
	    Origin => 'https://elsewhere.example')->status, 403,
	    'from elsewhere';
	is cover_in_db($book), '', 'nothing was changed';
};

subtest 'a book that was withdrawn' => sub {
	sql("UPDATE books SET withdrawn_at = UTC_TIMESTAMP() WHERE id = $book");
	send_cover($kim, $book, png(64, 96, 50));
	is $kim->status, 303, 'keeps its page here';
	sql("UPDATE books SET withdrawn_at = NULL WHERE id = $book");
};

subtest 'in Korean' => sub {
	my $ko = staff('librarian', 'park', lang => 'ko');

	send_cover($ko, $book, 'x');
	is $ko->status, 415, 'refused';
	like $ko->text, qr/JPEG, PNG, WebP 그림이 아닙니다/, 'and understood';
};

site_stop();
done_testing();
