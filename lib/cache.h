/*
 * cache -- Redis: one lazy connection a worker, pipelines, deadlines, one
 * safe reconnect.
 *
 * Commands are queued and go out together, as one round trip:
 *
 *	cache_queue(req, "HGETALL", session_key, NULL);
 *	cache_queue(req, "HLEN", cart_key, NULL);
 *	rc = cache_run(req, &replies);
 *
 * Arguments are NUL-terminated and sent as binary-safe bulk strings, so text
 * from outside is never parsed as a command.  Replies live in the request's
 * memory.  The log gets one redis.cmd a trip (the commands' names and first
 * keys without what is secret in them, us); redis_count counts trips.
 *
 * RC_DOWN: Redis is away, refuses, or a deadline passed.  A link that died
 * since its last use is opened again once if nothing was sent on it that
 * could have been run, or every queued command is a read.  Reads
 * are tried twice more, after a short wait.  While the breaker is open
 * (breaker.h), everything is RC_DOWN at once.
 */
#ifndef SEOGA_CACHE_H
#define SEOGA_CACHE_H

#include "breaker.h"
#include "req.h"

enum cache_type { CACHE_NIL, CACHE_INT, CACHE_TEXT, CACHE_LIST, CACHE_ERROR };

struct cache_reply {
	enum cache_type type;
	int64_t i;		   /* CACHE_INT */
	const char *s;		   /* CACHE_TEXT, CACHE_ERROR; NUL-ended */
	size_t len;		   /* of s; of list */
	struct cache_reply **list; /* CACHE_LIST */
};

/* Opens nothing yet: the first command connects. */
struct cache *cache_open(const struct conf *conf);
void cache_close(struct cache *cache);

/* Queues one command; the arguments (copied) end with NULL. */
void cache_queue(struct req *req, const char *command, ...)
    __attribute__((sentinel));
/* The same from an array of n texts, the first is the command. */
void cache_queue_v(struct req *req, const char *const *argv, size_t n);

/*
 * Sends what is queued and reads every reply.  *replies is an array in the
 * order of the commands.  RC_OK also when single replies are CACHE_ERROR,
 * which are logged as errors; nothing queued is RC_OK and no trip.
 */
int cache_run(struct req *req, struct cache_reply ***replies) ATTR_CHECK;

/* One command, one reply; a CACHE_ERROR reply is RC_BUG here. */
int cache_command(struct req *req, struct cache_reply **reply,
    const char *command, ...) __attribute__((sentinel)) ATTR_CHECK;

/*
 * Queues a Lua script (atomic in Redis) with its keys and arguments; sent as
 * EVALSHA, and again once as EVAL if Redis does not know it.
 */
struct cache_script {
	const char *name; /* for the log */
	const char *lua;
	char sha[41]; /* filled at first use */
};
void cache_queue_script(struct req *req, struct cache_script *script,
    size_t nkeys, const char *const *argv, size_t n);

/* The value of a field in the list that HGETALL gives, or NULL. */
const char *cache_field(const struct cache_reply *list, const char *name);

/* Where the value of name begins in what INFO says; it ends with its line.
 * NULL when nothing is said of it. */
const char *cache_info(const char *info, const char *name);

/* What stands between us and Redis. */
const struct breaker *cache_breaker(const struct req *req);

/* Is Redis there?  One round trip, with the usual deadlines. */
int cache_ping(struct req *req) ATTR_CHECK;

#endif
