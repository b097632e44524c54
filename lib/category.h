/*
 * category -- the tree of categories with the number of books in each,
 * cached in Redis (see aside.h).
 */
#ifndef SEOGA_CATEGORY_H
#define SEOGA_CATEGORY_H

#include "req.h"

#define CATEGORY_EVERY (-1)   /* as open: every branch is */
#define CATEGORY_BELOW_MAX 64 /* categories listed together */

/* Queues the reading of the cached tree, as part of a route's prefetch(). */
void category_queue(struct req *req);

/*
 * The tree in the reader's language: array of {id, name, count}; count
 * includes everything below.  Of the branch that the category open is in
 * (0 = none), every node has its children, too.  cached is the reply to
 * category_queue(), or NULL when Redis is away; reads MariaDB and fills the
 * cache when it is empty.
 */
int category_tree(struct req *req, const struct cache_reply *cached,
    int64_t open, json_t **tree) ATTR_CHECK;

/* Forgets the cached tree.  Call it when a change of a category, or of how
 * many books are in one, is committed (after db_tx(), not within). */
void category_forget(struct req *req);

/* The node of that id within a tree, or NULL. */
json_t *category_find(json_t *tree, int64_t id);

/* The ids of a node and all below it; at most CATEGORY_BELOW_MAX. */
size_t category_below(const json_t *node, int64_t ids[CATEGORY_BELOW_MAX]);

#endif
