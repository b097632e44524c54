/*
 * order_pay -- paying: nothing is locked while the payment service is asked.
 *
 * Reserve, pay, re-check, confirm.  The order holds its copies already.  The
 * attempt is written down before the service is asked, so that a crash in
 * between leaves a trace; afterwards the order is confirmed only if it still
 * waits for it, else the money goes back.
 */
#include "order_internal.h"

#include "db.h"
#include "model.h"
#include "pay.h"

#define RETRY_AFTER 30 /* seconds, when the service gave no answer */

/* Of an order that is still to be paid, and only of that: who changes its
 * state at this moment comes first. */
static const struct db_stmt ORDER_ATTEMPT = { "order.attempt",
	"INSERT INTO payments (order_id, result, amount)"
	" SELECT id, 'timeout', total FROM orders"
	" WHERE id = ? AND state = 'pending'"
	" AND expires_at > UTC_TIMESTAMP() FOR UPDATE" };
static const struct db_stmt ORDER_CHARGED = { "order.charged",
	"SELECT id FROM payments WHERE order_id = ? AND result = 'approved'"
	" LIMIT 1" };
static const struct db_stmt ORDER_SETTLE = { "order.settle",
	"UPDATE payments SET result = ? WHERE id = ?" };
static const struct db_stmt ORDER_FORGET_ATTEMPT = { "order.forget_attempt",
	"DELETE FROM payments WHERE id = ?" };

static bool
is_paid(enum order_state state)
{
	return state == ORDER_PAID || state == ORDER_SHIPPED ||
	    state == ORDER_DELIVERED;
}

static int
too_late(struct req *req)
{
	return req_fail(req, RC_CONFLICT, "%s",
	    _("The order was cancelled or has expired, so nothing was"
	      " charged. You can order again."));
}

/* *payment is 0 when the order does not wait for one any more. */
static int
begin_attempt(struct req *req, const json_t *order, int64_t *payment)
{
	int64_t added;
	int rc = db_exec(req, &ORDER_ATTEMPT,
	    DB_ARGS(db_int(order_id_of(order))), &added, payment);

	if (rc == RC_OK && added == 0)
		*payment = 0;
	return rc;
}

/* Another tab may have paid just now. */
static int
not_waiting(struct req *req, const json_t *order)
{
	json_t *now;
	int rc = order_load(req, order_id_of(order), &now);

	if (rc < 0)
		return rc;
	return is_paid(order_state_of(now)) ? RC_OK : too_late(req);
}

static int
settle(struct req *req, int64_t payment, const char *result)
{
	return db_exec(req, &ORDER_SETTLE,
	    DB_ARGS(db_text(result), db_int(payment)), NULL, NULL);
}

static int
declined(struct req *req, int64_t payment)
{
	int rc = settle(req, payment, "declined");

	if (rc < 0)
		return rc;
	return req_fail(req, RC_CONFLICT, "%s",
	    _("The card was declined, so nothing was charged. Your order is"
	      " kept for a while: try again, or use another card."));
}

static int
unanswered(struct req *req)
{
	req->retry_after = RETRY_AFTER;
	return req_fail(req, RC_DOWN, "%s",
	    _("The payment service did not answer. Your order is kept for a"
	      " while: try again. You will not be charged twice."));
}

/* Was it another attempt that paid for the order? */
static int
is_charged(struct req *req, const json_t *order, bool *charged)
{
	json_t *row;
	int rc = db_row(
	    req, &ORDER_CHARGED, DB_ARGS(db_int(order_id_of(order))), &row);

	if (rc < 0 && rc != RC_NOT_FOUND)
		return rc;
	*charged = rc == RC_OK;
	return RC_OK;
}

/* One reference is charged once: the money is that of the other attempt, by
 * another tab, and whoever cancelled that order gave it back. */
static int
forget_attempt(struct req *req, int64_t payment)
{
	return db_exec(
	    req, &ORDER_FORGET_ATTEMPT, DB_ARGS(db_int(payment)), NULL, NULL);
}

static int
give_back(struct req *req, const json_t *order, int64_t payment)
{
	pay_refund(req, model_text(order, "number"), model_int(order, "total"));
	return settle(req, payment, "refunded");
}

/* The order did not wait for it. */
static int
unwanted(struct req *req, const json_t *order, int64_t payment,
    enum order_state state)
{
	bool charged;
	int rc;

	req_forgive(req);
	rc = is_charged(req, order, &charged);
	if (rc < 0)
		return rc;
	rc = charged ? forget_attempt(req, payment) :
		       give_back(req, order, payment);
	if (rc < 0)
		return rc;
	return is_paid(state) ? RC_OK : too_late(req);
}

static int
confirm(struct req *req, const json_t *order, int64_t payment)
{
	struct order_change c = {
		.id = order_id_of(order), .to = ORDER_PAID, .payment = payment
	};
	int rc = order_become(req, &c);

	return rc == RC_CONFLICT ? unwanted(req, order, payment, c.from) : rc;
}

static int
charge(struct req *req, const json_t *order, const char *card)
{
	int64_t payment;
	int rc = begin_attempt(req, order, &payment);

	if (rc < 0)
		return rc;
	if (!payment)
		return not_waiting(req, order);
	switch (pay_charge(req, card, model_text(order, "number"),
	    model_int(order, "total"))) {
	case PAY_APPROVED:
		return confirm(req, order, payment);
	case PAY_DECLINED:
		return declined(req, payment);
	default:
		return unanswered(req);
	}
}

int
order_pay(struct req *req, const char *number, const char *card, json_t **order)
{
	json_t *found;
	enum order_state state;
	int rc;

	if (!pay_card_is_valid(card))
		return req_field_error(req, "card",
		    _("Check the card number: it has 16 digits, and one of"
		      " them is missing or mistyped."));
	rc = order_find(req, number, &found);
	if (rc < 0)
		return rc;
	state = order_state_of(found);
	if (!is_paid(state) && state != ORDER_PENDING)
		return too_late(req);
	if (state == ORDER_PENDING && (rc = charge(req, found, card)) < 0)
		return rc;
	return order_by_number(req, number, order);
}
