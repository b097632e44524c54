/* trace_print -- a tree of spans as a waterfall of text: see trace.h. */
#include "buf.h"
#include "command.h"
#include "trace.h"
#include "utf8.h"

#include <time.h>

#define NUMBERS 19 /* columns of the two numbers */
#define LINE_MAX_BYTES 4096

struct axis {
	int64_t start, us;
	int label, bar; /* columns */
};

static double
ms(int64_t us)
{
	return (double)us / 1000;
}

/* --- text --- */

/* Two columns for the scripts of East Asia, as terminals have it. */
static int
columns_of(uint32_t ch)
{
	return (ch >= 0x1100 && ch <= 0x115f) ||
		(ch >= 0x2e80 && ch <= 0xa4cf) ||
		(ch >= 0xac00 && ch <= 0xd7a3) ||
		(ch >= 0xf900 && ch <= 0xfaff) ||
		(ch >= 0xff00 && ch <= 0xff60) || ch >= 0x1f300 ?
	    2 :
	    1;
}

/* What a client sent must not command the terminal that shows it; a line
 * break is one of ours, or does no harm here. */
char *
trace_harmless(const char *text)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);
	size_t len = strlen(text), n;
	uint32_t ch;

	buf_str(&b, "");
	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = utf8_next(text + i, len - i, &ch);
		if (text[i] == '\n' || (n && utf8_one_line(text + i, n)))
			buf_add(&b, text + i, n);
		else
			buf_char(&b, '?');
	}
	if (!b.data)
		command_die("there is no memory");
	return b.data;
}

/* As many bytes as go into so many columns, up to a line break, else up to
 * the last space if there is one; at least one character. */
static size_t
fit(const char *text, int columns)
{
	size_t len = strlen(text), i = 0, space = 0, n = 1;
	uint32_t ch = 0;

	for (; i < len; i += n) {
		n = utf8_next(text + i, len - i, &ch);
		n = n ? n : 1;
		columns -= columns_of(ch);
		if (columns < 0 || text[i] == '\n')
			break;
		if (text[i] == ' ')
			space = i;
	}
	if (i == len || (i > 0 && text[i] == '\n'))
		return i;
	return space ? space : i ? i : n;
}

static int
print_columns(const char *text, size_t len)
{
	uint32_t ch = 0;
	int columns = 0;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_next(text + i, len - i, &ch);
		n = n ? n : 1;
		columns += columns_of(ch);
	}
	fwrite(text, 1, len, stdout);
	return columns;
}

/* --- the chart --- */

static int
column_of(const struct axis *axis, int64_t time)
{
	if (axis->us <= 0)
		return 0;
	return (int)((time - axis->start) * axis->bar / axis->us);
}

static void
print_bar(const struct axis *axis, const json_t *span)
{
	int64_t start = span_int(span, "start"), us = span_int(span, "us");
	int from = column_of(axis, start), to = column_of(axis, start + us);

	if (from >= axis->bar)
		from = axis->bar - 1;
	if (from < 0)
		from = 0;
	printf("%*s", from, "");
	if (us == 0 || to <= from)
		putchar(us == 0 ? '|' : '#');
	for (; from < to && from < axis->bar; from++)
		putchar('#');
}

/* Whole milliseconds are all that nginx knows. */
static void
print_numbers(const struct axis *axis, const json_t *span, bool rough)
{
	char took[24] = "";
	int64_t us = span_int(span, "us");

	if (rough || us > 0)
		snprintf(
		    took, sizeof(took), "%s%.2f", rough ? "~" : "", ms(us));
	printf("%8.2f %8s  ", ms(span_int(span, "start") - axis->start), took);
}

/* What did not fit beside the bar has the line for itself. */
static void
print_rest(const char *text, int indent, const struct axis *axis)
{
	int columns = NUMBERS + axis->label + 2 + axis->bar - indent;
	size_t n;

	for (; *(text += strspn(text, " \n")); text += n) {
		n = fit(text, columns);
		printf("%*s", indent, "");
		print_columns(text, n);
		putchar('\n');
	}
}

