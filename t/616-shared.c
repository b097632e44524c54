/*
 * Tests lib/shared: what becomes of whoever has a file mapped that somebody
 * cuts short, and that other mistakes with memory are still fatal.
 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 20000
#define MAGIC UINT64_C(0x5365676f61746573)

static char file[] = "/tmp/seoga-shared-XXXXXX";

struct words {
	_Atomic uint64_t magic;
	_Atomic uint64_t word[SIZE / 8 - 1];
};

/* In a process of its own, as it may die. */
static int
in_child(void (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return status;
}

static void
check(bool ok, int code)
{
	if (!ok)
		_exit(code);
}

static void
block_term(void)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
}

static bool
is_to_leave(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGTERM) == 1;
}

static void
cut_short(void)
{
	struct words *w = shared_map(file, sizeof(*w), MAGIC);
	struct words *next;

	check(w, 1);
	block_term();
	w->word[2000] = 7;
	check(w->word[2000] == 7 && !is_to_leave(), 2);
	check(truncate(file, 0) == 0, 3);
	errno = ENOENT;
	w->word[2000]++;
	check(errno == ENOENT && w->word[2000] == 1, 4);
	check(w->magic == 0, 5);
	check(is_to_leave(), 6);
	/* The next one makes it whole. */
	next = shared_map(file, sizeof(*next), MAGIC);
	check(next && next->magic == MAGIC && next->word[2000] == 0, 7);
	shared_unmap(w, sizeof(*w));
	shared_unmap(next, sizeof(*next));
}

/* Who has not blocked it is not one that leaves so. */
static void
go_on(void)
{
	struct words *w = shared_map(file, sizeof(*w), MAGIC);

	check(w && truncate(file, 100) == 0, 1);
	w->word[1000] = 5;
	check(w->word[1000] == 5, 2);
}

static void
touch_another(void)
{
	struct words *w = shared_map(file, sizeof(*w), MAGIC), *other;
	int fd = open(file, O_RDWR);

	check(w, 1);
	other =
	    mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(other != MAP_FAILED && truncate(file, 0) == 0, 2);
	other->word[1000] = 5;
}

/* The place may be another's by now. */
static void
touch_unmapped(void)
{
	struct words *w = shared_map(file, sizeof(*w), MAGIC), *other;
	int fd = open(file, O_RDWR);

	check(w, 1);
	shared_unmap(w, sizeof(*w));
	other = mmap(w, sizeof(*w), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_FIXED, fd, 0);
	check(other == w && truncate(file, 0) == 0, 2);
	other->word[1000] = 5;
}

static void
test_cut_short(void)
{
	g_assert_cmpint(in_child(cut_short), ==, 0);
	g_assert_cmpint(in_child(go_on), ==, 0);
}

static void
test_others(void)
{
	int status = in_child(touch_another);

	g_assert_true(WIFSIGNALED(status));
	g_assert_cmpint(WTERMSIG(status), ==, SIGBUS);
	status = in_child(touch_unmapped);
	g_assert_true(WIFSIGNALED(status));
	g_assert_cmpint(WTERMSIG(status), ==, SIGBUS);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	close(g_mkstemp(file));
	g_test_add_func("/shared/cut-short", test_cut_short);
	g_test_add_func("/shared/others", test_others);
	status = g_test_run();
	g_unlink(file);
	return status;
}
