# Seoga::Staff -- readers with a role, and the pages that are for them.
#
#	my $kim = staff('librarian', 'kim');
#	only_for('librarian', '/admin/books');
package Seoga::Staff;

use strict;
use warnings;

use Exporter qw(import);
use POSIX ();
use Seoga::Reader;
use Seoga::Test qw(redis sql);
use Test::More;

our @EXPORT = qw(staff user_id only_for at_once changes_of);

# Somebody of that role, signed in.
sub staff {
	my ($role, $username, %option) = @_;
	my $reader = Seoga::Reader->new(%option);

	$username = $reader->register($username ? (username => $username) : ());
	sql("UPDATE users SET role = '$role' WHERE username = '$username'");
	$reader->login($username);
	$reader->{username} = $username;
	return $reader;
}

sub user_id {
	my ($username) = @_;

	return 0 + sql("SELECT id FROM users WHERE username = '$username'");
}

# Guests are sent to the login, others of less than that role get a 403.
sub only_for {
	my ($role, @paths) = @_;
	my $guest = Seoga::Reader->new;
	my $reader = Seoga::Reader->new;
	my @refused = ([reader => $reader]);

	$reader->register;
	push @refused, [librarian => staff('librarian')] if $role eq 'admin';
	for my $path (@paths) {
		is $guest->get($path)->status, 303, "$path: guests sign in";
		like $guest->header('location'), qr{^/login\?next=%2Fadmin},
		    'and come back';
		is $guest->post($path, {})->status =~ /^(?:303|405)$/, 1,
		    'nor do they change anything';
		for (@refused) {
			my ($who, $one) = @$_;
			is $one->get($path)->status, 403, "$path: no $who";
			like $one->post($path, {})->status, qr/^40[35]$/,
			    'nor to change';
		}
	}
}

# Runs each code in a process of its own, all at the same time; gives what
# each returned, in their order.
sub at_once {
	my (@codes) = @_;
	my @results;

	for my $code (@codes) {
		my $pid = open(my $result, '-|') // die "fork: $!\n";
		if (!$pid) {
			syswrite STDOUT, $code->() // '';
			POSIX::_exit(0);
		}
		push @results, $result;
	}
	return map { local $/; my $text = <$_>; close $_; $text } @results;
}

# What the audit log says of a thing, the first act first.
sub changes_of {
	my ($object, $id) = @_;

	return [split /\n/, sql("SELECT CONCAT(actor, ' ', act) FROM audit
	    WHERE object = '$object' AND object_id = $id ORDER BY id")];
}

1;
