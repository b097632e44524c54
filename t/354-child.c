/* lib/child: another program, for a moment, whatever it does. */
#include "../lib/child.h"
#include "../lib/log.h"
#include "req.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <unistd.h>

/* Runs a script of the shell. */
static int
run_for(const char *script, int ms, size_t max, struct buf *out, int *status)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	static const char *const env[] = { "GREETING=hello", NULL };
	const struct child child = { .path = "/bin/sh",
		.argv = argv,
		.env = env,
		.in = "what came in",
		.in_len = strlen("what came in"),
		.ms = ms };
	struct req *req = test_req_open();
	int rc;

	*out = (struct buf)BUF_INIT(max);
	*status = -1;
	rc = child_run(req, &child, out, status);
	buf_char(out, '\0');
	test_req_close(req);
	return rc;
}

static void
expect(const char *script, int expected, const char *said)
{
	struct buf out;
	int status;

	g_assert_cmpint(
	    run_for(script, 20000, 100000, &out, &status), ==, RC_OK);
	g_assert_cmpint(status, ==, expected);
	g_assert_cmpstr(out.data, ==, said);
	buf_free(&out);
}

static void
test_answers(void)
{
	expect("cat", 0, "what came in");
	expect("printf %s:%s \"$GREETING\" \"$HOME\"", 0, "hello:");
	expect("exit 65", 65, "");
	expect("printf half; exit 3", 3, "half");
	/* Input and output of its own, and an input that may be read twice. */
	expect("wc -c </dev/stdin; wc -c </dev/stdin", 0, "12\n12\n");
}

static void
test_signals(void)
{
	expect("kill -9 $$", 128 + SIGKILL, "");
	expect("kill -TERM $$", 128 + SIGTERM, "");
	expect("kill -PIPE $$", 128 + SIGPIPE, "");
}

/* Nothing of ours is open in it but the standard descriptors. */
static void
test_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY);
	char *script = g_strdup_printf("test -e /proc/$$/fd/0 &&"
				       " test -e /proc/$$/fd/2 &&"
				       " test ! -e /proc/$$/fd/%d",
	    fd);

	g_assert_cmpint(fd, >=, 3);
	expect(script, 0, "");
	g_free(script);
	close(fd);
}

static void
expect_down(const char *script, int ms, size_t max)
{
	int64_t start = log_now();
	struct buf out;
	int status;

	g_assert_cmpint(run_for(script, ms, max, &out, &status), ==, RC_DOWN);
	g_assert_cmpint(status, ==, -1);
	g_assert_cmpint(log_now() - start, <, 10000000);
	buf_free(&out);
}

static void
test_limits(void)
{
	expect_down("exec sleep 60", 100, 1000);
	/* It says no more, but does not leave. */
	expect_down("exec >&-; exec sleep 60", 100, 1000);
	expect_down("while :; do echo more and more; done", 20000, 1000);
}

static void
test_absent(void)
{
	const char *const argv[] = { "nothing", NULL };
	const struct child child = {
		.path = "/nonexistent/nothing", .argv = argv, .ms = 1000
	};
	struct req *req = test_req_open();
	struct buf out = BUF_INIT(10);
	int status;

	g_assert_cmpint(child_run(req, &child, &out, &status), ==, RC_BUG);
	g_assert_nonnull(strstr(test_log(), "cannot run /nonexistent/nothing"));
	buf_free(&out);
	test_req_close(req);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/child/answers", test_answers);
	g_test_add_func("/child/signals", test_signals);
	g_test_add_func("/child/descriptors", test_descriptors);
	g_test_add_func("/child/limits", test_limits);
	g_test_add_func("/child/absent", test_absent);
	return g_test_run();
}
