/*
 * seoga covers -- removes uploaded pictures that no book has shown for a day;
 * a job, or with --once a command for now and then.
 */
#include "cover.h"
#include "job.h"

#define BATCH 20 /* pictures in a round */
#define REST_MS 600000

static int
round_of_covers(struct req *req, size_t *done)
{
	return cover_sweep(req, BATCH, done);
}

static const struct job covers = {
	.name = "covers",
	.usage =
	    "usage: seoga covers [--once]\n"
	    "Removes uploaded pictures that no book has shown for a day, until"
	    " it is told\nto leave; with --once those that there are.  See"
	    " doc/covers.md.",
	.round = round_of_covers,
	.rest_ms = REST_MS,
};

int
main(int argc, char **argv)
{
	return job_run(argc, argv, &covers);
}
