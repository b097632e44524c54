/* category_edit -- see category_edit.h. */
#include "category_edit.h"

#include "audit.h"
#include "buf.h"
#include "category.h"
#include "db.h"
#include "model.h"
#include "once.h"

#include <ctype.h>

#define SLUG_MAX 40

#define COLUMNS \
	"id, parent_id, slug, name_ko, name_en, book_count, position, version"

static const struct db_stmt CATEGORY_ALL = { "category.all",
	"SELECT " COLUMNS " FROM categories ORDER BY position, id" };
static const struct db_stmt CATEGORY_LOCK = { "category.lock",
	"SELECT " COLUMNS " FROM categories ORDER BY position, id FOR UPDATE" };
static const struct db_stmt CATEGORY_ADD = { "category.add",
	"INSERT INTO categories (parent_id, slug, name_ko, name_en, position)"
	" VALUES (?, ?, ?, ?, ?)" };
static const struct db_stmt CATEGORY_EDIT = { "category.edit",
	"UPDATE categories SET parent_id = ?, name_ko = ?, name_en = ?,"
	" position = ?, version = version + 1 WHERE id = ?" };
static const struct db_stmt CATEGORY_PLACE = { "category.place",
	"UPDATE categories SET position = ? WHERE id = ?" };
static const struct db_stmt CATEGORY_BOOK = { "category.book",
	"SELECT id FROM books WHERE category_id = ? LIMIT 1" };
static const struct db_stmt CATEGORY_DELETE = { "category.delete",
	"DELETE FROM categories WHERE id = ?" };

/* --- the tree as a list --- */

json_t *
category_of(const json_t *list, int64_t id)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (model_int(one, "id") == id)
			return one;
	}
	return NULL;
}

/* Appends what is below parent, each with all that is below it. */
static void
add_below(const struct req *req, const json_t *rows, int64_t parent, int depth,
    json_t *list)
{
	json_t *row, *last = NULL;
	size_t i;

	json_array_foreach(rows, i, row) {
		size_t before = json_array_size(list);

		if (model_int(row, "parent_id") != parent)
			continue;
		model_set_int(row, "depth", depth);
		model_set_text(row, "name",
		    model_text(
			row, req->lang == LANG_KO ? "name_ko" : "name_en"));
		model_set_bool(row, "first", last == NULL);
		model_set_bool(row, "last", false);
		json_array_append(list, row);
		add_below(req, rows, model_int(row, "id"), depth + 1, list);
		model_set_bool(
		    row, "leaf", json_array_size(list) == before + 1);
		last = row;
	}
	if (last)
		model_set_bool(last, "last", true);
}

static int
read_tree(struct req *req, const struct db_stmt *st, json_t **list)
{
	json_t *rows, *tree = json_array();
	int rc = db_rows(req, st, DB_NO_ARGS, &rows);

	if (rc < 0)
		return rc;
	add_below(req, rows, 0, 0, tree);
	*list = tree;
	return RC_OK;
}

int
category_all(struct req *req, json_t **list)
{
	return read_tree(req, &CATEGORY_ALL, list);
}

const char *
category_path(struct req *req, const json_t *list, int64_t id)
{
	const json_t *c = category_of(list, id);
	const char *above;

	if (!c)
		return "";
	above = category_path(req, list, model_int(c, "parent_id"));
	return *above ?
	    arena_printf(req->arena, "%s / %s", above, model_text(c, "name")) :
	    model_text(c, "name");
}

/* --- one change --- */

struct change {
	struct category_facts facts;
	int64_t id, version;
	bool up;
	const char *once;
	json_t *list;	  /* the tree, locked */
	json_t *category; /* before, afterwards the one that is now */
};

static int
no_such_category(struct req *req)
{
	return req_fail(
	    req, RC_NOT_FOUND, "%s", _("There is no such category."));
}

