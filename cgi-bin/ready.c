/* GET /api/ready -- can requests be served: are MariaDB and Redis there?  And
 * what stands between: breakers and caches. */
#include "metric.h"
#include "route.h"

static const char *
word(int rc)
{
	return rc == RC_OK ? "ok" : "away";
}

static json_t *
show(const struct breaker *breaker)
{
	struct breaker_view view;

	breaker_look(breaker, &view);
	return json_pack("{s:s, s:i, s:I}", "state", view.state, "failures",
	    view.failures, "opened", (json_int_t)view.opened);
}

static json_t *
breakers(const struct req *req)
{
	return json_pack("{s:o, s:o}", "mariadb", show(db_breaker(req)),
	    "redis", show(cache_breaker(req)));
}

static json_int_t
count(int cache, enum metric_outcome outcome)
{
	return (json_int_t)metric_board()->caches[cache][outcome];
}

static json_t *
caches(void)
{
	json_t *all = json_object();

	for (int c = 0; c < METRIC_CACHES; c++) {
		json_object_set_new(all,
		    metric_cache_name((enum metric_cache)c),
		    json_pack("{s:I, s:I, s:I}", "hits", count(c, METRIC_HIT),
			"early", count(c, METRIC_EARLY), "misses",
			count(c, METRIC_MISS)));
	}
	return all;
}

static int
ready(struct req *req)
{
	int db = db_ping(req), redis = cache_ping(req);

	if (db == RC_OK && redis == RC_OK)
		return page_send_json(req, 200,
		    json_pack("{s:s, s:s, s:s, s:o, s:o}", "status", "ok",
			"mariadb", "ok", "redis", "ok", "breakers",
			breakers(req), "caches", caches()));
	req->details =
	    json_pack("{s:s, s:s, s:o, s:o}", "mariadb", word(db), "redis",
		word(redis), "breakers", breakers(req), "caches", caches());
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
