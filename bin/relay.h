/*
 * relay -- where events go: a sink is one place, with functions of its own.
 */
#ifndef SEOGA_RELAY_H
#define SEOGA_RELAY_H

#include "outbox.h"

struct sink {
	const char *name; /* in the log */
	/* Is there room for more?  If not, events wait in the outbox. */
	int (*ready)(struct req *req, bool *room);
	/* Takes n events in this order.  RC_OK only when all of them are safe
	 * there; after anything else all come again. */
	int (*send)(
	    struct req *req, const struct outbox_event *events, size_t n);
};

extern const struct sink sink_redis; /* relay_redis.c */

#endif
