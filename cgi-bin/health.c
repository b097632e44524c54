/* GET /api/health -- is this program alive?  Asks no backend. */
#include "route.h"

static int
health(struct req *req)
{
	return page_send_json(req, 200, json_pack("{s:s}", "status", "ok"));
}

static const struct route health_route = {
	.name = "health",
	.get = health,
	.needs = NEED_NO_SESSION,
};

int
main(void)
{
	return route_run(&health_route);
}
