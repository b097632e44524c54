/* POST /logout -- ends the session that asks. */
#include "route.h"

static int
logout(struct req *req)
{
	int rc = sess_end(req);

	if (rc < 0)
		return rc;
	if (req->api)
		return page_send_nothing(req);
	return page_redirect_flash(req, "/", "done", _("You are signed out."));
}

static const struct route logout_route = {
	.name = "logout",
	.post = logout,
	.needs = NEED_API_TOKEN,
};

int
main(void)
{
	return route_run(&logout_route);
}
