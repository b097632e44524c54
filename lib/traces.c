/*
 * traces -- writes traces to Redis, see traces.h.
 *
 * Blocks make it cheap: some thousand lines share three keys, and a batch of
 * lines, of however many requests, costs four commands.  A block is filled
 * by one process; when it is full, or a minute old, the next one begins, and
 * the oldest are deleted if there is too much of them.
 */
#include "traces_internal.h"

#include "buf.h"
#include "cache.h"
#include "hash.h"
#include "log.h"
#include "logline.h"
#include "metric.h"

#define BLOCK_BYTES (256 * 1024)
#define BLOCK_TRACES 2000
#define BLOCK_S 60
#define BLOCKS_MAX "2000"
#define ELEMENT_BYTES 64 /* what Redis needs besides, for each text */
#define SEEN 8192	 /* ids of a block; a power of two */
#define PATH_SHOWN 200
#define METHOD_SHOWN 12

/* Deletes the oldest blocks until what is left is not too old nor too much;
 * gives what is left.  Only reads and deletes, so that it also works when
 * Redis is full. */
static struct cache_script KEEP = { .name = "traces.keep",
	.lua = "local now, age = tonumber(ARGV[1]), tonumber(ARGV[2])\n"
	       "local most, room = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
	       "local blocks, traces, bytes = {}, 0, 0\n"
	       "local all = redis.call('HGETALL', KEYS[1])\n"
	       "for i = 1, #all, 2 do\n"
	       " local t, b, a ="
	       "  string.match(all[i + 1], '^(%d+) (%d+) %d+ %d+ (%d+)$')\n"
	       " blocks[#blocks + 1] = {all[i], tonumber(all[i]) or 0,"
	       "  tonumber(t) or 0, tonumber(b) or 0, tonumber(a) or 0}\n"
	       " traces = traces + blocks[#blocks][3]\n"
	       " bytes = bytes + blocks[#blocks][4]\n"
	       "end\n"
	       "table.sort(blocks, function(x, y) return x[2] < y[2] end)\n"
	       "for i, x in ipairs(blocks) do\n"
	       " if traces <= most and bytes <= room and now - x[5] <= age and"
	       "  #blocks - i < tonumber(ARGV[5]) then break end\n"
	       " redis.call('UNLINK', 'trace-block:' .. x[1],"
	       "  'trace-ids:' .. x[1], 'trace-list:' .. x[1])\n"
	       " redis.call('HDEL', KEYS[1], x[1])\n"
	       " traces = traces - x[3]\n"
	       " bytes = bytes - x[4]\n"
	       "end\n"
	       "return {traces, bytes}" };

/* The block that we are filling.  number 0: none. */
static struct {
	struct traces_block is;
	int64_t begun;	  /* microseconds, monotonic */
	int64_t elements; /* of trace-block:N */
	size_t nseen;
	uint64_t seen[SEEN]; /* ids that it has, for short; 0: free */
} block;

/* A batch of it. */
static struct {
	struct buf lines, ids, list;
	int64_t traces, oldest, newest;
} batch = { .lines = BUF_INIT(1 << 20),
	.ids = BUF_INIT(1 << 20),
	.list = BUF_INIT(1 << 20) };

const char *
traces_key(struct req *req, const char *name, int64_t number)
{
	return arena_printf(req->arena, "%s:%lld", name, (long long)number);
}

static const char *
number_text(struct req *req, int64_t n)
{
	return arena_printf(req->arena, "%lld", (long long)n);
}

/* --- lines --- */

/* What a line says, as far as it matters here. */
enum fact {
	TS,
	TRACE,
	PROG,
	EV,
	METHOD,
	PATH,
	ROUTE,
	STATUS,
	US,
	DB,
	REDIS,
	BYTES,
	USER,
	REQUEST_TIME,
	UPSTREAM_TIME,
	FACTS
};

