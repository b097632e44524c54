/* Spans from lines of the log: whole, in part, and made up. */
#include "span.h"

#include <glib.h>

#define TRACE "ca970000000000000000000000020001"
#define HEAD(time, prog, pid, ev) \
	"{\"ts\":\"2026-11-21T18:26:22." time "Z\",\"lvl\":\"info\"," \
	"\"trace\":\"" TRACE "\",\"prog\":\"" prog "\",\"pid\":" pid \
	",\"ev\":\"" ev "\","

#define NGINX \
	HEAD("210", "nginx", "9", "nginx.request") \
	"\"span\":\"aaaaaaaaaaaaaaaa\",\"parent\":\"00f067aa0ba902b7\"," \
	"\"addr\":\"192.0.2.7\",\"method\":\"POST\",\"path\":\"/cart/add\"," \
	"\"route\":\"cart-add\",\"status\":303,\"bytes\":517," \
	"\"request_time\":0.009}"
#define BEGIN \
	HEAD("200014", "cart-add", "7", "req.begin") \
	"\"at\":14,\"method\":\"POST\",\"path\":\"/cart/add\"," \
	"\"span\":\"bbbbbbbbbbbbbbbb\",\"parent\":\"aaaaaaaaaaaaaaaa\"}"
#define TRIP \
	HEAD("200137", "cart-add", "7", "redis.cmd") \
	"\"at\":137,\"cmds\":\"HGETALL session:fe23ba25\xe2\x80\xa6, TTL " \
	"session:fe23ba25\xe2\x80\xa6\",\"n\":2,\"us\":115}"
#define QUERY \
	HEAD("200447", "cart-add", "7", "db.query") \
	"\"at\":447,\"name\":\"book.by_ids.1\",\"op\":\"SELECT\"," \
	"\"rows\":1,\"us\":295}"
#define END \
	HEAD("200602", "cart-add", "7", "req.end") \
	"\"at\":602,\"method\":\"POST\",\"path\":\"/cart/add\"," \
	"\"status\":303,\"us\":600,\"db\":1,\"redis\":1,\"bytes\":0," \
	"\"sess_at\":16,\"sess_us\":125,\"form_at\":145,\"form_us\":9," \
	"\"send_us\":30,\"user\":7}"
#define SENT \
	HEAD("347000", "relay", "3", "event.sent") \
	"\"at\":900,\"span\":\"cccccccccccccccc\"," \
	"\"parent\":\"bbbbbbbbbbbbbbbb\",\"id\":37,\"type\":\"order.paid\"," \
	"\"subject\":\"20261121-P891CG\",\"us\":200}"
#define COUNTED \
	HEAD("536000", "statistics", "4", "event.counted") \
	"\"at\":700,\"span\":\"dddddddddddddddd\"," \
	"\"parent\":\"cccccccccccccccc\",\"id\":37,\"us\":500}"

/* Lines that are no JSON are a mistake of the test. */
static json_t *
lines_of(const char *const *texts, size_t n)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *line = json_loads(texts[i], JSON_DECODE_ANY, NULL);

		g_assert_nonnull(line);
		json_array_append_new(lines, line);
	}
	return lines;
}

