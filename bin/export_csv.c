/* export_csv -- the catalogue as rows of CSV, under the names of import. */
#include "export.h"

#include "csv.h"

static const char *const columns[] = { "id", "created_at", "source_id",
	"isbn13", "title", "author", "publisher", "published_year", "language",
	"category", "price", "stock_quantity", "image_url", "description" };

void
export_price(struct buf *out, const json_t *book)
{
	long long price = model_int(book, "price");

	buf_int(out, price / 100);
	if (price % 100)
		buf_printf(out, ".%02lld", price % 100);
}

/* A byte order mark, without which Excel takes UTF-8 for something else. */
static void
begin(struct buf *out)
{
	buf_str(out, "\xef\xbb\xbf");
	for (size_t i = 0; i < LENGTH(columns); i++)
		csv_field(out, i == 0, columns[i], strlen(columns[i]));
	csv_end_row(out);
}

static void
add_field(struct buf *out, const json_t *book, const char *column)
{
	const json_t *value = json_object_get(book, column);

	if (strcmp(column, "price") == 0) {
		buf_char(out, ',');
		export_price(out, book);
	} else if (json_is_integer(value)) {
		if (column != columns[0])
			buf_char(out, ',');
		buf_int(out, json_integer_value(value));
	} else {
		const char *s = json_string_value(value);

		csv_field(out, false, s ? s : "", s ? strlen(s) : 0);
	}
}

static void
add_book(struct buf *out, const json_t *book)
{
	for (size_t i = 0; i < LENGTH(columns); i++)
		add_field(out, book, columns[i]);
	csv_end_row(out);
}

static void
end(struct buf *out ATTR_UNUSED)
{
}

const struct export_format export_csv = { "csv", begin, add_book, end };
