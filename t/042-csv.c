/* lib/csv: RFC 4180 and what else comes along; lib/isbn. */
#include "../lib/csv.h"
#include "../lib/isbn.h"

#include <glib.h>

/* A file that gives `step` bytes at a time. */
struct source {
	const char *s;
	size_t len, step;
	bool broken;
};

static ssize_t
read_source(void *arg, void *data, size_t size)
{
	struct source *source = arg;
	size_t n = MIN(MIN(size, source->step), source->len);

	if (n == 0)
		return source->broken ? -1 : 0;
	memcpy(data, source->s, n);
	source->s += n;
	source->len -= n;
	return (ssize_t)n;
}

/* All rows in one text: "1:a|b", errors as "1!...". */
static char *
read_rows(const char *text, size_t len, size_t step)
{
	struct source source = { text, len, step, false };
	struct csv *csv = csv_open(read_source, &source);
	GString *out = g_string_new("");
	struct csv_row row;
	int rc;

	while ((rc = csv_next(csv, &row)) != RC_NOT_FOUND) {
		if (rc < 0) {
			g_string_append_printf(
			    out, "%zu!%s\n", row.line, row.error);
			continue;
		}
		g_string_append_printf(out, "%zu:", row.line);
		for (size_t i = 0; i < row.n; i++) {
			g_assert_cmpuint(
			    row.fields[i].s[row.fields[i].len], ==, 0);
			g_string_append_printf(
			    out, "%s%s", i ? "|" : "", row.fields[i].s);
		}
		g_string_append_c(out, '\n');
	}
	csv_close(csv);
	return g_string_free(out, FALSE);
}

static void
test_rows(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "a,b\r\nc,d\r\n", "1:a|b\n2:c|d\n" },
		{ "a,b\nc,d", "1:a|b\n2:c|d\n" },
		{ "a\rb\rc", "1:a\n2:b\n3:c\n" },
		{ "\xef\xbb\xbf"
		  "a,b",
		    "1:a|b\n" },
		{ "\xef\xbb\xbf\"a\",b", "1:a|b\n" },
		{ "a,,\n", "1:a||\n" },
		{ ",\n", "1:|\n" },
		{ "\"\"\n", "1:\n" },
		{ "\n\r\n\na\n\n", "4:a\n" },
		{ "\"a,b\",\"c\"\"d\"", "1:a,b|c\"d\n" },
		{ "\"a\nb\r\nc\",d\ne", "1:a\nb\r\nc|d\n4:e\n" },
		{ "\"a\rb\"\rc", "1:a\rb\n3:c\n" },
		{ "a \"b\" c,5\" x\n", "1:a \"b\" c|5\" x\n" },
		{ " a , b \n", "1: a | b \n" },
		{ "\"한글, 제목\",가\n", "1:한글, 제목|가\n" },
		{ "\"a\"b,c\nd\n",
		    "1!there is text after the closing quote\n2:d\n" },
		{ "a,\"b\nc,d\ne,f\n",
		    "1!a quoted field is not closed\n2:c|d\n3:e|f\n" },
		{ "\"", "1!a quoted field is not closed\n" },
		{ "a\r\n\"b\"\r\n\"\"\"\"", "1:a\n2:b\n3:\"\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (size_t step = 1; step < 5; step++) {
			char *got =
			    read_rows(cases[i][0], strlen(cases[i][0]), step);

			g_test_message("%zu, %zu bytes at a time", i, step);
			g_assert_cmpstr(got, ==, cases[i][1]);
			g_free(got);
		}
	}
}

static void
test_nul_is_kept(void)
{
	struct source source = { "a\0b,c", 5, 5, false };
	struct csv *csv = csv_open(read_source, &source);
	struct csv_row row;

	g_assert_cmpint(csv_next(csv, &row), ==, RC_OK);
	g_assert_cmpuint(row.n, ==, 2);
	g_assert_cmpmem(row.fields[0].s, row.fields[0].len, "a\0b", 3);
	csv_close(csv);
}