#define TREES(...) \
	trees_of((const char *const[]){ __VA_ARGS__ }, \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static json_t *
trees_of(const char *const *texts, size_t n)
{
	json_t *lines = lines_of(texts, n), *trees = span_trees(lines);

	json_decref(lines);
	return trees;
}

static const json_t *
part(const json_t *span, size_t i)
{
	return json_array_get(json_object_get(span, "parts"), i);
}

static const char *
attribute(const json_t *span, const char *name)
{
	return span_text(json_object_get(span, "attributes"), name);
}

/* Each within the one above it, but for what came later. */
static size_t
check(const json_t *spans, const json_t *above)
{
	size_t i, n = 0;
	json_t *span;

	json_array_foreach(spans, i, span) {
		int64_t start = span_int(span, "start");

		g_assert_cmpuint(
		    strlen(span_text(span, "id")), ==, SPAN_DIGITS);
		g_assert_cmpstr(span_text(span, "name"), !=, "");
		g_assert_cmpstr(span_text(span, "kind"), !=, "");
		g_assert_true(json_is_string(json_object_get(span, "what")));
		g_assert_true(
		    json_is_object(json_object_get(span, "attributes")));
		if (above)
			g_assert_cmpstr(span_text(span, "parent"), ==,
			    span_text(above, "id"));
		if (above && !json_object_get(span, "aside")) {
			g_assert_cmpint(start, >=, span_int(above, "start"));
			g_assert_cmpint(start + span_int(span, "us"), <=,
			    span_int(above, "start") + span_int(above, "us"));
		}
		n += 1 + check(json_object_get(span, "parts"), span);
	}
	return n;
}

static void
whole(void)
{
	json_t *trees = TREES(COUNTED, SENT, BEGIN, TRIP, QUERY, END, NGINX);
	const json_t *root = json_array_get(trees, 0), *run = part(root, 0);
	const json_t *sess = part(run, 0), *sent = part(run, 4);

	g_assert_cmpuint(json_array_size(trees), ==, 1);
	g_assert_cmpuint(check(trees, NULL), ==, 9);
	g_assert_cmpstr(span_text(root, "id"), ==, "aaaaaaaaaaaaaaaa");
	g_assert_cmpstr(span_text(root, "parent"), ==, "00f067aa0ba902b7");
	g_assert_cmpstr(span_text(root, "name"), ==, "POST /cart/add");
	g_assert_cmpstr(span_text(root, "kind"), ==, "server");
	g_assert_cmpstr(attribute(root, "client.address"), ==, "192.0.2.7");
	g_assert_cmpstr(attribute(run, "user.id"), ==, "7");
	g_assert_cmpint(span_int(run, "us"), ==, 600);
	g_assert_cmpint(span_int(run, "start"), ==, INT64_C(1795285582200000));
	g_assert_cmpstr(span_text(sess, "name"), ==, "session");
	g_assert_cmpint(
	    span_int(sess, "start") - span_int(run, "start"), ==, 16);
	g_assert_cmpstr(span_text(part(sess, 0), "name"), ==, "PIPELINE");
	g_assert_cmpstr(span_text(part(run, 1), "name"), ==, "form");
	g_assert_cmpstr(
	    span_text(part(run, 2), "name"), ==, "SELECT book.by_ids.1");
	g_assert_cmpstr(span_text(part(run, 2), "kind"), ==, "client");
	g_assert_cmpstr(span_text(part(run, 3), "name"), ==, "response");
	g_assert_cmpstr(span_text(sent, "name"), ==, "send orders");
	g_assert_cmpstr(span_text(sent, "kind"), ==, "producer");
	g_assert_true(json_is_true(json_object_get(sent, "aside")));
	g_assert_cmpstr(span_text(part(sent, 0), "name"), ==, "process orders");
	g_assert_cmpstr(span_text(part(sent, 0), "kind"), ==, "consumer");
	json_decref(trees);
}

static void
same_ids(void)
{
	json_t *early = TREES(BEGIN, TRIP, QUERY, END);
	json_t *late = TREES(NGINX, BEGIN, TRIP, QUERY, END, SENT);
	const json_t *one = part(json_array_get(early, 0), 2);
	const json_t *two = part(part(json_array_get(late, 0), 0), 2);

	g_assert_cmpstr(span_text(one, "ev"), ==, "db.query");
	g_assert_cmpstr(span_text(one, "id"), ==, span_text(two, "id"));
	json_decref(early);
	json_decref(late);
}

static void
in_part(void)
{
	json_t *trees = TREES(BEGIN, TRIP);

	/* nginx has not written its line, the program was killed. */
	g_assert_cmpuint(json_array_size(trees), ==, 1);
	g_assert_cmpuint(check(trees, NULL), ==, 2);
	g_assert_cmpstr(span_text(json_array_get(trees, 0), "parent"), ==,
	    "aaaaaaaaaaaaaaaa");
	json_decref(trees);

	/* The first lines are lost: there is but one place for the rest. */
	trees = TREES(NGINX, QUERY, END);
	g_assert_cmpuint(json_array_size(trees), ==, 1);
	g_assert_cmpuint(check(trees, NULL), ==, 6);
	json_decref(trees);

	/* The first and the last. */
	trees = TREES(NGINX, QUERY);
	g_assert_cmpuint(json_array_size(trees), ==, 1);
	g_assert_cmpuint(check(trees, NULL), ==, 2);
	json_decref(trees);

	/* The event's own line says where it belongs, but that is gone. */
	trees = TREES(COUNTED);
	g_assert_cmpuint(json_array_size(trees), ==, 1);
	g_assert_cmpstr(span_text(json_array_get(trees, 0), "parent"), ==,
	    "cccccccccccccccc");
	json_decref(trees);
}

static void
twice(void)
{
	json_t *trees =
	    TREES(NGINX, BEGIN, TRIP, QUERY, END, BEGIN, TRIP, QUERY, END);

	g_assert_cmpuint(json_array_size(trees), ==, 1);
	g_assert_cmpuint(
	    json_array_size(json_object_get(json_array_get(trees, 0), "parts")),
	    ==, 2);
	json_decref(trees);
}

static void
failures(void)
{
	json_t *trees = TREES(BEGIN,
	    HEAD("200300", "cart-add", "7",
		"db.query") "\"at\":300,\"name\":\"a.b\",\"op\":\"UPDATE\","
			    "\"rows\":0,\"us\":50,\"error\":1213}",
	    HEAD("200310", "cart-add", "7",
		"cache.miss") "\"at\":310,\"key\":\"k\"}",
	    HEAD("200400", "cart-add", "7",
		"req.end") "\"at\":400,\"method\":\"POST\",\"path\":"
			   "\"/orders/20261121-P891CG\",\"status\":503,"
			   "\"us\":400}");
	const json_t *run = json_array_get(trees, 0);

	g_assert_cmpstr(span_text(run, "name"), ==, "POST /orders/{id}");
	g_assert_true(json_is_true(json_object_get(run, "failed")));
	g_assert_cmpstr(attribute(run, "error.type"), ==, "503");
	g_assert_true(json_is_true(json_object_get(part(run, 0), "failed")));
	g_assert_cmpstr(attribute(part(run, 0), "error.type"), ==, "1213");
	g_assert_null(json_object_get(part(run, 1), "failed"));
	g_assert_cmpstr(attribute(part(run, 1), "seoga.key"), ==, "k");
	json_decref(trees);
}

/* Whatever it is, it is told once, and the end is reached. */
static void
made_up(void)
{
	static const char *const circle[] = {
		HEAD("1", "x", "1", "a") "\"span\":\"1111111111111111\","
					 "\"parent\":\"2222222222222222\"}",
		HEAD("1", "x", "1", "b") "\"span\":\"2222222222222222\","
					 "\"parent\":\"3333333333333333\"}",
		HEAD("1", "x", "1", "c") "\"span\":\"3333333333333333\","
					 "\"parent\":\"1111111111111111\"}",
		HEAD("1", "x", "1", "d") "\"span\":\"4444444444444444\","
					 "\"parent\":\"4444444444444444\"}",
	};
	json_t *trees = trees_of(circle, LENGTH(circle));

	g_assert_cmpuint(json_array_size(trees), >=, 1);
	json_decref(trees);

	trees = TREES("{}", "[]", "7", "null", "\"text\"",
	    "{\"ts\":7,\"pid\":\"x\",\"ev\":null,\"us\":-5,\"at\":\"y\"}",
	    "{\"ev\":\"nginx.request\",\"request_time\":1e300}",
	    "{\"ev\":\"req.end\",\"sess_us\":\"z\",\"us\":-1}",
	    "{\"ev\":\"db.query\",\"error\":\"x\"}",
	    "{\"ev\":\"redis.cmd\",\"n\":1,\"cmds\":7}",
	    "{\"ev\":\"child.run\"}", "{\"ev\":\"event.sent\"}",
	    "{\"ts\":\"2026-99-99T\",\"ev\":\"job.round\"}");
	g_assert_cmpuint(json_array_size(trees), >=, 1);
	check(trees, NULL);
	json_decref(trees);

	trees = TREES("null");
	g_assert_cmpuint(json_array_size(trees), ==, 0);
	json_decref(trees);
}

static void
times(void)
{
	static const struct {
		const char *line;
		int64_t time, us;
	} known[] = {
		{ "{\"ts\":\"1970-01-01T00:00:01.5Z\",\"us\":7}", 1500000, 7 },
		{ "{\"ts\":\"1970-01-01T00:00:00.123456Z\"}", 123456, 0 },
		{ "{\"ts\":\"1970-01-01T00:00:01Z\",\"us\":-1}", 1000000, 0 },
		{ "{\"ts\":\"yesterday\",\"request_time\":0.001}", 0, 1000 },
		{ "{\"us\":\"7\"}", 0, 0 },
	};

	for (size_t i = 0; i < LENGTH(known); i++) {
		json_t *line = json_loads(known[i].line, 0, NULL);

		g_assert_cmpint(span_line_time(line), ==, known[i].time);
		g_assert_cmpint(span_line_us(line), ==, known[i].us);
		json_decref(line);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/span/whole", whole);
	g_test_add_func("/span/same-ids", same_ids);
	g_test_add_func("/span/in-part", in_part);
	g_test_add_func("/span/twice", twice);
	g_test_add_func("/span/failures", failures);
	g_test_add_func("/span/made-up", made_up);
	g_test_add_func("/span/times", times);
	return g_test_run();
}
