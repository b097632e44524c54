/* lib/logline: lines of the log as they are, and all that is none. */
#include "../lib/logline.h"

#include "../lib/buf.h"
#include "../lib/log.h"

#include <glib.h>
#include <time.h>

#define LINE \
	"{\"ts\":\"2026-11-21T18:26:22.196489Z\",\"lvl\":\"info\"," \
	"\"trace\":\"ca970000000000000000000000020001\"," \
	"\"prog\":\"cart-add\"," \
	"\"pid\":13123,\"ev\":\"db.query\",\"at\":447," \
	"\"name\":\"book.by_ids.1\",\"rows\":1,\"us\":295}"

static bool
find(const char *line, const char *key, struct logline_value *value)
{
	return logline_find(line, strlen(line), key, value);
}

/* The value as it stands in the line; "(none)" when there is none. */
static char *
raw(const char *line, const char *key)
{
	struct logline_value value;

	if (!find(line, key, &value))
		return g_strdup("(none)");
	return g_strdup_printf(
	    "%s%.*s", value.text ? "=" : "", (int)value.len, value.s);
}

#define assert_raw(line, key, expected) \
	do { \
		char *found_ = raw(line, key); \
		g_assert_cmpstr(found_, ==, expected); \
		g_free(found_); \
	} while (0)

static char *
text(const char *line, const char *key)
{
	static char out[4096];
	struct logline_value value;

	if (!find(line, key, &value))
		return NULL;
	logline_text(&value, out, sizeof(out));
	return out;
}

static int64_t
us_since_1970(const char *ts)
{
	struct logline_value value = {
		.s = ts, .len = strlen(ts), .text = true
	};

	return logline_time(&value);
}

/* --- keys --- */

static void
test_find(void)
{
	struct logline_value value;

	assert_raw(LINE, "prog", "=cart-add");
	assert_raw(LINE "\n", "pid", "13123");
	assert_raw(LINE, "us", "295");
	assert_raw(LINE, "u", "(none)");
	assert_raw(LINE, "", "(none)");
	assert_raw(LINE, "cart-add", "(none)");
	assert_raw("{}", "a", "(none)");
	assert_raw("{\"\":1}", "", "1");
	assert_raw(" {\"a\":1}", "a", "(none)");
	assert_raw("{ \"a\" : 1 , \"b\" :\t\"x\" }", "b", "=x");
	assert_raw("{\"a\":true,\"b\":false,\"c\":null}", "b", "false");
	assert_raw("{\"a\":true,\"b\":false,\"c\":null}", "c", "null");
	assert_raw("{\"a\":-1.5e+3,\"b\":2}", "a", "-1.5e+3");
	/* A key with escapes is the same key. */
	assert_raw("{\"\\u0061b\":1}", "ab", "1");
	g_assert_true(find(LINE, "ts", &value));
	g_assert_false(value.escaped);
}

/* What a client wrote does not pass for a key. */
static void
test_forged(void)
{
	const char *line =
	    "{\"path\":\"/\\\",\\\"user\\\":1,\\\"x\\\":\\\"\",\"user\":7}";

	assert_raw(line, "user", "7");
	assert_raw(line, "x", "(none)");
	g_assert_cmpstr(text(line, "path"), ==, "/\",\"user\":1,\"x\":\"");
	assert_raw("{\"path\":\"\\\\\",\"user\":7}", "user", "7");
	assert_raw(
	    "{\"path\":\"\\\\\\\",\\\"user\\\":1\",\"b\":2}", "user", "(none)");
}

static void
test_next(void)
{
	static const char *const keys[] = { "ts", "lvl", "trace", "prog", "pid",
		"ev", "at", "name", "rows", "us" };
	const char *at = LINE, *end = at + strlen(at);
	struct logline_value key, value;

	for (size_t i = 0; i < LENGTH(keys); i++) {
		g_assert_true(logline_next(&at, end, &key, &value));
		g_assert_true(logline_is(&key, keys[i]));
	}
	g_assert_false(logline_next(&at, end, &key, &value));
	g_assert_false(logline_next(&at, end, &key, &value));
}

