/* form -- input from outside, typed and checked; see form.h. */
#include "form.h"

#include "log.h"
#include "multipart.h"
#include "utf8.h"

#include <strings.h>

#define PAIRS_MAX 200		/* names with values in one request */
#define NAME_MAX_LEN 64		/* no field of ours has a longer name */
#define COOKIE_MAX_LEN 4096
#define JSON_DEPTH_MAX 4	/* 1 is enough for what we take */

#define SOURCES (FIELD_QUERY | FIELD_BODY | FIELD_PATH)

/* One field of the program's table, and what came for it. */
struct value {
	const struct field *field;
	unsigned from;		/* FIELD_QUERY ..., 0: not given */
	char *text;		/* NULL: not given; UTF-8 without NUL */
	size_t len;
	int64_t number;		/* of a valid INT or FLAG */
	bool mistyped;		/* JSON of another type, text for a file */
	struct form_file *file;
};

struct capture {
	const struct capture *next;
	const char *name, *text;
};

struct form {
	const struct capture *captures;
	struct value *values;
	size_t n;
	int pairs;		/* seen in query and body */
};

/* What the layout puts into every form. */
static const struct field page_fields[] = {
	{ "csrf", FIELD_SECRET, FIELD_BODY, 0, 200, NULL },
	{ "once", FIELD_SECRET, FIELD_BODY, 0, 200, NULL },
	{ "next", FIELD_TEXT, FIELD_BODY, 0, 2000, NULL },
};

/* ---- why input as a whole is refused ---- */

static int
bad_text(struct req *req)
{
	return req_fail(req, RC_BAD_INPUT,
	    _("Part of what was sent is not valid text. "
	    "Go back, type it again and send it again."));
}

static int
unknown_name(struct req *req, const char *name, size_t len)
{
	if (len == 0 || len > NAME_MAX_LEN || !utf8_one_line(name, len))
		return req_fail(req, RC_BAD_INPUT,
		    _("A field was sent that is not known here."));
	return req_fail(req, RC_BAD_INPUT,
	    _("The field \"%.*s\" is not known here."), (int)len, name);
}

static int
sent_twice(struct req *req, const struct value *v)
{
	return req_fail(req, RC_BAD_INPUT,
	    _("The field \"%s\" was sent more than once."), v->field->name);
}

static int
count_pair(struct req *req)
{
	if (++req->form->pairs > PAIRS_MAX)
		return req_fail(req, RC_TOO_LARGE,
		    _("Too many fields were sent: at most %d."), PAIRS_MAX);
	return RC_OK;
}

static int
check_size(struct req *req, size_t len)
{
	if (len > (size_t)req->conf->form_limit)
		return req_fail(req, RC_TOO_LARGE,
		    _("Too much was sent: at most %d bytes."),
		    req->conf->form_limit);
	return RC_OK;
}

/* ---- values ---- */

static struct form *
form_of(struct req *req)
{
	if (!req->form) {
		req->form = arena_alloc(req->arena, sizeof(*req->form));
		*req->form = (struct form){ 0 };
	}
	return req->form;
}

static struct value *
find(const struct form *form, const char *name, size_t len)
{
	size_t i;

	for (i = 0; form && i < form->n; i++) {
		const char *known = form->values[i].field->name;

		if (strncmp(known, name, len) == 0 && known[len] == '\0')
			return &form->values[i];
	}
	return NULL;
}

static void
add_value(struct form *form, const struct field *field)
{
	form->values[form->n++] = (struct value){ .field = field };
}

static void
make_values(struct req *req, const struct field *fields)
{
	struct form *form = form_of(req);
	size_t i, n = 0;

	while (fields && fields[n].name)
		n++;
	form->values = arena_alloc(req->arena,
	    (n + LENGTH(page_fields)) * sizeof(*form->values));
	form->n = 0;
	form->pairs = 0;
	for (i = 0; i < n; i++)
		add_value(form, &fields[i]);
	if (req->api)
		return;
	for (i = 0; i < LENGTH(page_fields); i++)
		if (!find(form, page_fields[i].name,
		    strlen(page_fields[i].name)))
			add_value(form, &page_fields[i]);
}

