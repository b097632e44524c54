#!/usr/bin/perl
# `seoga logs`: what each option leaves out, in order of time, in rotated and
# compressed files, at their end, and while they are moved away.
use strict;
use warnings;
use utf8;

use File::Temp ();
use IO::Compress::Gzip qw(gzip);
use JSON::PP ();
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output);

my $build = $ENV{SEOGA_BUILD} // '.';
my $command = "$build/bin/seoga-logs";
plan skip_all => 'seoga logs is not built' if !-x $command;

my $dir = File::Temp->newdir;
my $json = JSON::PP->new->utf8->canonical;

# A line at a time of 2020-11-21, in seconds after midnight.
sub line {
	my ($second, %more) = @_;
	my ($level, $trace, $prog, $event) = map { delete $more{$_} }
	    qw(lvl trace prog ev);
	my $ts = strftime('2020-11-21T%H:%M:%S', gmtime $second)
	    . sprintf '.%06dZ', ($second - int $second) * 1e6 + 0.5;

	# In the order in which they are written.
	return sprintf '{"ts":"%s","lvl":"%s","trace":"%s","prog":"%s",'
	    . '"pid":7,"ev":"%s"%s}' . "\n", $ts, $level // 'info',
	    $trace // '', $prog // 'books', $event // 'db.query',
	    join '', map { ',' . $json->encode([$_]) =~ s/^\[|\]$//gr . ':'
	    . JSON::PP->new->utf8->allow_nonref->encode($more{$_}) }
	    sort keys %more;
}

sub write_file {
	my ($name, $mode, @lines) = @_;

	open my $out, $mode, "$dir/$name" or die "$name: $!";
	print {$out} @lines;
	close $out;
}

sub run {
	my (@arguments) = @_;

	open my $out, '-|', '/bin/sh', '-c', 'exec "$@" 2>&1 </dev/null', 'sh',
	    $command, @arguments or die;
	my @lines = <$out>;
	close $out;
	return @lines;
}

