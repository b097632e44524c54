/*
 * shared -- memory that all processes of a host share: a file that each of
 * them maps.
 */
#ifndef SEOGA_SHARED_H
#define SEOGA_SHARED_H

#include "base.h"

#include <stdatomic.h>

_Static_assert(
    ATOMIC_LLONG_LOCK_FREE == 2, "atomics must work between processes");

/* A line of the CPU's cache: two counters on one get into each other's way. */
#define SHARED_LINE 64

/*
 * Maps the file, which is made and grown to size if need be; what is new of
 * it is zero.  It begins with an _Atomic uint64_t: magic, which whoever comes
 * first writes.  NULL, with errno, when that cannot be: EINVAL for a file that
 * is something else.
 *
 * Should somebody cut the file short, whoever touches what is no more gets
 * memory of its own in its place, and a SIGTERM if that is blocked (as it is
 * in programs and jobs): they end what they are at and leave, and who comes
 * next makes the file whole.
 */
void *shared_map(const char *path, size_t size, uint64_t magic) ATTR_CHECK;
void shared_unmap(void *map, size_t size);

/*
 * The same, while nobody else has the *lock (whoever dies gives it back).  A
 * file of an earlier version, whose magic begins with the same SHARED_KIND
 * bits, is taken away and made anew; who has it mapped keeps it.  NULL with
 * errno EWOULDBLOCK: another does not let go.
 */
#define SHARED_KIND UINT64_C(0xffffffffffff0000)
void *shared_map_locked(
    const char *path, size_t size, uint64_t magic, int *lock) ATTR_CHECK;
void shared_unlock(int lock);

#endif
