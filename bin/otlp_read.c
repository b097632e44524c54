/*
 * otlp_read -- which lines are to be sent, from the blocks in Redis: see
 * otlp.h and lib/traces.h.
 *
 * Blocks are read from a remembered place on.  The lines of a request do not
 * arrive together (nginx's comes up to a second later), so what arrived just
 * now is looked at, too, but the place stays before it until it is a few
 * seconds old.  Lines that were sent from there are remembered by their
 * hashes; after a restart those of a few seconds may be sent twice.
 */
#include "cache.h"
#include "hash.h"
#include "log.h"
#include "logline.h"
#include "otlp.h"
#include "traces_internal.h"

#define PLACE "otlp-place" /* "BLOCK TEXT" */
#define SETTLED_US 3000000
#define WAITS_US 1500000     /* for nginx's lines */
#define WINDOW_BYTES 1000000 /* of lines in a round */
#define TEXTS 64	     /* of a block, read at a time */
#define LINES 16384	     /* in a window */
#define HASHES 65536	     /* a power of two */

struct line {
	const char *s;
	size_t len;
	const char *trace;
	size_t text; /* in which text of the window */
	size_t order;
};

struct text {
	int64_t block, index; /* where it is */
	int64_t newest;	      /* time of its lines */
};

struct reading {
	int64_t block, index; /* of what comes next */
	struct text *texts;
	size_t ntexts;
	struct line *lines;
	size_t nlines;
	int64_t bytes;
	bool full; /* there is more */
};

/* --- what was sent --- */

/* Two generations, so that the older half can be forgotten. */
static struct hashes {
	uint64_t hash[HASHES];
	size_t n;
} young, old;

/* 0 stands for a free place. */
static uint64_t
mark_of(const char *s, size_t len)
{
	uint64_t hash = hash_of(s, len);

	return hash ? hash : 1;
}

static size_t
place_of(const struct hashes *set, uint64_t hash)
{
	size_t i = (hash >> 32) & (HASHES - 1);

	while (set->hash[i] && set->hash[i] != hash)
		i = (i + 1) & (HASHES - 1);
	return i;
}

static bool
was_sent(const struct line *line)
{
	uint64_t hash = mark_of(line->s, line->len);

	return young.hash[place_of(&young, hash)] ||
	    old.hash[place_of(&old, hash)];
}

void
otlp_sent(const struct otlp_trace *trace)
{
	for (size_t i = 0; i < trace->n; i++) {
		uint64_t hash = mark_of(trace->line[i], trace->len[i]);

		if (young.n > HASHES / 2) {
			old = young;
			memset(&young, 0, sizeof(young));
		}
		young.hash[place_of(&young, hash)] = hash;
		young.n++;
	}
}

/* --- blocks that went away --- */

static struct {
	struct traces_block block[256];
	size_t n;
	int64_t lost;
	int64_t whole; /* block that was sent to its end; 0: none */
} known;

int64_t
otlp_lost(void)
{
	int64_t lost = known.lost;

	known.lost = 0;
	return lost;
}

static bool
has_block(const struct traces_block *blocks, size_t n, int64_t number)
{
	for (size_t i = 0; i < n; i++)
		if (blocks[i].number == number)
			return true;
	return false;
}

/* What was to come next, and is no more: an hour is over, or there was too
 * much of it. */
static void
count_lost(const struct traces_block *blocks, size_t n, int64_t from)
{
	for (size_t i = 0; i < known.n; i++)
		if (known.block[i].number >= from &&
		    known.block[i].number != known.whole &&
		    !has_block(blocks, n, known.block[i].number))
			known.lost += known.block[i].bytes;
	known.n = n < LENGTH(known.block) ? n : LENGTH(known.block);
	/* They come newest first, and go oldest first. */
	if (known.n)
		memcpy(known.block, blocks + (n - known.n),
		    known.n * sizeof(blocks[0]));
}

