/*
 * tally -- counts what the caches did, for all processes of the host together:
 * in the file conf->tally_file, from when it was made.  Without one, or when
 * it is of no use, each process counts for itself.
 */
#ifndef SEOGA_TALLY_H
#define SEOGA_TALLY_H

#include "conf.h"

enum tally_cache {
	TALLY_OTHER,
	TALLY_BOOK,
	TALLY_CATEGORIES,
	TALLY_POPULAR,
	TALLY_CACHES
};

enum tally_outcome {
	TALLY_HIT,   /* it was there */
	TALLY_EARLY, /* it was there, and was read anew before its end */
	TALLY_MISS,  /* MariaDB was read */
	TALLY_OUTCOMES
};

void tally_count(const struct conf *conf, enum tally_cache cache,
    enum tally_outcome outcome);

int64_t tally_of(const struct conf *conf, enum tally_cache cache,
    enum tally_outcome outcome);

/* "book", "categories", ... */
const char *tally_name(enum tally_cache cache);

#endif
