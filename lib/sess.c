/* sess -- see sess.h. */
#include "sess.h"

#include "cache.h"
#include "cart.h"
#include "fcgi.h"
#include "form.h"
#include "http.h"
#include "log.h"
#include "model.h"
#include "secret.h"

#include <time.h>

#define COOKIE "sid"
#define UUID_LENGTH (SECRET_UUID_SIZE - 1)
#define AGENT_MAX 200 /* bytes kept of a User-Agent */

const char *
sess_key(struct req *req, const char *id)
{
	return arena_printf(req->arena, "session:%s", id);
}

const char *
sess_index_key(struct req *req, int64_t user_id)
{
	return arena_printf(
	    req->arena, "user-sessions:%lld", (long long)user_id);
}

static const char *
member_cart_key(struct req *req, const char *user_id)
{
	return arena_printf(req->arena, "cart:%s", user_id);
}

static const char *
number_text(struct req *req, int64_t n)
{
	return arena_printf(req->arena, "%lld", (long long)n);
}

/* "Bearer <uuid>" (RFC 6750); NULL when there is none that could be ours. */
static const char *
bearer_token(struct req *req)
{
	const char *value = fcgi_param(req->call, "HTTP_AUTHORIZATION");

	if (!value || strncasecmp(value, "Bearer ", 7) != 0)
		return NULL;
	value += 7 + strspn(value + 7, " ");
	return secret_is_uuid(value, strlen(value)) ? value : NULL;
}

/* The cookie's "<uuid>[.<user id>]"; *hint stays NULL without a number. */
static const char *
cookie_id(struct req *req, const char **hint)
{
	const char *value =
	    form_cookie(req, fcgi_param(req->call, "HTTP_COOKIE"),
		http_cookie_name(req, COOKIE));
	const char *dot;

	if (!value || !secret_is_uuid(value, strcspn(value, ".")))
		return NULL;
	dot = value + UUID_LENGTH;
	if (*dot == '.' && dot[1] && strlen(dot + 1) <= 19 &&
	    strspn(dot + 1, "0123456789") == strlen(dot + 1))
		*hint = dot + 1;
	return arena_strndup(req->arena, value, UUID_LENGTH);
}

static const char *
new_id(struct req *req)
{
	char *id = arena_alloc(req->arena, SECRET_UUID_SIZE);

	secret_uuid(id);
	return id;
}

static void
make_guest(struct req *req, struct sess *s)
{
	s->user_id = 0;
	s->username = s->name = s->role = "";
	s->cart_key = req->api ? NULL : member_cart_key(req, s->id);
}

static void
find_id(struct req *req, struct sess *s)
{
	const char *hint = NULL;

	s->id = req->api ? bearer_token(req) : cookie_id(req, &hint);
	if (!s->id && !req->api) {
		s->id = new_id(req);
		s->fresh = true;
	}
	make_guest(req, s);
	if (hint)
		s->cart_key = member_cart_key(req, hint);
}

size_t
sess_queue(struct req *req)
{
	struct sess *s = arena_alloc(req->arena, sizeof(*s));

	*s = (struct sess){ .cart_count = -1 };
	req->sess = s;
	find_id(req, s);
	if (!s->id || s->fresh) {
		s->cart_count = 0;
		return 0;
	}
	cache_queue(req, "HGETALL", sess_key(req, s->id), NULL);
	cache_queue(req, "TTL", sess_key(req, s->id), NULL);
	if (!s->cart_key)
		return 2;
	s->queued_cart = s->cart_key;
	cache_queue(req, "HLEN", s->cart_key, NULL);
	return 3;
}

static void
set_cookie(struct req *req)
{
	const struct sess *s = req->sess;
	const char *value = s->id;

	if (s->user_id)
		value = arena_printf(
		    req->arena, "%s.%lld", s->id, (long long)s->user_id);
	http_cookie(
	    req, COOKIE, value, s->remember ? req->conf->remember_s : 0);
}

static int
life(const struct req *req)
{
	return req->sess->remember ? req->conf->remember_s :
				     req->conf->session_s;
}

/* The member's list of sessions, by last use; what is older than any session
 * can live leaves it. */
static void
queue_index(struct req *req)
{
	const char *key = sess_index_key(req, req->sess->user_id);
	time_t now = time(NULL);

	cache_queue(
	    req, "ZADD", key, number_text(req, now), req->sess->id, NULL);
	cache_queue(req, "ZREMRANGEBYSCORE", key, "-inf",
	    number_text(req, now - req->conf->remember_s), NULL);
	cache_queue(
	    req, "EXPIRE", key, number_text(req, req->conf->remember_s), NULL);
}

/* Reads do not write: a session is renewed when a sixth of its life is over,
 * so in Redis it lives between 5/6 of its life and the whole after its last
 * use. */
static int
renew(struct req *req, int64_t ttl)
{
	struct sess *s = req->sess;
	const char *key = sess_key(req, s->id);
	struct cache_reply **replies;

	if (ttl < 0 || ttl > life(req) - life(req) / 6)
		return RC_OK;
	/* In this order: a session that another tab has just ended is not made
	 * again without an end. */
	cache_queue(
	    req, "HSET", key, "seen", number_text(req, time(NULL)), NULL);
	cache_queue(req, "EXPIRE", key, number_text(req, life(req)), NULL);
	if (s->user_id)
		queue_index(req);
	if (s->remember && !req->api)
		set_cookie(req);
	return cache_run(req, &replies);
}

