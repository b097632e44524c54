/*
 * Tests lib/order, lib/stock and lib/lock on a private MariaDB and Redis, by
 * one member after the other; t/451 and on do it all at once.
 * SEOGA_TEST_DB_SOCKET and SEOGA_TEST_REDIS_SOCKET name their sockets.
 */
#include "cart.h"
#include "lib/shop.h"
#include "lock.h"
#include "stock.h"

#define CARD_DECLINED "4000 0000 0000 0002"
#define CARD_SILENT "4000 0000 0000 0259"

STMT(ORDERS, "SELECT COUNT(*) AS n FROM orders");
STMT(EVENTS,
    "SELECT COUNT(*) AS n FROM outbox WHERE topic = ?"
    " AND subject = ?");
STMT(SET_STATE, "UPDATE orders SET state = ? WHERE id = ?");
STMT(AUDITED,
    "SELECT COUNT(*) AS n FROM audit WHERE object = 'order'"
    " AND object_id = ?");
STMT(PAYLOAD,
    "SELECT payload FROM outbox WHERE subject = ?"
    " ORDER BY id LIMIT 1");

static int64_t
orders(void)
{
	return count(&ORDERS, db_null(), db_null(), 0);
}

static int64_t
events(const char *topic, const char *number)
{
	return count(&EVENTS, db_text(topic), db_text(number), 2);
}

/* --- placing --- */

static void
test_place(void)
{
	struct order_line lines[] = { { 2, 1, 2050 }, { 1, 3, 10000 },
		{ 2, 1, -1 } };
	struct order_request r = request(lines, 3);
	json_t *order = NULL, *items, *row = NULL;
	const char *number;
	bool replayed = true;

	g_assert_cmpint(order_place(&req, &r, &order, &replayed), ==, RC_OK);
	g_assert_false(replayed);
	number = model_text(order, "number");
	g_assert_true(g_regex_match_simple(
	    "^\\d{8}-[0-9A-HJKMNP-TV-Z]{6}$", number, 0, 0));
	g_assert_cmpint(model_int(order, "total"), ==, 34100);
	g_assert_cmpstr(model_text(order, "state"), ==, "pending");
	g_assert_cmpstr(model_text(order, "username"), ==, "kim");
	items = json_object_get(order, "items");
	g_assert_cmpint(json_array_size(items), ==, 2);
	g_assert_cmpint(
	    model_int(json_array_get(items, 1), "total_price"), ==, 4100);
	g_assert_cmpint(model_int(json_array_get(items, 1), "quantity"), ==, 2);
	g_assert_cmpint(stock(1), ==, 7);
	g_assert_cmpint(stock(2), ==, 8);
	g_assert_cmpint(events("order.pending", number), ==, 1);
	g_assert_true(json_equal(order, look(number)));
	/* Titles and prices are those of the day. */
	exec(&SET_PRICE, db_text("7.00"), 1);
	g_assert_true(json_equal(order, look(number)));
	/* The event says what, not where to. */
	g_assert_cmpint(
	    db_row(&req, &PAYLOAD, DB_ARGS(db_text(number)), &row), ==, RC_OK);
	g_assert_nonnull(strstr(model_text(row, "payload"), "\"items\":[{"));
	g_assert_null(strstr(model_text(row, "payload"), "Seoul"));
}

static void
test_again(void)
{
	struct order_line lines[] = { { 1, 1, -1 }, { 2, 2, 2050 } };
	struct order_line turned[] = { { 2, 2, 2050 }, { 1, 1, -1 } };
	struct order_request r = request(lines, 2);
	json_t *first = NULL, *second = NULL;
	int64_t before;
	bool replayed;

	g_assert_cmpint(order_place(&req, &r, &first, &replayed), ==, RC_OK);
	before = orders();
	r.lines = turned;
	g_assert_cmpint(order_place(&req, &r, &second, &replayed), ==, RC_OK);
	g_assert_true(replayed);
	g_assert_true(json_equal(first, second));
	/* Also when nothing is left of it, and prices are others. */
	exec(&SET_STOCK, db_int(0), 2);
	g_assert_cmpint(order_place(&req, &r, &second, &replayed), ==, RC_OK);
	g_assert_true(replayed);
	turned[0].quantity = 3;
	g_assert_cmpint(
	    order_place(&req, &r, &second, &replayed), ==, RC_BAD_INPUT);
	g_assert_cmpint(req.status, ==, 422);
	forgive();
	turned[0].quantity = 2;
	r.address = "Busan";
	g_assert_cmpint(
	    order_place(&req, &r, &second, &replayed), ==, RC_BAD_INPUT);
	g_assert_cmpint(req.status, ==, 422);
	forgive();
	g_assert_cmpint(orders(), ==, before);
	g_assert_cmpint(stock(1), ==, 9);
	/* Another member's key is another key. */
	as(2);
	exec(&SET_STOCK, db_int(5), 2);
	g_assert_cmpint(order_place(&req, &r, &second, &replayed), ==, RC_OK);
	g_assert_false(replayed);
	g_assert_cmpint(orders(), ==, before + 1);
}

