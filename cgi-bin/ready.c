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
	bool ok = db == RC_OK && redis == RC_OK;

	req_forgive(req);
	if (!ok)
		http_header(req, "Retry-After", "5");
	return page_send_json(req, ok ? 200 : 503, json_pack(
	    "{s:s, s:s, s:s}", "status", ok ? "ok" : "away",
	    "mariadb", word(db), "redis", word(redis)));
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
