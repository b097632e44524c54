/* POST /api/orders/<number or id>/payment -- pays an order with a card. */
#include "order.h"
#include "route.h"

static const struct field fields[] = { { "id", FIELD_TEXT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   ORDER_NUMBER_LENGTH, N_("Number") },
	{ "card", FIELD_SECRET, FIELD_BODY | FIELD_REQUIRED, 0, 40,
	    N_("Card number") },
	{ 0 } };

static int
pay(struct req *req)
{
	json_t *order;
	int rc =
	    order_pay(req, form_str(req, "id"), form_str(req, "card"), &order);

	return rc < 0 ? rc : page_send_json(req, 200, order);
}

static const struct route order_pay_route = {
	.name = "order-pay",
	.post = pay,
	.fields = fields,
	.needs = NEED_MEMBER | POST_IS_API,
};

int
main(void)
{
	return route_run(&order_pay_route);
}
