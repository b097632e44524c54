/* trace_logs -- finds lines in log files of any size: see trace.h. */
#include "command.h"
#include "trace.h"
#include "utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- files --- */

static void *
grow(void *list, size_t n, size_t size)
{
	void *longer = reallocarray(list, n, size);

	if (!longer)
		command_die("there is no memory");
	return longer;
}

static bool
is_known(const struct trace_logs *logs, const struct stat *st)
{
	struct stat other;

	for (size_t i = 0; i < logs->n; i++) {
		if (stat(logs->log[i].path, &other) == 0 &&
		    other.st_dev == st->st_dev && other.st_ino == st->st_ino)
			return true;
	}
	return false;
}

/* Mapped, not read: most of a big log is looked at once and never copied. */
static char *
map(int fd, const char *path, size_t len)
{
	void *data;

	if (len == 0)
		return NULL;
	data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		command_die("cannot read %s: %s", path, strerror(errno));
	return data;
}

void
trace_logs_add_file(struct trace_logs *logs, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct trace_log log;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		command_die("cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		command_die("%s is not a file", path);
	if (!is_known(logs, &st)) {
		log.len = (size_t)st.st_size;
		log.data = map(fd, path, log.len);
		log.path = strdup(path);
		if (!log.path)
			command_die("there is no memory");
		logs->log = grow(logs->log, logs->n + 1, sizeof(log));
		logs->log[logs->n++] = log;
	}
	close(fd);
}

static bool
ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/* "seoga.log", "seoga.log.1", "seoga.log-20261121", but not "seoga.logs". */
static bool
is_log(const char *name, const char *stem)
{
	static const char *const compressed[] = { ".gz", ".xz", ".bz2",
		".zst" };
	size_t len = stem ? strlen(stem) : 0;

	for (size_t i = 0; i < LENGTH(compressed); i++) {
		if (ends_in(name, compressed[i]))
			return false;
	}
	if (!stem)
		return strstr(name, ".log") != NULL;
	return strncmp(name, stem, len) == 0 && strchr(".-", name[len]);
}

void
trace_logs_add_folder(
    struct trace_logs *logs, const char *folder, const char *stem)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;
	char *path;

	if (!dir)
		command_die("cannot read %s: %s", folder, strerror(errno));
	while ((entry = readdir(dir))) {
		if (!is_log(entry->d_name, stem))
			continue;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
			command_die("there is no memory");
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			trace_logs_add_file(logs, path);
		free(path);
	}
	closedir(dir);
}

void
trace_logs_close(struct trace_logs *logs)
{
	for (size_t i = 0; i < logs->n; i++) {
		struct trace_log *log = &logs->log[i];

		if (log->data)
			munmap(log->data, log->len);
		free(log->path);
	}
	free(logs->log);
	*logs = (struct trace_logs){ 0 };
}

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
line_around(const struct trace_log *log, const char *at)
{
	const char *end_of_log = log->data + log->len;
	const char *start = memrchr(log->data, '\n', (size_t)(at - log->data));
	const char *end = memchr(at, '\n', (size_t)(end_of_log - at));

	start = start ? start + 1 : log->data;
	end = end ? end : end_of_log;
	return (struct line){ start, (size_t)(end - start) };
}

static void
find_in(const struct trace_log *log, const char *digits, json_t *found)
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
trace_logs_find(const struct trace_logs *logs, const char *digits)
{
	json_t *found = json_array();

	for (size_t i = 0; i < logs->n; i++)
		find_in(&logs->log[i], digits, found);
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
line_before(const struct trace_log *log, size_t *end, struct line *line)
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
    const struct trace_log *log, size_t n, int64_t least_us, json_t *found)
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
	json_t **sorted = grow(NULL, count + 1, sizeof(json_t *));
	json_t *last = json_array();

	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(lines, i);
	qsort(sorted, count, sizeof(json_t *), by_time);
	for (size_t i = count > n ? count - n : 0; i < count; i++)
		json_array_append(last, sorted[i]);
	free(sorted);
	return last;
}

json_t *
trace_logs_latest(const struct trace_logs *logs, size_t n, int64_t least_us)
{
	json_t *found = json_array(), *single, *last;

	for (size_t i = 0; i < logs->n; i++)
		latest_in(&logs->log[i], n, least_us, found);
	single = without_twins(found);
	last = last_of(single, n);
	json_decref(found);
	json_decref(single);
	return last;
}
