/* sales -- see sales.h. */
#include "sales.h"

#include "buf.h"
#include "db.h"
#include "model.h"

#define PAID "order.paid"
#define REFUNDED "order.refunded"
#define ID_DIGITS 18
#define TRACE_LENGTH 32
#define SPAN_LENGTH 16
#define TRACEPARENT_LENGTH 55
#define QUANTITY_MAX 1000000
#define TOTAL_MAX INT64_C(99999999999999)

static const struct db_stmt REMEMBER = { "sales.remember",
	"INSERT IGNORE INTO events_consumed (consumer, event_id)"
	" VALUES (?, ?)" };
static const struct db_stmt ADD_DAY = { "sales.add_day",
	"INSERT INTO sales_days (day, orders, copies, revenue)"
	" VALUES (?, 1, ?, ?) ON DUPLICATE KEY UPDATE orders = orders + 1,"
	" copies = copies + VALUES(copies),"
	" revenue = revenue + VALUES(revenue)" };
static const struct db_stmt TAKE_DAY = { "sales.take_day",
	"UPDATE sales_days SET orders = orders - 1, copies = copies - ?,"
	" revenue = revenue - ? WHERE day = ? AND orders >= 1"
	" AND copies >= ? AND revenue >= ?" };
static const struct db_stmt ADD_BOOK = { "sales.add_book",
	"INSERT INTO sales_books (day, book_id, copies, revenue)"
	" VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE"
	" copies = copies + VALUES(copies),"
	" revenue = revenue + VALUES(revenue)" };
static const struct db_stmt BY_DAY = { "sales.by_day",
	"SELECT CAST(day AS CHAR) AS day, orders, copies, revenue"
	" FROM sales_days FORCE INDEX (PRIMARY)"
	" WHERE sales_days.day BETWEEN ? AND ?"
	" ORDER BY sales_days.day LIMIT ?" };
static const struct db_stmt BEST = { "sales.best",
	"SELECT b.id, b.title, best.copies, best.revenue FROM"
	" (SELECT book_id, CAST(SUM(copies) AS SIGNED) AS copies,"
	" SUM(revenue) AS revenue FROM sales_books FORCE INDEX (PRIMARY)"
	" WHERE day > UTC_DATE() - INTERVAL ? DAY"
	" GROUP BY book_id HAVING copies > 0"
	" ORDER BY copies DESC, book_id LIMIT ?) AS best"
	" JOIN books AS b ON b.id = best.book_id"
	" ORDER BY best.copies DESC, b.id" };

/* --- reading an event --- */

static int
unreadable(struct req *req, const char *what)
{
	return req_fail(req, RC_BAD_INPUT, "%s", what);
}

static bool
is_number(const char *text)
{
	size_t digits = text ? strspn(text, "0123456789") : 0;

	return digits > 0 && digits <= ID_DIGITS && !text[digits];
}

static bool
within(const json_t *object, const char *key, int64_t min, int64_t max)
{
	int64_t n = model_int(object, key);

	return json_is_integer(json_object_get(object, key)) && n >= min &&
	    n <= max;
}

/* The day of "2026-11-21T10:20:30Z". */
static bool
read_day(const char *time, char day[SALES_DAY_SIZE])
{
	static const char form[] = "dddd-dd-ddT";

	for (size_t i = 0; form[i]; i++) {
		bool digit = time && time[i] >= '0' && time[i] <= '9';

		if (!time || (form[i] == 'd' ? !digit : time[i] != form[i]))
			return false;
	}
	memcpy(day, time, SALES_DAY_SIZE - 1);
	day[SALES_DAY_SIZE - 1] = '\0';
	return true;
}

/* "00-<trace>-<span>-<flags>", as the relay writes it; what somebody else put
 * there does not get into the log. */
static void
read_trace(struct req *req, const char *traceparent, struct sales_event *event)
{
	bool whole = traceparent && strlen(traceparent) == TRACEPARENT_LENGTH &&
	    strspn(traceparent, "0123456789abcdef-") == TRACEPARENT_LENGTH;

	event->trace = whole ?
	    arena_strndup(req->arena, traceparent + 3, TRACE_LENGTH) :
	    "";
	event->parent = whole ?
	    arena_strndup(
		req->arena, traceparent + 4 + TRACE_LENGTH, SPAN_LENGTH) :
	    "";
	event->sampled =
	    whole && strcmp(traceparent + TRACEPARENT_LENGTH - 2, "01") == 0;
}

static int
by_book(const void *a, const void *b)
{
	const struct sales_line *x = a, *y = b;

	return (x->book_id > y->book_id) - (x->book_id < y->book_id);
}

