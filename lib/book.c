/* book -- see book.h. */
#include "book.h"

#include "aside.h"
#include "buf.h"
#include "db.h"
#include "fcgi.h"
#include "metric.h"
#include "model.h"

#include <time.h>

/* The uploaded cover; without one they are null. */
#define COVER_URL "CONCAT('/covers/', cover, '.jpg') AS cover_url"
#define THUMBNAIL_URL "CONCAT('/covers/', cover, '-small.jpg') AS thumbnail_url"
/* What a list of books or a cart shows; the API's lists tell more. */
#define SHOWN_COLUMNS \
	"id, title, author, published_year, language, price," \
	" stock_quantity, image_url, " THUMBNAIL_URL
#define ALL_COLUMNS SHOWN_COLUMNS ", publisher, isbn13, category_id, created_at"
#define WHOLE_COLUMNS \
	ALL_COLUMNS ", description, updated_at, version, " COVER_URL
#define ARGS_MAX 768
#define CACHE_MAX ((size_t)128 * 1024)
#define ID_DIGITS 18	/* fewer than make an int64_t overflow */
#define PRICE_DIGITS 10 /* DECIMAL(10,2) in minor units */
#define TIME_LENGTH 20	/* 2026-01-31T10:00:00Z */

static const struct {
	const char *text, *column;
	bool descending;
} sorts[] = {
	[BOOK_BY_TITLE] = { "title", "title", false },
	[BOOK_BY_NEWEST] = { "newest", "created_at", true },
	[BOOK_BY_PRICE] = { "price", "price", false },
	[BOOK_BY_RELEVANCE] = { "relevance", "score", false },
};

bool
book_sort_from_text(const char *text, enum book_sort *sort)
{
	for (size_t i = 0; i < LENGTH(sorts); i++) {
		if (strcmp(text, sorts[i].text) == 0) {
			*sort = (enum book_sort)i;
			return true;
		}
	}
	return false;
}

const char *
book_sort_text(enum book_sort sort)
{
	return sorts[sort].text;
}

/* A statement while it is put together: its text, its name, its values. */
struct builder {
	struct req *req;
	const struct book_query *query;
	const char *columns;
	struct buf sql, name;
	struct db_arg args[ARGS_MAX];
	size_t nargs;
	const char *id;		    /* the column */
	const char *order, *column; /* "newest", "created_at" */
	bool descending;	    /* as the rows are read */
	const char *key;	    /* of the cursor; NULL = from the start */
	int64_t key_id;
	int limit;
};

static void
add_arg(struct builder *b, struct db_arg arg)
{
	b->args[b->nargs++] = arg;
}

/* Minor units as SQL writes them. */
static const char *
won(struct req *req, int64_t minor)
{
	return arena_printf(req->arena, "%lld.%02lld", (long long)minor / 100,
	    (long long)minor % 100);
}

/* The digits of a price or a score, the way JSON writes a time: what
 * write_cursor() can have written. */
