/*
 * cache -- talks to Redis: commands go out in one piece, replies are built in
 * the request's memory while they are read.
 *
 * When are commands sent a second time?  Only on a link that was open before
 * and turned out dead, and only if none was sent or all of them are reads.
 * Anything else is sent only after a look at the socket showed that the link
 * was alive.
 */
#include <stdarg.h>

#include "backoff.h"
#include "cache_internal.h"

#define REDIS_PORT 6379
#define READ_RETRIES 2
#define READ_WAIT_US 10000 /* before the first of them; doubles */
#define RETRY_AFTER 5	   /* seconds, for the reader of a 503 */
#define OUT_MAX (16 << 20) /* bytes of one trip's commands */

/* Commands that change nothing, so that they may be sent twice. */
static const char *const READS[] = { "DBSIZE", "EXISTS", "GET", "GETRANGE",
	"HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "HSTRLEN",
	"HVALS", "INFO", "LINDEX", "LLEN", "LRANGE", "MGET", "PING", "PTTL",
	"ROLE", "SCARD", "SISMEMBER", "SMEMBERS", "SMISMEMBER", "STRLEN",
	"TIME", "TTL", "TYPE", "XLEN", "XRANGE", "XREVRANGE", "ZCARD", "ZCOUNT",
	"ZRANGE", "ZRANK", "ZREVRANGE", "ZSCORE" };

/* Errors that mean that this Redis cannot serve anybody now. */
static const char *const DOWN[] = { "BUSY ", "CLUSTERDOWN ", "LOADING ",
	"MASTERDOWN ", "MISCONF ", "NOAUTH ", "NOREPLICAS ", "OOM ",
	"READONLY ", "UNKILLABLE " };

/* Opening and closing. */

struct cache *
cache_open(const struct conf *conf)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	if (hosts_parse(conf->redis_hosts, REDIS_PORT, &cache->hosts) < 0) {
		log_msg(LOG_ERROR, "redis.error", "not a list of hosts: %s",
		    conf->redis_hosts);
		free(cache);
		return NULL;
	}
	cache->breaker = breaker_new(conf, BREAKER_REDIS);
	if (!cache->breaker) {
		free(cache);
		return NULL;
	}
	cache->conf = conf;
	cache->out.max = OUT_MAX;
	cache->what.max = CACHE_WHAT_MAX + 1024;
	cache->uses_end = &cache->uses;
	return cache;
}

void
cache_close(struct cache *cache)
{
	if (!cache)
		return;
	cache_link_close(cache);
	breaker_free(cache->breaker);
	buf_free(&cache->out);
	buf_free(&cache->what);
	free(cache);
}

/* The queue. */

void
cache_queue_forget(struct cache *cache)
{
	buf_reset(&cache->out);
	buf_reset(&cache->what);
	cache->n = cache->hidden = 0;
	cache->writes = false;
	cache->uses = NULL;
	cache->uses_end = &cache->uses;
}

/* The request is over.  What it left in the queue goes with it, and so does
 * a link whose replies a jump to the error page left unread. */
static void
queue_end(void *arg)
{
	struct cache *cache = arg;

	cache_queue_forget(cache);
	if (cache->busy)
		cache_link_close(cache);
	cache->arena = NULL;
	cache->deferred = false;
}

struct cache *
cache_queue_begin(struct req *req)
{
	struct cache *cache = req->cache;

	if (!cache->deferred) {
		arena_defer(req->arena, queue_end, cache);
		cache->deferred = true;
		cache->arena = req->arena;
	}
	return cache;
}

