/* slo -- see slo.h. */
#include "slo.h"

#include "chart.h"
#include "model.h"
#include "page.h"
#include "view.h"

#include <math.h>
#include <time.h>

#define HOUR_S 3600
#define DAY_S 86400
#define DAYS 30
#define BURN_HOURS 6

/* --- arithmetic --------------------------------------------------------- */

double
slo_allowed(enum slo objective)
{
	return objective == SLO_SPEED ? .05 : .001;
}

struct slo_count
slo_count(enum slo objective, const struct history_service *s)
{
	switch (objective) {
	case SLO_AVAILABILITY:
		return (
		    struct slo_count){ (double)s->down_s, (double)s->seconds };
	case SLO_SPEED:
		return (
		    struct slo_count){ (double)s->slow, (double)s->requests };
	case SLO_ERRORS:
	case SLO_OBJECTIVES:
	default:
		return (struct slo_count){ (double)s->failed5,
			(double)s->requests };
	}
}

double
slo_reached(const struct slo_count *count)
{
	return count->all > 0 ? 1 - count->bad / count->all : NAN;
}

double
slo_left(enum slo objective, const struct slo_count *count)
{
	return count->all > 0 ?
	    1 - count->bad / (count->all * slo_allowed(objective)) :
	    NAN;
}

double
slo_burn(enum slo objective, const struct slo_count *count)
{
	return count->all > 0 ?
	    count->bad / count->all / slo_allowed(objective) :
	    NAN;
}

/* --- where the figures are ---------------------------------------------- */

struct figures {
	struct history_service hour, burn, day, week, month;
	bool db;      /* MariaDB has told the longer ones */
	json_t *days; /* of history_days() */
};

static void
read_hour(const struct conf *conf, struct history_service *service)
{
	struct history_sum sum;

	history_sum(conf, NULL, HOUR_S, &sum);
	*service = (struct history_service){ .seconds = sum.seconds,
		.down_s = sum.down_s,
		.requests = sum.requests,
		.failed4 = sum.failed4,
		.failed5 = sum.failed5,
		.slow = history_slow(&sum),
		.sum_us = sum.sum_us };
}

static void
read_figures(struct req *req, struct figures *f)
{
	*f = (struct figures){ .days = json_array() };
	read_hour(req->conf, &f->hour);
	f->db = history_hours(req, BURN_HOURS, &f->burn) == RC_OK &&
	    history_hours(req, 24, &f->day) == RC_OK &&
	    history_hours(req, 7 * 24, &f->week) == RC_OK &&
	    history_hours(req, DAYS * 24, &f->month) == RC_OK &&
	    history_days(req, DAYS, &f->days) == RC_OK;
	if (!f->db)
		req_forgive(req);
}

/* --- a table for each objective ----------------------------------------- */

static enum chart_unit
unit_of(enum slo objective)
{
	return objective == SLO_AVAILABILITY ? CHART_SECONDS : CHART_NUMBER;
}

static const char *
left_text(struct req *req, enum slo objective, const struct slo_count *c)
{
	double left = slo_left(objective, c);
	double amount = c->all * slo_allowed(objective) - c->bad;

	if (!isfinite(left))
		return chart_text(req, CHART_PART, left);
	return arena_printf(req->arena,
	    objective == SLO_AVAILABILITY ? "%s (%s)" : _("%s (%s requests)"),
	    chart_text(req, CHART_PART, left),
	    chart_text(req, unit_of(objective), amount));
}

static json_t *
row(struct req *req, enum slo objective, const char *label,
    const struct history_service *service)
{
	struct slo_count c = slo_count(objective, service);
	double left = slo_left(objective, &c);

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "label", label,
	    "reached", chart_text(req, CHART_PART, slo_reached(&c)), "bad",
	    c.all > 0 ? chart_text(req, unit_of(objective), c.bad) : "–", "all",
	    chart_text(req, unit_of(objective), c.all), "left",
	    left_text(req, objective, &c), "broken",
	    isfinite(left) && left < 0);
}

static json_t *
rows(struct req *req, enum slo objective, const struct figures *f)
{
	json_t *list = json_array();

	json_array_append_new(list, row(req, objective, _("1 hour"), &f->hour));
	if (!f->db)
		return list;
	json_array_append_new(
	    list, row(req, objective, _("24 hours"), &f->day));
	json_array_append_new(list, row(req, objective, _("7 days"), &f->week));
	json_array_append_new(
	    list, row(req, objective, _("30 days"), &f->month));
	return list;
}

static const char *
burn_text(
    struct req *req, enum slo objective, const struct history_service *service)
{
	struct slo_count c = slo_count(objective, service);
	double burn = slo_burn(objective, &c);

