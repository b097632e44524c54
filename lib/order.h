/*
 * order -- from a cart to a delivered parcel.
 *
 *	pending -> paid -> shipped -> delivered
 *	pending -> cancelled          (by the reader, or when it expires)
 *	paid -> refunded              (cancelled after payment)
 *	shipped, delivered -> refunded (by an administrator)
 *
 * Stock falls when an order is placed and comes back, once, when it is
 * cancelled or expires, or is refunded before it was shipped.  Every change
 * of state is one transaction with its line of history and its event (topics
 * "order.<state>", order.pending for a new one; data is {id, number, user_id,
 * username, state, from, total, created_at, updated_at, items}).
 *
 * An order is {id, number, user_id, username, state, total, recipient,
 * phone, postcode, address, created_at, updated_at, expires_at, items:
 * [{book_id, title, author, language, quantity, unit_price, total_price}],
 * history: [{from, to, actor, note, at}] (actor is "bookshop" where a reader
 * is not told which administrator it was), payments: [{result, amount, at}]}.
 * Money is minor units.  Its number is "20261121-7K3QXM": the day, and six
 * random characters of Crockford's base 32.
 */
#ifndef SEOGA_ORDER_H
#define SEOGA_ORDER_H

#include "req.h"

#define ORDER_NUMBER_LENGTH 15
#define ORDER_KEY_MAX 64
#define ORDER_LINES_MAX 100

enum order_state {
	ORDER_PENDING,
	ORDER_PAID,
	ORDER_SHIPPED,
	ORDER_DELIVERED,
	ORDER_CANCELLED,
	ORDER_REFUNDED
};

bool order_state_from_text(const char *text, enum order_state *state);
const char *order_state_text(enum order_state state);
/* May an order go from one to the other? */
bool order_may_become(enum order_state from, enum order_state to);

struct order_line {
	int64_t book_id, quantity;
	int64_t price; /* as the reader saw it; -1: whatever it is now */
};

struct order_request {
	/* All of the cart, at today's prices; lines are not looked at. */
	bool whole_cart;
	const char *key; /* one-time, 1..ORDER_KEY_MAX printable ASCII */
	const char *recipient, *phone, *postcode, *address;
	struct order_line *lines; /* a book twice is summed */
	size_t nlines;		  /* 1..ORDER_LINES_MAX */
};

/*
 * Places an order of the current member: one transaction for order, lines,
 * stock, history and event.  The same key and request again gives the same
 * order and *replayed; the same key with another request is RC_BAD_INPUT
 * with status 422.  RC_CONFLICT when a book vanished, is short, or has
 * another price than the line says: nothing has happened, and *order is
 * {lines: [{book_id, title, quantity, price, stock_quantity, problem}]} with
 * the problems of cart.h.  The lines then leave the cart (only what was
 * ordered of them; also when replayed).
 */
int order_place(struct req *req, const struct order_request *request,
    json_t **order, bool *replayed) ATTR_CHECK;

/* The order of that number, or id.  Others' orders are RC_NOT_FOUND unless the
 * current member is an admin. */
int
order_by_number(struct req *req, const char *number, json_t **order) ATTR_CHECK;

/*
 * Asks the payment service (lib/pay.h) for the total, outside of any
 * transaction, then confirms: RC_OK and state paid; RC_CONFLICT when
 * declined, or when the order expired or was cancelled meanwhile (then the
 * payment is refunded); RC_DOWN when the service timed out: still pending,
 * may be tried again.  An order that is paid already is RC_OK.  RC_BAD_INPUT,
 * with the error of the field "card", for what cannot be a card's number.
 */
int order_pay(struct req *req, const char *number, const char *card,
    json_t **order) ATTR_CHECK;

/* The reader's cancel: pending -> cancelled, paid -> refunded; RC_CONFLICT
 * after that. */
int
order_cancel(struct req *req, const char *number, json_t **order) ATTR_CHECK;

/* An administrator's change of state; RC_CONFLICT when that is not legal,
 * with the present state in req->details.  note may be NULL. */
int order_set_state(struct req *req, const char *number, enum order_state state,
    const char *note, json_t **order) ATTR_CHECK;

/*
 * A page of orders, latest first: {orders: [without items, history and
 * payments; with title (of the first line) and line_count], next}.  user_id
 * 0: everybody's.
 */
struct order_query {
	int64_t user_id;
	const char *state;  /* NULL: all */
	const char *search; /* a number or a username; NULL: all */
	int64_t after;	    /* cursor: next of the page before; 0 = start */
	int limit;	    /* 1..100 */
};
int order_list(
    struct req *req, const struct order_query *query, json_t **page) ATTR_CHECK;

/* Puts what can be had of an order's lines into the cart; *added lines.  The
 * form's field once makes it happen once. */
int order_again(struct req *req, const char *number, size_t *added) ATTR_CHECK;

/* For the job bin/expire.c: cancels, as the system, pending orders whose time
 * is over, at most max of them, each in a transaction of its own. */
int order_expire(struct req *req, int max, int *expired) ATTR_CHECK;

#endif
