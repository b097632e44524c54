/*
 * store -- files that are written once and read often: uploaded pictures, in
 * a folder of this host, or in an S3 bucket with the folder as its copy.
 *
 * A name is of lower-case letters, digits, "-" and ".", and stands for one
 * content for good.  Files are below conf->cover_dir in a folder by the first
 * two characters of the name, where nginx finds them.
 */
#ifndef SEOGA_STORE_H
#define SEOGA_STORE_H

#include "buf.h"
#include "req.h"

#define STORE_NAME_MAX 100
#define STORE_FILE_MAX ((size_t)4 * 1024 * 1024)

/* All of them give RC_DOWN with a text when the bucket does not answer. */

/* Puts it there, whole or not at all; whatever had the name is replaced. */
int store_put(
    struct req *req, const char *name, const void *data, size_t len) ATTR_CHECK;

/* Adds it to out; from the bucket it is copied into the folder.  RC_NOT_FOUND
 * without a text when there is none. */
int store_get(struct req *req, const char *name, struct buf *out) ATTR_CHECK;

/* RC_OK also when there was none. */
int store_remove(struct req *req, const char *name) ATTR_CHECK;

#endif
