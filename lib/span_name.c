/*
 * span_name -- names, kinds and attributes of spans, by the semantic
 * conventions 1.27 of OpenTelemetry; what they have no word for begins with
 * "seoga.".
 */
#include "buf.h"
#include "span_internal.h"

#include <ctype.h>

#define NAME_MAX_BYTES 256

struct naming {
	json_t *span, *line, *attributes;
	char name[NAME_MAX_BYTES];
};

static void
set_text(struct naming *n, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(n->attributes, key, json_string(text));
}

static void
set_number(struct naming *n, const char *key, const char *from)
{
	json_t *value = json_object_get(n->line, from);

	if (json_is_integer(value))
		json_object_set(n->attributes, key, value);
}

static void
set_number_text(struct naming *n, const char *key, const char *from)
{
	json_t *value = json_object_get(n->line, from);
	char text[32];

	if (!json_is_integer(value))
		return;
	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
	    json_integer_value(value));
	set_text(n, key, text);
}

static const char *
text_of(const struct naming *n, const char *key)
{
	return span_text(n->line, key);
}

ATTR_PRINTF(2, 3) static void set_name(struct naming *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(n->name, sizeof(n->name), fmt, ap);
	va_end(ap);
}

static void
fail(struct naming *n, const char *error)
{
	json_object_set_new(n->span, "failed", json_true());
	set_text(n, "error.type", error);
}

/* --- HTTP --- */

/* The template of the path: each part of it that has a digit is an id. */
static void
write_route(const char *path, char *out, size_t size)
{
	size_t used = 0;

	while (*path && used + sizeof("/{id}") < size) {
		size_t len = 1 + strcspn(path + 1, "/");
		bool id = false;

		for (size_t i = 0; i < len; i++)
			id |= isdigit((unsigned char)path[i]) != 0;
		if (id)
			used +=
			    (size_t)snprintf(out + used, size - used, "/{id}");
		else if (used + len < size)
			used += (size_t)snprintf(
			    out + used, size - used, "%.*s", (int)len, path);
		path += len;
	}
	out[used] = '\0';
}

static void
name_http(struct naming *n, bool has_route)
{
	const char *method = text_of(n, "method"), *path = text_of(n, "path");
	int status = (int)span_int(n->line, "status");
	char route[200], error[16];

	write_route(path, route, sizeof(route));
	set_name(n, "%s%s%s", *method ? method : "HTTP", has_route ? " " : "",
	    has_route ? route : "");
	set_text(n, "http.request.method", method);
	set_text(n, "url.path", path);
	if (has_route)
		set_text(n, "http.route", route);
	set_number(n, "http.response.status_code", "status");
	if (status < 500)
		return;
	snprintf(error, sizeof(error), "%d", status);
	fail(n, error);
}

static void
name_nginx(struct naming *n)
{
	name_http(n, *text_of(n, "route") != '\0');
	set_text(n, "client.address", text_of(n, "addr"));
	set_number(n, "http.response.size", "bytes");
	set_text(n, "seoga.program", text_of(n, "route"));
}

static void
name_program(struct naming *n)
{
	name_http(n, true);
	set_number_text(n, "user.id", "user");
	set_number(n, "http.response.body.size", "bytes");
	set_text(n, "seoga.program", text_of(n, "prog"));
	set_number(n, "process.pid", "pid");
}

static void
name_session(struct naming *n)
{
	set_name(n, "session");
	set_number_text(n, "user.id", "user");
}

static void
name_form(struct naming *n)
{
	set_name(n, "form");
}

static void
name_sending(struct naming *n)
{
	set_name(n, "response");
	set_number(n, "http.response.body.size", "bytes");
}

/* --- databases --- */

static void
name_statement(struct naming *n)
{
	const char *op = text_of(n, "op");

	set_name(n, "%s%s%s", op, *op ? " " : "", text_of(n, "name"));
	set_text(n, "db.system.name", "mariadb");
	set_text(n, "db.operation.name", op);
	set_text(n, "db.query.summary", n->name);
	set_number(n, "db.response.returned_rows", "rows");
	set_number_text(n, "db.response.status_code", "error");
	if (json_object_get(n->line, "error"))
		fail(n, span_text(n->attributes, "db.response.status_code"));
}

static void
name_trip(struct naming *n)
{
	const char *cmds = text_of(n, "cmds");
	bool one = span_int(n->line, "n") == 1;

	if (one)
		set_name(n, "%.*s", (int)strcspn(cmds, " ,"), cmds);
	else
		set_name(n, "PIPELINE");
	set_text(n, "db.system.name", "redis");
	set_text(n, "db.operation.name", n->name);
	if (!one)
		set_number(n, "db.operation.batch.size", "n");
	set_text(n, "db.query.summary", n->name);
	set_text(n, "db.query.text", cmds);
}

/* --- messages --- */

