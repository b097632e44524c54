/*
 * recorder_gauges -- what is measured every few seconds: how the backends
 * are, what waits, how much memory there is; and the hours of the history go
 * to MariaDB.
 *
 * While this works, nothing is taken out of the ring, so a backend must not
 * hold it up: it has links of its own with short deadlines, does not ask who
 * is known to be away, and asks rarely who answers slowly.  Who does not
 * answer is asked on: whether it is away for a moment or for long is what
 * alerts go by.
 */
#include "recorder.h"

#include "breaker.h"
#include "cache.h"
#include "db.h"
#include "history.h"
#include "log.h"
#include "model.h"
#include "outbox.h"
#include "queue.h"
#include "stack.h"
#include "vitals.h"

#include <time.h>

#define CONNECT_MS 250
#define COMMAND_MS 400
#define SLOW_US 300000 /* who takes longer is asked */
#define RARELY 6       /* times more rarely */
#define MEMORY_STEPS 3
#define MINUTE_STEPS 6
#define LAST_MEMORY ((size_t)1024 * 1024)

/* Of what is known of the backends to all workers. */
#define BREAKER_FAILURES 5

static struct {
	bool open;
	struct conf conf;
	struct conf looking; /* of the breakers, who keep it */
	struct db *db;
	struct cache *cache;
	struct breaker *breakers[BREAKER_BACKENDS];
	int64_t due[BREAKER_BACKENDS], step_due, memory_due, minute_due;
} gauges;

static int
at_most(int ms, int most)
{
	return ms < most ? ms : most;
}

static void
open_links(const struct conf *conf)
{
	if (gauges.open)
		return;
	gauges.conf = *conf;
	gauges.conf.connect_ms = at_most(conf->connect_ms, CONNECT_MS);
	gauges.conf.command_ms = at_most(conf->command_ms, COMMAND_MS);
	gauges.db = db_open(&gauges.conf);
	gauges.cache = cache_open(&gauges.conf);
	gauges.looking = *conf;
	gauges.looking.breaker_failures = BREAKER_FAILURES;
	for (int i = 0; i < BREAKER_BACKENDS; i++)
		gauges.breakers[i] =
		    breaker_new(&gauges.looking, (enum breaker_backend)i);
	gauges.open = true;
}

/* Workers have found out that it is away, and wait before they try again. */
static bool
is_known_away(enum breaker_backend backend)
{
	struct breaker_view view = { 0 };

	if (gauges.breakers[backend])
		breaker_look(gauges.breakers[backend], &view);
	return view.retry_after > 0;
}

/* Is it time?  Then also for the next time. */
static bool
is_due(int64_t *due, int steps)
{
	int64_t now = log_now();

	if (now < *due)
		return false;
	*due =
	    now + (int64_t)gauges.conf.history_step_s * steps * 1000000 - 50000;
	return true;
}

/* Asks a backend; is it there? */
static bool
ask(struct req *req, enum breaker_backend backend,
    int (*question)(struct req *req))
{
	int64_t begin = log_now();
	int rc = question(req);

	req_forgive(req);
	if (rc != RC_DOWN && log_now() - begin > SLOW_US)
		gauges.due[backend] = log_now() +
		    (int64_t)gauges.conf.history_step_s * RARELY * 1000000;
	return rc != RC_DOWN;
}

/* --- MariaDB --- */

static int
set_rows(struct req *req)
{
	int64_t users, books;
	int rc = vitals_rows(req, &users, &books);

	if (rc < 0)
		return rc;
	metric_set(METRIC_USERS, users);
	metric_set(METRIC_BOOKS, books);
	return RC_OK;
}

static int
ask_db(struct req *req)
{
	int64_t waiting, seconds;
	json_t *db;
	int rc = vitals_db(req, &db);

	if (rc < 0)
		return rc;
	metric_set(METRIC_DB_CONNECTIONS, model_int(db, "connections"));
	metric_set(METRIC_DB_CONNECTIONS_MAX, model_int(db, "connections_max"));
	rc = outbox_lag(req, &waiting, &seconds);
	if (rc < 0)
		return rc;
	metric_set(METRIC_OUTBOX_WAITING, waiting);
	metric_set(METRIC_OUTBOX_SECONDS, seconds);
	return RC_OK;
}