/* A body may replace what the query said, nothing else may be said twice. */
static int
claim(struct req *req, struct value *v, unsigned from)
{
	if (v->from & ~(unsigned)FIELD_QUERY)
		return sent_twice(req, v);
	v->from = from;
	return RC_OK;
}

/* May this name come from there?  RC_OK with *v, or NULL in *v when it is to
 * be skipped. */
static int
admit(struct req *req, const char *name, size_t len, unsigned from,
    struct value **v)
{
	*v = find(req->form, name, len);
	if (*v && ((*v)->field->flags & from) &&
	    !(req->api && (*v)->field->flags & FIELD_PAGE))
		return RC_OK;
	*v = NULL;
	/* People add ?utm_source=... to the addresses of pages. */
	if (from == FIELD_QUERY && !req->api)
		return RC_OK;
	return unknown_name(req, name, len);
}

/* ---- path captures ---- */

void
form_capture(struct req *req, const char *name, const char *value)
{
	struct form *form = form_of(req);
	struct capture *c;

	if (!value || !*value)
		return;
	c = arena_alloc(req->arena, sizeof(*c));
	c->next = form->captures;
	c->name = arena_strdup(req->arena, name);
	c->text = arena_strdup(req->arena, value);
	form->captures = c;
}

static int
no_such_page(struct req *req)
{
	return req_fail(req, RC_NOT_FOUND,
	    _("There is no such page. Check the address."));
}

static int
read_captures(struct req *req)
{
	const struct capture *c;
	struct value *v;

	for (c = req->form->captures; c; c = c->next) {
		v = find(req->form, c->name, strlen(c->name));
		if (!v || !(v->field->flags & FIELD_PATH))
			continue;
		if (!utf8_valid(c->text, strlen(c->text)))
			return no_such_page(req);
		v->from = FIELD_PATH;
		v->text = arena_strdup(req->arena, c->text);
		v->len = strlen(c->text);
	}
	return RC_OK;
}

/* ---- urlencoded: query and body ---- */

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes into out, which has room for len bytes and a NUL.  False for a bad
 * escape, NUL, or what is not UTF-8. */
static bool
decode(const char *s, size_t len, char *out, size_t *out_len)
{
	const char *end = s + len;
	char *p = out;
	int high, low;

	for (; s < end; s++) {
		if (*s != '%') {
			*p++ = *s == '+' ? ' ' : *s;
			continue;
		}
		if (end - s < 3)
			return false;
		high = hex_value(s[1]);
		low = hex_value(s[2]);
		if (high < 0 || low < 0)
			return false;
		*p++ = (char)(high << 4 | low);
		s += 2;
	}
	*p = '\0';
	*out_len = (size_t)(p - out);
	return !memchr(out, '\0', *out_len) && utf8_valid(out, *out_len);
}

/* One escaped byte is three: a longer name is none of ours. */
static int
admit_encoded(struct req *req, const char *name, size_t len, unsigned from,
    struct value **v)
{
	char plain[3 * NAME_MAX_LEN + 1];
	size_t n;

	if (len >= sizeof(plain))
		return admit(req, "", 0, from, v);
	if (decode(name, len, plain, &n))
		return admit(req, plain, n, from, v);
	if (from == FIELD_BODY)
		return bad_text(req);
	return admit(req, "", 0, from, v);
}

static int
keep_encoded(struct req *req, struct value *v, unsigned from, const char *s,
    size_t len)
{
	char *text;
	size_t n;

	/* In an address the first wins: it is often pasted together. */
	if (from == FIELD_QUERY && v->from)
		return RC_OK;
	if (claim(req, v, from) < 0)
		return RC_BAD_INPUT;
	text = arena_alloc(req->arena, len + 1);
	if (!decode(s, len, text, &n))
		return bad_text(req);
	v->text = text;
	v->len = n;
	return RC_OK;
}

