/* form_json -- reads a body that is one JSON object, flat but for lists. */
#include "form_internal.h"

#define DEPTH_MAX 4	/* 3 is enough for what we take */
#define COMMAS_MAX 1000 /* a list of 100 objects has its share */

/*
 * Bounds what the parser will have to hold before it holds anything: the
 * parser recurses and allocates as the text tells it to.
 */
static int
check_json_shape(struct req *req, const char *s, size_t len)
{
	const char *end = s + len;
	int depth = 0, names = 0, commas = 0;
	bool quoted = false;

	for (; s < end; s++) {
		if (quoted && *s == '\\')
			s++;
		else if (*s == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (*s == '{' || *s == '[')
			depth++;
		else if (*s == '}' || *s == ']')
			depth--;
		else if (*s == ',' && depth == 1)
			names++;
		else if (*s == ',')
			commas++;
		if (depth > DEPTH_MAX)
			return req_fail(req, RC_BAD_INPUT,
			    _("The JSON text is nested too deeply."));
		if (names >= FORM_PAIRS_MAX)
			return form_too_many(req, FORM_PAIRS_MAX);
		if (commas >= COMMAS_MAX)
			return form_too_many(req, COMMAS_MAX);
	}
	return RC_OK;
}

static int
bad_json(struct req *req, const json_error_t *error)
{
	if (json_error_code(error) == json_error_duplicate_key)
		return req_fail(req, RC_BAD_INPUT,
		    _("A name occurs twice in the JSON object."));
	return req_fail(req, RC_BAD_INPUT,
	    _("The JSON text is wrong at line %d, column %d."), error->line,
	    error->column);
}

/* The types that fit: text to all but files and lists, numbers to INT and
 * FLAG, true and false to FLAG, arrays to LIST, objects to OBJECT. */
static void
keep_json(struct req *req, struct value *v, const json_t *json)
{
	enum field_type want = v->field->type;

	bool plain =
	    want != FIELD_FILE && want != FIELD_LIST && want != FIELD_OBJECT;

	if (json_is_string(json) && plain) {
		form_set_text(
		    req, v, json_string_value(json), json_string_length(json));
	} else if (json_is_integer(json) &&
	    (want == FIELD_INT || want == FIELD_FLAG)) {
		v->text = arena_printf(req->arena, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(json));
		v->len = strlen(v->text);
	} else if (json_is_boolean(json) && want == FIELD_FLAG) {
		form_set_text(req, v, json_is_true(json) ? "1" : "0", 1);
	} else if ((json_is_array(json) && want == FIELD_LIST) ||
	    (json_is_object(json) && want == FIELD_OBJECT)) {
		form_set_text(req, v, "", 0);
		v->list = json;
	} else {
		form_set_text(req, v, "", 0);
		v->mistyped = true;
	}
}

/* null says: not given, whatever the query said. */
static int
read_member(struct req *req, const char *name, const json_t *json)
{
	struct value *v;
	int rc;

	rc = form_take(req, name, &v);
	if (rc < 0)
		return rc;
	if (!json_is_null(json))
		keep_json(req, v, json);
	return RC_OK;
}

static int
read_object(struct req *req, json_t *object)
{
	const char *name;
	json_t *json;
	int rc;

	if (!json_is_object(object))
		return req_fail(
		    req, RC_BAD_INPUT, _("The JSON text must be an object."));
	json_object_foreach(object, name, json) {
		rc = read_member(req, name, json);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

static void
drop_json(void *json)
{
	json_decref(json);
}

int
form_read_json(struct req *req, const char *body, size_t len)
{
	json_error_t error;
	json_t *root;
	int rc;

	rc = check_json_shape(req, body, len);
	if (rc < 0)
		return rc;
	root = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return bad_json(req, &error);
	/* Not at the end of this function: a full arena jumps out of it. */
	arena_defer(req->arena, drop_json, root);
	return read_object(req, root);
}
