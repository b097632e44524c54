/*
 * bulk -- books by the hundred: batches of records into the catalogue, in a
 * few statements each, and pages of it out again.
 *
 * A record is known by its source id, its ISBN, or its number together with
 * the time when it was made; one that is known changes its book where it says
 * something else, and nothing is written where it does not.  So a file may be
 * imported any number of times, and one that was cut short simply again.
 */
#ifndef SEOGA_BULK_H
#define SEOGA_BULK_H

#include "req.h"

#define BULK_MAX 300 /* records in a batch, books in a page */

enum bulk_result {
	BULK_NEW,
	BULK_CHANGED,
	BULK_SAME,
	BULK_WITHDRAWN, /* such a book is left as it is */
	BULK_REFUSED,
	BULK_RESULTS
};

/*
 * The facts are {source_id, isbn13, title, author, publisher, published_year,
 * language, description, price (minor units), stock_quantity, category_id,
 * image_url}.
 */
struct bulk_book {
	size_t where;		/* in its file, for messages */
	int64_t id;		/* 0: not known */
	const char *created_at; /* "2026-01-31 10:00:00"; NULL: not known */
	json_t *said;		/* facts that an old book gets, too */
	json_t *otherwise;	/* facts of a new one where said has none */
	const char *lacks;	/* why it cannot be a new one; NULL: it can */

	/* What came of it. */
	enum bulk_result result;
	const char *error; /* of one that was refused */
	json_t *changes;   /* {fact: [before, after]}; NULL: none */
	int64_t book_id;   /* 0: none */
};

struct bulk_seen;

struct bulk_run {
	bool write;	/* else only look what would come of it */
	bool set_stock; /* of old books, too: what was sold since comes back */
	const char *note;	 /* in the history of stocks */
	struct bulk_seen *books; /* of this run so far, by number */
};

/*
 * A batch, in one transaction, with the history of stocks and the audit log;
 * what is cached of it is forgotten.  Should MariaDB refuse it, each record
 * gets one of its own, so that only those at fault are refused.  RC_DOWN: none
 * or all of it was written; doing it again is safe.
 */
int bulk_take(struct req *req, const struct bulk_run *run,
    struct bulk_book *books, size_t n) ATTR_CHECK;

/* Only one import at a time: RC_CONFLICT while there is another. */
int bulk_lock(struct req *req) ATTR_CHECK;

/* Books that are not withdrawn, with all their facts, id, category (a slug),
 * created_at and updated_at, whose number is above after; at most BULK_MAX. */
int bulk_page(struct req *req, int64_t after, json_t **books) ATTR_CHECK;
/* How many there are, about: for showing how far it has come. */
int bulk_count(struct req *req, int64_t *count) ATTR_CHECK;

/* All categories: [{id, slug, name_ko, name_en}]. */
int bulk_categories(struct req *req, json_t **categories) ATTR_CHECK;

/* What was seen before, and where: 16 bytes for each key. */
struct bulk_seen *bulk_seen_open(void);
void bulk_seen_close(struct bulk_seen *seen);
/* The place that was given with the key, 0 if none was. */
size_t bulk_seen_find(const struct bulk_seen *seen, uint64_t key);
/* where is 1 or more; without memory the key is forgotten. */
void bulk_seen_add(struct bulk_seen *seen, uint64_t key, size_t where);

#endif
