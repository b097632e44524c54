/*
 * ring -- takes the lines of finished requests from all workers of a host to
 * the recorder (bin/recorder.c), through memory that they share.
 *
 * Writing never waits and makes no system call: where there is no room the
 * piece is dropped and counted.  A writer that dies halfway leaves a place
 * that the reader takes back; no piece is ever handed over in part.
 */
#ifndef SEOGA_RING_H
#define SEOGA_RING_H

#include "base.h"

struct buf;
struct ring;

/* Maps the file, made if need be.  NULL, with errno, when it is of no use. */
struct ring *ring_open(const char *path) ATTR_CHECK;
void ring_close(struct ring *ring);

/* Whole lines; those that do not fit into one piece go in several.  False
 * when something of it was dropped. */
bool ring_put(struct ring *ring, const char *lines, size_t len);

/*
 * When there is too much, the reader wants a share of the requests only: is
 * this one among them?  Which it is depends on its trace id alone, so that all
 * parts of a request agree.  Counts it as offered; no system call.
 */
bool ring_wants(struct ring *ring, const char *trace);

#define RING_ALL 65536
/* For the reader: what it wants from now on, of RING_ALL; how many were
 * offered since the file was made; and the same question without counting. */
void ring_set_share(struct ring *ring, int share);
int64_t ring_offered(const struct ring *ring);
bool ring_is_wanted(const struct ring *ring, const char *trace);

/* For the one reader: appends the pieces that are complete, the oldest first,
 * until out has no room for another.  The number of pieces. */
size_t ring_take(struct ring *ring, struct buf *out);

/* Pieces that were dropped since the file was made. */
int64_t ring_dropped(const struct ring *ring);

#endif
