/* lib/form: every kind of input, what it gives, and what is refused. */
#include "req.h"

#include "../lib/form.h"

#include <glib.h>

#define URLENCODED "application/x-www-form-urlencoded"
#define JSON "application/json"
#define MULTIPART "multipart/form-data; boundary=b"

static const struct field fields[] = {
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
	{ "doc", FIELD_FILE, FIELD_BODY, 2, 10, "Document" },
	{ 0 }
};

/* A request that has been parsed. */
struct run {
	struct req *req;
	int rc;
};

enum kind { PAGE, API };

static struct run
post_n(enum kind kind, const char *type, const char *body, size_t len)
{
	struct run r = { .req = test_req_open() };

	r.req->method = "POST";
	r.req->api = kind == API;
	r.rc = form_parse(r.req, fields, type, (const unsigned char *)body,
	    len);
	return r;
}

static struct run
post(enum kind kind, const char *type, const char *body)
{
	return post_n(kind, type, body, strlen(body));
}

static struct run
get(enum kind kind, const char *query)
{
	struct run r = { .req = test_req_open() };

	r.req->query = query;
	r.req->api = kind == API;
	r.rc = form_parse(r.req, fields, NULL, NULL, 0);
	return r;
}

/* What is beside the field, NULL when nothing is. */
static const char *
error_of(const struct req *req, const char *name)
{
	return json_string_value(json_object_get(req->errors, name));
}

/* Refused as a whole: a text for the reader and no errors beside fields. */
static void
assert_refused(const struct run *r, int rc)
{
	g_assert_cmpint(r->rc, ==, rc);
	g_assert_nonnull(r->req->fail_text);
	g_assert_cmpint(r->req->fail_code, ==, rc);
	g_assert_null(r->req->errors);
}

static void
assert_fine(const struct run *r)
{
	g_assert_cmpint(r->rc, ==, RC_OK);
	g_assert_cmpstr(r->req->fail_text, ==, NULL);
	g_assert_null(r->req->errors);
}

/* ---- urlencoded ---- */

static void
test_urlencoded(void)
{
	static const struct {
		const char *body, *a, *both;
	} cases[] = {
		{ "", NULL, NULL },
		{ "&", NULL, NULL },
		{ "&&&", NULL, NULL },
		{ "a", "", NULL },
		{ "a=", "", NULL },
		{ "a=1", "1", NULL },
		{ "&a=1", "1", NULL },
		{ "a=1&", "1", NULL },
		{ "a=1&&both=2", "1", "2" },
		{ "both=2&a=1", "1", "2" },
		{ "a&both", "", "" },
		{ "a=b=c", "b=c", NULL },
		{ "a==", "=", NULL },
		{ "a=x+y", "x y", NULL },
		{ "a=x%2By", "x+y", NULL },
		{ "a=x%20y", "x y", NULL },
		{ "a=%26%3D%25", "&=%", NULL },
		{ "%61=1", "1", NULL },
		{ "bo%74h=%e2%82%AC", NULL, "€" },
		{ "a=%ED%95%9C%EA%B8%80", "한글", NULL },
		{ "a=한글", "한글", NULL },
		{ "a=1;both=2", "1;both=2", NULL },
		{ "a=+%20x+", "x", NULL },
		{ "a=%0D%0Ax%09", "x", NULL },
		{ "a=%E3%80%80x%C2%A0", "x", NULL },
		{ "a=<script>&both='\"", "<script>", "'\"" },
	};
	size_t i;

	for (i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
		size_t n = i / 2;
		struct run r = post(i % 2 ? API : PAGE, URLENCODED,
		    cases[n].body);

		g_test_message("%s", cases[n].body);
		assert_fine(&r);
		g_assert_cmpstr(form_str(r.req, "a"), ==, cases[n].a);
		g_assert_cmpstr(form_str(r.req, "both"), ==, cases[n].both);
		g_assert_cmpint(form_has(r.req, "a"), ==, cases[n].a != NULL);
		test_req_close(r.req);
	}
}

static void
test_urlencoded_malformed(void)
{
	static const char *const bad[] = {
		"a=%00", "a=x%00y", "a=%", "a=%4", "a=%zz", "a=%4g", "a=%g4",
		"a=%ff", "a=\xff", "a=%C0%80", "a=%ED%A0%80", "a=%E2%82",
		"a=%F5%80%80%80", "%00=1", "%=1", "%ff=1", "c=1", "=1", "A=1",
		"a=1&a=2", "a=1&a=1", "a&a", "a=1&%61=2", "a[]=1", "q=1",
		"page=1", "id=1", "a=1&c=2", "a.x=1", "csrf=1&csrf=1",
	};
	size_t i;

	for (i = 0; i < 2 * G_N_ELEMENTS(bad); i++) {
		struct run r = post(i % 2 ? API : PAGE, URLENCODED,
		    bad[i / 2]);

		g_test_message("%zu", i / 2);
		assert_refused(&r, RC_BAD_INPUT);
		test_req_close(r.req);
	}
	struct run r = post_n(PAGE, URLENCODED, "a=x\0y", 5);

	assert_refused(&r, RC_BAD_INPUT);
	test_req_close(r.req);
}

/* Unknown names are shown only when they are harmless. */
static void
test_unknown_names(void)
{
	static const char *const cases[][2] = {
		{ "colour=1", "The field \"colour\" is not known here." },
		{ "%ED%95%9C=1", "The field \"한\" is not known here." },
		{ "%0A=1", "A field was sent that is not known here." },
		{ "%E2%80%AE=1", "A field was sent that is not known here." },
		{ "=1", "A field was sent that is not known here." },
	};
	char *longest = g_strnfill(500, 'x');
	struct run r;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		r = post(PAGE, URLENCODED, cases[i][0]);
		g_assert_cmpstr(r.req->fail_text, ==, cases[i][1]);
		test_req_close(r.req);
	}
	for (i = 499; i > 64; i -= 62) {
		longest[i] = '\0';
		r = post(PAGE, URLENCODED, longest);
		g_assert_cmpstr(r.req->fail_text, ==,
		    "A field was sent that is not known here.");
		test_req_close(r.req);
	}
	g_free(longest);
}

