/*
 * span -- see span.h.
 *
 * Each line names the span above it, or belongs to a run: the lines that one
 * process has written for one request, or for one round of a job.  First the
 * spans that stand for themselves are made (requests as nginx saw them, runs,
 * what jobs did later), then each is put where it says that it belongs.
 */
#include "span_internal.h"

#define ROUNDING_US 2 /* times are cut to microseconds, each for itself */

struct tree {
	json_t *tops;  /* spans that stand for themselves, as they came */
	json_t *by_id; /* the same by their ids */
	json_t *open;  /* process -> its run, an array of lines */
	json_t *runs;
};

static json_t *
parts_of(const json_t *span)
{
	return json_object_get(span, "parts");
}

static int64_t
start_of(const json_t *span)
{
	return span_int(span, "start");
}

static int64_t
end_of(const json_t *span)
{
	return start_of(span) + span_int(span, "us");
}

static bool
is_aside(const json_t *span)
{
	return json_is_true(json_object_get(span, "aside"));
}

/* By start; there are few and they are nearly in order. */
static void
sort(json_t *spans)
{
	for (size_t i = 1; i < json_array_size(spans); i++) {
		json_t *span = json_array_get(spans, i);
		size_t to = i;

		while (to > 0 &&
		    start_of(json_array_get(spans, to - 1)) > start_of(span))
			to--;
		if (to == i)
			continue;
		json_incref(span);
		json_array_remove(spans, i);
		json_array_insert_new(spans, to, span);
	}
}

static void
add_top(struct tree *tree, json_t *span)
{
	const char *id = span_text(span, "id");

	json_array_append_new(tree->tops, span);
	/* Of a line that is there twice the first is the one to hang on. */
	if (!json_object_get(tree->by_id, id))
		json_object_set(tree->by_id, id, span);
}

/* --- the parts of a run --- */

static void
add_part(json_t *run, json_t *part)
{
	const char *id = span_text(run, "id");

	if (!*span_text(part, "id"))
		span_set_made_id(part, id, json_array_size(parts_of(run)));
	json_object_set_new(part, "parent", json_string(id));
	json_array_append_new(parts_of(run), part);
}

/* `at` is when the line was written: at the end of what it tells. */
static void
add_line(json_t *run, json_t *line)
{
	int64_t us = span_line_us(line);

	add_part(run,
	    span_new(span_text(line, "ev"), line,
		start_of(run) + span_int(line, "at") - us, us));
}

/* What within the request has no line of its own but fields of req.end; its
 * place is behind those of all lines, whatever their number. */
static const struct {
	const char *ev, *at, *us;
	size_t place;
} fields[] = { { "req.session", "sess_at", "sess_us", 1000001 },
	{ "req.form", "form_at", "form_us", 1000002 },
	{ "req.send", NULL, "send_us", 1000003 } };

static json_t *
new_field_part(const json_t *run, json_t *end, size_t i)
{
	int64_t us = span_int(end, fields[i].us);
	int64_t at = fields[i].at ? span_int(end, fields[i].at) :
				    span_int(end, "us") - us;
	json_t *part = span_new(fields[i].ev, end, start_of(run) + at, us);

	span_set_made_id(part, span_text(run, "id"), fields[i].place);
	return part;
}

static bool
is_within(const json_t *part, const json_t *span)
{
	return start_of(part) >= start_of(span) - ROUNDING_US &&
	    end_of(part) <= end_of(span) + ROUNDING_US;
}

/* The session is asked for in a trip to Redis, which is a part of it then. */
static void
take_in(json_t *run, json_t *span)
{
	json_t *parts = parts_of(run);

	for (size_t i = 0; i < json_array_size(parts);) {
		json_t *part = json_array_get(parts, i);

		if (!is_within(part, span)) {
			i++;
			continue;
		}
		json_object_set(part, "parent", json_object_get(span, "id"));
		json_array_append(parts_of(span), part);
		json_array_remove(parts, i);
	}
}

