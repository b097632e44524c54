/* order -- see order.h: states, and reading one order. */
#include "order_internal.h"

#include "book.h"
#include "cart.h"
#include "db.h"
#include "form.h"
#include "model.h"
#include "sess.h"

#define ONE_ORDER \
	"SELECT o.id, o.number, o.user_id, u.username, o.state, o.total," \
	" o.recipient, o.phone, o.postcode, o.address, o.created_at," \
	" o.updated_at, o.expires_at" \
	" FROM orders o JOIN users u ON u.id = o.user_id"

static const struct db_stmt ORDER_BY_ID = { "order.by_id",
	ONE_ORDER " WHERE o.id = ?" };
static const struct db_stmt ORDER_BY_NUMBER = { "order.by_number",
	ONE_ORDER " WHERE o.number = ?" };
static const struct db_stmt ORDER_ITEMS = { "order.items",
	"SELECT book_id, title, author, language, quantity, unit_price,"
	" total_price FROM order_items WHERE order_id = ? ORDER BY book_id" };
static const struct db_stmt ORDER_HISTORY = { "order.history",
	"SELECT from_state AS `from`, to_state AS `to`, actor, note, at"
	" FROM order_history WHERE order_id = ? ORDER BY id" };
static const struct db_stmt ORDER_PAYMENTS = { "order.payments",
	"SELECT result, amount, at FROM payments WHERE order_id = ?"
	" ORDER BY id" };

#define TO(state) (1U << (state))

/* Where each state may go. */
static const struct {
	const char *text;
	unsigned next;
} states[] = {
	[ORDER_PENDING] = { "pending", TO(ORDER_PAID) | TO(ORDER_CANCELLED) },
	[ORDER_PAID] = { "paid", TO(ORDER_SHIPPED) | TO(ORDER_REFUNDED) },
	[ORDER_SHIPPED] = { "shipped",
	    TO(ORDER_DELIVERED) | TO(ORDER_REFUNDED) },
	[ORDER_DELIVERED] = { "delivered", TO(ORDER_REFUNDED) },
	[ORDER_CANCELLED] = { "cancelled", 0 },
	[ORDER_REFUNDED] = { "refunded", 0 },
};

bool
order_state_from_text(const char *text, enum order_state *state)
{
	for (size_t i = 0; i < LENGTH(states); i++) {
		if (strcmp(text, states[i].text) == 0) {
			*state = (enum order_state)i;
			return true;
		}
	}
	return false;
}

const char *
order_state_text(enum order_state state)
{
	return states[state].text;
}

bool
order_may_become(enum order_state from, enum order_state to)
{
	return states[from].next & TO(to);
}

int64_t
order_id_of(const json_t *order)
{
	return model_int(order, "id");
}

enum order_state
order_state_of(const json_t *order)
{
	enum order_state state = ORDER_PENDING;

	order_state_from_text(model_text(order, "state"), &state);
	return state;
}

const char *
order_money(struct req *req, int64_t minor)
{
	return arena_printf(req->arena, "%lld.%02lld", (long long)minor / 100,
	    (long long)minor % 100);
}

static int
no_such_order(struct req *req)
{
	return req_fail(req, RC_NOT_FOUND, "%s",
	    _("There is no such order. Your orders are listed under"
	      " Orders."));
}

static int
add_rows(
    struct req *req, json_t *order, const char *key, const struct db_stmt *st)
{
	json_t *rows;
	int rc = db_rows(req, st, DB_ARGS(db_int(order_id_of(order))), &rows);

	if (rc == RC_OK)
		model_set(order, key, rows);
	return rc;
}

int
order_load(struct req *req, int64_t id, json_t **order)
{
	json_t *found;
	int rc = db_row(req, &ORDER_BY_ID, DB_ARGS(db_int(id)), &found);

	if (rc == RC_NOT_FOUND)
		return no_such_order(req);
	if (rc < 0)
		return rc;
	rc = add_rows(req, found, "items", &ORDER_ITEMS);
	if (rc == RC_OK)
		*order = found;
	return rc;
}

/* Who works in the bookshop is not told to readers. */
static void
hide_staff(const struct req *req, const json_t *order)
{
	const struct sess *s = req->sess;
	json_t *entry;
	size_t i;

	if (strcmp(s->role, "admin") == 0)
		return;
	json_array_foreach(json_object_get(order, "history"), i, entry) {
		const char *actor = model_text(entry, "actor");

		if (strcmp(actor, s->username) != 0 &&
		    strcmp(actor, "system") != 0)
			model_set_text(entry, "actor", "bookshop");
	}
}

