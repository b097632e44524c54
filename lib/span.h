/*
 * span -- from the lines of the log to a tree of timed spans: the same for
 * `seoga trace`, the page /trace/ID and the exporter.
 *
 * The log is the trace: each line that a request writes tells of one span,
 * which ended `at` and took `us`.  Names and attributes are those of the
 * OpenTelemetry semantic conventions 1.27 (HTTP, database, messaging).
 *
 * A span is a JSON object:
 *	id, parent	16 hex digits; parent is "" for a root that nobody
 *			called.  Those of a line without a span of its own
 *			are made of its request's and its place, always the
 *			same.
 *	name		"GET /books/{id}", "SELECT book.by_id", "send orders"
 *	kind		"server", "client", "internal", "producer", "consumer"
 *	start, us	microseconds since 1970, and how long
 *	failed		true for what OpenTelemetry calls the status error
 *	attributes	{"http.request.method": "GET", ...}
 *	what		one line for people
 *	ev, line	the event, and the line as it was logged
 *	end		of a program's request also the line of its end.  The
 *			session, the form and the sending of the response are
 *			fields of it: "req.session", "req.form", "req.send"
 *	aside		true of what a job did later for the request
 *	parts		array of the spans within, by start
 */
#ifndef SEOGA_SPAN_H
#define SEOGA_SPAN_H

#include "base.h"

#include <jansson.h>

#define SPAN_TRACE_DIGITS 32 /* of a trace id */
#define SPAN_DIGITS 16	     /* of a span id */

/*
 * The roots of the lines (JSON objects) of one trace, by start: one, unless
 * a client sent several requests with the same id.  A span whose parent is
 * not among them (its line is not written yet) is a root, too.
 */
json_t *span_trees(const json_t *lines);

/* The time of a line, and how long what it tells took (0: a moment). */
int64_t span_line_time(const json_t *line);
int64_t span_line_us(const json_t *line);

/* A text or number of an object, "" or 0 when it has none of that name. */
const char *span_text(const json_t *object, const char *name);
int64_t span_int(const json_t *object, const char *name);

#endif
