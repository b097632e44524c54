/* otlp_json -- spans as OTLP has them in JSON: see otlp.h. */
#include "log.h"
#include "otlp.h"
#include "span.h"

#include <inttypes.h>
#include <unistd.h>

/* Numbers of enum SpanKind. */
static const struct {
	const char *name;
	int number;
} kinds[] = { { "internal", 1 }, { "server", 2 }, { "client", 3 },
	{ "producer", 4 }, { "consumer", 5 } };

#define STATUS_ERROR 2

static void
add_text(struct buf *out, const char *text)
{
	buf_char(out, '"');
	buf_json(out, text, strlen(text));
	buf_char(out, '"');
}

/* AnyValue: 64-bit numbers are texts in JSON. */
static void
add_value(struct buf *out, const json_t *value)
{
	if (json_is_integer(value))
		buf_printf(out, "{\"intValue\":\"%" JSON_INTEGER_FORMAT "\"}",
		    json_integer_value(value));
	else if (json_is_real(value))
		buf_printf(
		    out, "{\"doubleValue\":%.17g}", json_real_value(value));
	else if (json_is_boolean(value))
		buf_printf(out, "{\"boolValue\":%s}",
		    json_is_true(value) ? "true" : "false");
	else {
		buf_str(out, "{\"stringValue\":");
		add_text(
		    out, json_is_string(value) ? json_string_value(value) : "");
		buf_char(out, '}');
	}
}

static void
add_attribute(struct buf *out, bool first, const char *key, const json_t *value)
{
	buf_str(out, first ? "{\"key\":" : ",{\"key\":");
	add_text(out, key);
	buf_str(out, ",\"value\":");
	add_value(out, value);
	buf_char(out, '}');
}

static void
add_text_attribute(
    struct buf *out, bool first, const char *key, const char *text)
{
	json_t *value = json_string(text);

	add_attribute(out, first, key, value);
	json_decref(value);
}

static void
add_attributes(struct buf *out, const json_t *span)
{
	json_t *attributes = json_object_get(span, "attributes"), *value;
	const char *key;
	bool first = true;

	buf_str(out, ",\"attributes\":[");
	json_object_foreach(attributes, key, value) {
		if (json_is_null(value))
			continue;
		add_attribute(out, first, key, value);
		first = false;
	}
	buf_char(out, ']');
}

static int
kind_of(const json_t *span)
{
	const char *kind = span_text(span, "kind");

	for (size_t i = 0; i < LENGTH(kinds); i++)
		if (strcmp(kind, kinds[i].name) == 0)
			return kinds[i].number;
	return 1;
}

static void
add_span(struct buf *out, const json_t *span)
{
	int64_t start = span_int(span, "start");

	buf_str(out, "{\"traceId\":");
	add_text(out, span_text(json_object_get(span, "line"), "trace"));
	buf_str(out, ",\"spanId\":");
	add_text(out, span_text(span, "id"));
	if (*span_text(span, "parent")) {
		buf_str(out, ",\"parentSpanId\":");
		add_text(out, span_text(span, "parent"));
	}
	buf_str(out, ",\"name\":");
	add_text(out, span_text(span, "name"));
	buf_printf(out,
	    ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
	    "000\",\"endTimeUnixNano\":\"%" PRId64 "000\"",
	    kind_of(span), start, start + span_int(span, "us"));
	add_attributes(out, span);
	if (json_is_true(json_object_get(span, "failed")))
		buf_printf(out, ",\"status\":{\"code\":%d}", STATUS_ERROR);
	buf_char(out, '}');
}

size_t
otlp_add(struct buf *out, const json_t *spans, size_t already)
{
	json_t *span;
	size_t i, n = 0;

	json_array_foreach(spans, i, span) {
		if (already + n > 0)
			buf_char(out, ',');
		add_span(out, span);
		n++;
		n += otlp_add(out, json_object_get(span, "parts"), already + n);
	}
	return n;
}

void
otlp_begin(struct buf *out)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	buf_reset(out);
	buf_str(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
	add_text_attribute(out, true, "service.name", "seoga");
	add_text_attribute(out, false, "service.version", PACKAGE_VERSION);
	add_text_attribute(out, false, "host.name", host);
	buf_str(out,
	    "]},\"scopeSpans\":[{\"scope\":{\"name\":\"seoga\","
	    "\"version\":");
	add_text(out, PACKAGE_VERSION);
	buf_str(out, "},\"spans\":[");
}

void
otlp_end(struct buf *out)
{
	buf_str(out, "]}]}]}");
}
