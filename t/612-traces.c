/*
 * Tests lib/traces on a private Redis: what is found, listed, and forgotten.
 * SEOGA_TEST_REDIS_SOCKET names its socket; its data are thrown away.
 */
#include "traces.h"

#include "cache.h"
#include "instance.h"
#include "lib/backend.h"
#include "model.h"

#define T0 INT64_C(1790000000000000) /* some day of 2026, in microseconds */

static struct conf conf;
static struct req req;
static char log_file[] = "/tmp/seoga-traces-XXXXXX";

/* --- Redis --- */

static struct cache_reply *
ask(const char *command, const char *a, const char *b, const char *c)
{
	struct cache_reply *reply = NULL;

	g_assert_cmpint(
	    cache_command(&req, &reply, command, a, b, c, NULL), ==, RC_OK);
	return reply;
}

static void
begin(void)
{
	test_req_next(&req);
	ask("FLUSHALL", NULL, NULL, NULL);
	conf.trace_keep_s = 3600;
	conf.trace_max = 20000;
	conf.trace_bytes = 32 << 20;
	test_req_next(&req);
	g_free(test_log_take(log_file));
}

/* Keys of that form; with a command, the sum of what it says of each. */
static int64_t
keys_like(const char *pattern, const char *command, const char *sub)
{
	struct cache_reply *keys = ask("KEYS", pattern, NULL, NULL), *n;
	int64_t sum = 0;

	for (size_t i = 0; command && i < keys->len; i++) {
		const char *key = keys->list[i]->s;

		n = sub ? ask(command, sub, key, NULL) :
			  ask(command, key, NULL, NULL);
		sum += n->i;
	}
	return command ? sum : (int64_t)keys->len;
}

/* Nothing stays for ever, but one number. */
static void
check_lives(void)
{
	struct cache_reply *keys = ask("KEYS", "trace*", NULL, NULL);

	for (size_t i = 0; i < keys->len; i++) {
		const char *key = keys->list[i]->s;
		int64_t ttl = ask("TTL", key, NULL, NULL)->i;

		if (strcmp(key, "trace-number") != 0 &&
		    (ttl < 0 || ttl > conf.trace_keep_s + 60))
			g_test_fail_printf("%s lives for %d", key, (int)ttl);
	}
}

/* --- lines --- */

static GString *text;

static const char *
time_text(int64_t us)
{
	static char out[40];
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	char date[24];

	gmtime_r(&s, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, sizeof(out), "%s.%06dZ", date, (int)(us % 1000000));
	return out;
}

static void
head(const char *id, int64_t time, const char *prog, const char *event)
{
	g_string_append_printf(text,
	    "{\"ts\":\"%s\",\"lvl\":\"info\",\"trace\":\"%s\",\"prog\":\"%s\","
	    "\"pid\":17,\"ev\":\"%s\"",
	    time_text(time), id, prog, event);
}

/* A request of a program: three lines. */
static void
request(const char *id, int64_t end, int64_t us, int status, int user)
{
	head(id, end - us, "books", "req.begin");
	g_string_append(text,
	    ",\"at\":5,\"method\":\"GET\",\"path\":\"/books\","
	    "\"span\":\"0123456789abcdef\",\"parent\":\"\"}\n");
	head(id, end - 1, "books", "db.query");
	g_string_append(
	    text, ",\"at\":50,\"name\":\"book.list\",\"rows\":20,\"us\":40}\n");
	head(id, end, "books", "req.end");
	g_string_append_printf(text,
	    ",\"at\":60,\"method\":\"GET\",\"path\":\"/books\",\"status\":%d,"
	    "\"us\":%d,\"db\":1,\"redis\":2,\"bytes\":4711",
	    status, (int)us);
	if (user)
		g_string_append_printf(text, ",\"user\":%d", user);
	g_string_append(text, "}\n");
}

static void
edge(const char *id, int64_t end, int status, const char *route)
{
	head(id, end, "nginx", "nginx.request");
	g_string_append_printf(text,
	    ",\"span\":\"fedcba9876543210\",\"parent\":\"\",\"flags\":\"01\","
	    "\"addr\":\"127.0.0.1\",\"method\":\"GET\",\"path\":\"/no\","
	    "\"route\":\"%s\",\"status\":%d,\"bytes\":99,"
	    "\"request_time\":0.002,\"upstream_response_time\":\"%s\"}\n",
	    route, status, *route ? "0.001" : "");
}

