/* lib/lang: which language a reader gets, and that both are there. */
#include "../lib/lang.h"

#include <errno.h>
#include <glib.h>
#include <locale.h>

static void
test_codes(void)
{
	g_assert_cmpstr(lang_code(LANG_KO), ==, "ko");
	g_assert_cmpstr(lang_code(LANG_EN), ==, "en");
	g_assert_cmpint(lang_from_code("ko"), ==, LANG_KO);
	g_assert_cmpint(lang_from_code("en"), ==, LANG_EN);
	g_assert_cmpint(lang_from_code("EN"), ==, LANG_COUNT);
	g_assert_cmpint(lang_from_code("en-US"), ==, LANG_COUNT);
	g_assert_cmpint(lang_from_code("de"), ==, LANG_COUNT);
	g_assert_cmpint(lang_from_code(""), ==, LANG_COUNT);
	g_assert_cmpint(lang_from_code(NULL), ==, LANG_COUNT);
}

static void
test_accept_language(void)
{
	static const struct {
		const char *header;
		enum lang lang;
	} cases[] = {
		{ NULL, LANG_KO },
		{ "", LANG_KO },
		{ "ko", LANG_KO },
		{ "en", LANG_EN },
		{ "EN", LANG_EN },
		{ "en-US,en;q=0.9", LANG_EN },
		{ "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", LANG_KO },
		{ "en-US,en;q=0.9,ko-KR;q=0.8,ko;q=0.7", LANG_EN },
		{ "ko;q=0.3,en;q=0.7", LANG_EN },
		{ "en;q=0.3,ko;q=0.7", LANG_KO },
		{ "en;Q=0.3,ko;Q=0.7", LANG_KO },
		{ "en, ko", LANG_EN },
		{ "ko, en", LANG_KO },
		{ "en;q=0.5,ko;q=0.5", LANG_EN },
		{ "en;q=0.500,ko;q=0.501", LANG_KO },
		{ "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", LANG_EN },
		{ "de,fr;q=0.9", LANG_KO },
		{ "de,en;q=0.001", LANG_EN },
		{ "\ten ; q=0.2 ,\t ko ; q=0.1", LANG_EN },

		/* q=0: anything but that. */
		{ "en;q=0", LANG_KO },
		{ "en;q=0.000,ko;q=0.1", LANG_KO },
		{ "ko;q=0,en;q=0.1", LANG_EN },
		{ "ko;q=0,en", LANG_EN },
		{ "ko;q=0", LANG_KO },

		/* The star: any language that is not named. */
		{ "*", LANG_KO },
		{ "en,*", LANG_EN },
		{ "*,en", LANG_EN },
		{ "en;q=0.5,*", LANG_KO },
		{ "en,*;q=0.5", LANG_EN },
		{ "ko;q=0,*", LANG_EN },
		{ "ko;q=0.1,*;q=0.5", LANG_EN },
		{ "ko;q=0,en;q=0,*", LANG_KO },
		{ "*;q=0", LANG_KO },
		{ "*;q=0,en;q=0.1", LANG_EN },

		/* Rubbish counts for nothing, and harms nothing. */
		{ ",,,,", LANG_KO },
		{ ",,en,,", LANG_EN },
		{ ";", LANG_KO },
		{ "e", LANG_KO },
		{ "eng", LANG_KO },
		{ "english", LANG_KO },
		{ "en_US", LANG_KO },
		{ "xen", LANG_KO },
		{ "-en", LANG_KO },
		{ "en;q=2,ko;q=0.1", LANG_KO },
		{ "en;q=-1,ko;q=0.1", LANG_KO },
		{ "en;q=nan,ko;q=0.1", LANG_KO },
		{ "en;q=inf,ko;q=0.1", LANG_KO },
		{ "en;q=x,ko;q=0.1", LANG_KO },
		{ "en;q=,ko;q=0.1", LANG_KO },
		{ "en;q=1e999,ko;q=0.1", LANG_KO },
		{ "\xff\xfe,en", LANG_EN },
		{ "한국어", LANG_KO },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("case %zu", i);
		g_assert_cmpint(
		    lang_from_header(cases[i].header), ==, cases[i].lang);
	}
}

static void
test_long_header(void)
{
	GString *header = g_string_new("de");
	int i;

	for (i = 0; i < 20000; i++)
		g_string_append_printf(header, ",x%d;q=0.%d", i, i % 1000);
	g_assert_cmpint(lang_from_header(header->str), ==, LANG_KO);
	g_string_append(header, ",en;q=0.001");
	g_assert_cmpint(lang_from_header(header->str), ==, LANG_EN);
	g_string_free(header, TRUE);
}

/* Tests run in the folder of the build, where make puts the catalogue. */
static bool
open_catalogue(void)
{
	const char *build = g_getenv("SEOGA_BUILD");
	char *dir = g_build_filename(build ? build : ".", "locale", NULL);
	char *file = g_build_filename(dir, "ko/LC_MESSAGES/seoga.mo", NULL);
	bool there = g_file_test(file, G_FILE_TEST_EXISTS);

	lang_open(dir);
	g_free(file);
	g_free(dir);
	if (!there)
		g_test_skip("no catalogue: make it first");
	return there;
}

static void
test_switching(void)
{
	int i;

	if (!open_catalogue())
		return;
	for (i = 0; i < 3; i++) {
		lang_use(LANG_KO);
		g_assert_cmpstr(lang_text("Search"), ==, "검색");
		g_assert_cmpstr(_("Cart"), ==, "장바구니");
		lang_use(LANG_EN);
		lang_use(LANG_EN);
		g_assert_cmpstr(lang_text("Search"), ==, "Search");
	}
	lang_use(LANG_KO);
	g_assert_cmpstr(lang_text("No such text 1"), ==, "No such text 1");
	g_assert_cmpstr(lang_lookup(""), ==, "");
	g_assert_cmpstr(N_("Search"), ==, "Search");
	lang_use(LANG_EN);
}

/* The reader's language changes words, never numbers. */
static void
test_numbers(void)
{
	char text[16];

	lang_open("/nowhere");
	lang_use(LANG_KO);
	g_snprintf(text, sizeof(text), "%.1f", 1.5);
	g_assert_cmpstr(text, ==, "1.5");
	g_assert_cmpstr(setlocale(LC_NUMERIC, NULL), ==, "C");
	g_assert_cmpstr(lang_lookup("Search"), ==, "Search");
}

/* Nor those of the system, which go to the log. */
static void
test_system_words(void)
{
	lang_open("/nowhere");
	for (int i = 0; i < LANG_COUNT; i++) {
		lang_use((enum lang)i);
		g_assert_cmpstr(
		    strerror(ENOENT), ==, "No such file or directory");
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/lang/codes", test_codes);
	g_test_add_func("/lang/accept-language", test_accept_language);
	g_test_add_func("/lang/long-header", test_long_header);
	g_test_add_func("/lang/switching", test_switching);
	g_test_add_func("/lang/numbers", test_numbers);
	g_test_add_func("/lang/system-words", test_system_words);
	return g_test_run();
}