static bool
is_read(const char *command)
{
	size_t low = 0, high = LENGTH(READS), middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = strcasecmp(command, READS[middle]);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static void
queue_add_v(struct req *req, const char *command, va_list ap)
{
	struct cache *cache = cache_queue_begin(req);
	const char *arg, *key = NULL;
	va_list count;
	size_t n = 1;

	va_copy(count, ap);
	while ((arg = va_arg(count, const char *))) {
		if (n++ == 1)
			key = arg;
	}
	va_end(count);
	cache_describe(cache, command, NULL, key);
	cache_add_head(&cache->out, n);
	cache_add_text(&cache->out, command);
	while ((arg = va_arg(ap, const char *)))
		cache_add_text(&cache->out, arg);
	cache->writes |= !is_read(command);
	cache->n++;
}

void
cache_queue(struct req *req, const char *command, ...)
{
	va_list ap;

	va_start(ap, command);
	queue_add_v(req, command, ap);
	va_end(ap);
}

void
cache_queue_v(struct req *req, const char *const *argv, size_t n)
{
	struct cache *cache = cache_queue_begin(req);

	cache_describe(cache, argv[0], NULL, n > 1 ? argv[1] : NULL);
	cache_add_head(&cache->out, n);
	for (size_t i = 0; i < n; i++)
		cache_add_text(&cache->out, argv[i]);
	cache->writes |= !is_read(argv[0]);
	cache->n++;
}

/* The trip. */

static int
down(struct req *req)
{
	req->retry_after = RETRY_AFTER;
	return req_fail(req, RC_DOWN, "%s",
	    _("Sign-in and cart are not "
	      "available right now. Please try again in a moment."));
}

/*
 * One attempt, on a link that was perhaps open before (*was_open).  Both
 * attempts of a trip share one deadline; connecting has its own.
 */
static enum trip
attempt(struct cache *cache, int64_t deadline, bool first,
    struct cache_reply **replies, bool *was_open)
{
	int64_t begin = log_now();

	/* Reads can be repeated, so they find out by themselves. */
	if (cache->link &&
	    (cache->busy || (cache->writes && hosts_hung_up(cache->link->fd))))
		cache_link_close(cache);
	*was_open = cache->link != NULL;
	if (!cache->link) {
		if (cache_link_open(cache) < 0)
			return TRIP_FAILED;
		deadline += log_now() - begin;
	}
	return cache_link_trip(
	    cache, &cache->out, deadline, first, replies, cache->n);
}

static bool
is_repeatable(const struct cache *cache, enum trip trip)
{
	return trip == TRIP_UNSENT || (trip == TRIP_LOST && !cache->writes);
}

/* Past half of its time, there is none for a wait. */
static bool
may_retry(const struct cache *cache, enum trip trip, int64_t begin)
{
	return trip != TRIP_DONE && !cache->writes &&
	    log_now() - begin <= cache->conf->command_ms * INT64_C(1000) / 2;
}

/* With all the tries that it deserves; retries: not those of a probe. */
static enum trip
attempt_well(struct cache *cache, struct cache_reply **replies, int retries)
{
	int64_t begin = log_now();
	int64_t deadline = begin + cache->conf->command_ms * INT64_C(1000);
	bool was_open;
	enum trip trip = attempt(cache, deadline, true, replies, &was_open);

	if (trip != TRIP_DONE && was_open && is_repeatable(cache, trip)) {
		log_msg(LOG_WARN, "redis.lost", "%s", cache->why);
		trip = attempt(cache, deadline, false, replies, &was_open);
	}
	for (int i = 0; i < retries && may_retry(cache, trip, begin); i++) {
		log_msg(LOG_WARN, "redis.retry", "%s", cache->why);
		backoff_wait(READ_WAIT_US, i);
		trip = attempt(cache, deadline, false, replies, &was_open);
	}
	return trip;
}

static int
refused(struct req *req)
{
	struct breaker_view view;
	int rc = down(req);

	breaker_look(req->cache->breaker, &view);
	if (view.retry_after)
		req->retry_after = view.retry_after;
	log_event(LOG_INFO, "breaker.refused");
	log_str("backend", "redis");
	log_end();
	return rc;
}

/* Sends the queue, if the breaker lets it pass, and reads the replies. */
static int
exchange(struct req *req, struct cache_reply **replies)
{
	struct cache *cache = req->cache;
	struct breaker_call call;
	enum trip trip;
	int64_t us;

	if (cache->out.over || cache->what.over)
		return req_bug(req);
	if (!breaker_pass(cache->breaker, &call))
		return refused(req);
	req->redis_count++;
	trip = attempt_well(cache, replies, call.probe ? 0 : READ_RETRIES);
	breaker_done(cache->breaker, &call, trip == TRIP_DONE);
	us = log_now() - call.begin;
	req->redis_us += us;
	cache_log_trip(cache, us);
	if (trip == TRIP_DONE)
		return RC_OK;
	cache_log_error(cache->why);
	return down(req);
}

/* Runs the scripts that Redis did not know. */
static int
run_unknown(struct req *req, struct cache_reply **replies)
{
	struct cache_reply **again;
	size_t n = cache_script_queue_unknown(req->cache, replies);
	int rc;

	if (n == 0)
		return RC_OK;
	again = arena_alloc(req->arena, n * sizeof(again[0]));
	rc = exchange(req, again);
	if (rc == RC_OK)
		cache_script_answer_unknown(req->cache, again, replies);
	return rc;
}

static bool
reply_is_down(const struct cache_reply *reply)
{
	for (size_t i = 0; i < LENGTH(DOWN); i++) {
		if (cache_reply_is_error(reply, DOWN[i]))
			return true;
	}
	return false;
}

/* Logs the errors; RC_DOWN when one says that this Redis cannot serve. */
static int
check_errors(struct req *req, struct cache_reply *const *replies, size_t n)
{
	bool is_down = false;

	for (size_t i = 0; i < n; i++) {
		if (replies[i]->type != CACHE_ERROR)
			continue;
		cache_log_error(replies[i]->s);
		is_down |= reply_is_down(replies[i]);
	}
	if (!is_down)
		return RC_OK;
	/* A new link signs in again, and looks for the master. */
	cache_link_close(req->cache);
	return down(req);
}

static int
run_queue(struct req *req, struct cache_reply **replies)
{
	struct cache *cache = req->cache;
	size_t all = cache->n, shown = all - cache->hidden;
	int rc;

	rc = exchange(req, replies);
	if (rc < 0)
		return rc;
	if (cache->uses) {
		cache_script_hide_loads(cache, replies, all);
		rc = run_unknown(req, replies);
		if (rc < 0)
			return rc;
	}
	return check_errors(req, replies, shown);
}

int
cache_run(struct req *req, struct cache_reply ***replies)
{
	struct cache *cache = req->cache;
	struct cache_reply **list;
	int rc = RC_OK;

	list = arena_alloc(req->arena, cache->n * sizeof(list[0]));
	if (cache->n > 0)
		rc = run_queue(req, list);
	cache_queue_forget(cache);
	if (rc == RC_OK)
		*replies = list;
	return rc;
}

int
cache_command(
    struct req *req, struct cache_reply **reply, const char *command, ...)
{
	struct cache *cache = req->cache;
	struct cache_reply **replies, *last;
	va_list ap;
	size_t n;
	int rc;

	va_start(ap, command);
	queue_add_v(req, command, ap);
	va_end(ap);
	n = cache->n - cache->hidden;
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	last = replies[n - 1];
	if (last->type == CACHE_ERROR)
		return req_bug(req);
	*reply = last;
	return RC_OK;
}

const char *
cache_field(const struct cache_reply *list, const char *name)
{
	if (!list || list->type != CACHE_LIST)
		return NULL;
	for (size_t i = 0; i + 1 < list->len; i += 2) {
		const struct cache_reply *key = list->list[i];
		const struct cache_reply *value = list->list[i + 1];

		if (key->type == CACHE_TEXT && strcmp(key->s, name) == 0)
			return value->type == CACHE_TEXT ? value->s : NULL;
	}
	return NULL;
}

const char *
cache_info(const char *info, const char *name)
{
	size_t len = strlen(name);

	while (strncmp(info, name, len) != 0 || info[len] != ':') {
		info = strchr(info, '\n');
		if (!info)
			return NULL;
		info++;
	}
	return info + len + 1;
}

int
cache_ping(struct req *req)
{
	struct cache_reply *reply;

	return cache_command(req, &reply, "PING", NULL);
}

const struct breaker *
cache_breaker(const struct req *req)
{
	return req->cache->breaker;
}
