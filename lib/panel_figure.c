/* panel_figure -- the figures of panels, one by one: see panel.h. */
#include "panel_internal.h"

#include "breaker.h"
#include "cache.h"
#include "db.h"
#include "instance.h"
#include "model.h"
#include "sales.h"
#include "vitals.h"

#include <math.h>
#include <time.h>

#define DAY_S 86400

static double
ratio(double part, double all)
{
	return all > 0 ? part / all : NAN;
}

static bool
is_hour(const struct panel_page *page)
{
	return page->point == PANEL_POINTS;
}

/* Without both moments there is no telling what happened in between. */
static bool
knows(const struct panel_page *page)
{
	return trend_seconds(page->from, page->to) > 0;
}

static double
a_second(const struct panel_page *page, uint64_t from, uint64_t to)
{
	double seconds = trend_seconds(page->from, page->to);

	return ratio((double)trend_more(from, to), seconds);
}

static double
more(const struct panel_page *page, uint64_t from, uint64_t to)
{
	return knows(page) ? (double)trend_more(from, to) : NAN;
}

/* --- counters and gauges --- */

double
panel_count(struct panel_page *page, const struct panel_line *line)
{
	return more(page, page->from->counters[line->which],
	    page->to->counters[line->which]);
}

double
panel_a_second(struct panel_page *page, const struct panel_line *line)
{
	return a_second(page, page->from->counters[line->which],
	    page->to->counters[line->which]);
}

double
panel_a_minute(struct panel_page *page, const struct panel_line *line)
{
	return 60 * panel_a_second(page, line);
}

/* They say nothing before the recorder has set them for the first time, nor
 * while who knows them is away. */
static double
gauge(const struct panel_page *page, enum metric_gauge which)
{
	const struct trend *at = page->to;

	if (!at->us || !at->gauges[METRIC_GAUGED] ||
	    !at->gauges[metric_source(which)])
		return NAN;
	return (double)at->gauges[which];
}

double
panel_gauge(struct panel_page *page, const struct panel_line *line)
{
	return gauge(page, (enum metric_gauge)line->which);
}

double
panel_connections_part(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return ratio(gauge(page, METRIC_DB_CONNECTIONS),
	    gauge(page, METRIC_DB_CONNECTIONS_MAX));
}

double
panel_redis_part(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return ratio(gauge(page, METRIC_REDIS_MEMORY),
	    gauge(page, METRIC_REDIS_MEMORY_MAX));
}

double
panel_dropped(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	const uint64_t *from = page->from->counters;
	const uint64_t *to = page->to->counters;

	return more(page, from[METRIC_TRACES_DROPPED],
		   to[METRIC_TRACES_DROPPED]) +
	    more(page, from[METRIC_TRACES_LOST], to[METRIC_TRACES_LOST]);
}

/* Those that found something and those that did not are counted apart. */
double
panel_searches(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	const uint64_t *from = page->from->counters;
	const uint64_t *to = page->to->counters;

	return more(page, from[METRIC_SEARCHES], to[METRIC_SEARCHES]) +
	    more(page, from[METRIC_SEARCHES_EMPTY], to[METRIC_SEARCHES_EMPTY]);
}

double
panel_none_part(struct panel_page *page, const struct panel_line *line)
{
	double none = more(page, page->from->counters[METRIC_SEARCHES_EMPTY],
	    page->to->counters[METRIC_SEARCHES_EMPTY]);

	return ratio(none, panel_searches(page, line));
}

double
panel_cache_part(struct panel_page *page, const struct panel_line *line)
{
	const uint64_t *from = page->from->caches[line->which];
	const uint64_t *to = page->to->caches[line->which];
	double hits = 0, all = 0;

	for (size_t i = 0; i < METRIC_OUTCOMES; i++) {
		double n = more(page, from[i], to[i]);

		all += n;
		hits += i == METRIC_MISS ? 0 : n;
	}
	return ratio(hits, all);
}

/* --- what nginx answered --- */

static uint64_t
codes_of(const struct trend *at, int which)
{
	if (which >= 0)
		return at->codes[which];
	return at->codes[TREND_2XX] + at->codes[TREND_3XX] +
	    at->codes[TREND_4XX] + at->codes[TREND_5XX];
}

/* Of the hour how many, of a point how many a second. */
double
panel_codes(struct panel_page *page, const struct panel_line *line)
{
	uint64_t from = codes_of(page->from, line->which);
	uint64_t to = codes_of(page->to, line->which);

	return is_hour(page) ? more(page, from, to) : a_second(page, from, to);
}

double
panel_code_part(struct panel_page *page, const struct panel_line *line)
{
	double all =
	    more(page, codes_of(page->from, -1), codes_of(page->to, -1));
	double some = more(page, codes_of(page->from, line->which),
	    codes_of(page->to, line->which));

	return ratio(some, all);
}

double
panel_bytes_a_second(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return a_second(page, page->from->bytes, page->to->bytes);
}

/* --- how long --- */

static double
quantile(const struct history_sum *sum, int percent)
{
	int64_t us = history_quantile(sum, percent / 100.0);

	return us < 0 ? NAN : (double)us;
}

/* What happened between both moments. */
static struct history_sum
between(const struct trend_took *from, const struct trend_took *to)
{
	struct history_sum sum = { 0 };

	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		sum.buckets[i] =
		    (int64_t)trend_more(from->buckets[i], to->buckets[i]);
		sum.requests += sum.buckets[i];
	}
	return sum;
}

