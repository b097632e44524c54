# Seoga::FastCGI -- workers without nginx, and the protocol spoken by hand.
#
#	my $worker = Seoga::FastCGI->start([$program, @arguments], workers => 2);
#	my $answer = $worker->ask({ REQUEST_METHOD => 'GET' }, $body);
#	is $answer->{body}, '...';
#
#	my $c = $worker->connection;		# or step by step
#	$c->send(begin_request(keep => 1), params({...}), stdin(''));
#	my $answer = $c->answer;		# undef: none, see $c->error
#
# An answer has: body, header (hash, names in lower case), head, stderr,
# protocol (protocolStatus), id, seconds.
package Seoga::FastCGI;

use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_STREAM);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(record begin_request params stdin pair request);

use constant {
	FCGI_BEGIN => 1, FCGI_PARAMS => 4, FCGI_STDIN => 5,
};

# --- what goes out ---

# One record; padding in bytes.
sub record {
	my ($type, $content, %o) = @_;

	return pack('CCnnCx', $o{version} // 1, $type, $o{id} // 1,
	    length $content, $o{padding} // 0)
	    . $content . ("\xee" x ($o{padding} // 0));
}

sub begin_request {
	my (%o) = @_;

	return record(FCGI_BEGIN, pack('nCx5', $o{role} // 1, $o{keep} ? 1 : 0),
	    %o, padding => 0);
}

# A name and a value; long => 1 gives four-byte lengths to short ones, too.
sub pair {
	my ($name, $value, %o) = @_;

	return join('', map {
		length > 127 || $o{long} ? pack('N', length | 0x80000000)
		    : chr length
	} $name, $value) . $name . $value;
}

# A stream in records of at most so many bytes, and its end.  Only records of
# a stream that are not empty are padded, as servers do: libfcgi takes what
# pads the begin, or the end of the parameters, for the next header.
sub _stream {
	my ($type, $content, %o) = @_;
	my $size = $o{size} // 65535;

	return join('', map { record($type, $_, %o) }
	    unpack("(a$size)*", $content))
	    . record($type, '', %o, padding => 0);
}

sub params {
	my ($param, %o) = @_;

	return _stream(FCGI_PARAMS, join('', map { pair($_, $param->{$_}, %o) }
	    sort keys %$param), %o);
}

sub stdin {
	my ($body, %o) = @_;

	return _stream(FCGI_STDIN, $body, %o);
}

# All bytes of one request; CONTENT_LENGTH as it should be, unless given.
sub request {
	my ($param, $body, %o) = @_;
	my %all = (CONTENT_LENGTH => length($body // '') || '',
	    REQUEST_METHOD => 'GET', %{$param // {}});

	return begin_request(%o) . params(\%all, %o) . stdin($body // '', %o);
}

# --- workers ---

sub start {
	my ($class, $command, %o) = @_;
	my $self = bless { command => $command,
	    dir => File::Temp->newdir('seoga-f-XXXXXX', DIR => '/tmp'),
	    environment => $o{environment} // {}, pids => {}, owner => $$,
	}, $class;

	$self->{path} = "$self->{dir}/s";
	$self->{listener} = IO::Socket::UNIX->new(Local => $self->{path},
	    Type => SOCK_STREAM, Listen => 511) or die "listen: $!\n";
	$self->spawn for 1 .. $o{workers} // 1;
	return $self;
}

# One more worker; gives its pid.
sub spawn {
	my ($self) = @_;
	my $pid = fork() // die "fork: $!\n";

	if (!$pid) {
		%ENV = (%ENV, %{$self->{environment}});
		open STDIN, '<&', $self->{listener} or POSIX::_exit(126);
		open STDERR, '>>', "$self->{dir}/err" or POSIX::_exit(126);
		open STDOUT, '>&', \*STDERR or POSIX::_exit(126);
		exec @{$self->{command}} or POSIX::_exit(127);
	}
	$self->{pids}{$pid} = 1;
	return $pid;
}

sub pids {
	my ($self) = @_;

	return keys %{$self->{pids}};
}

# Waits for a worker to end; its status, or undef when it did not.
sub wait_for {
	my ($self, $pid, $seconds) = @_;
	my $end = time + ($seconds // 10);

	while (time < $end) {
		if (waitpid($pid, POSIX::WNOHANG()) == $pid) {
			delete $self->{pids}{$pid};
			return $?;
		}
		sleep 0.01;
	}
	return undef;
}

# Ends all workers; true when each left by itself with status 0.
sub stop {
	my ($self) = @_;
	my $ok = 1;

	for my $pid ($self->pids) {
		kill 'TERM', $pid;
		my $status = $self->wait_for($pid, 15);
		$ok = 0 if !defined $status || $status;
		next if defined $status;
		kill 'KILL', $pid;
		$self->wait_for($pid);
	}
	return $ok;
}

# What the workers said on descriptor 2.
sub said {
	my ($self) = @_;

	open my $in, '<', "$self->{dir}/err" or return '';
	local $/;
	return scalar(<$in>) // '';
}

sub connection {
	my ($self) = @_;

	return Seoga::FastCGI::Connection->new($self->{path});
}

# One request on a connection of its own.
sub ask {
	my ($self, $param, $body, %o) = @_;
	my $c = $self->connection;

	$c->send(request($param, $body, %o));
	return $c->answer($o{seconds});
}

sub DESTROY {
	my ($self) = @_;
	return if $self->{owner} != $$;
	local ($?, $!, $@);

	kill 'KILL', $self->pids;
	waitpid $_, 0 for $self->pids;
}

package Seoga::FastCGI::Connection;

use constant {
	FCGI_STDOUT => 6, FCGI_STDERR => 7, FCGI_END => 3,
};
use Time::HiRes qw(sleep time);

sub new {
	my ($class, $path) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $path)
	    or die "connect: $!\n";

	return bless { socket => $socket, got => '', error => '' }, $class;
}

# Sends all of it; false, with an error, when the worker does not take it.
sub send {
	my ($self, @bytes) = @_;
	my $all = join '', @bytes;
	local $SIG{PIPE} = 'IGNORE';

	while (length $all) {
		my $n = syswrite $self->{socket}, $all;
		if (!defined $n) {
			$self->{error} = "$!";
			return 0;
		}
		substr $all, 0, $n, '';
	}
	return 1;
}

# The same in these pieces, one write each.
sub send_pieces {
	my ($self, @pieces) = @_;

	for (@pieces) {
		$self->send($_) or return 0;
		sleep 0.0002;
	}
	return 1;
}

sub close {
	my ($self) = @_;

	close $self->{socket};
}

sub error { return $_[0]{error} }

# More bytes from the worker: their number, 0 when it closed, undef when
# nothing came in time.
sub read_more {
	my ($self, $end, $most) = @_;
	my $bits = '';

	vec($bits, fileno $self->{socket}, 1) = 1;
	my $left = $end - time;
	$self->{error} = 'nothing came in time';
	return undef if !select $bits, undef, undef, $left > 0 ? $left : 0;
	my $n = sysread $self->{socket}, $self->{got}, $most // 65536,
	    length $self->{got};
	$self->{error} = defined $n ? $n ? '' : 'closed' : "$!";
	return $n // 0;
}

# One record: { type, id, content }; undef when none comes.
sub record {
	my ($self, $end, $most) = @_;

	while (1) {
		if (length $self->{got} >= 8) {
			my ($version, $type, $id, $length, $padding) =
			    unpack 'CCnnC', $self->{got};
			my $whole = 8 + $length + $padding;
			if (length $self->{got} >= $whole) {
				my $bytes = substr $self->{got}, 0, $whole, '';
				return { version => $version, type => $type,
				    id => $id,
				    content => substr($bytes, 8, $length) };
			}
		}
		return undef if !$self->read_more($end, $most);
	}
}

# One whole answer, undef when it does not come.
sub answer {
	my ($self, $seconds, %o) = @_;
	my $start = time;
	my $end = $start + ($seconds // 30);
	my %text = (FCGI_STDOUT, '', FCGI_STDERR, '');

	while (my $record = $self->record($end, $o{most})) {
		sleep $o{delay} if $o{delay};
		if ($record->{type} != FCGI_END) {
			$text{$record->{type}} .= $record->{content};
			next;
		}
		my ($head, $body) = split /\r\n\r\n/, $text{+FCGI_STDOUT}, 2;
		my %header = map { /^([^:]+): ?(.*)$/s ? (lc $1, $2) : () }
		    split /\r\n/, $head // '';
		return { head => $head, header => \%header, body => $body,
		    stderr => $text{+FCGI_STDERR}, id => $record->{id},
		    protocol => unpack('x4C', $record->{content}),
		    seconds => time - $start };
	}
	return undef;
}

# Does the worker close the connection within so many seconds?
sub closes {
	my ($self, $seconds) = @_;
	my $end = time + ($seconds // 5);

	while (1) {
		my $n = $self->read_more($end);
		return 0 if !defined $n;
		return 1 if $n == 0;
	}
}

1;
