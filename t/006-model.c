/* Tests of model: JSON trees written as text. */
#include <glib.h>

#include "model.h"

static void
check(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
	struct buf b = BUF_INIT(1 << 20);

	g_assert_nonnull(value);
	model_write(value, &b);
	g_assert_cmpstr(b.data, ==, text);
	buf_free(&b);
	json_decref(value);
}

static void
test_values(void)
{
	check("null");
	check("true");
	check("false");
	check("0");
	check("-9223372036854775808");
	check("9223372036854775807");
	check("1.5");
	check("\"\"");
	check("\"plain 서가 \\\"quoted\\\" \\\\ \\n\\t\\u0001\"");
}

static void
test_containers(void)
{
	check("[]");
	check("{}");
	check("[[],{},[null]]");
	check("{\"z\":1,\"a\":{\"b\":[1,2,3]},\"\":\"\",\"\\\"\":false}");
}

/* What comes out is what jansson reads again, whatever was in the text. */
static void
test_every_character(void)
{
	for (unsigned c = 0; c < 0x250; c++) {
		char text[8] = "", *end = text;
		struct buf b = BUF_INIT(100);
		json_t *value, *again;

		end += g_unichar_to_utf8(c, end);
		value = json_stringn(text, (size_t)(end - text));
		model_write(value, &b);
		again = json_loadb(
		    b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		g_assert_true(json_equal(value, again));
		json_decref(value);
		json_decref(again);
		buf_free(&b);
	}
}

static void
test_maximum(void)
{
	json_t *value = json_pack("[s]", "0123456789");
	struct buf b = BUF_INIT(5);

	model_write(value, &b);
	g_assert_true(b.over);
	g_assert_cmpuint(b.len, <=, 5);
	buf_free(&b);
	json_decref(value);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/model/values", test_values);
	g_test_add_func("/model/containers", test_containers);
	g_test_add_func("/model/every-character", test_every_character);
	g_test_add_func("/model/maximum", test_maximum);
	return g_test_run();
}
