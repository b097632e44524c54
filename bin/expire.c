/*
 * seoga expire -- a job: cancels orders that were not paid in time, so that
 * their copies can be sold.
 */
#include "job.h"
#include "lock.h"
#include "order.h"

#define BATCH 50 /* orders in a round */
#define REST_MS 3000
/* Longer than a round takes.  If one takes longer all the same, two work at
 * once, and MariaDB lets each order expire once. */
#define LOCK_MS 20000

/* One process at a time is enough; without Redis each works for itself. */
static int
expire_in_turn(struct req *req, int *expired)
{
	struct lock lock;
	int rc = lock_take(req, "expire", LOCK_MS, &lock);
	bool locked = rc == RC_OK;

	if (rc == RC_CONFLICT)
		return RC_OK; /* another is at it */
	if (rc < 0)
		req_forgive(req);
	rc = order_expire(req, BATCH, expired);
	if (locked)
		lock_release(req, &lock);
	return rc;
}

static int
round_of_expire(struct req *req, size_t *done)
{
	int expired = 0;
	int rc = expire_in_turn(req, &expired);

	*done = (size_t)expired;
	return rc;
}

static const struct job expire = {
	.name = "expire",
	.usage =
	    "usage: seoga expire [--once]\n"
	    "Cancels orders that were not paid in time, until it is told to"
	    " leave;\nwith --once those that there are.  The site keeps it"
	    " running: see doc/jobs.md.",
	.round = round_of_expire,
	.rest_ms = REST_MS,
};

int
main(int argc, char **argv)
{
	return job_run(argc, argv, &expire);
}
