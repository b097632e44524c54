/*
 * counts -- what it costs to count one request with three statements and two
 * trips to Redis (lib/metric.h), alone and beside others on the same file.
 *
 *	make bench/counts && bench/counts
 */
#include "metric.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMES 2000000
#define MOST 4 /* processes */

static void
count_request(int64_t us)
{
	metric_busy(true);
	for (int i = 0; i < 3; i++)
		metric_sql(us);
	for (int i = 0; i < 2; i++)
		metric_redis(us);
	metric_cache(METRIC_CACHE_BOOK, METRIC_HIT);
	metric_request("GET", 200, us);
	metric_busy(false);
}

static void
count_all(const struct conf *conf)
{
	metric_open(conf, "counts");
	for (int i = 0; i < TIMES; i++)
		count_request(i % 1500);
	metric_leave();
}

/* CPU time of all processes that have ended. */
static int64_t
spent_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_CHILDREN, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * INT64_C(1000000) +
	    r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static void
measure(const struct conf *conf, int processes)
{
	int64_t before = spent_us();

	for (int i = 0; i < processes; i++) {
		if (fork() == 0) {
			count_all(conf);
			_exit(EXIT_SUCCESS);
		}
	}
	while (wait(NULL) > 0)
		;
	printf("%d at once: %lld ns of CPU a request\n", processes,
	    (long long)((spent_us() - before) * 1000 / TIMES / processes));
}

int
main(void)
{
	static char path[] = "/tmp/seoga-counts-XXXXXX";
	const struct conf conf = { .metric_file = path };
	int fd = mkstemp(path);

	if (fd < 0)
		return EXIT_FAILURE;
	close(fd);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int n = 1; n <= MOST; n *= 2)
		measure(&conf, n);
	unlink(path);
	return EXIT_SUCCESS;
}
