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
	return json_integer_value(json_object_getn(object, key, strlen(key)));
}

/* The text under key; NULL when it is none. */
static inline const char *
model_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_getn(object, key, strlen(key)));
}

/* Takes over the value.  Inline, so that lengths of literals cost nothing. */
static inline void
model_set(json_t *object, const char *key, json_t *value)
{
	json_object_setn_new_nocheck(object, key, strlen(key), value);
}

/* text must be UTF-8; NULL becomes null. */
static inline void
model_set_text(json_t *object, const char *key, const char *text)
{
	model_set(object, key, text ? json_string_nocheck(text) : json_null());
}

static inline void
model_set_int(json_t *object, const char *key, int64_t value)
{
	model_set(object, key, json_integer(value));
}

static inline void
model_set_bool(json_t *object, const char *key, bool value)
{
	model_set(object, key, json_boolean(value));
}

/* Adds the value as JSON without spaces.  json_dumps() looks for loops with
 * a hash table and takes four times as long; a model of ours has none. */
void model_write(const json_t *value, struct buf *out);

#endif
