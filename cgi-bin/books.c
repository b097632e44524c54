/* GET / and /books -- the shelves: a page of the list, by category, by search,
 * in the order the reader chooses. */
#include "popular.h"
#include "route.h"

#define API_LIMIT_MAX 100

static const struct field fields[] = { { "q", FIELD_TEXT, FIELD_QUERY, 0, 100,
					   N_("Search") },
	{ "category", FIELD_INT, FIELD_QUERY, 1, UINT32_MAX, N_("Category") },
	{ "sort", FIELD_TEXT, FIELD_QUERY, 0, 10, N_("Order") },
	{ "after", FIELD_TEXT, FIELD_QUERY, 0, 300, N_("Page") },
	{ "before", FIELD_TEXT, FIELD_QUERY, 0, 300, N_("Page") },
	{ "limit", FIELD_INT, FIELD_QUERY, 1, API_LIMIT_MAX, N_("Limit") },
	{ 0 } };

/* What the reader asks for, and the tree that it is asked of. */
struct shelf {
	struct book_query query;
	int64_t categories[CATEGORY_BELOW_MAX];
	int64_t category; /* 0 = all */
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

	shelf->query.sort = BOOK_BY_TITLE;
	if (!sort || !*sort || book_sort_from_text(sort, &shelf->query.sort))
		return RC_OK;
	return req_fail(req, RC_BAD_INPUT, "%s",
	    _("The list can be sorted by title, newest or price."));
}

static int
read_category(struct req *req, struct shelf *shelf)
{
	json_t *node;
	int rc;

	if (!needs_tree(req))
		return RC_OK;
	shelf->category = form_int(req, "category");
	rc = category_tree(req, req->prefetched ? req->prefetched[0] : NULL,
	    shelf->category, &shelf->tree);
	if (rc < 0 || !shelf->category)
		return rc;
	node = category_find(shelf->tree, shelf->category);
	if (!node)
		return req_fail(
		    req, RC_NOT_FOUND, "%s", _("There is no such category."));
	shelf->query.categories = shelf->categories;
	shelf->query.ncategories = category_below(node, shelf->categories);
	return RC_OK;
}

static int
read_shelf(struct req *req, struct shelf *shelf)
{
	int rc;

	shelf->query.full = req->api;
	shelf->query.search = form_str(req, "q");
	shelf->query.after = form_str(req, "after");
	shelf->query.before = form_str(req, "before");
	shelf->query.limit = req->api && form_has(req, "limit") ?
	    (int)form_int(req, "limit") :
	    BOOK_PAGE_SIZE;
	if ((rc = read_sort(req, shelf)) < 0)
		return rc;
	return read_category(req, shelf);
}

/* The address of this list with another category, order or page. */
static const char *
list_url(struct req *req, const struct shelf *shelf, int64_t category,
    enum book_sort sort, const char *way, const char *cursor)
{
	const char *q = shelf->query.search;
	struct buf b = BUF_INIT(4096);
	const char *url;

	buf_str(&b, "/books?");
	if (q && *q) {
		buf_str(&b, "q=");
		buf_url(&b, q, strlen(q));
		buf_char(&b, '&');
	}
	if (category)
		buf_printf(&b, "category=%lld&", (long long)category);
	if (sort != BOOK_BY_TITLE)
		buf_printf(&b, "sort=%s&", book_sort_text(sort));
	if (cursor) {
		buf_printf(&b, "%s=", way);
		buf_url(&b, cursor, strlen(cursor));
		buf_char(&b, '&');
	}
	/* The last character is a separator that nothing follows. */
	url = arena_strndup(req->arena, b.data, b.len - 1);
	buf_free(&b);
	return url;
}

static json_t *
sort_links(struct req *req, const struct shelf *shelf)
{
	const char *const labels[] = { [BOOK_BY_TITLE] = _("Title"),
		[BOOK_BY_NEWEST] = _("Newest"),
		[BOOK_BY_PRICE] = _("Price") };
	json_t *links = json_array();

	for (size_t i = 0; i < LENGTH(labels); i++)
		json_array_append_new(links,
		    json_pack("{s:s, s:s, s:b}", "label", labels[i], "url",
			list_url(req, shelf, shelf->category, (enum book_sort)i,
			    NULL, NULL),
			"current", i == shelf->query.sort));
	return links;
}

/* Adds to each node its link, and whether it is open; true when the chosen
 * category is in this branch. */
static bool
show_branch(struct req *req, const struct shelf *shelf, json_t *branch)
{
	bool holds = false;
	json_t *node;
	size_t i;

	json_array_foreach(branch, i, node) {
		int64_t id = model_int(node, "id");
		bool current = id == shelf->category;
		bool open = show_branch(req, shelf,
				json_object_get(node, "children")) ||
		    current;

		model_set_text(node, "url",
		    list_url(req, shelf, id, shelf->query.sort, NULL, NULL));
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
	json_t *node = shelf->category ?
	    category_find(shelf->tree, shelf->category) :
	    NULL;

	return node ? json_pack("{s:O, s:s}", "name",
			  json_object_get(node, "name"), "url",
			  list_url(req, shelf, shelf->category, BOOK_BY_TITLE,
			      NULL, NULL)) :
		      json_null();
}

static void
set_page_url(struct req *req, const struct shelf *shelf, json_t *model,
    const char *name, const char *way, const json_t *cursor)
{
	json_object_set_new(model, name,
	    json_is_string(cursor) ?
		json_string(list_url(req, shelf, shelf->category,
		    shelf->query.sort, way, json_string_value(cursor))) :
		json_null());
}

static void
set_pager(struct req *req, const struct shelf *shelf, json_t *model,
    const json_t *page)
{
	const json_t *previous = json_object_get(page, "previous");

	set_page_url(req, shelf, model, "prev_url", "before", previous);
	set_page_url(req, shelf, model, "next_url", "after",
	    json_object_get(page, "next"));
	json_object_set_new(model, "first_url",
	    json_is_null(previous) ?
		json_null() :
		json_string(list_url(req, shelf, shelf->category,
		    shelf->query.sort, NULL, NULL)));
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
	const char *q = shelf->query.search ? shelf->query.search : "";
	json_t *books = json_object_get(page, "books"), *book;
	json_t *category = chosen_category(req, shelf), *model;
	bool home = is_home(req);
	size_t i;

	show_branch(req, shelf, shelf->tree);
	json_array_foreach(books, i, book)
		view_book(req, book);
	model = json_pack("{s:b, s:s, s:s, s:O, s:o, s:o, s:o, s:b, s:b}",
	    "home", home, "q", q, "search", q, "books", books, "category",
	    category, "sort_links", sort_links(req, shelf), "categories",
	    shelf->tree, "any", json_array_size(books) > 0, "none",
	    json_array_size(books) == 0);
	set_pager(req, shelf, model, page);
	model_set(model, "popular", home ? popular(req) : json_null());
	if (!home)
		set_crumbs(model, category, q);
	return model;
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
	return page_send(req, "books", page_model(req, &shelf, page));
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
