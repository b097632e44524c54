/*
 * view_audit -- how entries of the audit log look, and what can be asked of
 * it.
 */
#ifndef SEOGA_VIEW_AUDIT_H
#define SEOGA_VIEW_AUDIT_H

#include "req.h"

/* Adds to entries (see audit.h) what part/audit-entry shows: act_text,
 * at_text, url (where it still can be looked at), change_list.  categories is
 * what category_all() gives. */
void view_audit(struct req *req, const json_t *categories, json_t *entries);

/* The options of a select: [{value, label, current}], the kinds of things
 * ("book") and below each what is done to them ("book.edit"). */
json_t *view_audit_options(bool catalogue, const char *current);

#endif
