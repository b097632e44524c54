/* GET and POST /admin/users and /admin/users/<id> -- members: their roles, and
 * who is locked out. */
#include "route.h"
#include "user_admin.h"
#include "view_fact.h"

#define PAGE_SIZE 50

static const struct field fields[] = { { "id", FIELD_INT, FIELD_PATH, 1,
					   INT64_MAX, N_("Member") },
	{ "q", FIELD_TEXT, FIELD_QUERY, 0, 80, N_("Search") },
	{ "role", FIELD_TEXT, FIELD_QUERY | FIELD_BODY, 0, 20, N_("Role") },
	{ "locked", FIELD_FLAG, FIELD_QUERY, 0, 0, N_("Locked") },
	{ "after", FIELD_TEXT, FIELD_QUERY, 0, USER_NAME_MAX, N_("Page") },
	{ "act", FIELD_TEXT, FIELD_BODY, 0, 10, N_("Action") }, { 0 } };

static const char *
given(const struct req *req, const char *name)
{
	const char *text = form_str(req, name);

	return text && *text ? text : NULL;
}

static json_t *
role_options(const char *current)
{
	json_t *list = json_array();

	for (size_t i = 0; user_roles[i]; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "value", user_roles[i],
			"label", view_role(user_roles[i]), "current",
			current && strcmp(current, user_roles[i]) == 0));
	return list;
}

static void
show_user(struct req *req, json_t *user)
{
	model_set_text(user, "role_text", view_role(model_text(user, "role")));
	model_set_text(
	    user, "since_text", view_date(req, model_text(user, "created_at")));
}

static const char *
list_url(struct req *req, const struct user_query *q, const char *after)
{
	return arena_printf(req->arena,
	    "/admin/users?q=%s&role=%s&locked=%d&after=%s",
	    http_url_quote(req, q->search ? q->search : ""),
	    q->role ? q->role : "", q->locked, after);
}

static int
show_list(struct req *req)
{
	const struct user_query query = { .search = given(req, "q"),
		.role = given(req, "role"),
		.locked = form_flag(req, "locked"),
		.after = given(req, "after"),
		.limit = PAGE_SIZE };
	json_t *page, *users, *user, *model;
	const char *next;
	size_t i;
	int rc = user_list(req, &query, &page);

	if (rc < 0)
		return rc;
	users = json_object_get(page, "users");
	next = model_text(page, "next");
	json_array_foreach(users, i, user)
		show_user(req, user);
	model = json_pack("{s:s, s:b, s:o, s:O, s:b, s:b, s:s?, s:s?}", "q",
	    query.search ? query.search : "", "only_locked", query.locked,
	    "roles", role_options(query.role), "users", users, "any",
	    json_array_size(users) > 0, "none", json_array_size(users) == 0,
	    "next_url", next ? list_url(req, &query, next) : NULL, "first_url",
	    query.after ? list_url(req, &query, "") : NULL);
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Members"), NULL);
	return page_send(req, "admin-users", model);
}

static const char *
url_of(struct req *req, int64_t id)
{
	return arena_printf(req->arena, "/admin/users/%lld", (long long)id);
}

static int
show_one(struct req *req)
{
	int64_t id = form_int(req, "id");
	json_t *user, *model;
	int rc = user_to_edit(req, id, &user);

	if (rc < 0)
		return rc;
	show_user(req, user);
	model = json_pack("{s:O, s:o, s:b, s:s, s:s}", "user", user, "roles",
	    role_options(model_text(user, "role")), "other",
	    id != req->sess->user_id, "action", url_of(req, id), "history_url",
	    arena_printf(
		req->arena, "/admin/audit?what=user&id=%lld", (long long)id));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Members"), "/admin/users");
	page_crumb(model, model_text(user, "username"), NULL);
	return page_send(req, "admin-user", model);
}

static int
show(struct req *req)
{
	return form_int(req, "id") ? show_one(req) : show_list(req);
}

/* Again is harmless: it ends sessions that there may still be. */
static int
act(struct req *req, int64_t id, const char *name, const char **text)
{
	const char *role = given(req, "role");

	if (strcmp(name, "role") == 0 && role) {
		*text = _("The role is set. The member is signed out and gets"
			  " it with the next sign-in.");
		return user_give_role(req, id, role);
	}
	if (strcmp(name, "lock") == 0) {
		*text = _("The account is locked, and signed out everywhere.");
		return user_set_locked(req, id, true);
	}
	if (strcmp(name, "unlock") == 0) {
		*text = _("The account is open again.");
		return user_set_locked(req, id, false);
	}
	return RC_BAD_INPUT;
}

static int
change(struct req *req)
{
	int64_t id = form_int(req, "id");
	const char *name = form_str(req, "act"), *text = NULL;
	int rc;

	if (!id || !name)
		return RC_BAD_INPUT;
	rc = act(req, id, name, &text);
	if (rc < 0)
		return rc;
	return page_redirect_flash(req, url_of(req, id), "done", text);
}

static const struct route admin_users = {
	.name = "admin-users",
	.get = show,
	.post = change,
	.fields = fields,
	.needs = NEED_ADMIN | NEED_FORM,
};

int
main(void)
{
	return route_run(&admin_users);
}