static const char *
field_or_empty(const struct cache_reply *hash, const char *name)
{
	const char *value = cache_field(hash, name);

	return value ? value : "";
}

static void
read_member(struct req *req, struct sess *s, const struct cache_reply *hash)
{
	const char *user_id = cache_field(hash, "user_id");

	s->flash = cache_field(hash, "flash");
	if (!user_id)
		return;
	s->user_id = strtoll(user_id, NULL, 10);
	s->username = field_or_empty(hash, "username");
	s->name = field_or_empty(hash, "name");
	s->role = field_or_empty(hash, "role");
	s->remember = cache_field(hash, "remember") != NULL;
	s->cart_key = member_cart_key(req, user_id);
}

int
sess_take(struct req *req, struct cache_reply **replies)
{
	struct sess *s = req->sess;

	if (!s->id || s->fresh)
		return RC_OK;
	/* The hint is not believed any longer. */
	make_guest(req, s);
	if (!replies)
		return RC_OK;
	read_member(req, s, replies[0]);
	if (s->queued_cart && strcmp(s->queued_cart, s->cart_key) == 0)
		s->cart_count = replies[2]->i;
	else if (s->queued_cart)
		set_cookie(req); /* its hint is wrong by now */
	return renew(req, replies[1]->i);
}

int
sess_need_login(struct req *req)
{
	if (req->sess->user_id)
		return RC_OK;
	return req_fail(req, RC_LOGIN, "%s",
	    req->api ? _("Sign in first: send a valid token as Authorization:"
			 " Bearer.") :
		       _("Please sign in first."));
}

void
sess_keep(struct req *req)
{
	if (!req->sess->fresh || req->api)
		return;
	req->sess->fresh = false;
	set_cookie(req);
}

const char *
sess_csrf(struct req *req)
{
	char *token = arena_alloc(req->arena, SECRET_TOKEN_SIZE);

	secret_mac(req->conf->secret, "csrf", req->sess->id, token);
	return token;
}

int
sess_check_csrf(struct req *req, const char *token)
{
	if (!req->sess->fresh && secret_equal(token, sess_csrf(req)))
		return RC_OK;
	return req_fail(req, RC_FORBIDDEN, "%s",
	    _("This form is too old or came from another site, so nothing was"
	      " changed. Go back, reload the page and send it again."));
}

static const char *
user_agent(struct req *req)
{
	const char *agent = fcgi_param(req->call, "HTTP_USER_AGENT");

	return arena_strndup(req->arena, agent ? agent : "",
	    agent ? strnlen(agent, AGENT_MAX) : 0);
}

static void
queue_new_session(struct req *req)
{
	const struct sess *s = req->sess;
	const char *key = sess_key(req, s->id);
	const char *now = number_text(req, time(NULL));
	const char *user_id = number_text(req, s->user_id);

	cache_queue(req, "HSET", key, "user_id", user_id, "username",
	    s->username, "name", s->name, "role", s->role, "created", now,
	    "seen", now, "addr", req->addr, "agent", user_agent(req), NULL);
	if (s->remember)
		cache_queue(req, "HSET", key, "remember", "1", NULL);
	cache_queue(req, "EXPIRE", key, number_text(req, life(req)), NULL);
	queue_index(req);
}

static const char *
row_text(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

int
sess_start(struct req *req, const json_t *user, bool remember)
{
	struct sess *s = req->sess;
	const struct sess before = *s;
	struct cache_reply **replies;
	int rc;

	s->id = new_id(req);
	s->fresh = false;
	s->user_id = model_int(user, "id");
	s->username = row_text(user, "username");
	s->name = row_text(user, "name");
	s->role = row_text(user, "role");
	s->remember = remember;
	s->cart_key = member_cart_key(req, number_text(req, s->user_id));

	queue_new_session(req);
	if (before.id && !before.fresh && !req->api) {
		cache_queue(req, "DEL", sess_key(req, before.id), NULL);
		if (!before.user_id)
			cart_queue_merge(req, before.cart_key, s->cart_key);
	}
	rc = cache_run(req, &replies);
	if (rc == RC_OK && !req->api)
		set_cookie(req);
	return rc;
}

void
sess_queue_end(struct req *req, const char *id)
{
	cache_queue(req, "DEL", sess_key(req, id), NULL);
	cache_queue(
	    req, "ZREM", sess_index_key(req, req->sess->user_id), id, NULL);
}

int
sess_end(struct req *req)
{
	struct cache_reply **replies;
	int rc;

	sess_queue_end(req, req->sess->id);
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	/* A new guest from here on: the flash message needs an id. */
	req->sess->id = new_id(req);
	req->sess->remember = false;
	make_guest(req, req->sess);
	if (!req->api)
		set_cookie(req);
	return RC_OK;
}

int
sess_flash(struct req *req, const char *kind, const char *text)
{
	const char *key = sess_key(req, req->sess->id);
	struct cache_reply **replies;

	sess_keep(req);
	cache_queue(req, "HSET", key, "flash",
	    arena_printf(req->arena, "%s %s", kind, text), NULL);
	/* Never without an end: a guest's session, or one just over. */
	cache_queue(req, "EXPIRE", key, number_text(req, req->conf->session_s),
	    "NX", NULL);
	return cache_run(req, &replies);
}
