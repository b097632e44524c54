#!/usr/bin/perl
# What a worker notes of a request, it notes when the answer is out: a log that
# takes no more bytes holds up the worker, but not who waits for the answer.
use strict;
use warnings;

use Fcntl;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::FastCGI;

my $build = $ENV{SEOGA_BUILD} // '.';
my $echo = "$build/t/echo";
plan skip_all => 'the programs are not built' if !-x $echo;

my $dir = File::Temp->newdir('seoga-a-XXXXXX', DIR => '/tmp');
my $log = "$dir/log";
POSIX::mkfifo($log, 0600) or die "mkfifo: $!\n";
sysopen my $pipe, $log, O_RDWR | O_NONBLOCK or die "$log: $!\n";
my $worker = Seoga::FastCGI->start([$echo, 1 << 20, 30, 5, $log]);

sub fill {
	1 while syswrite $pipe, 'x' x 4096;
	1 while syswrite $pipe, 'x';
}

# What is in it; waits for the line of an answer.
sub drain {
	my ($seconds) = @_;
	my ($text, $end) = ('', time + ($seconds // 5));

	until ($text =~ /req\.end/ || time > $end) {
		sysread $pipe, $text, 1 << 20, length $text or sleep 0.01;
	}
	return $text;
}

is $worker->ask({}, 'ping', seconds => 5)->{body}, 'ping', 'it answers';
drain();

# In one piece, at the limit of a record and beyond, in many pieces.
for my $bytes (10, 65_000, 65_535, 70_000, 300_000, 4_000_000) {
	fill();
	my $c = $worker->connection;
	my $start = time;
	$c->send(Seoga::FastCGI::request({ BYTES => $bytes }, '', keep => 1));
	my $answer = $c->answer(5);

	is length($answer->{body} // ''), $bytes, "$bytes bytes, all of them";
	is $answer->{protocol}, 0, '... and the end of the request';
	cmp_ok time - $start, '<', 2, '... at once';
	# It is still there, at its log: the next one has to wait.
	my $next = $worker->connection;
	$next->send(Seoga::FastCGI::request({}, 'ping'));
	ok !defined $next->answer(0.3), '... before the log is';
	like drain(), qr/"ev":"req\.end"/, '... which comes then';
	is +($next->answer(5) // {})->{body}, 'ping',
	    '... and so does the next answer';
	drain(0.5);
	$c->send(Seoga::FastCGI::request({}, 'ping', keep => 1));
	is +($c->answer(5) // {})->{body}, 'ping',
	    '... and one on the same connection';
	drain();
}

done_testing();
