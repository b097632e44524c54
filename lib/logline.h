/*
 * logline -- reads a line of the log in place: one JSON object, flat, as
 * nginx and lib/log.c write it (doc/log.md).  Nothing is copied or allocated,
 * so that a gigabyte of lines can be read in seconds.
 */
#ifndef SEOGA_LOGLINE_H
#define SEOGA_LOGLINE_H

#include "base.h"

struct logline_value {
	const char *s; /* within the line, a text without its quotes */
	size_t len;
	bool text;    /* else a number, true, false or null */
	bool escaped; /* the text has escapes, see logline_text() */
};

/* The value of a key; false when the line has none, or is no such object. */
bool logline_find(
    const char *line, size_t len, const char *key, struct logline_value *value);

/* The values of several keys in one go, in the order of the keys; those that
 * the line lacks have s NULL.  False as above. */
bool logline_find_all(const char *line, size_t len, const char *const *keys,
    size_t n, struct logline_value *values);

/* The next key and value from *at, which begins with the line itself; false
 * at the end, and for what is no such object. */
bool logline_next(const char **at, const char *end, struct logline_value *key,
    struct logline_value *value);

/* A whole number; otherwise when it is none.  The second is for seconds with
 * a fraction: "0.001" is 1000. */
int64_t logline_int(const struct logline_value *value, int64_t otherwise);
int64_t logline_us(const struct logline_value *value, int64_t otherwise);

/* Is it this text, letter by letter? */
bool logline_is(const struct logline_value *value, const char *text);

/* The text without its escapes, cut to size; returns its length. */
size_t logline_text(const struct logline_value *value, char *out, size_t size);

/* Microseconds since 1970 of a value like "2026-11-21T10:20:30.123456Z", with
 * three or six digits; 0 for what is none. */
int64_t logline_time(const struct logline_value *value);

#endif
