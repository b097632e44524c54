/*
 * Tests bin/recorder_share: that about as many requests are kept in a second
 * as are to be, whatever comes, and which lines of nginx go with them.
 */
#include "../bin/recorder.h"

#include "logline.h"
#include "ring.h"

#include <glib.h>
#include <glib/gstdio.h>

#define ROUND_US 150000 /* between two looks */

static char file[] = "/tmp/seoga-share-XXXXXX";
static struct ring *ring;
static int64_t now = INT64_C(1000000000);
static GRand *random_ids;

static const char *
new_id(void)
{
	static char id[33];

	for (int i = 0; i < 4; i++)
		snprintf(id + 8 * i, sizeof(id) - 8 * (size_t)i, "%08x",
		    g_rand_int(random_ids));
	return id;
}

/* So many requests a second, evenly; how many are kept. */
static int
run(int per_s, int64_t rate, int seconds)
{
	int64_t end = now + seconds * INT64_C(1000000), came = 0;
	int64_t begin = now;
	int kept = 0;

	while (now < end) {
		now += ROUND_US;
		for (; came < (now - begin) * rate / 1000000; came++)
			kept += ring_wants(ring, new_id());
		share_set(ring, per_s, now);
	}
	return kept;
}

/* From rest, so that there is room for a second's worth of them. */
static void
rest(int per_s)
{
	run(per_s, 0, 10);
}

static void
test_all(void)
{
	static const int cases[][2] = { { 0, 5000 }, { 500, 400 }, { 500, 1 },
		{ 5, 4 }, { 1, 1 }, { 1000000, 20000 } };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		rest(cases[i][0]);
		g_assert_cmpint(
		    run(cases[i][0], cases[i][1], 15), ==, 15 * cases[i][1]);
	}
}

static void
test_some(void)
{
	static const int cases[][2] = { { 500, 600 }, { 500, 5000 },
		{ 500, 20000 }, { 100, 1000 }, { 20, 500 }, { 5, 60 },
		{ 5, 12 }, { 1, 40 } };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int per_s = cases[i][0], rate = cases[i][1], kept;

		rest(per_s);
		kept = run(per_s, rate, 60);
		/* What comes between two looks comes unawares. */
		g_test_message(
		    "%d of %d a second: %d in a minute", per_s, rate, kept);
		g_assert_cmpint(kept, >, 60 * per_s * 7 / 10);
		g_assert_cmpint(kept, <,
		    61 * per_s * 13 / 10 + rate * (2 * ROUND_US / 1000) / 1000);
	}
}

/* A pause of the recorder is no reason to be more generous, nor stingy. */
static void
test_pause(void)
{
	int kept;

	rest(100);
	run(100, 2000, 5);
	for (int i = 0; i < 100000; i++)
		ring_wants(ring, new_id());
	now += INT64_C(36000) * 1000000;
	share_set(ring, 100, now);
	kept = run(100, 2000, 30);
	g_assert_cmpint(kept, >, 30 * 100 * 7 / 10);
	g_assert_cmpint(kept, <, 31 * 100 * 13 / 10 + 600);
}

/* --- lines of nginx --- */

static void
note(const char *id)
{
	char line[200];
	int n = snprintf(line, sizeof(line),
	    "{\"ts\":\"2026-11-21T10:20:30.000000Z\",\"lvl\":\"info\","
	    "\"trace\":\"%s\",\"prog\":\"books\",\"ev\":\"req.end\"}\n",
	    id);

	share_note(line, (size_t)n);
}

static bool
has(const char *id, bool program)
{
	struct logline_value value = { .s = id, .len = strlen(id), .text = 1 };

	return share_has(ring, &value, program);
}

static void
test_edge(void)
{
	enum { KEPT = 1000 };
	char ids[KEPT][33];
	int alone = 0;

	rest(500);
	g_assert_true(has(new_id(), true));
	run(500, 20000, 5);
	for (int i = 0; i < KEPT; i++) {
		memcpy(ids[i], new_id(), sizeof(ids[i]));
		note(ids[i]);
		note(ids[i]);
		note(ids[i]);
	}
	/* They come a second or two later. */
	for (int i = 0; i < KEPT; i++) {
		g_assert_true(has(ids[i], true));
		g_assert_true(has(ids[i], false));
	}
	for (int i = 0; i < KEPT; i++) {
		const char *id = new_id();

		g_assert_false(has(id, true));
		g_assert_cmpint(has(id, false), ==, ring_is_wanted(ring, id));
		alone += has(id, false);
	}
	g_assert_cmpint(alone, <, KEPT / 10);
	g_assert_false(has("0123", false));
	rest(500);
	g_assert_true(has(new_id(), true));
}

int
main(int argc, char **argv)
{
	int fd, status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	random_ids = g_rand_new_with_seed(1);
	fd = g_mkstemp(file);
	close(fd);
	ring = ring_open(file);
	g_assert_nonnull(ring);
	g_test_add_func("/share/all", test_all);
	g_test_add_func("/share/some", test_some);
	g_test_add_func("/share/pause", test_pause);
	g_test_add_func("/share/edge", test_edge);
	status = g_test_run();
	ring_close(ring);
	g_rand_free(random_ids);
	g_unlink(file);
	return status;
}
