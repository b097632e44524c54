/* queue -- see queue.h. */
#include "queue.h"

#include "cache.h"
#include "log.h"
#include "model.h"

#define STREAM "orders"
#define DEAD "orders:dead"
#define CHANNEL "orders:status"
#define SHOWN "50" /* dead letters on the page */
#define CLAIM "100"
#define AWAY_MS "3600000"
#define TRIP_MAX ((size_t)1024 * 1024) /* bytes sent at a time */
#define TOPIC_PREFIX "order."

/* --- for who writes --- */

/* What every group has read and finished is not needed any more.  Groups'
 * fields come as a list of names and values. */
static struct cache_script ROOM = { .name = "queue.room",
	.lua = "local key, max = KEYS[1], tonumber(ARGV[1])\n"
	       "if redis.call('EXISTS', key) == 0 then return 1 end\n"
	       "local function before(a, b)\n"
	       " local am, an = string.match(a, '(%d+)-(%d+)')\n"
	       " local bm, bn = string.match(b, '(%d+)-(%d+)')\n"
	       " am, an, bm, bn = tonumber(am), tonumber(an),"
	       "  tonumber(bm), tonumber(bn)\n"
	       " return am < bm or (am == bm and an < bn)\n"
	       "end\n"
	       "local behind, needed = 0, nil\n"
	       "for _, g in ipairs(redis.call('XINFO', 'GROUPS', key)) do\n"
	       " local v = {}\n"
	       " for i = 1, #g, 2 do v[g[i]] = g[i + 1] end\n"
	       " behind = math.max(behind, v['pending'] + (v['lag'] or 0))\n"
	       " local first = v['last-delivered-id']\n"
	       " if v['pending'] > 0 then\n"
	       "  first = redis.call('XPENDING', key, v['name'])[2]\n"
	       " end\n"
	       " if not needed or before(first, needed) then"
	       "  needed = first end\n"
	       "end\n"
	       "if redis.call('XLEN', key) > max then\n"
	       " if needed then\n"
	       "  redis.call('XTRIM', key, 'MINID', '~', needed)\n"
	       " else\n"
	       "  redis.call('XTRIM', key, 'MAXLEN', '~', max)\n"
	       " end\n"
	       "end\n"
	       "if behind >= max or redis.call('XLEN', key) >= 2 * max"
	       " then return 0 end\n"
	       "return 1" };

int
queue_room(struct req *req, bool *room)
{
	const char *argv[] = { STREAM,
		arena_printf(req->arena, "%d", req->conf->events_max) };
	struct cache_reply **replies;
	int rc;

	cache_queue_script(req, &ROOM, 1, argv, LENGTH(argv));
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	if (replies[0]->type != CACHE_INT)
		return req_bug(req);
	*room = replies[0]->i == 1;
	return RC_OK;
}

static int
run_all(struct req *req, size_t n)
{
	struct cache_reply **replies;
	int rc = cache_run(req, &replies);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (replies[i]->type == CACHE_ERROR)
			return req_bug(req);
	}
	return RC_OK;
}

/* What "order.paid" tells to who listens to states. */
static const char *
status_message(struct req *req, const struct outbox_event *event)
{
	json_t *message = json_pack("{s:I, s:s, s:s, s:s}", "event",
	    (json_int_t)event->id, "order", event->subject, "status",
	    event->topic + strlen(TOPIC_PREFIX), "time", event->time);
	struct buf b = BUF_INIT(4096);
	const char *text;

	model_write(message, &b);
	text = arena_strndup(req->arena, b.data, b.len);
	buf_free(&b);
	return text;
}

static size_t
queue_event(struct req *req, const struct outbox_event *event)
{
	cache_queue(req, "XADD", STREAM, "*", "event", event->json, NULL);
	if (strncmp(event->topic, TOPIC_PREFIX, strlen(TOPIC_PREFIX)) != 0)
		return 1;
	cache_queue(req, "PUBLISH", CHANNEL, status_message(req, event), NULL);
	return 2;
}

int
queue_send(struct req *req, const struct outbox_event *events, size_t n)
{
	size_t commands = 0, bytes = 0;
	int rc;

	for (size_t i = 0; i < n; i++) {
		commands += queue_event(req, &events[i]);
		bytes += strlen(events[i].json);
		if (bytes < TRIP_MAX && i + 1 < n)
			continue;
		rc = run_all(req, commands);
		if (rc < 0)
			return rc;
		commands = bytes = 0;
	}
	return RC_OK;
}

/* --- for consumers --- */

/* Without the error that XGROUP gives when there is one.  A consumer is made
 * before there is anything to read, so that it is seen. */
