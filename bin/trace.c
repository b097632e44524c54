/*
 * seoga trace -- the life of a request, from the logs, or from Redis where the
 * logs do not have it any more.
 *
 *	seoga trace ID			a waterfall: nginx, program, SQL, Redis
 *	seoga trace --compare A B	where two requests differ
 *	seoga trace --last [N]		the latest requests and their ids
 *	seoga trace --slow MS [N]	those that took so long
 *
 * An ID is what X-Request-Id says, or its first digits, or a traceparent.
 * doc/trace.md walks through it.
 */
#include "trace.h"
#include "command.h"
#include "span_sum.h"
#include "traces.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LAST 20 /* requests listed unless told */
#define LAST_MAX 100000

static const char usage[] =
    "usage: seoga trace [--json] [--redis | --log FILE|FOLDER...] ID\n"
    "       seoga trace [--json] [--redis | --log FILE|FOLDER...]"
    " --compare A B\n"
    "       seoga trace [--json] [--log FILE|FOLDER]... --last [N]\n"
    "       seoga trace [--json] [--log FILE|FOLDER]... --slow MS [N]\n"
    "ID is what the header X-Request-Id said: 32 hexadecimal digits, or the"
    " first\n8 or more of them, or a whole traceparent. What no log has is"
    " looked for in\nRedis, which keeps an hour; --redis looks there"
    " alone.";

struct options {
	struct logs_files logs;
	bool json, last, redis, compare;
	bool own_logs; /* none were named */
	int64_t least_us;
};

/* --- what was asked for --- */

static void
read_id(const char *word, char digits[SPAN_TRACE_DIGITS + 1])
{
	size_t len = strlen(word);

	if (span_read_id(word, digits))
		return;
	if (len > 0 && len < SPAN_DIGITS_MIN &&
	    strspn(word, "0123456789abcdefABCDEF") == len)
		command_die("\"%s\" is too short: give at least %d digits",
		    word, SPAN_DIGITS_MIN);
	command_die("\"%s\" is no request id; it has %d hexadecimal digits, as"
		    " X-Request-Id and the foot of a page say",
	    word, SPAN_TRACE_DIGITS);
}

static long
read_number(const char *word, long min, long max)
{
	char *end;
	long n = strtol(word, &end, 10);

	if (end == word || *end || n < min || n > max)
		command_die(
		    "\"%s\" is not a number from %ld to %ld", word, min, max);
	return n;
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option known[] = { { "compare", no_argument, NULL,
						   'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "last", no_argument, NULL, 'l' },
		{ "log", required_argument, NULL, 'f' },
		{ "redis", no_argument, NULL, 'r' },
		{ "slow", required_argument, NULL, 's' }, { 0 } };
	struct options o = { .logs.unpacked = true };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'f') {
			logs_add(&o.logs, optarg, 0);
		} else if (option == 'c') {
			o.compare = true;
		} else if (option == 'r') {
			o.redis = true;
		} else if (option == 'j') {
			o.json = true;
		} else if (option == 'l') {
			o.last = true;
		} else if (option == 's') {
			o.last = true;
			o.least_us = read_number(optarg, 0, INT_MAX) * 1000;
		} else if (option == 'h') {
			puts(usage);
			exit(EXIT_SUCCESS);
		} else {
			command_die("%s", usage);
		}
	}
	return o;
}

/* --- answers --- */

static void
print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int
terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col < 60 ? 60 : size.ws_col > 240 ? 240 : size.ws_col;
}

static int
nothing_found(const struct logs_files *logs, bool redis, const char *digits)
{
	fprintf(stderr, "seoga trace: no line tells of %s.\nSearched:", digits);
	for (size_t i = 0; i < logs->n; i++)
		fprintf(stderr, " %s", logs->file[i].path);
	if (redis)
		fputs(" Redis", stderr);
	fputs("\nnginx writes its lines up to a second late, so try again in"
	      " a moment;\n`seoga trace --last` lists the latest requests.\n",
	    stderr);
	return EXIT_FAILURE;
}

