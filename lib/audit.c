/* audit -- see audit.h. */
#include "audit.h"

#include "buf.h"
#include "db.h"
#include "model.h"
#include "sess.h"

#define CHANGES_MAX ((size_t)4 << 20) /* bytes of one entry's changes */
#define ARGS_MAX 8
#define SINCE_MAX 100 /* entries that are looked through */

#define NO_TRACE "00000000000000000000000000000000" /* of a command */

static const struct db_stmt AUDIT_ADD = { "audit.add",
	"INSERT INTO audit"
	" (actor_id, actor, act, object, object_id, label, changes, trace)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?)" };

/* --- writing --- */

static struct db_arg
actor_id(const struct req *req)
{
	return req->sess && req->sess->user_id ? db_int(req->sess->user_id) :
						 db_null();
}

static const char *
actor(const struct req *req)
{
	return req->sess && req->sess->user_id ? req->sess->username : "system";
}

static const char *
changes_text(struct req *req, const json_t *changes)
{
	struct buf b = BUF_INIT(CHANGES_MAX);
	const char *text;

	if (!json_object_size(changes))
		return "{}";
	model_write(changes, &b);
	text = b.over ? NULL : arena_strndup(req->arena, b.data, b.len);
	buf_free(&b);
	return text;
}

int
audit_add(struct req *req, const char *act, const struct audit_object *object,
    const json_t *changes)
{
	const char *text = changes_text(req, changes);

	if (!text)
		return req_bug(req);
	return db_exec(req, &AUDIT_ADD,
	    DB_ARGS(actor_id(req), db_text(actor(req)), db_text(act),
		db_text(object->type), db_int(object->id),
		db_text(object->label), db_text(text),
		db_text(req->trace ? req->trace : NO_TRACE)),
	    NULL, NULL);
}

/* What is not there is nothing, as null is. */
static json_t *
value_of(const json_t *object, const char *field)
{
	json_t *value = json_object_get(object, field);

	return value ? value : json_null();
}

json_t *
audit_changes(
    const json_t *before, const json_t *after, const char *const *fields)
{
	json_t *changes = json_object();

	for (; *fields; fields++) {
		json_t *was = value_of(before, *fields);
		json_t *is = value_of(after, *fields);

		if (!json_equal(was, is))
			json_object_set_new(
			    changes, *fields, json_pack("[O, O]", was, is));
	}
	return changes;
}

/* --- reading --- */

struct builder {
	struct buf sql, name;
	struct db_arg args[ARGS_MAX];
	size_t nargs;
};

static void
add_filter(
    struct builder *b, const char *name, const char *where, struct db_arg arg)
{
	buf_str(&b->name, name);
	buf_str(&b->sql, where);
	b->args[b->nargs++] = arg;
}

/* The entries of one thing, member or act have an index each; all else is
 * looked for from the latest entry backwards. */
static const char *
index_of(const struct audit_query *q)
{
	if (q->object && q->object_id)
		return "by_object";
	if (q->actor)
		return "by_actor";
	return q->act ? "by_act" : "PRIMARY";
}

static void
add_actor(struct builder *b, const char *name)
{
	if (strcmp(name, "system") == 0) {
		buf_str(&b->name, ".of_system");
		buf_str(&b->sql, " AND actor_id IS NULL");
		return;
	}
	add_filter(b, ".of_actor",
	    " AND actor_id = (SELECT id FROM users WHERE username = ?)",
	    db_text(name));
}

static void
build(struct builder *b, const struct audit_query *q)
{
	buf_str(&b->name, "audit.list");
	buf_printf(&b->sql,
	    "SELECT id, at, actor, act, object, object_id, label, changes,"
	    " trace FROM audit FORCE INDEX (%s) WHERE TRUE",
	    index_of(q));
	if (q->actor)
		add_actor(b, q->actor);
	if (q->object)
		add_filter(
		    b, ".of_object", " AND object = ?", db_text(q->object));
	if (q->object_id)
		add_filter(
		    b, ".of_id", " AND object_id = ?", db_int(q->object_id));
	if (q->catalogue) {
		buf_str(&b->name, ".of_catalogue");
		buf_str(&b->sql,
		    " AND object IN"
		    " ('book', 'category', 'import')");
	}
	if (q->act)
		add_filter(b, ".of_act", " AND act = ?", db_text(q->act));
	if (q->after)
		add_filter(b, ".after", " AND id < ?", db_int(q->after));
	buf_str(&b->sql, " ORDER BY id DESC LIMIT ?");
	b->args[b->nargs++] = db_int(q->limit + 1);
}

/* rows has one more than wanted if there are more. */
static json_t *
make_page(json_t *rows, size_t limit)
{
	bool more = json_array_size(rows) > limit;
	json_t *row, *next = json_null();
	size_t i;

	if (more) {
		json_array_remove(rows, limit);
		next = json_object_get(json_array_get(rows, limit - 1), "id");
	}
	json_array_foreach(rows, i, row)
		json_object_set_new(row, "changes",
		    json_loads(model_text(row, "changes"), 0, NULL));
	return json_pack("{s:o, s:O}", "entries", rows, "next", next);
}

/* The columns are ASCII: MariaDB could not even compare other text. */
static bool
is_ascii(const char *s)
{
	for (; s && *s; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

static int
run(struct req *req, const struct builder *b, json_t **rows)
{
	const struct db_stmt st = { arena_strndup(
					req->arena, b->name.data, b->name.len),
		arena_strndup(req->arena, b->sql.data, b->sql.len) };

	return db_rows(req, &st, b->args, b->nargs, rows);
}

int
audit_list(struct req *req, const struct audit_query *q, json_t **page)
{
	struct builder b = { .sql = BUF_INIT(1024), .name = BUF_INIT(80) };
	json_t *rows = json_array();
	int rc = RC_OK;

	if (is_ascii(q->actor) && is_ascii(q->object) && is_ascii(q->act)) {
		build(&b, q);
		rc = run(req, &b, &rows);
		buf_free(&b.sql);
		buf_free(&b.name);
	}
	if (rc < 0)
		return rc;
	*page = make_page(rows, (size_t)q->limit);
	return RC_OK;
}

/* --- what happened since a version --- */

/* Entries come latest first: the last to name a field is the first who
 * changed it, and says what it was; the first names who had the last word. */
static void
add_changes(json_t *since, const json_t *entry)
{
	json_t *changes = json_object_get(entry, "changes"), *pair, *known;
	const char *field;

	json_object_foreach(changes, field, pair) {
		known = json_object_get(since, field);
		if (!known) {
			known = json_pack("{s:O, s:O}", "actor",
			    json_object_get(entry, "actor"), "at",
			    json_object_get(entry, "at"));
			json_object_set(since, field, known);
		}
		json_object_set(known, "was", json_array_get(pair, 0));
	}
}

int
audit_since(struct req *req, const char *object, int64_t object_id,
    int64_t version, json_t **changes)
{
	const struct audit_query query = {
		.object = object, .object_id = object_id, .limit = SINCE_MAX
	};
	json_t *page, *entry, *since = json_object();
	size_t i;
	int rc = audit_list(req, &query, &page);

	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(page, "entries"), i, entry) {
		const json_t *versions = json_object_get(
		    json_object_get(entry, "changes"), "version");

		if (!versions)
			continue;
		if (json_integer_value(json_array_get(versions, 0)) < version)
			break;
		add_changes(since, entry);
	}
	json_object_del(since, "version");
	*changes = since;
	return RC_OK;
}
