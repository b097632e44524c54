/* GET / and /books -- the shelves: a page of the list, by category, by search
 * and what its hits divide into, in the order the reader chooses. */
#include "place.h"
#include "popular.h"
#include "route.h"

#define API_LIMIT_MAX 100

static const struct field fields[] = { { "q", FIELD_TEXT, FIELD_QUERY, 0, 100,
					   N_("Search") },
	{ "category", FIELD_INT, FIELD_QUERY, 1, UINT32_MAX, N_("Category") },
	{ "sort", FIELD_TEXT, FIELD_QUERY, 0, 10, N_("Order") },
	{ "language", FIELD_TEXT, FIELD_QUERY | FIELD_PAGE, 0, 2,
	    N_("Language") },
	{ "decade", FIELD_INT, FIELD_QUERY | FIELD_PAGE, 1, 9999, N_("Year") },
	{ "price", FIELD_INT, FIELD_QUERY | FIELD_PAGE, 1, SEARCH_BANDS,
	    N_("Price") },
	{ "in_stock", FIELD_FLAG, FIELD_QUERY | FIELD_PAGE, 0, 0,
	    N_("In stock") },
	{ "after", FIELD_TEXT, FIELD_QUERY, 0, 300, N_("Page") },
	{ "before", FIELD_TEXT, FIELD_QUERY, 0, 300, N_("Page") },
	{ "limit", FIELD_INT, FIELD_QUERY, 1, API_LIMIT_MAX, N_("Limit") },
	{ 0 } };

/* What the reader asks for, and the tree that it is asked of. */
struct shelf {
	struct book_query query;
	struct place here;
	int64_t categories[CATEGORY_BELOW_MAX];
	json_t *tree;
};

/* The API shows no tree: it reads one only to look up a category. */
static bool
needs_tree(const struct req *req)
{
	return !req->api || strstr(req->query, "category=");
}

static bool
is_home(const struct req *req)
{
	return strcmp(req->path, "/") == 0;
}

static void
prefetch(struct req *req)
{
	if (needs_tree(req))
		category_queue(req);
	if (is_home(req))
		popular_queue(req);
}

static int
read_sort(struct req *req, struct shelf *shelf)
{
	const char *sort = form_str(req, "sort");

	shelf->here.sort = place_usual_sort(&shelf->here);
	if (sort && *sort && !book_sort_from_text(sort, &shelf->here.sort))
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("The list can be sorted by title, newest or price, and"
		      " what is searched for by relevance."));
	if (shelf->here.sort == BOOK_BY_RELEVANCE)
		shelf->here.sort = place_usual_sort(&shelf->here);
	shelf->query.sort = shelf->here.sort;
	return RC_OK;
}

/* An open branch is enough to look along the shelves; what is found may be
 * in any. */
static int64_t
branch_to_open(const struct shelf *shelf)
{
	return *shelf->here.q ? CATEGORY_EVERY : shelf->here.category;
}

static int
read_category(struct req *req, struct shelf *shelf)
{
	json_t *node;
	int rc;

	if (!needs_tree(req))
		return RC_OK;
	shelf->here.category = form_int(req, "category");
	rc = category_tree(req, req->prefetched ? req->prefetched[0] : NULL,
	    branch_to_open(shelf), &shelf->tree);
	if (rc < 0 || !shelf->here.category)
		return rc;
	node = category_find(shelf->tree, shelf->here.category);
	if (!node)
		return req_fail(
		    req, RC_NOT_FOUND, "%s", _("There is no such category."));
	shelf->query.filter.categories = shelf->categories;
	shelf->query.filter.ncategories =
	    category_below(node, shelf->categories);
	return RC_OK;
}

static void
read_search(struct req *req, struct shelf *shelf)
{
	struct search_filter *filter = &shelf->query.filter;
	const char *language = form_str(req, "language");
	struct place *here = &shelf->here;

	if (!*here->q)
		return;
	shelf->query.search = search_parse(req, here->q);
	here->language = language && *language ? language : NULL;
	here->decade = search_decade(form_int(req, "decade"));
	here->band = (int)form_int(req, "price");
	here->in_stock = form_flag(req, "in_stock");
	filter->language = here->language;
	filter->decade = here->decade;
	if (here->band) {
		filter->min_price = search_bands[here->band - 1];
		filter->price_below = search_bands[here->band];
	}
	filter->in_stock = here->in_stock;
}

