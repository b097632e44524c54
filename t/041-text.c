/* lib/text: what is the same to a search, and what is not. */
#include "../lib/text.h"

#include <glib.h>

static struct arena *arena;

static void
test_fold(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "Quiet Sea", "quiet sea" },
		{ "  Quiet\t\n sea  ", "quiet sea" },
		{ "CAFÉ", "cafe" },
		{ "Cafe\u0301", "cafe" },
		{ "Straße", "strasse" },
		{ "ＡＢＣ１２３", "abc123" },
		{ "해적", "해적" },
		{ "\u1112\u1162\u110c\u1165\u11a8", "해적" },
		{ "ﬁne", "fine" },
		{ "a\u3000b", "a b" },
		{ "don't", "dont" },
		{ "don’t", "dont" },
		{ "Mixed-Up (Files)", "mixed up files" },
		{ "--- % _ \\ * \" ' ;", "" },
		{ "50%", "50" },
		{ "한국·중국", "한국 중국" },
		{ "C++", "c++" },
		{ "C++ Primer", "c++ primer" },
		{ "C#, F#", "c# f#" },
		{ "A+", "a+" },
		{ "sea+land", "sea land" },
		{ "+ #", "" },
		{ "c+++++", "c++" },
		{ "漢字", "漢字" },
		{ "📚", "" },
		{ "x\u200by", "xy" },
		{ "ㅎㅈ", "\u1112\u110c" },
		{ "Ⅷ", "viii" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpstr(text_fold(arena, cases[i][0]), ==, cases[i][1]);
}

/* Folded once is folded for good: an index can be read back. */
static void
test_fold_again(void)
{
	static const char *const texts[] = { "C++ & C#", "Straße, CAFÉ",
		"조용한 바다 12권", "ＡＢＣ", "ㅋㅋ 해ㅈ", "İstanbul", "ﬃ" };

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		const char *once = text_fold(arena, texts[i]);

		g_assert_cmpstr(text_fold(arena, once), ==, once);
	}
}

static void
test_fold_long(void)
{
	char *text = g_strnfill(5000, 'x');
	const char *folded = text_fold(arena, text);

	g_assert_cmpuint(strlen(folded), <=, TEXT_FOLD_MAX);
	g_assert_cmpuint(strlen(folded), >, TEXT_FOLD_MAX - 5);
	g_free(text);
}

static void
test_initials(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "해적", "sm" },
		{ "가까", "ab" },
		{ "ㅎㅈ", "sm" },
		{ "해ㅈ", "sm" },
		{ "바다12권", "hd..a" },
		{ "sea", "..." },
		{ "漢字", ".." },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpstr(
		    text_initials(arena, text_fold(arena, cases[i][0])), ==,
		    cases[i][1]);
	g_assert_true(text_has_initial(text_fold(arena, "해ㅈ")));
	g_assert_false(text_has_initial(text_fold(arena, "해적 sea ㅏ")));
}

static void
test_grams(void)
{
	static const struct {
		const char *text, *gram;
		bool whole;
	} cases[] = {
		{ "", "", false },
		{ "a", "a", false },
		{ "sea", "sea", true },
		{ "seat", "sea", true },
		{ "바", "바", false },
		{ "바다이야기", "바다", true },
		{ "1권a", "1권a", true },
		{ "권1a", "권1", true },
		{ "𠀀𠀁", "𠀀𠀁", true },
	};
	char gram[TEXT_GRAM_SIZE];
	bool whole;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		text_gram(cases[i].text, gram, &whole);
		g_assert_cmpstr(gram, ==, cases[i].gram);
		g_assert_cmpint(whole, ==, cases[i].whole);
	}
	g_assert_cmpuint(text_gram("바다", gram, &whole), ==, 3);
	g_assert_cmpuint(text_gram("", gram, &whole), ==, 0);
	g_assert_cmpuint(text_initials_gram("smxyz", gram, &whole), ==, 1);
	g_assert_cmpstr(gram, ==, "\1smx");
	g_assert_true(whole);
	text_initials_gram("sm.yz", gram, &whole);
	g_assert_cmpstr(gram, ==, "\1sm");
	g_assert_false(whole);
	g_assert_cmpuint(text_initials_gram(".yz", gram, &whole), ==, 1);
	g_assert_cmpstr(gram, ==, "");
}

static void
test_distance(void)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} cases[] = {
		{ "", "", 0 },
		{ "orwell", "orwell", 0 },
		{ "orwel", "orwell", 1 },
		{ "goerge", "george", 1 },
		{ "해적", "헤적", 1 }, /* a vowel */
		{ "해적", "해저", 1 }, /* a final consonant */
		{ "해적", "sea", 5 },
		{ "", "abc", 3 },
	};
	char *text = g_strnfill(65, 'x');
	size_t letters;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_cmpuint(text_distance(cases[i].a, cases[i].b, NULL),
		    ==, cases[i].distance);
		g_assert_cmpuint(text_distance(cases[i].b, cases[i].a, NULL),
		    ==, cases[i].distance);
	}
	text_distance("해적", "", &letters);
	g_assert_cmpuint(letters, ==, 5);
	g_assert_true(text_distance(text, "x", NULL) == SIZE_MAX);
	g_assert_true(text_distance("x", text, NULL) == SIZE_MAX);
	g_assert_cmpuint(text_distance(text + 1, "", NULL), ==, 64);
	g_free(text);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	arena = arena_open(1 << 20);
	g_test_add_func("/text/fold", test_fold);
	g_test_add_func("/text/fold-again", test_fold_again);
	g_test_add_func("/text/fold-long", test_fold_long);
	g_test_add_func("/text/initials", test_initials);
	g_test_add_func("/text/grams", test_grams);
	g_test_add_func("/text/distance", test_distance);
	status = g_test_run();
	arena_close(arena);
	return status;
}