static void
add(void)
{
	g_assert_cmpint(traces_add(&req, text->str, text->len), ==, RC_OK);
	g_string_truncate(text, 0);
}

static const char *
id_of(int n)
{
	static char id[33];

	snprintf(id, sizeof(id), "%08x%024x", (unsigned)n * 2654435761u,
	    (unsigned)n + 1);
	return id;
}

/* Events of a trace, in the order in which they are found; "" for none. */
static const char *
found(const char *id)
{
	json_t *lines = NULL, *line;
	GString *events = g_string_new("");
	const char *copy;
	size_t i;
	int rc = traces_find(&req, id, &lines);

	g_assert_true(rc == RC_OK || rc == RC_NOT_FOUND);
	g_assert_true((rc == RC_OK) == (lines != NULL));
	req_forgive(&req);
	json_array_foreach(lines, i, line)
		g_string_append_printf(
		    events, "%s%s", i ? " " : "", model_text(line, "ev"));
	copy = arena_strdup(req.arena, events->str);
	g_string_free(events, TRUE);
	return copy;
}

#define WHOLE "req.begin db.query req.end"

/* --- one trace --- */

static void
test_find(void)
{
	begin();
	request("11111111111111111111111111111111", T0, 500, 200, 0);
	request("11111111122222222222222222222222", T0 + 1, 500, 200, 0);
	request("22222222222222222222222222222222", T0 + 2, 500, 200, 0);
	add();
	g_assert_cmpstr(found("11111111111111111111111111111111"), ==, WHOLE);
	g_assert_cmpstr(found("111111111222"), ==, WHOLE);
	g_assert_cmpstr(found("22222222"), ==, WHOLE);
	/* Several begin so. */
	g_assert_cmpstr(found("11111111"), ==, "");
	g_assert_cmpstr(found("33333333"), ==, "");
	g_assert_cmpstr(found("2222222"), ==, "");
	g_assert_cmpstr(found(""), ==, "");
	g_assert_cmpstr(found("2222222222222222222222222222222g"), ==, "");
	g_assert_cmpstr(found("222222222222222222222222222222222"), ==, "");
	g_assert_cmpstr(found("*"), ==, "");
	check_lives();
}

/* nginx writes up to a second later, jobs even later; each with a block of
 * its own in between. */
static void
test_late_lines(void)
{
	const char *id = "33333333333333333333333333333333";
	json_t *lines;

	begin();
	conf.trace_bytes = 65536;
	request(id, T0, 500, 200, 0);
	add();
	for (int i = 0; i < 20; i++)
		request(id_of(i), T0 + i, 100, 200, 0);
	add();
	edge(id, T0 + 10, 200, "books");
	add();
	for (int i = 20; i < 40; i++)
		request(id_of(i), T0 + i, 100, 200, 0);
	add();
	head(id, T0 + 100000, "relay", "event.sent");
	g_string_append(text, ",\"id\":5}\n");
	add();
	g_assert_cmpint(keys_like("trace-block:*", NULL, NULL), >=, 3);
	g_assert_cmpstr(found(id), ==, WHOLE " nginx.request event.sent");
	g_assert_cmpint(traces_find(&req, id, &lines), ==, RC_OK);
	g_assert_cmpstr(model_text(json_array_get(lines, 0), "trace"), ==, id);
	g_assert_cmpint(model_int(json_array_get(lines, 2), "bytes"), ==, 4711);
	check_lives();
}

/* Given again, as after a trip that nobody knows the end of. */
static void
test_twice(void)
{
	const char *id = "44444444444444444444444444444444";
	struct traces_filter filter = { .max = 10 };
	const char *cursor;
	json_t *list;

	begin();
	for (int i = 0; i < 3; i++) {
		request(id, T0, 500, 200, 0);
		add();
	}
	g_assert_cmpstr(found(id), ==, WHOLE);
	g_assert_cmpint(traces_list(&req, &filter, &list, &cursor), ==, RC_OK);
	g_assert_cmpuint(json_array_size(list), ==, 1);
}

/* Clients may use an id as often as they like: the latest are what counts, and
 * what is read to find them has its bounds. */
