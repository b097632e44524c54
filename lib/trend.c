/* trend -- see trend.h. */
#include "trend.h"

#include "log.h"

#include <errno.h>

#define STEP_US 10000000
#define MAGIC (UINT64_C(0x5365676f54720000) | sizeof(struct board) % 65536)
#define TRIES 4
#define LATE 3 /* steps that may be missing */

#define WORDS (sizeof(struct trend) / sizeof(uint64_t))
_Static_assert(sizeof(struct trend) % sizeof(uint64_t) == 0,
    "a moment is copied word by word");

/* The moment's own time, first of its words, is 0 while it is written. */
struct moment {
	_Atomic uint64_t words[WORDS];
};

struct board {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	_Atomic uint64_t noted; /* moments so far: the next one's place */
	struct moment moments[TREND_STEPS];
};

static struct board *
board_of(const struct conf *conf)
{
	static struct board own, *board;

	if (board)
		return board;
	if (conf->trend_file) {
		board = shared_map(conf->trend_file, sizeof(*board), MAGIC);
		if (!board)
			log_msg(LOG_WARN, "trend.file", "%s: %s",
			    conf->trend_file, strerror(errno));
	}
	if (!board)
		board = &own;
	return board;
}

/* --- the board of metric.h, at this moment --- */

static void
copy_took(const struct metric_histogram *from, struct trend_took *to)
{
	for (size_t i = 0; i < METRIC_BUCKETS; i++)
		to->buckets[i] = from->buckets[i];
	to->sum_us = from->sum_us;
}

static void
copy_edge(const struct metric_edge *from, struct trend *to)
{
	static const int codes[TREND_CODES] = { [TREND_400] = 400,
		[TREND_401] = 401,
		[TREND_403] = 403,
		[TREND_404] = 404,
		[TREND_429] = 429 };

	for (size_t i = 200; i < LENGTH(from->statuses); i++)
		to->codes[TREND_2XX + i / 100 - 2] += from->statuses[i];
	for (size_t i = TREND_400; i < TREND_CODES; i++)
		to->codes[i] = from->statuses[codes[i]];
	copy_took(&from->took, &to->edge);
	to->bytes = from->bytes;
}

static void
copy_workers(const struct metric_board *from, struct trend *to)
{
	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		const struct metric_worker *w = &from->workers[i];

		if (w->pid && w->busy)
			to->busy++;
		else if (w->pid)
			to->idle++;
	}
	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		to->starts += from->routes[i].starts;
		to->crashes += from->routes[i].crashes;
	}
}

void
trend_now(struct trend *now)
{
	const struct metric_board *board = metric_board();

	*now = (struct trend){ .us = log_clock() };
	for (size_t i = 0; i < METRIC_COUNTERS; i++)
		now->counters[i] = board->counters[i];
	for (size_t i = 0; i < METRIC_GAUGES; i++)
		now->gauges[i] = board->gauges[i];
	for (size_t i = 0; i < METRIC_CACHES; i++)
		for (size_t j = 0; j < METRIC_OUTCOMES; j++)
			now->caches[i][j] = board->caches[i][j];
	copy_took(&board->sql, &now->sql);
	copy_took(&board->redis, &now->redis);
	copy_edge(&board->edge, now);
	copy_workers(board, now);
}

/* --- writing --- */

static int64_t
step_us(const struct conf *conf)
{
	return conf->history_step_s > 0 ?
	    conf->history_step_s * INT64_C(1000000) :
	    STEP_US;
}

static void
store(struct moment *moment, const struct trend *trend)
{
	atomic_store(&moment->words[0], 0);
	for (size_t i = 1; i < WORDS; i++) {
		uint64_t word;

		memcpy(&word, (const char *)trend + i * sizeof(word),
		    sizeof(word));
		atomic_store_explicit(
		    &moment->words[i], word, memory_order_relaxed);
	}
	atomic_store(&moment->words[0], (uint64_t)trend->us);
}

void
trend_note(const struct conf *conf)
{
	struct board *board = board_of(conf);
	uint64_t noted = board->noted;
	struct moment *last = &board->moments[(noted - 1) % TREND_STEPS];
	int64_t passed = log_clock() - (int64_t)last->words[0];
	struct trend now;

	/* A clock that was put back is no reason to wait. */
	if (noted && passed >= 0 && passed < step_us(conf))
		return;
	trend_now(&now);
	store(&board->moments[noted % TREND_STEPS], &now);
	board->noted = noted + 1;
}

/* --- reading --- */

static bool
load(const struct moment *moment, struct trend *trend)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = atomic_load(&moment->words[0]);

		for (size_t j = 0; j < WORDS; j++) {
			uint64_t word = atomic_load_explicit(
			    &moment->words[j], memory_order_relaxed);

			memcpy((char *)trend + j * sizeof(word), &word,
			    sizeof(word));
		}
		atomic_thread_fence(memory_order_acquire);
		if (before && before == atomic_load(&moment->words[0]))
			return true;
	}
	*trend = (struct trend){ 0 };
	return false;
}

/* The moment next to that time: at most so long before or after it. */
static const struct moment *
nearest(const struct board *board, int64_t us, int64_t before, int64_t after)
{
	const struct moment *best = NULL;
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < TREND_STEPS; i++) {
		const struct moment *m = &board->moments[i];
		int64_t at = (int64_t)m->words[0], away = llabs(at - us);

		if (at && at >= us - before && at <= us + after &&
		    away < least) {
			best = m;
			least = away;
		}
	}
	return best;
}

void
trend_read(const struct conf *conf, int64_t end, int seconds, size_t n,
    struct trend *moments)
{
	const struct board *board = board_of(conf);
	int64_t part = (int64_t)seconds * 1000000 / (int64_t)n;
	int64_t late = step_us(conf) * LATE;

	for (size_t i = 0; i <= n; i++) {
		int64_t us = end - part * (int64_t)(n - i);
		/* The first of all is rarely where a part begins. */
		const struct moment *m = nearest(board, us, late, part);

		if (!m || !load(m, &moments[i]))
			moments[i] = (struct trend){ 0 };
	}
}

uint64_t
trend_more(uint64_t a, uint64_t b)
{
	return b >= a ? b - a : b;
}

double
trend_seconds(const struct trend *a, const struct trend *b)
{
	if (!a->us || !b->us || b->us <= a->us)
		return 0;
	return (double)(b->us - a->us) / 1e6;
}
