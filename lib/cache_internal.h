/*
 * cache_internal -- what the parts of cache share: the link, and the queue of
 * what goes over it on the next trip.
 *
 *   cache.c         queues commands and makes the trip, a second time if that
 *                   is safe
 *   cache_script.c  scripts, which Redis may have to be told first
 *   cache_link.c    connects, sends and reads, all with a deadline
 *   cache_resp.c    the form of commands and replies on the wire
 *   cache_log.c     what the log says, without what is secret
 */
#ifndef SEOGA_CACHE_INTERNAL_H
#define SEOGA_CACHE_INTERNAL_H

#include <hiredis/hiredis.h>

#include "breaker.h"
#include "buf.h"
#include "cache.h"
#include "hosts.h"
#include "log.h"

/* One use of a script among the queued commands. */
struct script_use {
	struct cache_script *script;
	size_t index; /* of its command on the wire */
	bool load;    /* index is SCRIPT LOAD, then EVAL */
	size_t nkeys, n;
	const char **argv;
	struct script_use *next;
};

enum {
	CACHE_WHAT_MAX = 400 /* bytes of the log about one trip */
};

struct cache {
	const struct conf *conf;
	struct hosts hosts;
	struct breaker *breaker;
	redisContext *link;  /* NULL: not connected */
	struct arena *arena; /* where replies are built */
	bool had_link;	     /* what is opened now is not the first */
	bool busy;	     /* replies are due on the link */
	char why[512];	     /* what was wrong with it last */

	/* The queue. */
	struct buf out;	  /* what goes over the wire */
	struct buf what;  /* what the log says about it */
	size_t n, hidden; /* replies due; not for the caller */
	bool writes;	  /* not every command is a read */
	struct script_use *uses, **uses_end;
	bool deferred; /* cleared when the request ends */
};

/* How far a trip came. */
enum trip {
	TRIP_DONE,
	TRIP_UNSENT, /* the link was dead before the first byte */
	TRIP_LOST,   /* it died later: commands may have been run */
	TRIP_FAILED  /* no deadline is left, or no sense in it */
};

/* --- cache.c ------------------------------------------------------------ */

/* The cache, with its queue tied to this request. */
struct cache *cache_queue_begin(struct req *req);
void cache_queue_forget(struct cache *cache);

/* --- cache_script.c ----------------------------------------------------- */

/* Takes the replies to SCRIPT LOAD out of the list of n. */
void cache_script_hide_loads(
    struct cache *cache, struct cache_reply **replies, size_t n);

/* Queues again, whole, the scripts that Redis did not know; gives their
 * number.  The other puts their replies where they belong. */
size_t cache_script_queue_unknown(
    struct cache *cache, struct cache_reply *const *replies);
void cache_script_answer_unknown(const struct cache *cache,
    struct cache_reply *const *again, struct cache_reply **replies);

/* --- cache_link.c ------------------------------------------------------- */

/* Connects to the first host that can be reached and takes writes. */
int cache_link_open(struct cache *cache);
void cache_link_close(struct cache *cache);

/* Sends out and reads n replies, all before the deadline.  fresh: none of
 * it is spent, so the socket's own timeout is it. */
enum trip cache_link_trip(struct cache *cache, const struct buf *out,
    int64_t deadline, bool fresh, struct cache_reply **replies, size_t n);

/* --- cache_resp.c ------------------------------------------------------- */

/* A command is an array of n texts: the head, then each of them. */
void cache_add_head(struct buf *out, size_t n);
void cache_add_text(struct buf *out, const char *s);
void cache_add_int(struct buf *out, int64_t n);

/* How hiredis builds replies; its privdata is the struct cache. */
extern redisReplyObjectFunctions cache_reply_functions;

/* Is it an error whose text begins with that code? */
bool cache_reply_is_error(const struct cache_reply *reply, const char *code);

/* --- cache_log.c -------------------------------------------------------- */

/* Adds a command with its first key (or NULL) to what the log says of the
 * trip; name (or NULL) is that of a script. */
void cache_describe(struct cache *cache, const char *command, const char *name,
    const char *key);
void cache_log_trip(const struct cache *cache, int64_t us);
void cache_log_error(const char *text);

#endif
