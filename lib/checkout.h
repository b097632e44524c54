/*
 * checkout -- the form between a cart and an order: it carries the lines as
 * the reader saw them, so that nothing else is ordered, and says what is
 * different now.
 */
#ifndef SEOGA_CHECKOUT_H
#define SEOGA_CHECKOUT_H

#include "order.h"

#define CHECKOUT_LINES_MAX 4000 /* characters */

/* "<book>:<quantity>:<price> ..." of those lines of a cart (see cart.h) that
 * can be ordered, for a hidden field; "" for none. */
const char *checkout_lines(struct req *req, const json_t *cart);

/* Reads them again; how many, 0 when the text is none of ours. */
size_t
checkout_read(const char *text, struct order_line lines[ORDER_LINES_MAX]);

/* Why a line of a cart cannot be ordered now, in words; NULL: it can. */
const char *checkout_problem(struct req *req, const json_t *line);

/* What is different in the cart of now: [{title, language (may be null),
 * text}]. */
json_t *checkout_changes(struct req *req, const struct order_line *seen,
    size_t n, const json_t *cart);

/* Could a parcel go there?  Of the fields phone and postcode, as far as nothing
 * else is wrong with them; RC_BAD_INPUT with field errors. */
int checkout_check_address(struct req *req) ATTR_CHECK;

#endif