static int
read_pair(struct req *req, const char *s, size_t len, unsigned from)
{
	const char *equals = memchr(s, '=', len);
	size_t name_len = equals ? (size_t)(equals - s) : len;
	const char *text = equals ? equals + 1 : s + len;
	struct value *v = NULL;
	int rc;

	rc = count_pair(req);
	if (rc == RC_OK)
		rc = admit_encoded(req, s, name_len, from, &v);
	if (rc < 0 || !v)
		return rc;
	return keep_encoded(req, v, from, text, (size_t)(s + len - text));
}

static int
read_pairs(struct req *req, const char *s, size_t len, unsigned from)
{
	const char *end = s + len, *amp;
	int rc = RC_OK;

	while (s < end && rc == RC_OK) {
		amp = memchr(s, '&', (size_t)(end - s));
		if (!amp)
			amp = end;
		if (amp > s)
			rc = read_pair(req, s, (size_t)(amp - s), from);
		s = amp + 1;
	}
	return rc;
}

/* ---- JSON body ---- */

/*
 * Bounds what the parser will have to hold before it holds anything: the
 * parser recurses and allocates as the text tells it to.
 */
static int
check_json_shape(struct req *req, const char *s, size_t len)
{
	const char *end = s + len;
	int depth = 0, commas = 0;
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
		else if (*s == ',')
			commas++;
		if (depth > JSON_DEPTH_MAX)
			return req_fail(req, RC_BAD_INPUT,
			    _("The JSON text is nested too deeply."));
		if (commas >= PAIRS_MAX)
			return req_fail(req, RC_TOO_LARGE,
			    _("Too many fields were sent: at most %d."),
			    PAIRS_MAX);
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
	    _("The JSON text is wrong at line %d, column %d."),
	    error->line, error->column);
}

static void
set_text(struct req *req, struct value *v, const char *s, size_t len)
{
	v->text = arena_strndup(req->arena, s, len);
	v->len = len;
}

/* The types that fit: text to all but files, numbers to INT and FLAG,
 * true and false to FLAG. */
static void
keep_json(struct req *req, struct value *v, const json_t *json)
{
	enum field_type want = v->field->type;

	if (json_is_string(json) && want != FIELD_FILE) {
		set_text(req, v, json_string_value(json),
		    json_string_length(json));
	} else if (json_is_integer(json) &&
	    (want == FIELD_INT || want == FIELD_FLAG)) {
		v->text = arena_printf(req->arena, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(json));
		v->len = strlen(v->text);
	} else if (json_is_boolean(json) && want == FIELD_FLAG) {
		set_text(req, v, json_is_true(json) ? "1" : "0", 1);
	} else {
		set_text(req, v, "", 0);
		v->mistyped = true;
	}
}

