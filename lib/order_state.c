/*
 * order_state -- every change of state: legal or refused, with its stock, its
 * history and its event in one transaction.
 *
 * The order's row is locked first, the books follow in the order of their
 * ids, as with a new order.  So two changes of one order come one after the
 * other, and the second finds the state that the first has made.
 */
#include "order_internal.h"

#include "audit.h"
#include "db.h"
#include "metric.h"
#include "model.h"
#include "outbox.h"
#include "pay.h"
#include "sess.h"
#include "stock.h"

static const struct db_stmt ORDER_LOCK = { "order.lock",
	"SELECT state FROM orders WHERE id = ? FOR UPDATE" };
static const struct db_stmt ORDER_SET_STATE = { "order.set_state",
	"UPDATE orders SET state = ?, updated_at = UTC_TIMESTAMP()"
	" WHERE id = ? AND state = ?" };
static const struct db_stmt ORDER_NOTE = { "order.note",
	"INSERT INTO order_history"
	" (order_id, from_state, to_state, actor_id, actor, note)"
	" VALUES (?, ?, ?, ?, ?, ?)" };
static const struct db_stmt ORDER_CONFIRM = { "order.confirm",
	"UPDATE payments SET result = 'approved' WHERE id = ?" };
static const struct db_stmt ORDER_REFUND = { "order.refund",
	"INSERT INTO payments (order_id, result, amount)"
	" SELECT order_id, 'refunded', amount FROM payments"
	" WHERE order_id = ? AND result = 'approved'" };
/* Attempts whose answer never came: they may have been charged. */
static const struct db_stmt ORDER_VOID = { "order.void",
	"UPDATE payments SET result = 'refunded'"
	" WHERE order_id = ? AND result = 'timeout'" };
static const struct db_stmt ORDER_EXPIRED = { "order.expired",
	"SELECT id FROM orders WHERE state = 'pending'"
	" AND expires_at <= UTC_TIMESTAMP() ORDER BY expires_at LIMIT ?" };

/* --- what goes with every change --- */

static int
add_history(struct req *req, int64_t id, const char *from, const char *to,
    const char *note)
{
	const struct sess *s = req->sess;
	bool member = s && s->user_id;

	return db_exec(req, &ORDER_NOTE,
	    DB_ARGS(db_int(id), db_text(from), db_text(to),
		member ? db_int(s->user_id) : db_null(),
		db_text(member ? s->username : "system"), db_text(note)),
	    NULL, NULL);
}

/* Where it goes and to whom is nobody's business but the shop's. */
static json_t *
event_data(const json_t *order)
{
	static const char *const keys[] = { "id", "number", "user_id",
		"username", "state", "total", "created_at", "updated_at",
		"items" };
	json_t *data = json_object();

	for (size_t i = 0; i < LENGTH(keys); i++)
		json_object_set(data, keys[i], json_object_get(order, keys[i]));
	return data;
}

static int
add_event(
    struct req *req, const json_t *order, const char *from, const char *to)
{
	json_t *data = event_data(order);

	model_set_text(data, "from", from);
	return outbox_add(req, arena_printf(req->arena, "order.%s", to),
	    model_text(order, "number"), data);
}

int
order_record(struct req *req, int64_t id, const char *from, const char *to,
    const char *note, json_t **order)
{
	json_t *loaded;
	int rc = add_history(req, id, from, to, note);

	if (rc < 0 || (rc = order_load(req, id, &loaded)) < 0 ||
	    (rc = add_event(req, loaded, from, to)) < 0)
		return rc;
	*order = loaded;
	return RC_OK;
}

/* --- the change --- */

static int
not_now(struct req *req, enum order_state state)
{
	req->details = json_pack("{s:s}", "state", order_state_text(state));
	return req_fail(req, RC_CONFLICT, "%s",
	    _("The order is in another state now, in which this cannot be"
	      " done. Look at the order to see it."));
}

static int
lock_order(struct req *req, int64_t id, enum order_state *state)
{
	json_t *row;
	int rc = db_row(req, &ORDER_LOCK, DB_ARGS(db_int(id)), &row);

	if (rc == RC_OK)
		*state = order_state_of(row);
	return rc == RC_NOT_FOUND ? req_bug(req) : rc;
}

static bool
is_legal(const struct order_change *c)
{
	/* What has left the house cannot be cancelled. */
	if (c->cancel && c->from != ORDER_PENDING && c->from != ORDER_PAID)
		return false;
	return order_may_become(c->from, c->to);
}

static int
set_state(struct req *req, const struct order_change *c)
{
	int64_t changed;
	int rc = db_exec(req, &ORDER_SET_STATE,
	    DB_ARGS(db_text(order_state_text(c->to)), db_int(c->id),
		db_text(order_state_text(c->from))),
	    &changed, NULL);

	if (rc < 0)
		return rc;
	return changed == 1 ? RC_OK : req_bug(req);
}

/* Its copies are still in the house, and now nobody's. */
static bool
frees_stock(const struct order_change *c)
{
	return (c->from == ORDER_PENDING || c->from == ORDER_PAID) &&
	    (c->to == ORDER_CANCELLED || c->to == ORDER_REFUNDED);
}

