#!/usr/bin/perl
# The administrator's work on routes.conf, under load: nothing is lost, and a
# mistake changes nothing.
use strict;
use warnings;

use File::Basename qw(basename);
use File::Temp ();
use List::Util qw(sum);
use Test::More;
use Time::HiRes qw(sleep);

use Seoga::Test;

my $top = $ENV{SEOGA_SRCDIR};
my $original = slurp("$top/nginx/routes.conf");
my $routes = File::Temp->new(TEMPLATE => 'seoga-routes-XXXXXX', DIR => '/tmp');
spew("$routes", $original);

# All programs, and one that dies at once.
my $folder = File::Temp->newdir('seoga-p-XXXXXX', DIR => '/tmp');
my $programs = "$folder/cgi-bin";
mkdir $programs or die;
symlink $_, "$programs/" . basename($_)
    for grep { -x && basename($_) !~ /\./ }
    glob "$ENV{SEOGA_BUILD}/cgi-bin/*";
spew("$programs/dies", "#!/bin/sh\necho dead >&2\nexit 1\n");
spew("$programs/soon", "#!/bin/sh\nexec sleep 0.05\n");
spew("$programs/stubborn", "#!/usr/bin/perl\n"
    . '$SIG{TERM} = "IGNORE"; sleep 1 while 1;' . "\n");
chmod 0755, map { "$programs/$_" } qw(dies soon stubborn);
site_start(routes => "$routes", program_dir => $programs);

