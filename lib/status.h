/*
 * status -- how the site is just now, in figures: for the page /status, and
 * for `seoga figures` in a terminal.  What is away is missing, not an error.
 */
#ifndef SEOGA_STATUS_H
#define SEOGA_STATUS_H

#include "chart.h"
#include "req.h"

#define STATUS_WINDOWS 3
extern const int status_windows[STATUS_WINDOWS]; /* 60, 300, 3600 seconds */

/*
 * {time (seconds since 1970), noted_s (how long ago the recorder noted the
 * last step; null: never), windows: [{asked_s, covered_s, requests, per_s,
 * failed4, failed5, bytes, p50_us, p95_us, p99_us (null without requests)}],
 * routes: [{route, workers, busy, starts, crashes, windows}] (the busiest
 * hour first), workers: {all, busy, starts, crashes}, instances: null or as
 * instance_list(), memory: {bytes, parts: [{part, processes, bytes}]},
 * machine: {load, cpus, memory, memory_free, disk, disk_free}, mariadb: null
 * or as vitals_db(), redis: null or as vitals_redis(), breakers: [{backend,
 * state, opened, retry_after_s}], queues: {measured_s (ago; null: never),
 * length, lag, outbox, outbox_s, dead (null: who knows it is away)},
 * traces: {stored, dropped, lost}}
 */
json_t *status_figures(struct req *req);

/* One of the figures as a reader writes it; "–" for what is missing. */
const char *status_text(struct req *req, enum chart_unit unit,
    const json_t *object, const char *name);

/* What somebody should look at, in words: [{text}]. */
json_t *status_worries(struct req *req, const json_t *figures);

/* For the template status: texts, charts; takes over the figures. */
json_t *status_page(struct req *req, json_t *figures);

#endif
