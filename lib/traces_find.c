/* traces_find -- reads one trace from Redis: see traces.h. */
#include "traces_internal.h"

#include "cache.h"
#include "logline.h"

#define LEAST_DIGITS 8
#define IDS_AT_ONCE 32 /* blocks whose ids are read in one trip */
#define BLOCKS_MAX 16  /* of one trace */
#define BLOCKS_AT_ONCE 2

/* Clients may use one id again and again: the latest that fit into the memory
 * of a request. */
#define LINES_MAX 700
#define LINES_BYTES ((size_t)512 * 1024)

struct line {
	const char *s;
	size_t len, place;
	int64_t time;
};

struct search {
	const char *prefix;
	size_t digits;
	char id[TRACES_DIGITS + 1]; /* "" until one was found */
	bool several;
	int64_t newest; /* block */
	int64_t blocks[BLOCKS_MAX];
	size_t nblocks;
	struct line *lines;
	size_t nlines, bytes;
	bool full; /* of lines */
};

/* --- blocks --- */

static int
newest_first(const void *a, const void *b)
{
	const struct traces_block *ba = a, *bb = b;

	return (ba->number < bb->number) - (ba->number > bb->number);
}

static bool
read_block(const char *number, const char *text, struct traces_block *b)
{
	long long n[6];

	if (sscanf(number, "%lld", &n[0]) != 1 ||
	    sscanf(text, "%lld %lld %lld %lld %lld", &n[1], &n[2], &n[3], &n[4],
		&n[5]) != 5)
		return false;
	*b = (struct traces_block){ n[0], n[1], n[2], n[3], n[4], n[5] };
	return true;
}

int
traces_blocks(struct req *req, struct traces_block **blocks, size_t *n)
{
	struct cache_reply *all;
	struct traces_block *list;
	int rc = cache_command(req, &all, "HGETALL", TRACES_BLOCKS, NULL);

	if (rc < 0)
		return rc;
	if (all->type != CACHE_LIST)
		return req_bug(req);
	list = arena_alloc(req->arena, (all->len / 2 + 1) * sizeof(list[0]));
	*n = 0;
	for (size_t i = 0; i + 1 < all->len; i += 2) {
		if (read_block(all->list[i]->s, all->list[i + 1]->s, &list[*n]))
			++*n;
	}
	qsort(list, *n, sizeof(list[0]), newest_first);
	*blocks = list;
	return RC_OK;
}

int
traces_read(struct req *req, const char *name, const int64_t *numbers, size_t n,
    struct cache_reply ***replies)
{
	for (size_t i = 0; i < n; i++)
		cache_queue(req, "LRANGE", traces_key(req, name, numbers[i]),
		    "0", "-1", NULL);
	return cache_run(req, replies);
}

/* --- ids --- */

/* True when the text has the id that is looked for, or one. */
static bool
find_id(struct search *search, const struct cache_reply *text)
{
	const char *s = text->s;
	bool found = false;

	if (text->type != CACHE_TEXT)
		return false;
	for (size_t at = 0; at + TRACES_ID <= text->len; at += TRACES_ID) {
		if (memcmp(s + at, search->prefix, search->digits) != 0)
			continue;
		found = true;
		if (!search->id[0])
			memcpy(search->id, s + at, TRACES_DIGITS);
		else if (memcmp(search->id, s + at, TRACES_DIGITS) != 0)
			search->several = true;
	}
	return found;
}

static bool
block_has(struct search *search, const struct cache_reply *texts)
{
	bool has = false;

	if (texts->type != CACHE_LIST)
		return false;
	for (size_t i = 0; i < texts->len; i++)
		has |= find_id(search, texts->list[i]);
	return has;
}

static int
find_blocks(struct req *req, struct search *search)
{
	struct traces_block *blocks;
	struct cache_reply **ids;
	int64_t numbers[IDS_AT_ONCE];
	size_t all = 0, n;
	int rc = traces_blocks(req, &blocks, &all);

	search->newest = rc == RC_OK && all ? blocks[0].number : 0;
	for (size_t i = 0; rc == RC_OK && i < all; i += n) {
		for (n = 0; n < IDS_AT_ONCE && i + n < all; n++)
			numbers[n] = blocks[i + n].number;
		rc = traces_read(req, TRACES_IDS, numbers, n, &ids);
		for (size_t j = 0; rc == RC_OK && j < n; j++) {
			if (block_has(search, ids[j]) &&
			    search->nblocks < BLOCKS_MAX)
				search->blocks[search->nblocks++] = numbers[j];
		}
	}
	return rc;
}

