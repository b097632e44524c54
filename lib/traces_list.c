/* traces_list -- lists of traces, from Redis: see traces.h. */
#include "traces_internal.h"

#include "cache.h"
#include "metric.h"
#include "model.h"

#define BLOCKS_AT_ONCE 8
#define LIST_MAX 200
#define MARK_SIZE 64 /* of a cursor */

/* A summary; texts are in the reply of Redis. */
struct entry {
	int64_t time, us, status, user, db, redis, bytes;
	const char *method, *route, *id, *path;
	size_t method_len, route_len, path_len;
};

/* The best so far, the best first; one more than a page says that there is
 * another page. */
struct page {
	const struct traces_filter *filter;
	struct entry before; /* time 0: no cursor */
	struct entry *entries;
	size_t n, max;
};

/* --- summaries --- */

/* A number and what ends it; false when there is none. */
static bool
read_number(const char **at, int64_t *n)
{
	char *end;

	*n = strtoll(*at, &end, 10);
	if (end == *at || *end != ' ')
		return false;
	*at = end + 1;
	return true;
}

static bool
read_word(const char **at, const char **word, size_t *len)
{
	size_t n = strcspn(*at, " \n");

	*word = *at;
	*len = n;
	if (n == 0)
		return false;
	*at += n + ((*at)[n] == ' ');
	return true;
}

static bool
read_entry(const char *at, struct entry *e)
{
	size_t digits;

	return read_number(&at, &e->time) && read_number(&at, &e->us) &&
	    read_number(&at, &e->status) &&
	    read_word(&at, &e->method, &e->method_len) &&
	    read_word(&at, &e->route, &e->route_len) &&
	    read_number(&at, &e->user) && read_number(&at, &e->db) &&
	    read_number(&at, &e->redis) && read_number(&at, &e->bytes) &&
	    read_word(&at, &e->id, &digits) && digits == TRACES_DIGITS &&
	    read_word(&at, &e->path, &e->path_len);
}

/* --- order --- */

/* Is a in front of b?  Of the same time, somebody must be. */
static bool
is_newer(const struct entry *a, const struct entry *b)
{
	if (a->time != b->time)
		return a->time > b->time;
	return memcmp(a->id, b->id, TRACES_DIGITS) > 0;
}

static bool
is_better(const struct page *page, const struct entry *a, const struct entry *b)
{
	if (page->filter->order == TRACES_SLOWEST && a->us != b->us)
		return a->us > b->us;
	return is_newer(a, b);
}

static bool
is_same(const struct entry *a, const struct entry *b)
{
	return a->time == b->time && memcmp(a->id, b->id, TRACES_DIGITS) == 0;
}

/* --- pages --- */

static bool
is_route(const struct entry *e, const char *route)
{
	return strlen(route) == e->route_len &&
	    memcmp(route, e->route, e->route_len) == 0;
}

static bool
passes(const struct page *page, const struct entry *e)
{
	const struct traces_filter *f = page->filter;

	return (!page->before.time || is_newer(&page->before, e)) &&
	    (!f->route || is_route(e, f->route)) &&
	    e->status >= f->status_from &&
	    (!f->status_to || e->status <= f->status_to) &&
	    e->us >= f->least_us && (!f->user || e->user == f->user) &&
	    (f->order != TRACES_ERRORS || e->status >= 400);
}

static void
add_entry(struct page *page, const struct entry *e)
{
	size_t i = page->n;

	while (i > 0 && is_better(page, e, &page->entries[i - 1]))
		i--;
	if (i == page->max || (i > 0 && is_same(e, &page->entries[i - 1])))
		return;
	if (page->n < page->max)
		page->n++;
	memmove(&page->entries[i + 1], &page->entries[i],
	    (page->n - 1 - i) * sizeof(*e));
	page->entries[i] = *e;
}

static void
add_text(struct page *page, const struct cache_reply *text)
{
	const char *s = text->type == CACHE_TEXT ? text->s : "";
	struct entry e;

	while (*s) {
		if (read_entry(s, &e) && passes(page, &e))
			add_entry(page, &e);
		s += strcspn(s, "\n");
		s += *s == '\n';
	}
}

static void
add_block(struct page *page, const struct cache_reply *texts)
{
	size_t n = texts->type == CACHE_LIST ? texts->len : 0;

	for (size_t i = 0; i < n; i++)
		add_text(page, texts->list[i]);
}

