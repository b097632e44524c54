/* chart -- see chart.h. */
#include "chart.h"

#include "buf.h"
#include "model.h"
#include "view.h"

#include <math.h>

#define HIGH 1000 /* of the viewBox */
#define STEP 10	  /* from point to point */
#define DASH 8	  /* of a point alone */
#define BAR 8	  /* the width of one */
#define PATH_MAX_BYTES ((size_t)256 * 1024)

/* --- values as text --- */

/* The library of mathematics would be more memory for each program. */
static double
more_of(double a, double b)
{
	return b > a || !isfinite(a) ? b : a;
}

static double
less_of(double a, double b)
{
	return b < a || !isfinite(a) ? b : a;
}

static int64_t
nearest(double value)
{
	return (int64_t)(value < 0 ? value - .5 : value + .5);
}

/* Three digits that count, and no zeros after the last of them. */
static const char *
number_text(struct req *req, double value)
{
	double size = fabs(value);
	char *text, *end;

	if (size >= 99.95 || value == (double)(int64_t)value)
		return view_number(req, nearest(value));
	text = arena_printf(req->arena, "%.*f",
	    size >= 9.995     ? 1 :
		size >= 0.995 ? 2 :
				3,
	    value);
	end = text + strlen(text);
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	*end = '\0';
	return text;
}

struct scale {
	double from; /* this much, and more, is written so */
	double unit;
	const char *name;
};

static const char *
scaled_text(struct req *req, const struct scale *scales, double value)
{
	const struct scale *s = scales;

	while (s->from > fabs(value))
		s++;
	return arena_printf(
	    req->arena, "%s %s", number_text(req, value / s->unit), s->name);
}

static const struct scale times[] = { { 999500, 1e6, "s" },
	{ 999.5, 1e3, "ms" }, { 0, 1, "µs" } };
static const struct scale sizes[] = { { 999.5e9, 1e12, "TB" },
	{ 999.5e6, 1e9, "GB" }, { 999.5e3, 1e6, "MB" }, { 999.5, 1e3, "kB" },
	{ 0, 1, "B" } };

static const char *
length_text(struct req *req, double seconds)
{
	if (seconds < 119.5)
		return arena_printf(
		    req->arena, _("%s s"), number_text(req, seconds));
	if (seconds < 119.5 * 60)
		return arena_printf(req->arena, _("%s min"),
		    number_text(req, (double)nearest(seconds / 60)));
	if (seconds < 48 * 3600)
		return arena_printf(
		    req->arena, _("%s h"), number_text(req, seconds / 3600));
	return arena_printf(
	    req->arena, _("%s days"), number_text(req, seconds / 86400));
}

/* Near the whole, what is missing counts: 99.95 %, not 100 %. */
static const char *
part_text(struct req *req, double part)
{
	double percent = part * 100;

	if (percent > 99 && percent < 100)
		return arena_printf(req->arena, _("%.*f %%"),
		    percent < 99.995 ? 2 : 3,
		    (double)(int64_t)(percent * 1000) / 1000);
	return arena_printf(req->arena, _("%s %%"), number_text(req, percent));
}

const char *
chart_text(struct req *req, enum chart_unit unit, double value)
{
	if (!isfinite(value))
		return "–";
	switch (unit) {
	case CHART_US:
		return scaled_text(req, times, value);
	case CHART_BYTES:
		return scaled_text(req, sizes, value);
	case CHART_SECONDS:
		return length_text(req, value);
	case CHART_PART:
		return part_text(req, value);
	case CHART_MONEY:
		return view_money(req, nearest(value));
	case CHART_NUMBER:
	case CHART_UNITS:
	default:
		return number_text(req, value);
	}
}

/* --- the axis --- */

static double
known(double value)
{
	return isfinite(value) ? value : 0;
}

static double
stacked(const struct chart *c, size_t at)
{
	double sum = 0;

	for (size_t s = 0; s < c->nseries; s++)
		sum += known(c->series[s].values[at]);
	return sum;
}

static double
highest(const struct chart *c, size_t nseries)
{
	double most = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->kind == CHART_BARS)
			most = more_of(most, stacked(c, i));
		for (size_t s = 0; s < nseries; s++)
			most = more_of(most, known(c->series[s].values[i]));
	}
	return most;
}

/* The next of 1, 2, 5, 10, ...; halves of these are round, too. */
static double
round_up(double value)
{
	double unit = 1e-9;

	while (unit * 10 <= value && unit < 1e18)
		unit *= 10;
	if (value <= unit)
		return unit;
	if (value <= 2 * unit)
		return 2 * unit;
	return value <= 5 * unit ? 5 * unit : 10 * unit;
}

static double
axis_top(const struct chart *c)
{
	double most = more_of(highest(c, c->nseries), more_of(c->top, c->mark));

	if (most <= 0)
		return 1;
	/* Of a whole there is no more than all. */
	if (c->unit == CHART_PART && most > 0.5 && most <= 1)
		return 1;
	return round_up(most);
}

static int
y_of(double value, double top)
{
	double y = HIGH - HIGH * value / top;

	return (int)nearest(less_of(more_of(y, 0), HIGH));
}

