#!/usr/bin/perl
# Covers in an S3 bucket: signed requests, a bucket that is slow, away or ill,
# and a host that has no copy yet.
use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Picture;
use Seoga::Reader;
use Seoga::Staff;
use Seoga::Test;

my ($id, $secret, $region) = ('SEOGATEST', 'a+secret/key', 'ap-northeast-2');
my $disk = File::Temp->newdir('seoga-b-XXXXXX', DIR => '/tmp');
my $bucket = bucket_start();

site_start(s3_url => "http://127.0.0.1:$bucket->{port}/shelf/covers",
    s3_region => $region, s3_key_id => $id, s3_secret => $secret,
    s3_ms => 1500, connect_ms => 500);
seoga_ok('migrate', '--sample');
my $book = 1201;
my $path = "/admin/books/$book/cover";
my $kim = staff('librarian', 'kim');
my $reader = Seoga::Reader->new;

# --- a bucket that believes nobody ---

sub bucket_start {
	my $port = $_[0] // 0;
	my $listener = IO::Socket::INET->new(Listen => 32, ReuseAddr => 1,
	    LocalAddr => "127.0.0.1:$port") or die "a port: $@\n";
	my $pid = fork() // die "fork: $!\n";

	if (!$pid) {
		$SIG{CHLD} = 'IGNORE';
		bucket_serve($listener);
		POSIX::_exit(0);
	}
	return { pid => $pid, port => $listener->sockport };
}

sub bucket_stop {
	kill 'KILL', $bucket->{pid};
	waitpid $bucket->{pid}, 0;
}

END { kill 'KILL', $bucket->{pid} if $bucket && $bucket->{pid} }

sub bucket_serve {
	my ($listener) = @_;

	while (1) {
		my $client = $listener->accept // next;
		if (!fork()) {
			answer($client);
			POSIX::_exit(0);
		}
		close $client;
	}
}

# How the bucket feels: a file "mood" with a status, "slow", or "cut".
sub mood {
	my ($mood) = @_;

	defined $mood ? spew("$disk/mood", $mood) : unlink "$disk/mood";
}

sub note_down {
	open my $out, '>>', "$disk/log" or die;
	syswrite $out, "@_\n";
}

sub noted {
	my @lines = -e "$disk/log" ? split /\n/, slurp("$disk/log") : ();

	unlink "$disk/log";
	return @lines;
}

