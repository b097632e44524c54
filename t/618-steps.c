/*
 * Tests lib/steps: that a record is read whole or not at all, whenever who
 * writes it is killed; that files of another layout give way, others do not;
 * and when a step is over.
 */
#include "steps.h"

#include "log.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIND UINT64_C(0x5365676f54650000)
#define OTHER UINT64_C(0x5365676f54660001)
#define STEPS 3
#define VALUES 200

struct record {
	uint32_t step, twice;
	uint64_t values[VALUES];
};

struct board {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	_Atomic uint32_t step;
	_Atomic uint32_t records[STEPS][STEPS_WORDS(struct record)];
};

static char path[] = "/tmp/seoga-steps-XXXXXX";

static void
write_file(uint64_t magic)
{
	uint64_t words[1000];

	memset(words, 0xff, sizeof(words));
	words[0] = magic;
	g_assert_true(g_file_set_contents(
	    path, (const char *)words, sizeof(words), NULL));
}

/* As another process would. */
static struct board *
map_new(void)
{
	struct steps_file file = STEPS_FILE(KIND, struct board);

	return steps_map(&file, path);
}

static void
unmap(struct board *board)
{
	shared_unmap(board, sizeof(*board));
}

static void
put(struct board *board, uint32_t step)
{
	struct record record = { .step = step, .twice = 2 * step };

	for (size_t i = 0; i < VALUES; i++)
		record.values[i] = (uint64_t)step << 32 | (step + i);
	steps_put(board->records[step % STEPS], &record, sizeof(record));
}

/* What is there is whole. */
static bool
get(const struct board *board, uint32_t step)
{
	struct record record;

	if (!steps_get(
		board->records[step % STEPS], step, &record, sizeof(record)))
		return false;
	g_assert_cmpuint(record.step, ==, step);
	g_assert_cmpuint(record.twice, ==, 2 * step);
	for (size_t i = 0; i < VALUES; i++)
		if (record.values[i] != ((uint64_t)step << 32 | (step + i)))
			g_test_fail_printf("value %zu is torn", i);
	return true;
}

static void
test_record(void)
{
	struct record first = { 0 };
	struct board *board;

	g_unlink(path);
	board = map_new();
	g_assert_nonnull(board);
	g_assert_false(get(board, 0));
	g_assert_false(get(board, 1));
	put(board, 1);
	put(board, 2);
	g_assert_true(get(board, 1));
	g_assert_true(get(board, 2));
	put(board, 4);
	g_assert_false(get(board, 1));
	g_assert_true(get(board, 4));
	g_assert_true(steps_get(
	    board->records[2], 2, &first, offsetof(struct record, values)));
	g_assert_cmpuint(first.twice, ==, 4);
	g_assert_cmpuint(first.values[0], ==, 0);
	unmap(board);
	board = map_new();
	g_assert_true(get(board, 4));
	unmap(board);
}

static void
write_on(struct board *board)
{
	for (uint32_t step = board->step + 1;; step++) {
		put(board, step);
		board->step = step;
	}
}

/* Another process writes, and dies at any point. */
static void
test_killed(void)
{
	struct board *board = map_new();
	int found = 0, status;

	for (int i = 0; i < 40; i++) {
		int64_t end = log_now() + 10000 + 137 * i;
		pid_t pid = fork();

		if (pid == 0)
			write_on(board);
		while (log_now() < end) {
			found += get(board, board->step);
			(void)get(board, board->step + 1);
		}
		kill(pid, SIGKILL);
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		(void)get(board, board->step + 1);
		/* At most the one that was being written is missing. */
		g_assert_true(get(board, board->step));
		g_assert_true(get(board, board->step - 1));
	}
	g_assert_cmpint(found, >, 40);
	unmap(board);
}

static void
test_layouts(void)
{
	struct steps_file file = STEPS_FILE(KIND, struct board);
	struct board *old, *board;
	struct stat st;

	write_file(KIND | 1);
	board = steps_map(&file, path);
	g_assert_nonnull(board);
	g_assert_true(steps_map(&file, path) == board);
	g_assert_false(get(board, UINT32_MAX));
	g_assert_cmpuint(board->step, ==, 0);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);
	put(board, 7);
	/* Who still has the old file writes what nobody reads. */
	old = board;
	write_file(KIND | 1);
	board = map_new();
	put(old, 8);
	g_assert_false(get(board, 8));
	unmap(old);
	unmap(board);
}

/* It is nobody's to take away, and is not asked for again. */
static void
test_no_use(void)
{
	struct steps_file file = STEPS_FILE(KIND, struct board);
	struct steps_file none = file;

	g_assert_null(steps_map(&none, NULL));
	write_file(OTHER);
	g_assert_null(steps_map(&file, path));
	g_unlink(path);
	g_assert_null(steps_map(&file, path));
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_cut_short(void)
{
	struct board *board = map_new();

	put(board, 5);
	g_assert_cmpint(truncate(path, 0), ==, 0);
	g_assert_false(get(board, 5));
	put(board, 6);
	g_assert_true(get(board, 6));
	unmap(board);
}

/* In a process of its own, which asks for the first time.  Milliseconds until
 * the first step and until the one after it. */
static void
check_due(int64_t gone_ms, int first, int second)
{
	int64_t begun = log_now(), last = 0;
	int status;
	pid_t pid;

	if (gone_ms)
		last = log_clock() - gone_ms * 1000;
	pid = fork();
	if (pid == 0) {
		int ms[2];

		for (int i = 0; i < 2; i++) {
			while (!steps_due(1, last))
				g_usleep(2000);
			ms[i] = (int)((log_now() - begun) / 1000);
		}
		g_test_message("due after %d and %d ms", ms[0], ms[1]);
		_exit(ms[0] < first || ms[0] > first + 500 || ms[1] < second ||
		    ms[1] > second + 500);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
}

static void
test_due(void)
{
	check_due(0, 0, 1000);
	/* The step under way goes on, unless it was over long ago, or the
	 * clock was put back. */
	check_due(300, 699, 1699);
	check_due(5000, 0, 1000);
	check_due(-5000, 0, 1000);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	if (log_open("t", "/dev/null") < 0)
		return 1;
	close(g_mkstemp(path));
	g_test_add_func("/steps/record", test_record);
	g_test_add_func("/steps/killed", test_killed);
	g_test_add_func("/steps/layouts", test_layouts);
	g_test_add_func("/steps/no-use", test_no_use);
	g_test_add_func("/steps/cut-short", test_cut_short);
	g_test_add_func("/steps/due", test_due);
	status = g_test_run();
	g_unlink(path);
	return status;
}