# Which "n" the lines have that are shown.
sub shown {
	my @lines = run('--log', "$dir", @_);

	is $?, 0, "@_";
	return join ' ', map { JSON::PP::decode_json($_)->{n} // '-' } @lines;
}

my ($one, $two) = ('1' x 32, '1' x 30 . '22');

# nginx's line is between those of the program; the program's last lines were
# written before the first of a request that ended earlier.
write_file('seoga.log', '>',
	line(100.0, n => 2, trace => $two, prog => 'cart', ev => 'req.begin'),
	line(103.5, n => 5, trace => $two, prog => 'cart', ev => 'req.end',
	    user => 12, path => '/cart/책 "하나"'),
	line(100.5, n => 3, trace => $one, ev => 'req.begin'),
	line(101.0, n => 4, trace => $one, lvl => 'warn', ev => 'db.lost'),
	line(104.0, n => 6, trace => $one, ev => 'req.end', user => 1,
	    path => '/","user":12,"x":"'),
	line(200.0, n => 8, prog => 'relay', lvl => 'error',
	    ev => 'job.stop'));
write_file('access.log', '>',
	line(104.5, n => 7, trace => $one, prog => 'nginx',
	    route => 'books', ev => 'nginx.request', status => 200));
my $old = line(50, n => 1, trace => 'f' x 32, lvl => 'error');
gzip(\$old => "$dir/seoga.log.2.gz") or die;
write_file('seoga.log.1', '>', line(60, n => '1b', trace => 'e' x 32));
write_file('seoga.log.3.xz', '>', 'nothing that is read here');

subtest 'order and files' => sub {
	is shown(), '1 1b 2 3 4 5 6 7 8', 'by time, whatever file it is in';
	is join(' ', map { /"n":(\w+)/ } run('--log', "$dir/access.log")), '7',
	    'one file';
	is join('', run('--log', "$dir/seoga.log.2.gz")), $old,
	    'as it was written';
};

subtest 'what is left out' => sub {
	is shown('--trace', $one), '3 4 6 7', 'a request';
	is shown('--trace', '1' x 30), '2 3 4 5 6 7', 'the first digits';
	is shown('--trace', "00-$two-" . '0' x 15 . '1-01'), '2 5',
	    'a traceparent';
	is shown('--trace', '1' x 31 . '3'), '', 'an id that there is not';
	is shown('--prog', 'books'), '1 1b 3 4 6', 'a program';
	is shown('--route', 'books'), '1 1b 3 4 6 7', 'and nginx for it';
	is shown('--route', 'books', '--prog', 'nginx'), '7', 'nginx alone';
	is shown('--route', 'books', '--prog', 'books'), '1 1b 3 4 6',
	    'the program alone';
	is shown('--level', 'warn'), '1 4 8', 'warnings and errors';
	is shown('--level', 'error'), '1 8', 'errors';
	is shown('--level', 'debug'), '1 1b 2 3 4 5 6 7 8', 'everything';
	is shown('--event', 'req.end'), '5 6', 'an event';
	is shown('--event', 'req.*'), '2 3 5 6', 'events that begin so';
	is shown('--event', 'req'), '', 'no part of one';
	is shown('--user', 12), '2 5', 'a member: all of a request';
	is shown('--user', 1), '3 4 6 7', 'with the line of nginx';
	is shown('--user', 2), '', 'another one';
	is shown('--grep', '책'), '5', 'a text';
	is shown('--grep', '책 "하나"'), '5', 'with quotes, as they were meant';
	is shown('--grep', '"status":200'), '7', 'as they stand there';
	is shown('--grep', '.*'), '', 'no pattern';
	is shown('--user', 1, '--level', 'warn'), '4', 'several options';
};

subtest 'times' => sub {
	my $day = '2020-11-21T00:0';

	is shown('--since', "${day}1:41"), '4 5 6 7 8', 'since';
	is shown('--until', "${day}1:41"), '1 1b 2 3 4', 'until';
	is shown('--since', "${day}1:41", '--until', "${day}1:43.5Z"), '4 5',
	    'between';
	is shown('--since', '2020-11-21T09:01:41+09:00', '--until',
	    '2020-11-20T22:01:44-02:00'), '4 5 6', 'zones';
	is shown('--since', '2020-11-21'), '1 1b 2 3 4 5 6 7 8', 'a day';
	is shown('--since', '2020-11-22'), '', 'a later one';
	is shown('--trace', $one, '--until', "${day}1:42"), '3 4',
	    'part of a request';
	is shown('--user', 1, '--until', "${day}1:41.5"), '3 4',
	    'a member whose request ended later';
};

subtest 'so long ago' => sub {
	my $now = time;

	for my $second (30, 90, 4000) {
		my $ts = strftime('%Y-%m-%dT%H:%M:%S', gmtime $now - $second);
		write_file('now.txt.log', '>>', line(0, n => $second)
		    =~ s/"ts":"[^.]+/"ts":"$ts/r) if $second;
	}
	my @log = ('--log', "$dir/now.txt.log");
	is scalar(run(@log, '--since', '1m')), 1, 'a minute';
	is scalar(run(@log, '--since', '80s')), 1, 'seconds';
	is scalar(run(@log, '--since', '1h')), 2, 'an hour';
	is scalar(run(@log, '--since', '1d')), 3, 'a day';
	is scalar(run(@log, '--since', strftime('%H:%M', gmtime $now - 3600))),
	    2, 'a time of today';
	unlink "$dir/now.txt.log";
};

# By halves: of a long file only a part is looked at, and all of that.
subtest 'a long file' => sub {
	my $long = File::Temp->newdir;
	my $late = '{"ts":"2020-11-21T05:00:00.000001Z","lvl":"info",'
	    . '"trace":"","prog":"books","pid":7,"ev":"late","n":-1}' . "\n";

	open my $out, '>', "$long/seoga.log" or die;
	for (0 .. 86399) {
		print {$out} line($_, n => $_);
		# Written when the request ended, 30 s after it began.
		print {$out} $late if $_ == 18030;
	}
	close $out;
	my @cases = (['05:00', '05:01', 62], ['04:59:50', '05:00', 11],
	    ['05:00:00.000001', '05:00:00.5', 1], ['00:00', '00:00:09', 10],
	    ['23:59:50', '23:59:59', 10], ['23:59:59.5', '23:59:59.6', 0]);
	for (@cases) {
		my ($since, $until, $n) = @$_;
		my @lines = run('--log', "$long", '--since',
		    "2020-11-21T$since", '--until', "2020-11-21T$until");
		my @times = map { /"ts":"([^"]+)/ } @lines;

		is scalar(@lines), $n, "$since to $until";
		is_deeply \@times, [sort @times], 'in order';
	}
};