static bool
key_is_ours(enum book_sort sort, const char *key)
{
	size_t digits = strspn(key, "0123456789");
	struct tm tm;
	const char *end;

	if (sort == BOOK_BY_PRICE || sort == BOOK_BY_RELEVANCE)
		return digits >= 1 && digits <= PRICE_DIGITS && !key[digits];
	if (sort == BOOK_BY_TITLE)
		return true;
	end = strptime(key, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return end && !*end && strlen(key) == TIME_LENGTH;
}

static bool
split_cursor(struct builder *b, enum book_sort sort, const char *cursor)
{
	size_t digits = strspn(cursor, "0123456789");

	if (digits < 1 || digits > ID_DIGITS || cursor[digits] != '.')
		return false;
	b->key_id = strtoll(cursor, NULL, 10);
	b->key = cursor + digits + 1;
	return b->key_id >= 1 && key_is_ours(sort, b->key);
}

/*
 * A cursor is "<id>.<sort key>".  The key is compared as MariaDB compares the
 * column, so it is handed back just as it came, but for times and prices,
 * which JSON and SQL write differently.
 */
static int
read_cursor(struct builder *b, const struct book_query *q)
{
	char *key;

	if ((q->after && q->before) ||
	    !split_cursor(b, q->sort, q->after ? q->after : q->before))
		return req_fail(b->req, RC_BAD_INPUT, "%s",
		    _("This page of the list does not exist. Start again at"
		      " the first page."));
	if (q->sort == BOOK_BY_NEWEST) {
		b->key = key = arena_strdup(b->req->arena, b->key);
		key[10] = ' ';
		key[TIME_LENGTH - 1] = '\0';
	} else if (q->sort == BOOK_BY_PRICE) {
		b->key = won(b->req, strtoll(b->key, NULL, 10));
	}
	return RC_OK;
}

static const char *
write_cursor(struct req *req, enum book_sort sort, const json_t *book)
{
	const json_t *key = json_object_get(book, sorts[sort].column);
	long long id = model_int(book, "id");

	if (json_is_integer(key))
		return arena_printf(req->arena, "%lld.%lld", id,
		    (long long)json_integer_value(key));
	return arena_printf(req->arena, "%lld.%s", id, json_string_value(key));
}

/* "a >= ? AND (a > ? OR id > ?)" lets the index be entered at the key; the
 * plain row comparison does not. */
static void
add_after_key(struct builder *b)
{
	const char *sign = b->descending ? "<" : ">";

	buf_printf(&b->sql, " AND %s %s= ? AND (%s %s ? OR %s %s ?)", b->column,
	    sign, b->column, sign, b->id, sign);
	add_arg(b, db_text(b->key));
	add_arg(b, db_text(b->key));
	add_arg(b, db_int(b->key_id));
}

/* Of the limits of a list. */
static void
add_limits(struct builder *b)
{
	const struct search_filter *f = &b->query->filter;

	if (f->min_price) {
		buf_str(&b->sql, " AND price >= ?");
		add_arg(b, db_text(won(b->req, f->min_price)));
	}
	if (f->price_below) {
		buf_str(&b->sql, " AND price < ?");
		add_arg(b, db_text(won(b->req, f->price_below)));
	}
	if (f->in_stock)
		buf_str(&b->sql, " AND stock_quantity > 0");
}

static void
add_order(struct builder *b)
{
	const char *way = b->descending ? " DESC" : "";

	buf_printf(&b->sql, " ORDER BY %s%s, %s%s LIMIT ?", b->column, way,
	    b->id, way);
	add_arg(b, db_int(b->limit + 1));
}

/*
 * Each order has its index.  Left alone, the optimizer now and then, by the
 * statistics of the day, reads and sorts the whole table: five times the
 * work at 300 books already.
 */
static void
add_index(struct builder *b, bool in_category)
{
	buf_str(&b->sql, " FORCE INDEX (");
	if (in_category)
		buf_str(&b->sql, "category_");
	buf_printf(&b->sql, "by_%s)", b->order);
}

/* The first books of one category, or of all with category 0. */
static void
add_select(struct builder *b, int64_t category)
{
	buf_str(&b->sql, "SELECT ");
	buf_str(&b->sql, b->columns);
	buf_str(&b->sql, " FROM books");
	add_index(b, category != 0);
	buf_str(&b->sql, " WHERE withdrawn_at IS NULL");
	if (category) {
		buf_str(&b->sql, " AND category_id = ?");
		add_arg(b, db_int(category));
	}
	if (b->key)
		add_after_key(b);
	add_limits(b);
	add_order(b);
}

/*
 * Of several categories each gives its first rows from its own index, and the
 * first of those win: as quick at a million books as at a hundred.  IN (...)
 * would read and sort every book in them.
 */
static void
add_union(struct builder *b, const int64_t *categories, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_str(&b->sql, i ? " UNION ALL (" : "(");
		add_select(b, categories[i]);
		buf_char(&b->sql, ')');
	}
	add_order(b);
}

static void
add_hits(struct builder *b)
{
	struct search_sql out = { .arena = b->req->arena,
		.sql = b->sql,
		.args = b->args,
		.nargs = b->nargs };

	buf_char(&out.sql, '(');
	search_hits(b->query->search, &b->query->filter, "", &out);
	buf_str(&out.sql, ") h");
	b->sql = out.sql;
	b->nargs = out.nargs;
}

/* Only the books of the page are looked up. */
static void
add_nearest(struct builder *b)
{
	buf_str(&b->sql, "(SELECT book_id, score FROM ");
	add_hits(b);
	buf_str(&b->sql, " WHERE TRUE");
	b->id = "book_id";
	if (b->key)
		add_after_key(b);
	add_order(b);
	buf_str(&b->sql, ") n");
}

