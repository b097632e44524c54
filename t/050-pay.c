/* Tests of pay: which cards are cards, and what the service answers. */
#include <glib.h>

#include "../lib/log.h"
#include "../lib/pay.h"
#include "req.h"

static void
test_valid(void)
{
	static const char *const valid[] = { "4242424242424242",
		"4242 4242 4242 4242", "4242-4242-4242-4242",
		" 4000 0000 0000 0002 ", "4000000000000259",
		"5555555555554444" };

	for (size_t i = 0; i < LENGTH(valid); i++) {
		g_test_message("%s", valid[i]);
		g_assert_true(pay_card_is_valid(valid[i]));
	}
}

static void
test_invalid(void)
{
	static const char *const invalid[] = { "", " ", "-", "4242424242424241",
		"2424242424242424", "424242424242424", "42424242424242424",
		"4242 4242 4242 4242 0", "4242_4242_4242_4242", "card",
		"4242424242424242x", "+424242424242424",
		"\xef\xbc\x94"
		"242424242424242" };

	g_assert_false(pay_card_is_valid(NULL));
	for (size_t i = 0; i < LENGTH(invalid); i++) {
		g_test_message("%s", invalid[i]);
		g_assert_false(pay_card_is_valid(invalid[i]));
	}
}

/* Luhn's check finds every wrong digit. */
static void
test_one_wrong_digit(void)
{
	static const char card[] = "4242424242424242";

	for (size_t i = 0; i < 16; i++) {
		for (char c = '0'; c <= '9'; c++) {
			char other[sizeof(card)];

			memcpy(other, card, sizeof(card));
			other[i] = c;
			g_assert_cmpint(
			    pay_card_is_valid(other), ==, c == card[i]);
		}
	}
}

static void
test_results(void)
{
	struct req *req = test_req_open();

	g_assert_cmpint(
	    pay_charge(req, "4242 4242 4242 4242", "r", 1), ==, PAY_APPROVED);
	g_assert_cmpint(
	    pay_charge(req, "5555555555554444", "r", 1), ==, PAY_APPROVED);
	g_assert_cmpint(
	    pay_charge(req, "4000-0000-0000-0002", "r", 1), ==, PAY_DECLINED);
	g_assert_cmpint(
	    pay_charge(req, "4000000000000259", "r", 1), ==, PAY_TIMEOUT);
	g_assert_cmpint(
	    pay_charge(req, "4242424242424241", "r", 1), ==, PAY_DECLINED);
	g_assert_cmpint(pay_charge(req, "", "r", 1), ==, PAY_DECLINED);
	test_req_close(req);
}

static void
test_logged(void)
{
	struct req *req = test_req_open();
	const char *log;

	test_log();
	pay_charge(req, "4242 4242 4242 4242", "20261121-7K3QXM", 1500000);
	pay_refund(req, "20261121-7K3QXM", 1500000);
	log = test_log();
	g_assert_nonnull(strstr(log, "\"ev\":\"pay.charge\""));
	g_assert_nonnull(strstr(log, "\"ev\":\"pay.refund\""));
	g_assert_nonnull(strstr(log,
	    "\"reference\":\"20261121-7K3QXM\",\"amount\":1500000,"
	    "\"result\":\"approved\""));
	g_assert_null(strstr(log, "4242"));
	test_req_close(req);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/pay/valid", test_valid);
	g_test_add_func("/pay/invalid", test_invalid);
	g_test_add_func("/pay/one-wrong-digit", test_one_wrong_digit);
	g_test_add_func("/pay/results", test_results);
	g_test_add_func("/pay/log", test_logged);
	return g_test_run();
}
