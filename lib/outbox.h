/*
 * outbox -- events, written in the same transaction as what they tell of
 * (the transactional outbox pattern); bin/relay.c delivers them afterwards,
 * in order, at least once.
 *
 * An event is a JSON object in the form of CloudEvents 1.0: id is the row's,
 * type is the topic, subject the order's number, time, traceparent, data.
 * The column payload is the data alone; who delivers it adds the rest, which
 * is in the row's other columns.
 */
#ifndef SEOGA_OUTBOX_H
#define SEOGA_OUTBOX_H

#include "req.h"

/* Adds an event of this request's trace.  data is borrowed. */
int outbox_add(struct req *req, const char *topic, const char *subject,
    const json_t *data) ATTR_CHECK;

/* --- for bin/relay.c ---------------------------------------------------- */

/* An event on its way: the row, and the whole of it as JSON. */
struct outbox_event {
	int64_t id;
	const char *topic, *subject, *trace, *time;
	const char *parent; /* the span of the request that made it */
	const char *span;   /* of this delivery; what comes is below it */
	bool sampled;	    /* the request's trace is kept, so its events' is */
	const char *json;
};

/*
 * Hands the oldest events that are not delivered, at most max (1..1000), to
 * deliver(), and marks them delivered if that gives RC_OK.  Meanwhile it is
 * our turn: no other relay delivers.  *n is 0 when nothing waits or it is
 * another's turn.  When the mark cannot be made they are delivered again.
 */
int outbox_deliver(struct req *req, size_t max,
    int (*deliver)(struct req *req, const struct outbox_event *events, size_t n,
	void *arg),
    void *arg, size_t *n) ATTR_CHECK;

/* Does anything wait?  One statement. */
int outbox_any(struct req *req, bool *any) ATTR_CHECK;

/* Forgets what was delivered more than keep_s seconds ago, at most 1000. */
int outbox_prune(struct req *req, int keep_s, int64_t *pruned) ATTR_CHECK;

/* How many wait (10,000 stands for more), and for how long the first has. */
int outbox_lag(struct req *req, int64_t *waiting, int64_t *seconds) ATTR_CHECK;

#endif
