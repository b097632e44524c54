/*
 * seoga dashboards -- writes the six views (lib/panel.h) as dashboards for
 * Grafana, and their PromQL as a file of rules, by which promtool checks it.
 */
#include "command.h"
#include "model.h"
#include "panel.h"

#include <errno.h>

#define SCHEMA 38 /* of Grafana 10; 9 reads it as well */
#define WIDE 24	  /* of Grafana's grid */
#define STAT_HIGH 5
#define SERIES_HIGH 8
#define TABLE_HIGH 10

static const char usage[] =
    "usage: seoga dashboards FOLDER\n"
    "       seoga dashboards --rules\n"
    "Writes the six views of the site to the folder as dashboards for Grafana,"
    " a file\nseoga-NAME.json each; with --rules their PromQL to the standard"
    " output, as rules\nthat promtool can check.";

/* --- one panel --- */

static const char *
unit_name(enum panel_unit unit)
{
	static const char *const names[] = {
		[PANEL_NUMBER] = "short",
		[PANEL_RATE] = "reqps",
		[PANEL_TIME] = "s",
		[PANEL_BYTES] = "bytes",
		[PANEL_PART] = "percentunit",
		[PANEL_MONEY] = "currencyKRW",
		[PANEL_UP] = "none",
	};

	return names[unit];
}

static json_t *
source(void)
{
	return json_pack(
	    "{s:s, s:s}", "type", "prometheus", "uid", "${DS_PROMETHEUS}");
}

/* "A", "B", ... */
static json_t *
ref(const struct panel *panel, const struct panel_line *line)
{
	char name[2] = { (char)('A' + (line - panel->lines)), '\0' };

	return json_string(name);
}

static json_t *
target(const struct panel *panel, const struct panel_line *line)
{
	bool instant = panel->kind != PANEL_SERIES;

	return json_pack("{s:o, s:o, s:s, s:s, s:b, s:b, s:s, s:s}", "refId",
	    ref(panel, line), "datasource", source(), "expr", line->expr,
	    "legendFormat", line->label, "instant", instant, "range", !instant,
	    "format", panel->kind == PANEL_TABLE ? "table" : "time_series",
	    "editorMode", "code");
}

static json_t *
targets(const struct panel *panel)
{
	json_t *list = json_array();

	for (size_t i = 0; i < panel->nlines; i++)
		json_array_append_new(list, target(panel, &panel->lines[i]));
	return list;
}

/* 1 and 0 in words. */
static json_t *
mappings(enum panel_unit unit)
{
	if (unit != PANEL_UP)
		return json_array();
	return json_pack("[{s:s, s:{s:{s:s}, s:{s:s}}}]", "type", "value",
	    "options", "0", "text", "No", "1", "text", "Yes");
}

static json_t *
custom(const struct panel *panel)
{
	if (panel->kind != PANEL_SERIES)
		return json_object();
	return json_pack("{s:s, s:i, s:i, s:s, s:b}", "drawStyle",
	    panel->bars ? "bars" : "line", "lineWidth", 2, "fillOpacity", 10,
	    "showPoints", "never", "spanNulls", 0);
}

static json_t *
field_config(const struct panel *panel)
{
	json_t *defaults =
	    json_pack("{s:s, s:o, s:o}", "unit", unit_name(panel->unit),
		"mappings", mappings(panel->unit), "custom", custom(panel));

	if (panel->unit == PANEL_PART || panel->unit == PANEL_RATE ||
	    panel->unit == PANEL_BYTES)
		model_set_int(defaults, "min", 0);
	return json_pack("{s:o, s:[]}", "defaults", defaults, "overrides");
}