	if (!isfinite(burn))
		return _("not known");
	return arena_printf(
	    req->arena, "%s×", chart_text(req, CHART_NUMBER, burn));
}

/* --- charts of the days ------------------------------------------------- */

struct day_values {
	const char *labels[DAYS];
	double values[DAYS];
};

static const char *
day_name(struct req *req, int64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[11];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	return arena_strdup(req->arena, text);
}

static const json_t *
day_named(const json_t *days, const char *name)
{
	const json_t *day;
	size_t i;

	json_array_foreach(days, i, day) {
		if (strcmp(model_text(day, "day"), name) == 0)
			return day;
	}
	return NULL;
}

/* The part that was bad. */
static double
bad_part(enum slo objective, const json_t *day)
{
	struct history_service service = {
		.seconds = model_int(day, "seconds"),
		.down_s = model_int(day, "down_s"),
		.requests = model_int(day, "requests"),
		.failed5 = model_int(day, "failed5"),
		.slow = model_int(day, "slow"),
	};
	struct slo_count c = slo_count(objective, &service);

	return c.all > 0 ? c.bad / c.all : NAN;
}

static void
read_days(struct req *req, enum slo objective, const json_t *days,
    struct day_values *v)
{
	int64_t now = (int64_t)time(NULL), today = now - now % DAY_S;

	for (int i = 0; i < DAYS; i++) {
		const char *name =
		    day_name(req, today - (int64_t)(DAYS - 1 - i) * DAY_S);

		v->labels[i] = name;
		v->values[i] = bad_part(objective, day_named(days, name));
	}
}

static json_t *
chart_of(struct req *req, enum slo objective, const char *id, const char *title,
    const json_t *days)
{
	struct day_values v;
	double allowed = slo_allowed(objective);
	const struct chart_series series = { title, v.values };
	const struct chart c = { .id = id,
		.title = title,
		.unit = CHART_PART,
		.kind = CHART_BARS,
		.n = DAYS,
		.labels = v.labels,
		.nseries = 1,
		.series = &series,
		.mark = allowed,
		.mark_label = arena_printf(req->arena, _("Allowed: %s"),
		    chart_text(req, CHART_PART, allowed)) };

	read_days(req, objective, days, &v);
	return chart_model(req, &c);
}

/* --- the page ----------------------------------------------------------- */

static const struct {
	const char *id, *name, *promise, *how, *days;
} texts[SLO_OBJECTIVES] = {
	[SLO_AVAILABILITY] = { "availability", N_("Uptime"),
	    N_("The site answers 99.9 percent of the time."),
	    N_("Time is looked at in steps of ten seconds. A step is bad when"
	       " more than 5 percent of its requests were answered with"
	       " 5xx; a step without requests is good. Time in which"
	       " nobody watched, as the site was stopped, does not count:"
	       " how much was watched stands beside it."),
	    N_("Time that was bad") },
	[SLO_SPEED] = { "speed", N_("Speed"),
	    N_("95 percent of the requests take less than 200 ms."),
	    N_("nginx measures each request from its first byte to the last"
	       " byte of the answer. Those above 200 ms are slow; 5 percent may"
	       " be."),
	    N_("Requests that were slow") },
	[SLO_ERRORS] = { "errors", N_("Errors"),
	    N_("Fewer than 0.1 percent of the requests fail."),
	    N_("A request fails when it is answered with 5xx. What a client"
	       " did wrong (4xx) is no failure of ours."),
	    N_("Requests that failed") },
};

static json_t *
objective_model(struct req *req, enum slo o, const struct figures *f)
{
	json_t *model = json_object();

	model_set_text(model, "id", texts[o].id);
	model_set_text(model, "name", _(texts[o].name));
	model_set_text(model, "promise", _(texts[o].promise));
	model_set_text(model, "how", _(texts[o].how));
	model_set(model, "rows", rows(req, o, f));
	model_set_text(model, "burn_hour", burn_text(req, o, &f->hour));
	model_set_text(model, "burn_hours",
	    f->db ? burn_text(req, o, &f->burn) : _("not known"));
	model_set(model, "chart",
	    f->db ? chart_of(req, o,
			arena_printf(req->arena, "%s-days", texts[o].id),
			_(texts[o].days), f->days) :
		    json_null());
	return model;
}

json_t *
slo_page(struct req *req)
{
	json_t *model = json_object(), *list = json_array();
	struct figures f;

	read_figures(req, &f);
	for (int o = 0; o < SLO_OBJECTIVES; o++)
		json_array_append_new(
		    list, objective_model(req, (enum slo)o, &f));
	model_set(model, "objectives", list);
	model_set_bool(model, "db_away", !f.db);
	model_set_text(model, "time_text", view_time(req, (int64_t)time(NULL)));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Status"), "/status");
	page_crumb(model, _("Objectives"), NULL);
	return model;
}
