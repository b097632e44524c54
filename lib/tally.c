/* tally -- see tally.h. */
#include "tally.h"

#include "log.h"
#include "shared.h"

#include <errno.h>

#define MAGIC UINT64_C(0x5365676f61546131)

/* One line of the CPU's cache each. */
struct counts {
	_Alignas(SHARED_LINE) _Atomic uint64_t n[TALLY_OUTCOMES];
};

struct board {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	struct counts caches[TALLY_CACHES];
};

/* Mapped at the first count, for as long as the process lives. */
static struct board *board;

static struct board *
board_of(const struct conf *conf)
{
	static struct board own;

	if (board)
		return board;
	if (conf->tally_file) {
		board = shared_map(conf->tally_file, sizeof(*board), MAGIC);
		if (!board)
			log_msg(LOG_WARN, "tally.file", "%s: %s",
			    conf->tally_file, strerror(errno));
	}
	if (!board)
		board = &own;
	return board;
}

void
tally_count(
    const struct conf *conf, enum tally_cache cache, enum tally_outcome outcome)
{
	atomic_fetch_add_explicit(
	    &board_of(conf)->caches[cache].n[outcome], 1, memory_order_relaxed);
}

int64_t
tally_of(
    const struct conf *conf, enum tally_cache cache, enum tally_outcome outcome)
{
	return (int64_t)atomic_load_explicit(
	    &board_of(conf)->caches[cache].n[outcome], memory_order_relaxed);
}

const char *
tally_name(enum tally_cache cache)
{
	static const char *const names[] = {
		[TALLY_OTHER] = "other",
		[TALLY_BOOK] = "book",
		[TALLY_CATEGORIES] = "categories",
		[TALLY_POPULAR] = "popular",
	};

	return names[cache];
}