/* The page is full of what is newer than all of that block. */
static bool
is_beyond(const struct page *page, const struct traces_block *block)
{
	return page->filter->order != TRACES_SLOWEST && page->n == page->max &&
	    page->entries[page->n - 1].time > block->newest;
}

static bool
is_wanted(const struct page *page, const struct traces_block *block)
{
	return block->newest && !is_beyond(page, block) &&
	    (!page->before.time || block->oldest <= page->before.time);
}

static int
latest_first(const void *a, const void *b)
{
	const struct traces_block *ba = a, *bb = b;

	return (ba->newest < bb->newest) - (ba->newest > bb->newest);
}

static int
fill(struct req *req, struct page *page)
{
	struct traces_block *blocks;
	struct cache_reply **lists;
	int64_t numbers[BLOCKS_AT_ONCE];
	size_t all, i = 0;
	int rc = traces_blocks(req, &blocks, &all);

	if (rc < 0)
		return rc;
	qsort(blocks, all, sizeof(blocks[0]), latest_first);
	while (i < all) {
		size_t n = 0;

		for (; n < BLOCKS_AT_ONCE && i < all; i++) {
			if (is_wanted(page, &blocks[i]))
				numbers[n++] = blocks[i].number;
		}
		rc = traces_read(req, TRACES_LIST, numbers, n, &lists);
		if (rc < 0)
			return rc;
		for (size_t j = 0; j < n; j++)
			add_block(page, lists[j]);
	}
	return RC_OK;
}

/* --- the answer --- */

static json_t *
json_of(const struct entry *e)
{
	json_t *o = json_object();
	bool no_route = e->route_len == 1 && *e->route == '-';

	model_set(o, "id", json_stringn_nocheck(e->id, TRACES_DIGITS));
	model_set_int(o, "time", e->time);
	model_set_int(o, "us", e->us);
	model_set_int(o, "status", e->status);
	model_set(o, "method", json_stringn(e->method, e->method_len));
	model_set(
	    o, "route", json_stringn(e->route, no_route ? 0 : e->route_len));
	model_set(o, "path", json_stringn(e->path, e->path_len));
	model_set_int(o, "user", e->user);
	model_set_bool(o, "failed", e->status >= 500);
	model_set_int(o, "db", e->db);
	model_set_int(o, "redis", e->redis);
	model_set_int(o, "bytes", e->bytes);
	return o;
}

/* "TIME-ID"; what is none is no cursor. */
static void
read_cursor(const char *text, struct entry *before)
{
	char *end;
	int64_t time = strtoll(text, &end, 10);

	if (time <= 0 || *end != '-' || strlen(end + 1) != TRACES_DIGITS)
		return;
	*before = (struct entry){ .time = time, .id = end + 1 };
}

static const char *
cursor_of(struct req *req, const struct entry *last)
{
	return arena_printf(req->arena, "%lld-%.*s", (long long)last->time,
	    TRACES_DIGITS, last->id);
}

int
traces_list(struct req *req, const struct traces_filter *filter, json_t **list,
    const char **cursor)
{
	size_t max =
	    filter->max && filter->max < LIST_MAX ? filter->max : LIST_MAX;
	struct page page = { .filter = filter, .max = max + 1 };
	bool more;
	int rc;

	page.entries =
	    arena_alloc(req->arena, page.max * sizeof(page.entries[0]));
	if (filter->before && filter->order != TRACES_SLOWEST)
		read_cursor(filter->before, &page.before);
	rc = fill(req, &page);
	if (rc < 0)
		return rc;
	more = page.n > max;
	if (more)
		page.n = max;
	*list = json_array();
	for (size_t i = 0; i < page.n; i++)
		json_array_append_new(*list, json_of(&page.entries[i]));
	*cursor = more && filter->order != TRACES_SLOWEST ?
	    cursor_of(req, &page.entries[max - 1]) :
	    NULL;
	return RC_OK;
}

int
traces_kept(struct req *req, struct traces_kept *kept)
{
	struct traces_kept sum = { 0 };
	struct traces_block *blocks;
	size_t n;
	int rc = traces_blocks(req, &blocks, &n);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		sum.traces += blocks[i].traces;
		sum.bytes += blocks[i].bytes;
		if (blocks[i].oldest &&
		    (!sum.oldest || blocks[i].oldest < sum.oldest))
			sum.oldest = blocks[i].oldest;
	}
	*kept = sum;
	return RC_OK;
}
