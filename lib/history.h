/*
 * history -- the figures of the last hour and the last 30 days: what
 * metric.h counts, noted by the recorder every HISTORY_STEP_S seconds.
 *
 * The hour is in memory that the host shares (conf->history_file); hours of
 * the 30 days are in MariaDB (table service_hours), of all hosts together.
 */
#ifndef SEOGA_HISTORY_H
#define SEOGA_HISTORY_H

#include "metric.h"
#include "req.h"

#define HISTORY_STEP_S 10
#define HISTORY_STEPS 360 /* an hour */

/* What happened in a while. */
struct history_sum {
	int64_t seconds; /* that it covers: less than asked for after a start */
	int64_t requests, failed4, failed5, bytes;
	int64_t buckets[METRIC_BUCKETS], sum_us;
};

/* For the recorder: notes the board as it is, once a step. */
void history_note(const struct conf *conf);

/* The last so many seconds of a route (a program's name; NULL: of all that
 * nginx answered). */
void history_sum(const struct conf *conf, const char *route, int seconds,
    struct history_sum *sum);

/* The same in n parts, the oldest first: for a chart. */
void history_parts(const struct conf *conf, const char *route, int seconds,
    size_t n, struct history_sum *parts);

/* Microseconds that part (0.95) of the requests took at most, interpolated
 * within its bucket; -1 without requests. */
int64_t history_quantile(const struct history_sum *sum, double part);

#endif