static void
test_reused(void)
{
	const char *id = "99999999999999999999999999999999";
	enum { REQUESTS = 8000, STEP = 1000 };
	json_t *lines, *last;
	size_t n;

	begin();
	for (int i = 0; i < REQUESTS; i++) {
		request(id, T0 + i * STEP, 100, 200, i + 1);
		if (i % 100 == 99)
			add();
	}
	add();
	test_req_next(&req);
	g_assert_cmpint(keys_like("trace-block:*", NULL, NULL), >=, 6);
	g_assert_cmpint(traces_find(&req, id, &lines), ==, RC_OK);
	n = json_array_size(lines);
	g_assert_cmpuint(n, >=, 600);
	last = json_array_get(lines, n - 1);
	g_assert_cmpint(model_int(last, "user"), ==, REQUESTS);
	for (size_t i = 1; i < n; i++)
		g_assert_cmpstr(model_text(json_array_get(lines, i - 1), "ts"),
		    <=, model_text(json_array_get(lines, i), "ts"));
	/* Without a gap. */
	g_assert_cmpstr(
	    model_text(json_array_get(lines, n - 4), "ev"), ==, "req.end");
	g_assert_cmpint(model_int(json_array_get(lines, n - 598), "user"), ==,
	    REQUESTS - 199);
	g_assert_cmpuint(arena_used(req.arena), <, 6 << 20);
	check_lives();
}

/* Long ones are fewer. */
static void
test_long_lines(void)
{
	const char *id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	char *path = g_strnfill(7000, 'x');
	json_t *lines;
	size_t n;

	begin();
	for (int i = 1; i <= 600; i++) {
		head(id, T0 + i, "nginx", "nginx.request");
		g_string_append_printf(text,
		    ",\"status\":404,\"bytes\":%d,\"path\":\"/%s\"}\n", i,
		    path);
		if (i % 50 == 0)
			add();
	}
	g_free(path);
	test_req_next(&req);
	g_assert_cmpint(traces_find(&req, id, &lines), ==, RC_OK);
	n = json_array_size(lines);
	g_assert_cmpuint(n, >=, 50);
	g_assert_cmpint(
	    model_int(json_array_get(lines, n - 1), "bytes"), ==, 600);
	g_assert_cmpint(
	    model_int(json_array_get(lines, 0), "bytes"), ==, 601 - (int)n);
	g_assert_cmpuint(arena_used(req.arena), <, 3 << 20);
}

static void
test_nonsense(void)
{
	static const char *const lines[] = { "\n", "x\n", "{}\n", "{\n",
		"{\"trace\":\"0\",\"ev\":\"req.end\"}\n",
		"{\"trace\":5,\"ev\":\"req.end\"}\n",
		"{\"trace\":\"00000000000000000000000000000000\"}\n",
		"{\"trace\":\"0000000000000000000000000000000 \"}\n",
		"{\"trace\":\"55555555555555555555555555555555\",\"ev\":"
		"\"req.end\",\"status\":\"\\u0000\",\"path\":\"a b\\n c\","
		"\"method\":\"\"}\n",
		"{\"trace\":\"66666666666666666666666666666666\",\"ev\":"
		"\"req.end\"\n",
		"{\"ts\":\"\xff\xfe\",\"trace\":"
		"\"77777777777777777777777777777777\",\"ev\":\"x\"}\n" };
	struct traces_filter filter = { .max = 10 };
	const char *cursor;
	json_t *list;

	begin();
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		g_string_append(text, lines[i]);
	g_string_append_len(text, "{\"trace\":\"\0\"}\n", 14);
	request("88888888888888888888888888888888", T0, 500, 200, 0);
	g_string_append(text, "{\"no\":\"end\"");
	add();
	g_assert_cmpstr(found("88888888"), ==, WHOLE);
	g_assert_cmpstr(found("55555555"), ==, "req.end");
	g_assert_cmpstr(found("66666666"), ==, "");
	g_assert_cmpstr(found("77777777"), ==, "");
	g_assert_cmpint(traces_list(&req, &filter, &list, &cursor), ==, RC_OK);
	g_assert_cmpuint(json_array_size(list), >=, 1);
	g_assert_cmpstr(
	    model_text(json_array_get(list, 0), "path"), ==, "/books");
}

/* --- lists --- */

static json_t *
page(struct traces_filter filter, const char **cursor)
{
	json_t *list = NULL;

	if (!filter.max)
		filter.max = 200;
	g_assert_cmpint(traces_list(&req, &filter, &list, cursor), ==, RC_OK);
	return list;
}

static size_t
count_of(struct traces_filter filter)
{
	const char *cursor;

	return json_array_size(page(filter, &cursor));
}

