/* lib/buf: growth up to a maximum, numbers, and every escaper. */
#include "../lib/buf.h"

#include <glib.h>
#include <jansson.h>

static void
test_growth(void)
{
	struct buf b = BUF_INIT(100000);
	int i;

	g_assert_null(b.data);
	for (i = 0; i < 100000; i++)
		buf_char(&b, (char)('a' + i % 26));
	g_assert_false(b.over);
	g_assert_cmpuint(b.len, ==, 100000);
	for (i = 0; i < 100000 && b.data[i] == 'a' + i % 26; i++)
		;
	g_assert_cmpint(i, ==, 100000);
	g_assert_cmpint(b.data[b.len], ==, '\0');
	buf_free(&b);
	g_assert_null(b.data);
	g_assert_cmpuint(b.max, ==, 100000);
}

static void
test_maximum(void)
{
	struct buf b = BUF_INIT(5);

	buf_str(&b, "abc");
	buf_add(&b, "", 0);
	buf_str(&b, "de");
	g_assert_cmpstr(b.data, ==, "abcde");
	g_assert_false(b.over);
	buf_add(&b, "", 0);
	g_assert_false(b.over);
	buf_char(&b, 'f');
	g_assert_true(b.over);
	g_assert_cmpstr(b.data, ==, "abcde");

	buf_reset(&b);
	g_assert_false(b.over);
	g_assert_cmpstr(b.data, ==, "");
	buf_str(&b, "abc");
	buf_str(&b, "too long");
	g_assert_true(b.over);
	/* What would fit is not added behind a hole. */
	buf_char(&b, 'd');
	buf_int(&b, 1);
	buf_printf(&b, "%d", 1);
	g_assert_cmpstr(b.data, ==, "abc");
	g_assert_cmpuint(b.len, ==, 3);
	buf_reset(&b);
	buf_printf(&b, "%s", "123456");
	g_assert_true(b.over);
	g_assert_cmpuint(b.len, ==, 0);
	buf_reset(&b);
	buf_add(&b, "abc", SIZE_MAX);
	g_assert_true(b.over);
	buf_free(&b);
	buf_reset(&b);
	g_assert_null(b.data);
}

static void
test_reset_keeps_memory(void)
{
	struct buf b = BUF_INIT(10000);
	char *data;

	buf_printf(&b, "%9000d", 1);
	data = b.data;
	buf_reset(&b);
	buf_printf(&b, "%9000d", 2);
	g_assert_true(b.data == data);
	buf_free(&b);
}

static void
test_nul_bytes(void)
{
	struct buf b = BUF_INIT(100);

	buf_add(&b, "a\0b", 3);
	buf_char(&b, '\0');
	g_assert_cmpmem(b.data, b.len + 1, "a\0b\0", 5);
	buf_free(&b);
}

static void
test_numbers(void)
{
	static const int64_t numbers[] = { 0, 1, -1, 9, 10, -10, 99, 100,
		INT32_MAX, INT32_MIN, (int64_t)INT32_MAX + 1, INT64_MAX,
		INT64_MIN, INT64_MIN + 1 };
	struct buf b = BUF_INIT(100);
	char want[24];
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
		buf_reset(&b);
		buf_int(&b, numbers[i]);
		g_snprintf(want, sizeof(want), "%" G_GINT64_FORMAT, numbers[i]);
		g_assert_cmpstr(b.data, ==, want);
	}
	buf_free(&b);
}

static void
test_printf(void)
{
	struct buf b = BUF_INIT(1000);

	buf_printf(&b, "%s", "");
	g_assert_cmpstr(b.data, ==, "");
	buf_printf(&b, "%s=%d;", "서가", 7);
	buf_printf(&b, "%500s", "x");
	g_assert_cmpuint(b.len, ==, 509);
	g_assert_true(g_str_has_prefix(b.data, "서가=7;  "));
	buf_free(&b);
}

typedef void escape_fn(struct buf *b, const char *s, size_t len);

/* The escaped form of one byte between two letters. */
static const char *
escaped(struct buf *b, escape_fn *escape, int byte)
{
	char s[3] = { 'a', (char)byte, 'z' };

	buf_reset(b);
	escape(b, s, 3);
	g_assert_cmpint(b->data[0], ==, 'a');
	g_assert_cmpint(b->data[b->len - 1], ==, 'z');
	b->data[b->len - 1] = '\0';
	return b->data + 1;
}

