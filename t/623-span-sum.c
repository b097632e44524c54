/* What trees of spans amount to, whose they are, and two side by side. */
#include "span_sum.h"

#include <glib.h>

#define LINE(trace, time, prog, pid, ev, rest) \
	"{\"ts\":\"2026-11-21T18:26:22." time "Z\",\"lvl\":\"info\"," \
	"\"trace\":\"" trace "\",\"prog\":\"" prog "\",\"pid\":" pid \
	",\"ev\":\"" ev "\"," rest "}"
#define ID "ca970000000000000000000000020001"

/* A request of member 7: nginx 10 ms, its program 6 ms, SQL 2, Redis 1. */
#define NGINX(span, parent) \
	LINE(ID, "210", "nginx", "9", "nginx.request", \
	    "\"span\":\"" span "\",\"parent\":\"" parent "\"," \
	    "\"method\":\"GET\",\"path\":\"/cart\",\"status\":200," \
	    "\"bytes\":99,\"request_time\":0.010")
#define BEGIN(pid, span, parent) \
	LINE(ID, "201000", "cart", pid, "req.begin", \
	    "\"at\":0,\"method\":\"GET\",\"path\":\"/cart\"," \
	    "\"span\":\"" span "\",\"parent\":\"" parent "\"")
#define QUERY(pid, name, at, us) \
	LINE(ID, "202000", "cart", pid, "db.query", \
	    "\"at\":" at ",\"name\":\"" name "\",\"op\":\"SELECT\"," \
	    "\"rows\":1,\"us\":" us)
#define TRIP(pid, cmds, at, us) \
	LINE(ID, "203000", "cart", pid, "redis.cmd", \
	    "\"at\":" at ",\"cmds\":\"" cmds "\",\"n\":1,\"us\":" us)
#define END(pid, user) \
	LINE(ID, "207000", "cart", pid, "req.end", \
	    "\"at\":6000,\"method\":\"GET\",\"path\":\"/cart\"," \
	    "\"status\":200,\"us\":6000,\"db\":1,\"redis\":1," \
	    "\"bytes\":512,\"user\":" user)
#define LATER \
	LINE(ID, "400000", "relay", "3", "event.sent", \
	    "\"span\":\"eeeeeeeeeeeeeeee\",\"parent\":\"bbbbbbbbbbbbbbbb\"," \
	    "\"id\":1,\"us\":100")
#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"
#define C "cccccccccccccccc"
#define D "dddddddddddddddd"
#define WHOLE \
	NGINX(A, ""), BEGIN("7", B, A), \
	    QUERY("7", "cart.one", "3000", "2000"), \
	    TRIP("7", "HGETALL cart:7", "5000", "1000"), END("7", "7"), LATER

