/* category -- see category.h. */
#include "category.h"

#include "aside.h"
#include "db.h"
#include "model.h"

#define KEY_KO "cache:categories:ko"
#define KEY_EN "cache:categories:en"
#define CACHE_MAX ((size_t)256 * 1024)

static const char *
cache_key(const struct req *req)
{
	return req->lang == LANG_KO ? KEY_KO : KEY_EN;
}

void
category_queue(struct req *req)
{
	aside_queue(req, cache_key(req));
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

/* --- the tree as a list, and how it is cached --- */

struct category {
	int64_t id, parent, count;
	const char *name;
};

struct categories {
	struct category *items;
	size_t n;
};

static struct category *
by_id(const struct categories *list, int64_t id)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].id == id)
			return &list->items[i];
	}
	return NULL;
}

/* Adds the books of each category to all that are above it. */
static void
sum_counts(struct categories *list, const json_t *rows)
{
	for (size_t i = 0; i < list->n; i++) {
		const json_t *row = json_array_get(rows, i);
		struct category *above = by_id(list, list->items[i].parent);

		/* No way up is longer than the list, unless in a circle. */
		for (size_t steps = 0; above && steps < list->n; steps++) {
			above->count += model_int(row, "count");
			above = by_id(list, above->parent);
		}
	}
}

static void
from_rows(struct req *req, const json_t *rows, struct categories *list)
{
	list->n = json_array_size(rows);
	list->items = arena_alloc(req->arena, list->n * sizeof(list->items[0]));
	for (size_t i = 0; i < list->n; i++) {
		const json_t *row = json_array_get(rows, i);

		list->items[i] = (struct category){ .id = model_int(row, "id"),
			.parent = model_int(row, "parent_id"),
			.count = model_int(row, "count"),
			.name = model_text(row, "name") };
	}
	sum_counts(list, rows);
}

/* A line each, "<id> <parent> <count> <name>": this is read for every page
 * of the list, and takes a fiftieth of the time that JSON takes. */
static void
store(struct req *req, const struct aside *entry, const struct categories *list)
{
	struct buf text = BUF_INIT(CACHE_MAX);

	for (size_t i = 0; i < list->n; i++) {
		const struct category *c = &list->items[i];

		buf_printf(&text, "%lld %lld %lld ", (long long)c->id,
		    (long long)c->parent, (long long)c->count);
		buf_str(&text, c->name);
		buf_char(&text, '\n');
	}
	aside_store(req, entry, text.len && !text.over ? text.data : NULL);
	buf_free(&text);
}

static bool
read_line(char *line, struct category *c)
{
	char *end;

	c->id = strtoll(line, &end, 10);
	c->parent = strtoll(end, &end, 10);
	c->count = strtoll(end, &end, 10);
	c->name = end + 1;
	return c->id > 0 && *end == ' ';
}

static size_t
lines_in(const char *text)
{
	size_t n = 0;

	while ((text = strchr(text, '\n'))) {
		n++;
		text++;
	}
	return n;
}

static bool
from_text(struct req *req, const char *text, struct categories *list)
{
	char *line, *end;

	if (!text)
		return false;
	list->n = 0;
	list->items =
	    arena_alloc(req->arena, lines_in(text) * sizeof(list->items[0]));
	line = arena_strdup(req->arena, text);
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		if (!read_line(line, &list->items[list->n++]))
			return false;
		line = end + 1;
	}
	return list->n > 0 && *line == '\0';
}

/* --- the tree as a model --- */

static json_t *
children_of(const struct categories *list, int64_t parent)
{
	json_t *children = json_array(), *node;

	for (size_t i = 0; i < list->n; i++) {
		const struct category *c = &list->items[i];

		if (c->parent != parent)
			continue;
		node = json_object();
		model_set_int(node, "id", c->id);
		model_set_text(node, "name", c->name);
		model_set_int(node, "count", c->count);
		json_array_append_new(children, node);
	}
	return children;
}

static void
add_below(const struct categories *list, json_t *node)
{
	json_t *children = children_of(list, model_int(node, "id")), *child;
	size_t i;

	json_array_foreach(children, i, child)
		add_below(list, child);
	json_object_set_new(node, "children", children);
}

/* The category at the top of the branch that id is in; 0 = no such id. */
static int64_t
top_of(const struct categories *list, int64_t id)
{
	const struct category *c = by_id(list, id);

	for (size_t steps = 0; c && c->parent; steps++) {
		if (steps == list->n)
			return 0;
		c = by_id(list, c->parent);
	}
	return c ? c->id : 0;
}

static json_t *
model_of(const struct categories *list, int64_t open)
{
	json_t *tree = children_of(list, 0), *node;
	int64_t top = top_of(list, open);
	size_t i;

	json_array_foreach(tree, i, node) {
		if (open == CATEGORY_EVERY || model_int(node, "id") == top)
			add_below(list, node);
	}
	return tree;
}

static int
from_db(struct req *req, struct categories *list)
{
	const struct db_stmt *st =
	    req->lang == LANG_KO ? &CATEGORY_TREE_KO : &CATEGORY_TREE_EN;
	json_t *rows;
	int rc = db_rows(req, st, DB_NO_ARGS, &rows);

	if (rc == RC_OK)
		from_rows(req, rows, list);
	return rc;
}

/* MariaDB away is no reason to do without a tree that is still good. */
static int
refresh(struct req *req, struct aside *entry, struct categories *list)
{
	int rc = from_db(req, list);

	if (rc == RC_OK) {
		store(req, entry, list);
		return rc;
	}
	aside_store(req, entry, NULL);
	if (rc != RC_DOWN || !from_text(req, entry->old, list))
		return rc;
	req_forgive(req);
	return RC_OK;
}

int
category_tree(struct req *req, const struct cache_reply *cached, int64_t open,
    json_t **tree)
{
	struct aside entry = { .key = cache_key(req),
		.counts_as = METRIC_CACHE_CATEGORIES };
	const char *text = aside_take(req, &entry, cached);
	struct categories list;
	int rc;

	if (!from_text(req, text, &list) &&
	    (rc = refresh(req, &entry, &list)) < 0)
		return rc;
	*tree = model_of(&list, open);
	return RC_OK;
}

void
category_forget(struct req *req)
{
	static const char *const keys[] = { KEY_KO, KEY_EN };

	aside_forget(req, keys, LENGTH(keys));
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
