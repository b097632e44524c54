/*
 * buf -- a growing string with a maximum, and the escapers for the places
 * where text from outside ends up.
 *
 * A buf owns its memory (malloc) and is kept between requests: buf_reset()
 * empties it without giving the memory back.  Past the maximum, or without
 * memory, nothing more is added and `over` is set; one check at the end is
 * enough.  data is always NUL-terminated once something was added; it may
 * hold NUL bytes itself, len counts.
 */
#ifndef SEOGA_BUF_H
#define SEOGA_BUF_H

#include "base.h"

#include <stdarg.h>

struct buf {
	char *data; /* NULL until something was added */
	size_t len;
	size_t size; /* allocated */
	size_t max;  /* len never exceeds this */
	bool over;   /* something did not fit: the content is cut */
};

#define BUF_INIT(maximum) \
	{ \
		.max = (maximum) \
	}

void buf_free(struct buf *b);
void buf_reset(struct buf *b);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t n);
void buf_printf(struct buf *b, const char *fmt, ...) ATTR_PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) ATTR_PRINTF(2, 0);

/* & < > " ' as character references: for HTML text and quoted attributes. */
void buf_html(struct buf *b, const char *s, size_t len);

/* Percent-encodes all but the unreserved characters of RFC 3986. */
void buf_url(struct buf *b, const char *s, size_t len);

/* The inside of a JSON string (RFC 8259), for log lines: control characters
 * (those of Unicode, too, and what else may end a line) and bytes that are not
 * UTF-8 are escaped, so that a line stays one line and stays valid whatever
 * the text is. */
void buf_json(struct buf *b, const char *s, size_t len);

#endif
