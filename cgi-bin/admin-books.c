/* GET /admin/books -- the librarians' list: all books, those that run low,
 * those that were withdrawn. */
#include "book_edit.h"
#include "category_edit.h"
#include "route.h"
#include "view_fact.h"

#define PAGE_SIZE 30

static const struct field fields[] = { { "q", FIELD_TEXT, FIELD_QUERY, 0, 100,
					   N_("Search") },
	{ "category", FIELD_INT, FIELD_QUERY, 1, UINT32_MAX, N_("Category") },
	{ "show", FIELD_TEXT, FIELD_QUERY, 0, 20, N_("Show") },
	{ "after", FIELD_TEXT, FIELD_QUERY, 0, 40, N_("Page") }, { 0 } };

static const char *const shows[] = { [BOOK_SHOW_SHELVED] = "",
	[BOOK_SHOW_LOW] = "low",
	[BOOK_SHOW_WITHDRAWN] = "withdrawn" };

struct desk {
	struct book_keep_query query;
	int64_t below[CATEGORY_BELOW_MAX];
	int64_t category;
	json_t *categories;
};

static int
read_show(struct req *req, struct desk *desk)
{
	const char *show = form_str(req, "show");

	for (size_t i = 0; i < LENGTH(shows); i++) {
		if (strcmp(show ? show : "", shows[i]) == 0) {
			desk->query.show = (enum book_show)i;
			return RC_OK;
		}
	}
	return req_fail(req, RC_BAD_INPUT, "%s",
	    _("The list shows books on the shelves, those that run low, or"
	      " those that were withdrawn."));
}

/* The category and all below it: they follow it and are deeper. */
static void
add_branch(struct desk *desk)
{
	int64_t depth = -1;
	const json_t *one;
	size_t i;

	json_array_foreach(desk->categories, i, one) {
		int64_t d = model_int(one, "depth");

		if (depth >= 0 && d <= depth)
			break;
		if (depth < 0 && model_int(one, "id") != desk->category)
			continue;
		if (depth < 0)
			depth = d;
		if (desk->query.ncategories < LENGTH(desk->below))
			desk->below[desk->query.ncategories++] =
			    model_int(one, "id");
	}
}

static int
read_category(struct req *req, struct desk *desk)
{
	int rc = category_all(req, &desk->categories);

	desk->category = form_int(req, "category");
	if (rc < 0 || !desk->category)
		return rc;
	add_branch(desk);
	desk->query.categories = desk->below;
	if (desk->query.ncategories == 0)
		return req_fail(
		    req, RC_NOT_FOUND, "%s", _("There is no such category."));
	return RC_OK;
}

static const char *
list_url(struct req *req, const struct desk *desk, const char *after)
{
	const char *q = desk->query.search;

	return arena_printf(req->arena,
	    "/admin/books?show=%s&category=%.0lld&q=%s&after=%s",
	    shows[desk->query.show], (long long)desk->category,
	    http_url_quote(req, q ? q : ""), after);
}

static json_t *
show_options(const struct desk *desk)
{
	const char *const labels[] = { [BOOK_SHOW_SHELVED] =
					   _("On the shelves"),
		[BOOK_SHOW_LOW] = _("Running low or sold out"),
		[BOOK_SHOW_WITHDRAWN] = _("Withdrawn") };
	json_t *options = json_array();

	for (size_t i = 0; i < LENGTH(labels); i++)
		json_array_append_new(options,
		    json_pack("{s:s, s:s, s:b}", "value", shows[i], "label",
			labels[i], "current", i == desk->query.show));
	return options;
}

static void
show_book(struct req *req, const struct desk *desk, json_t *book)
{
	view_book(req, book);
	model_set_text(book, "category_text",
	    category_path(
		req, desk->categories, model_int(book, "category_id")));
	model_set_text(book, "withdrawn_text",
	    view_date(req, model_text(book, "withdrawn_at")));
}

static json_t *
page_model(struct req *req, const struct desk *desk, json_t *page)
{
	json_t *books = json_object_get(page, "books"), *book;
	const char *next = model_text(page, "next");
	const char *q = desk->query.search;
	size_t i;

	json_array_foreach(books, i, book)
		show_book(req, desk, book);
	return json_pack("{s:s, s:o, s:o, s:O, s:b, s:b, s:s?, s:s?}", "q",
	    q ? q : "", "shows", show_options(desk), "categories",
	    view_category_options(req, desk->categories,
		arena_printf(req->arena, "%lld", (long long)desk->category)),
	    "books", books, "any", json_array_size(books) > 0, "none",
	    json_array_size(books) == 0, "next_url",
	    next ? list_url(req, desk, next) : NULL, "first_url",
	    desk->query.after ? list_url(req, desk, "") : NULL);
}

static int
show(struct req *req)
{
	struct desk *desk = arena_alloc(req->arena, sizeof(*desk));
	const char *after = form_str(req, "after");
	json_t *page, *model;
	int rc;

	*desk = (struct desk){ .query = { .search = form_str(req, "q"),
				   .after = after && *after ? after : NULL,
				   .limit = PAGE_SIZE } };
	if ((rc = read_show(req, desk)) < 0 ||
	    (rc = read_category(req, desk)) < 0 ||
	    (rc = book_keep_list(req, &desk->query, &page)) < 0)
		return rc;
	model = page_model(req, desk, page);
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Books"), NULL);
	return page_send(req, "admin-books", model);
}

static const struct route admin_books = {
	.name = "admin-books",
	.get = show,
	.fields = fields,
	.needs = NEED_LIBRARIAN,
};

int
main(void)
{
	return route_run(&admin_books);
}
