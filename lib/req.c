/* req -- see req.h. */
#include "req.h"

int
req_fail(struct req *req, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	if (req->fail_text)
		return rc;
	va_start(ap, fmt);
	req->fail_text = arena_vprintf(req->arena, fmt, ap);
	va_end(ap);
	req->fail_code = rc;
	return rc;
}

int
req_bug(struct req *req)
{
	return req_fail(req, RC_BUG, "%s",
	    _("Something went wrong on our "
	      "side. Please try again."));
}

void
req_forgive(struct req *req)
{
	req->fail_text = req->fail_why = NULL;
	req->fail_code = RC_OK;
	req->retry_after = 0;
}

int
req_field_error(struct req *req, const char *field, const char *message)
{
	if (!req->errors)
		req->errors = json_object();
	/* The first mistake in a field is the one to mend first. */
	if (!json_object_get(req->errors, field))
		json_object_set_new(req->errors, field, json_string(message));
	return RC_BAD_INPUT;
}
