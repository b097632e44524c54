/*
 * recorder_share -- no more traces than can be of use: see recorder.h.
 *
 * A site under load makes thousands a second, which would push each other out
 * of Redis within seconds, and cost more than what they tell of.  So a host
 * keeps about conf->trace_per_s: every second the share that workers are to
 * hand over is set anew, from how many there were in the last one.
 */
#include "recorder.h"

#include "log.h"
#include "logline.h"
#include "ring.h"

#define SEEN 8192 /* a power of two */

static struct {
	int64_t offered, at; /* at the last look */
	int64_t thin_until;  /* lines of nginx come a little later */
	uint64_t seen[SEEN]; /* ids of what was handed over, the latest */
} share;

#define LATER_US (INT64_C(3) * 1000000)

void
share_set(struct ring *ring, int per_s)
{
	int64_t now = log_now(), offered = ring_offered(ring);
	int64_t us = now - share.at, n = offered - share.offered, most;

	most = per_s * us / 1000000;
	share.offered = offered;
	share.at = now;
	if (per_s == 0 || n <= most || us <= 0) {
		ring_set_share(ring, RING_ALL);
		return;
	}
	ring_set_share(ring, (int)(most * RING_ALL / n));
	share.thin_until = now + LATER_US;
}

static bool
is_thin(void)
{
	return log_now() < share.thin_until;
}

/* Of a line; 0: it has none. */
static uint64_t
short_id(const char *line, size_t len)
{
	struct logline_value trace;
	uint64_t n = 0;

	if (!logline_find(line, len, "trace", &trace) || trace.len != 32)
		return 0;
	for (size_t i = 0; i < trace.len; i++)
		n = (n ^ (unsigned char)trace.s[i]) * UINT64_C(0x100000001b3);
	return n ? n : 1;
}

void
share_note(const char *line, size_t len)
{
	uint64_t id = is_thin() ? short_id(line, len) : 0;

	if (id)
		share.seen[id % SEEN] = id;
}

/* Its program has handed the request over; or none was asked, and it is in
 * the share. */
bool
share_has(const struct ring *ring, const char *line, size_t len)
{
	struct logline_value trace, program;
	uint64_t id;

	if (!is_thin() || !ring)
		return true;
	id = short_id(line, len);
	if (id && share.seen[id % SEEN] == id)
		return true;
	return logline_find(line, len, "upstream_response_time", &program) &&
	    program.len == 0 && logline_find(line, len, "trace", &trace) &&
	    trace.len == 32 && ring_is_wanted(ring, trace.s);
}
