/* once -- see once.h. */
#include "once.h"

#include "buf.h"
#include "db.h"
#include "model.h"
#include "secret.h"
#include "sess.h"

#define WHAT_MAX ((size_t)256 * 1024) /* bytes of what is asked for */

/* Nobody sends a form again after a day.  A few at a time: no transaction
 * waits long for the tidying. */
static const struct db_stmt ONCE_TIDY = { "once.tidy",
	"DELETE FROM once WHERE at < UTC_TIMESTAMP() - INTERVAL 1 DAY"
	" ORDER BY at LIMIT 10" };
static const struct db_stmt ONCE_CLAIM = { "once.claim",
	"INSERT INTO once (actor_id, once_key, digest) VALUES (?, ?, ?)" };
static const struct db_stmt ONCE_RESULT = { "once.result",
	"SELECT result, digest FROM once WHERE actor_id = ? AND once_key = ?" };
static const struct db_stmt ONCE_KEEP = { "once.keep",
	"UPDATE once SET result = ? WHERE actor_id = ? AND once_key = ?" };

static bool
is_key(const char *key)
{
	size_t len = strlen(key);

	if (len < 1 || len > ONCE_KEY_MAX)
		return false;
	for (; *key; key++) {
		if (*key < '!' || *key > '~')
			return false;
	}
	return true;
}

static void
make_digest(
    const struct req *req, const json_t *what, char digest[SECRET_TOKEN_SIZE])
{
	struct buf text = BUF_INIT(WHAT_MAX);

	model_write(what, &text);
	secret_mac(req->conf->secret, "once", text.data, digest);
	buf_free(&text);
}

static int
other_work(struct req *req)
{
	req->status = 422;
	return req_fail(req, RC_BAD_INPUT, "%s",
	    _("This form was sent before, with something else in it. Nothing"
	      " was changed now. Open the page again, and fill in a new"
	      " form."));
}

static int
read_result(
    struct req *req, const char *key, const char *digest, int64_t *result)
{
	json_t *row;
	const char *before;
	int rc = db_row(req, &ONCE_RESULT,
	    DB_ARGS(db_int(req->sess->user_id), db_text(key)), &row);

	if (rc < 0)
		return rc;
	before = model_text(row, "digest");
	if (before && !secret_equal(before, digest))
		return other_work(req);
	*result = model_int(row, "result");
	return RC_OK;
}

int
once_claim(
    struct req *req, const char *key, const json_t *what, int64_t *result)
{
	char digest[SECRET_TOKEN_SIZE];
	int rc;

	*result = 0;
	if (!key)
		return RC_OK;
	if (!is_key(key))
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("The one-time key of this form is none of ours. Go back,"
		      " reload the page and send it again."));
	make_digest(req, what, digest);
	/* Who sends the same at the same time waits here for the first. */
	rc = db_exec(req, &ONCE_CLAIM,
	    DB_ARGS(db_int(req->sess->user_id), db_text(key), db_text(digest)),
	    NULL, NULL);
	if (rc == RC_CONFLICT)
		return read_result(req, key, digest, result);
	if (rc < 0)
		return rc;
	return db_exec(req, &ONCE_TIDY, DB_NO_ARGS, NULL, NULL);
}

int
once_keep(struct req *req, const char *key, int64_t result)
{
	if (!key)
		return RC_OK;
	return db_exec(req, &ONCE_KEEP,
	    DB_ARGS(db_int(result), db_int(req->sess->user_id), db_text(key)),
	    NULL, NULL);
}
