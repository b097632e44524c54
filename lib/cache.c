/*
 * cache -- talks to Redis: commands go out in one piece, replies are built in
 * the request's memory while they are read.
 *
 * hiredis connects and parses.  Writing is done here, so that it is known
 * whether anything was sent, and so is waiting, so that a trip has one
 * deadline however many replies it reads.
 */
#include <ctype.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "buf.h"
#include "cache.h"
#include "hosts.h"
#include "log.h"
#include "secret.h"

#define REDIS_PORT 6379
#define RETRY_AFTER 5		/* seconds, for the reader of a 503 */
#define OUT_MAX (16 << 20)	/* bytes of one trip's commands */
#define WHAT_MAX 400		/* bytes about them in the log */
#define KEY_SHOWN 80		/* bytes of one key in the log */
#define ID_SHOWN 8		/* bytes of a secret id in the log */
#define ELLIPSIS "\u2026"

/* One use of a script among the queued commands. */
struct script_use {
	struct cache_script *script;
	size_t index;			/* of its command on the wire */
	bool load;			/* index is SCRIPT LOAD, then EVAL */
	size_t nkeys, n;
	const char **argv;
	struct script_use *next;
};

struct cache {
	const struct conf *conf;
	struct hosts hosts;
	redisContext *link;		/* NULL: not connected */
	struct arena *arena;		/* where replies are built */
	bool busy;			/* replies are due on the link */
	char why[512];			/* what was wrong with it last */

	/* The queue. */
	struct buf out;			/* what goes over the wire */
	struct buf what;		/* what the log says about it */
	size_t n, hidden;		/* replies due; not for the caller */
	bool writes;			/* not every command is a read */
	struct script_use *uses, **uses_end;
	bool deferred;			/* cleared when the request ends */
};

/* How far a trip came. */
enum trip {
	TRIP_DONE,
	TRIP_UNSENT,		/* the link was dead before the first byte */
	TRIP_LOST,		/* it died later: commands may have been run */
	TRIP_FAILED		/* no deadline is left, or no sense in it */
};

/* Commands that change nothing, so that they may be sent twice. */
static const char *const READS[] = { "DBSIZE", "EXISTS", "GET", "GETRANGE",
    "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "HSTRLEN",
    "HVALS", "INFO", "LINDEX", "LLEN", "LRANGE", "MGET", "PING", "PTTL",
    "ROLE", "SCARD", "SISMEMBER", "SMEMBERS", "SMISMEMBER", "STRLEN", "TIME",
    "TTL", "TYPE", "XLEN", "XRANGE", "XREVRANGE", "ZCARD", "ZCOUNT",
    "ZRANGE", "ZRANK", "ZREVRANGE", "ZSCORE" };

/* Errors that mean that this Redis cannot serve anybody now. */
static const char *const DOWN[] = { "BUSY ", "CLUSTERDOWN ", "LOADING ",
    "MASTERDOWN ", "MISCONF ", "NOAUTH ", "NOREPLICAS ", "OOM ", "READONLY ",
    "UNKILLABLE " };

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
	struct cache_reply *reply = reply_new(task,
	    task->type == REDIS_REPLY_ERROR ? CACHE_ERROR : CACHE_TEXT);

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
	reply->list = arena_alloc(cache->arena,
	    reply->len * sizeof(reply->list[0]));
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

static redisReplyObjectFunctions reply_functions = { reply_text, reply_list,
    reply_int, reply_nil, reply_free };

static bool
starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool
reply_is_down(const struct cache_reply *reply)
{
	for (size_t i = 0; i < LENGTH(DOWN); i++) {
		if (starts(reply->s, DOWN[i]))
			return true;
	}
	return false;
}

static bool
reply_is_noscript(const struct cache_reply *reply)
{
	return reply->type == CACHE_ERROR && starts(reply->s, "NOSCRIPT ");
}

/* What the log says. */

/* The length of the secret that s begins with, if any: a UUID, or a token of
 * hex digits. */
static size_t
secret_length(const char *s, size_t len)
{
	size_t n = 0;

	if (len >= SECRET_UUID_SIZE - 1 && s[ID_SHOWN] == '-' &&
	    secret_is_uuid(s, SECRET_UUID_SIZE - 1))
		return SECRET_UUID_SIZE - 1;
	while (n < len && isxdigit((unsigned char)s[n]))
		n++;
	return n >= SECRET_TOKEN_SIZE - 1 ? n : 0;
}