static const char *
problem(json_t *order, size_t i)
{
	return model_text(
	    json_array_get(json_object_get(order, "lines"), i), "problem");
}

static void
test_changed(void)
{
	struct order_line lines[] = { { 1, 11, 10000 }, { 2, 1, 1999 },
		{ 3, 1, 1 }, { 77, 1, -1 } };
	struct order_request r = request(lines, 4);
	int64_t before = orders();
	json_t *order = NULL;
	bool replayed;

	g_assert_cmpint(
	    order_place(&req, &r, &order, &replayed), ==, RC_CONFLICT);
	g_assert_cmpstr(problem(order, 0), ==, "short");
	g_assert_cmpstr(problem(order, 1), ==, "price");
	g_assert_null(problem(order, 2));
	g_assert_cmpstr(problem(order, 3), ==, "gone");
	forgive();
	exec(&SET_STOCK, db_int(0), 1);
	exec(&WITHDRAW, db_text("2026-01-01"), 3);
	g_assert_cmpint(
	    order_place(&req, &r, &order, &replayed), ==, RC_CONFLICT);
	g_assert_cmpstr(problem(order, 0), ==, "sold_out");
	g_assert_cmpstr(problem(order, 2), ==, "gone");
	forgive();
	g_assert_cmpint(orders(), ==, before);
	g_assert_cmpint(stock(2), ==, 10);
	/* The key has not served: it does now. */
	r.lines = &(struct order_line){ 2, 1, 2050 };
	r.nlines = 1;
	g_assert_cmpint(order_place(&req, &r, &order, &replayed), ==, RC_OK);
	g_assert_false(replayed);
}

static void
refused(struct order_line *lines, size_t n, const char *key)
{
	struct order_request r = request(lines, n);
	json_t *order = NULL;
	bool replayed;

	if (key)
		r.key = key;
	g_assert_cmpint(
	    order_place(&req, &r, &order, &replayed), ==, RC_BAD_INPUT);
	g_assert_cmpint(req.status, ==, 0);
	forgive();
}

static void
test_refused(void)
{
	struct order_line zero = { 1, 0, -1 }, less = { 1, -1, -1 };
	struct order_line many = { 1, 100, -1 }, one = { 1, 1, -1 };
	struct order_line twice[] = { { 1, 60, -1 }, { 1, 60, -1 } };
	struct order_line prices[] = { { 1, 1, 1 }, { 1, 1, 2 } };
	struct order_line dear[] = { { 4, 99, -1 }, { 1, 99, -1 } };
	struct order_line all[101];
	int64_t before = orders();

	for (size_t i = 0; i < LENGTH(all); i++)
		all[i] = (struct order_line){ 1, 1, -1 };
	refused(&zero, 1, NULL);
	refused(&less, 1, NULL);
	refused(&many, 1, NULL);
	refused(twice, 2, NULL);
	refused(prices, 2, NULL);
	refused(all, 101, NULL);
	refused(NULL, 0, NULL);
	refused(&one, 1, "");
	refused(&one, 1, "a\tb");
	refused(&one, 1, "\xec\x84\x9c");
	refused(&one, 1,
	    "01234567890123456789012345678901234567890123456789"
	    "012345678901234");
	/* 99 of the dearest are 9,899,999,999.01; 99 more are too much. */
	exec(&SET_STOCK, db_int(99), 1);
	exec(&SET_PRICE, db_text("99999999.99"), 1);
	refused(dear, 2, NULL);
	exec(&SET_PRICE, db_text("100.00"), 1);
	g_assert_cmpint(orders(), ==, before);
	g_assert_cmpint(stock(4), ==, 1000);
}

