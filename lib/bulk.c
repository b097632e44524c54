/* bulk -- see bulk.h. */
#include "bulk.h"

#include "audit.h"
#include "book.h"
#include "buf.h"
#include "category.h"
#include "db.h"
#include "model.h"
#include "popular.h"
#include "search.h"

/* A text that goes out is a part of this size, and one row more: MariaDB
 * takes 16 MB at once. */
#define PART ((size_t)4 * 1024 * 1024)
#define JSON_MAX (2 * PART)
#define LOCK_S 1
#define NO_TRACE "00000000000000000000000000000000" /* of a command */

/* A batch goes out as one JSON text, so that each statement is a constant,
 * however many rows there are.  Keys are compared in the columns' own
 * character set, or no index would serve. */
#define ASCII " CHARACTER SET ascii COLLATE ascii_bin"
#define KEYS \
	"JSON_TABLE(?, '$[*]' COLUMNS (" \
	" n INT PATH '$.n'," \
	" id BIGINT UNSIGNED PATH '$.id'," \
	" created_at DATETIME PATH '$.created_at'," \
	" source_id VARCHAR(64)" ASCII " PATH '$.source_id'," \
	" isbn13 CHAR(13)" ASCII " PATH '$.isbn13')) k"
#define UTF8 " CHARACTER SET utf8mb4"
#define FACTS \
	"JSON_TABLE(?, '$[*]' COLUMNS (" \
	" id BIGINT UNSIGNED PATH '$.id'," \
	" created_at DATETIME PATH '$.created_at'," \
	" source_id VARCHAR(64)" ASCII " PATH '$.source_id'," \
	" isbn13 CHAR(13)" ASCII " PATH '$.isbn13'," \
	" title VARCHAR(255)" UTF8 " PATH '$.title'," \
	" author VARCHAR(255)" UTF8 " PATH '$.author'," \
	" publisher VARCHAR(255)" UTF8 " PATH '$.publisher'," \
	" published_year INT PATH '$.published_year'," \
	" language CHAR(2)" ASCII " PATH '$.language'," \
	" description MEDIUMTEXT" UTF8 " PATH '$.description'," \
	" price BIGINT PATH '$.price'," \
	" stock_quantity INT UNSIGNED PATH '$.stock_quantity'," \
	" category_id INT UNSIGNED PATH '$.category_id'," \
	" image_url VARCHAR(500)" UTF8 " PATH '$.image_url')) f"

#define FACT_COLUMNS \
	" b.source_id, b.isbn13, b.title, b.author, b.publisher," \
	" b.published_year, b.language, b.description, b.price," \
	" b.stock_quantity, b.category_id, b.image_url"
#define FOUND \
	"SELECT k.n, b.id," FACT_COLUMNS \
	", b.withdrawn_at IS NOT NULL AS `withdrawn?`" \
	" FROM " KEYS " JOIN books b ON "
#define BY_SOURCE FOUND "b.source_id = k.source_id"
#define BY_ISBN FOUND "b.isbn13 = k.isbn13"
#define BY_ID FOUND "b.id = k.id WHERE b.created_at = k.created_at"

/* Only looked at, and locked. */
static const struct db_stmt FIND_BY[2][3] = {
	{ { "bulk.by_source", BY_SOURCE }, { "bulk.by_isbn", BY_ISBN },
	    { "bulk.by_id", BY_ID } },
	{ { "bulk.by_source.lock", BY_SOURCE " FOR UPDATE" },
	    { "bulk.by_isbn.lock", BY_ISBN " FOR UPDATE" },
	    { "bulk.by_id.lock", BY_ID " FOR UPDATE" } },
};
static const char *const key_of[3] = { "source_id", "isbn13", "id" };

static const struct db_stmt BULK_INSERT = { "bulk.insert",
	"INSERT INTO books (source_id, isbn13, title, author, publisher,"
	" published_year, language, description, price, stock_quantity,"
	" category_id, image_url, created_at)"
	" SELECT source_id, isbn13, title, author, publisher,"
	" published_year, language, description, price / 100, stock_quantity,"
	" category_id, image_url, COALESCE(created_at, UTC_TIMESTAMP())"
	" FROM " FACTS };