static struct cache_script GROUP = { .name = "queue.group",
	.lua = "redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0',"
	       " 'MKSTREAM')\n"
	       "return redis.call('XGROUP', 'CREATECONSUMER', KEYS[1],"
	       " ARGV[1], ARGV[2])" };

/* The dead letter and the end of the entry, both or none. */
static struct cache_script BURY = { .name = "queue.bury",
	.lua = "redis.call('XADD', KEYS[2], '*', 'event', ARGV[3],"
	       " 'reason', ARGV[4], 'group', ARGV[1], 'tries', ARGV[5])\n"
	       "return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])" };

static struct cache_script FORGET = { .name = "queue.forget",
	.lua = "local n = 0\n"
	       "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\n"
	       "for _, c in ipairs(redis.call("
	       "'XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do\n"
	       " local v = {}\n"
	       " for i = 1, #c, 2 do v[c[i]] = c[i + 1] end\n"
	       " if v['pending'] == 0 and v['idle'] > tonumber(ARGV[2]) then\n"
	       "  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1],"
	       "   v['name'])\n"
	       "  n = n + 1\n"
	       " end\n"
	       "end\n"
	       "return n" };

static const struct cache_reply *
item(const struct cache_reply *list, size_t i)
{
	return list && list->type == CACHE_LIST && i < list->len ?
	    list->list[i] :
	    NULL;
}

static const char *
text_of(const struct cache_reply *reply)
{
	return reply && reply->type == CACHE_TEXT ? reply->s : NULL;
}

static size_t
length_of(const struct cache_reply *list)
{
	return list && list->type == CACHE_LIST ? list->len : 0;
}

/* Where the next look at what was left begins. */
static char claim_from[64] = "0-0";

static void
queue_reading(struct req *req, const char *group, const char *consumer, int max)
{
	const char *argv[] = { STREAM, group, consumer };

	cache_queue_script(req, &GROUP, 1, argv, LENGTH(argv));
	cache_queue(req, "XAUTOCLAIM", STREAM, group, consumer,
	    arena_printf(req->arena, "%d", req->conf->events_retry_ms),
	    claim_from, "COUNT", CLAIM, NULL);
	cache_queue(req, "XREADGROUP", "GROUP", group, consumer, "COUNT",
	    arena_printf(req->arena, "%d", max), "STREAMS", STREAM, ">", NULL);
}

/* The entries of a list [id, [name, value, ...]], after the n there are. */
static size_t
take_entries(
    const struct cache_reply *list, struct queue_entry *entries, size_t n)
{
	for (size_t i = 0; i < length_of(list); i++) {
		const struct cache_reply *one = item(list, i);

		entries[n++] =
		    (struct queue_entry){ .id = text_of(item(one, 0)),
			    .json = item(one, 1) ?
				cache_field(item(one, 1), "event") :
				NULL,
			    .tries = 1 };
	}
	return n;
}

/* How often those that were left have been tried: [id, consumer, idle, n]. */
static int
count_tries(
    struct req *req, const char *group, struct queue_entry *entries, size_t n)
{
	struct cache_reply **replies;
	int rc;

	for (size_t i = 0; i < n; i++)
		cache_queue(req, "XPENDING", STREAM, group, entries[i].id,
		    entries[i].id, "1", NULL);
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		const struct cache_reply *count = item(item(replies[i], 0), 3);

		if (count && count->type == CACHE_INT)
			entries[i].tries = count->i;
	}
	return RC_OK;
}

static int
bury(struct req *req, const char *group, const struct queue_entry *entry,
    const char *reason)
{
	const char *argv[] = { STREAM, DEAD, group, entry->id,
		entry->json ? entry->json : "", reason,
		arena_printf(req->arena, "%lld", (long long)entry->tries) };
	struct cache_reply **replies;
	int rc;

	cache_queue_script(req, &BURY, 2, argv, LENGTH(argv));
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	if (replies[0]->type == CACHE_ERROR)
		return req_bug(req);
	log_event(LOG_ERROR, "event.dead");
	log_str("entry", entry->id);
	log_str("reason", reason);
	log_end();
	return RC_OK;
}

/* Buries those that never came to an end; keeps the rest. */
static int
bury_worn(
    struct req *req, const char *group, struct queue_entry *entries, size_t *n)
{
	size_t kept = 0;
	int rc;

	for (size_t i = 0; i < *n; i++) {
		if (entries[i].tries <= QUEUE_TRIES) {
			entries[kept++] = entries[i];
			continue;
		}
		rc = bury(req, group, &entries[i],
		    "its consumer never came to an end with it");
		if (rc < 0)
			return rc;
	}
	*n = kept;
	return RC_OK;
}

