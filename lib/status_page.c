/* status_page -- the figures of the site as texts and charts. */
#include "status.h"

#include "history.h"
#include "model.h"
#include "page.h"
#include "view.h"

#include <math.h>

#define HOUR_S 3600
#define POINTS 30 /* of a chart: two minutes each */
#define SPARK_POINTS 20
#define ROWS_MAX 40 /* routes with charts; each is some kilobytes */

/* --- numbers ------------------------------------------------------------ */

static double
number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *
status_text(struct req *req, enum chart_unit unit, const json_t *object,
    const char *name)
{
	return chart_text(req, unit, number(object, name));
}

static void
set_texts(struct req *req, json_t *object, enum chart_unit unit,
    const char *const *names)
{
	for (; *names; names++)
		model_set_text(object,
		    arena_printf(req->arena, "%s_text", *names),
		    status_text(req, unit, object, *names));
}

/* "3 of 12 (25 %)" */
static const char *
share_text(struct req *req, enum chart_unit unit, double of, double all)
{
	if (!(all > 0))
		return chart_text(req, unit, of);
	return arena_printf(req->arena, _("%s of %s (%s)"),
	    chart_text(req, unit, of), chart_text(req, unit, all),
	    chart_text(req, CHART_PART, of / all));
}

/* --- golden signals ----------------------------------------------------- */

/* The three windows in one cell: "1.2 · 1.1 · 0.9". */
static const char *
three(struct req *req, enum chart_unit unit, const json_t *windows,
    const char *name)
{
	const char *text[STATUS_WINDOWS];

	for (size_t i = 0; i < STATUS_WINDOWS; i++)
		text[i] =
		    status_text(req, unit, json_array_get(windows, i), name);
	return arena_printf(
	    req->arena, "%s · %s · %s", text[0], text[1], text[2]);
}

static void
set_golden(struct req *req, json_t *to, const json_t *windows)
{
	model_set_text(
	    to, "rate_text", three(req, CHART_NUMBER, windows, "per_s"));
	model_set_text(
	    to, "errors_text", three(req, CHART_NUMBER, windows, "failed5"));
	model_set_text(
	    to, "mistakes_text", three(req, CHART_NUMBER, windows, "failed4"));
	model_set_text(to, "p50_text", three(req, CHART_US, windows, "p50_us"));
	model_set_text(to, "p95_text", three(req, CHART_US, windows, "p95_us"));
	model_set_text(to, "p99_text", three(req, CHART_US, windows, "p99_us"));
}

/* --- charts of the hour ------------------------------------------------- */

struct points {
	size_t n;
	const char *labels[POINTS];
	double per_s[POINTS], failed[POINTS];
	double p50[POINTS], p95[POINTS], p99[POINTS];
};

static double
or_unknown(int64_t us)
{
	return us < 0 ? NAN : (double)us;
}

static void
read_points(struct req *req, const char *route, int64_t now, size_t n,
    struct points *points)
{
	struct history_sum parts[POINTS];

	history_parts(req->conf, route, HOUR_S, n, parts);
	points->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct history_sum *p = &parts[i];
		bool known = p->seconds > 0;
		int64_t when =
		    now - HOUR_S + HOUR_S * ((int64_t)i + 1) / (int64_t)n;

		points->labels[i] = view_minute(req, when);
		points->per_s[i] =
		    known ? (double)p->requests / (double)p->seconds : NAN;
		points->failed[i] = known ? (double)p->failed5 : NAN;
		points->p50[i] = or_unknown(history_quantile(p, .5));
		points->p95[i] = or_unknown(history_quantile(p, .95));
		points->p99[i] = or_unknown(history_quantile(p, .99));
	}
}

static void
set_charts(struct req *req, json_t *model, const struct points *p)
{
	const struct chart_series traffic[] = { { _("Requests a second"),
	    p->per_s } };
	const struct chart_series errors[] = { { _("Errors (5xx)"),
	    p->failed } };
	const struct chart_series latency[] = { { "p50", p->p50 },
		{ "p95", p->p95 }, { "p99", p->p99 } };
	struct chart c = { .id = "traffic",
		.title = _("Requests a second"),
		.n = p->n,
		.labels = p->labels,
		.nseries = 1,
		.series = traffic };

	model_set(model, "traffic", chart_model(req, &c));
	c.id = "latency";
	c.title = _("Time of an answer");
	c.unit = CHART_US;
	c.nseries = 3;
	c.series = latency;
	model_set(model, "latency", chart_model(req, &c));
	c.id = "errors";
	c.title = _("Errors (5xx)");
	c.unit = CHART_NUMBER;
	c.kind = CHART_BARS;
	c.nseries = 1;
	c.series = errors;
	c.top = 4;
	model_set(model, "errors_chart", chart_model(req, &c));
}

