/*
 * chart -- pictures of figures as inline SVG: from values to models for the
 * templates part/chart (lines or bars over time, with axis, legend and
 * table), part/sparkline (a line in a cell of a table) and part/chart-table.
 *
 *	model_set(model, "requests", chart_model(req, &chart));
 *	{{#requests}}{{>part/chart}}{{/requests}}
 *
 * Each picture has role="img", a title and a description; part/chart ends
 * with the same numbers as a table.  A page with sparklines shows theirs with
 * chart_table() once, for all of them.
 */
#ifndef SEOGA_CHART_H
#define SEOGA_CHART_H

#include "req.h"

#define CHART_SERIES 6 /* that differ in colour and in the kind of line */

enum chart_unit {
	CHART_NUMBER,
	CHART_US,      /* microseconds */
	CHART_SECONDS, /* a length of time */
	CHART_BYTES,
	CHART_PART,  /* 0.05 is 5 % */
	CHART_MONEY, /* minor units */
	CHART_UNITS
};

struct chart_series {
	const char *label;
	const double *values; /* NAN: not known */
};

struct chart {
	const char *id;	   /* unique on its page: letters, digits, "-" */
	const char *title; /* what it shows: "Requests a second" */
	enum chart_unit unit;
	enum { CHART_LINES, CHART_BARS } kind; /* several bars are stacked */
	size_t n;		   /* points of each series, the oldest first */
	const char *const *labels; /* of the points: "12:30" */
	size_t nseries;
	const struct chart_series *series;
	double top;		/* the axis goes up to here at least */
	double mark;		/* a line across at this value; 0: none */
	const char *mark_label; /* "Objective: 200 ms" */
	bool across; /* the table has a row for each series, not point */
};

/* A value as a reader writes it, three digits that count: "12.3 ms"; "–" for
 * NAN. */
const char *chart_text(struct req *req, enum chart_unit unit, double value);

/* For part/chart. */
json_t *chart_model(struct req *req, const struct chart *chart);
/* For part/sparkline: of the first series. */
json_t *chart_spark(struct req *req, const struct chart *chart);
/* For part/chart-table; of any number of series. */
json_t *chart_table(struct req *req, const struct chart *chart);

#endif
