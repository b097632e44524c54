/* GET /orders -- a member's own orders, the latest first; as JSON also
 * /api/orders, and there POST places an order. */
#include "checkout.h"
#include "fcgi.h"
#include "order.h"
#include "route.h"

#define PAGE_SIZE 20
#define PRICE_MAX INT64_C(9999999999) /* DECIMAL(10,2) in minor units */

static const struct field fields[] = { { "after", FIELD_INT, FIELD_QUERY, 1,
					   INT64_MAX, N_("Page") },
	{ "limit", FIELD_INT, FIELD_QUERY, 1, 100, N_("Number of orders") },
	{ "items", FIELD_LIST, FIELD_BODY, 1, ORDER_LINES_MAX, N_("Books") },
	{ "recipient", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 80,
	    N_("Recipient") },
	{ "phone", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 7, 32,
	    N_("Phone number") },
	{ "postcode", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 3, 10,
	    N_("Postcode") },
	{ "address", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 5, 255,
	    N_("Address") },
	{ 0 } };

/* --- the list --- */

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

/* Whoever forgets to pay loses the books. */
static void
set_reminder(struct req *req, json_t *order)
{
	int64_t minutes = view_order_minutes(order);
	bool waits =
	    strcmp(model_text(order, "state"), "pending") == 0 && minutes > 0;

	model_set_text(order, "reminder", NULL);
	if (waits)
		model_set_text(order, "reminder",
		    arena_printf(req->arena,
			_("Pay within %d min, or it is cancelled."),
			(int)minutes));
}

static json_t *
orders_model(struct req *req, json_t *page)
{
	json_t *orders = json_object_get(page, "orders"), *order;
	json_t *model = json_object();
	size_t i;

	json_array_foreach(orders, i, order) {
		view_order(req, order);
		set_reminder(req, order);
	}
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
		.limit = form_has(req, "limit") ? (int)form_int(req, "limit") :
						  PAGE_SIZE };
	json_t *page;
	int rc = order_list(req, &query, &page);

	if (rc < 0)
		return rc;
	if (strcmp(req->path, "/orders") == 0)
		http_header(req, "Vary", "Accept");
	if (req->api)
		return page_send_json(req, 200, page);
	return page_send(req, "orders", orders_model(req, page));
}

/* --- a new order --- */

static int
bad_item(struct req *req)
{
	return req_field_error(req, "items",
	    arena_printf(req->arena,
		_("Each book is {\"book_id\", \"quantity\"} with a quantity"
		  " from 1 to %d, and may have the price at which it is"
		  " wanted."),
		CART_LINE_MAX));
}

/* A member of an item; -1 when it is no number within its bounds. */
static int64_t
number(const json_t *item, const char *name, int64_t otherwise, int64_t max)
{
	const json_t *value = json_object_get(item, name);
	int64_t n = json_integer_value(value);

	if (!value)
		return otherwise;
	return json_is_integer(value) && n >= 0 && n <= max ? n : -1;
}

static int
read_item(struct req *req, const json_t *item, struct order_line *line)
{
	static const char *const names[] = { "book_id", "quantity", "price" };
	bool priced = json_object_get(item, "price") != NULL;
	size_t known = 0;

	*line = (struct order_line){ number(item, "book_id", -1, INT64_MAX),
		number(item, "quantity", 1, CART_LINE_MAX),
		number(item, "price", -1, PRICE_MAX) };
	/* Nothing else is in it. */
	for (size_t i = 0; i < LENGTH(names); i++)
		known += json_object_get(item, names[i]) != NULL;
	if (line->book_id < 1 || line->quantity < 1 ||
	    (priced && line->price < 0) || json_object_size(item) != known)
		return bad_item(req);
	return RC_OK;
}

static int
read_items(struct req *req, struct order_line lines[ORDER_LINES_MAX], size_t *n)
{
	const json_t *items = form_list(req, "items"), *item;
	size_t i;
	int rc;

	json_array_foreach(items, i, item) {
		rc = read_item(req, item, &lines[i]);
		if (rc < 0)
			return rc;
	}
	*n = json_array_size(items);
	return RC_OK;
}

/* What has changed goes along with the refusal. */
static int
refuse(struct req *req, int rc, json_t *changed)
{
	if (rc == RC_CONFLICT && changed)
		req->details = changed;
	return rc;
}

static int
place(struct req *req)
{
	struct order_line lines[ORDER_LINES_MAX];
	struct order_request request = { .whole_cart = !form_has(req, "items"),
		.key = fcgi_param(req->call, "HTTP_IDEMPOTENCY_KEY"),
		.recipient = form_str(req, "recipient"),
		.phone = form_str(req, "phone"),
		.postcode = form_str(req, "postcode"),
		.address = form_str(req, "address"),
		.lines = lines };
	json_t *order = NULL;
	bool replayed;
	int rc;

	if ((rc = checkout_check_address(req)) < 0 ||
	    (rc = read_items(req, lines, &request.nlines)) < 0)
		return rc;
	rc = order_place(req, &request, &order, &replayed);
	if (rc < 0)
		return refuse(req, rc, order);
	http_headerf(
	    req, "Location", "/api/orders/%s", model_text(order, "number"));
	return page_send_json(req, 201, order);
}

static const struct route orders = {
	.name = "orders",
	.get = show,
	.post = place,
	.fields = fields,
	.needs = NEED_MEMBER | POST_IS_API,
};

int
main(void)
{
	return route_run(&orders);
}
