/* GET and POST /admin/categories and /admin/categories/<id> -- the tree of
 * categories: adding, naming, moving, ordering, deleting. */
#include "audit.h"
#include "category_edit.h"
#include "route.h"
#include "secret.h"
#include "view_fact.h"

#define LIST "/admin/categories"

static const struct field fields[] = { { "id", FIELD_INT, FIELD_PATH, 1,
					   UINT32_MAX, N_("Category") },
	{ "act", FIELD_TEXT, FIELD_BODY, 0, 10, N_("Action") },
	{ "version", FIELD_INT, FIELD_BODY, 1, UINT32_MAX, N_("Version") },
	{ "name_ko", FIELD_TEXT, FIELD_BODY, 0, CATEGORY_NAME_MAX,
	    N_("Name in Korean") },
	{ "name_en", FIELD_TEXT, FIELD_BODY, 0, CATEGORY_NAME_MAX,
	    N_("Name in English") },
	{ "parent_id", FIELD_INT, FIELD_BODY, 1, UINT32_MAX, N_("Within") },
	{ "pick_name_ko", FIELD_TEXT, FIELD_BODY, 0, 6, NULL },
	{ "pick_name_en", FIELD_TEXT, FIELD_BODY, 0, 6, NULL },
	{ "pick_parent_id", FIELD_TEXT, FIELD_BODY, 0, 6, NULL }, { 0 } };

static const char *const fact_names[] = { "name_ko", "name_en", "parent_id",
	NULL };

static const char *
url_of(struct req *req, int64_t id)
{
	return arena_printf(req->arena, LIST "/%lld", (long long)id);
}

static void
set_crumbs(json_t *model, const json_t *category)
{
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Categories"), category ? LIST : NULL);
	if (category)
		page_crumb(model, model_text(category, "name"), NULL);
}

/* What was typed, or these facts. */
static void
set_form(
    struct req *req, json_t *model, const json_t *list, const json_t *facts)
{
	json_t *form = req->errors ? form_values(req) :
				     view_fact_inputs(req, facts, fact_names);
	char once[SECRET_TOKEN_SIZE];

	secret_token(once);
	model_set_text(model, "once", once);
	model_set(model, "parents",
	    view_category_options(req, list, model_text(form, "parent_id")));
	model_set(model, "form", form);
}

/* --- pages --- */

/* For browsers without style: how deep a category is. */
static const char *
indent_of(struct req *req, int64_t depth)
{
	const char *indent = "";

	while (depth-- > 0)
		indent = arena_printf(req->arena, "%s– ", indent);
	return indent;
}

static int
show_list(struct req *req, json_t *list)
{
	json_t *model = json_object(), *one;
	size_t i;

	json_array_foreach(list, i, one) {
		model_set_text(one, "url", url_of(req, model_int(one, "id")));
		model_set_text(
		    one, "indent", indent_of(req, model_int(one, "depth")));
	}
	model_set(model, "list", json_incref(list));
	set_form(req, model, list, NULL);
	set_crumbs(model, NULL);
	return page_send(req, "admin-categories", model);
}

static int
no_such_category(struct req *req)
{
	return req_fail(
	    req, RC_NOT_FOUND, "%s", _("There is no such category."));
}

/* facts are what the form shows; NULL: the category's. */
static int
show_one(struct req *req, json_t *list, const json_t *facts)
{
	int64_t version = form_int(req, "version");
	json_t *category = category_of(list, form_int(req, "id"));
	json_t *model;

	if (!category)
		return no_such_category(req);
	if (!version)
		version = model_int(category, "version");
	model = json_pack("{s:O, s:s, s:I, s:s, s:s}", "category", category,
	    "action", url_of(req, model_int(category, "id")), "version",
	    (json_int_t)version, "books_url",
	    arena_printf(req->arena, "/admin/books?category=%lld",
		(long long)model_int(category, "id")),
	    "history_url",
	    arena_printf(req->arena, "/admin/audit?what=category&id=%lld",
		(long long)model_int(category, "id")));
	set_form(req, model, list, facts ? facts : category);
	set_crumbs(model, category);
	return page_send(req, "admin-category", model);
}

static int
show(struct req *req)
{
	json_t *list;
	int rc = category_all(req, &list);

	if (rc < 0)
		return rc;
	return form_int(req, "id") ? show_one(req, list, NULL) :
				     show_list(req, list);
}

/* --- acts --- */

