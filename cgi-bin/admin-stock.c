/* GET and POST /admin/books/<id>/stock -- how many copies there are, how that
 * came, and changing it. */
#include "book_edit.h"
#include "route.h"
#include "secret.h"

#define NOTE_MAX 200

static const struct field fields[] = { { "id", FIELD_INT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   INT64_MAX, N_("Book") },
	{ "change", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 10,
	    N_("Change") },
	{ "copies", FIELD_INT, FIELD_BODY | FIELD_REQUIRED, 0, STOCK_MAX,
	    N_("Copies") },
	{ "note", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, NOTE_MAX,
	    N_("Reason") },
	{ "seen", FIELD_INT, FIELD_BODY, 0, STOCK_MAX, N_("Copies") }, { 0 } };

static const char *const change_names[] = {
	[STOCK_SET] = "set", [STOCK_ADD] = "add", [STOCK_SUBTRACT] = "subtract"
};

static const char *
reason_text(const char *reason)
{
	static const struct {
		const char *reason, *text;
	} reasons[] = { { "set", N_("Counted") }, { "added", N_("Added") },
		{ "taken", N_("Taken away") }, { "ordered", N_("Ordered") },
		{ "returned", N_("Back from an order") },
		{ "imported", N_("Imported") } };

	for (size_t i = 0; i < LENGTH(reasons); i++) {
		if (strcmp(reason, reasons[i].reason) == 0)
			return _(reasons[i].text);
	}
	return reason;
}

static void
show_change(struct req *req, json_t *change)
{
	model_set_text(
	    change, "reason_text", reason_text(model_text(change, "reason")));
	model_set_text(change, "delta_text",
	    arena_printf(
		req->arena, "%+lld", (long long)model_int(change, "delta")));
	model_set_text(change, "at_text",
	    view_time(req, view_seconds(model_text(change, "at"))));
}

/* What was chosen, or adding. */
static json_t *
choices(const char *chosen)
{
	const char *const labels[] = { [STOCK_SET] = _("Counted: there are"),
		[STOCK_ADD] = _("Add"),
		[STOCK_SUBTRACT] = _("Take away") };
	static const enum stock_change order[] = { STOCK_ADD, STOCK_SUBTRACT,
		STOCK_SET };
	json_t *list = json_array();

	for (size_t i = 0; i < LENGTH(order); i++) {
		const char *name = change_names[order[i]];

		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "value", name, "label",
			labels[order[i]], "current",
			chosen ? strcmp(chosen, name) == 0 : i == 0));
	}
	return list;
}

static json_t *
page_model(struct req *req, json_t *book, json_t *changes)
{
	json_t *model, *change;
	const char *typed = form_str(req, "change");
	char once[SECRET_TOKEN_SIZE];
	size_t i;

	json_array_foreach(changes, i, change)
		show_change(req, change);
	secret_token(once);
	view_book(req, book);
	model = json_pack("{s:O, s:s, s:s, s:o, s:O, s:b}", "book", book,
	    "once", once, "action",
	    arena_printf(req->arena, "/admin/books/%lld/stock",
		(long long)model_int(book, "id")),
	    "choices", choices(typed && *typed ? typed : NULL), "changes",
	    changes, "any", json_array_size(changes) > 0);
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Books"), "/admin/books");
	page_crumb(model, model_text(book, "title"),
	    arena_printf(req->arena, "/admin/books/%lld",
		(long long)model_int(book, "id")));
	page_crumb(model, _("Stock"), NULL);
	return model;
}

static int
show(struct req *req)
{
	int64_t id = form_int(req, "id");
	json_t *book, *changes;
	int rc;

	if ((rc = book_to_edit(req, id, &book)) < 0 ||
	    (rc = stock_history(req, id, &changes)) < 0)
		return rc;
	return page_send(req, "admin-stock", page_model(req, book, changes));
}

static int
read_change(struct req *req, enum stock_change *change)
{
	for (size_t i = 0; i < LENGTH(change_names); i++) {
		if (strcmp(form_str(req, "change"), change_names[i]) == 0) {
			*change = (enum stock_change)i;
			return RC_OK;
		}
	}
	return req_field_error(req, "change", _("Choose one of these."));
}

static int
change(struct req *req)
{
	int64_t id = form_int(req, "id");
	enum stock_change change = STOCK_ADD;
	struct book_stock stock;
	const char *why;
	int rc;

	if ((rc = read_change(req, &change)) < 0)
		return rc;
	stock = (struct book_stock){ .change = change,
		.copies = form_int(req, "copies"),
		.seen = form_has(req, "seen") ? form_int(req, "seen") : -1,
		.note = form_str(req, "note"),
		.once = form_str(req, "once") };
	rc = book_stock(req, id, &stock);
	if (rc == RC_CONFLICT) {
		why = req->fail_text;
		req_forgive(req);
		req_field_error(req, "copies", why);
	}
	if (rc < 0)
		return rc;
	return page_redirect_flash(req,
	    arena_printf(req->arena, "/admin/books/%lld/stock", (long long)id),
	    "done", _("The stock is changed."));
}

static const struct route admin_stock = {
	.name = "admin-stock",
	.get = show,
	.post = change,
	.invalid = show,
	.fields = fields,
	.needs = NEED_LIBRARIAN | NEED_FORM,
};

int
main(void)
{
	return route_run(&admin_stock);
}
