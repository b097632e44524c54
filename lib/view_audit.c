/* view_audit -- see view_audit.h. */
#include "view_audit.h"

#include "http.h"
#include "model.h"
#include "view.h"
#include "view_fact.h"

/* Each kind of thing, then what is done to it; an act that is not here looks
 * as it is. */
static const struct {
	const char *name, *label;
	const char *url; /* of a thing, before its number; NULL: none */
	bool act, catalogue;
} kinds[] = {
	{ "book", N_("Books"), "/admin/books/", false, true },
	{ "book.add", N_("Book added"), NULL, true, true },
	{ "book.edit", N_("Book edited"), NULL, true, true },
	{ "book.cover", N_("Cover changed"), NULL, true, true },
	{ "book.stock", N_("Stock changed"), NULL, true, true },
	{ "book.withdraw", N_("Book withdrawn"), NULL, true, true },
	{ "book.bring_back", N_("Book brought back"), NULL, true, true },
	{ "category", N_("Categories"), "/admin/categories/", false, true },
	{ "category.add", N_("Category added"), NULL, true, true },
	{ "category.edit", N_("Category edited"), NULL, true, true },
	{ "category.move", N_("Category put in another place"), NULL, true,
	    true },
	{ "category.delete", N_("Category deleted"), NULL, true, true },
	{ "import", N_("Imports"), NULL, false, true },
	{ "import.begin", N_("Import begun"), NULL, true, true },
	{ "import.end", N_("Import ended"), NULL, true, true },
	{ "order", N_("Orders"), NULL, false, false },
	{ "order.state", N_("Order changed"), NULL, true, false },
	{ "user", N_("Members"), "/admin/users/", false, false },
	{ "user.role", N_("Role changed"), NULL, true, false },
	{ "user.lock", N_("Account locked"), NULL, true, false },
	{ "user.unlock", N_("Account unlocked"), NULL, true, false },
	{ "event", N_("Events"), NULL, false, false },
	{ "event.replay", N_("Event sent again"), NULL, true, false },
	{ "event.discard", N_("Event discarded"), NULL, true, false },
};

static const char *
act_text(const char *act)
{
	for (size_t i = 0; i < LENGTH(kinds); i++) {
		if (strcmp(act, kinds[i].name) == 0)
			return _(kinds[i].label);
	}
	return act;
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
	for (size_t i = 0; i < LENGTH(kinds); i++) {
		if (kinds[i].url && strcmp(object, kinds[i].name) == 0)
			return arena_printf(req->arena, "%s%lld", kinds[i].url,
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
view_entry(struct req *req, const json_t *categories, json_t *entry)
{
	const char *url = url_of(req, entry);

	model_set_text(entry, "act_text", act_text(model_text(entry, "act")));
	model_set_text(entry, "at_text",
	    view_time(req, view_seconds(model_text(entry, "at"))));
	model_set_text(entry, "url", url);
	model_set(entry, "change_list",
	    change_list(req, categories, json_object_get(entry, "changes")));
}

void
view_audit(struct req *req, const json_t *categories, json_t *entries)
{
	json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
		view_entry(req, categories, entry);
}

json_t *
view_audit_options(bool catalogue, const char *current)
{
	/* No-break spaces: others are dropped in an option. */
	static const char indent[] = "\u00a0\u00a0\u00a0\u00a0";
	json_t *options = json_array();

	for (size_t i = 0; i < LENGTH(kinds); i++) {
		const char *name = kinds[i].name;

		if (catalogue && !kinds[i].catalogue)
			continue;
		json_array_append_new(options,
		    json_pack("{s:s, s:s+, s:b}", "value", name, "label",
			kinds[i].act ? indent : "", _(kinds[i].label),
			"current", current && strcmp(current, name) == 0));
	}
	return options;
}
