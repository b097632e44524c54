# Seoga::Album -- what tests in a real browser (Seoga::Chromium) see of pages,
# and the pictures that they take of them.
package Seoga::Album;

use strict;
use warnings;

use Exporter qw(import);
use File::Path qw(make_path);
use Seoga::Chromium;
use Test::More;

our @EXPORT = qw(in_each seen);

# Pictures are kept in SEOGA_TEST_ARTEFACTS, or var/artefacts of the build.
sub new {
	my ($class) = @_;
	my $folder = $ENV{SEOGA_TEST_ARTEFACTS} //
	    "$ENV{SEOGA_BUILD}/var/artefacts";

	eval { make_path($folder) };
	diag "the pictures cannot be kept in $folder" if !-w $folder;
	return bless { folder => $folder }, $class;
}

# Where a file of that name is kept; undef: nowhere.
sub file {
	my ($self, $name) = @_;

	return -w $self->{folder} ? "$self->{folder}/$name" : undef;
}

# What a terminal shows.
sub text {
	my ($self, $name, $text) = @_;
	my $file = $self->file("$name.txt") // return;

	open my $out, '>:encoding(UTF-8)', $file or die "$file: $!\n";
	print {$out} $text;
	close $out or die "$file: $!\n";
}

sub picture {
	my ($self, $browser, $name) = @_;
	my $file = $self->file("$name.png");

	$browser->screenshot($file) if defined $file;
}

# The same, of a page that must not be wider than the window.
sub page {
	my ($self, $browser, $width, $name) = @_;

	cmp_ok $browser->width, '<=', $width,
	    "$name: nothing to scroll sideways";
	$self->picture($browser, $name);
}

# Runs the code in a browser of its own for each language, and there in each
# size (name => [width, height]); it is given browser, language and the name.
sub in_each {
	my ($size, $code) = @_;

	for (['en', 'en-GB,en'], ['ko', 'ko-KR,ko']) {
		my ($lang, $accept) = @$_;
		my $browser = Seoga::Chromium->new(lang => $accept);
		for my $kind (sort keys %$size) {
			$browser->size(@{$size->{$kind}});
			subtest "$lang, $kind" => sub {
				eval { $code->($browser, $lang, $kind); 1 }
				    or fail "it went on: $@";
			};
		}
	}
}

# A person sees that on the page, in the element of that CSS.
sub seen {
	my ($browser, $css, $pattern, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like eval { $browser->text($css) } // "nothing: $@", $pattern, $name;
}

1;