/* ---- query ---- */

static void
test_query(void)
{
	static const struct {
		const char *query;
		int page_rc, api_rc;
		const char *q;
		int page;
	} cases[] = {
		{ "", RC_OK, RC_OK, NULL, 0 },
		{ "q=1&page=2", RC_OK, RC_OK, "1", 2 },
		{ "&q=1&&page=2&", RC_OK, RC_OK, "1", 2 },
		{ "q=1&q=2", RC_OK, RC_OK, "1", 0 },
		{ "q=&q=2", RC_OK, RC_OK, "", 0 },
		{ "q=%EC%84%9C%EA%B0%80", RC_OK, RC_OK, "서가", 0 },
		{ "page=", RC_OK, RC_OK, NULL, 0 },
		{ "utm_source=x&q=1", RC_OK, RC_BAD_INPUT, "1", 0 },
		{ "a=1&q=1", RC_OK, RC_BAD_INPUT, "1", 0 },
		{ "id=1", RC_OK, RC_BAD_INPUT, NULL, 0 },
		{ "utm=%B0%A1&q=1", RC_OK, RC_BAD_INPUT, "1", 0 },
		{ "%ff=1&q=1", RC_OK, RC_BAD_INPUT, "1", 0 },
		{ "=1&q=1", RC_OK, RC_BAD_INPUT, "1", 0 },
		{ "q=%00", RC_BAD_INPUT, RC_BAD_INPUT, NULL, 0 },
		{ "q=%ff", RC_BAD_INPUT, RC_BAD_INPUT, NULL, 0 },
		{ "q=%", RC_BAD_INPUT, RC_BAD_INPUT, NULL, 0 },
		{ "q=a%0ab", RC_BAD_INPUT, RC_BAD_INPUT, "a\nb", 0 },
		{ "page=0", RC_BAD_INPUT, RC_BAD_INPUT, NULL, 0 },
		{ "page=1001", RC_BAD_INPUT, RC_BAD_INPUT, NULL, 0 },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct run page = get(PAGE, cases[i].query), api;

		g_test_message("%s", cases[i].query);
		g_assert_cmpint(page.rc, ==, cases[i].page_rc);
		g_assert_cmpstr(form_str(page.req, "q"), ==, cases[i].q);
		g_assert_cmpint(form_int(page.req, "page"), ==, cases[i].page);
		test_req_close(page.req);
		api = get(API, cases[i].query);
		g_assert_cmpint(api.rc, ==, cases[i].api_rc);
		test_req_close(api.req);
	}
}

static void
test_query_and_body(void)
{
	struct req *req = test_req_open();
	const unsigned char body[] = "both=body";

	req->method = "POST";
	req->query = "both=query&q=1";
	g_assert_cmpint(form_parse(req, fields, URLENCODED, body, 9), ==,
	    RC_OK);
	g_assert_cmpstr(form_str(req, "both"), ==, "body");
	g_assert_cmpstr(form_str(req, "q"), ==, "1");
	g_assert_cmpint(form_parse(req, fields, NULL, NULL, 0), ==, RC_OK);
	g_assert_cmpstr(form_str(req, "both"), ==, "query");
	test_req_close(req);
}

/* ---- path captures ---- */

static void
test_captures(void)
{
	static const struct {
		const char *text;
		int rc;
		int64_t id;
	} cases[] = {
		{ "1", RC_OK, 1 },
		{ "007", RC_OK, 7 },
		{ "9223372036854775807", RC_OK, INT64_MAX },
		{ "9223372036854775808", RC_NOT_FOUND, 0 },
		{ "0", RC_NOT_FOUND, 0 },
		{ "-1", RC_NOT_FOUND, 0 },
		{ "x", RC_NOT_FOUND, 0 },
		{ "1x", RC_NOT_FOUND, 0 },
		{ "\xff", RC_NOT_FOUND, 0 },
		{ "", RC_OK, 0 },
		{ NULL, RC_OK, 0 },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct req *req = test_req_open();

		form_capture(req, "id", cases[i].text);
		form_capture(req, "a", "not a capture");
		form_capture(req, "other", "unknown");
		req->query = "id=5";
		g_assert_cmpint(form_parse(req, fields, NULL, NULL, 0), ==,
		    cases[i].rc);
		g_assert_cmpint(form_int(req, "id"), ==, cases[i].id);
		g_assert_cmpint(req->fail_text != NULL, ==, cases[i].rc < 0);
		g_assert_null(req->errors);
		g_assert_false(form_has(req, "a"));
		g_assert_false(form_has(req, "other"));
		test_req_close(req);
	}
}

/* The address says which book: no body may say another. */
static void
test_capture_wins(void)
{
	static const struct field id_fields[] = {
		{ "id", FIELD_INT,
		    FIELD_PATH | FIELD_QUERY | FIELD_BODY | FIELD_REQUIRED,
		    1, 0, "Number" },
		{ 0 }
	};
	struct req *req = test_req_open();

	req->method = "POST";
	form_capture(req, "id", "7");
	req->query = "id=8";
	g_assert_cmpint(form_parse(req, id_fields, NULL, NULL, 0), ==, RC_OK);
	g_assert_cmpint(form_int(req, "id"), ==, 7);
	g_assert_cmpint(form_parse(req, id_fields, URLENCODED,
	    (const unsigned char *)"id=9", 4), ==, RC_BAD_INPUT);
	test_req_close(req);
}

/* ---- JSON ---- */

