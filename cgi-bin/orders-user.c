/* GET /orders/user/<id> -- the orders of a member, for himself and for
 * administrators. */
#include "order.h"
#include "route.h"

#define PAGE_SIZE 20

static const struct field fields[] = { { "id", FIELD_INT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   INT64_MAX, N_("Number") },
	{ "after", FIELD_INT, FIELD_QUERY, 1, INT64_MAX, N_("Page") },
	{ "limit", FIELD_INT, FIELD_QUERY, 1, 100, N_("Number of orders") },
	{ 0 } };

static int
check_reader(struct req *req)
{
	if (form_int(req, "id") == req->sess->user_id ||
	    strcmp(req->sess->role, "admin") == 0)
		return RC_OK;
	return req_fail(req, RC_FORBIDDEN, "%s",
	    _("Your account may not do this. Ask an administrator if it"
	      " should."));
}

static int
show(struct req *req)
{
	struct order_query query = { .user_id = form_int(req, "id"),
		.after = form_int(req, "after"),
		.limit = form_has(req, "limit") ? (int)form_int(req, "limit") :
						  PAGE_SIZE };
	json_t *page;
	int rc;

	if ((rc = check_reader(req)) < 0 ||
	    (rc = order_list(req, &query, &page)) < 0)
		return rc;
	return page_send_json(req, 200, page);
}

static const struct route orders_user = {
	.name = "orders-user",
	.get = show,
	.fields = fields,
	.needs = NEED_MEMBER,
};

int
main(void)
{
	return route_run(&orders_user);
}