static void
test_dear(void)
{
	struct order_request r =
	    request(&(struct order_line){ 4, 99, 9999999999 }, 1);
	json_t *order = NULL;
	bool replayed;

	g_assert_cmpint(order_place(&req, &r, &order, &replayed), ==, RC_OK);
	g_assert_cmpint(model_int(order, "total"), ==, INT64_C(989999999901));
}

static int64_t
in_cart(int64_t book)
{
	json_t *cart = NULL, *line;
	size_t i;

	g_assert_cmpint(cart_load(&req, &cart), ==, RC_OK);
	json_array_foreach(json_object_get(cart, "lines"), i, line) {
		if (model_int(line, "book_id") == book)
			return model_int(line, "quantity");
	}
	return 0;
}

static void
put(int64_t book, int64_t quantity)
{
	int64_t now;

	g_assert_cmpint(cart_add(&req, book, quantity, NULL, &now), ==, RC_OK);
}

static void
test_cart(void)
{
	struct order_line lines[] = { { 1, 1, -1 }, { 2, 5, -1 } };
	struct order_request r = request(lines, 2);
	json_t *order = NULL;
	bool replayed;

	g_assert_cmpint(cart_clear(&req), ==, RC_OK);
	put(1, 3);
	put(2, 4);
	put(3, 2);
	g_assert_cmpint(order_place(&req, &r, &order, &replayed), ==, RC_OK);
	g_assert_cmpint(in_cart(1), ==, 2);
	g_assert_cmpint(in_cart(2), ==, 0);
	g_assert_cmpint(in_cart(3), ==, 2);
	/* A replay takes nothing out again. */
	g_assert_cmpint(order_place(&req, &r, &order, &replayed), ==, RC_OK);
	g_assert_true(replayed);
	g_assert_cmpint(in_cart(1), ==, 2);
}

static void
test_whole_cart(void)
{
	struct order_request r = request(NULL, 0);
	json_t *order = NULL, *again = NULL;
	bool replayed;

	r.whole_cart = true;
	g_assert_cmpint(cart_clear(&req), ==, RC_OK);
	g_assert_cmpint(
	    order_place(&req, &r, &order, &replayed), ==, RC_BAD_INPUT);
	forgive();
	put(1, 2);
	put(3, 1);
	g_assert_cmpint(order_place(&req, &r, &order, &replayed), ==, RC_OK);
	g_assert_cmpint(model_int(order, "total"), ==, 20001);
	g_assert_cmpint(in_cart(1) + in_cart(3), ==, 0);
	g_assert_cmpint(order_place(&req, &r, &again, &replayed), ==, RC_OK);
	g_assert_true(replayed);
	g_assert_true(json_equal(order, again));
}

/* --- paying --- */

static void
test_pay(void)
{
	const char *number = placed();
	json_t *order = NULL;

	g_assert_cmpint(
	    order_pay(&req, number, CARD_DECLINED, &order), ==, RC_CONFLICT);
	forgive();
	g_assert_cmpstr(state_of(number), ==, "pending");
	g_assert_cmpint(
	    order_pay(&req, number, CARD_SILENT, &order), ==, RC_DOWN);
	forgive();
	g_assert_cmpstr(state_of(number), ==, "pending");
	g_assert_cmpint(order_pay(&req, number, CARD, &order), ==, RC_OK);
	g_assert_cmpstr(model_text(order, "state"), ==, "paid");
	g_assert_cmpint(order_pay(&req, number, CARD, &order), ==, RC_OK);
	g_assert_cmpint(events("order.paid", number), ==, 1);
	g_assert_cmpint(payments(number, "approved"), ==, 1);
	g_assert_cmpint(payments(number, "declined"), ==, 1);
	g_assert_cmpint(payments(number, "timeout"), ==, 1);
	g_assert_cmpint(stock(1), ==, 9);
}