static void
test_json(void)
{
	struct run r = post(API, JSON, " {\"a\": \" \\uc11c가 \", \"n\": -5, "
	    "\"agree\": true, \"pw\": \" x \", \"b\": null} ");

	assert_fine(&r);
	g_assert_cmpstr(form_str(r.req, "a"), ==, "서가");
	g_assert_cmpint(form_int(r.req, "n"), ==, -5);
	g_assert_true(form_flag(r.req, "agree"));
	g_assert_cmpstr(form_str(r.req, "pw"), ==, " x ");
	g_assert_false(form_has(r.req, "b"));
	test_req_close(r.req);

	r = post(API, "Application/JSON ; charset=utf-8",
	    "{\"n\": \"7\", \"agree\": 0}");
	assert_fine(&r);
	g_assert_cmpint(form_int(r.req, "n"), ==, 7);
	g_assert_false(form_flag(r.req, "agree"));
	g_assert_true(form_has(r.req, "agree"));
	test_req_close(r.req);
}

static void
test_json_malformed(void)
{
	static const char *const bad[] = {
		"[]", "1", "\"a\"", "null", "true", "{", "}", "{}{}", "{} x",
		"{a: 1}", "{'a': 1}", "{\"a\": 1,}", "{\"a\"}", "nul",
		"{\"a\": \"\xff\"}", "{\"a\": \"\\u0000\"}",
		"{\"a\": \"\\ud800\"}", "{\"\\u0000\": 1}", "{\"a\": \"\n\"}",
		"{\"a\": \"1\", \"a\": \"1\"}", "{\"a\": 1, \"\\u0061\": 2}",
		"{\"c\": 1}", "{\"c\": null}", "{\"csrf\": \"1\"}",
		"{\"q\": \"1\"}", "{\"id\": 1}", "{\"n\": 01}",
		"{\"n\": 9223372036854775808}", "{\"n\": NaN}",
		"{\"n\": 1e999}", "\xef\xbb\xbf{}", "[[[[[", "{\"\": 1}",
		"{\"a\": {\"a\": {\"a\": {\"a\": {}}}}}", "{\"a\": \"\\",
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct run r = post(API, JSON, bad[i]);

		g_test_message("%zu %s", i, r.req->fail_text);
		assert_refused(&r, RC_BAD_INPUT);
		test_req_close(r.req);
	}
	struct run r = post_n(API, JSON, "{}\0", 3);

	assert_refused(&r, RC_BAD_INPUT);
	test_req_close(r.req);
	r = post(API, JSON, "{\n \"a\" 1}");
	g_assert_nonnull(strstr(r.req->fail_text, "line 2"));
	test_req_close(r.req);
}

static void
test_json_types(void)
{
	static const struct {
		const char *name, *json, *error;
	} cases[] = {
		{ "a", "1", "Alpha must be text." },
		{ "a", "true", "Alpha must be text." },
		{ "a", "1.5", "Alpha must be text." },
		{ "a", "[]", "Alpha must be text." },
		{ "a", "[[[]]]", "Alpha must be text." },
		{ "a", "{\"b\": 1}", "Alpha must be text." },
		{ "pw", "12345", "Password must be text." },
		{ "n", "1.0",
		    "Count must be a whole number between -5 and 10." },
		{ "n", "true",
		    "Count must be a whole number between -5 and 10." },
		{ "n", "11",
		    "Count must be a whole number between -5 and 10." },
		{ "n", "{}",
		    "Count must be a whole number between -5 and 10." },
		{ "agree", "2", "Consent must be yes or no." },
		{ "agree", "[]", "Consent must be yes or no." },
		{ "doc", "\"x\"", "Document must be a file." },
		{ "a", "\"[{{{{{{{{\\\"[[[[\"", NULL },
		{ "n", "10", NULL },
		{ "agree", "false", NULL },
		{ "agree", "\"yes\"", NULL },
		{ "doc", "null", NULL },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *body = g_strdup_printf("{\"%s\": %s}", cases[i].name,
		    cases[i].json);
		struct run r = post(API, JSON, body);

		g_test_message("%s", body);
		g_assert_cmpstr(error_of(r.req, cases[i].name), ==,
		    cases[i].error);
		g_assert_cmpint(r.rc, ==,
		    cases[i].error ? RC_BAD_INPUT : RC_OK);
		test_req_close(r.req);
		g_free(body);
	}
}

/* Depth and count are known before the parser takes memory for them. */
static void
test_json_bombs(void)
{
	GString *s = g_string_new(NULL);
	struct run r;
	int i;

	for (i = 0; i < 60000; i++)
		g_string_append_c(s, '[');
	r = post(API, JSON, s->str);
	assert_refused(&r, RC_BAD_INPUT);
	g_assert_cmpuint(arena_used(r.req->arena), <, 8192);
	test_req_close(r.req);

	g_string_assign(s, "[0");
	for (i = 0; i < 30000; i++)
		g_string_append(s, ",0");
	r = post(API, JSON, s->str);
	assert_refused(&r, RC_TOO_LARGE);
	g_assert_cmpuint(arena_used(r.req->arena), <, 8192);
	test_req_close(r.req);
	g_string_free(s, TRUE);
}

/* ---- limits ---- */

static struct run
post_pairs(int n, const char *pair)
{
	GString *s = g_string_new(pair);
	struct req *req = test_req_open();
	struct run r;

	while (--n > 0)
		g_string_append_printf(s, "&%s", pair);
	req->query = arena_strdup(req->arena, s->str);
	g_string_free(s, TRUE);
	r.req = req;
	r.rc = form_parse(req, fields, NULL, NULL, 0);
	return r;
}

static void
test_count_limits(void)
{
	struct run r = post_pairs(200, "x=1");

	assert_fine(&r);
	test_req_close(r.req);
	r = post_pairs(201, "x=1");
	assert_refused(&r, RC_TOO_LARGE);
	test_req_close(r.req);
	r = post_pairs(20000, "&");
	assert_fine(&r);
	test_req_close(r.req);
}

/* The 201st of query and body together. */
static void
test_count_together(void)
{
	struct run r = post_pairs(200, "x=1");

	r.req->method = "POST";
	r.rc = form_parse(r.req, fields, URLENCODED,
	    (const unsigned char *)"a=1", 3);
	assert_refused(&r, RC_TOO_LARGE);
	test_req_close(r.req);
}