subtest 'broken lines' => sub {
	my $broken = File::Temp->newdir;

	open my $out, '>', "$broken/seoga.log" or die;
	print {$out} line(10, n => 1), "\0\0\0\n", "\n", '{"ts":"2020-11-21T',
	    "\n", line(11, n => 2), '{"ts":"2020-11-21T00:00:12.000000Z","lv';
	close $out;
	is join('', map { /"n":(.)/ } run('--log', "$broken", '--level',
	    'info')), '12', 'are no lines of a level';
	is scalar(my @all = run('--log', "$broken")), 4,
	    'and shown where nothing is asked for, but for half a last one';
	my @short = run('--log', "$broken", '--short');
	is scalar(@short), 4, 'and in short';
	unlike "@short", qr/\0/, 'without control characters';
};

subtest 'for people' => sub {
	write_file('ansi.log', '>', line(10.5, n => 9, trace => $one,
	    msg => "two\nlines \x{1b}[31mred \x{9b}31m \x{202e}back"));
	my ($line, @more) = run('--log', "$dir/ansi.log", '--short');
	utf8::decode($line);
	is $line, '2020-11-21 00:00:10.500000 info 11111111 books db.query '
	    . 'msg="two\nlines \u001b[31mred \u009b31m \u202eback" n=9' . "\n",
	    'short, and nothing that a terminal obeys';
	is scalar(@more), 0, 'one line';
	unlink "$dir/ansi.log";
};

subtest 'mistakes' => sub {
	for ([qr/is no request id/, '--trace', 'xyz'],
	    [qr/is no request id/, '--trace', '1' x 33],
	    [qr/is no level/, '--level', 'loud'],
	    [qr/is not a member's number/, '--user', 'kim'],
	    [qr/is no time/, '--since', 'yesterday'],
	    [qr/is no time/, '--since', '2020-13-01'],
	    [qr/is no time/, '--until', '25:00'],
	    [qr/is no name/, '--prog', 'a"b'],
	    [qr/is later than/, '--since', '1m', '--until', '1h'],
	    [qr/cannot read/, '--log', "$dir/none"],
	    [qr/^seoga logs: usage/, 'books']) {
		my ($message, @arguments) = @$_;

		like join('', run(@arguments)), $message, "@arguments";
		isnt $?, 0, 'is a mistake';
	}
};

# Each line once, in order, while the file is moved away under it, and some
# still write to the old one.
subtest 'follow' => sub {
	my $live = File::Temp->newdir;
	my $n = 0;

	open my $log, '>>', "$live/seoga.log" or die;
	$log->autoflush;
	print {$log} line(1, n => $n++);
	my $pid = open(my $out, '-|') // die;
	if (!$pid) {
		exec $command, '--log', "$live", '--follow' or die;
	}
	sleep 0.5;
	print {$log} line(2, n => $n++);
	syswrite $log, substr(line(3, n => $n), 0, 40);
	sleep 0.5;
	syswrite $log, substr(line(3, n => $n++), 40);
	for my $round (1 .. 3) {
		rename "$live/seoga.log", "$live/seoga.log.$round" or die;
		print {$log} line(3 + $n, n => $n++);
		sleep 0.3;
		open my $new, '>>', "$live/seoga.log" or die;
		$new->autoflush;
		print {$new} line(3 + $n, n => $n++);
		sleep 0.5;
		print {$log} line(3 + $n, n => $n++);
		sleep 0.3;
		$log = $new;
	}
	sleep 0.5;
	kill TERM => $pid;
	is join(' ', map { /"n":(\d+)/ } <$out>),
	    join(' ', 1 .. $n - 1), 'every line, once';
	close $out;
};

done_testing;
