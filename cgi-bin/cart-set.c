/* POST /cart/set -- changes how many copies of a book are in the cart. */
#include "route.h"

static const struct field fields[] = { { "book_id", FIELD_INT,
					   FIELD_BODY | FIELD_REQUIRED, 1,
					   INT64_MAX, N_("Book") },
	{ "quantity", FIELD_INT, FIELD_BODY | FIELD_REQUIRED, 0, CART_LINE_MAX,
	    N_("Quantity") },
	{ 0 } };

static int
set(struct req *req)
{
	int rc =
	    cart_set(req, form_int(req, "book_id"), form_int(req, "quantity"));

	if (rc < 0)
		return rc;
	return page_redirect_flash(
	    req, "/cart", "done", _("The quantity has been changed."));
}

/* The form is a line of the cart page: say there what is wrong with it. */
static int
invalid(struct req *req)
{
	return page_redirect_flash(req, "/cart", "error",
	    arena_printf(req->arena,
		_("The quantity must be a whole number from 1 to %d;"
		  " it was left as it is."),
		CART_LINE_MAX));
}

static const struct route cart_set_route = {
	.name = "cart-set",
	.post = set,
	.invalid = invalid,
	.fields = fields,
};

int
main(void)
{
	return route_run(&cart_set_route);
}
