/*
 * lib/ring: pieces go through whole and in order, from many processes, also
 * from those that are killed in the middle; a full ring drops, and counts.
 */
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"

#define SLOTS 2046
#define SLOT_SIZE 2048
#define SLOT_DATA 2024
#define HEAD_SIZE 4096
#define PIECE_MAX (64 * SLOT_DATA)
#define WRITERS 4

static char *path;

static struct ring *
open_new(void)
{
	struct ring *ring;

	unlink(path);
	ring = ring_open(path);
	g_assert_nonnull(ring);
	return ring;
}

static uint64_t *
map_file(void)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *map = mmap(NULL, HEAD_SIZE + SLOTS * SLOT_SIZE,
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	g_assert_true(map != MAP_FAILED);
	close(fd);
	return map;
}

/* --- pieces that tell whether they are whole --- */

/* One line of about that length: who wrote it, the how many-eth it is, its
 * length, and letters that follow from these. */
static size_t
make_piece(char *out, int writer, int number, size_t len)
{
	size_t i =
	    (size_t)snprintf(out, len, "%d %d %zu ", writer, number, len);

	for (; i < len - 1; i++)
		out[i] = (char)('a' + (writer + number + (int)i) % 26);
	out[len - 1] = '\n';
	return len;
}

/* Looks at the pieces in a text; next[] is what each writer must be at or
 * beyond.  Gives how many are there; what is torn fails the test. */
static size_t
check_pieces(const struct buf *out, int next[WRITERS])
{
	static char expected[PIECE_MAX + 1];
	const char *s = out->data, *stop = s + out->len;
	size_t n = 0;

	for (; s < stop; n++) {
		char *at;
		long writer = strtol(s, &at, 10);
		long number = strtol(at, &at, 10);
		size_t len = (size_t)strtol(at, &at, 10);

		if (writer < 0 || writer >= WRITERS || len < 32 ||
		    len > PIECE_MAX || len > (size_t)(stop - s)) {
			g_test_fail_printf("torn: %.60s", s);
			return n;
		}
		make_piece(expected, (int)writer, (int)number, len);
		if (memcmp(s, expected, len) != 0) {
			g_test_fail_printf("changed: %.60s", s);
			return n;
		}
		if (number < next[writer])
			g_test_fail_printf("%ld of %ld came after %d", number,
			    writer, next[writer]);
		next[writer] = (int)number + 1;
		s += len;
	}
	return n;
}

/* Takes what there is; how many pieces. */
static size_t
take(struct ring *ring, int next[WRITERS])
{
	struct buf out = BUF_INIT(8 << 20);
	size_t said = ring_take(ring, &out);

	if (out.len)
		g_assert_cmpuint(check_pieces(&out, next), ==, said);
	else
		g_assert_cmpuint(said, ==, 0);
	buf_free(&out);
	return said;
}

static bool
put(struct ring *ring, int writer, int number, size_t len)
{
	static char piece[PIECE_MAX + 1];

	make_piece(piece, writer, number, len);
	return ring_put(ring, piece, len);
}

/* --- one process --- */

static void
test_one(void)
{
	static const size_t lengths[] = { 32, 100, SLOT_DATA - 1, SLOT_DATA,
		SLOT_DATA + 1, 3 * SLOT_DATA, 20000, PIECE_MAX };
	struct ring *ring = open_new();
	int next[WRITERS] = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++)
		g_assert_true(put(ring, 0, (int)i, lengths[i]));
	g_assert_cmpint(ring_dropped(ring), ==, 0);
	g_assert_cmpuint(take(ring, next), ==, G_N_ELEMENTS(lengths));
	g_assert_cmpint(next[0], ==, G_N_ELEMENTS(lengths));
	g_assert_cmpuint(take(ring, next), ==, 0);
	ring_close(ring);
}

/* What is larger than a piece comes in several, split at ends of lines; a
 * line that is larger is left out. */
