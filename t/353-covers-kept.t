#!/usr/bin/perl
# What becomes of pictures: none that is shown is ever lost, to no race, crash
# or decoder; those that nothing shows go.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Picture;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

site_start();
seoga_ok('migrate', '--sample');
my @books = (1201 .. 1205);
my $kim = staff('librarian', 'kim');
my $reader = Seoga::Reader->new;

sub folder { return site_dir() . '/var/covers' }

sub files {
	return sort map { s{.*/}{}r } glob folder() . '/*/*';
}

sub kept {
	return sort map { ("$_-small.jpg", "$_.jpg") } @_;
}

sub age {
	sql('UPDATE covers SET used_at = UTC_TIMESTAMP() - INTERVAL 25 HOUR');
}

# Each cover that a book has is there, whole.
sub all_shown {
	my ($when) = @_;
	my @missing = grep {
		my $answer = Seoga::Test::http(get => $_);
		$answer->{status} != 200 || $answer->{content} !~
		    /\A\xff\xd8.*\xff\xd9\z/s
	} map { ("/covers/$_.jpg", "/covers/$_-small.jpg") }
	    split ' ', sql('SELECT DISTINCT cover FROM books
	    WHERE cover IS NOT NULL');

	is_deeply \@missing, [], "$when: every cover is there";
}

subtest 'what is removed, and when' => sub {
	my %hash;

	my $colour = 0;

	for my $what (qw(shown changed named)) {
		send_cover($kim, 1201, png(32, 48, $colour += 70));
		is $kim->status, 303, $what;
		$hash{$what} = cover_in_db(1201);
	}
	sql("UPDATE books SET cover = '$hash{shown}' WHERE id = 1201;
	    UPDATE books SET image_url = '/covers/$hash{named}.jpg'
	    WHERE id = 1202");
	seoga_ok('covers', '--once');
	is_deeply [files()], [kept(values %hash)], 'nothing within a day';
	age();
	seoga_ok('covers', '--once');
	is_deeply [files()], [kept(@hash{qw(shown named)})],
	    'after a day, what nothing shows';
	is sql('SELECT COUNT(*) FROM covers') + 0, 2, 'in the table, too';
	sql('UPDATE books SET image_url = NULL WHERE id = 1202');
	$kim->get('/admin/books/1201/cover');
	$kim->submit('/admin/books/1201/cover', where => { act => 'remove' });
	seoga_ok('covers', '--once');
	is_deeply [files()], [kept($hash{shown})],
	    'what was taken off just now stays a day';
	age();
	seoga_ok('covers', '--once');
	is_deeply [files()], [], 'and no longer';
	is $reader->get("/covers/$hash{shown}.jpg")->status, 404, 'it is gone';
};

subtest 'a picture that a book has' => sub {
	send_cover($kim, 1201, png(32, 48, 77));
	my $hash = cover_in_db(1201);

	open my $stderr, '>&', \*STDERR or die;
	open STDERR, '>', '/dev/null' or die;
	my @done = (eval { sql("DELETE FROM covers WHERE hash = '$hash'"); 1 },
	    eval { sql("UPDATE books SET cover = REPEAT('a', 64)
	    WHERE id = 1202"); 1 });
	open STDERR, '>&', $stderr or die;
	is_deeply \@done, [], 'MariaDB does not let it go, nor gives a book'
	    . ' one that is not there';
};

subtest 'uploading against removing' => sub {
	my @png = map { png(32, 48, 40 * $_) } 0 .. 4;
	my $until = time + 12;
	my @children;

	for my $n (0 .. 2) {
		my $pid = fork() // die;
		if ($pid) {
			push @children, $pid;
			next;
		}
		Test::More->builder->no_ending(1);
		srand($n);
		my $failed = $n == 0 ? remove_until($until) :
		    upload_until($until, @png);
		POSIX::_exit($failed ? 1 : 0);
	}
	my @status = map { waitpid $_, 0; $? } @children;
	is_deeply \@status, [0, 0, 0], 'all went well';
	all_shown('afterwards');
	age();
	seoga_ok('covers', '--once');
	all_shown('and without the rest');
	is_deeply [files()], [kept(split ' ', sql('SELECT DISTINCT cover
	    FROM books WHERE cover IS NOT NULL'))], 'of which nothing is left';
};

# Every picture is old at once, so that removing gets in the way.
sub remove_until {
	my ($until) = @_;
	my $failed = 0;

	while (time < $until) {
		age();
		seoga('covers', '--once');
		$failed++ if $?;
	}
	return $failed;
}

sub upload_until {
	my ($until, @png) = @_;
	my $failed = 0;

	while (time < $until) {
		send_cover($kim, $books[rand @books], $png[rand @png],
		    version => '');
		# A picture may be taken away before a book has it: then
		# nothing is changed, and the librarian is told.
		$failed++ if $kim->status !~ /^(?:303|400)$/;
	}
	return $failed;
}

subtest 'a worker that dies' => sub {
	my $before = cover_in_db(1201);

	expect_error(qr/"ev":"nginx\.request".*"status":50[24]/);
	for my $wait (0.01, 0.05, 0.1, 0.2, 0.4) {
		my $form = $kim->get('/admin/books/1201/cover')
		    ->form('/admin/books/1201/cover', { act => '' });
		my $pid = fork() // die;

		if (!$pid) {
			Test::More->builder->no_ending(1);
			send_cover($kim, 1201, png(640, 960, $wait * 300),
			    form => $form);
			POSIX::_exit(0);
		}
		sleep $wait;
		kill 'KILL', pids('upload');
		waitpid $pid, 0;
		ok await(10, sub { scalar pids('upload') }), 'starts again';
		all_shown("killed after $wait s");
	}
	send_cover($kim, 1201, png(640, 960, 99));
	is $kim->status, 303, 'works again';
};

subtest 'the decoder is confined' => sub {
	my $build = $ENV{SEOGA_BUILD};

	like +(shrunk(substr jpeg(64, 96, 1), 0, 300))[0], qr/\w/,
	    'says what is wrong';
	my $dot = '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>';
	is +(shrunk($_))[1], undef, 'knows no ' . substr $_, 0, 4
	    for $dot, "<?xml version='1.0'?>$dot", "P3 1 1 255 0 0 0\n",
	    "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0"
	    . "\0\2\2D\1\0;";
	my $libraries = qx{ldd $build/cgi-bin/upload $build/cgi-bin/picture};
	unlike $libraries, qr/libvips|libcurl|libjpeg/,
	    'the programs have no decoder in them';
};

site_stop();
done_testing();
