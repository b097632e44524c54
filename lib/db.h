/*
 * db -- MariaDB: one lazy connection a worker, named prepared statements,
 * deadlines, one safe reconnect, transactions.
 *
 * Statements are constants with a name, which the log and the tests know:
 *
 *	static const struct db_stmt BOOK_BY_ID = { "book.by_id",
 *	    "SELECT id, title FROM books WHERE id = ?" };
 *	rc = db_row(req, &BOOK_BY_ID, DB_ARGS(db_int(id)), &book);
 *
 * Rows come as JSON objects by column label, in the request's memory:
 * integers as integers, DECIMAL as an integer of minor units (12.50 ->
 * 1250), DATETIME and TIMESTAMP as "2026-11-21T10:20:30Z", all else as text,
 * NULL as null.  A label that ends in "?" is a boolean.
 *
 * All of them log db.query (name, rows, us) and count in req->db_count.
 * RC_DOWN: MariaDB is away, or a deadline passed.  RC_CONFLICT: a duplicate
 * key.  RC_BUG: any other refusal, logged with MariaDB's words.  A link that
 * died is opened again once, only outside a transaction; a SELECT is tried
 * twice more, after a short wait.  While the breaker is open (breaker.h),
 * whatever is not within a transaction is RC_DOWN at once.
 */
#ifndef SEOGA_DB_H
#define SEOGA_DB_H

#include "breaker.h"
#include "req.h"

struct db_stmt {
	const char *name;
	const char *sql;
};

struct db_arg {
	enum { DB_NULL, DB_INT, DB_TEXT } type;
	int64_t i;
	const char *s;
	size_t len;
};

static inline struct db_arg
db_int(int64_t i)
{
	return (struct db_arg){ .type = DB_INT, .i = i };
}

/* NULL gives SQL NULL. */
static inline struct db_arg
db_text(const char *s)
{
	if (!s)
		return (struct db_arg){ .type = DB_NULL };
	return (struct db_arg){ .type = DB_TEXT, .s = s, .len = strlen(s) };
}

static inline struct db_arg
db_null(void)
{
	return (struct db_arg){ .type = DB_NULL };
}

#define DB_ARGS(...) \
	(const struct db_arg[]){ __VA_ARGS__ }, \
	    sizeof((const struct db_arg[]){ __VA_ARGS__ }) / \
	    sizeof(struct db_arg)
#define DB_NO_ARGS NULL, 0

/* Opens nothing yet: the first statement connects. */
struct db *db_open(const struct conf *conf);
void db_close(struct db *db);

/* All rows as an array, at most 1000 (more is RC_BUG). */
int db_rows(struct req *req, const struct db_stmt *st,
    const struct db_arg *args, size_t nargs, json_t **rows) ATTR_CHECK;

/* The one row; RC_NOT_FOUND, without a text, when there is none. */
int db_row(struct req *req, const struct db_stmt *st, const struct db_arg *args,
    size_t nargs, json_t **row) ATTR_CHECK;

/* A statement without rows.  affected and id (AUTO_INCREMENT) may be NULL. */
int
db_exec(struct req *req, const struct db_stmt *st, const struct db_arg *args,
    size_t nargs, int64_t *affected, int64_t *id) ATTR_CHECK;

/*
 * Runs work in a transaction: COMMIT when it returns RC_OK, else ROLLBACK and
 * its code.  After a deadlock or lock wait timeout (1213, 1205) it is rolled
 * back and run again, 5 times at most with a growing, jittered wait, so work
 * must do nothing but SQL.  A link lost on COMMIT is RC_DOWN: whether it was
 * committed is unknown.
 */
int db_tx(struct req *req, int (*work)(struct req *req, void *arg),
    void *arg) ATTR_CHECK;

/* What stands between us and MariaDB. */
const struct breaker *db_breaker(const struct req *req);

/* Is MariaDB there?  One round trip, with the usual deadlines. */
int db_ping(struct req *req) ATTR_CHECK;

#endif