static void
test_size_limits(void)
{
	static const char *const types[] = { URLENCODED, JSON };
	char *json = g_strnfill(101, ' ');
	struct req *req;
	size_t i, len;

	memcpy(json, "{}", 2);
	for (i = 0; i < 2; i++)
		for (len = 100; len <= 101; len++) {
			req = test_req_open();
			req->api = true;
			test_req_conf(req)->form_limit = 100;
			if (i == 0)
				memset(json, '&', 101);
			else
				memcpy(memset(json, ' ', 101), "{}", 2);
			g_assert_cmpint(form_parse(req, fields, types[i],
			    (const unsigned char *)json, len), ==,
			    len == 100 ? RC_OK : RC_TOO_LARGE);
			test_req_close(req);
		}
	g_free(json);
}

static void
test_media(void)
{
	static const struct {
		const char *type;
		int page, api;
	} cases[] = {
		{ URLENCODED, RC_OK, RC_OK },
		{ "APPLICATION/X-WWW-Form-Urlencoded", RC_OK, RC_OK },
		{ URLENCODED ";charset=UTF-8", RC_OK, RC_OK },
		{ URLENCODED " ; a=b", RC_OK, RC_OK },
		{ URLENCODED "x", RC_MEDIA, RC_MEDIA },
		{ URLENCODED " x", RC_MEDIA, RC_MEDIA },
		{ JSON, RC_MEDIA, RC_BAD_INPUT },
		{ "application/jsonp", RC_MEDIA, RC_MEDIA },
		{ "application/vnd.api+json", RC_MEDIA, RC_MEDIA },
		{ MULTIPART, RC_BAD_INPUT, RC_MEDIA },
		{ "multipart/mixed; boundary=b", RC_MEDIA, RC_MEDIA },
		{ "text/plain", RC_MEDIA, RC_MEDIA },
		{ "", RC_MEDIA, RC_MEDIA },
		{ NULL, RC_MEDIA, RC_MEDIA },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct run r = post(PAGE, cases[i].type, "a=1");

		g_test_message("%s", cases[i].type);
		g_assert_cmpint(r.rc, ==, cases[i].page);
		test_req_close(r.req);
		r = post(API, cases[i].type, "a=1");
		g_assert_cmpint(r.rc, ==, cases[i].api);
		test_req_close(r.req);
		r = post(API, cases[i].type, "");
		assert_fine(&r);
		test_req_close(r.req);
	}
}

/* ---- fields ---- */

static void
test_field_checks(void)
{
	static const char most[] = "Beta must be at most 5 characters.";
	static const char least[] = "Beta must be at least 2 characters.";
	static const char line[] =
	    "Beta must be on one line and without invisible characters.";
	static const char number[] =
	    "Count must be a whole number between -5 and 10.";
	static const struct {
		const char *name, *typed, *error, *given;
	} cases[] = {
		{ "b", "ab", NULL, "ab" },
		{ "b", "abcde", NULL, "abcde" },
		{ "b", "가나다라마", NULL, "가나다라마" },
		{ "b", "가나다라마바", most, "가나다라마바" },
		{ "b", "가", least, "가" },
		{ "b", " a ", least, "a" },
		{ "b", "  abcde  ", NULL, "abcde" },
		{ "b", "", NULL, "" },
		{ "b", "   ", NULL, "" },
		{ "b", "a\tb", line, "a\tb" },
		{ "b", "a\nb", line, "a\nb" },
		{ "b", "a\r\nb", line, "a\r\nb" },
		{ "b", "a\x01", line, "a\x01" },
		{ "b", "a\x7f", line, "a\x7f" },
		{ "b", "ab\u202e", line, "ab\u202e" },
		{ "b", "\ufeff" "ab", line, "\ufeff" "ab" },
		{ "b", "ab\u200b", line, "ab\u200b" },
		{ "b", "\u3164\u3164", line, "\u3164\u3164" },
		{ "n", "-5", NULL, "-5" },
		{ "n", "10", NULL, "10" },
		{ "n", " 7 ", NULL, "7" },
		{ "n", "0", NULL, "0" },
		{ "n", "-0", NULL, "-0" },
		{ "n", "", NULL, NULL },
		{ "n", " ", NULL, NULL },
		{ "n", "-6", number, "-6" },
		{ "n", "11", number, "11" },
		{ "n", "+1", number, "+1" },
		{ "n", "-", number, "-" },
		{ "n", "--1", number, "--1" },
		{ "n", "1.0", number, "1.0" },
		{ "n", "1 0", number, "1 0" },
		{ "n", "0x1", number, "0x1" },
		{ "n", "1e1", number, "1e1" },
		{ "n", "１", number, "１" },
		{ "n", "99999999999999999999", number,
		    "99999999999999999999" },
		{ "big", "-9223372036854775808", NULL,
		    "-9223372036854775808" },
		{ "big", "9223372036854775807", NULL, "9223372036854775807" },
		{ "big", "-9223372036854775809", "Big must be a whole number, "
		    "-9223372036854775808 or more.", "-9223372036854775809" },
		{ "pw", " ab ", NULL, " ab " },
		{ "pw", "ab", "Password must be at least 3 characters.",
		    "ab" },
		{ "pw", "비밀번호", NULL, "비밀번호" },
		{ "pw", "123456789", "Password must be at most 8 characters.",
		    "123456789" },
		{ "agree", "maybe", "Consent must be yes or no.", "maybe" },
		{ "agree", "ON", "Consent must be yes or no.", "ON" },
		{ "doc", "a.txt", "Document must be a file.", "a.txt" },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *escaped = g_uri_escape_string(cases[i].typed, NULL,
		    FALSE);
		char *body = g_strdup_printf("%s=%s&a=kept", cases[i].name,
		    escaped);
		struct run r = post(PAGE, URLENCODED, body);

		g_test_message("%s", body);
		g_assert_cmpstr(error_of(r.req, cases[i].name), ==,
		    cases[i].error);
		g_assert_cmpint(r.rc, ==,
		    cases[i].error ? RC_BAD_INPUT : RC_OK);
		g_assert_cmpstr(form_str(r.req, cases[i].name), ==,
		    cases[i].given);
		g_assert_cmpstr(form_str(r.req, "a"), ==, "kept");
		g_assert_cmpstr(r.req->fail_text, ==, NULL);
		test_req_close(r.req);
		g_free(body);
		g_free(escaped);
	}
}

