/*
 * Tests lib/metric: that nothing is lost or torn when many processes count
 * and some are killed, whose places the dead leave, and that a file of no use
 * does no harm.
 */
#include "metric.h"

#include "log.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 4
#define REQUESTS 100000
#define KILLED 12 /* one after the other */

static char dir[] = "/tmp/seoga-metric-XXXXXX";
static char *file;
static struct conf conf;

/* A new board; this process is nobody's. */
static const struct metric_board *
start(void)
{
	g_unlink(file);
	conf = (struct conf){ .metric_file = file };
	metric_open(&conf, NULL);
	return metric_board();
}

static const struct metric_route *
route_named(const char *name)
{
	const struct metric_board *b = metric_board();

	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		if (b->routes[i].claimed == METRIC_ROUTE_NAMED &&
		    strcmp(b->routes[i].name, name) == 0)
			return &b->routes[i];
	}
	return NULL;
}

static uint64_t
requests_of(const struct metric_route *r)
{
	uint64_t n = 0;

	for (int m = 0; m < METRIC_METHODS; m++) {
		for (int s = 0; s < METRIC_STATUSES; s++)
			n += r->requests[m][s];
	}
	return n;
}

static uint64_t
took_of(const struct metric_histogram *h)
{
	uint64_t n = 0;

	for (int i = 0; i < METRIC_BUCKETS; i++)
		n += h->buckets[i];
	return n;
}

static int
workers(void)
{
	const struct metric_board *b = metric_board();
	int n = 0;

	for (size_t i = 0; i < METRIC_WORKERS; i++)
		n += b->workers[i].pid != 0;
	return n;
}

/* What a child has done, told outside of the board. */
struct told {
	_Atomic uint64_t begun, done;
};

