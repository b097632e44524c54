/*
 * panel -- six views of the site: which panels each has, how a panel's
 * figures are told here, and by which PromQL in Grafana.
 *
 * This is the one list of them: the pages /status/NAME (cgi-bin/view.c) and
 * the dashboards in monitoring/grafana (bin/dashboards.c) are made from it.
 * A figure that Prometheus has no metric for, such as addresses of clients,
 * is on the page alone: its lines have no expr, and Grafana shows a link.
 */
#ifndef SEOGA_PANEL_H
#define SEOGA_PANEL_H

#include "req.h"

enum panel_kind { PANEL_STAT, PANEL_SERIES, PANEL_TABLE };

enum panel_unit {
	PANEL_NUMBER,
	PANEL_RATE, /* a second */
	PANEL_TIME, /* microseconds here, seconds in Prometheus */
	PANEL_BYTES,
	PANEL_PART,  /* 0.05 is 5 % */
	PANEL_MONEY, /* minor units here, won in Prometheus */
	PANEL_UP     /* 1 or 0 */
};

struct panel_page;

/* One figure, or of a table one column. */
struct panel_line {
	const char *label; /* for gettext */
	const char *expr;  /* PromQL, in which $route is the chosen route */
	/* NAN: not known.  NULL in a table. */
	double (*value)(struct panel_page *page, const struct panel_line *line);
	int which;
	const char *name;
};

struct panel {
	const char *id;	   /* unique: "db-latency" */
	const char *title; /* for gettext */
	enum panel_kind kind;
	enum panel_unit unit;
	bool bars; /* a series that is counted, not measured */
	const struct panel_line *lines;
	size_t nlines;
	/* Of a table: what its rows are, for gettext, and adding them. */
	const char *corner;
	int (*rows)(struct panel_page *page, json_t *table);
};

struct panel_view {
	const char *name;  /* of the address: /status/NAME */
	const char *title; /* for gettext */
	const char *lead;  /* for gettext: what is to be seen */
	const struct panel *panels;
	size_t npanels;
	bool by_route; /* a route may be chosen */
};

#define PANEL_VIEWS 6
extern const struct panel_view *const panel_views[PANEL_VIEWS];

/* Does the panel at i take a row of its own?  Tables do, and what has no
 * neighbour of its kind. */
bool panel_is_wide(const struct panel_view *view, size_t i);

/* NULL: there is none of that name. */
const struct panel_view *panel_view(const char *name);

/*
 * The panels of a view with their figures: [{id, title, tiles or chart or
 * table}], see templates/view.mustache.  route: a program's name; NULL: all.
 * What cannot be known, because a backend is away, is said to be so: this
 * does not fail for it.
 */
int panel_list(struct req *req, const struct panel_view *view,
    const char *route, json_t **panels) ATTR_CHECK;

#endif