static int
take_tree(struct req *req, struct change *c)
{
	int rc = read_tree(req, &CATEGORY_LOCK, &c->list);

	if (rc < 0 || c->id == 0)
		return rc;
	c->category = category_of(c->list, c->id);
	return c->category ? RC_OK : no_such_category(req);
}

static int
audit_category(
    struct req *req, const char *act, const json_t *before, const json_t *after)
{
	static const char *const names[] = { "name_ko", "name_en", "parent_id",
		"position", "version", NULL };
	const json_t *is = after ? after : before;
	const struct audit_object object = { "category", model_int(is, "id"),
		arena_printf(req->arena, "%s · %s", model_text(is, "name_ko"),
		    model_text(is, "name_en")) };

	return audit_add(
	    req, act, &object, audit_changes(before, after, names));
}

/* After the change, within it: the tree as it is now, and who did that. */
static int
record(struct req *req, struct change *c, const char *act)
{
	const json_t *before = c->category;
	int rc = read_tree(req, &CATEGORY_LOCK, &c->list);

	if (rc < 0)
		return rc;
	c->category = category_of(c->list, c->id);
	return audit_category(req, act, before, c->category);
}

/* --- names and places --- */

static void
check_name(struct req *req, const char *field, const char *name,
    const char *label, const struct change *c)
{
	const json_t *other;
	size_t i;

	if (!name || !*name) {
		req_field_error(req, field,
		    arena_printf(req->arena, _("%s is missing."), label));
		return;
	}
	json_array_foreach(c->list, i, other) {
		if (model_int(other, "parent_id") == c->facts.parent_id &&
		    model_int(other, "id") != c->id &&
		    strcmp(model_text(other, field), name) == 0)
			req_field_error(req, field,
			    _("There is a category of this name here"
			      " already."));
	}
}

/* Is id the category below, or above it? */
static bool
is_above(const json_t *list, int64_t id, int64_t below)
{
	while (below && below != id)
		below = model_int(category_of(list, below), "parent_id");
	return below != 0;
}

/* The levels that hang on a category, itself counted. */
static int
levels_below(const json_t *list, const json_t *category)
{
	int64_t top = model_int(category, "depth"), deepest = top;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (model_int(one, "depth") > deepest &&
		    is_above(
			list, model_int(category, "id"), model_int(one, "id")))
			deepest = model_int(one, "depth");
	}
	return (int)(deepest - top) + 1;
}

static void
check_parent(struct req *req, const struct change *c)
{
	int64_t parent = c->facts.parent_id;
	const json_t *above = category_of(c->list, parent);
	int levels = c->category ? levels_below(c->list, c->category) : 1;

	if (!parent)
		return;
	if (!above)
		req_field_error(req, "parent_id",
		    _("There is no such category. Choose another one."));
	else if (c->id && is_above(c->list, c->id, parent))
		req_field_error(req, "parent_id",
		    _("A category cannot be moved into itself, or into one"
		      " that is below it."));
	else if (model_int(above, "depth") + 1 + levels > CATEGORY_DEPTH_MAX)
		req_field_error(req, "parent_id",
		    arena_printf(req->arena,
			_("The tree has at most %d levels. Choose a place"
			  " further up."),
			CATEGORY_DEPTH_MAX));
}

static int
check_facts(struct req *req, const struct change *c)
{
	req->errors = NULL;
	check_parent(req, c);
	check_name(req, "name_ko", c->facts.name_ko, _("Name in Korean"), c);
	check_name(req, "name_en", c->facts.name_en, _("Name in English"), c);
	return req->errors ? RC_BAD_INPUT : RC_OK;
}

/* The place behind all that are in the same one. */
static int64_t
last_position(const json_t *list, int64_t parent)
{
	int64_t last = 0;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (model_int(one, "parent_id") == parent &&
		    model_int(one, "position") > last)
			last = model_int(one, "position");
	}
	return last + 1;
}

