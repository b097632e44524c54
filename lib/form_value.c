/* form_value -- who may have a value: which names are known, from where they
 * may come, how often, and how much in all. */
#include "form_internal.h"

#include "utf8.h"

/* ---- why input as a whole is refused ---- */

int
form_bad_text(struct req *req)
{
	return req_fail(req, RC_BAD_INPUT,
	    _("Part of what was sent is not valid text. "
	      "Go back, type it again and send it again."));
}

int
form_too_many(struct req *req, int most)
{
	return req_fail(req, RC_TOO_LARGE,
	    _("Too many fields were sent: at most %d."), most);
}

int
form_no_such_page(struct req *req)
{
	return req_fail(
	    req, RC_NOT_FOUND, _("There is no such page. Check the address."));
}

/* A body that is no form, as JSON without its type, is one long name: what the
 * log says is without it, for a password may be there. */
static int
unknown_name(struct req *req, const char *name, size_t len)
{
	const char *unnamed = _("A field was sent that is not known here.");

	if (len == 0 || len > FORM_NAME_MAX || !utf8_one_line(name, len))
		return req_fail(req, RC_BAD_INPUT, "%s", unnamed);
	if (!req->fail_text)
		req->fail_why = unnamed;
	return req_fail(req, RC_BAD_INPUT,
	    _("The field \"%.*s\" is not known here."), (int)len, name);
}

static int
sent_twice(struct req *req, const struct value *v)
{
	return req_fail(req, RC_BAD_INPUT,
	    _("The field \"%s\" was sent more than once."), v->field->name);
}

int
form_check_size(struct req *req, size_t len)
{
	if (len > (size_t)req->conf->form_limit)
		return req_fail(req, RC_TOO_LARGE,
		    _("Too much was sent: at most %d bytes."),
		    req->conf->form_limit);
	return RC_OK;
}

/* ---- what is let in ---- */

struct value *
form_find(const struct form *form, const char *name, size_t len)
{
	size_t i;

	for (i = 0; form && i < form->n; i++) {
		const char *known = form->values[i].field->name;

		if (strncmp(known, name, len) == 0 && known[len] == '\0')
			return &form->values[i];
	}
	return NULL;
}

int
form_count_pair(struct req *req)
{
	if (++req->form->pairs > FORM_PAIRS_MAX)
		return form_too_many(req, FORM_PAIRS_MAX);
	return RC_OK;
}

int
form_admit(struct req *req, const char *name, size_t len, unsigned from,
    struct value **v)
{
	*v = form_find(req->form, name, len);
	if (*v && ((*v)->field->flags & from) &&
	    !(req->api && (*v)->field->flags & FIELD_PAGE))
		return RC_OK;
	*v = NULL;
	/* People add ?utm_source=... to the addresses of pages. */
	if (from == FIELD_QUERY && !req->api)
		return RC_OK;
	return unknown_name(req, name, len);
}

int
form_claim(struct req *req, struct value *v, unsigned from)
{
	if (v->from & ~(unsigned)FIELD_QUERY)
		return sent_twice(req, v);
	v->from = from;
	return RC_OK;
}

int
form_take(struct req *req, const char *name, struct value **v)
{
	int rc;

	rc = form_count_pair(req);
	if (rc == RC_OK)
		rc = form_admit(req, name, strlen(name), FIELD_BODY, v);
	if (rc == RC_OK)
		rc = form_claim(req, *v, FIELD_BODY);
	if (rc == RC_OK)
		(*v)->text = NULL;
	return rc;
}

void
form_set_text(struct req *req, struct value *v, const char *s, size_t len)
{
	v->text = arena_strndup(req->arena, s, len);
	v->len = len;
}
