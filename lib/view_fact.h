/*
 * view_fact -- how the facts of books, categories and members look where
 * they are edited, compared, and listed as changes.
 *
 * categories is what category_all() gives, for the facts that name one.
 */
#ifndef SEOGA_VIEW_FACT_H
#define SEOGA_VIEW_FACT_H

#include "req.h"

/* "published_year" -> "Year"; a name that is not known stays as it is. */
const char *view_fact_label(const char *field);

/* For reading: "₩12,500", "Literature / Korean fiction"; "" for nothing. */
const char *view_fact_text(struct req *req, const json_t *categories,
    const char *field, const json_t *value);

/* For the field of a form: "12500", "12"; "" for nothing. */
const char *
view_fact_input(struct req *req, const char *field, const json_t *value);
/* The same for all of them (NULL-ended): name -> text. */
json_t *view_fact_inputs(
    struct req *req, const json_t *object, const char *const *fields);

/* A price as people write it, "12,500", "12500.50", "₩12,500"; false when it
 * is none. */
bool view_read_price(const char *text, int64_t *minor);

/* The options of a select: [{value, label, current}], children indented. */
json_t *view_category_options(
    struct req *req, const json_t *categories, const char *current);

/* "reader" -> "Reader". */
const char *view_role(const char *role);

/*
 * Two versions side by side.  mine is what was typed, theirs what is there
 * now, since what audit_since() tells of the time between.
 * {rows: [{name, label, mine, theirs, take_mine, both, actor, at_text}],
 * carried: [{name, value}]}: the facts that differ, and the form's
 * fields for all of them.
 */
struct view_conflict {
	const char *const *fields; /* NULL-ended */
	const json_t *mine, *theirs, *since, *categories;
};
json_t *view_conflict(struct req *req, const struct view_conflict *conflict);

/* Takes over into mine the facts for which the form's pick_<field> says
 * "theirs"; false when none does. */
bool view_pick(const struct req *req, const char *const *fields, json_t *mine,
    const json_t *theirs);

#endif