static void
test_summary(void)
{
	const char *cursor;
	json_t *list, *one;

	begin();
	request("11111111111111111111111111111111", T0, 512, 503, 42);
	edge("11111111111111111111111111111111", T0 + 5, 503, "books");
	edge("22222222222222222222222222222222", T0 + 9000, 404, "");
	add();
	list = page((struct traces_filter){ 0 }, &cursor);
	g_assert_null(cursor);
	/* That of nginx is no request of its own, where a program was asked. */
	g_assert_cmpuint(json_array_size(list), ==, 2);
	one = json_array_get(list, 1);
	g_assert_cmpstr(
	    model_text(one, "id"), ==, "11111111111111111111111111111111");
	g_assert_cmpint(model_int(one, "time"), ==, T0);
	g_assert_cmpint(model_int(one, "us"), ==, 512);
	g_assert_cmpint(model_int(one, "status"), ==, 503);
	g_assert_cmpstr(model_text(one, "method"), ==, "GET");
	g_assert_cmpstr(model_text(one, "route"), ==, "books");
	g_assert_cmpstr(model_text(one, "path"), ==, "/books");
	g_assert_cmpint(model_int(one, "user"), ==, 42);
	g_assert_true(json_is_true(json_object_get(one, "failed")));
	g_assert_cmpint(model_int(one, "db"), ==, 1);
	g_assert_cmpint(model_int(one, "redis"), ==, 2);
	g_assert_cmpint(model_int(one, "bytes"), ==, 4711);
	one = json_array_get(list, 0);
	g_assert_cmpstr(model_text(one, "route"), ==, "");
	g_assert_cmpstr(model_text(one, "path"), ==, "/no");
	g_assert_cmpint(model_int(one, "us"), ==, 2000);
	g_assert_true(json_is_false(json_object_get(one, "failed")));
}

static void
test_filters(void)
{
	begin();
	for (int i = 0; i < 60; i++)
		request(id_of(i), T0 + i, 100 + i, i % 6 ? 200 : 500, i % 3);
	for (int i = 60; i < 70; i++)
		edge(id_of(i), T0 + i * 1000, 404, "");
	add();
	g_assert_cmpuint(count_of((struct traces_filter){ 0 }), ==, 70);
	g_assert_cmpuint(
	    count_of((struct traces_filter){ .route = "books" }), ==, 60);
	g_assert_cmpuint(
	    count_of((struct traces_filter){ .route = "book" }), ==, 0);
	g_assert_cmpuint(
	    count_of((struct traces_filter){ .route = "" }), ==, 0);
	g_assert_cmpuint(count_of((struct traces_filter){
			     .status_from = 500, .status_to = 599 }),
	    ==, 10);
	g_assert_cmpuint(count_of((struct traces_filter){
			     .status_from = 400, .status_to = 499 }),
	    ==, 10);
	g_assert_cmpuint(
	    count_of((struct traces_filter){ .least_us = 150 }), ==, 20);
	g_assert_cmpuint(count_of((struct traces_filter){ .user = 2 }), ==, 20);
	g_assert_cmpuint(
	    count_of((struct traces_filter){ .order = TRACES_ERRORS }), ==, 20);
	g_assert_cmpuint(count_of((struct traces_filter){
			     .order = TRACES_ERRORS, .user = 1 }),
	    ==, 0);
	g_assert_cmpuint(count_of((struct traces_filter){
			     .order = TRACES_SLOWEST, .max = 7 }),
	    ==, 7);
}

static void
test_slowest(void)
{
	const char *cursor;
	json_t *list;

	begin();
	conf.trace_bytes = 1 << 20;
	for (int i = 0; i < 600; i++) {
		request(id_of(i), T0 + i, 1 + i * 7919 % 600, 200, 0);
		if (i % 20 == 0)
			add();
	}
	add();
	list =
	    page((struct traces_filter){ .order = TRACES_SLOWEST, .max = 50 },
		&cursor);
	g_assert_null(cursor);
	g_assert_cmpuint(json_array_size(list), ==, 50);
	for (size_t i = 0; i < 50; i++)
		g_assert_cmpint(
		    model_int(json_array_get(list, i), "us"), ==, 600 - i);
}

/* Page by page, each is seen once and in order, of however many blocks; two
 * at the same moment as well. */
