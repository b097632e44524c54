/* stock -- see stock.h. */
#include "stock.h"

#include "buf.h"
#include "db.h"
#include "model.h"
#include "sess.h"

#define HISTORY_MAX 100

static const struct db_stmt STOCK_TAKE = { "stock.take",
	"UPDATE books SET stock_quantity = stock_quantity - ?"
	" WHERE id = ? AND stock_quantity >= ? AND withdrawn_at IS NULL" };
/* Also of a book that was withdrawn in the meantime: the copy is there. */
static const struct db_stmt STOCK_RETURN = { "stock.return",
	"UPDATE books SET stock_quantity = stock_quantity + ? WHERE id = ?" };
static const struct db_stmt STOCK_LOCK = { "stock.lock",
	"SELECT stock_quantity FROM books WHERE id = ? FOR UPDATE" };
static const struct db_stmt STOCK_SET_TO = { "stock.set_to",
	"UPDATE books SET stock_quantity = ?, updated_at = UTC_TIMESTAMP()"
	" WHERE id = ? AND stock_quantity = ?" };
static const struct db_stmt STOCK_NOTE = { "stock.note",
	"INSERT INTO stock_changes"
	" (book_id, delta, stock_after, reason, note, actor_id, order_id)"
	" SELECT id, ?, stock_quantity, ?, ?, ?, ? FROM books WHERE id = ?" };
static const struct db_stmt STOCK_HISTORY = { "stock.history",
	"SELECT c.id, c.delta, c.stock_after, c.reason, c.note,"
	" u.username AS actor, o.number AS order_number, c.at"
	" FROM stock_changes c LEFT JOIN users u ON u.id = c.actor_id"
	" LEFT JOIN orders o ON o.id = c.order_id"
	" WHERE c.book_id = ? ORDER BY c.id DESC LIMIT ?" };

/* One line of history. */
struct change {
	int64_t book_id, delta;
	const char *reason, *note;
	int64_t order_id; /* 0: none */
};

static struct db_arg
id_or_null(int64_t id)
{
	return id ? db_int(id) : db_null();
}

/* A command has no member: it is the system. */
static int64_t
actor_id(const struct req *req)
{
	return req->sess ? req->sess->user_id : 0;
}

static int
note_change(struct req *req, const struct change *c)
{
	return db_exec(req, &STOCK_NOTE,
	    DB_ARGS(db_int(c->delta), db_text(c->reason), db_text(c->note),
		id_or_null(actor_id(req)), id_or_null(c->order_id),
		db_int(c->book_id)),
	    NULL, NULL);
}

static int
by_book(const void *a, const void *b)
{
	const struct stock_demand *x = a, *y = b;

	return (x->book_id > y->book_id) - (x->book_id < y->book_id);
}

/* All who change several books go by the same order, so that none waits for
 * one who waits for him. */
static void
sort_demand(struct stock_demand *demand, size_t n)
{
	qsort(demand, n, sizeof(*demand), by_book);
}

static int
take_one(struct req *req, int64_t order_id, const struct stock_demand *d)
{
	int64_t changed;
	int rc = db_exec(req, &STOCK_TAKE,
	    DB_ARGS(db_int(d->copies), db_int(d->book_id), db_int(d->copies)),
	    &changed, NULL);

	if (rc < 0)
		return rc;
	if (changed == 0)
		return RC_CONFLICT;
	return note_change(req,
	    &(struct change){ .book_id = d->book_id,
		.delta = -d->copies,
		.reason = "ordered",
		.order_id = order_id });
}

int
stock_take(struct req *req, int64_t order_id, struct stock_demand *demand,
    size_t n, int64_t *missing)
{
	int rc = RC_OK;

	sort_demand(demand, n);
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		rc = take_one(req, order_id, &demand[i]);
		if (rc == RC_CONFLICT)
			*missing = demand[i].book_id;
	}
	return rc;
}

static int
return_one(struct req *req, int64_t order_id, const struct stock_demand *d)
{
	int rc = db_exec(req, &STOCK_RETURN,
	    DB_ARGS(db_int(d->copies), db_int(d->book_id)), NULL, NULL);

	if (rc < 0)
		return rc;
	return note_change(req,
	    &(struct change){ .book_id = d->book_id,
		.delta = d->copies,
		.reason = "returned",
		.order_id = order_id });
}