static bool
is_aside(const json_t *span)
{
	return json_is_true(json_object_get(span, "aside"));
}

static void
print_span(const struct axis *axis, const json_t *span, int depth)
{
	bool rough = strcmp(span_text(span, "ev"), "nginx.request") == 0;
	char *what = trace_harmless(span_text(span, "what"));
	size_t n = fit(what, axis->label - depth);
	const char *rest = what + n;
	json_t *part;
	size_t i;
	int used;

	print_numbers(axis, span, rough);
	printf("%*s", depth, "");
	used = depth + print_columns(what, n);
	printf("%*s", axis->label - used + 2, "");
	print_bar(axis, span);
	putchar('\n');
	print_rest(rest, NUMBERS + depth + 2, axis);
	free(what);
	json_array_foreach(json_object_get(span, "parts"), i, part)
		if (!is_aside(part))
			print_span(axis, part, depth + 2);
}

static void
print_scale(const struct axis *axis)
{
	char end[32];
	int n = snprintf(end, sizeof(end), " %.2f ms", ms(axis->us));

	printf("%8s %8s  %-*s  0 ", "at ms", "took ms", axis->label, "what");
	for (int i = 2; i < axis->bar - n; i++)
		putchar('-');
	printf("%s\n", end);
}

/* --- the words around it --- */

