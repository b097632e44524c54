/* log -- see log.h. */
#include "log.h"

#include "buf.h"
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define LINE_LIMIT ((size_t)256 * 1024) /* a longer line is left out */
#define PENDING_MAX ((size_t)64 * 1024) /* more is written at once */

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
	int fd;
	const char *prog, *path;
	char trace[33];
	bool in_request, sampled;
	bool worth;	     /* a warning or an error since log_begin() */
	bool keep;	     /* log_keep() was called since */
	bool quiet, skipped; /* this line is left out */
	size_t line_start;
	int64_t begin;
	struct buf lines;
	struct ring *ring; /* NULL: nobody wants them */
	char second[24];   /* "2026-11-21T10:20:30." of second_of */
	time_t second_of;
	long pid;
} the_log = { .fd = STDERR_FILENO,
	.prog = "seoga",
	.lines = BUF_INIT(PENDING_MAX + LINE_LIMIT) };

int
log_open(const char *prog, const char *path)
{
	the_log.prog = prog;
	the_log.path = path;
	the_log.pid = getpid();
	if (!path)
		return RC_OK;
	/* A new descriptor first: a failure leaves the old one in use. */
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return RC_BUG;
	if (the_log.fd != STDERR_FILENO)
		close(the_log.fd);
	the_log.fd = fd;
	return RC_OK;
}

void
log_reopen(void)
{
	if (the_log.path && log_open(the_log.prog, the_log.path) != RC_OK)
		log_msg(LOG_ERROR, "log.reopen", "%s: %s", the_log.path,
		    strerror(errno));
}

void
log_open_ring(const char *path)
{
	ring_close(the_log.ring);
	the_log.ring = path ? ring_open(path) : NULL;
	if (path && !the_log.ring)
		log_msg(LOG_WARN, "ring.file", "%s: %s", path, strerror(errno));
}

int64_t
log_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
log_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
write_all(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(the_log.fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nowhere left to say it */
		data += n;
		len -= (size_t)n;
	}
}

static bool
is_for_ring(void)
{
	if (!the_log.in_request || !the_log.sampled || !the_log.ring)
		return false;
	return ring_wants(the_log.ring, the_log.trace) || the_log.worth ||
	    the_log.keep;
}

/* What finds no room in the ring is counted there. */
static void
write_lines(void)
{
	write_all(the_log.lines.data, the_log.lines.len);
	if (is_for_ring())
		ring_put(the_log.ring, the_log.lines.data, the_log.lines.len);
	buf_reset(&the_log.lines);
}

int64_t
log_begin(const char *trace)
{
	snprintf(the_log.trace, sizeof(the_log.trace), "%s", trace);
	the_log.begin = log_now();
	the_log.in_request = true;
	the_log.sampled = false;
	the_log.worth = the_log.keep = false;
	return the_log.begin;
}

/* One text is of one kind: a job has lines of many traces. */
void
log_sampled(bool sampled)
{
	if (the_log.sampled != sampled && the_log.lines.len)
		write_lines();
	the_log.sampled = sampled;
}

void
log_keep(void)
{
	the_log.keep = true;
}

void
log_flush(void)
{
	write_lines();
	the_log.in_request = the_log.sampled = false;
	the_log.trace[0] = '\0';
}

/* Formatting the date costs more than the rest of a line: once a second. */
static void
add_time(struct buf *b)
{
	struct timespec t;
	struct tm tm;
	char micros[8];
	long us;

	clock_gettime(CLOCK_REALTIME, &t);
	if (t.tv_sec != the_log.second_of) {
		the_log.second_of = t.tv_sec;
		gmtime_r(&t.tv_sec, &tm);
		strftime(the_log.second, sizeof(the_log.second),
		    "%Y-%m-%dT%H:%M:%S.", &tm);
	}
	us = t.tv_nsec / 1000;
	for (int i = 5; i >= 0; i--, us /= 10)
		micros[i] = (char)('0' + us % 10);
	micros[6] = 'Z';
	buf_str(b, the_log.second);
	buf_add(b, micros, 7);
}

void
log_drop(void)
{
	if (!the_log.worth)
		buf_reset(&the_log.lines);
	log_flush();
}

void
log_trace(const char *trace)
{
	snprintf(the_log.trace, sizeof(the_log.trace), "%s", trace);
}

static void
add_literal(const char *s)
{
	buf_str(&the_log.lines, s);
}

void
log_quiet(void)
{
	the_log.quiet = true;
}

void
log_event(enum log_level level, const char *event)
{
	the_log.skipped = the_log.quiet && level < LOG_WARN;
	the_log.worth |= level >= LOG_WARN;
	the_log.line_start = the_log.lines.len;
	add_literal("{\"ts\":\"");
	add_time(&the_log.lines);
	add_literal("\",\"lvl\":\"");
	add_literal(level_names[level]);
	add_literal("\",\"trace\":\"");
	add_literal(the_log.trace);
	add_literal("\",\"prog\":\"");
	add_literal(the_log.prog);
	add_literal("\",\"pid\":");
	buf_int(&the_log.lines, the_log.pid);
	add_literal(",\"ev\":\"");
	add_literal(event);
	buf_char(&the_log.lines, '"');
	if (the_log.in_request)
		log_int("at", log_now() - the_log.begin);
}

/* A part of a line would be no JSON: in its place, one that says so. */
static void
cut_line(void)
{
	the_log.lines.len = the_log.line_start;
	the_log.lines.over = false;
	log_event(LOG_ERROR, "log.cut");
	buf_add(&the_log.lines, "}\n", 2);
}

static void
add_key(const char *key)
{
	add_literal(",\"");
	add_literal(key);
	add_literal("\":");
}

void
log_strn(const char *key, const char *value, size_t len)
{
	add_key(key);
	buf_char(&the_log.lines, '"');
	buf_json(&the_log.lines, value, len);
	buf_char(&the_log.lines, '"');
}

void
log_str(const char *key, const char *value)
{
	if (value) {
		log_strn(key, value, strlen(value));
		return;
	}
	add_key(key);
	add_literal("null");
}

void
log_int(const char *key, int64_t value)
{
	add_key(key);
	buf_int(&the_log.lines, value);
}

void
log_end(void)
{
	buf_add(&the_log.lines, "}\n", 2);
	if (the_log.skipped) {
		the_log.lines.len = the_log.line_start;
		the_log.lines.over = false;
	} else if (the_log.lines.over) {
		cut_line();
	}
	if (!the_log.in_request || the_log.lines.len > PENDING_MAX)
		write_lines();
}

void
log_msg(enum log_level level, const char *event, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event(level, event);
	log_str("msg", text);
	log_end();
}