static const struct {
	const char *name;
	size_t len;
} fact_names[FACTS] = {
#define FACT(name) \
	{ \
		name, sizeof(name) - 1 \
	}
	[TS] = FACT("ts"),
	[TRACE] = FACT("trace"),
	[PROG] = FACT("prog"),
	[EV] = FACT("ev"),
	[METHOD] = FACT("method"),
	[PATH] = FACT("path"),
	[ROUTE] = FACT("route"),
	[STATUS] = FACT("status"),
	[US] = FACT("us"),
	[DB] = FACT("db"),
	[REDIS] = FACT("redis"),
	[BYTES] = FACT("bytes"),
	[USER] = FACT("user"),
	[REQUEST_TIME] = FACT("request_time"),
	[UPSTREAM_TIME] = FACT("upstream_response_time")
#undef FACT
};

static enum fact
fact_of(const struct logline_value *key)
{
	int i = 0;

	while (i < FACTS &&
	    (key->len != fact_names[i].len ||
		memcmp(key->s, fact_names[i].name, key->len) != 0))
		i++;
	return (enum fact)i;
}

static bool
ends_request(const struct logline_value *event)
{
	return logline_is(event, "req.end") ||
	    logline_is(event, "nginx.request");
}

/* Of other lines than those that end a request, what stands before the event
 * is enough. */
static void
read_facts(const char *line, size_t len, struct logline_value facts[FACTS])
{
	struct logline_value key, value;
	const char *at = line;

	memset(facts, 0, FACTS * sizeof(facts[0]));
	while (logline_next(&at, line + len, &key, &value)) {
		enum fact fact = fact_of(&key);

		if (fact != FACTS)
			facts[fact] = value;
		if (fact == EV && !ends_request(&value))
			return;
	}
}

static bool
is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!(s[i] >= '0' && s[i] <= '9') &&
		    !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	}
	return true;
}

static bool
is_id(const struct logline_value *value)
{
	return value->text && value->len == TRACES_DIGITS &&
	    is_hex(value->s, TRACES_DIGITS);
}

/* Clients choose some of them, so that digits repeat. */
static uint64_t
short_id(const char *id)
{
	uint64_t n = hash_of(id, TRACES_DIGITS);

	return n ? n : 1;
}

/* True at the first time in this block. */
static bool
is_new_id(const char *id)
{
	uint64_t n = short_id(id);
	size_t i = n >> 40 & (SEEN - 1);

	for (; block.seen[i]; i = (i + 1) & (SEEN - 1)) {
		if (block.seen[i] == n)
			return false;
	}
	/* Past this, an id may be noted several times. */
	if (block.nseen < SEEN / 4 * 3) {
		block.seen[i] = n;
		block.nseen++;
	}
	return true;
}

/* One word; "-" when there is nothing. */
static void
add_word(const struct logline_value *value, size_t max)
{
	char text[PATH_SHOWN + 1];
	size_t n = value->s ? logline_text(value, text, max) : 0;

	for (size_t i = 0; i < n; i++)
		buf_char(&batch.list, text[i] > ' ' ? text[i] : '?');
	buf_str(&batch.list, n ? " " : "- ");
}

static void
add_number(int64_t n)
{
	buf_int(&batch.list, n);
	buf_char(&batch.list, ' ');
}

static void
add_summary(const struct logline_value facts[FACTS], int64_t us,
    const struct logline_value *route)
{
	int64_t time = logline_time(&facts[TS]);

	add_number(time);
	add_number(us);
	add_number(logline_int(&facts[STATUS], 0));
	add_word(&facts[METHOD], METHOD_SHOWN);
	add_word(route, METRIC_NAME);
	add_number(logline_int(&facts[USER], 0));
	add_number(logline_int(&facts[DB], 0));
	add_number(logline_int(&facts[REDIS], 0));
	add_number(logline_int(&facts[BYTES], 0));
	buf_add(&batch.list, facts[TRACE].s, TRACES_DIGITS);
	buf_char(&batch.list, ' ');
	add_word(&facts[PATH], PATH_SHOWN);
	batch.list.data[batch.list.len - 1] = '\n';
	batch.traces++;
	if (!batch.oldest || time < batch.oldest)
		batch.oldest = time;
	if (time > batch.newest)
		batch.newest = time;
}

/* Is this line of nginx the only one that tells of the end of its request?
 * No program was asked; or the one that was has not answered. */
