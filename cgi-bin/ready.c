/* GET /api/ready -- can requests be served: are MariaDB and Redis there? */
#include "route.h"

static const char *
word(int rc)
{
	return rc == RC_OK ? "ok" : "away";
}

static int
ready(struct req *req)
{
	int db = db_ping(req), redis = cache_ping(req);

	if (db == RC_OK && redis == RC_OK)
		return page_send_json(req, 200,
		    json_pack("{s:s, s:s, s:s}", "status", "ok", "mariadb",
			"ok", "redis", "ok"));
	req->details =
	    json_pack("{s:s, s:s}", "mariadb", word(db), "redis", word(redis));
	return RC_DOWN;
}

static const struct route ready_route = {
	.name = "ready",
	.get = ready,
	.needs = NEED_NO_SESSION,
};

int
main(void)
{
	return route_run(&ready_route);
}