/* --- routes ------------------------------------------------------------- */

/* A row's two sparklines, and what the tables below say of them. */
struct sparks {
	size_t n;
	struct points *points[ROWS_MAX];
	struct chart_series traffic[ROWS_MAX], latency[ROWS_MAX];
};

static json_t *
spark(struct req *req, const char *id, const char *title, enum chart_unit unit,
    const struct points *p, const struct chart_series *series)
{
	const struct chart c = { .id = id,
		.title = title,
		.unit = unit,
		.n = p->n,
		.labels = p->labels,
		.nseries = 1,
		.series = series };

	return chart_spark(req, &c);
}

static void
set_sparks(struct req *req, json_t *row, int64_t now, struct sparks *sparks)
{
	const char *route = model_text(row, "route");
	struct points *p = arena_alloc(req->arena, sizeof(*p));
	size_t i = sparks->n++;

	read_points(req, route, now, SPARK_POINTS, p);
	sparks->points[i] = p;
	sparks->traffic[i] = (struct chart_series){ route, p->per_s };
	sparks->latency[i] = (struct chart_series){ route, p->p95 };
	model_set(row, "traffic",
	    spark(req, arena_printf(req->arena, "t%zu", i),
		arena_printf(req->arena, _("%s: requests a second"), route),
		CHART_NUMBER, p, &sparks->traffic[i]));
	model_set(row, "latency",
	    spark(req, arena_printf(req->arena, "l%zu", i),
		arena_printf(req->arena, _("%s: p95"), route), CHART_US, p,
		&sparks->latency[i]));
}

static json_t *
spark_table(struct req *req, const struct sparks *s, const char *title,
    enum chart_unit unit, const struct chart_series *series)
{
	const struct chart c = { .id = "sparks",
		.title = title,
		.unit = unit,
		.n = s->points[0]->n,
		.labels = s->points[0]->labels,
		.nseries = s->n,
		.series = series,
		.across = true };

	return chart_table(req, &c);
}

static const char *
joined(struct req *req, const char *list, const char *name)
{
	return *list ? arena_printf(req->arena, "%s, %s", list, name) : name;
}

static bool
is_idle(const json_t *row)
{
	return model_int(json_array_get(json_object_get(row, "windows"),
			     STATUS_WINDOWS - 1),
		   "requests") == 0;
}

/* Those with requests in the hour get a row each, the others are named. */
static void
set_routes(struct req *req, json_t *model, int64_t now)
{
	json_t *rows = json_array(), *tables = json_array(), *row;
	struct sparks sparks = { 0 };
	const char *idle = "";
	size_t i;

	json_array_foreach(json_object_get(model, "routes"), i, row) {
		if (is_idle(row) || sparks.n == ROWS_MAX) {
			idle = joined(req, idle, model_text(row, "route"));
			continue;
		}
		set_golden(req, row, json_object_get(row, "windows"));
		set_sparks(req, row, now, &sparks);
		json_array_append(rows, row);
	}
	if (sparks.n) {
		json_array_append_new(tables,
		    spark_table(req, &sparks, _("Requests a second, by route"),
			CHART_NUMBER, sparks.traffic));
		json_array_append_new(tables,
		    spark_table(req, &sparks, _("p95, by route"), CHART_US,
			sparks.latency));
	}
	model_set(model, "rows", rows);
	model_set_bool(model, "any_rows", json_array_size(rows) > 0);
	model_set(model, "tables", tables);
	model_set_text(model, "idle", idle);
}

/* --- the rest ----------------------------------------------------------- */

static const char *
part_text(const char *part)
{
	static const struct {
		const char *name, *text;
	} texts[] = {
		{ "programs", N_("Programs") },
		{ "jobs", N_("Jobs") },
		{ "nginx", "nginx" },
		{ "supervisor", "supervisord" },
		{ "mariadb", "MariaDB" },
		{ "redis", "Redis" },
	};

	for (size_t i = 0; i < LENGTH(texts); i++) {
		if (strcmp(part, texts[i].name) == 0)
			return _(texts[i].text);
	}
	return part;
}

