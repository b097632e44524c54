/*
 * history_internal -- the file of the history, for history*.c alone.
 *
 * A step is noted in this order: the slots of the routes, each marked with
 * the step's number; what the counters were (in the other of two banks); the
 * moment; last of all the number in the head.  Who dies on the way has done
 * nothing: the step is noted again, from the bank that holds.
 */
#ifndef SEOGA_HISTORY_INTERNAL_H
#define SEOGA_HISTORY_INTERNAL_H

#include "history.h"
#include "steps.h"

#define SERIES (METRIC_ROUTES + 1)
#define EDGE 0	   /* the series of nginx */
#define PENDING 50 /* hours that MariaDB has not had yet */

/* What a series did in a step: a record, as the next one. */
struct slot {
	uint32_t step;
	uint32_t requests, failed4, failed5;
	uint32_t buckets[METRIC_BUCKETS];
	uint64_t sum_us, bytes;
};

struct moment {
	uint32_t step;
	uint32_t ms; /* that it took */
	int64_t end; /* microseconds since 1970 */
};

struct series {
	char name[METRIC_NAME]; /* written once, before last */
	_Atomic uint32_t last;	/* the last step with a slot; 0: none yet */
};

/* All that a series has counted so far. */
struct count {
	uint64_t requests, failed4, failed5;
	uint64_t buckets[METRIC_BUCKETS];
	uint64_t sum_us, bytes;
};

struct bank {
	uint64_t begun; /* the board that was counted on */
	int64_t end;	/* when, microseconds since 1970 */
	struct count counts[SERIES];
};

/* Part of an hour, on its way to MariaDB: once it has a number it was tried,
 * and stays as it is. */
struct pending {
	int64_t hour; /* seconds since 1970 */
	int64_t number;
	struct history_service sum;
	int64_t ms, down_ms;
};

struct queue_of_hours {
	uint32_t step; /* up to here all is in them */
	uint32_t n;
	int64_t number; /* the last that was given */
	struct pending hours[PENDING];
};

struct history {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	_Atomic uint32_t step;	/* the last one that is complete; 0: none */
	_Atomic uint32_t queue; /* which of the two holds */
	_Atomic uint32_t moments[HISTORY_STEPS][STEPS_WORDS(struct moment)];
	struct series series[SERIES];
	struct bank banks[2]; /* that of the last step holds */
	struct queue_of_hours queues[2];
	_Atomic uint32_t slots[SERIES][HISTORY_STEPS][STEPS_WORDS(struct slot)];
};

/* NULL without a file. */
struct history *history_map(const struct conf *conf);

/* Adds the slot of a step; false when it is not (any more) of that step. */
bool history_add_slot(const struct history *h, size_t series, uint32_t step,
    struct history_sum *sum);

bool history_moment(const struct history *h, uint32_t step, struct moment *m);

/* Failed more requests of it than there may? */
bool history_was_down(const struct history_sum *sum);

#endif
