/* view_trace -- see view_trace.h. */
#include "view_trace.h"

#include "model.h"
#include "sess.h"
#include "span_sum.h"

#include <time.h>

#define TICKS 5		   /* on the axis, at most, beside its zero */
#define DEPTHS 8	   /* that are indented */
#define SESSION_DIGITS 8   /* of a session's id that may be seen */
#define UUID_DIGITS 36	   /* with its hyphens */
#define ATTRIBUTE_MAX 2000 /* bytes of a value */

/* --- words and numbers --- */

const char *
view_ms(struct req *req, int64_t us)
{
	return arena_printf(req->arena, "%.2f", (double)us / 1000);
}

static void
split(int64_t us, struct tm *tm)
{
	time_t second = (time_t)(us / 1000000);

	gmtime_r(&second, tm);
}

const char *
view_clock(struct req *req, int64_t us)
{
	struct tm tm;

	split(us, &tm);
	return arena_printf(req->arena, "%02d:%02d:%02d.%03d", tm.tm_hour,
	    tm.tm_min, tm.tm_sec, (int)(us % 1000000 / 1000));
}

const char *
view_instant(struct req *req, int64_t us)
{
	struct tm tm;

	split(us, &tm);
	return arena_printf(req->arena, "%04d-%02d-%02d %s", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, view_clock(req, us));
}

const char *
view_bytes(struct req *req, int64_t bytes)
{
	if (bytes < 1000)
		return arena_printf(req->arena, "%d B", (int)bytes);
	if (bytes < 1000000)
		return arena_printf(
		    req->arena, "%.1f kB", (double)bytes / 1000);
	return arena_printf(req->arena, "%.1f MB", (double)bytes / 1000000);
}

const char *
view_status_kind(int64_t status)
{
	static const char *const kinds[] = { "ok", "moved", "refused",
		"failed" };

	return status >= 200 && status < 600 ? kinds[status / 100 - 2] : "";
}

static const char *
kind_label(enum span_kind kind)
{
	switch (kind) {
	case SPAN_NGINX:
		return "nginx";
	case SPAN_SQL:
		return "SQL";
	case SPAN_REDIS:
		return "Redis";
	case SPAN_TEMPLATE:
		return _("Template");
	case SPAN_OUTBOUND:
		return _("Other services");
	case SPAN_JOB:
		return _("Jobs");
	default:
		return _("The program itself");
	}
}