/* --- lines --- */

/* Its trace and its time, which come first. */
static bool
read_line(struct line *line, int64_t *time)
{
	const char *at = line->s, *end = at + line->len;
	struct logline_value key, value;

	line->trace = NULL;
	*time = 0;
	while (!line->trace && logline_next(&at, end, &key, &value)) {
		if (logline_is(&key, "ts"))
			*time = logline_time(&value);
		else if (logline_is(&key, "trace") && value.text &&
		    value.len == TRACES_DIGITS)
			line->trace = value.s;
	}
	return line->trace && *time;
}

static void
take_text(struct reading *r, const struct cache_reply *reply, int64_t index)
{
	struct text *text = &r->texts[r->ntexts];
	const char *s = reply->s, *end = s + reply->len, *last;
	int64_t time;

	*text = (struct text){ .block = r->block, .index = index };
	for (; s < end && (last = memchr(s, '\n', (size_t)(end - s)));
	     s = last + 1) {
		struct line line = { .s = s,
			.len = (size_t)(last - s),
			.text = r->ntexts,
			.order = r->nlines };

		if (r->nlines == LINES || !read_line(&line, &time))
			continue;
		if (time > text->newest)
			text->newest = time;
		if (!was_sent(&line))
			r->lines[r->nlines++] = line;
	}
	r->bytes += (int64_t)reply->len;
	r->ntexts++;
}

/* The next texts of a block; 0 at its end. */
static int
read_texts(struct req *req, struct reading *r, size_t *n)
{
	struct cache_reply *reply;
	int rc = cache_command(req, &reply, "LRANGE",
	    traces_key(req, TRACES_LINES, r->block),
	    arena_printf(req->arena, "%lld", (long long)r->index),
	    arena_printf(req->arena, "%lld", (long long)r->index + TEXTS - 1),
	    NULL);

	if (rc < 0)
		return rc;
	*n = reply->type == CACHE_LIST ? reply->len : 0;
	for (size_t i = 0; i < *n && !r->full; i++) {
		if (reply->list[i]->type == CACHE_TEXT)
			take_text(r, reply->list[i], r->index);
		r->index++;
		r->full = r->bytes >= WINDOW_BYTES || r->ntexts == LINES ||
		    r->nlines >= LINES / 2;
	}
	return RC_OK;
}

static int
oldest_first(const void *a, const void *b)
{
	const struct traces_block *one = a, *two = b;

	return (one->number > two->number) - (one->number < two->number);
}

static int
read_blocks(struct req *req, struct reading *r)
{
	struct traces_block *blocks;
	size_t n, texts;
	int rc = traces_blocks(req, &blocks, &n);

	if (rc < 0)
		return rc;
	count_lost(blocks, n, r->block);
	qsort(blocks, n, sizeof(blocks[0]), oldest_first);
	for (size_t i = 0; i < n && !r->full; i++) {
		if (blocks[i].number < r->block)
			continue;
		if (blocks[i].number > r->block) {
			r->block = blocks[i].number;
			r->index = 0;
		}
		do {
			rc = read_texts(req, r, &texts);
			if (rc < 0)
				return rc;
		} while (texts && !r->full);
	}
	return RC_OK;
}

static int
read_place(struct req *req, struct reading *r)
{
	struct cache_reply *reply;
	long long block = 0, index = 0;
	int rc = cache_command(req, &reply, "GET", PLACE, NULL);

	if (rc < 0)
		return rc;
	if (reply->type == CACHE_TEXT &&
	    sscanf(reply->s, "%lld %lld", &block, &index) != 2)
		block = index = 0;
	r->block = block;
	r->index = index;
	return RC_OK;
}

/* --- traces --- */

