/*
 * db_tx -- transactions: work is run again when another was in its way.
 */
#include "db_internal.h"

#include "backoff.h"

#define TX_TRIES 5
#define TX_WAIT_US 2000 /* before the second try; doubles */

static const struct db_stmt TX_BEGIN = { "tx.begin", "START TRANSACTION" };
static const struct db_stmt TX_COMMIT = { "tx.commit", "COMMIT" };
static const struct db_stmt TX_ROLLBACK = { "tx.rollback", "ROLLBACK" };

/* A jump out of db_tx() left one open: with its link it is rolled back. */
static void
tx_end(void *arg)
{
	struct db *db = arg;

	if (db->in_tx)
		db_link_close(db);
	db->in_tx = db->tx_again = false;
}

static int
tx_simple(struct req *req, const struct db_stmt *st)
{
	return db_exec(req, st, DB_NO_ARGS, NULL, NULL);
}

/* Without a link there is nothing to roll back. */
static void
tx_rollback(struct req *req)
{
	struct db *db = req->db;
	bool again = db->tx_again;

	if (!db->link)
		return;
	db->tx_again = false; /* which lets nothing pass */
	if (tx_simple(req, &TX_ROLLBACK) < 0)
		db_link_close(db);
	db->tx_again |= again;
}

/* One try.  *again: the server asks for another. */
static int
tx_try(
    struct req *req, int (*work)(struct req *, void *), void *arg, bool *again)
{
	struct db *db = req->db;
	int rc;

	*again = false;
	rc = tx_simple(req, &TX_BEGIN);
	if (rc < 0)
		return rc;
	db->in_tx = true;
	rc = work(req, arg);
	if (rc == RC_OK)
		rc = tx_simple(req, &TX_COMMIT);
	if (rc < 0)
		tx_rollback(req);
	*again = db->tx_again;
	db->in_tx = db->tx_again = false;
	return rc;
}

int
db_tx(struct req *req, int (*work)(struct req *, void *), void *arg)
{
	enum rc code = req->fail_code;
	const char *text = req->fail_text;
	bool again;
	int rc;

	if (req->db->in_tx) {
		log_msg(LOG_ERROR, "db.error",
		    "a transaction within a transaction");
		return req_bug(req);
	}
	arena_defer(req->arena, tx_end, req->db);
	for (int tries = 0; tries < TX_TRIES; tries++) {
		if (tries > 0)
			backoff_wait(TX_WAIT_US, tries - 1);
		/* What a try before this one said does not count any more. */
		req->fail_code = code;
		req->fail_text = text;
		rc = tx_try(req, work, arg, &again);
		if (!again)
			return rc;
	}
	log_msg(LOG_ERROR, "db.error", "%d tries met a lock", TX_TRIES);
	return db_down(req);
}
