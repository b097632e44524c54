/*
 * arena -- the memory of one request: taken piece by piece, given back all
 * at once by arena_reset().
 *
 * Allocation cannot fail for the caller: at the cap, or when the system has
 * no more, the arena calls its on_full function, which must not return (the
 * request loop jumps to its 500 page).  Memory is aligned for any type and
 * is not cleared.  The first block (64 KiB) is kept between requests; more
 * blocks double in size and go back to the system at reset.  Under
 * AddressSanitizer and valgrind, memory given back is poisoned.
 */
#ifndef SEOGA_ARENA_H
#define SEOGA_ARENA_H

#include "base.h"

#include <stdarg.h>

struct arena;

/* cap is the total in bytes.  Returns NULL when the first block cannot be
 * had.  Close runs the clean-ups and frees everything. */
struct arena *arena_open(size_t cap);
void arena_close(struct arena *a);

/* on_full(arg) must not return; the default writes a line and aborts. */
void arena_on_full(struct arena *a, void (*on_full)(void *), void *arg);

/* Run the deferred clean-ups, the last one first, then forget all memory. */
void arena_reset(struct arena *a);

/* size 0 gives a valid, distinct pointer. */
void *arena_alloc(struct arena *a, size_t size)
    __attribute__((returns_nonnull, malloc, alloc_size(2)));
char *arena_strdup(struct arena *a, const char *s);
/* Copies exactly len bytes and adds a NUL. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) ATTR_PRINTF(2, 3)
    __attribute__((nonnull(2)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
    ATTR_PRINTF(2, 0) __attribute__((nonnull(2)));

/* Call fn(arg) at the next reset or close. */
void arena_defer(struct arena *a, void (*fn)(void *), void *arg);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#endif
