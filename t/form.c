/* A table of fields and a parsed request, for the tests of lib/form; see
 * form.h. */
#include "form.h"

#include <glib.h>

const struct field test_fields[] = { { "doc", FIELD_FILE, FIELD_BODY, 2, 10,
					 "Document" },
	{ "q", FIELD_TEXT, FIELD_QUERY, 0, 20, "Search" },
	{ "page", FIELD_INT, FIELD_QUERY, 1, 1000, "Page" },
	{ "id", FIELD_INT, FIELD_PATH, 1, 0, "Number" },
	{ "a", FIELD_TEXT, FIELD_BODY, 0, 0, "Alpha" },
	{ "b", FIELD_TEXT, FIELD_BODY, 2, 5, "Beta" },
	{ "n", FIELD_INT, FIELD_BODY, -5, 10, "Count" },
	{ "big", FIELD_INT, FIELD_BODY, INT64_MIN, 0, "Big" },
	{ "agree", FIELD_FLAG, FIELD_BODY, 0, 0, "Consent" },
	{ "pw", FIELD_SECRET, FIELD_BODY, 3, 8, "Password" },
	{ "both", FIELD_TEXT, FIELD_QUERY | FIELD_BODY, 0, 9, "Both" },
	{ "lines", FIELD_LINES, FIELD_BODY, 0, 8, "Lines" }, { 0 } };

struct run
post_n(enum kind kind, const char *type, const char *body, size_t len)
{
	struct run r = { .req = test_req_open() };

	r.req->method = "POST";
	r.req->api = kind == API;
	r.rc = form_parse(r.req,
	    kind == API ? TEST_FIELDS_WITHOUT_FILE : test_fields, type,
	    (const unsigned char *)body, len);
	return r;
}

struct run
post(enum kind kind, const char *type, const char *body)
{
	return post_n(kind, type, body, strlen(body));
}

struct run
get(enum kind kind, const char *query)
{
	struct run r = { .req = test_req_open() };

	r.req->query = query;
	r.req->api = kind == API;
	r.rc = form_parse(r.req, test_fields, NULL, NULL, 0);
	return r;
}

const char *
error_of(const struct req *req, const char *name)
{
	return json_string_value(json_object_get(req->errors, name));
}

void
assert_refused(const struct run *r, int rc)
{
	g_assert_cmpint(r->rc, ==, rc);
	g_assert_nonnull(r->req->fail_text);
	g_assert_cmpint(r->req->fail_code, ==, rc);
	g_assert_null(r->req->errors);
}

void
assert_fine(const struct run *r)
{
	g_assert_cmpint(r->rc, ==, RC_OK);
	g_assert_cmpstr(r->req->fail_text, ==, NULL);
	g_assert_null(r->req->errors);
}
