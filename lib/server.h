/*
 * server -- what MariaDB and Redis say about themselves, asked now; for
 * whoever looks after them.
 */
#ifndef SEOGA_SERVER_H
#define SEOGA_SERVER_H

#include "req.h"

/* Figures of SHOW GLOBAL STATUS by name, as integers: {"Slow_queries": 3}. */
int server_db(struct req *req, json_t **figures) ATTR_CHECK;

/* The tables of our database, the largest first: [{name, row_count (about),
 * bytes}]. */
int server_tables(struct req *req, json_t **tables) ATTR_CHECK;

/* Figures of INFO by name: {"used_memory": 1000000, ...}; those that are no
 * whole number are left out, but "ok" is 1 and "err" 0. */
int server_redis(struct req *req, json_t **figures) ATTR_CHECK;

#endif
