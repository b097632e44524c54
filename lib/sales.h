/*
 * sales -- what was sold on each day, counted from the events of orders.
 *
 * A sale counts on the day (UTC) on which its order was placed; a refund
 * takes it away from that day again.  Each event counts once, however often
 * it comes.
 */
#ifndef SEOGA_SALES_H
#define SEOGA_SALES_H

#include "req.h"

#define SALES_DAY_SIZE 11 /* "2026-11-21" and NUL */

struct sales_line {
	int64_t book_id, quantity, total; /* minor units */
};

/* A paid or refunded order, as its event tells. */
struct sales_event {
	int64_t id;
	const char *type, *subject;
	const char *trace, *parent; /* "" when it has no trace */
	bool sampled;		    /* that is kept */
	bool counts;		    /* false: nothing of it concerns sales */
	int sign;		    /* 1 paid, -1 refunded */
	char day[SALES_DAY_SIZE];
	int64_t copies, total;
	struct sales_line *lines;
	size_t nlines;
	bool repeated; /* set by sales_count() */
};

/* Reads a CloudEvent; RC_BAD_INPUT with a text (English, for an
 * administrator) when it is not one that can be counted. */
int sales_read(
    struct req *req, const char *json, struct sales_event *event) ATTR_CHECK;

/* Counts n events for a consumer, all or none, in one transaction.
 * RC_CONFLICT with a text when a refund is of a sale that was not counted. */
int sales_count(struct req *req, const char *consumer,
    struct sales_event *events, size_t n) ATTR_CHECK;

/*
 * The days from and to (both included, "2026-11-21") on which something was
 * sold, the first first, at most SALES_DAYS_MAX: [{day, orders, copies,
 * revenue}].
 */
#define SALES_DAYS_MAX 366
int sales_by_day(struct req *req, const char *from, const char *to,
    json_t **days) ATTR_CHECK;

/* The books that were sold most in the last so many days, today included, the
 * best first: [{id, title, copies, revenue}]. */
int sales_best(struct req *req, int days, int max, json_t **books) ATTR_CHECK;

#endif
