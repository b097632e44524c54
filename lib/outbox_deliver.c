/*
 * outbox_deliver -- how events leave the outbox: in order, by whoever has the
 * turn, marked after they were handed over.
 */
#include "buf.h"
#include "db.h"
#include "model.h"
#include "outbox.h"
#include "secret.h"

#define EVENT_MAX ((size_t)8 * 1024 * 1024)
#define SPAN_LENGTH 16
#define TURN_S 10 /* a relay that hangs loses its turn */

static const struct db_stmt ANY = { "outbox.any",
	"SELECT id FROM outbox WHERE delivered_at IS NULL"
	" ORDER BY id LIMIT 1" };
static const struct db_stmt LIMIT_TURN = { "outbox.limit_turn",
	"SET SESSION idle_transaction_timeout = ?" };
static const struct db_stmt TAKE_TURN = { "outbox.take_turn",
	"SELECT id FROM outbox_turn WHERE id = 1 FOR UPDATE SKIP LOCKED" };
static const struct db_stmt OLDEST = { "outbox.oldest",
	"SELECT id, topic, subject, payload, trace, span, sampled,"
	" created_at"
	" FROM outbox WHERE delivered_at IS NULL ORDER BY id LIMIT ?" };
static const struct db_stmt PRUNE = { "outbox.prune",
	"DELETE FROM outbox WHERE delivered_at <"
	" UTC_TIMESTAMP(3) - INTERVAL ? SECOND"
	" ORDER BY delivered_at LIMIT 1000" };
static const struct db_stmt LAG = { "outbox.lag",
	"SELECT COUNT(*) AS waiting, COALESCE(TIMESTAMPDIFF(SECOND,"
	" MIN(created_at), UTC_TIMESTAMP(3)), 0) AS seconds"
	" FROM (SELECT created_at FROM outbox WHERE delivered_at IS NULL"
	" ORDER BY id LIMIT 10000) AS first" };

int
outbox_any(struct req *req, bool *any)
{
	json_t *row;
	int rc = db_row(req, &ANY, DB_NO_ARGS, &row);

	if (rc < 0 && rc != RC_NOT_FOUND)
		return rc;
	*any = rc == RC_OK;
	return RC_OK;
}

int
outbox_prune(struct req *req, int keep_s, int64_t *pruned)
{
	return db_exec(req, &PRUNE, DB_ARGS(db_int(keep_s)), pruned, NULL);
}

int
outbox_lag(struct req *req, int64_t *waiting, int64_t *seconds)
{
	json_t *row;
	int rc = db_row(req, &LAG, DB_NO_ARGS, &row);

	if (rc < 0)
		return rc;
	*waiting = model_int(row, "waiting");
	*seconds = model_int(row, "seconds");
	return RC_OK;
}

/* --- one turn --- */

struct turn {
	size_t max, n;
	int (*deliver)(
	    struct req *, const struct outbox_event *, size_t, void *);
	void *arg;
};

static void
add_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "\"%s\":\"", name);
	buf_json(b, value, strlen(value));
	buf_str(b, "\",");
}

/* CloudEvents 1.0, in the JSON form; the request's trace goes on in it, with
 * the delivery between the two. */
static void
add_event(struct buf *b, const json_t *row, const char *span)
{
	buf_printf(b, "{\"specversion\":\"1.0\",\"id\":\"%lld\",",
	    (long long)model_int(row, "id"));
	add_text(b, "source", "/orders");
	add_text(b, "type", model_text(row, "topic"));
	add_text(b, "subject", model_text(row, "subject"));
	add_text(b, "time", model_text(row, "created_at"));
	add_text(b, "datacontenttype", "application/json");
	buf_printf(b, "\"traceparent\":\"00-%s-%s-0%d\",\"data\":",
	    model_text(row, "trace"), span, (int)model_int(row, "sampled"));
	buf_str(b, model_text(row, "payload"));
	buf_char(b, '}');
}

static const char *
new_span(struct req *req)
{
	char token[SECRET_TOKEN_SIZE];

	secret_token(token);
	return arena_strndup(req->arena, token, SPAN_LENGTH);
}

static int
read_events(struct req *req, const json_t *rows, struct outbox_event *events)
{
	struct buf b = BUF_INIT(EVENT_MAX);
	bool over = false;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		const char *span = new_span(req);

		buf_reset(&b);
		add_event(&b, row, span);
		over |= b.over;
		events[i] = (struct outbox_event){ .id = model_int(row, "id"),
			.topic = model_text(row, "topic"),
			.subject = model_text(row, "subject"),
			.trace = model_text(row, "trace"),
			.time = model_text(row, "created_at"),
			.parent = model_text(row, "span"),
			.span = span,
			.sampled = model_int(row, "sampled") != 0,
			.json = arena_strndup(req->arena, b.data, b.len) };
	}
	buf_free(&b);
	return over ? req_fail(req, RC_BUG, "an event is too large") : RC_OK;
}

/*
 * Just those, not "all up to the last": a transaction with a smaller id may
 * have been committed since.  The list is filled up with its last id to a
 * power of two, so that there are few statements to prepare.
 */
static int
mark(struct req *req, const struct outbox_event *events, size_t n)
{
	struct buf sql = BUF_INIT(16384);
	struct db_stmt st = { .name = "outbox.delivered" };
	struct db_arg *args;
	size_t slots = 1;
	int rc;

	while (slots < n)
		slots *= 2;
	args = arena_alloc(req->arena, slots * sizeof(args[0]));
	buf_str(&sql,
	    "UPDATE outbox SET delivered_at = UTC_TIMESTAMP(3)"
	    " WHERE id IN (");
	for (size_t i = 0; i < slots; i++) {
		buf_str(&sql, i ? ",?" : "?");
		args[i] = db_int(events[i < n ? i : n - 1].id);
	}
	buf_char(&sql, ')');
	st.sql = sql.data;
	rc = db_exec(req, &st, args, slots, NULL, NULL);
	buf_free(&sql);
	return rc;
}

/* Runs again after a deadlock; then events are delivered once more. */
static int
take_turn(struct req *req, void *arg)
{
	struct turn *turn = arg;
	struct outbox_event *events;
	json_t *row, *rows;
	size_t n;
	int rc;

	turn->n = 0;
	rc = db_row(req, &TAKE_TURN, DB_NO_ARGS, &row);
	if (rc == RC_NOT_FOUND)
		return RC_OK; /* another has it */
	if (rc < 0 ||
	    (rc = db_rows(
		 req, &OLDEST, DB_ARGS(db_int((int64_t)turn->max)), &rows)) < 0)
		return rc;
	n = json_array_size(rows);
	if (n == 0)
		return RC_OK;
	events = arena_alloc(req->arena, n * sizeof(events[0]));
	if ((rc = read_events(req, rows, events)) < 0 ||
	    (rc = turn->deliver(req, events, n, turn->arg)) < 0 ||
	    (rc = mark(req, events, n)) < 0)
		return rc;
	turn->n = n;
	return RC_OK;
}

int
outbox_deliver(struct req *req, size_t max,
    int (*deliver)(struct req *req, const struct outbox_event *events, size_t n,
	void *arg),
    void *arg, size_t *n)
{
	struct turn turn = { .max = max, .deliver = deliver, .arg = arg };
	int rc;

	rc = db_exec(req, &LIMIT_TURN, DB_ARGS(db_int(TURN_S)), NULL, NULL);
	if (rc < 0 || (rc = db_tx(req, take_turn, &turn)) < 0)
		return rc;
	*n = turn.n;
	return RC_OK;
}
