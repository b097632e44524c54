/*
 * slo -- what the site promises, and how it keeps it: objectives over the
 * last hour, day, week and 30 days, what is left of their error budgets, and
 * how fast these are used up.  For the page /status/slo.
 *
 * Each objective allows some part of something to be bad:
 *
 *	availability	0.1 % of the seconds in which the site was watched; a
 *			step of the history is bad when more than 5 % of its
 *			requests were answered with 5xx
 *	speed		5 % of the requests may take longer than 200 ms
 *	errors		0.1 % of the requests may be answered with 5xx
 */
#ifndef SEOGA_SLO_H
#define SEOGA_SLO_H

#include "history.h"

enum slo { SLO_AVAILABILITY, SLO_SPEED, SLO_ERRORS, SLO_OBJECTIVES };

/* The part that may be bad: 0.001. */
double slo_allowed(enum slo objective);

/* How much was bad of how much. */
struct slo_count {
	double bad, all;
};
struct slo_count
slo_count(enum slo objective, const struct history_service *service);

/* The part that was good; NAN when there was nothing. */
double slo_reached(const struct slo_count *count);
/* The part of the error budget that is left: 1 is all of it, below 0 more
 * was bad than may be; NAN when there was nothing. */
double slo_left(enum slo objective, const struct slo_count *count);
/* How many times faster than allowed the budget is used; NAN when there was
 * nothing.  At 1 it is gone when the period is over. */
double slo_burn(enum slo objective, const struct slo_count *count);

/* For the template slo. */
json_t *slo_page(struct req *req);

#endif