static void
test_numbers(void)
{
	struct run r = post(PAGE, URLENCODED,
	    "n=-5&big=-9223372036854775808");

	g_assert_cmpint(form_int(r.req, "n"), ==, -5);
	g_assert_cmpint(form_int(r.req, "big"), ==, INT64_MIN);
	g_assert_cmpint(form_int(r.req, "page"), ==, 0);
	g_assert_cmpint(form_int(r.req, "nothing"), ==, 0);
	test_req_close(r.req);
	r = post(PAGE, URLENCODED, "n=99");
	g_assert_cmpint(form_int(r.req, "n"), ==, 0);
	test_req_close(r.req);
}

static void
test_flags(void)
{
	static const struct {
		const char *body;
		bool on;
	} cases[] = {
		{ "agree=1", true }, { "agree=on", true },
		{ "agree=true", true }, { "agree=yes", true },
		{ "agree=0", false }, { "agree=off", false },
		{ "agree=false", false }, { "agree=no", false },
		{ "agree=", false }, { "agree", false }, { "", false },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct run r = post(PAGE, URLENCODED, cases[i].body);

		assert_fine(&r);
		g_assert_cmpint(form_flag(r.req, "agree"), ==, cases[i].on);
		test_req_close(r.req);
	}
}

static const struct field required[] = {
	{ "name", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 9, "Name" },
	{ "pw", FIELD_SECRET, FIELD_BODY | FIELD_REQUIRED, 3, 9, "Password" },
	{ "n", FIELD_INT, FIELD_BODY | FIELD_QUERY | FIELD_REQUIRED, 0, 9,
	    NULL },
	{ "yes", FIELD_FLAG, FIELD_BODY | FIELD_REQUIRED, 0, 0, "Consent" },
	{ "doc", FIELD_FILE, FIELD_BODY | FIELD_REQUIRED, 0, 9, "File" },
	{ 0 }
};

static void
test_required(void)
{
	static const char *const empty[] = {
		"", "name=&pw=&n=", "name=++&pw=&n=+",
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(empty); i++) {
		struct req *req = test_req_open();

		req->method = "POST";
		g_assert_cmpint(form_parse(req, required, URLENCODED,
		    (const unsigned char *)empty[i], strlen(empty[i])), ==,
		    RC_BAD_INPUT);
		g_assert_cmpstr(error_of(req, "name"), ==, "Name is missing.");
		g_assert_cmpstr(error_of(req, "pw"), ==,
		    "Password is missing.");
		g_assert_cmpstr(error_of(req, "n"), ==, "n is missing.");
		g_assert_cmpstr(error_of(req, "yes"), ==,
		    "Consent is missing.");
		g_assert_cmpstr(error_of(req, "doc"), ==, "File is missing.");
		g_assert_cmpuint(json_object_size(req->errors), ==, 5);
		test_req_close(req);
	}
}

/* GET shows the empty form: only what an address can bring is asked for. */
static void
test_required_on_get(void)
{
	struct req *req = test_req_open();

	g_assert_cmpint(form_parse(req, required, NULL, NULL, 0), ==,
	    RC_BAD_INPUT);
	g_assert_cmpuint(json_object_size(req->errors), ==, 1);
	g_assert_nonnull(error_of(req, "n"));
	test_req_close(req);

	req = test_req_open();
	req->query = "n=0";
	g_assert_cmpint(form_parse(req, required, NULL, NULL, 0), ==, RC_OK);
	test_req_close(req);

	req = test_req_open();
	req->method = "DELETE";
	g_assert_cmpint(form_parse(req, required, NULL, NULL, 0), ==,
	    RC_BAD_INPUT);
	g_assert_cmpuint(json_object_size(req->errors), ==, 5);
	test_req_close(req);
}

static void
test_page_fields(void)
{
	struct run r = post(PAGE, URLENCODED,
	    "csrf=c&once=o&next=%2Fbooks%3Fq%3D1");

	assert_fine(&r);
	g_assert_cmpstr(form_str(r.req, "csrf"), ==, "c");
	g_assert_cmpstr(form_str(r.req, "once"), ==, "o");
	g_assert_cmpstr(form_str(r.req, "next"), ==, "/books?q=1");
	test_req_close(r.req);
	r = get(PAGE, "csrf=c&next=x");
	g_assert_false(form_has(r.req, "csrf"));
	g_assert_false(form_has(r.req, "next"));
	test_req_close(r.req);
}

static void
test_no_fields(void)
{
	struct req *req = test_req_open();

	g_assert_null(form_str(req, "a"));
	g_assert_null(form_file(req, "a"));
	g_assert_cmpuint(json_object_size(form_values(req)), ==, 0);
	req->query = "x=1";
	g_assert_cmpint(form_parse(req, NULL, NULL, NULL, 0), ==, RC_OK);
	req->api = true;
	g_assert_cmpint(form_parse(req, NULL, NULL, NULL, 0), ==,
	    RC_BAD_INPUT);
	test_req_close(req);
}

static void
test_values(void)
{
	struct run r = post(PAGE, URLENCODED,
	    "a=한글&b=x&n=abc&agree=on&pw=secret&csrf=token&next=%2Fa");
	char *values = json_dumps(form_values(r.req),
	    JSON_COMPACT | JSON_SORT_KEYS);

	g_assert_cmpint(r.rc, ==, RC_BAD_INPUT);
	g_assert_cmpstr(values, ==, "{\"a\":\"한글\",\"agree\":true,"
	    "\"b\":\"x\",\"big\":\"\",\"both\":\"\",\"id\":\"\",\"n\":\"abc\","
	    "\"next\":\"/a\",\"page\":\"\",\"q\":\"\"}");
	test_req_close(r.req);
}

