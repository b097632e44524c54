/*
 * stock -- how many copies of a book there are, and why: every change of
 * books.stock_quantity goes through here and leaves a line of history.
 *
 * All of them are for the inside of a transaction (db_tx()), change stock by
 * one conditional UPDATE, and never let it fall below zero.
 */
#ifndef SEOGA_STOCK_H
#define SEOGA_STOCK_H

#include "req.h"

#define STOCK_MAX 1000000 /* copies of one book */

struct stock_demand {
	int64_t book_id;
	int64_t copies; /* all that is wanted of this book, 1 or more */
};

/*
 * Takes copies of several books for an order, in the order of their ids
 * (sorts demand).  RC_CONFLICT when there is too little of one: *missing is
 * its id, and the transaction must be rolled back.
 */
int stock_take(struct req *req, int64_t order_id, struct stock_demand *demand,
    size_t n, int64_t *missing) ATTR_CHECK;

/*
 * Locks books until the end of the transaction, in the order of their ids
 * (n is 1..100): [{id, title, author, language, price, stock_quantity}].
 * Those that are not for sale are left out.
 */
int stock_lock(
    struct req *req, const int64_t *ids, size_t n, json_t **books) ATTR_CHECK;

/* Gives them back, in the same order. */
int stock_return(struct req *req, int64_t order_id, struct stock_demand *demand,
    size_t n) ATTR_CHECK;

/* A librarian's change.  RC_CONFLICT below zero or above STOCK_MAX;
 * RC_NOT_FOUND without such a book. */
enum stock_change { STOCK_SET, STOCK_ADD, STOCK_SUBTRACT };
int stock_change(struct req *req, int64_t book_id, enum stock_change change,
    int64_t copies, const char *note, int64_t *stock_now) ATTR_CHECK;

/* The latest changes of a book, at most 100: [{id, delta, stock_after,
 * reason, note, actor, order_number, at}]. */
int
stock_history(struct req *req, int64_t book_id, json_t **changes) ATTR_CHECK;

#endif
