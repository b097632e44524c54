/* user -- see user.h. */
#include "user.h"

#include "cache.h"
#include "db.h"
#include "log.h"
#include "metric.h"
#include "model.h"
#include "secret.h"

#include <arpa/inet.h>
#include <ctype.h>

#define ASK_AFTER 3  /* failures before a question is asked */
#define LOCK_AFTER 5 /* failures before the pair is locked */
#define QUESTION_S "600"

#define USER_COLUMNS "id, username, name, role, lang, locked AS `locked?`"

static const struct db_stmt USER_FOR_LOGIN = { "user.for_login",
	"SELECT " USER_COLUMNS ", password_hash FROM users"
	" WHERE username = ?" };
static const struct db_stmt USER_BY_ID = { "user.by_id",
	"SELECT " USER_COLUMNS ", created_at FROM users WHERE id = ?" };
static const struct db_stmt USER_HASH = { "user.hash",
	"SELECT username, password_hash FROM users WHERE id = ?" };
/* No hash of a password goes into MariaDB's log of slow statements, which has
 * their values. */
#define UNLOGGED "SET STATEMENT slow_query_log = 0 FOR "
static const struct db_stmt USER_ADD = { "user.add",
	UNLOGGED "INSERT INTO users (username, name, password_hash, role)"
		 " VALUES (?, ?, ?, ?)" };
static const struct db_stmt USER_RENAME = { "user.rename",
	"UPDATE users SET name = ?, updated_at = UTC_TIMESTAMP()"
	" WHERE id = ?" };
static const struct db_stmt USER_SET_LANG = { "user.set_lang",
	"UPDATE users SET lang = ?, updated_at = UTC_TIMESTAMP()"
	" WHERE id = ?" };
static const struct db_stmt USER_SET_HASH = { "user.set_hash",
	UNLOGGED
	"UPDATE users SET password_hash = ?, updated_at = UTC_TIMESTAMP()"
	" WHERE id = ? AND password_hash = ?" };

