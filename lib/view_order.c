/* view_order -- how orders look to a reader; see view.h. */
#include "view.h"

#include "model.h"

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
