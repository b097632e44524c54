/* GET /admin/audit -- who changed what, with what was there before. */
#include "audit.h"
#include "category_edit.h"
#include "route.h"
#include "view_fact.h"

#define PAGE_SIZE 30

static const struct field fields[] = { { "actor", FIELD_TEXT, FIELD_QUERY, 0,
					   USER_NAME_MAX, N_("By") },
	{ "object", FIELD_TEXT, FIELD_QUERY, 0, 20, N_("What") },
	{ "id", FIELD_INT, FIELD_QUERY, 1, INT64_MAX, N_("Number") },
	{ "after", FIELD_INT, FIELD_QUERY, 1, INT64_MAX, N_("Page") }, { 0 } };

static const struct {
	const char *object, *label, *url;
} objects[] = { { "book", N_("Books"), "/admin/books/" },
	{ "category", N_("Categories"), "/admin/categories/" },
	{ "user", N_("Members"), "/admin/users/" },
	{ "order", N_("Orders"), "/admin/orders/" } };

static const char *
given(const struct req *req, const char *name)
{
	const char *text = form_str(req, name);

	return text && *text ? text : NULL;
}

static json_t *
object_options(const char *current)
{
	json_t *list = json_array();

	for (size_t i = 0; i < LENGTH(objects); i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "value", objects[i].object,
			"label", _(objects[i].label), "current",
			current && strcmp(current, objects[i].object) == 0));
	return list;
}

/* An order's page is found by its number, which is its label. */
static const char *
url_of(struct req *req, const json_t *entry)
{
	const char *object = model_text(entry, "object");

	if (strcmp(model_text(entry, "act"), "category.delete") == 0)
		return NULL;
	if (strcmp(object, "order") == 0)
		return arena_printf(req->arena, "/orders/%s",
		    http_url_quote(req, model_text(entry, "label")));
	for (size_t i = 0; i < LENGTH(objects); i++) {
		if (strcmp(object, objects[i].object) == 0)
			return arena_printf(req->arena, "%s%lld",
			    objects[i].url,
			    (long long)model_int(entry, "object_id"));
	}
	return NULL;
}

static json_t *
change_list(struct req *req, const json_t *categories, json_t *changes)
{
	json_t *list = json_array(), *pair;
	const char *field;

	json_object_foreach(changes, field, pair) {
		const char *was = view_fact_text(
		    req, categories, field, json_array_get(pair, 0));
		const char *is = view_fact_text(
		    req, categories, field, json_array_get(pair, 1));

		if (strcmp(field, "version") == 0)
			continue;
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "label",
			view_fact_label(field), "was", was, "is", is));
	}
	return list;
}

static void
show_entry(struct req *req, const json_t *categories, json_t *entry)
{
	const char *url = url_of(req, entry);

	model_set_text(entry, "act_text", view_act(model_text(entry, "act")));
	model_set_text(entry, "at_text",
	    view_time(req, view_seconds(model_text(entry, "at"))));
	model_set_text(entry, "url", url);
	model_set(entry, "change_list",
	    change_list(req, categories, json_object_get(entry, "changes")));
}

static const char *
list_url(struct req *req, const struct audit_query *q, int64_t after)
{
	return arena_printf(req->arena,
	    "/admin/audit?actor=%s&object=%s&id=%.0lld&after=%.0lld",
	    http_url_quote(req, q->actor ? q->actor : ""),
	    http_url_quote(req, q->object ? q->object : ""),
	    (long long)q->object_id, (long long)after);
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
	    "objects", object_options(q->object), "entries", entries, "any",
	    json_array_size(entries) > 0, "none", json_array_size(entries) == 0,
	    "next_url", next ? list_url(req, q, next) : NULL, "first_url",
	    q->after ? list_url(req, q, 0) : NULL);

	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Changes"), NULL);
	return model;
}

static int
show(struct req *req)
{
	const struct audit_query query = { .actor = given(req, "actor"),
		.object = given(req, "object"),
		.object_id = form_int(req, "id"),
		.after = form_int(req, "after"),
		.limit = PAGE_SIZE };
	json_t *page, *entries, *entry, *categories;
	size_t i;
	int rc;

	if ((rc = audit_list(req, &query, &page)) < 0 ||
	    (rc = category_all(req, &categories)) < 0)
		return rc;
	entries = json_object_get(page, "entries");
	json_array_foreach(entries, i, entry)
		show_entry(req, categories, entry);
	return page_send(req, "admin-audit",
	    page_model(req, &query, entries, model_int(page, "next")));
}

static const struct route admin_audit = {
	.name = "admin-audit",
	.get = show,
	.fields = fields,
	.needs = NEED_ADMIN,
};

int
main(void)
{
	return route_run(&admin_audit);
}