static void
add_fields(json_t *run, json_t *end)
{
	for (size_t i = 0; i < LENGTH(fields); i++) {
		json_t *part;

		if (!json_object_get(end, fields[i].us))
			continue;
		part = new_field_part(run, end, i);
		if (fields[i].at)
			take_in(run, part);
		add_part(run, part);
	}
}

/* --- runs --- */

static json_t *
find_line(const json_t *lines, const char *ev)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
		if (span_line_is(line, ev))
			return line;
	return NULL;
}

/* The clock of `at` cannot be set back, that of `ts` can: one ts a run. */
static int64_t
start_of_run(const json_t *lines)
{
	const json_t *first = json_array_get(lines, 0);

	return span_line_time(first) - span_int(first, "at");
}

/* The process stands in for an id that no line tells. */
static void
make_run_id(json_t *run, const json_t *line)
{
	char process[128];

	snprintf(process, sizeof(process), "%s %s %d", span_text(line, "trace"),
	    span_text(line, "prog"), (int)span_int(line, "pid"));
	span_set_made_id(run, process, (size_t)start_of(run));
}

static json_t *
new_run(json_t *first, json_t *end, int64_t start)
{
	json_t *run = span_new(span_text(first, "ev"), first, start, 0);

	if (end) {
		json_object_set_new(run, "us", json_integer(span_line_us(end)));
		json_object_set(run, "end", end);
		span_set_name(run, end);
		span_set_what(run, end);
	}
	return run;
}

/* A request, or the round of a job. */
static void
add_run(struct tree *tree, const json_t *lines, json_t *begin, json_t *end)
{
	json_t *first = begin ? begin : end;
	json_t *run = new_run(first, end, start_of_run(lines)), *line;
	size_t i;

	if (!*span_text(run, "id"))
		make_run_id(run, first);
	json_array_foreach(lines, i, line)
		if (line != begin && line != end)
			add_line(run, line);
	if (end)
		add_fields(run, end);
	add_top(tree, run);
}

/* What a job did later for the request, in rounds of its own: it says so in
 * single lines, without a begin and an end. */
static void
add_aside(struct tree *tree, json_t *line, size_t place)
{
	int64_t us = span_line_us(line);
	json_t *span = span_new(
	    span_text(line, "ev"), line, span_line_time(line) - us, us);

	if (!*span_text(span, "id")) {
		make_run_id(span, line);
		span_set_made_id(span, span_text(span, "id"), place);
	}
	json_object_set_new(span, "what",
	    json_sprintf(
		"%s: %s", span_text(line, "prog"), span_text(span, "what")));
	json_object_set_new(span, "aside", json_true());
	add_top(tree, span);
}

static void
add_spans_of_run(struct tree *tree, const json_t *lines)
{
	json_t *begin = find_line(lines, "req.begin"), *line;
	json_t *end = find_line(lines, "req.end");
	size_t i;

	if (!end)
		end = find_line(lines, "job.round");
	if (begin || end) {
		add_run(tree, lines, begin, end);
		return;
	}
	json_array_foreach(lines, i, line)
		add_aside(tree, line, i);
}

static void
add_request_of_nginx(struct tree *tree, json_t *line)
{
	int64_t us = span_line_us(line);
	json_t *span =
	    span_new("nginx.request", line, span_line_time(line) - us, us);

	if (!*span_text(span, "id"))
		make_run_id(span, line);
	add_top(tree, span);
}

/* Each worker has one run at a time, and writes all its lines at its end. */
static json_t *
run_of(struct tree *tree, const json_t *line)
{
	char process[32];
	json_t *run;

	snprintf(process, sizeof(process), "%d", (int)span_int(line, "pid"));
	run = json_object_get(tree->open, process);
	if (!run || span_line_is(line, "req.begin")) {
		run = json_array();
		json_array_append(tree->runs, run);
		json_object_set(tree->open, process, run);
		json_decref(run);
	}
	if (span_line_is(line, "req.end") || span_line_is(line, "job.round"))
		json_object_del(tree->open, process);
	return run;
}

