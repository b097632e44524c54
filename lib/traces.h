/*
 * traces -- the traces of the last hour, in Redis: written by the recorder in
 * blocks, read by pages and the exporter.
 *
 *	trace-block:N	the lines of some requests, as they were logged
 *	trace-list:N	one summary each
 *	trace-ids:N	their ids
 *	trace-blocks	the numbers of the blocks that are kept
 *
 * They are kept for conf->trace_keep_s, and no more of them than
 * conf->trace_max traces and conf->trace_bytes bytes: the oldest go first.
 */
#ifndef SEOGA_TRACES_H
#define SEOGA_TRACES_H

#include "req.h"

/*
 * For the recorder: whole lines of any traces, as ring_take() gives them.
 * After a failure they may be given again: what is there twice is shown once.
 */
int traces_add(struct req *req, const char *lines, size_t len) ATTR_CHECK;

/* Deletes the oldest, until no more than so many bytes are left; also when
 * Redis is full. */
int traces_shrink(struct req *req, int64_t bytes) ATTR_CHECK;

/* The lines of one trace as JSON objects, by time; of hundreds the latest.
 * id: 32 digits, or the first 8 or more.  RC_NOT_FOUND when there is none
 * (any more), or when several begin so. */
int traces_find(struct req *req, const char *id, json_t **lines) ATTR_CHECK;

struct traces_filter {
	/* TRACES_ERRORS: the latest with a status of 400 or more. */
	enum { TRACES_LATEST, TRACES_SLOWEST, TRACES_ERRORS } order;
	const char *route;	    /* a program's name; NULL: all */
	int status_from, status_to; /* 0, 0: all */
	int64_t least_us;
	int64_t user;	    /* only of this member; 0: all */
	const char *before; /* cursor of the page before; NULL: the first */
	size_t max;	    /* a page, at most 200 */
};

/*
 * Summaries: {id, time (us since 1970, when it ended), us, status, method,
 * route ("": none), path, user (0: a guest), failed (5xx), db, redis, bytes}.
 * *cursor is NULL at the end (and for TRACES_SLOWEST, which has one page).
 */
int traces_list(struct req *req, const struct traces_filter *filter,
    json_t **list, const char **cursor) ATTR_CHECK;

/* How many traces and bytes are kept, and since when (us). */
struct traces_kept {
	int64_t traces, bytes, oldest;
};
int traces_kept(struct req *req, struct traces_kept *kept) ATTR_CHECK;

#endif