bool
user_name_is_valid(const char *username)
{
	size_t len = strlen(username);

	return len >= USER_NAME_MIN && len <= USER_NAME_MAX &&
	    isalnum((unsigned char)username[0]) &&
	    strspn(username, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* Names are one whatever the case they are typed in. */
static char *
lower(struct req *req, const char *s)
{
	char *copy = arena_strdup(req->arena, s);

	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

/* Whose address it is: an IPv6 subscriber has a whole network of 64 bits. */
static const char *
client_net(struct req *req)
{
	struct in6_addr addr;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, req->addr, &addr) != 1 ||
	    IN6_IS_ADDR_V4MAPPED(&addr))
		return req->addr;
	memset(addr.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &addr, text, sizeof(text));
	return arena_printf(req->arena, "%s/64", text);
}

/* Digested: a key of fixed length that tells nobody what was typed. */
static const char *
failures_key(struct req *req, const char *username)
{
	char digest[SECRET_TOKEN_SIZE];

	secret_mac(req->conf->secret, "login", lower(req, username), digest);
	return arena_printf(
	    req->arena, "login-failures:%s:%s", digest, client_net(req));
}

static int
failures(struct req *req, const char *username, int64_t *count)
{
	struct cache_reply *reply;
	int rc = cache_command(
	    req, &reply, "GET", failures_key(req, username), NULL);

	if (rc < 0)
		return rc;
	*count = reply->type == CACHE_TEXT ? strtoll(reply->s, NULL, 10) : 0;
	return RC_OK;
}

int
user_needs_question(struct req *req, const char *username, bool *needs)
{
	int64_t count;
	int rc = failures(req, username, &count);

	if (rc == RC_OK)
		*needs = count >= ASK_AFTER;
	return rc;
}

int
user_question(struct req *req, json_t **question)
{
	int a = 2 + (int)secret_below(8), b = 2 + (int)secret_below(8);
	char token[SECRET_TOKEN_SIZE];
	struct cache_reply *reply;
	int rc;

	secret_token(token);
	rc = cache_command(req, &reply, "SET",
	    arena_printf(req->arena, "question:%s", token),
	    arena_printf(req->arena, "%d", a + b), "EX", QUESTION_S, NULL);
	if (rc < 0)
		return rc;
	*question = json_pack("{s:s, s:s}", "token", token, "text",
	    arena_printf(req->arena,
		_("How much is %d plus %d? Answer with digits."), a, b));
	return RC_OK;
}

/* Each question counts once, right or wrong. */
static int
check_answer(struct req *req, const char *token, const char *answer)
{
	struct cache_reply *reply;
	int rc;

	if (!token || !answer || !*answer)
		return req_field_error(
		    req, "answer", _("Answer the question, please."));
	rc = cache_command(req, &reply, "GETDEL",
	    arena_printf(req->arena, "question:%s", token), NULL);
	if (rc < 0)
		return rc;
	if (reply->type == CACHE_TEXT && strcmp(reply->s, answer) == 0)
		return RC_OK;
	return req_field_error(req, "answer",
	    _("That was not the answer. Here is a new question."));
}

static int
locked(struct req *req)
{
	req->retry_after = req->conf->lock_s;
	return req_fail(req, RC_TOO_MANY,
	    _("Too many failed attempts. Signing in to this account from here"
	      " is locked for %d minutes."),
	    (req->conf->lock_s + 59) / 60);
}

static int
count_failure(struct req *req, const char *username)
{
	const char *key = failures_key(req, username);
	struct cache_reply **replies;
	int rc;

	cache_queue(req, "INCR", key, NULL);
	cache_queue(req, "EXPIRE", key,
	    arena_printf(req->arena, "%d", req->conf->lock_s), NULL);
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	log_event(LOG_WARN, "login.failed");
	log_int("failures", replies[0]->i);
	log_str("addr", req->addr);
	log_end();
	if (replies[0]->i >= LOCK_AFTER)
		return locked(req);
	return req_fail(req, RC_LOGIN, "%s",
	    _("The username or the password is not right."));
}

/* Most of the time that a sign-in takes: the log tells how much. */
static void
log_password(const char *event, int64_t begin)
{
	log_event(LOG_INFO, event);
	log_int("us", log_now() - begin);
	log_end();
}

static int
hash_password(
    struct req *req, const char *password, char hash[SECRET_HASH_SIZE])
{
	int64_t begin = log_now();
	int rc = secret_hash(password, hash);

	log_password("password.hash", begin);
	if (rc < 0)
		return req_fail(req, rc, "%s",
		    _("The site is busy. Please try again in a moment."));
	return RC_OK;
}

static bool
password_fits(const char *password, const char *hash, bool *rehash)
{
	int64_t begin = log_now();
	bool fits = secret_verify(password, hash, rehash);

	log_password("password.check", begin);
	return fits;
}

/* RC_CONFLICT, without a text, when the hash in row is the account's no more:
 * the password was changed while this one was checked or hashed. */
static int
replace_hash(
    struct req *req, int64_t id, const json_t *row, const char *password)
{
	char hash[SECRET_HASH_SIZE];
	int64_t changed;
	int rc = hash_password(req, password, hash);

	if (rc < 0)
		return rc;
	rc = db_exec(req, &USER_SET_HASH,
	    DB_ARGS(db_text(hash), db_int(id),
		db_text(model_text(row, "password_hash"))),
	    &changed, NULL);
	if (rc == RC_OK && changed == 0)
		return RC_CONFLICT;
	return rc;
}

static int
login_failed(struct req *req, const char *username)
{
	metric_add(METRIC_LOGINS_FAILED, 1);
	return count_failure(req, username);
}

/* A password that fits; the account may still be locked by an admin, which
 * only someone who knows the password is told. */
static int
welcome(struct req *req, json_t *row, const char *username,
    const char *password, bool rehash)
{
	struct cache_reply *reply;
	int rc;

	if (json_is_true(json_object_get(row, "locked"))) {
		metric_add(METRIC_LOGINS_LOCKED, 1);
		return req_fail(req, RC_FORBIDDEN, "%s",
		    _("This account is locked. Please ask the library."));
	}
	rc = cache_command(
	    req, &reply, "DEL", failures_key(req, username), NULL);
	if (rc < 0)
		return rc;
	if (!rehash)
		return RC_OK;
	rc = replace_hash(req, model_int(row, "id"), row, password);
	return rc == RC_CONFLICT ? login_failed(req, username) : rc;
}

/* A name that no account can have is not asked for: MariaDB could not even
 * compare it with the column's. */
static int
find_for_login(struct req *req, const char *username, json_t **row)
{
	if (!user_name_is_valid(username))
		return RC_NOT_FOUND;
	return db_row(req, &USER_FOR_LOGIN, DB_ARGS(db_text(username)), row);
}

static int
check_password(
    struct req *req, const char *username, const char *password, json_t **user)
{
	json_t *row = NULL;
	const char *hash;
	bool rehash = false, fits;
	int rc = find_for_login(req, username, &row);

	if (rc < 0 && rc != RC_NOT_FOUND)
		return rc;
	hash = model_text(row, "password_hash");
	fits = password_fits(password, hash, &rehash);
	if (!fits)
		return login_failed(req, username);
	rc = welcome(req, row, username, password, rehash);
	if (rc < 0)
		return rc;
	json_object_del(row, "password_hash");
	*user = row;
	return RC_OK;
}

int
user_login(struct req *req, const char *username, const char *password,
    const char *question_token, const char *answer, json_t **user)
{
	int64_t count;
	int rc = failures(req, username, &count);

	if (rc < 0)
		return rc;
	if (count >= LOCK_AFTER) {
		metric_add(METRIC_LOGINS_LOCKED, 1);
		return locked(req);
	}
	if (count >= ASK_AFTER &&
	    (rc = check_answer(req, question_token, answer)) < 0)
		return rc;
	return check_password(req, lower(req, username), password, user);
}

static int
insert(struct req *req, const char *username, const char *name,
    const char *password, const char *role, int64_t *id)
{
	char hash[SECRET_HASH_SIZE];
	int rc = hash_password(req, password, hash);

	if (rc < 0)
		return rc;
	rc = db_exec(req, &USER_ADD,
	    DB_ARGS(
		db_text(username), db_text(name), db_text(hash), db_text(role)),
	    NULL, id);
	if (rc == RC_CONFLICT)
		req_field_error(req, "username",
		    _("This username is taken. Choose another one."));
	return rc;
}

int
user_register(struct req *req, const char *username, const char *name,
    const char *password, json_t **user)
{
	const char *lowered = lower(req, username);
	int64_t id;
	int rc;

	if (!user_name_is_valid(lowered))
		return req_field_error(req, "username",
		    _("A username has 3 to 32 letters a-z, digits, dots,"
		      " hyphens or underscores, and begins with a letter or"
		      " digit."));
	rc = insert(req, lowered, name, password, "reader", &id);
	if (rc < 0)
		return rc;
	metric_add(METRIC_REGISTRATIONS, 1);
	return user_by_id(req, id, user);
}

int
user_by_id(struct req *req, int64_t id, json_t **user)
{
	int rc = db_row(req, &USER_BY_ID, DB_ARGS(db_int(id)), user);

	if (rc == RC_NOT_FOUND)
		return req_fail(
		    req, rc, "%s", _("This account does not exist any more."));
	return rc;
}

int
user_check_again(struct req *req, const json_t *user)
{
	json_t *now;
	int rc = user_by_id(req, model_int(user, "id"), &now);

	if (rc < 0)
		return rc;
	if (strcmp(model_text(now, "role"), model_text(user, "role")) == 0 &&
	    json_is_false(json_object_get(now, "locked")))
		return RC_OK;
	return req_fail(req, RC_LOGIN, "%s",
	    _("Your account has just been changed. Please sign in again."));
}

int
user_rename(struct req *req, int64_t id, const char *name)
{
	return db_exec(
	    req, &USER_RENAME, DB_ARGS(db_text(name), db_int(id)), NULL, NULL);
}

int
user_set_lang(struct req *req, int64_t id, enum lang lang)
{
	return db_exec(req, &USER_SET_LANG,
	    DB_ARGS(db_text(lang_code(lang)), db_int(id)), NULL, NULL);
}

static int
check_unlocked(struct req *req, const char *username)
{
	int64_t count;
	int rc = failures(req, username, &count);

	if (rc == RC_OK && count >= LOCK_AFTER)
		return locked(req);
	return rc;
}

/* Somebody at a forgotten screen may not try passwords here, either. */
static int
refuse_old(struct req *req, const char *username)
{
	int rc = count_failure(req, username);

	if (rc != RC_LOGIN)
		return rc;
	req_forgive(req);
	return req_field_error(
	    req, "password_old", _("This is not your current password."));
}

int
user_set_password(
    struct req *req, int64_t id, const char *old, const char *password)
{
	json_t *row;
	int rc = db_row(req, &USER_HASH, DB_ARGS(db_int(id)), &row);

	if (rc < 0)
		return rc;
	if ((rc = check_unlocked(req, model_text(row, "username"))) < 0)
		return rc;
	if (!password_fits(old, model_text(row, "password_hash"), NULL))
		return refuse_old(req, model_text(row, "username"));
	rc = replace_hash(req, id, row, password);
	if (rc == RC_CONFLICT)
		return refuse_old(req, model_text(row, "username"));
	return rc;
}

int
user_add(struct req *req, const char *username, const char *name,
    const char *password, const char *role)
{
	return insert(req, username, name, password, role, NULL);
}

int
user_reset_password(struct req *req, const char *username, const char *password)
{
	json_t *user;
	int rc;

	do {
		rc = find_for_login(req, username, &user);
		if (rc == RC_OK)
			rc = replace_hash(
			    req, model_int(user, "id"), user, password);
	} while (rc == RC_CONFLICT);
	if (rc == RC_NOT_FOUND)
		return req_fail(req, rc, "%s", _("There is no such user."));
	return rc;
}

int
user_find(struct req *req, const char *username, int64_t *id)
{
	json_t *user;
	int rc = find_for_login(req, username, &user);

	if (rc == RC_OK)
		*id = model_int(user, "id");
	return rc;
}