static const struct db_stmt BULK_UPDATE = { "bulk.update",
	"UPDATE books b JOIN " FACTS " ON b.id = f.id"
	" SET b.source_id = f.source_id, b.isbn13 = f.isbn13,"
	" b.title = f.title, b.author = f.author, b.publisher = f.publisher,"
	" b.published_year = f.published_year, b.language = f.language,"
	" b.description = f.description, b.price = f.price / 100,"
	" b.stock_quantity = f.stock_quantity, b.category_id = f.category_id,"
	" b.image_url = f.image_url, b.version = b.version + 1,"
	" b.updated_at = UTC_TIMESTAMP()" };
static const struct db_stmt BULK_STOCK = { "bulk.stock",
	"INSERT INTO stock_changes (book_id, delta, stock_after, reason, note)"
	" SELECT c.book_id, c.delta, c.stock_after, 'imported', ?"
	" FROM JSON_TABLE(?, '$[*]' COLUMNS ("
	" book_id BIGINT UNSIGNED PATH '$.book_id',"
	" delta INT PATH '$.delta',"
	" stock_after INT UNSIGNED PATH '$.stock_after')) c" };
static const struct db_stmt BULK_AUDIT = { "bulk.audit",
	"INSERT INTO audit"
	" (actor, act, object, object_id, label, changes, trace)"
	" SELECT 'system', a.act, 'book', a.book_id, a.title, a.changes, ?"
	" FROM JSON_TABLE(?, '$[*]' COLUMNS ("
	" book_id BIGINT UNSIGNED PATH '$.book_id',"
	" act VARCHAR(40)" ASCII " PATH '$.act',"
	" title VARCHAR(255)" UTF8 " PATH '$.title',"
	" changes LONGTEXT" UTF8 " PATH '$.changes')) a" };
/* Locks are the server's: another catalogue on it has a lock of its own. */
static const struct db_stmt BULK_LOCK = { "bulk.lock",
	"SELECT GET_LOCK(CONCAT('seoga-import-', DATABASE()), ?) AS got" };
static const struct db_stmt BULK_PAGE = { "bulk.page",
	"SELECT b.id," FACT_COLUMNS ", c.slug AS category, b.created_at,"
	" b.updated_at FROM books b JOIN categories c ON c.id = b.category_id"
	" WHERE b.id > ? AND b.withdrawn_at IS NULL ORDER BY b.id LIMIT ?" };
static const struct db_stmt BULK_COUNT = { "bulk.count",
	"SELECT SUM(book_count) AS count FROM categories" };
static const struct db_stmt BULK_CATEGORIES = { "bulk.categories",
	"SELECT id, slug, name_ko, name_en FROM categories ORDER BY id" };

/* What a record may change in an old book without being asked twice. */
static const char *const plain_facts[] = { "title", "author", "publisher",
	"published_year", "isbn13", "language", "description", "price",
	"category_id", "image_url" };
static const char *const all_facts[] = { "source_id", "isbn13", "title",
	"author", "publisher", "published_year", "language", "description",
	"price", "stock_quantity", "category_id", "image_url", NULL };

/* A batch on its way. */
struct batch {
	const struct bulk_run *run;
	struct bulk_book *books;
	size_t n;
	json_t **found;	   /* the row of each, NULL: none */
	json_t **becoming; /* the row it will be */
};

/* --- statements with many rows --- */

/* The JSON of rows, in the request's memory. */
static int
rows_text(struct req *req, const json_t *rows, const char **text)
{
	struct buf b = BUF_INIT(JSON_MAX);
	int rc = RC_OK;

	model_write(rows, &b);
	if (b.over)
		rc = req_bug(req);
	else
		*text = arena_strndup(req->arena, b.data, b.len);
	buf_free(&b);
	return rc;
}

/* Sends what is in the text, with the note first if there is one. */
static int
write_part(struct req *req, const struct db_stmt *st, const char *note,
    const struct buf *b)
{
	if (b->over)
		return req_bug(req);
	if (!note)
		return db_exec(req, st, DB_ARGS(db_text(b->data)), NULL, NULL);
	return db_exec(
	    req, st, DB_ARGS(db_text(note), db_text(b->data)), NULL, NULL);
}

static int
write_rows(struct req *req, const struct db_stmt *st, const char *note,
    const json_t *rows)
{
	struct buf b = BUF_INIT(JSON_MAX);
	const json_t *row;
	int rc = RC_OK;
	size_t i;

	json_array_foreach(rows, i, row) {
		buf_char(&b, b.len ? ',' : '[');
		model_write(row, &b);
		if (b.len < PART && i + 1 < json_array_size(rows))
			continue;
		buf_char(&b, ']');
		rc = write_part(req, st, note, &b);
		if (rc < 0)
			break;
		buf_reset(&b);
	}
	buf_free(&b);
	return rc;
}

