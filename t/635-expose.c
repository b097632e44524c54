/*
 * Tests lib/expose: labels that need escapes, sums, what is left out, and
 * which format an Accept header would rather have.
 */
#include "expose.h"

#include "log.h"

#include <glib.h>

static const struct breaker_view breakers[BREAKER_BACKENDS] = {
	[BREAKER_MARIADB] = { .state = "closed", .opened = 3 },
	[BREAKER_REDIS] = { .state = "half-open", .opened = 4 },
};

static struct conf conf;

static char *
text_of(enum expose_format format)
{
	struct buf out = BUF_INIT((size_t)8 << 20);
	char *text;

	expose_all(&out, format, breakers);
	g_assert_false(out.over);
	text = g_strndup(out.data, out.len);
	buf_free(&out);
	return text;
}

/* Whether it is one of the lines. */
static bool
has_line(enum expose_format format, const char *line)
{
	char *text = text_of(format);
	char **lines = g_strsplit(text, "\n", -1);
	bool has = g_strv_contains((const char *const *)lines, line);

	g_strfreev(lines);
	g_free(text);
	return has;
}

static bool
has_text(enum expose_format format, const char *part)
{
	char *text = text_of(format);
	bool has = strstr(text, part) != NULL;

	g_free(text);
	return has;
}

static void
test_labels(void)
{
	metric_open(&conf, "a\"b\\c\nd");
	metric_request("GET", 200, 1);
	g_assert_true(has_line(EXPOSE_TEXT,
	    "seoga_http_requests_total{route=\"a\\\"b\\\\c\\nd\","
	    "method=\"GET\",status=\"2xx\"} 1"));
	g_assert_true(has_line(EXPOSE_TEXT,
	    "seoga_worker_starts_total{route=\"a\\\"b\\\\c\\nd\"} 1"));
	metric_leave();
	/* The longest name, of nothing but what needs an escape. */
	metric_open(&conf,
	    "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
	    "\"\"\"\"\"\"");
	metric_request("DELETE", 500, 1);
	g_assert_true(has_line(EXPOSE_TEXT,
	    "seoga_http_requests_total{route=\"\\\"\\\"\\\"\\\"\\\"\\\"\\\""
	    "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\""
	    "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\",method=\"DELETE\","
	    "status=\"5xx\"} 1"));
	metric_leave();
}

static void
test_histogram(void)
{
	metric_open(&conf, "slow");
	metric_request("POST", 302, 500);
	metric_request("POST", 302, 501);
	metric_request("POST", 302, 5000001);
	metric_request("POST", 302, 60000000);
	metric_leave();
#define SLOW "route=\"slow\",method=\"POST\""
#define TOOK "seoga_http_request_duration_seconds"
	g_assert_true(
	    has_line(EXPOSE_TEXT, TOOK "_bucket{" SLOW ",le=\"0.0005\"} 1"));
	g_assert_true(
	    has_line(EXPOSE_TEXT, TOOK "_bucket{" SLOW ",le=\"0.001\"} 2"));
	g_assert_true(
	    has_line(EXPOSE_TEXT, TOOK "_bucket{" SLOW ",le=\"5.0\"} 2"));
	g_assert_true(
	    has_line(EXPOSE_TEXT, TOOK "_bucket{" SLOW ",le=\"+Inf\"} 4"));
	g_assert_true(has_line(EXPOSE_TEXT, TOOK "_sum{" SLOW "} 65.001002"));
	g_assert_true(has_line(EXPOSE_TEXT, TOOK "_count{" SLOW "} 4"));
	/* What has no labels has no braces, but for the bound. */
	metric_sql(1);
	g_assert_true(has_line(
	    EXPOSE_TEXT, "seoga_sql_duration_seconds_bucket{le=\"+Inf\"} 1"));
	g_assert_true(
	    has_line(EXPOSE_TEXT, "seoga_sql_duration_seconds_count 1"));
}

static void
test_values(void)
{
	metric_add(METRIC_REVENUE, 1234505);
	g_assert_true(
	    has_line(EXPOSE_TEXT, "seoga_revenue_won_total 12345.05"));
	metric_edge(404, 1000, 7);
	g_assert_true(
	    has_line(EXPOSE_TEXT, "seoga_edge_requests_total{code=\"404\"} 1"));
	g_assert_false(has_text(EXPOSE_TEXT, "code=\"418\""));
	g_assert_true(
	    has_line(EXPOSE_TEXT, "seoga_breaker_open{backend=\"mariadb\"} 0"));
	g_assert_true(
	    has_line(EXPOSE_TEXT, "seoga_breaker_open{backend=\"redis\"} 1"));
	g_assert_true(has_line(
	    EXPOSE_TEXT, "seoga_breaker_opened_total{backend=\"redis\"} 4"));
	metric_add(METRIC_LOGINS, INT64_MAX);
	metric_add(METRIC_LOGINS, INT64_MAX);
	g_assert_true(has_line(EXPOSE_TEXT,
	    "seoga_logins_total{outcome=\"ok\"} 18446744073709551614"));
}

