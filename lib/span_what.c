/* span_what -- what a span is, in one line for people: see span.h. */
#include "buf.h"
#include "span_internal.h"

#define WHAT_MAX 8192

static void
add_part(struct buf *b, const char *between, const char *text)
{
	if (*text)
		buf_printf(b, "%s%s", b->len ? between : "", text);
}

/* Any event that is not known here: all that it says. */
static void
describe_other(struct buf *b, json_t *line)
{
	static const char *const said[] = { "ts", "lvl", "trace", "prog", "pid",
		"ev", "at", "us", "msg", "span", "parent" };
	const char *name;
	json_t *value;

	if (strcmp(span_text(line, "lvl"), "info") != 0)
		add_part(b, "", span_text(line, "lvl"));
	add_part(b, " ", span_text(line, "ev"));
	add_part(b, ": ", span_text(line, "msg"));
	json_object_foreach(line, name, value) {
		size_t i = 0;

		while (i < LENGTH(said) && strcmp(name, said[i]) != 0)
			i++;
		if (i < LENGTH(said))
			continue;
		if (json_is_string(value))
			buf_printf(
			    b, ", %s %s", name, json_string_value(value));
		else if (json_is_integer(value))
			buf_printf(b, ", %s %" JSON_INTEGER_FORMAT, name,
			    json_integer_value(value));
	}
}

static void
describe_request(struct buf *b, const json_t *line)
{
	add_part(b, " ", span_text(line, "method"));
	add_part(b, " ", span_text(line, "path"));
	if (json_object_get(line, "status"))
		buf_printf(b, " %d", (int)span_int(line, "status"));
}

static void
describe_nginx(struct buf *b, json_t *line)
{
	buf_str(b, "nginx");
	describe_request(b, line);
}

static void
describe_program(struct buf *b, json_t *line)
{
	buf_printf(b, "%s pid %d", span_text(line, "prog"),
	    (int)span_int(line, "pid"));
	describe_request(b, line);
}

static void
describe_round(struct buf *b, json_t *line)
{
	buf_printf(b, "%s pid %d, %d done", span_text(line, "prog"),
	    (int)span_int(line, "pid"), (int)span_int(line, "done"));
}

static void
describe_statement(struct buf *b, json_t *line)
{
	int rows = (int)span_int(line, "rows");

	buf_printf(b, "SQL %s, %d row%s", span_text(line, "name"), rows,
	    rows == 1 ? "" : "s");
	if (json_object_get(line, "error"))
		buf_printf(b, ", error %d", (int)span_int(line, "error"));
}

/* Each command of the trip on a line of its own. */
static void
describe_trip(struct buf *b, json_t *line)
{
	const char *cmds = span_text(line, "cmds"), *comma;

	buf_str(b, "Redis ");
	while ((comma = strstr(cmds, ", "))) {
		buf_add(b, cmds, (size_t)(comma - cmds));
		buf_char(b, '\n');
		cmds = comma + 2;
	}
	buf_str(b, cmds);
}

static void
describe_template(struct buf *b, json_t *line)
{
	buf_printf(b, "template %s, %d bytes", span_text(line, "name"),
	    (int)span_int(line, "bytes"));
}

static void
describe_session(struct buf *b, json_t *line ATTR_UNUSED)
{
	buf_str(b, "session");
}

static void
describe_form(struct buf *b, json_t *line ATTR_UNUSED)
{
	buf_str(b, "form");
}

static void
describe_sending(struct buf *b, json_t *line)
{
	buf_printf(b, "response, %d bytes", (int)span_int(line, "bytes"));
}

static const struct {
	const char *ev;
	void (*describe)(struct buf *b, json_t *line);
} events[] = { { "nginx.request", describe_nginx },
	{ "req.begin", describe_program }, { "req.end", describe_program },
	{ "req.session", describe_session }, { "req.form", describe_form },
	{ "req.send", describe_sending }, { "job.round", describe_round },
	{ "db.query", describe_statement }, { "redis.cmd", describe_trip },
	{ "tmpl.render", describe_template } };

void
span_set_what(json_t *span, json_t *line)
{
	const char *ev = span_text(span, "ev");
	struct buf b = BUF_INIT(WHAT_MAX);
	size_t i = 0;

	while (i < LENGTH(events) && strcmp(events[i].ev, ev) != 0)
		i++;
	if (i < LENGTH(events))
		events[i].describe(&b, line);
	else
		describe_other(&b, line);
	json_object_set_new(span, "what", json_string(b.data ? b.data : ""));
	buf_free(&b);
}
