/* GET /books/<id> -- one book, and a form that puts it into the cart. */
#include "route.h"
#include "secret.h"
#include "view.h"

static const struct field fields[] = { { "id", FIELD_INT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   INT64_MAX, N_("Book") },
	{ "quantity", FIELD_INT, 0, 0, 0, N_("Quantity") }, { 0 } };

/* 9788936434267 -> 978-89-364-3426-7 needs the registries' tables; groups of
 * three digits read as well. */
static const char *
isbn_text(struct req *req, const char *isbn)
{
	return isbn ? arena_printf(req->arena, "%.3s %.3s %.3s %.4s", isbn,
			  isbn + 3, isbn + 6, isbn + 9) :
		      NULL;
}

static void
set_facts(struct req *req, json_t *book)
{
	const char *language = model_text(book, "language");

	view_book(req, book);
	model_set_text(
	    book, "isbn13_text", isbn_text(req, model_text(book, "isbn13")));
	model_set_text(book, "language_text", view_language(language));
	model_set_text(book, "category_name", model_text(book, "category"));
	model_set_text(book, "category_url",
	    arena_printf(req->arena, "/books?category=%lld",
		(long long)model_int(book, "category_id")));
	model_set_text(book, "updated_text",
	    view_date(req, model_text(book, "updated_at")));
}

static void
set_form(json_t *book)
{
	json_int_t stock = model_int(book, "stock_quantity");
	char once[SECRET_TOKEN_SIZE];

	secret_token(once);
	model_set_text(book, "once", once);
	json_object_set_new(book, "can_buy", json_boolean(stock > 0));
	json_object_set_new(book, "quantity_max",
	    json_integer(stock < CART_LINE_MAX ? stock : CART_LINE_MAX));
	json_object_set_new(book, "form", json_pack("{s:i}", "quantity", 1));
}

static int
show(struct req *req)
{
	json_t *book;
	int rc = book_shown(req, req->prefetched ? req->prefetched[0] : NULL,
	    form_int(req, "id"), &book);

	if (rc < 0)
		return rc;
	if (req->api)
		return page_send_json(req, 200, book);
	set_facts(req, book);
	set_form(book);
	page_crumb(book, _("Home"), "/");
	page_crumb(book, _("All books"), "/books");
	page_crumb(book, model_text(book, "category"),
	    model_text(book, "category_url"));
	page_crumb(book, model_text(book, "title"), NULL);
	return page_send(req, "book", book);
}

static const struct route book = {
	.name = "book",
	.get = show,
	.prefetch = book_prefetch,
	.fields = fields,
	.needs = NEED_NO_REDIS | NEED_FORM,
};

int
main(void)
{
	return route_run(&book);
}
