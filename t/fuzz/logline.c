/*
 * A fuzz target for lib/logline: any bytes as a line of the log.
 *
 * Nothing outside of the line is ever read.  What jansson takes for an object
 * has the same keys and values here, but for those with lists or objects.
 */
#include "../../lib/logline.h"

#include <jansson.h>

/* Exported for the fuzzer to call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
check_text(const struct logline_value *value, const json_t *expected)
{
	size_t len = json_string_length(expected);
	char *out = malloc(len + 1);

	require(out != NULL);
	require(logline_text(value, out, len + 1) == len);
	require(memcmp(out, json_string_value(expected), len) == 0);
	require(strlen(out) < len || logline_is(value, out));
	/* With too little room it is cut, and ends. */
	if (len > 0)
		require(logline_text(value, out, len) < len);
	free(out);
}

static void
check_value(const struct logline_value *value, const json_t *expected)
{
	require(value->text == json_is_string(expected));
	if (value->text)
		check_text(value, expected);
	else if (json_is_integer(expected))
		require(logline_int(value, 77) == json_integer_value(expected));
	else
		require(logline_int(value, 77) == 77);
}

/* How deep lists and objects stand in each other. */
static size_t
depth_of(const json_t *value)
{
	json_t *part;
	const char *key;
	size_t deepest = 0, i;

	json_array_foreach(value, i, part)
		if (depth_of(part) > deepest)
			deepest = depth_of(part);
	json_object_foreach((json_t *)value, key, part)
		if (depth_of(part) > deepest)
			deepest = depth_of(part);
	return deepest + (json_is_object(value) || json_is_array(value));
}

static bool
is_flat(const json_t *value)
{
	return !json_is_object(value) && !json_is_array(value);
}

static void
compare(const char *line, size_t size, json_t *object)
{
	struct logline_value value;
	const char *key;
	json_t *expected;

	json_object_foreach(object, key, expected) {
		bool found = logline_find(line, size, key, &value);

		require(found == is_flat(expected));
		if (found)
			check_value(&value, expected);
	}
}

/* Whatever it is: what is told of lies within it. */
static void
walk(const char *line, size_t size)
{
	const char *at = line, *end = line + size;
	struct logline_value key, value;
	char out[64];

	while (logline_next(&at, end, &key, &value)) {
		require(at > line && at <= end);
		require(key.s > line && key.s + key.len < value.s);
		require(value.s + value.len < end);
		logline_int(&value, 0);
		logline_us(&value, 0);
		logline_time(&value);
		logline_is(&value, "x");
		logline_text(&value, out, sizeof(out));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;
	json_t *object;

	walk(line, size);
	/* Space before and after is nothing that a line of ours has, and NUL
	 * is the end of a number to jansson. */
	if (size < 2 || line[0] != '{' || line[size - 1] != '}' ||
	    memchr(line, '\0', size))
		return 0;
	object = json_loadb(
	    line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (json_is_object(object) && depth_of(object) < 64)
		compare(line, size, object);
	json_decref(object);
	return 0;
}
