/*
 * Tests lib/breaker: when it opens and closes, that one of many processes is
 * the probe, and that a file of no use does no harm.
 */
#include "breaker.h"

#include "log.h"
#include "secret.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_MS 60
#define PROCESSES 12

static char dir[] = "/tmp/seoga-breaker-XXXXXX";
static char *file;
static struct conf conf;

static struct breaker *
start(void)
{
	g_unlink(file);
	conf = (struct conf){ .breaker_file = file,
		.breaker_failures = 5,
		.breaker_timeout_s = 1,
		.breaker_probe_ms = PROBE_MS,
		.breaker_reset_s = 1 };
	return breaker_new(&conf, BREAKER_REDIS);
}

static bool
call(struct breaker *b, bool works)
{
	struct breaker_call c;

	if (!breaker_pass(b, &c))
		return false;
	breaker_done(b, &c, works);
	return true;
}

static void
fail_times(struct breaker *b, int n)
{
	while (n-- > 0)
		g_assert_true(call(b, false));
}

static const char *
state(const struct breaker *b)
{
	struct breaker_view view;

	breaker_look(b, &view);
	return view.state;
}

static int64_t
opened(const struct breaker *b)
{
	struct breaker_view view;

	breaker_look(b, &view);
	return view.opened;
}

static void
wait_ms(int ms)
{
	g_usleep((gulong)ms * 1000);
}

static void
test_opens(void)
{
	struct breaker *b = start();
	struct breaker_view view;

	fail_times(b, 4);
	g_assert_true(call(b, true)); /* not in a row */
	fail_times(b, 4);
	g_assert_cmpstr(state(b), ==, "closed");
	fail_times(b, 1);
	breaker_look(b, &view);
	g_assert_cmpstr(view.state, ==, "open");
	g_assert_cmpint(view.failures, ==, 5);
	g_assert_cmpint(view.opened, ==, 1);
	g_assert_cmpint(view.retry_after, ==, 1);
	g_assert_false(call(b, true));
	g_assert_false(call(b, true));
	breaker_free(b);
}

static void
test_probe_closes(void)
{
	struct breaker *b = start();
	struct breaker_call probe, other;

	fail_times(b, 5);
	wait_ms(PROBE_MS + 5);
	g_assert_true(breaker_pass(b, &probe));
	g_assert_cmpuint(probe.probe, !=, 0);
	g_assert_cmpstr(state(b), ==, "half-open");
	g_assert_false(breaker_pass(b, &other));
	breaker_done(b, &probe, true);
	g_assert_cmpstr(state(b), ==, "closed");
	fail_times(b, 4);
	g_assert_cmpstr(state(b), ==, "closed");
	g_assert_cmpint(opened(b), ==, 1);
	breaker_free(b);
}

/* Milliseconds until a call passes, which then fails. */
static int
until_probe(struct breaker *b)
{
	int64_t begin = log_now();

	while (!call(b, false))
		wait_ms(2);
	return (int)((log_now() - begin) / 1000);
}

static void
test_waits_longer(void)
{
	struct breaker *b = start();
	int ms, wait = PROBE_MS;

	fail_times(b, 5);
	for (int i = 0; i < 6; i++) {
		ms = until_probe(b);
		g_assert_cmpint(ms, >=, wait - wait / 8 - 1);
		g_assert_cmpint(ms, <=, wait + 200);
		wait = wait * 2 < 1000 ? wait * 2 : 1000;
	}
	g_assert_cmpint(opened(b), ==, 1);
	breaker_free(b);
}

/* What was sent before it opened says nothing about now. */
static void
test_late_answers(void)
{
	struct breaker *b = start();
	struct breaker_call late, later, probe;

	g_assert_true(breaker_pass(b, &late));
	g_assert_true(breaker_pass(b, &later));
	fail_times(b, 5);
	breaker_done(b, &late, true);
	g_assert_cmpstr(state(b), ==, "open");
	breaker_done(b, &later, false);
	g_assert_false(call(b, true));
	wait_ms(PROBE_MS + 5); /* not twice as long */
	g_assert_true(breaker_pass(b, &probe));
	breaker_done(b, &later, false);
	g_assert_cmpstr(state(b), ==, "half-open");
	breaker_done(b, &probe, true);
	g_assert_cmpstr(state(b), ==, "closed");
	breaker_free(b);
}

