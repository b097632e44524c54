/* form_multipart -- reads a body of parts: the fields and files of a page. */
#include "form_internal.h"

#include "log.h"
#include "multipart.h"
#include "utf8.h"

static void
keep_file(struct req *req, struct value *v, const struct multipart_part *part)
{
	/* A browser sends an empty part for a file that was not chosen. */
	if (!*part->filename && part->len == 0)
		return;
	v->file = arena_alloc(req->arena, sizeof(*v->file));
	*v->file = (struct form_file){ .name = v->field->name,
		.filename = part->filename,
		.type = part->type,
		.data = (const unsigned char *)part->data,
		.len = part->len };
	form_set_text(req, v, "", 0);
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
	rc = form_check_size(req, *total);
	if (rc < 0)
		return rc;
	if (memchr(part->data, '\0', part->len) ||
	    !utf8_valid(part->data, part->len))
		return form_bad_text(req);
	form_set_text(req, v, part->data, part->len);
	return RC_OK;
}

static int
read_part(struct req *req, const struct multipart_part *part, size_t *total)
{
	struct value *v;
	int rc;

	rc = form_take(req, part->name, &v);
	if (rc < 0)
		return rc;
	return keep_part(req, v, part, total);
}

static int
bad_multipart(struct req *req, const struct multipart *m, int rc)
{
	log_msg(LOG_INFO, "form.multipart", "refused: %s", m->why);
	if (rc == RC_TOO_LARGE)
		return form_too_many(req, MULTIPART_PARTS_MAX);
	return req_fail(req, rc,
	    _("The form did not arrive whole. Go back and send it again."));
}

int
form_read_multipart(
    struct req *req, const char *content_type, const char *body, size_t len)
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
