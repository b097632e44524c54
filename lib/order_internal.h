/*
 * order_internal -- what the parts of order share.
 *
 *   order.c        states; reading one order
 *   order_place.c  a new order
 *   order_state.c  every change of state
 *   order_pay.c    paying
 *   order_list.c   lists
 */
#ifndef SEOGA_ORDER_INTERNAL_H
#define SEOGA_ORDER_INTERNAL_H

#include "order.h"
#include "stock.h"

/* --- order.c ------------------------------------------------------------ */

/* The order with its lines, whoever asks; RC_NOT_FOUND with a text. */
int order_load(struct req *req, int64_t id, json_t **order) ATTR_CHECK;

/* Adds history and payments to an order. */
int order_load_past(struct req *req, json_t *order) ATTR_CHECK;

/* An order without lines, of its number or id, if the current member may see
 * it; RC_NOT_FOUND with a text. */
int order_find(struct req *req, const char *number, json_t **order) ATTR_CHECK;

int64_t order_id_of(const json_t *order);
enum order_state order_state_of(const json_t *order);

/* What was typed as a number, if it has the form of one; else NULL. */
const char *order_number(struct req *req, const char *text);

/* What its lines hold of each book; gives how many books. */
size_t
order_demand(const json_t *order, struct stock_demand demand[ORDER_LINES_MAX]);

/* Its books have another stock now: after the transaction. */
void order_forget_books(struct req *req, const json_t *order);

/* Minor units as a DECIMAL. */
const char *order_money(struct req *req, int64_t minor);

/* --- order_state.c ------------------------------------------------------ */

/* A change of state on its way. */
struct order_change {
	int64_t id;
	enum order_state to;
	bool cancel;	  /* to is cancelled or refunded, as the state needs */
	const char *note; /* NULL: none */
	bool audit;	  /* it is an administrator's */
	int64_t payment;  /* the attempt that this confirms, 0 = none */

	/* What came of it. */
	enum order_state from;
	bool refund;   /* the payment service has to give money back */
	json_t *order; /* with its lines */
};

/* Makes the change in a transaction; RC_CONFLICT when it is not legal. */
int order_become(struct req *req, struct order_change *change) ATTR_CHECK;

/* Within the transaction of a change, when the order has its new state: the
 * line of history, and the event.  from NULL: a new order.  *order is the
 * order with its lines. */
int order_record(struct req *req, int64_t id, const char *from, const char *to,
    const char *note, json_t **order) ATTR_CHECK;

#endif
