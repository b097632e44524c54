/*
 * book_edit -- keeping the catalogue: adding, editing and withdrawing books,
 * and the lists that librarians look through.
 *
 * Each change is one transaction with its entry in the audit log.  Nothing
 * is ever deleted: orders go on naming a book that was withdrawn.
 *
 * A book to edit is {id, title, author, publisher, published_year, isbn13,
 * language, description, price, stock_quantity, category_id, image_url,
 * cover_url, created_at, updated_at, version, withdrawn_at, withdrawn}.
 */
#ifndef SEOGA_BOOK_EDIT_H
#define SEOGA_BOOK_EDIT_H

#include "stock.h"

#define BOOK_TEXT_MAX 255	  /* characters of title, author, publisher */
#define BOOK_DESCRIPTION_MAX 5000 /* characters */
#define BOOK_IMAGE_URL_MAX 500
#define BOOK_PRICE_MAX 9999999999 /* minor units: DECIMAL(10,2) */
#define BOOK_YEAR_MIN (-4000)	  /* before the common era */
#define BOOK_YEAR_MAX 2100
#define BOOK_LOW_STOCK 3 /* copies, and fewer, are running low */

/* What a librarian says of a book; NULL or "" where it is not known. */
struct book_facts {
	const char *title, *author; /* these two must be known */
	const char *publisher, *description, *image_url;
	const char *isbn;     /* of 13 or 10 digits; see isbn.h */
	const char *language; /* "ko" or "en" */
	int64_t category_id, price;
	bool has_year;
	int64_t published_year;
};

/* The facts in the form of a book to edit, to be compared with one. */
json_t *book_of_facts(const struct book_facts *facts);
/* And back; borrows the texts. */
struct book_facts book_facts_of(const json_t *book);
/* Their names, NULL-ended. */
extern const char *const book_fact_names[];

/*
 * All of these give RC_BAD_INPUT with errors beside the fields (named as in
 * a book), RC_CONFLICT with an error beside isbn13 when another book has it,
 * and RC_NOT_FOUND without such a book.
 */

/* once (NULL for none) makes the same form, sent again, give the same book;
 * stock is the number of copies to begin with. */
int book_add(struct req *req, const struct book_facts *facts, int64_t stock,
    const char *once, json_t **book) ATTR_CHECK;

/*
 * Changes what differs, and nothing when nothing does.  RC_CONFLICT, without
 * errors and with *book as it is now, when that is not the version which was
 * edited; version 0 is whatever it is now.
 */
int book_edit(struct req *req, int64_t id, int64_t version,
    const struct book_facts *facts, json_t **book) ATTR_CHECK;

/* The same for programs: another version is RC_CONFLICT also when all that is
 * asked for is there already, because somebody else wanted the same.  Sets the
 * stock, too, unless stock < 0; RC_CONFLICT when it is not what was seen (-1:
 * whatever it is). */
int book_replace(struct req *req, int64_t id, int64_t version,
    const struct book_facts *facts, int64_t stock, int64_t seen,
    json_t **book) ATTR_CHECK;

/* Takes it out of the catalogue, or brings it back; RC_OK also when that was
 * done already.  version as above. */
int book_withdraw(struct req *req, int64_t id, int64_t version, bool withdrawn,
    json_t **book) ATTR_CHECK;

/*
 * A librarian's change of the stock, see stock.h; note says why.  seen is how
 * many there were when it was decided: a number that was counted (STOCK_SET)
 * is RC_CONFLICT when there are others now; -1: whatever there are.
 * RC_CONFLICT has a text.
 */
struct book_stock {
	enum stock_change change;
	int64_t copies, seen;
	const char *note, *once;
};
int book_stock(
    struct req *req, int64_t id, const struct book_stock *stock) ATTR_CHECK;

/* Also one that is withdrawn. */
int book_to_edit(struct req *req, int64_t id, json_t **book) ATTR_CHECK;

/* A page of the librarians' list: {books: [as above, without description],
 * next}.  Latest first; low ones by their stock. */
enum book_show { BOOK_SHOW_SHELVED, BOOK_SHOW_LOW, BOOK_SHOW_WITHDRAWN };
struct book_keep_query {
	enum book_show show;
	const int64_t *categories; /* any of these; NULL = all */
	size_t ncategories;	   /* up to 64 */
	const char *search; /* in title or author, an ISBN, or a number */
	const char *after;  /* next of the page before; NULL = start */
	int limit;	    /* 1..100 */
};
int book_keep_list(struct req *req, const struct book_keep_query *query,
    json_t **page) ATTR_CHECK;

/* For the overview: {low, sold_out, withdrawn}, each counted up to 51; low
 * are those of which there still is a copy. */
int book_counts(struct req *req, json_t **counts) ATTR_CHECK;

#endif
