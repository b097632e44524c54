/* status -- see status.h. */
#include "status.h"

#include "cache.h"
#include "db.h"
#include "history.h"
#include "instance.h"
#include "model.h"
#include "stack.h"
#include "vitals.h"

#include <time.h>

const int status_windows[STATUS_WINDOWS] = { 60, 300, 3600 };

/* --- golden signals --- */

static json_t *
quantile(const struct history_sum *sum, double part)
{
	int64_t us = history_quantile(sum, part);

	return us < 0 ? json_null() : json_integer(us);
}

static json_t *
window_of(int asked, const struct history_sum *sum)
{
	double seconds = (double)sum->seconds;
	json_t *w = json_object();

	model_set_int(w, "asked_s", asked);
	model_set_int(w, "covered_s", sum->seconds);
	model_set_int(w, "requests", sum->requests);
	model_set(w, "per_s",
	    sum->seconds > 0 ? json_real((double)sum->requests / seconds) :
			       json_null());
	model_set_int(w, "failed4", sum->failed4);
	model_set_int(w, "failed5", sum->failed5);
	model_set_int(w, "bytes", sum->bytes);
	model_set(w, "p50_us", quantile(sum, .5));
	model_set(w, "p95_us", quantile(sum, .95));
	model_set(w, "p99_us", quantile(sum, .99));
	return w;
}

static json_t *
windows_of(const struct conf *conf, const char *route)
{
	json_t *windows = json_array();

	for (size_t i = 0; i < STATUS_WINDOWS; i++) {
		struct history_sum sum;

		history_sum(conf, route, status_windows[i], &sum);
		json_array_append_new(
		    windows, window_of(status_windows[i], &sum));
	}
	return windows;
}

/* --- workers --- */

struct crew {
	int64_t all, busy, starts, crashes;
};

static void
count_crews(struct crew crews[METRIC_ROUTES])
{
	const struct metric_board *board = metric_board();

	memset(crews, 0, METRIC_ROUTES * sizeof(crews[0]));
	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		const struct metric_worker *w = &board->workers[i];
		uint64_t route = atomic_load(&w->route);

		if (!atomic_load(&w->pid) || route >= METRIC_ROUTES)
			continue;
		crews[route].all++;
		crews[route].busy += atomic_load(&w->busy) != 0;
	}
	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		crews[i].starts =
		    (int64_t)atomic_load(&board->routes[i].starts);
		crews[i].crashes =
		    (int64_t)atomic_load(&board->routes[i].crashes);
	}
}

static json_t *
crew_model(const struct crew *crew)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "workers",
	    (json_int_t)crew->all, "busy", (json_int_t)crew->busy, "starts",
	    (json_int_t)crew->starts, "crashes", (json_int_t)crew->crashes);
}

static json_t *
all_crews(const struct crew crews[METRIC_ROUTES])
{
	struct crew all = { 0 };

	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		all.all += crews[i].all;
		all.busy += crews[i].busy;
		all.starts += crews[i].starts;
		all.crashes += crews[i].crashes;
	}
	return crew_model(&all);
}

/* --- routes --- */

static int64_t
in_the_hour(const json_t *route)
{
	const json_t *windows = json_object_get(route, "windows");

	return model_int(
	    json_array_get(windows, STATUS_WINDOWS - 1), "requests");
}

static int
by_requests(const void *a, const void *b)
{
	json_t *const *x = a, *const *y = b;
	int64_t p = in_the_hour(*x), q = in_the_hour(*y);

	if (p != q)
		return p < q ? 1 : -1;
	return strcmp(model_text(*x, "route"), model_text(*y, "route"));
}

static json_t *
routes(struct req *req, const struct crew crews[METRIC_ROUTES])
{
	const struct metric_board *board = metric_board();
	json_t *list = json_array(), *found[METRIC_ROUTES];
	size_t n = 0;

	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		const char *name = board->routes[i].name;

		if (atomic_load(&board->routes[i].claimed) !=
		    METRIC_ROUTE_NAMED)
			continue;
		found[n] = crew_model(&crews[i]);
		model_set_text(found[n], "route", name);
		model_set(found[n], "windows", windows_of(req->conf, name));
		n++;
	}
	if (n)
		qsort(found, n, sizeof(found[0]), by_requests);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, found[i]);
	return list;
}

