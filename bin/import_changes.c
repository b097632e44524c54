/*
 * import_changes -- what an import makes of a book that was there already, in
 * words for a librarian.
 */
#include "import.h"

#include "model.h"

#define VALUE_MAX 40 /* bytes; longer ones are cut */
#define LINE_MAX ((size_t)4096)

static void
add_price(struct buf *out, int64_t price)
{
	buf_int(out, price / 100);
	if (price % 100)
		buf_printf(out, ".%02d", (int)(price % 100));
}

/* Its end, and whatever would spoil the line, is left out. */
static void
add_text(struct buf *out, const char *s)
{
	size_t n = strlen(s) > VALUE_MAX ? VALUE_MAX : strlen(s);

	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	buf_char(out, '"');
	for (size_t i = 0; i < n; i++)
		buf_char(out, (unsigned char)s[i] < ' ' ? ' ' : s[i]);
	buf_str(out, s[n] ? "…\"" : "\"");
}

static void
add_category(const struct import *im, struct buf *out, int64_t id)
{
	for (size_t i = 0; i < im->ncategories; i++) {
		if (im->categories[i].id == id)
			buf_str(out, im->categories[i].names[0]);
	}
}

static void
add_value(const struct import *im, struct buf *out, const char *fact,
    const json_t *value)
{
	if (strcmp(fact, "price") == 0)
		add_price(out, json_integer_value(value));
	else if (strcmp(fact, "category_id") == 0)
		add_category(im, out, json_integer_value(value));
	else if (json_is_integer(value))
		buf_int(out, json_integer_value(value));
	else if (json_is_string(value))
		add_text(out, json_string_value(value));
	else
		buf_str(out, "nothing");
}

const char *
import_changes(struct import *im, const struct bulk_book *book)
{
	struct buf out = BUF_INIT(LINE_MAX);
	const char *fact, *text;
	json_t *change;

	buf_printf(&out, "book %lld:", (long long)book->book_id);
	json_object_foreach(book->changes, fact, change) {
		buf_printf(&out, "%s %s ",
		    out.data[out.len - 1] == ':' ? "" : ";",
		    strcmp(fact, "category_id") == 0 ? "category" : fact);
		add_value(im, &out, fact, json_array_get(change, 0));
		buf_str(&out, " → ");
		add_value(im, &out, fact, json_array_get(change, 1));
	}
	text = arena_strndup(im->req->arena, out.data, out.len);
	buf_free(&out);
	return text;
}