static void
test_expire(void)
{
	const char *late = placed(), *waiting = placed(), *paid = placed();
	json_t *order = NULL;
	int expired = -1;

	g_assert_cmpint(
	    order_pay(&req, late, CARD_SILENT, &order), ==, RC_DOWN);
	forgive();
	g_assert_cmpint(order_pay(&req, paid, CARD, &order), ==, RC_OK);
	make_old(late);
	make_old(paid);
	g_assert_cmpint(stock(2), ==, 4);
	/* Over is over, also before the job has come by. */
	g_assert_cmpint(order_pay(&req, late, CARD, &order), ==, RC_CONFLICT);
	forgive();
	req.sess = NULL;
	g_assert_cmpint(order_expire(&req, 100, &expired), ==, RC_OK);
	g_assert_cmpint(expired, ==, 1);
	g_assert_cmpint(order_expire(&req, 100, &expired), ==, RC_OK);
	g_assert_cmpint(expired, ==, 0);
	req.sess = &sess;
	g_assert_cmpint(stock(2), ==, 6);
	g_assert_cmpstr(state_of(late), ==, "cancelled");
	g_assert_cmpstr(state_of(waiting), ==, "pending");
	g_assert_cmpstr(state_of(paid), ==, "paid");
	g_assert_cmpint(events("order.cancelled", late), ==, 1);
	/* What may have been charged went back. */
	g_assert_cmpint(payments(late, "refunded"), ==, 1);
	g_assert_cmpint(payments(late, "timeout"), ==, 0);
	order = json_array_get(json_object_get(look(late), "history"), 1);
	g_assert_cmpstr(model_text(order, "actor"), ==, "system");
	g_assert_cmpstr(model_text(order, "note"), ==, "expired");
	g_assert_cmpint(order_pay(&req, late, CARD, &order), ==, RC_CONFLICT);
	forgive();
}

/* One that cannot be cancelled does not keep the others. */
static void
test_expire_past(void)
{
	const char *stuck, *late;
	struct order_line line = { 3, 1, -1 };
	struct order_request r = request(&line, 1);
	json_t *order = NULL;
	bool replayed;
	int expired = -1;

	g_assert_cmpint(order_place(&req, &r, &order, &replayed), ==, RC_OK);
	stuck = model_text(order, "number");
	make_old(stuck);
	late = placed();
	make_old(late);
	exec(&SET_STOCK, db_int(UINT32_MAX), 3); /* no room for one more */
	g_assert_cmpint(order_expire(&req, 100, &expired), ==, RC_OK);
	g_assert_cmpint(expired, ==, 1);
	g_assert_cmpstr(state_of(stuck), ==, "pending");
	g_assert_cmpstr(state_of(late), ==, "cancelled");
	exec(&SET_STOCK, db_int(9), 3);
	g_assert_cmpint(order_expire(&req, 100, &expired), ==, RC_OK);
	g_assert_cmpint(expired, ==, 1);
	g_assert_cmpint(stock(3), ==, 10);
}

static void
test_cancel(void)
{
	const char *number = placed(), *paid = placed();
	json_t *order = NULL;

	g_assert_cmpint(order_cancel(&req, number, &order), ==, RC_OK);
	g_assert_cmpstr(model_text(order, "state"), ==, "cancelled");
	g_assert_cmpint(stock(1), ==, 9);
	g_assert_cmpint(order_cancel(&req, number, &order), ==, RC_CONFLICT);
	g_assert_cmpstr(model_text(req.details, "state"), ==, "cancelled");
	forgive();
	g_assert_cmpint(stock(1), ==, 9);
	g_assert_cmpint(order_pay(&req, paid, CARD, &order), ==, RC_OK);
	g_assert_cmpint(order_cancel(&req, paid, &order), ==, RC_OK);
	g_assert_cmpstr(model_text(order, "state"), ==, "refunded");
	g_assert_cmpint(payments(paid, "refunded"), ==, 1);
	g_assert_cmpint(stock(1), ==, 10);
	g_assert_cmpint(stock(2), ==, 10);
}

/* --- states --- */

static const char *const state_texts[] = { "pending", "paid", "shipped",
	"delivered", "cancelled", "refunded" };

/* Where an administrator may send an order, and whether copies come back. */
static const char legal[6][7] = {
	/* to: P P S D C R */
	"-+--R-", /* pending */
	"--+--R", /* paid */
	"---+-+", /* shipped */
	"-----+", /* delivered */
	"------", /* cancelled */
	"------"  /* refunded */
};

static void
try_state(size_t from, size_t to)
{
	const char *number = placed();
	int64_t before = stock(2);
	enum order_state state;
	json_t *order = NULL;
	char how = legal[from][to];
	int rc;

	exec(&SET_STATE, db_text(state_texts[from]),
	    model_int(look(number), "id"));
	g_assert_true(order_state_from_text(state_texts[to], &state));
	rc = order_set_state(&req, number, state, "why", &order);
	g_assert_cmpint(rc, ==, how == '-' ? RC_CONFLICT : RC_OK);
	forgive();
	g_assert_cmpstr(
	    state_of(number), ==, state_texts[how == '-' ? from : to]);
	g_assert_cmpint(stock(2), ==, before + (how == 'R' ? 2 : 0));
	g_assert_cmpint(count(&AUDITED, db_int(model_int(look(number), "id")),
			    db_null(), 1),
	    ==, how == '-' ? 0 : 1);
	g_assert_cmpint(
	    json_array_size(json_object_get(look(number), "history")), ==,
	    how == '-' ? 1 : 2);
}