/* The hits are few enough to be sorted. */
static void
add_found(struct builder *b)
{
	bool nearest = strcmp(b->column, "score") == 0;

	buf_printf(
	    &b->sql, "SELECT %s%s FROM ", b->columns, nearest ? ", score" : "");
	if (nearest)
		add_nearest(b);
	else
		add_hits(b);
	buf_str(&b->sql,
	    " JOIN books ON id = book_id"
	    " WHERE withdrawn_at IS NULL");
	if (b->key && !nearest)
		add_after_key(b);
	add_order(b);
}

static void
build(struct builder *b, const struct book_query *q)
{
	size_t n = q->filter.ncategories;

	buf_printf(&b->name, "book.list.%s.%s", sorts[q->sort].text,
	    !b->key	  ? "first" :
		q->before ? "before" :
			    "after");
	if (q->full || q->whole)
		buf_str(&b->name, q->whole ? ".whole" : ".full");
	if (q->filter.min_price || q->filter.price_below)
		buf_str(&b->name, ".priced");
	if (q->filter.in_stock)
		buf_str(&b->name, ".in_stock");
	if (n)
		buf_printf(&b->name, ".of%zu", n);
	if (q->search)
		buf_str(&b->name, ".search");
	if (q->search)
		add_found(b);
	else if (n > 1)
		add_union(b, q->filter.categories, n);
	else
		add_select(b, n ? q->filter.categories[0] : 0);
}

static json_t *
reversed(json_t *rows)
{
	json_t *out = json_array();

	for (size_t i = json_array_size(rows); i-- > 0;)
		json_array_append(out, json_array_get(rows, i));
	return out;
}

static json_t *
cursor_or_null(
    struct req *req, bool exists, enum book_sort sort, const json_t *book)
{
	return exists && book ? json_string(write_cursor(req, sort, book)) :
				json_null();
}

/* rows has one more than wanted if there are more in this direction. */
static json_t *
make_page(struct req *req, const struct book_query *q, json_t *rows)
{
	bool more = json_array_size(rows) > (size_t)q->limit;
	bool back = q->before != NULL;
	json_t *page, *row;
	size_t n, i;

	if (more)
		json_array_remove(rows, (size_t)q->limit);
	if (back)
		rows = reversed(rows);
	n = json_array_size(rows);
	page = json_pack("{s:O, s:o, s:o}", "books", rows, "next",
	    cursor_or_null(req, back || more, q->sort,
		n ? json_array_get(rows, n - 1) : NULL),
	    "previous",
	    cursor_or_null(req, back ? more : q->after != NULL, q->sort,
		json_array_get(rows, 0)));
	/* Which nobody but the cursors needs. */
	json_array_foreach(rows, i, row)
		json_object_del(row, "score");
	return page;
}

/* The sort key is among them: the cursors are made from it. */
static const char *
columns_of(const struct book_query *q)
{
	if (q->whole)
		return WHOLE_COLUMNS;
	if (q->full)
		return ALL_COLUMNS;
	return q->sort == BOOK_BY_NEWEST ? SHOWN_COLUMNS ", created_at" :
					   SHOWN_COLUMNS;
}

static void
free_buf(void *b)
{
	buf_free(b);
}

int
book_list(struct req *req, const struct book_query *q, json_t **page)
{
	struct builder *b = arena_alloc(req->arena, sizeof(*b));
	struct db_stmt st;
	json_t *rows;
	int rc;

	*b = (struct builder){ .req = req,
		.query = q,
		.columns = columns_of(q),
		.id = "id",
		.sql = BUF_INIT(65536),
		.name = BUF_INIT(120),
		.order = sorts[q->sort].text,
		.column = sorts[q->sort].column,
		.descending = sorts[q->sort].descending != !!q->before,
		.limit = q->limit };
	arena_defer(req->arena, free_buf, &b->sql);
	arena_defer(req->arena, free_buf, &b->name);
	if ((q->after || q->before) && (rc = read_cursor(b, q)) < 0)
		return rc;
	build(b, q);
	st = (struct db_stmt){ b->name.data, b->sql.data };
	rc = db_rows(req, &st, b->args, b->nargs, &rows);
	if (rc < 0)
		return rc;
	*page = make_page(req, q, rows);
	if (q->search && !q->after && !q->before)
		metric_add(json_array_size(rows) ? METRIC_SEARCHES :
						   METRIC_SEARCHES_EMPTY,
		    1);
	return RC_OK;
}