static int
return_stock(struct req *req, const struct order_change *c)
{
	struct stock_demand demand[ORDER_LINES_MAX];
	size_t n = order_demand(c->order, demand);

	return stock_return(req, c->id, demand, n);
}

static int
add_audit(struct req *req, const struct order_change *c)
{
	struct audit_object object = { "order", c->id,
		model_text(c->order, "number") };

	return audit_add(req, "order.state", &object,
	    json_pack("{s:[s, s]}", "state", order_state_text(c->from),
		order_state_text(c->to)));
}

/* What is paid without a payment of ours was paid elsewhere. */
static int
settle_payment(struct req *req, struct order_change *c)
{
	int64_t changed = 0;
	int rc = RC_OK;

	if (c->payment)
		rc = db_exec(req, &ORDER_CONFIRM, DB_ARGS(db_int(c->payment)),
		    NULL, NULL);
	else if (c->to == ORDER_REFUNDED)
		rc = db_exec(
		    req, &ORDER_REFUND, DB_ARGS(db_int(c->id)), &changed, NULL);
	else if (c->to == ORDER_CANCELLED || c->to == ORDER_PAID)
		rc = db_exec(
		    req, &ORDER_VOID, DB_ARGS(db_int(c->id)), &changed, NULL);
	c->refund = changed > 0;
	return rc;
}

static int
change_state(struct req *req, void *arg)
{
	struct order_change *c = arg;
	int rc = lock_order(req, c->id, &c->from);

	if (rc < 0)
		return rc;
	if (c->cancel)
		c->to =
		    c->from == ORDER_PAID ? ORDER_REFUNDED : ORDER_CANCELLED;
	if (!is_legal(c))
		return not_now(req, c->from);
	if ((rc = set_state(req, c)) < 0 || (rc = settle_payment(req, c)) < 0 ||
	    (rc = order_record(req, c->id, order_state_text(c->from),
		 order_state_text(c->to), c->note, &c->order)) < 0)
		return rc;
	if (c->audit && (rc = add_audit(req, c)) < 0)
		return rc;
	return frees_stock(c) ? return_stock(req, c) : RC_OK;
}

/* What is given back later stays revenue: the figure only grows. */
static void
count(const struct order_change *c)
{
	if (frees_stock(c))
		metric_add(METRIC_ORDERS_CANCELLED, 1);
	if (c->to != ORDER_PAID)
		return;
	metric_add(METRIC_ORDERS_PAID, 1);
	metric_add(METRIC_REVENUE, model_int(c->order, "total"));
}

int
order_become(struct req *req, struct order_change *c)
{
	int rc = db_tx(req, change_state, c);

	if (rc < 0)
		return rc;
	count(c);
	if (frees_stock(c))
		order_forget_books(req, c->order);
	if (c->refund)
		pay_refund(req, model_text(c->order, "number"),
		    model_int(c->order, "total"));
	return RC_OK;
}

/* --- who changes it --- */

/* The change of the order of that number, and the order as it is then. */
static int
become(
    struct req *req, const char *number, struct order_change *c, json_t **order)
{
	json_t *found;
	int rc = order_find(req, number, &found);

	if (rc < 0)
		return rc;
	c->id = order_id_of(found);
	/* Whoever changes another's order is an administrator. */
	c->audit |= model_int(found, "user_id") != req->sess->user_id;
	if ((rc = order_become(req, c)) < 0 ||
	    (rc = order_load_past(req, c->order)) < 0)
		return rc;
	*order = c->order;
	return RC_OK;
}

int
order_cancel(struct req *req, const char *number, json_t **order)
{
	struct order_change c = { .cancel = true };

	return become(req, number, &c, order);
}

int
order_set_state(struct req *req, const char *number, enum order_state state,
    const char *note, json_t **order)
{
	struct order_change c = { .to = state, .note = note, .audit = true };

	return become(req, number, &c, order);
}

/* Somebody paid or cancelled it in the meantime: that is fine. */
static int
expire_one(struct req *req, int64_t id, int *expired)
{
	struct order_change c = {
		.id = id, .to = ORDER_CANCELLED, .note = "expired"
	};
	int rc = order_become(req, &c);

	if (rc == RC_OK)
		++*expired;
	if (rc != RC_CONFLICT)
		return rc;
	req_forgive(req);
	return RC_OK;
}

int
order_expire(struct req *req, int max, int *expired)
{
	json_t *rows, *row;
	size_t i;
	int n = 0;
	int rc = db_rows(req, &ORDER_EXPIRED, DB_ARGS(db_int(max)), &rows);

	if (rc < 0)
		return rc;
	json_array_foreach(rows, i, row) {
		rc = expire_one(req, order_id_of(row), &n);
		/* Something is wrong with this one, and the log has it. */
		if (rc == RC_BUG) {
			req_forgive(req);
			rc = RC_OK;
		}
		if (rc < 0)
			break;
	}
	*expired = n;
	return rc;
}