static void
test_states(void)
{
	enum order_state state;

	as(3);
	for (size_t from = 0; from < LENGTH(legal); from++) {
		for (size_t to = 0; to < LENGTH(legal); to++) {
			exec(&SET_STOCK, db_int(10), 1);
			exec(&SET_STOCK, db_int(10), 2);
			try_state(from, to);
		}
	}
	g_assert_false(order_state_from_text("lost", &state));
}

/* --- who sees what --- */

static void
test_others(void)
{
	const char *number = placed();
	json_t *order = NULL;
	size_t added;
	char *small;

	as(2);
	g_assert_cmpint(
	    order_by_number(&req, number, &order), ==, RC_NOT_FOUND);
	g_assert_cmpint(
	    order_pay(&req, number, CARD, &order), ==, RC_NOT_FOUND);
	g_assert_cmpint(order_cancel(&req, number, &order), ==, RC_NOT_FOUND);
	g_assert_cmpint(order_again(&req, number, &added), ==, RC_NOT_FOUND);
	as(0);
	g_assert_cmpint(
	    order_by_number(&req, number, &order), ==, RC_NOT_FOUND);
	as(3);
	g_assert_cmpint(order_by_number(&req, number, &order), ==, RC_OK);
	/* By its id and in small letters, too. */
	g_assert_cmpstr(model_text(look(arena_printf(req.arena, "%lld",
				       (long long)model_int(order, "id"))),
			    "number"),
	    ==, number);
	small = g_ascii_strdown(number, -1);
	look(g_intern_string(small));
	g_free(small);
	for (size_t i = 0; i < 6; i++) {
		static const char *const odd[] = { "", "0", "x",
			"20261121-%%%%%%", "서가", "99999999999999999999" };

		g_assert_cmpint(
		    order_by_number(&req, odd[i], &order), ==, RC_NOT_FOUND);
	}
	forgive();
}

/* Walks through all pages; gives how many orders there were, each later than
 * the one after it. */
static int64_t
walk(struct order_query q)
{
	int64_t n = 0, last = INT64_MAX;
	json_t *page = NULL, *order;
	size_t i;

	do {
		g_assert_cmpint(order_list(&req, &q, &page), ==, RC_OK);
		json_array_foreach(json_object_get(page, "orders"), i, order) {
			g_assert_cmpint(model_int(order, "id"), <, last);
			last = model_int(order, "id");
			n++;
			if (q.state)
				g_assert_cmpstr(
				    model_text(order, "state"), ==, q.state);
			g_assert_nonnull(model_text(order, "title"));
		}
		q.after = model_int(page, "next");
	} while (q.after && n < 10000);
	return n;
}

static void
test_list(void)
{
	const char *number = placed();
	int64_t all = walk((struct order_query){ .limit = 7 }), sum = 0;

	g_assert_cmpint(all, ==, orders());
	for (size_t i = 0; i < LENGTH(state_texts); i++)
		sum += walk((struct order_query){
		    .state = state_texts[i], .limit = 3 });
	g_assert_cmpint(sum, ==, all);
	sum = 0;
	for (int64_t id = 1; id <= 3; id++)
		sum +=
		    walk((struct order_query){ .user_id = id, .limit = 100 });
	g_assert_cmpint(sum, ==, all);
	g_assert_cmpint(
	    walk((struct order_query){ .search = "kim", .limit = 5 }), ==,
	    walk((struct order_query){ .user_id = 1, .limit = 5 }));
	g_assert_cmpint(
	    walk((struct order_query){ .search = number, .limit = 5 }), ==, 1);
	g_assert_cmpint(
	    walk((struct order_query){ .search = "nobody", .limit = 5 }), ==,
	    0);
	g_assert_cmpint(
	    walk((struct order_query){ .search = "서가", .limit = 5 }), ==, 0);
	g_assert_cmpint(walk((struct order_query){
			    .search = number, .user_id = 2, .limit = 5 }),
	    ==, 0);
}

