/*
 * Tests lib/order_pay with a payment service of our own, in which other
 * things happen while it is asked: the order is cancelled, expires, or is
 * paid by another tab.  In the end the service holds the money of paid orders
 * and of no others, and payments tell what happened.
 */
#include "lib/shop.h"
#include "pay.h"

STMT(ID, "SELECT id AS n FROM orders WHERE number = ?");
STMT(UNLOCKED,
    "SELECT COUNT(*) AS n FROM orders WHERE number = ?"
    " FOR UPDATE SKIP LOCKED");

/* --- the service: it takes from a card once, whatever it answers --- */

static struct {
	enum pay_result answer;
	void (*meanwhile)(void); /* happens once, while it is asked */
	int asked;
	bool charged, holds; /* our money */
} service;
static const char *number;

bool
pay_card_is_valid(const char *card)
{
	return strcmp(card, CARD) == 0;
}

enum pay_result
pay_charge(struct req *r ATTR_UNUSED, const char *card ATTR_UNUSED,
    const char *reference, int64_t amount)
{
	void (*meanwhile)(void) = service.meanwhile;

	g_assert_cmpstr(reference, ==, number);
	g_assert_cmpint(amount, ==, 14100);
	service.asked++;
	service.meanwhile = NULL;
	if (meanwhile)
		meanwhile();
	if (!service.charged && service.answer != PAY_DECLINED)
		service.charged = service.holds = true;
	return service.answer;
}

void
pay_refund(struct req *r ATTR_UNUSED, const char *reference, int64_t amount)
{
	g_assert_cmpstr(reference, ==, number);
	g_assert_cmpint(amount, ==, 14100);
	service.holds = false;
}

/* --- what is asked, and what must be so --- */

static int
pay(void)
{
	json_t *order;
	int rc = order_pay(&req, number, CARD, &order);

	forgive();
	return rc;
}

static void
pays(enum pay_result answer, int rc)
{
	service.answer = answer;
	g_assert_cmpint(pay(), ==, rc);
}

/* The state, the money, and how many attempts ended how. */
static void
expect(const char *state, int approved, int refunded, int timeouts)
{
	g_assert_cmpstr(state_of(number), ==, state);
	g_assert_cmpint(service.holds, ==, approved > refunded);
	g_assert_cmpint(payments(number, "approved"), ==, approved);
	g_assert_cmpint(payments(number, "refunded"), ==, refunded);
	g_assert_cmpint(payments(number, "timeout"), ==, timeouts);
}

/* --- what happens meanwhile --- */

static void
cancel(void)
{
	json_t *order;

	g_assert_cmpint(order_cancel(&req, number, &order), ==, RC_OK);
}

static void
expire(void)
{
	int expired;

	make_old(number);
	g_assert_cmpint(order_expire(&req, 10, &expired), ==, RC_OK);
	g_assert_cmpint(expired, ==, 1);
}

/* Another tab. */
static void
pay_too(void)
{
	g_assert_cmpint(pay(), ==, RC_OK);
}

static void
pay_too_and_cancel(void)
{
	pay_too();
	cancel();
}

/* An administrator has seen the money elsewhere. */
static void
pay_by_hand(void)
{
	json_t *order;

	as(3);
	g_assert_cmpint(
	    order_set_state(&req, number, ORDER_PAID, NULL, &order), ==, RC_OK);
	as(1);
}

static void
order_others(void)
{
	char *text = g_strdup_printf(
	    "SELECT COUNT(*) FROM %s.books WHERE id < 3 FOR UPDATE NOWAIT;"
	    " SELECT COUNT(*) FROM %s.orders FOR UPDATE NOWAIT",
	    database, database);
	char *command = as_root(text);
	char *line = g_strconcat(command, " >/dev/null", NULL);

	g_assert_cmpint(system(line), ==, 0);
	g_free(line);
	g_free(command);
	g_free(text);
}

/* --- the tests --- */

static void
test_nothing_locked(void)
{
	service.meanwhile = order_others;
	pays(PAY_APPROVED, RC_OK);
	expect("paid", 1, 0, 0);
}

static void
test_cancelled(void)
{
	service.meanwhile = cancel;
	pays(PAY_APPROVED, RC_CONFLICT);
	expect("cancelled", 0, 1, 0);
	g_assert_cmpint(stock(2), ==, 10);
}

static void
test_cancelled_and_declined(void)
{
	service.meanwhile = cancel;
	pays(PAY_DECLINED, RC_CONFLICT);
	expect("cancelled", 0, 0, 0);
	g_assert_cmpint(payments(number, "declined"), ==, 1);
}

static void
test_expired(void)
{
	service.meanwhile = expire;
	pays(PAY_APPROVED, RC_CONFLICT);
	expect("cancelled", 0, 1, 0);
	g_assert_cmpint(stock(2), ==, 10);
}