/* --- which books are they? --- */

static const char *
key_text(const struct bulk_book *book, const char *key)
{
	const char *text = model_text(book->said, key);

	return text ? text : model_text(book->otherwise, key);
}

/* NULL: it has no such key. */
static json_t *
key_row(const struct bulk_book *book, size_t n, const char *key)
{
	json_t *row;
	const char *text = key_text(book, key);
	bool by_id = strcmp(key, "id") == 0;

	if (by_id ? !book->id || !book->created_at : !text)
		return NULL;
	row = json_object();
	model_set_int(row, "n", (int64_t)n);
	if (by_id) {
		model_set_int(row, key, book->id);
		model_set_text(row, "created_at", book->created_at);
	} else {
		model_set_text(row, key, text);
	}
	return row;
}

static void
refuse(struct bulk_book *book, const char *error)
{
	book->result = BULK_REFUSED;
	book->error = error;
}

/* One key leads here, another perhaps elsewhere. */
static void
note_found(struct req *req, struct batch *b, json_t *row)
{
	size_t n = (size_t)model_int(row, "n");
	int64_t was, id = model_int(row, "id");

	if (n >= b->n)
		return;
	was = model_int(b->found[n], "id");
	if (was && was != id)
		refuse(&b->books[n],
		    arena_printf(req->arena,
			"its keys are those of two books, %lld and %lld",
			(long long)was, (long long)id));
	b->found[n] = row;
	b->books[n].book_id = id;
}

static int
find_by(struct req *req, struct batch *b, size_t which)
{
	json_t *keys = json_array(), *rows, *row;
	const char *text;
	size_t i;
	int rc;

	for (i = 0; i < b->n; i++) {
		row = key_row(&b->books[i], i, key_of[which]);
		if (row)
			json_array_append_new(keys, row);
	}
	if (json_array_size(keys) == 0)
		return RC_OK;
	rc = rows_text(req, keys, &text);
	if (rc == RC_OK)
		rc = db_rows(req, &FIND_BY[b->run->write][which],
		    DB_ARGS(db_text(text)), &rows);
	if (rc < 0)
		return rc;
	json_array_foreach(rows, i, row)
		note_found(req, b, row);
	return RC_OK;
}

static int
find_all(struct req *req, struct batch *b)
{
	int rc = RC_OK;

	for (size_t i = 0; i < b->n; i++) {
		b->found[i] = b->becoming[i] = NULL;
		b->books[i].result = BULK_SAME;
		b->books[i].error = NULL;
		b->books[i].changes = NULL;
		b->books[i].book_id = 0;
	}
	for (size_t which = 0; rc == RC_OK && which < LENGTH(key_of); which++)
		rc = find_by(req, b, which);
	return rc;
}

/* --- what becomes of each? --- */

static bool
overlay(json_t *row, const json_t *said, const char *fact)
{
	json_t *value = json_object_get(said, fact);

	if (!value || json_equal(value, json_object_get(row, fact)))
		return false;
	json_object_set(row, fact, value);
	return true;
}

static json_t *
changed_row(const struct batch *b, size_t i)
{
	const struct bulk_book *book = &b->books[i];
	json_t *row = json_copy(b->found[i]);
	bool changed = false;

	for (size_t f = 0; f < LENGTH(plain_facts); f++)
		changed |= overlay(row, book->said, plain_facts[f]);
	if (json_is_null(json_object_get(row, "source_id")))
		changed |= overlay(row, book->said, "source_id");
	if (b->run->set_stock)
		changed |= overlay(row, book->said, "stock_quantity");
	return changed ? row : NULL;
}

static json_t *
new_row(const struct bulk_book *book)
{
	json_t *row = json_object();

	for (size_t f = 0; all_facts[f]; f++) {
		overlay(row, book->otherwise, all_facts[f]);
		overlay(row, book->said, all_facts[f]);
	}
	if (book->created_at)
		model_set_text(row, "created_at", book->created_at);
	return row;
}

/* Were two records to change the same book, each import would change it to
 * and fro. */
