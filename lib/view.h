/*
 * view -- how values look to a reader: money, dates, availability, books.
 */
#ifndef SEOGA_VIEW_H
#define SEOGA_VIEW_H

#include "req.h"

/* Minor units as the reader writes them: "15,000원", "₩15,000". */
const char *view_money(struct req *req, int64_t minor);

/* With a comma between each three digits. */
const char *view_number(struct req *req, int64_t n);

/* The day of "2026-11-21T10:20:30Z"; "" for NULL.  Korean pages show Korea's
 * days and hours, others those of UTC. */
const char *view_date(struct req *req, const char *iso);
/* Day, minute and zone of Unix seconds. */
const char *view_time(struct req *req, int64_t seconds);
/* The minute of the day, "20:31", in the same zone. */
const char *view_minute(struct req *req, int64_t seconds);
/* Unix seconds of "2026-11-21T10:20:30Z", for view_time(); 0 for NULL. */
int64_t view_seconds(const char *iso);

/* Adds to a book (see book.h) what its templates show: price_text, stock_kind
 * (in, low or out), stock_text; a negative published_year becomes a text. */
void view_book(struct req *req, json_t *book);

/* A language by its code of two letters, in words; the code where there is no
 * word.  Options to choose from: [{value, label, current}]. */
const char *view_language(const char *code);
json_t *view_language_options(const char *current);

/* An order's state ("paid") in words. */
const char *view_order_state(const char *state);
/* Adds to an order (see order.h) of a list what its templates show: url,
 * state_text, total_text, created_text, and what_text for its books. */
void view_order(struct req *req, json_t *order);
/* The same for the whole of one, on its page: next_text (what happens next;
 * null for others than its reader), and the texts of its lines, history and
 * payments. */
void view_order_whole(struct req *req, json_t *order);
/* Has one of its payments that result? */
bool view_order_payment(const json_t *order, const char *result);
/* Minutes that are left to pay a pending order; 0 when they are over. */
int64_t view_order_minutes(const json_t *order);

#endif