static void
test_pages(void)
{
	const int n = 1000;
	const char *cursor = NULL;
	bool seen[1000] = { false };
	int64_t last = INT64_MAX;
	int total = 0, pages = 0;

	begin();
	conf.trace_bytes = 2 << 20;
	for (int i = 0; i < n; i++) {
		request(id_of(i), T0 + i / 3 * 1000, 100, 200, 0);
		if (i % 17 == 0)
			add();
	}
	add();
	g_assert_cmpint(keys_like("trace-list:*", NULL, NULL), >, 2);
	do {
		json_t *list = page((struct traces_filter){ .max = 35,
					.before = cursor },
			   &cursor),
		       *one;
		size_t i;

		json_array_foreach(list, i, one) {
			int number =
			    (int)strtol(model_text(one, "id") + 8, NULL, 16) -
			    1;

			g_assert_cmpint(model_int(one, "time"), <=, last);
			last = model_int(one, "time");
			if (number < 0 || number >= n || seen[number])
				g_test_fail_printf("%d again", number);
			else
				seen[number] = true;
			total++;
		}
		pages++;
	} while (cursor && pages < 100);
	g_assert_cmpint(total, ==, n);
	g_assert_cmpint(pages, ==, (n + 34) / 35);
	/* What is no cursor is the first page. */
	g_assert_cmpuint(
	    count_of((struct traces_filter){ .max = 5, .before = "x" }), ==, 5);
	g_assert_cmpuint(
	    count_of((struct traces_filter){ .max = 5, .before = "-1-" }), ==,
	    5);
}

/* --- bounds --- */

static void
add_many(int n)
{
	for (int i = 0; i < n; i++) {
		request(id_of(i), T0 + i, 100, 200, 0);
		if (i % 10 == 9) {
			add();
			test_req_next(&req);
		}
	}
}

static void
test_count(void)
{
	struct traces_kept kept;

	begin();
	conf.trace_max = 100;
	add_many(1000);
	g_assert_cmpint(traces_kept(&req, &kept), ==, RC_OK);
	g_assert_cmpint(kept.traces, <=, 100);
	g_assert_cmpint(kept.traces, >=, 70);
	g_assert_cmpint(kept.oldest, ==, T0 + 1000 - kept.traces);
	g_assert_cmpuint(
	    count_of((struct traces_filter){ 0 }), ==, kept.traces);
	g_assert_cmpstr(found(id_of(999)), ==, WHOLE);
	g_assert_cmpstr(found(id_of(0)), ==, "");
	g_assert_cmpstr(found(id_of(850)), ==, "");
	g_assert_cmpint(keys_like("trace*", NULL, NULL), <=, 3 * 14 + 2);
	check_lives();
}

static void
test_bytes(void)
{
	struct traces_kept kept;
	int64_t used;

	begin();
	conf.trace_bytes = 1 << 20;
	add_many(5000);
	g_assert_cmpint(traces_kept(&req, &kept), ==, RC_OK);
	g_assert_cmpint(kept.bytes, <=, 1 << 20);
	g_assert_cmpint(kept.bytes, >, 700000);
	used = keys_like("trace*", "MEMORY", "USAGE");
	g_test_message(
	    "%d bytes kept, Redis uses %d", (int)kept.bytes, (int)used);
	/* By its own account it may be a little more. */
	g_assert_cmpint(used, <, (1 << 20) * 1.25);
	g_assert_cmpstr(found(id_of(4999)), ==, WHOLE);
	g_assert_cmpstr(found(id_of(0)), ==, "");
	check_lives();
}

static void
test_age(void)
{
	begin();
	conf.trace_keep_s = 1;
	conf.trace_bytes = 65536;
	add_many(200);
	g_assert_cmpstr(found(id_of(150)), ==, WHOLE);
	g_usleep(1100000);
	for (int i = 1000; i < 1020; i++)
		request(id_of(i), T0 + i, 100, 200, 0);
	add();
	g_assert_cmpstr(found(id_of(150)), ==, "");
	g_assert_cmpstr(found(id_of(1019)), ==, WHOLE);
	check_lives();
}

/* Somebody empties Redis: what comes then is kept, and has an end. */
static void
test_emptied(void)
{
	begin();
	request(id_of(1), T0, 100, 200, 0);
	add();
	ask("FLUSHALL", NULL, NULL, NULL);
	for (int i = 2; i < 5; i++) {
		request(id_of(i), T0, 100, 200, 0);
		add();
	}
	g_assert_cmpstr(found(id_of(1)), ==, "");
	g_assert_cmpstr(found(id_of(2)), ==, WHOLE);
	g_assert_cmpstr(found(id_of(4)), ==, WHOLE);
	check_lives();
}

