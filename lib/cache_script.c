/*
 * cache_script -- scripts: sent by their digest, and once more whole when
 * Redis does not know it.
 */
#include "cache_internal.h"

static const char **
copy_argv(struct arena *arena, const char *const *argv, size_t n)
{
	const char **copy = arena_alloc(arena, n * sizeof(copy[0]));

	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, argv[i]);
	return copy;
}

static void
add_eval(struct buf *out, const char *command, const char *script,
    const struct script_use *use)
{
	cache_add_head(out, 3 + use->n);
	cache_add_text(out, command);
	cache_add_text(out, script);
	cache_add_int(out, (int64_t)use->nkeys);
	for (size_t i = 0; i < use->n; i++)
		cache_add_text(out, use->argv[i]);
}

/*
 * The digest by which Redis knows a script comes from Redis, too: the first
 * use sends SCRIPT LOAD along, whose reply the caller does not see.
 */
static void
add_load(struct cache *cache, const char *lua)
{
	cache_add_head(&cache->out, 3);
	cache_add_text(&cache->out, "SCRIPT");
	cache_add_text(&cache->out, "LOAD");
	cache_add_text(&cache->out, lua);
	cache->n++;
	cache->hidden++;
}

void
cache_queue_script(struct req *req, struct cache_script *script, size_t nkeys,
    const char *const *argv, size_t n)
{
	struct cache *cache = cache_queue_begin(req);
	struct script_use *use = arena_alloc(req->arena, sizeof(*use));

	*use = (struct script_use){ .script = script,
		.index = cache->n,
		.load = !script->sha[0],
		.nkeys = nkeys,
		.n = n };
	use->argv = copy_argv(req->arena, argv, n);
	*cache->uses_end = use;
	cache->uses_end = &use->next;
	cache_describe(cache, "EVALSHA", script->name, nkeys ? argv[0] : NULL);
	if (use->load) {
		add_load(cache, script->lua);
		add_eval(&cache->out, "EVAL", script->lua, use);
	} else {
		add_eval(&cache->out, "EVALSHA", script->sha, use);
	}
	cache->writes = true;
	cache->n++;
}

/* Replies. */

static void
learn_sha(struct cache_script *script, const struct cache_reply *reply)
{
	if (reply->type == CACHE_TEXT && reply->len + 1 == sizeof(script->sha))
		memcpy(script->sha, reply->s, sizeof(script->sha));
}

void
cache_script_hide_loads(
    struct cache *cache, struct cache_reply **replies, size_t n)
{
	struct script_use *use = cache->uses;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (use && use->index == i) {
			use->index = kept;
			if (use->load)
				learn_sha(use->script, replies[i++]);
			use = use->next;
		}
		replies[kept++] = replies[i];
	}
}

static bool
is_unknown(const struct cache_reply *reply)
{
	return cache_reply_is_error(reply, "NOSCRIPT ");
}

size_t
cache_script_queue_unknown(
    struct cache *cache, struct cache_reply *const *replies)
{
	struct script_use *use, *uses = cache->uses;

	cache_queue_forget(cache);
	for (use = uses; use; use = use->next) {
		if (!is_unknown(replies[use->index]))
			continue;
		cache_describe(cache, "EVAL", use->script->name,
		    use->nkeys ? use->argv[0] : NULL);
		add_eval(&cache->out, "EVAL", use->script->lua, use);
		cache->writes = true;
		cache->n++;
	}
	cache->uses = uses;
	return cache->n;
}

void
cache_script_answer_unknown(const struct cache *cache,
    struct cache_reply *const *again, struct cache_reply **replies)
{
	for (struct script_use *use = cache->uses; use; use = use->next) {
		if (is_unknown(replies[use->index]))
			replies[use->index] = *again++;
	}
}
