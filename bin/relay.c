/*
 * seoga relay -- a job: delivers events from the outbox, in order, at least
 * once, and forgets them after a while.
 */
#include "relay.h"
#include "job.h"
#include "log.h"

#define BATCH 500
#define REST_MS 200
#define PRUNE_US (INT64_C(60) * 1000000)

static const struct sink *const sinks[] = { &sink_redis };

/* Each event's line belongs to the request that it tells of. */
static void
log_events(const struct req *req, const struct outbox_event *events, size_t n,
    int64_t us)
{
	for (size_t i = 0; i < n; i++) {
		log_trace(events[i].trace);
		log_sampled(events[i].sampled);
		log_event(LOG_INFO, "event.sent");
		log_str("span", events[i].span);
		log_str("parent", events[i].parent);
		log_int("id", events[i].id);
		log_str("type", events[i].topic);
		log_str("subject", events[i].subject);
		log_int("us", us);
		log_end();
	}
	log_trace(req->trace);
	log_sampled(req->sampled);
}

static int
deliver(struct req *req, const struct outbox_event *events, size_t n,
    void *arg ATTR_UNUSED)
{
	int64_t begin = log_now();
	int rc;

	for (size_t i = 0; i < LENGTH(sinks); i++) {
		rc = sinks[i]->send(req, events, n);
		if (rc < 0)
			return rc;
	}
	log_events(req, events, n, log_now() - begin);
	return RC_OK;
}

/* Tells once that a sink has no room, and once that it has some again. */
static void
tell_room(const struct sink *sink, bool room)
{
	static bool was_full;

	if (was_full == !room)
		return;
	was_full = !room;
	log_msg(room ? LOG_INFO : LOG_WARN, "relay.room", "%s: %s", sink->name,
	    room ? "there is room again" :
		   "its readers are far behind; events wait");
}

static int
all_ready(struct req *req, bool *ready)
{
	bool room;
	int rc;

	*ready = true;
	for (size_t i = 0; i < LENGTH(sinks); i++) {
		rc = sinks[i]->ready(req, &room);
		if (rc < 0)
			return rc;
		tell_room(sinks[i], room);
		*ready &= room;
	}
	return RC_OK;
}

/* Once a minute; again at once while there is much to forget. */
static int
prune(struct req *req)
{
	static int64_t next;
	int64_t pruned;
	int rc;

	if (log_now() < next)
		return RC_OK;
	rc = outbox_prune(req, req->conf->events_keep_s, &pruned);
	if (rc < 0)
		return rc;
	if (pruned == 0)
		next = log_now() + PRUNE_US;
	return RC_OK;
}

static int
round_of_relay(struct req *req, size_t *done)
{
	bool any, ready;
	int rc;

	if ((rc = prune(req)) < 0 || (rc = outbox_any(req, &any)) < 0 || !any)
		return rc;
	if ((rc = all_ready(req, &ready)) < 0 || !ready)
		return rc;
	return outbox_deliver(req, BATCH, deliver, NULL, done);
}

static const struct job relay = {
	.name = "relay",
	.usage = "usage: seoga relay [--once]\n"
		 "Delivers events from the outbox to Redis until it is told to"
		 " leave;\nwith --once those that there are.  The site keeps"
		 " it running: see\ndoc/jobs.md.",
	.round = round_of_relay,
	.rest_ms = REST_MS,
};

int
main(int argc, char **argv)
{
	return job_run(argc, argv, &relay);
}
