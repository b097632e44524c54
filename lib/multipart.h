/*
 * multipart -- reads a multipart/form-data body (RFC 7578), strictly.
 *
 * Refused, because no browser sends them and parsers that guess differ:
 * text before the first boundary or after the last, folded header lines,
 * nested multipart, Content-Transfer-Encoding, filename*.
 */
#ifndef SEOGA_MULTIPART_H
#define SEOGA_MULTIPART_H

#include "arena.h"
#include "base.h"

#define MULTIPART_PARTS_MAX 32
#define MULTIPART_HEAD_MAX 2048	  /* header lines of one part, bytes */
#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */

struct multipart {
	struct arena *arena;
	const char *at, *end;		       /* what is not read yet */
	char mark[4 + MULTIPART_BOUNDARY_MAX]; /* CRLF "--" boundary */
	size_t mark_len;
	int parts;	 /* read so far */
	const char *why; /* what was wrong, for the log */
};

/* One part.  The names are UTF-8, on one line, in the arena; data points
 * into the body and is not checked. */
struct multipart_part {
	const char *name;
	const char *filename; /* last component only; NULL: not a file */
	const char *type;     /* "image/png", lower case, no parameters */
	const char *data;
	size_t len;
};

/* body must live as long as the parts are used.  RC_OK or RC_BAD_INPUT. */
int multipart_begin(struct multipart *m, struct arena *arena,
    const char *content_type, const char *body, size_t len);

/* Returns 1 and *part, 0 after the last one, or RC_BAD_INPUT or, with too
 * many parts, RC_TOO_LARGE. */
int multipart_next(struct multipart *m, struct multipart_part *part);

#endif