static double
took(const struct panel_page *page, const struct trend_took *from,
    const struct trend_took *to, int percent)
{
	struct history_sum sum = between(from, to);

	return knows(page) ? quantile(&sum, percent) : NAN;
}

static double
took_rate(const struct panel_page *page, const struct trend_took *from,
    const struct trend_took *to)
{
	return ratio((double)between(from, to).requests,
	    trend_seconds(page->from, page->to));
}

double
panel_edge_took(struct panel_page *page, const struct panel_line *line)
{
	return took(page, &page->from->edge, &page->to->edge, line->which);
}

double
panel_sql_took(struct panel_page *page, const struct panel_line *line)
{
	return took(page, &page->from->sql, &page->to->sql, line->which);
}

double
panel_redis_took(struct panel_page *page, const struct panel_line *line)
{
	return took(page, &page->from->redis, &page->to->redis, line->which);
}

double
panel_sql_rate(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return took_rate(page, &page->from->sql, &page->to->sql);
}

double
panel_redis_rate(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return took_rate(page, &page->from->redis, &page->to->redis);
}

/* --- of one route, or all --- */

double
panel_route_rate(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return ratio((double)page->sum->requests, (double)page->sum->seconds);
}

double
panel_route_part(struct panel_page *page, const struct panel_line *line)
{
	int64_t some =
	    line->which == 5 ? page->sum->failed5 : page->sum->failed4;

	return ratio((double)some, (double)page->sum->requests);
}

double
panel_route_took(struct panel_page *page, const struct panel_line *line)
{
	return quantile(page->sum, line->which);
}

/* --- workers and breakers --- */

double
panel_workers(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return (double)(page->to->busy + page->to->idle);
}

double
panel_busy_part(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return ratio(
	    (double)page->to->busy, (double)(page->to->busy + page->to->idle));
}

double
panel_starts(struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return more(page, page->from->starts, page->to->starts);
}

double
panel_crashes(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return more(page, page->from->crashes, page->to->crashes);
}

/* Of all hosts: they tell Redis. */
double
panel_instances(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	json_t *list;

	if (instance_list(page->req, &list) < 0) {
		req_forgive(page->req);
		return NAN;
	}
	return (double)json_array_size(list);
}

double
panel_breaker_open(struct panel_page *page, const struct panel_line *line)
{
	const struct req *req = page->req;
	struct breaker_view view;

	breaker_look(line->which == BREAKER_MARIADB ? db_breaker(req) :
						      cache_breaker(req),
	    &view);
	return strcmp(view.state, "closed") == 0 ? 0 : 1;
}

/* --- what the servers say --- */

/* Asked once a page; whoever is away is an object without figures. */
static const json_t *
asked(struct panel_page *page, json_t **known,
    int (*ask)(struct req *req, json_t **figures))
{
	if (*known)
		return *known;
	if (ask(page->req, known) < 0) {
		req_forgive(page->req);
		*known = json_object();
	}
	return *known;
}

static double
figure(const json_t *figures, const char *name)
{
	const json_t *value = json_object_get(figures, name);

	if (json_is_boolean(value))
		return json_is_true(value);
	return json_is_integer(value) ? (double)json_integer_value(value) : NAN;
}

static double
db_figure(struct panel_page *page, const char *name)
{
	return figure(asked(page, &page->db, vitals_db), name);
}

static double
redis_figure(struct panel_page *page, const char *name)
{
	return figure(asked(page, &page->redis, vitals_redis), name);
}

double
panel_db(struct panel_page *page, const struct panel_line *line)
{
	return db_figure(page, line->name);
}

double
panel_db_hits(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return 1 -
	    ratio(db_figure(page, "pool_reads"),
		db_figure(page, "pool_requests"));
}

double
panel_db_fill(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	return ratio(
	    db_figure(page, "pool_used_bytes"), db_figure(page, "pool_bytes"));
}

double
panel_redis(struct panel_page *page, const struct panel_line *line)
{
	return redis_figure(page, line->name);
}

double
panel_redis_hits(
    struct panel_page *page, const struct panel_line *line ATTR_UNUSED)
{
	double hits = redis_figure(page, "hits");

	return ratio(hits, hits + redis_figure(page, "misses"));
}

/* --- sales and attacks --- */

static double
revenue_since(const json_t *days, const char *from)
{
	const json_t *day;
	double sum = 0;
	size_t i;

	json_array_foreach(days, i, day) {
		const char *name = model_text(day, "day");

		if (name && strcmp(name, from) >= 0)
			sum += (double)model_int(day, "revenue");
	}
	return sum;
}

double
panel_revenue(struct panel_page *page, const struct panel_line *line)
{
	char from[SALES_DAY_SIZE];
	time_t when = (time_t)(page->now - (line->which - 1) * DAY_S);
	struct tm tm;

	if (!page->days)
		return NAN;
	gmtime_r(&when, &tm);
	strftime(from, sizeof(from), "%Y-%m-%d", &tm);
	return revenue_since(page->days, from);
}

/* A chart has a point for each minute. */
double
panel_attacks(struct panel_page *page, const struct panel_line *line)
{
	double sum = 0;

	_Static_assert(PANEL_POINTS == ATTACK_MINUTES, "a minute each");
	if (!is_hour(page))
		return (double)page->attacks[page->point][line->which];
	for (size_t i = 0; i < ATTACK_MINUTES; i++)
		sum += (double)page->attacks[i][line->which];
	return sum;
}