static struct told *
told_new(size_t n)
{
	void *p = mmap(NULL, n * sizeof(struct told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	g_assert_true(p != MAP_FAILED);
	return p;
}

/* One request with its statement and its trip; 7 us, to know the sum. */
static void
count_one(struct told *told)
{
	atomic_fetch_add(&told->begun, 1);
	metric_busy(true);
	metric_sql(3);
	metric_redis(2);
	metric_request("GET", 200, 7);
	metric_busy(false);
	atomic_fetch_add(&told->done, 1);
}

static pid_t
child(const char *prog, struct told *told, uint64_t n)
{
	pid_t pid = fork();

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		metric_open(&conf, prog);
		for (uint64_t i = 0; i < n; i++)
			count_one(told);
		metric_leave();
		_exit(0);
	}
	return pid;
}

static void
join(pid_t pid)
{
	int status;

	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
}

/* --- exactness --- */

static void
test_exact(void)
{
	const struct metric_board *b = start();
	struct told *told = told_new(PROCESSES);
	pid_t pids[PROCESSES];

	for (int i = 0; i < PROCESSES; i++)
		pids[i] = child("books", &told[i], REQUESTS);
	for (int i = 0; i < PROCESSES; i++)
		join(pids[i]);
	g_assert_cmpuint(
	    requests_of(route_named("books")), ==, PROCESSES * REQUESTS);
	g_assert_cmpuint(route_named("books")->took[METRIC_GET].sum_us, ==,
	    7 * PROCESSES * REQUESTS);
	g_assert_cmpuint(took_of(&route_named("books")->took[METRIC_GET]), ==,
	    PROCESSES * REQUESTS);
	g_assert_cmpuint(took_of(&b->sql), ==, PROCESSES * REQUESTS);
	g_assert_cmpuint(b->sql.sum_us, ==, 3 * PROCESSES * REQUESTS);
	g_assert_cmpuint(b->redis.sum_us, ==, 2 * PROCESSES * REQUESTS);
	g_assert_cmpuint(route_named("books")->starts, ==, PROCESSES);
	g_assert_cmpint(workers(), ==, 0);
	metric_bury();
	g_assert_cmpuint(route_named("books")->crashes, ==, 0);
	munmap(told, PROCESSES * sizeof(*told));
}

/* Those that are killed have counted all that they had done, and at most the
 * one more that they were at. */
static void
test_killed(void)
{
	const struct metric_board *b = start();
	struct told *told = told_new(PROCESSES + KILLED);
	uint64_t begun = 0, done = 0, counted;
	pid_t pids[PROCESSES], victim;

	for (int i = 0; i < PROCESSES; i++)
		pids[i] = child("books", &told[i], REQUESTS);
	for (int i = PROCESSES; i < PROCESSES + KILLED; i++) {
		victim = child("books", &told[i], UINT64_MAX);
		while (atomic_load(&told[i].done) < (uint64_t)100 * (uint64_t)i)
			g_usleep(100);
		kill(victim, SIGKILL);
		join(victim);
	}
	for (int i = 0; i < PROCESSES; i++)
		join(pids[i]);
	for (int i = 0; i < PROCESSES + KILLED; i++) {
		begun += told[i].begun;
		done += told[i].done;
	}
	g_assert_cmpuint(begun - done, <=, KILLED);
	counted = requests_of(route_named("books"));
	g_assert_cmpuint(counted, >=, done);
	g_assert_cmpuint(counted, <=, begun);
	g_assert_cmpuint(took_of(&b->sql), <=, begun);
	g_assert_cmpuint(took_of(&b->sql), >=, counted);
	g_assert_cmpuint(
	    counted - took_of(&route_named("books")->took[METRIC_GET]), <=,
	    KILLED);
	g_assert_cmpuint(
	    route_named("books")->took[METRIC_GET].sum_us % 7, ==, 0);
	g_assert_cmpint(workers(), ==, KILLED);
	metric_bury();
	g_assert_cmpint(workers(), ==, 0);
	g_assert_cmpuint(route_named("books")->crashes, ==, KILLED);
	g_assert_cmpuint(route_named("books")->starts, ==, PROCESSES + KILLED);
	metric_bury();
	g_assert_cmpuint(route_named("books")->crashes, ==, KILLED);
	munmap(told, (PROCESSES + KILLED) * sizeof(*told));
}

/* --- places --- */

/* Waits until it may go on, so that all do at once. */
struct gate {
	_Atomic int ready, go;
};

static pid_t
opens_at_once(struct gate *gate, const char *prog, bool waits)
{
	pid_t pid = fork();

	if (pid == 0) {
		atomic_fetch_add(&gate->ready, 1);
		while (!atomic_load(&gate->go))
			;
		metric_open(&conf, prog);
		metric_request("POST", 404, 1);
		atomic_fetch_add(&gate->ready, 1);
		while (waits)
			pause();
		metric_leave();
		_exit(0);
	}
	return pid;
}

static void
await(_Atomic int *value, int wanted)
{
	while (atomic_load(value) < wanted)
		g_usleep(100);
}

/* Everybody comes at once, with no file there yet, three of a name. */
static void
test_claim(void)
{
	struct gate *gate = mmap(NULL, sizeof(*gate), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct metric_board *b;
	pid_t pids[30];
	char name[METRIC_NAME];

	for (int round = 0; round < 20; round++) {
		g_unlink(file);
		atomic_store(&gate->ready, 0);
		atomic_store(&gate->go, 0);
		for (int i = 0; i < 30; i++) {
			snprintf(name, sizeof(name), "prog%d", i % 10);
			pids[i] = opens_at_once(gate, name, false);
		}
		await(&gate->ready, 30);
		atomic_store(&gate->go, 1);
		for (int i = 0; i < 30; i++)
			join(pids[i]);
		metric_open(&conf, NULL);
		b = metric_board();
		for (int i = 0; i < 10; i++) {
			snprintf(name, sizeof(name), "prog%d", i);
			g_assert_nonnull(route_named(name));
			g_assert_cmpuint(route_named(name)->starts, ==, 3);
			g_assert_cmpuint(
			    route_named(name)
				->requests[METRIC_POST][METRIC_4XX],
			    ==, 3);
		}
		g_assert_cmpuint(b->routes[10].claimed, ==, METRIC_ROUTE_FREE);
	}
	munmap(gate, sizeof(*gate));
}

/* Killed at their start, whenever that is: no place is lost for good, and
 * each that was taken is counted. */
static void
test_killed_at_start(void)
{
	const struct metric_board *b = start();
	uint64_t starts;

	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			for (;;) {
				metric_open(&conf, "hasty");
				metric_leave();
			}
		}
		g_usleep((gulong)i * 7);
		kill(pid, SIGKILL);
		join(pid);
	}
	metric_bury();
	g_assert_cmpint(workers(), ==, 0);
	g_assert_nonnull(route_named("hasty"));
	g_assert_cmpuint(b->routes[1].claimed, ==, METRIC_ROUTE_FREE);
	starts = route_named("hasty")->starts;
	g_assert_cmpuint(starts, >, 300);
	g_assert_cmpuint(route_named("hasty")->crashes, <=, 300);
	g_assert_cmpuint(route_named("hasty")->crashes, <=, starts);
	metric_open(&conf, "hasty");
	g_assert_cmpuint(route_named("hasty")->starts, ==, starts + 1);
	g_assert_cmpint(workers(), ==, 1);
	metric_leave();
	g_assert_cmpint(workers(), ==, 0);
}

