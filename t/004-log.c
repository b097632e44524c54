/* lib/log: one write a request, valid JSON whatever is logged, reopening. */
#include "../lib/log.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRACE "0123456789abcdef0123456789abcdef"

/*
 * While a capture lasts, descriptor 2 is a socket that keeps the writes
 * apart: one write, one packet.
 */
static int packets = -1, real_stderr = -1;

static void
capture_begin(void)
{
	int pair[2];

	g_assert_cmpint(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
	packets = pair[0];
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(pair[1], STDERR_FILENO);
	close(pair[1]);
	log_open("test", NULL);
}

/* One line of the log, parsed; NULL when it is no JSON object. */
static json_t *
parse(const char *line, size_t len)
{
	json_t *object = json_loadb(
	    line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

	g_assert_true(json_is_object(object));
	return object;
}

/* Appends every line of the text to the array. */
static void
parse_lines(json_t *lines, const char *text, size_t len)
{
	const char *end;

	for (; len; len -= (size_t)(end - text), text = end) {
		end = memchr(text, '\n', len);
		g_assert_nonnull(end);
		if (!end)
			return;
		end++;
		json_array_append_new(lines, parse(text, (size_t)(end - text)));
	}
}

/* The lines that were logged, and in how many writes. */
static json_t *
capture_end(int *writes)
{
	static char packet[200000];
	json_t *lines = json_array();
	ssize_t n;

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	*writes = 0;
	while ((n = recv(packets, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		++*writes;
		parse_lines(lines, packet, (size_t)n);
	}
	close(packets);
	return lines;
}

static const char *
text_of(json_t *lines, size_t i, const char *key)
{
	return json_string_value(
	    json_object_get(json_array_get(lines, i), key));
}

static void
test_one_write_a_request(void)
{
	json_t *lines;
	int writes, i;

	capture_begin();
	log_begin(TRACE);
	for (i = 0; i < 100; i++) {
		log_event(LOG_INFO, "db.query");
		log_str("name", "books");
		log_int("rows", i);
		log_end();
	}
	log_msg(LOG_WARN, "odd", "%d of %s", 7, "서가");
	log_flush();
	lines = capture_end(&writes);
	g_assert_cmpint(writes, ==, 1);
	g_assert_cmpuint(json_array_size(lines), ==, 101);
	g_assert_cmpint(json_integer_value(
			    json_object_get(json_array_get(lines, 99), "rows")),
	    ==, 99);
	g_assert_cmpstr(text_of(lines, 100, "msg"), ==, "7 of 서가");
	json_decref(lines);
}

static void
test_at_counts_from_begin(void)
{
	int64_t begin, before, after, at;
	json_t *lines;
	int writes;

	capture_begin();
	begin = log_begin(TRACE);
	g_usleep(2000);
	before = log_now();
	log_event(LOG_INFO, "db.query");
	log_end();
	after = log_now();
	log_flush();
	lines = capture_end(&writes);
	at =
	    json_integer_value(json_object_get(json_array_get(lines, 0), "at"));
	g_assert_cmpint(begin + at, >=, before);
	g_assert_cmpint(begin + at, <=, after);
	json_decref(lines);
}

static void
test_nothing_before_flush(void)
{
	json_t *lines;
	int writes;

	capture_begin();
	log_begin(TRACE);
	log_msg(LOG_INFO, "a", "b");
	lines = capture_end(&writes);
	g_assert_cmpint(writes, ==, 0);
	json_decref(lines);

	capture_begin();
	log_flush();
	log_flush();
	lines = capture_end(&writes);
	g_assert_cmpint(writes, ==, 1);
	json_decref(lines);
}

static bool
is_timestamp(const char *s)
{
	return g_regex_match_simple(
	    "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T"
	    "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{6}Z$",
	    s, 0, 0);
}

static void
test_keys(void)
{
	static const char *const levels[] = { "debug", "info", "warn",
		"error" };
	json_t *lines, *line;
	int writes, i;

	capture_begin();
	for (i = 0; i < 4; i++)
		log_msg((enum log_level)i, "outside", "x");
	log_begin(TRACE);
	log_event(LOG_INFO, "inside");
	log_str("null", NULL);
	log_strn("part", "abcdef", 3);
	log_int("big", INT64_MIN);
	log_end();
	log_flush();
	log_msg(LOG_INFO, "after", "x");
	lines = capture_end(&writes);
	g_assert_cmpint(writes, ==, 6);
	for (i = 0; i < 4; i++) {
		g_assert_cmpstr(
		    text_of(lines, (size_t)i, "lvl"), ==, levels[i]);
		g_assert_cmpstr(text_of(lines, (size_t)i, "trace"), ==, "");
	}
	line = json_array_get(lines, 4);
	g_assert_true(is_timestamp(text_of(lines, 4, "ts")));
	g_assert_cmpstr(text_of(lines, 4, "trace"), ==, TRACE);
	g_assert_cmpstr(text_of(lines, 4, "prog"), ==, "test");
	g_assert_cmpstr(text_of(lines, 4, "ev"), ==, "inside");
	g_assert_cmpstr(text_of(lines, 4, "part"), ==, "abc");
	g_assert_true(json_is_null(json_object_get(line, "null")));
	g_assert_cmpint(
	    json_integer_value(json_object_get(line, "pid")), ==, getpid());
	g_assert_cmpint(
	    json_integer_value(json_object_get(line, "big")), ==, INT64_MIN);
	g_assert_cmpint(json_integer_value(json_object_get(line, "at")), >=, 0);
	g_assert_cmpstr(text_of(lines, 5, "trace"), ==, "");
	g_assert_null(json_object_get(json_array_get(lines, 5), "at"));
	json_decref(lines);
}

static void
test_hostile_text(void)
{
	static const char *const texts[] = { "\"", "\\", "\\\"", "a\nb\r\n",
		"\",\"lvl\":\"error", "\x01\x02\x1b[31m\x7f", "\xff\xfe\xc0",
		"\xed\xa0\x80", "}\n{\"ev\":\"forged\"}\n", "서\xea\xb0",
		"%s%n%d" };
	char every[256];
	json_t *lines;
	int writes;
	size_t i;

	for (i = 0; i < sizeof(every); i++)
		every[i] = (char)i;
	capture_begin();
	log_begin(TRACE);
	for (i = 0; i < G_N_ELEMENTS(texts); i++)
		log_msg(LOG_INFO, "user", "%s", texts[i]);
	log_event(LOG_INFO, "bytes");
	log_strn("every", every, sizeof(every));
	log_end();
	log_flush();
	lines = capture_end(&writes);
	g_assert_cmpint(writes, ==, 1);
	g_assert_cmpuint(json_array_size(lines), ==, i + 1);
	for (i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_assert_cmpstr(text_of(lines, i, "ev"), ==, "user");
		g_assert_cmpstr(text_of(lines, i, "lvl"), ==, "info");
		if (g_utf8_validate(texts[i], -1, NULL))
			g_assert_cmpstr(text_of(lines, i, "msg"), ==, texts[i]);
	}
	json_decref(lines);
}

/* log_msg() cuts its text at 511 bytes, here within a character. */
static void
test_long_message(void)
{
	GString *text = g_string_new("x");
	json_t *lines;
	int writes;

	while (text->len < 600)
		g_string_append(text, "가");
	capture_begin();
	log_msg(LOG_INFO, "long", "%s", text->str);
	lines = capture_end(&writes);
	g_assert_cmpuint(json_array_size(lines), ==, 1);
	g_assert_true(g_str_has_prefix(text_of(lines, 0, "msg"), "x가가가"));
	json_decref(lines);
	g_string_free(text, TRUE);
}

static char *folder;

static char *
in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

/* The lines of a file, which is removed. */
static json_t *
take_file(const char *path)
{
	json_t *lines = json_array();
	char *text = NULL;
	gsize len = 0;

	g_assert_true(g_file_get_contents(path, &text, &len, NULL));
	parse_lines(lines, text, len);
	g_free(text);
	g_unlink(path);
	return lines;
}

/* A request that logs too much, or one line too long, loses none of the
 * lines that fit, and each is whole. */
static void
test_much(void)
{
	char *path = in_folder("much"), *huge = g_strnfill(600000, 'x');
	json_t *lines;
	size_t i, n;

	g_assert_cmpint(log_open("test", path), ==, RC_OK);
	log_begin(TRACE);
	for (i = 0; i < 5000; i++) {
		log_event(LOG_INFO, "db.query");
		log_int("n", (int64_t)i);
		log_end();
	}
	log_event(LOG_INFO, "huge");
	log_str("text", huge);
	log_str("more", "text");
	log_end();
	log_msg(LOG_INFO, "req.end", "x");
	log_flush();
	lines = take_file(path);
	n = json_array_size(lines);
	g_assert_cmpuint(n, ==, 5002);
	for (i = 0; i < 5000 &&
	     json_integer_value(
		 json_object_get(json_array_get(lines, i), "n")) == (int)i;
	     i++)
		;
	g_assert_cmpuint(i, ==, 5000);
	g_assert_cmpstr(text_of(lines, 5000, "ev"), ==, "log.cut");
	g_assert_cmpstr(text_of(lines, 5000, "trace"), ==, TRACE);
	g_assert_cmpstr(text_of(lines, 5001, "ev"), ==, "req.end");
	json_decref(lines);
	g_free(path);
	g_free(huge);
}

static void
test_reopen(void)
{
	char *path = in_folder("log"), *moved = in_folder("log.1");
	json_t *lines;

	g_assert_cmpint(log_open("test", path), ==, RC_OK);
	log_msg(LOG_INFO, "one", "x");
	g_assert_cmpint(g_rename(path, moved), ==, 0);
	log_msg(LOG_INFO, "two", "x");
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	log_begin(TRACE);
	log_msg(LOG_INFO, "three", "x");
	log_reopen();
	log_flush();
	lines = take_file(moved);
	g_assert_cmpuint(json_array_size(lines), ==, 2);
	g_assert_cmpstr(text_of(lines, 1, "ev"), ==, "two");
	json_decref(lines);
	lines = take_file(path);
	g_assert_cmpuint(json_array_size(lines), ==, 1);
	g_assert_cmpstr(text_of(lines, 0, "ev"), ==, "three");
	g_assert_cmpstr(text_of(lines, 0, "trace"), ==, TRACE);
	json_decref(lines);
	g_free(path);
	g_free(moved);
}

static int
open_descriptors(void)
{
	GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
	int n = 0;

	while (g_dir_read_name(dir))
		n++;
	g_dir_close(dir);
	return n;
}

static void
test_reopen_leaks_nothing(void)
{
	char *path = in_folder("log");
	int before, i;

	g_assert_cmpint(log_open("test", path), ==, RC_OK);
	before = open_descriptors();
	for (i = 0; i < 20; i++)
		log_reopen();
	g_assert_cmpint(open_descriptors(), ==, before);
	g_unlink(path);
	g_free(path);
}

/* The file cannot be opened again: the old one goes on, and says so. */
static void
test_reopen_fails(void)
{
	char *inner = in_folder("inner"), *path = in_folder("inner/log");
	char *moved = in_folder("moved");
	json_t *lines;

	g_assert_cmpint(g_mkdir(inner, 0700), ==, 0);
	g_assert_cmpint(log_open("test", path), ==, RC_OK);
	g_assert_cmpint(g_rename(path, moved), ==, 0);
	g_assert_cmpint(g_rmdir(inner), ==, 0);
	log_reopen();
	lines = take_file(moved);
	g_assert_cmpuint(json_array_size(lines), ==, 1);
	g_assert_cmpstr(text_of(lines, 0, "ev"), ==, "log.reopen");
	g_assert_nonnull(strstr(text_of(lines, 0, "msg"), "No such file"));
	json_decref(lines);
	g_assert_cmpint(log_open("test", path), ==, RC_BUG);
	g_free(inner);
	g_free(path);
	g_free(moved);
}

/* The last test: there is no way back from log_quiet(). */
static void
test_quiet(void)
{
	char *path = in_folder("quiet"), *huge = g_strnfill(600000, 'x');
	json_t *lines;

	g_assert_cmpint(log_open("test", path), ==, RC_OK);
	log_quiet();
	log_msg(LOG_DEBUG, "no", "x");
	log_msg(LOG_INFO, "no", "x");
	log_msg(LOG_WARN, "yes", "x");
	log_begin(TRACE);
	log_msg(LOG_INFO, "no", "x");
	log_msg(LOG_ERROR, "yes", "x");
	log_event(LOG_INFO, "no");
	log_str("text", huge);
	log_end();
	log_msg(LOG_WARN, "yes", "x");
	log_flush();
	lines = take_file(path);
	g_assert_cmpuint(json_array_size(lines), ==, 3);
	g_assert_cmpstr(text_of(lines, 0, "ev"), ==, "yes");
	g_assert_cmpstr(text_of(lines, 1, "ev"), ==, "yes");
	g_assert_cmpstr(text_of(lines, 2, "ev"), ==, "yes");
	json_decref(lines);
	g_free(path);
	g_free(huge);
}

static void
test_clock(void)
{
	int64_t before = log_now();

	g_usleep(20000);
	g_assert_cmpint(log_now() - before, >=, 20000);
	g_assert_cmpint(log_now() - before, <, 10000000);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	folder = g_dir_make_tmp("seoga-log-XXXXXX", NULL);
	/* Those that log to descriptor 2 come before the first file. */
	g_test_add_func("/log/one-write-a-request", test_one_write_a_request);
	g_test_add_func("/log/at-counts-from-begin", test_at_counts_from_begin);
	g_test_add_func("/log/nothing-before-flush", test_nothing_before_flush);
	g_test_add_func("/log/keys", test_keys);
	g_test_add_func("/log/hostile-text", test_hostile_text);
	g_test_add_func("/log/long-message", test_long_message);
	g_test_add_func("/log/clock", test_clock);
	g_test_add_func("/log/much", test_much);
	g_test_add_func("/log/reopen", test_reopen);
	g_test_add_func("/log/reopen-leaks-nothing", test_reopen_leaks_nothing);
	g_test_add_func("/log/reopen-fails", test_reopen_fails);
	g_test_add_func("/log/quiet", test_quiet);
	status = g_test_run();
	g_rmdir(folder);
	g_free(folder);
	return status;
}