/* null says: not given, whatever the query said. */
static int
read_member(struct req *req, const char *name, const json_t *json)
{
	struct value *v;
	int rc;

	rc = count_pair(req);
	if (rc == RC_OK)
		rc = admit(req, name, strlen(name), FIELD_BODY, &v);
	if (rc == RC_OK)
		rc = claim(req, v, FIELD_BODY);
	if (rc < 0)
		return rc;
	v->text = NULL;
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
		return req_fail(req, RC_BAD_INPUT,
		    _("The JSON text must be an object."));
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

static int
read_json(struct req *req, const char *body, size_t len)
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

/* ---- multipart body ---- */

static void
keep_file(struct req *req, struct value *v, const struct multipart_part *part)
{
	/* A browser sends an empty part for a file that was not chosen. */
	if (!*part->filename && part->len == 0)
		return;
	v->file = arena_alloc(req->arena, sizeof(*v->file));
	*v->file = (struct form_file){ .name = v->field->name,
	    .filename = part->filename, .type = part->type,
	    .data = (const unsigned char *)part->data, .len = part->len };
	set_text(req, v, "", 0);
	v->mistyped = v->field->type != FIELD_FILE;
}

static int
keep_part(struct req *req, struct value *v, const struct multipart_part *part,
    size_t *total)
{
	int rc;

	if (part->filename) {
		keep_file(req, v, part);
		return RC_OK;
	}
	*total += part->len;
	rc = check_size(req, *total);
	if (rc < 0)
		return rc;
	if (memchr(part->data, '\0', part->len) ||
	    !utf8_valid(part->data, part->len))
		return bad_text(req);
	set_text(req, v, part->data, part->len);
	return RC_OK;
}

static int
read_part(struct req *req, const struct multipart_part *part, size_t *total)
{
	struct value *v;
	int rc;

	rc = count_pair(req);
	if (rc == RC_OK)
		rc = admit(req, part->name, strlen(part->name), FIELD_BODY,
		    &v);
	if (rc == RC_OK)
		rc = claim(req, v, FIELD_BODY);
	if (rc < 0)
		return rc;
	v->text = NULL;
	return keep_part(req, v, part, total);
}

static int
bad_multipart(struct req *req, const struct multipart *m, int rc)
{
	log_msg(LOG_INFO, "form.multipart", "refused: %s", m->why);
	if (rc == RC_TOO_LARGE)
		return req_fail(req, rc,
		    _("Too many fields were sent: at most %d."),
		    MULTIPART_PARTS_MAX);
	return req_fail(req, rc,
	    _("The form did not arrive whole. Go back and send it again."));
}

static int
read_multipart(struct req *req, const char *content_type, const char *body,
    size_t len)
{
	struct multipart_part part;
	struct multipart m;
	size_t total = 0;
	int rc, kept;

	rc = multipart_begin(&m, req->arena, content_type, body, len);
	if (rc < 0)
		return bad_multipart(req, &m, rc);
	while ((rc = multipart_next(&m, &part)) > 0) {
		kept = read_part(req, &part, &total);
		if (kept < 0)
			return kept;
	}
	return rc < 0 ? bad_multipart(req, &m, rc) : RC_OK;
}

/* ---- the body, whatever it is ---- */

static bool
media_is(const char *content_type, const char *type)
{
	size_t len = strlen(type);

	if (strncasecmp(content_type, type, len) != 0)
		return false;
	content_type += len;
	content_type += strspn(content_type, " \t");
	return *content_type == '\0' || *content_type == ';';
}

static int
unknown_media(struct req *req)
{
	return req_fail(req, RC_MEDIA, req->api ?
	    _("Send application/json or application/x-www-form-urlencoded.") :
	    _("The form was sent in a way that is not understood here."));
}

static int
read_body(struct req *req, const char *type, const char *body, size_t len)
{
	bool json;

	if (len == 0)
		return RC_OK;
	if (!type)
		return unknown_media(req);
	if (!req->api && media_is(type, "multipart/form-data"))
		return read_multipart(req, type, body, len);
	json = req->api && media_is(type, "application/json");
	if (!json && !media_is(type, "application/x-www-form-urlencoded"))
		return unknown_media(req);
	if (check_size(req, len) < 0)
		return RC_TOO_LARGE;
	if (json)
		return read_json(req, body, len);
	return read_pairs(req, body, len, FIELD_BODY);
}

/* ---- what is wrong with one field ---- */

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

static const char *
wrong_text(struct req *req, struct value *v)
{
	const char *s = v->text;

	if (v->mistyped)
		return arena_printf(req->arena, _("%s must be text."),
		    label(v));
	if (v->field->type == FIELD_TEXT) {
		utf8_trim(&s, &v->len);
		v->text += s - v->text;
		v->text[v->len] = '\0';
	}
	if (v->len == 0)
		return NULL;
	if (!utf8_one_line(v->text, v->len))
		return arena_printf(req->arena, _("%s must be on one line "
		    "and without invisible characters."), label(v));
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
		if (*s < '0' || *s > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
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
		v->text = NULL;		/* a box left empty */
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
		{ "0", "1" }, { "off", "on" }, { "false", "true" },
		{ "no", "yes" }, { "", "1" },
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
		return arena_printf(req->arena, _("%s must be a file."),
		    label(v));
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
wrong(struct req *req, struct value *v)
{
	switch (v->field->type) {
	case FIELD_TEXT:
	case FIELD_SECRET:
		return wrong_text(req, v);
	case FIELD_INT:
		return wrong_int(req, v);
	case FIELD_FLAG:
		return wrong_flag(req, v);
	case FIELD_FILE:
		return wrong_file(req, v);
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
	    v->field->type != FIELD_FILE;
}

static int
check_value(struct req *req, struct value *v)
{
	const char *message = v->text ? wrong(req, v) : NULL;

	if (!message && is_missing(req, v))
		message = arena_printf(req->arena, _("%s is missing."),
		    label(v));
	if (!message)
		return RC_OK;
	/* Nobody typed an address like this into a form. */
	if (v->from == FIELD_PATH || (v->field->flags & SOURCES) == FIELD_PATH)
		return no_such_page(req);
	return req_field_error(req, v->field->name, message);
}

static int
check_values(struct req *req)
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

int
form_parse(struct req *req, const struct field *fields,
    const char *content_type, const unsigned char *body, size_t body_len)
{
	int rc;

	make_values(req, fields);
	rc = read_captures(req);
	if (rc == RC_OK && req->query)
		rc = read_pairs(req, req->query, strlen(req->query),
		    FIELD_QUERY);
	if (rc == RC_OK)
		rc = read_body(req, content_type, (const char *)body,
		    body_len);
	if (rc < 0)
		return rc;
	return check_values(req);
}

/* ---- what the programs ask ---- */

static const struct value *
find_name(const struct req *req, const char *name)
{
	return find(req->form, name, strlen(name));
}

const char *
form_str(const struct req *req, const char *name)
{
	const struct value *v = find_name(req, name);

	return v ? v->text : NULL;
}

int64_t
form_int(const struct req *req, const char *name)
{
	const struct value *v = find_name(req, name);

	return v ? v->number : 0;
}

bool
form_flag(const struct req *req, const char *name)
{
	return form_int(req, name) == 1;
}

bool
form_has(const struct req *req, const char *name)
{
	return form_str(req, name) != NULL;
}

static json_t *
typed(const struct value *v)
{
	if (v->field->type == FIELD_FLAG)
		return json_boolean(v->number == 1);
	return json_stringn(v->text ? v->text : "", v->text ? v->len : 0);
}

json_t *
form_values(const struct req *req)
{
	json_t *values = json_object();
	size_t i;

	for (i = 0; req->form && i < req->form->n; i++) {
		const struct value *v = &req->form->values[i];

		if (v->field->type == FIELD_SECRET ||
		    v->field->type == FIELD_FILE)
			continue;
		json_object_set_new(values, v->field->name, typed(v));
	}
	return values;
}

const struct form_file *
form_file(const struct req *req, const char *name)
{
	const struct value *v = find_name(req, name);

	return v && v->field->type == FIELD_FILE ? v->file : NULL;
}

/* ---- cookies ---- */

/* cookie-octet of RFC 6265 4.1.1 */
static bool
is_cookie_octet(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\",;\\", c);
}

static const char *
cookie_value(struct req *req, const char *s, size_t len)
{
	size_t i;

	if (len >= 2 && s[0] == '"' && s[len - 1] == '"') {
		s++;
		len -= 2;
	}
	if (len > COOKIE_MAX_LEN)
		return NULL;
	for (i = 0; i < len; i++)
		if (!is_cookie_octet(s[i]))
			return NULL;
	return arena_strndup(req->arena, s, len);
}

const char *
form_cookie(struct req *req, const char *header, const char *name)
{
	size_t len, name_len = strlen(name);

	if (!header)
		return NULL;
	for (;;) {
		header += strspn(header, " \t;");
		len = strcspn(header, ";");
		if (len == 0)
			return NULL;
		if (len > name_len && header[name_len] == '=' &&
		    strncmp(header, name, name_len) == 0)
			break;
		header += len;
	}
	header += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (header[len - 1] == ' ' || header[len - 1] == '\t'))
		len--;
	return cookie_value(req, header, len);
}