/* Nothing within what is nested is a key of the line. */
static void
test_nested(void)
{
	const char *line = "{\"a\":{\"b\":1,\"c\":[{\"d\":\"]}\"}]},\"e\":[],"
			   "\"f\":[1,2],\"g\":3}";
	char deep[400] = "{\"a\":";

	assert_raw(line, "a", "(none)");
	assert_raw(line, "b", "(none)");
	assert_raw(line, "d", "(none)");
	assert_raw(line, "e", "(none)");
	assert_raw(line, "g", "3");
	assert_raw("{\"a\":{\"b\":1]},\"c\":1}", "c", "(none)");
	assert_raw("{\"a\":[[1],\"c\":1}", "c", "(none)");
	memset(deep + 5, '[', 150);
	memset(deep + 155, ']', 150);
	g_strlcat(deep, ",\"b\":1}", sizeof(deep));
	assert_raw(deep, "b", "(none)");
}

static void
test_broken(void)
{
	static const char *const broken[] = { "", "\n", "{", "}", "[]", "null",
		"\"b\"", "{]", "{\"b\"}", "{\"b\":}", "{\"b\"1}", "{b:1}",
		"{\"b\":1", "{\"b\":\"1}", "{\"b\":\"1\\\"}", "{\"b\":1 2}",
		"{\"b\":\"1\"2}", "{\"b\":01}", "{\"b\":1.}", "{\"b\":.5}",
		"{\"b\":-}", "{\"b\":1e}", "{\"b\":+1}", "{\"b\":nul}",
		"{\"b\":tru}", "{\"b\":NaN}", "{\"b\":\"\\x\"}",
		"{\"b\":\"\\u12g4\"}", "{\"b\":\"\\u123\"}", "{\"b\":\"\t\"}",
		"{\"b\":\"a\nb\"}", "{,\"b\":1}", "{\"a\":1,,\"b\":1}",
		"{\"a\":1\"b\":1}", "{\"a\"::1,\"b\":1}", "x{\"b\":1}",
		"\"a\":1,\"b\":1}", "{\"a\":1}{\"b\":1}", "{{\"b\":1}}" };

	for (size_t i = 0; i < LENGTH(broken); i++) {
		struct logline_value value;

		if (find(broken[i], "b", &value))
			g_error("b is found in %s", broken[i]);
	}
}

/* Each beginning of a line, and each end, in memory of its own so that a
 * sanitizer sees who reads too far. */
static void
test_cut(void)
{
	static const char line[] =
	    "{\"a\":\"\\u00e9\\n\",\"c\":[{\"x\":\"\\\\\"}"
	    "],\"d\":-1.5e3,\"e\":true,\"b\":\"y\"}";
	size_t len = sizeof(line) - 1;
	struct logline_value value;

	g_assert_true(logline_find(line, len, "b", &value));
	for (size_t n = 0; n < len; n++) {
		char *start = g_memdup2(line, n);
		char *rest = g_memdup2(line + len - n, n);
		const char *at = start;

		g_assert_false(logline_find(start, n, "b", &value));
		g_assert_false(logline_find(rest, n, "b", &value));
		if (n)
			while (logline_next(&at, start + n, &value, &value))
				continue;
		g_free(start);
		g_free(rest);
	}
}

static void
test_nul(void)
{
	static const char line[] = "{\"a\":\"x\0y\",\"b\":1}";
	static const char key[] = "{\"a\0\":1,\"b\":2}";
	static const char hole[64];
	struct logline_value value;

	g_assert_false(logline_find(line, sizeof(line) - 1, "b", &value));
	g_assert_false(logline_find(key, sizeof(key) - 1, "b", &value));
	g_assert_false(logline_find(hole, sizeof(hole), "b", &value));
	g_assert_false(find("{\"b\":\"\\", "b", &value));
	g_assert_false(logline_find("{\"b\":\"\\\0\"}", 10, "b", &value));
}

static void
test_huge(void)
{
	size_t n = 4 << 20;
	char *value = g_strnfill(n, 'x'), *line;
	struct logline_value found;

	line = g_strdup_printf("{\"a\":\"%s\",\"b\":\"%s\\n\"}", value, value);
	g_assert_true(find(line, "b", &found));
	g_assert_cmpuint(found.len, ==, n + 2);
	g_assert_true(found.escaped);
	g_free(line);
	g_free(value);
}

/* A quote, a backslash or a control character is seen wherever it stands
 * among the eight bytes that are looked at together. */