/* Adds text for the log, with ids that open a session, and the one-time
 * tokens of forms, cut short. */
static void
add_public(struct buf *b, const char *s, size_t len)
{
	size_t i = 0;

	if (len > 8 + ID_SHOWN && starts(s, "session:")) {
		buf_add(b, s, 8 + ID_SHOWN);
		buf_str(b, ELLIPSIS);
		return;
	}
	while (i < len) {
		size_t secret = secret_length(s + i, len - i);

		if (secret) {
			buf_add(b, s + i, ID_SHOWN);
			buf_str(b, ELLIPSIS);
			i += secret;
		} else {
			buf_char(b, s[i++]);
		}
	}
}

static void
describe(struct cache *cache, const char *command, const char *name,
    const char *key)
{
	struct buf *b = &cache->what;
	size_t len;

	if (b->len >= WHAT_MAX)
		return;
	if (b->len > 0)
		buf_str(b, ", ");
	buf_str(b, command);
	if (name) {
		buf_char(b, ' ');
		buf_str(b, name);
	}
	if (!key)
		return;
	buf_char(b, ' ');
	len = strnlen(key, KEY_SHOWN + 1);
	add_public(b, key, len > KEY_SHOWN ? KEY_SHOWN : len);
	if (len > KEY_SHOWN)
		buf_str(b, ELLIPSIS);
}

static void
log_trip(const struct cache *cache, int64_t us)
{
	log_event(LOG_INFO, "redis.cmd");
	log_strn("cmds", cache->what.data, cache->what.len);
	log_int("n", (int64_t)(cache->n - cache->hidden));
	log_int("us", us);
	log_end();
}

static void
log_error(const char *text)
{
	struct buf public = BUF_INIT(512);

	add_public(&public, text, strlen(text));
	log_event(LOG_ERROR, "redis.error");
	log_strn("msg", public.data ? public.data : "", public.len);
	log_end();
	buf_free(&public);
}

static int
down(struct req *req)
{
	req->retry_after = RETRY_AFTER;
	return req_fail(req, RC_DOWN, "%s", _("Sign-in and cart are not "
	    "available right now. Please try again in a moment."));
}

/* The link. */

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
	cache->conf = conf;
	cache->out.max = OUT_MAX;
	cache->what.max = WHAT_MAX + 1024;
	cache->uses_end = &cache->uses;
	return cache;
}

static void
link_close(struct cache *cache)
{
	if (cache->link)
		redisFree(cache->link);
	cache->link = NULL;
	cache->busy = false;
}

void
cache_close(struct cache *cache)
{
	if (!cache)
		return;
	link_close(cache);
	buf_free(&cache->out);
	buf_free(&cache->what);
	free(cache);
}

static void
blame(struct cache *cache, const char *what, const char *why)
{
	snprintf(cache->why, sizeof(cache->why), "%s: %s", what, why);
}

