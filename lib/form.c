/* form -- the table of a program's fields, and what came for them; see
 * form.h. */
#include "form_internal.h"

#include "utf8.h"

#include <strings.h>

/* What the layout puts into every form. */
static const struct field page_fields[] = {
	{ "csrf", FIELD_SECRET, FIELD_BODY, 0, 200, NULL },
	{ "once", FIELD_SECRET, FIELD_BODY, 0, 200, NULL },
	{ "next", FIELD_TEXT, FIELD_BODY, 0, 2000, NULL },
};

/* ---- the table ---- */

static struct form *
form_of(struct req *req)
{
	if (!req->form) {
		req->form = arena_alloc(req->arena, sizeof(*req->form));
		*req->form = (struct form){ 0 };
	}
	return req->form;
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
	form->values = arena_alloc(
	    req->arena, (n + LENGTH(page_fields)) * sizeof(*form->values));
	form->n = 0;
	form->pairs = 0;
	for (i = 0; i < n; i++)
		add_value(form, &fields[i]);
	if (req->api)
		return;
	for (i = 0; i < LENGTH(page_fields); i++)
		if (!form_find(
			form, page_fields[i].name, strlen(page_fields[i].name)))
			add_value(form, &page_fields[i]);
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
read_captures(struct req *req)
{
	const struct capture *c;
	struct value *v;

	for (c = req->form->captures; c; c = c->next) {
		v = form_find(req->form, c->name, strlen(c->name));
		if (!v || !(v->field->flags & FIELD_PATH))
			continue;
		if (!utf8_valid(c->text, strlen(c->text)))
			return form_no_such_page(req);
		v->from = FIELD_PATH;
		v->text = arena_strdup(req->arena, c->text);
		v->len = strlen(c->text);
	}
	return RC_OK;
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

static bool
takes_files(const struct form *form)
{
	for (size_t i = 0; i < form->n; i++) {
		if (form->values[i].field->type == FIELD_FILE)
			return true;
	}
	return false;
}

static int
unknown_media(struct req *req)
{
	if (req->api && takes_files(req->form))
		return req_fail(
		    req, RC_MEDIA, "%s", _("Send multipart/form-data."));
	return req_fail(req, RC_MEDIA,
	    req->api ?
		_("Send application/json or"
		  " application/x-www-form-urlencoded.") :
		_("The form was sent in a way that is not understood here."));
}

static int
read_body(struct req *req, const char *type, const char *body, size_t len)
{
	bool files = takes_files(req->form), json;

	if (len == 0)
		return RC_OK;
	if (!type)
		return unknown_media(req);
	if ((files || !req->api) && media_is(type, "multipart/form-data"))
		return form_read_multipart(req, type, body, len);
	if (files && req->api)
		return unknown_media(req);
	json = req->api && media_is(type, "application/json");
	if (!json && !media_is(type, "application/x-www-form-urlencoded"))
		return unknown_media(req);
	if (form_check_size(req, len) < 0)
		return RC_TOO_LARGE;
	if (json)
		return form_read_json(req, body, len);
	return form_read_pairs(req, body, len, FIELD_BODY);
}

int
form_parse(struct req *req, const struct field *fields,
    const char *content_type, const unsigned char *body, size_t body_len)
{
	int rc;

	make_values(req, fields);
	rc = read_captures(req);
	if (rc == RC_OK && req->query)
		rc = form_read_pairs(
		    req, req->query, strlen(req->query), FIELD_QUERY);
	if (rc == RC_OK)
		rc = read_body(req, content_type, (const char *)body, body_len);
	if (rc < 0)
		return rc;
	return form_check_values(req);
}

/* ---- what the programs ask ---- */

static const struct value *
find_name(const struct req *req, const char *name)
{
	return form_find(req->form, name, strlen(name));
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
		    v->field->type == FIELD_FILE ||
		    v->field->type == FIELD_LIST ||
		    v->field->type == FIELD_OBJECT)
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

const json_t *
form_list(const struct req *req, const char *name)
{
	const struct value *v = find_name(req, name);

	return v ? v->list : NULL;
}