static bool
is_edge_alone(const struct logline_value facts[FACTS])
{
	int64_t status = logline_int(&facts[STATUS], 0);

	return facts[UPSTREAM_TIME].len == 0 || status == 499 ||
	    status == 502 || status == 504;
}

static void
add_line(const char *line, size_t len)
{
	struct logline_value facts[FACTS];

	read_facts(line, len, facts);
	if (!is_id(&facts[TRACE]) || memchr(line, '\0', len))
		return;
	buf_add(&batch.lines, line, len);
	if (is_new_id(facts[TRACE].s)) {
		buf_add(&batch.ids, facts[TRACE].s, TRACES_DIGITS);
		buf_char(&batch.ids, '\n');
	}
	if (logline_is(&facts[EV], "req.end"))
		add_summary(facts, logline_int(&facts[US], 0), &facts[PROG]);
	else if (logline_is(&facts[EV], "nginx.request") &&
	    is_edge_alone(facts))
		add_summary(
		    facts, logline_us(&facts[REQUEST_TIME], 0), &facts[ROUTE]);
}

static void
read_lines(const char *lines, size_t len)
{
	const char *end;

	buf_reset(&batch.lines);
	buf_reset(&batch.ids);
	buf_reset(&batch.list);
	batch.traces = batch.oldest = batch.newest = 0;
	for (; len; len -= (size_t)(end - lines), lines = end) {
		end = memchr(lines, '\n', len);
		if (!end)
			return;
		end++;
		add_line(lines, (size_t)(end - lines));
	}
}

/* --- blocks --- */

static int64_t
block_bytes(const struct conf *conf)
{
	return conf->trace_bytes / 8 < BLOCK_BYTES ? conf->trace_bytes / 8 :
						     BLOCK_BYTES;
}

static int64_t
block_traces(const struct conf *conf)
{
	return conf->trace_max / 8 < BLOCK_TRACES ? conf->trace_max / 8 + 1 :
						    BLOCK_TRACES;
}

static bool
is_full(const struct conf *conf)
{
	return !block.is.number || block.is.bytes >= block_bytes(conf) ||
	    block.is.traces >= block_traces(conf) ||
	    log_now() - block.begun >= BLOCK_S * INT64_C(1000000);
}

static int
begin_block(struct req *req)
{
	struct cache_reply *reply;
	int rc;

	memset(&block, 0, sizeof(block));
	rc = cache_command(req, &reply, "INCR", TRACES_NUMBER, NULL);
	if (rc < 0)
		return rc;
	block.is.number = reply->i;
	block.begun = log_now();
	return RC_OK;
}

static void
queue_text(struct req *req, const char *name, const struct buf *text)
{
	if (!text->len)
		return;
	cache_queue(req, "RPUSH", traces_key(req, name, block.is.number),
	    text->data, NULL);
	block.is.bytes += (int64_t)text->len + ELEMENT_BYTES;
}

static void
queue_block(struct req *req)
{
	const struct traces_block *is = &block.is;
	char text[128];

	snprintf(text, sizeof(text), "%lld %lld %lld %lld %lld",
	    (long long)is->traces, (long long)is->bytes, (long long)is->oldest,
	    (long long)is->newest, (long long)is->added);
	cache_queue(req, "HSET", TRACES_BLOCKS, number_text(req, is->number),
	    text, NULL);
}

static const char *const names[] = { TRACES_LINES, TRACES_IDS, TRACES_LIST };

/*
 * Makes its keys, with the end of their lives, before anything is in them:
 * whoever is killed in the middle leaves nothing for ever.  The number of
 * commands.
 */
static size_t
queue_keys(struct req *req)
{
	const char *life =
	    number_text(req, (int64_t)req->conf->trace_keep_s + BLOCK_S);

	for (size_t i = 0; i < LENGTH(names); i++) {
		const char *key = traces_key(req, names[i], block.is.number);

		cache_queue(req, "RPUSH", key, "", NULL);
		cache_queue(req, "EXPIRE", key, life, NULL);
	}
	block.elements = 1;
	return 2 * LENGTH(names);
}

