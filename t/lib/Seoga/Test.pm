# Seoga::Test -- a whole site for one test, and what tests ask of it.
#
#	use Seoga::Test;
#	site_start(limits => 'on');		# SEOGA_LIMITS=on
#	is http(get => '/books')->{status}, 200;
#	site_stop();				# checks the logs, too
#
# The site has a folder, a database, a Redis and a port of its own; MariaDB is
# the one of t/run.  site_stop() adds four tests: no unexpected error in the
# logs, each request ended exactly once, no sanitizer report, a clean stop.
package Seoga::Test;

use strict;
use warnings;
use feature qw(state);

use Exporter qw(import);
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(
    site_start site_stop site_dir url http private_url private seoga seoga_ok sql redis
    forget_books
    ends_of log_lines access_lines await pids gone
    expect_error share_trace load_start load_stop
    slurp spew);

my $top = $ENV{SEOGA_SRCDIR} // do {
	require Cwd;
	(Cwd::abs_path(__FILE__) =~ s{/t/lib/Seoga/Test\.pm$}{}r);
};
my $build = $ENV{SEOGA_BUILD} // $top;
my ($dir, $running, $url, $database, @expected, %shared_trace, %load);
my $main = $$;

END {
	if ($running && $$ == $main) {
		my $status = $?;
		_stop();
		$? = $status;
	}
}

