/*
 * history -- the figures of the last hour and the last 30 days: what
 * metric.h counts, noted by the recorder every conf->history_step_s seconds.
 *
 * The hour is in memory that the host shares (conf->history_file): the
 * recorder alone writes it, readers need no lock and never see half a step.
 * Hours of the 30 days are in MariaDB (table service_hours), of all hosts
 * together; each is counted once, whatever becomes of the link or of the
 * recorder on the way.
 */
#ifndef SEOGA_HISTORY_H
#define SEOGA_HISTORY_H

#include "metric.h"
#include "req.h"

#define HISTORY_STEPS 360 /* an hour */
#define HISTORY_HOURS_KEPT (35 * 24)

/* What happened in a while. */
struct history_sum {
	int64_t seconds; /* that it covers: less than asked for after a start */
	int64_t down_s;	 /* of these, in steps with more than 5 % of 5xx */
	int64_t requests, failed4, failed5, bytes;
	int64_t buckets[METRIC_BUCKETS], sum_us;
};

/* For the recorder, when a step is over: notes the board as it is. */
void history_note(const struct conf *conf);

/* For the recorder, once a minute: adds to MariaDB's hours what was noted
 * since.  While MariaDB is away it is kept, for two days. */
int history_store(struct req *req) ATTR_CHECK;

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

/* How many of the requests took longer than METRIC_SLOW_US. */
int64_t history_slow(const struct history_sum *sum);

/* When the last step ended, microseconds since 1970; 0: never. */
int64_t history_noted(const struct conf *conf);

/* What nginx answered on all hosts. */
struct history_service {
	int64_t seconds, down_s; /* of all hosts together */
	int64_t requests, failed4, failed5, slow, sum_us;
};

/* The last so many hours, the present one included. */
int history_hours(
    struct req *req, int hours, struct history_service *service) ATTR_CHECK;

/* Day by day (UTC), the oldest first; days without a figure are left out:
 * [{day: "2026-11-21", seconds, down_s, requests, failed4, failed5, slow,
 * sum_us}]. */
int history_days(struct req *req, int days, json_t **rows) ATTR_CHECK;

#endif
