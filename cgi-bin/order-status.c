/* PUT /orders/<number or id>/status -- an administrator changes the state of an
 * order; its reader may cancel it. */
#include "order.h"
#include "route.h"

#define NOTE_MAX 200

static const struct field fields[] = { { "id", FIELD_TEXT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   ORDER_NUMBER_LENGTH, N_("Number") },
	{ "status", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 10,
	    N_("State") },
	{ "note", FIELD_TEXT, FIELD_BODY, 0, NOTE_MAX, N_("Note") }, { 0 } };

/* To others it does not even exist. */
static int
cancel(struct req *req, enum order_state state, json_t **order)
{
	const char *number = form_str(req, "id");
	int rc;

	if (state == ORDER_CANCELLED)
		return order_cancel(req, number, order);
	rc = order_by_number(req, number, order);
	if (rc < 0)
		return rc;
	return req_fail(req, RC_FORBIDDEN, "%s",
	    _("Your account may not do this. Ask an administrator if it"
	      " should."));
}

static int
set_state(struct req *req)
{
	const char *note = form_str(req, "note");
	enum order_state state;
	json_t *order;
	int rc;

	if (!order_state_from_text(form_str(req, "status"), &state))
		return req_field_error(
		    req, "status", _("There is no such state of an order."));
	if (strcmp(req->sess->role, "admin") != 0)
		rc = cancel(req, state, &order);
	else
		rc = order_set_state(req, form_str(req, "id"), state,
		    note && *note ? note : NULL, &order);
	return rc < 0 ? rc : page_send_json(req, 200, order);
}

static const struct route order_status = {
	.name = "order-status",
	.put = set_state,
	.fields = fields,
	.needs = NEED_MEMBER,
};

int
main(void)
{
	return route_run(&order_status);
}
