/*
 * seoga logs -- lines of all logs, by time: those that are wanted.
 *
 *	seoga logs --level warn --since 1h
 *	seoga logs --trace ca970000
 *	seoga logs --user 7 --short
 *	seoga logs --route cart-add --follow
 *
 * Built for large logs: doc/log.md has figures.
 */
#include "logs.h"
#include "command.h"
#include "log.h"
#include "span_sum.h"

#include <getopt.h>
#include <signal.h>
#include <unistd.h>

static const char usage[] =
    "usage: seoga logs [OPTION]...\n"
    "Lines of the logs of nginx, the programs and the jobs, rotated ones and"
    " .gz\ntoo, by time.  Each option leaves out those that do not fit.\n"
    "  --trace ID       of one request: its id, its first 8 digits or more\n"
    "  --route NAME     of a program, and what nginx said of its requests\n"
    "  --prog NAME      of a program or job alone; nginx is one, too\n"
    "  --user N         of the requests of the member with this number\n"
    "  --level LEVEL    debug, info, warn, error: this and what is worse\n"
    "  --event NAME     of this event; \"db.*\": all that begin so\n"
    "  --grep TEXT      with this text, letter by letter\n"
    "  --since TIME     2026-11-21, 2026-11-21T14:30, 14:30, 10m (30s, 2h,"
    " 1d) ago;\n"
    "  --until TIME     UTC, unless it ends in a zone: 14:30+09:00 with a"
    " date\n"
    "  --follow         only what comes from now on (and since --since)\n"
    "  --json           whole lines, as they are (the default)\n"
    "  --short          one line each for people\n"
    "  --log FILE       or FOLDER: other logs than this instance's; may be"
    " repeated";

struct options {
	struct logs_filter filter;
	const char *log[64]; /* other logs */
	size_t logs;
	bool follow, brief;
};

/* --- what was asked for --- */

static const char *
read_trace(const char *word)
{
	static char id[SPAN_TRACE_DIGITS + 1];

	if (!span_read_id(word, id))
		command_die("\"%s\" is no request id: give %d to %d"
			    " hexadecimal digits",
		    word, SPAN_DIGITS_MIN, SPAN_TRACE_DIGITS);
	return id;
}

static int
read_level(const char *word)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (size_t i = 0; i < LENGTH(names); i++)
		if (strcmp(word, names[i]) == 0)
			return (int)i;
	command_die("\"%s\" is no level: debug, info, warn or error", word);
}

/* What may stand in a name of a program or an event, and so in a line. */
static const char *
read_name(const char *word)
{
	if (!*word || strlen(word) > 64 ||
	    strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_.*") !=
		strlen(word))
		command_die("\"%s\" is no name of a program or an event", word);
	return word;
}

static int64_t
read_user(const char *word)
{
	char *end;
	long long n = strtoll(word, &end, 10);

	if (end == word || *end || n < 1)
		command_die("\"%s\" is not a member's number", word);
	return n;
}

static int64_t
read_time(const char *word)
{
	int64_t us = logs_time(word, log_clock());

	if (us <= 0)
		command_die("\"%s\" is no time: 2026-11-21, 2026-11-21T14:30,"
			    " 14:30, or 10m for ten minutes ago",
		    word);
	return us;
}

static void
take_option(struct options *o, int option, const char *word)
{
	struct logs_filter *f = &o->filter;

	switch (option) {
	case 't':
		f->trace = read_trace(word);
		break;
	case 'r':
		f->route = read_name(word);
		break;
	case 'p':
		f->prog = read_name(word);
		break;
	case 'u':
		f->user = read_user(word);
		break;
	case 'l':
		f->level = read_level(word);
		break;
	case 'e':
		f->event = read_name(word);
		break;
	case 'g':
		f->grep = word;
		break;
	case 's':
		f->since = read_time(word);
		break;
	case 'b':
		f->until = read_time(word);
		break;
	case 'f':
		o->follow = true;
		break;
	case 'j':
		o->brief = false;
		break;
	case 'x':
		o->brief = true;
		break;
	case 'L':
		if (o->logs == LENGTH(o->log))
			command_die(
			    "no more than %zu times --log", LENGTH(o->log));
		o->log[o->logs++] = word;
		break;
	case 'h':
		puts(usage);
		exit(EXIT_SUCCESS);
	default:
		command_die("%s", usage);
	}
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option known[] = { { "help", no_argument, NULL,
						   'h' },
		{ "trace", required_argument, NULL, 't' },
		{ "route", required_argument, NULL, 'r' },
		{ "prog", required_argument, NULL, 'p' },
		{ "user", required_argument, NULL, 'u' },
		{ "level", required_argument, NULL, 'l' },
		{ "event", required_argument, NULL, 'e' },
		{ "grep", required_argument, NULL, 'g' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'b' },
		{ "follow", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "short", no_argument, NULL, 'x' },
		{ "log", required_argument, NULL, 'L' }, { 0 } };
	struct options o = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		take_option(&o, option, optarg);
	if (optind < argc)
		command_die("%s", usage);
	if (o.filter.since && o.filter.until && o.filter.since > o.filter.until)
		command_die("--since is later than --until");
	return o;
}

/* --- which logs --- */

static void
add_logs(struct logs_files *files, const struct options *o)
{
	/* What is followed is needed, however long nothing was written. */
	int64_t since = o->follow ? 0 : o->filter.since;

	for (size_t i = 0; i < o->logs; i++)
		logs_add(files, o->log[i], since);
	if (o->logs == 0)
		logs_add_site(files, since);
}

/* Somebody cut a file off while it was read, in place of moving it away. */
static void
cut_off(int signum)
{
	static const char text[] =
	    "seoga logs: a log was cut off while it was read\n";

	(void)signum;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(EXIT_FAILURE);
}

int
main(int argc, char **argv)
{
	struct logs_files files = { 0 };
	struct options o;

	command_begin("logs");
	signal(SIGPIPE, SIG_DFL); /* `seoga logs | head` */
	signal(SIGBUS, cut_off);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	o = read_options(argc, argv);
	add_logs(&files, &o);
	logs_filter_begin(&o.filter);
	if (!o.follow || o.filter.since)
		logs_merge(&files, &o.filter,
		    o.brief ? logs_show_short : logs_show_raw);
	if (o.follow)
		logs_follow(&files, &o.filter,
		    o.brief ? logs_show_short : logs_show_raw);
	logs_filter_end(&o.filter);
	logs_close(&files);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
