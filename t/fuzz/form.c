/*
 * A fuzz target for lib/form and lib/multipart: any bytes as a query and
 * urlencoded body, JSON body, multipart body or Cookie header, by the first
 * byte.
 *
 * Whatever comes, all that form gives out is UTF-8 without NUL, a request
 * that it finds good is within the bounds of its fields, and the memory it
 * takes is bounded by the size of the input.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined ...
 */
#include "../req.h"

#include "../../lib/form.h"
#include "../../lib/utf8.h"

enum { OVERHEAD = 256 << 10, FACTOR = 64 };

/* Exported for the fuzzer to call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct field fields[] = {
	{ "a", FIELD_TEXT, FIELD_QUERY | FIELD_BODY, 2, 5, "A" },
	{ "b", FIELD_TEXT, FIELD_BODY, 0, 0, "B" },
	{ "n", FIELD_INT, FIELD_QUERY | FIELD_BODY, -5, 500, "N" },
	{ "y", FIELD_FLAG, FIELD_BODY, 0, 0, "Y" },
	{ "p", FIELD_SECRET, FIELD_BODY, 1, 9, "P" },
	{ "f", FIELD_FILE, FIELD_BODY, 1, 30, "F" },
	{ "id", FIELD_INT, FIELD_PATH, 1, 0, "Id" }, { 0 }
};

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static bool
is_text(const char *s)
{
	return !s || utf8_valid(s, strlen(s));
}

static void
check_given(struct req *req)
{
	const struct form_file *f = form_file(req, "f");
	size_t i;

	for (i = 0; fields[i].name; i++)
		require(is_text(form_str(req, fields[i].name)));
	require(is_text(form_str(req, "next")));
	if (f)
		require(is_text(f->filename) && is_text(f->type) &&
		    !strpbrk(f->filename, "/\\"));
	require(json_dumps(form_values(req), 0) != NULL);
}

static void
check_good(struct req *req)
{
	const char *a = form_str(req, "a");
	int64_t n = form_int(req, "n");

	if (a && *a)
		require(utf8_one_line(a, strlen(a)) &&
		    utf8_count(a, strlen(a)) >= 2 &&
		    utf8_count(a, strlen(a)) <= 5);
	require(n >= -5 && n <= 500);
	if (form_file(req, "f"))
		require(form_file(req, "f")->len - 1 < 30);
	require(!req->fail_text && !req->errors);
}

static void
check_form(struct req *req, const char *type, const char *body, size_t len)
{
	int rc;

	req->method = "POST";
	rc = form_parse(req, fields, type, (const unsigned char *)body, len);
	if (rc == RC_OK)
		check_good(req);
	else
		require(req->fail_text || req->errors);
	check_given(req);
	require(arena_used(req->arena) < OVERHEAD + FACTOR * len);
}

/* The same bytes as query, capture and body. */
static void
check_urlencoded(struct req *req, const char *body, size_t len)
{
	char *text = arena_strndup(req->arena, body, len);

	req->api = len & 1;
	req->query = text;
	check_form(req, "application/x-www-form-urlencoded", body, len);
	form_capture(req, "id", text);
	req->query = "";
	form_parse(req, fields, NULL, NULL, 0);
	check_given(req);
}

static void
check_cookie(struct req *req, const char *body, size_t len)
{
	const char *header = arena_strndup(req->arena, body, len);
	const char *value = form_cookie(req, header, "sid");

	if (value)
		require(!strpbrk(value, "\r\n \",;\\") && is_text(value) &&
		    strstr(header, value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data + 1;
	struct req *req;

	if (size == 0)
		return 0;
	req = test_req_open();
	switch (data[0] & 3) {
	case 0:
		check_urlencoded(req, body, size - 1);
		break;
	case 1:
		req->api = true;
		check_form(req, "application/json", body, size - 1);
		break;
	case 2:
		check_form(
		    req, "multipart/form-data; boundary=b", body, size - 1);
		break;
	default:
		check_cookie(req, body, size - 1);
		break;
	}
	test_req_close(req);
	test_log();
	return 0;
}
