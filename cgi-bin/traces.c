/* GET /trace -- the requests of the last hour: the latest, the slowest, those
 * that failed, and which of them one wants to see. */
#include "traces.h"
#include "metric.h"
#include "route.h"
#include "view_trace.h"

#include <ctype.h>

#define PAGE 50
#define MS_MAX 3600000

static const struct field fields[] = { { "order", FIELD_TEXT, FIELD_QUERY, 0, 7,
					   N_("Order") },
	{ "route", FIELD_TEXT, FIELD_QUERY, 0, METRIC_NAME, N_("Program") },
	{ "status", FIELD_TEXT, FIELD_QUERY, 0, 3, N_("Status") },
	{ "ms", FIELD_INT, FIELD_QUERY, 0, MS_MAX, N_("At least, ms") },
	{ "mine", FIELD_FLAG, FIELD_QUERY, 0, 0, N_("Only my own") },
	{ "before", FIELD_TEXT, FIELD_QUERY, 0, 100, N_("Page") },
	{ "id", FIELD_TEXT, FIELD_QUERY, 0, 60, N_("Request id") }, { 0 } };

static const char *const orders[] = { "latest", "slowest", "errors" };

static const char *
given(const struct req *req, const char *name)
{
	const char *text = form_str(req, name);

	return text ? text : "";
}

/* --- what is asked for --- */

static bool
sees_all(const struct req *req)
{
	const char *role = req->sess->role;

	return strcmp(role, "admin") == 0 || strcmp(role, "student") == 0;
}

static int
read_order(struct req *req, struct traces_filter *filter)
{
	const char *order = given(req, "order");

	for (size_t i = 0; i < LENGTH(orders); i++) {
		if (!*order || strcmp(order, orders[i]) == 0) {
			filter->order = (int)i;
			return RC_OK;
		}
	}
	return req_field_error(
	    req, "order", _("Choose the latest, the slowest or errors."));
}

/* "404", "4xx", or nothing. */
static int
read_status(struct req *req, struct traces_filter *filter)
{
	const char *text = given(req, "status");
	bool family = strlen(text) == 3 &&
	    tolower((unsigned char)text[1]) == 'x' &&
	    tolower((unsigned char)text[2]) == 'x';

	if (!*text)
		return RC_OK;
	if (strlen(text) != 3 || text[0] < '1' || text[0] > '5' ||
	    (!family && strspn(text, "0123456789") != 3))
		return req_field_error(req, "status",
		    _("Enter a status such as 404, or a class such as 4xx."));
	filter->status_from =
	    family ? (text[0] - '0') * 100 : (int)strtol(text, NULL, 10);
	filter->status_to = filter->status_from + (family ? 99 : 0);
	return RC_OK;
}

static int
read_filter(struct req *req, struct traces_filter *filter)
{
	int rc = read_order(req, filter);

	if (rc < 0 || (rc = read_status(req, filter)) < 0)
		return rc;
	if (*given(req, "route"))
		filter->route = given(req, "route");
	if (*given(req, "before"))
		filter->before = given(req, "before");
	filter->least_us = form_int(req, "ms") * 1000;
	if (form_flag(req, "mine") || !sees_all(req))
		filter->user = req->sess->user_id;
	filter->max = PAGE;
	return RC_OK;
}

/* --- the page --- */

static const char *
list_url(struct req *req, const char *order, const char *before)
{
	const char *page = before ? arena_printf(req->arena, "&before=%s",
					http_url_quote(req, before)) :
				    "";

	return arena_printf(req->arena,
	    "/trace?order=%s&route=%s&status=%s&ms=%s%s%s", order,
	    http_url_quote(req, given(req, "route")),
	    http_url_quote(req, given(req, "status")),
	    http_url_quote(req, given(req, "ms")),
	    form_flag(req, "mine") ? "&mine=1" : "", page);
}

static json_t *
tabs(struct req *req, const struct traces_filter *filter)
{
	const char *const labels[] = { _("Latest"), _("Slowest"), _("Errors") };
	json_t *list = json_array();

	for (size_t i = 0; i < LENGTH(orders); i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "label", labels[i], "url",
			list_url(req, orders[i], NULL), "current",
			(size_t)filter->order == i));
	return list;
}