/* How many texts are done with: what they have waits for nothing more. */
static size_t
settled(const struct reading *r)
{
	int64_t now = log_clock(), newest = 0, until;
	size_t n = 0;

	for (size_t i = 0; i < r->ntexts; i++)
		if (r->texts[i].newest > newest)
			newest = r->texts[i].newest;
	until = r->full ? newest - WAITS_US : now - SETTLED_US;
	/* A time that is yet to come is no reason to wait: the clock was
	 * wrong. */
	while (n < r->ntexts &&
	    (r->texts[n].newest <= until || r->texts[n].newest > now + 5000000))
		n++;
	/* More in a second and a half than a window holds. */
	return r->full && n == 0 ? (r->ntexts + 1) / 2 : n;
}

static int
by_trace(const void *a, const void *b)
{
	const struct line *one = a, *two = b;
	int different = memcmp(one->trace, two->trace, TRACES_DIGITS);

	if (different)
		return different;
	return (one->order > two->order) - (one->order < two->order);
}

/* What the recorder wrote twice, after a failure, is sent once. */
static bool
is_twice(const struct line *lines, size_t n, const struct line *line)
{
	for (size_t i = 0; i < n; i++)
		if (lines[i].len == line->len &&
		    memcmp(lines[i].s, line->s, line->len) == 0)
			return true;
	return false;
}

static void
take_trace(struct req *req, struct otlp_trace *trace, const struct line *lines,
    size_t n)
{
	trace->line = arena_alloc(req->arena, n * sizeof(trace->line[0]));
	trace->len = arena_alloc(req->arena, n * sizeof(trace->len[0]));
	trace->n = 0;
	for (size_t i = 0; i < n; i++) {
		if (n < 500 && is_twice(lines, i, &lines[i]))
			continue;
		trace->line[trace->n] = lines[i].s;
		trace->len[trace->n++] = lines[i].len;
	}
}

static void
take_traces(
    struct req *req, struct reading *r, size_t done, struct otlp_window *window)
{
	size_t n;

	qsort(r->lines, r->nlines, sizeof(r->lines[0]), by_trace);
	window->traces = arena_alloc(
	    req->arena, (r->nlines + 1) * sizeof(window->traces[0]));
	window->n = 0;
	for (size_t i = 0; i < r->nlines; i += n) {
		for (n = 1; i + n < r->nlines &&
		     memcmp(r->lines[i].trace, r->lines[i + n].trace,
			 TRACES_DIGITS) == 0;
		     n++)
			continue;
		/* Its first line tells whether it is its turn. */
		if (r->lines[i].text < done)
			take_trace(
			    req, &window->traces[window->n++], &r->lines[i], n);
	}
}

int
otlp_read(struct req *req, struct otlp_window *window)
{
	struct reading r = { 0 };
	struct text from;
	size_t done;
	int rc = read_place(req, &r);

	if (rc < 0)
		return rc;
	from = (struct text){ .block = r.block, .index = r.index };
	r.texts = arena_alloc(req->arena, LINES * sizeof(r.texts[0]));
	r.lines = arena_alloc(req->arena, LINES * sizeof(r.lines[0]));
	rc = read_blocks(req, &r);
	if (rc < 0)
		return rc;
	done = settled(&r);
	*window = (struct otlp_window){ 0 };
	window->block = done < r.ntexts ? r.texts[done].block : r.block;
	window->text = done < r.ntexts ? r.texts[done].index : r.index;
	window->is_whole = done == r.ntexts && !r.full;
	if (r.ntexts)
		known.whole = 0;
	window->is_new =
	    window->block != from.block || window->text != from.index;
	take_traces(req, &r, done, window);
	return RC_OK;
}

int
otlp_read_on(struct req *req, const struct otlp_window *window)
{
	struct cache_reply *reply;
	int rc = cache_command(req, &reply, "SET", PLACE,
	    arena_printf(req->arena, "%lld %lld", (long long)window->block,
		(long long)window->text),
	    NULL);

	if (rc == RC_OK && window->is_whole)
		known.whole = window->block;
	return rc;
}