static void
test_limits(void)
{
	GString *text = g_string_new("");
	char *got;

	for (int i = 0; i < CSV_FIELDS_MAX; i++)
		g_string_append(text, i ? ",x" : "x");
	got = read_rows(text->str, text->len, 4096);
	g_assert_cmpuint(strlen(got), ==, text->len + 3);
	g_free(got);
	g_string_append(text, ",x\nnext\n");
	got = read_rows(text->str, text->len, 4096);
	g_assert_cmpstr(got, ==, "1!there are too many fields\n2:next\n");
	g_free(got);

	/* The longest row, one that is longer, and one with an open quote. */
	g_string_assign(text, "");
	for (size_t i = 0; i < CSV_ROW_MAX - 1; i++)
		g_string_append_c(text, 'y');
	g_string_append(text, "\nz\n");
	got = read_rows(text->str, text->len, 100000);
	g_assert_true(g_str_has_suffix(got, "y\n2:z\n"));
	g_free(got);
	g_string_prepend(text, "0123456789");
	for (size_t i = 0; i < CSV_ROW_MAX; i++)
		g_string_prepend_c(text, 'y');
	got = read_rows(text->str, text->len, 100000);
	g_assert_cmpstr(
	    got, ==, "1!the row is too long, or a quote is not closed\n2:z\n");
	g_free(got);
	g_string_prepend(text, "a,\"b\n");
	g_string_append_printf(text, "%0*d\n", (int)CSV_ROW_MAX / 2, 0);
	got = read_rows(text->str, text->len, 100000);
	g_assert_true(g_str_has_prefix(got,
	    "1!the row is too long, or a quote is not closed\n"
	    "2!the row is too long, or a quote is not closed\n3:z\n4:000"));
	g_free(got);
	g_string_free(text, TRUE);
}

static void
test_reading_fails(void)
{
	struct source source = { "a\nb", 3, 100, true };
	struct csv *csv = csv_open(read_source, &source);
	struct csv_row row;

	g_assert_cmpint(csv_next(csv, &row), ==, RC_DOWN);
	g_assert_cmpint(csv_next(csv, &row), ==, RC_DOWN);
	csv_close(csv);
}

static void
test_writing(void)
{
	static const char *const fields[] = { "a", "", "b,c", "d\"e", "f\ng",
		"h\ri", " j", "k ", "\"", "책, \"둘\"" };
	struct buf out = BUF_INIT(1000);
	struct source source;
	struct csv_row row;
	struct csv *csv;

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		csv_field(&out, i == 0, fields[i], strlen(fields[i]));
	csv_end_row(&out);
	g_assert_cmpstr(out.data, ==,
	    "a,,\"b,c\",\"d\"\"e\",\"f\ng\",\"h\ri\",\" j\",\"k \",\"\"\"\","
	    "\"책, \"\"둘\"\"\"\r\n");
	source = (struct source){ out.data, out.len, 7, false };
	csv = csv_open(read_source, &source);
	g_assert_cmpint(csv_next(csv, &row), ==, RC_OK);
	g_assert_cmpuint(row.n, ==, G_N_ELEMENTS(fields));
	for (size_t i = 0; i < row.n; i++)
		g_assert_cmpstr(row.fields[i].s, ==, fields[i]);
	csv_close(csv);
	buf_free(&out);
}

static void
test_isbn(void)
{
	static const char *const good[][2] = {
		{ "9788936434267", "9788936434267" },
		{ "978-89-364-3426-7", "9788936434267" },
		{ "978 89 364 3426 7", "9788936434267" },
		{ "ISBN 978‐89‐364‐3426‐7", "9788936434267" },
		{ "isbn:8936434268", "9788936434267" },
		{ "0439023483", "9780439023481" },
		{ "080442957X", "9780804429573" },
		{ "0-8044-2957-x", "9780804429573" },
		{ "9791190090018", "9791190090018" },
	};
	static const char *const bad[] = { "", "9788936434268", "8936434267",
		"9770439023481", "X804429570", "97889364342677", "439023483",
		"978043902348X", "9.78043902348e+12", "abcdefghij",
		"\xff"
		"8936434268" };
	char isbn[ISBN_SIZE];

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_test_message("%s", good[i][0]);
		g_assert_true(isbn_read(good[i][0], strlen(good[i][0]), isbn));
		g_assert_cmpstr(isbn, ==, good[i][1]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_test_message("%zu", i);
		g_assert_false(isbn_read(bad[i], strlen(bad[i]), isbn));
	}
	g_assert_true(isbn_read_number("439023483", 9, isbn));
	g_assert_cmpstr(isbn, ==, "9780439023481");
	g_assert_true(isbn_read_number("61120081", 8, isbn));
	g_assert_cmpstr(isbn, ==, "9780061120084");
	g_assert_false(isbn_read_number("439023484", 9, isbn));
	g_assert_false(isbn_read_number("20081", 5, isbn));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/csv/rows", test_rows);
	g_test_add_func("/csv/nul", test_nul_is_kept);
	g_test_add_func("/csv/limits", test_limits);
	g_test_add_func("/csv/reading-fails", test_reading_fails);
	g_test_add_func("/csv/writing", test_writing);
	g_test_add_func("/isbn", test_isbn);
	return g_test_run();
}