/* --- lines --- */

static bool
is_known(const struct chart *c, const double *values, size_t at)
{
	return at < c->n && isfinite(values[at]);
}

/* One without neighbours is a dash, long enough to be seen. */
static const char *
line_path(
    struct req *req, const struct chart *c, const double *values, double top)
{
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	const char *text;
	bool on = false;

	for (size_t i = 0; i < c->n; i++) {
		bool there = is_known(c, values, i);
		bool alone = !on && !is_known(c, values, i + 1);
		int x = (int)i * STEP - (alone ? DASH / 2 : 0);

		if (there)
			buf_printf(&path, "%c%d,%d", on ? 'L' : 'M', x,
			    y_of(values[i], top));
		if (there && alone)
			buf_printf(&path, "h%d", DASH);
		on = there;
	}
	text = arena_strndup(req->arena, path.data ? path.data : "", path.len);
	buf_free(&path);
	return text;
}

/* What is below the line. */
static const char *
area_path(
    struct req *req, const struct chart *c, const double *values, double top)
{
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	const char *text;

	for (size_t i = 0; i < c->n; i++) {
		if (!is_known(c, values, i))
			continue;
		if (i == 0 || !is_known(c, values, i - 1))
			buf_printf(&path, "M%zu,%d", i * STEP, HIGH);
		buf_printf(&path, "L%zu,%d", i * STEP, y_of(values[i], top));
		if (!is_known(c, values, i + 1))
			buf_printf(&path, "L%zu,%dZ", i * STEP, HIGH);
	}
	text = arena_strndup(req->arena, path.data ? path.data : "", path.len);
	buf_free(&path);
	return text;
}

static json_t *
lines(struct req *req, const struct chart *c, double top)
{
	json_t *list = json_array();

	if (c->kind != CHART_LINES)
		return list;
	for (size_t s = 0; s < c->nseries && s < CHART_SERIES; s++) {
		const double *values = c->series[s].values;

		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "class",
			arena_printf(req->arena, "s%zu", s + 1), "line",
			line_path(req, c, values, top), "area",
			c->nseries == 1 ? area_path(req, c, values, top) : ""));
	}
	return list;
}

/* --- bars --- */

static json_t *
bar(struct req *req, const struct chart *c, size_t s, size_t at, double below,
    double top)
{
	double value = known(c->series[s].values[at]);
	int y = y_of(below + value, top);

	return json_pack("{s:s, s:I, s:i, s:i, s:i, s:s}", "class",
	    arena_printf(req->arena, "s%zu", s + 1), "x",
	    (json_int_t)at * STEP + (STEP - BAR) / 2, "y", y, "w", BAR, "h",
	    y_of(below, top) - y, "says",
	    arena_printf(req->arena, "%s: %s", c->labels[at],
		chart_text(req, c->unit, c->series[s].values[at])));
}

static json_t *
bars(struct req *req, const struct chart *c, double top)
{
	json_t *list = json_array();

	if (c->kind != CHART_BARS)
		return list;
	for (size_t i = 0; i < c->n; i++) {
		double below = 0;

		for (size_t s = 0; s < c->nseries && s < CHART_SERIES; s++) {
			double value = known(c->series[s].values[i]);

			if (value <= 0)
				continue;
			json_array_append_new(
			    list, bar(req, c, s, i, below, top));
			below += value;
		}
	}
	return list;
}

/* --- in words --- */

struct extremes {
	double least, most, last;
};

static struct extremes
extremes_of(const struct chart *c, const double *values)
{
	struct extremes e = { NAN, NAN, NAN };

	for (size_t i = 0; i < c->n; i++) {
		if (!isfinite(values[i]))
			continue;
		e.least = less_of(e.least, values[i]);
		e.most = more_of(e.most, values[i]);
		e.last = values[i];
	}
	return e;
}

static const char *
series_in_words(struct req *req, const struct chart *c, size_t s)
{
	struct extremes e = extremes_of(c, c->series[s].values);

	if (!isfinite(e.last))
		return arena_printf(
		    req->arena, _("%s: not known."), c->series[s].label);
	return arena_printf(req->arena,
	    _("%s: %s at last, at least %s, at most %s."), c->series[s].label,
	    chart_text(req, c->unit, e.last), chart_text(req, c->unit, e.least),
	    chart_text(req, c->unit, e.most));
}

static const char *
in_words(struct req *req, const struct chart *c, size_t nseries)
{
	const char *text = "";

	if (c->n > 0)
		text = arena_printf(req->arena, _("From %s to %s."),
		    c->labels[0], c->labels[c->n - 1]);
	for (size_t s = 0; s < nseries && s < CHART_SERIES; s++)
		text = arena_printf(
		    req->arena, "%s %s", text, series_in_words(req, c, s));
	return text;
}

static bool
any_known(const struct chart *c)
{
	for (size_t s = 0; s < c->nseries; s++)
		for (size_t i = 0; i < c->n; i++)
			if (is_known(c, c->series[s].values, i))
				return true;
	return false;
}

