/* aside -- see aside.h. */
#include "aside.h"

#include "log.h"
#include "secret.h"

#include <time.h>

#define LOCK_MS "5000" /* longer than reading MariaDB ever takes */
#define EARLY 10       /* the last tenth of a life is for filling anew */

/* KEYS lock, entry; ARGV token, its life, the entry as it was read.  Gives 1
 * with the lock, 0 without, or what somebody has put there meanwhile: who
 * comes when that one is done shall not do it once more. */
static struct cache_script lock_script = { .name = "aside.lock",
	.lua = "local now = redis.call('GET', KEYS[2]) or ''\n"
	       "if now ~= ARGV[3] then return now end\n"
	       "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])\n"
	       " then return 1 end\n"
	       "return 0" };

/* KEYS lock, entry; ARGV token, text, life. */
static struct cache_script store_script = { .name = "aside.store",
	.lua = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
	       "redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])\n"
	       "redis.call('DEL', KEYS[1])\n"
	       "return 1" };

void
aside_queue(struct req *req, const char *key)
{
	cache_queue(req, "GET", key, NULL);
}

static const char *
lock_key(struct req *req, const char *key)
{
	return arena_printf(req->arena, "%s:lock", key);
}

static void
log_outcome(const char *event, const char *key)
{
	log_event(LOG_INFO, event);
	log_str("key", key);
	log_end();
}

/* An entry is "<time of reading> <text>". */
static const char *
text_of(const struct cache_reply *cached, int64_t *age)
{
	char *end;
	int64_t then;

	if (!cached || cached->type != CACHE_TEXT)
		return NULL;
	then = strtoll(cached->s, &end, 10);
	*age = (int64_t)time(NULL) - then;
	return then > 0 && *end == ' ' ? end + 1 : NULL;
}

static int
life_of(const struct req *req, const struct aside *entry)
{
	if (!req->conf->cache_s)
		return 0;
	return entry->life_s ? entry->life_s : req->conf->cache_s;
}

/* Sets the token for the one who is to fill the entry; gives the entry as it
 * is now, which another may have filled since. */
static const struct cache_reply *
take_lock(
    struct req *req, struct aside *entry, const struct cache_reply *cached)
{
	char *token = arena_alloc(req->arena, SECRET_TOKEN_SIZE);
	const char *argv[] = { lock_key(req, entry->key), entry->key, token,
		LOCK_MS, cached->type == CACHE_TEXT ? cached->s : "" };
	struct cache_reply **replies;

	secret_token(token);
	cache_queue_script(req, &lock_script, 2, argv, LENGTH(argv));
	if (cache_run(req, &replies) < 0) {
		req_forgive(req);
		return cached;
	}
	if (replies[0]->type == CACHE_INT && replies[0]->i == 1)
		entry->token = token;
	return replies[0]->type == CACHE_TEXT ? replies[0] : cached;
}

const char *
aside_take(
    struct req *req, struct aside *entry, const struct cache_reply *cached)
{
	int life = life_of(req, entry);
	int64_t age = 0;
	const char *text = text_of(cached, &age);

	entry->old = entry->token = NULL;
	entry->begin = log_now();
	if (!life || !cached)
		return NULL;
	if (text && age <= life - life / EARLY) {
		log_outcome("cache.hit", entry->key);
		return text;
	}
	text = text_of(take_lock(req, entry, cached), &age);
	if (entry->token || !text) {
		log_outcome(text ? "cache.early" : "cache.miss", entry->key);
		entry->old = text;
		return NULL;
	}
	log_outcome("cache.hit", entry->key);
	return text;
}

void
aside_store(struct req *req, const struct aside *entry, const char *text)
{
	int64_t spent_ms = (log_now() - entry->begin) / 1000 + 1;
	int64_t life_ms = life_of(req, entry) * INT64_C(1000) - spent_ms;
	struct cache_reply **replies;
	const char *argv[5];

	if (!entry->token || life_ms <= 0)
		return;
	argv[0] = lock_key(req, entry->key);
	argv[1] = entry->key;
	argv[2] = entry->token;
	argv[3] = arena_printf(req->arena, "%lld %s",
	    (long long)(time(NULL) - spent_ms / 1000), text);
	argv[4] = arena_printf(req->arena, "%lld", (long long)life_ms);
	cache_queue_script(req, &store_script, 2, argv, LENGTH(argv));
	if (cache_run(req, &replies) < 0)
		req_forgive(req);
}

void
aside_forget(struct req *req, const char *const *keys, size_t n)
{
	const char **argv =
	    arena_alloc(req->arena, (1 + 2 * n) * sizeof(argv[0]));
	struct cache_reply **replies;

	argv[0] = "DEL";
	for (size_t i = 0; i < n; i++) {
		argv[1 + 2 * i] = keys[i];
		argv[2 + 2 * i] = lock_key(req, keys[i]);
	}
	cache_queue_v(req, argv, 1 + 2 * n);
	if (cache_run(req, &replies) < 0)
		req_forgive(req);
}
