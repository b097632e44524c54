/*
 * traces_internal -- what the writing and the reading of traces share: the
 * keys, and what stands in them.
 *
 *	trace-number	the number of the last block
 *	trace-blocks	hash, number -> struct traces_block: those that are kept
 *	trace-block:N	list of texts: lines
 *	trace-ids:N	list of texts: "ID\n" of each trace with lines there
 *	trace-list:N	list of texts: a line for each summary
 *
 * A summary: "TIME US STATUS METHOD ROUTE USER DB REDIS BYTES ID PATH\n".
 */
#ifndef SEOGA_TRACES_INTERNAL_H
#define SEOGA_TRACES_INTERNAL_H

#include "traces.h"

#define TRACES_BLOCKS "trace-blocks"
#define TRACES_NUMBER "trace-number"
#define TRACES_LINES "trace-block"
#define TRACES_IDS "trace-ids"
#define TRACES_LIST "trace-list"

#define TRACES_DIGITS 32	      /* of an id */
#define TRACES_ID (TRACES_DIGITS + 1) /* in trace-ids, with its line end */

/* "TRACES BYTES OLDEST NEWEST ADDED": the times of its summaries, in
 * microseconds since 1970 (0, 0: none), and when something was last added,
 * in milliseconds. */
struct traces_block {
	int64_t number;
	int64_t traces, bytes, oldest, newest, added;
};

const char *traces_key(struct req *req, const char *name, int64_t number);

/* The blocks that are kept, the newest first. */
int traces_blocks(
    struct req *req, struct traces_block **blocks, size_t *n) ATTR_CHECK;

/* The texts that those blocks have under that name: one list each. */
int traces_read(struct req *req, const char *name, const int64_t *numbers,
    size_t n, struct cache_reply ***replies) ATTR_CHECK;

#endif
