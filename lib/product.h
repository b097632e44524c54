/*
 * product -- books as other shops call them: the products of the JSON API.
 *
 * A product is {id, name, description, price (minor units), category_id,
 * stock_quantity, image_url, cover_url, created_at, updated_at}, and what makes
 * it a book: {title (the same as name), author, publisher, published_year,
 * isbn13, language, version}.
 */
#ifndef SEOGA_PRODUCT_H
#define SEOGA_PRODUCT_H

#include "book.h"
#include "book_edit.h"
#include "form.h"
#include "stock.h"

/* What a client says of a product.  None is FIELD_REQUIRED, as a DELETE has
 * none: product_read_facts() asks for those that must be there. */
#define PRODUCT_FIELDS \
	{ "name", FIELD_TEXT, FIELD_BODY, 0, BOOK_TEXT_MAX, N_("Title") }, \
	    { "title", FIELD_TEXT, FIELD_BODY, 0, BOOK_TEXT_MAX, \
		    N_("Title") }, \
	    { "author", FIELD_TEXT, FIELD_BODY, 0, BOOK_TEXT_MAX, \
		    N_("Author") }, \
	    { "publisher", FIELD_TEXT, FIELD_BODY, 0, BOOK_TEXT_MAX, \
		    N_("Publisher") }, \
	    { "published_year", FIELD_INT, FIELD_BODY, BOOK_YEAR_MIN, \
		    BOOK_YEAR_MAX, N_("Published") }, \
	    { "isbn13", FIELD_TEXT, FIELD_BODY, 0, 40, "ISBN" }, \
	    { "language", FIELD_TEXT, FIELD_BODY, 0, 2, N_("Language") }, \
	    { "description", FIELD_TEXT, FIELD_BODY, 0, BOOK_DESCRIPTION_MAX, \
		    N_("Description") }, \
	    { "price", FIELD_INT, FIELD_BODY, 0, BOOK_PRICE_MAX, \
		    N_("Price") }, \
	    { "category_id", FIELD_INT, FIELD_BODY, 1, UINT32_MAX, \
		    N_("Category") }, \
	    { "stock_quantity", FIELD_INT, FIELD_BODY, 0, STOCK_MAX, \
		    N_("Copies in stock") }, \
	{ \
		"image_url", FIELD_TEXT, FIELD_BODY, 0, BOOK_IMAGE_URL_MAX, \
		    N_("Picture") \
	}

/*
 * The facts of a product from the form: name or title, price and category_id
 * must be there.  Who leaves out the author says that he is not known; a book
 * is in Korean unless language says else; what else is left out is nothing.
 */
int product_read_facts(struct req *req, struct book_facts *facts) ATTR_CHECK;

/* A page of them: {products: [...], next}, next being the cursor after. */
int product_list(
    struct req *req, struct book_query *query, json_t **page) ATTR_CHECK;

/* As readers see it; cached is the reply to book_prefetch(), or NULL. */
int product_shown(struct req *req, const struct cache_reply *cached, int64_t id,
    json_t **product) ATTR_CHECK;

/* As it is now, and never from the cache; RC_NOT_FOUND once withdrawn. */
int product_now(struct req *req, int64_t id, json_t **product) ATTR_CHECK;

/* As book_add(). */
int product_add(struct req *req, const struct book_facts *facts, int64_t stock,
    const char *once, json_t **product) ATTR_CHECK;

/* As book_replace(); RC_CONFLICT tells in req->details.current what the product
 * is now, if another version was edited. */
int product_edit(struct req *req, int64_t id, int64_t version,
    const struct book_facts *facts, int64_t stock, int64_t seen,
    json_t **product) ATTR_CHECK;

/* Takes it out of the catalogue; a version as there. */
int product_withdraw(struct req *req, int64_t id, int64_t version) ATTR_CHECK;

#endif
