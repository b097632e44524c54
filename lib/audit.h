/*
 * audit -- who changed what, kept for good beside the change itself.
 */
#ifndef SEOGA_AUDIT_H
#define SEOGA_AUDIT_H

#include "req.h"

/* What was changed. */
struct audit_object {
	const char *type; /* "book", "category", "user", "order" */
	int64_t id;
	const char *label; /* what it is called now: title, name, number */
};

/*
 * Records an act ("book.edit") of the current member, or of the system in a
 * command, within the transaction that does it.  changes (borrowed) is
 * {field: [before, after]}; see audit_changes().
 */
int audit_add(struct req *req, const char *act,
    const struct audit_object *object, const json_t *changes) ATTR_CHECK;

/* {field: [before, after]} for those of the fields (NULL-ended) that differ;
 * before or after may be NULL: nothing. */
json_t *audit_changes(
    const json_t *before, const json_t *after, const char *const *fields);

/*
 * A page of the log, latest first: {entries: [{id, at, actor, act, object,
 * object_id, label, changes, trace}], next}.  Each filter may be NULL (0);
 * after is the cursor of next.
 */
struct audit_query {
	const char *actor, *object, *act;
	int64_t object_id, after;
	bool catalogue; /* books, categories and imports only */
	int limit;	/* 1..100 */
};
int audit_list(
    struct req *req, const struct audit_query *query, json_t **page) ATTR_CHECK;

/*
 * What has been changed of a thing since a version of it, for those whose
 * entries have "version" among their changes: {field: {was, actor, at}}, by
 * the latest who changed it; was is what the version had.
 */
int audit_since(struct req *req, const char *object, int64_t object_id,
    int64_t version, json_t **changes) ATTR_CHECK;

#endif