static void
name_message(struct naming *n, const char *operation, const char *command)
{
	set_name(n, "%s orders", operation);
	set_text(n, "messaging.system", "redis");
	set_text(n, "messaging.destination.name", "orders");
	set_text(n, "messaging.operation.type", operation);
	set_text(n, "messaging.operation.name", command);
	set_number_text(n, "messaging.message.id", "id");
	set_text(n, "seoga.event.type", text_of(n, "type"));
	set_text(n, "seoga.order", text_of(n, "subject"));
}

static void
name_sent(struct naming *n)
{
	name_message(n, "send", "XADD");
}

static void
name_counted(struct naming *n)
{
	name_message(n, "process", "XREADGROUP");
	set_text(n, "messaging.consumer.group.name", text_of(n, "prog"));
}

/* --- others --- */

static void
name_round(struct naming *n)
{
	set_name(n, "round of %s", text_of(n, "prog"));
	set_text(n, "seoga.program", text_of(n, "prog"));
	set_number(n, "process.pid", "pid");
	set_number(n, "seoga.done", "done");
	if (json_object_get(n->line, "failed"))
		fail(n, "round");
}

static void
name_template(struct naming *n)
{
	set_name(n, "render %s", text_of(n, "name"));
	set_text(n, "seoga.template", text_of(n, "name"));
	set_number(n, "seoga.bytes", "bytes");
}

/* seoga-s3 asks a server for us: its acts are methods of HTTP. */
static const char *
method_of(const char *act)
{
	return strcmp(act, "put") == 0 ? "PUT" :
	    strcmp(act, "get") == 0    ? "GET" :
	    strcmp(act, "remove") == 0 ? "DELETE" :
					 "";
}

static void
name_child(struct naming *n)
{
	const char *method = method_of(text_of(n, "act"));

	set_name(n, "%s", *method ? method : text_of(n, "name"));
	set_text(n, "process.executable.name", text_of(n, "name"));
	set_number(n, "process.exit.code", "status");
	set_text(n, "http.request.method", method);
	set_text(n, "server.address", text_of(n, "host"));
	set_text(n, "seoga.file", text_of(n, "file"));
	if (span_int(n->line, "status") != 0) {
		fail(n, "");
		set_number_text(n, "error.type", "status");
	}
}

static void
name_payment(struct naming *n)
{
	set_name(n, "%s", text_of(n, "ev"));
	set_text(n, "peer.service", "payment");
	set_text(n, "seoga.order", text_of(n, "reference"));
	set_text(n, "seoga.result", text_of(n, "result"));
	if (strcmp(text_of(n, "result"), "timeout") == 0)
		fail(n, "timeout");
}

/* Its own fields, as they are. */
static void
name_other(struct naming *n)
{
	static const char *const said[] = { "ts", "lvl", "trace", "prog", "pid",
		"ev", "at", "us", "span", "parent" };
	char key[64];
	const char *name;
	json_t *value;

	set_name(n, "%s", text_of(n, "ev"));
	json_object_foreach(n->line, name, value) {
		size_t i = 0;

		while (i < LENGTH(said) && strcmp(name, said[i]) != 0)
			i++;
		if (i < LENGTH(said))
			continue;
		snprintf(key, sizeof(key), "seoga.%s", name);
		json_object_set(n->attributes, key, value);
	}
	if (strcmp(text_of(n, "lvl"), "error") == 0)
		fail(n, text_of(n, "ev"));
}

static const struct {
	const char *ev, *kind;
	void (*name)(struct naming *n);
} events[] = { { "nginx.request", "server", name_nginx },
	{ "req.begin", "server", name_program },
	{ "req.end", "server", name_program },
	{ "req.session", "internal", name_session },
	{ "req.form", "internal", name_form },
	{ "req.send", "internal", name_sending },
	{ "job.round", "internal", name_round },
	{ "db.query", "client", name_statement },
	{ "redis.cmd", "client", name_trip },
	{ "tmpl.render", "internal", name_template },
	{ "child.run", "internal", name_child },
	{ "pay.charge", "client", name_payment },
	{ "pay.refund", "client", name_payment },
	{ "event.sent", "producer", name_sent },
	{ "event.counted", "consumer", name_counted },
	{ "event.repeated", "consumer", name_counted } };

void
span_set_name(json_t *span, json_t *line)
{
	struct naming n = {
		.span = span, .line = line, .attributes = json_object()
	};
	const char *ev = span_text(span, "ev"), *kind = "internal";
	size_t i = 0;

	json_object_del(span, "failed");
	while (i < LENGTH(events) && strcmp(events[i].ev, ev) != 0)
		i++;
	if (i < LENGTH(events)) {
		kind = events[i].kind;
		events[i].name(&n);
	} else {
		name_other(&n);
	}
	/* The one who answers is elsewhere. */
	if (json_object_get(n.attributes, "server.address"))
		kind = "client";
	/* Cut within a character, it is no text. */
	if (!*n.name ||
	    json_object_set_new(span, "name", json_string(n.name)) < 0)
		json_object_set_new(span, "name", json_string("?"));
	json_object_set_new(span, "kind", json_string(kind));
	json_object_set_new(span, "attributes", n.attributes);
}
