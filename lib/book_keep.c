/* book_keep -- the lists that librarians look through; see book_edit.h. */
#include "book_edit.h"

#include "buf.h"
#include "db.h"
#include "isbn.h"
#include "model.h"

#define COLUMNS \
	"id, title, author, publisher, published_year, isbn13, language," \
	" price, stock_quantity, category_id, image_url, created_at," \
	" updated_at, version, withdrawn_at," \
	" withdrawn_at IS NOT NULL AS `withdrawn?`"
#define CATEGORIES_MAX 64
#define ARGS_MAX (CATEGORIES_MAX * 6 + 16)
#define ID_DIGITS 18   /* fewer than make an int64_t overflow */
#define TIME_DIGITS 14 /* 20260131100000 */
#define COUNT_MAX 51

static const struct {
	const char *name, *where, *index, *column;
	bool descending;
} shows[] = {
	[BOOK_SHOW_SHELVED] = { "shelved", "withdrawn_at IS NULL", "by_newest",
	    "created_at", true },
	[BOOK_SHOW_LOW] = { "low",
	    "stock_quantity <= 3 AND withdrawn_at IS NULL", "by_stock",
	    "stock_quantity", false },
	[BOOK_SHOW_WITHDRAWN] = { "withdrawn", "withdrawn_at IS NOT NULL",
	    "by_withdrawn", "withdrawn_at", true },
};
_Static_assert(BOOK_LOW_STOCK == 3, "as the statement above says");

/* A statement while it is put together. */
struct builder {
	const struct book_keep_query *q;
	struct buf sql;
	struct db_arg args[ARGS_MAX];
	size_t nargs;
	const char *key; /* of the cursor; NULL = from the start */
	int64_t key_id;
	char digits[ISBN_SIZE]; /* of the search, if it is an ISBN */
	bool search;
};

static void
add_arg(struct builder *b, struct db_arg arg)
{
	b->args[b->nargs++] = arg;
}

/* --- cursors: "<key>.<id>", both digits --- */

static bool
read_cursor(struct req *req, struct builder *b, const char *cursor)
{
	size_t key = strspn(cursor, "0123456789"), id;

	if (cursor[key] != '.')
		return false;
	id = strspn(cursor + key + 1, "0123456789");
	if (key < 1 || key > TIME_DIGITS || id < 1 || id > ID_DIGITS ||
	    cursor[key + 1 + id])
		return false;
	b->key = arena_strndup(req->arena, cursor, key);
	b->key_id = strtoll(cursor + key + 1, NULL, 10);
	return shows[b->q->show].descending ? key == TIME_DIGITS : key <= 10;
}

static const char *
write_cursor(
    struct req *req, const struct book_keep_query *q, const json_t *book)
{
	const json_t *key = json_object_get(book, shows[q->show].column);
	struct buf b = BUF_INIT(64);
	const char *cursor;

	if (json_is_integer(key))
		buf_int(&b, json_integer_value(key));
	for (const char *p = json_string_value(key); p && *p; p++) {
		if (*p >= '0' && *p <= '9')
			buf_char(&b, *p);
	}
	buf_char(&b, '.');
	buf_int(&b, model_int(book, "id"));
	cursor = arena_strndup(req->arena, b.data, b.len);
	buf_free(&b);
	return cursor;
}

/* --- the statement --- */

/* Its characters mean nothing: LOCATE() knows no patterns. */
static void
add_search(struct builder *b)
{
	const char *search = b->q->search;

	if (!b->search)
		return;
	buf_str(&b->sql,
	    " AND (LOCATE(?, title) OR LOCATE(?, author) OR isbn13 = ?"
	    " OR id = ?)");
	add_arg(b, db_text(search));
	add_arg(b, db_text(search));
	add_arg(b, db_text(b->digits));
	add_arg(b,
	    strspn(search, "0123456789") == strlen(search) &&
		    strlen(search) <= ID_DIGITS ?
		db_int(strtoll(search, NULL, 10)) :
		db_null());
}

static void
add_categories(struct builder *b, const int64_t *categories, size_t n)
{
	if (n == 0)
		return;
	buf_str(&b->sql, " AND category_id IN (");
	for (size_t i = 0; i < n; i++) {
		buf_str(&b->sql, i ? ", ?" : "?");
		add_arg(b, db_int(categories[i]));
	}
	buf_char(&b->sql, ')');
}

static void
add_after_key(struct builder *b)
{
	const char *column = shows[b->q->show].column;
	const char *sign = shows[b->q->show].descending ? "<" : ">";

	if (!b->key)
		return;
	buf_printf(&b->sql, " AND %s %s= ? AND (%s %s ? OR id %s ?)", column,
	    sign, column, sign, sign);
	add_arg(b, db_text(b->key));
	add_arg(b, db_text(b->key));
	add_arg(b, db_int(b->key_id));
}

