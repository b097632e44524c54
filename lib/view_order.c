/* view_order -- how orders look to a reader; see view.h. */
#include "view.h"

#include "model.h"
#include "order.h"
#include "sess.h"

#include <time.h>

static const char *const states[][2] = {
	{ "pending", N_("Waiting for payment") }, { "paid", N_("Paid") },
	{ "shipped", N_("Shipped") }, { "delivered", N_("Delivered") },
	{ "cancelled", N_("Cancelled") }, { "refunded", N_("Refunded") }
};

const char *
view_order_state(const char *state)
{
	for (size_t i = 0; state && i < LENGTH(states); i++) {
		if (strcmp(state, states[i][0]) == 0)
			return _(states[i][1]);
	}
	return "";
}

static const char *
what_text(struct req *req, const json_t *order)
{
	const char *title = model_text(order, "title");
	int64_t others = model_int(order, "line_count") - 1;

	if (!title)
		return _("No books");
	if (others < 1)
		return title;
	if (others == 1)
		return arena_printf(
		    req->arena, _("%s and another book"), title);
	return arena_printf(
	    req->arena, _("%s and %d other books"), title, (int)others);
}

void
view_order(struct req *req, json_t *order)
{
	model_set_text(order, "url",
	    arena_printf(
		req->arena, "/orders/%s", model_text(order, "number")));
	model_set_text(
	    order, "state_text", view_order_state(model_text(order, "state")));
	model_set_text(
	    order, "total_text", view_money(req, model_int(order, "total")));
	model_set_text(order, "created_text",
	    view_time(req, view_seconds(model_text(order, "created_at"))));
	model_set_text(order, "what_text", what_text(req, order));
}

/* --- one order, whole --- */

int64_t
view_order_minutes(const json_t *order)
{
	int64_t left =
	    view_seconds(model_text(order, "expires_at")) - (int64_t)time(NULL);

	return left > 0 ? (left + 59) / 60 : 0;
}

static const char *
pending_text(struct req *req, const json_t *order)
{
	int64_t minutes = view_order_minutes(order);

	if (!minutes)
		return _("The time for paying is over, so this order is being"
			 " cancelled. You do not pay for it.");
	return arena_printf(req->arena,
	    _("Pay until %s (%d min left). After that the order is cancelled"
	      " and the books go back to the shelf."),
	    view_time(req, view_seconds(model_text(order, "expires_at"))),
	    (int)minutes);
}

static const char *
next_text(struct req *req, const json_t *order)
{
	enum order_state state;

	if (!order_state_from_text(model_text(order, "state"), &state))
		return NULL;
	switch (state) {
	case ORDER_PENDING:
		return pending_text(req, order);
	case ORDER_PAID:
		return _("We are packing your books. Until they are shipped"
			 " you can cancel the order and get your money back.");
	case ORDER_SHIPPED:
		return _("Your books are on their way.");
	case ORDER_DELIVERED:
		return _("Your books have arrived. Enjoy reading!");
	case ORDER_CANCELLED:
		return _("Nothing is to be paid, and the books are back on the"
			 " shelf.");
	case ORDER_REFUNDED:
		return _("Your money goes back to your card.");
	}
	return NULL;
}

static void
show_items(struct req *req, const json_t *order)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(order, "items"), i, item) {
		model_set_text(item, "price_text",
		    view_money(req, model_int(item, "unit_price")));
		model_set_text(item, "line_total_text",
		    view_money(req, model_int(item, "total_price")));
	}
}

/* Readers need not know who works here. */
static const char *
actor_text(struct req *req, const char *actor)
{
	if (!actor || strcmp(actor, "system") == 0)
		return _("automatically");
	if (strcmp(actor, req->sess->username) == 0)
		return _("by you");
	return strcmp(req->sess->role, "admin") == 0 ? actor :
						       _("by the bookshop");
}

static void
show_history(struct req *req, const json_t *order)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(order, "history"), i, entry) {
		const char *note = model_text(entry, "note");

		model_set_text(entry, "state_text",
		    view_order_state(model_text(entry, "to")));
		model_set_text(entry, "at_text",
		    view_time(req, view_seconds(model_text(entry, "at"))));
		model_set_text(entry, "actor_text",
		    actor_text(req, model_text(entry, "actor")));
		if (note && strcmp(note, "expired") == 0)
			model_set_text(
			    entry, "note", _("It was not paid in time."));
	}
}

bool
view_order_payment(const json_t *order, const char *result)
{
	const json_t *payment;
	size_t i;

	json_array_foreach(json_object_get(order, "payments"), i, payment) {
		if (strcmp(model_text(payment, "result"), result) == 0)
			return true;
	}
	return false;
}

static const char *
payment_text(const char *result)
{
	static const char *const texts[][2] = { { "approved",
						    N_("Payment approved") },
		{ "declined", N_("Payment declined") },
		{ "timeout", N_("No answer from the payment service") },
		{ "void", N_("No answer; given back, if it was charged") },
		{ "refunded", N_("Money given back") } };

	for (size_t i = 0; result && i < LENGTH(texts); i++) {
		if (strcmp(result, texts[i][0]) == 0)
			return _(texts[i][1]);
	}
	return "";
}

static void
show_payments(struct req *req, json_t *order)
{
	json_t *payments = json_object_get(order, "payments"), *payment;
	bool charged = view_order_payment(order, "approved");
	size_t i;

	json_array_foreach(payments, i, payment) {
		const char *result = model_text(payment, "result");

		/* Each attempt without an answer, when it is given up. */
		if (!charged && strcmp(result, "refunded") == 0)
			result = "void";
		model_set_text(payment, "result_text", payment_text(result));
		model_set_text(payment, "amount_text",
		    view_money(req, model_int(payment, "amount")));
		model_set_text(payment, "at_text",
		    view_time(req, view_seconds(model_text(payment, "at"))));
	}
	model_set_bool(order, "any_payments", json_array_size(payments) > 0);
}

void
view_order_whole(struct req *req, json_t *order)
{
	bool own = model_int(order, "user_id") == req->sess->user_id;

	model_set_text(order, "next_text", own ? next_text(req, order) : NULL);
	show_items(req, order);
	show_history(req, order);
	show_payments(req, order);
}
