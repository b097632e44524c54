/* GET /orders -- a member's own orders, the latest first. */
#include "order.h"
#include "route.h"

#define PAGE_SIZE 20

static const struct field fields[] = {
	{ "after", FIELD_INT, FIELD_QUERY, 1, INT64_MAX, N_("Page") }, { 0 }
};

static void
set_pager(struct req *req, json_t *model, const json_t *next)
{
	model_set_text(
	    model, "first_url", form_has(req, "after") ? "/orders" : NULL);
	model_set_text(model, "next_url",
	    json_is_integer(next) ?
		arena_printf(req->arena, "/orders?after=%lld",
		    (long long)json_integer_value(next)) :
		NULL);
}

static json_t *
orders_model(struct req *req, json_t *page)
{
	json_t *orders = json_object_get(page, "orders"), *order;
	json_t *model = json_object();
	size_t i;

	json_array_foreach(orders, i, order)
		view_order(req, order);
	json_object_set(model, "orders", orders);
	model_set_bool(model, "any", json_array_size(orders) > 0);
	model_set_bool(model, "none", json_array_size(orders) == 0);
	set_pager(req, model, json_object_get(page, "next"));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Your orders"), NULL);
	return model;
}

static int
show(struct req *req)
{
	struct order_query query = { .user_id = req->sess->user_id,
		.after = form_int(req, "after"),
		.limit = PAGE_SIZE };
	json_t *page;
	int rc = order_list(req, &query, &page);

	if (rc < 0)
		return rc;
	return page_send(req, "orders", orders_model(req, page));
}

static const struct route orders = {
	.name = "orders",
	.get = show,
	.fields = fields,
	.needs = NEED_MEMBER,
};

int
main(void)
{
	return route_run(&orders);
}
