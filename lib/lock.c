/* lock -- see lock.h. */
#include "lock.h"

#include "cache.h"

/* KEYS lock; ARGV token.  Another's lock stays. */
static struct cache_script release_script = { .name = "lock.release",
	.lua = "if redis.call('GET', KEYS[1]) == ARGV[1] then\n"
	       "  return redis.call('DEL', KEYS[1])\n"
	       "end\n"
	       "return 0" };

int
lock_take(struct req *req, const char *name, int ms, struct lock *lock)
{
	const char *life = arena_printf(req->arena, "%d", ms);
	struct cache_reply *reply;
	int rc;

	lock->key = arena_printf(req->arena, "lock:%s", name);
	secret_token(lock->token);
	rc = cache_command(
	    req, &reply, "SET", lock->key, lock->token, "NX", "PX", life, NULL);
	if (rc < 0)
		return rc;
	return reply->type == CACHE_NIL ? RC_CONFLICT : RC_OK;
}

void
lock_release(struct req *req, const struct lock *lock)
{
	const char *argv[] = { lock->key, lock->token };
	struct cache_reply **replies;

	cache_queue_script(req, &release_script, 1, argv, LENGTH(argv));
	/* Without Redis it ends by itself. */
	if (cache_run(req, &replies) < 0)
		req_forgive(req);
}