/* ---- multipart ---- */

#define PART(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\""
#define END "\r\n--b--\r\n"

static void
test_multipart(void)
{
	static const char body[] =
	    PART("a") "\r\n\r\n서가\r\n"
	    PART("doc") "; filename=\"책 \\\"1\\\".PNG\"\r\n"
	    "Content-Type: Image/PNG; x=y\r\nX-Other: 1\r\n\r\n"
	    "\x00\xff\r\n--\r\n-b\r\n"
	    PART("b") "\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n"
	    "ab" END;
	const struct form_file *f;
	struct run r;

	test_log();	/* forget what earlier tests left */
	r = post_n(PAGE, MULTIPART, body, sizeof(body) - 1);
	f = form_file(r.req, "doc");
	assert_fine(&r);
	g_assert_cmpstr(form_str(r.req, "a"), ==, "서가");
	g_assert_cmpstr(form_str(r.req, "b"), ==, "ab");
	g_assert_nonnull(f);
	if (f) {
		g_assert_cmpstr(f->name, ==, "doc");
		g_assert_cmpstr(f->filename, ==, "책 \"1\".PNG");
		g_assert_cmpstr(f->type, ==, "image/png");
		g_assert_cmpmem(f->data, f->len, "\x00\xff\r\n--\r\n-b", 10);
	}
	g_assert_null(form_file(r.req, "a"));
	g_assert_cmpstr(test_log(), ==, "");
	test_req_close(r.req);
}

/* Bodies that differ only in how they are written. */
static void
test_multipart_good(void)
{
	static const char *const good[] = {
		PART("a") "\r\n\r\nx" END,
		PART("a") "\r\n\r\nx\r\n--b--",
		"--b\r\ncontent-disposition:form-data;name=a\r\n\r\nx" END,
		"--b\r\nContent-Disposition: Form-Data; NAME=\"a\" \r\n\r\nx"
		    END,
		"--b\r\nX: y\r\nContent-Disposition: form-data; x=1; name=a;"
		    " y=\"2;\"\r\n\r\nx" END,
		PART("a") "\r\n\r\n x " END,
		PART("doc") "; filename=\"\"\r\n\r\n\r\n"
		    PART("a") "\r\n\r\nx" END,
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(good); i++) {
		struct run r = post(PAGE, MULTIPART, good[i]);

		g_test_message("%zu", i);
		assert_fine(&r);
		g_assert_cmpstr(form_str(r.req, "a"), ==, "x");
		g_assert_null(form_file(r.req, "doc"));
		g_assert_false(form_has(r.req, "doc"));
		test_req_close(r.req);
	}
	struct run r = post(PAGE, MULTIPART, "--b--\r\n");

	assert_fine(&r);
	test_req_close(r.req);
	r = post(PAGE, MULTIPART, PART("a") "\r\n\r\n" END);
	assert_fine(&r);
	g_assert_cmpstr(form_str(r.req, "a"), ==, "");
	test_req_close(r.req);
}

static void
test_multipart_malformed(void)
{
	static const char *const bad[] = {
		"x", "--b", "--b-", "--b--x", "--bb\r\n", "--b\r\n",
		"\r\n" PART("a") "\r\n\r\nx" END,
		"preamble\r\n" PART("a") "\r\n\r\nx" END,
		PART("a") "\r\n\r\nx", PART("a") "\r\n\r\nx\r\n--b",
		PART("a") "\r\n\r\nx\r\n--c--\r\n",
		PART("a") "\r\n\r\nx" END "x", PART("a") "\r\n\r\nx" END END,
		PART("a") "\r\n\r\nx\r\n--b \r\n", PART("a") "\r\n\r\n--b--",
		PART("a") "\r\n\r\n--b--" END,
		PART("a") "\r\n--b--\r\n", PART("a") "\n\nx" END,
		PART("a") "\r\n\r\nx\r\n--bx" END,
		PART("a") "\r\n folded: 1\r\n\r\nx" END,
		PART("a") "\r\nno colon\r\n\r\nx" END,
		PART("a") "\r\n: x\r\n\r\nx" END,
		"--b\r\n\r\nx" END,
		"--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx" END,
		"--b\r\nContent-Disposition: form-data\r\n\r\nx" END,
		"--b\r\nContent-Disposition: form-data name=a\r\n\r\nx" END,
		"--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx" END,
		"--b\r\nContent-Disposition: form-data; name\r\n\r\nx" END,
		"--b\r\nContent-Type: text/plain\r\n\r\nx" END,
		PART("a") "; name=\"a\"\r\n\r\nx" END,
		PART("a") "x\r\n\r\nx" END,
		PART("a") "\r\nContent-Disposition: form-data; name=\"a\"\r\n"
		    "\r\nx" END,
		PART("a") "\r\nContent-Transfer-Encoding: binary\r\n\r\nx" END,
		PART("a") "\r\nContent-Type: multipart/mixed; boundary=c\r\n"
		    "\r\nx" END,
		PART("a") "\r\nContent-Type: text\r\n\r\nx" END,
		PART("a") "\r\nContent-Type: text/plain x\r\n\r\nx" END,
		PART("a") "\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\nx"
		    END,
		PART("doc") "; filename*=UTF-8''a\r\n\r\nxx" END,
		PART("doc") "; filename=\"\xff\"\r\n\r\nxx" END,
		PART("doc") "; filename=\"a\tb\"\r\n\r\nxx" END,
		PART("doc") "; filename=\"\u202egnp\"\r\n\r\nxx" END,
		PART("doc") "; filename=\"..\"\r\n\r\nxx" END,
		PART("doc") "; filename=\"a/..\"\r\n\r\nxx" END,
		PART("doc") "; filename=a; filename=b\r\n\r\nxx" END,
		PART("\xff") "\r\n\r\nx" END, PART("c") "\r\n\r\nx" END,
		PART("q") "\r\n\r\nx" END, PART("a") "\r\n\r\n\xff" END,
		PART("a") "\r\n\r\nx\r\n" PART("a") "\r\n\r\nx" END,
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct run r = post(PAGE, MULTIPART, bad[i]);

		g_test_message("%zu", i);
		assert_refused(&r, RC_BAD_INPUT);
		test_req_close(r.req);
	}
	g_assert_nonnull(strstr(test_log(), "Content-Transfer-Encoding"));
}

