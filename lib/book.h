/*
 * book -- the catalogue: lists by keyset, search, single books.
 *
 * A book is {id, title, author, publisher, published_year, isbn13, language,
 * price (minor units), stock_quantity, category_id, image_url, thumbnail_url,
 * updated_at}, and for a single one also description, created_at, version,
 * cover_url and category (in the reader's language).  thumbnail_url and
 * cover_url are of the uploaded cover and go before image_url.  Withdrawn
 * books are not there, for readers; see book_edit.h.
 */
#ifndef SEOGA_BOOK_H
#define SEOGA_BOOK_H

#include "search.h"

#define BOOK_PAGE_SIZE 20

enum book_sort {
	BOOK_BY_TITLE,
	BOOK_BY_NEWEST,
	BOOK_BY_PRICE,
	BOOK_BY_RELEVANCE /* of a search only */
};

struct book_query {
	enum book_sort sort;
	const struct search *search; /* only what this finds; NULL = all */
	struct search_filter filter; /* language and decade of hits only */
	const char *after;	     /* a cursor: what follows it, or */
	const char *before; /* what comes before it; NULL = the start */
	int limit;	    /* 1..100 */
	bool full;	    /* every fact, not only what lists show */
	bool whole;	    /* those of a single book, too */
};

/* "title", "newest", "price", "relevance"; false when it is none of them. */
bool book_sort_from_text(const char *text, enum book_sort *sort);
const char *book_sort_text(enum book_sort sort);

/*
 * A page of the list: {books: [...], next, previous}, the cursors NULL at the
 * ends.  A cursor holds the sort key and the id of its book, so a page stays
 * where it is when books are added or taken away.  RC_BAD_INPUT for a cursor
 * that is none of ours.  One statement.
 */
int book_list(
    struct req *req, const struct book_query *query, json_t **page) ATTR_CHECK;

/* RC_NOT_FOUND with a text. */
int book_by_id(struct req *req, int64_t id, json_t **book) ATTR_CHECK;

/*
 * One for a page, from the cache (see aside.h) if it is there: price and
 * stock are at most conf->cache_s old.  Carts and orders never use it.
 * book_prefetch() is a route's, of the book in its path; cached is its reply,
 * or NULL when Redis is away.  A book that is cached can be read without
 * MariaDB.
 */
void book_prefetch(struct req *req);
int book_shown(struct req *req, const struct cache_reply *cached, int64_t id,
    json_t **book) ATTR_CHECK;

/*
 * Forgets what is cached of a book, or of several in one trip.  Whoever
 * changes a book (its facts, its stock, withdrawing it) calls this when the
 * change is committed (after db_tx(), not within), and category_forget() when
 * books come, go or change their category.  Never fails: without Redis the
 * old facts are shown for conf->cache_s at most.  Queued commands are run,
 * and their replies lost.
 */
void book_forget(struct req *req, int64_t id);
void book_forget_some(struct req *req, const int64_t *ids, size_t n);

/* Several at once; ids that do not exist are left out.  n is 1..100. */
int book_by_ids(
    struct req *req, const int64_t *ids, size_t n, json_t **books) ATTR_CHECK;

#endif
