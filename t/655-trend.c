/*
 * Tests lib/trend: what is read back of the steps that were noted, that
 * counters may begin anew, and that no moment is read by halves, whenever who
 * writes is killed.
 */
#include "trend.h"

#include "log.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PARTS 6

static char dir[] = "/tmp/seoga-trend-XXXXXX";
static char *file, *metric_file;
static struct conf conf;

static int64_t
now_us(void)
{
	struct trend now;

	trend_now(&now);
	return now.us;
}

/* How many moments there are in the last minute. */
static int
known(void)
{
	struct trend moments[61];
	int n = 0;

	trend_read(&conf, now_us(), 60, 60, moments);
	for (size_t i = 0; i < 61; i++)
		if (moments[i].us &&
		    (i == 0 || moments[i].us != moments[i - 1].us))
			n++;
	return n;
}

static void
test_board(void)
{
	struct trend before, after;

	trend_now(&before);
	metric_add(METRIC_LOGINS, 3);
	metric_set(METRIC_USERS, 77);
	metric_sql(1500);
	metric_redis(200);
	metric_redis(9000000);
	metric_cache(METRIC_CACHE_BOOK, METRIC_MISS);
	metric_edge(200, 100, 1000);
	metric_edge(404, 100, 20);
	metric_edge(429, 100, 20);
	metric_edge(503, 7000, 20);
	trend_now(&after);
	g_assert_cmpuint(
	    after.counters[METRIC_LOGINS] - before.counters[METRIC_LOGINS], ==,
	    3);
	g_assert_cmpint(after.gauges[METRIC_USERS], ==, 77);
	g_assert_cmpuint(after.sql.sum_us - before.sql.sum_us, ==, 1500);
	g_assert_cmpuint(after.redis.buckets[METRIC_BUCKETS - 1] -
		before.redis.buckets[METRIC_BUCKETS - 1],
	    ==, 1);
	g_assert_cmpuint(after.caches[METRIC_CACHE_BOOK][METRIC_MISS], ==,
	    before.caches[METRIC_CACHE_BOOK][METRIC_MISS] + 1);
	g_assert_cmpuint(
	    after.codes[TREND_2XX] - before.codes[TREND_2XX], ==, 1);
	g_assert_cmpuint(
	    after.codes[TREND_4XX] - before.codes[TREND_4XX], ==, 2);
	g_assert_cmpuint(
	    after.codes[TREND_404] - before.codes[TREND_404], ==, 1);
	g_assert_cmpuint(
	    after.codes[TREND_429] - before.codes[TREND_429], ==, 1);
	g_assert_cmpuint(
	    after.codes[TREND_5XX] - before.codes[TREND_5XX], ==, 1);
	g_assert_cmpuint(after.codes[TREND_401], ==, before.codes[TREND_401]);
	g_assert_cmpuint(after.bytes - before.bytes, ==, 1060);
}

static void
test_steps(void)
{
	struct trend moments[PARTS + 1];

	trend_read(&conf, now_us(), 60, PARTS, moments);
	for (size_t i = 0; i <= PARTS; i++)
		g_assert_cmpint(moments[i].us, ==, 0);
	trend_note(&conf);
	g_assert_cmpint(known(), ==, 1);
	metric_add(METRIC_CART_ADDS, 5);
	g_usleep(1010000);
	trend_note(&conf);
	g_assert_cmpint(known(), ==, 2);
	trend_read(&conf, now_us(), 2, 2, moments);
	g_assert_cmpfloat(trend_seconds(&moments[1], &moments[2]), >, 0.9);
	g_assert_cmpfloat(trend_seconds(&moments[1], &moments[2]), <, 2);
	g_assert_cmpuint(trend_more(moments[1].counters[METRIC_CART_ADDS],
			     moments[2].counters[METRIC_CART_ADDS]),
	    ==, 5);
	/* Of a time before there is nothing. */
	trend_read(&conf, now_us() - INT64_C(3600000000), 60, PARTS, moments);
	for (size_t i = 0; i <= PARTS; i++)
		g_assert_cmpint(moments[i].us, ==, 0);
}

static void
test_differences(void)
{
	struct trend a = { .us = 5000000 }, b = { .us = 6500000 }, none = { 0 };

	g_assert_cmpfloat(trend_seconds(&a, &b), ==, 1.5);
	g_assert_cmpfloat(trend_seconds(&b, &a), ==, 0);
	g_assert_cmpfloat(trend_seconds(&none, &b), ==, 0);
	g_assert_cmpfloat(trend_seconds(&a, &none), ==, 0);
	g_assert_cmpuint(trend_more(7, 9), ==, 2);
	g_assert_cmpuint(trend_more(9, 9), ==, 0);
	/* The site was started anew in between. */
	g_assert_cmpuint(trend_more(900, 4), ==, 4);
}

/* More steps than there is room for: the file stays as it is. */
static void
test_size(void)
{
	struct stat st;

	g_assert_cmpint(stat(file, &st), ==, 0);
	g_assert_cmpint(st.st_size, <, 1024 * 1024);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);
}

static pid_t
start_writer(void)
{
	pid_t pid = fork();

	while (pid == 0)
		trend_note(&conf);
	return pid;
}

/* Each moment that is read is whole, and near the time that was asked for. */
static int
read_whole(void)
{
	int64_t now = now_us(), part = 4000000 / PARTS;
	struct trend moments[PARTS + 1];
	int whole = 0;

	trend_read(&conf, now, 4, PARTS, moments);
	for (int i = 0; i <= PARTS; i++) {
		int64_t asked = now - part * (PARTS - i);

		if (!moments[i].us)
			continue;
		g_assert_cmpint(moments[i].gauges[METRIC_USERS], ==, 77);
		g_assert_cmpint(moments[i].us, >=, asked - 3000000);
		g_assert_cmpint(moments[i].us, <=, asked + part);
		whole++;
	}
	return whole;
}

/* Another process writes, and dies at any point; the next one goes on. */
static void
test_halves(void)
{
	int whole = 0, status;

	for (int i = 0; i < 20; i++) {
		int64_t end = now_us() + 50000 + 1237 * i;
		pid_t pid = start_writer();

		while (now_us() < end)
			whole += read_whole();
		kill(pid, SIGKILL);
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		g_assert_true(WIFSIGNALED(status));
		whole += read_whole();
	}
	g_assert_cmpint(whole, >, 20);
	trend_note(&conf);
	g_assert_cmpint(read_whole(), >, 0);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	if (!g_mkdtemp(dir) || log_open("t", "/dev/null") < 0)
		return 1;
	file = g_build_filename(dir, "trend", NULL);
	metric_file = g_build_filename(dir, "metric", NULL);
	conf = (struct conf){ .trend_file = file,
		.metric_file = metric_file,
		.history_step_s = 1 };
	metric_open(&conf, NULL);
	g_test_add_func("/trend/board", test_board);
	g_test_add_func("/trend/steps", test_steps);
	g_test_add_func("/trend/differences", test_differences);
	g_test_add_func("/trend/size", test_size);
	g_test_add_func("/trend/halves", test_halves);
	status = g_test_run();
	g_unlink(file);
	g_unlink(metric_file);
	g_rmdir(dir);
	return status;
}
