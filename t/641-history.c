/*
 * The history: what was counted comes back, step by step, whatever becomes of
 * the counters and of who writes it; quantiles are near the exact values.
 */
#include "history_internal.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

static struct conf conf;

/* Each test is a process of its own: files are mapped once for all. */
static void
begin(void)
{
	char *dir = g_dir_make_tmp("seoga-history-XXXXXX", NULL);

	g_assert_nonnull(dir);
	conf.metric_file = g_build_filename(dir, "metric", NULL);
	conf.history_file = g_build_filename(dir, "history", NULL);
	metric_open(&conf, "book");
	g_assert_nonnull(history_map(&conf));
	/* Mapped, they need no names any more. */
	g_unlink(conf.metric_file);
	g_unlink(conf.history_file);
	g_rmdir(dir);
	g_free(dir);
}

static struct history *
file(void)
{
	struct history *h = history_map(&conf);

	g_assert_nonnull(h);
	return h;
}

static struct history_sum
edge(int seconds)
{
	struct history_sum sum;

	history_sum(&conf, NULL, seconds, &sum);
	return sum;
}

static void
answer(int n, int status, int64_t us)
{
	while (n-- > 0) {
		metric_edge(status, us, 100);
		metric_request("GET", status, us);
	}
}

static void
test_counts(void)
{
	struct history_sum sum;

	begin();
	g_assert_cmpint(edge(60).requests, ==, 0);
	g_assert_cmpint(history_noted(&conf), ==, 0);
	history_note(&conf);
	answer(7, 200, 1500);
	answer(2, 404, 300);
	answer(1, 503, 700000);
	g_usleep(1200000);
	history_note(&conf);
	answer(5, 302, 100);
	history_note(&conf);
	sum = edge(60);
	g_assert_cmpint(sum.requests, ==, 15);
	g_assert_cmpint(sum.failed4, ==, 2);
	g_assert_cmpint(sum.failed5, ==, 1);
	g_assert_cmpint(sum.bytes, ==, 1500);
	g_assert_cmpint(sum.sum_us, ==, 7 * 1500 + 2 * 300 + 700000 + 500);
	g_assert_cmpint(history_slow(&sum), ==, 1);
	/* 1 of 10 failed in the first of the two. */
	g_assert_cmpint(sum.down_s, >=, 1);
	g_assert_cmpint(sum.seconds, >=, sum.down_s);
	g_assert_cmpint(sum.seconds, <=, 4);
	history_sum(&conf, "book", 60, &sum);
	g_assert_cmpint(sum.requests, ==, 15);
	g_assert_cmpint(sum.failed5, ==, 1);
	history_sum(&conf, "books", 60, &sum);
	g_assert_cmpint(sum.requests, ==, 0);
	/* It is watched, but there is nothing. */
	g_assert_cmpint(sum.seconds, >=, 1);
	g_assert_cmpint(history_quantile(&sum, .5), ==, -1);
}

static void
test_parts(void)
{
	struct history_sum parts[6];
	int64_t all = 0;

	begin();
	history_note(&conf);
	for (int i = 1; i <= 4; i++) {
		answer(i, 200, 1000);
		g_usleep(500000);
		history_note(&conf);
	}
	/* Half a second each. */
	history_parts(&conf, NULL, 3, 6, parts);
	for (int i = 0; i < 6; i++)
		all += parts[i].requests;
	g_assert_cmpint(all, ==, 10);
	g_assert_cmpint(parts[5].requests, ==, 4);
	history_parts(&conf, NULL, 3600, 6, parts);
	g_assert_cmpint(parts[5].requests, ==, 10);
	g_assert_cmpint(parts[0].seconds, ==, 0);
}

