/*
 * Charts: where points and bars are, what is said of them in words and in the
 * table, and how values are written.
 */
#include "chart.h"
#include "model.h"
#include "req.h"

#include <glib.h>
#include <math.h>

static struct req req;

/* JSON lives in the memory of the request, as in a program. */
static void *
from_arena(size_t size)
{
	return arena_alloc(req.arena, size);
}

static void
keep(void *p ATTR_UNUSED)
{
}

static const char *
written(enum chart_unit unit, double value)
{
	return chart_text(&req, unit, value);
}

static void
test_text(void)
{
	g_assert_cmpstr(written(CHART_NUMBER, 0), ==, "0");
	g_assert_cmpstr(written(CHART_NUMBER, 1234567), ==, "1,234,567");
	g_assert_cmpstr(written(CHART_NUMBER, 0.12345), ==, "0.123");
	g_assert_cmpstr(written(CHART_NUMBER, 12.345), ==, "12.3");
	g_assert_cmpstr(written(CHART_NUMBER, 99.97), ==, "100");
	g_assert_cmpstr(written(CHART_NUMBER, NAN), ==, "–");
	g_assert_cmpstr(written(CHART_US, 430), ==, "430 µs");
	g_assert_cmpstr(written(CHART_US, 12345), ==, "12.3 ms");
	g_assert_cmpstr(written(CHART_US, 1500000), ==, "1.5 s");
	g_assert_cmpstr(written(CHART_US, 999.9), ==, "1 ms");
	g_assert_cmpstr(written(CHART_BYTES, 999), ==, "999 B");
	g_assert_cmpstr(written(CHART_BYTES, 85511168), ==, "85.5 MB");
	g_assert_cmpstr(written(CHART_SECONDS, 45), ==, "45 s");
	g_assert_cmpstr(written(CHART_SECONDS, 600), ==, "10 min");
	/* What is missing of the whole is never rounded away. */
	g_assert_cmpstr(written(CHART_PART, 1), ==, "100 %");
	g_assert_cmpstr(written(CHART_PART, .9995), ==, "99.95 %");
	g_assert_cmpstr(written(CHART_PART, .99999), !=, "100 %");
	g_assert_cmpstr(written(CHART_PART, .05), ==, "5 %");
}

static const char *const labels[] = { "10:00", "10:01", "10:02", "10:03",
	"10:04" };

static json_t *
first(const json_t *model, const char *list)
{
	return json_array_get(json_object_get(model, list), 0);
}

static void
test_lines(void)
{
	const double values[] = { 0, 50, NAN, 100, NAN };
	const struct chart_series series = { "requests", values };
	const struct chart chart = { .id = "c",
		.title = "Requests",
		.n = 5,
		.labels = labels,
		.nseries = 1,
		.series = &series };
	json_t *model = chart_model(&req, &chart), *table;

	g_assert_cmpint(model_int(model, "wide"), ==, 40);
	g_assert_cmpstr(model_text(model, "top_text"), ==, "100");
	g_assert_cmpstr(model_text(first(model, "lines"), "line"), ==,
	    "M0,1000L10,500M26,0h8");
	g_assert_cmpstr(model_text(model, "labelled"), ==, "c-title c-desc");
	g_assert_cmpstr(model_text(model, "desc"), ==,
	    "From 10:00 to 10:04. requests: 100 at last, at least 0, at most"
	    " 100.");
	table = json_object_get(model, "table");
	g_assert_cmpint(
	    (int)json_array_size(json_object_get(table, "rows")), ==, 5);
}

/* The axis goes up to something round, and as far as is asked for. */
static void
test_axis(void)
{
	double values[] = { 3.7 };
	const struct chart_series series = { "x", values };
	struct chart chart = { .id = "c",
		.title = "x",
		.n = 1,
		.labels = labels,
		.nseries = 1,
		.series = &series };

	g_assert_cmpstr(
	    model_text(chart_model(&req, &chart), "top_text"), ==, "5");
	chart.top = 80;
	g_assert_cmpstr(
	    model_text(chart_model(&req, &chart), "top_text"), ==, "100");
	chart.top = 0;
	values[0] = NAN;
	g_assert_cmpstr(
	    model_text(chart_model(&req, &chart), "top_text"), ==, "1");
	values[0] = .0123;
	g_assert_cmpstr(
	    model_text(chart_model(&req, &chart), "top_text"), ==, "0.02");
}

/* Bars of one point stand on each other. */
static void
test_bars(void)
{
	const double good[] = { 6, 10 }, bad[] = { 4, 0 };
	const struct chart_series series[] = { { "good", good },
		{ "bad", bad } };
	const struct chart chart = { .id = "b",
		.title = "Answers",
		.kind = CHART_BARS,
		.n = 2,
		.labels = labels,
		.nseries = 2,
		.series = series };
	json_t *model = chart_model(&req, &chart);
	json_t *bars = json_object_get(model, "bars");

	g_assert_cmpint((int)json_array_size(bars), ==, 3);
	g_assert_cmpint(model_int(json_array_get(bars, 0), "y"), ==, 400);
	g_assert_cmpint(model_int(json_array_get(bars, 0), "h"), ==, 600);
	g_assert_cmpint(model_int(json_array_get(bars, 1), "y"), ==, 0);
	g_assert_cmpint(model_int(json_array_get(bars, 1), "h"), ==, 400);
	g_assert_cmpstr(
	    model_text(json_array_get(bars, 2), "says"), ==, "10:01: 10");
}

/* An empty picture says why it is empty. */
static void
test_nothing(void)
{
	double values[] = { NAN, NAN };
	const struct chart_series series = { "x", values };
	struct chart chart = { .id = "c",
		.title = "x",
		.n = 2,
		.labels = labels,
		.nseries = 1,
		.series = &series };

	g_assert_cmpstr(model_text(chart_model(&req, &chart), "nothing"), ==,
	    "No figures yet");
	values[1] = 0;
	g_assert_cmpstr(
	    model_text(chart_model(&req, &chart), "nothing"), ==, "");
	chart.kind = CHART_BARS;
	g_assert_cmpstr(model_text(chart_model(&req, &chart), "nothing"), ==,
	    "Nothing above 0");
	values[1] = 1;
	g_assert_cmpstr(
	    model_text(chart_model(&req, &chart), "nothing"), ==, "");
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	req = (struct req){ .arena = arena_open((size_t)1024 * 1024),
		.lang = LANG_EN };
	json_set_alloc_funcs(from_arena, keep);
	g_test_add_func("/chart/text", test_text);
	g_test_add_func("/chart/lines", test_lines);
	g_test_add_func("/chart/axis", test_axis);
	g_test_add_func("/chart/bars", test_bars);
	g_test_add_func("/chart/nothing", test_nothing);
	status = g_test_run();
	arena_close(req.arena);
	return status;
}