static bool
was_taken(struct req *req, const struct batch *b, size_t i)
{
	int64_t id = b->books[i].book_id;
	size_t where = bulk_seen_find(b->run->books, (uint64_t)id);

	for (size_t j = 0; !where && j < i; j++) {
		if (b->books[j].book_id == id &&
		    b->books[j].result != BULK_REFUSED)
			where = b->books[j].where;
	}
	if (!where)
		return false;
	refuse(&b->books[i],
	    arena_printf(req->arena,
		"it is the same book as the one at %zu of this file", where));
	return true;
}

static void
judge_old(struct req *req, struct batch *b, size_t i)
{
	if (was_taken(req, b, i))
		return;
	if (json_is_true(json_object_get(b->found[i], "withdrawn"))) {
		b->books[i].result = BULK_WITHDRAWN;
		return;
	}
	b->becoming[i] = changed_row(b, i);
	if (b->becoming[i])
		b->books[i].result = BULK_CHANGED;
}

static void
note_changes(struct batch *b, size_t i)
{
	if (b->becoming[i])
		b->books[i].changes =
		    audit_changes(b->found[i], b->becoming[i], all_facts);
}

static void
judge(struct req *req, struct batch *b, size_t i)
{
	struct bulk_book *book = &b->books[i];

	if (book->result == BULK_REFUSED)
		return;
	if (b->found[i]) {
		judge_old(req, b, i);
	} else if (book->lacks) {
		refuse(book, book->lacks);
	} else {
		book->result = BULK_NEW;
		b->becoming[i] = new_row(book);
	}
}

/* --- writing --- */

static json_t *
rows_with(const struct batch *b, enum bulk_result result)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < b->n; i++) {
		if (b->books[i].result == result)
			json_array_append(rows, b->becoming[i]);
	}
	return rows;
}

/* The numbers that new books have got. */
static int
find_new(struct req *req, struct batch *b)
{
	struct bulk_book *books =
	    arena_alloc(req->arena, b->n * sizeof(*books));
	struct batch again = *b;
	int rc = RC_OK;

	memcpy(books, b->books, b->n * sizeof(*books));
	again.books = books;
	again.found = arena_alloc(req->arena, b->n * sizeof(*again.found));
	again.becoming =
	    arena_alloc(req->arena, b->n * sizeof(*again.becoming));
	for (size_t i = 0; i < b->n; i++) {
		if (b->books[i].result == BULK_NEW)
			books[i].id = 0;
		else
			books[i] = (struct bulk_book){ .where = 0 };
	}
	rc = find_all(req, &again);
	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		if (b->books[i].result == BULK_NEW)
			b->books[i].book_id = books[i].book_id;
	}
	return rc;
}

static void
add_stock_change(const struct batch *b, size_t i, json_t *changes)
{
	int64_t before = model_int(b->found[i], "stock_quantity");
	int64_t after = model_int(b->becoming[i], "stock_quantity");
	json_t *row;

	if (!b->becoming[i] || before == after)
		return;
	row = json_object();
	model_set_int(row, "book_id", b->books[i].book_id);
	model_set_int(row, "delta", after - before);
	model_set_int(row, "stock_after", after);
	json_array_append_new(changes, row);
}

static int
write_stock(struct req *req, const struct batch *b)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < b->n; i++)
		add_stock_change(b, i, changes);
	return write_rows(req, &BULK_STOCK, b->run->note, changes);
}

static int
add_entry(struct req *req, const struct batch *b, size_t i, json_t *entries)
{
	const char *changes;
	json_t *row;
	int rc;

	if (!b->becoming[i])
		return RC_OK;
	rc = rows_text(req, b->books[i].changes, &changes);
	if (rc < 0)
		return rc;
	row = json_object();
	model_set_int(row, "book_id", b->books[i].book_id);
	model_set_text(row, "act", b->found[i] ? "book.edit" : "book.add");
	model_set_text(row, "title", model_text(b->becoming[i], "title"));
	model_set_text(row, "changes", changes);
	json_array_append_new(entries, row);
	return RC_OK;
}

/* As for a book that a librarian changes in a form, but by the hundred. */
static int
write_audit(struct req *req, const struct batch *b)
{
	json_t *entries = json_array();
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->n; i++)
		rc = add_entry(req, b, i, entries);
	return rc < 0 ? rc :
			write_rows(req, &BULK_AUDIT,
			    req->trace ? req->trace : NO_TRACE, entries);
}

