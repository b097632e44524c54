/*
 * span_internal -- what the parts of span share.
 *
 *   span.c        the tree
 *   span_line.c   a line: its values, its time, its span
 *   span_name.c   name, kind and attributes of a span
 *   span_what.c   one line for people
 */
#ifndef SEOGA_SPAN_INTERNAL_H
#define SEOGA_SPAN_INTERNAL_H

#include "span.h"

/* Is it a line of that event? */
bool span_line_is(const json_t *line, const char *ev);

/* A span of a line, with all that the line tells of it; borrows the line. */
json_t *span_new(const char *ev, json_t *line, int64_t start, int64_t us);

/* An id for what has none in the log, of the id above it and its place. */
void span_set_made_id(json_t *span, const char *above, size_t place);

/* Anew, when a later line tells more. */
void span_set_name(json_t *span, json_t *line);
void span_set_what(json_t *span, json_t *line);

#endif
