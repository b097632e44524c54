/* form_check -- converts values to the types of their fields and says what is
 * wrong with those that do not fit. */
#include "form_internal.h"

#include "utf8.h"

#define SOURCES (FIELD_QUERY | FIELD_BODY | FIELD_PATH)

static const char *
label(const struct value *v)
{
	return v->field->label ? _(v->field->label) : v->field->name;
}

/* Below the least -1, above the most 1, else 0. */
static int
beyond(const struct field *f, int64_t size)
{
	if (size < f->min)
		return -1;
	return f->max && size > f->max;
}

static const char *
wrong_length(struct req *req, const struct value *v, int64_t length)
{
	switch (beyond(v->field, length)) {
	case -1:
		return arena_printf(req->arena,
		    _("%s must be at least %lld characters."), label(v),
		    (long long)v->field->min);
	case 1:
		return arena_printf(req->arena,
		    _("%s must be at most %lld characters."), label(v),
		    (long long)v->field->max);
	default:
		return NULL;
	}
}

/* Browsers end lines with CR LF; a tab is a blank. */
static void
mend_lines(struct value *v)
{
	char *out = v->text;

	for (const char *s = v->text; *s; s++) {
		if (*s == '\r' && s[1] == '\n')
			continue;
		*out++ = *s == '\t' ? ' ' : *s;
	}
	*out = '\0';
	v->len = (size_t)(out - v->text);
}

static bool
plain_lines(const char *s)
{
	for (; *s; s += s[0] == '\n') {
		size_t len = strcspn(s, "\n");

		if (!utf8_one_line(s, len))
			return false;
		s += len;
	}
	return true;
}

static bool
is_plain(const struct value *v)
{
	return v->field->type == FIELD_LINES ? plain_lines(v->text) :
					       utf8_one_line(v->text, v->len);
}

static const char *
wrong_text(struct req *req, struct value *v)
{
	const char *s;

	if (v->mistyped)
		return arena_printf(
		    req->arena, _("%s must be text."), label(v));
	if (v->field->type == FIELD_LINES)
		mend_lines(v);
	s = v->text;
	if (v->field->type != FIELD_SECRET) {
		utf8_trim(&s, &v->len);
		v->text += s - v->text;
		v->text[v->len] = '\0';
	}
	if (v->len == 0)
		return NULL;
	if (!is_plain(v))
		return arena_printf(req->arena,
		    v->field->type == FIELD_LINES ?
			_("%s must be without invisible characters.") :
			_("%s must be on one line "
			  "and without invisible characters."),
		    label(v));
	return wrong_length(req, v, (int64_t)utf8_count(v->text, v->len));
}

/* strtoll() would take "+1", " 1" and hexadecimal. */
static bool
read_number(const char *s, int64_t *number)
{
	bool negative = *s == '-';
	int64_t n = 0;

	s += negative;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    (negative ? __builtin_sub_overflow(n, *s - '0', &n) :
				__builtin_add_overflow(n, *s - '0', &n)))
			return false;
	}
	*number = n;
	return true;
}

static const char *
wrong_int(struct req *req, struct value *v)
{
	const struct field *f = v->field;
	const char *s = v->text;
	int64_t n;

	utf8_trim(&s, &v->len);
	v->text += s - v->text;
	v->text[v->len] = '\0';
	if (!v->mistyped && v->len == 0) {
		v->text = NULL; /* a box left empty */
		return NULL;
	}
	if (!v->mistyped && read_number(v->text, &n) && !beyond(f, n)) {
		v->number = n;
		return NULL;
	}
	if (f->max == 0)
		return arena_printf(req->arena,
		    _("%s must be a whole number, %lld or more."), label(v),
		    (long long)f->min);
	return arena_printf(req->arena,
	    _("%s must be a whole number between %lld and %lld."), label(v),
	    (long long)f->min, (long long)f->max);
}