static void
test_timeout(void)
{
	struct breaker *b = start();
	struct breaker_call c;

	for (int i = 0; i < 5; i++) {
		g_assert_true(breaker_pass(b, &c));
		c.begin -= 1000001 + 1000;
		breaker_done(b, &c, true);
	}
	g_assert_cmpstr(state(b), ==, "open");
	breaker_free(b);
}

/* A worker that dies with the probe must not leave it open for good. */
static void
test_lost_probe(void)
{
	struct breaker *b = start();
	struct breaker_call lost, next;

	fail_times(b, 5);
	wait_ms(PROBE_MS + 5);
	g_assert_true(breaker_pass(b, &lost));
	wait_ms(300);
	g_assert_false(breaker_pass(b, &next));
	wait_ms(720);
	g_assert_true(breaker_pass(b, &next));
	breaker_done(b, &lost, false); /* it is not the probe any more */
	g_assert_cmpstr(state(b), ==, "half-open");
	breaker_done(b, &next, true);
	g_assert_cmpstr(state(b), ==, "closed");
	breaker_free(b);
}

static void
test_off(void)
{
	struct breaker *b = start();

	breaker_free(b);
	g_unlink(file);
	conf.breaker_failures = 0;
	b = breaker_new(&conf, BREAKER_REDIS);
	fail_times(b, 300);
	g_assert_cmpstr(state(b), ==, "closed");
	g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
	breaker_free(b);
}

static void
test_backends(void)
{
	struct breaker *redis = start();
	struct breaker *mariadb = breaker_new(&conf, BREAKER_MARIADB);

	fail_times(redis, 5);
	g_assert_false(call(redis, true));
	g_assert_true(call(mariadb, true));
	g_assert_cmpstr(state(mariadb), ==, "closed");
	breaker_free(redis);
	breaker_free(mariadb);
}

/* --- many processes --- */

struct shared {
	_Atomic int ready, go, passed, refused;
};

/* Each calls once, all at the same time. */
static void
stampede(struct shared *s, bool works)
{
	pid_t pids[PROCESSES];

	atomic_store(&s->ready, 0);
	atomic_store(&s->go, 0);
	atomic_store(&s->passed, 0);
	atomic_store(&s->refused, 0);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct breaker *b = breaker_new(&conf, BREAKER_REDIS);
			struct breaker_call c;
			bool pass;

			atomic_fetch_add(&s->ready, 1);
			while (!atomic_load(&s->go))
				g_usleep(100);
			pass = breaker_pass(b, &c);
			atomic_fetch_add(pass ? &s->passed : &s->refused, 1);
			while (
			    atomic_load(&s->passed) + atomic_load(&s->refused) <
			    PROCESSES)
				g_usleep(100);
			if (pass)
				breaker_done(b, &c, works);
			breaker_free(b);
			_exit(0);
		}
	}
	while (atomic_load(&s->ready) < PROCESSES)
		g_usleep(100);
	atomic_store(&s->go, 1);
	for (int i = 0; i < PROCESSES; i++)
		waitpid(pids[i], NULL, 0);
}

static struct shared *
shared_new(void)
{
	void *p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	g_assert_true(p != MAP_FAILED);
	return p;
}

static void
test_one_probe(void)
{
	struct breaker *b = start();
	struct shared *s = shared_new();

	fail_times(b, 5);
	for (int i = 0; i < 4; i++) {
		wait_ms(PROBE_MS << i);
		stampede(s, false);
		g_assert_cmpint(atomic_load(&s->passed), ==, 1);
		g_assert_cmpint(atomic_load(&s->refused), ==, PROCESSES - 1);
	}
	wait_ms(PROBE_MS << 4);
	stampede(s, true);
	g_assert_cmpint(atomic_load(&s->passed), ==, 1);
	g_assert_cmpstr(state(b), ==, "closed");
	stampede(s, true);
	g_assert_cmpint(atomic_load(&s->passed), ==, PROCESSES);
	g_assert_cmpint(opened(b), ==, 1);
	munmap(s, sizeof(*s));
	breaker_free(b);
}

/* They fail together: one breaker, opened once, for all of them. */
static void
test_fail_together(void)
{
	struct breaker *b = start();
	struct shared *s = shared_new();

	conf.breaker_probe_ms = 1000;
	stampede(s, false);
	g_assert_cmpint(atomic_load(&s->passed), ==, PROCESSES);
	g_assert_cmpstr(state(b), ==, "open");
	g_assert_cmpint(opened(b), ==, 1);
	stampede(s, false);
	g_assert_cmpint(atomic_load(&s->passed), ==, 0);
	munmap(s, sizeof(*s));
	breaker_free(b);
}

