/*
 * metric -- see metric.h.
 *
 * What is counted is added with relaxed atomics: each counter is right for
 * itself, and whoever reads them sees them a moment apart.  The places of
 * routes and workers are taken once in a process's life.
 */
#include "metric.h"

#include "log.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

/* "SeogaM", then what another layout changes; the last number is for one that
 * differs in nothing else. */
#define LAYOUT \
	(sizeof(struct metric_board) / SHARED_LINE + 97 * METRIC_COUNTERS + \
	    89 * METRIC_GAUGES + 83 * METRIC_ROUTES + 4096 * 1)
#define MAGIC (UINT64_C(0x5365676f614d0000) | (LAYOUT & ~SHARED_KIND))

#define OTHER_ROUTE (METRIC_ROUTES - 1)

const int64_t metric_bounds[METRIC_BUCKETS - 1] = { 500, 1000, 2000, 5000,
	10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000,
	5000000 };

/* Where there is no file. */
static struct metric_board own;
static struct metric_board *board = &own;

/* The places of this process; NULL: it has none. */
static struct metric_route *route;
static struct metric_worker *worker;
static uint64_t worker_pid; /* a child after fork() is somebody else */

static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void
store(_Atomic uint64_t *place, uint64_t value)
{
	atomic_store_explicit(place, value, memory_order_relaxed);
}

/* --- places of routes --- */

/* While nobody else does: what one left unfinished is free. */
static struct metric_route *
claim_route(const char *name)
{
	for (size_t i = 0; i < OTHER_ROUTE; i++) {
		struct metric_route *r = &board->routes[i];

		if (atomic_load(&r->claimed) == METRIC_ROUTE_NAMED) {
			if (strcmp(r->name, name) == 0)
				return r;
			continue;
		}
		atomic_store(&r->claimed, METRIC_ROUTE_UNFINISHED);
		snprintf(r->name, sizeof(r->name), "%s", name);
		atomic_store(&r->claimed, METRIC_ROUTE_NAMED);
		return r;
	}
	return NULL;
}

static struct metric_route *
route_of(const char *name)
{
	struct metric_route *other = &board->routes[OTHER_ROUTE];
	struct metric_route *mine = NULL;

	if (strlen(name) < METRIC_NAME)
		mine = claim_route(name);
	if (mine)
		return mine;
	if (atomic_load(&other->claimed) != METRIC_ROUTE_NAMED) {
		snprintf(other->name, sizeof(other->name), "other");
		atomic_store(&other->claimed, METRIC_ROUTE_NAMED);
	}
	return other;
}

/* --- places of workers --- */

/* A place whose start is not set is being taken, or given back. */
static void
claim_worker(void)
{
	uint64_t pid = (uint64_t)getpid(), started = process_start(getpid());
	uint64_t none;

	for (size_t i = 0; started && i < METRIC_WORKERS; i++) {
		struct metric_worker *w = &board->workers[i];

		none = 0;
		if (!atomic_compare_exchange_strong(&w->pid, &none, pid))
			continue;
		atomic_store(&w->busy, 0);
		atomic_store(&w->route, (uint64_t)(route - board->routes));
		atomic_store(&w->started, started);
		worker = w;
		worker_pid = pid;
		return;
	}
}

static void
free_worker(struct metric_worker *w, uint64_t pid)
{
	atomic_store(&w->busy, 0);
	atomic_compare_exchange_strong(&w->pid, &pid, 0);
}

/* Of those who come to bury it, one alone counts it. */
static void
bury(struct metric_worker *w, uint64_t pid)
{
	uint64_t started = atomic_load(&w->started);
	uint64_t place = atomic_load(&w->route);
	uint64_t now = process_start((int64_t)pid);

	/* The number may be that of another process by now. */
	if (now && (!started || now == started))
		return;
	if (started &&
	    !atomic_compare_exchange_strong(&w->started, &started, 0))
		return;
	if (started && place < METRIC_ROUTES)
		add(&board->routes[place].crashes, 1);
	free_worker(w, pid);
}

void
metric_bury(void)
{
	/* Without /proc all of them would seem dead. */
	if (!process_start(getpid()))
		return;
	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		uint64_t pid = atomic_load(&board->workers[i].pid);

		if (pid)
			bury(&board->workers[i], pid);
	}
}

/* --- beginning and end --- */