/* Leaves room for the block that begins. */
static void
queue_keep(struct req *req, int64_t traces, int64_t bytes)
{
	const char *argv[] = { TRACES_BLOCKS,
		number_text(req, log_clock() / 1000),
		number_text(req, req->conf->trace_keep_s * INT64_C(1000)),
		number_text(req, traces), number_text(req, bytes), BLOCKS_MAX };

	cache_queue_script(req, &KEEP, 1, argv, LENGTH(argv));
}

static void
count_batch(void)
{
	struct traces_block *is = &block.is;

	is->traces += batch.traces;
	is->added = log_clock() / 1000;
	if (batch.oldest && (!is->oldest || batch.oldest < is->oldest))
		is->oldest = batch.oldest;
	if (batch.newest > is->newest)
		is->newest = batch.newest;
}

/* With each new block, the oldest ones go. */
static void
queue_tidy(struct req *req)
{
	cache_queue(req, "EXPIRE", TRACES_BLOCKS,
	    number_text(req, (int64_t)req->conf->trace_keep_s + BLOCK_S), NULL);
	queue_keep(req, req->conf->trace_max - block_traces(req->conf),
	    req->conf->trace_bytes - block_bytes(req->conf));
}

/* *there: the reply on adding the lines, which tells how many texts the block
 * has now. */
static int
write_batch(struct req *req, const struct cache_reply **there)
{
	bool is_new = block.elements == 0;
	size_t first = is_new ? queue_keys(req) : 0;
	size_t n = first + 2 + (batch.ids.len > 0) + (batch.list.len > 0);
	struct cache_reply **replies;
	int rc;

	queue_text(req, TRACES_LINES, &batch.lines);
	queue_text(req, TRACES_IDS, &batch.ids);
	queue_text(req, TRACES_LIST, &batch.list);
	count_batch();
	queue_block(req);
	if (is_new)
		queue_tidy(req);
	rc = cache_run(req, &replies);
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (replies[i]->type == CACHE_ERROR)
			rc = RC_BUG;
	}
	if (rc == RC_OK)
		*there = replies[first];
	return rc;
}

/* Somebody emptied Redis: what we have just added has no end. */
static int
forget_block(struct req *req)
{
	struct cache_reply **replies;

	for (size_t i = 0; i < LENGTH(names); i++)
		cache_queue(req, "UNLINK",
		    traces_key(req, names[i], block.is.number), NULL);
	cache_queue(req, "HDEL", TRACES_BLOCKS,
	    number_text(req, block.is.number), NULL);
	return cache_run(req, &replies);
}

/* As many lines as there is room for in the block; one at least. */
static size_t
part_length(const struct conf *conf, const char *lines, size_t len)
{
	int64_t room = block_bytes(conf) - block.is.bytes;
	const char *end;

	if (room <= 0)
		room = 1;
	if (len <= (size_t)room)
		return len;
	end = memrchr(lines, '\n', (size_t)room);
	if (!end)
		end = memchr(lines, '\n', len);
	return end ? (size_t)(end - lines) + 1 : len;
}

/* *again: the block was gone, and another one is needed. */
static int
add_part(struct req *req, const char *lines, size_t len, bool *again)
{
	const struct cache_reply *there = NULL;
	int rc;

	*again = false;
	read_lines(lines, len);
	if (batch.lines.len == 0)
		return RC_OK;
	rc = write_batch(req, &there);
	if (rc < 0)
		return rc;
	if (there->i != ++block.elements) {
		*again = true;
		return forget_block(req);
	}
	metric_add(METRIC_TRACES_STORED, batch.traces);
	return RC_OK;
}

int
traces_add(struct req *req, const char *lines, size_t len)
{
	bool again;
	size_t n;
	int rc;

	for (; len; lines += again ? 0 : n, len -= again ? 0 : n) {
		if (is_full(req->conf) && (rc = begin_block(req)) < 0)
			return rc;
		n = part_length(req->conf, lines, len);
		rc = add_part(req, lines, n, &again);
		/* What of it is there is not known: the next one is new. */
		if (rc < 0 || again)
			block.is.number = 0;
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

int
traces_shrink(struct req *req, int64_t bytes)
{
	struct cache_reply **replies;

	queue_keep(req, req->conf->trace_max, bytes);
	return cache_run(req, &replies);
}