static void
set_memory(struct req *req, json_t *model)
{
	json_t *memory = json_object_get(model, "memory"), *one;
	json_t *m = json_object_get(model, "machine");
	size_t i;

	json_array_foreach(json_object_get(memory, "parts"), i, one) {
		model_set_text(
		    one, "part_text", part_text(model_text(one, "part")));
		model_set_text(one, "bytes_text",
		    status_text(req, CHART_BYTES, one, "bytes"));
	}
	model_set_text(memory, "bytes_text",
	    status_text(req, CHART_BYTES, memory, "bytes"));
	model_set_text(m, "load_text",
	    arena_printf(req->arena, _("%.2f on %d CPUs"), number(m, "load"),
		(int)model_int(m, "cpus")));
	model_set_text(m, "memory_text",
	    share_text(req, CHART_BYTES,
		number(m, "memory") - number(m, "memory_free"),
		number(m, "memory")));
	model_set_text(m, "disk_text",
	    share_text(req, CHART_BYTES,
		number(m, "disk") - number(m, "disk_free"), number(m, "disk")));
}

static const char *
lag_text(struct req *req, const json_t *of)
{
	const json_t *lag = json_object_get(of, "lag_s");

	if (!json_is_integer(lag))
		return _("its lag is not known");
	return arena_printf(req->arena, _("%s behind"),
	    chart_text(req, CHART_SECONDS, (double)json_integer_value(lag)));
}

/* What it is to others of its kind, in a sentence. */
static const char *
db_replication(struct req *req, const json_t *db)
{
	const json_t *replica = json_object_get(db, "replica");
	long long replicas = (long long)model_int(db, "replicas");
	bool runs = json_is_true(json_object_get(replica, "io")) &&
	    json_is_true(json_object_get(replica, "sql"));

	if (json_is_object(replica))
		return arena_printf(req->arena,
		    runs ? _("It is a replica of %s, %s.") :
			   _("It is a replica of %s, but replication has"
			     " stopped (%s)."),
		    model_text(replica, "host"), lag_text(req, replica));
	if (json_is_true(json_object_get(db, "replicating")))
		return _("It is a replica; how far behind it is may only be"
			 " asked with the right SLAVE MONITOR.");
	if (replicas > 0)
		return arena_printf(req->arena,
		    _("Replicas that are connected: %lld."), replicas);
	return json_is_true(json_object_get(db, "binlog")) ?
	    _("There is no replica, though a binary log is written.") :
	    _("There is no replica.");
}

static void
set_db(struct req *req, json_t *model)
{
	static const char *const numbers[] = { "running", "slow", "questions",
		"aborted", "deadlocks", "lock_waits", NULL };
	static const char *const seconds[] = { "uptime_s", NULL };
	json_t *db = json_object_get(model, "mariadb");
	const char *error;

	if (!json_is_object(db))
		return;
	set_texts(req, db, CHART_NUMBER, numbers);
	set_texts(req, db, CHART_SECONDS, seconds);
	model_set_text(db, "connections_text",
	    share_text(req, CHART_NUMBER, number(db, "connections"),
		number(db, "connections_max")));
	model_set_text(db, "pool_text",
	    share_text(req, CHART_BYTES, number(db, "pool_used_bytes"),
		number(db, "pool_bytes")));
	model_set_text(db, "replication_text", db_replication(req, db));
	error = model_text(json_object_get(db, "replica"), "error");
	model_set_text(db, "replication_error", error ? error : "");
}

static const char *
redis_replication(struct req *req, const json_t *redis)
{
	const json_t *primary = json_object_get(redis, "primary"), *one;
	const char *text = "";
	size_t i;

	if (json_is_object(primary))
		return arena_printf(req->arena,
		    json_is_true(json_object_get(primary, "up")) ?
			_("It is a replica of %s.") :
			_("It is a replica of %s, which it does not reach."),
		    model_text(primary, "host"));
	json_array_foreach(json_object_get(redis, "replicas"), i, one)
		text = joined(req, text,
		    arena_printf(req->arena, "%s (%s, %s)",
			model_text(one, "host"), model_text(one, "state"),
			arena_printf(req->arena, _("%s behind"),
			    status_text(req, CHART_BYTES, one, "behind"))));
	return *text ? arena_printf(req->arena, _("Its replicas: %s."), text) :
		       _("There is no replica.");
}

