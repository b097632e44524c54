/*
 * recorder_share -- no more traces than can be of use: see recorder.h.
 *
 * A site under load makes thousands a second, which would push each other out
 * of Redis within seconds, and cost more than what they tell of.  So a host
 * keeps about conf->trace_per_s: several times a second the share that workers
 * are to hand over is set anew, from how many there were since.
 */
#include "recorder.h"

#include "log.h"
#include "logline.h"
#include "ring.h"

#define SEEN 8192 /* a power of two */
#define TRACE_DIGITS 32

#define EVERY_US (INT64_C(100) * 1000)
#define LATER_US (INT64_C(3) * 1000000)

static struct {
	int64_t offered, at; /* at the last look */
	int64_t room;	     /* that few requests leave to many at once */
	int wanted;	     /* of RING_ALL, since then */
	int64_t thin_until;  /* lines of nginx come a little later */
	uint64_t seen[SEEN]; /* ids of what was handed over, the latest */
} share = { .wanted = RING_ALL };

/* While there is room, all; else as many as may come. */
static int
wanted_of(int per_s, int64_t offered, int64_t us)
{
	int64_t most = per_s * us / 1000000;

	share.room += most - offered * share.wanted / RING_ALL;
	if (share.room > per_s)
		share.room = per_s;
	if (per_s == 0 || share.room > 0 || offered <= most)
		return RING_ALL;
	return (int)(most * RING_ALL / offered);
}

void
share_set(struct ring *ring, int per_s)
{
	int64_t now = log_now(), offered = ring_offered(ring);

	if (!share.at)
		share.room = per_s;
	else if (now - share.at < EVERY_US)
		return;
	else
		share.wanted =
		    wanted_of(per_s, offered - share.offered, now - share.at);
	share.offered = offered;
	share.at = now;
	if (share.wanted < RING_ALL)
		share.thin_until = now + LATER_US;
	ring_set_share(ring, share.wanted);
}

static bool
is_thin(void)
{
	return log_now() < share.thin_until;
}

/* 0: it is none. */
static uint64_t
short_id(const struct logline_value *trace)
{
	uint64_t n = 0;

	if (trace->len != TRACE_DIGITS)
		return 0;
	for (size_t i = 0; i < TRACE_DIGITS; i++)
		n = (n ^ (unsigned char)trace->s[i]) * UINT64_C(0x100000001b3);
	return n ? n : 1;
}

void
share_note(const char *line, size_t len)
{
	struct logline_value trace;
	uint64_t id = 0;

	if (is_thin() && logline_find(line, len, "trace", &trace))
		id = short_id(&trace);
	if (id)
		share.seen[id % SEEN] = id;
}

/* Its program has handed the request over; or none was asked, and it is in
 * the share. */
bool
share_has(
    const struct ring *ring, const struct logline_value *trace, bool program)
{
	uint64_t id;

	if (!is_thin() || !ring)
		return true;
	id = short_id(trace);
	if (id && share.seen[id % SEEN] == id)
		return true;
	return id && !program && ring_is_wanted(ring, trace->s);
}
