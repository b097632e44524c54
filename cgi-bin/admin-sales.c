/* GET /admin/sales -- what was sold on each day of a period, as a table and
 * as a chart. */
#include "route.h"
#include "sales.h"

#include <time.h>

#define DAY_S 86400
#define USUAL_DAYS 30
#define CHART_HIGH 1000 /* of the viewBox */
#define BAR_STEP 10
#define BAR_WIDE 8

static const struct field fields[] = { { "from", FIELD_TEXT, FIELD_QUERY, 0, 10,
					   N_("From") },
	{ "to", FIELD_TEXT, FIELD_QUERY, 0, 10, N_("To") }, { 0 } };

/* Days are numbered from 1970 on; both are within. */
struct period {
	int64_t from, to;
};

static int64_t
today(void)
{
	return (int64_t)time(NULL) / DAY_S;
}

/* "2026-11-21" */
static const char *
day_text(struct req *req, int64_t day)
{
	time_t when = (time_t)(day * DAY_S);
	struct tm tm;
	char text[SALES_DAY_SIZE];

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	return arena_strdup(req->arena, text);
}

static bool
read_day(const char *text, int64_t *day)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	int month_day = tm.tm_mday;
	time_t when;

	if (!end || *end || strlen(text) != SALES_DAY_SIZE - 1)
		return false;
	when = timegm(&tm);
	*day = (int64_t)when / DAY_S;
	/* The 31st of a month of 30 days is in the next. */
	return when >= 0 && tm.tm_mday == month_day;
}

static int
read_field(struct req *req, const char *name, int64_t usual, int64_t *day)
{
	const char *text = form_str(req, name);

	*day = usual;
	if (!text || !*text || read_day(text, day))
		return RC_OK;
	return req_field_error(
	    req, name, _("Enter a day as year-month-day, such as 2026-11-21."));
}

static int
read_period(struct req *req, struct period *p)
{
	int rc = read_field(req, "to", today(), &p->to);

	if (rc < 0 ||
	    (rc = read_field(req, "from", p->to - USUAL_DAYS + 1, &p->from)) <
		0)
		return rc;
	if (p->from > p->to)
		return req_field_error(req, "to",
		    _("Enter a last day that is not before the"
		      " first."));
	if (p->to - p->from >= SALES_DAYS_MAX)
		return req_field_error(
		    req, "from", _("Choose at most one year."));
	return RC_OK;
}

/* --- the page --- */

static const char *
shown_day(struct req *req, const char *day)
{
	return view_date(req, arena_printf(req->arena, "%sT00:00:00Z", day));
}

static void
view_days(struct req *req, json_t *days)
{
	json_t *day;
	size_t i;

	json_array_foreach(days, i, day) {
		model_set_text(
		    day, "day_text", shown_day(req, model_text(day, "day")));
		model_set_text(day, "revenue_text",
		    view_money(req, model_int(day, "revenue")));
	}
}

static int64_t
sum_of(const json_t *days, const char *name)
{
	const json_t *day;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(days, i, day)
		sum += model_int(day, name);
	return sum;
}

static const json_t *
best_of(const json_t *days)
{
	const json_t *day, *best = NULL;
	size_t i;

	json_array_foreach(days, i, day) {
		if (!best ||
		    model_int(day, "revenue") > model_int(best, "revenue"))
			best = day;
	}
	return best;
}

static json_t *
bar(struct req *req, const struct period *p, const json_t *day, int64_t most)
{
	int64_t number, high = CHART_HIGH * model_int(day, "revenue");

	if (!read_day(model_text(day, "day"), &number))
		number = p->from;
	high = most > 0 ? high / most : 0;
	return json_pack("{s:I, s:I, s:i, s:I, s:s}", "x",
	    (json_int_t)(number - p->from) * BAR_STEP, "y",
	    (json_int_t)(CHART_HIGH - high), "w", BAR_WIDE, "h",
	    (json_int_t)high, "says",
	    arena_printf(req->arena, "%s: %s", model_text(day, "day_text"),
		model_text(day, "revenue_text")));
}

static json_t *
chart(struct req *req, const struct period *p, const json_t *days)
{
	const json_t *best = best_of(days), *day;
	int64_t most = model_int(best, "revenue");
	json_t *bars = json_array();
	size_t i;

	if (!best)
		return json_null();
	json_array_foreach(days, i, day)
		json_array_append_new(bars, bar(req, p, day, most));
	return json_pack("{s:I, s:i, s:o, s:s, s:s, s:s, s:s}", "wide",
	    (json_int_t)(p->to - p->from + 1) * BAR_STEP, "high", CHART_HIGH,
	    "bars", bars, "from_text", shown_day(req, day_text(req, p->from)),
	    "to_text", shown_day(req, day_text(req, p->to)), "best_text",
	    model_text(best, "day_text"), "most_text",
	    model_text(best, "revenue_text"));
}

static json_t *
quick_link(struct req *req, const struct period *p, int days, const char *label)
{
	int64_t from = today() - days + 1;

	return json_pack("{s:s, s:s, s:b}", "label", label, "url",
	    arena_printf(req->arena, "/admin/sales?from=%s&to=%s",
		day_text(req, from), day_text(req, today())),
	    "current", p->to == today() && p->from == from);
}

static json_t *
sales_model(struct req *req, const struct period *p, json_t *days)
{
	bool any = json_array_size(days) > 0;
	json_t *model;

	view_days(req, days);
	model = json_pack("{s:O, s:b, s:b, s:o, s:I, s:I, s:s, s:[o, o, o]}",
	    "days", days, "any", any, "none", !any, "chart",
	    chart(req, p, days), "orders", (json_int_t)sum_of(days, "orders"),
	    "copies", (json_int_t)sum_of(days, "copies"), "revenue_text",
	    view_money(req, sum_of(days, "revenue")), "quick",
	    quick_link(req, p, 7, _("7 days")),
	    quick_link(req, p, 30, _("30 days")),
	    quick_link(req, p, 365, _("365 days")));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Sales"), NULL);
	return model;
}

/* With what was typed, also when it is wrong. */
static json_t *
typed(struct req *req, const struct period *p)
{
	json_t *form = form_values(req);

	if (!form_has(req, "from"))
		model_set_text(form, "from", day_text(req, p->from));
	if (!form_has(req, "to"))
		model_set_text(form, "to", day_text(req, p->to));
	return form;
}

static int
show(struct req *req)
{
	struct period p = { 0 };
	json_t *days = json_array(), *model;
	int rc = read_period(req, &p);

	if (rc == RC_OK)
		rc = sales_by_day(
		    req, day_text(req, p.from), day_text(req, p.to), &days);
	if (rc < 0 && !req->errors)
		return rc;
	model = sales_model(req, &p, days);
	model_set(model, "form", typed(req, &p));
	req->status = req->errors ? 400 : 200;
	return page_send(req, "admin-sales", model);
}

static const struct route admin_sales = {
	.name = "admin-sales",
	.get = show,
	.invalid = show,
	.fields = fields,
	.needs = NEED_ADMIN | NEED_FORM,
};

int
main(void)
{
	return route_run(&admin_sales);
}