static struct db_arg
parent_arg(int64_t parent)
{
	return parent ? db_int(parent) : db_null();
}

/* --- adding --- */

static bool
slug_is_taken(const json_t *list, const char *slug)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (strcmp(model_text(one, "slug"), slug) == 0)
			return true;
	}
	return false;
}

/* "Korean fiction" -> "korean-fiction", then "korean-fiction-2". */
static const char *
new_slug(struct req *req, const json_t *list, const char *name)
{
	char base[SLUG_MAX - 4] = "";
	const char *slug;
	size_t n = 0;

	for (; *name && n < sizeof(base) - 1; name++) {
		if (isalnum((unsigned char)*name))
			base[n++] = (char)tolower((unsigned char)*name);
		else if (n && base[n - 1] != '-')
			base[n++] = '-';
	}
	while (n && base[n - 1] == '-')
		n--;
	base[n] = '\0';
	slug = n ? base : "category";
	slug = arena_strdup(req->arena, slug);
	for (int i = 2; slug_is_taken(list, slug); i++)
		slug =
		    arena_printf(req->arena, "%s-%d", n ? base : "category", i);
	return slug;
}

static int
insert(struct req *req, struct change *c)
{
	const struct category_facts *f = &c->facts;

	if (json_array_size(c->list) >= CATEGORIES_MAX)
		return req_fail(req, RC_CONFLICT,
		    _("There are %d categories already, which is as many as"
		      " there can be."),
		    CATEGORIES_MAX);
	return db_exec(req, &CATEGORY_ADD,
	    DB_ARGS(parent_arg(f->parent_id),
		db_text(new_slug(req, c->list, f->name_en)),
		db_text(f->name_ko), db_text(f->name_en),
		db_int(last_position(c->list, f->parent_id))),
	    NULL, &c->id);
}

static json_t *
asked_for(const struct category_facts *f)
{
	return json_pack("{s:s, s:s, s:I}", "name_ko", f->name_ko, "name_en",
	    f->name_en, "parent_id", (json_int_t)f->parent_id);
}

static int
add_work(struct req *req, void *arg)
{
	struct change *c = arg;
	int64_t done;
	int rc;

	c->id = 0;
	c->category = NULL;
	rc = once_claim(req, c->once, asked_for(&c->facts), &done);
	if (rc < 0)
		return rc;
	if (done) {
		c->id = done;
		return RC_OK;
	}
	if ((rc = take_tree(req, c)) < 0 || (rc = check_facts(req, c)) < 0 ||
	    (rc = insert(req, c)) < 0 ||
	    (rc = record(req, c, "category.add")) < 0)
		return rc;
	return once_keep(req, c->once, c->id);
}

int
category_add(struct req *req, const struct category_facts *facts,
    const char *once, int64_t *id)
{
	struct change c = { .facts = *facts, .once = once };
	int rc = db_tx(req, add_work, &c);

	if (rc < 0)
		return rc;
	category_forget(req);
	*id = c.id;
	return RC_OK;
}

/* --- names and moves --- */

static bool
is_same(const struct change *c)
{
	return strcmp(model_text(c->category, "name_ko"), c->facts.name_ko) ==
	    0 &&
	    strcmp(model_text(c->category, "name_en"), c->facts.name_en) == 0 &&
	    model_int(c->category, "parent_id") == c->facts.parent_id;
}

static int
update(struct req *req, const struct change *c)
{
	const struct category_facts *f = &c->facts;
	int64_t position = model_int(c->category, "position");

	if (model_int(c->category, "parent_id") != f->parent_id)
		position = last_position(c->list, f->parent_id);
	return db_exec(req, &CATEGORY_EDIT,
	    DB_ARGS(parent_arg(f->parent_id), db_text(f->name_ko),
		db_text(f->name_en), db_int(position), db_int(c->id)),
	    NULL, NULL);
}