int
queue_read(struct req *req, const char *group, const char *consumer, int max,
    struct queue_entry **entries, size_t *n)
{
	const struct cache_reply *left, *new;
	struct cache_reply **replies;
	struct queue_entry *list;
	size_t nleft;
	int rc;

	queue_reading(req, group, consumer, max);
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	if (replies[1]->type == CACHE_ERROR || replies[2]->type == CACHE_ERROR)
		return req_bug(req);
	if (text_of(item(replies[1], 0)))
		snprintf(claim_from, sizeof(claim_from), "%s",
		    text_of(item(replies[1], 0)));
	left = item(replies[1], 1);
	new = item(item(replies[2], 0), 1);
	list = arena_alloc(
	    req->arena, (length_of(left) + length_of(new)) * sizeof(list[0]));
	nleft = take_entries(left, list, 0);
	if ((rc = count_tries(req, group, list, nleft)) < 0 ||
	    (rc = bury_worn(req, group, list, &nleft)) < 0)
		return rc;
	*n = take_entries(new, list, nleft);
	*entries = list;
	return RC_OK;
}

int
queue_done(struct req *req, const char *group,
    const struct queue_entry *entries, size_t n)
{
	const char **argv;

	if (n == 0)
		return RC_OK;
	argv = arena_alloc(req->arena, (n + 3) * sizeof(argv[0]));
	argv[0] = "XACK";
	argv[1] = STREAM;
	argv[2] = group;
	for (size_t i = 0; i < n; i++)
		argv[i + 3] = entries[i].id;
	cache_queue_v(req, argv, n + 3);
	return run_all(req, 1);
}

int
queue_failed(struct req *req, const char *group,
    const struct queue_entry *entry, const char *reason)
{
	log_event(LOG_WARN, "event.failed");
	log_str("entry", entry->id);
	log_int("tries", entry->tries);
	log_str("reason", reason);
	log_end();
	return entry->tries < QUEUE_TRIES ? RC_OK :
					    bury(req, group, entry, reason);
}

int
queue_forget_consumers(struct req *req, const char *group)
{
	const char *argv[] = { STREAM, group, AWAY_MS };

	cache_queue_script(req, &FORGET, 1, argv, LENGTH(argv));
	return run_all(req, 1);
}

/* --- for administrators --- */

/* Anything may be in an event, megabytes too: people are shown how it begins.
 * What is left of a character at the end goes. */
#define CUT_LUA \
	"local function cut(entries)\n" \
	" for _, e in ipairs(entries) do\n" \
	"  for i = 2, #e[2], 2 do\n" \
	"   if #e[2][i] > 4000 then\n" \
	"    e[2][i] = string.gsub(string.sub(e[2][i], 1, 4000)," \
	"     '[\\192-\\255]?[\\128-\\191]*$', '') .. '\\226\\128\\166'\n" \
	"   end\n" \
	"  end\n" \
	" end\n" \
	" return entries\n" \
	"end\n"

static struct cache_script LETTER = { .name = "queue.letter",
	.lua = CUT_LUA
	"return cut(redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]))" };

/* A group's consumers follow its fields.  From Redis 7.2 on, idle is about
 * any reading, also in vain, and inactive what idle was. */
static struct cache_script STATE = { .name = "queue.state",
	.lua = CUT_LUA
	"local out = {redis.call('XLEN', KEYS[1]), {},"
	" redis.call('XLEN', KEYS[2]),"
	" cut(redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT',"
	"  ARGV[1]))}\n"
	"if redis.call('EXISTS', KEYS[1]) == 0 then return out end\n"
	"for i, g in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do\n"
	" local v = {}\n"
	" for i = 1, #g, 2 do v[g[i]] = g[i + 1] end\n"
	" local cs = {}\n"
	" for j, c in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1],"
	"  v['name'])) do\n"
	"  local w = {}\n"
	"  for k = 1, #c, 2 do w[c[k]] = c[k + 1] end\n"
	"  local since = w['inactive'] or -1\n"
	"  if since < 0 then since = w['idle'] end\n"
	"  cs[j] = {w['name'], w['pending'], since}\n"
	" end\n"
	" out[2][i] = {v['name'], v['lag'], v['pending'], cs}\n"
	"end\n"
	"return out" };

/* Back into the stream and out of the dead letters, both or none. */
static struct cache_script REPLAY = { .name = "queue.replay",
	.lua = "local e = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]\n"
	       "if not e then return 0 end\n"
	       "for i = 1, #e[2], 2 do\n"
	       " if e[2][i] == 'event' then\n"
	       "  redis.call('XADD', KEYS[1], '*', 'event', e[2][i + 1])\n"
	       " end\n"
	       "end\n"
	       "return redis.call('XDEL', KEYS[2], ARGV[1])" };