sub answer {
	my ($client) = @_;
	local $/ = "\r\n\r\n";
	my $head = <$client> // return;
	my ($method, $target) = $head =~ /^(\S+) (\S+) HTTP/;
	my %header = $head =~ /^([A-Za-z0-9-]+):[ ]*(.*?)\s*$/mg;
	my $body = '';

	%header = map { lc $_ => $header{$_} } keys %header;
	read $client, $body, $header{'content-length'}
	    if $header{'content-length'};
	my $wrong = distrust($method, $target, \%header, $body);
	my $mood = -e "$disk/mood" ? slurp("$disk/mood") : '';
	note_down($method, $target, $wrong // 'signed', $mood || 'well');
	return if $mood eq 'cut';
	return sleep 5 if $mood eq 'slow'; # and nobody listens any more
	return say_status($client, 403, "<Error><Code>$wrong</Code></Error>")
	    if $wrong;
	return say_status($client, $mood, "<Error><Code>Ill</Code></Error>")
	    if $mood =~ /^\d+$/;
	unlink "$disk/mood" if $mood eq 'once';
	return say_status($client, 503, '') if $mood eq 'once';
	keep($client, $method, $target, \%header, $body);
}

sub keep {
	my ($client, $method, $target, $header, $body) = @_;
	my ($name) = $target =~ m{^/shelf/covers/([0-9a-z.-]+)$}
	    or return say_status($client, 400, '');
	my $file = "$disk/$name";

	if ($method eq 'PUT') {
		spew("$file.trace", $header->{traceparent} // 'none');
		spew("$file.type", $header->{'content-type'} . ' ' .
		    $header->{'cache-control'});
		spew($file, $body);
		return say_status($client, 200, '');
	}
	if ($method eq 'DELETE') {
		unlink $file;
		return say_status($client, 204, '');
	}
	return -e $file ? say_status($client, 200, slurp($file)) :
	    say_status($client, 404, '<Error><Code>NoSuchKey</Code></Error>');
}

sub say_status {
	my ($client, $status, $body) = @_;
	my $length = $status == 204 ? '' :
	    'Content-Length: ' . length($body) . "\r\n";

	print $client "HTTP/1.1 $status Said\r\n${length}Connection: close"
	    . "\r\n\r\n$body";
	close $client;
	return;
}

# Signature Version 4, as AWS describes it; undef when all is right.
sub distrust {
	my ($method, $target, $header, $body) = @_;
	my ($key, $day, $where, $names, $sent) =
	    ($header->{authorization} // '') =~
	    m{^AWS4-HMAC-SHA256\ Credential=(\w+)/(\d{8})/(\S+)/s3/aws4_request,\s*
	    SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$}x
	    or return 'MissingSignature';
	my $date = $header->{'x-amz-date'} // '';
	my $digest = $header->{'x-amz-content-sha256'} // '';

	return 'InvalidAccessKeyId' if $key ne $id;
	return 'WrongRegion' if $where ne $region;
	return 'WrongDay' if $date !~ /^$day/ || abs(time -
	    seconds($date)) > 900;
	return 'BadDigest' if $digest ne sha256_hex($body);
	for my $must ('host', 'x-amz-date', 'x-amz-content-sha256') {
		return 'UnsignedHeader' if ";$names;" !~ /;$must;/;
	}
	for my $name (split /;/, $names) {
		return 'SignedButAbsent' if !defined $header->{$name};
	}
	my ($uri, $query) = split /\?/, $target, 2;
	my $canonical = join "\n", $method, $uri, $query // '',
	    (map { "$_:$header->{$_}" } split /;/, $names), '', $names,
	    $digest;
	my $scope = "$day/$region/s3/aws4_request";
	my $text = join "\n", 'AWS4-HMAC-SHA256', $date, $scope,
	    sha256_hex($canonical);
	my $signing = "AWS4$secret";
	$signing = hmac_sha256($_, $signing)
	    for $day, $region, 's3', 'aws4_request';
	return hmac_sha256_hex($text, $signing) eq $sent ? undef :
	    'SignatureDoesNotMatch';
}

sub seconds {
	my ($date) = @_;
	my @part = $date =~ /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
	    or return 0;

	require Time::Local;
	return Time::Local::timegm_modern(@part[5, 4, 3, 2], $part[1] - 1,
	    $part[0]);
}

# --- what of it ---

sub local_files {
	return sort map { s{.*/}{}r } glob site_dir() . '/var/covers/*/*';
}

subtest 'the bucket looks closely' => sub {
	my $agent = HTTP::Tiny->new;
	my $url = "http://127.0.0.1:$bucket->{port}/shelf/covers/x.jpg";

	is $agent->get($url)->{status}, 403, 'not without a signature';
	is $agent->get($url, { headers => { Authorization =>
	    'AWS4-HMAC-SHA256 Credential=' . $id . '/20261121/' . $region
	    . '/s3/aws4_request, SignedHeaders=host, Signature=' . 'a' x 64,
	    } })->{status}, 403, 'nor with a bad one';
	noted();
	for my $wrong ([S3_SECRET => 'other'], [S3_KEY_ID => 'OTHER'],
	    [S3_REGION => 'us-east-1']) {
		local $ENV{"SEOGA_$wrong->[0]"} = $wrong->[1];
		my $said = seoga('s3', 'get', 'x.jpg');
		like $said, qr/^get x\.jpg: status 403 \w+/,
		    "another $wrong->[0]";
	}
	is_deeply [map { (split)[2] } noted()], [qw(SignatureDoesNotMatch
	    InvalidAccessKeyId WrongRegion)], 'for these reasons';
	like seoga('s3', 'get', 'x.jpg'), qr/404 NoSuchKey/,
	    'signed, but not there';
	is_deeply [noted()], ['GET /shelf/covers/x.jpg signed well'],
	    'asked once';
};

my $hash;
subtest 'into the bucket' => sub {
	my $png = png(400, 600, 1);

	send_cover($kim, $book, $png);
	is $kim->status, 303, 'taken' or diag $kim->text;
	$hash = cover_in_db($book);
	is_deeply [noted()], [map { "PUT /shelf/covers/$_ signed well" }
	    "$hash-small.jpg", "$hash.jpg"], 'both are put there';
	is slurp("$disk/$hash.jpg"), (shrunk($png))[2], 'whole';
	is slurp("$disk/$hash.jpg.type"),
	    'image/jpeg public, max-age=31536000, immutable',
	    'with what they are';
	is_deeply [local_files()], ["$hash-small.jpg", "$hash.jpg"],
	    'and here, too';
	my ($put) = grep { $_->{ev} eq 'child.run' &&
	    ($_->{file} // '') eq "$hash.jpg" } log_lines();
	is slurp("$disk/$hash.jpg.trace"),
	    '00-' . $kim->trace . "-$put->{span}-01",
	    'the bucket was told the trace';
	is_deeply [@$put{qw(name act host status)}],
	    ['seoga-s3', 'put', '127.0.0.1', 0], 'and the log who was asked';
	is $reader->get("/covers/$hash.jpg")->status, 200, 'readers see it';
	is_deeply [noted()], [], 'from here';
};

subtest 'on another host' => sub {
	my $dir = site_dir();
	my $wanted = slurp("$disk/$hash.jpg");

	system 'rm', '-r', "$dir/var/covers";
	for my $time ('first', 'second') {
		is $reader->get("/covers/$hash.jpg")->status, 200, $time;
		is $reader->bytes, $wanted, "$time: the same";
		is $reader->header('content-type'), 'image/jpeg', 'JPEG';
		like $reader->header('cache-control'), qr/immutable/, 'kept';
		is $reader->header('x-content-type-options'), 'nosniff', 'safe';
	}
	is_deeply [noted()], ["GET /shelf/covers/$hash.jpg signed well"],
	    'the bucket was asked once';
	is_deeply [local_files()], ["$hash.jpg"], 'then it was here';
	is $reader->get("/covers/$hash-small.jpg")->status, 200, 'the small';
	noted();
	is $reader->get('/covers/' . 'e' x 64 . '.jpg')->status, 404,
	    'what nobody uploaded';
	is_deeply [noted()], [], 'is not asked for';
};

my %ill = ('away' => sub { bucket_stop() }, 'slow' => sub { mood('slow') },
    'ill' => sub { mood(500) }, 'cut off' => sub { mood('cut') },
    'not for us' => sub { mood(403) });

for my $how (sort keys %ill) {
	subtest "the bucket is $how" => sub {
		my $before = cover_in_db($book);
		my $small = "/covers/$hash-small.jpg";

		expect_error(qr/"ev":"s3\.failed"/,
		    qr/"ev":"nginx\.request".*"status":503/);
		$ill{$how}->();
		system 'rm', '-r', site_dir() . '/var/covers';
		my $start = time;
		send_cover($kim, $book, png(64, 96, 100 + length $how));
		is $kim->status, 503, 'nothing goes up';
		like $kim->text, qr/does not answer.*Nothing was changed/s,
		    'said';
		is $kim->header('retry-after') > 0, 1, 'and when to try again';
		cmp_ok time - $start, '<', 6, 'in time';
		is cover_in_db($book), $before, 'the cover is as it was';
		is $reader->get($small)->status, 503, 'a picture has to wait';
		unlike $reader->header('cache-control') // '', qr/immutable/,
		    'but not for good';
		is $reader->get("/books/$book")->status, 200,
		    'the page does not';
		$bucket = bucket_start($bucket->{port}) if $how eq 'away';
		mood();
		is $reader->get($small)->status, 200, 'it heals';
		noted();
	};
}

subtest 'a hiccup' => sub {
	mood('once');
	send_cover($kim, $book, png(64, 96, 200));
	is $kim->status, 303, 'is got over' or diag $kim->text;
	is scalar(grep { /^PUT .* signed/ } noted()), 3, 'by trying again';
	mood();
};

subtest 'what nothing shows' => sub {
	my $now = cover_in_db($book);

	sql('UPDATE covers SET used_at = UTC_TIMESTAMP() - INTERVAL 2 DAY');
	seoga_ok('covers', '--once');
	is_deeply [map { s{.*/}{}r } sort glob "$disk/*.jpg"],
	    ["$now-small.jpg", "$now.jpg"], 'is in the bucket no more';
	is_deeply [local_files()], ["$now-small.jpg", "$now.jpg"], 'nor here';
	is $reader->get("/covers/$hash.jpg")->status, 404, 'nor anywhere';
};

unlike slurp(site_dir() . '/seoga.log'), qr/\Q$secret\E/,
    'no secret in the log';
site_stop();
done_testing();