static void
test_every_place(void)
{
	for (size_t before = 0; before < 20; before++) {
		char line[80], *x = g_strnfill(before, 'x');
		struct logline_value value;

		g_snprintf(line, sizeof(line),
		    "{\"a\":\"%s\",\"b\":\"%s\\\"%s\"}", x, x, x);
		g_assert_true(find(line, "a", &value));
		g_assert_cmpuint(value.len, ==, before);
		g_assert_false(value.escaped);
		g_assert_true(find(line, "b", &value));
		g_assert_cmpuint(value.len, ==, 2 * before + 2);
		g_assert_true(value.escaped);
		for (int c = 1; c < 256; c++) {
			if (c == '"' || c == '\\')
				continue;
			g_snprintf(line, sizeof(line),
			    "{\"a\":\"%s%c%s\",\"b\":1}", x, c, x);
			g_assert_cmpint(find(line, "b", &value), ==, c >= 0x20);
		}
		g_free(x);
	}
}

/* --- values --- */

static int64_t
whole(const char *number)
{
	struct logline_value value = { .s = number, .len = strlen(number) };

	return logline_int(&value, -77);
}

static void
test_int(void)
{
	struct logline_value quoted = { .s = "12", .len = 2, .text = true };

	g_assert_cmpint(whole("0"), ==, 0);
	g_assert_cmpint(whole("295"), ==, 295);
	g_assert_cmpint(whole("-295"), ==, -295);
	g_assert_cmpint(whole("9223372036854775807"), ==, INT64_MAX);
	g_assert_cmpint(whole("-9223372036854775808"), ==, INT64_MIN);
	g_assert_cmpint(whole("9223372036854775808"), ==, -77);
	g_assert_cmpint(whole("-9223372036854775809"), ==, -77);
	g_assert_cmpint(whole("99999999999999999999999"), ==, -77);
	g_assert_cmpint(whole("1.5"), ==, -77);
	g_assert_cmpint(whole("1e3"), ==, -77);
	g_assert_cmpint(whole("null"), ==, -77);
	g_assert_cmpint(whole("-"), ==, -77);
	g_assert_cmpint(whole(""), ==, -77);
	g_assert_cmpint(logline_int(&quoted, -77), ==, -77);
}

static int64_t
seconds(const char *number, bool is_text)
{
	struct logline_value value = {
		.s = number, .len = strlen(number), .text = is_text
	};

	return logline_us(&value, -77);
}

static void
test_us(void)
{
	g_assert_cmpint(seconds("0.001", false), ==, 1000);
	g_assert_cmpint(seconds("0.001", true), ==, 1000);
	g_assert_cmpint(seconds("12.345678", false), ==, 12345678);
	g_assert_cmpint(seconds("12.3456789", false), ==, 12345678);
	g_assert_cmpint(seconds("7", false), ==, 7000000);
	g_assert_cmpint(seconds("0.0", false), ==, 0);
	/* Two workers were asked, or none. */
	g_assert_cmpint(seconds("0.001, 0.002", true), ==, -77);
	g_assert_cmpint(seconds("", true), ==, -77);
	g_assert_cmpint(seconds("-", true), ==, -77);
	g_assert_cmpint(seconds(".5", true), ==, -77);
	g_assert_cmpint(seconds("5.", true), ==, -77);
	g_assert_cmpint(seconds("-1.5", false), ==, -77);
	g_assert_cmpint(seconds("1e3", false), ==, -77);
	g_assert_cmpint(seconds("9223372036854.775807", false), ==, INT64_MAX);
	g_assert_cmpint(seconds("9223372036854.775808", false), ==, -77);
	g_assert_cmpint(seconds("99999999999999.0", false), ==, -77);
}

static void
test_text(void)
{
	const char *line =
	    "{\"all\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"e\":\"\\u00E9\\u00e9\","
	    "\"ko\":\"\\uc11c\\uac00\",\"book\":\"\\ud83d\\uDCD6!\","
	    "\"plain\":\"\xec\x84\x9c\xea\xb0\x80\",\"n\":12}";

	g_assert_cmpstr(text(line, "all"), ==, "\"\\/\b\f\n\r\t");
	g_assert_cmpstr(text(line, "e"), ==, "\xc3\xa9\xc3\xa9");
	g_assert_cmpstr(text(line, "ko"), ==, "\xec\x84\x9c\xea\xb0\x80");
	g_assert_cmpstr(text(line, "plain"), ==, "\xec\x84\x9c\xea\xb0\x80");
	g_assert_cmpstr(text(line, "book"), ==, "\xf0\x9f\x93\x96!");
	g_assert_cmpstr(text(line, "n"), ==, "12");
}

