/*
 * cache_link -- connects to Redis, sends commands and reads their replies,
 * all with a deadline.
 *
 * hiredis connects and parses.  Writing is done here, so that it is known
 * whether anything was sent, and so is waiting, so that a trip has one
 * deadline however many replies it reads.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "cache_internal.h"
#include "metric.h"

static void
blame(struct cache *cache, const char *what, const char *why)
{
	snprintf(cache->why, sizeof(cache->why), "%s: %s", what, why);
}

void
cache_link_close(struct cache *cache)
{
	if (cache->link)
		redisFree(cache->link);
	cache->link = NULL;
	cache->busy = false;
}

/* One trip. */

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

	if (link->err == REDIS_ERR_IO &&
	    (errno == EAGAIN || errno == EWOULDBLOCK)) {
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

enum trip
cache_link_trip(struct cache *cache, const struct buf *out, int64_t deadline,
    bool fresh, struct cache_reply **replies, size_t n)
{
	enum trip trip;

	cache->busy = true;
	trip = link_send(cache, out, deadline);
	for (size_t i = 0; trip == TRIP_DONE && i < n; i++)
		trip = link_read(cache, deadline, &fresh, &replies[i]);
	/* A link with replies that nobody read is of no use. */
	if (trip != TRIP_DONE)
		cache_link_close(cache);
	cache->busy = false;
	return trip;
}

/* Connecting. */

static struct timeval
to_timeval(int ms)
{
	return (
	    struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
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
	link->reader->fn = &cache_reply_functions;
	link->reader->privdata = cache;
	cache->link = link;
	return RC_OK;
}

/* What is said first on a new link.  Returns the number of commands. */
static size_t
add_hello(struct buf *out, const struct conf *conf, bool ask_role)
{
	size_t n = 0;

	if (conf->redis_password && conf->redis_password[0]) {
		cache_add_head(out, 2);
		cache_add_text(out, "AUTH");
		cache_add_text(out, conf->redis_password);
		n++;
	}
	if (conf->redis_db) {
		cache_add_head(out, 2);
		cache_add_text(out, "SELECT");
		cache_add_int(out, conf->redis_db);
		n++;
	}
	if (ask_role) {
		cache_add_head(out, 1);
		cache_add_text(out, "ROLE");
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
	else if (cache_link_trip(cache, &out, deadline, false, replies, n) ==
	    TRIP_DONE)
		rc = check_hello(cache, host, ask_role, replies, n);
	buf_free(&out);
	if (rc < 0)
		cache_link_close(cache);
	return rc;
}

int
cache_link_open(struct cache *cache)
{
	for (size_t i = 0; i < cache->hosts.n; i++) {
		const struct host *host = hosts_at(&cache->hosts, i);

		if (link_connect(cache, host) == RC_OK &&
		    link_hello(cache, host) == RC_OK) {
			hosts_worked(&cache->hosts, i);
			metric_add(METRIC_REDIS_RECONNECTS, cache->had_link);
			cache->had_link = true;
			return RC_OK;
		}
		if (cache->hosts.n > 1)
			log_msg(LOG_WARN, "redis.lost", "%s", cache->why);
	}
	return RC_DOWN;
}