/* Waits for the socket; false when the deadline passed. */
static bool
wait_until(struct cache *cache, short events, int64_t deadline)
{
	struct pollfd p = { .fd = cache->link->fd, .events = events };
	int64_t left;
	int n;

	do {
		left = deadline - log_now();
		if (left <= 0)
			return false;
		n = poll(&p, 1, (int)(left / 1000) + 1);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/*
 * Sends everything.  When the socket's buffer has room, as it nearly always
 * has, this is one system call.
 */
static enum trip
link_send(struct cache *cache, const struct buf *out, int64_t deadline)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < out->len) {
		n = send(cache->link->fd, out->data + sent, out->len - sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			sent += (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (!wait_until(cache, POLLOUT, deadline)) {
				blame(cache, "sending", "deadline passed");
				return TRIP_FAILED;
			}
		} else if (errno != EINTR) {
			blame(cache, "sending", strerror(errno));
			return sent == 0 ? TRIP_UNSENT : TRIP_LOST;
		}
	}
	return TRIP_DONE;
}

/* Why redisBufferRead() failed. */
static enum trip
read_failed(struct cache *cache)
{
	redisContext *link = cache->link;

	if (link->err == REDIS_ERR_IO && (errno == EAGAIN ||
	    errno == EWOULDBLOCK)) {
		blame(cache, "reading", "deadline passed");
		return TRIP_FAILED;
	}
	blame(cache, "reading", link->errstr);
	return TRIP_LOST;
}

/*
 * Reads the next reply.  The first read of a trip needs no poll(): the
 * socket's own timeout is the whole deadline (*fresh says that it is).
 */
static enum trip
link_read(struct cache *cache, int64_t deadline, bool *fresh,
    struct cache_reply **reply)
{
	void *got = NULL;

	for (;;) {
		if (redisGetReplyFromReader(cache->link, &got) != REDIS_OK) {
			blame(cache, "reading", cache->link->errstr);
			return TRIP_FAILED;
		}
		if (got)
			break;
		if (!*fresh && !wait_until(cache, POLLIN, deadline)) {
			blame(cache, "reading", "deadline passed");
			return TRIP_FAILED;
		}
		*fresh = false;
		if (redisBufferRead(cache->link) != REDIS_OK)
			return read_failed(cache);
	}
	*reply = got;
	return TRIP_DONE;
}

/* Sends out and reads n replies, all before the deadline. */
static enum trip
link_trip(struct cache *cache, const struct buf *out, int64_t deadline,
    bool fresh, struct cache_reply **replies, size_t n)
{
	enum trip trip;

	cache->busy = true;
	trip = link_send(cache, out, deadline);
	for (size_t i = 0; trip == TRIP_DONE && i < n; i++)
		trip = link_read(cache, deadline, &fresh, &replies[i]);
	/* A link with replies that nobody read is of no use. */
	if (trip != TRIP_DONE)
		link_close(cache);
	cache->busy = false;
	return trip;
}

static struct timeval
to_timeval(int ms)
{
	return (struct timeval){ .tv_sec = ms / 1000,
	    .tv_usec = ms % 1000 * 1000 };
}

static int
link_connect(struct cache *cache, const struct host *host)
{
	struct timeval limit = to_timeval(cache->conf->connect_ms);
	redisContext *link;

	if (host->port)
		link = redisConnectWithTimeout(host->name, host->port, limit);
	else
		link = redisConnectUnixWithTimeout(host->name, limit);
	if (!link || link->err) {
		blame(cache, host->name, link ? link->errstr : "no memory");
		if (link)
			redisFree(link);
		return RC_DOWN;
	}
	/* Neither can fail on a fresh socket in a way that matters: without
	 * the timeout link_read() would only be less exact. */
	redisSetTimeout(link, to_timeval(cache->conf->command_ms));
	if (host->port)
		redisEnableKeepAlive(link);
	link->reader->fn = &reply_functions;
	link->reader->privdata = cache;
	cache->link = link;
	return RC_OK;
}

/* Adds one command as RESP: an array of bulk strings. */
static void
add_head(struct buf *out, size_t n)
{
	buf_char(out, '*');
	buf_int(out, (int64_t)n);
	buf_add(out, "\r\n", 2);
}

static void
add_text(struct buf *out, const char *s)
{
	size_t len = strlen(s);

	buf_char(out, '$');
	buf_int(out, (int64_t)len);
	buf_add(out, "\r\n", 2);
	buf_add(out, s, len);
	buf_add(out, "\r\n", 2);
}

static void
add_int(struct buf *out, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	add_text(out, text);
}

/* What is said first on a new link.  Returns the number of commands. */
static size_t
add_hello(struct buf *out, const struct conf *conf, bool ask_role)
{
	size_t n = 0;

	if (conf->redis_password && conf->redis_password[0]) {
		add_head(out, 2);
		add_text(out, "AUTH");
		add_text(out, conf->redis_password);
		n++;
	}
	if (conf->redis_db) {
		add_head(out, 2);
		add_text(out, "SELECT");
		add_int(out, conf->redis_db);
		n++;
	}
	if (ask_role) {
		add_head(out, 1);
		add_text(out, "ROLE");
		n++;
	}
	return n;
}

static bool
is_master(const struct cache_reply *role)
{
	return role->type == CACHE_LIST && role->len > 0 && role->list[0] &&
	    role->list[0]->type == CACHE_TEXT &&
	    strcmp(role->list[0]->s, "master") == 0;
}

static int
check_hello(struct cache *cache, const struct host *host, bool asked_role,
    struct cache_reply *const *replies, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (replies[i]->type == CACHE_ERROR) {
			blame(cache, host->name, replies[i]->s);
			return RC_DOWN;
		}
	}
	/* With several hosts, writes must go to the one that takes them. */
	if (asked_role && !is_master(replies[n - 1])) {
		blame(cache, host->name, "not the master");
		return RC_DOWN;
	}
	return RC_OK;
}