#define BAD "\xef\xbf\xbd"

/* Half a pair is no character. */
static void
test_surrogates(void)
{
	const char *line =
	    "{\"a\":\"\\ud83d\",\"b\":\"\\udcd6x\",\"c\":\"\\ud83dx\","
	    "\"d\":\"\\ud83d\\ud83d\\udcd6\",\"e\":\"\\ud83d\\n\","
	    "\"f\":\"\\ud83d\\u0041\",\"g\":\"\\udbff\\udfff\"}";

	g_assert_cmpstr(text(line, "a"), ==, BAD);
	g_assert_cmpstr(text(line, "b"), ==, BAD "x");
	g_assert_cmpstr(text(line, "c"), ==, BAD "x");
	g_assert_cmpstr(text(line, "d"), ==, BAD "\xf0\x9f\x93\x96");
	g_assert_cmpstr(text(line, "e"), ==, BAD "\n");
	g_assert_cmpstr(text(line, "f"), ==, BAD "A");
	g_assert_cmpstr(text(line, "g"), ==, "\xf4\x8f\xbf\xbf");
}

/* Cut between characters, and always with an end. */
static void
test_text_size(void)
{
	const char *line = "{\"a\":\"x\\u00e9\xea\xb0\x80\",\"b\":\"\\u0000z\","
			   "\"c\":\"x\xea\xb0\x80\"}";
	static const size_t of_a[] = { 0, 0, 1, 1, 3, 3, 3, 6, 6 };
	static const size_t of_c[] = { 0, 0, 1, 1, 1, 4, 4, 4, 4 };
	struct logline_value a, b, c;
	char out[16];

	g_assert_true(
	    find(line, "a", &a) && find(line, "b", &b) && find(line, "c", &c));
	for (size_t size = 0; size < LENGTH(of_a); size++) {
		memset(out, '#', sizeof(out));
		g_assert_cmpuint(logline_text(&a, out, size), ==, of_a[size]);
		g_assert_cmpint(out[of_a[size]], ==, size ? '\0' : '#');
		memset(out, '#', sizeof(out));
		g_assert_cmpuint(logline_text(&c, out, size), ==, of_c[size]);
		g_assert_cmpint(out[of_c[size]], ==, size ? '\0' : '#');
	}
	g_assert_cmpuint(logline_text(&b, out, sizeof(out)), ==, 2);
	g_assert_cmpmem(out, 3, "\0z", 3);
}

static void
test_is(void)
{
	const char *line = "{\"a\":\"db.query\",\"b\":\"\\u0064b\\u002equery\","
			   "\"c\":12,\"d\":\"\",\"e\":\"\\u0000\"}";
	struct logline_value a, b, c, d, e;

	g_assert_true(find(line, "a", &a) && find(line, "b", &b) &&
	    find(line, "c", &c) && find(line, "d", &d) && find(line, "e", &e));
	g_assert_true(logline_is(&a, "db.query"));
	g_assert_true(logline_is(&b, "db.query"));
	g_assert_false(logline_is(&a, "db.quer"));
	g_assert_false(logline_is(&a, "db.queryx"));
	g_assert_false(logline_is(&b, "db.quer"));
	g_assert_false(logline_is(&b, "db.queryx"));
	g_assert_false(logline_is(&b, ""));
	g_assert_false(logline_is(&c, "12"));
	g_assert_true(logline_is(&d, ""));
	g_assert_false(logline_is(&e, ""));
}

/* --- times --- */

static void
test_time(void)
{
	static const char *const none[] = { "", "2026-11-21",
		"2026-11-21T18:26:22Z", "2026-11-21T18:26:22.1Z",
		"2026-11-21T18:26:22.1234Z", "2026-11-21T18:26:22.123456",
		"2026-11-21 18:26:22.123Z", "2026-13-21T18:26:22.123Z",
		"2026-11-32T18:26:22.123Z", "2026-11-21T24:26:22.123Z",
		"2026-11-21T18:60:22.123Z", "2026-11-21T18:26:61.123Z",
		"2026-11-21T18:26:22.12xZ", "2026-11-21T18:26:22.123456789Z",
		"1969-12-31T23:59:59.999Z", "-026-11-21T18:26:22.123Z" };
	struct logline_value number = { .s = "20261121182622123456789012",
		.len = 24 };

	g_assert_cmpint(us_since_1970("1970-01-01T00:00:00.000001Z"), ==, 1);
	g_assert_cmpint(us_since_1970("2026-11-21T18:26:22.196Z"), ==,
	    INT64_C(1795285582196000));
	g_assert_cmpint(us_since_1970("2026-11-21T18:26:22.196489Z"), ==,
	    INT64_C(1795285582196489));
	for (size_t i = 0; i < LENGTH(none); i++)
		g_assert_cmpint(us_since_1970(none[i]), ==, 0);
	g_assert_cmpint(logline_time(&number), ==, 0);
}

