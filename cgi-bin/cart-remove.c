/* POST /cart/remove, DELETE /api/cart/remove/<id> -- takes a book out of the
 * cart. */
#include "route.h"

static const struct field fields[] = { { "book_id", FIELD_INT,
					   FIELD_BODY | FIELD_PAGE, 1,
					   INT64_MAX, N_("Book") },
	{ "id", FIELD_INT, FIELD_PATH, 1, INT64_MAX, N_("Book") }, { 0 } };

/* A double click removes once and says the same twice. */
static int
remove_by_form(struct req *req)
{
	bool removed;
	int rc;

	if (!form_has(req, "book_id"))
		return RC_BAD_INPUT;
	rc = cart_remove(req, form_int(req, "book_id"), &removed);
	if (rc < 0)
		return rc;
	return page_redirect_flash(req, "/cart", "done",
	    _("The book has been removed from your cart."));
}

static int
remove_by_path(struct req *req)
{
	bool removed;
	int rc = cart_remove(req, form_int(req, "id"), &removed);

	if (rc < 0)
		return rc;
	if (!removed)
		return req_fail(req, RC_NOT_FOUND, "%s",
		    _("This book is not in the cart."));
	return page_send_nothing(req);
}

static const struct route cart_remove_route = {
	.name = "cart-remove",
	.post = remove_by_form,
	.delete = remove_by_path,
	.fields = fields,
	.needs = NEED_API_TOKEN | POST_IS_PAGE,
};

int
main(void)
{
	return route_run(&cart_remove_route);
}
