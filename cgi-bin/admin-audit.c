/* GET /admin/audit -- who changed what, with what was there before; librarians
 * see what happened to books and categories, administrators everything. */
#include "audit.h"
#include "category_edit.h"
#include "route.h"
#include "view_audit.h"

#define PAGE_SIZE 30

static const struct field fields[] = { { "actor", FIELD_TEXT, FIELD_QUERY, 0,
					   USER_NAME_MAX, N_("By") },
	{ "what", FIELD_TEXT, FIELD_QUERY, 0, 40, N_("What") },
	{ "id", FIELD_INT, FIELD_QUERY, 1, INT64_MAX, N_("Number") },
	{ "after", FIELD_INT, FIELD_QUERY, 1, INT64_MAX, N_("Page") }, { 0 } };

static const char *
given(const struct req *req, const char *name)
{
	const char *text = form_str(req, name);

	return text && *text ? text : NULL;
}

/* "book" are the things, "book.edit" what was done to them. */
static struct audit_query
read_query(const struct req *req)
{
	const char *what = given(req, "what");
	bool act = what && strchr(what, '.');

	return (struct audit_query){ .actor = given(req, "actor"),
		.object = act ? NULL : what,
		.act = act ? what : NULL,
		.object_id = form_int(req, "id"),
		.after = form_int(req, "after"),
		.catalogue = strcmp(req->sess->role, "admin") != 0,
		.limit = PAGE_SIZE };
}

static const char *
list_url(struct req *req, const struct audit_query *q, int64_t after)
{
	const char *what = given(req, "what");

	return arena_printf(req->arena,
	    "/admin/audit?actor=%s&what=%s&id=%.0lld&after=%.0lld",
	    http_url_quote(req, q->actor ? q->actor : ""),
	    http_url_quote(req, what ? what : ""), (long long)q->object_id,
	    (long long)after);
}

static json_t *
page_model(
    struct req *req, const struct audit_query *q, json_t *entries, int64_t next)
{
	json_t *model = json_pack("{s:s, s:s, s:o, s:O, s:b, s:b, s:s?, s:s?}",
	    "actor", q->actor ? q->actor : "", "number",
	    q->object_id ?
		arena_printf(req->arena, "%lld", (long long)q->object_id) :
		"",
	    "kinds", view_audit_options(q->catalogue, given(req, "what")),
	    "entries", entries, "any", json_array_size(entries) > 0, "none",
	    json_array_size(entries) == 0, "next_url",
	    next ? list_url(req, q, next) : NULL, "first_url",
	    q->after ? list_url(req, q, 0) : NULL);

	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Changes"), NULL);
	return model;
}

static int
show(struct req *req)
{
	const struct audit_query query = read_query(req);
	json_t *page, *entries, *categories;
	int rc;

	if ((rc = audit_list(req, &query, &page)) < 0 ||
	    (rc = category_all(req, &categories)) < 0)
		return rc;
	entries = json_object_get(page, "entries");
	view_audit(req, categories, entries);
	return page_send(req, "admin-audit",
	    page_model(req, &query, entries, model_int(page, "next")));
}

static const struct route admin_audit = {
	.name = "admin-audit",
	.get = show,
	.fields = fields,
	.needs = NEED_LIBRARIAN,
};

int
main(void)
{
	return route_run(&admin_audit);
}
