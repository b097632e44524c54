/*
 * order_place -- a new order: all of it in one transaction, once per key.
 *
 * The order's row goes in first.  Its unique key of member and one-time key
 * makes a second request wait for the first, and then find its order; it
 * never gets as far as the stock.  Then the books are locked in the order of
 * their ids: from there on titles, prices and stock are what they are, and
 * the total is made of them.
 */
#include "order_internal.h"

#include "buf.h"
#include "cart.h"
#include "db.h"
#include "metric.h"
#include "model.h"
#include "secret.h"
#include "sess.h"
#include "stock.h"

#include <time.h>

#define NUMBER_TRIES 5
#define RANDOM_LENGTH 6
#define TOTAL_MAX INT64_C(999999999999) /* DECIMAL(12,2) in minor units */
/* Until then a replay may take the lines out of the cart: see cart.h. */
#define CART_SETTLED_S (CART_ORDERED_S / 2)

static const struct db_stmt ORDER_ADD = { "order.add",
	"INSERT INTO orders (number, user_id, total, recipient, phone,"
	" postcode, address, once_key, once_digest, expires_at)"
	" VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?,"
	" UTC_TIMESTAMP() + INTERVAL ? SECOND)" };
static const struct db_stmt ORDER_ADD_ITEM = { "order.add_item",
	"INSERT INTO order_items (order_id, book_id, title, author, language,"
	" quantity, unit_price, total_price)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?)" };
/* The lines are what counts. */
static const struct db_stmt ORDER_TOTAL = { "order.total",
	"UPDATE orders SET total = (SELECT SUM(total_price) FROM order_items"
	" WHERE order_id = ?) WHERE id = ?" };
static const struct db_stmt ORDER_BY_KEY = { "order.by_key",
	"SELECT id, once_digest,"
	" TIMESTAMPDIFF(SECOND, created_at, UTC_TIMESTAMP()) AS age"
	" FROM orders WHERE user_id = ? AND once_key = ?" };

/* An order on its way. */
struct placing {
	const struct order_request *request;
	struct order_line lines[ORDER_LINES_MAX]; /* by book, each once */
	size_t n;
	char digest[SECRET_TOKEN_SIZE];
	char number[ORDER_NUMBER_LENGTH + 1];
	int64_t id;

	/* What came of it. */
	bool key_taken;	 /* or, hardly ever, the number */
	json_t *problem; /* {lines: [...]}, or NULL */
	json_t *order;	 /* with its lines */
};

/* --- what is asked for --- */

static int
by_book(const void *a, const void *b)
{
	const struct order_line *x = a, *y = b;

	return (x->book_id > y->book_id) - (x->book_id < y->book_id);
}

static int
add_to_line(
    struct req *req, struct order_line *line, const struct order_line *more)
{
	line->quantity += more->quantity;
	if (more->price >= 0 && line->price >= 0 && more->price != line->price)
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("The same book is named with two prices."));
	if (line->price < 0)
		line->price = more->price;
	return RC_OK;
}

static int
check_line(struct req *req, const struct order_line *line)
{
	if (line->quantity < 1 || line->quantity > CART_LINE_MAX)
		return req_fail(req, RC_BAD_INPUT,
		    _("An order has 1 to %d copies of a book."), CART_LINE_MAX);
	return RC_OK;
}

/* Sums the lines of a book. */
static int
sum_lines(struct req *req, struct placing *p, const struct order_line *lines,
    size_t n)
{
	int rc = RC_OK;

	if (n < 1 || n > ORDER_LINES_MAX)
		return req_fail(req, RC_BAD_INPUT,
		    _("An order has 1 to %d different books."),
		    ORDER_LINES_MAX);
	struct order_line sorted[ORDER_LINES_MAX];

	memcpy(sorted, lines, n * sizeof(*lines));
	qsort(sorted, n, sizeof(*sorted), by_book);
	p->n = 0;
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		rc = check_line(req, &sorted[i]);
		if (rc < 0)
			break;
		if (p->n && p->lines[p->n - 1].book_id == sorted[i].book_id)
			rc = add_to_line(req, &p->lines[p->n - 1], &sorted[i]);
		else
			p->lines[p->n++] = sorted[i];
	}
	for (size_t i = 0; rc == RC_OK && i < p->n; i++)
		rc = check_line(req, &p->lines[i]);
	return rc;
}

/* The same for the same request, whatever the order of its lines.  Of a whole
 * cart the lines do not count: it is empty when the request comes again. */
static void
make_digest(struct req *req, struct placing *p)
{
	const struct order_request *r = p->request;
	const char *texts[] = { r->recipient, r->phone, r->postcode,
		r->address };
	struct buf *text = arena_alloc(req->arena, sizeof(*text));

	*text = (struct buf)BUF_INIT((size_t)64 * 1024);
	for (size_t i = 0; i < LENGTH(texts); i++)
		buf_printf(text, "%zu %s\n", strlen(texts[i]), texts[i]);
	for (size_t i = 0; !r->whole_cart && i < p->n; i++)
		buf_printf(text, "%lld %lld %lld\n",
		    (long long)p->lines[i].book_id,
		    (long long)p->lines[i].quantity,
		    (long long)p->lines[i].price);
	secret_mac(req->conf->secret, "order", text->data, p->digest);
	buf_free(text);
}