/* Without a rest, in disorder, some killed: it is never stuck. */
static void
test_disorder(void)
{
	struct breaker *b = start();
	pid_t pids[PROCESSES];

	conf.breaker_probe_ms = 10;
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct breaker *mine =
			    breaker_new(&conf, BREAKER_REDIS);

			for (;;) {
				call(mine, secret_below(10) < 3);
				g_usleep(secret_below(500));
			}
		}
	}
	wait_ms(400);
	for (int i = 0; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	g_assert_cmpint(opened(b), >, 0);
	for (int i = 0; i < 60 && !call(b, true); i++)
		wait_ms(50);
	g_assert_true(call(b, true));
	g_assert_cmpstr(state(b), ==, "closed");
	breaker_free(b);
}

/* --- the file --- */

static void
works_alone(const char *path)
{
	struct breaker *b;

	conf.breaker_file = path;
	b = breaker_new(&conf, BREAKER_REDIS);
	fail_times(b, 5);
	g_assert_false(call(b, true));
	breaker_free(b);
	b = breaker_new(&conf, BREAKER_REDIS);
	g_assert_true(call(b, true)); /* nobody told it */
	breaker_free(b);
}

static void
test_bad_files(void)
{
	char *link = g_strdup_printf("%s/link", dir);
	char other[400];

	breaker_free(start());
	works_alone(NULL);
	works_alone("/nonexistent/breaker");
	works_alone(dir);
	g_assert_cmpint(symlink(file, link), ==, 0);
	works_alone(link);
	memset(other, 'x', sizeof(other));
	g_assert_true(g_file_set_contents(file, other, sizeof(other), NULL));
	works_alone(file);
	g_unlink(link);
	g_free(link);
}

static void
test_short_file(void)
{
	struct breaker *a = start(), *b;

	breaker_free(a);
	g_assert_true(g_file_set_contents(file, "", 0, NULL));
	a = breaker_new(&conf, BREAKER_REDIS);
	b = breaker_new(&conf, BREAKER_REDIS);
	fail_times(a, 5);
	g_assert_false(call(b, true));
	breaker_free(a);
	breaker_free(b);
}

/* After a start of the machine its clock begins anew. */
static void
test_old_clock(void)
{
	struct breaker *b = start();
	uint64_t word;
	int fd;

	fail_times(b, 5);
	fd = open(file, O_RDWR | O_CLOEXEC);
	/* The state of Redis is in the third line of 64 bytes. */
	g_assert_cmpint(pread(fd, &word, sizeof(word), 128), ==, sizeof(word));
	g_assert_cmpuint(word & 0xff, ==, 5);
	word += (uint64_t)3600 * 1000 << 16;
	g_assert_cmpint(pwrite(fd, &word, sizeof(word), 128), ==, sizeof(word));
	close(fd);
	g_assert_true(call(b, true));
	g_assert_cmpstr(state(b), ==, "closed");
	breaker_free(b);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	log_open("t", "/dev/null");
	if (secret_init() < 0 || !mkdtemp(dir))
		return EXIT_FAILURE;
	file = g_strdup_printf("%s/breaker", dir);
	g_test_add_func("/breaker/opens", test_opens);
	g_test_add_func("/breaker/probe_closes", test_probe_closes);
	g_test_add_func("/breaker/waits_longer", test_waits_longer);
	g_test_add_func("/breaker/late_answers", test_late_answers);
	g_test_add_func("/breaker/timeout", test_timeout);
	g_test_add_func("/breaker/lost_probe", test_lost_probe);
	g_test_add_func("/breaker/off", test_off);
	g_test_add_func("/breaker/backends", test_backends);
	g_test_add_func("/breaker/one_probe", test_one_probe);
	g_test_add_func("/breaker/fail_together", test_fail_together);
	g_test_add_func("/breaker/disorder", test_disorder);
	g_test_add_func("/breaker/bad_files", test_bad_files);
	g_test_add_func("/breaker/short_file", test_short_file);
	g_test_add_func("/breaker/old_clock", test_old_clock);
	status = g_test_run();
	g_unlink(file);
	g_rmdir(dir);
	g_free(file);
	return status;
}
