/* cover -- see cover.h. */
#include "cover.h"

#include "audit.h"
#include "book.h"
#include "db.h"
#include "model.h"
#include "popular.h"
#include "secret.h"
#include "store.h"

/* COVER_KEEP_S, as the statements say it. */
#define KEPT_LONG "UTC_TIMESTAMP() - INTERVAL 1 DAY"
_Static_assert(COVER_KEEP_S == 86400, "as the statements below say");

static const struct db_stmt COVER_UPLOADED = { "cover.uploaded",
	"INSERT INTO covers (hash, width, height) VALUES (?, ?, ?)"
	" ON DUPLICATE KEY UPDATE used_at = UTC_TIMESTAMP()" };
static const struct db_stmt COVER_FIND = { "cover.find",
	"SELECT hash, width, height FROM covers WHERE hash = ?" };
static const struct db_stmt COVER_HOLD = { "cover.hold",
	"SELECT hash FROM covers WHERE hash = ? LOCK IN SHARE MODE" };
#define BOOK_COLUMNS \
	"id, title, author, language, version, cover," \
	" withdrawn_at IS NOT NULL AS `withdrawn?`"
static const struct db_stmt COVER_OF_BOOK = { "cover.of_book",
	"SELECT " BOOK_COLUMNS " FROM books WHERE id = ?" };
static const struct db_stmt COVER_LOCK_BOOK = { "cover.lock_book",
	"SELECT " BOOK_COLUMNS " FROM books WHERE id = ? FOR UPDATE" };
static const struct db_stmt COVER_SET = { "cover.set",
	"UPDATE books SET cover = ?, version = version + 1,"
	" updated_at = UTC_TIMESTAMP() WHERE id = ?" };

static const struct db_stmt COVER_TAKEN_OFF = { "cover.taken_off",
	"UPDATE covers SET used_at = UTC_TIMESTAMP() WHERE hash = ?" };

/* --- names --- */

bool
cover_is_hash(const char *text)
{
	return strlen(text) == COVER_HASH_LENGTH &&
	    strspn(text, "0123456789abcdef") == COVER_HASH_LENGTH;
}

static const char *
large_name(struct req *req, const char *hash)
{
	return arena_printf(req->arena, "%s.jpg", hash);
}

static const char *
small_name(struct req *req, const char *hash)
{
	return arena_printf(req->arena, "%s-small.jpg", hash);
}

const char *
cover_url(struct req *req, const char *hash)
{
	return arena_printf(req->arena, "/covers/%s.jpg", hash);
}

const char *
cover_small_url(struct req *req, const char *hash)
{
	return arena_printf(req->arena, "/covers/%s-small.jpg", hash);
}

/* --- pictures --- */

/* Its row comes first: from then on cover_sweep() leaves it alone. */
int
cover_keep(struct req *req, const struct shrunk *p, const char **hash)
{
	char *digest = arena_alloc(req->arena, SECRET_SHA256_SIZE);
	int rc;

	secret_sha256(p->large, p->large_len, digest);
	rc = db_exec(req, &COVER_UPLOADED,
	    DB_ARGS(db_text(digest), db_int(p->width), db_int(p->height)), NULL,
	    NULL);
	if (rc < 0 ||
	    (rc = store_put(
		 req, small_name(req, digest), p->small, p->small_len)) < 0 ||
	    (rc = store_put(
		 req, large_name(req, digest), p->large, p->large_len)) < 0)
		return rc;
	*hash = digest;
	return RC_OK;
}

int
cover_find(struct req *req, const char *hash, json_t **cover)
{
	return db_row(req, &COVER_FIND, DB_ARGS(db_text(hash)), cover);
}

/* --- the cover of a book --- */

struct change {
	int64_t id, version;
	const char *hash;
	json_t *book; /* as it is afterwards, or now */
};

static int
read_book(struct req *req, const struct db_stmt *st, int64_t id, json_t **book)
{
	int rc = db_row(req, st, DB_ARGS(db_int(id)), book);

	if (rc == RC_NOT_FOUND)
		return req_fail(req, rc, "%s",
		    _("There is no such book. It may have been taken out of"
		      " the catalogue."));
	return rc;
}

int
cover_of_book(struct req *req, int64_t id, json_t **book)
{
	return read_book(req, &COVER_OF_BOOK, id, book);
}

