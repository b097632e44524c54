/* trace_logs -- finds lines in log files of any size: see trace.h. */
#include "command.h"
#include "trace.h"
#include "utf8.h"

/* --- lines --- */

struct line {
	const char *text;
	size_t len;
};

/* A path that a client sent may hold bytes that are not UTF-8. */
static json_t *
parse_mended(struct line line)
{
	char *copy = strndup(line.text, line.len);
	uint32_t ch;
	json_t *json;

	if (!copy)
		command_die("there is no memory");
	for (size_t i = 0, n; i < line.len; i += n ? n : 1) {
		n = utf8_next(copy + i, line.len - i, &ch);
		if (n == 0)
			copy[i] = '?';
	}
	json = json_loadb(copy, line.len, 0, NULL);
	free(copy);
	return json;
}

/* NULL when it is no line of ours: half written, or of another program. */
static json_t *
parse(struct line line)
{
	json_t *json = json_loadb(line.text, line.len, 0, NULL);

	if (!json)
		json = parse_mended(line);
	if (json && *span_text(json, "ts") && *span_text(json, "ev"))
		return json;
	json_decref(json);
	return NULL;
}

static struct line
line_around(const struct logs_file *log, const char *at)
{
	const char *end_of_log = log->data + log->len;
	const char *start = memrchr(log->data, '\n', (size_t)(at - log->data));
	const char *end = memchr(at, '\n', (size_t)(end_of_log - at));

	start = start ? start + 1 : log->data;
	end = end ? end : end_of_log;
	return (struct line){ start, (size_t)(end - start) };
}

static void
find_in(const struct logs_file *log, const char *digits, json_t *found)
{
	/* Searched for before anything is parsed; no text from a client has
	 * unescaped quotes, so this is always a key of ours. */
	char key[64];
	size_t key_len =
	    (size_t)snprintf(key, sizeof(key), "\"trace\":\"%s", digits);
	const char *p = log->data, *end = p + log->len;

	while (p && (p = memmem(p, (size_t)(end - p), key, key_len))) {
		struct line line = line_around(log, p);
		json_t *json = parse(line);

		if (json)
			json_array_append_new(found, json);
		p = line.text + line.len;
	}
}

json_t *
trace_logs_find(const struct logs_files *logs, const char *digits)
{
	json_t *found = json_array();

	for (size_t i = 0; i < logs->n; i++)
		find_in(&logs->file[i], digits, found);
	return found;
}

/* --- the latest requests --- */

static bool
has(struct line line, const char *text)
{
	return memmem(line.text, line.len, text, strlen(text)) != NULL;
}

/* A number, read without parsing all of the line; 0 for none. */
static int64_t
number_after(struct line line, const char *key, int64_t unit)
{
	const char *end = line.text + line.len;
	const char *p = memmem(line.text, line.len, key, strlen(key));
	bool fraction = false;
	int64_t n = 0;

	for (p = p ? p + strlen(key) : end; p < end; p++) {
		if (*p == '.')
			fraction = true;
		else if (*p < '0' || *p > '9')
			break;
		else if (fraction)
			n += (*p - '0') * (unit /= 10);
		else
			n = n * 10 + (*p - '0') * unit;
	}
	return n;
}

/* Does it tell of a whole request that took so long? */
static bool
is_wanted(struct line line, int64_t least_us)
{
	if (has(line, "\"ev\":\"nginx.request\""))
		return number_after(line, "\"request_time\":", 1000000) >=
		    least_us;
	return has(line, "\"ev\":\"req.end\"") &&
	    number_after(line, "\"us\":", 1) >= least_us;
}

/* nginx's processes write in turns, each what it has kept for a while: lines
 * are in order of time only roughly, so some more are looked at. */
#define OUT_OF_ORDER 1000

/* Going back from *end; false at the start of the file. */
static bool
line_before(const struct logs_file *log, size_t *end, struct line *line)
{
	const char *text;

	if (*end == 0)
		return false;
	text = memrchr(log->data, '\n', *end - 1);
	text = text ? text + 1 : log->data;
	*line = (struct line){ text, *end - (size_t)(text - log->data) };
	*end -= line->len;
	return true;
}

static void
latest_in(
    const struct logs_file *log, size_t n, int64_t least_us, json_t *found)
{
	size_t end = log->len;
	struct line line;
	json_t *json;

	n += OUT_OF_ORDER;
	while (n > 0 && line_before(log, &end, &line)) {
		if (!is_wanted(line, least_us) || !(json = parse(line)))
			continue;
		json_array_append_new(found, json);
		n--;
	}
}

static bool
is_of_nginx(const json_t *line)
{
	return strcmp(span_text(line, "ev"), "nginx.request") == 0;
}

/* What nginx has told need not be told again by the program. */
static json_t *
without_twins(const json_t *lines)
{
	json_t *seen = json_object(), *rest = json_array(), *line;
	size_t i;

	json_array_foreach(lines, i, line) {
		if (is_of_nginx(line))
			json_object_set_new(
			    seen, span_text(line, "trace"), json_true());
	}
	json_array_foreach(lines, i, line) {
		if (is_of_nginx(line) ||
		    !json_object_get(seen, span_text(line, "trace")))
			json_array_append(rest, line);
	}
	json_decref(seen);
	return rest;
}

static int
by_time(const void *a, const void *b)
{
	int64_t one = span_line_time(*(json_t *const *)a);
	int64_t two = span_line_time(*(json_t *const *)b);

	return (one > two) - (one < two);
}

/* The last n in order of time. */
static json_t *
last_of(const json_t *lines, size_t n)
{
	size_t count = json_array_size(lines);
	json_t **sorted = calloc(count + 1, sizeof(json_t *));
	json_t *last = json_array();

	if (!sorted)
		command_die("there is no memory");
	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(lines, i);
	qsort(sorted, count, sizeof(json_t *), by_time);
	for (size_t i = count > n ? count - n : 0; i < count; i++)
		json_array_append(last, sorted[i]);
	free(sorted);
	return last;
}

json_t *
trace_logs_latest(const struct logs_files *logs, size_t n, int64_t least_us)
{
	json_t *found = json_array(), *single, *last;

	for (size_t i = 0; i < logs->n; i++)
		latest_in(&logs->file[i], n, least_us, found);
	single = without_twins(found);
	last = last_of(single, n);
	json_decref(found);
	json_decref(single);
	return last;
}
