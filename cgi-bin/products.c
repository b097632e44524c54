/* GET and POST /catalog/products -- the catalogue as products: a page of the
 * list, and for librarians a new one. */
#include "fcgi.h"
#include "product.h"
#include "route.h"

#define LIMIT_MAX 100

static const struct field fields[] = { { "q", FIELD_TEXT, FIELD_QUERY, 0, 100,
					   N_("Search") },
	{ "category", FIELD_INT, FIELD_QUERY, 1, UINT32_MAX, N_("Category") },
	{ "min_price", FIELD_INT, FIELD_QUERY, 0, BOOK_PRICE_MAX, N_("Price") },
	{ "max_price", FIELD_INT, FIELD_QUERY, 0, BOOK_PRICE_MAX, N_("Price") },
	{ "in_stock", FIELD_FLAG, FIELD_QUERY, 0, 0, N_("In stock") },
	{ "sort", FIELD_TEXT, FIELD_QUERY, 0, 10, N_("Order") },
	{ "limit", FIELD_INT, FIELD_QUERY, 1, LIMIT_MAX, N_("Limit") },
	{ "cursor", FIELD_TEXT, FIELD_QUERY, 0, 300, N_("Page") },
	PRODUCT_FIELDS, { 0 } };

static bool
needs_tree(const struct req *req)
{
	return strstr(req->query, "category=") != NULL;
}

static void
prefetch(struct req *req)
{
	if (needs_tree(req))
		category_queue(req);
}

static int
read_sort(struct req *req, struct book_query *query)
{
	const char *sort = form_str(req, "sort");

	if (!sort || !*sort || strcmp(sort, "name") == 0) {
		query->sort = BOOK_BY_TITLE;
		return RC_OK;
	}
	if (book_sort_from_text(sort, &query->sort) &&
	    (query->search || query->sort != BOOK_BY_RELEVANCE))
		return RC_OK;
	return req_fail(req, RC_BAD_INPUT, "%s",
	    _("The list can be sorted by name, newest or price, and what is"
	      " searched for by relevance."));
}

static int
read_category(struct req *req, struct book_query *query, int64_t *ids)
{
	int64_t id = form_int(req, "category");
	json_t *tree, *node;
	int rc;

	if (!needs_tree(req) || !id)
		return RC_OK;
	rc = category_tree(
	    req, req->prefetched ? req->prefetched[0] : NULL, id, &tree);
	if (rc < 0)
		return rc;
	node = category_find(tree, id);
	if (!node)
		return req_fail(
		    req, RC_NOT_FOUND, "%s", _("There is no such category."));
	query->filter.categories = ids;
	query->filter.ncategories = category_below(node, ids);
	return RC_OK;
}

static int
list(struct req *req)
{
	int64_t ids[CATEGORY_BELOW_MAX];
	const char *q = form_str(req, "q");
	struct book_query query = { .after = form_str(req, "cursor"),
		.search = q && *q ? search_parse(req, q) : NULL,
		.filter = { .min_price = form_int(req, "min_price"),
		    .in_stock = form_flag(req, "in_stock") },
		.limit = form_has(req, "limit") ? (int)form_int(req, "limit") :
						  BOOK_PAGE_SIZE };
	json_t *page;
	int rc;

	if (form_has(req, "max_price"))
		query.filter.price_below = form_int(req, "max_price") + 1;
	if (query.after && !*query.after)
		query.after = NULL;
	if ((rc = read_sort(req, &query)) < 0 ||
	    (rc = read_category(req, &query, ids)) < 0 ||
	    (rc = product_list(req, &query, &page)) < 0)
		return rc;
	return page_send_json(req, 200, page);
}

static int
add(struct req *req)
{
	struct book_facts facts;
	json_t *product;
	int rc;

	if ((rc = product_read_facts(req, &facts)) < 0 ||
	    (rc = product_add(req, &facts, form_int(req, "stock_quantity"),
		 fcgi_param(req->call, "HTTP_IDEMPOTENCY_KEY"), &product)) < 0)
		return rc;
	http_headerf(req, "Location", "/catalog/products/%lld",
	    (long long)model_int(product, "id"));
	return page_send_json(req, 201, product);
}

static const struct route products = {
	.name = "products",
	.get = list,
	.post = add,
	.prefetch = prefetch,
	.fields = fields,
	.needs = NEED_NO_REDIS | WRITE_LIBRARIAN,
};

int
main(void)
{
	return route_run(&products);
}