/* The time of day is set; the next step takes no longer for that. */
static void
test_clock_set(void)
{
	static const int64_t hours[] = { 8, -8 };
	struct history *h;

	begin();
	h = file();
	history_note(&conf);
	for (size_t i = 0; i < LENGTH(hours); i++) {
		struct moment moment;

		answer(1, 503, 1000);
		h->banks[h->step & 1].end -= hours[i] * 3600 * 1000000;
		g_usleep(20000);
		history_note(&conf);
		g_assert_true(history_moment(h, h->step, &moment));
		g_assert_cmpint(moment.ms, >=, 20);
		g_assert_cmpint(moment.ms, <, 60000);
	}
	g_assert_cmpint(edge(60).requests, ==, 2);
}

/* The board is as new as a board can be: its counters began at zero. */
static void
test_new_board(void)
{
	struct metric_board *board;
	struct history_sum sum;

	begin();
	board = (struct metric_board *)(uintptr_t)metric_board();
	history_note(&conf);
	answer(10, 200, 1000);
	history_note(&conf);
	/* The site was started anew. */
	atomic_store(&board->begun, (uint64_t)time(NULL) + 1);
	atomic_store(&board->edge.statuses[200], 0);
	for (int i = 0; i < METRIC_BUCKETS; i++)
		atomic_store(&board->edge.took.buckets[i], 0);
	answer(4, 200, 1000);
	history_note(&conf);
	sum = edge(60);
	g_assert_cmpint(sum.requests, ==, 14);
	/* A counter that goes back within a board began anew, too. */
	atomic_store(&board->edge.statuses[200], 3);
	history_note(&conf);
	g_assert_cmpint(edge(60).requests, ==, 17);
}

/* A history that is new beside an old board does not know when that was. */
static void
test_old_board(void)
{
	struct metric_board *board;

	begin();
	board = (struct metric_board *)(uintptr_t)metric_board();
	atomic_store(&board->begun, (uint64_t)time(NULL) - 5000);
	answer(1000, 200, 1000);
	history_note(&conf);
	g_assert_cmpint(edge(3600).requests, ==, 0);
	answer(3, 200, 1000);
	history_note(&conf);
	g_assert_cmpint(edge(3600).requests, ==, 3);
}

/* Who writes dies halfway: nothing of it shows, and nothing is lost. */
static void
test_half_written(void)
{
	struct history_sum sum;
	struct slot half = { .requests = 8 };
	struct history *h;
	uint32_t next;

	begin();
	h = file();
	history_note(&conf);
	answer(5, 200, 1000);
	history_note(&conf);
	answer(8, 200, 1000);
	next = atomic_load(&h->step) + 1;
	/* As far as the slots and some of the counts. */
	half.step = next;
	steps_put(h->slots[0][next % HISTORY_STEPS], &half, sizeof(half));
	h->banks[next & 1].counts[0].requests = 13;
	g_assert_cmpint(edge(60).requests, ==, 5);
	history_note(&conf);
	g_assert_cmpint(edge(60).requests, ==, 13);
	/* A slot being written bears no number, and does not count. */
	atomic_store(&h->slots[0][next % HISTORY_STEPS][0], 0);
	sum = edge(60);
	g_assert_cmpint(sum.requests, ==, 5);
}

/* More than an hour of steps: the oldest make room. */
static void
test_around(void)
{
	begin();
	history_note(&conf);
	for (int i = 0; i < 3 * HISTORY_STEPS; i++) {
		answer(1, 200, 1000);
		history_note(&conf);
	}
	g_assert_cmpint(edge(3600).requests, >=, HISTORY_STEPS - 2);
	g_assert_cmpint(edge(3600).requests, <=, HISTORY_STEPS);
}

