/* user_admin -- see user_admin.h. */
#include "user_admin.h"

#include "audit.h"
#include "buf.h"
#include "db.h"
#include "model.h"
#include "sess.h"
#include "sessions.h"
#include "user.h"

#define COLUMNS "id, username, name, role, locked AS `locked?`, created_at"

const char *const user_roles[] = { "reader", "student", "librarian", "admin",
	NULL };

static const struct db_stmt USER_TO_EDIT = { "user.to_edit",
	"SELECT " COLUMNS " FROM users WHERE id = ?" };
static const struct db_stmt USER_LOCK_ROW = { "user.lock_row",
	"SELECT " COLUMNS " FROM users WHERE id = ? FOR UPDATE" };
static const struct db_stmt USER_CHANGE = { "user.change",
	"UPDATE users SET role = ?, locked = ?, version = version + 1,"
	" updated_at = UTC_TIMESTAMP() WHERE id = ?" };

/* --- looking --- */

static json_t *
make_page(json_t *rows, size_t limit)
{
	bool more = json_array_size(rows) > limit;
	json_t *next = json_null();

	if (more) {
		json_array_remove(rows, limit);
		next = json_object_get(
		    json_array_get(rows, limit - 1), "username");
	}
	return json_pack("{s:o, s:O}", "users", rows, "next", next);
}

static bool
is_role(const char *role)
{
	for (size_t i = 0; user_roles[i]; i++) {
		if (strcmp(role, user_roles[i]) == 0)
			return true;
	}
	return false;
}

static int
no_such_role(struct req *req)
{
	return req_fail(req, RC_BAD_INPUT, "%s", _("There is no such role."));
}

/* Members are gone through by name: no index knows a part of one. */
static size_t
build(const struct user_query *q, struct buf *sql, struct db_arg *args)
{
	size_t n = 0;

	buf_str(sql,
	    "SELECT " COLUMNS " FROM users FORCE INDEX (by_username)"
	    " WHERE TRUE");
	if (q->search) {
		buf_str(sql,
		    " AND (LOCATE(?, CONVERT(username USING utf8mb4))"
		    " OR LOCATE(?, name))");
		args[n++] = db_text(q->search);
		args[n++] = db_text(q->search);
	}
	if (q->role) {
		buf_str(sql, " AND role = ?");
		args[n++] = db_text(q->role);
	}
	if (q->locked)
		buf_str(sql, " AND locked");
	if (q->after) {
		buf_str(sql, " AND username > ?");
		args[n++] = db_text(q->after);
	}
	buf_str(sql, " ORDER BY username LIMIT ?");
	args[n++] = db_int(q->limit + 1);
	return n;
}

int
user_list(struct req *req, const struct user_query *q, json_t **page)
{
	struct buf sql = BUF_INIT(1024);
	struct db_arg args[5];
	struct db_stmt st = { .name = "user.list" };
	json_t *rows;
	size_t n;
	int rc;

	if (q->role && !is_role(q->role))
		return no_such_role(req);
	if (q->after && !user_name_is_valid(q->after))
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("This page of the list does not exist. Start again at"
		      " the first page."));
	n = build(q, &sql, args);
	st.sql = arena_strndup(req->arena, sql.data, sql.len);
	buf_free(&sql);
	rc = db_rows(req, &st, args, n, &rows);
	if (rc < 0)
		return rc;
	*page = make_page(rows, (size_t)q->limit);
	return RC_OK;
}

static int
read_one(struct req *req, const struct db_stmt *st, int64_t id, json_t **user)
{
	int rc = db_row(req, st, DB_ARGS(db_int(id)), user);

	if (rc == RC_NOT_FOUND)
		return req_fail(req, rc, "%s", _("There is no such user."));
	return rc;
}

int
user_to_edit(struct req *req, int64_t id, json_t **user)
{
	return read_one(req, &USER_TO_EDIT, id, user);
}

/* --- changing --- */

struct change {
	int64_t id;
	const char *role; /* NULL: stays */
	bool sets_lock, locked;
};

/* Both rows, in the order of their numbers: two administrators who change
 * each other do not wait for each other. */
static int
lock_rows(struct req *req, int64_t id, json_t **actor, json_t **user)
{
	int64_t me = req->sess->user_id;
	int rc;

	if (me < id) {
		rc = read_one(req, &USER_LOCK_ROW, me, actor);
		return rc < 0 ? rc : read_one(req, &USER_LOCK_ROW, id, user);
	}
	rc = read_one(req, &USER_LOCK_ROW, id, user);
	return rc < 0 ? rc : read_one(req, &USER_LOCK_ROW, me, actor);
}

static int
check_actor(struct req *req, const json_t *actor)
{
	const char *role = model_text(actor, "role");

	if (strcmp(role, "admin") == 0 &&
	    !json_is_true(json_object_get(actor, "locked")))
		return RC_OK;
	return req_fail(req, RC_FORBIDDEN, "%s",
	    _("You are no administrator any more, so nothing was changed."));
}

static int
save(struct req *req, const struct change *c, const json_t *before)
{
	static const char *const names[] = { "role", "locked", NULL };
	const struct audit_object object = { "user", c->id,
		model_text(before, "username") };
	bool was_locked = json_is_true(json_object_get(before, "locked"));
	const char *role = c->role ? c->role : model_text(before, "role");
	bool locked = c->sets_lock ? c->locked : was_locked;
	json_t *changes = audit_changes(before,
	    json_pack("{s:s, s:b}", "role", role, "locked", locked), names);
	int rc;

	if (!json_object_size(changes))
		return RC_OK;
	rc = db_exec(req, &USER_CHANGE,
	    DB_ARGS(db_text(role), db_int(locked), db_int(c->id)), NULL, NULL);
	if (rc < 0)
		return rc;
	return audit_add(req,
	    c->role	  ? "user.role" :
		c->locked ? "user.lock" :
			    "user.unlock",
	    &object, changes);
}

static int64_t
my_id(const struct req *req)
{
	return req->sess ? req->sess->user_id : 0;
}

static int
change_work(struct req *req, void *arg)
{
	const struct change *c = arg;
	json_t *actor = NULL, *user = NULL;
	int rc;

	if (!my_id(req)) {
		rc = read_one(req, &USER_LOCK_ROW, c->id, &user);
		return rc < 0 ? rc : save(req, c, user);
	}
	if ((rc = lock_rows(req, c->id, &actor, &user)) < 0 ||
	    (rc = check_actor(req, actor)) < 0)
		return rc;
	return save(req, c, user);
}

static int
change(struct req *req, struct change *c)
{
	int rc;

	if (c->id == my_id(req))
		return req_fail(req, RC_CONFLICT, "%s",
		    _("Nobody can change his own role or lock himself out. Ask"
		      " another administrator."));
	if ((rc = db_tx(req, change_work, c)) < 0)
		return rc;
	return sessions_end_of(req, c->id);
}

int
user_give_role(struct req *req, int64_t id, const char *role)
{
	struct change c = { .id = id, .role = role };

	if (!is_role(role))
		return no_such_role(req);
	return change(req, &c);
}

int
user_set_locked(struct req *req, int64_t id, bool locked)
{
	struct change c = { .id = id, .sets_lock = true, .locked = locked };

	return change(req, &c);
}
