/*
 * child -- runs another program for a moment: what is large, or should not be
 * trusted, stays out of our own process.
 *
 * The child gets its input on descriptor 0, a file in memory, answers on
 * descriptor 1, and has none of our other descriptors but 2.
 */
#ifndef SEOGA_CHILD_H
#define SEOGA_CHILD_H

#include "buf.h"
#include "req.h"

struct child {
	const char *path;	 /* the executable */
	const char *const *argv; /* ends with NULL; [0] is its name */
	const char *const *env;	 /* ends with NULL; NULL: ours */
	const void *in;
	size_t in_len;
	int ms; /* it is killed after so many */
	/* For the log, if it asks a server on our behalf. */
	const char *host;
	const char *span; /* it tells the server, 16 hex digits */
};

/*
 * Runs it to its end and adds to out (up to its maximum) what it says.
 * RC_OK with *status, the exit status or 128 + the signal that ended it;
 * RC_DOWN when it took too long or said too much; RC_BUG when it could not be
 * started.  Logs child.run (name, its arguments act and file, status, us).
 */
int child_run(struct req *req, const struct child *child, struct buf *out,
    int *status) ATTR_CHECK;

#endif
