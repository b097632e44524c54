/* search_internal -- what the parts of lib/search share. */
#ifndef SEOGA_SEARCH_INTERNAL_H
#define SEOGA_SEARCH_INTERNAL_H

#include "db.h"
#include "search.h"
#include "text.h"

/* The pieces that a book is known by, sorted, each once. */
struct grams {
	char (*at)[TEXT_GRAM_SIZE];
	size_t n, size;
};

void grams_add(struct req *req, struct grams *g, const char *gram);
/* All of packed text, and of initials. */
void grams_of_text(struct req *req, struct grams *g, const char *packed);
void grams_of_initials(struct req *req, struct grams *g, const char *initials);
void grams_sort(struct grams *g);

/* The piece that a title begins with, marked as such. */
void gram_of_start(const char *packed, char gram[TEXT_GRAM_SIZE]);

/* The one piece that stands for an ISBN of 13 digits. */
void gram_of_isbn(const char *isbn13, char gram[TEXT_GRAM_SIZE]);

#endif
