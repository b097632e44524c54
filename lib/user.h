/*
 * user -- members: registering, checking a password, changing an account.
 *
 * Failed logins are counted in Redis for the pair of account and address:
 * from the 3rd on a question must be answered, the 5th locks the pair for
 * conf->lock_s.  Unknown names cost and say the same as wrong passwords.
 */
#ifndef SEOGA_USER_H
#define SEOGA_USER_H

#include "req.h"

#define USER_NAME_MIN 3
#define USER_NAME_MAX 32
#define USER_PASSWORD_MIN 8
#define USER_PASSWORD_MAX 128 /* characters; also bounds hashing */

/* Letters a-z, digits, dot, hyphen, underscore; a letter or digit first. */
bool user_name_is_valid(const char *username);

/* A question for a person: {text, token}; the answer stays in Redis. */
int user_question(struct req *req, json_t **question) ATTR_CHECK;
/* Must this account, from this address, answer a question first? */
int user_needs_question(
    struct req *req, const char *username, bool *needs) ATTR_CHECK;

/*
 * Checks a login.  RC_OK and the row {id, username, name, role, lang};
 * RC_LOGIN for a wrong name or password, RC_BAD_INPUT (with a field error)
 * for a missing or wrong answer, RC_TOO_MANY while locked.
 */
int user_login(struct req *req, const char *username, const char *password,
    const char *question_token, const char *answer, json_t **user) ATTR_CHECK;

/* Once the session is there: is user, the row of user_login(), still what it
 * was?  An administrator may have locked it, or taken its role, after the
 * password was checked and before there was a session to end.  Else
 * RC_LOGIN. */
int user_check_again(struct req *req, const json_t *user) ATTR_CHECK;

/* RC_CONFLICT, with a field error, when the username is taken. */
int user_register(struct req *req, const char *username, const char *name,
    const char *password, json_t **user) ATTR_CHECK;

/* {id, username, name, role, lang, created_at} */
int user_by_id(struct req *req, int64_t id, json_t **user) ATTR_CHECK;
int user_rename(struct req *req, int64_t id, const char *name) ATTR_CHECK;
int user_set_lang(struct req *req, int64_t id, enum lang lang) ATTR_CHECK;
/* RC_BAD_INPUT, with a field error, when the old one is wrong; counts as a
 * failed login, so also RC_TOO_MANY. */
int user_set_password(struct req *req, int64_t id, const char *old,
    const char *password) ATTR_CHECK;

/* For bin/seoga: makes a user of a role, changes one's password. */
int user_add(struct req *req, const char *username, const char *name,
    const char *password, const char *role) ATTR_CHECK;
int user_reset_password(
    struct req *req, const char *username, const char *password) ATTR_CHECK;
/* Their number; RC_NOT_FOUND, without a text, for none. */
int user_find(struct req *req, const char *username, int64_t *id) ATTR_CHECK;

#endif