static void
add_route(json_t *routes, const char *name, const char *chosen)
{
	json_t *route;
	size_t i;

	json_array_foreach(routes, i, route) {
		int order = strcmp(model_text(route, "name"), name);

		if (order == 0)
			return;
		if (order > 0)
			break;
	}
	json_array_insert_new(routes, i,
	    json_pack("{s:s, s:b}", "name", name, "chosen",
		strcmp(name, chosen) == 0));
}

/* All that have run on this host, and those in the list. */
static json_t *
all_routes(struct req *req, const json_t *list)
{
	const struct metric_board *board = metric_board();
	const char *chosen = given(req, "route");
	json_t *routes = json_array(), *one;
	size_t i;

	for (i = 0; i < METRIC_ROUTES; i++) {
		if (*board->routes[i].name)
			add_route(routes, board->routes[i].name, chosen);
	}
	json_array_foreach(list, i, one) {
		const char *name = model_text(one, "route");

		if (name && *name)
			add_route(routes, name, chosen);
	}
	if (*chosen)
		add_route(routes, chosen, chosen);
	return routes;
}

static int64_t
longest(const json_t *list)
{
	const json_t *one;
	int64_t us = 1;
	size_t i;

	json_array_foreach(list, i, one) {
		if (model_int(one, "us") > us)
			us = model_int(one, "us");
	}
	return us;
}

static void
view_list(struct req *req, json_t *list)
{
	int64_t most = longest(list);
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		int64_t us = model_int(one, "us");

		model_set_text(
		    one, "clock", view_clock(req, model_int(one, "time")));
		model_set_text(one, "ms", view_ms(req, us));
		model_set_text(one, "w",
		    arena_printf(req->arena, "%.1f%%",
			100.0 * (double)us / (double)most));
		model_set_text(one, "status_kind",
		    view_status_kind(model_int(one, "status")));
		model_set_text(
		    one, "size", view_bytes(req, model_int(one, "bytes")));
		model_set_text(one, "short",
		    arena_printf(req->arena, "%.8s", model_text(one, "id")));
		model_set_int(one, "n", (int64_t)i + 1);
		model_set_bool(one, "first", i == 0);
		model_set_bool(one, "second", i == 1);
	}
}

static void
view_kept(struct req *req, json_t *model, const struct traces_kept *kept)
{
	model_set_text(model, "kept", view_number(req, kept->traces));
	model_set_text(model, "kept_bytes", view_bytes(req, kept->bytes));
	model_set_text(model, "kept_since",
	    kept->oldest > 0 ? view_instant(req, kept->oldest) : NULL);
	model_set_int(model, "minutes", req->conf->trace_keep_s / 60);
}

static json_t *
page_model(struct req *req, const struct traces_filter *filter, json_t *list,
    const char *cursor)
{
	bool any = json_array_size(list) > 0;
	const char *order = orders[filter->order];
	json_t *model;

	view_list(req, list);
	model = json_pack("{s:o, s:O, s:b, s:b, s:b, s:o, s:s, s:s?, s:s?,"
			  " s:b}",
	    "tabs", tabs(req, filter), "list", list, "any", any, "none", !any,
	    "sees_all", sees_all(req), "routes", all_routes(req, list), "order",
	    order, "next_url", cursor ? list_url(req, order, cursor) : NULL,
	    "first_url", filter->before ? list_url(req, order, NULL) : NULL,
	    "both", json_array_size(list) > 1);
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Traces"), NULL);
	return model;
}

static int
show(struct req *req)
{
	struct traces_filter filter = { 0 };
	struct traces_kept kept = { 0 };
	const char *cursor = NULL;
	json_t *list = json_array(), *model;
	int rc;

	if (*given(req, "id") && !req->errors)
		return page_redirect(req,
		    arena_printf(req->arena, "/trace/%s",
			http_url_quote(req, given(req, "id"))));
	rc = req->errors ? RC_BAD_INPUT : read_filter(req, &filter);
	if (rc == RC_OK && (rc = traces_list(req, &filter, &list, &cursor)) < 0)
		return rc;
	if ((rc = traces_kept(req, &kept)) < 0)
		return rc;
	model = page_model(req, &filter, list, cursor);
	view_kept(req, model, &kept);
	req->status = req->errors ? 400 : 200;
	return page_send(req, "traces", model);
}

static const struct route traces = {
	.name = "traces",
	.get = show,
	.invalid = show,
	.fields = fields,
	.needs = NEED_MEMBER | NEED_FORM,
};

int
main(void)
{
	return route_run(&traces);
}