static void
test_multipart_nul(void)
{
	static const char name[] = PART("a\0b") "\r\n\r\nx" END;
	static const char text[] = PART("a") "\r\n\r\nx\0y" END;
	struct run r = post_n(PAGE, MULTIPART, name, sizeof(name) - 1);

	assert_refused(&r, RC_BAD_INPUT);
	test_req_close(r.req);
	r = post_n(PAGE, MULTIPART, text, sizeof(text) - 1);
	assert_refused(&r, RC_BAD_INPUT);
	test_req_close(r.req);
}

/* A prefix of a good body is never a good body. */
static void
test_multipart_cut(void)
{
	static const char body[] = PART("a") "\r\n\r\nx\r\n"
	    PART("doc") "; filename=\"f\"\r\nContent-Type: a/b\r\n\r\nxx"
	    "\r\n--b--";
	size_t len;

	for (len = 1; len < sizeof(body) - 1; len++) {
		char *cut = g_memdup2(body, len);
		struct run r = post_n(PAGE, MULTIPART, cut, len);

		g_assert_cmpint(r.rc, ==, RC_BAD_INPUT);
		test_req_close(r.req);
		g_free(cut);
	}
	struct run r = post_n(PAGE, MULTIPART, body, sizeof(body) - 1);

	assert_fine(&r);
	test_req_close(r.req);
}

static void
test_boundaries(void)
{
	static const struct {
		const char *type, *boundary;
		int rc;
	} cases[] = {
		{ "multipart/form-data; boundary=b", "b", RC_OK },
		{ "multipart/form-data;boundary=\"b\"", "b", RC_OK },
		{ "Multipart/Form-Data; x=y; Boundary=b", "b", RC_OK },
		{ "multipart/form-data; boundary=----WebKit'()+_,-./:=?",
		    "----WebKit'()+_,-./:=?", RC_OK },
		{ "multipart/form-data; boundary=12345678901234567890"
		    "12345678901234567890123456789012345678901234567890",
		    "12345678901234567890"
		    "12345678901234567890123456789012345678901234567890",
		    RC_OK },
		{ "multipart/form-data; boundary=123456789012345678901"
		    "12345678901234567890123456789012345678901234567890",
		    "123456789012345678901"
		    "12345678901234567890123456789012345678901234567890",
		    RC_BAD_INPUT },
		{ "multipart/form-data", "b", RC_BAD_INPUT },
		{ "multipart/form-data; boundary=", "", RC_BAD_INPUT },
		{ "multipart/form-data; boundary=\"\"", "", RC_BAD_INPUT },
		{ "multipart/form-data; boundary=\"b", "b", RC_BAD_INPUT },
		{ "multipart/form-data; boundary=\"a b\"", "a b",
		    RC_BAD_INPUT },
		{ "multipart/form-data; boundary=a*b", "a*b", RC_BAD_INPUT },
		{ "multipart/form-data; boundary=b; boundary=b", "b",
		    RC_BAD_INPUT },
		{ "multipart/form-data; boundary=b; x", "b", RC_BAD_INPUT },
		{ "multipart/form-data; boundary=한", "한", RC_BAD_INPUT },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *b = cases[i].boundary;
		char *body = g_strdup_printf("--%s\r\nContent-Disposition: "
		    "form-data; name=a\r\n\r\nx\r\n--%s--\r\n", b, b);
		struct run r = post(PAGE, cases[i].type, body);

		g_test_message("%s", cases[i].type);
		g_assert_cmpint(r.rc, ==, cases[i].rc);
		g_assert_cmpstr(form_str(r.req, "a"), ==,
		    cases[i].rc == RC_OK ? "x" : NULL);
		test_req_close(r.req);
		g_free(body);
	}
}

static void
test_filenames(void)
{
	static const char *const cases[][2] = {
		{ "a.txt", "a.txt" },
		{ "한글 책.pdf", "한글 책.pdf" },
		{ "C:\\Users\\me\\a.txt", "a.txt" },
		{ "../../etc/passwd", "passwd" },
		{ "/etc/passwd", "passwd" },
		{ "a;b.txt", "a;b.txt" },
		{ "a\\\"b.txt", "a\"b.txt" },
		{ "%22.txt", "%22.txt" },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *body = g_strdup_printf(PART("doc") "; filename=\"%s\""
		    "\r\n\r\nxx" END, cases[i][0]);
		struct run r = post(PAGE, MULTIPART, body);
		const struct form_file *f = form_file(r.req, "doc");

		assert_fine(&r);
		g_assert_cmpstr(f ? f->filename : NULL, ==, cases[i][1]);
		g_assert_cmpstr(f ? f->type : NULL, ==,
		    "application/octet-stream");
		test_req_close(r.req);
		g_free(body);
	}
}

static void
test_file_checks(void)
{
	static const struct {
		const char *body, *name, *error;
	} cases[] = {
		{ PART("doc") "; filename=\"f\"\r\n\r\nx" END, "doc",
		    "Document must have at least 2 bytes." },
		{ PART("doc") "; filename=\"f\"\r\n\r\n01234567890" END, "doc",
		    "Document must have at most 10 bytes." },
		{ PART("doc") "; filename=\"f\"\r\n\r\n0123456789" END, "doc",
		    NULL },
		{ PART("doc") "\r\n\r\nxx" END, "doc",
		    "Document must be a file." },
		{ PART("a") "; filename=\"f\"\r\n\r\nxx" END, "a",
		    "Alpha must be text." },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct run r = post(PAGE, MULTIPART, cases[i].body);

		g_assert_cmpstr(error_of(r.req, cases[i].name), ==,
		    cases[i].error);
		test_req_close(r.req);
	}
}

