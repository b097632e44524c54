/*
 * cache_resp -- RESP, the form of commands and replies on the wire: writes
 * the ones, builds the others in the request's memory.
 */
#include "cache_internal.h"

/* Commands. */

void
cache_add_head(struct buf *out, size_t n)
{
	buf_char(out, '*');
	buf_int(out, (int64_t)n);
	buf_add(out, "\r\n", 2);
}

void
cache_add_text(struct buf *out, const char *s)
{
	size_t len = strlen(s);

	buf_char(out, '$');
	buf_int(out, (int64_t)len);
	buf_add(out, "\r\n", 2);
	buf_add(out, s, len);
	buf_add(out, "\r\n", 2);
}

void
cache_add_int(struct buf *out, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	cache_add_text(out, text);
}

/*
 * Replies.  hiredis calls these while it reads; what they make hangs in the
 * tree of its root at once and is freed with the request.
 */

static struct cache_reply *
reply_new(const redisReadTask *task, enum cache_type type)
{
	struct cache *cache = task->privdata;
	struct cache_reply *reply = arena_alloc(cache->arena, sizeof(*reply));

	*reply = (struct cache_reply){ .type = type };
	if (task->parent) {
		struct cache_reply *parent = task->parent->obj;

		parent->list[task->idx] = reply;
	}
	return reply;
}

static void *
reply_text(const redisReadTask *task, char *s, size_t len)
{
	struct cache *cache = task->privdata;
	struct cache_reply *reply = reply_new(
	    task, task->type == REDIS_REPLY_ERROR ? CACHE_ERROR : CACHE_TEXT);

	reply->s = arena_strndup(cache->arena, s, len);
	reply->len = len;
	return reply;
}

static void *
reply_list(const redisReadTask *task, int n)
{
	struct cache *cache = task->privdata;
	struct cache_reply *reply = reply_new(task, CACHE_LIST);

	reply->len = (size_t)n;
	reply->list =
	    arena_alloc(cache->arena, reply->len * sizeof(reply->list[0]));
	memset(reply->list, 0, reply->len * sizeof(reply->list[0]));
	return reply;
}

static void *
reply_int(const redisReadTask *task, long long i)
{
	struct cache_reply *reply = reply_new(task, CACHE_INT);

	reply->i = i;
	return reply;
}

static void *
reply_nil(const redisReadTask *task)
{
	return reply_new(task, CACHE_NIL);
}

static void
reply_free(void *reply ATTR_UNUSED)
{
	/* It goes with the arena. */
}

redisReplyObjectFunctions cache_reply_functions = { reply_text, reply_list,
	reply_int, reply_nil, reply_free };

bool
cache_reply_is_error(const struct cache_reply *reply, const char *code)
{
	return reply->type == CACHE_ERROR &&
	    strncmp(reply->s, code, strlen(code)) == 0;
}
