/*
 * popular -- the books sold most of late, kept in Redis.
 */
#ifndef SEOGA_POPULAR_H
#define SEOGA_POPULAR_H

#include "req.h"

#define POPULAR_DAYS 3
#define POPULAR_MAX 5

/* Queues the reading of the popular books, as part of a prefetch(). */
void popular_queue(struct req *req);

/*
 * The books sold most in the last days, most copies first: [{id, title,
 * author, language, image_url}]; empty when nothing was sold.  cached is the
 * reply to popular_queue(), or NULL when Redis is away.  It never fails: who
 * cannot know them, or lets another find out just now, gets none.
 */
json_t *popular_list(struct req *req, const struct cache_reply *cached);

/* Forgets them: after the title of a book was changed, or it was withdrawn,
 * and that is committed.  Sales are counted anew every now and then only. */
void popular_forget(struct req *req);

#endif
