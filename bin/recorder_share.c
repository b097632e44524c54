/*
 * recorder_share -- no more traces than can be of use: see recorder.h.
 *
 * A site under load makes thousands a second, which would push each other out
 * of Redis within seconds, and cost more than what they tell of.  So a host
 * keeps about conf->trace_per_s: several times a second the share that workers
 * are to hand over is set anew, from how many there were since.
 */
#include "recorder.h"

#include "hash.h"
#include "logline.h"
#include "ring.h"

#define SETS 1024
#define WAYS 8 /* ids of one set: they come and go */
#define TRACE_DIGITS 32

#define EVERY_US (INT64_C(100) * 1000)
#define LATER_US (INT64_C(3) * 1000000)
#define SECOND INT64_C(1000000)
#define LONGEST_US (10 * SECOND) /* of what is longer, nothing is known */

static struct {
	int64_t offered, at; /* at the last look */
	int64_t room;	     /* millionths that few requests leave to many */
	int wanted;	     /* of RING_ALL, since then */
	int64_t thin_until;  /* lines of nginx come a little later */
	uint64_t seen[SETS][WAYS]; /* ids of what was handed over, the latest */
} share = { .wanted = RING_ALL };

static int64_t
within(int64_t n, int64_t most)
{
	return n > most ? most : n < -most ? -most : n;
}

/* While there is room, all; else as many as may come.  In millionths of a
 * request, as few a second are less than one from look to look. */
static int
wanted_of(int per_s, int64_t offered, int64_t us)
{
	int64_t most = per_s * us, came = offered * SECOND;

	share.room = within(
	    share.room + most - came / RING_ALL * share.wanted, per_s * SECOND);
	if (per_s == 0 || share.room >= SECOND || came <= most)
		return RING_ALL;
	return (int)(most * RING_ALL / came);
}

void
share_set(struct ring *ring, int per_s, int64_t now)
{
	int64_t offered = ring_offered(ring);

	if (!share.at)
		share.room = per_s * SECOND;
	else if (now - share.at < EVERY_US)
		return;
	else
		share.wanted = wanted_of(per_s, offered - share.offered,
		    within(now - share.at, LONGEST_US));
	share.offered = offered;
	share.at = now;
	if (share.wanted < RING_ALL)
		share.thin_until = now + LATER_US;
	ring_set_share(ring, share.wanted);
}

static bool
is_thin(void)
{
	return share.at < share.thin_until;
}

/* 0: it is none. */
static uint64_t
short_id(const struct logline_value *trace)
{
	uint64_t n;

	if (trace->len != TRACE_DIGITS)
		return 0;
	n = hash_of(trace->s, TRACE_DIGITS);
	return n ? n : 1;
}

static bool
is_seen(uint64_t id)
{
	const uint64_t *set = share.seen[id % SETS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i] == id)
			return true;
	return false;
}

/* In the place of the oldest of its set. */
static void
see(uint64_t id)
{
	uint64_t *set = share.seen[id % SETS];

	if (is_seen(id))
		return;
	memmove(set + 1, set, (WAYS - 1) * sizeof(set[0]));
	set[0] = id;
}

/* Also while all are kept: nginx may tell of it when that is over. */
void
share_note(const char *line, size_t len)
{
	struct logline_value trace;
	uint64_t id = 0;

	if (logline_find(line, len, "trace", &trace))
		id = short_id(&trace);
	if (id)
		see(id);
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
	if (id && is_seen(id))
		return true;
	return id && !program && ring_is_wanted(ring, trace->s);
}
