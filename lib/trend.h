/*
 * trend -- how all that metric.h counts has come along in the last hour: for
 * charts of figures that are not of one route (those are in history.h).
 *
 * The recorder notes the whole board every conf->history_step_s seconds in
 * memory that the host shares (conf->trend_file); pages read it.
 */
#ifndef SEOGA_TREND_H
#define SEOGA_TREND_H

#include "metric.h"

#define TREND_STEPS 361 /* an hour of steps of 10 seconds, and both ends */

/* Statuses of nginx that stand for themselves; the rest by hundreds. */
enum trend_code {
	TREND_2XX,
	TREND_3XX,
	TREND_4XX, /* all of them */
	TREND_5XX,
	TREND_400,
	TREND_401,
	TREND_403,
	TREND_404,
	TREND_429,
	TREND_CODES
};

struct trend_took {
	uint64_t buckets[METRIC_BUCKETS], sum_us;
};

/* The board at one moment. */
struct trend {
	int64_t us; /* since 1970; 0: not known */
	uint64_t counters[METRIC_COUNTERS];
	int64_t gauges[METRIC_GAUGES];
	struct trend_took sql, redis, edge;
	uint64_t caches[METRIC_CACHES][METRIC_OUTCOMES];
	uint64_t codes[TREND_CODES], bytes;   /* of nginx */
	uint64_t busy, idle, starts, crashes; /* workers */
};

/* For the recorder, when a step is over: notes the board as it is. */
void trend_note(const struct conf *conf);

/* The board now. */
void trend_now(struct trend *now);

/*
 * n + 1 moments that share the last so many seconds before `end` (us) evenly,
 * the oldest first; the last is the newest that was noted.
 */
void trend_read(const struct conf *conf, int64_t end, int seconds, size_t n,
    struct trend *moments);

/* What b has more than a; a counter that began anew has all it has. */
uint64_t trend_more(uint64_t a, uint64_t b);
/* The seconds between two moments; 0 when one is not known. */
double trend_seconds(const struct trend *a, const struct trend *b);

#endif
