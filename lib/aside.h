/*
 * aside -- cache-aside: what was read from MariaDB is kept in Redis for a
 * while (conf->cache_s), and forgotten when it changes.
 *
 *	aside_queue(req, key);              in the route's prefetch()
 *	...
 *	struct aside entry = { .key = key };
 *	text = aside_take(req, &entry, cached);
 *	if (!text) {
 *		... read MariaDB ...
 *		aside_store(req, &entry, text);
 *	}
 *
 * One reader at a time fills an entry, by a short lock in Redis.  The others
 * still show the old text: an entry is filled anew when the last tenth of its
 * life begins.  When there is no old text they wait for the new one, and read
 * MariaDB for themselves only if it does not come within 50 ms or so.  Nothing
 * older than cache_s is ever given out.  A write that comes between a reader's
 * SELECT and its store() takes the lock away, so that what is out of date is
 * not stored.
 *
 * Redis away, or cache_s 0: nothing is kept, and nothing fails.
 */
#ifndef SEOGA_ASIDE_H
#define SEOGA_ASIDE_H

#include "cache.h"
#include "metric.h"

struct aside {
	const char *key; /* "cache:..." */
	int lives;	 /* of conf->cache_s each; 0: one, as it is for most */
	enum metric_cache counts_as;
	/* Set by aside_take(): */
	const char *old;   /* a text to show if MariaDB is away, or NULL */
	const char *token; /* of the lock; NULL: others fill the entry */
	int64_t begin;
};

/* Queues the reading of an entry; its reply is `cached` below. */
void aside_queue(struct req *req, const char *key);

/* The text of the entry; NULL when MariaDB is to be read.  cached may be NULL
 * (Redis is away).  No trip to Redis if there is a text. */
const char *aside_take(struct req *req, struct aside *entry,
    const struct cache_reply *cached) ATTR_CHECK;

/* Fills the entry, if it is ours to fill.  text NULL: there is nothing to
 * fill it with, so that nobody needs to wait for it.  Each aside_take() that
 * gave NULL is to be followed by one. */
void aside_store(struct req *req, const struct aside *entry, const char *text);

/*
 * Forgets n entries, in one trip: to be called when the change is committed,
 * never before.  Also runs what else is queued.  When Redis is away they live
 * on to their end.
 */
void aside_forget(struct req *req, const char *const *keys, size_t n);

#endif