static int
read_shelf(struct req *req, struct shelf *shelf)
{
	const char *q = form_str(req, "q");
	int rc;

	shelf->here.q = q ? q : "";
	shelf->query.full = req->api;
	shelf->query.after = form_str(req, "after");
	shelf->query.before = form_str(req, "before");
	shelf->query.limit = req->api && form_has(req, "limit") ?
	    (int)form_int(req, "limit") :
	    BOOK_PAGE_SIZE;
	if ((rc = read_sort(req, shelf)) < 0 ||
	    (rc = read_category(req, shelf)) < 0)
		return rc;
	read_search(req, shelf);
	return RC_OK;
}

/* Adds to each node its link, and whether it is open; true when the chosen
 * category is in this branch. */
static bool
show_branch(struct req *req, const struct shelf *shelf, json_t *branch)
{
	struct place to = shelf->here;
	bool holds = false;
	json_t *node;
	size_t i;

	json_array_foreach(branch, i, node) {
		int64_t id = model_int(node, "id");
		bool current = id == shelf->here.category;
		bool open = show_branch(req, shelf,
				json_object_get(node, "children")) ||
		    current;

		to.category = id;
		model_set_text(node, "url", place_url(req, &to));
		model_set_bool(node, "current", current);
		/* What has nothing below it has nothing to open. */
		model_set_bool(node, "open",
		    open && json_array_size(json_object_get(node, "children")));
		holds = holds || open;
	}
	return holds;
}

static json_t *
chosen_category(struct req *req, const struct shelf *shelf)
{
	struct place to = { .q = shelf->here.q,
		.category = shelf->here.category,
		.sort = place_usual_sort(&shelf->here) };
	json_t *node =
	    to.category ? category_find(shelf->tree, to.category) : NULL;

	return node ?
	    json_pack("{s:O, s:s}", "name", json_object_get(node, "name"),
		"url", place_url(req, &to)) :
	    json_null();
}

static void
set_crumbs(json_t *model, const json_t *category, const char *q)
{
	const char *name = model_text(category, "name");
	bool deeper = name || *q;

	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("All books"), deeper ? "/books" : NULL);
	if (name)
		page_crumb(
		    model, name, *q ? model_text(category, "url") : NULL);
	if (*q)
		page_crumb(model, _("Search"), NULL);
}

/* What sells, beside the tree in the session's round trip; null: nothing. */
static json_t *
popular(struct req *req)
{
	json_t *books =
	    popular_list(req, req->prefetched ? req->prefetched[1] : NULL);

	return json_array_size(books) ? json_pack("{s:o}", "best", books) :
					json_null();
}

static json_t *
page_model(struct req *req, const struct shelf *shelf, json_t *page)
{
	json_t *books = json_object_get(page, "books"), *book;
	bool any = json_array_size(books) > 0;
	size_t i;

	json_array_foreach(books, i, book)
		view_book(req, book);
	return json_pack("{s:b, s:s, s:s, s:O, s:o, s:o, s:O, s:b, s:b, s:n,"
			 " s:n, s:b}",
	    "home", is_home(req), "q", shelf->here.q, "search", shelf->here.q,
	    "books", books, "category", chosen_category(req, shelf),
	    "sort_links", place_sort_links(req, &shelf->here), "categories",
	    shelf->tree, "any", any, "none", !any, "found_text", "all_url",
	    "suggested", false);
}

static int
send_page(struct req *req, struct shelf *shelf, json_t *page)
{
	json_t *model = page_model(req, shelf, page);
	int rc;

	if (shelf->query.search &&
	    (rc = place_show_found(req, &shelf->here, shelf->query.search,
		 &shelf->query.filter, model)) < 0)
		return rc;
	show_branch(req, shelf, shelf->tree);
	model_set_bool(model, "shelved", json_array_size(shelf->tree) > 0);
	place_show_pager(req, &shelf->here, model, page);
	model_set(model, "popular", is_home(req) ? popular(req) : json_null());
	if (!is_home(req))
		set_crumbs(
		    model, json_object_get(model, "category"), shelf->here.q);
	return page_send(req, "books", model);
}

static int
show(struct req *req)
{
	struct shelf shelf = { 0 };
	json_t *page;
	int rc;

	if ((rc = read_shelf(req, &shelf)) < 0 ||
	    (rc = book_list(req, &shelf.query, &page)) < 0)
		return rc;
	if (req->api)
		return page_send_json(req, 200, page);
	return send_page(req, &shelf, page);
}

static const struct route books = {
	.name = "books",
	.get = show,
	.prefetch = prefetch,
	.fields = fields,
	.needs = NEED_NO_REDIS,
};

int
main(void)
{
	return route_run(&books);
}
