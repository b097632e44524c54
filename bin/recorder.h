/*
 * recorder -- what the parts of `seoga recorder` share:
 *
 *	recorder.c		the rounds, and who is told of what
 *	recorder_follow.c	nginx's log, read as it grows
 *	recorder_store.c	what goes to Redis, and when it does not
 *	recorder_share.c	no more of it than can be of use
 *	recorder_gauges.c	what is measured every few seconds
 *
 * To see each line that passes, or to do something every few seconds, add a
 * function to one of the two lists in recorder.c.
 */
#ifndef SEOGA_RECORDER_H
#define SEOGA_RECORDER_H

#include "req.h"
#include "shared.h"

struct buf;
struct logline_value;
struct ring;

/*
 * What a recorder remembers, in memory that outlives it, so that the next one
 * goes on where it was.
 */
struct recorder_memory {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	_Atomic uint64_t inode, offset; /* nginx's log; 0: none yet */
	_Atomic uint64_t dropped; /* of the ring, as far as it is counted */
};

/* A line, with its end: of nginx, all; of programs, those that are sampled.
 * It may be no JSON: whatever got into a file. */
typedef void recorder_line(const char *line, size_t len);

/* What is done every so many seconds, and once at the start.  Its failure is
 * its own: it says RC_OK, or what went wrong, and is called again next time.
 * It shall not take more than a second or so: meanwhile nothing is stored. */
struct recorder_task {
	int every_s;
	int (*run)(struct req *req);
};

/* --- recorder_follow.c -------------------------------------------------- */

/* path: nginx's log, which may come later, be moved away, or cut. */
void follow_open(const char *path, struct recorder_memory *memory);
void follow_close(void);

/* Gives each line that is new, and is whole, to the function, about a
 * megabyte of them.  True when there may be more. */
bool
follow_read(void (*take)(const char *line, size_t len, void *arg), void *arg);

/* --- recorder_store.c --------------------------------------------------- */

/* Where lines wait for Redis.  What finds no room is lost, and counted. */
struct buf *store_waiting(void);
void store_line(const char *line, size_t len);

/* Gives what waits to Redis, if it is there and has room. */
void store_send(struct req *req);
void store_close(void);

/* --- recorder_gauges.c -------------------------------------------------- */

/* Sets the gauges, if a step is over. */
int gauges_set(struct req *req);
/* Gives up the links, after a last word to both backends. */
void gauges_close(void);

/* --- recorder_share.c --------------------------------------------------- */

/* Every round: tells workers how many of their requests to hand over, so that
 * it is about per_s in a second; 0: all.  now: log_now(). */
void share_set(struct ring *ring, int per_s, int64_t now);

/* A line that a program handed over; and is the request of that trace kept,
 * of which nginx tells now?  program: one was asked. */
void share_note(const char *line, size_t len);
bool share_has(
    const struct ring *ring, const struct logline_value *trace, bool program);

#endif
