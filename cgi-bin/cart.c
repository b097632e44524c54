/* GET /cart -- what is in the cart, and what has changed since it went in. */
#include "route.h"

static void
prefetch(struct req *req)
{
	cart_queue(req);
}

static json_t *
notes(struct req *req, const json_t *line)
{
	const char *problem = model_text(line, "problem");
	json_t *list = json_array();

	if (!problem)
		return list;
	if (strcmp(problem, "sold_out") == 0)
		json_array_append_new(list,
		    json_string(
			_("It has sold out since. It does not count towards the"
			  " total.")));
	if (strcmp(problem, "short") == 0)
		json_array_append_new(list,
		    json_string(arena_printf(req->arena,
			_("Only %d left. Choose fewer; until then it"
			  " does not count towards the total."),
			(int)model_int(line, "stock_quantity"))));
	if (model_int(line, "price") != model_int(line, "price_seen") &&
	    strcmp(problem, "gone") != 0)
		json_array_append_new(list,
		    json_string(arena_printf(req->arena,
			_("The price changed from %s to %s."),
			view_money(req, model_int(line, "price_seen")),
			view_money(req, model_int(line, "price")))));
	return list;
}

static void
show_line(struct req *req, json_t *line)
{
	const char *problem = model_text(line, "problem");
	bool gone = problem && strcmp(problem, "gone") == 0;

	json_object_set(line, "id", json_object_get(line, "book_id"));
	json_object_set_new(line, "gone", json_boolean(gone));
	if (gone && json_is_null(json_object_get(line, "title")))
		json_object_set_new(line, "title", json_string(_("A book")));
	json_object_set_new(line, "notes", notes(req, line));
	json_object_set_new(line, "max", json_integer(CART_LINE_MAX));
	json_object_set_new(line, "line_total_text",
	    json_string(view_money(req, model_int(line, "line_total"))));
	if (!gone)
		view_book(req, line);
}

static int
show(struct req *req)
{
	json_t *cart, *line;
	size_t i, n;
	int rc = cart_load(req, &cart);

	if (rc < 0)
		return rc;
	if (req->api)
		return page_send_json(req, 200, cart);
	json_array_foreach(json_object_get(cart, "lines"), i, line)
		show_line(req, line);
	n = json_array_size(json_object_get(cart, "lines"));
	json_object_set_new(cart, "any", json_boolean(n > 0));
	json_object_set_new(cart, "empty", json_boolean(n == 0));
	json_object_set_new(
	    cart, "can_order", json_boolean(model_int(cart, "total") > 0));
	json_object_set_new(cart, "total_text",
	    json_string(view_money(req, model_int(cart, "total"))));
	json_object_set_new(cart, "count_text",
	    json_string(arena_printf(req->arena, _("Books: %d, copies: %d"),
		(int)model_int(cart, "count"),
		(int)model_int(cart, "quantity"))));
	page_crumb(cart, _("Home"), "/");
	page_crumb(cart, _("Cart"), NULL);
	return page_send(req, "cart", cart);
}

static const struct route cart = {
	.name = "cart",
	.get = show,
	.prefetch = prefetch,
	.needs = NEED_FORM | NEED_API_TOKEN,
};

int
main(void)
{
	return route_run(&cart);
}
