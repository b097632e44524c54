/* GET /books/<id> -- one book, and a form that puts it into the cart. */
#include "route.h"
#include "secret.h"

static const struct field fields[] = {
	{ "id", FIELD_INT, FIELD_PATH | FIELD_REQUIRED, 1, INT64_MAX,
	    N_("Book") },
	{ "quantity", FIELD_INT, 0, 0, 0, N_("Quantity") },
	{ 0 }
};

/* 9788936434267 -> 978-89-364-3426-7 needs the registries' tables; groups of
 * three digits read as well. */
static const char *
isbn_text(struct req *req, const char *isbn)
{
	return isbn ? arena_printf(req->arena, "%.3s %.3s %.3s %.4s", isbn,
	    isbn + 3, isbn + 6, isbn + 9) : NULL;
}

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void
set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key,
	    text ? json_string(text) : json_null());
}

static void
set_facts(struct req *req, json_t *book)
{
	const char *language = text_of(book, "language");

	page_book(req, book);
	set_text(book, "isbn13_text", isbn_text(req, text_of(book, "isbn13")));
	set_text(book, "language_text",
	    strcmp(language, "ko") == 0 ? _("Korean") : _("English"));
	set_text(book, "category_name", text_of(book, "category"));
	set_text(book, "category_url", arena_printf(req->arena,
	    "/books?category=%lld", (long long)json_integer_value(
	    json_object_get(book, "category_id"))));
	set_text(book, "updated_text",
	    page_date(req, text_of(book, "updated_at")));
}

static void
set_form(json_t *book)
{
	json_int_t stock = json_integer_value(
	    json_object_get(book, "stock_quantity"));
	char once[SECRET_TOKEN_SIZE];

	secret_token(once);
	set_text(book, "once", once);
	json_object_set_new(book, "can_buy", json_boolean(stock > 0));
	json_object_set_new(book, "quantity_max", json_integer(
	    stock < CART_LINE_MAX ? stock : CART_LINE_MAX));
	json_object_set_new(book, "form", json_pack("{s:i}", "quantity", 1));
}

static int
show(struct req *req)
{
	json_t *book;
	int rc = book_by_id(req, form_int(req, "id"), &book);

	if (rc < 0)
		return rc;
	if (req->api)
		return page_send_json(req, 200, book);
	set_facts(req, book);
	set_form(book);
	page_crumb(book, _("Home"), "/");
	page_crumb(book, _("All books"), "/books");
	page_crumb(book, text_of(book, "category"),
	    text_of(book, "category_url"));
	page_crumb(book, text_of(book, "title"), NULL);
	return page_send(req, "book", book);
}

static const struct route book = {
	.name = "book",
	.get = show,
	.fields = fields,
	.needs = NEED_NO_REDIS | NEED_FORM,
};

int
main(void)
{
	return route_run(&book);
}
