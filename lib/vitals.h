/*
 * vitals -- how MariaDB and Redis are, in their own figures: for the
 * recorder's gauges and for pages.  One statement, one trip.
 */
#ifndef SEOGA_VITALS_H
#define SEOGA_VITALS_H

#include "req.h"

/*
 * {version, uptime_s, connections, connections_max, connections_most,
 * running, slow, questions, aborted, deadlocks, lock_waits, pool_bytes,
 * pool_used_bytes, pool_reads, pool_requests, rows_read, tmp_disk,
 * binlog (does it write one), replicas (connected to it), may_ask (has our
 * account the right SLAVE MONITOR), replica: null, or {host, io, sql (do
 * they run), lag_s (null: not known), error}}; without may_ask replica is
 * null, but replicating tells whether it is one.
 */
int vitals_db(struct req *req, json_t **db) ATTR_CHECK;

/*
 * {version, uptime_s, clients, blocked, memory, memory_max (0: none),
 * memory_most, aof, aof_ok, keys, commands, hits, misses, evicted, expired,
 * refused, per_s, role ("master" or "slave"), replicas: [{host, state, lag_s,
 * behind (bytes)}], primary: null or {host, up, lag_s, behind}}
 */
int vitals_redis(struct req *req, json_t **redis) ATTR_CHECK;

/* How many rows of each there are. */
int vitals_rows(struct req *req, int64_t *users, int64_t *books) ATTR_CHECK;

/* The tables of our database, the largest first: [{name, row_count (about),
 * bytes}]. */
int vitals_tables(struct req *req, json_t **tables) ATTR_CHECK;

#endif
