/*
 * import_marc -- a MARC record as `seoga import` reads it: its fields in
 * their order, in UTF-8.
 */
#ifndef SEOGA_IMPORT_MARC_H
#define SEOGA_IMPORT_MARC_H

#include "import.h"

struct marc_subfield {
	char code;
	const char *s;
};

struct marc_field {
	char tag[4];
	char ind1, ind2;  /* ' ' in a control field */
	const char *data; /* of a control field, else NULL */
	struct marc_subfield *subfields;
	size_t n;
};

struct marc {
	char leader[25];
	struct marc_field *fields;
	size_t n;
};

/* The next field of that tag after one of them, or the first after NULL. */
const struct marc_field *marc_field(
    const struct marc *marc, const char *tag, const struct marc_field *after);

/* The first subfield of that code; NULL when there is none, or no field. */
const char *marc_subfield(const struct marc_field *field, char code);

/* Makes the texts of a record of the fields (MARC 21 and KORMARC). */
void marc_facts(
    struct import *im, const struct marc *marc, struct import_record *record);

/* Takes a record, or refuses it if there is an error. */
bool import_marc_take(struct import *im, size_t where, const char *error,
    const struct marc *marc);

void import_marc(struct import *im);	/* ISO 2709 */
void import_marcxml(struct import *im); /* MARCXML */

#endif