#define TREES(...) \
	trees_of((const char *const[]){ __VA_ARGS__ }, \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static json_t *
trees_of(const char *const *texts, size_t n)
{
	json_t *lines = json_array(), *trees;

	for (size_t i = 0; i < n; i++) {
		json_t *line = json_loads(texts[i], 0, NULL);

		g_assert_nonnull(line);
		json_array_append_new(lines, line);
	}
	trees = span_trees(lines);
	json_decref(lines);
	return trees;
}

static json_t *
first(const json_t *roots)
{
	return json_array_get(roots, 0);
}

static void
test_sum(void)
{
	json_t *roots = TREES(WHOLE);
	struct span_sum sum;
	int64_t all = 0;

	g_assert_cmpuint(json_array_size(roots), ==, 1);
	span_sum(first(roots), &sum);
	g_assert_cmpint(sum.us, ==, 10000);
	g_assert_cmpint(sum.of[SPAN_NGINX].us, ==, 4000);
	g_assert_cmpint(sum.of[SPAN_PROGRAM].us, ==, 3000);
	g_assert_cmpint(sum.of[SPAN_SQL].us, ==, 2000);
	g_assert_cmpint(sum.of[SPAN_REDIS].us, ==, 1000);
	g_assert_cmpint(sum.of[SPAN_SQL].n, ==, 1);
	g_assert_cmpint(sum.of[SPAN_JOB].n, ==, 0);
	for (int i = 0; i < SPAN_KINDS; i++)
		all += sum.of[i].us;
	g_assert_cmpint(all, ==, sum.us);
	g_assert_cmpint(sum.bytes, ==, 512);
	g_assert_cmpint(sum.status, ==, 200);
	g_assert_cmpint(sum.user, ==, 7);
	json_decref(roots);
}

static void
test_rows(void)
{
	static const int depths[] = { 0, 1, 2, 2 };
	json_t *roots = TREES(WHOLE), *rows = span_rows(first(roots));
	json_t *later = span_later(roots), *row;
	size_t i;

	g_assert_cmpuint(json_array_size(rows), ==, LENGTH(depths));
	json_array_foreach(rows, i, row)
		g_assert_cmpint(span_int(row, "depth"), ==, depths[i]);
	g_assert_cmpuint(json_array_size(later), ==, 1);
	g_assert_cmpstr(span_text(first(later), "ev"), ==, "event.sent");
	g_assert_true(span_is_later(first(later)));
	g_assert_cmpint(span_kind(first(later)), ==, SPAN_JOB);
	json_decref(later);
	json_decref(rows);
	json_decref(roots);
}

/* How many roots, and how many spans in all, a member sees. */
static void
assert_own(json_t *roots, int64_t user, size_t n, size_t spans)
{
	json_t *own = span_own(roots, user), *root, *rows;
	size_t i, all = 0;

	g_assert_cmpuint(json_array_size(own), ==, n);
	json_array_foreach(own, i, root) {
		rows = span_rows(root);
		all += json_array_size(rows);
		json_decref(rows);
	}
	g_assert_cmpuint(all, ==, spans);
	json_decref(own);
	json_decref(roots);
}

static void
test_own(void)
{
	assert_own(TREES(WHOLE), 7, 1, 4);
	assert_own(TREES(WHOLE), 8, 0, 0);
	assert_own(TREES(WHOLE), 0, 0, 0);
	/* A guest's, and what nginx answered itself. */
	assert_own(
	    TREES(NGINX(A, ""), BEGIN("7", B, A), END("7", "0")), 0, 0, 0);
	assert_own(TREES(NGINX(A, "")), 7, 0, 0);
	/* The end is not there yet: nobody knows whose it is. */
	assert_own(TREES(NGINX(A, ""), BEGIN("7", B, A)), 7, 0, 0);
	/* Jobs alone. */
	assert_own(TREES(LATER), 7, 0, 0);
}

/* Member 8 names spans of member 7's request as the ones above its own. */
#define STRANGER(parent) \
	NGINX(C, parent), BEGIN("8", D, C), \
	    QUERY("8", "other.one", "3000", "2000"), END("8", "8")

static void
test_strangers(void)
{
	static const char *const parents[] = { A, B, "" };

	for (size_t i = 0; i < LENGTH(parents); i++) {
		const char *const lines[] = { WHOLE, STRANGER(A) };
		const char *const below[] = { WHOLE, STRANGER(B) };
		const char *const beside[] = { WHOLE, STRANGER("") };
		const char *const *all = i == 0 ? lines :
		    i == 1			? below :
						  beside;

		assert_own(trees_of(all, LENGTH(lines)), 7, 1, 4);
		assert_own(trees_of(all, LENGTH(lines)), 8, 1, 3);
		assert_own(trees_of(all, LENGTH(lines)), 9, 0, 0);
	}
}

static void
test_pairs(void)
{
	json_t *a = TREES(WHOLE);
	json_t *b = TREES(NGINX(A, ""), BEGIN("7", B, A),
	    QUERY("7", "cart.two", "3000", "2000"),
	    TRIP("7", "HGETALL cart:12345", "5000", "1000"), END("7", "9"));
	json_t *pairs = span_pairs(first(a), first(b)), *same;
	size_t i, both = 0, only_a = 0, only_b = 0;
	json_t *pair;

	json_array_foreach(pairs, i, pair) {
		bool in_a = json_is_object(json_object_get(pair, "a"));
		bool in_b = json_is_object(json_object_get(pair, "b"));

		both += in_a && in_b;
		only_a += in_a && !in_b;
		only_b += in_b && !in_a;
	}
	/* nginx, program and trip; the statements are two. */
	g_assert_cmpuint(both, ==, 3);
	g_assert_cmpuint(only_a, ==, 1);
	g_assert_cmpuint(only_b, ==, 1);
	json_decref(pairs);
	same = span_pairs(first(a), first(a));
	g_assert_cmpuint(json_array_size(same), ==, 4);
	json_array_foreach(same, i, pair)
		g_assert_true(
		    json_object_get(pair, "a") == json_object_get(pair, "b"));
	json_decref(same);
	json_decref(a);
	json_decref(b);
}

static void
test_ids(void)
{
	static const struct {
		const char *word, *digits;
	} ids[] = { { ID, ID }, { "CA970000", "ca970000" },
		{ "00-" ID "-" A "-01", ID }, { "ca97000", NULL }, { "", NULL },
		{ ID "0", NULL }, { "ca97000g", NULL },
		{ "00-" ID "-" A "-0", NULL }, { "00-" ID "-" A "-01-", NULL },
		{ "xx-" ID "-" A "-01", NULL }, { " ca970000", NULL } };
	char digits[SPAN_TRACE_DIGITS + 1];

	for (size_t i = 0; i < LENGTH(ids); i++) {
		g_assert_true(span_read_id(ids[i].word, digits) ==
		    (ids[i].digits != NULL));
		if (ids[i].digits)
			g_assert_cmpstr(digits, ==, ids[i].digits);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/span-sum/sum", test_sum);
	g_test_add_func("/span-sum/rows", test_rows);
	g_test_add_func("/span-sum/own", test_own);
	g_test_add_func("/span-sum/strangers", test_strangers);
	g_test_add_func("/span-sum/pairs", test_pairs);
	g_test_add_func("/span-sum/ids", test_ids);
	return g_test_run();
}