/* --- the transaction --- */

/* "20261121-7K3QXM": no letter in it is taken for another. */
static void
make_number(char number[ORDER_NUMBER_LENGTH + 1])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	time_t now = time(NULL);
	struct tm tm;
	char *p;

	gmtime_r(&now, &tm);
	strftime(number, ORDER_NUMBER_LENGTH + 1, "%Y%m%d-", &tm);
	p = number + ORDER_NUMBER_LENGTH - RANDOM_LENGTH;
	for (int i = 0; i < RANDOM_LENGTH; i++)
		*p++ = digits[secret_below(sizeof(digits) - 1)];
	*p = '\0';
}

static int
add_order(struct req *req, struct placing *p)
{
	const struct order_request *r = p->request;
	int rc = db_exec(req, &ORDER_ADD,
	    DB_ARGS(db_text(p->number), db_int(req->sess->user_id),
		db_text(r->recipient), db_text(r->phone), db_text(r->postcode),
		db_text(r->address), db_text(r->key), db_text(p->digest),
		db_int(req->conf->order_expiry_s)),
	    NULL, &p->id);

	p->key_taken = rc == RC_CONFLICT;
	return rc;
}

static const char *
problem_of(const struct order_line *line, const json_t *book)
{
	int64_t stock = model_int(book, "stock_quantity");

	if (!book)
		return "gone";
	if (stock == 0)
		return "sold_out";
	if (stock < line->quantity)
		return "short";
	if (line->price >= 0 && line->price != model_int(book, "price"))
		return "price";
	return NULL;
}

static json_t *
problem_line(const struct order_line *line, const json_t *book)
{
	return json_pack("{s:I, s:s?, s:I, s:I, s:I, s:s?}", "book_id",
	    (json_int_t)line->book_id, "title", model_text(book, "title"),
	    "quantity", (json_int_t)line->quantity, "price",
	    (json_int_t)model_int(book, "price"), "stock_quantity",
	    (json_int_t)model_int(book, "stock_quantity"), "problem",
	    problem_of(line, book));
}

/* Those that are for sale, by id: books[i] belongs to lines[i], or is NULL. */
static int
lock_books(struct req *req, struct placing *p, const json_t **books)
{
	int64_t ids[ORDER_LINES_MAX];
	json_t *rows;
	size_t row = 0;
	int rc;

	for (size_t i = 0; i < p->n; i++)
		ids[i] = p->lines[i].book_id;
	rc = stock_lock(req, ids, p->n, &rows);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < p->n; i++) {
		books[i] = json_array_get(rows, row);
		if (model_int(books[i], "id") == ids[i])
			row++;
		else
			books[i] = NULL;
	}
	return RC_OK;
}

static int
check_books(struct req *req, struct placing *p, const json_t **books)
{
	json_t *lines;
	int64_t total = 0;
	bool any = false;

	for (size_t i = 0; i < p->n; i++) {
		any |= problem_of(&p->lines[i], books[i]) != NULL;
		total += model_int(books[i], "price") * p->lines[i].quantity;
	}
	if (!any && total > TOTAL_MAX)
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("The total is more than an order can have. Please order"
		      " less at once."));
	if (!any)
		return RC_OK;
	lines = json_array();
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(
		    lines, problem_line(&p->lines[i], books[i]));
	p->problem = json_pack("{s:o}", "lines", lines);
	return req_fail(req, RC_CONFLICT, "%s",
	    _("Prices or stock have changed, so nothing was ordered. Look at"
	      " what changed, then order again."));
}

static size_t
demand_of(const struct placing *p, struct stock_demand *demand)
{
	for (size_t i = 0; i < p->n; i++)
		demand[i] = (struct stock_demand){ p->lines[i].book_id,
			p->lines[i].quantity };
	return p->n;
}

/* The books are locked and there are enough of them: no conflict is left. */
static int
take_stock(struct req *req, struct placing *p)
{
	struct stock_demand demand[ORDER_LINES_MAX];
	size_t n = demand_of(p, demand);
	int64_t missing;
	int rc = stock_take(req, p->id, demand, n, &missing);

	return rc == RC_CONFLICT ? req_bug(req) : rc;
}

static int
add_item(struct req *req, const struct placing *p,
    const struct order_line *line, const json_t *book)
{
	int64_t price = model_int(book, "price");

	return db_exec(req, &ORDER_ADD_ITEM,
	    DB_ARGS(db_int(p->id), db_int(line->book_id),
		db_text(model_text(book, "title")),
		db_text(model_text(book, "author")),
		db_text(model_text(book, "language")), db_int(line->quantity),
		db_text(order_money(req, price)),
		db_text(order_money(req, price * line->quantity))),
	    NULL, NULL);
}

static int
add_items(struct req *req, const struct placing *p, const json_t **books)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < p->n; i++)
		rc = add_item(req, p, &p->lines[i], books[i]);
	if (rc < 0)
		return rc;
	return db_exec(req, &ORDER_TOTAL, DB_ARGS(db_int(p->id), db_int(p->id)),
	    NULL, NULL);
}

