/*
 * search -- finds books by words of their title, author or publisher, and by
 * ISBN; doc/search.md tells how.
 *
 * A book is found when each word of the question is within its title, its
 * author or its publisher, whatever the case, accents, spaces and signs.  A
 * word of initial consonants is found where syllables begin with them.
 */
#ifndef SEOGA_SEARCH_H
#define SEOGA_SEARCH_H

#include "buf.h"
#include "db.h"

/*
 * Makes books be found as they are now, or not any more if they are withdrawn.
 * To be called within the transaction that adds, edits or brings them back;
 * what else changes in a book search knows by itself.
 */
int search_index(struct req *req, const int64_t *books, size_t n) ATTR_CHECK;

/* Where an indexing of all books is; starts as all 0. */
struct search_progress {
	int64_t last, next;
	size_t read; /* books in the last step; 0 = all are done */
};

/* The next few books, in a transaction of their own. */
int search_index_next(struct req *req, struct search_progress *p) ATTR_CHECK;

/* --- finding --- */

/* Of words so frequent that more have their pieces, the first are looked at,
 * and those whose titles begin with them. */
#define SEARCH_CANDIDATES_MAX 10000
#define SEARCH_HITS_MAX 5000 /* more are counted and listed as "more" */
#define SEARCH_BANDS 5
#define SEARCH_ANY_DECADE 0
#define SEARCH_FIRST_DECADE 1900
#define SEARCH_BEFORE_DECADES 1890 /* all that is older than the first */

/* The lower ends of the bands of prices, in minor units, and 0. */
extern const int64_t search_bands[SEARCH_BANDS + 1];

/* Of the hits only those that are all of this. */
struct search_filter {
	const int64_t *categories; /* one of these; NULL = any */
	size_t ncategories;
	int64_t min_price, price_below; /* minor units; 0 = any */
	bool in_stock;			/* only what there is a copy of */
	const char *language;		/* NULL = any */
	int decade; /* its first year, or one of those above */
};

/* That a year is in; 0 of 0, for there was no such year. */
int search_decade(int64_t year);

struct search;

/* Takes a question apart.  One without a word finds nothing. */
const struct search *search_parse(struct req *req, const char *text);

/* A statement under way, and its arguments. */
#define SEARCH_ARGS_MAX 512
struct search_sql {
	struct arena *arena;
	struct buf sql;
	struct db_arg *args; /* room for SEARCH_ARGS_MAX */
	size_t nargs;
};

/*
 * Adds the SELECT of the hits, SEARCH_HITS_MAX + 1 at most, each once: the
 * columns of s (book_search) named there, or with "" book_id and score, a
 * whole number that is less the nearer a hit is.
 */
void search_hits(const struct search *s, const struct search_filter *f,
    const char *columns, struct search_sql *out);

/*
 * How the hits divide: {found, more (true: these are at least as many),
 * categories, languages, decades, bands: arrays of {value, count}, the
 * largest count first but decades and bands in their order, in_stock}.  One
 * statement.
 */
int search_facets(struct req *req, const struct search *s,
    const struct search_filter *f, json_t **facets) ATTR_CHECK;

/*
 * For a question that finds nothing: the phrases of titles and authors most
 * like it, at most three, as an array of texts.
 */
int
search_suggest(struct req *req, const char *text, json_t **phrases) ATTR_CHECK;

#endif