static int
link_hello(struct cache *cache, const struct host *host)
{
	struct cache_reply *replies[3];
	struct buf out = BUF_INIT(4096);
	int64_t deadline = log_now() + cache->conf->connect_ms * INT64_C(1000);
	bool ask_role = cache->hosts.n > 1;
	size_t n = add_hello(&out, cache->conf, ask_role);
	int rc = RC_DOWN;

	if (out.over)
		blame(cache, "AUTH", "password too long");
	else if (link_trip(cache, &out, deadline, false, replies, n) ==
	    TRIP_DONE)
		rc = check_hello(cache, host, ask_role, replies, n);
	buf_free(&out);
	if (rc < 0)
		link_close(cache);
	return rc;
}

static int
link_open(struct cache *cache)
{
	for (size_t i = 0; i < cache->hosts.n; i++) {
		const struct host *host = hosts_at(&cache->hosts, i);

		if (link_connect(cache, host) == RC_OK &&
		    link_hello(cache, host) == RC_OK) {
			hosts_worked(&cache->hosts, i);
			return RC_OK;
		}
		if (cache->hosts.n > 1)
			log_msg(LOG_WARN, "redis.lost", "%s", cache->why);
	}
	return RC_DOWN;
}

/* The queue. */

static void
queue_forget(struct cache *cache)
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

	queue_forget(cache);
	if (cache->busy)
		link_close(cache);
	cache->arena = NULL;
	cache->deferred = false;
}

static struct cache *
queue_begin(struct req *req)
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
	struct cache *cache = queue_begin(req);
	const char *arg, *key = NULL;
	va_list count;
	size_t n = 1;

	va_copy(count, ap);
	while ((arg = va_arg(count, const char *))) {
		if (n++ == 1)
			key = arg;
	}
	va_end(count);
	describe(cache, command, NULL, key);
	add_head(&cache->out, n);
	add_text(&cache->out, command);
	while ((arg = va_arg(ap, const char *)))
		add_text(&cache->out, arg);
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
	struct cache *cache = queue_begin(req);

	describe(cache, argv[0], NULL, n > 1 ? argv[1] : NULL);
	add_head(&cache->out, n);
	for (size_t i = 0; i < n; i++)
		add_text(&cache->out, argv[i]);
	cache->writes |= !is_read(argv[0]);
	cache->n++;
}

/* Scripts. */

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
	add_head(out, 3 + use->n);
	add_text(out, command);
	add_text(out, script);
	add_int(out, (int64_t)use->nkeys);
	for (size_t i = 0; i < use->n; i++)
		add_text(out, use->argv[i]);
}

/*
 * The digest by which Redis knows a script comes from Redis, too: the first
 * use sends SCRIPT LOAD along, whose reply the caller does not see.
 */
static void
add_load(struct cache *cache, const char *lua)
{
	add_head(&cache->out, 3);
	add_text(&cache->out, "SCRIPT");
	add_text(&cache->out, "LOAD");
	add_text(&cache->out, lua);
	cache->n++;
	cache->hidden++;
}

void
cache_queue_script(struct req *req, struct cache_script *script,
    size_t nkeys, const char *const *argv, size_t n)
{
	struct cache *cache = queue_begin(req);
	struct script_use *use = arena_alloc(req->arena, sizeof(*use));

	*use = (struct script_use){ .script = script, .index = cache->n,
	    .load = !script->sha[0], .nkeys = nkeys, .n = n };
	use->argv = copy_argv(req->arena, argv, n);
	*cache->uses_end = use;
	cache->uses_end = &use->next;
	describe(cache, "EVALSHA", script->name, nkeys ? argv[0] : NULL);
	if (use->load) {
		add_load(cache, script->lua);
		add_eval(&cache->out, "EVAL", script->lua, use);
	} else {
		add_eval(&cache->out, "EVALSHA", script->sha, use);
	}
	cache->writes = true;
	cache->n++;
}