static json_t *
options(const struct panel *panel)
{
	switch (panel->kind) {
	case PANEL_STAT:
		return json_pack("{s:{s:[s], s:s, s:b}, s:s, s:s, s:s}",
		    "reduceOptions", "calcs", "lastNotNull", "fields", "",
		    "values", 0, "colorMode", "none", "graphMode", "none",
		    "textMode", "value_and_name");
	case PANEL_SERIES:
		return json_pack("{s:{s:s, s:s, s:b}, s:{s:s, s:s}}", "legend",
		    "displayMode", "list", "placement", "bottom", "showLegend",
		    1, "tooltip", "mode", "multi", "sort", "none");
	case PANEL_TABLE:
	default:
		return json_pack("{s:b}", "showHeader", 1);
	}
}

/* The figures of a table come one column a question. */
static json_t *
transformations(const struct panel *panel)
{
	json_t *names = json_object();
	char value[16];

	for (size_t i = 0; i < panel->nlines; i++) {
		snprintf(value, sizeof(value), "Value #%c", (int)('A' + i));
		model_set_text(names, value, panel->lines[i].label);
	}
	return json_pack("[{s:s, s:{}}, {s:s, s:{s:{s:b}, s:o}}]", "id",
	    "merge", "options", "id", "organize", "options", "excludeByName",
	    "Time", 1, "renameByName", names);
}

static bool
is_page_only(const struct panel *panel)
{
	return panel->nlines == 0 || !panel->lines[0].expr;
}

/* Where the same panel is on a page of the site. */
static json_t *
page_url(const struct panel_view *view, const struct panel *panel)
{
	return json_sprintf("${site}/status/%s#%s", view->name, panel->id);
}

static void
add_words(
    json_t *model, const struct panel_view *view, const struct panel *panel)
{
	json_t *url = page_url(view, panel);

	model_set_text(model, "type", "text");
	model_set(model, "options",
	    json_pack("{s:s, s:o}", "mode", "markdown", "content",
		json_sprintf("Not in Prometheus: [%s](%s)", panel->title,
		    json_string_value(url))));
	json_decref(url);
}

static void
add_figures(json_t *model, const struct panel *panel)
{
	static const char *const types[] = { [PANEL_STAT] = "stat",
		[PANEL_SERIES] = "timeseries",
		[PANEL_TABLE] = "table" };

	model_set_text(model, "type", types[panel->kind]);
	model_set(model, "datasource", source());
	model_set(model, "targets", targets(panel));
	model_set(model, "fieldConfig", field_config(panel));
	model_set(model, "options", options(panel));
	if (panel->kind == PANEL_TABLE)
		model_set(model, "transformations", transformations(panel));
}

static json_t *
panel_json(const struct panel_view *view, const struct panel *panel)
{
	json_t *model = json_pack("{s:i, s:s, s:[{s:s, s:o}]}", "id",
	    (int)(panel - view->panels) + 1, "title", panel->title, "links",
	    "title", "The page", "url", page_url(view, panel));

	if (is_page_only(panel))
		add_words(model, view, panel);
	else
		add_figures(model, panel);
	return model;
}

/* --- a dashboard --- */

static int
height_of(enum panel_kind kind)
{
	return kind == PANEL_STAT ? STAT_HIGH :
	    kind == PANEL_SERIES  ? SERIES_HIGH :
				    TABLE_HIGH;
}

static void
place(json_t *panel, int h, int w, int x, int y)
{
	model_set(panel, "gridPos",
	    json_pack("{s:i, s:i, s:i, s:i}", "h", h, "w", w, "x", x, "y", y));
}

/* Two in a row, or one. */
static json_t *
panels_json(const struct panel_view *view)
{
	json_t *list = json_array(), *one;
	int x = 0, y = 0;

	for (size_t i = 0; i < view->npanels; i++) {
		int h = height_of(view->panels[i].kind);
		int w = panel_is_wide(view, i) ? WIDE : WIDE / 2;

		one = panel_json(view, &view->panels[i]);
		place(one, h, w, x, y);
		json_array_append_new(list, one);
		x = x + w < WIDE ? x + w : 0;
		y += x == 0 ? h : 0;
	}
	return list;
}

