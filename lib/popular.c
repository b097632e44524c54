/* popular -- see popular.h. */
#include "popular.h"

#include "aside.h"
#include "buf.h"
#include "db.h"
#include "model.h"

#define KEY "cache:popular"
#define LIVES 2 /* ten minutes, unless set otherwise */
#define TEXT_MAX ((size_t)16 * 1024)

/* Three days' sales are summed and sorted, once in a while. */
static const struct db_stmt POPULAR = { "popular.list",
	"SELECT b.id, b.language, b.title, b.author, b.image_url,"
	" CONCAT('/covers/', b.cover, '-small.jpg') AS thumbnail_url FROM"
	" (SELECT book_id, SUM(copies) AS sold"
	" FROM sales_books FORCE INDEX (PRIMARY)"
	" WHERE day > UTC_DATE() - INTERVAL ? DAY"
	" GROUP BY book_id HAVING sold > 0"
	" ORDER BY sold DESC, book_id LIMIT 50) AS best"
	" JOIN books AS b ON b.id = best.book_id"
	" WHERE b.withdrawn_at IS NULL"
	" ORDER BY best.sold DESC, b.id LIMIT ?" };

void
popular_queue(struct req *req)
{
	aside_queue(req, KEY);
}

/* A line each, its facts apart by tabs, which no title has. */
static json_t *
from_text(struct req *req, const char *text)
{
	static const char *const names[] = { "id", "language", "title",
		"author", "image_url", "thumbnail_url" };
	char *rest = arena_strdup(req->arena, text), *line, *fact;
	json_t *books = json_array();

	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *book = json_object();

		for (size_t i = 0; i < LENGTH(names); i++) {
			fact = strsep(&line, "\t");
			model_set_text(
			    book, names[i], fact && *fact ? fact : NULL);
		}
		json_array_append_new(books, book);
	}
	return books;
}

static const char *
text_or_nothing(const json_t *book, const char *name)
{
	const char *text = model_text(book, name);

	return text ? text : "";
}

static void
store(struct req *req, const struct aside *entry, const json_t *books)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	const json_t *book;
	size_t i;

	buf_add(&text, "", 0);
	json_array_foreach(books, i, book) {
		buf_printf(&text, "%lld\t%s\t%s\t%s\t%s\t%s\n",
		    (long long)model_int(book, "id"),
		    model_text(book, "language"), model_text(book, "title"),
		    model_text(book, "author"),
		    text_or_nothing(book, "image_url"),
		    text_or_nothing(book, "thumbnail_url"));
	}
	if (!text.over)
		aside_store(req, entry, text.data ? text.data : "");
	buf_free(&text);
}

json_t *
popular_list(struct req *req, const struct cache_reply *cached)
{
	struct aside entry = {
		.key = KEY, .lives = LIVES, .counts_as = METRIC_CACHE_POPULAR
	};
	const char *text;
	json_t *books;

	if (!cached)
		return json_array();
	text = aside_take(req, &entry, cached);
	if (text)
		return from_text(req, text);
	/* One finds out; the others do without for that moment. */
	if (!entry.token)
		return from_text(req, entry.old ? entry.old : "");
	if (db_rows(req, &POPULAR,
		DB_ARGS(db_int(POPULAR_DAYS), db_int(POPULAR_MAX)),
		&books) < 0) {
		req_forgive(req);
		aside_store(req, &entry, NULL);
		return from_text(req, entry.old ? entry.old : "");
	}
	store(req, &entry, books);
	return books;
}

void
popular_forget(struct req *req)
{
	static const char *const keys[] = { KEY };

	aside_forget(req, keys, LENGTH(keys));
}