/* --- lines --- */

static bool
is_of(const struct search *search, const char *line, size_t len)
{
	struct logline_value id;

	return memmem(line, len, search->id, TRACES_DIGITS) &&
	    logline_find(line, len, "trace", &id) &&
	    logline_is(&id, search->id);
}

static void
take_line(struct search *search, const char *line, size_t len)
{
	struct logline_value ts;
	struct line *new = &search->lines[search->nlines];

	if (search->full || !is_of(search, line, len))
		return;
	search->bytes += len;
	search->full =
	    search->nlines == LINES_MAX || search->bytes > LINES_BYTES;
	if (search->full)
		return;
	*new = (struct line){ line, len, search->nlines++, 0 };
	if (logline_find(line, len, "ts", &ts))
		new->time = logline_time(&ts);
}

/* From its end to its beginning, as all here: the latest come first. */
static void
take_lines(struct search *search, const struct cache_reply *text)
{
	const char *s = text->s, *before;
	size_t left = text->type == CACHE_TEXT ? text->len : 0, start;

	for (; left; left = start) {
		before = memrchr(s, '\n', left - 1);
		start = before ? (size_t)(before - s) + 1 : 0;
		take_line(search, s + start, left - start);
	}
}

static void
take_block(struct search *search, const struct cache_reply *texts)
{
	size_t n = texts->type == CACHE_LIST ? texts->len : 0;

	while (n)
		take_lines(search, texts->list[--n]);
}

/* The newest block first, and no more of them than are needed. */
static int
read_lines(struct req *req, struct search *search)
{
	struct cache_reply **blocks;
	size_t n;
	int rc;

	for (size_t i = 0; i < search->nblocks && !search->full; i += n) {
		n = search->nblocks - i;
		if (n > BLOCKS_AT_ONCE)
			n = BLOCKS_AT_ONCE;
		rc = traces_read(
		    req, TRACES_LINES, &search->blocks[i], n, &blocks);
		if (rc < 0)
			return rc;
		for (size_t j = 0; j < n; j++)
			take_block(search, blocks[j]);
	}
	return RC_OK;
}

/* Within a microsecond, the order is that in which they were added. */
static int
by_time(const void *a, const void *b)
{
	const struct line *la = a, *lb = b;

	if (la->time != lb->time)
		return la->time < lb->time ? -1 : 1;
	return (la->place < lb->place) - (la->place > lb->place);
}

/* What was given to traces_add() again stands there twice. */
static bool
is_repeated(const struct search *search, size_t i)
{
	const struct line *lines = search->lines;

	for (size_t j = i; j > 0 && lines[j - 1].time == lines[i].time; j--) {
		if (lines[j - 1].len == lines[i].len &&
		    memcmp(lines[j - 1].s, lines[i].s, lines[i].len) == 0)
			return true;
	}
	return false;
}

static json_t *
lines_of(struct search *search)
{
	json_t *list = json_array(), *line;

	qsort(search->lines, search->nlines, sizeof(search->lines[0]), by_time);
	for (size_t i = 0; i < search->nlines; i++) {
		if (is_repeated(search, i))
			continue;
		line = json_loadb(search->lines[i].s, search->lines[i].len,
		    JSON_ALLOW_NUL, NULL);
		if (json_is_object(line))
			json_array_append_new(list, line);
	}
	return list;
}

static int
none(struct req *req)
{
	return req_fail(req, RC_NOT_FOUND, "%s",
	    _("There is no such trace. They are kept for a while only."));
}

int
traces_find(struct req *req, const char *id, json_t **lines)
{
	struct search search = { .prefix = id, .digits = strlen(id) };
	json_t *list;
	int rc;

	if (search.digits < LEAST_DIGITS || search.digits > TRACES_DIGITS ||
	    strspn(id, "0123456789abcdef") != search.digits)
		return none(req);
	rc = find_blocks(req, &search);
	if (rc < 0)
		return rc;
	/* What is not there costs as much as what the reader may not see: the
	 * foot of the page tells how much that was. */
	if (search.nblocks == 0)
		search.blocks[search.nblocks++] = search.newest;
	search.lines =
	    arena_alloc(req->arena, LINES_MAX * sizeof(search.lines[0]));
	rc = read_lines(req, &search);
	if (rc < 0)
		return rc;
	if (search.several)
		return req_fail(req, RC_NOT_FOUND, "%s",
		    _("Several traces begin so. Please give more digits."));
	list = lines_of(&search);
	if (json_array_size(list) == 0)
		return none(req);
	*lines = list;
	return RC_OK;
}
