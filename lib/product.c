/* product -- see product.h. */
#include "product.h"

#include "model.h"

/* The names of a product's facts, and those of a book's. */
static const char *const names[][2] = { { "id", "id" }, { "name", "title" },
	{ "description", "description" }, { "price", "price" },
	{ "category_id", "category_id" },
	{ "stock_quantity", "stock_quantity" }, { "image_url", "image_url" },
	{ "cover_url", "cover_url" }, { "created_at", "created_at" },
	{ "updated_at", "updated_at" }, { "title", "title" },
	{ "author", "author" }, { "publisher", "publisher" },
	{ "published_year", "published_year" }, { "isbn13", "isbn13" },
	{ "language", "language" }, { "version", "version" } };

/* Always of the same form, whichever list or statement the book is from: its
 * entity tag is made from it. */
static json_t *
product_of(const json_t *book)
{
	json_t *product = json_object();

	for (size_t i = 0; i < LENGTH(names); i++)
		json_object_set(
		    product, names[i][0], json_object_get(book, names[i][1]));
	return product;
}

int
product_list(struct req *req, struct book_query *query, json_t **page)
{
	json_t *products = json_array(), *list, *book;
	size_t i;
	int rc;

	query->whole = true;
	rc = book_list(req, query, &list);
	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(list, "books"), i, book)
		json_array_append_new(products, product_of(book));
	*page = json_pack("{s:o, s:O}", "products", products, "next",
	    json_object_get(list, "next"));
	return RC_OK;
}

int
product_shown(struct req *req, const struct cache_reply *cached, int64_t id,
    json_t **product)
{
	json_t *book;
	int rc = book_shown(req, cached, id, &book);

	if (rc == RC_OK)
		*product = product_of(book);
	return rc;
}

int
product_now(struct req *req, int64_t id, json_t **product)
{
	json_t *book;
	int rc = book_to_edit(req, id, &book);

	if (rc < 0)
		return rc;
	if (json_is_true(json_object_get(book, "withdrawn")))
		return req_fail(req, RC_NOT_FOUND, "%s",
		    _("There is no such book. It may have been taken out of"
		      " the catalogue."));
	*product = product_of(book);
	return RC_OK;
}

int
product_add(struct req *req, const struct book_facts *with, int64_t stock,
    const char *once, json_t **product)
{
	json_t *book;
	int rc = book_add(req, with, stock, once, &book);

	if (rc == RC_OK)
		*product = product_of(book);
	return rc;
}

/* --- what a client says of one --- */

static void
need(struct req *req, const char *field, const char *label)
{
	const char *text = form_str(req, field);

	if (!text || !*text)
		req_field_error(req, field,
		    arena_printf(req->arena, _("%s is missing."), label));
}

static const char *
otherwise(const char *text, const char *other)
{
	return text && *text ? text : other;
}

/* Both names of the title may be there, as in an answer that is sent back. */
static const char *
read_title(struct req *req)
{
	const char *name = otherwise(form_str(req, "name"), NULL);
	const char *title = otherwise(form_str(req, "title"), NULL);

	if (name && title && strcmp(name, title) != 0)
		req_field_error(req, "title",
		    _("Name and title are the same thing. Send one of them,"
		      " or the same text as both."));
	if (!name && !title)
		need(req, "name", _("Title"));
	return name ? name : title;
}

int
product_read_facts(struct req *req, struct book_facts *facts)
{
	*facts = (struct book_facts){ .title = read_title(req),
		.language = otherwise(form_str(req, "language"), "ko"),
		.publisher = form_str(req, "publisher"),
		.description = form_str(req, "description"),
		.image_url = form_str(req, "image_url"),
		.isbn = form_str(req, "isbn13"),
		.category_id = form_int(req, "category_id"),
		.price = form_int(req, "price"),
		.has_year = form_has(req, "published_year"),
		.published_year = form_int(req, "published_year") };
	facts->author = otherwise(form_str(req, "author"),
	    strcmp(facts->language, "ko") == 0 ? "저자 미상" : "Unknown");
	need(req, "price", _("Price"));
	need(req, "category_id", _("Category"));
	return req->errors ? RC_BAD_INPUT : RC_OK;
}

/* --- changes --- */

static int
refuse_version(struct req *req, const json_t *book)
{
	req->details = json_pack("{s:o}", "current", product_of(book));
	return req_fail(req, RC_CONFLICT, "%s",
	    _("Somebody else has changed this product in the meantime. Look"
	      " at what it is now, and send your change again with its"
	      " version."));
}

int
product_edit(struct req *req, int64_t id, int64_t version,
    const struct book_facts *with, int64_t stock, int64_t seen,
    json_t **product)
{
	json_t *book;
	int rc = book_replace(req, id, version, with, stock, seen, &book);

	if (rc == RC_CONFLICT && !req->errors)
		return refuse_version(req, book);
	if (rc == RC_OK)
		*product = product_of(book);
	return rc;
}

int
product_withdraw(struct req *req, int64_t id, int64_t version)
{
	json_t *book;
	int rc = book_withdraw(req, id, version, true, &book);

	return rc == RC_CONFLICT ? refuse_version(req, book) : rc;
}