static bool
is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int
hold_picture(struct req *req, const char *hash)
{
	json_t *row;
	int rc = hash ? db_row(req, &COVER_HOLD, DB_ARGS(db_text(hash)), &row) :
			RC_OK;

	if (rc == RC_NOT_FOUND)
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("That picture is not kept any more. Please choose the"
		      " file again."));
	return rc;
}

/* Pages that were made before still show the old one for a while. */
static int
replace(struct req *req, const struct change *c)
{
	const char *old = model_text(c->book, "cover");
	int rc = hold_picture(req, c->hash);

	if (rc == RC_OK && old)
		rc = db_exec(
		    req, &COVER_TAKEN_OFF, DB_ARGS(db_text(old)), NULL, NULL);
	if (rc < 0)
		return rc;
	return db_exec(req, &COVER_SET,
	    DB_ARGS(db_text(c->hash), db_int(c->id)), NULL, NULL);
}

static int
record(struct req *req, struct change *c)
{
	static const char *const fields[] = { "cover", "version", NULL };
	const struct audit_object object = { "book", c->id,
		model_text(c->book, "title") };
	json_t *before = c->book;
	int rc = read_book(req, &COVER_OF_BOOK, c->id, &c->book);

	if (rc < 0)
		return rc;
	return audit_add(
	    req, "book.cover", &object, audit_changes(before, c->book, fields));
}

static int
set_work(struct req *req, void *arg)
{
	struct change *c = arg;
	int rc = read_book(req, &COVER_LOCK_BOOK, c->id, &c->book);

	if (rc < 0)
		return rc;
	if (is_same(model_text(c->book, "cover"), c->hash))
		return RC_OK; /* the same form once more */
	if (c->version && c->version != model_int(c->book, "version"))
		return RC_CONFLICT;
	rc = replace(req, c);
	return rc < 0 ? rc : record(req, c);
}

int
cover_set(struct req *req, int64_t id, int64_t version, const char *hash,
    json_t **book)
{
	struct change c = { .id = id, .version = version, .hash = hash };
	int rc = db_tx(req, set_work, &c);

	if (rc == RC_OK) {
		book_forget(req, id);
		popular_forget(req);
	}
	if (rc == RC_OK || rc == RC_CONFLICT)
		*book = c.book;
	return rc;
}

/* --- pictures that nothing shows --- */

#define SHOWN_NOWHERE \
	"used_at < " KEPT_LONG \
	" AND NOT EXISTS (SELECT 1 FROM books WHERE cover = covers.hash)" \
	" AND NOT EXISTS (SELECT 1 FROM books WHERE image_url IN" \
	" (CONCAT('/covers/', covers.hash, '.jpg')," \
	" CONCAT('/covers/', covers.hash, '-small.jpg')))"
static const struct db_stmt COVER_UNUSED = { "cover.unused",
	"SELECT hash FROM covers WHERE " SHOWN_NOWHERE
	" ORDER BY used_at LIMIT ?" };
static const struct db_stmt COVER_REMOVE = { "cover.remove",
	"DELETE FROM covers WHERE hash = ? AND " SHOWN_NOWHERE };

/* The files go while the row is held: who uploads the same picture now waits
 * in cover_keep(), and writes them again. */
static int
sweep_work(struct req *req, void *arg)
{
	const char *hash = arg;
	int64_t removed;
	int rc =
	    db_exec(req, &COVER_REMOVE, DB_ARGS(db_text(hash)), &removed, NULL);

	if (rc < 0 || !removed)
		return rc < 0 ? rc : RC_NOT_FOUND;
	rc = store_remove(req, large_name(req, hash));
	return rc < 0 ? rc : store_remove(req, small_name(req, hash));
}

int
cover_sweep(struct req *req, int n, size_t *done)
{
	json_t *rows, *row;
	size_t i, removed = 0;
	int rc = db_rows(req, &COVER_UNUSED, DB_ARGS(db_int(n)), &rows);

	if (rc < 0)
		return rc;
	json_array_foreach(rows, i, row) {
		char *hash = arena_strdup(req->arena, model_text(row, "hash"));

		rc = db_tx(req, sweep_work, hash);
		if (rc < 0 && rc != RC_NOT_FOUND)
			return rc;
		removed += rc == RC_OK;
	}
	*done = removed;
	return RC_OK;
}
