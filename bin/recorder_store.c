/*
 * recorder_store -- what goes to Redis, and when it does not: see recorder.h.
 *
 * While Redis is away, lines wait here as long as there is room, then in the
 * ring.  Sessions and carts are in the same Redis: when it has little memory
 * left, lines are lost instead, and those that are there make room.
 */
#include "recorder.h"

#include "buf.h"
#include "cache.h"
#include "log.h"
#include "metric.h"
#include "statement.h"
#include "traces.h"

#define WAITING_MAX ((size_t)512 * 1024)
#define KEPT_SPACE ((size_t)64 * 1024) /* of it, when nothing waits */
#define FULL_PERCENT 80
#define LOOK_US (INT64_C(2) * 1000000)
#define FIRST_WAIT_US (INT64_C(250) * 1000) /* doubles */
#define LONGEST_WAIT_US (INT64_C(4) * 1000000)

static struct buf waiting = BUF_INIT(WAITING_MAX);

static struct {
	int64_t look_at; /* when to ask for its memory again */
	bool full;
	int64_t try_at; /* after failures */
	int64_t wait;
} redis;

struct buf *
store_waiting(void)
{
	return &waiting;
}

/* --- what is lost --- */

/* Requests whose end is among the lines. */
static int64_t
ends_in(const char *lines, size_t len)
{
	static const char end[] = "\"ev\":\"req.end\"";
	const char *at = lines, *stop = lines + len;
	int64_t n = 0;

	while ((at = memmem(at, (size_t)(stop - at), end, sizeof(end) - 1))) {
		at += sizeof(end) - 1;
		n++;
	}
	return n;
}

static void
lose_all(void)
{
	if (waiting.len)
		metric_add(
		    METRIC_TRACES_LOST, ends_in(waiting.data, waiting.len));
	buf_reset(&waiting);
}

void
store_line(const char *line, size_t len)
{
	if (len <= waiting.max - waiting.len)
		buf_add(&waiting, line, len);
}

/* --- Redis --- */

/* -1: nothing is said of it. */
static int64_t
info_number(const struct cache_reply *info, const char *name)
{
	const char *at =
	    info->type == CACHE_TEXT ? cache_info(info->s, name) : NULL;

	return at ? strtoll(at, NULL, 10) : -1;
}

/* Makes room in a Redis that is nearly full: half of what we have there. */
static int
step_back(struct req *req)
{
	struct traces_kept kept;
	int rc = traces_kept(req, &kept);

	return rc == RC_OK && kept.bytes ? traces_shrink(req, kept.bytes / 2) :
					   rc;
}

static int
look(struct req *req)
{
	struct cache_reply *info;
	int64_t used, most;
	int rc;

	if (log_now() < redis.look_at)
		return RC_OK;
	rc = cache_command(req, &info, "INFO", "memory", NULL);
	if (rc < 0)
		return rc;
	used = info_number(info, "used_memory");
	most = info_number(info, "maxmemory");
	redis.full = most > 0 && used > most / 100 * FULL_PERCENT;
	redis.look_at = log_now() + LOOK_US;
	return redis.full ? step_back(req) : RC_OK;
}

static int
send_waiting(struct req *req)
{
	int rc = look(req);

	if (rc < 0)
		return rc;
	if (redis.full) {
		lose_all();
		return RC_OK;
	}
	rc = traces_add(req, waiting.data, waiting.len);
	if (rc == RC_OK)
		rc = statement_note(req, waiting.data, waiting.len);
	/* It is there, and does not want it. */
	if (rc == RC_BUG) {
		lose_all();
		return RC_OK;
	}
	if (rc == RC_OK)
		buf_reset(&waiting);
	return rc;
}

/* It may have run out of memory, so that is what is asked first then. */
static void
wait_longer(void)
{
	redis.wait = redis.wait ? 2 * redis.wait : FIRST_WAIT_US;
	if (redis.wait > LONGEST_WAIT_US)
		redis.wait = LONGEST_WAIT_US;
	redis.try_at = log_now() + redis.wait;
	redis.look_at = 0;
}

void
store_send(struct req *req)
{
	if (waiting.len == 0 || log_now() < redis.try_at)
		return;
	if (send_waiting(req) < 0) {
		req_forgive(req);
		wait_longer();
		return;
	}
	redis.wait = 0;
	if (waiting.size > KEPT_SPACE)
		buf_free(&waiting);
}

void
store_close(void)
{
	lose_all();
	buf_free(&waiting);
}
