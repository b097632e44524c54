/*
 * steps -- what the recorder notes every conf->history_step_s seconds, in
 * files that the host shares: it alone writes them, others read them without
 * a lock.
 *
 * A record is a struct that begins with the number of its step, a uint32_t
 * that is never 0.  Who reads has all of the record that he asks for or
 * nothing, also when the recorder died halfway.
 */
#ifndef SEOGA_STEPS_H
#define SEOGA_STEPS_H

#include "shared.h"

struct steps_file {
	uint64_t magic;
	size_t size;
	void *map;
	bool failed;
};

/* The file of a type, which begins with its magic: of that kind (SHARED_KIND)
 * and for that size, as a file of another layout is made anew. */
#define STEPS_FILE(kind, type) \
	{ \
		.magic = (kind) | (sizeof(type) / SHARED_LINE & ~SHARED_KIND), \
		.size = sizeof(type) \
	}

/* The file, mapped when it is first asked for; NULL without a path, or when it
 * cannot be. */
void *steps_map(struct steps_file *file, const char *path) ATTR_CHECK;

/* A record is in the file as an array of so many. */
#define STEPS_WORDS(type) (sizeof(type) / sizeof(uint32_t))

void steps_put(_Atomic uint32_t *record, const void *from, size_t size);

/* The record of that step, or its first bytes; false when that is not (any
 * more) in its place. */
bool steps_get(const _Atomic uint32_t *record, uint32_t step, void *to,
    size_t size) ATTR_CHECK;

/* For the recorder: is a step over?  last: when the one before ended, us since
 * 1970; 0: there was none.  After a restart the step under way goes on. */
bool steps_due(int step_s, int64_t last);

#endif
