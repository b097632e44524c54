/* GET /admin -- where keeping the library begins: what wants looking at, and
 * what others have just done. */
#include "audit.h"
#include "book_edit.h"
#include "category_edit.h"
#include "route.h"
#include "view_audit.h"

#define COUNT_MAX 50 /* more is "50+" */
#define LATEST 5     /* changes */

static const char *
count_text(struct req *req, const json_t *counts, const char *name)
{
	int64_t n = model_int(counts, name);

	return arena_printf(req->arena, n > COUNT_MAX ? "%d+" : "%d",
	    n > COUNT_MAX ? COUNT_MAX : (int)n);
}

static int64_t
shelved(const json_t *categories)
{
	const json_t *one;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(categories, i, one)
		sum += model_int(one, "book_count");
	return sum;
}

/* Librarians see what happened to the catalogue, as in /admin/audit. */
static int
latest(struct req *req, json_t **page)
{
	const struct audit_query query = { .catalogue = strcmp(req->sess->role,
							    "admin") != 0,
		.limit = LATEST };

	return audit_list(req, &query, page);
}

static int
show(struct req *req)
{
	json_t *counts, *categories, *page, *entries, *model;
	int rc;

	if ((rc = book_counts(req, &counts)) < 0 ||
	    (rc = category_all(req, &categories)) < 0 ||
	    (rc = latest(req, &page)) < 0)
		return rc;
	entries = json_object_get(page, "entries");
	view_audit(req, categories, entries);
	model = json_pack("{s:I, s:i, s:s, s:s, s:s, s:O, s:b}", "shelved",
	    (json_int_t)shelved(categories), "categories",
	    (int)json_array_size(categories), "low",
	    count_text(req, counts, "low"), "sold_out",
	    count_text(req, counts, "sold_out"), "withdrawn",
	    count_text(req, counts, "withdrawn"), "entries", entries, "any",
	    json_array_size(entries) > 0);
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), NULL);
	return page_send(req, "admin", model);
}

static const struct route admin = {
	.name = "admin",
	.get = show,
	.needs = NEED_LIBRARIAN,
};

int
main(void)
{
	return route_run(&admin);
}
