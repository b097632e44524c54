/* panel_model -- from panels and their figures to a model for the page: see
 * panel.h. */
#include "panel_internal.h"

#include "chart.h"
#include "lang.h"
#include "model.h"
#include "sales.h"

#include <math.h>
#include <time.h>

#define DAY_S 86400
#define DAYS 7

/* --- what the figures are made from --- */

static void
read_days(struct panel_page *page)
{
	time_t first = (time_t)(page->now - (DAYS - 1) * DAY_S);
	time_t last = (time_t)page->now;
	char from[SALES_DAY_SIZE], to[SALES_DAY_SIZE];
	struct tm tm;

	gmtime_r(&first, &tm);
	strftime(from, sizeof(from), "%Y-%m-%d", &tm);
	gmtime_r(&last, &tm);
	strftime(to, sizeof(to), "%Y-%m-%d", &tm);
	if (sales_by_day(page->req, from, to, &page->days) < 0) {
		req_forgive(page->req);
		page->days = NULL;
	}
}

/* A site that runs for less than an hour has its oldest moment, or what was
 * counted in all. */
static const struct trend *
hour_ago(const struct panel_page *page)
{
	static struct trend begin;

	for (size_t i = 0; i < PANEL_POINTS; i++)
		if (page->moments[i].us)
			return &page->moments[i];
	begin =
	    (struct trend){ .us = (int64_t)metric_board()->begun * 1000000 };
	if (begin.us >= page->newest.us)
		begin.us = page->newest.us - 1;
	return &begin;
}

static void
read_page(struct panel_page *page, const struct panel_view *view)
{
	const struct conf *conf = page->req->conf;

	trend_now(&page->newest);
	page->now = page->newest.us / 1000000;
	page->moments = arena_alloc(
	    page->req->arena, (PANEL_POINTS + 1) * sizeof(*page->moments));
	page->parts =
	    arena_alloc(page->req->arena, PANEL_POINTS * sizeof(*page->parts));
	trend_read(
	    conf, page->newest.us, PANEL_SECONDS, PANEL_POINTS, page->moments);
	if (view->by_route)
		history_parts(conf, page->route, PANEL_SECONDS, PANEL_POINTS,
		    page->parts);
	attack_minutes(page->now, page->attacks);
	if (strcmp(view->name, "business") == 0)
		read_days(page);
}

static void
look_at_hour(struct panel_page *page)
{
	page->from = hour_ago(page);
	page->to = &page->newest;
	page->point = PANEL_POINTS;
}

static void
look_at_point(struct panel_page *page, size_t i)
{
	page->from = &page->moments[i];
	page->to = &page->moments[i + 1];
	page->sum = &page->parts[i];
	page->point = i;
}

/* --- texts --- */

static enum chart_unit
chart_unit_of(enum panel_unit unit)
{
	switch (unit) {
	case PANEL_TIME:
		return CHART_US;
	case PANEL_BYTES:
		return CHART_BYTES;
	case PANEL_PART:
		return CHART_PART;
	case PANEL_MONEY:
		return CHART_MONEY;
	case PANEL_NUMBER:
	case PANEL_RATE:
	case PANEL_UP:
	default:
		return CHART_NUMBER;
	}
}

const char *
panel_text(struct req *req, enum panel_unit unit, double value)
{
	if (unit == PANEL_UP && isfinite(value))
		return value > 0 ? _("Yes") : _("No");
	return chart_text(req, chart_unit_of(unit), value);
}

/* --- tiles --- */

static json_t *
tiles(struct panel_page *page, const struct panel *panel)
{
	json_t *list = json_array();

	look_at_hour(page);
	for (size_t i = 0; i < panel->nlines; i++) {
		const struct panel_line *line = &panel->lines[i];

		json_array_append_new(list,
		    json_pack("{s:s, s:s}", "label", lang_lookup(line->label),
			"text",
			panel_text(
			    page->req, panel->unit, line->value(page, line))));
	}
	return list;
}

