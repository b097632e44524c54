/* GET /status -- how the site is just now: requests, times, errors, workers,
 * memory, and what is behind it. */
#include "status.h"
#include "model.h"
#include "route.h"

static const struct field fields[] = {
	{ "refresh", FIELD_TEXT, FIELD_QUERY, 0, 3, N_("Refresh") }, { 0 }
};

static int
show(struct req *req)
{
	const char *refresh = form_str(req, "refresh");
	bool on = !refresh || strcmp(refresh, "0") != 0;
	json_t *figures = status_figures(req);

	model_set_bool(figures, "refresh", on);
	return page_send(req, "status", status_page(req, figures));
}

static const struct route status = {
	.name = "status",
	.get = show,
	.fields = fields,
	.needs = NEED_STUDENT,
	.reloads = true,
};

int
main(void)
{
	return route_run(&status);
}