/* Each day of 400 years, as the C library has it. */
static void
test_calendar(void)
{
	for (int64_t day = 1; day < 146097 + 10; day++) {
		time_t then = day * 86400 + 3661;
		char ts[64];
		struct tm tm;

		gmtime_r(&then, &tm);
		strftime(ts, sizeof(ts), "%Y-%m-%dT%H:%M:%S.000002Z", &tm);
		if (us_since_1970(ts) != then * 1000000 + 2)
			g_error("%s is read as another time", ts);
	}
}

/* What buf_json() writes is read back as it was. */
static void
test_round_trip(void)
{
	GRand *rand = g_rand_new_with_seed(670);
	struct buf line = BUF_INIT(1 << 16);

	for (int round = 0; round < 20000; round++) {
		char in[64], out[64];
		size_t len = (size_t)g_rand_int_range(rand, 0, sizeof(in));
		struct logline_value value;

		for (size_t i = 0; i < len; i++)
			in[i] = (char)g_rand_int_range(rand, 0, 128);
		buf_reset(&line);
		buf_str(&line, "{\"a\":\"");
		buf_json(&line, in, len);
		buf_str(&line, "\",\"b\":1}\n");
		g_assert_true(logline_find(line.data, line.len, "b", &value));
		g_assert_true(logline_find(line.data, line.len, "a", &value));
		g_assert_cmpuint(
		    logline_text(&value, out, sizeof(out)), ==, len);
		g_assert_cmpmem(out, len, in, len);
	}
	buf_free(&line);
	g_rand_free(rand);
}

/* A gigabyte has five million lines: each may cost a microsecond, not ten.
 * (Sanitizers and valgrind take longer, and a busy machine may.) */
static void
test_speed(void)
{
	int64_t best = INT64_MAX;
	struct logline_value value;

	for (int round = 0; round < 20; round++) {
		int64_t begin = log_now();

		for (int i = 0; i < 1000; i++)
			g_assert_true(find(LINE, "us", &value));
		best = MIN(best, log_now() - begin);
	}
	g_test_message("%.3f us a line", (double)best / 1000);
	g_assert_cmpint(best, <, 50000);
}

static void
test_find_all(void)
{
	static const char *const keys[] = { "b", "none", "a" };
	static const char line[] = "{\"a\":1,\"x\":\"y\",\"b\":\"two\"}\n";
	struct logline_value v[LENGTH(keys)];

	g_assert_true(
	    logline_find_all(line, strlen(line), keys, LENGTH(keys), v));
	g_assert_true(logline_is(&v[0], "two"));
	g_assert_null(v[1].s);
	g_assert_cmpint(logline_int(&v[2], 0), ==, 1);
	g_assert_false(
	    logline_find_all(line, strlen(line) - 2, keys, LENGTH(keys), v));
	g_assert_null(v[0].s);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/logline/find", test_find);
	g_test_add_func("/logline/forged", test_forged);
	g_test_add_func("/logline/next", test_next);
	g_test_add_func("/logline/nested", test_nested);
	g_test_add_func("/logline/broken", test_broken);
	g_test_add_func("/logline/cut", test_cut);
	g_test_add_func("/logline/nul", test_nul);
	g_test_add_func("/logline/huge", test_huge);
	g_test_add_func("/logline/every-place", test_every_place);
	g_test_add_func("/logline/int", test_int);
	g_test_add_func("/logline/us", test_us);
	g_test_add_func("/logline/text", test_text);
	g_test_add_func("/logline/surrogates", test_surrogates);
	g_test_add_func("/logline/text-size", test_text_size);
	g_test_add_func("/logline/is", test_is);
	g_test_add_func("/logline/time", test_time);
	g_test_add_func("/logline/calendar", test_calendar);
	g_test_add_func("/logline/round-trip", test_round_trip);
	g_test_add_func("/logline/speed", test_speed);
	g_test_add_func("/logline/find-all", test_find_all);
	return g_test_run();
}