static void
test_large(void)
{
	struct ring *ring = open_new();
	GString *text = g_string_new("");
	struct buf out = BUF_INIT(8 << 20);
	char *huge = g_strnfill(PIECE_MAX + 1, 'x');

	while (text->len < 3 * PIECE_MAX)
		g_string_append_printf(
		    text, "line %zu of some length\n", text->len);
	g_assert_true(ring_put(ring, text->str, text->len));
	g_assert_cmpuint(ring_take(ring, &out), ==, 4);
	g_assert_cmpmem(out.data, out.len, text->str, text->len);

	buf_reset(&out);
	g_string_assign(text, "one\n");
	g_string_append_printf(text, "%s\ntwo\n", huge);
	g_assert_false(ring_put(ring, text->str, text->len));
	g_assert_cmpint(ring_dropped(ring), ==, 1);
	ring_take(ring, &out);
	g_assert_cmpstr(out.data, ==, "one\ntwo\n");
	buf_free(&out);
	g_free(huge);
	g_string_free(text, TRUE);
	ring_close(ring);
}

static void
test_full(void)
{
	struct ring *ring = open_new();
	int next[WRITERS] = { 0 }, n = 0;

	/* Twice: what was full once is as good as new. */
	for (int turn = 1; turn <= 2; turn++) {
		for (int i = 0; i < SLOTS; i++)
			g_assert_true(put(ring, 0, n++, 40));
		g_assert_false(put(ring, 0, n++, 40));
		g_assert_false(put(ring, 0, n++, 5000));
		g_assert_cmpint(ring_dropped(ring), ==, 2 * turn);
		g_assert_cmpuint(take(ring, next), ==, SLOTS);
	}
	/* A piece that finds half of its room leaves that to others. */
	for (int i = 0; i < SLOTS - 1; i++)
		g_assert_true(put(ring, 0, n++, 40));
	g_assert_false(put(ring, 0, n++, 5000));
	g_assert_cmpuint(take(ring, next), ==, SLOTS - 1);
	for (int i = 0; i < SLOTS; i++)
		g_assert_true(put(ring, 0, n++, 40));
	ring_close(ring);
}

/* The reader has little room: the rest stays. */
static void
test_little_room(void)
{
	struct ring *ring = open_new();
	struct buf out = BUF_INIT(10000);
	int next[WRITERS] = { 0 };
	size_t n = 0;

	for (int i = 0; i < 100; i++)
		g_assert_true(put(ring, 0, i, 3000));
	for (int i = 0; i < 33; i++) {
		buf_reset(&out);
		n += ring_take(ring, &out);
		g_assert_cmpuint(out.len, ==, 9000);
		check_pieces(&out, next);
	}
	g_assert_cmpuint(n, ==, 99);
	g_assert_cmpuint(take(ring, next), ==, 1);
	g_assert_cmpint(next[0], ==, 100);
	buf_free(&out);
	ring_close(ring);
}

/* Little traffic stays in the first slots, so that it touches few pages. */
static void
test_few_pages(void)
{
	struct ring *ring = open_new();
	int next[WRITERS] = { 0 }, n = 0;
	uint64_t *words, used = 0;

	for (int i = 0; i < 1000; i++) {
		for (int j = 0; j < 10; j++)
			g_assert_true(put(ring, 0, n++, 1000));
		g_assert_cmpuint(take(ring, next), ==, 10);
	}
	words = map_file();
	for (size_t i = 0; i < SLOTS * SLOT_SIZE / 8; i++) {
		if (words[HEAD_SIZE / 8 + i])
			used = i * 8 / SLOT_SIZE + 1;
	}
	g_assert_cmpuint(used, ==, 10);
	munmap(words, HEAD_SIZE + SLOTS * SLOT_SIZE);
	ring_close(ring);
}

/* --- many processes --- */

/* Writes until it is killed, or n pieces; the number of those that were
 * taken goes to *done. */
static pid_t
spawn_writer(int writer, int first, int n, int *done)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct ring *ring = ring_open(path);
		unsigned seed = (unsigned)(writer * 1000 + first);

		for (int i = 0; ring && (n == 0 || i < n); i++) {
			size_t len = 32 + (size_t)rand_r(&seed) % 6000;

			if (rand_r(&seed) % 50 == 0)
				len *= 10;
			if (put(ring, writer, first + i, len))
				++*done;
			if (i % 64 == 0)
				usleep(1000);
		}
		_exit(0);
	}
	return pid;
}

