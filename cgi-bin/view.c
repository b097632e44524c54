/* GET /status/application, api, database, redis, business and attack -- six
 * views of the site, panel by panel (lib/panel.h); Grafana has the same. */
#include "metric.h"
#include "panel.h"
#include "route.h"

#include <time.h>

#define PATH "/status/"
#define STALE_S 60 /* since the recorder has set the gauges */

static const struct field fields[] = { { "route", FIELD_TEXT, FIELD_QUERY, 0,
					   METRIC_NAME - 1, N_("Program") },
	{ "refresh", FIELD_TEXT, FIELD_QUERY, 0, 3, N_("Refresh") }, { 0 } };

/* Of what is counted only: a name from outside is shown nowhere. */
static const char *
known_route(const char *name)
{
	const struct metric_board *board = metric_board();

	for (size_t i = 0; name && i < METRIC_ROUTES; i++)
		if (*name && strcmp(board->routes[i].name, name) == 0)
			return board->routes[i].name;
	return NULL;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *
route_options(const char *chosen)
{
	const struct metric_board *board = metric_board();
	const char *names[METRIC_ROUTES];
	json_t *options = json_array();
	size_t n = 0;

	for (size_t i = 0; i < METRIC_ROUTES; i++)
		if (*board->routes[i].name)
			names[n++] = board->routes[i].name;
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(options,
		    json_pack("{s:s, s:b}", "value", names[i], "current",
			chosen && strcmp(chosen, names[i]) == 0));
	return json_pack("{s:o}", "options", options);
}

/* When the recorder last was there, if that is too long ago. */
static json_t *
stale_text(struct req *req)
{
	int64_t gauged = metric_board()->gauges[METRIC_GAUGED];

	if (gauged > (int64_t)time(NULL) - STALE_S)
		return json_null();
	return json_string(
	    gauged ? view_time(req, gauged) : _("the site was started"));
}

static bool
refreshes(const struct req *req)
{
	const char *refresh = form_str(req, "refresh");

	return !refresh || strcmp(refresh, "0") != 0;
}

/* The same page, which comes anew or does not. */
static const char *
other_url(struct req *req, const char *route)
{
	return arena_printf(req->arena, "%s?%s%s%s%s", req->path,
	    route ? "route=" : "", route ? route : "", route ? "&" : "",
	    refreshes(req) ? "refresh=0" : "refresh=1");
}

static json_t *
view_model(struct req *req, const struct panel_view *view)
{
	const char *route = known_route(form_str(req, "route"));
	json_t *panels, *model;

	if (panel_list(req, view, route, &panels) < 0)
		return NULL;
	model = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:b, s:s}", "heading",
	    lang_lookup(view->title), "lead", lang_lookup(view->lead), "panels",
	    panels, "routes",
	    view->by_route ? route_options(route) : json_null(), "stale",
	    stale_text(req), "time_text", view_time(req, (int64_t)time(NULL)),
	    "refresh", refreshes(req), "other_url", other_url(req, route));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Status"), "/status");
	page_crumb(model, lang_lookup(view->title), NULL);
	return model;
}

static int
show(struct req *req)
{
	const struct panel_view *view;
	json_t *model;

	if (strncmp(req->path, PATH, strlen(PATH)) != 0)
		return RC_NOT_FOUND;
	view = panel_view(req->path + strlen(PATH));
	if (!view)
		return RC_NOT_FOUND;
	model = view_model(req, view);
	if (!model)
		return RC_BUG;
	return page_send(req, "view", model);
}

static const struct route view_route = {
	.name = "view",
	.get = show,
	.fields = fields,
	.needs = NEED_STUDENT,
	.reloads = true,
};

int
main(void)
{
	return route_run(&view_route);
}