int
stock_return(
    struct req *req, int64_t order_id, struct stock_demand *demand, size_t n)
{
	int rc = RC_OK;

	sort_demand(demand, n);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = return_one(req, order_id, &demand[i]);
	return rc;
}

/* As book_by_ids(), but locked; without FORCE INDEX a small table is read,
 * and so locked, as a whole. */
int
stock_lock(struct req *req, const int64_t *ids, size_t n, json_t **books)
{
	struct db_arg args[128];
	struct buf sql = BUF_INIT(2048);
	size_t marks = 1;
	struct db_stmt st;
	int rc;

	while (marks < n)
		marks *= 2;
	buf_str(&sql,
	    "SELECT id, title, author, language, price, stock_quantity"
	    " FROM books FORCE INDEX (PRIMARY)"
	    " WHERE withdrawn_at IS NULL AND id IN (");
	for (size_t i = 0; i < marks; i++) {
		buf_str(&sql, i ? ", ?" : "?");
		args[i] = db_int(ids[i < n ? i : n - 1]);
	}
	buf_str(&sql, ") ORDER BY id FOR UPDATE");
	st.name = arena_printf(req->arena, "stock.lock_many.%zu", marks);
	st.sql = arena_strndup(req->arena, sql.data, sql.len);
	buf_free(&sql);
	rc = db_rows(req, &st, args, marks, books);
	return rc;
}

/* --- a librarian's change --- */

static int64_t
changed_stock(enum stock_change change, int64_t stock, int64_t copies)
{
	switch (change) {
	case STOCK_ADD:
		return stock + copies;
	case STOCK_SUBTRACT:
		return stock - copies;
	default:
		return copies;
	}
}

static const char *
reason_of(enum stock_change change)
{
	switch (change) {
	case STOCK_ADD:
		return "added";
	case STOCK_SUBTRACT:
		return "taken";
	default:
		return "set";
	}
}

static int
check_stock(struct req *req, int64_t stock, int64_t now)
{
	if (now < 0)
		return req_fail(req, RC_CONFLICT,
		    _("There are only %lld copies in stock, so nothing was"
		      " changed."),
		    (long long)stock);
	if (now > STOCK_MAX)
		return req_fail(req, RC_CONFLICT,
		    _("A book has at most %d copies, so nothing was changed."),
		    STOCK_MAX);
	return RC_OK;
}

static int
lock_stock(struct req *req, int64_t book_id, int64_t *stock)
{
	json_t *row;
	int rc = db_row(req, &STOCK_LOCK, DB_ARGS(db_int(book_id)), &row);

	if (rc == RC_NOT_FOUND)
		return req_fail(req, rc, "%s",
		    _("There is no such book. It may have been taken out of"
		      " the catalogue."));
	if (rc == RC_OK)
		*stock = model_int(row, "stock_quantity");
	return rc;
}

int
stock_change(struct req *req, int64_t book_id, enum stock_change change,
    int64_t copies, const char *note, int64_t *stock_now)
{
	int64_t stock = 0, now;
	int rc = lock_stock(req, book_id, &stock);

	if (rc < 0)
		return rc;
	now = changed_stock(change, stock, copies);
	if ((rc = check_stock(req, stock, now)) < 0)
		return rc;
	*stock_now = now;
	if (now == stock)
		return RC_OK;
	rc = db_exec(req, &STOCK_SET_TO,
	    DB_ARGS(db_int(now), db_int(book_id), db_int(stock)), NULL, NULL);
	if (rc < 0)
		return rc;
	return note_change(req,
	    &(struct change){ .book_id = book_id,
		.delta = now - stock,
		.reason = reason_of(change),
		.note = note });
}

int
stock_history(struct req *req, int64_t book_id, json_t **changes)
{
	return db_rows(req, &STOCK_HISTORY,
	    DB_ARGS(db_int(book_id), db_int(HISTORY_MAX)), changes);
}
