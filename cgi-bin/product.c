/* GET, PUT and DELETE /catalog/products/<id> -- one product; librarians change
 * it, or take it out of the catalogue. */
#include "product.h"
#include "fcgi.h"
#include "route.h"

static const struct field fields[] = { { "id", FIELD_INT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   INT64_MAX, N_("Product") },
	{ "version", FIELD_INT, FIELD_BODY, 1, UINT32_MAX, N_("Version") },
	PRODUCT_FIELDS, { 0 } };

static int
show(struct req *req)
{
	json_t *product;
	int rc = product_shown(req, req->prefetched ? req->prefetched[0] : NULL,
	    form_int(req, "id"), &product);

	if (rc < 0)
		return rc;
	return page_send_json(req, 200, product);
}

/*
 * If-Match (RFC 9110, 13.1.1): the client's product must be that of now.  From
 * here on its version and stock are those to change, as they may change in
 * between.
 */
static int
check_match(struct req *req, int64_t *version, int64_t *stock)
{
	const char *tags = fcgi_param(req->call, "HTTP_IF_MATCH");
	json_t *product;
	int rc = product_now(req, form_int(req, "id"), &product);

	if (rc < 0 || !tags)
		return rc;
	if (!page_json_matches(req, tags, product)) {
		req->status = 412;
		return req_fail(req, RC_CONFLICT, "%s",
		    _("The product is not what it was when you read it. Read"
		      " it again."));
	}
	*version = model_int(product, "version");
	*stock = model_int(product, "stock_quantity");
	return RC_OK;
}

static int
change(struct req *req)
{
	int64_t version = form_int(req, "version");
	int64_t stock = form_has(req, "stock_quantity") ?
	    form_int(req, "stock_quantity") :
	    -1;
	int64_t seen = -1;
	struct book_facts facts;
	json_t *product;
	int rc;

	if ((rc = product_read_facts(req, &facts)) < 0 ||
	    (rc = check_match(req, &version, &seen)) < 0 ||
	    (rc = product_edit(req, form_int(req, "id"), version, &facts, stock,
		 seen, &product)) < 0)
		return rc;
	return page_send_json(req, 200, product);
}

static int
withdraw(struct req *req)
{
	int64_t version = form_int(req, "version"), seen;
	int rc;

	if ((rc = check_match(req, &version, &seen)) < 0 ||
	    (rc = product_withdraw(req, form_int(req, "id"), version)) < 0)
		return rc;
	return page_send_nothing(req);
}

static const struct route product = {
	.name = "product",
	.get = show,
	.put = change,
	.delete = withdraw,
	.prefetch = book_prefetch,
	.fields = fields,
	.needs = NEED_NO_REDIS | WRITE_LIBRARIAN,
};

int
main(void)
{
	return route_run(&product);
}
