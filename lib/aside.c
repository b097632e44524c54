/* aside -- see aside.h. */
#include "aside.h"

#include "backoff.h"
#include "log.h"
#include "secret.h"

#include <time.h>

#define LOCK_MS "5000" /* longer than reading MariaDB ever takes */
#define EARLY 10       /* the last tenth of a life is for filling anew */
#define WAITS 5	       /* for another to fill the entry: 31 to 62 ms */
#define WAIT_US 1000

/* KEYS lock, entry; ARGV token, its life, the entry as it was read.  Gives 1
 * with the lock, 0 without, or what somebody has put there meanwhile: who
 * comes when that one is done shall not do it once more. */
static struct cache_script lock_script = { .name = "aside.lock",
	.lua = "local now = redis.call('GET', KEYS[2]) or ''\n"
	       "if now ~= ARGV[3] then return now end\n"
	       "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])\n"
	       " then return 1 end\n"
	       "return 0" };

/* KEYS lock, entry; ARGV token, text ("": none), life. */
static struct cache_script store_script = { .name = "aside.store",
	.lua = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
	       "if ARGV[2] ~= '' then\n"
	       "  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])\n"
	       "end\n"
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
record(const struct aside *entry, enum metric_outcome what)
{
	static const char *const events[] = {
		[METRIC_HIT] = "cache.hit",
		[METRIC_EARLY] = "cache.early",
		[METRIC_MISS] = "cache.miss",
	};

	metric_cache(entry->counts_as, what);
	log_event(LOG_INFO, events[what]);
	log_str("key", entry->key);
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
	return req->conf->cache_s * (entry->lives ? entry->lives : 1);
}

/* Sets the token for the one who is to fill the entry; *now becomes the entry
 * as it is, which another may have filled since. */
static int
take_lock(struct req *req, struct aside *entry, const struct cache_reply **now)
{
	char *token = arena_alloc(req->arena, SECRET_TOKEN_SIZE);
	const char *argv[] = { lock_key(req, entry->key), entry->key, token,
		LOCK_MS, (*now)->type == CACHE_TEXT ? (*now)->s : "" };
	struct cache_reply **replies;
	int rc;

	secret_token(token);
	cache_queue_script(req, &lock_script, 2, argv, LENGTH(argv));
	rc = cache_run(req, &replies);
	if (rc < 0) {
		req_forgive(req);
		return rc;
	}
	if (replies[0]->type == CACHE_INT && replies[0]->i == 1)
		entry->token = token;
	if (replies[0]->type == CACHE_TEXT)
		*now = replies[0];
	return RC_OK;
}

/* The old text, or the new one of another; NULL, or with the token, when this
 * reader is to read MariaDB. */
static const char *
text_or_turn(
    struct req *req, struct aside *entry, const struct cache_reply *now)
{
	const char *text = NULL;
	int64_t age;

	for (int tries = 0; !text && !entry->token && tries <= WAITS; tries++) {
		if (tries > 0)
			backoff_wait(WAIT_US, tries - 1);
		if (take_lock(req, entry, &now) < 0)
			return text_of(now, &age);
		text = text_of(now, &age);
	}
	return text;
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
	if (!text || age > life - life / EARLY)
		text = text_or_turn(req, entry, cached);
	if (text && !entry->token) {
		record(entry, METRIC_HIT);
		return text;
	}
	record(entry, text ? METRIC_EARLY : METRIC_MISS);
	entry->old = text;
	return NULL;
}

/* With the time when it was read. */
static const char *
entry_text(struct req *req, const char *text, int64_t spent_ms)
{
	return arena_printf(req->arena, "%lld %s",
	    (long long)(time(NULL) - spent_ms / 1000), text);
}

void
aside_store(struct req *req, const struct aside *entry, const char *text)
{
	int64_t spent_ms = (log_now() - entry->begin) / 1000 + 1;
	int64_t life_ms = life_of(req, entry) * INT64_C(1000) - spent_ms;
	struct cache_reply **replies;
	const char *argv[5];

	if (!entry->token)
		return;
	argv[0] = lock_key(req, entry->key);
	argv[1] = entry->key;
	argv[2] = entry->token;
	argv[3] = text && life_ms > 0 ? entry_text(req, text, spent_ms) : "";
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
