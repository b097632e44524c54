/* POST /cart/add -- puts copies of a book into the cart, once per form. */
#include "fcgi.h"
#include "route.h"

#define KEY_MAX 64

static const struct field fields[] = { { "book_id", FIELD_INT,
					   FIELD_BODY | FIELD_REQUIRED, 1,
					   INT64_MAX, N_("Book") },
	{ "quantity", FIELD_INT, FIELD_BODY, 1, CART_LINE_MAX, N_("Quantity") },
	{ 0 } };

static int
send_json(struct req *req, int64_t book_id, int64_t quantity)
{
	return page_send_json(req, 200,
	    json_pack("{s:I, s:I}", "book_id", (json_int_t)book_id, "quantity",
		(json_int_t)quantity));
}

/* Pages send their form's key, API clients may send one of theirs. */
static int
one_time_key(struct req *req, const char **key)
{
	*key = req->api ? fcgi_param(req->call, "HTTP_IDEMPOTENCY_KEY") :
			  form_str(req, "once");
	if (!*key || strlen(*key) <= KEY_MAX)
		return RC_OK;
	return req_fail(req, RC_BAD_INPUT,
	    _("The one-time key has more than %d characters."), KEY_MAX);
}

static int
add(struct req *req)
{
	int64_t book_id = form_int(req, "book_id"), now;
	int64_t quantity =
	    form_has(req, "quantity") ? form_int(req, "quantity") : 1;
	const char *once;
	int rc;

	if ((rc = one_time_key(req, &once)) < 0 ||
	    (rc = cart_add(req, book_id, quantity, once, &now)) < 0)
		return rc;
	if (req->api)
		return send_json(req, book_id, now);
	return page_redirect_flash(
	    req, "/cart", "done", _("The book is in your cart."));
}

static const struct route cart_add_route = {
	.name = "cart-add",
	.post = add,
	.fields = fields,
	.needs = NEED_API_TOKEN,
};

int
main(void)
{
	return route_run(&cart_add_route);
}