/* Several ids begin with these digits: say which. */
static int
check_unambiguous(const json_t *lines, const char *digits)
{
	json_t *ids = json_object(), *line, *unused;
	const char *id;
	size_t i, n;

	json_array_foreach(lines, i, line)
		json_object_set_new(ids, span_text(line, "trace"), json_true());
	n = json_object_size(ids);
	if (n > 1) {
		fprintf(
		    stderr, "seoga trace: %zu ids begin with %s:\n", n, digits);
		json_object_foreach(ids, id, unused)
			fprintf(stderr, "    %s\n", id);
	}
	json_decref(ids);
	return n > 1 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void
show_requests(const struct options *o, const json_t *lines)
{
	json_t *requests = span_trees(lines);

	if (o->json)
		print_json(requests);
	else
		trace_print(requests, terminal_width());
	json_decref(requests);
}

/* NULL when Redis has nothing of it.  From here on values of jansson are in
 * the memory of the command. */
static json_t *
find_in_redis(const char *digits)
{
	static struct req req;
	json_t *lines;
	int rc;

	if (!req.conf)
		command_open(&req, "trace", false);
	rc = traces_find(&req, digits, &lines);
	if (rc < 0 && rc != RC_NOT_FOUND)
		command_die_of(&req, "Redis cannot be asked");
	return rc == RC_OK ? lines : NULL;
}

/* Ends the command when there are none, or of several requests. */
static json_t *
lines_of(const struct options *o, const char *word)
{
	char digits[SPAN_TRACE_DIGITS + 1];
	bool redis = o->redis;
	json_t *lines = NULL;

	read_id(word, digits);
	if (!o->redis)
		lines = trace_logs_find(&o->logs, digits);
	if (json_array_size(lines) == 0 && (o->redis || o->own_logs)) {
		redis = true;
		json_decref(lines);
		lines = find_in_redis(digits);
		if (lines && !o->redis)
			fputs("No log has it any more; this is from Redis.\n",
			    stderr);
	}
	if (json_array_size(lines) == 0)
		exit(nothing_found(&o->logs, redis, digits));
	if (check_unambiguous(lines, digits) != EXIT_SUCCESS)
		exit(EXIT_FAILURE);
	return lines;
}

static int
show_one(const struct options *o, const char *word)
{
	json_t *lines = lines_of(o, word);

	show_requests(o, lines);
	json_decref(lines);
	return EXIT_SUCCESS;
}

static int
show_two(const struct options *o, char **words)
{
	json_t *lines_a = lines_of(o, words[0]);
	json_t *lines_b = lines_of(o, words[1]);
	json_t *a = span_trees(lines_a), *b = span_trees(lines_b), *both;

	if (o->json) {
		both = json_pack("{s:O, s:O}", "a", a, "b", b);
		print_json(both);
		json_decref(both);
	} else {
		trace_print_pair(a, b, terminal_width());
	}
	json_decref(a);
	json_decref(b);
	json_decref(lines_a);
	json_decref(lines_b);
	return EXIT_SUCCESS;
}

static int
show_latest(const struct options *o, size_t n)
{
	json_t *lines = trace_logs_latest(&o->logs, n, o->least_us);

	if (o->json)
		print_json(lines);
	else if (json_array_size(lines) > 0)
		trace_print_list(lines);
	else
		puts("No such request is in the logs (nginx writes its lines"
		     " up to a second late).");
	json_decref(lines);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	struct options o;
	int words, status;

	command_begin("trace");
	signal(SIGPIPE, SIG_DFL); /* `seoga trace --last | head` */
	o = read_options(argc, argv);
	words = argc - optind;
	if (words > 1 + o.compare || (words == 0 && !o.last) ||
	    (o.compare && (words != 2 || o.last)) ||
	    (o.redis && (o.last || o.logs.n > 0)))
		command_die("%s", usage);
	o.own_logs = o.logs.n == 0;
	if (o.own_logs && !o.redis)
		logs_add_site(&o.logs, 0);
	if (o.compare)
		status = show_two(&o, argv + optind);
	else if (!o.last)
		status = show_one(&o, argv[optind]);
	else
		status = show_latest(&o,
		    words ? (size_t)read_number(argv[optind], 1, LAST_MAX) :
			    LAST);
	logs_close(&o.logs);
	return status;
}
