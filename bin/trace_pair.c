/* trace_pair -- two traces side by side as text: see trace.h. */
#include "span_sum.h"
#include "trace.h"

#include <time.h>

#define NUMBERS 31 /* columns of the three numbers */

static double
ms(int64_t us)
{
	return (double)us / 1000;
}

static json_t *
first_request(const json_t *roots)
{
	json_t *root;
	size_t i;

	json_array_foreach(roots, i, root)
		if (!span_is_later(root))
			return root;
	return json_array_get(roots, 0);
}

static void
print_side(char side, const json_t *root)
{
	int64_t start = span_int(root, "start");
	time_t second = (time_t)(start / 1000000);
	char *what = trace_harmless(span_text(root, "what"));
	char time[16];
	struct tm tm;

	gmtime_r(&second, &tm);
	strftime(time, sizeof(time), "%H:%M:%S", &tm);
	printf("%c  %s  %s.%03d UTC\n   %s\n", side,
	    span_text(json_object_get(root, "line"), "trace"), time,
	    (int)(start % 1000000 / 1000), what);
	free(what);
}

static void
print_time(const json_t *span)
{
	if (json_is_object(span))
		printf("%9.2f ", ms(span_int(span, "us")));
	else
		printf("%9s ", "-");
}

/* The first line of what it is, cut to the width. */
static void
print_pair(const json_t *pair, int width)
{
	const json_t *a = json_object_get(pair, "a");
	const json_t *b = json_object_get(pair, "b");
	int depth = (int)span_int(pair, "depth");
	char *what =
	    trace_harmless(span_text(json_is_object(a) ? a : b, "what"));

	what[strcspn(what, "\n")] = '\0';
	print_time(a);
	print_time(b);
	if (json_is_object(a) && json_is_object(b))
		printf("%+9.2f  ", ms(span_int(b, "us") - span_int(a, "us")));
	else
		printf("%9s  ", json_is_object(a) ? "only A" : "only B");
	printf("%*s%.*s\n", depth, "", width - NUMBERS - depth, what);
	free(what);
}

static void
print_times(const char *label, int64_t a, int64_t b)
{
	printf("%9.2f %9.2f %+9.2f  %s\n", ms(a), ms(b), ms(b - a), label);
}

static void
print_counts(const char *label, int64_t a, int64_t b)
{
	printf("%9d %9d %+9d  %s\n", (int)a, (int)b, (int)(b - a), label);
}

static void
print_sums(const struct span_sum *a, const struct span_sum *b)
{
	static const char *const labels[SPAN_KINDS] = { "nginx",
		"the program itself", "SQL", "Redis", "template",
		"other services", "jobs" };

	print_times("ms in all", a->us, b->us);
	for (int i = 0; i < SPAN_KINDS; i++) {
		char label[64];

		if (a->of[i].n + b->of[i].n == 0)
			continue;
		if (i == SPAN_SQL || i == SPAN_REDIS)
			print_counts(labels[i], a->of[i].n, b->of[i].n);
		snprintf(label, sizeof(label), "ms %s", labels[i]);
		print_times(label, a->of[i].us, b->of[i].us);
	}
	print_counts("bytes of the page", a->bytes, b->bytes);
}

void
trace_print_pair(const json_t *roots_a, const json_t *roots_b, int width)
{
	json_t *a = first_request(roots_a), *b = first_request(roots_b), *pair;
	json_t *pairs = span_pairs(a, b);
	struct span_sum sum_a, sum_b;
	size_t i;

	print_side('A', a);
	print_side('B', b);
	printf("\n%9s %9s %9s  what\n", "A ms", "B ms", "B - A");
	json_array_foreach(pairs, i, pair)
		print_pair(pair, width);
	putchar('\n');
	span_sum(a, &sum_a);
	span_sum(b, &sum_b);
	print_sums(&sum_a, &sum_b);
	json_decref(pairs);
}
