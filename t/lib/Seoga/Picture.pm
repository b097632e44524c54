# Seoga::Picture -- pictures for tests, the forms that send them, and what
# comes of them.
#
#	my $png = png(320, 480, 1);
#	my ($type, $body) = multipart(file => [ 'front.png', $png ]);
#	send_cover($librarian, 1101, $png);
package Seoga::Picture;

use strict;
use warnings;

use Compress::Zlib ();
use Exporter qw(import);
use File::Temp ();
use HTML::Form;
use MIME::Base64 qw(decode_base64);
use Seoga::Test qw(spew);

our @EXPORT = qw(png png_of jpeg webp size_of multipart send_cover shrunk
    cover_in_db);

sub chunk {
	my ($type, $data) = @_;

	return pack('N', length $data) . $type . $data .
	    pack('N', Compress::Zlib::crc32($type . $data));
}

# A PNG of that size and colour; the same number gives the same picture.
sub png {
	my ($width, $height, $colour) = @_;
	my $row = "\0" . pack('C3', $colour & 255, $colour * 7 & 255, 200) x
	    $width;

	return png_of($width, $height, $row x $height);
}

# One with these rows; each begins with its filter, 0 for none.
sub png_of {
	my ($width, $height, $rows, @chunks) = @_;

	return "\x89PNG\r\n\x1a\n" .
	    chunk('IHDR', pack('NNC5', $width, $height, 8, 2, 0, 0, 0)) .
	    join('', map { chunk(@$_) } @chunks) .
	    chunk('IDAT', Compress::Zlib::compress($rows)) .
	    chunk('IEND', '');
}

# What the decoder makes of a file: (status, size, large, small).
sub shrunk {
	my ($bytes) = @_;
	my $build = $ENV{SEOGA_BUILD} // '.';
	my $in = File::Temp->new;

	spew("$in", $bytes);
	my $out = qx{env -i $build/bin/seoga-shrink <$in | cat; exit \$?};
	my ($head, $rest) = split /\n/, $out, 2;
	my ($width, $height, $large, $small) = ($head // '') =~
	    /^(\d+) (\d+) (\d+) (\d+)$/ or return ($head);
	return ('', "${width}x$height", substr($rest, 0, $large),
	    substr($rest, $large, $small));
}

# A JPEG: what comes of such a PNG.
sub jpeg {
	return (shrunk(png(@_)))[2];
}

# 32x48 pixels: "lossy", "lossless", or "extended".
sub webp {
	my ($kind) = @_;
	my %coded = (
	    lossy => 'UklGRlAAAABXRUJQVlA4IEQAAAAwAwCdASogADAAPtFkrFEoJSQipWgB'
		. 'ABoJZwDE2A+f5y6AAP7yvU9Pis4ZiFpPWCQu9SiCxDIs94sYJeIuDymv'
		. 'q4NAAA==',
	    lossless => 'UklGRkIAAABXRUJQVlA4TDUAAAAvH8ALAAmAIAb8N0uI6H/qBUAQ/ssl'
		. 'RPQ/NYi0bXr/yscPJkBAkkKjIJikqbZjWBZ/oHrfAAA=',
	    extended => 'UklGRhgBAABXRUJQVlA4WAoAAAAYAAAAHwAALwAAVlA4TDcAAAAvH8AL'
		. 'EAmAIAb8N0uI6H/qBUAQ/sslRPQ/NYi0bXr/yscPJkBAkkKjKSOYpKm2'
		. 'Y7iY+ANU7xsAAEVYSUa6AAAARXhpZgAASUkqAAgAAAAGABIBAwABAAAA'
		. 'AQAAABoBBQABAAAAVgAAABsBBQABAAAAXgAAACgBAwABAAAAAgAAABMC'
		. 'AwABAAAAAQAAAGmHBAABAAAAZgAAAAAAAAA4YwAA6AMAADhjAADoAwAA'
		. 'BgAAkAcABAAAADAyMTABkQcABAAAAAECAwAAoAcABAAAADAxMDABoAMA'
		. 'AQAAAP//AAACoAQAAQAAACAAAAADoAQAAQAAADAAAAAAAAAA',
	);

	return decode_base64($coded{$kind});
}

# The size that a JPEG of ours says it has.
sub size_of {
	my ($jpeg) = @_;

	return $jpeg =~ /\xff[\xc0\xc2].{3}(..)(..)/s ?
	    unpack('n', $2) . 'x' . unpack('n', $1) : undef;
}

# (content type, body) of a form; a file is [name, bytes, type].
sub multipart {
	my (@fields) = @_;
	my $mark = 'between-the-parts';
	my $body = '';

	while (my ($name, $value) = splice @fields, 0, 2) {
		my ($file, $bytes, $type) = ref $value ? @$value :
		    (undef, $value);
		$body .= "--$mark\r\nContent-Disposition: form-data;" .
		    qq( name="$name") . (defined $file ?
		    qq(; filename="$file"\r\nContent-Type: ) .
		    ($type // 'application/octet-stream') : '') .
		    "\r\n\r\n$bytes\r\n";
	}
	return ("multipart/form-data; boundary=$mark", "$body--$mark--\r\n");
}

# Sends the form of a book's cover with this file, as a browser would.
sub send_cover {
	my ($reader, $book, $bytes, %more) = @_;
	my $path = "/admin/books/$book/cover";
	my $form = delete $more{form} //
	    $reader->get($path)->form($path, { act => '' });
	my $name = delete $more{name} // 'cover.bin';
	my ($type, $body) = multipart((map { $_ => $form->{$_} }
	    grep { $_ ne 'file' } keys %$form), %more, file => [$name, $bytes]);

	return $reader->post($path, $body, 'Content-Type' => $type);
}

sub cover_in_db {
	my ($book) = @_;

	return Seoga::Test::sql("SELECT IFNULL(cover, '') FROM books
	    WHERE id = $book") =~ s/\n//r;
}

1;
