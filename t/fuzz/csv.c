/*
 * A fuzz target for lib/csv and lib/isbn: any bytes as a file of rows.
 *
 * However the bytes are cut up while reading, the rows are the same; what is
 * written is read back as it was; lines are counted upwards; reading ends.
 */
#include "../../lib/csv.h"
#include "../../lib/isbn.h"

/* Exported for the fuzzer to call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	const uint8_t *s;
	size_t len, step;
};

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static ssize_t
read_source(void *arg, void *data, size_t size)
{
	struct source *source = arg;
	size_t n = size < source->step ? size : source->step;

	if (n > source->len)
		n = source->len;
	if (n)
		memcpy(data, source->s, n);
	source->s += n;
	source->len -= n;
	return (ssize_t)n;
}

static void
check_isbn(const struct csv_field *field)
{
	char isbn[ISBN_SIZE], again[ISBN_SIZE];

	if (!isbn_read_number(field->s, field->len, isbn))
		return;
	require(strlen(isbn) == ISBN_SIZE - 1);
	require(isbn_read(isbn, ISBN_SIZE - 1, again));
	require(strcmp(isbn, again) == 0);
}

/* All good rows, written anew. */
static void
rewrite(const uint8_t *data, size_t size, size_t step, struct buf *out,
    size_t *rows, size_t *errors)
{
	struct source source = { data, size, step };
	struct csv *csv = csv_open(read_source, &source);
	struct csv_row row;
	size_t line = 0;
	int rc;

	*rows = *errors = 0;
	while ((rc = csv_next(csv, &row)) != RC_NOT_FOUND) {
		require(rc == RC_OK || rc == RC_BAD_INPUT);
		require(row.line > line);
		require((rc == RC_OK) == !row.error);
		line = row.line;
		*errors += rc < 0;
		if (rc < 0)
			continue;
		require(row.n >= 1 && row.n <= CSV_FIELDS_MAX);
		/* A row of one empty field would be a blank line. */
		if (row.n == 1 && row.fields[0].len == 0)
			continue;
		++*rows;
		for (size_t i = 0; i < row.n; i++) {
			check_isbn(&row.fields[i]);
			csv_field(
			    out, i == 0, row.fields[i].s, row.fields[i].len);
		}
		csv_end_row(out);
	}
	csv_close(csv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(1 << 26), parts = BUF_INIT(1 << 26),
		   again = BUF_INIT(1 << 26);
	size_t rows, rows2, errors, errors2;

	rewrite(data, size, SIZE_MAX, &whole, &rows, &errors);
	rewrite(data, size, 1 + size % 7, &parts, &rows2, &errors2);
	require(rows == rows2 && errors == errors2 && whole.len == parts.len);
	if (whole.len > 0 && memcmp(whole.data, "\xef\xbb\xbf", 3) != 0) {
		require(memcmp(whole.data, parts.data, whole.len) == 0);
		rewrite((const uint8_t *)whole.data, whole.len, 5, &again,
		    &rows2, &errors2);
		require(rows2 == rows && errors2 == 0);
		require(again.len == whole.len &&
		    memcmp(again.data, whole.data, whole.len) == 0);
	}
	buf_free(&whole);
	buf_free(&parts);
	buf_free(&again);
	return 0;
}
