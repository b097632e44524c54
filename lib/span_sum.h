/*
 * span_sum -- what a tree of spans (span.h) amounts to, in the order that
 * people read it, and where two of them differ: the same figures on the pages
 * under /trace and in `seoga trace`.
 */
#ifndef SEOGA_SPAN_SUM_H
#define SEOGA_SPAN_SUM_H

#include "span.h"

enum span_kind {
	SPAN_NGINX,
	SPAN_PROGRAM,
	SPAN_SQL,
	SPAN_REDIS,
	SPAN_TEMPLATE,
	SPAN_OUTBOUND, /* another program or service */
	SPAN_JOB,      /* what a job did later, or its own round */
	SPAN_KINDS
};

enum span_kind span_kind(const json_t *span);
/* "nginx", "program", "sql", "redis", "template", "outbound", "job". */
const char *span_kind_name(enum span_kind kind);

struct span_sum {
	int64_t us; /* from the first to the last of it */
	struct {
		int64_t n;  /* spans */
		int64_t us; /* without what is in spans within them: these add
			       up to all that is known */
	} of[SPAN_KINDS];
	int64_t bytes;	/* of the body */
	int64_t status; /* 0: not known */
	int64_t user;	/* who asked; 0: a guest, or not known */
};

/* Of one root, without what jobs did later. */
void span_sum(json_t *root, struct span_sum *sum);

/*
 * What of these trees this member asked for, as roots: a new array.  The trees
 * themselves are cut where a request of somebody else is within one, since a
 * client may name any span as the one above its own.
 */
json_t *span_own(json_t *roots, int64_t user);

/* The digits of an id as people give it: whole, its first SPAN_DIGITS_MIN or
 * more, or in a traceparent; false for what is none. */
#define SPAN_DIGITS_MIN 8
bool span_read_id(const char *word, char digits[SPAN_TRACE_DIGITS + 1]);

/* The spans of one root, each before those within it: a new array of {span,
 * depth}, without what jobs did later. */
json_t *span_rows(json_t *root);

/* What jobs did later, of all roots, by start: a new array of spans. */
json_t *span_later(const json_t *roots);

/* Was it a job alone that did it, later?  Then it is in span_later(). */
bool span_is_later(const json_t *span);

/*
 * The spans of two roots side by side, in their order: a new array of {a, b,
 * depth}, spans or null.  Two stand together that do the same: an SQL
 * statement of that name, those commands of Redis.
 */
json_t *span_pairs(json_t *a, json_t *b);

#endif