static int
read_lines(struct req *req, const json_t *items, struct sales_event *event)
{
	size_t n = json_array_size(items);

	if (n == 0)
		return unreadable(req, "the order has no items");
	event->lines = arena_alloc(req->arena, n * sizeof(event->lines[0]));
	event->nlines = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(items, i);

		if (!within(one, "book_id", 1, INT64_MAX) ||
		    !within(one, "quantity", 1, QUANTITY_MAX) ||
		    !within(one, "total_price", 0, TOTAL_MAX))
			return unreadable(req,
			    "an item lacks book_id, quantity or total_price");
		event->lines[i] =
		    (struct sales_line){ .book_id = model_int(one, "book_id"),
			    .quantity = model_int(one, "quantity"),
			    .total = model_int(one, "total_price") };
		event->copies += event->lines[i].quantity;
	}
	/* In one order always: who counts beside us meets no deadlock. */
	qsort(event->lines, n, sizeof(event->lines[0]), by_book);
	return RC_OK;
}

static int
read_order(struct req *req, const json_t *whole, struct sales_event *event)
{
	const json_t *order = json_object_get(whole, "data");

	if (!within(order, "total", 0, TOTAL_MAX))
		return unreadable(req, "the order has no total");
	event->total = model_int(order, "total");
	/* What is refunded later goes where it was added. */
	if (!read_day(model_text(order, "created_at"), event->day) &&
	    !read_day(model_text(whole, "time"), event->day))
		return unreadable(req, "neither order nor event has a time");
	return read_lines(req, json_object_get(order, "items"), event);
}

int
sales_read(struct req *req, const char *json, struct sales_event *event)
{
	json_t *whole =
	    json ? json_loads(json, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *id = model_text(whole, "id");

	*event = (struct sales_event){ .type = model_text(whole, "type"),
		.subject = model_text(whole, "subject") };
	read_trace(req, model_text(whole, "traceparent"), event);
	if (!whole)
		return unreadable(req, "it is not JSON");
	if (!is_number(id) || !event->type || !event->subject)
		return unreadable(
		    req, "it lacks id, type or subject of a CloudEvent");
	event->id = strtoll(id, NULL, 10);
	event->sign = strcmp(event->type, PAID) == 0 ? 1 :
	    strcmp(event->type, REFUNDED) == 0	     ? -1 :
						       0;
	event->counts = event->sign != 0;
	return event->counts ? read_order(req, whole, event) : RC_OK;
}

/* --- counting --- */

static struct db_arg
money(struct req *req, int64_t minor)
{
	bool negative = minor < 0;
	long long n = negative ? -minor : minor;

	return db_text(arena_printf(req->arena, "%s%lld.%02lld",
	    negative ? "-" : "", n / 100, n % 100));
}

static int
count_day(struct req *req, const struct sales_event *e)
{
	struct db_arg total = money(req, e->total);
	int64_t changed;
	int rc;

	if (e->sign > 0)
		return db_exec(req, &ADD_DAY,
		    DB_ARGS(db_text(e->day), db_int(e->copies), total), NULL,
		    NULL);
	rc = db_exec(req, &TAKE_DAY,
	    DB_ARGS(db_int(e->copies), total, db_text(e->day),
		db_int(e->copies), total),
	    &changed, NULL);
	if (rc == RC_OK && changed == 0)
		return req_fail(req, RC_CONFLICT,
		    "a refund of a sale that has not been counted");
	return rc;
}

static int
count_books(struct req *req, const struct sales_event *e)
{
	for (size_t i = 0; i < e->nlines; i++) {
		const struct sales_line *line = &e->lines[i];
		int rc = db_exec(req, &ADD_BOOK,
		    DB_ARGS(db_text(e->day), db_int(line->book_id),
			db_int(e->sign * line->quantity),
			money(req, e->sign * line->total)),
		    NULL, NULL);

		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

struct counting {
	const char *consumer;
	struct sales_event *events;
	size_t n;
};

static int
count_one(struct req *req, const char *consumer, struct sales_event *e)
{
	int64_t added;
	int rc;

	rc = db_exec(req, &REMEMBER, DB_ARGS(db_text(consumer), db_int(e->id)),
	    &added, NULL);
	if (rc < 0)
		return rc;
	e->repeated = added == 0;
	if (e->repeated)
		return RC_OK;
	rc = count_day(req, e);
	return rc < 0 ? rc : count_books(req, e);
}

static int
count_all(struct req *req, void *arg)
{
	struct counting *c = arg;

	for (size_t i = 0; i < c->n; i++) {
		int rc = count_one(req, c->consumer, &c->events[i]);

		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

int
sales_count(
    struct req *req, const char *consumer, struct sales_event *events, size_t n)
{
	struct counting c = { consumer, events, n };

	return n == 0 ? RC_OK : db_tx(req, count_all, &c);
}

/* --- telling --- */

int
sales_by_day(struct req *req, const char *from, const char *to, json_t **days)
{
	return db_rows(req, &BY_DAY,
	    DB_ARGS(db_text(from), db_text(to), db_int(SALES_DAYS_MAX)), days);
}

int
sales_best(struct req *req, int days, int max, json_t **books)
{
	return db_rows(req, &BEST, DB_ARGS(db_int(days), db_int(max)), books);
}
