/*
 * view_trace -- how traces look (span.h): one as a waterfall, two side by
 * side.  Times are those of the logs: UTC, milliseconds with two digits.
 */
#ifndef SEOGA_VIEW_TRACE_H
#define SEOGA_VIEW_TRACE_H

#include "req.h"

/* Microseconds as milliseconds: "12.34". */
const char *view_ms(struct req *req, int64_t us);
/* Microseconds since 1970: "2026-11-21 10:20:30.123", "10:20:30.123". */
const char *view_instant(struct req *req, int64_t us);
const char *view_clock(struct req *req, int64_t us);
/* Bytes: "512 B", "6.1 kB". */
const char *view_bytes(struct req *req, int64_t bytes);

/* "2xx" to "5xx" in one word: ok, moved, refused, failed; "" for 0. */
const char *view_status_kind(int64_t status);

/* Of one root: heading, facts, kinds (where the time went), ticks and rows. */
json_t *view_trace_root(struct req *req, json_t *root, size_t number);

/* What jobs did later, counted from the first root; null for nothing. */
json_t *view_trace_later(struct req *req, const json_t *roots);

/* The lines of a log, one row each; those of roots, by time. */
json_t *view_trace_lines(struct req *req, const json_t *roots);

/* Names of the SQL statements within: {name: {n, us}}. */
json_t *view_trace_statements(const json_t *roots);

/* Two roots: {sums, rows}, with what a has more or less than b. */
json_t *view_trace_pair(struct req *req, json_t *a, json_t *b);

#endif