static int
index_books(struct req *req, const struct batch *b)
{
	int64_t ids[BULK_MAX];
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		enum bulk_result result = b->books[i].result;

		if (result == BULK_NEW || result == BULK_CHANGED)
			ids[n++] = b->books[i].book_id;
	}
	return search_index(req, ids, n);
}

static int
look(struct req *req, struct batch *b)
{
	int rc = find_all(req, b);

	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		judge(req, b, i);
		note_changes(b, i);
	}
	return rc;
}

static int
look_and_write(struct req *req, void *arg)
{
	struct batch *b = arg;
	json_t *added;
	int rc = look(req, b);

	if (rc < 0)
		return rc;
	added = rows_with(b, BULK_NEW);
	if ((rc = write_rows(
		 req, &BULK_UPDATE, NULL, rows_with(b, BULK_CHANGED))) < 0 ||
	    (rc = write_rows(req, &BULK_INSERT, NULL, added)) < 0 ||
	    (json_array_size(added) > 0 && (rc = find_new(req, b)) < 0) ||
	    (rc = write_stock(req, b)) < 0)
		return rc;
	rc = write_audit(req, b);
	return rc < 0 ? rc : index_books(req, b);
}

/* What readers see of it is out of date now. */
static void
forget(struct req *req, const struct batch *b)
{
	int64_t *ids = arena_alloc(req->arena, b->n * sizeof(*ids));
	bool moved = false;
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (!b->becoming[i])
			continue;
		moved |= !b->found[i] ||
		    json_object_get(b->books[i].changes, "category_id");
		if (b->found[i])
			ids[n++] = b->books[i].book_id;
	}
	book_forget_some(req, ids, n);
	if (n > 0)
		popular_forget(req);
	if (moved)
		category_forget(req);
}

static int
take(struct req *req, struct batch *b)
{
	int rc;

	if (!b->run->write)
		return look(req, b);
	rc = db_tx(req, look_and_write, b);
	if (rc == RC_OK)
		forget(req, b);
	return rc;
}

static struct batch
batch_of(struct req *req, const struct bulk_run *run, struct bulk_book *books,
    size_t n)
{
	return (struct batch){ .run = run,
		.books = books,
		.n = n,
		.found = arena_alloc(req->arena, n * sizeof(json_t *)),
		.becoming = arena_alloc(req->arena, n * sizeof(json_t *)) };
}

static void
remember(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->books[i].book_id && b->books[i].result != BULK_REFUSED)
			bulk_seen_add(b->run->books,
			    (uint64_t)b->books[i].book_id, b->books[i].where);
	}
}

static int
take_alone(struct req *req, const struct bulk_run *run, struct bulk_book *book)
{
	struct batch b = batch_of(req, run, book, 1);
	int rc = take(req, &b);

	if (rc == RC_DOWN)
		return rc;
	if (rc < 0) {
		req_forgive(req);
		refuse(book,
		    rc == RC_CONFLICT ?
			"another book has its ISBN or its source id" :
			"MariaDB does not take it; the log says why");
	}
	remember(&b);
	return RC_OK;
}

int
bulk_take(struct req *req, const struct bulk_run *run, struct bulk_book *books,
    size_t n)
{
	struct batch b = batch_of(req, run, books, n);
	int rc = take(req, &b);

	if (rc == RC_OK)
		remember(&b);
	if (rc == RC_OK || rc == RC_DOWN)
		return rc;
	req_forgive(req);
	rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = take_alone(req, run, &books[i]);
	return rc;
}

int
bulk_lock(struct req *req)
{
	json_t *row;
	int rc = db_row(req, &BULK_LOCK, DB_ARGS(db_int(LOCK_S)), &row);

	if (rc < 0)
		return rc;
	return model_int(row, "got") == 1 ? RC_OK : RC_CONFLICT;
}

/* --- out of the catalogue --- */

int
bulk_page(struct req *req, int64_t after, json_t **books)
{
	return db_rows(
	    req, &BULK_PAGE, DB_ARGS(db_int(after), db_int(BULK_MAX)), books);
}

/* A sum of integers is a DECIMAL without places. */
int
bulk_count(struct req *req, int64_t *count)
{
	json_t *row;
	int rc = db_row(req, &BULK_COUNT, DB_NO_ARGS, &row);

	if (rc == RC_OK)
		*count = model_int(row, "count");
	return rc;
}

int
bulk_categories(struct req *req, json_t **categories)
{
	return db_rows(req, &BULK_CATEGORIES, DB_NO_ARGS, categories);
}
