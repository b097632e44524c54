/*
 * user_admin -- members, as administrators see them: who there is, with which
 * role, locked or not.
 *
 * Nobody changes himself, and whoever changes another is an administrator at
 * that very moment: so there is always one left.
 */
#ifndef SEOGA_USER_ADMIN_H
#define SEOGA_USER_ADMIN_H

#include "req.h"

/* The roles, the least first, NULL-ended. */
extern const char *const user_roles[];

/* A page by username: {users: [{id, username, name, role, locked,
 * created_at}], next}.  Each filter may be NULL (false). */
struct user_query {
	const char *search; /* in username or name */
	const char *role;
	bool locked;
	const char *after; /* next of the page before */
	int limit;	   /* 1..100 */
};
int user_list(
    struct req *req, const struct user_query *query, json_t **page) ATTR_CHECK;

/* One of them; RC_NOT_FOUND with a text. */
int user_to_edit(struct req *req, int64_t id, json_t **user) ATTR_CHECK;

/*
 * Gives a member another role, or locks him out (or in again), with an entry
 * in the audit log, and ends his sessions; all of it again when it was done
 * already, but for the entry.  RC_CONFLICT for oneself, RC_FORBIDDEN for who
 * is no administrator any more; both with a text.  In a command, where nobody
 * is signed in, whoever can run it may do it to everybody.
 */
int user_give_role(struct req *req, int64_t id, const char *role) ATTR_CHECK;
int user_set_locked(struct req *req, int64_t id, bool locked) ATTR_CHECK;

#endif
