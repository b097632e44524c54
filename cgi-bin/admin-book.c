/* GET and POST /admin/books/new and /admin/books/<id> -- adding a book,
 * editing it, withdrawing it and bringing it back. */
#include "audit.h"
#include "book_edit.h"
#include "category_edit.h"
#include "route.h"
#include "secret.h"
#include "stock.h"
#include "view_fact.h"

#define PICK(field) "pick_" field, FIELD_TEXT, FIELD_BODY, 0, 6, NULL

static const struct field fields[] = { { "id", FIELD_INT, FIELD_PATH, 1,
					   INT64_MAX, N_("Book") },
	{ "act", FIELD_TEXT, FIELD_BODY, 0, 20, N_("Action") },
	{ "version", FIELD_INT, FIELD_BODY, 1, UINT32_MAX, N_("Version") },
	{ "title", FIELD_TEXT, FIELD_BODY, 0, BOOK_TEXT_MAX, N_("Title") },
	{ "author", FIELD_TEXT, FIELD_BODY, 0, BOOK_TEXT_MAX, N_("Author") },
	{ "publisher", FIELD_TEXT, FIELD_BODY, 0, BOOK_TEXT_MAX,
	    N_("Publisher") },
	{ "published_year", FIELD_INT, FIELD_BODY, BOOK_YEAR_MIN, BOOK_YEAR_MAX,
	    N_("Year") },
	{ "isbn13", FIELD_TEXT, FIELD_BODY, 0, 40, "ISBN" },
	{ "language", FIELD_TEXT, FIELD_BODY, 0, 2, N_("Language") },
	{ "category_id", FIELD_INT, FIELD_BODY, 1, UINT32_MAX, N_("Category") },
	{ "price", FIELD_TEXT, FIELD_BODY, 0, 30, N_("Price") },
	{ "stock", FIELD_INT, FIELD_BODY, 0, STOCK_MAX, N_("Copies in stock") },
	{ "description", FIELD_LINES, FIELD_BODY, 0, BOOK_DESCRIPTION_MAX,
	    N_("Description") },
	{ "image_url", FIELD_TEXT, FIELD_BODY, 0, BOOK_IMAGE_URL_MAX,
	    N_("Picture") },
	{ PICK("title") }, { PICK("author") }, { PICK("publisher") },
	{ PICK("published_year") }, { PICK("isbn13") }, { PICK("language") },
	{ PICK("description") }, { PICK("price") }, { PICK("category_id") },
	{ PICK("image_url") }, { 0 } };

static const char *
book_url(struct req *req, int64_t id)
{
	return arena_printf(req->arena, "/admin/books/%lld", (long long)id);
}

/* --- the form --- */

/* What was typed, the book as it is, or nothing yet. */
static json_t *
form_model(struct req *req, const json_t *book)
{
	json_t *form;

	if (req->errors)
		return form_values(req);
	form = view_fact_inputs(req, book, book_fact_names);
	if (!book)
		model_set_text(form, "language", lang_code(req->lang));
	model_set_text(form, "stock", book ? "" : "0");
	return form;
}

static void
set_book(struct req *req, json_t *model, const json_t *book)
{
	int64_t id = model_int(book, "id");
	bool withdrawn = json_is_true(json_object_get(book, "withdrawn"));
	char once[SECRET_TOKEN_SIZE];

	secret_token(once);
	model_set_text(model, "once", once);
	model_set_text(
	    model, "action", book ? book_url(req, id) : "/admin/books/new");
	model_set(model, "book",
	    !book ?
		json_null() :
		json_pack("{s:I, s:O, s:O, s:b, s:b, s:O, s:s, s:s}", "id",
		    (json_int_t)id, "title", json_object_get(book, "title"),
		    "language", json_object_get(book, "language"), "withdrawn",
		    withdrawn, "shelved", !withdrawn, "stock_quantity",
		    json_object_get(book, "stock_quantity"), "added_text",
		    view_date(req, model_text(book, "created_at")),
		    "updated_text",
		    view_date(req, model_text(book, "updated_at"))));
}

static void
set_crumbs(json_t *model, const json_t *book)
{
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Books"), "/admin/books");
	page_crumb(
	    model, book ? model_text(book, "title") : _("Add a book"), NULL);
}

/* facts are what the fields show, book is what is edited (NULL: a new one)
 * and version which one of it. */
static int
show_form(
    struct req *req, const json_t *facts, const json_t *book, int64_t version)
{
	json_t *categories, *form, *model = json_object();
	int rc = category_all(req, &categories);

	if (rc < 0)
		return rc;
	form = form_model(req, facts);
	set_book(req, model, book);
	model_set_int(model, "version", version);
	model_set(model, "categories",
	    view_category_options(
		req, categories, model_text(form, "category_id")));
	model_set(model, "languages",
	    view_language_options(model_text(form, "language")));
	model_set(model, "form", form);
	set_crumbs(model, book);
	return page_send(req, "admin-book", model);
}

/* With a version that came along, the form stays one of that. */
static int
show_facts(struct req *req, const json_t *facts)
{
	int64_t version = form_int(req, "version");
	json_t *book;
	int rc = book_to_edit(req, form_int(req, "id"), &book);

	if (rc < 0)
		return rc;
	return show_form(req, facts ? facts : book, book,
	    version ? version : model_int(book, "version"));
}

