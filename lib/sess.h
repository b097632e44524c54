/*
 * sess -- who is asking: session, CSRF token, flash message, current user.
 *
 * A session is the Redis hash session:<uuid> (user_id, username, name, role,
 * remember, created, seen, addr, agent; flash).  Pages carry the id in the
 * cookie `sid`, as "<uuid>" or, for a member, "<uuid>.<user id>"; the number
 * is only a hint that lets one round trip fetch session and cart together,
 * and is believed when the session says the same.  The API carries the uuid
 * as a bearer token, and no cookie counts there.
 *
 * A guest's id is made when a page with a form needs one; nothing is stored
 * for it before its first cart line or flash message.  Signing in always
 * makes a new id.
 */
#ifndef SEOGA_SESS_H
#define SEOGA_SESS_H

#include "req.h"

struct sess {
	const char *id;	 /* uuid */
	bool fresh;	 /* made by this request: no cookie yet */
	int64_t user_id; /* 0: a guest */
	const char *username, *name, *role; /* "" for a guest */
	bool remember;
	const char *cart_key;	 /* "cart:<user id>" or "cart:<uuid>" */
	const char *queued_cart; /* the cart key read in the session's trip */
	int64_t cart_count;	 /* different books in the cart; -1 unknown */
	const char *flash;	 /* "kind text", or NULL */
};

/* Queues what sess_take() will read; returns how many replies that is. */
size_t sess_queue(struct req *req);
/* Reads the session from the replies (NULL when Redis is away: a guest).
 * Renews its life when a part of it is over. */
int sess_take(struct req *req, struct cache_reply **replies) ATTR_CHECK;

/* RC_LOGIN unless a member is signed in. */
int sess_need_login(struct req *req) ATTR_CHECK;

/* Makes sure that the reader's browser holds the id: before a form. */
void sess_keep(struct req *req);

/* The token for every form of this session. */
const char *sess_csrf(struct req *req);
/* RC_FORBIDDEN unless token is that of this session. */
int sess_check_csrf(struct req *req, const char *token) ATTR_CHECK;

/*
 * Signs a member in: a new session, the guest's cart merged into the
 * member's, the cookie set (not for the API).  user is a row with id,
 * username, name, role.
 */
int sess_start(struct req *req, const json_t *user, bool remember) ATTR_CHECK;
/* Ends this session. */
int sess_end(struct req *req) ATTR_CHECK;

/* A message for the next page, kept in the session.  kind: done error note. */
int sess_flash(struct req *req, const char *kind, const char *text) ATTR_CHECK;

/* For sessions.h: the Redis keys of a session and of a member's list of
 * them, and the commands that end one. */
const char *sess_key(struct req *req, const char *id);
const char *sess_index_key(struct req *req, int64_t user_id);
void sess_queue_end(struct req *req, const char *id);

#endif