#define ONE_BOOK(name) \
	"SELECT b.id, b.title, b.author, b.publisher, b.published_year," \
	" b.isbn13, b.language, b.description, b.price, b.stock_quantity," \
	" b.category_id, b.image_url, " COVER_URL ", " THUMBNAIL_URL \
	", b.created_at, b.updated_at, b.version, c." name " AS category" \
	" FROM books b JOIN categories c ON c.id = b.category_id" \
	" WHERE b.id = ? AND b.withdrawn_at IS NULL"
static const struct db_stmt BOOK_BY_ID_KO = { "book.by_id.ko",
	ONE_BOOK("name_ko") };
static const struct db_stmt BOOK_BY_ID_EN = { "book.by_id.en",
	ONE_BOOK("name_en") };

int
book_by_id(struct req *req, int64_t id, json_t **book)
{
	int rc =
	    db_row(req, req->lang == LANG_KO ? &BOOK_BY_ID_KO : &BOOK_BY_ID_EN,
		DB_ARGS(db_int(id)), book);

	if (rc == RC_NOT_FOUND)
		return req_fail(req, rc, "%s",
		    _("There is no such book. It"
		      " may have been taken out of the catalogue."));
	return rc;
}

/* --- the same from the cache --- */

static const char *
cache_key(struct req *req, enum lang lang, int64_t id)
{
	return arena_printf(
	    req->arena, "cache:book:%s:%lld", lang_code(lang), (long long)id);
}

/* The fields are not read yet: a capture that is too long for a number, which
 * they refuse, reads nothing that matters. */
void
book_prefetch(struct req *req)
{
	const char *id = fcgi_param(req->call, "SEOGA_ID");

	aside_queue(
	    req, cache_key(req, req->lang, id ? strtoll(id, NULL, 10) : 0));
}

static bool
from_text(const char *text, json_t **book)
{
	json_t *got = text ? json_loads(text, 0, NULL) : NULL;

	if (!got)
		return false;
	*book = got;
	return true;
}

static void
store(struct req *req, const struct aside *entry, const json_t *book)
{
	struct buf text = BUF_INIT(CACHE_MAX);

	model_write(book, &text);
	aside_store(req, entry, text.over ? NULL : text.data);
	buf_free(&text);
}

int
book_shown(struct req *req, const struct cache_reply *cached, int64_t id,
    json_t **book)
{
	struct aside entry = { .key = cache_key(req, req->lang, id),
		.counts_as = METRIC_CACHE_BOOK };
	const char *text = aside_take(req, &entry, cached);
	int rc;

	if (from_text(text, book))
		return RC_OK;
	rc = book_by_id(req, id, book);
	if (rc == RC_OK)
		store(req, &entry, *book);
	else
		aside_store(req, &entry, NULL);
	if (rc != RC_DOWN || !from_text(entry.old, book))
		return rc;
	req_forgive(req);
	return RC_OK;
}

void
book_forget_some(struct req *req, const int64_t *ids, size_t n)
{
	const char **keys =
	    arena_alloc(req->arena, n * LANG_COUNT * sizeof(keys[0]));
	size_t nkeys = 0;

	for (size_t i = 0; i < n; i++) {
		for (int lang = 0; lang < LANG_COUNT; lang++)
			keys[nkeys++] = cache_key(req, (enum lang)lang, ids[i]);
	}
	if (nkeys)
		aside_forget(req, keys, nkeys);
}

void
book_forget(struct req *req, int64_t id)
{
	book_forget_some(req, &id, 1);
}

/* The number of marks is a power of two, the rest filled with the last id: a
 * few statements serve every cart. */
int
book_by_ids(struct req *req, const int64_t *ids, size_t n, json_t **books)
{
	struct db_arg args[128];
	struct buf sql = BUF_INIT(2048);
	size_t marks = 1;
	struct db_stmt st;
	int rc;

	while (marks < n)
		marks *= 2;
	buf_str(&sql, "SELECT " SHOWN_COLUMNS " FROM books WHERE id IN (");
	for (size_t i = 0; i < marks; i++) {
		buf_str(&sql, i ? ", ?" : "?");
		args[i] = db_int(ids[i < n ? i : n - 1]);
	}
	buf_str(&sql, ") AND withdrawn_at IS NULL");
	st.name = arena_printf(req->arena, "book.by_ids.%zu", marks);
	st.sql = sql.data;
	rc = db_rows(req, &st, args, marks, books);
	buf_free(&sql);
	return rc;
}
