/*
 * import -- what the parts of `seoga import` share: the options, the texts
 * of a record as a file has them, and where they go.
 */
#ifndef SEOGA_IMPORT_H
#define SEOGA_IMPORT_H

#include "bulk.h"

#include <signal.h>

/* What a file may say of a book. */
enum fact {
	FACT_ID,
	FACT_CREATED,
	FACT_SOURCE,
	FACT_ISBN,
	FACT_ISBN_ELSE, /* another column with one */
	FACT_TITLE,
	FACT_AUTHOR,
	FACT_PUBLISHER,
	FACT_YEAR,
	FACT_LANGUAGE,
	FACT_DESCRIPTION,
	FACT_PRICE,
	FACT_STOCK,
	FACT_CATEGORY,
	FACT_KDC,
	FACT_DDC,
	FACT_IMAGE,
	FACTS
};

struct import_text {
	const char *s; /* NULL: the file does not say */
	size_t len;
};

/* A record as the file has it, in UTF-8 if all is well. */
struct import_record {
	size_t where; /* its line, or its number */
	struct import_text facts[FACTS];
};

#define IMPORT_MAPS_MAX 64

/* "WHAT=TO", cut at the sign. */
struct import_map {
	const char *what, *to;
};

enum import_format { IMPORT_ANY, IMPORT_CSV, IMPORT_MARC, IMPORT_MARCXML };

struct import_options {
	const char *file; /* "-": standard input */
	enum import_format format;
	const char *charset; /* NULL: found out */
	bool write, set_stock, all_messages, show_changes;
	const char *source;   /* goes before each source id; NULL: none */
	const char *category; /* slugs and texts for what a record lacks */
	const char *author, *language;
	int64_t price, stock; /* price: -1 = none; minor units */
	struct import_map columns[IMPORT_MAPS_MAX];
	size_t ncolumns;
	struct import_map categories[IMPORT_MAPS_MAX];
	size_t ncategories;
};

#define CATEGORY_NAME_SIZE 321 /* 80 characters */

struct import_category {
	int64_t id;
	/* As in addresses, in Korean, in English. */
	char names[3][CATEGORY_NAME_SIZE];
};

struct import {
	struct req *req;
	struct import_options options;
	const char *source; /* of the file, unless the options say another */
	const char *unit;   /* "line", "record" */
	bool spreadsheet;   /* it may have lost zeros and quoted numbers */

	/* The file. */
	int fd;
	int64_t size, done; /* bytes; size 0: not known */
	unsigned char peeked[32];
	size_t npeeked, peek_at;

	/* The catalogue. */
	struct import_category *categories;
	size_t ncategories;
	int64_t category; /* options.category */
	struct bulk_run run;

	/* The records so far. */
	struct bulk_book batch[BULK_MAX];
	size_t n;
	struct bulk_seen *keys;
	size_t read, results[BULK_RESULTS];
	size_t messages;

	/* What is shown of it. */
	bool terminal;
	int64_t begin, shown; /* by log_now() */
	int tenth;
	size_t piped; /* thousands of records */
};

extern volatile sig_atomic_t import_stopped;

/* --- import.c --- */

/* As read(2); counts. */
ssize_t import_read(void *import, void *data, size_t size);

/* Takes one record; it is written with the next batch.  False when the
 * import was stopped. */
bool import_take(struct import *im, const struct import_record *record);

/* A record that cannot even be read. */
bool import_refuse(struct import *im, size_t where, const char *error);

/* A line for the librarian about the record there: "error", "note" or
 * "change". */
void import_say(struct import *im, size_t where, const char *kind,
    const char *fmt, ...) ATTR_PRINTF(4, 5);

/* --- import_facts.c --- */

/* Checks the texts and makes facts of them.  NULL, or why it is refused. */
const char *import_facts(struct import *im, const struct import_record *record,
    struct bulk_book *book);

/* The names that facts have on the command line and in our own files; NULL
 * for those that have none. */
extern const char *const import_fact_names[FACTS];

/* By one of its names; 0 when there is no such category, or more than one. */
int64_t import_category(const struct import *im, const char *name, size_t len);

/* Minor units of "15,000", "₩15000", "15000원", "12.50"; -1 if it is none. */
int64_t import_price(const char *s, size_t len);

/* --- import_changes.c --- */

/* What became of a book that was there, in words: "price 12000 → 13000". */
const char *import_changes(struct import *im, const struct bulk_book *book);

/* --- import_csv.c; import_marc.h has the others --- */

void import_csv(struct import *im);

#endif
