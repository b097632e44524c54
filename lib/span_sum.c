/* span_sum -- see span_sum.h. */
#include "span_sum.h"

#include <ctype.h>

#define ROWS_MAX 400 /* compared one by one; what is above is left over */
#define DEPTH_MAX 32

static const char *const kind_names[SPAN_KINDS] = { "nginx", "program", "sql",
	"redis", "template", "outbound", "job" };

const char *
span_kind_name(enum span_kind kind)
{
	return kind_names[kind];
}

bool
span_is_later(const json_t *span)
{
	return json_is_true(json_object_get(span, "aside"));
}

enum span_kind
span_kind(const json_t *span)
{
	static const struct {
		const char *ev;
		enum span_kind kind;
	} known[] = { { "nginx.request", SPAN_NGINX }, { "db.query", SPAN_SQL },
		{ "redis.cmd", SPAN_REDIS }, { "tmpl.render", SPAN_TEMPLATE },
		{ "child.run", SPAN_OUTBOUND }, { "job.round", SPAN_JOB } };
	const char *ev = span_text(span, "ev");

	if (span_is_later(span))
		return SPAN_JOB;
	for (size_t i = 0; i < LENGTH(known); i++) {
		if (strcmp(ev, known[i].ev) == 0)
			return known[i].kind;
	}
	return strcmp(span_text(span, "kind"), "client") == 0 ? SPAN_OUTBOUND :
								SPAN_PROGRAM;
}

static json_t *
parts_of(const json_t *span)
{
	return json_object_get(span, "parts");
}

static int64_t
end_of(const json_t *span)
{
	return span_int(span, "start") + span_int(span, "us");
}

/* --- sums --- */

/* Time of its own: parts do not run at the same time. */
static int64_t
self_us(const json_t *span)
{
	int64_t us = span_int(span, "us");
	json_t *part;
	size_t i;

	json_array_foreach(parts_of(span), i, part) {
		if (!span_is_later(part))
			us -= span_int(part, "us");
	}
	return us > 0 ? us : 0;
}

/* What the last line of a program says of all of it. */
static void
add_end(const json_t *span, struct span_sum *sum)
{
	const json_t *end = json_object_get(span, "end");
	const json_t *line = end ? end : json_object_get(span, "line");

	if (json_object_get(line, "status"))
		sum->status = span_int(line, "status");
	if (end && json_object_get(end, "bytes"))
		sum->bytes = span_int(end, "bytes");
	if (json_object_get(end, "user"))
		sum->user = span_int(end, "user");
}

static void
add_span(const json_t *span, int64_t depth, struct span_sum *sum)
{
	enum span_kind kind = span_kind(span);

	sum->of[kind].n++;
	sum->of[kind].us += self_us(span);
	/* Deeper ones were asked for by somebody else. */
	if (depth <= 1 && (kind == SPAN_NGINX || json_object_get(span, "end")))
		add_end(span, sum);
}

void
span_sum(json_t *root, struct span_sum *sum)
{
	json_t *rows = span_rows(root), *row;
	int64_t start = span_int(root, "start"), end = end_of(root);
	size_t i;

	*sum = (struct span_sum){ 0 };
	json_array_foreach(rows, i, row) {
		const json_t *span = json_object_get(row, "span");

		add_span(span, span_int(row, "depth"), sum);
		if (end_of(span) > end)
			end = end_of(span);
	}
	sum->us = end - start;
	json_decref(rows);
}

/* --- whose --- */

static bool
is_request(const json_t *span)
{
	return span_kind(span) == SPAN_NGINX || json_object_get(span, "end") ||
	    strcmp(span_text(span, "ev"), "req.begin") == 0;
}

/* What nginx answered itself is nobody's. */
static bool
is_of(const json_t *span, int64_t user)
{
	const json_t *part;
	size_t i;

	if (span_kind(span) != SPAN_NGINX)
		return user > 0 &&
		    span_int(json_object_get(span, "end"), "user") == user;
	json_array_foreach(parts_of(span), i, part)
		if (span_kind(part) != SPAN_NGINX && is_of(part, user))
			return true;
	return false;
}

/* Keeps in spans what is the member's; what is so below others' requests goes
 * to own. */
static void
part_from(json_t *spans, int64_t user, json_t *own, int depth)
{
	for (size_t i = 0; i < json_array_size(spans) && depth > 0;) {
		json_t *span = json_array_get(spans, i), *below;

		if (!is_request(span) || is_of(span, user)) {
			part_from(parts_of(span), user, own, depth - 1);
			i++;
			continue;
		}
		json_incref(span);
		json_array_remove(spans, i);
		below = span_own(parts_of(span), user);
		json_array_extend(own, below);
		json_decref(below);
		json_decref(span);
	}
}

json_t *
span_own(json_t *roots, int64_t user)
{
	json_t *own = json_array(), *span;
	size_t i;

	part_from(roots, user, own, DEPTH_MAX);
	json_array_foreach(roots, i, span)
		if (is_request(span))
			json_array_append(own, span);
	return own;
}

static size_t
hex_digits(const char *s)
{
	return strspn(s, "0123456789abcdef");
}

/* 00-TRACE-SPAN-FLAGS, as W3C Trace Context has it. */
static bool
is_traceparent(const char *s)
{
	return strlen(s) == 55 && hex_digits(s) == 2 && s[2] == '-' &&
	    hex_digits(s + 3) == SPAN_TRACE_DIGITS && s[35] == '-' &&
	    hex_digits(s + 36) == SPAN_DIGITS && s[52] == '-' &&
	    hex_digits(s + 53) == 2;
}