/* --- the machine --- */

static json_t *
memory(const struct conf *conf)
{
	struct stack_sum sums[STACK_PARTS];
	int64_t all = stack_look(conf, sums);
	json_t *parts = json_array();

	for (int i = 0; i < STACK_PARTS; i++) {
		if (sums[i].processes == 0)
			continue;
		json_array_append_new(parts,
		    json_pack("{s:s, s:i, s:I}", "part",
			stack_name((enum stack_part)i), "processes",
			sums[i].processes, "bytes", (json_int_t)sums[i].bytes));
	}
	return json_pack(
	    "{s:I, s:o}", "bytes", (json_int_t)all, "parts", parts);
}

static json_t *
machine(const struct conf *conf)
{
	struct stack_host host;

	stack_host(conf, &host);
	return json_pack("{s:f, s:i, s:I, s:I, s:I, s:I}", "load", host.load,
	    "cpus", host.cpus, "memory", (json_int_t)host.memory, "memory_free",
	    (json_int_t)host.memory_free, "disk", (json_int_t)host.disk,
	    "disk_free", (json_int_t)host.disk_free);
}

/* --- backends --- */

static json_t *
ask(struct req *req, int (*question)(struct req *req, json_t **answer))
{
	json_t *answer = NULL;

	if (question(req, &answer) == RC_OK)
		return answer;
	req_forgive(req);
	return json_null();
}

static json_t *
breaker(const char *backend, const struct breaker *b)
{
	struct breaker_view view;

	breaker_look(b, &view);
	return json_pack("{s:s, s:s, s:I, s:i}", "backend", backend, "state",
	    view.state, "opened", (json_int_t)view.opened, "retry_after_s",
	    view.retry_after);
}

static int64_t
gauge(enum metric_gauge which)
{
	return atomic_load(&metric_board()->gauges[which]);
}

static json_t *
known(enum metric_gauge which)
{
	if (!gauge(METRIC_GAUGED) || !gauge(metric_source(which)))
		return json_null();
	return json_integer(gauge(which));
}

static json_t *
queues(int64_t now)
{
	int64_t measured = gauge(METRIC_GAUGED);
	json_t *q = json_object();

	model_set(q, "measured_s",
	    measured ? json_integer(now > measured ? now - measured : 0) :
		       json_null());
	model_set(q, "length", known(METRIC_QUEUE_LENGTH));
	model_set(q, "lag", known(METRIC_QUEUE_LAG));
	model_set(q, "outbox", known(METRIC_OUTBOX_WAITING));
	model_set(q, "outbox_s", known(METRIC_OUTBOX_SECONDS));
	model_set(q, "dead", known(METRIC_DEAD_LETTERS));
	return q;
}

static json_t *
traces(void)
{
	const struct metric_board *board = metric_board();

	return json_pack("{s:I, s:I, s:I}", "stored",
	    (json_int_t)board->counters[METRIC_TRACES_STORED], "dropped",
	    (json_int_t)board->counters[METRIC_TRACES_DROPPED], "lost",
	    (json_int_t)board->counters[METRIC_TRACES_LOST]);
}

/* --- all of it --- */

static json_t *
noted(const struct conf *conf, int64_t now)
{
	int64_t us = history_noted(conf), ago = now - us / 1000000;

	return us ? json_integer(ago > 0 ? ago : 0) : json_null();
}

json_t *
status_figures(struct req *req)
{
	int64_t now = (int64_t)time(NULL);
	struct crew crews[METRIC_ROUTES];
	json_t *f = json_object();

	metric_bury();
	count_crews(crews);
	model_set_int(f, "time", now);
	model_set(f, "noted_s", noted(req->conf, now));
	model_set(f, "windows", windows_of(req->conf, NULL));
	model_set(f, "routes", routes(req, crews));
	model_set(f, "workers", all_crews(crews));
	model_set(f, "memory", memory(req->conf));
	model_set(f, "machine", machine(req->conf));
	model_set(f, "mariadb", ask(req, vitals_db));
	model_set(f, "redis", ask(req, vitals_redis));
	model_set(f, "instances", ask(req, instance_list));
	model_set(f, "breakers",
	    json_pack("[o, o]", breaker("MariaDB", db_breaker(req)),
		breaker("Redis", cache_breaker(req))));
	model_set(f, "queues", queues(now));
	model_set(f, "traces", traces());
	return f;
}

