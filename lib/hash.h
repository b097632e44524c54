/*
 * hash -- a number for a text, the same always: to find it again quickly, not
 * to keep anything safe.
 */
#ifndef SEOGA_HASH_H
#define SEOGA_HASH_H

#include "base.h"

/* FNV-1a of 64 bits. */
static inline uint64_t
hash_of(const char *s, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)s[i]) * UINT64_C(1099511628211);
	return hash;
}

#endif