/* What is alive stays; a number that is another's now does not count. */
static void
test_bury(void)
{
	struct gate *gate = mmap(NULL, sizeof(*gate), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct metric_board *b = (struct metric_board *)(uintptr_t)start();
	pid_t alive, zombie, again;

	atomic_store(&gate->go, 1);
	alive = opens_at_once(gate, "alive", true);
	zombie = opens_at_once(gate, "zombie", true);
	again = opens_at_once(gate, "again", true);
	await(&gate->ready, 6);
	g_assert_cmpint(workers(), ==, 3);
	metric_bury();
	g_assert_cmpint(workers(), ==, 3);
	kill(zombie, SIGKILL); /* and nobody waits for it */
	for (int i = 0; i < 1000 && route_named("zombie")->crashes == 0; i++) {
		g_usleep(1000);
		metric_bury();
	}
	g_assert_cmpuint(route_named("zombie")->crashes, ==, 1);
	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		if (b->workers[i].pid == (uint64_t)again)
			b->workers[i].started++;
	}
	metric_bury();
	g_assert_cmpuint(route_named("again")->crashes, ==, 1);
	g_assert_cmpuint(route_named("alive")->crashes, ==, 0);
	g_assert_cmpint(workers(), ==, 1);
	kill(alive, SIGKILL);
	kill(again, SIGKILL);
	join(alive);
	join(again);
	join(zombie);
	munmap(gate, sizeof(*gate));
}

/* Many bury at once: a crash counts once. */
static void
test_bury_at_once(void)
{
	struct told *told;
	pid_t pids[8];

	start();
	told = told_new(1);
	for (int i = 0; i < 50; i++) {
		pid_t pid = child("books", told, UINT64_MAX);

		while (workers() == 0 || told->done == 0)
			g_usleep(100);
		kill(pid, SIGKILL);
		join(pid);
		atomic_store(&told->done, 0);
		for (size_t j = 0; j < LENGTH(pids); j++) {
			pids[j] = fork();
			if (pids[j] == 0) {
				metric_bury();
				_exit(0);
			}
		}
		for (size_t j = 0; j < LENGTH(pids); j++)
			join(pids[j]);
		g_assert_cmpuint(
		    route_named("books")->crashes, ==, (uint64_t)i + 1);
		g_assert_cmpint(workers(), ==, 0);
	}
	munmap(told, sizeof(*told));
}

static void
test_full(void)
{
	const struct metric_board *b = start();
	char name[2 * METRIC_NAME];

	for (int i = 0; i < METRIC_ROUTES + 20; i++) {
		snprintf(name, sizeof(name), "prog%d", i);
		metric_open(&conf, name);
		metric_request("GET", 200, 1);
		metric_leave();
	}
	memset(name, 'x', METRIC_NAME);
	name[METRIC_NAME] = '\0';
	metric_open(&conf, name);
	metric_request("GET", 200, 1);
	metric_leave();
	b = metric_board();
	g_assert_cmpstr(b->routes[METRIC_ROUTES - 1].name, ==, "other");
	g_assert_cmpuint(
	    requests_of(&b->routes[METRIC_ROUTES - 1]), ==, 1 + 21);
	g_assert_cmpuint(requests_of(&b->routes[0]), ==, 1);
	/* More workers than there are places count all the same. */
	for (int i = 0; i < METRIC_WORKERS + 3; i++) {
		metric_open(&conf, "many");
		metric_busy(true);
	}
	g_assert_cmpint(workers(), ==, METRIC_WORKERS);
	g_assert_cmpuint(b->routes[METRIC_ROUTES - 1].starts, ==,
	    1 + 21 + METRIC_WORKERS + 3);
}

