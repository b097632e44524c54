/*
 * once -- forms that count once, however often they are sent: double clicks,
 * reloads, answers that got lost on their way.
 */
#ifndef SEOGA_ONCE_H
#define SEOGA_ONCE_H

#include "req.h"

#define ONCE_KEY_MAX 64 /* printable ASCII */

/*
 * Within the transaction that does what the form asks for, before anything
 * else: takes the current member's one-time key (NULL: there is none).  what
 * is all that is asked for.  *result is 0 when the work is to be done, else
 * what once_keep() was given when it was.  RC_BAD_INPUT for a key that is none
 * of ours, and with status 422 for one that came with something else before:
 * who goes back and types another book must not take it for added.
 */
int once_claim(struct req *req, const char *key, const json_t *what,
    int64_t *result) ATTR_CHECK;

/* Within the same transaction: what came of it, a number above 0. */
int once_keep(struct req *req, const char *key, int64_t result) ATTR_CHECK;

#endif