static void
print_time(const json_t *request)
{
	int64_t start = span_int(request, "start");
	time_t second = (time_t)(start / 1000000);
	char text[32];
	struct tm tm;

	gmtime_r(&second, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s.%03d UTC", text, (int)(start % 1000000 / 1000));
}

static void
print_heading(const json_t *request, size_t number, size_t count)
{
	const json_t *line = json_object_get(request, "line");
	const char *parent = span_text(line, "parent");

	if (number > 0)
		putchar('\n');
	printf("%s  ", span_text(line, "trace"));
	print_time(request);
	if (count > 1)
		printf("  (%zu of %zu)", number + 1, count);
	putchar('\n');
	if (strcmp(span_text(request, "ev"), "nginx.request") == 0 && *parent)
		printf("called by span %s\n", parent);
	putchar('\n');
}

static int64_t
us_of(const json_t *run, const char *ev)
{
	int64_t sum = 0;
	json_t *part;
	size_t i;

	json_array_foreach(json_object_get(run, "parts"), i, part) {
		if (strcmp(span_text(part, "ev"), ev) == 0)
			sum += span_int(part, "us");
		sum += us_of(part, ev);
	}
	return sum;
}

/* Of what the program did not do itself, or told apart. */
static int64_t
us_of_parts(const json_t *run)
{
	int64_t sum = 0;
	json_t *part;
	size_t i;

	json_array_foreach(json_object_get(run, "parts"), i, part) {
		if (is_aside(part))
			continue;
		sum += json_array_size(json_object_get(part, "parts")) ?
		    us_of_parts(part) :
		    span_int(part, "us");
	}
	return sum;
}

/* A job has no page to send. */
static void
print_bytes(const json_t *value)
{
	int64_t bytes = json_integer_value(value);

	if (!value)
		return;
	if (bytes < 1000)
		printf(", %d B", (int)bytes);
	else
		printf(
		    ", %.*f kB", bytes < 10000 ? 1 : 0, (double)bytes / 1000);
}

static void
print_sum(const json_t *run)
{
	const json_t *end = json_object_get(run, "end");
	char *why;

	if (!end) {
		puts("The program has not written the end of this request.");
		return;
	}
	printf("%d SQL, %d Redis, %.1f ms", (int)span_int(end, "db"),
	    (int)span_int(end, "redis"), ms(span_int(end, "us")));
	print_bytes(json_object_get(end, "bytes"));
	printf("   (SQL %.2f, Redis %.2f, the program itself %.2f ms)\n",
	    ms(us_of(run, "db.query")), ms(us_of(run, "redis.cmd")),
	    ms(span_int(end, "us") - us_of_parts(run)));
	why = trace_harmless(span_text(end, "why"));
	if (*why)
		printf("The reader was told: %s\n", why);
	free(why);
}

static void
print_sums(const json_t *request)
{
	json_t *run, *runs = json_object_get(request, "parts");
	const json_t *line = json_object_get(request, "line");
	bool asked = false;
	size_t i;

	if (strcmp(span_text(request, "ev"), "nginx.request") != 0) {
		print_sum(request);
		if (strcmp(span_text(request, "ev"), "req.begin") == 0)
			puts("nginx has not written its line; it does so "
			     "within a second.");
		return;
	}
	json_array_foreach(runs, i, run) {
		if (is_aside(run))
			continue;
		print_sum(run);
		asked = true;
	}
	if (asked)
		return;
	if (*span_text(line, "upstream_response_time"))
		printf("The program %s has written nothing about it.\n",
		    span_text(line, "route"));
	else
		puts("nginx answered this itself; no program was asked.");
}

/* A quarter for the bars, the rest for words. */
static struct axis
new_axis(const json_t *request, int width)
{
	struct axis axis = { .start = span_int(request, "start"),
		.us = span_int(request, "us"),
		.bar = width / 4 };

	axis.label = width - NUMBERS - 2 - axis.bar;
	return axis;
}

static void
print_request(const json_t *request, size_t number, size_t count, int width)
{
	struct axis axis = new_axis(request, width);

	print_heading(request, number, count);
	print_scale(&axis);
	print_span(&axis, request, 0);
	putchar('\n');
	print_sums(request);
}

/* --- what jobs did later --- */

static size_t
count_requests(const json_t *spans)
{
	size_t i, n = 0;
	json_t *span;

	json_array_foreach(spans, i, span)
		n += !is_aside(span);
	return n;
}

/* All of them, wherever they hang, by their start. */
static void
collect_asides(json_t *asides, const json_t *spans)
{
	json_t *span;
	size_t i;

	json_array_foreach(spans, i, span) {
		size_t to = json_array_size(asides);

		while (to > 0 &&
		    span_int(json_array_get(asides, to - 1), "start") >
			span_int(span, "start"))
			to--;
		if (is_aside(span))
			json_array_insert(asides, to, span);
		collect_asides(asides, json_object_get(span, "parts"));
	}
}

/* One line each, its time counted from the first span: no chart, as it would
 * shrink the request itself to nothing. */
static void
print_asides(const json_t *asides, const json_t *first, int width)
{
	struct axis axis = { .label = width - NUMBERS };
	json_t *span;
	size_t i;

	if (is_aside(first))
		print_heading(first, 0, 1);
	else
		putchar('\n');
	puts("   at ms  what jobs did for it later");
	json_array_foreach(asides, i, span) {
		char *what = trace_harmless(span_text(span, "what"));
		size_t n = fit(what, width - 10);

		printf("%8.2f  ",
		    ms(span_int(span, "start") - span_int(first, "start")));
		print_columns(what, n);
		putchar('\n');
		print_rest(what + n, 12, &axis);
		free(what);
	}
}

void
trace_print(const json_t *spans, int width)
{
	size_t i, number = 0, count = count_requests(spans);
	json_t *span, *asides = json_array();

	json_array_foreach(spans, i, span) {
		if (!is_aside(span))
			print_request(span, number++, count, width);
	}
	collect_asides(asides, spans);
	if (json_array_size(asides) > 0)
		print_asides(asides, json_array_get(spans, 0), width);
	json_decref(asides);
}

void
trace_print_list(const json_t *lines)
{
	json_t *line;
	size_t i;

	printf("%-32s  %-12s %6s %9s  %s\n", "ID", "TIME", "STATUS", "MS",
	    "REQUEST");
	json_array_foreach(lines, i, line) {
		char *path = trace_harmless(span_text(line, "path"));

		printf("%-32.32s  %-12.12s %6d %9.2f  %.20s %s\n",
		    span_text(line, "trace"),
		    strchr(span_text(line, "ts"), 'T') ?
			strchr(span_text(line, "ts"), 'T') + 1 :
			"",
		    (int)span_int(line, "status"), ms(span_line_us(line)),
		    span_text(line, "method"), path);
		free(path);
	}
}