bool
span_read_id(const char *word, char digits[SPAN_TRACE_DIGITS + 1])
{
	char id[64] = "";
	size_t len = strnlen(word, sizeof(id));

	for (size_t i = 0; i < len && len < sizeof(id); i++)
		id[i] = (char)tolower((unsigned char)word[i]);
	if (is_traceparent(id)) {
		memmove(id, id + 3, SPAN_TRACE_DIGITS);
		id[SPAN_TRACE_DIGITS] = '\0';
	}
	len = strlen(id);
	if (hex_digits(id) != len || len < SPAN_DIGITS_MIN ||
	    len > SPAN_TRACE_DIGITS)
		return false;
	memcpy(digits, id, len + 1);
	return true;
}

/* --- in order --- */

static void
add_rows(json_t *rows, json_t *span, int depth)
{
	json_t *part;
	size_t i;

	if (depth > DEPTH_MAX)
		return;
	json_array_append_new(
	    rows, json_pack("{s:O, s:i}", "span", span, "depth", depth));
	json_array_foreach(parts_of(span), i, part) {
		if (!span_is_later(part))
			add_rows(rows, part, depth + 1);
	}
}

json_t *
span_rows(json_t *root)
{
	json_t *rows = json_array();

	add_rows(rows, root, 0);
	return rows;
}

/* By start; there are few. */
static void
insert_later(json_t *later, json_t *span)
{
	size_t at = json_array_size(later);

	while (at > 0 &&
	    span_int(json_array_get(later, at - 1), "start") >
		span_int(span, "start"))
		at--;
	json_array_insert(later, at, span);
}

static void
add_later(json_t *later, const json_t *spans, int depth)
{
	json_t *span;
	size_t i;

	json_array_foreach(spans, i, span) {
		if (span_is_later(span))
			insert_later(later, span);
		if (depth < DEPTH_MAX)
			add_later(later, parts_of(span), depth + 1);
	}
}

json_t *
span_later(const json_t *roots)
{
	json_t *later = json_array();

	add_later(later, roots, 0);
	return later;
}

/* --- side by side --- */

static const json_t *
span_of(const json_t *rows, size_t i)
{
	return json_object_get(json_array_get(rows, i), "span");
}

/* Commands and scripts, and what their keys begin with: not whose they are. */
static bool
alike_trips(const char *a, const char *b)
{
	while (*a && *a == *b) {
		if (*a == ':') {
			a += strcspn(a, " ,");
			b += strcspn(b, " ,");
			continue;
		}
		a++;
		b++;
	}
	return *a == *b;
}

/* Do they do the same?  A program is one, whatever it was asked for. */
static bool
alike(const json_t *a, const json_t *b)
{
	if (strcmp(span_text(a, "ev"), span_text(b, "ev")) != 0)
		return false;
	if (span_kind(a) == SPAN_NGINX || json_object_get(a, "end"))
		return true;
	if (span_kind(a) == SPAN_REDIS)
		return alike_trips(span_text(a, "what"), span_text(b, "what"));
	return strcmp(span_text(a, "name"), span_text(b, "name")) == 0;
}

static void
add_pair(json_t *pairs, const json_t *a, size_t i, const json_t *b, size_t j)
{
	const json_t *row = json_array_get(a, i);
	json_t *one = json_object_get(row, "span");
	json_t *other = json_object_get(json_array_get(b, j), "span");

	if (!row)
		row = json_array_get(b, j);
	json_array_append_new(pairs,
	    json_pack("{s:O?, s:O?, s:O}", "a", one, "b", other, "depth",
		json_object_get(row, "depth")));
}

static size_t
bounded(const json_t *rows)
{
	size_t n = json_array_size(rows);

	return n < ROWS_MAX ? n : ROWS_MAX;
}

/* The longest sequence that both have, as `diff` finds it: common[i][j] is its
 * length from row i of a and row j of b on. */
static void
pair_up(json_t *pairs, const json_t *a, const json_t *b,
    uint16_t common[ROWS_MAX + 1][ROWS_MAX + 1])
{
	size_t n = bounded(a), m = bounded(b), i = n, j;

	while (i-- > 0) {
		for (j = m; j-- > 0;) {
			uint16_t down = common[i + 1][j];
			uint16_t right = common[i][j + 1];

			common[i][j] = down > right ? down : right;
			if (alike(span_of(a, i), span_of(b, j)))
				common[i][j] =
				    (uint16_t)(common[i + 1][j + 1] + 1);
		}
	}
	for (i = 0, j = 0; i < n || j < m;) {
		if (i < n && j < m && alike(span_of(a, i), span_of(b, j)))
			add_pair(pairs, a, i++, b, j++);
		else if (j == m ||
		    (i < n && common[i + 1][j] >= common[i][j + 1]))
			add_pair(pairs, a, i++, b, SIZE_MAX);
		else
			add_pair(pairs, a, SIZE_MAX, b, j++);
	}
}

json_t *
span_pairs(json_t *a, json_t *b)
{
	json_t *pairs = json_array(), *rows_a = span_rows(a);
	json_t *rows_b = span_rows(b);
	uint16_t(*common)[ROWS_MAX + 1] = calloc(ROWS_MAX + 1, sizeof(*common));

	if (common)
		pair_up(pairs, rows_a, rows_b, common);
	free(common);
	json_decref(rows_a);
	json_decref(rows_b);
	return pairs;
}
