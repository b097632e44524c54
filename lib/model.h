/*
 * model -- short words for the JSON trees that handlers build and read.
 *
 * All of them take NULL and a missing key for what they are: nothing.
 */
#ifndef SEOGA_MODEL_H
#define SEOGA_MODEL_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

/* The integer under key; 0 when it is none. */
static inline int64_t
model_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The text under key; NULL when it is none. */
static inline const char *
model_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* text must be UTF-8; NULL becomes null. */
static inline void
model_set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new_nocheck(object, key,
	    text ? json_string_nocheck(text) : json_null());
}

static inline void
model_set_int(json_t *object, const char *key, int64_t value)
{
	json_object_set_new_nocheck(object, key, json_integer(value));
}

static inline void
model_set_bool(json_t *object, const char *key, bool value)
{
	json_object_set_new_nocheck(object, key, json_boolean(value));
}

/* Adds the value as JSON without spaces.  json_dumps() looks for loops with
 * a hash table and takes four times as long; a model of ours has none. */
void model_write(const json_t *value, struct buf *out);

#endif
