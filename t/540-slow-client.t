#!/usr/bin/perl
# Clients that send or read slowly, or not at all: they are cut in the end, and
# until then they are in nobody's way.
use strict;
use warnings;

use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in);
use Test::More;
use Time::HiRes qw(sleep time);

use Seoga::Fault;
use Seoga::Test;

my $timeout_s = 10;	# of nginx: headers, silence in a body, a reader
my $patience_s = 40;	# ours, until they must be gone

site_start();
seoga_ok('migrate', '--sample');
my ($port) = url() =~ /:(\d+)/;

sub client {
	my ($text, $room) = @_;
	my $socket = IO::Socket::INET->new(Proto => 'tcp') or die;

	setsockopt $socket, SOL_SOCKET, SO_RCVBUF, $room if $room;
	connect $socket, pack_sockaddr_in($port, inet_aton('127.0.0.1')) or die "connect: $!\n";
	syswrite $socket, $text;
	return $socket;
}

# Whether nginx has closed it, perhaps after some words.
sub is_cut {
	my ($socket) = @_;

	$socket->blocking(0);
	while (1) {
		my $n = sysread $socket, my $bytes, 65536;
		return 1 if defined $n && $n == 0;
		next if $n;
		return $!{EAGAIN} ? 0 : 1;
	}
}

# p95 of a list and a book, in ms.
sub others {
	my ($n) = @_;
	my (@ms, @failed);

	for my $i (1 .. $n) {
		my $start = time;
		my $answer = http(get => $i % 2 ? '/books' : '/api/books');
		push @ms, 1000 * (time - $start);
		push @failed, $answer->{status} if $answer->{status} != 200;
	}
	is_deeply \@failed, [], "$n others are answered";
	return percentile(0.95, @ms);
}

my $alone = others(40);

subtest 'senders' => sub {
	my $head = "POST /login HTTP/1.1\r\nHost: localhost\r\n"
	    . "Content-Type: application/x-www-form-urlencoded\r\n";
	my %client = (
		'silent at once' => [map { client('') } 1 .. 40],
		'slow headers' => [map {
			client("GET /books HTTP/1.1\r\nHost: localhost\r\n")
		} 1 .. 80],
		'half a body' => [map {
			client("${head}Content-Length: 1000\r\n\r\nusername=")
		} 1 .. 80],
		'half a chunk' => [map {
			client("${head}Transfer-Encoding: chunked\r\n\r\n"
			    . "400\r\nusername=")
		} 1 .. 20],
	);
	my %left = map { $_ => scalar @{$client{$_}} } keys %client;
	my $start = time;
	my $ms = others(40);

	cmp_ok $ms, '<', 10 * $alone + 100, sprintf
	    'and as quickly (p95 %.1f ms, alone %.1f)', $ms, $alone;
	while (%client && time - $start < $patience_s) {
		# A byte each second does not help them.
		syswrite $_, 'X' for @{$client{'slow headers'} // []};
		sleep 1;
		for my $kind (keys %client) {
			@{$client{$kind}} = grep { !is_cut($_) }
			    @{$client{$kind}};
			next if @{$client{$kind}};
			delete $client{$kind};
			cmp_ok time - $start, '>', $timeout_s / 2,
			    "$kind: not cut at once";
			pass "$kind: all $left{$kind} are cut";
		}
	}
	is_deeply [keys %client], [], 'nobody is left';
	is scalar(grep { ($_->{path} // '') eq '/login' } log_lines()), 0,
	    'no program has seen half a request';
};

# Many answers on one connection, of which nothing or little is read.
subtest 'readers' => sub {
	my $times = 200;
	my $one = http(get => '/api/books?limit=100')->{content};
	my $ask = "GET /api/books?limit=100 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	my $last = $ask =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/r;
	my @stalled = map { client($ask x $times, 4096) } 1 .. 10;
	my $slow = client($ask x ($times - 1) . $last, 4096);
	my $start = time;

	sleep 0.5;
	my $ms = others(40);
	cmp_ok $ms, '<', 10 * $alone + 100, sprintf
	    'and as quickly (p95 %.1f ms, alone %.1f)', $ms, $alone;

	my ($got, $pauses) = ('', 0);
	while (sysread $slow, my $bytes, 65536) {
		$got .= $bytes;
		if ($pauses < 3 && length $got > $pauses * 100_000) {
			$pauses++;
			sleep 1;
		}
	}
	my @bodies = split /HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s, $got;
	shift @bodies;
	is scalar(@bodies), $times, 'a slow reader gets everything';
	is scalar(grep { $_ ne $one } @bodies), 0, 'as it should be';

	ok await($patience_s, sub {
		# Reading would make them readers: look at nginx's side.
		!connections_from(@stalled)
	}), 'who reads nothing is cut';
	cmp_ok time - $start, '>', $timeout_s / 2, 'but not at once';
};

# How many of these clients nginx still has a connection to.
sub connections_from {
	my %mine = map { sprintf('%04X', $_->sockport) => 1 } @_;

	return scalar grep {
		my ($n, $local, $remote, $state) = split ' ', $_, 5;
		$remote =~ /:([0-9A-F]{4})$/ && $mine{$1} &&
		    $local =~ /:@{[sprintf '%04X', $port]}$/ &&
		    $state eq '01'
	} grep { /^ *\d+:/ } split /\n/,
	    slurp('/proc/net/tcp') . slurp('/proc/net/tcp6');
}

site_stop();
done_testing();