static void
sort_lines(struct tree *tree, const json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) {
		/* The text of a statement is no step. */
		if (!json_is_object(line) || span_line_is(line, "db.statement"))
			continue;
		if (span_line_is(line, "nginx.request"))
			add_request_of_nginx(tree, line);
		else
			json_array_append(run_of(tree, line), line);
	}
}

/* --- putting them together --- */

static json_t *
named_parent(const struct tree *tree, const json_t *span)
{
	return json_object_get(tree->by_id, span_text(span, "parent"));
}

/* Lines that somebody made up may name each other in a circle. */
static bool
is_above(const struct tree *tree, const json_t *span, const json_t *other)
{
	for (size_t i = json_array_size(tree->tops); other && i > 0; i--) {
		if (other == span)
			return true;
		other = named_parent(tree, other);
	}
	return other != NULL;
}

static json_t *
join(const struct tree *tree)
{
	json_t *roots = json_array(), *span;
	size_t i;

	json_array_foreach(tree->tops, i, span) {
		json_t *parent = named_parent(tree, span);

		if (parent && !is_above(tree, span, parent))
			json_array_append(parts_of(parent), span);
		else
			json_array_append(roots, span);
	}
	return roots;
}

/* Whether the lines of it that were to say where it belongs are lost. */
static bool
is_astray(const json_t *span)
{
	return !*span_text(span, "parent") &&
	    !span_line_is(span, "nginx.request") &&
	    !span_line_is(span, "req.begin") &&
	    !span_line_is(span, "job.round");
}

/* It belongs to the one request that there is, if there is just one. */
static void
take_home_astray(json_t *roots)
{
	json_t *home = NULL, *span;
	size_t i, homes = 0;

	json_array_foreach(roots, i, span) {
		if (is_astray(span) || is_aside(span))
			continue;
		home = span;
		homes++;
	}
	for (i = 0; homes == 1 && i < json_array_size(roots);) {
		span = json_array_get(roots, i);
		if (!is_astray(span)) {
			i++;
			continue;
		}
		json_object_set(span, "parent", json_object_get(home, "id"));
		json_array_append(parts_of(home), span);
		json_array_remove(roots, i);
	}
}

/* Makes the span as long as its parts.  nginx has whole milliseconds only,
 * and the time of the last turn of its loop, not of the moment; what broke
 * off has no end.  What came later was not waited for. */
static void
enclose(json_t *span)
{
	int64_t start = start_of(span), end = end_of(span);
	json_t *part;
	size_t i;

	json_array_foreach(parts_of(span), i, part) {
		if (is_aside(part))
			continue;
		start = start_of(part) < start ? start_of(part) : start;
		end = end_of(part) > end ? end_of(part) : end;
	}
	json_object_set_new(span, "start", json_integer(start));
	json_object_set_new(span, "us", json_integer(end - start));
}

static void
arrange(json_t *spans)
{
	json_t *span;
	size_t i;

	json_array_foreach(spans, i, span) {
		arrange(parts_of(span));
		enclose(span);
	}
	sort(spans);
}

json_t *
span_trees(const json_t *lines)
{
	struct tree tree = { .tops = json_array(),
		.by_id = json_object(),
		.open = json_object(),
		.runs = json_array() };
	json_t *roots, *run;
	size_t i;

	sort_lines(&tree, lines);
	json_array_foreach(tree.runs, i, run)
		add_spans_of_run(&tree, run);
	roots = join(&tree);
	take_home_astray(roots);
	arrange(roots);
	json_decref(tree.tops);
	json_decref(tree.by_id);
	json_decref(tree.open);
	json_decref(tree.runs);
	return roots;
}
