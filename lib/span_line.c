/* span_line -- a line of the log, its values and the span it tells of: see
 * span.h. */
#include "span_internal.h"

#include <inttypes.h>
#include <time.h>

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

const char *
span_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int64_t
span_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool
span_line_is(const json_t *line, const char *ev)
{
	return strcmp(span_text(line, "ev"), ev) == 0;
}

/* "2026-11-21T10:20:30.123Z" with three or six digits of a second. */
int64_t
span_line_time(const json_t *line)
{
	struct tm tm = { 0 };
	const char *rest =
	    strptime(span_text(line, "ts"), "%Y-%m-%dT%H:%M:%S", &tm);
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

/* What no request can have taken is a line that somebody made up. */
static int64_t
bounded(double us)
{
	return us > 0 && us < 1e15 ? (int64_t)(us + 0.5) : 0;
}

int64_t
span_line_us(const json_t *line)
{
	const json_t *seconds = json_object_get(line, "request_time");

	if (seconds)
		return bounded(json_number_value(seconds) * 1e6);
	return bounded((double)span_int(line, "us"));
}

json_t *
span_new(const char *ev, json_t *line, int64_t start, int64_t us)
{
	json_t *span = json_pack("{s:s, s:s, s:s, s:I, s:I, s:O, s:[]}", "id",
	    span_text(line, "span"), "parent", span_text(line, "parent"), "ev",
	    ev, "start", (json_int_t)start, "us", (json_int_t)us, "line", line,
	    "parts");

	span_set_name(span, line);
	span_set_what(span, line);
	return span;
}

/* FNV-1a: spread well enough over 64 bits, and the same everywhere. */
void
span_set_made_id(json_t *span, const char *above, size_t place)
{
	char from[256], id[SPAN_DIGITS + 1];
	uint64_t hash = FNV_BASIS;

	snprintf(from, sizeof(from), "%s %zu", above, place);
	for (const char *p = from; *p; p++)
		hash = (hash ^ (unsigned char)*p) * FNV_PRIME;
	snprintf(id, sizeof(id), "%016" PRIx64, hash ? hash : 1);
	json_object_set_new(span, "id", json_string(id));
}
