/* GET /metrics -- what all programs of this host have counted, for Prometheus;
 * on the private side only.  Asks no backend. */
#include "expose.h"
#include "fcgi.h"
#include "route.h"

static int
metrics(struct req *req)
{
	enum expose_format format =
	    expose_format(fcgi_param(req->call, "HTTP_ACCEPT"));
	struct breaker_view breakers[BREAKER_BACKENDS];

	breaker_look(db_breaker(req), &breakers[BREAKER_MARIADB]);
	breaker_look(cache_breaker(req), &breakers[BREAKER_REDIS]);
	metric_bury(); /* so that nobody is shown who is no more */
	buf_reset(req->out);
	expose_all(req->out, format, breakers);
	if (req->out->over)
		return RC_BUG;
	http_header(req, "Cache-Control", "no-store");
	http_header(req, "Vary", "Accept");
	page_send_body(req, 200, expose_type(format), req->out);
	return RC_OK;
}

static const struct route metrics_route = {
	.name = "metrics",
	.get = metrics,
	.needs = NEED_NO_SESSION,
};

int
main(void)
{
	return route_run(&metrics_route);
}
