/* trend -- see trend.h. */
#include "trend.h"

#include "log.h"
#include "steps.h"

#define KIND UINT64_C(0x5365676f54720000)
#define LATE 3 /* steps that may be missing */

/* The record of a step. */
struct noted {
	uint32_t step, unused;
	struct trend trend;
};

/* As much of it as tells when it was. */
#define TIME_SIZE (offsetof(struct noted, trend.us) + sizeof(int64_t))

struct board {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	_Atomic uint32_t step; /* the last one that is complete; 0: none */
	_Atomic uint32_t steps[TREND_STEPS][STEPS_WORDS(struct noted)];
};

static struct board *
board_of(const struct conf *conf)
{
	static struct steps_file file = STEPS_FILE(KIND, struct board);

	return steps_map(&file, conf->trend_file);
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

void
trend_note(const struct conf *conf)
{
	struct board *board = board_of(conf);
	struct noted noted = { 0 };

	if (!board)
		return;
	noted.step =
	    atomic_load_explicit(&board->step, memory_order_relaxed) + 1;
	trend_now(&noted.trend);
	steps_put(
	    board->steps[noted.step % TREND_STEPS], &noted, sizeof(noted));
	atomic_store_explicit(&board->step, noted.step, memory_order_release);
}

/* --- reading --- */

static bool
get(const struct board *board, uint32_t step, struct noted *noted, size_t size)
{
	return steps_get(board->steps[step % TREND_STEPS], step, noted, size);
}

/* The step next to that time, at most so long before or after it; 0: none. */
static uint32_t
nearest(const struct board *board, int64_t us, int64_t before, int64_t after)
{
	uint32_t last =
	    atomic_load_explicit(&board->step, memory_order_acquire);
	uint32_t step = last >= TREND_STEPS ? last - TREND_STEPS + 1 : 1;
	uint32_t best = 0;
	int64_t least = INT64_MAX, at;
	struct noted noted;

	for (; step <= last; step++) {
		if (!get(board, step, &noted, TIME_SIZE))
			continue;
		at = noted.trend.us;
		if (at >= us - before && at <= us + after &&
		    llabs(at - us) < least) {
			best = step;
			least = llabs(at - us);
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
	int64_t late = INT64_C(1000000) * conf->history_step_s * LATE;
	struct noted noted;

	memset(moments, 0, (n + 1) * sizeof(moments[0]));
	for (size_t i = 0; board && i <= n; i++) {
		int64_t us = end - part * (int64_t)(n - i);
		/* The first of all is rarely where a part begins. */
		uint32_t step = nearest(board, us, late, part);

		if (get(board, step, &noted, sizeof(noted)))
			moments[i] = noted.trend;
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
