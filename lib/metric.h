/*
 * metric -- what all processes of a host count together, in memory that they
 * share (the file conf->metric_file): each counter is one C11 atomic, so none
 * is lost or torn, whoever dies when.
 *
 * Counting makes no system call.  Without the file, or when it is of no use,
 * a process counts for itself.  What the labels can be is bounded: methods,
 * status codes, outcomes are lists below; a route is a program's name, of
 * which METRIC_ROUTES have a place (more share the last one, "other").
 */
#ifndef SEOGA_METRIC_H
#define SEOGA_METRIC_H

#include "conf.h"
#include "shared.h"

#define METRIC_ROUTES 96
#define METRIC_WORKERS 512
#define METRIC_NAME 32 /* bytes of a program's name, with its NUL */

enum metric_method {
	METRIC_GET, /* and HEAD */
	METRIC_POST,
	METRIC_PUT,
	METRIC_DELETE,
	METRIC_OTHER_METHOD,
	METRIC_METHODS
};

enum metric_status {
	METRIC_2XX,
	METRIC_3XX,
	METRIC_4XX,
	METRIC_5XX,
	METRIC_STATUSES
};

/*
 * Upper bounds of a histogram's buckets, in microseconds: 500, 1000, 2000,
 * 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000,
 * 5000000; the last bucket has none.
 */
#define METRIC_BUCKETS 14
extern const int64_t metric_bounds[METRIC_BUCKETS - 1];

/* The objective of doc/status.md: who takes longer is slow.  It is one of the
 * bounds, so that a histogram tells how many were. */
#define METRIC_SLOW_US 200000

struct metric_histogram {
	_Atomic uint64_t buckets[METRIC_BUCKETS]; /* not cumulative */
	_Atomic uint64_t sum_us;
};

/* Plain counters (they only grow) ... */
enum metric_counter {
	METRIC_SQL_ERRORS,
	METRIC_SQL_RECONNECTS,
	METRIC_REDIS_ERRORS,
	METRIC_REDIS_RECONNECTS,
	METRIC_LOGINS,
	METRIC_LOGINS_FAILED,
	METRIC_LOGINS_LOCKED,
	METRIC_REGISTRATIONS,
	METRIC_CART_ADDS,
	METRIC_ORDERS_PLACED,
	METRIC_ORDERS_PAID,
	METRIC_ORDERS_CANCELLED,
	METRIC_REVENUE,	       /* minor units that were paid */
	METRIC_SEARCHES,       /* that found something */
	METRIC_SEARCHES_EMPTY, /* without a hit */
	METRIC_TRACES_DROPPED, /* pieces that found no room on their way */
	METRIC_TRACES_STORED,
	METRIC_TRACES_LOST, /* Redis did not take them */
	METRIC_SPANS_EXPORTED,
	METRIC_SPANS_DROPPED,  /* by the exporter */
	METRIC_ATTACK_LOGINS,  /* what attack.h takes for one: failed logins, */
	METRIC_ATTACK_BURSTS,  /* many mistakes in a minute, */
	METRIC_ATTACK_SCANS,   /* looking for holes, */
	METRIC_ATTACK_LIMITED, /* requests above a limit */
	METRIC_COUNTERS
};

/* ... and gauges, which the recorder sets every few seconds. */
enum metric_gauge {
	METRIC_USERS,
	METRIC_BOOKS,
	METRIC_QUEUE_LENGTH, /* events in the stream */
	METRIC_QUEUE_LAG,    /* not yet counted by the statistics */
	METRIC_OUTBOX_WAITING,
	METRIC_OUTBOX_SECONDS, /* since the oldest of them */
	METRIC_DEAD_LETTERS,
	METRIC_DB_CONNECTIONS,
	METRIC_DB_CONNECTIONS_MAX,
	METRIC_DB_UP, /* 0 or 1 */
	METRIC_REDIS_UP,
	METRIC_REDIS_MEMORY, /* bytes */
	METRIC_REDIS_MEMORY_MAX,
	METRIC_MEMORY, /* bytes of the whole stack: proportional set size */
	METRIC_GAUGED, /* when these were set, seconds since 1970 */
	METRIC_GAUGES
};

enum metric_cache {
	METRIC_CACHE_OTHER,
	METRIC_CACHE_BOOK,
	METRIC_CACHE_CATEGORIES,
	METRIC_CACHE_POPULAR,
	METRIC_CACHES
};
enum metric_outcome { METRIC_HIT, METRIC_EARLY, METRIC_MISS, METRIC_OUTCOMES };

enum { METRIC_ROUTE_FREE, METRIC_ROUTE_UNFINISHED, METRIC_ROUTE_NAMED };

struct metric_route {
	_Alignas(SHARED_LINE) char name[METRIC_NAME]; /* "": free */
	_Atomic uint64_t claimed; /* METRIC_ROUTE_FREE ... */
	_Atomic uint64_t requests[METRIC_METHODS][METRIC_STATUSES];
	struct metric_histogram took[METRIC_METHODS];
	_Atomic uint64_t starts;  /* of workers */
	_Atomic uint64_t crashes; /* workers that went without a word */
};

/* What nginx answered, by whomever: counted from its log by the recorder. */
struct metric_edge {
	_Alignas(SHARED_LINE) _Atomic uint64_t statuses[600]; /* by code */
	struct metric_histogram took;
	_Atomic uint64_t bytes;
};

struct metric_worker {
	_Alignas(SHARED_LINE) _Atomic uint64_t pid; /* 0: free */
	_Atomic uint64_t started; /* clock ticks after boot: pids come again */
	_Atomic uint64_t route;	  /* its place in routes */
	_Atomic uint64_t busy;	  /* since (us, monotonic); 0: idle */
};

struct metric_board {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	_Atomic uint64_t begun; /* seconds since 1970 */
	_Alignas(SHARED_LINE) _Atomic uint64_t counters[METRIC_COUNTERS];
	_Alignas(SHARED_LINE) _Atomic int64_t gauges[METRIC_GAUGES];
	_Alignas(SHARED_LINE) struct metric_histogram sql, redis;
	_Alignas(SHARED_LINE) _Atomic uint64_t
	    caches[METRIC_CACHES][METRIC_OUTCOMES];
	struct metric_edge edge;
	struct metric_route routes[METRIC_ROUTES];
	struct metric_worker workers[METRIC_WORKERS];
};

/* Once at start, before anything is counted; never fails.  prog: a worker of
 * that program, which takes a place among the workers until metric_leave();
 * NULL: nobody's, as commands are. */
void metric_open(const struct conf *conf, const char *prog);
void metric_leave(void);

/* The life of a request. */
void metric_busy(bool busy);
void metric_request(const char *method, int status, int64_t us);

void metric_sql(int64_t us);
void metric_redis(int64_t us);
void metric_cache(enum metric_cache cache, enum metric_outcome outcome);
void metric_add(enum metric_counter counter, int64_t n);
void metric_set(enum metric_gauge gauge, int64_t value);
void metric_edge(int status, int64_t us, int64_t bytes);

/* To read all of it; never NULL. */
const struct metric_board *metric_board(void);
const char *metric_cache_name(enum metric_cache cache);
/* Who knows a gauge: METRIC_DB_UP, METRIC_REDIS_UP, or METRIC_GAUGED for the
 * recorder itself.  While that gauge is 0, this one tells nothing. */
enum metric_gauge metric_source(enum metric_gauge gauge);

/* Gives back the places of workers that are no more, and counts a crash for
 * each; the recorder does so every few seconds. */
void metric_bury(void);

#endif
