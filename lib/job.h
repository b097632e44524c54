/*
 * job -- a command that is kept running beside the site (control/jobs.conf):
 * it works round by round until it is told to leave.
 *
 * TERM or INT lets the round under way end, and the job with it; USR1 opens
 * the log again.  After a failure, a backend that is away for example, the
 * job rests longer each time, five seconds at most, and tries again; it never
 * gives up.  A round in which nothing was done leaves no lines in the log.
 */
#ifndef SEOGA_JOB_H
#define SEOGA_JOB_H

#include "req.h"

struct job {
	const char *name;  /* relay: the command seoga-relay, "prog" in logs */
	const char *usage; /* for --help */
	/*
	 * One round, with memory and a trace of its own.  *done counts what
	 * was done: the next round follows at once unless it is 0.  RC_OK, or
	 * a code, which lets the job rest.
	 */
	int (*round)(struct req *req, size_t *done);
	int rest_ms; /* after a round in which nothing was done */
	bool aside;  /* its rounds are no traces: those of the recorder */
};

/* Runs the job until it is told to leave, or with --once until there is
 * nothing more to do; returns its exit status. */
int job_run(int argc, char **argv, const struct job *job);

#endif
