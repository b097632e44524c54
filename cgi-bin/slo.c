/* GET /status/slo -- what the site promises, and how it keeps it. */
#include "slo.h"
#include "route.h"

static int
show(struct req *req)
{
	return page_send(req, "slo", slo_page(req));
}

static const struct route slo = {
	.name = "slo",
	.get = show,
	.needs = NEED_STUDENT,
};

int
main(void)
{
	return route_run(&slo);
}
