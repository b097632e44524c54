/* statement -- see statement.h. */
#include "statement.h"

#include "cache.h"
#include "log.h"
#include "logline.h"

#define KEY "trace-sql"
#define NAMES_MAX 2000 /* in the hash; above, all are told anew */
#define NAME_SIZE 128
#define TEXT_SIZE 8192 /* what log lines have of a text is less */
#define KEEP_S 1800    /* they are told three times in that */
#define ASKED_MAX 200  /* at once */

static bool
text_of(const char *line, size_t len, const char *key, char *out, size_t size)
{
	struct logline_value value;

	if (!logline_find(line, len, key, &value) || !value.text)
		return false;
	logline_text(&value, out, size);
	return *out;
}

/* Queues what a line tells, if it does. */
static size_t
queue_line(struct req *req, const char *line, size_t len)
{
	struct logline_value ev;
	char name[NAME_SIZE], *text = arena_alloc(req->arena, TEXT_SIZE);

	if (!logline_find(line, len, "ev", &ev) ||
	    !logline_is(&ev, "db.statement") ||
	    !text_of(line, len, "name", name, sizeof(name)) ||
	    !text_of(line, len, "sql", text, TEXT_SIZE - sizeof("…")))
		return 0;
	if (logline_find(line, len, "bytes", &ev)) /* it was too long */
		memcpy(text + strlen(text), "…", sizeof("…"));
	cache_queue(req, "HSET", KEY, name, text, NULL);
	return 1;
}

static size_t
queue_lines(struct req *req, const char *lines, size_t len)
{
	static const char mark[] = "\"ev\":\"db.statement\"";
	const char *end = lines + len, *at = lines, *start, *stop;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(end - at), mark, strlen(mark)))) {
		start = memrchr(lines, '\n', (size_t)(at - lines));
		start = start ? start + 1 : lines;
		stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		n += queue_line(req, start, (size_t)(stop - start));
		at = stop;
	}
	return n;
}

int
statement_note(struct req *req, const char *lines, size_t len)
{
	struct cache_reply **replies, *reply;
	size_t n = queue_lines(req, lines, len);
	char seconds[16];
	int rc;

	if (n == 0)
		return RC_OK;
	snprintf(seconds, sizeof(seconds), "%d", KEEP_S);
	cache_queue(req, "EXPIRE", KEY, seconds, NULL);
	cache_queue(req, "HLEN", KEY, NULL);
	rc = cache_run(req, &replies);
	if (rc < 0 || replies[n + 1]->i <= NAMES_MAX)
		return rc;
	return cache_command(req, &reply, "DEL", KEY, NULL);
}

int
statement_texts(struct req *req, json_t *names, json_t **texts)
{
	const char *argv[ASKED_MAX + 2] = { "HMGET", KEY }, *name;
	json_t *found = json_object(), *unused;
	struct cache_reply **replies;
	size_t n = 2;
	int rc;

	json_object_foreach(names, name, unused) {
		if (n < LENGTH(argv))
			argv[n++] = name;
	}
	if (n > 2) {
		cache_queue_v(req, argv, n);
		rc = cache_run(req, &replies);
		if (rc < 0)
			return rc;
		for (size_t i = 2; i < n && i - 2 < replies[0]->len; i++) {
			struct cache_reply *one = replies[0]->list[i - 2];

			if (one->type == CACHE_TEXT)
				json_object_set_new(found, argv[i],
				    json_stringn(one->s, one->len));
		}
	}
	*texts = found;
	return RC_OK;
}