/* Why nothing is drawn; "" if something is.  A bar of 0 cannot be seen. */
static const char *
nothing(struct req *req, const struct chart *c)
{
	if (!any_known(c))
		return _("No figures yet");
	if (c->kind == CHART_LINES || highest(c, c->nseries) > 0)
		return "";
	return arena_printf(
	    req->arena, _("Nothing above %s"), chart_text(req, c->unit, 0));
}

/* --- the table --- */

static json_t *
row(const char *label)
{
	return json_pack("{s:s, s:[]}", "label", label, "cells");
}

static void
add_cell(struct req *req, json_t *one, const struct chart *c, double value)
{
	json_array_append_new(json_object_get(one, "cells"),
	    json_pack("{s:s}", "text", chart_text(req, c->unit, value)));
}

static json_t *
row_of_point(struct req *req, const struct chart *c, size_t at)
{
	json_t *one = row(c->labels[at]);

	for (size_t s = 0; s < c->nseries; s++)
		add_cell(req, one, c, c->series[s].values[at]);
	return one;
}

static json_t *
row_of_series(struct req *req, const struct chart *c, size_t s)
{
	json_t *one = row(c->series[s].label);

	for (size_t i = 0; i < c->n; i++)
		add_cell(req, one, c, c->series[s].values[i]);
	return one;
}

json_t *
chart_table(struct req *req, const struct chart *c)
{
	json_t *heads = json_array(), *rows = json_array();

	for (size_t i = 0; i < c->n; i++) {
		if (c->across)
			json_array_append_new(
			    heads, json_pack("{s:s}", "text", c->labels[i]));
		else
			json_array_append_new(rows, row_of_point(req, c, i));
	}
	for (size_t s = 0; s < c->nseries; s++) {
		if (c->across)
			json_array_append_new(rows, row_of_series(req, c, s));
		else
			json_array_append_new(heads,
			    json_pack("{s:s}", "text", c->series[s].label));
	}
	return json_pack("{s:s, s:s, s:o, s:o}", "caption", c->title, "corner",
	    c->across ? "" : _("Time"), "heads", heads, "rows", rows);
}

/* --- models --- */

static void
set_ids(struct req *req, json_t *model, const struct chart *c)
{
	const char *title = arena_printf(req->arena, "%s-title", c->id);
	const char *desc = arena_printf(req->arena, "%s-desc", c->id);

	model_set_text(model, "title_id", title);
	model_set_text(model, "desc_id", desc);
	model_set_text(
	    model, "labelled", arena_printf(req->arena, "%s %s", title, desc));
}

static int64_t
width_of(const struct chart *c)
{
	size_t steps = c->kind == CHART_BARS ? c->n : c->n - 1;

	return c->n > 1 ? (int64_t)(steps * STEP) : STEP;
}

static json_t *
legend(struct req *req, const struct chart *c)
{
	json_t *keys = json_array();

	for (size_t s = 0; c->nseries > 1 && s < c->nseries && s < CHART_SERIES;
	     s++)
		json_array_append_new(keys,
		    json_pack("{s:s, s:s}", "class",
			arena_printf(req->arena, "s%zu", s + 1), "label",
			c->series[s].label));
	return json_array_size(keys) ? json_pack("{s:o}", "keys", keys) :
				       json_null();
}

static json_t *
mark(const struct chart *c, double top)
{
	if (c->mark <= 0)
		return json_null();
	return json_pack("{s:i, s:s}", "at", y_of(c->mark, top), "label",
	    c->mark_label ? c->mark_label : "");
}

json_t *
chart_model(struct req *req, const struct chart *c)
{
	double top = axis_top(c);
	json_t *model = json_object();

	set_ids(req, model, c);
	model_set_text(model, "title", c->title);
	model_set_text(model, "desc", in_words(req, c, c->nseries));
	model_set_int(model, "wide", width_of(c));
	model_set(model, "lines", lines(req, c, top));
	model_set(model, "bars", bars(req, c, top));
	model_set(model, "mark", mark(c, top));
	model_set(model, "legend", legend(req, c));
	model_set_text(model, "nothing", nothing(req, c));
	model_set_text(model, "top_text", chart_text(req, c->unit, top));
	model_set_text(model, "half_text", chart_text(req, c->unit, top / 2));
	model_set_text(model, "zero_text", chart_text(req, c->unit, 0));
	model_set_text(model, "from_text", c->n ? c->labels[0] : "");
	model_set_text(model, "to_text", c->n ? c->labels[c->n - 1] : "");
	model_set(model, "table", chart_table(req, c));
	return model;
}

json_t *
chart_spark(struct req *req, const struct chart *c)
{
	double most = more_of(highest(c, 1), c->top);
	double top = most > 0 ? most : 1;
	json_t *model = json_object();

	set_ids(req, model, c);
	model_set_text(model, "title", c->title);
	model_set_text(model, "desc", in_words(req, c, 1));
	model_set_int(model, "wide", width_of(c));
	model_set_text(
	    model, "line", line_path(req, c, c->series[0].values, top));
	model_set_text(
	    model, "area", area_path(req, c, c->series[0].values, top));
	return model;
}
