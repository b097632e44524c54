#!/usr/bin/perl
# The private side: where it listens, that it can be moved while the site runs,
# and that sites beside each other have one each.
use strict;
use warnings;

use HTTP::Tiny;
use IO::Socket::INET;
use Test::More;

use Seoga::Test;

site_start(private_bind => '127.0.0.2');
my ($port) = private_url() =~ /:(\d+)/;
isnt $port, 9180, 'a port of its own, as tests have';
is status("http://127.0.0.2:$port/metrics"), 200, 'where it was told to be';
is status("http://127.0.0.1:$port/metrics"), 599, 'and nowhere else';
like seoga('routes'), qr/^= \/metrics +metrics +1 +1 /m, 'a route as others';

# -- moved --

my $free = IO::Socket::INET->new(Listen => 1,
    LocalAddr => '127.0.0.1')->sockport;
{
	local @ENV{qw(SEOGA_PRIVATE_PORT SEOGA_PRIVATE_BIND)} =
	    ($free, '127.0.0.1,127.0.0.3');
	like seoga('reload'), qr/^Reloaded/, 'moved';
}
is status("http://127.0.0.$_:$free/metrics"), 200, "127.0.0.$_" for 1, 3;
is status("http://127.0.0.2:$port/metrics"), 599, 'and away from there';
is http(get => '/metrics')->{status}, 404, 'the public side has none';
like seoga('env'), qr/^SEOGA_PRIVATE_PORT=$free$/m, 'later commands know it';
{
	local $ENV{SEOGA_PRIVATE_PORT} = 'x';
	like seoga('reload'), qr/SEOGA_PRIVATE_PORT is 'x'/, 'a mistake is told';
	$ENV{SEOGA_PRIVATE_PORT} = url() =~ /:(\d+)/ ? $1 : 0;
	like seoga('reload'), qr/needs one of its own/, 'nor the public port';
}
is status("http://127.0.0.1:$free/metrics"), 200, 'it stays where it is';

# -- another site --

my $dir = File::Temp->newdir('seoga-o-XXXXXX', DIR => '/tmp');
my ($theirs, $number);
{
	local @ENV{qw(SEOGA_VAR SEOGA_PRIVATE_PORT SEOGA_PRIVATE_BIND
	    SEOGA_LOG_FILE)} = ("$dir/var", 0, '', "$dir/seoga.log");
	seoga_ok('start');
	($number) = seoga('env') =~ /^SEOGA_PRIVATE_PORT=(\d+)$/m;
	$theirs = HTTP::Tiny->new->get("http://127.0.0.1:$number/metrics");
	is $theirs->{status}, 200, 'a second site has a private side, too';
	isnt $number, $free, 'of its own';
	unlike $theirs->{content}, qr/route="metrics",method="GET",status="2xx"/,
	    'and figures of its own';
	is status("http://127.0.0.1:$free/metrics"), 200, 'beside the first';
	seoga_ok('stop');
}
is status("http://127.0.0.1:$number/metrics"), 599, 'which ends with it';

site_stop();
done_testing();

sub status {
	my ($address) = @_;

	return HTTP::Tiny->new(timeout => 5)->get($address)->{status};
}