static void
test_order_again(void)
{
	const char *number = placed();
	size_t added = 0;

	g_assert_cmpint(cart_clear(&req), ==, RC_OK);
	g_assert_cmpint(order_again(&req, number, &added), ==, RC_OK);
	g_assert_cmpint(added, ==, 2);
	g_assert_cmpint(in_cart(2), ==, 2);
	exec(&SET_STOCK, db_int(0), 1);
	g_assert_cmpint(order_again(&req, number, &added), ==, RC_OK);
	g_assert_cmpint(added, ==, 1);
	g_assert_cmpint(in_cart(1), ==, 1);
	g_assert_cmpint(in_cart(2), ==, 4);
}

/* --- stock and locks --- */

struct stock_case {
	int64_t book;
	enum stock_change change;
	int64_t copies;
	int rc;
	int64_t now;
};

static int
run_stock_case(struct req *r, void *arg)
{
	const struct stock_case *c = arg;
	int64_t now = -1;
	int rc = stock_change(r, c->book, c->change, c->copies, "why", &now);

	if (rc == RC_OK)
		g_assert_cmpint(now, ==, c->now);
	return rc;
}

static void
test_stock(void)
{
	static struct stock_case cases[] = {
		{ 3, STOCK_ADD, 5, RC_OK, 15 },
		{ 3, STOCK_SUBTRACT, 15, RC_OK, 0 },
		{ 3, STOCK_SUBTRACT, 1, RC_CONFLICT, 0 },
		{ 3, STOCK_SET, STOCK_MAX, RC_OK, STOCK_MAX },
		{ 3, STOCK_ADD, 1, RC_CONFLICT, 0 },
		{ 3, STOCK_SET, STOCK_MAX + 1, RC_CONFLICT, 0 },
		{ 3, STOCK_SET, 10, RC_OK, 10 },
		{ 3, STOCK_SET, 10, RC_OK, 10 },
		{ 77, STOCK_SET, 10, RC_NOT_FOUND, 0 },
	};
	json_t *changes = NULL, *last;

	for (size_t i = 0; i < LENGTH(cases); i++) {
		g_assert_cmpint(
		    db_tx(&req, run_stock_case, &cases[i]), ==, cases[i].rc);
		if (cases[i].rc == RC_OK)
			g_assert_cmpint(stock(3), ==, cases[i].now);
		forgive();
	}
	g_assert_cmpint(stock_history(&req, 3, &changes), ==, RC_OK);
	g_assert_cmpint(json_array_size(changes), >=, 4);
	last = json_array_get(changes, 0);
	g_assert_cmpstr(model_text(last, "reason"), ==, "set");
	g_assert_cmpstr(model_text(last, "actor"), ==, "kim");
	g_assert_cmpstr(model_text(last, "note"), ==, "why");
	g_assert_cmpint(model_int(last, "delta"), ==, 10 - STOCK_MAX);
	g_assert_cmpint(model_int(last, "stock_after"), ==, 10);
}

static void
test_lock(void)
{
	const char *name = arena_printf(req.arena, "test-%d", (int)getpid());
	struct lock mine, other;

	g_assert_cmpint(lock_take(&req, name, 200, &mine), ==, RC_OK);
	g_assert_cmpint(lock_take(&req, name, 200, &other), ==, RC_CONFLICT);
	lock_release(&req, &mine);
	g_assert_cmpint(lock_take(&req, name, 60, &mine), ==, RC_OK);
	g_usleep(80 * 1000);
	g_assert_cmpint(lock_take(&req, name, 60000, &other), ==, RC_OK);
	/* Who was too slow does not let go of another's. */
	lock_release(&req, &mine);
	g_assert_cmpint(lock_take(&req, name, 200, &mine), ==, RC_CONFLICT);
	lock_release(&req, &other);
}

static const struct {
	const char *path;
	void (*run)(void);
} tests[] = {
	{ "/order/place", test_place },
	{ "/order/replay", test_again },
	{ "/order/changed", test_changed },
	{ "/order/refused", test_refused },
	{ "/order/dear", test_dear },
	{ "/order/cart", test_cart },
	{ "/order/whole_cart", test_whole_cart },
	{ "/order/pay", test_pay },
	{ "/order/expire", test_expire },
	{ "/order/expire_past", test_expire_past },
	{ "/order/cancel", test_cancel },
	{ "/order/states", test_states },
	{ "/order/others", test_others },
	{ "/order/list", test_list },
	{ "/order/again", test_order_again },
	{ "/stock/change", test_stock },
	{ "/lock", test_lock },
};

static void
run(gconstpointer arg)
{
	begin();
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
