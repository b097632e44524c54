/* POST /cart/clear -- empties the cart. */
#include "route.h"

static int
clear(struct req *req)
{
	int rc = cart_clear(req);

	if (rc < 0)
		return rc;
	if (req->api)
		return page_send_nothing(req);
	return page_redirect_flash(
	    req, "/cart", "done", _("Your cart is empty now."));
}

static const struct route cart_clear_route = {
	.name = "cart-clear",
	.post = clear,
	.needs = NEED_API_TOKEN,
};

int
main(void)
{
	return route_run(&cart_clear_route);
}