/* A part of the whole as the attributes of SVG have it. */
static const char *
percent(struct req *req, int64_t part, int64_t whole)
{
	double n = whole > 0 ? 100.0 * (double)part / (double)whole : 0;

	return arena_printf(req->arena, "%.2f%%",
	    n < 0	? 0 :
		n > 100 ? 100 :
			  n);
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Where people are is for administrators alone. */
static bool
sees_people(const struct req *req)
{
	return req->sess && strcmp(req->sess->role, "admin") == 0;
}

static bool
is_of_people(const char *name)
{
	static const char *const names[] = { "addr", "user", "client.address",
		"network.peer.address", "user.id", "user_agent.original",
		"seoga.addr" };

	for (size_t i = 0; i < LENGTH(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Bytes of an IPv4 address at the beginning of a text; 0 when it is none. */
static size_t
address_length(const char *s)
{
	size_t len = 0;

	for (int i = 0; i < 4; i++) {
		size_t digits = strspn(s + len, "0123456789");

		if (digits == 0 || digits > 3)
			return 0;
		len += digits;
		if (i < 3 && s[len++] != '.')
			return 0;
	}
	return len;
}

static bool
is_uuid(const char *s)
{
	for (size_t i = 0; i < UUID_DIGITS; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? s[i] != '-' : !is_hex(s[i]))
			return false;
	}
	return true;
}

/* Keys of Redis whose names end in whom they are of. */
static bool
is_key_of_people(const char *at)
{
	static const char *const names[] = {
		"cart:", "cart-seen:", "login-failures:", "user-sessions:"
	};

	for (size_t i = 0; i < LENGTH(names); i++) {
		if (strncmp(at, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

/* Bytes at the beginning of a text that are not for everybody. */
static size_t
hidden_length(const char *text, const char *at, bool people)
{
	static const char said[] = ", addr ";

	if (is_hex(*at) && is_uuid(at))
		return UUID_DIGITS;
	if (people)
		return 0;
	if (is_key_of_people(at))
		return strcspn(at, " ,\n");
	if (strncmp(at, said, strlen(said)) == 0)
		return strlen(said) + strcspn(at + strlen(said), ",\n");
	if (is_digit(*at) && (at == text || !is_digit(at[-1])))
		return address_length(at);
	return 0;
}

/* Of a session the digits that all logs have, of all else that is hidden
 * nothing but "…".  Whole ids of sessions are in no log; should one ever be,
 * it goes no further. */
static const char *
shown(struct req *req, const char *text)
{
	struct buf out = BUF_INIT(2 * strlen(text) + 1);
	const char *at = text, *safe;
	bool people = sees_people(req);
	size_t n;

	while (*at) {
		n = hidden_length(text, at, people);
		if (n == 0) {
			buf_char(&out, *at++);
			continue;
		}
		if (n == UUID_DIGITS && is_uuid(at))
			buf_add(&out, at, SESSION_DIGITS);
		else if (is_key_of_people(at))
			buf_add(&out, at, strcspn(at, ":") + 1);
		buf_str(&out, "…");
		at += n;
	}
	safe = arena_strndup(req->arena, out.len ? out.data : "", out.len);
	buf_free(&out);
	return safe;
}

static const char *
value_text(struct req *req, const json_t *value)
{
	if (json_is_string(value))
		return shown(req,
		    arena_printf(req->arena, "%.*s", ATTRIBUTE_MAX,
			json_string_value(value)));
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	if (json_is_number(value))
		return arena_printf(
		    req->arena, "%.15g", json_number_value(value));
	return "";
}

/* --- the axis --- */

/* 1, 2 or 5 times a power of ten, so that few of them fill the time. */
static int64_t
step_of(int64_t us)
{
	int64_t step = 1;

	while (us / step > TICKS) {
		if (us / (2 * step) <= TICKS)
			return 2 * step;
		if (us / (5 * step) <= TICKS)
			return 5 * step;
		step *= 10;
	}
	return step;
}

static const char *
tick_text(struct req *req, int64_t us, int64_t step)
{
	int digits = step >= 1000 ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3;

	return arena_printf(req->arena, "%.*f", digits, (double)us / 1000);
}

/* Their words are within the picture at both ends. */
static json_t *
ticks_of(struct req *req, int64_t us)
{
	int64_t step = step_of(us);
	json_t *ticks = json_array();

	for (int64_t at = 0; at <= us; at += step)
		json_array_append_new(ticks,
		    json_pack("{s:s, s:s, s:s}", "x", percent(req, at, us),
			"label", tick_text(req, at, step), "anchor",
			at == 0		       ? "start" :
			    at * 100 > 92 * us ? "end" :
						 "middle"));
	return ticks;
}

/* --- rows --- */

static json_t *
attributes_of(struct req *req, const json_t *span)
{
	json_t *list = json_array(), *value;
	const char *name;

	json_object_foreach(json_object_get(span, "attributes"), name, value) {
		if (is_of_people(name) && !sees_people(req))
			continue;
		json_array_append_new(list,
		    json_pack("{s:s, s:s}", "name", name, "value",
			value_text(req, value)));
	}
	return list;
}

/* A line for each command of a trip to Redis. */
static json_t *
what_lines(struct req *req, const char *what)
{
	json_t *lines = json_array();

	what = shown(req, what);
	while (*what) {
		size_t len = strcspn(what, "\n");

		json_array_append_new(lines, json_stringn(what, len));
		what += len + (what[len] == '\n');
	}
	return lines;
}

struct axis {
	int64_t start, us;
};

/* Where there is no style, dots say how deep it is. */
static void
set_depth(json_t *row, int64_t depth)
{
	static const char dots[] = "· · · · · · · · ";
	size_t each = (sizeof(dots) - 1) / DEPTHS;

	depth = depth < DEPTHS ? depth : DEPTHS;
	model_set_int(row, "depth", depth);
	model_set(row, "indent", json_stringn(dots, (size_t)depth * each));
}

static json_t *
row_of(struct req *req, const json_t *span, const struct axis *axis)
{
	int64_t at = span_int(span, "start") - axis->start;
	int64_t us = span_int(span, "us");
	enum span_kind kind = span_kind(span);
	json_t *what = what_lines(req, span_text(span, "what"));
	json_t *attributes = attributes_of(req, span), *row;

	row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b}", "kind",
	    span_kind_name(kind), "kind_text", kind_label(kind), "at",
	    view_ms(req, at), "took", view_ms(req, us), "x",
	    percent(req, at, axis->us), "w", percent(req, us, axis->us), "span",
	    span_text(span, "id"), "failed",
	    json_is_true(json_object_get(span, "failed")), "has_attributes",
	    json_array_size(attributes) > 0);
	model_set(row, "attributes", attributes);
	model_set(row, "first", json_incref(json_array_get(what, 0)));
	json_array_remove(what, 0);
	model_set(row, "more", what);
	set_depth(row, 0);
	model_set_text(row, "statement",
	    kind == SPAN_SQL ?
		model_text(json_object_get(span, "line"), "name") :
		NULL);
	return row;
}

static json_t *
rows_of(struct req *req, json_t *root, const struct axis *axis)
{
	json_t *spans = span_rows(root), *rows = json_array(), *one, *row;
	size_t i;

	json_array_foreach(spans, i, one) {
		int64_t depth = span_int(one, "depth");

		row = row_of(req, json_object_get(one, "span"), axis);
		set_depth(row, depth);
		json_array_append_new(rows, row);
	}
	return rows;
}

/* --- where the time went --- */

static json_t *
kind_row(struct req *req, const struct span_sum *sum, enum span_kind kind,
    int64_t before)
{
	int64_t us = sum->of[kind].us;

	return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "kind",
	    span_kind_name(kind), "label", kind_label(kind), "n",
	    (json_int_t)sum->of[kind].n, "ms", view_ms(req, us), "x",
	    percent(req, before, sum->us), "w", percent(req, us, sum->us),
	    "part",
	    arena_printf(req->arena, _("%d %%"),
		sum->us > 0 ? (int)((us * 100 + sum->us / 2) / sum->us) : 0));
}

static json_t *
kinds_of(struct req *req, const struct span_sum *sum)
{
	json_t *kinds = json_array();
	int64_t before = 0;

	for (int i = 0; i < SPAN_KINDS; i++) {
		if (sum->of[i].n == 0)
			continue;
		json_array_append_new(
		    kinds, kind_row(req, sum, (enum span_kind)i, before));
		before += sum->of[i].us;
	}
	return kinds;
}

/* What refers to each other on a page needs names that are there once. */
static void
set_ids(struct req *req, json_t *view, const char *number)
{
	static const char *const ids[] = { "head_id", "share_title",
		"share_desc", "axis_title", "axis_desc" };

	for (size_t i = 0; i < LENGTH(ids); i++)
		model_set_text(view, ids[i],
		    arena_printf(req->arena, "%s-%s", ids[i], number));
}

/* The method and path that a client asked for, or what a job calls itself. */
static const char *
heading_of(struct req *req, const json_t *root)
{
	const json_t *line = json_object_get(root, "line");
	const char *method = model_text(line, "method");
	const char *path = model_text(line, "path");

	if (method && path)
		return shown(
		    req, arena_printf(req->arena, "%s %s", method, path));
	return span_text(root, "name");
}

static const char *
program_of(const json_t *root)
{
	const json_t *part;
	size_t i;

	if (span_kind(root) != SPAN_NGINX)
		return span_text(json_object_get(root, "line"), "prog");
	json_array_foreach(json_object_get(root, "parts"), i, part) {
		const char *prog =
		    span_text(json_object_get(part, "line"), "prog");

		if (*prog)
			return prog;
	}
	return "";
}

json_t *
view_trace_root(struct req *req, json_t *root, size_t number)
{
	struct span_sum sum;
	struct axis axis = { .start = span_int(root, "start") };
	bool nginx = span_kind(root) == SPAN_NGINX;
	json_t *rows, *model;

	span_sum(root, &sum);
	axis.us = sum.us > 0 ? sum.us : 1;
	rows = rows_of(req, root, &axis);
	model = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:I,"
			  " s:b, s:b, s:o, s:o, s:o}",
	    "number", (int)number, "heading", heading_of(req, root), "prog",
	    program_of(root), "time", view_instant(req, axis.start), "ms",
	    view_ms(req, sum.us), "status_kind", view_status_kind(sum.status),
	    "status", (json_int_t)sum.status, "bytes",
	    view_bytes(req, sum.bytes), "parent",
	    span_text(json_object_get(root, "line"), "parent"), "count",
	    (json_int_t)json_array_size(rows), "edge_missing",
	    !nginx && span_kind(root) != SPAN_JOB, "alone",
	    nginx && json_array_size(rows) == 1, "rows", rows, "kinds",
	    kinds_of(req, &sum), "ticks", ticks_of(req, axis.us));
	set_ids(req, model, arena_printf(req->arena, "%zu", number));
	model_set_text(model, "sql_ms", view_ms(req, sum.of[SPAN_SQL].us));
	model_set_text(model, "redis_ms", view_ms(req, sum.of[SPAN_REDIS].us));
	model_set_int(model, "sql", sum.of[SPAN_SQL].n);
	model_set_int(model, "redis", sum.of[SPAN_REDIS].n);
	model_set_int(model, "user", sum.user);
	return model;
}

/* --- later --- */

static const char *
later_name(struct req *req, const json_t *span)
{
	const char *prog = span_text(json_object_get(span, "line"), "prog");
	const char *what = span_text(span, "what");

	/* Some begin with it already. */
	if (strncmp(what, prog, strlen(prog)) == 0)
		return shown(req, what);
	return shown(req, arena_printf(req->arena, "%s: %s", prog, what));
}

json_t *
view_trace_later(struct req *req, const json_t *roots)
{
	json_t *spans = span_later(roots), *rows = json_array(), *span, *row;
	struct axis axis = { .start =
				 span_int(json_array_get(roots, 0), "start") };
	json_t *view;
	size_t i;

	json_array_foreach(spans, i, span) {
		int64_t end = span_int(span, "start") + span_int(span, "us");

		if (end - axis.start > axis.us)
			axis.us = end - axis.start;
	}
	json_array_foreach(spans, i, span) {
		row = row_of(req, span, &axis);
		model_set_text(row, "first", later_name(req, span));
		json_array_append_new(rows, row);
	}
	if (json_array_size(rows) == 0)
		return json_null();
	view = json_pack("{s:I, s:s, s:o, s:o}", "count",
	    (json_int_t)json_array_size(rows), "ms", view_ms(req, axis.us),
	    "rows", rows, "ticks", ticks_of(req, axis.us));
	set_ids(req, view, "later");
	return view;
}

/* --- log lines --- */

/* What a line says beside what each has. */
static const char *
said(struct req *req, json_t *line)
{
	static const char *const usual[] = { "ts", "lvl", "trace", "prog",
		"pid", "ev", "at", "span", "parent" };
	struct buf out = BUF_INIT(8192);
	const char *name, *text;
	json_t *value;

	json_object_foreach(line, name, value) {
		size_t i = 0;

		while (i < LENGTH(usual) && strcmp(name, usual[i]) != 0)
			i++;
		if (i < LENGTH(usual) ||
		    (is_of_people(name) && !sees_people(req)))
			continue;
		buf_printf(&out, "%s%s=%s", out.len ? "  " : "", name,
		    value_text(req, value));
	}
	text = arena_strndup(req->arena, out.len ? out.data : "", out.len);
	buf_free(&out);
	return text;
}

static void
add_line(json_t *lines, json_t *line)
{
	size_t at = json_array_size(lines);
	int64_t time = span_line_time(line);

	while (at > 0 && span_line_time(json_array_get(lines, at - 1)) > time)
		at--;
	if (line && (at == 0 || json_array_get(lines, at - 1) != line))
		json_array_insert(lines, at, line);
}

static void
collect(json_t *lines, const json_t *spans, int depth)
{
	json_t *span;
	size_t i;

	json_array_foreach(spans, i, span) {
		add_line(lines, json_object_get(span, "line"));
		add_line(lines, json_object_get(span, "end"));
		if (depth < 32)
			collect(
			    lines, json_object_get(span, "parts"), depth + 1);
	}
}

json_t *
view_trace_lines(struct req *req, const json_t *roots)
{
	json_t *lines = json_array(), *rows = json_array(), *line;
	size_t i;

	collect(lines, roots, 0);
	json_array_foreach(lines, i, line)
		json_array_append_new(rows,
		    json_pack("{s:s, s:s, s:b, s:s, s:s, s:s}", "time",
			span_text(line, "ts"), "level", span_text(line, "lvl"),
			"bad", strcmp(span_text(line, "lvl"), "info") != 0,
			"prog", span_text(line, "prog"), "ev",
			span_text(line, "ev"), "said", said(req, line)));
	return rows;
}

/* --- statements --- */

static void
add_statements(json_t *names, const json_t *spans, int depth)
{
	json_t *span, *entry;
	size_t i;

	json_array_foreach(spans, i, span) {
		const char *name =
		    span_text(json_object_get(span, "line"), "name");

		if (depth < 32)
			add_statements(
			    names, json_object_get(span, "parts"), depth + 1);
		if (span_kind(span) != SPAN_SQL || !*name)
			continue;
		entry = json_object_get(names, name);
		if (!entry) {
			entry = json_pack("{s:i, s:i}", "n", 0, "us", 0);
			json_object_set_new(names, name, entry);
		}
		model_set_int(entry, "n", model_int(entry, "n") + 1);
		model_set_int(
		    entry, "us", model_int(entry, "us") + span_int(span, "us"));
	}
}

json_t *
view_trace_statements(const json_t *roots)
{
	json_t *names = json_object();

	add_statements(names, roots, 0);
	return names;
}

/* --- side by side --- */

/* What would be 0.00 has no sign. */
static const char *
difference(struct req *req, int64_t a, int64_t b)
{
	if (a - b < 5 && b - a < 5)
		return "0.00";
	return arena_printf(req->arena, "%s%.2f",
	    b > a     ? "+" :
		b < a ? "−" :
			"",
	    (double)(b > a ? b - a : a - b) / 1000);
}

static const char *
number_difference(struct req *req, int64_t a, int64_t b)
{
	return arena_printf(req->arena, "%s%lld",
	    b > a     ? "+" :
		b < a ? "−" :
			"",
	    (long long)(b > a ? b - a : a - b));
}

static json_t *
time_sum(struct req *req, const char *label, int64_t a, int64_t b)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "label", label, "a",
	    view_ms(req, a), "b", view_ms(req, b), "difference",
	    difference(req, a, b));
}

static json_t *
number_sum(struct req *req, const char *label, int64_t a, int64_t b)
{
	return json_pack("{s:s, s:I, s:I, s:s}", "label", label, "a",
	    (json_int_t)a, "b", (json_int_t)b, "difference",
	    number_difference(req, a, b));
}

static json_t *
sums_of(struct req *req, const struct span_sum *a, const struct span_sum *b)
{
	json_t *rows = json_array();

	json_array_append_new(
	    rows, time_sum(req, _("Whole request, ms"), a->us, b->us));
	for (int i = 0; i < SPAN_KINDS; i++) {
		const char *label = kind_label((enum span_kind)i);

		if (a->of[i].n + b->of[i].n == 0)
			continue;
		if (i == SPAN_SQL || i == SPAN_REDIS)
			json_array_append_new(rows,
			    number_sum(req, label, a->of[i].n, b->of[i].n));
		json_array_append_new(rows,
		    time_sum(req, arena_printf(req->arena, "%s, ms", label),
			a->of[i].us, b->of[i].us));
	}
	json_array_append_new(
	    rows, number_sum(req, _("Bytes of the page"), a->bytes, b->bytes));
	return rows;
}

struct sides {
	struct axis a, b;
	int64_t us; /* of the longer one */
};

static void
add_side(struct req *req, json_t *row, const char *side, const json_t *span,
    const struct axis *axis)
{
	int64_t at = span_int(span, "start") - axis->start;
	int64_t us = span_int(span, "us");

	if (!span) {
		model_set(row, side, json_null());
		return;
	}
	model_set(row, side,
	    json_pack("{s:s, s:s, s:s}", "ms", view_ms(req, us), "x",
		percent(req, at, axis->us), "w", percent(req, us, axis->us)));
}

static const char *
first_line(struct req *req, const json_t *span)
{
	json_t *lines = what_lines(req, span_text(span, "what"));

	return json_string_value(json_array_get(lines, 0));
}

static json_t *
pair_row(struct req *req, const json_t *pair, const struct sides *sides)
{
	const json_t *a = json_object_get(pair, "a");
	const json_t *b = json_object_get(pair, "b");
	const json_t *one;
	json_t *row = json_object();
	int64_t depth = span_int(pair, "depth");

	a = json_is_object(a) ? a : NULL;
	b = json_is_object(b) ? b : NULL;
	one = a ? a : b;
	model_set_text(row, "kind", span_kind_name(span_kind(one)));
	set_depth(row, depth);
	model_set_text(row, "what", first_line(req, one));
	model_set_text(row, "other",
	    a && b && strcmp(span_text(a, "what"), span_text(b, "what")) != 0 ?
		first_line(req, b) :
		"");
	add_side(req, row, "a", a, &sides->a);
	add_side(req, row, "b", b, &sides->b);
	model_set_text(row, "difference",
	    !a	   ? _("only B") :
		!b ? _("only A") :
		     difference(req, span_int(a, "us"), span_int(b, "us")));
	return row;
}

json_t *
view_trace_pair(struct req *req, json_t *a, json_t *b)
{
	json_t *rows = json_array(), *pairs = span_pairs(a, b), *pair;
	struct span_sum sum_a, sum_b;
	struct sides sides;
	size_t i;

	span_sum(a, &sum_a);
	span_sum(b, &sum_b);
	sides.us = sum_a.us > sum_b.us ? sum_a.us : sum_b.us;
	sides.us = sides.us > 0 ? sides.us : 1;
	sides.a = (struct axis){ span_int(a, "start"), sides.us };
	sides.b = (struct axis){ span_int(b, "start"), sides.us };
	json_array_foreach(pairs, i, pair)
		json_array_append_new(rows, pair_row(req, pair, &sides));
	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:s}", "sums",
	    sums_of(req, &sum_a, &sum_b), "rows", rows, "ticks",
	    ticks_of(req, sides.us), "ms", view_ms(req, sides.us), "a_ms",
	    view_ms(req, sum_a.us), "b_ms", view_ms(req, sum_b.us));
}