static void
learn_sha(struct cache_script *script, const struct cache_reply *reply)
{
	if (reply->type == CACHE_TEXT && reply->len + 1 == sizeof(script->sha))
		memcpy(script->sha, reply->s, sizeof(script->sha));
}

/* Takes the replies to SCRIPT LOAD out of the list of n. */
static void
hide_loads(struct cache *cache, struct cache_reply **replies, size_t n)
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

/* The trip. */

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
	if (cache->link && (cache->busy ||
	    (cache->writes && hosts_hung_up(cache->link->fd))))
		link_close(cache);
	*was_open = cache->link != NULL;
	if (!cache->link) {
		if (link_open(cache) < 0)
			return TRIP_FAILED;
		deadline += log_now() - begin;
	}
	return link_trip(cache, &cache->out, deadline, first, replies,
	    cache->n);
}

static bool
is_repeatable(const struct cache *cache, enum trip trip)
{
	return trip == TRIP_UNSENT || (trip == TRIP_LOST && !cache->writes);
}

/* Sends the queue, if need be on a second link, and reads the replies. */
static int
exchange(struct req *req, struct cache_reply **replies)
{
	struct cache *cache = req->cache;
	int64_t begin = log_now();
	int64_t deadline = begin + cache->conf->command_ms * INT64_C(1000);
	enum trip trip;
	bool was_open;

	req->redis_count++;
	if (cache->out.over || cache->what.over)
		return req_bug(req);
	trip = attempt(cache, deadline, true, replies, &was_open);
	if (trip != TRIP_DONE && was_open && is_repeatable(cache, trip)) {
		log_msg(LOG_WARN, "redis.lost", "%s", cache->why);
		trip = attempt(cache, deadline, false, replies, &was_open);
	}
	log_trip(cache, log_now() - begin);
	if (trip == TRIP_DONE)
		return RC_OK;
	log_error(cache->why);
	return down(req);
}

/* Queues again, whole, the scripts that Redis did not know. */
static size_t
queue_unknown(struct cache *cache, struct cache_reply *const *replies)
{
	struct script_use *use, *uses = cache->uses;

	queue_forget(cache);
	for (use = uses; use; use = use->next) {
		if (!reply_is_noscript(replies[use->index]))
			continue;
		describe(cache, "EVAL", use->script->name,
		    use->nkeys ? use->argv[0] : NULL);
		add_eval(&cache->out, "EVAL", use->script->lua, use);
		cache->writes = true;
		cache->n++;
	}
	cache->uses = uses;
	return cache->n;
}

/* Runs those scripts and puts the replies where they belong. */
static int
run_unknown(struct req *req, struct cache_reply **replies)
{
	struct cache *cache = req->cache;
	struct cache_reply **again;
	size_t n, i = 0;
	int rc;

	n = queue_unknown(cache, replies);
	if (n == 0)
		return RC_OK;
	again = arena_alloc(req->arena, n * sizeof(again[0]));
	rc = exchange(req, again);
	if (rc < 0)
		return rc;
	for (struct script_use *use = cache->uses; use; use = use->next) {
		if (reply_is_noscript(replies[use->index]))
			replies[use->index] = again[i++];
	}
	return RC_OK;
}

/* Logs the errors; RC_DOWN when one says that this Redis cannot serve. */
static int
check_errors(struct req *req, struct cache_reply *const *replies, size_t n)
{
	bool is_down = false;

	for (size_t i = 0; i < n; i++) {
		if (replies[i]->type != CACHE_ERROR)
			continue;
		log_error(replies[i]->s);
		is_down |= reply_is_down(replies[i]);
	}
	if (!is_down)
		return RC_OK;
	/* A new link signs in again, and looks for the master. */
	link_close(req->cache);
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
		hide_loads(cache, replies, all);
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
	queue_forget(cache);
	if (rc == RC_OK)
		*replies = list;
	return rc;
}

int
cache_command(struct req *req, struct cache_reply **reply,
    const char *command, ...)
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

int
cache_ping(struct req *req)
{
	struct cache_reply *reply;

	return cache_command(req, &reply, "PING", NULL);
}