/* Tables are counted, and hours added, once a minute. */
static int
ask_db_more(struct req *req)
{
	int rc = set_rows(req);

	return rc < 0 ? rc : history_store(req);
}

/* --- Redis --- */

/* Of the group that is furthest behind. */
static int64_t
lag_of(const json_t *state)
{
	const json_t *groups = json_object_get(state, "groups"), *group;
	int64_t most = 0;
	size_t i;

	json_array_foreach(groups, i, group) {
		int64_t lag =
		    model_int(group, "lag") + model_int(group, "pending");

		if (lag > most)
			most = lag;
	}
	return most;
}

static int
ask_redis(struct req *req)
{
	json_t *redis, *state;
	int rc = vitals_redis(req, &redis);

	if (rc < 0)
		return rc;
	metric_set(METRIC_REDIS_MEMORY, model_int(redis, "memory"));
	metric_set(METRIC_REDIS_MEMORY_MAX, model_int(redis, "memory_max"));
	rc = queue_state(req, &state);
	if (rc < 0)
		return rc;
	metric_set(METRIC_QUEUE_LENGTH, model_int(state, "length"));
	metric_set(METRIC_QUEUE_LAG, lag_of(state));
	metric_set(METRIC_DEAD_LETTERS, model_int(state, "dead_length"));
	return RC_OK;
}

/* --- all of them --- */

/* Whether it is up; what it is asked is due once a step. */
static void
set_backend(struct req *req, enum breaker_backend backend, enum metric_gauge up,
    int (*question)(struct req *req))
{
	if (is_known_away(backend))
		metric_set(up, false);
	else if (log_now() >= gauges.due[backend])
		metric_set(up, ask(req, backend, question));
}

static void
set_backends(struct req *req)
{
	set_backend(req, BREAKER_MARIADB, METRIC_DB_UP, ask_db);
	if (atomic_load(&metric_board()->gauges[METRIC_DB_UP]) &&
	    log_now() >= gauges.due[BREAKER_MARIADB] &&
	    is_due(&gauges.minute_due, MINUTE_STEPS))
		(void)ask(req, BREAKER_MARIADB, ask_db_more);
	set_backend(req, BREAKER_REDIS, METRIC_REDIS_UP, ask_redis);
}

int
gauges_set(struct req *req)
{
	struct stack_sum sums[STACK_PARTS];
	struct req own = *req;

	open_links(req->conf);
	if (!gauges.db || !gauges.cache || !is_due(&gauges.step_due, 1))
		return RC_OK;
	own.conf = &gauges.conf;
	own.db = gauges.db;
	own.cache = gauges.cache;
	set_backends(&own);
	if (is_due(&gauges.memory_due, MEMORY_STEPS))
		metric_set(METRIC_MEMORY, stack_look(req->conf, sums));
	metric_set(METRIC_GAUGED, (int64_t)time(NULL));
	return RC_OK;
}

/* --- the end --- */

/* What MariaDB has not had yet would be gone with the file. */
static void
store_last(void)
{
	struct req own = { .conf = &gauges.conf,
		.db = gauges.db,
		.cache = gauges.cache,
		.arena = arena_open(LAST_MEMORY) };

	if (!own.arena)
		return;
	if (!is_known_away(BREAKER_MARIADB) && history_store(&own) < 0)
		req_forgive(&own);
	arena_close(own.arena);
}

void
gauges_close(void)
{
	if (!gauges.open)
		return;
	if (gauges.db)
		store_last();
	db_close(gauges.db);
	cache_close(gauges.cache);
	for (int i = 0; i < BREAKER_BACKENDS; i++)
		breaker_free(gauges.breakers[i]);
	gauges.open = false;
}