/* --- what is counted --- */

static void
test_kinds(void)
{
	static const struct {
		const char *method;
		int status;
		enum metric_method m;
		enum metric_status s;
	} cases[] = { { "GET", 200, METRIC_GET, METRIC_2XX },
		{ "HEAD", 304, METRIC_GET, METRIC_3XX },
		{ "POST", 499, METRIC_POST, METRIC_4XX },
		{ "PUT", 500, METRIC_PUT, METRIC_5XX },
		{ "DELETE", 599, METRIC_DELETE, METRIC_5XX },
		{ "get", 101, METRIC_OTHER_METHOD, METRIC_2XX },
		{ "", 0, METRIC_OTHER_METHOD, METRIC_2XX },
		{ "OPTIONS", 10000, METRIC_OTHER_METHOD, METRIC_5XX } };
	const struct metric_route *r;

	start();
	metric_open(&conf, "books");
	r = route_named("books");
	for (size_t i = 0; i < LENGTH(cases); i++) {
		uint64_t was = r->requests[cases[i].m][cases[i].s];

		metric_request(cases[i].method, cases[i].status, 1);
		g_assert_cmpuint(
		    r->requests[cases[i].m][cases[i].s], ==, was + 1);
		g_assert_cmpuint(requests_of(r), ==, i + 1);
	}
	metric_leave();
}

static void
test_buckets(void)
{
	const struct metric_board *b = start();

	for (int i = 0; i < METRIC_BUCKETS - 1; i++) {
		metric_sql(metric_bounds[i]);
		g_assert_cmpuint(b->sql.buckets[i], ==, i ? 2 : 1);
		metric_sql(metric_bounds[i] + 1);
		g_assert_cmpuint(b->sql.buckets[i + 1], ==, 1);
	}
	metric_redis(0);
	metric_redis(-5); /* a clock that went back */
	g_assert_cmpuint(b->redis.buckets[0], ==, 2);
	g_assert_cmpuint(b->redis.sum_us, ==, 0);
	metric_edge(200, 10, 20);
	metric_edge(599, 10, -1);
	metric_edge(600, 10, 0);
	metric_edge(-7, 10, 0);
	g_assert_cmpuint(b->edge.statuses[200], ==, 1);
	g_assert_cmpuint(b->edge.statuses[599], ==, 1);
	g_assert_cmpuint(b->edge.statuses[0], ==, 2);
	g_assert_cmpuint(b->edge.bytes, ==, 20);
	metric_add(METRIC_REVENUE, 5);
	metric_add(METRIC_REVENUE, -3); /* a counter never falls */
	metric_add(METRIC_REVENUE, 0);
	g_assert_cmpuint(b->counters[METRIC_REVENUE], ==, 5);
	metric_set(METRIC_BOOKS, -1);
	g_assert_cmpint(b->gauges[METRIC_BOOKS], ==, -1);
	metric_cache(METRIC_CACHE_POPULAR, METRIC_EARLY);
	g_assert_cmpuint(b->caches[METRIC_CACHE_POPULAR][METRIC_EARLY], ==, 1);
	for (int i = 0; i < METRIC_CACHES; i++)
		g_assert_nonnull(metric_cache_name((enum metric_cache)i));
}

/* A process that counts no requests, as commands are. */
static void
test_nobody(void)
{
	const struct metric_board *b = start();

	metric_busy(true);
	metric_request("GET", 200, 1);
	metric_leave();
	g_assert_cmpint(workers(), ==, 0);
	g_assert_cmpuint(b->routes[0].claimed, ==, METRIC_ROUTE_FREE);
	g_assert_cmpuint(b->begun, >, 1700000000);
}

/* A child that does something else must not give the place back. */
static void
test_fork(void)
{
	pid_t pid;

	start();
	metric_open(&conf, "books");
	pid = fork();
	if (pid == 0) {
		metric_leave();
		_exit(0);
	}
	join(pid);
	g_assert_cmpint(workers(), ==, 1);
	metric_leave();
	g_assert_cmpint(workers(), ==, 0);
}

/* --- the file --- */

/* Counts for itself, from zero. */
static void
works_alone(const char *path)
{
	uint64_t was;

	conf.metric_file = path;
	metric_open(&conf, "books");
	was = requests_of(route_named("books"));
	metric_request("GET", 200, 1);
	g_assert_cmpuint(requests_of(route_named("books")), ==, was + 1);
	metric_bury();
	metric_leave();
	conf.metric_file = file;
}

