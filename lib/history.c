/* history -- see history.h. */
#include "history_internal.h"

#include "log.h"
#include "trend.h"

#define KIND UINT64_C(0x5365676f61480000)
#define SECOND INT64_C(1000000)
#define DOWN 20 /* more than one of so many requests failed */

struct history *
history_map(const struct conf *conf)
{
	static struct steps_file file = STEPS_FILE(KIND, struct history);

	return steps_map(&file, conf->history_file);
}

/* --- writing ------------------------------------------------------------ */

static uint64_t
load(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

static void
add_histogram(struct count *c, const struct metric_histogram *took)
{
	for (size_t i = 0; i < METRIC_BUCKETS; i++)
		c->buckets[i] += load(&took->buckets[i]);
	c->sum_us += load(&took->sum_us);
}

static void
count_route(const struct metric_route *route, struct count *c)
{
	*c = (struct count){ 0 };
	for (int m = 0; m < METRIC_METHODS; m++) {
		for (int s = 0; s < METRIC_STATUSES; s++)
			c->requests += load(&route->requests[m][s]);
		c->failed4 += load(&route->requests[m][METRIC_4XX]);
		c->failed5 += load(&route->requests[m][METRIC_5XX]);
		add_histogram(c, &route->took[m]);
	}
}

static void
count_edge(const struct metric_edge *edge, struct count *c)
{
	*c = (struct count){ .bytes = load(&edge->bytes) };
	for (int code = 0; code < 600; code++) {
		uint64_t n = load(&edge->statuses[code]);

		c->requests += n;
		c->failed4 += code / 100 == 4 ? n : 0;
		c->failed5 += code / 100 == 5 ? n : 0;
	}
	add_histogram(c, &edge->took);
}

static uint32_t
narrow(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void
put_slot(struct history *h, size_t s, uint32_t step, const struct count *is,
    const struct count *was)
{
	struct slot slot = { .step = step,
		.requests = narrow(trend_more(was->requests, is->requests)),
		.failed4 = narrow(trend_more(was->failed4, is->failed4)),
		.failed5 = narrow(trend_more(was->failed5, is->failed5)),
		.sum_us = trend_more(was->sum_us, is->sum_us),
		.bytes = trend_more(was->bytes, is->bytes) };

	for (size_t i = 0; i < METRIC_BUCKETS; i++)
		slot.buckets[i] =
		    narrow(trend_more(was->buckets[i], is->buckets[i]));
	steps_put(h->slots[s][step % HISTORY_STEPS], &slot, sizeof(slot));
}

/* The series of a route, made if need be; SERIES when there is no room. */
static size_t
series_named(struct history *h, const char *name, bool make)
{
	for (size_t s = EDGE + 1; s < SERIES; s++) {
		if (strcmp(h->series[s].name, name) == 0)
			return s;
		if (h->series[s].name[0])
			continue;
		if (make)
			snprintf(h->series[s].name, sizeof(h->series[s].name),
			    "%s", name);
		return make ? s : SERIES;
	}
	return SERIES;
}

/* A step being noted. */
struct step {
	uint32_t number;
	const struct bank *was; /* NULL: not known, so nothing is new */
	struct bank *is;
};

/* A slot without requests is not written: it bears another step's number, and
 * memory that nobody touches is none. */
static void
note_series(struct history *h, const struct step *step, size_t s,
    const struct count *is)
{
	static const struct count none;
	const struct count *was = step->was ? &step->was->counts[s] : &none;

	step->is->counts[s] = *is;
	if (!step->was || trend_more(was->requests, is->requests) == 0)
		return;
	put_slot(h, s, step->number, is, was);
	atomic_store_explicit(
	    &h->series[s].last, step->number, memory_order_release);
}

static void
note_all(struct history *h, const struct step *step)
{
	const struct metric_board *board = metric_board();
	struct count count;

	count_edge(&board->edge, &count);
	note_series(h, step, EDGE, &count);
	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		const struct metric_route *route = &board->routes[i];
		size_t s;

		if (atomic_load_explicit(&route->claimed,
			memory_order_acquire) != METRIC_ROUTE_NAMED)
			continue;
		s = series_named(h, route->name, true);
		if (s == SERIES)
			continue;
		count_route(route, &count);
		note_series(h, step, s, &count);
	}
}

static void
publish(struct history *h, uint32_t step, int64_t end, int64_t us)
{
	struct moment m = { .step = step,
		.ms = narrow((uint64_t)(us < 0 ? 0 : us / 1000)),
		.end = end };

	steps_put(h->moments[step % HISTORY_STEPS], &m, sizeof(m));
	atomic_store_explicit(&h->step, step, memory_order_release);
}

/*
 * The counters as they were, for a board that began at begun; *from is when.
 * A board that is newer than the last step began with nothing; of one that
 * was there before us, what it has counted is of no known time.
 */
static const struct bank *
counted_before(const struct history *h, uint32_t last, uint64_t begun,
    int step_s, int64_t *from)
{
	static const struct bank nothing;
	const struct bank *was = &h->banks[last & 1];
	int64_t began = (int64_t)begun * SECOND;

	if (last > 0 && was->begun == begun) {
		*from = was->end;
		return was;
	}
	*from = began;
	if (last > 0 ? began >= was->end - SECOND :
		       began >= log_clock() - 2 * step_s * SECOND)
		return &nothing;
	return NULL;
}

void
history_note(const struct conf *conf)
{
	/* By a clock that nobody sets; 0: what there is another has noted. */
	static int64_t noted;
	struct history *h = history_map(conf);
	struct step step;
	uint32_t last;
	int64_t from, now, us;

	if (!h)
		return;
	last = atomic_load_explicit(&h->step, memory_order_relaxed);
	step.number = last + 1;
	step.is = &h->banks[step.number & 1];
	step.is->begun = load(&metric_board()->begun);
	step.was = counted_before(
	    h, last, step.is->begun, conf->history_step_s, &from);
	now = log_clock();
	us = noted && step.was == &h->banks[last & 1] ? log_now() - noted :
							now - from;
	noted = log_now();
	note_all(h, &step);
	step.is->end = now;
	publish(h, step.number, now, step.was ? us : 0);
}

/* --- reading ------------------------------------------------------------ */

bool
history_add_slot(const struct history *h, size_t series, uint32_t step,
    struct history_sum *sum)
{
	struct slot slot;

	if (!steps_get(h->slots[series][step % HISTORY_STEPS], step, &slot,
		sizeof(slot)))
		return false;
	sum->requests += slot.requests;
	sum->failed4 += slot.failed4;
	sum->failed5 += slot.failed5;
	for (size_t i = 0; i < METRIC_BUCKETS; i++)
		sum->buckets[i] += slot.buckets[i];
	sum->sum_us += (int64_t)slot.sum_us;
	sum->bytes += (int64_t)slot.bytes;
	return true;
}

bool
history_moment(const struct history *h, uint32_t step, struct moment *m)
{
	return steps_get(h->moments[step % HISTORY_STEPS], step, m, sizeof(*m));
}

bool
history_was_down(const struct history_sum *sum)
{
	return sum->failed5 * DOWN > sum->requests;
}

static bool
edge_was_down(const struct history *h, uint32_t step)
{
	struct history_sum sum = { 0 };

	return history_add_slot(h, EDGE, step, &sum) && history_was_down(&sum);
}

struct reading {
	const struct history *h;
	size_t series;
	uint32_t oldest, last; /* steps */
	bool any;	       /* the series has a slot among them */
};

static bool
begin_reading(const struct conf *conf, const char *route, struct reading *r)
{
	struct history *h = history_map(conf);

	if (!h)
		return false;
	r->h = h;
	r->last = atomic_load_explicit(&h->step, memory_order_acquire);
	/* The oldest is where the next will be written. */
	r->oldest = r->last >= HISTORY_STEPS ? r->last - HISTORY_STEPS + 2 : 1;
	r->series = route ? series_named(h, route, false) : EDGE;
	r->any = r->series < SERIES &&
	    atomic_load_explicit(
		&h->series[r->series].last, memory_order_acquire) >= r->oldest;
	return r->last > 0;
}

/* Where the step counts, by its middle; n when it does not. */
static size_t
part_of(const struct moment *m, int64_t from, int64_t us, size_t n)
{
	int64_t middle = m->end - m->ms * INT64_C(500) - from;

	if (middle < 0 || middle > us)
		return n;
	return middle == us ? n - 1 : (size_t)(middle * (int64_t)n / us);
}

/* Seconds are summed up as milliseconds, and made whole at the end. */
static void
read_parts(
    const struct reading *r, int64_t us, size_t n, struct history_sum *parts)
{
	int64_t from = log_clock() - us;

	for (uint32_t step = r->oldest; step <= r->last; step++) {
		struct moment m;
		size_t at;

		if (!history_moment(r->h, step, &m))
			continue;
		at = part_of(&m, from, us, n);
		if (at == n)
			continue;
		parts[at].seconds += m.ms;
		if (edge_was_down(r->h, step))
			parts[at].down_s += m.ms;
		if (r->any)
			(void)history_add_slot(
			    r->h, r->series, step, &parts[at]);
	}
}

void
history_parts(const struct conf *conf, const char *route, int seconds, size_t n,
    struct history_sum *parts)
{
	struct reading r;

	memset(parts, 0, n * sizeof(parts[0]));
	if (n == 0 || !begin_reading(conf, route, &r))
		return;
	read_parts(&r, seconds * SECOND, n, parts);
	for (size_t i = 0; i < n; i++) {
		parts[i].seconds = (parts[i].seconds + 500) / 1000;
		parts[i].down_s = (parts[i].down_s + 500) / 1000;
	}
}

void
history_sum(const struct conf *conf, const char *route, int seconds,
    struct history_sum *sum)
{
	history_parts(conf, route, seconds, 1, sum);
}

int64_t
history_noted(const struct conf *conf)
{
	struct moment m;
	struct reading r;

	if (!begin_reading(conf, NULL, &r) || !history_moment(r.h, r.last, &m))
		return 0;
	return m.end;
}

static int64_t
all_of(const struct history_sum *sum)
{
	int64_t all = 0;

	for (size_t i = 0; i < METRIC_BUCKETS; i++)
		all += sum->buckets[i];
	return all;
}

int64_t
history_quantile(const struct history_sum *sum, double part)
{
	double rank = part * (double)all_of(sum), below = 0;
	size_t i = 0;

	if (rank <= 0)
		return all_of(sum) ? 0 : -1;
	while (i < METRIC_BUCKETS - 1 && below + (double)sum->buckets[i] < rank)
		below += (double)sum->buckets[i++];
	/* Of what is above all bounds only that is known. */
	if (i == METRIC_BUCKETS - 1)
		return metric_bounds[METRIC_BUCKETS - 2];
	{
		int64_t from = i ? metric_bounds[i - 1] : 0;
		double within = (rank - below) / (double)sum->buckets[i];

		return from +
		    (int64_t)(within * (double)(metric_bounds[i] - from) + .5);
	}
}

int64_t
history_slow(const struct history_sum *sum)
{
	int64_t slow = 0;

	for (size_t i = 1; i < METRIC_BUCKETS; i++)
		slow += metric_bounds[i - 1] >= METRIC_SLOW_US ?
		    sum->buckets[i] :
		    0;
	return slow;
}
