/* trace_tree -- from the lines of a trace to a tree of spans: see trace.h. */
#include "buf.h"
#include "trace.h"

#include <time.h>

#define WHAT_MAX 8192

const char *
trace_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int64_t
trace_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* "2026-11-21T10:20:30.123Z" with three or six digits of a second. */
int64_t
trace_line_time(const json_t *line)
{
	struct tm tm = { 0 };
	const char *rest =
	    strptime(trace_text(line, "ts"), "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t time, unit = 100000;

	if (!rest)
		return 0;
	time = (int64_t)timegm(&tm) * 1000000;
	if (*rest++ != '.')
		return time;
	for (; *rest >= '0' && *rest <= '9'; unit /= 10)
		time += (*rest++ - '0') * unit;
	return time;
}

int64_t
trace_line_us(const json_t *line)
{
	const json_t *seconds = json_object_get(line, "request_time");

	if (seconds)
		return (int64_t)(json_number_value(seconds) * 1e6 + 0.5);
	return trace_int(line, "us");
}

/* --- one line for people --- */

static void
add_part(struct buf *b, const char *between, const char *text)
{
	if (*text)
		buf_printf(b, "%s%s", b->len ? between : "", text);
}

/* Any event that is not known here: all that it says. */
static void
describe_other(struct buf *b, json_t *line)
{
	static const char *const said[] = { "ts", "lvl", "trace", "prog", "pid",
		"ev", "at", "us", "msg" };
	const char *name;
	json_t *value;

	if (strcmp(trace_text(line, "lvl"), "info") != 0)
		add_part(b, "", trace_text(line, "lvl"));
	add_part(b, " ", trace_text(line, "ev"));
	add_part(b, ": ", trace_text(line, "msg"));
	json_object_foreach(line, name, value) {
		size_t i = 0;

		while (i < LENGTH(said) && strcmp(name, said[i]) != 0)
			i++;
		if (i < LENGTH(said))
			continue;
		if (json_is_string(value))
			buf_printf(
			    b, ", %s %s", name, json_string_value(value));
		else if (json_is_integer(value))
			buf_printf(b, ", %s %" JSON_INTEGER_FORMAT, name,
			    json_integer_value(value));
	}
}

static void
describe_request(struct buf *b, const json_t *line)
{
	add_part(b, " ", trace_text(line, "method"));
	add_part(b, " ", trace_text(line, "path"));
	if (json_object_get(line, "status"))
		buf_printf(b, " %d", (int)trace_int(line, "status"));
}

/* Each command of the trip on a line of its own. */
static void
describe_trip(struct buf *b, const json_t *line)
{
	const char *cmds = trace_text(line, "cmds"), *comma;

	buf_str(b, "Redis ");
	while ((comma = strstr(cmds, ", "))) {
		buf_add(b, cmds, (size_t)(comma - cmds));
		buf_char(b, '\n');
		cmds = comma + 2;
	}
	buf_str(b, cmds);
}

static void
describe(struct buf *b, json_t *line)
{
	const char *ev = trace_text(line, "ev");

	if (strcmp(ev, "nginx.request") == 0) {
		buf_str(b, "nginx");
		describe_request(b, line);
	} else if (strcmp(ev, "req.begin") == 0 || strcmp(ev, "req.end") == 0) {
		buf_printf(b, "%s pid %d", trace_text(line, "prog"),
		    (int)trace_int(line, "pid"));
		describe_request(b, line);
	} else if (strcmp(ev, "job.round") == 0) {
		buf_printf(b, "%s pid %d, %d done", trace_text(line, "prog"),
		    (int)trace_int(line, "pid"), (int)trace_int(line, "done"));
	} else if (strcmp(ev, "db.query") == 0) {
		buf_printf(b, "SQL %s, %d rows", trace_text(line, "name"),
		    (int)trace_int(line, "rows"));
		if (json_object_get(line, "error"))
			buf_printf(
			    b, ", error %d", (int)trace_int(line, "error"));
	} else if (strcmp(ev, "redis.cmd") == 0) {
		describe_trip(b, line);
	} else if (strcmp(ev, "tmpl.render") == 0) {
		buf_printf(b, "template %s, %d bytes", trace_text(line, "name"),
		    (int)trace_int(line, "bytes"));
	} else {
		describe_other(b, line);
	}
}

static void
set_what(json_t *span, json_t *line)
{
	struct buf b = BUF_INIT(WHAT_MAX);

	describe(&b, line);
	json_object_set_new(span, "what", json_string(b.data ? b.data : ""));
	buf_free(&b);
}

/* --- spans --- */

static json_t *
new_span(json_t *line, int64_t start, int64_t us)
{
	json_t *span = json_pack("{s:s, s:I, s:I, s:O, s:[]}", "ev",
	    trace_text(line, "ev"), "start", (json_int_t)start, "us",
	    (json_int_t)us, "line", line, "parts");

	set_what(span, line);
	return span;
}

static json_t *
parts_of(const json_t *span)
{
	return json_object_get(span, "parts");
}

static int64_t
end_of(const json_t *span)
{
	return trace_int(span, "start") + trace_int(span, "us");
}

/* Makes the span as long as its parts.  nginx has whole milliseconds only,
 * and the time of the last turn of its loop, not of the moment. */
static void
enclose(json_t *span)
{
	int64_t start = trace_int(span, "start"), end = end_of(span);
	json_t *part;
	size_t i;

	json_array_foreach(parts_of(span), i, part) {
		if (trace_int(part, "start") < start)
			start = trace_int(part, "start");
		if (end_of(part) > end)
			end = end_of(part);
	}
	json_object_set_new(span, "start", json_integer(start));
	json_object_set_new(span, "us", json_integer(end - start));
}

/* --- programs --- */

/* The clock of `at` cannot be set back, that of `ts` can: one ts a run. */
static int64_t
time_of_begin(const json_t *line)
{
	return trace_line_time(line) - trace_int(line, "at");
}

static json_t *
new_run(json_t *line)
{
	return new_span(line, time_of_begin(line), 0);
}

/* `at` is when the line was written: at the end of what it tells. */
static void
add_event(json_t *run, json_t *line)
{
	int64_t us = trace_int(line, "us");
	int64_t start = trace_int(run, "start") + trace_int(line, "at") - us;

	json_array_append_new(parts_of(run), new_span(line, start, us));
}

static void
end_run(json_t *run, json_t *line)
{
	json_object_set_new(run, "us", json_integer(trace_int(line, "us")));
	json_object_set(run, "end", line);
	set_what(run, line);
}

/* One run of a program after the other: each worker has one at a time, and
 * writes all its lines at its end. */
static json_t *
runs_of(const json_t *lines)
{
	json_t *runs = json_array(), *open = json_object(), *line, *run;
	char worker[32];
	size_t i;

	json_array_foreach(lines, i, line) {
		const char *ev = trace_text(line, "ev");

		if (strcmp(ev, "nginx.request") == 0)
			continue;
		snprintf(
		    worker, sizeof(worker), "%d", (int)trace_int(line, "pid"));
		run = json_object_get(open, worker);
		if (!run || strcmp(ev, "req.begin") == 0) {
			run = new_run(line);
			json_array_append(runs, run);
			json_object_set_new(open, worker, run);
		}
		if (strcmp(ev, "req.end") == 0 ||
		    strcmp(ev, "job.round") == 0) {
			end_run(run, line);
			json_object_del(open, worker);
		} else if (strcmp(ev, "req.begin") != 0) {
			add_event(run, line);
		}
	}
	json_decref(open);
	return runs;
}

/* --- requests --- */

static json_t *
requests_of_nginx(const json_t *lines)
{
	json_t *requests = json_array(), *line;
	size_t i;

	json_array_foreach(lines, i, line) {
		int64_t us = trace_line_us(line);

		if (strcmp(trace_text(line, "ev"), "nginx.request") == 0)
			json_array_append_new(requests,
			    new_span(line, trace_line_time(line) - us, us));
	}
	return requests;
}

/* The program was told nginx's span as the one above its own. */
static json_t *
request_above(const json_t *requests, const json_t *run)
{
	const char *parent = trace_text(json_object_get(run, "line"), "parent");
	json_t *request;
	size_t i;

	json_array_foreach(requests, i, request) {
		if (*parent &&
		    strcmp(parent,
			trace_text(json_object_get(request, "line"), "span")) ==
			0)
			return request;
	}
	return NULL;
}

/* What a job did later for the request, in rounds of its own: it says so in
 * single lines, without a begin and an end. */
static bool
is_aside(const json_t *run)
{
	return !json_object_get(run, "end") &&
	    strcmp(trace_text(run, "ev"), "req.begin") != 0;
}

static void
add_asides(json_t *alone, const json_t *run)
{
	json_t *part;
	size_t i;

	json_array_foreach(parts_of(run), i, part) {
		const json_t *line = json_object_get(part, "line");

		json_object_set_new(part, "what",
		    json_sprintf("%s: %s", trace_text(line, "prog"),
			trace_text(part, "what")));
		json_object_set_new(part, "aside", json_true());
		json_array_append(alone, part);
	}
}

static void
join(json_t *requests, const json_t *runs)
{
	json_t *alone = json_array(), *run, *request;
	size_t i;

	json_array_foreach(runs, i, run) {
		if (is_aside(run)) {
			add_asides(alone, run);
			continue;
		}
		if (!json_object_get(run, "end"))
			enclose(run);
		request = request_above(requests, run);
		json_array_append(request ? parts_of(request) : alone, run);
	}
	json_array_foreach(requests, i, request)
		enclose(request);
	json_array_extend(requests, alone);
	json_decref(alone);
}

/* By start; there are few, so that a simple way will do. */
static void
sort(json_t *spans)
{
	for (size_t i = 1; i < json_array_size(spans); i++) {
		json_t *span = json_array_get(spans, i);
		size_t to = i;

		while (to > 0 &&
		    trace_int(json_array_get(spans, to - 1), "start") >
			trace_int(span, "start"))
			to--;
		json_incref(span);
		json_array_remove(spans, i);
		json_array_insert_new(spans, to, span);
	}
}

json_t *
trace_tree(const json_t *lines)
{
	json_t *requests = requests_of_nginx(lines), *runs = runs_of(lines);

	join(requests, runs);
	sort(requests);
	json_decref(runs);
	return requests;
}
