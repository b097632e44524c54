/* GET /admin/orders -- everybody's orders, by state, number or member. */
#include "order.h"
#include "route.h"

#define PAGE_SIZE 50

static const struct field fields[] = { { "state", FIELD_TEXT, FIELD_QUERY, 0,
					   10, N_("State") },
	{ "q", FIELD_TEXT, FIELD_QUERY, 0, 32, N_("Number or username") },
	{ "after", FIELD_INT, FIELD_QUERY, 1, INT64_MAX, N_("Page") }, { 0 } };

/* What the form left empty is not asked for. */
static const char *
given(struct req *req, const char *name)
{
	const char *text = form_str(req, name);

	return text && *text ? text : NULL;
}

static int
read_query(struct req *req, struct order_query *query)
{
	enum order_state state;

	*query = (struct order_query){ .state = given(req, "state"),
		.search = given(req, "q"),
		.after = form_int(req, "after"),
		.limit = PAGE_SIZE };
	if (!query->state || order_state_from_text(query->state, &state))
		return RC_OK;
	return req_fail(
	    req, RC_BAD_INPUT, "%s", _("There is no such state of an order."));
}

/* The address of this list from a cursor on; 0 is its start. */
static const char *
list_url(struct req *req, const struct order_query *query, int64_t after)
{
	return arena_printf(req->arena, "/admin/orders?state=%s&q=%s%s%s",
	    query->state ? query->state : "",
	    query->search ? http_url_quote(req, query->search) : "",
	    after ? "&after=" : "",
	    after ? arena_printf(req->arena, "%lld", (long long)after) : "");
}

static json_t *
state_choices(const struct order_query *query)
{
	json_t *choices = json_array();

	for (int i = ORDER_PENDING; i <= ORDER_REFUNDED; i++) {
		const char *state = order_state_text((enum order_state)i);
		bool chosen = query->state && strcmp(query->state, state) == 0;

		json_array_append_new(choices,
		    json_pack("{s:s, s:s, s:b}", "value", state, "label",
			view_order_state(state), "chosen", chosen));
	}
	return choices;
}

static void
set_pager(struct req *req, const struct order_query *query, json_t *model,
    const json_t *next)
{
	model_set_text(
	    model, "first_url", query->after ? list_url(req, query, 0) : NULL);
	model_set_text(model, "next_url",
	    json_is_integer(next) ?
		list_url(req, query, json_integer_value(next)) :
		NULL);
}

static json_t *
orders_model(struct req *req, const struct order_query *query, json_t *page)
{
	json_t *orders = json_object_get(page, "orders"), *order;
	json_t *model = json_object();
	size_t i;

	json_array_foreach(orders, i, order)
		view_order(req, order);
	json_object_set(model, "orders", orders);
	model_set_bool(model, "any", json_array_size(orders) > 0);
	model_set_bool(model, "none", json_array_size(orders) == 0);
	model_set(model, "states", state_choices(query));
	model_set_text(model, "q", query->search ? query->search : "");
	set_pager(req, query, model, json_object_get(page, "next"));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Orders of all members"), NULL);
	return model;
}

static int
show(struct req *req)
{
	struct order_query query;
	json_t *page;
	int rc;

	if ((rc = read_query(req, &query)) < 0 ||
	    (rc = order_list(req, &query, &page)) < 0)
		return rc;
	return page_send(req, "admin-orders", orders_model(req, &query, page));
}

static const struct route admin_orders = {
	.name = "admin-orders",
	.get = show,
	.fields = fields,
	.needs = NEED_ADMIN,
};

int
main(void)
{
	return route_run(&admin_orders);
}