static struct category_facts
read_facts(const struct req *req)
{
	const char *ko = form_str(req, "name_ko"),
		   *en = form_str(req, "name_en");

	return (struct category_facts){ .name_ko = ko ? ko : "",
		.name_en = en ? en : "",
		.parent_id = form_int(req, "parent_id") };
}

static int
done(struct req *req, const char *url, const char *text)
{
	return page_redirect_flash(req, url, "done", text);
}

static int
add(struct req *req)
{
	struct category_facts facts = read_facts(req);
	int64_t id;
	int rc = category_add(req, &facts, form_str(req, "once"), &id);

	if (rc < 0)
		return rc;
	return done(req, LIST, _("The category is added."));
}

static json_t *
as_category(const struct category_facts *f)
{
	return json_pack("{s:s, s:s, s:o}", "name_ko", f->name_ko, "name_en",
	    f->name_en, "parent_id",
	    f->parent_id ? json_integer(f->parent_id) : json_null());
}

static int
show_conflict(struct req *req, const struct category_facts *facts, json_t *now)
{
	struct view_conflict c = {
		.fields = fact_names, .mine = as_category(facts), .theirs = now
	};
	json_t *since, *list, *model;
	int rc;

	if ((rc = audit_since(req, "category", model_int(now, "id"),
		 form_int(req, "version"), &since)) < 0 ||
	    (rc = category_all(req, &list)) < 0)
		return rc;
	c.since = since;
	c.categories = list;
	model = view_conflict(req, &c);
	model_set_text(model, "title", model_text(now, "name"));
	model_set_text(model, "action", url_of(req, model_int(now, "id")));
	model_set_int(model, "version", model_int(now, "version"));
	set_crumbs(model, now);
	req->status = 409;
	return page_send(req, "admin-conflict", model);
}

/* Only of the version that was shown beside one's own. */
static int
merge(struct req *req, struct category_facts *facts)
{
	json_t *list, *now, *mine = as_category(facts);
	int rc;

	if (!view_pick(req, fact_names, NULL, NULL))
		return RC_OK;
	if ((rc = category_all(req, &list)) < 0)
		return rc;
	now = category_of(list, form_int(req, "id"));
	if (model_int(now, "version") != form_int(req, "version"))
		return RC_OK;
	view_pick(req, fact_names, mine, now);
	facts->name_ko = model_text(mine, "name_ko");
	facts->name_en = model_text(mine, "name_en");
	facts->parent_id = model_int(mine, "parent_id");
	return RC_OK;
}

static int
review(struct req *req, const struct category_facts *facts)
{
	json_t *list;
	int rc = category_all(req, &list);

	return rc < 0 ? rc : show_one(req, list, as_category(facts));
}

static int
edit(struct req *req)
{
	struct category_facts facts = read_facts(req);
	const char *act = form_str(req, "act");
	int64_t version = form_int(req, "version");
	json_t *now;
	int rc;

	if (!version)
		return RC_BAD_INPUT;
	if ((rc = merge(req, &facts)) < 0)
		return rc;
	if (act && strcmp(act, "review") == 0)
		return review(req, &facts);
	rc = category_edit(req, form_int(req, "id"), version, &facts, &now);
	if (rc == RC_CONFLICT)
		return show_conflict(req, &facts, now);
	if (rc < 0)
		return rc;
	return done(req, LIST, _("The category is saved."));
}

static int
shift(struct req *req, bool up)
{
	int rc = category_shift(req, form_int(req, "id"), up);

	return rc < 0 ? rc : page_redirect(req, LIST);
}

/* Why not is said where the button is. */
static int delete (struct req *req)
{
	int rc = category_delete(req, form_int(req, "id"));

	if (rc == RC_CONFLICT)
		return page_redirect_flash(req,
		    url_of(req, form_int(req, "id")), "error", req->fail_text);
	if (rc < 0)
		return rc;
	return done(req, LIST, _("The category is deleted."));
}

static int
change(struct req *req)
{
	const char *act = form_str(req, "act");

	if (!form_int(req, "id"))
		return add(req);
	if (act && (strcmp(act, "up") == 0 || strcmp(act, "down") == 0))
		return shift(req, *act == 'u');
	if (act && strcmp(act, "delete") == 0)
		return delete (req);
	return edit(req);
}

static const struct route admin_categories = {
	.name = "admin-categories",
	.get = show,
	.post = change,
	.invalid = show,
	.fields = fields,
	.needs = NEED_LIBRARIAN | NEED_FORM,
};

int
main(void)
{
	return route_run(&admin_categories);
}
