/* GET and POST /checkout -- what is in the cart, what it costs and where it
 * goes; then the order. */
#include "checkout.h"
#include "route.h"

static const struct field fields[] = { { "recipient", FIELD_TEXT,
					   FIELD_BODY | FIELD_REQUIRED, 1, 80,
					   N_("Recipient") },
	{ "phone", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 7, 32,
	    N_("Phone number") },
	{ "postcode", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 3, 10,
	    N_("Postcode") },
	{ "address", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 5, 255,
	    N_("Address") },
	{ "lines", FIELD_TEXT, FIELD_BODY, 0, CHECKOUT_LINES_MAX, N_("Books") },
	{ 0 } };

static void
prefetch(struct req *req)
{
	cart_queue(req);
}

/* --- the page --- */

static void
set_problem(struct req *req, json_t *line)
{
	if (!model_text(line, "title"))
		model_set_text(line, "title", _("A book"));
	/* A book that is gone altogether has none. */
	model_set_text(line, "language", model_text(line, "language"));
	model_set_text(line, "problem_text", checkout_problem(req, line));
}

static void
set_lines(struct req *req, const json_t *cart, json_t *model)
{
	json_t *lines = json_array(), *others = json_array(), *line;
	size_t i;

	json_array_foreach(json_object_get(cart, "lines"), i, line) {
		bool ordered = json_is_true(json_object_get(line, "orderable"));

		model_set_text(line, "price_text",
		    view_money(req, model_int(line, "price")));
		model_set_text(line, "line_total_text",
		    view_money(req, model_int(line, "line_total")));
		if (!ordered)
			set_problem(req, line);
		json_array_append(ordered ? lines : others, line);
	}
	model_set_text(model, "lines_text", checkout_lines(req, cart));
	model_set_bool(model, "any", json_array_size(lines) > 0);
	model_set_bool(model, "none", json_array_size(lines) == 0);
	model_set_bool(model, "has_others", json_array_size(others) > 0);
	model_set(model, "lines", lines);
	model_set(model, "others", others);
	model_set_text(
	    model, "total_text", view_money(req, model_int(cart, "total")));
}

/* Whoever has ordered before need not type the address again. */
static void
set_form(struct req *req, const json_t *last, json_t *model)
{
	static const char *const names[] = { "recipient", "phone", "postcode",
		"address" };
	json_t *form = json_object();

	if (strcmp(req->method, "GET") != 0)
		return;
	for (size_t i = 0; i < LENGTH(names); i++) {
		const char *text = model_text(last, names[i]);

		model_set_text(form, names[i], text ? text : "");
	}
	if (!last)
		model_set_text(form, "recipient", req->sess->name);
	model_set(model, "form", form);
}

/* All forms shown since the last order have one key: from several tabs comes
 * one order, and the next form has another. */
static const char *
one_time_key(struct req *req, const json_t *last)
{
	return arena_printf(
	    req->arena, "page-%lld", (long long)model_int(last, "id"));
}

static int
last_order(struct req *req, json_t **last)
{
	struct order_query query = { .user_id = req->sess->user_id,
		.limit = 1 };
	json_t *page;
	int rc = order_list(req, &query, &page);

	if (rc < 0)
		return rc;
	*last = json_array_get(json_object_get(page, "orders"), 0);
	return RC_OK;
}

static json_t *
changes_since(struct req *req, const json_t *cart)
{
	struct order_line seen[ORDER_LINES_MAX];
	size_t n = checkout_read(form_str(req, "lines"), seen);

	return n ? checkout_changes(req, seen, n, cart) : json_array();
}

static json_t *
checkout_model(struct req *req, const json_t *cart, json_t *last)
{
	json_t *model = json_object(), *changes = changes_since(req, cart);

	set_lines(req, cart, model);
	set_form(req, last, model);
	model_set_text(model, "once", one_time_key(req, last));
	model_set_bool(model, "has_changes", json_array_size(changes) > 0);
	model_set(model, "changes", changes);
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Cart"), "/cart");
	page_crumb(model, _("Checkout"), NULL);
	return model;
}

/* refused (may be NULL): why the form in hand gave no order. */
static int
show_page(struct req *req, const char *refused)
{
	json_t *cart, *last, *model;
	int rc;

	if ((rc = cart_load(req, &cart)) < 0 ||
	    (rc = last_order(req, &last)) < 0)
		return rc;
	model = checkout_model(req, cart, last);
	model_set_text(model, "refused", refused);
	if (refused && req->status == 422 && last) {
		view_order(req, last);
		model_set(model, "ordered", json_incref(last));
	} else {
		model_set(model, "ordered", json_null());
	}
	return page_send(req, "checkout", model);
}

static int
show(struct req *req)
{
	return show_page(req, NULL);
}

/* All that is wrong is told at once. */
static int
show_wrong(struct req *req)
{
	int rc = checkout_check_address(req);

	return rc == RC_OK || rc == RC_BAD_INPUT ? show(req) : rc;
}

/* --- the order --- */

/* Nothing was ordered: say what has changed, with all that was typed. */
static int
refuse(struct req *req, int rc)
{
	const char *why = req->fail_text;

	if (!why || (rc != RC_CONFLICT && rc != RC_BAD_INPUT))
		return rc;
	req_forgive(req);
	if (!req->status)
		req->status = http_status(rc);
	return show_page(req, why);
}

static int
place(struct req *req)
{
	struct order_line lines[ORDER_LINES_MAX];
	struct order_request request = { .key = form_str(req, "once"),
		.recipient = form_str(req, "recipient"),
		.phone = form_str(req, "phone"),
		.postcode = form_str(req, "postcode"),
		.address = form_str(req, "address"),
		.lines = lines,
		.nlines = checkout_read(form_str(req, "lines"), lines) };
	bool replayed;
	json_t *order;
	int rc = checkout_check_address(req);

	if (rc < 0)
		return rc;
	if (!request.key || !*request.key || !request.nlines)
		return RC_BAD_INPUT;
	rc = order_place(req, &request, &order, &replayed);
	if (rc < 0)
		return refuse(req, rc);
	return page_redirect_flash(req,
	    arena_printf(req->arena, "/orders/%s", model_text(order, "number")),
	    "done",
	    replayed ? _("This order had been placed already; nothing was"
			 " ordered twice.") :
		       _("Thank you. Your order has been placed and your books"
			 " are reserved."));
}

static const struct route checkout = {
	.name = "checkout",
	.get = show,
	.post = place,
	.invalid = show_wrong,
	.prefetch = prefetch,
	.fields = fields,
	.needs = NEED_MEMBER | NEED_FORM,
};

int
main(void)
{
	return route_run(&checkout);
}
