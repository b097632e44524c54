/* logs_filter -- which lines are wanted, found without parsing the others:
 * see logs.h. */
#include "buf.h"
#include "command.h"
#include "hash.h"
#include "log.h"
#include "logline.h"
#include "logs.h"

static const char *const level_names[] = { "debug", "info", "warn", "error" };

/* --- a set of trace ids --- */

struct logs_traces {
	char (*id)[SPAN_TRACE_DIGITS]; /* "": a free place */
	size_t n, size;		       /* size is a power of two */
};

static bool
is_id(const struct logline_value *value)
{
	return value->text && value->len == SPAN_TRACE_DIGITS;
}

/* Where the id is, or would be. */
static size_t
place_of(const struct logs_traces *set, const char *id)
{
	size_t i = hash_of(id, SPAN_TRACE_DIGITS) & (set->size - 1);

	while (set->id[i][0] && memcmp(set->id[i], id, SPAN_TRACE_DIGITS) != 0)
		i = (i + 1) & (set->size - 1);
	return i;
}

static bool
set_has(const struct logs_traces *set, const char *id)
{
	return set->n > 0 && set->id[place_of(set, id)][0];
}

static void
set_put(struct logs_traces *set, const char *id)
{
	size_t i = place_of(set, id);

	if (!set->id[i][0])
		set->n++;
	memcpy(set->id[i], id, SPAN_TRACE_DIGITS);
}

static void
set_grow(struct logs_traces *set)
{
	struct logs_traces larger = { .size =
					  set->size ? set->size * 2 : 1024 };

	larger.id = calloc(larger.size, sizeof(*larger.id));
	if (!larger.id)
		command_die("there is no memory");
	for (size_t i = 0; i < set->size; i++)
		if (set->id[i][0])
			set_put(&larger, set->id[i]);
	free(set->id);
	*set = larger;
}

static void
set_add(struct logs_traces *set, const char *id)
{
	if (set->n * 2 >= set->size)
		set_grow(set);
	set_put(set, id);
}

/* --- what each wanted line must hold --- */

/* As a line has it: quotes and what cannot stand in a line are escaped. */
static char *
escaped(const char *text)
{
	struct buf b = BUF_INIT(1 << 20);

	buf_json(&b, text, strlen(text));
	if (b.over || !b.data)
		command_die("that text is too long, or empty");
	return b.data;
}

/*
 * The rarest first.  Quotes within a text are escaped, so none of these is
 * found in what a client sent.
 */
static void
choose_needle(struct logs_filter *f)
{
	char *needle = f->needle;
	size_t size = sizeof(f->needle), star;

	if (f->trace) {
		snprintf(needle, size, "\"trace\":\"%s", f->trace);
	} else if (f->grep && strcmp(f->grep, f->grep_escaped) == 0 &&
	    strlen(f->grep) < size) {
		snprintf(needle, size, "%s", f->grep);
	} else if (f->event) {
		star = strcspn(f->event, "*");
		snprintf(needle, size, "\"ev\":\"%.*s%s", (int)star, f->event,
		    f->event[star] ? "" : "\"");
	} else if (f->route) {
		/* "prog" of one line, "route" of the other. */
		snprintf(needle, size, "\":\"%s\"", f->route);
	} else if (f->prog) {
		snprintf(needle, size, "\"prog\":\"%s\"", f->prog);
	} else if (f->level == LOG_ERROR) {
		snprintf(needle, size, "\"lvl\":\"error\"");
	}
}

void
logs_filter_begin(struct logs_filter *f)
{
	if (f->grep)
		f->grep_escaped = escaped(f->grep);
	if (f->user) {
		f->traces = calloc(1, sizeof(*f->traces));
		if (!f->traces)
			command_die("there is no memory");
	}
	choose_needle(f);
}

void
logs_filter_end(struct logs_filter *f)
{
	if (f->traces)
		free(f->traces->id);
	free(f->traces);
	free(f->grep_escaped);
}

/* --- one line --- */

static bool
has(const struct logs_line *line, const char *text)
{
	return memmem(line->s, line->len, text, strlen(text)) != NULL;
}

static bool
is_event(const struct logline_value *value, const char *event)
{
	size_t len = strcspn(event, "*");

	if (!event[len])
		return logline_is(value, event);
	return value->text && value->len >= len &&
	    memcmp(value->s, event, len) == 0;
}

static int
level_of(const struct logline_value *value)
{
	for (size_t i = 0; i < LENGTH(level_names); i++)
		if (logline_is(value, level_names[i]))
			return (int)i;
	return -1;
}

static bool
is_trace(const struct logs_filter *f, const struct logline_value *value)
{
	if (f->trace &&
	    (!is_id(value) ||
		memcmp(value->s, f->trace, strlen(f->trace)) != 0))
		return false;
	return !f->user || (is_id(value) && set_has(f->traces, value->s));
}

enum { TRACE = 1, PROG = 2, EVENT = 4, LEVEL = 8, ROUTE = 16 };

/* Which conditions a line must fulfil that are about one of its keys. */
static unsigned
conditions(const struct logs_filter *f)
{
	return (f->trace || f->user ? TRACE : 0u) | (f->prog ? PROG : 0u) |
	    (f->event ? EVENT : 0u) | (f->level > LOG_DEBUG ? LEVEL : 0u) |
	    (f->route ? ROUTE : 0u);
}

