/*
 * category_edit -- keeping the tree of categories: adding, naming, moving,
 * ordering, deleting.
 *
 * Every change locks the whole tree, of which there is little: so two moves
 * at once can make no circle, and no book gets into a category that goes.
 * Each is one transaction with its entry in the audit log.
 */
#ifndef SEOGA_CATEGORY_EDIT_H
#define SEOGA_CATEGORY_EDIT_H

#include "req.h"

#define CATEGORY_NAME_MAX 80
#define CATEGORY_DEPTH_MAX 4 /* levels */
#define CATEGORIES_MAX 500

struct category_facts {
	const char *name_ko, *name_en;
	int64_t parent_id; /* 0: at the top */
};

/*
 * All categories in the order of the tree: [{id, parent_id, depth (from 0),
 * slug, name_ko, name_en, name (in the reader's language), book_count,
 * position, version, first, last, leaf}].
 */
int category_all(struct req *req, json_t **list) ATTR_CHECK;

/* The one of that id in the list, or NULL. */
json_t *category_of(const json_t *list, int64_t id);
/* "Literature / Korean fiction", in the reader's language; "" for none. */
const char *category_path(struct req *req, const json_t *list, int64_t id);

/* RC_BAD_INPUT with errors beside name_ko, name_en or parent_id. */
int category_add(struct req *req, const struct category_facts *facts,
    const char *once, int64_t *id) ATTR_CHECK;

/* Names and moves it.  RC_CONFLICT, without errors and with *category as it
 * is now, when that is not the version; 0 is whatever it is. */
int category_edit(struct req *req, int64_t id, int64_t version,
    const struct category_facts *facts, json_t **category) ATTR_CHECK;

/* One place up or down among its siblings; RC_OK also at the end. */
int category_shift(struct req *req, int64_t id, bool up) ATTR_CHECK;

/* RC_CONFLICT with a text while there are books, also withdrawn ones, or
 * categories in it.  RC_NOT_FOUND. */
int category_delete(struct req *req, int64_t id) ATTR_CHECK;

#endif