static json_t *
variables(const struct panel_view *view)
{
	json_t *list = json_pack(
	    "[{s:s, s:s, s:s, s:s, s:i}, {s:s, s:s, s:s, s:s, s:i}]", "name",
	    "DS_PROMETHEUS", "label", "Prometheus", "type", "datasource",
	    "query", "prometheus", "hide", 0, "name", "site", "label", "Seoga",
	    "type", "textbox", "query", "http://localhost:8080", "hide", 0);

	if (view->by_route)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:i, s:i, s:b,"
			      " s:s, s:b}",
			"name", "route", "label", "Program", "type", "query",
			"datasource", source(), "query",
			"label_values(seoga_http_requests_total, route)",
			"definition",
			"label_values(seoga_http_requests_total, route)",
			"refresh", 2, "sort", 1, "includeAll", 1, "allValue",
			".*", "multi", 0));
	return list;
}

static json_t *
dashboard(const struct panel_view *view)
{
	return json_pack("{s:n, s:o, s:o, s:[s], s:s, s:i, s:i, s:s, s:b, s:i,"
			 " s:{s:[]}, s:[], s:{s:o}, s:{s:s, s:s}, s:{}, s:o}",
	    "id", "uid", json_sprintf("seoga-%s", view->name), "title",
	    json_sprintf("Seoga: %s", view->title), "tags", "seoga",
	    "description", view->lead, "schemaVersion", SCHEMA, "version", 1,
	    "refresh", "30s", "editable", 1, "graphTooltip", 1, "annotations",
	    "list", "links", "templating", "list", variables(view), "time",
	    "from", "now-1h", "to", "now", "timepicker", "panels",
	    panels_json(view));
}

static void
write_dashboard(const char *folder, const struct panel_view *view)
{
	char path[4096];
	json_t *model = dashboard(view);
	FILE *out;

	if (!model)
		command_die("%s: no dashboard could be made of it", view->name);
	snprintf(path, sizeof(path), "%s/seoga-%s.json", folder, view->name);
	out = fopen(path, "w");
	if (!out || json_dumpf(model, out, JSON_INDENT(2)) < 0 ||
	    fputc('\n', out) == EOF || fclose(out) != 0)
		command_die("%s: %s", path, strerror(errno));
	json_decref(model);
}

/* --- rules --- */

/* In the place of Grafana's variable: all routes. */
static void
print_expr(const char *expr)
{
	const char *at;

	while ((at = strstr(expr, "$route"))) {
		printf("%.*s.*", (int)(at - expr), expr);
		expr = at + strlen("$route");
	}
	printf("%s\n", expr);
}

static void
print_rules(const struct panel_view *view)
{
	for (size_t i = 0; i < view->npanels; i++) {
		const struct panel *panel = &view->panels[i];

		for (size_t j = 0; j < panel->nlines; j++) {
			if (!panel->lines[j].expr)
				continue;
			printf("  - record: seoga_view:panel_%s:%zu\n"
			       "    labels: {panel: \"%s\"}\n"
			       "    expr: >-\n      ",
			    view->name, j, panel->id);
			print_expr(panel->lines[j].expr);
		}
	}
}

int
main(int argc, char **argv)
{
	command_begin("dashboards");
	if (argc == 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		puts(usage);
		return EXIT_SUCCESS;
	}
	if (argc != 2 || (*argv[1] == '-' && strcmp(argv[1], "--rules") != 0))
		command_die("%s", usage);
	if (strcmp(argv[1], "--rules") == 0)
		printf("groups:\n- name: seoga-views\n  rules:\n");
	for (size_t i = 0; i < PANEL_VIEWS; i++) {
		if (strcmp(argv[1], "--rules") == 0)
			print_rules(panel_views[i]);
		else
			write_dashboard(argv[1], panel_views[i]);
	}
	return EXIT_SUCCESS;
}
