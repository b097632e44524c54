/*
 * cart -- the shopping cart in Redis: cart:<user id or guest uuid>, a hash of
 * book id -> quantity, changed by atomic commands and scripts only.
 *
 * Beside it cart-seen:<same> keeps "<price> <title>" as the reader saw them
 * when the line was last changed, so that the page can say what is different
 * now.  Prices that count always come from MariaDB.
 */
#ifndef SEOGA_CART_H
#define SEOGA_CART_H

#include "req.h"
#include "stock.h"

#define CART_LINE_MAX 99   /* copies of one book */
#define CART_LINES_MAX 100 /* different books */

/*
 * Adds copies of a book.  once (NULL for none) is a one-time key: the same
 * key again changes nothing and is RC_OK.  RC_NOT_FOUND without such a book;
 * RC_CONFLICT when it is sold out or a limit is reached (nothing changes).
 * *quantity becomes the line's quantity.
 */
int cart_add(struct req *req, int64_t book_id, int64_t quantity,
    const char *once, int64_t *quantity_now) ATTR_CHECK;

/* Sets a line that is there; quantity 0 removes it. */
int cart_set(struct req *req, int64_t book_id, int64_t quantity) ATTR_CHECK;

/* RC_OK also when it was not there; *removed says so. */
int cart_remove(struct req *req, int64_t book_id, bool *removed) ATTR_CHECK;
int cart_clear(struct req *req) ATTR_CHECK;

/* Queues the reading of the cart, as part of a route's prefetch(). */
void cart_queue(struct req *req);

/*
 * The cart: {lines: [{book_id, quantity, title, author, price, line_total,
 * stock_quantity, price_seen, orderable, problem}], count, quantity, total}.
 * Money is minor units; problem is null or "gone", "sold_out", "short"
 * (less in stock than wanted), "price" (changed).  Lines that cannot be
 * ordered count nothing in the total.  One Redis trip (none after
 * cart_queue()) and one statement.
 */
int cart_load(struct req *req, json_t **cart) ATTR_CHECK;

/*
 * Takes what the order of that number ordered out of the member's cart: a
 * line that holds more keeps the rest.  The same number again changes
 * nothing, for CART_ORDERED_S.
 */
int cart_take_out(struct req *req, const char *number,
    const struct stock_demand *ordered, size_t n) ATTR_CHECK;
#define CART_ORDERED_S 7200

/* Queues the merge of a guest's cart into a member's (limits kept: what is
 * over them stays out). */
void cart_queue_merge(
    struct req *req, const char *guest_key, const char *member_key);

/* Guest carts live this long after their last change. */
#define CART_GUEST_S (7 * 24 * 3600)

#endif