static void
set_redis(struct req *req, json_t *model)
{
	static const char *const numbers[] = { "clients", "keys", "per_s",
		"evicted", "refused", NULL };
	static const char *const seconds[] = { "uptime_s", NULL };
	json_t *redis = json_object_get(model, "redis");
	bool aof;

	if (!json_is_object(redis))
		return;
	aof = json_is_true(json_object_get(redis, "aof"));
	set_texts(req, redis, CHART_NUMBER, numbers);
	set_texts(req, redis, CHART_SECONDS, seconds);
	model_set_text(redis, "memory_text",
	    share_text(req, CHART_BYTES, number(redis, "memory"),
		number(redis, "memory_max")));
	model_set_text(redis, "aof_text",
	    !aof ? _("off: what is only in memory is lost when it ends") :
		json_is_true(json_object_get(redis, "aof_ok")) ?
		   _("on") :
		   _("on, but the last write failed"));
	model_set_text(
	    redis, "replication_text", redis_replication(req, redis));
}

static const char *
breaker_text(struct req *req, const json_t *b)
{
	const char *state = model_text(b, "state");

	if (strcmp(state, "closed") == 0)
		return _("closed");
	if (strcmp(state, "open") == 0)
		return arena_printf(req->arena, _("open, the next try in %s"),
		    status_text(req, CHART_SECONDS, b, "retry_after_s"));
	return _("half open: a try is under way");
}

static void
set_others(struct req *req, json_t *model)
{
	static const char *const counts[] = { "length", "lag", "outbox", "dead",
		NULL };
	static const char *const kept[] = { "stored", "dropped", "lost", NULL };
	json_t *one, *queues = json_object_get(model, "queues");
	size_t i;

	json_array_foreach(json_object_get(model, "breakers"), i, one)
		model_set_text(one, "state_text", breaker_text(req, one));
	json_array_foreach(json_object_get(model, "instances"), i, one) {
		model_set_text(one, "started_text",
		    view_time(req, model_int(one, "started")));
		model_set_text(one, "seen_text",
		    arena_printf(req->arena, _("%s ago"),
			status_text(req, CHART_SECONDS, one, "seen")));
	}
	model_set_int(model, "instance_count",
	    (int64_t)json_array_size(json_object_get(model, "instances")));
	set_texts(req, queues, CHART_NUMBER, counts);
	set_texts(req, json_object_get(model, "traces"), CHART_NUMBER, kept);
	model_set_text(queues, "waiting_text",
	    model_int(queues, "outbox") ?
		arena_printf(req->arena, _("%s, the first for %s"),
		    status_text(req, CHART_NUMBER, queues, "outbox"),
		    status_text(req, CHART_SECONDS, queues, "outbox_s")) :
		status_text(req, CHART_NUMBER, queues, "outbox"));
}

/* --- the top ------------------------------------------------------------ */

static void
set_summary(struct req *req, json_t *model)
{
	const json_t *windows = json_object_get(model, "windows");
	const json_t *hour = json_array_get(windows, STATUS_WINDOWS - 1);
	const json_t *five = json_array_get(windows, 1);
	const json_t *workers = json_object_get(model, "workers");

	model_set_text(
	    model, "time_text", view_time(req, model_int(model, "time")));
	model_set_text(model, "covered_text",
	    arena_printf(req->arena, _("%s of the last hour are covered."),
		status_text(req, CHART_SECONDS, hour, "covered_s")));
	set_golden(req, model, windows);
	model_set_text(
	    model, "now_rate", status_text(req, CHART_NUMBER, five, "per_s"));
	model_set_text(model, "now_errors",
	    share_text(req, CHART_NUMBER, number(five, "failed5"),
		number(five, "requests")));
	model_set_text(
	    model, "now_p95", status_text(req, CHART_US, five, "p95_us"));
	model_set_text(model, "now_busy",
	    share_text(req, CHART_NUMBER, number(workers, "busy"),
		number(workers, "workers")));
}

json_t *
status_page(struct req *req, json_t *figures)
{
	struct points *points = arena_alloc(req->arena, sizeof(*points));
	int64_t now = model_int(figures, "time");
	json_t *worries = status_worries(req, figures);

	model_set_bool(figures, "well", json_array_size(worries) == 0);
	model_set_bool(figures, "any_worries", json_array_size(worries) > 0);
	model_set(figures, "worries", worries);
	set_summary(req, figures);
	read_points(req, NULL, now, POINTS, points);
	set_charts(req, figures, points);
	set_routes(req, figures, now);
	set_memory(req, figures);
	set_db(req, figures);
	set_redis(req, figures);
	set_others(req, figures);
	page_crumb(figures, _("Home"), "/");
	page_crumb(figures, _("Status"), NULL);
	return figures;
}