/* What was counted in the file so far. */
static uint64_t
counted(void)
{
	metric_open(&conf, NULL);
	return route_named("books") ? requests_of(route_named("books")) : 0;
}

static void
test_bad_files(void)
{
	char *link = g_strdup_printf("%s/link", dir);
	char other[400], *content;
	gsize len;

	start();
	works_alone(NULL);
	works_alone("/nonexistent/metric");
	works_alone(dir);
	works_alone("/dev/full");
	g_assert_cmpint(symlink(file, link), ==, 0);
	works_alone(link);
	g_assert_cmpuint(counted(), ==, 0);
	memset(other, 'x', sizeof(other));
	g_assert_true(g_file_set_contents(file, other, sizeof(other), NULL));
	works_alone(file);
	/* Whose it is, it stays. */
	g_assert_true(g_file_get_contents(file, &content, &len, NULL));
	g_assert_cmpmem(content, len, other, sizeof(other));
	g_free(content);
	g_unlink(file);
	if (geteuid() != 0) {
		start();
		g_assert_cmpint(chmod(file, 0400), ==, 0);
		works_alone(file);
		g_assert_cmpint(chmod(file, 0600), ==, 0);
		g_assert_cmpuint(counted(), ==, 0);
	}
	g_unlink(link);
	g_free(link);
}

/* A file with another layout makes room for a new one, whoever still has it;
 * all who come at once have the same new one. */
static void
test_earlier(void)
{
	struct metric_board *b = (struct metric_board *)(uintptr_t)start();
	struct gate *gate = mmap(NULL, sizeof(*gate), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t magic = b->magic;
	pid_t pids[8];

	memset(b, 0x55, sizeof(*b));
	b->magic = magic ^ 1;
	for (size_t i = 0; i < LENGTH(pids); i++)
		pids[i] = opens_at_once(gate, "books", false);
	await(&gate->ready, LENGTH(pids));
	atomic_store(&gate->go, 1);
	for (size_t i = 0; i < LENGTH(pids); i++)
		join(pids[i]);
	g_assert_cmpuint(counted(), ==, LENGTH(pids));
	g_assert_cmpuint(metric_board()->magic, ==, magic);
	g_assert_cmpuint(b->magic, ==, magic ^ 1);
	g_assert_cmpuint(b->counters[0], ==, UINT64_C(0x5555555555555555));
	munmap(gate, sizeof(*gate));
	munmap(b, sizeof(*b));
}

/* Cut short, it is filled up again. */
static void
test_short(void)
{
	start();
	metric_add(METRIC_LOGINS, 3);
	g_assert_cmpint(truncate(file, 4096), ==, 0);
	metric_open(&conf, NULL);
	g_assert_cmpuint(metric_board()->counters[METRIC_LOGINS], ==, 3);
	metric_set(METRIC_MEMORY, 1);
	metric_edge(200, 1, 1);
	g_assert_cmpuint(metric_board()->edge.statuses[200], ==, 1);
	metric_bury();
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_assert_nonnull(g_mkdtemp(dir));
	file = g_strdup_printf("%s/metric", dir);
	g_assert_cmpint(log_open("test", "/dev/null"), ==, RC_OK);
	g_test_add_func("/metric/exact", test_exact);
	g_test_add_func("/metric/killed", test_killed);
	g_test_add_func("/metric/claim", test_claim);
	g_test_add_func("/metric/killed-at-start", test_killed_at_start);
	g_test_add_func("/metric/bury", test_bury);
	g_test_add_func("/metric/bury-at-once", test_bury_at_once);
	g_test_add_func("/metric/full", test_full);
	g_test_add_func("/metric/kinds", test_kinds);
	g_test_add_func("/metric/buckets", test_buckets);
	g_test_add_func("/metric/nobody", test_nobody);
	g_test_add_func("/metric/fork", test_fork);
	g_test_add_func("/metric/bad-files", test_bad_files);
	g_test_add_func("/metric/earlier", test_earlier);
	g_test_add_func("/metric/short", test_short);
	status = g_test_run();
	g_unlink(file);
	g_rmdir(dir);
	g_free(file);
	return status;
}