static void
map_board(const struct conf *conf, int *lock)
{
	struct metric_board *shared;
	uint64_t none = 0;

	board = &own;
	if (conf->metric_file) {
		shared = shared_map_locked(
		    conf->metric_file, sizeof(*shared), MAGIC, lock);
		if (shared)
			board = shared;
		else
			log_msg(LOG_WARN, "metric.file", "%s: %s",
			    conf->metric_file, strerror(errno));
	}
	atomic_compare_exchange_strong(
	    &board->begun, &none, (uint64_t)time(NULL));
}

void
metric_open(const struct conf *conf, const char *prog)
{
	int lock = -1;

	map_board(conf, &lock);
	route = prog ? route_of(prog) : NULL;
	worker = NULL;
	if (lock >= 0)
		shared_unlock(lock);
	if (!route)
		return;
	add(&route->starts, 1);
	claim_worker();
}

void
metric_leave(void)
{
	if (!worker || worker_pid != (uint64_t)getpid())
		return;
	atomic_store(&worker->started, 0);
	free_worker(worker, worker_pid);
	worker = NULL;
}

/* --- counting --- */

static enum metric_method
method_of(const char *method)
{
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return METRIC_GET;
	if (strcmp(method, "POST") == 0)
		return METRIC_POST;
	if (strcmp(method, "PUT") == 0)
		return METRIC_PUT;
	if (strcmp(method, "DELETE") == 0)
		return METRIC_DELETE;
	return METRIC_OTHER_METHOD;
}

static enum metric_status
status_of(int status)
{
	if (status < 300)
		return METRIC_2XX;
	if (status < 400)
		return METRIC_3XX;
	return status < 500 ? METRIC_4XX : METRIC_5XX;
}

static void
observe(struct metric_histogram *h, int64_t us)
{
	size_t i = 0;

	while (i < METRIC_BUCKETS - 1 && us > metric_bounds[i])
		i++;
	add(&h->buckets[i], 1);
	add(&h->sum_us, us > 0 ? (uint64_t)us : 0);
}

void
metric_busy(bool busy)
{
	if (worker)
		store(&worker->busy, busy ? (uint64_t)log_now() : 0);
}

void
metric_request(const char *method, int status, int64_t us)
{
	enum metric_method m;

	if (!route)
		return;
	m = method_of(method);
	add(&route->requests[m][status_of(status)], 1);
	observe(&route->took[m], us);
}

void
metric_sql(int64_t us)
{
	observe(&board->sql, us);
}

void
metric_redis(int64_t us)
{
	observe(&board->redis, us);
}

void
metric_cache(enum metric_cache cache, enum metric_outcome outcome)
{
	add(&board->caches[cache][outcome], 1);
}

void
metric_add(enum metric_counter counter, int64_t n)
{
	if (n > 0)
		add(&board->counters[counter], (uint64_t)n);
}

void
metric_set(enum metric_gauge gauge, int64_t value)
{
	atomic_store_explicit(
	    &board->gauges[gauge], value, memory_order_relaxed);
}

void
metric_edge(int status, int64_t us, int64_t bytes)
{
	if (status < 0 || (size_t)status >= LENGTH(board->edge.statuses))
		status = 0;
	add(&board->edge.statuses[status], 1);
	observe(&board->edge.took, us);
	add(&board->edge.bytes, bytes > 0 ? (uint64_t)bytes : 0);
}

/* --- reading --- */

const struct metric_board *
metric_board(void)
{
	return board;
}

const char *
metric_cache_name(enum metric_cache cache)
{
	static const char *const names[] = {
		[METRIC_CACHE_OTHER] = "other",
		[METRIC_CACHE_BOOK] = "book",
		[METRIC_CACHE_CATEGORIES] = "categories",
		[METRIC_CACHE_POPULAR] = "popular",
	};

	return names[cache];
}

enum metric_gauge
metric_source(enum metric_gauge gauge)
{
	switch (gauge) {
	case METRIC_USERS:
	case METRIC_BOOKS:
	case METRIC_OUTBOX_WAITING:
	case METRIC_OUTBOX_SECONDS:
	case METRIC_DB_CONNECTIONS:
	case METRIC_DB_CONNECTIONS_MAX:
		return METRIC_DB_UP;
	case METRIC_QUEUE_LENGTH:
	case METRIC_QUEUE_LAG:
	case METRIC_DEAD_LETTERS:
	case METRIC_REDIS_MEMORY:
	case METRIC_REDIS_MEMORY_MAX:
		return METRIC_REDIS_UP;
	case METRIC_DB_UP:
	case METRIC_REDIS_UP:
	case METRIC_MEMORY:
	case METRIC_GAUGED:
	case METRIC_GAUGES:
	default:
		return METRIC_GAUGED;
	}
}