/* --- what is wrong --- */

static double
part(int64_t of, int64_t all)
{
	return all > 0 ? (double)of / (double)all : 0;
}

static void
worry(json_t *list, const char *text)
{
	json_array_append_new(list, json_pack("{s:s}", "text", text));
}

static void
worry_about_backends(struct req *req, const json_t *f, json_t *list)
{
	const json_t *db = json_object_get(f, "mariadb");
	const json_t *redis = json_object_get(f, "redis");
	const json_t *one;
	size_t i;

	if (json_is_null(db))
		worry(list, _("MariaDB does not answer."));
	else if (part(model_int(db, "connections"),
		     model_int(db, "connections_max")) > .8)
		worry(list, _("MariaDB has few connections left."));
	if (json_is_null(redis))
		worry(list, _("Redis does not answer."));
	else if (part(model_int(redis, "memory"),
		     model_int(redis, "memory_max")) > .8)
		worry(list, _("Redis has little memory left."));
	json_array_foreach(json_object_get(f, "breakers"), i, one) {
		if (strcmp(model_text(one, "state"), "closed") != 0)
			worry(list,
			    arena_printf(req->arena,
				_("The breaker of %s is open: it is not"
				  " asked."),
				model_text(one, "backend")));
	}
}

static void
worry_about_answers(struct req *req, const json_t *f, json_t *list)
{
	const json_t *five = json_array_get(json_object_get(f, "windows"), 1);
	int64_t requests = model_int(five, "requests");
	int64_t failed = model_int(five, "failed5");

	if (part(failed, requests) > .01)
		worry(list,
		    arena_printf(req->arena,
			_("In the last five minutes %s of the requests"
			  " failed."),
			chart_text(req, CHART_PART, part(failed, requests))));
	if (model_int(five, "p95_us") > 500000)
		worry(list,
		    arena_printf(req->arena,
			_("In the last five minutes one of 20 requests took"
			  " longer than %s."),
			chart_text(
			    req, CHART_US, (double)model_int(five, "p95_us"))));
}

static void
worry_about_jobs(struct req *req, const json_t *f, json_t *list)
{
	const json_t *ago = json_object_get(f, "noted_s");
	const json_t *queues = json_object_get(f, "queues");
	int64_t dead = model_int(queues, "dead");

	if (!req->conf->history_file)
		worry(
		    list, _("Figures are switched off (SEOGA_TELEMETRY=off)."));
	else if (json_is_null(ago))
		worry(list,
		    _("The job recorder has noted nothing yet: there are no"
		      " figures."));
	else if (json_integer_value(ago) > 3 * req->conf->history_step_s + 5)
		worry(list,
		    arena_printf(req->arena,
			_("The job recorder has noted nothing for %s: the"
			  " figures are old."),
			chart_text(req, CHART_SECONDS,
			    (double)json_integer_value(ago))));
	if (model_int(queues, "outbox_s") > 60)
		worry(list,
		    _("Events have waited in the outbox for over a"
		      " minute."));
	if (dead > 0)
		worry(list,
		    arena_printf(
			req->arena, _("Dead letters: %lld."), (long long)dead));
}

static void
worry_about_machine(struct req *req, const json_t *f, json_t *list)
{
	const json_t *m = json_object_get(f, "machine");
	double load = json_number_value(json_object_get(m, "load"));

	if (load > 2 * (double)model_int(m, "cpus"))
		worry(list,
		    arena_printf(req->arena,
			_("The machine has too much to do: its load is %.1f."),
			load));
	if (part(model_int(m, "memory_free"), model_int(m, "memory")) < .1)
		worry(list, _("The machine has little memory left."));
	if (model_int(m, "disk") &&
	    part(model_int(m, "disk_free"), model_int(m, "disk")) < .25)
		worry(list, _("The disk is three quarters full."));
}

json_t *
status_worries(struct req *req, const json_t *figures)
{
	json_t *list = json_array();

	worry_about_backends(req, figures, list);
	worry_about_answers(req, figures, list);
	worry_about_jobs(req, figures, list);
	worry_about_machine(req, figures, list);
	return list;
}