static struct run
post_parts(int n, size_t text_len)
{
	static char type[] = MULTIPART;
	static struct field many[41];
	static char names[40][16];
	struct run r = { .req = test_req_open() };
	GString *s = g_string_new(NULL);
	char *text = g_strnfill(text_len, 'x');
	int i;

	for (i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "f%d", i);
		many[i] = (struct field){ names[i], FIELD_TEXT, FIELD_BODY,
		    0, 0, names[i] };
	}
	for (i = 0; i < n; i++)
		g_string_append_printf(s, "--b\r\nContent-Disposition: "
		    "form-data; name=f%d\r\n\r\n%s\r\n", i, text);
	g_string_append(s, "--b--\r\n");
	r.rc = form_parse(r.req, many, type, (const unsigned char *)s->str,
	    s->len);
	g_string_free(s, TRUE);
	g_free(text);
	return r;
}

static void
test_multipart_limits(void)
{
	static const struct {
		int parts;
		size_t text;
		int rc;
	} cases[] = {
		{ 32, 1, RC_OK }, { 33, 1, RC_TOO_LARGE },
		{ 2, 32768, RC_OK }, { 2, 32769, RC_TOO_LARGE },
		{ 1, 65537, RC_TOO_LARGE },
	};
	char *longest = g_strnfill(2100, 'x'), *body;
	struct run r;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		r = post_parts(cases[i].parts, cases[i].text);
		g_assert_cmpint(r.rc, ==, cases[i].rc);
		g_assert_cmpint(r.req->fail_text != NULL, ==,
		    cases[i].rc < 0);
		test_req_close(r.req);
	}
	body = g_strdup_printf(PART("a") "\r\nX: %s\r\n\r\nx" END, longest);
	r = post(PAGE, MULTIPART, body);
	assert_refused(&r, RC_BAD_INPUT);
	test_req_close(r.req);
	g_free(body);
	g_free(longest);
}

/* ---- cookies ---- */

static void
test_cookies(void)
{
	static const struct {
		const char *header, *value;
	} cases[] = {
		{ NULL, NULL }, { "", NULL }, { ";", NULL }, { "sid", NULL },
		{ "sid=a", "a" }, { "sid=", "" }, { "x=1; sid=a", "a" },
		{ "sid=a; x=1", "a" }, { "x=1;sid=a", "a" },
		{ "x=1;;  sid=a ", "a" }, { "sid=a; sid=b", "a" },
		{ "sid=; sid=b", "" }, { "sid=\"a\"", "a" },
		{ "sid=a=b", "a=b" }, { "xsid=1; sidx=2", NULL },
		{ "SID=a", NULL }, { "x=sid=a", NULL }, { "sid=a b", NULL },
		{ "sid=a b; sid=c", NULL }, { "sid=a,b", NULL },
		{ "sid=\"a", NULL }, { "sid=\"", NULL }, { "sid=a\\b", NULL },
		{ "sid=한", NULL }, { "sid=a\x7f", NULL },
		{ "sid=a\r\nX: y", NULL }, { "sid=\x01", NULL },
		{ "=a; sid=b", "b" }, { "__Host-sid=a", NULL },
		{ "x; sid=a", "a" },
	};
	char *longest = g_strnfill(4096 + 5, 'x');
	struct req *req = test_req_open();
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].header);
		g_assert_cmpstr(form_cookie(req, cases[i].header, "sid"), ==,
		    cases[i].value);
	}
	g_assert_cmpstr(form_cookie(req, "sid=b; __Host-sid=a", "__Host-sid"),
	    ==, "a");
	memcpy(longest, "sid=", 4);
	g_assert_null(form_cookie(req, longest, "sid"));
	longest[4096 + 4] = '\0';
	g_assert_nonnull(form_cookie(req, longest, "sid"));
	g_free(longest);
	test_req_close(req);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/form/urlencoded", test_urlencoded);
	g_test_add_func("/form/urlencoded/malformed",
	    test_urlencoded_malformed);
	g_test_add_func("/form/unknown-names", test_unknown_names);
	g_test_add_func("/form/query", test_query);
	g_test_add_func("/form/query-and-body", test_query_and_body);
	g_test_add_func("/form/captures", test_captures);
	g_test_add_func("/form/capture-wins", test_capture_wins);
	g_test_add_func("/form/json", test_json);
	g_test_add_func("/form/json/malformed", test_json_malformed);
	g_test_add_func("/form/json/types", test_json_types);
	g_test_add_func("/form/json/bombs", test_json_bombs);
	g_test_add_func("/form/count-limits", test_count_limits);
	g_test_add_func("/form/count-together", test_count_together);
	g_test_add_func("/form/size-limits", test_size_limits);
	g_test_add_func("/form/media", test_media);
	g_test_add_func("/form/field-checks", test_field_checks);
	g_test_add_func("/form/numbers", test_numbers);
	g_test_add_func("/form/flags", test_flags);
	g_test_add_func("/form/required", test_required);
	g_test_add_func("/form/required-on-get", test_required_on_get);
	g_test_add_func("/form/page-fields", test_page_fields);
	g_test_add_func("/form/no-fields", test_no_fields);
	g_test_add_func("/form/values", test_values);
	g_test_add_func("/form/multipart", test_multipart);
	g_test_add_func("/form/multipart/good", test_multipart_good);
	g_test_add_func("/form/multipart/malformed", test_multipart_malformed);
	g_test_add_func("/form/multipart/nul", test_multipart_nul);
	g_test_add_func("/form/multipart/cut", test_multipart_cut);
	g_test_add_func("/form/multipart/boundaries", test_boundaries);
	g_test_add_func("/form/multipart/filenames", test_filenames);
	g_test_add_func("/form/multipart/files", test_file_checks);
	g_test_add_func("/form/multipart/limits", test_multipart_limits);
	g_test_add_func("/form/cookies", test_cookies);
	return g_test_run();
}