static void
add_order(struct builder *b)
{
	const char *way = shows[b->q->show].descending ? " DESC" : "";

	buf_printf(&b->sql, " ORDER BY %s%s, id%s LIMIT ?",
	    shows[b->q->show].column, way, way);
	add_arg(b, db_int(b->q->limit + 1));
}

static void
add_select(
    struct builder *b, const char *index, const int64_t *categories, size_t n)
{
	buf_printf(&b->sql,
	    "SELECT " COLUMNS " FROM books FORCE INDEX (%s) WHERE %s", index,
	    shows[b->q->show].where);
	add_categories(b, categories, n);
	add_search(b);
	add_after_key(b);
	add_order(b);
}

/* Each category gives its latest books from its own index, and the latest of
 * those win. */
static void
add_union(struct builder *b, const int64_t *categories, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_str(&b->sql, i ? " UNION ALL (" : "(");
		add_select(b, "category_by_newest", categories + i, 1);
		buf_char(&b->sql, ')');
	}
	add_order(b);
}

static void
build(struct builder *b)
{
	const struct book_keep_query *q = b->q;
	size_t n =
	    q->ncategories < CATEGORIES_MAX ? q->ncategories : CATEGORIES_MAX;

	if (n == 0 || q->show != BOOK_SHOW_SHELVED || b->search)
		add_select(b, shows[q->show].index, q->categories, n);
	else if (n == 1)
		add_select(b, "category_by_newest", q->categories, 1);
	else
		add_union(b, q->categories, n);
}

static json_t *
make_page(struct req *req, const struct book_keep_query *q, json_t *rows)
{
	bool more = json_array_size(rows) > (size_t)q->limit;
	json_t *next = json_null();

	if (more) {
		json_array_remove(rows, (size_t)q->limit);
		next = json_string(write_cursor(
		    req, q, json_array_get(rows, (size_t)q->limit - 1)));
	}
	return json_pack("{s:o, s:o}", "books", rows, "next", next);
}

static void
free_buf(void *b)
{
	buf_free(b);
}

int
book_keep_list(struct req *req, const struct book_keep_query *q, json_t **page)
{
	struct builder *b = arena_alloc(req->arena, sizeof(*b));
	struct db_stmt st;
	json_t *rows;
	int rc;

	*b = (struct builder){ .q = q,
		.sql = BUF_INIT(131072),
		.search = q->search && *q->search };
	arena_defer(req->arena, free_buf, &b->sql);
	if (q->after && !read_cursor(req, b, q->after))
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("This page of the list does not exist. Start again at"
		      " the first page."));
	if (b->search)
		isbn_read(q->search, strlen(q->search), b->digits);
	build(b);
	st.name = arena_printf(req->arena, "book.keep.%s%s%s.of%zu",
	    shows[q->show].name, b->search ? ".search" : "",
	    b->key ? ".after" : "", q->ncategories);
	st.sql = b->sql.data;
	rc = db_rows(req, &st, b->args, b->nargs, &rows);
	if (rc < 0)
		return rc;
	*page = make_page(req, q, rows);
	return RC_OK;
}

/* --- counts, for the overview --- */

static const struct db_stmt BOOK_COUNT_LOW = { "book.count_low",
	"SELECT id FROM books FORCE INDEX (by_stock)"
	" WHERE stock_quantity BETWEEN 1 AND 3 AND withdrawn_at IS NULL"
	" LIMIT ?" };
static const struct db_stmt BOOK_COUNT_OUT = { "book.count_out",
	"SELECT id FROM books FORCE INDEX (by_stock)"
	" WHERE stock_quantity = 0 AND withdrawn_at IS NULL LIMIT ?" };
static const struct db_stmt BOOK_COUNT_WITHDRAWN = { "book.count_withdrawn",
	"SELECT id FROM books FORCE INDEX (by_withdrawn)"
	" WHERE withdrawn_at IS NOT NULL LIMIT ?" };

/* A look at so many is enough: who has more has work to do. */
static int
count(
    struct req *req, const struct db_stmt *st, json_t *counts, const char *name)
{
	json_t *rows;
	int rc = db_rows(req, st, DB_ARGS(db_int(COUNT_MAX)), &rows);

	if (rc == RC_OK)
		model_set_int(counts, name, (int64_t)json_array_size(rows));
	return rc;
}

int
book_counts(struct req *req, json_t **counts)
{
	json_t *found = json_object();
	int rc;

	if ((rc = count(req, &BOOK_COUNT_LOW, found, "low")) < 0 ||
	    (rc = count(req, &BOOK_COUNT_OUT, found, "sold_out")) < 0 ||
	    (rc = count(req, &BOOK_COUNT_WITHDRAWN, found, "withdrawn")) < 0)
		return rc;
	*counts = found;
	return RC_OK;
}