/* Between n - 1 and n of equal steps within its bucket, it is exact. */
static void
test_quantiles(void)
{
	struct history_sum sum = { 0 };
	int64_t exact[] = { 500000, 900000, 950000, 990000, 1000000 };
	double parts[] = { .5, .9, .95, .99, 1 };

	/* 1, 2, ... 1,000,000 us, each once. */
	for (size_t i = 0; i < METRIC_BUCKETS - 1; i++) {
		int64_t below = i ? metric_bounds[i - 1] : 0;
		int64_t top = MIN(metric_bounds[i], 1000000);

		sum.buckets[i] = top > below ? top - below : 0;
	}
	for (size_t i = 0; i < LENGTH(parts); i++)
		g_assert_cmpint(
		    ABS(history_quantile(&sum, parts[i]) - exact[i]), <=, 1);
	g_assert_cmpint(history_slow(&sum), ==, 800000);
	/* Above all bounds only the last of them is known. */
	sum = (struct history_sum){ 0 };
	sum.buckets[METRIC_BUCKETS - 1] = 3;
	g_assert_cmpint(history_quantile(&sum, .5), ==, 5000000);
	sum.buckets[0] = 97;
	g_assert_cmpint(history_quantile(&sum, .97), ==, 500);
	g_assert_cmpint(history_quantile(&sum, .98), ==, 5000000);
}

/* Against values that were drawn: never outside of the exact one's bucket. */
static void
test_drawn(void)
{
	GRand *rand = g_rand_new_with_seed(4);

	begin();
	for (int round = 0; round < 20; round++) {
		struct history_sum sum = { 0 };
		int64_t values[999];

		for (size_t i = 0; i < LENGTH(values); i++) {
			size_t b = 0;

			values[i] = (int64_t)g_rand_int_range(rand, 1, 3000)
			    << g_rand_int_range(rand, 0, 13);
			while (b < METRIC_BUCKETS - 1 &&
			    values[i] > metric_bounds[b])
				b++;
			sum.buckets[b]++;
		}
		for (int p = 1; p < 100; p++) {
			int64_t rank = (p * 999 + 99) / 100;
			int64_t got = history_quantile(&sum, p / 100.0);
			int64_t below = 0, seen = 0;
			size_t b = 0;

			while (seen + sum.buckets[b] < rank)
				seen += sum.buckets[b++];
			below = b ? metric_bounds[b - 1] : 0;
			g_assert_cmpint(got, >=, below);
			if (b < METRIC_BUCKETS - 1)
				g_assert_cmpint(got, <=, metric_bounds[b]);
		}
	}
	g_rand_free(rand);
}

/* A file of an earlier version gives way to a new one. */
static void
test_earlier(void)
{
	static const uint64_t was[3] = { UINT64_C(0x5365676f61486931), 5, 5 };
	char *path = NULL;
	int fd = g_file_open_tmp("seoga-history-XXXXXX", &path, NULL);

	g_assert_cmpint(write(fd, was, sizeof(was)), ==, sizeof(was));
	close(fd);
	conf.history_file = path;
	g_assert_cmpint(history_noted(&conf), ==, 0);
	history_note(&conf);
	g_assert_cmpint(history_noted(&conf), >, 0);
	g_unlink(path);
	g_free(path);
}

/* Without a file there are no figures, and nobody minds. */
static void
test_no_file(void)
{
	struct history_sum sum;

	conf.history_file = NULL;
	history_note(&conf);
	history_sum(&conf, NULL, 60, &sum);
	g_assert_cmpint(sum.requests, ==, 0);
	g_assert_cmpint(sum.seconds, ==, 0);
	g_assert_cmpint(history_noted(&conf), ==, 0);
}

/* Runs the test in a process of its own, which shares nothing with others. */
static void
alone(gconstpointer test)
{
	if (g_test_subprocess()) {
		void (*run)(void);

		memcpy(&run, &test, sizeof(run));
		run();
		return;
	}
	g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
	g_test_trap_assert_passed();
}

static void
add(const char *name, void (*test)(void))
{
	gconstpointer data;

	memcpy(&data, &test, sizeof(data));
	g_test_add_data_func(name, data, alone);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	add("/history/counts", test_counts);
	add("/history/parts", test_parts);
	add("/history/clock-set", test_clock_set);
	add("/history/new-board", test_new_board);
	add("/history/old-board", test_old_board);
	add("/history/half-written", test_half_written);
	add("/history/around", test_around);
	add("/history/quantiles", test_quantiles);
	add("/history/drawn", test_drawn);
	add("/history/earlier", test_earlier);
	add("/history/no-file", test_no_file);
	return g_test_run();
}
