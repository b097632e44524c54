/* GET and POST /orders/<number> -- one order: its books, its state and what
 * happens next; paying, cancelling and ordering again; for administrators
 * its next state.  As JSON also /api/orders/<number or id>. */
#include "order.h"
#include "route.h"
#include "secret.h"

#define NOTE_MAX 200

static const struct field fields[] = { { "id", FIELD_TEXT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   ORDER_NUMBER_LENGTH, N_("Number") },
	{ "confirm", FIELD_TEXT, FIELD_QUERY | FIELD_PAGE, 0, 10,
	    N_("Action") },
	{ "act", FIELD_TEXT, FIELD_BODY | FIELD_PAGE, 0, 10, N_("Action") },
	{ "card", FIELD_SECRET, FIELD_BODY | FIELD_PAGE, 0, 40,
	    N_("Card number") },
	{ "state", FIELD_TEXT, FIELD_BODY | FIELD_PAGE, 0, 10, N_("State") },
	{ "note", FIELD_TEXT, FIELD_BODY | FIELD_PAGE, 0, NOTE_MAX,
	    N_("Note") },
	{ 0 } };

static bool
is_admin(const struct req *req)
{
	return strcmp(req->sess->role, "admin") == 0;
}

static enum order_state
state_of(const json_t *order)
{
	enum order_state state = ORDER_PENDING;

	order_state_from_text(model_text(order, "state"), &state);
	return state;
}

/* --- what is shown --- */

/* Where an administrator may take it. */
static json_t *
next_states(enum order_state from)
{
	json_t *states = json_array();

	for (int i = ORDER_PENDING; i <= ORDER_REFUNDED; i++) {
		const char *state = order_state_text((enum order_state)i);

		if (order_may_become(from, (enum order_state)i))
			json_array_append_new(states,
			    json_pack("{s:s, s:s}", "value", state, "label",
				view_order_state(state)));
	}
	return states;
}

/* What can be done by whom: a reader's acts are on his own orders. */
static void
set_acts(struct req *req, json_t *order)
{
	enum order_state state = state_of(order);
	const char *confirm = form_str(req, "confirm");
	bool own = model_int(order, "user_id") == req->sess->user_id;
	bool can_cancel =
	    own && (state == ORDER_PENDING || state == ORDER_PAID);
	bool confirming =
	    can_cancel && confirm && strcmp(confirm, "cancel") == 0;
	json_t *states = is_admin(req) ? next_states(state) : json_array();
	char once[SECRET_TOKEN_SIZE];

	secret_token(once);
	model_set_text(order, "once", once);
	model_set_bool(order, "own", own);
	model_set_bool(order, "can_pay",
	    own && state == ORDER_PENDING && view_order_minutes(order) > 0 &&
		!confirming);
	model_set_bool(order, "can_cancel", can_cancel && !confirming);
	model_set_bool(order, "can_again", own && state != ORDER_PENDING);
	model_set_bool(order, "confirming", confirming);
	model_set_bool(order, "is_paid", state == ORDER_PAID);
	model_set_bool(
	    order, "unanswered", view_order_payment(order, "timeout"));
	model_set_bool(order, "can_change", json_array_size(states) > 0);
	model_set(order, "next_states", states);
}

/* What was wrong with paying is said beside the state where there is no card
 * to be typed any more. */
static void
move_error(struct req *req, const json_t *order)
{
	const char *text = model_text(req->errors, "card");

	if (!text || json_is_true(json_object_get(order, "can_pay")))
		return;
	req_field_error(req, "act", text);
	json_object_del(req->errors, "card");
}

static int
show(struct req *req)
{
	json_t *order;
	int rc = order_by_number(req, form_str(req, "id"), &order);

	if (rc < 0)
		return rc;
	if (strncmp(req->path, "/orders/", strlen("/orders/")) == 0)
		http_header(req, "Vary", "Accept");
	if (req->api)
		return page_send_json(req, 200, order);
	view_order(req, order);
	view_order_whole(req, order);
	set_acts(req, order);
	move_error(req, order);
	page_crumb(order, _("Home"), "/");
	if (model_int(order, "user_id") == req->sess->user_id) {
		page_crumb(order, _("Your orders"), "/orders");
	} else {
		page_crumb(order, _("Manage"), "/admin");
		page_crumb(order, _("Orders of all members"), "/admin/orders");
	}
	page_crumb(order, model_text(order, "number"), NULL);
	return page_send(req, "order", order);
}

/* --- what is done --- */

static int
go_back(struct req *req, const char *text)
{
	return page_redirect_flash(req, req->path, "done", text);
}

/* The order's page, as it is now, says why. */
static int
refuse(struct req *req, int rc, const char *field)
{
	if ((rc == RC_CONFLICT || rc == RC_DOWN) && req->fail_text)
		req_field_error(req, field, req->fail_text);
	return rc;
}

static int
pay(struct req *req)
{
	json_t *order;
	int rc =
	    order_pay(req, form_str(req, "id"), form_str(req, "card"), &order);

	if (rc < 0)
		return refuse(req, rc, "card");
	return go_back(req, _("Thank you. Your order is paid."));
}

static int
cancel(struct req *req)
{
	json_t *order;
	int rc = order_cancel(req, form_str(req, "id"), &order);

	if (rc < 0)
		return refuse(req, rc, "act");
	if (state_of(order) == ORDER_REFUNDED)
		return go_back(
		    req, _("The order is cancelled. You get your money back."));
	/* What was not answered may have been charged. */
	if (view_order_payment(order, "refunded"))
		return go_back(req,
		    _("The order is cancelled. If anything was charged, you"
		      " get it back."));
	return go_back(req, _("The order is cancelled. Nothing was charged."));
}

static int
again(struct req *req)
{
	size_t added;
	int rc = order_again(req, form_str(req, "id"), &added);

	if (rc < 0)
		return rc;
	if (!added)
		return page_redirect_flash(req, req->path, "error",
		    _("None of these books can be ordered right now."));
	return page_redirect_flash(req, "/cart", "done",
	    _("What can be ordered again is in your cart."));
}

static int
set_state(struct req *req)
{
	const char *text = form_str(req, "state"),
		   *note = form_str(req, "note");
	enum order_state state;
	json_t *order;
	int rc;

	if (!is_admin(req))
		return req_fail(req, RC_FORBIDDEN, "%s",
		    _("Your account may not do this. Ask an administrator if"
		      " it should."));
	if (!text || !order_state_from_text(text, &state))
		return req_field_error(
		    req, "state", _("Choose the next state."));
	rc = order_set_state(req, form_str(req, "id"), state,
	    note && *note ? note : NULL, &order);
	if (rc < 0)
		return refuse(req, rc, "act");
	return go_back(req, _("The state has been changed."));
}

static int
act(struct req *req)
{
	static const struct {
		const char *name;
		int (*run)(struct req *req);
	} acts[] = { { "pay", pay }, { "cancel", cancel }, { "again", again },
		{ "state", set_state } };
	const char *name = form_str(req, "act");

	for (size_t i = 0; name && i < LENGTH(acts); i++) {
		if (strcmp(name, acts[i].name) == 0)
			return acts[i].run(req);
	}
	return RC_BAD_INPUT;
}

static const struct route order = {
	.name = "order",
	.get = show,
	.post = act,
	.invalid = show,
	.fields = fields,
	.needs = NEED_MEMBER | NEED_FORM | POST_IS_PAGE,
};

int
main(void)
{
	return route_run(&order);
}