/* It took the money and did not say so. */
static void
test_silent(void)
{
	pays(PAY_TIMEOUT, RC_DOWN);
	g_assert_true(service.holds);
	g_assert_cmpstr(state_of(number), ==, "pending");
	pays(PAY_APPROVED, RC_OK);
	expect("paid", 1, 0, 1);
	pays(PAY_APPROVED, RC_OK);
	g_assert_cmpint(service.asked, ==, 2);
	cancel();
	expect("refunded", 1, 1, 1);
}

static void
test_silent_and_cancelled(void)
{
	pays(PAY_TIMEOUT, RC_DOWN);
	cancel();
	expect("cancelled", 0, 1, 0);
}

static void
test_two_tabs(void)
{
	service.meanwhile = pay_too;
	pays(PAY_APPROVED, RC_OK);
	g_assert_cmpint(service.asked, ==, 2);
	expect("paid", 1, 0, 0);
}

/* What one tab paid is given back once, though two asked for it. */
static void
test_two_tabs_and_cancelled(void)
{
	service.meanwhile = pay_too_and_cancel;
	pays(PAY_APPROVED, RC_CONFLICT);
	expect("refunded", 1, 1, 0);
	g_assert_cmpint(stock(2), ==, 10);
}

static void
test_by_hand(void)
{
	service.meanwhile = pay_by_hand;
	pays(PAY_APPROVED, RC_OK);
	expect("paid", 0, 1, 0);
}

static void
test_silent_and_by_hand(void)
{
	pays(PAY_TIMEOUT, RC_DOWN);
	pay_by_hand();
	expect("paid", 0, 1, 0);
}

/* Another session has the order, will have changed its state in a while, and
 * has it locked until then. */
static void
becomes_soon(const char *state)
{
	int64_t begun = log_now();
	json_t *row;
	char *text, *command, *line;

	g_assert_cmpint(
	    db_row(&req, &ID, DB_ARGS(db_text(number)), &row), ==, RC_OK);
	text = g_strdup_printf("BEGIN; UPDATE %s.orders SET state = \"%s\""
			       " WHERE id = %lld; DO SLEEP(0.6); COMMIT",
	    database, state, (long long)model_int(row, "n"));
	command = as_root(text);
	line = g_strconcat(command, " &", NULL);
	g_assert_cmpint(system(line), ==, 0);
	while (count(&UNLOCKED, db_text(number), db_null(), 1) == 1 &&
	    test_ms(begun) < 5000)
		g_usleep(10000);
	g_assert_cmpstr(state_of(number), ==, "pending");
	g_free(line);
	g_free(command);
	g_free(text);
}

/* The order is being cancelled when it is about to be paid. */
static void
test_not_even_asked(void)
{
	becomes_soon("cancelled");
	g_assert_cmpint(pay(), ==, RC_CONFLICT);
	g_assert_cmpint(service.asked, ==, 0);
	expect("cancelled", 0, 0, 0);
}

/* Another tab is paying for it at that moment. */
static void
test_paid_just_now(void)
{
	becomes_soon("paid");
	g_assert_cmpint(pay(), ==, RC_OK);
	g_assert_cmpint(service.asked, ==, 0);
	g_assert_cmpint(payments(number, "timeout"), ==, 0);
}

/* It is being paid when the job has just found it too old. */
static void
test_paid_at_last(void)
{
	int expired = -1;

	make_old(number);
	becomes_soon("paid");
	g_assert_cmpint(order_expire(&req, 10, &expired), ==, RC_OK);
	g_assert_cmpint(expired, ==, 0);
	g_assert_cmpstr(state_of(number), ==, "paid");
	g_assert_cmpint(stock(2), ==, 8);
}

static const struct {
	const char *path;
	void (*run)(void);
} tests[] = {
	{ "/pay/nothing_locked", test_nothing_locked },
	{ "/pay/cancelled", test_cancelled },
	{ "/pay/cancelled_and_declined", test_cancelled_and_declined },
	{ "/pay/expired", test_expired },
	{ "/pay/silent", test_silent },
	{ "/pay/silent_and_cancelled", test_silent_and_cancelled },
	{ "/pay/two_tabs", test_two_tabs },
	{ "/pay/two_tabs_and_cancelled", test_two_tabs_and_cancelled },
	{ "/pay/by_hand", test_by_hand },
	{ "/pay/silent_and_by_hand", test_silent_and_by_hand },
	{ "/pay/not_even_asked", test_not_even_asked },
	{ "/pay/paid_just_now", test_paid_just_now },
	{ "/pay/paid_at_last", test_paid_at_last },
};

static void
run(gconstpointer arg)
{
	begin();
	memset(&service, 0, sizeof(service));
	number = placed();
	tests[GPOINTER_TO_SIZE(arg)].run();
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	if (!g_getenv("SEOGA_TEST_DB_SOCKET")) {
		printf("1..0 # SKIP SEOGA_TEST_DB_SOCKET is not set\n");
		return 0;
	}
	log_open("test", "/dev/null");
	set_up();
	fill();
	for (size_t i = 0; i < LENGTH(tests); i++)
		g_test_add_data_func(tests[i].path, GSIZE_TO_POINTER(i), run);
	status = g_test_run();
	tear_down();
	return status;
}