static int
show(struct req *req)
{
	return form_int(req, "id") ? show_facts(req, NULL) :
				     show_form(req, NULL, NULL, 0);
}

/* --- what was sent --- */

/* A price that cannot be read is noted; book_add() and book_edit() look at
 * all the other facts before they refuse, so that one try tells everything. */
static void
read_facts(struct req *req, struct book_facts *f)
{
	const char *price = form_str(req, "price");

	*f = (struct book_facts){ .title = form_str(req, "title"),
		.author = form_str(req, "author"),
		.publisher = form_str(req, "publisher"),
		.description = form_str(req, "description"),
		.image_url = form_str(req, "image_url"),
		.isbn = form_str(req, "isbn13"),
		.language = form_str(req, "language"),
		.category_id = form_int(req, "category_id"),
		.has_year = form_has(req, "published_year"),
		.published_year = form_int(req, "published_year") };
	if (!price || !view_read_price(price, &f->price))
		req_field_error(
		    req, "price", _("Enter the price in won, such as 12,500."));
}

static int
add(struct req *req)
{
	struct book_facts facts;
	json_t *book;
	int rc;

	read_facts(req, &facts);
	rc = book_add(
	    req, &facts, form_int(req, "stock"), form_str(req, "once"), &book);
	if (rc < 0)
		return rc;
	return page_redirect_flash(req, book_url(req, model_int(book, "id")),
	    "done", _("The book is in the catalogue."));
}

/* Both versions side by side; what was typed comes along in the form. */
static int
show_conflict(struct req *req, const struct book_facts *facts, json_t *book)
{
	int64_t id = model_int(book, "id");
	struct view_conflict c = { .fields = book_fact_names,
		.mine = book_of_facts(facts),
		.theirs = book };
	json_t *since, *categories, *model;
	int rc;

	if ((rc = audit_since(
		 req, "book", id, form_int(req, "version"), &since)) < 0 ||
	    (rc = category_all(req, &categories)) < 0)
		return rc;
	c.since = since;
	c.categories = categories;
	model = view_conflict(req, &c);
	model_set_text(model, "title", model_text(book, "title"));
	model_set_text(model, "action", book_url(req, id));
	model_set_int(model, "version", model_int(book, "version"));
	set_crumbs(model, book);
	req->status = 409;
	return page_send(req, "admin-conflict", model);
}

/* Of the two versions, the librarian may have chosen from each.  Only what
 * he saw counts: of another version it is asked again. */
static int
merge(struct req *req, int64_t id, struct book_facts *facts, bool *picked)
{
	json_t *mine, *book;
	int rc;

	*picked = view_pick(req, book_fact_names, NULL, NULL);
	if (!*picked)
		return RC_OK;
	if ((rc = book_to_edit(req, id, &book)) < 0 ||
	    model_int(book, "version") != form_int(req, "version"))
		return rc;
	mine = book_of_facts(facts);
	view_pick(req, book_fact_names, mine, book);
	*facts = book_facts_of(mine);
	return RC_OK;
}

static int
edit(struct req *req)
{
	int64_t id = form_int(req, "id");
	const char *act = form_str(req, "act");
	struct book_facts facts;
	bool picked;
	json_t *book;
	int rc;

	read_facts(req, &facts);
	if ((rc = merge(req, id, &facts, &picked)) < 0)
		return rc;
	if (!req->errors && act && strcmp(act, "review") == 0)
		return show_facts(req, book_of_facts(&facts));
	rc = book_edit(req, id, form_int(req, "version"), &facts, &book);
	if (rc == RC_CONFLICT && !req->errors)
		return show_conflict(req, &facts, book);
	if (rc < 0)
		return rc;
	return page_redirect_flash(
	    req, book_url(req, id), "done", _("The book is saved."));
}

static int
withdraw(struct req *req, bool withdrawn)
{
	int64_t id = form_int(req, "id");
	json_t *book;
	int rc =
	    book_withdraw(req, id, form_int(req, "version"), withdrawn, &book);

	if (rc == RC_CONFLICT)
		return page_redirect_flash(req, book_url(req, id), "error",
		    _("Somebody has edited this book in the meantime, so"
		      " nothing was done. Look at it as it is now."));
	if (rc < 0)
		return rc;
	return page_redirect_flash(req, book_url(req, id), "done",
	    withdrawn ? _("The book is withdrawn. Readers do not see it any"
			  " more; orders keep it.") :
			_("The book is on the shelves again."));
}

static int
change(struct req *req)
{
	const char *act = form_str(req, "act");

	if (!form_int(req, "id"))
		return add(req);
	if (!form_int(req, "version"))
		return RC_BAD_INPUT;
	if (act && strcmp(act, "withdraw") == 0)
		return withdraw(req, true);
	if (act && strcmp(act, "bring-back") == 0)
		return withdraw(req, false);
	return edit(req);
}

static const struct route admin_book = {
	.name = "admin-book",
	.get = show,
	.post = change,
	.invalid = show,
	.fields = fields,
	.needs = NEED_LIBRARIAN | NEED_FORM,
};

int
main(void)
{
	return route_run(&admin_book);
}