# The line of a route, as `seoga routes` shows it: path -> columns.
sub row {
	my ($path) = @_;
	my ($line) = grep { /^\Q$path\E  / } split /\n/, seoga('routes');

	return [split /\s{2,}/, $line // ''];
}

sub edit {
	my ($code) = @_;

	local $_ = $original;
	$code->();
	spew("$routes", $_);
}

sub status_of {
	my ($path) = @_;

	return http(get => $path)->{status};
}

# Does it while four clients ask, and wants all of them answered.
sub under_load {
	my ($what, $paths, $code) = @_;

	load_start(4, @$paths);
	sleep 0.5;
	$code->();
	sleep 0.5;
	my ($count, @failed) = load_stop();
	cmp_ok $count, '>', 100, "$what: there was load ($count requests)";
	is_deeply \@failed, [], "$what: no request failed";
}

subtest 'the table' => sub {
	my ($heading, @rows) = split /\n/, seoga('routes');

	like $heading, qr/^PATH +PROGRAM +WORKERS +ALIVE +LIMIT +BODY/;
	is scalar(@rows), scalar(() = $original =~ /^location/mg),
	    'a row for each route';
	is_deeply [grep { (split /\s{2,}/)[2] != (split /\s{2,}/)[3] } @rows],
	    [], 'every worker is alive';
	is row('= /books')->[1], 'books', 'the program is named';
};

subtest 'add a route' => sub {
	is status_of('/again'), 404, 'it is not there before';
	edit(sub {
		$_ .= "location = /again { set \$prog books; "
		    . "include run.conf; }\n";
	});
	under_load('adding', ['/books'], sub {
		is seoga_ok('reload'), "Reloaded. New workers: none needed.\n",
		    'what it meant for the workers';
	});
	is status_of('/again'), 200, 'it is there after';
};

subtest 'change the number of workers' => sub {
	for my $workers (6, 1, 3) {
		edit(sub { s/(set \$prog books;.*workers=)\d+/$1$workers/ });
		under_load("$workers workers", ['/books', '/cart'],
		    sub { seoga_ok('reload') });
		is row('= /books')->[3], $workers, "$workers are alive";
		is scalar(pids('books')), $workers, 'and no others';
	}
	is status_of('/again'), 404, 'the added route is undone as well';
};

subtest 'limits on the line' => sub {
	my $page = { content => 'x' x 3000,
		headers => { 'Content-Type' => 'text/plain' } };

	isnt http(post => '/cart/add', $page)->{status}, 413, 'before';
	edit(sub {
		s/(location = \/cart\/add +\{)/$1 client_max_body_size 2k;/
	});
	seoga_ok('reload');
	is http(post => '/cart/add', $page)->{status}, 413, 'after';
	is row('= /cart/add')->[5], '2k', 'the table shows it';
};

subtest 'switch a route off' => sub {
	edit(sub { s/^(?=location = \/cart )/# /m });
	under_load('switching off', ['/books'], sub { seoga_ok('reload') });
	is status_of('/cart'), 404, 'it is off';
	is row('= /cart')->[2], 'off', 'the table says so';
	edit(sub { });
	seoga_ok('reload');
	is status_of('/cart'), 200, 'and on again';

	edit(sub { s/^(?=location = \/lang )/# /m });
	is seoga_ok('reload'),
	    "Reloaded. New workers: none needed. Stopped: lang.\n",
	    'with its only line a program stops';
	edit(sub { });
	is seoga_ok('reload'), "Reloaded. New workers: lang.\n",
	    'and starts again';
};

my $line = () = $original =~ /\n/g;
for my $mistake (
	['an unknown program', 'location = /x { set $prog nosuch; '
	    . 'include run.conf; }', qr/there is no program "nosuch"/],
	['no semicolon', 'location = /x { set $prog books; include run.conf }',
	    qr/";" is missing/],
	['no brace', 'location = /x { set $prog books; include run.conf;',
	    qr/not a route/],
	['no program', 'location = /x { include run.conf; }',
	    qr/name the program/],
	['no include', 'location = /x { set $prog books; }',
	    qr/include run\.conf; is missing/],
	['an unknown directive', 'location = /x { set $prog books; '
	    . 'frobnicate on; include run.conf; }',
	    qr/unknown directive "frobnicate"/],
	['a wrong size', 'location = /x { set $prog books; '
	    . 'client_max_body_size lots; include run.conf; }',
	    qr/client_max_body_size/],
	['a path twice', 'location = /books { set $prog books; '
	    . 'include run.conf; }', qr/duplicate location/],
	['an unknown zone', 'location = /x { set $prog books; '
	    . 'limit_req zone=nosuch; include run.conf; }',
	    qr/no zone "nosuch"/],
	['a broken pattern', 'location ~ ^/x/( { set $prog books; '
	    . 'include run.conf; }', qr/pcre/],
	['no workers', 'location = /x { set $prog books; include run.conf; }'
	    . ' # workers=0', qr/from 1 to 64/],
	['too many workers', 'location = /x { set $prog lang; '
	    . 'include run.conf; } # workers=65', qr/from 1 to 64/],
	['two numbers of workers', 'location = /x { set $prog books; '
	    . 'include run.conf; } # workers=9', qr/say it once/],
	['an unknown option', 'location = /x { set $prog books; '
	    . 'include run.conf; } # worker=2', qr/"worker=2".*unknown/],
) {
	my ($name, $text, $expected) = @$mistake;

	subtest "refused: $name" => sub {
		edit(sub { $_ = "# zone=nosuch\n$_$text\n" });
		my @before = sort(pids('books'));
		my $said = seoga('reload');

		isnt $?, 0, 'the command fails';
		my $number = $line + 2;
		like $said, qr/routes\.conf line $number: .*$expected/,
		    'and names the line';
		is status_of('/books'), 200, 'the site goes on';
		is status_of('/x'), 404, 'as it was';
		is_deeply [sort(pids('books'))], \@before,
		    'with the same workers';
	};
}

subtest 'refused: a program that dies at once' => sub {
	my @before = sort(pids('books'));
	my $site = site_dir() . '/var';

	edit(sub { $_ .= 'location = /x { set $prog dies; '
	    . "include run.conf; } # workers=3\n" });
	for my $try (1, 2) {
		is seoga('reload'), 'seoga: these programs do not stay up: '
		    . "dies; see $site/log/programs.err\n", "told, $try";
		isnt $?, 0, 'and an error';
	}
	like slurp("$site/log/programs.err"), qr/^dead$/m,
	    'where it says why';
	is status_of('/books'), 200, 'the site goes on';
	is_deeply [sort(pids('books'))], \@before, 'as it was';
	is scalar(pids('dies')), 0, 'without it';
	is scalar(() = glob("$site/groups/dies-*")), 0,
	    'and forgets it';
};

subtest 'refused: one that dies soon' => sub {
	edit(sub { $_ .= 'location = /x { set $prog soon; '
	    . "include run.conf; } # workers=1\n" });
	like seoga('reload'), qr/these programs do not stay up: soon;/, 'told';
	is scalar(pids('soon')), 0, 'without it';
};

subtest 'a reload that is interrupted' => sub {
	edit(sub { $_ .= 'location = /x { set $prog dies; '
	    . "include run.conf; } # workers=3\n" });
	isnt system("timeout -s INT 1 $top/bin/seoga reload >/dev/null 2>&1"),
	    0, 'in the middle';
	like seoga('reload'), qr/these programs do not stay up: dies;/,
	    'leaves nothing behind that counts as there';
};
edit(sub { });

# Its workers are taken away again and again between two of their lives.
subtest 'a program that dies at once is forgotten for good' => sub {
	my ($site) = slurp(site_dir() . '/var/run/supervisord.pid') =~ /(\d+)/;
	my $log = site_dir() . '/var/log/supervisord.log';

	is system('python3', '-c', <<~'END', "$top/control", "$programs/dies"),
		import sys
		import time
		sys.dont_write_bytecode = True
		sys.path.insert(0, sys.argv[1])
		from routes import Program
		from settings import Settings
		from workers import Workers

		workers, dies = Workers(Settings()), Program("dies", sys.argv[2])
		dies.workers = 8
		for n in range(30):
		    workers.add([dies])
		    time.sleep(n / 1000)
		    workers.remove([dies.group])
		END
	    0, 'added and removed';
	ok kill(0, $site), 'supervisord lives';
	unlike slurp($log) =~ s/.*Closing socket //sr, qr/Creating|spawned/,
	    'and starts none of it after its end';
	is status_of('/books'), 200, 'the site goes on';
};

subtest 'rolling restart' => sub {
	my @before = map { pids($_) } qw(books health cart);

	under_load('restarting', ['/books', '/api/health', '/cart'],
	    sub { seoga_ok('restart') });
	my %after = map { $_ => 1 } map { pids($_) } qw(books health cart);
	is scalar(keys %after), scalar(@before), 'as many as before';
	is_deeply [grep { $after{$_} } @before], [], 'all of them new';
};

subtest 'killed workers' => sub {
	my $workers = pids('books');

	under_load('killing', ['/books'], sub {
		for (1 .. 6) {
			kill 'KILL', (pids('books'))[0] // next;
			sleep 0.4;
		}
	});
	is await(5, sub { pids('books') == $workers && $workers }), $workers,
	    'they are back';
};

subtest 'log files that were moved away' => sub {
	my $log = site_dir() . '/seoga.log';

	http(get => '/books');
	rename $log, "$log.1" or die;
	seoga_ok('reopen');
	# A worker that was just about to serve opens the new file after that.
	my $id;
	ok await(10, sub {
		$id = http(get => '/books')->{headers}{'x-request-id'};
		-s $log && slurp($log) =~ /$id/;
	}), 'are made again';
	ok index(slurp("$log.1"), $id) < 0, 'and the old ones left alone';
	spew($log, slurp("$log.1") . slurp($log));
};

subtest 'a setting that only a start reads' => sub {
	local $ENV{SEOGA_LOCK_S} = 5;

	like seoga('reload'), qr/^seoga: SEOGA_LOCK_S is read when the site/,
	    'is not taken silently';
	isnt $?, 0, 'but refused';
	delete $ENV{SEOGA_LOCK_S};
	unlike seoga('env'), qr/LOCK_S/, 'and is not remembered';
};

subtest 'a second start' => sub {
	like seoga('start'), qr/running already/, 'is refused';
	isnt $?, 0, 'with an error';
};

edit(sub { $_ .= 'location = /x { set $prog stubborn; '
    . "include run.conf; } # workers=1\n" });
seoga_ok('reload');
my ($stubborn) = pids('stubborn') or die;
site_stop();
ok gone($stubborn), 'and leaves nobody behind';
done_testing();
