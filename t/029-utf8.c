/* lib/utf8: every character, every malformed form, trimming, one line. */
#include "../lib/utf8.h"

#include <glib.h>

/* GLib's validator, written by others, is the judge; it refuses NUL. */
static void
test_all_characters(void)
{
	char s[8];
	uint32_t want, got = 0;
	size_t len;

	for (want = 1; want <= 0x10ffff; want++) {
		len = (size_t)g_unichar_to_utf8(want, s);
		if (utf8_valid(s, len) != g_utf8_validate(s, (gssize)len, NULL))
			g_error("U+%04X", want);
		if (utf8_next(s, len, &got) == 0)
			continue;
		if (got != want || utf8_next(s, len, &got) != len ||
		    utf8_count(s, len) != 1)
			g_error("U+%04X is read as U+%04X", want, got);
	}
	g_assert_cmpuint(got, ==, 0x10ffff);
}

static void
test_all_short_sequences(void)
{
	unsigned i, good = 0;
	char s[3];

	for (i = 0; i < 1U << 24; i++) {
		s[0] = (char)(i >> 16);
		s[1] = (char)(i >> 8);
		s[2] = (char)i;
		if (!s[0] || !s[1] || !s[2])
			continue;
		if (utf8_valid(s, 3) != g_utf8_validate(s, 3, NULL))
			g_error("bytes %06x", i);
		good += utf8_valid(s, 3);
	}
	g_assert_cmpuint(good, >, 2000000);
}

static void
test_malformed(void)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc3",
		"\xc3(",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xe2\x82",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xfe",
		"\xff",
		"\xed\x95\x9c\xea\xb8",
		"\xb0\xa1",
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_test_message("%zu", i);
		g_assert_false(utf8_valid(bad[i], strlen(bad[i])));
		g_assert_false(utf8_one_line(bad[i], strlen(bad[i])));
	}
	g_assert_true(utf8_valid("", 0));
	g_assert_true(utf8_valid("a\0b", 3));
	g_assert_cmpuint(utf8_count("책 한 권", strlen("책 한 권")), ==, 5);
}

static void
test_one_line(void)
{
	static const char *const good[] = {
		"",
		"서가",
		"a b",
		"é",
		"\u00a0",
		"e\u0301",
		"👩‍👧",
		"עברית",
		"\U000e0067",
		"\u200d",
		"가\u3000나",
	};
	static const char *const bad[] = {
		"\t",
		"a\nb",
		"\r",
		"\x1b[1m",
		"\x7f",
		"\xc2\x85",
		"\u200b",
		"\u2028",
		"\u2029",
		"\u202a",
		"\u202e",
		"\u2066",
		"\u2069",
		"\u2060",
		"\ufeff",
		"\ufdd0",
		"\ufffe",
		"\uffff",
		"\U0010ffff",
		"\u3164",
		"\uffa0",
		"\ufff9",
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(good); i++) {
		g_test_message("good %zu", i);
		g_assert_true(utf8_one_line(good[i], strlen(good[i])));
	}
	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_test_message("bad %zu", i);
		g_assert_true(utf8_valid(bad[i], strlen(bad[i])));
		g_assert_false(utf8_one_line(bad[i], strlen(bad[i])));
	}
	g_assert_false(utf8_one_line("a\0b", 3));
}

static void
test_trim(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ " ", "" },
		{ "\u3000\u3000", "" },
		{ "a", "a" },
		{ " a b ", "a b" },
		{ "\r\n a\t", "a" },
		{ "\u3000한글\u00a0", "한글" },
		{ "한", "한" },
		{ "\u2003x\u2003\u200a", "x" },
		{ "é ", "é" },
	};
	size_t i, len;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *s = cases[i][0];

		len = strlen(s);
		utf8_trim(&s, &len);
		g_assert_cmpmem(s, len, cases[i][1], strlen(cases[i][1]));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/utf8/every-character", test_all_characters);
	g_test_add_func("/utf8/every-3-bytes", test_all_short_sequences);
	g_test_add_func("/utf8/malformed", test_malformed);
	g_test_add_func("/utf8/one-line", test_one_line);
	g_test_add_func("/utf8/trim", test_trim);
	return g_test_run();
}
