/*
 * cover -- uploaded covers: which pictures are kept, and which book shows
 * which.
 *
 * A picture is kept under the hash of its content, as HASH.jpg and
 * HASH-small.jpg (see store.h), at /covers/HASH.jpg.  That no book shows it
 * is found out later: cover_sweep().
 */
#ifndef SEOGA_COVER_H
#define SEOGA_COVER_H

#include "req.h"
#include "shrink.h"

#define COVER_HASH_LENGTH 64
#define COVER_FILE_MAX 10485760 /* bytes of an upload */
#define COVER_KEEP_S 86400	/* one that nothing shows, after its upload */

/* 64 hex digits, lower case? */
bool cover_is_hash(const char *text);

/* Where its picture is; where its small one is. */
const char *cover_url(struct req *req, const char *hash);
const char *cover_small_url(struct req *req, const char *hash);

/* Keeps a picture; *hash is in the request's memory.  RC_DOWN with a text
 * when it could not be stored. */
int cover_keep(struct req *req, const struct shrunk *picture,
    const char **hash) ATTR_CHECK;

/* {hash, width, height} of one that is kept; RC_NOT_FOUND. */
int cover_find(struct req *req, const char *hash, json_t **cover) ATTR_CHECK;

/* {id, title, author, language, version, cover, withdrawn} of a book, also
 * of one that is withdrawn; RC_NOT_FOUND with a text. */
int cover_of_book(struct req *req, int64_t id, json_t **book) ATTR_CHECK;

/*
 * Gives a book this cover, NULL for none, with an entry in the audit log; no
 * change, no entry.  *book is as above.  RC_CONFLICT, with *book as it is
 * now, when that is not the version which was changed (0: whatever it is);
 * RC_BAD_INPUT with a text when that picture is not kept any more.
 */
int cover_set(struct req *req, int64_t id, int64_t version, const char *hash,
    json_t **book) ATTR_CHECK;

/* Takes away up to n pictures that nothing has shown for COVER_KEEP_S; *done
 * counts them. */
int cover_sweep(struct req *req, int n, size_t *done) ATTR_CHECK;

#endif