static int
edit_work(struct req *req, void *arg)
{
	struct change *c = arg;
	int rc = take_tree(req, c);

	if (rc < 0 || (rc = check_facts(req, c)) < 0 || is_same(c))
		return rc;
	if (c->version && c->version != model_int(c->category, "version"))
		return RC_CONFLICT;
	if ((rc = update(req, c)) < 0)
		return rc;
	return record(req, c, "category.edit");
}

int
category_edit(struct req *req, int64_t id, int64_t version,
    const struct category_facts *facts, json_t **category)
{
	struct change c = { .facts = *facts, .id = id, .version = version };
	int rc = db_tx(req, edit_work, &c);

	if (rc == RC_OK)
		category_forget(req);
	if (rc == RC_OK || rc == RC_CONFLICT)
		*category = c.category;
	return rc;
}

/* --- order --- */

/* The siblings in their new order: numbered anew, as equal positions may have
 * come from outside. */
static int
renumber(struct req *req, const json_t *siblings)
{
	const json_t *one;
	size_t i;
	int rc;

	json_array_foreach(siblings, i, one) {
		if (model_int(one, "position") == (int64_t)i + 1)
			continue;
		rc = db_exec(req, &CATEGORY_PLACE,
		    DB_ARGS(
			db_int((int64_t)i + 1), db_int(model_int(one, "id"))),
		    NULL, NULL);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

static json_t *
siblings_of(const struct change *c, size_t *place)
{
	json_t *siblings = json_array(), *one;
	size_t i;

	json_array_foreach(c->list, i, one) {
		if (model_int(one, "parent_id") !=
		    model_int(c->category, "parent_id"))
			continue;
		if (one == c->category)
			*place = json_array_size(siblings);
		json_array_append(siblings, one);
	}
	return siblings;
}

static int
shift_work(struct req *req, void *arg)
{
	struct change *c = arg;
	size_t place = 0;
	json_t *siblings;
	int rc = take_tree(req, c);

	if (rc < 0)
		return rc;
	siblings = siblings_of(c, &place);
	if (c->up ? place == 0 : place + 1 == json_array_size(siblings))
		return RC_OK;
	json_incref(c->category);
	json_array_remove(siblings, place);
	json_array_insert(siblings, c->up ? place - 1 : place + 1, c->category);
	if ((rc = renumber(req, siblings)) < 0)
		return rc;
	return record(req, c, "category.move");
}

int
category_shift(struct req *req, int64_t id, bool up)
{
	struct change c = { .id = id, .up = up };
	int rc = db_tx(req, shift_work, &c);

	if (rc == RC_OK)
		category_forget(req);
	return rc;
}

/* --- deleting --- */

static int
check_empty(struct req *req, const struct change *c)
{
	json_t *book;
	int rc;

	if (!json_is_true(json_object_get(c->category, "leaf")))
		return req_fail(req, RC_CONFLICT, "%s",
		    _("There are categories in this one, so it was not"
		      " deleted. Move or delete them first."));
	rc = db_row(req, &CATEGORY_BOOK, DB_ARGS(db_int(c->id)), &book);
	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc < 0)
		return rc;
	return req_fail(req, RC_CONFLICT, "%s",
	    _("There are books in this category, perhaps withdrawn ones, so it"
	      " was not deleted. Move them to another category first."));
}

static int
delete_work(struct req *req, void *arg)
{
	struct change *c = arg;
	int rc = take_tree(req, c);

	if (rc < 0 || (rc = check_empty(req, c)) < 0 ||
	    (rc = db_exec(req, &CATEGORY_DELETE, DB_ARGS(db_int(c->id)), NULL,
		 NULL)) < 0)
		return rc;
	return audit_category(req, "category.delete", c->category, NULL);
}

int
category_delete(struct req *req, int64_t id)
{
	struct change c = { .id = id };
	int rc = db_tx(req, delete_work, &c);

	if (rc == RC_OK)
		category_forget(req);
	return rc;
}