static const char *
wrong_flag(struct req *req, struct value *v)
{
	static const char *const words[][2] = {
		{ "0", "1" },
		{ "off", "on" },
		{ "false", "true" },
		{ "no", "yes" },
		{ "", "1" },
	};
	size_t i;

	for (i = 0; !v->mistyped && i < LENGTH(words); i++)
		for (int n = 0; n < 2; n++)
			if (strcmp(v->text, words[i][n]) == 0) {
				v->number = n;
				return NULL;
			}
	return arena_printf(req->arena, _("%s must be yes or no."), label(v));
}

static const char *
wrong_file(struct req *req, const struct value *v)
{
	if (!v->file)
		return arena_printf(
		    req->arena, _("%s must be a file."), label(v));
	switch (beyond(v->field, (int64_t)v->file->len)) {
	case -1:
		return arena_printf(req->arena,
		    _("%s must have at least %lld bytes."), label(v),
		    (long long)v->field->min);
	case 1:
		return arena_printf(req->arena,
		    _("%s must have at most %lld bytes."), label(v),
		    (long long)v->field->max);
	default:
		return NULL;
	}
}

static const char *
wrong_list(struct req *req, const struct value *v)
{
	const struct field *f = v->field;

	if (!v->list)
		return arena_printf(
		    req->arena, _("%s must be a list."), label(v));
	if (!beyond(f, (int64_t)json_array_size(v->list)))
		return NULL;
	return arena_printf(req->arena,
	    _("%s must be a list of %lld to %lld elements."), label(v),
	    (long long)f->min, (long long)f->max);
}

static const char *
wrong_object(struct req *req, const struct value *v)
{
	if (v->list && !beyond(v->field, (int64_t)json_object_size(v->list)))
		return NULL;
	return arena_printf(req->arena,
	    _("%s must be an object of %lld to %lld members."), label(v),
	    (long long)v->field->min, (long long)v->field->max);
}

static const char *
wrong(struct req *req, struct value *v)
{
	switch (v->field->type) {
	case FIELD_TEXT:
	case FIELD_LINES:
	case FIELD_SECRET:
		return wrong_text(req, v);
	case FIELD_INT:
		return wrong_int(req, v);
	case FIELD_FLAG:
		return wrong_flag(req, v);
	case FIELD_FILE:
		return wrong_file(req, v);
	case FIELD_LIST:
		return wrong_list(req, v);
	case FIELD_OBJECT:
		return wrong_object(req, v);
	}
	return NULL;
}

/* A field that only a body can bring is no use to miss on GET: the page that
 * shows an empty form shares its table with the one that takes it. */
static bool
is_missing(const struct req *req, const struct value *v)
{
	unsigned sources = v->field->flags & SOURCES;

	if (!(v->field->flags & FIELD_REQUIRED))
		return false;
	if (sources == FIELD_BODY && strcmp(req->method, "GET") == 0)
		return false;
	if (!v->text)
		return true;
	return v->len == 0 && v->field->type != FIELD_FLAG &&
	    v->field->type != FIELD_FILE && v->field->type != FIELD_LIST &&
	    v->field->type != FIELD_OBJECT;
}

static int
check_value(struct req *req, struct value *v)
{
	const char *message = v->text ? wrong(req, v) : NULL;

	if (!message && is_missing(req, v))
		message =
		    arena_printf(req->arena, _("%s is missing."), label(v));
	if (!message)
		return RC_OK;
	/* Nobody typed an address like this into a form. */
	if (v->from == FIELD_PATH || (v->field->flags & SOURCES) == FIELD_PATH)
		return form_no_such_page(req);
	return req_field_error(req, v->field->name, message);
}

int
form_check_values(struct req *req)
{
	int rc, result = RC_OK;
	size_t i;

	for (i = 0; i < req->form->n; i++) {
		rc = check_value(req, &req->form->values[i]);
		if (rc == RC_NOT_FOUND)
			return rc;
		if (rc < 0)
			result = rc;
	}
	return result;
}