int
order_load_past(struct req *req, json_t *order)
{
	int rc = add_rows(req, order, "history", &ORDER_HISTORY);

	if (rc < 0)
		return rc;
	hide_staff(req, order);
	return add_rows(req, order, "payments", &ORDER_PAYMENTS);
}

/* A hyphen after the day; capitals, whatever was typed. */
const char *
order_number(struct req *req, const char *text)
{
	char *copy = arena_strdup(req->arena, text);

	if (strlen(text) != ORDER_NUMBER_LENGTH ||
	    strspn(text, "0123456789") != 8 || text[8] != '-')
		return NULL;
	for (char *p = copy + 9; *p; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		if (!strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", *p))
			return NULL;
	}
	return copy;
}

static bool
is_id(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 18 && !text[digits];
}

/* Not even that there is one is anybody else's business. */
static bool
may_see(const struct req *req, const json_t *order)
{
	const struct sess *s = req->sess;

	return s && s->user_id &&
	    (s->user_id == model_int(order, "user_id") ||
		strcmp(s->role, "admin") == 0);
}

int
order_find(struct req *req, const char *number, json_t **order)
{
	const char *text = order_number(req, number);
	json_t *found = NULL;
	int rc = RC_NOT_FOUND;

	if (text)
		rc = db_row(
		    req, &ORDER_BY_NUMBER, DB_ARGS(db_text(text)), &found);
	else if (is_id(number))
		rc = db_row(req, &ORDER_BY_ID,
		    DB_ARGS(db_int(strtoll(number, NULL, 10))), &found);
	if (rc == RC_NOT_FOUND || (rc == RC_OK && !may_see(req, found)))
		return no_such_order(req);
	if (rc == RC_OK)
		*order = found;
	return rc;
}

int
order_by_number(struct req *req, const char *number, json_t **order)
{
	json_t *found;
	int rc = order_find(req, number, &found);

	if (rc < 0 || (rc = add_rows(req, found, "items", &ORDER_ITEMS)) < 0 ||
	    (rc = order_load_past(req, found)) < 0)
		return rc;
	*order = found;
	return RC_OK;
}

size_t
order_demand(const json_t *order, struct stock_demand demand[ORDER_LINES_MAX])
{
	json_t *item;
	size_t i, n = 0;

	json_array_foreach(json_object_get(order, "items"), i, item) {
		if (n < ORDER_LINES_MAX)
			demand[n++] =
			    (struct stock_demand){ model_int(item, "book_id"),
				    model_int(item, "quantity") };
	}
	return n;
}

void
order_forget_books(struct req *req, const json_t *order)
{
	int64_t ids[ORDER_LINES_MAX];
	json_t *item;
	size_t i, n = 0;

	json_array_foreach(json_object_get(order, "items"), i, item) {
		if (n < ORDER_LINES_MAX)
			ids[n++] = model_int(item, "book_id");
	}
	book_forget_some(req, ids, n);
}

/* What is gone, sold out or over a limit stays out. */
static bool
can_be_left_out(int rc)
{
	return rc == RC_NOT_FOUND || rc == RC_CONFLICT;
}

static int
again_one(struct req *req, const json_t *item, size_t *added)
{
	int64_t quantity = model_int(item, "quantity"), now;
	int64_t book_id = model_int(item, "book_id");
	const char *once = form_str(req, "once");
	int rc;

	/* A key serves one book. */
	if (once)
		once = arena_printf(
		    req->arena, "%s:%lld", once, (long long)book_id);
	rc = cart_add(req, book_id, quantity, once, &now);
	if (rc == RC_OK)
		++*added;
	if (!can_be_left_out(rc))
		return rc;
	req_forgive(req);
	return RC_OK;
}

int
order_again(struct req *req, const char *number, size_t *added)
{
	json_t *order, *item;
	size_t i, n = 0;
	int rc = order_find(req, number, &order);

	if (rc < 0 || (rc = add_rows(req, order, "items", &ORDER_ITEMS)) < 0)
		return rc;
	json_array_foreach(json_object_get(order, "items"), i, item) {
		rc = again_one(req, item, &n);
		if (rc < 0)
			return rc;
	}
	*added = n;
	return RC_OK;
}
