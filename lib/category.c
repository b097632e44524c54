/* category -- see category.h. */
#include "category.h"

#include "cache.h"
#include "db.h"
#include "model.h"

#define CACHE_S "300"

static const char *
cache_key(const struct req *req)
{
	return req->lang == LANG_KO ? "cache:categories:ko" :
	    "cache:categories:en";
}

void
category_queue(struct req *req)
{
	cache_queue(req, "GET", cache_key(req), NULL);
}

/* Parents come before what is below them. */
static const struct db_stmt CATEGORY_TREE_KO = { "category.tree.ko",
	"SELECT id, parent_id, name_ko AS name, book_count AS count"
	" FROM categories ORDER BY position, id" };
static const struct db_stmt CATEGORY_TREE_EN = { "category.tree.en",
	"SELECT id, parent_id, name_en AS name, book_count AS count"
	" FROM categories ORDER BY position, id" };

json_t *
category_find(json_t *tree, int64_t id)
{
	json_t *node, *found;
	size_t i;

	json_array_foreach(tree, i, node) {
		if (model_int(node, "id") == id)
			return node;
		found = category_find(json_object_get(node, "children"), id);
		if (found)
			return found;
	}
	return NULL;
}

static json_t *
children_of(json_t *rows, json_int_t parent)
{
	json_t *children = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		json_int_t id =
		    model_int(row, "id");

		if (model_int(row, "parent_id") !=
		    parent)
			continue;
		json_array_append_new(children, json_pack("{s:I, s:O, s:O,"
		    " s:o}", "id", id,
		    "name", json_object_get(row, "name"),
		    "count", json_object_get(row, "count"),
		    "children", children_of(rows, id)));
	}
	return children;
}

/* Adds to each node's count those of its children; returns the sum. */
static json_int_t
sum_counts(json_t *tree)
{
	json_int_t sum = 0;
	json_t *node;
	size_t i;

	json_array_foreach(tree, i, node) {
		json_t *count = json_object_get(node, "count");

		json_integer_set(count, json_integer_value(count) +
		    sum_counts(json_object_get(node, "children")));
		sum += json_integer_value(count);
	}
	return sum;
}

/* A lost cache costs one more statement next time, nothing else. */
static void
store(struct req *req, const json_t *tree)
{
	struct cache_reply *reply;
	const char *text = json_dumps(tree, JSON_COMPACT);

	if (text && cache_command(req, &reply, "SET", cache_key(req), text,
	    "EX", CACHE_S, NULL) < 0)
		req_forgive(req);
}

int
category_tree(struct req *req, const struct cache_reply *cached,
    json_t **tree)
{
	json_t *rows, *built = NULL;
	int rc;

	if (cached && cached->type == CACHE_TEXT)
		built = json_loadb(cached->s, cached->len, 0, NULL);
	if (built) {
		*tree = built;
		return RC_OK;
	}
	rc = db_rows(req, req->lang == LANG_KO ? &CATEGORY_TREE_KO :
	    &CATEGORY_TREE_EN, DB_NO_ARGS, &rows);
	if (rc < 0)
		return rc;
	built = children_of(rows, 0);
	sum_counts(built);
	if (cached)
		store(req, built);
	*tree = built;
	return RC_OK;
}

static size_t
collect(const json_t *node, int64_t *ids, size_t n)
{
	const json_t *child;
	size_t i;

	if (n == CATEGORY_BELOW_MAX)
		return n;
	ids[n++] = model_int(node, "id");
	json_array_foreach(json_object_get(node, "children"), i, child)
		n = collect(child, ids, n);
	return n;
}

size_t
category_below(const json_t *node, int64_t ids[CATEGORY_BELOW_MAX])
{
	return collect(node, ids, 0);
}
