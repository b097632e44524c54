/*
 * cache_log -- what the log says about commands and errors, without the ids
 * and tokens that open something.
 */
#include <ctype.h>

#include "cache_internal.h"
#include "metric.h"
#include "secret.h"

#define KEY_SHOWN 80 /* bytes of one key */
#define ID_SHOWN 8   /* bytes of a secret id */
#define ELLIPSIS "\u2026"

/* The length of the secret that s begins with, if any: a UUID, or a token of
 * hex digits. */
static size_t
secret_length(const char *s, size_t len)
{
	size_t n = 0;

	if (len >= SECRET_UUID_SIZE - 1 && s[ID_SHOWN] == '-' &&
	    secret_is_uuid(s, SECRET_UUID_SIZE - 1))
		return SECRET_UUID_SIZE - 1;
	while (n < len && isxdigit((unsigned char)s[n]))
		n++;
	return n >= SECRET_TOKEN_SIZE - 1 ? n : 0;
}

/* Adds text for the log, with ids that open a session, and the one-time
 * tokens of forms, cut short. */
static void
add_public(struct buf *b, const char *s, size_t len)
{
	size_t i = 0;

	if (len > 8 + ID_SHOWN && strncmp(s, "session:", 8) == 0) {
		buf_add(b, s, 8 + ID_SHOWN);
		buf_str(b, ELLIPSIS);
		return;
	}
	while (i < len) {
		size_t secret = secret_length(s + i, len - i);

		if (secret) {
			buf_add(b, s + i, ID_SHOWN);
			buf_str(b, ELLIPSIS);
			i += secret;
		} else {
			buf_char(b, s[i++]);
		}
	}
}

void
cache_describe(
    struct cache *cache, const char *command, const char *name, const char *key)
{
	struct buf *b = &cache->what;
	size_t len;

	if (b->len >= CACHE_WHAT_MAX)
		return;
	if (b->len > 0)
		buf_str(b, ", ");
	buf_str(b, command);
	if (name) {
		buf_char(b, ' ');
		buf_str(b, name);
	}
	if (!key)
		return;
	buf_char(b, ' ');
	len = strnlen(key, KEY_SHOWN + 1);
	add_public(b, key, len > KEY_SHOWN ? KEY_SHOWN : len);
	if (len > KEY_SHOWN)
		buf_str(b, ELLIPSIS);
}

void
cache_log_trip(const struct cache *cache, int64_t us)
{
	metric_redis(us);
	log_event(LOG_INFO, "redis.cmd");
	log_strn("cmds", cache->what.data, cache->what.len);
	log_int("n", (int64_t)(cache->n - cache->hidden));
	log_int("us", us);
	log_end();
}

void
cache_log_error(const char *text)
{
	struct buf public = BUF_INIT(512);

	metric_add(METRIC_REDIS_ERRORS, 1);
	add_public(&public, text, strlen(text));
	log_event(LOG_ERROR, "redis.error");
	log_strn("msg", public.data ? public.data : "", public.len);
	log_end();
	buf_free(&public);
}