/* Sessions are in the same Redis: it refuses us, and we can make room. */
static void
test_full(void)
{
	struct traces_kept kept;
	char limit[24];
	int64_t used;
	int rc;

	begin();
	add_many(3000);
	g_assert_cmpint(traces_kept(&req, &kept), ==, RC_OK);
	used = keys_like("trace*", "MEMORY", "USAGE");
	g_assert_cmpint(used, >, 1000000);
	snprintf(limit, sizeof(limit), "%d", 1000000);
	ask("CONFIG", "SET", "maxmemory", limit);
	request(id_of(1), T0, 100, 200, 0);
	rc = traces_add(&req, text->str, text->len);
	g_string_truncate(text, 0);
	g_assert_cmpint(rc, ==, RC_DOWN);
	req_forgive(&req);
	g_assert_cmpint(traces_shrink(&req, kept.bytes / 2), ==, RC_OK);
	g_assert_cmpint(traces_kept(&req, &kept), ==, RC_OK);
	g_assert_cmpint(kept.traces, <, 1600);
	g_assert_cmpint(traces_shrink(&req, 0), ==, RC_OK);
	g_assert_cmpint(keys_like("trace-*:*", NULL, NULL), ==, 0);
	ask("CONFIG", "SET", "maxmemory", "0");
	request(id_of(2), T0, 100, 200, 0);
	add();
	g_assert_cmpstr(found(id_of(2)), ==, WHOLE);
	check_lives();
}

/* --- instances --- */

static void
test_instances(void)
{
	json_t *list, *one;

	begin();
	g_assert_cmpint(instance_list(&req, &list), ==, RC_OK);
	g_assert_cmpuint(json_array_size(list), ==, 0);
	conf.var_dir = "/srv/one";
	g_assert_cmpint(instance_beat(&req), ==, RC_OK);
	g_assert_cmpint(instance_beat(&req), ==, RC_OK);
	conf.var_dir = "/srv/two";
	g_assert_cmpint(instance_beat(&req), ==, RC_OK);
	g_assert_cmpint(instance_list(&req, &list), ==, RC_OK);
	g_assert_cmpuint(json_array_size(list), ==, 2);
	one = json_array_get(list, 0);
	g_assert_cmpint(model_int(one, "pid"), ==, getpid());
	g_assert_cmpint(model_int(one, "seen"), <=, 2);
	g_assert_cmpstr(model_text(one, "version"), ==, PACKAGE_VERSION);
	g_assert_cmpstr(model_text(one, "name"), !=,
	    model_text(json_array_get(list, 1), "name"));
	/* Its time is over. */
	ask("DEL",
	    arena_printf(req.arena, "instance:%s", model_text(one, "name")),
	    NULL, NULL);
	g_assert_cmpint(instance_list(&req, &list), ==, RC_OK);
	g_assert_cmpuint(json_array_size(list), ==, 1);
}

int
main(int argc, char **argv)
{
	const char *place = getenv("SEOGA_TEST_REDIS_SOCKET");
	int status, fd;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	if (!place) {
		puts("1..0 # SKIP SEOGA_TEST_REDIS_SOCKET names no Redis");
		return 0;
	}
	fd = mkstemp(log_file);
	close(fd);
	log_open("test", log_file);
	conf = test_conf(place);
	test_req_open(&req, &conf);
	req.cache = cache_open(&conf);
	text = g_string_new("");
	g_test_add_func("/traces/find", test_find);
	g_test_add_func("/traces/late-lines", test_late_lines);
	g_test_add_func("/traces/twice", test_twice);
	g_test_add_func("/traces/reused", test_reused);
	g_test_add_func("/traces/long-lines", test_long_lines);
	g_test_add_func("/traces/nonsense", test_nonsense);
	g_test_add_func("/traces/summary", test_summary);
	g_test_add_func("/traces/filters", test_filters);
	g_test_add_func("/traces/slowest", test_slowest);
	g_test_add_func("/traces/pages", test_pages);
	g_test_add_func("/traces/count", test_count);
	g_test_add_func("/traces/bytes", test_bytes);
	g_test_add_func("/traces/age", test_age);
	g_test_add_func("/traces/emptied", test_emptied);
	g_test_add_func("/traces/full", test_full);
	g_test_add_func("/traces/instances", test_instances);
	status = g_test_run();
	g_string_free(text, TRUE);
	json_set_alloc_funcs(malloc, free);
	test_req_close(&req);
	cache_close(req.cache);
	unlink(log_file);
	return status;
}