/* Nothing before the recorder has been there, nor of who is away. */
static void
test_gauges(void)
{
	g_assert_false(has_text(EXPOSE_TEXT, "seoga_users"));
	g_assert_false(has_text(EXPOSE_TEXT, "seoga_db_up"));
	metric_set(METRIC_USERS, 12);
	metric_set(METRIC_QUEUE_LENGTH, 5);
	metric_set(METRIC_DB_UP, 1);
	metric_set(METRIC_GAUGED, 1700000000);
	g_assert_true(has_line(EXPOSE_TEXT, "seoga_users 12"));
	g_assert_true(has_line(EXPOSE_TEXT, "seoga_db_up 1"));
	g_assert_true(has_line(EXPOSE_TEXT, "seoga_redis_up 0"));
	g_assert_false(has_text(EXPOSE_TEXT, "seoga_queue_length"));
	metric_set(METRIC_REDIS_UP, 1);
	metric_set(METRIC_DB_UP, 0);
	g_assert_false(has_text(EXPOSE_TEXT, "seoga_users"));
	g_assert_true(has_line(EXPOSE_TEXT, "seoga_queue_length 5"));
	g_assert_true(has_line(
	    EXPOSE_TEXT, "seoga_gauges_set_timestamp_seconds 1700000000"));
}

static void
test_formats(void)
{
	g_assert_true(
	    has_line(EXPOSE_TEXT, "# TYPE seoga_registrations_total counter"));
	g_assert_true(
	    has_line(EXPOSE_OPENMETRICS, "# TYPE seoga_registrations counter"));
	g_assert_true(
	    has_line(EXPOSE_OPENMETRICS, "seoga_registrations_total 0"));
	g_assert_false(has_text(EXPOSE_TEXT, "# UNIT"));
	g_assert_true(
	    has_line(EXPOSE_OPENMETRICS, "# UNIT seoga_revenue_won won"));
	g_assert_true(has_line(EXPOSE_OPENMETRICS, "# TYPE seoga_build info"));
	g_assert_true(has_line(EXPOSE_TEXT, "# TYPE seoga_build_info gauge"));
	g_assert_true(has_text(EXPOSE_OPENMETRICS, "\n# EOF\n"));
	g_assert_false(has_text(EXPOSE_TEXT, "EOF"));
}

/* Without room it ends, and says so. */
static void
test_full(void)
{
	for (size_t max = 0; max < 4000; max += 61) {
		struct buf out = BUF_INIT(max);

		expose_all(&out, EXPOSE_OPENMETRICS, breakers);
		g_assert_true(out.over);
		g_assert_cmpuint(out.len, <=, max);
		buf_free(&out);
	}
}

#define OPEN "application/openmetrics-text"

static void
test_accept(void)
{
	static const char *const open[] = { OPEN, OPEN ";version=1.0.0",
		"  " OPEN "  ;  q=0.001  ", OPEN ";q=1.000",
		"text/plain;q=0.5," OPEN, "text/plain," OPEN,
		OPEN ";q=0.5,text/plain;version=0.0.3",
		OPEN ";version=0.0.1," OPEN ";q=0.3,*/*;q=0.2" };
	static const char *const text[] = { "", " ", ",", ";", "q=1", "*/*",
		"application/*", OPEN ";q=0", OPEN ";q=0.000", OPEN ";q=x",
		OPEN ";q=1.1", OPEN ";q=0.1234", OPEN ";q=", OPEN "s",
		OPEN ";version=2.0.0", OPEN ";q=0.2,text/*;q=0.3",
		OPEN ";q=0.2,*/*", "application/json", "\xff\xfe;=\x01,;;;" };
	char *lengthy = g_strnfill(100000, ';');

	g_assert_cmpint(expose_format(NULL), ==, EXPOSE_TEXT);
	g_assert_cmpint(expose_format(lengthy), ==, EXPOSE_TEXT);
	for (size_t i = 0; i < LENGTH(open); i++) {
		g_test_message("%s", open[i]);
		g_assert_cmpint(expose_format(open[i]), ==, EXPOSE_OPENMETRICS);
	}
	for (size_t i = 0; i < LENGTH(text); i++) {
		g_test_message("%s", text[i]);
		g_assert_cmpint(expose_format(text[i]), ==, EXPOSE_TEXT);
	}
	g_free(lengthy);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	metric_open(&conf, NULL); /* of this process alone */
	g_test_add_func("/expose/gauges", test_gauges);
	g_test_add_func("/expose/labels", test_labels);
	g_test_add_func("/expose/histogram", test_histogram);
	g_test_add_func("/expose/values", test_values);
	g_test_add_func("/expose/formats", test_formats);
	g_test_add_func("/expose/full", test_full);
	g_test_add_func("/expose/accept", test_accept);
	return g_test_run();
}