static void
test_html(void)
{
	static const struct {
		char c;
		const char *escape;
	} specials[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" } };
	struct buf b = BUF_INIT(1000);
	int c;
	size_t i;

	for (c = 0; c < 256; c++) {
		const char *got = escaped(&b, buf_html, c);

		for (i = 0; i < 5 && specials[i].c != c; i++)
			;
		if (i < 5)
			g_assert_cmpstr(got, ==, specials[i].escape);
		else
			g_assert_cmpmem(got, b.len - 2, &c, 1);
	}
	buf_reset(&b);
	buf_html(&b, "<<&>>", 5);
	buf_html(&b, "", 0);
	buf_html(&b, "서\0가", 7);
	g_assert_cmpmem(b.data, b.len, "&lt;&lt;&amp;&gt;&gt;서\0가", 28);
	buf_free(&b);
}

static void
test_url(void)
{
	struct buf b = BUF_INIT(1000);
	char want[4];
	int c;

	for (c = 0; c < 256; c++) {
		bool plain =
		    c < 128 && (g_ascii_isalnum(c) || (c && strchr("-._~", c)));

		g_snprintf(want, sizeof(want), plain ? "%c" : "%%%02X", c);
		g_assert_cmpstr(escaped(&b, buf_url, c), ==, want);
	}
	buf_reset(&b);
	buf_url(&b, "서 가/?", strlen("서 가/?"));
	g_assert_cmpstr(b.data, ==, "%EC%84%9C%20%EA%B0%80%2F%3F");
	buf_free(&b);
}

static void
test_json_bytes(void)
{
	static const struct {
		char c;
		const char *escape;
	} shorts[] = { { '"', "\\\"" }, { '\\', "\\\\" }, { '\n', "\\n" },
		{ '\r', "\\r" }, { '\t', "\\t" } };
	struct buf b = BUF_INIT(1000);
	char want[7];
	int c;
	size_t i;

	for (c = 0; c < 256; c++) {
		bool plain = c >= 0x20 && c < 0x7f;

		g_snprintf(want, sizeof(want), plain ? "%c" : "\\u%04x", c);
		for (i = 0; i < 5; i++) {
			if (shorts[i].c == c)
				g_snprintf(
				    want, sizeof(want), "%s", shorts[i].escape);
		}
		g_assert_cmpstr(escaped(&b, buf_json, c), ==, want);
	}
	buf_free(&b);
}

/* What stays as it is, and what is not UTF-8: each byte becomes \u00XX. */
static void
test_json_sequences(void)
{
	static const char *const valid[] = { "é", "\xc2\xa0", "\xdf\xbf",
		"\xe0\xa0\x80", "서가", "\xed\x9f\xbf", "\xee\x80\x80",
		"\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "📚" };
	static const struct {
		const char *text, *escape;
	} invalid[] = {
		{ "\xc0\x80", "\\u00c0\\u0080" },
		{ "\xc1\xbf", "\\u00c1\\u00bf" },
		{ "\xe0\x9f\xbf", "\\u00e0\\u009f\\u00bf" },
		{ "\xed\xa0\x80", "\\u00ed\\u00a0\\u0080" },
		{ "\xf0\x8f\xbf\xbf", "\\u00f0\\u008f\\u00bf\\u00bf" },
		{ "\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080" },
		{ "\xf5\x80\x80\x80", "\\u00f5\\u0080\\u0080\\u0080" },
		{ "\xec\x84", "\\u00ec\\u0084" },
		{ "\xec\x84x", "\\u00ec\\u0084x" },
		{ "\xec\xec\x84\x9c", "\\u00ec서" },
		{ "서\x84", "서\\u0084" },
		{ "\xff\xfe", "\\u00ff\\u00fe" },
		/* UTF-8, but terminals or readers of lines would obey it. */
		{ "\xc2\x80\xc2\x9f", "\\u0080\\u009f" },
		{ "\xe2\x80\xa7\xe2\x80\xa8", "\xe2\x80\xa7\\u2028" },
		{ "\xe2\x80\xa9\xe2\x80\xaa", "\\u2029\xe2\x80\xaa" },
	};
	struct buf b = BUF_INIT(1000);
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(valid); i++) {
		buf_reset(&b);
		buf_json(&b, valid[i], strlen(valid[i]));
		g_assert_cmpstr(b.data, ==, valid[i]);
	}
	for (i = 0; i < G_N_ELEMENTS(invalid); i++) {
		buf_reset(&b);
		buf_json(&b, invalid[i].text, strlen(invalid[i].text));
		g_assert_cmpstr(b.data, ==, invalid[i].escape);
	}
	buf_free(&b);
}

/* jansson judges: whatever goes in, one line of valid JSON comes out, and
 * valid UTF-8 comes back as it was. */
static void
test_json_random(void)
{
	struct buf b = BUF_INIT(10000);
	char s[24];
	size_t len, i;
	int n;

	for (n = 0; n < 20000; n++) {
		json_t *back;

		len = (size_t)g_test_rand_int_range(0, sizeof(s));
		for (i = 0; i < len; i++)
			s[i] = (char)g_test_rand_int_range(0, 256);
		buf_reset(&b);
		buf_char(&b, '"');
		buf_json(&b, s, len);
		buf_char(&b, '"');
		back = json_loadb(
		    b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		g_assert_nonnull(back);
		g_assert_null(memchr(b.data, '\n', b.len));
		if (back && g_utf8_validate(s, (gssize)len, NULL))
			g_assert_cmpmem(json_string_value(back),
			    json_string_length(back), s, len);
		json_decref(back);
	}
	buf_free(&b);
}

static void
test_escapers_at_maximum(void)
{
	static escape_fn *const escapers[] = { buf_html, buf_url, buf_json };
	size_t max, i;

	for (i = 0; i < G_N_ELEMENTS(escapers); i++) {
		for (max = 0; max < 7; max++) {
			struct buf b = BUF_INIT(max);

			escapers[i](&b, "a\"b\"c", 5);
			g_assert_true(b.over);
			g_assert_cmpuint(b.len, <=, max);
			if (b.len)
				g_assert_cmpuint(strlen(b.data), ==, b.len);
			buf_free(&b);
		}
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/buf/growth", test_growth);
	g_test_add_func("/buf/maximum", test_maximum);
	g_test_add_func("/buf/reset-keeps-memory", test_reset_keeps_memory);
	g_test_add_func("/buf/nul-bytes", test_nul_bytes);
	g_test_add_func("/buf/numbers", test_numbers);
	g_test_add_func("/buf/printf", test_printf);
	g_test_add_func("/buf/html", test_html);
	g_test_add_func("/buf/url", test_url);
	g_test_add_func("/buf/json-bytes", test_json_bytes);
	g_test_add_func("/buf/json-sequences", test_json_sequences);
	g_test_add_func("/buf/json-random", test_json_random);
	g_test_add_func("/buf/escapers-at-maximum", test_escapers_at_maximum);
	return g_test_run();
}
