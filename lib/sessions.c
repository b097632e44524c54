/* sessions -- see sessions.h. */
#include "sessions.h"

#include "cache.h"
#include "secret.h"
#include "sess.h"

#define LIST_LAST "49" /* of the sessions shown, counted from 0 */

/* "Firefox, Linux": enough to know one's devices by. */
static const char *
device(struct req *req, const char *agent)
{
	static const char *const browsers[][2] = { { "Edg/", "Edge" },
		{ "OPR/", "Opera" }, { "Whale/", "Whale" },
		{ "Firefox/", "Firefox" }, { "Chrome/", "Chrome" },
		{ "Chromium/", "Chromium" }, { "Safari/", "Safari" },
		{ "w3m/", "w3m" }, { "Lynx/", "Lynx" }, { "Links ", "Links" },
		{ "curl/", "curl" } };
	static const char *const systems[][2] = { { "Android", "Android" },
		{ "iPhone", "iPhone" }, { "iPad", "iPad" },
		{ "Windows", "Windows" }, { "Mac OS X", "macOS" },
		{ "Linux", "Linux" } };
	const char *browser = NULL, *system = NULL;

	for (size_t i = 0; i < LENGTH(browsers) && !browser; i++) {
		if (strstr(agent, browsers[i][0]))
			browser = browsers[i][1];
	}
	for (size_t i = 0; i < LENGTH(systems) && !system; i++) {
		if (strstr(agent, systems[i][0]))
			system = systems[i][1];
	}
	if (!browser)
		browser = _("Unknown device");
	return system ? arena_printf(req->arena, "%s, %s", browser, system) :
			browser;
}

static const char *
public_id(struct req *req, const char *id)
{
	char *name = arena_alloc(req->arena, SECRET_TOKEN_SIZE);

	secret_mac(req->conf->secret, "session", id, name);
	return name;
}

static const char *
list_text(const struct cache_reply *list, size_t i)
{
	bool there = list->type == CACHE_LIST && i < list->len;
	const struct cache_reply *r = there ? list->list[i] : NULL;

	return r && r->type == CACHE_TEXT ? r->s : "";
}

static json_t *
list_entry(struct req *req, const char *id, const struct cache_reply *fields)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:b}", "id", public_id(req, id),
	    "device", device(req, list_text(fields, 1)), "addr",
	    list_text(fields, 2), "seen",
	    (json_int_t)strtoll(list_text(fields, 3), NULL, 10), "current",
	    strcmp(id, req->sess->id) == 0);
}

/* The ids of the member's sessions, newest first. */
static int
all_ids(struct req *req, struct cache_reply **ids)
{
	return cache_command(req, ids, "ZREVRANGE",
	    sess_index_key(req, req->sess->user_id), "0", LIST_LAST, NULL);
}

int
sessions_list(struct req *req, json_t **out)
{
	struct cache_reply *ids, **replies;
	json_t *list = json_array();
	int rc = all_ids(req, &ids);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ids->len; i++)
		cache_queue(req, "HMGET", sess_key(req, list_text(ids, i)),
		    "user_id", "agent", "addr", "seen", NULL);
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ids->len; i++) {
		const char *id = list_text(ids, i);

		if (*list_text(replies[i], 0))
			json_array_append_new(
			    list, list_entry(req, id, replies[i]));
		else /* it ran out by itself */
			cache_queue(req, "ZREM",
			    sess_index_key(req, req->sess->user_id), id, NULL);
	}
	*out = list;
	return cache_run(req, &replies);
}

int
sessions_end_one(struct req *req, const char *wanted)
{
	struct cache_reply *ids, **replies;
	int rc = all_ids(req, &ids);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ids->len; i++) {
		const char *id = list_text(ids, i);

		if (!secret_equal(public_id(req, id), wanted))
			continue;
		if (strcmp(id, req->sess->id) == 0)
			return sess_end(req);
		sess_queue_end(req, id);
		return cache_run(req, &replies);
	}
	return req_fail(
	    req, RC_NOT_FOUND, "%s", _("That session has already ended."));
}

/* Runs a step on every session of the member but this one. */
static int
each_other(struct req *req,
    void (*step)(struct req *req, const char *id, const char *arg),
    const char *arg)
{
	struct cache_reply *ids, **replies;
	int rc = cache_command(req, &ids, "ZRANGE",
	    sess_index_key(req, req->sess->user_id), "0", "-1", NULL);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ids->len; i++) {
		if (strcmp(list_text(ids, i), req->sess->id) != 0)
			step(req, list_text(ids, i), arg);
	}
	return cache_run(req, &replies);
}

static void
end_step(struct req *req, const char *id, const char *arg ATTR_UNUSED)
{
	sess_queue_end(req, id);
}

int
sessions_end_others(struct req *req)
{
	return each_other(req, end_step, NULL);
}

int
sessions_end_of(struct req *req, int64_t user_id)
{
	const char *index = sess_index_key(req, user_id);
	struct cache_reply *ids, **replies;
	int rc = cache_command(req, &ids, "ZRANGE", index, "0", "-1", NULL);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ids->len; i++) {
		cache_queue(req, "DEL", sess_key(req, list_text(ids, i)), NULL);
		cache_queue(req, "ZREM", index, list_text(ids, i), NULL);
	}
	return cache_run(req, &replies);
}

/* Only where there still is a session: HSET would make one without an end. */
static struct cache_script rename_script = { .name = "session.rename",
	.lua = "if redis.call('HEXISTS', KEYS[1], 'user_id') == 1 then"
	       " redis.call('HSET', KEYS[1], 'name', ARGV[1]) end"
	       " return 1" };

static void
rename_step(struct req *req, const char *id, const char *name)
{
	const char *argv[] = { sess_key(req, id), name };

	cache_queue_script(req, &rename_script, 1, argv, 2);
}

int
sessions_rename(struct req *req, const char *name)
{
	rename_step(req, req->sess->id, name);
	req->sess->name = name;
	return each_other(req, rename_step, name);
}
