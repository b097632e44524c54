/*
 * export -- what the parts of `seoga export` share: each writes a beginning,
 * a book, an end.
 */
#ifndef SEOGA_EXPORT_H
#define SEOGA_EXPORT_H

#include "buf.h"
#include "model.h"

struct export_format {
	const char *name;
	void (*begin)(struct buf *out);
	void (*book)(struct buf *out, const json_t *book);
	void (*end)(struct buf *out);
};

extern const struct export_format export_csv, export_marcxml;

/* A price in won, with two places only if it has some. */
void export_price(struct buf *out, const json_t *book);

#endif