static int *
shared_numbers(size_t n)
{
	int *map = mmap(NULL, n * sizeof(*map), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	g_assert_true(map != MAP_FAILED);
	return map;
}

static void
test_many_writers(void)
{
	struct ring *ring = open_new();
	int next[WRITERS] = { 0 }, *done = shared_numbers(WRITERS);
	const int each = 10000;
	int64_t taken = 0, put_in = 0;
	int left = WRITERS;

	for (int i = 0; i < WRITERS; i++)
		g_assert_cmpint(spawn_writer(i, 0, each, &done[i]), >, 0);
	while (left) {
		taken += (int64_t)take(ring, next);
		while (left && waitpid(-1, NULL, WNOHANG) > 0)
			left--;
		usleep(500);
	}
	taken += (int64_t)take(ring, next);
	for (int i = 0; i < WRITERS; i++)
		put_in += done[i];
	g_assert_cmpint(taken, ==, put_in);
	g_assert_cmpint(
	    taken + ring_dropped(ring), ==, (int64_t)each * WRITERS);
	g_assert_cmpint(taken, >, 1000);
	g_test_message("%" G_GINT64_FORMAT " taken, %" G_GINT64_FORMAT
		       " dropped",
	    taken, ring_dropped(ring));
	munmap(done, WRITERS * sizeof(*done));
	ring_close(ring);
}

/* Nothing is in use any more: all slots can be had. */
static void
check_empty(struct ring *ring)
{
	int next[WRITERS] = { 0 };

	for (int i = 0; i < 130; i++)
		take(ring, next);
	memset(next, 0, sizeof(next));
	for (int i = 0; i < SLOTS; i++) {
		if (!put(ring, 0, i, 40)) {
			g_test_fail_printf("only %d slots are free", i);
			break;
		}
	}
	g_assert_cmpuint(take(ring, next), ==, SLOTS);
}

/* Kills writers all the while, wherever they are: what was put comes out
 * whole or, of the one that was being written, not at all. */
static void
test_killed_writers(void)
{
	struct ring *ring = open_new();
	int next[WRITERS] = { 0 }, *done = shared_numbers(1);
	int begun[WRITERS] = { 0 };
	pid_t pids[WRITERS];
	unsigned seed = 4711;
	size_t taken = 0;

	for (int i = 0; i < WRITERS; i++)
		pids[i] = spawn_writer(i, 0, 0, done);
	for (int kills = 0; kills < 200; kills++) {
		int i = rand_r(&seed) % WRITERS;

		usleep((useconds_t)(rand_r(&seed) % 3000));
		kill(pids[i], SIGKILL);
		/* Before it is waited for, it is a zombie. */
		taken += take(ring, next);
		waitpid(pids[i], NULL, 0);
		begun[i] += 1000000;
		pids[i] = spawn_writer(i, begun[i], 0, done);
	}
	for (int i = 0; i < WRITERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	taken += take(ring, next);
	g_assert_cmpuint(taken, >, 1000);
	g_test_message("%zu taken, %" G_GINT64_FORMAT " dropped", taken,
	    ring_dropped(ring));
	check_empty(ring);
	munmap(done, sizeof(*done));
	ring_close(ring);
}

/* The state of a slot that a process has taken, started at that tick. */
static uint64_t
taken_by(pid_t pid, uint64_t start)
{
	return UINT64_C(1) << 62 | (uint64_t)pid << 40 | start;
}

/* In the middle of writing, as far as anybody can see: one that is gone, one
 * whose pid another process has now, and one that lives. */
static void
test_left_slots(void)
{
	struct ring *ring = open_new();
	int next[WRITERS] = { 0 };
	uint64_t *words = map_file(), mine;
	const size_t first = HEAD_SIZE / 8, step = SLOT_SIZE / 8;
	pid_t gone = fork();

	if (gone == 0)
		_exit(0);
	waitpid(gone, NULL, 0);
	g_assert_true(put(ring, 0, 0, 40));
	g_assert_true(put(ring, 0, 1, 40));
	g_assert_true(put(ring, 0, 2, 40));
	/* Ready is 2, taken is 1. */
	mine = words[first] ^ UINT64_C(3) << 62;
	words[first] = mine;
	words[first + step] = taken_by(gone, 1);
	words[first + 2 * step] = taken_by(getpid(), 1);
	g_assert_cmpuint(take(ring, next), ==, 0);
	g_assert_cmpuint(words[first], ==, mine);
	g_assert_cmpuint(words[first + step], ==, 0);
	g_assert_cmpuint(words[first + 2 * step], ==, 0);
	g_assert_cmpint(ring_dropped(ring), ==, 2);
	/* Others go on around it; then it comes to an end after all. */
	for (int i = 0; i < SLOTS - 1; i++)
		g_assert_true(put(ring, 1, i, 40));
	g_assert_cmpuint(take(ring, next), ==, SLOTS - 1);
	words[first] = mine ^ UINT64_C(3) << 62;
	g_assert_cmpuint(take(ring, next), ==, 1);
	munmap(words, HEAD_SIZE + SLOTS * SLOT_SIZE);
	check_empty(ring);
	ring_close(ring);
}

/* Put in while nobody reads, or the reader was killed: the next one has it. */
static void
test_next_reader(void)
{
	struct ring *ring = open_new(), *other;
	int next[WRITERS] = { 0 };

	for (int i = 0; i < 500; i++)
		g_assert_true(put(ring, 0, i, 3000));
	ring_close(ring);
	other = ring_open(path);
	g_assert_cmpuint(take(other, next), ==, 500);
	ring_close(other);
}

/* --- files that are none --- */

static void
write_file(const void *data, size_t len)
{
	g_assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
}

static void
test_other_files(void)
{
	char *folder = g_path_get_dirname(path);
	char *nowhere = g_build_filename(folder, "none", "ring", NULL);

	write_file("something else entirely, longer than a word", 43);
	g_assert_null(ring_open(path));
	g_assert_cmpint(errno, ==, EINVAL);
	g_assert_null(ring_open(folder));
	g_assert_null(ring_open(nowhere));
	g_assert_cmpint(errno, ==, ENOENT);
	unlink(path);
	g_assert_cmpint(symlink("/etc/passwd", path), ==, 0);
	g_assert_null(ring_open(path));
	unlink(path);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	g_assert_null(ring_open(path));
	unlink(path);
	if (geteuid() != 0) {
		write_file("", 0);
		chmod(path, 0400);
		g_assert_null(ring_open(path));
		g_assert_cmpint(errno, ==, EACCES);
		unlink(path);
	}
	g_free(nowhere);
	g_free(folder);
}

static void
test_private(void)
{
	struct ring *ring = open_new();
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);
	ring_close(ring);
}

/* The right beginning, and then anything. */
static void
test_garbage(void)
{
	struct buf out = BUF_INIT(32 << 20);
	unsigned seed = 815;

	for (int turn = 0; turn < 40; turn++) {
		struct ring *ring = open_new();
		uint64_t *words = map_file(), magic = words[0];
		unsigned char *bytes = (unsigned char *)words;

		for (size_t i = 8; i < HEAD_SIZE + SLOTS * SLOT_SIZE; i++)
			bytes[i] = (unsigned char)rand_r(&seed);
		/* Half of them with chains that could be some. */
		for (size_t i = 0; turn % 2 && i < SLOTS; i++) {
			uint32_t *slot =
			    (uint32_t *)(bytes + HEAD_SIZE + i * SLOT_SIZE);

			slot[4] %= SLOT_DATA + 1;
			slot[5] %= SLOTS + 1;
		}
		words[0] = magic;
		for (int i = 0; i < 70; i++) {
			buf_reset(&out);
			ring_take(ring, &out);
		}
		munmap(words, HEAD_SIZE + SLOTS * SLOT_SIZE);
		check_empty(ring);
		ring_close(ring);
	}
	buf_free(&out);
}

/* --- what the log puts into it --- */

static void
test_log(void)
{
	struct ring *ring = open_new();
	struct buf out = BUF_INIT(1 << 20);

	g_assert_cmpint(log_open("test", "/dev/null"), ==, RC_OK);
	log_open_ring(path);
	log_msg(LOG_INFO, "outside", "x");
	log_begin("0123456789abcdef0123456789abcdef");
	log_msg(LOG_INFO, "not.sampled", "x");
	log_flush();
	log_begin("0123456789abcdef0123456789abcdef");
	log_sampled(true);
	log_msg(LOG_INFO, "one", "x");
	g_assert_cmpuint(ring_take(ring, &out), ==, 0);
	log_msg(LOG_INFO, "two", "x");
	log_flush();
	g_assert_cmpuint(ring_take(ring, &out), ==, 1);
	g_assert_nonnull(strstr(out.data, "\"ev\":\"one\""));
	g_assert_nonnull(strstr(out.data, "\"ev\":\"two\""));
	log_begin("0123456789abcdef0123456789abcdef");
	log_sampled(true);
	log_msg(LOG_INFO, "dropped", "x");
	log_drop();
	log_msg(LOG_INFO, "outside", "x");
	g_assert_cmpuint(ring_take(ring, &out), ==, 0);
	log_open_ring(NULL);
	log_begin("0123456789abcdef0123456789abcdef");
	log_sampled(true);
	log_msg(LOG_INFO, "closed", "x");
	log_flush();
	g_assert_cmpuint(ring_take(ring, &out), ==, 0);
	buf_free(&out);
	ring_close(ring);
}

/* A share is an even one, agrees with itself, and lets pass what is worth a
 * look. */
static void
test_share(void)
{
	struct ring *ring = open_new();
	struct buf out = BUF_INIT(1 << 20);
	char trace[33];
	int n = 0;

	g_assert_true(ring_is_wanted(ring, "00000000000000000000000000000000"));
	ring_set_share(ring, RING_ALL / 4);
	for (int i = 0; i < RING_ALL; i++) {
		snprintf(trace, sizeof(trace), "%028x%04x", 7, i);
		n += ring_wants(ring, trace);
		g_assert_true(
		    ring_is_wanted(ring, trace) == ring_is_wanted(ring, trace));
	}
	g_assert_cmpint(n, ==, RING_ALL / 4);
	g_assert_cmpint(ring_offered(ring), ==, RING_ALL);

	ring_set_share(ring, 0);
	log_open_ring(path);
	for (int kind = 0; kind < 3; kind++) {
		log_begin("0123456789abcdef0123456789abcdef");
		log_sampled(true);
		if (kind == 1)
			log_keep();
		log_msg(kind == 2 ? LOG_WARN : LOG_INFO, "kind", "%d", kind);
		log_flush();
		g_assert_cmpuint(ring_take(ring, &out), ==, kind > 0);
	}
	log_open_ring(NULL);
	ring_set_share(ring, RING_ALL);
	g_assert_true(ring_wants(ring, "00000000000000000000000000000000"));
	buf_free(&out);
	ring_close(ring);
}

int
main(int argc, char **argv)
{
	char *folder;
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	folder = g_dir_make_tmp("seoga-ring-XXXXXX", NULL);
	path = g_build_filename(folder, "ring", NULL);
	g_test_add_func("/ring/one", test_one);
	g_test_add_func("/ring/large", test_large);
	g_test_add_func("/ring/full", test_full);
	g_test_add_func("/ring/little-room", test_little_room);
	g_test_add_func("/ring/few-pages", test_few_pages);
	g_test_add_func("/ring/many-writers", test_many_writers);
	g_test_add_func("/ring/killed-writers", test_killed_writers);
	g_test_add_func("/ring/left-slots", test_left_slots);
	g_test_add_func("/ring/next-reader", test_next_reader);
	g_test_add_func("/ring/other-files", test_other_files);
	g_test_add_func("/ring/private", test_private);
	g_test_add_func("/ring/garbage", test_garbage);
	g_test_add_func("/ring/log", test_log);
	g_test_add_func("/ring/share", test_share);
	status = g_test_run();
	unlink(path);
	rmdir(folder);
	g_free(path);
	g_free(folder);
	return status;
}
