/*
 * csv -- comma-separated values (RFC 4180): a stream of bytes read row by
 * row, and fields written.
 *
 * Taken as well: LF or CR alone at the end of a line, a byte order mark,
 * blank lines (left out), and a quote within a field that does not begin
 * with one.  What the bytes mean is the caller's: fields may hold anything,
 * even NUL.
 *
 * A row that is broken costs one line: reading goes on with the next, so a
 * quote that is never closed does not swallow the rest of the file.
 */
#ifndef SEOGA_CSV_H
#define SEOGA_CSV_H

#include "base.h"
#include "buf.h"

#include <sys/types.h>

#define CSV_ROW_MAX ((size_t)256 * 1024) /* bytes as they stand in the file */
#define CSV_FIELDS_MAX 128

struct csv;

struct csv_field {
	const char *s; /* NUL-terminated */
	size_t len;
};

struct csv_row {
	size_t line; /* where it begins; the first is 1 */
	const struct csv_field *fields;
	size_t n;
	const char *error; /* after RC_BAD_INPUT: what is wrong */
};

/* read is asked for up to size bytes as read(2) is: 0 at the end, -1 for an
 * error.  NULL without memory. */
struct csv *
csv_open(ssize_t (*read)(void *arg, void *data, size_t size), void *arg);
void csv_close(struct csv *csv);

/*
 * The next row, which stays until the next call.  RC_NOT_FOUND at the end;
 * RC_BAD_INPUT for a line that is none (the next call goes on after it);
 * RC_DOWN when reading failed.
 */
int csv_next(struct csv *csv, struct csv_row *row) ATTR_CHECK;

/* Adds a field, in quotes if it needs them, after a comma unless it is the
 * first; csv_end_row() ends the row with CR LF. */
void csv_field(struct buf *out, bool first, const char *s, size_t len);
void csv_end_row(struct buf *out);

#endif
