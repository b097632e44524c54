/*
 * place -- a list of books as an address says it, and the links from it to
 * others: what the hits of a search divide into.
 */
#ifndef SEOGA_PLACE_H
#define SEOGA_PLACE_H

#include "book.h"

struct place {
	const char *q;	  /* the search; "" = none */
	int64_t category; /* 0 = all */
	enum book_sort sort;
	const char *language; /* these four as in struct search_filter */
	int decade, band;
	bool in_stock;
	const char *way, *cursor; /* of a page; NULL = the first */
};

/* By relevance while words are looked for, else by title. */
enum book_sort place_usual_sort(const struct place *at);

const char *place_url(struct req *req, const struct place *to);

/* [{label, url, current}] */
json_t *place_sort_links(struct req *req, const struct place *at);

/* Adds prev_url, next_url and first_url; page is what book_list() gives. */
void place_show_pager(
    struct req *req, const struct place *at, json_t *model, const json_t *page);

/*
 * Adds to the model of a list what its search found: found_text, facets,
 * all_url (without limits, when there are some), suggestions when there is
 * nothing; and puts the number of hits into the tree under "categories",
 * which must have all its branches.
 */
int place_show_found(struct req *req, const struct place *at,
    const struct search *search, const struct search_filter *filter,
    json_t *model) ATTR_CHECK;

#endif