# Starts a site; skips the whole test where it cannot.  Settings are given
# without SEOGA_ and in any case: limits => 'on'.
sub site_start {
	my (%setting) = @_;

	plan skip_all => 'run through t/run, which starts MariaDB'
	    if !$ENV{SEOGA_TEST_DB_SOCKET};
	plan skip_all => 'the programs are not built'
	    if !-x "$build/cgi-bin/books";
	$dir = File::Temp->newdir('seoga-s-XXXXXX', DIR => '/tmp');
	_settings(%setting);
	_make_database() if !exists $setting{db_hosts};
	$running = 1;
	seoga_ok('start');
	($url) = seoga('status') =~ m{^(https?://\S+?)/\s};
	return $url;
}

sub _settings {
	my (%setting) = @_;
	my %default = (var => "$dir/var", port => 0,
	    private_port => 0, limits => 'off',
	    build => $build, db_hosts => $ENV{SEOGA_TEST_DB_SOCKET},
	    log_file => "$dir/seoga.log");

	%default = (%default, %setting);
	$ENV{'SEOGA_' . uc} = $default{$_} for keys %default;
}

# The programs get an account that cannot change tables, as in production.
sub _make_database {
	$database = "seoga_t$$";
	my $program = "p$$\@localhost";
	my $admin = "a$$\@localhost";

	sql("DROP DATABASE IF EXISTS $database; CREATE DATABASE $database;
	    CREATE OR REPLACE USER $program IDENTIFIED BY 'program';
	    GRANT SELECT, INSERT, UPDATE, DELETE ON $database.* TO $program;
	    CREATE OR REPLACE USER $admin IDENTIFIED BY 'admin';
	    GRANT ALL ON $database.* TO $admin");
	@ENV{qw(SEOGA_DB_NAME SEOGA_DB_USER SEOGA_DB_PASSWORD
	    SEOGA_DB_ADMIN_USER SEOGA_DB_ADMIN_PASSWORD)} =
	    ($database, "p$$", 'program', "a$$", 'admin');
	seoga_ok('migrate') if -x "$build/bin/seoga-migrate";
}

sub _drop_database {
	sql("DROP DATABASE IF EXISTS $database;
	    DROP USER IF EXISTS p$$\@localhost;
	    DROP USER IF EXISTS a$$\@localhost") if $database;
	undef $database;
}

# Stops the site and checks what it leaves behind.
sub site_stop {
	is _stop(), 0, 'the site stops';
	my @errors = grep { _unexpected($_) }
	    grep { $_->{lvl} eq 'error' } log_lines(), access_lines();
	is_deeply \@errors, [], 'no unexpected error in the logs'
	    or diag explain \@errors;
	my %ends;
	$ends{$_->{trace}}++ for grep { $_->{ev} eq 'req.end' } log_lines();
	is_deeply [grep { $ends{$_} != 1 && !$shared_trace{$_} } keys %ends],
	    [], 'each request ended exactly once';
	unlike slurp("$dir/var/log/programs.err"),
	    qr/AddressSanitizer|LeakSanitizer|runtime error/,
	    'no sanitizer report';
	_drop_database();
}

sub _stop {
	load_stop() if %load;
	$running = 0;
	system "$top/bin/seoga stop >/dev/null";
	return $?;
}

sub _unexpected {
	my ($line) = @_;
	my $text = JSON::PP->new->canonical->encode($line);

	return !grep { $text =~ $_ } @expected;
}

# Error lines (as JSON, keys sorted) that match are no failure.
sub expect_error {
	push @expected, @_;
}

# These trace ids are sent with several requests on purpose.
sub share_trace {
	$shared_trace{$_} = 1 for @_;
}

sub site_dir { return "$dir" }

sub url {
	my ($path) = @_;

	return $url . ($path // '/');
}

# One request on a new connection, redirects not followed.
#	http(post => '/cart/add', { content => 'id=1', headers => {...} })
sub http {
	my ($method, $path, $options) = @_;
	my $agent = HTTP::Tiny->new(max_redirect => 0, timeout => 30,
	    keep_alive => 0);

	return $agent->request(uc $method, url($path), $options // {});
}

# The same on the private side.
sub private_url {
	my ($path) = @_;
	my ($port) = seoga('env') =~ /^SEOGA_PRIVATE_PORT=(\d+)$/m;

	return "http://127.0.0.1:$port" . ($path // '/');
}

sub private {
	my ($method, $path, $options) = @_;
	state $base = private_url('');
	my $agent = HTTP::Tiny->new(max_redirect => 0, timeout => 30,
	    keep_alive => 0);

	return $agent->request(uc $method, "$base$path", $options // {});
}

# Runs bin/seoga; gives all it prints, $? is its status.
sub seoga {
	my (@arguments) = @_;

	open my $out, '-|', '/bin/sh', '-c', 'exec "$@" 2>&1 </dev/null',
	    'sh', "$top/bin/seoga", @arguments or die "seoga: $!\n";
	local $/;
	my $said = <$out> // '';
	close $out;
	return $said;
}

sub seoga_ok {
	my (@arguments) = @_;
	my $said = seoga(@arguments);

	die "seoga @arguments: $said" if $? != 0;
	return $said;
}

# SQL as root; gives the rows, tabs between columns, in one string.
sub sql {
	my ($text) = @_;

	open my $out, '-|', 'mariadb', '--no-defaults', '-uroot', '-N', '-B',
	    '--default-character-set=utf8mb4',
	    "--socket=$ENV{SEOGA_TEST_DB_SOCKET}", '-e', $text,
	    $database && $text !~ /DATABASE/ ? $database : ()
	    or die "mariadb: $!\n";
	local $/;
	my $rows = <$out> // '';
	close $out or die "mariadb refuses: $text\n";
	return $rows;
}

# A Redis command on the site's own; gives the reply as redis-cli prints it.
sub redis {
	my (@command) = @_;

	open my $out, '-|', 'redis-cli', '-s', "$dir/var/run/redis.sock",
	    '--raw', @command or die "redis-cli: $!\n";
	local $/;
	my $reply = <$out> // '';
	close $out or die "redis-cli @command failed\n";
	return $reply =~ s/\n\z//r;
}

# What programs do after a change of books, for a test that changed them by SQL.
sub forget_books {
	redis('DEL', map { ("cache:book:ko:$_", "cache:book:en:$_") } @_);
}

# The req.end lines of a request, as soon as there is one.
sub ends_of {
	my ($trace) = @_;
	my @ends;

	await(5, sub {
		@ends = grep { $_->{trace} eq $trace &&
		    $_->{ev} eq 'req.end' } log_lines();
	});
	return @ends;
}

# What the programs, and nginx, have logged in this test.
sub log_lines {
	return _parsed("$dir/seoga.log");
}

sub access_lines {
	return _parsed("$dir/var/log/access.log");
}

sub _parsed {
	my ($file) = @_;
	my $text = slurp($file);

	# A line that is just being written may be seen in part.
	$text =~ s/[^\n]+\z// if $running;
	$text = _without_cut_lines($text);
	return map { JSON::PP::decode_json($_) } split /\n/, $text;
}

# KILL may end a write(2) between two pages of the file: there the line of the
# killed program stops, and the next line, of another, is joined to it.
sub _without_cut_lines {
	my ($text) = @_;

	for my $at (reverse map { $_ * 4096 } 1 .. length($text) / 4096) {
		next if substr($text, $at, 7) ne '{"ts":"';
		my $start = rindex($text, "\n", $at - 1) + 1;
		substr $text, $start, $at - $start, '';
	}
	return $text;
}

sub slurp {
	my ($file) = @_;

	open my $in, '<', $file or return '';
	local $/;
	return scalar(<$in>) // '';
}

sub spew {
	my ($file, $text) = @_;

	open my $out, '>', $file or die "$file: $!\n";
	print $out $text;
	close $out or die "$file: $!\n";
}

# Until the code gives true, at most so many seconds; gives what it gave.
sub await {
	my ($seconds, $code) = @_;
	my $end = time + $seconds;

	while (1) {
		my $value = $code->();
		return $value if $value || time > $end;
		sleep 0.05;
	}
}

# The workers of a program of this site.
sub pids {
	my ($prog) = @_;
	my $mine = slurp("$dir/var/run/supervisord.pid") =~ s/\s//gr;
	my @children = split ' ',
	    slurp("/proc/$mine/task/$mine/children");

	return grep {
		slurp("/proc/$_/cmdline") =~ m{/cgi-bin/\Q$prog\E\0}
	} @children;
}

# Whether a process has ended: as a zombie, too, for the first process of a
# container may leave orphans that way.
sub gone {
	my ($pid) = @_;

	return slurp("/proc/$pid/cmdline") eq '';
}

# GETs these paths from several clients, without end, in the background.
sub load_start {
	my ($clients, @paths) = @_;

	$load{stop} = "$dir/load.stop";
	unlink $load{stop};
	for my $n (1 .. $clients) {
		my $pid = open(my $results, '-|') // die "fork: $!\n";
		if (!$pid) {
			_load($load{stop}, @paths);
			POSIX::_exit(0);
		}
		push @{$load{results}}, $results;
	}
}

sub _load {
	my ($stop, @paths) = @_;
	my ($count, $failed) = (0, '');

	$running = 0;
	until (-e $stop) {
		my $path = $paths[$count++ % @paths];
		my $answer = http(get => $path);
		$failed .= "$path $answer->{status} "
		    . ($answer->{status} == 599 ? $answer->{content} : '')
		    . "\n" if $answer->{status} != 200;
		sleep 0.002;
	}
	syswrite STDOUT, "$count\n$failed";
}

# Ends it; gives the number of requests, and a text on each that failed.
sub load_stop {
	my ($count, @failed) = (0);

	spew($load{stop}, '');
	for my $results (@{$load{results}}) {
		my ($number, @lines) = <$results>;
		close $results;
		$count += $number // 0;
		push @failed, @lines;
	}
	%load = ();
	return ($count, @failed);
}

1;
