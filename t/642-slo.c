/*
 * Objectives: what is reached, left of the error budget, and how fast it is
 * used up, by hand.
 */
#include "slo.h"

#include <glib.h>
#include <math.h>

static void
near(double is, double wanted)
{
	g_assert_cmpfloat_with_epsilon(is, wanted, 1e-9);
}

/* 30 days with 21.6 bad minutes: half of the budget of 43.2 is left. */
static void
test_time(void)
{
	const struct history_service month = { .seconds = 30 * 86400,
		.down_s = 1296,
		.requests = 1000,
		.failed5 = 1000 };
	struct slo_count c = slo_count(SLO_AVAILABILITY, &month);

	near(c.bad, 1296);
	near(c.all, 2592000);
	near(slo_reached(&c), .9995);
	near(slo_left(SLO_AVAILABILITY, &c), .5);
	near(slo_burn(SLO_AVAILABILITY, &c), .5);
}

/* Of 200,000 requests 200 may fail; 50 did, 300 did. */
static void
test_errors(void)
{
	struct history_service s = { .requests = 200000, .failed5 = 50 };
	struct slo_count c = slo_count(SLO_ERRORS, &s);

	near(slo_reached(&c), .99975);
	near(slo_left(SLO_ERRORS, &c), .75);
	near(slo_burn(SLO_ERRORS, &c), .25);
	s.failed5 = 300;
	c = slo_count(SLO_ERRORS, &s);
	near(slo_left(SLO_ERRORS, &c), -.5);
	near(slo_burn(SLO_ERRORS, &c), 1.5);
	/* Mistakes of clients are none of ours. */
	s.failed5 = 0;
	s.failed4 = 200000;
	c = slo_count(SLO_ERRORS, &s);
	near(slo_left(SLO_ERRORS, &c), 1);
}

/* Of 1000 requests 50 may be slow: p95 is at the limit just then. */
static void
test_speed(void)
{
	struct history_service s = { .requests = 1000, .slow = 50 };
	struct slo_count c = slo_count(SLO_SPEED, &s);

	near(slo_reached(&c), .95);
	near(slo_left(SLO_SPEED, &c), 0);
	near(slo_burn(SLO_SPEED, &c), 1);
	s.slow = 0;
	c = slo_count(SLO_SPEED, &s);
	near(slo_left(SLO_SPEED, &c), 1);
}

/* Of nothing, nothing is known: neither kept nor broken. */
static void
test_nothing(void)
{
	const struct history_service none = { 0 };

	for (int o = 0; o < SLO_OBJECTIVES; o++) {
		struct slo_count c = slo_count((enum slo)o, &none);

		g_assert_true(isnan(slo_reached(&c)));
		g_assert_true(isnan(slo_left((enum slo)o, &c)));
		g_assert_true(isnan(slo_burn((enum slo)o, &c)));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/slo/time", test_time);
	g_test_add_func("/slo/errors", test_errors);
	g_test_add_func("/slo/speed", test_speed);
	g_test_add_func("/slo/nothing", test_nothing);
	return g_test_run();
}