/* --- charts --- */

/* Whose clock: Korean pages show Korea's, as view_time() does. */
static const char *
clock_text(struct req *req, int64_t seconds)
{
	time_t when = (time_t)(seconds + (req->lang == LANG_KO ? 9 * 3600 : 0));
	char text[8];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%H:%M", &tm);
	return arena_strdup(req->arena, text);
}

static double *
values_of(struct panel_page *page, const struct panel_line *line)
{
	double *values =
	    arena_alloc(page->req->arena, PANEL_POINTS * sizeof(*values));

	for (size_t i = 0; i < PANEL_POINTS; i++) {
		look_at_point(page, i);
		values[i] = line->value(page, line);
	}
	return values;
}

static json_t *
chart(struct panel_page *page, const struct panel *panel)
{
	const char *labels[PANEL_POINTS];
	struct chart_series series[CHART_SERIES];
	struct chart c = { .id = panel->id,
		.title = lang_lookup(panel->title),
		.unit = chart_unit_of(panel->unit),
		.kind = panel->bars ? CHART_BARS : CHART_LINES,
		.n = PANEL_POINTS,
		.labels = labels,
		.nseries = panel->nlines,
		.series = series };

	for (int64_t i = 0; i < PANEL_POINTS; i++)
		labels[i] = clock_text(
		    page->req, page->now - 60 * (PANEL_POINTS - 1 - i));
	for (size_t i = 0; i < panel->nlines && i < CHART_SERIES; i++)
		series[i] =
		    (struct chart_series){ lang_lookup(panel->lines[i].label),
			    values_of(page, &panel->lines[i]) };
	return chart_model(page->req, &c);
}

/* --- tables --- */

static json_t *
table(struct panel_page *page, const struct panel *panel)
{
	json_t *heads = json_array(), *model;

	for (size_t i = 0; i < panel->nlines; i++)
		json_array_append_new(heads,
		    json_pack(
			"{s:s}", "text", lang_lookup(panel->lines[i].label)));
	model = json_pack("{s:s, s:o, s:[], s:b, s:b}", "corner",
	    lang_lookup(panel->corner), "heads", heads, "rows", "away", 0,
	    "empty", 0);
	look_at_hour(page);
	if (panel->rows(page, model) < 0) {
		req_forgive(page->req);
		model_set_bool(model, "away", true);
	} else if (json_array_size(json_object_get(model, "rows")) == 0) {
		model_set_bool(model, "empty", true);
	}
	return model;
}

static json_t *
panel_of(struct panel_page *page, const struct panel *panel)
{
	json_t *model =
	    json_pack("{s:s, s:s, s:s, s:n, s:n, s:n}", "id", panel->id,
		"label_id", arena_printf(page->req->arena, "%s-h", panel->id),
		"title", lang_lookup(panel->title), "stat", "chart", "table");

	switch (panel->kind) {
	case PANEL_STAT:
		model_set(model, "stat",
		    json_pack("{s:o}", "tiles", tiles(page, panel)));
		break;
	case PANEL_SERIES:
		model_set(model, "chart", chart(page, panel));
		break;
	case PANEL_TABLE:
	default:
		model_set(model, "table", table(page, panel));
	}
	return model;
}

int
panel_list(struct req *req, const struct panel_view *view, const char *route,
    json_t **panels)
{
	struct panel_page page = { .req = req, .route = route };
	json_t *list = json_array();
	static bool opened;

	if (!opened)
		attack_open(req->conf);
	opened = true;
	read_page(&page, view);
	for (size_t i = 0; i < view->npanels; i++) {
		json_t *one = panel_of(&page, &view->panels[i]);

		model_set_bool(one, "wide", panel_is_wide(view, i));
		json_array_append_new(list, one);
	}
	*panels = list;
	return RC_OK;
}