/* The conditions that this key fulfils; *never when it fails one for good. */
static unsigned
fulfilled(const struct logs_filter *f, const struct logline_value *key,
    const struct logline_value *value, unsigned open, bool *never)
{
	unsigned done = 0;

	if (open & TRACE && logline_is(key, "trace"))
		done = is_trace(f, value) ? TRACE : 0;
	else if (open & LEVEL && logline_is(key, "lvl"))
		done = level_of(value) >= f->level ? LEVEL : 0;
	else if (open & EVENT && logline_is(key, "ev"))
		done = is_event(value, f->event) ? EVENT : 0;
	else if (open & PROG && logline_is(key, "prog"))
		done = logline_is(value, f->prog) ? PROG : 0;
	else if (open & ROUTE &&
	    (logline_is(key, "prog") || logline_is(key, "route")))
		return logline_is(value, f->route) ? ROUTE : 0;
	else
		return 0;
	/* A program of both --prog and --route stands in the same key. */
	if (done == PROG && open & ROUTE && logline_is(value, f->route))
		done |= ROUTE;
	*never = done == 0;
	return done;
}

static bool
keys_fit(const struct logs_filter *f, const struct logs_line *line)
{
	const char *at = line->s, *end = line->s + line->len;
	unsigned open = conditions(f);
	struct logline_value key, value;
	bool never = false;

	while (open && !never && logline_next(&at, end, &key, &value))
		open &= ~fulfilled(f, &key, &value, open, &never);
	return open == 0 && !never;
}

static bool
is_wanted(const struct logs_filter *f, const struct logs_line *line)
{
	if ((f->since && line->us < f->since) ||
	    (f->until && line->us > f->until))
		return false;
	if (f->grep && !has(line, f->grep) && !has(line, f->grep_escaped))
		return false;
	return keys_fit(f, line);
}

/* Lines begin with their time, for which nothing else need be read. */
static int64_t
time_of(const char *line, const char *end)
{
	static const char start[] = "{\"ts\":\"";
	struct logline_value value = { .s = line + sizeof(start) - 1,
		.text = true };
	const char *quote;

	if ((size_t)(end - line) < sizeof(start) + 28 ||
	    memcmp(line, start, sizeof(start) - 1) != 0)
		return 0;
	quote = memchr(value.s, '"', 28);
	value.len = quote ? (size_t)(quote - value.s) : 0;
	return logline_time(&value);
}

/* --- many lines --- */

static const char *
end_of_line(const char *s, const char *end)
{
	const char *newline = memchr(s, '\n', (size_t)(end - s));

	return newline ? newline : end;
}

static const char *
line_start(const char *s, const char *start)
{
	const char *before = memrchr(start, '\n', (size_t)(s - start));

	return before ? before + 1 : start;
}

/* Where the next line begins that holds the needle. */
static const char *
next_candidate(const struct logs_filter *f, const char *at, const char *end)
{
	const char *found;

	if (!f->needle[0] || at == end)
		return at;
	found = memmem(at, (size_t)(end - at), f->needle, strlen(f->needle));
	return found ? line_start(found, at) : end;
}

bool
logs_next(const struct logs_filter *f, const char **at, const char *end,
    int64_t *last_us, struct logs_line *line)
{
	const char *s = *at;

	while ((s = next_candidate(f, s, end)) < end) {
		const char *last = end_of_line(s, end);
		int64_t us = time_of(s, last);

		if (us)
			*last_us = us;
		*line = (struct logs_line){ s, (size_t)(last - s), *last_us };
		s = last < end ? last + 1 : end;
		if (line->len > 0 && is_wanted(f, line)) {
			*at = s;
			return true;
		}
	}
	*at = end;
	return false;
}

static void
add_trace_of(struct logs_filter *f, const char *line, const char *end)
{
	struct logline_value value;

	if (logline_find(line, (size_t)(end - line), "trace", &value) &&
	    is_id(&value))
		set_add(f->traces, value.s);
}

void
logs_find_traces(struct logs_filter *f, const char *at, const char *end)
{
	char needle[48];
	size_t len = (size_t)snprintf(
	    needle, sizeof(needle), "\"user\":%lld", (long long)f->user);
	const char *found;

	while ((found = memmem(at, (size_t)(end - at), needle, len))) {
		const char *last = end_of_line(found, end);

		/* Of 12, 123 is another one. */
		if (found[len] == '}' || found[len] == ',')
			add_trace_of(f, line_start(found, at), last);
		at = last;
	}
}

/* --- where in a file to look --- */

/* The time of the first line that has one, at or behind s and before end. */
static int64_t
time_behind(const char *s, const char *start, const char *end)
{
	int64_t us = 0;

	if (s > start && s[-1] != '\n')
		s = end_of_line(s, end) + 1;
	while (us == 0 && s < end) {
		const char *last = end_of_line(s, end);

		us = time_of(s, last);
		s = last + 1;
	}
	return us;
}

/*
 * A place with no line behind it that was made before `us`, but for those of
 * requests that took long: by halves, for files are almost in order of time.
 * A place where all behind it are later when `all`, else where all before it
 * are earlier.
 */
static const char *
split(const char *start, const char *end, int64_t us, bool all)
{
	const char *low = start, *high = end;

	while (high - low > 4096) {
		const char *middle = low + (high - low) / 2;
		int64_t there = time_behind(middle, start, high);

		if (there == 0 || there >= us)
			high = middle;
		else
			low = middle;
	}
	return all ? high : low;
}

void
logs_range(const struct logs_filter *f, const char **at, const char **end)
{
	const char *start = *at, *last = *end;

	if (f->until) {
		last = split(start, last, f->until + LOGS_LATE_US, true);
		last = end_of_line(last, *end);
	}
	if (f->since)
		start = line_start(
		    split(start, last, f->since - LOGS_LATE_US, false), start);
	*at = start;
	*end = last;
}