static json_t *
number(const struct cache_reply *reply)
{
	return reply && reply->type == CACHE_INT ? json_integer(reply->i) :
						   json_null();
}

static json_t *
text(const struct cache_reply *reply)
{
	const char *s = text_of(reply);
	json_t *value = s ? json_string(s) : NULL;

	/* What is not UTF-8 came from somebody else. */
	return value ? value : json_string("?");
}

static json_t *
consumers_of(const struct cache_reply *list)
{
	json_t *consumers = json_array();

	for (size_t i = 0; i < length_of(list); i++) {
		const struct cache_reply *c = item(list, i);

		json_array_append_new(consumers,
		    json_pack("{s:o, s:o, s:o}", "name", text(item(c, 0)),
			"pending", number(item(c, 1)), "idle_ms",
			number(item(c, 2))));
	}
	return consumers;
}

static json_t *
groups_of(const struct cache_reply *list)
{
	json_t *groups = json_array();

	for (size_t i = 0; i < length_of(list); i++) {
		const struct cache_reply *g = item(list, i);

		json_array_append_new(groups,
		    json_pack("{s:o, s:o, s:o, s:o}", "name", text(item(g, 0)),
			"lag", number(item(g, 1)), "pending",
			number(item(g, 2)), "consumers",
			consumers_of(item(g, 3))));
	}
	return groups;
}

static void
set_field(json_t *letter, const struct cache_reply *fields, const char *name)
{
	const char *value = cache_field(fields, name);
	json_t *s = json_string(value ? value : "");

	model_set(letter, name, s ? s : json_string("?"));
}

static json_t *
letter_of(const struct cache_reply *entry)
{
	json_t *letter = json_object();

	model_set(letter, "id", text(item(entry, 0)));
	set_field(letter, item(entry, 1), "event");
	set_field(letter, item(entry, 1), "reason");
	set_field(letter, item(entry, 1), "group");
	set_field(letter, item(entry, 1), "tries");
	return letter;
}

static json_t *
letters_of(const struct cache_reply *list)
{
	json_t *letters = json_array();

	for (size_t i = 0; i < length_of(list); i++)
		json_array_append_new(letters, letter_of(item(list, i)));
	return letters;
}

int
queue_state(struct req *req, json_t **state)
{
	const char *argv[] = { STREAM, DEAD, SHOWN };
	struct cache_reply **replies;
	int rc;

	cache_queue_script(req, &STATE, 2, argv, LENGTH(argv));
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	if (replies[0]->type != CACHE_LIST)
		return req_bug(req);
	*state = json_pack("{s:o, s:o, s:o, s:o}", "length",
	    number(item(replies[0], 0)), "groups",
	    groups_of(item(replies[0], 1)), "dead_length",
	    number(item(replies[0], 2)), "dead",
	    letters_of(item(replies[0], 3)));
	return RC_OK;
}

static int
no_such_letter(struct req *req)
{
	return req_fail(req, RC_NOT_FOUND, "%s",
	    _("There is no such dead letter. Somebody may have replayed or"
	      " discarded it already."));
}

/* Milliseconds, a hyphen, a number: what Redis takes for an id. */
static bool
is_id(const char *id)
{
	size_t ms = strspn(id, "0123456789"), n;

	if (ms < 1 || ms > 18 || id[ms] != '-')
		return false;
	n = strspn(id + ms + 1, "0123456789");
	return n >= 1 && n <= 18 && !id[ms + 1 + n];
}

int
queue_dead(struct req *req, const char *id, json_t **letter)
{
	const char *argv[] = { DEAD, id };
	struct cache_reply **replies;
	int rc;

	if (!is_id(id))
		return no_such_letter(req);
	cache_queue_script(req, &LETTER, 1, argv, LENGTH(argv));
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	if (length_of(replies[0]) == 0)
		return no_such_letter(req);
	*letter = letter_of(item(replies[0], 0));
	return RC_OK;
}

int
queue_replay(struct req *req, const char *id)
{
	const char *argv[] = { STREAM, DEAD, id };
	struct cache_reply **replies;
	int rc;

	if (!is_id(id))
		return no_such_letter(req);
	cache_queue_script(req, &REPLAY, 2, argv, LENGTH(argv));
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	if (replies[0]->type != CACHE_INT)
		return req_bug(req);
	return replies[0]->i == 1 ? RC_OK : no_such_letter(req);
}

int
queue_discard(struct req *req, const char *id)
{
	struct cache_reply *reply;
	int rc;

	if (!is_id(id))
		return no_such_letter(req);
	rc = cache_command(req, &reply, "XDEL", DEAD, id, NULL);
	if (rc < 0)
		return rc;
	return reply->i == 1 ? RC_OK : no_such_letter(req);
}