static int
place(struct req *req, void *arg)
{
	struct placing *p = arg;
	const json_t *books[ORDER_LINES_MAX];
	int rc;

	p->problem = NULL;
	if ((rc = add_order(req, p)) < 0 ||
	    (rc = lock_books(req, p, books)) < 0 ||
	    (rc = check_books(req, p, books)) < 0 ||
	    (rc = take_stock(req, p)) < 0 ||
	    (rc = add_items(req, p, books)) < 0)
		return rc;
	return order_record(
	    req, p->id, NULL, order_state_text(ORDER_PENDING), NULL, &p->order);
}

/* --- once --- */

static int
other_request(struct req *req)
{
	req->status = 422;
	return req_fail(req, RC_BAD_INPUT, "%s",
	    _("With this one-time key something else was ordered before."
	      " Nothing was ordered now."));
}

/* What was ordered leaves the cart; if Redis is away it stays there, and the
 * reader sees it. */
static void
settle_cart(struct req *req, const json_t *order)
{
	struct stock_demand demand[ORDER_LINES_MAX];
	size_t n = order_demand(order, demand);

	if (cart_take_out(req, model_text(order, "number"), demand, n) < 0)
		req_forgive(req);
}

/* The order of the key, if there is one: else RC_NOT_FOUND without a text. */
static int
replay(struct req *req, struct placing *p)
{
	json_t *row;
	int rc = db_row(req, &ORDER_BY_KEY,
	    DB_ARGS(db_int(req->sess->user_id), db_text(p->request->key)),
	    &row);

	if (rc < 0)
		return rc;
	if (!secret_equal(model_text(row, "once_digest"), p->digest))
		return other_request(req);
	rc = order_load(req, order_id_of(row), &p->order);
	if (rc == RC_OK && model_int(row, "age") < CART_SETTLED_S)
		settle_cart(req, p->order);
	return rc;
}

static int
place_once(struct req *req, struct placing *p, bool *replayed)
{
	int rc = RC_BUG;

	*replayed = false;
	for (int i = 0; i < NUMBER_TRIES; i++) {
		make_number(p->number);
		p->key_taken = false;
		rc = db_tx(req, place, p);
		if (rc == RC_OK) {
			metric_add(METRIC_ORDERS_PLACED, 1);
			order_forget_books(req, p->order);
			settle_cart(req, p->order);
		}
		if (!p->key_taken)
			return rc;
		rc = replay(req, p);
		*replayed = rc == RC_OK;
		if (rc != RC_NOT_FOUND)
			return rc;
	}
	return req_bug(req);
}

/* --- the whole cart --- */

static int
cart_lines(struct req *req, struct placing *p)
{
	struct order_line lines[CART_LINES_MAX];
	json_t *cart, *line;
	size_t i, n = 0;
	int rc = cart_load(req, &cart);

	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(cart, "lines"), i, line) {
		if (n < LENGTH(lines))
			lines[n++] =
			    (struct order_line){ model_int(line, "book_id"),
				    model_int(line, "quantity"), -1 };
	}
	if (n == 0)
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("The cart is empty, so there is nothing to order."));
	return sum_lines(req, p, lines, n);
}

/* Of a cart that was ordered already there is nothing left: so first look
 * whether it was. */
static int
place_cart(struct req *req, struct placing *p, bool *replayed)
{
	int rc;

	make_digest(req, p);
	rc = replay(req, p);
	*replayed = rc == RC_OK;
	if (rc != RC_NOT_FOUND)
		return rc;
	rc = cart_lines(req, p);
	return rc < 0 ? rc : place_once(req, p, replayed);
}

static int
place_lines(struct req *req, struct placing *p, bool *replayed)
{
	int rc = sum_lines(req, p, p->request->lines, p->request->nlines);

	if (rc < 0)
		return rc;
	make_digest(req, p);
	return place_once(req, p, replayed);
}

static int
check_key(struct req *req, const char *key)
{
	size_t len = key ? strlen(key) : 0;

	for (size_t i = 0; i < len; i++) {
		if (key[i] < ' ' || key[i] > '~')
			len = 0;
	}
	if (len >= 1 && len <= ORDER_KEY_MAX)
		return RC_OK;
	return req_fail(req, RC_BAD_INPUT,
	    _("An order needs a one-time key of 1 to %d printable ASCII"
	      " characters."),
	    ORDER_KEY_MAX);
}

int
order_place(struct req *req, const struct order_request *request,
    json_t **order, bool *replayed)
{
	struct placing *p = arena_alloc(req->arena, sizeof(*p));
	bool again;
	int rc = check_key(req, request->key);

	if (rc < 0)
		return rc;
	*p = (struct placing){ .request = request };
	rc = request->whole_cart ? place_cart(req, p, &again) :
				   place_lines(req, p, &again);
	if (rc == RC_CONFLICT && p->problem)
		*order = p->problem;
	if (rc < 0 || (rc = order_load_past(req, p->order)) < 0)
		return rc;
	*order = p->order;
	*replayed = again;
	return RC_OK;
}
