/* lib/form: the ways in, what each gives, and what is refused as a whole. */
#include "form.h"

#include <glib.h>

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
		struct run r =
		    post(i % 2 ? API : PAGE, URLENCODED, cases[n].body);

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
		"a=%00",
		"a=x%00y",
		"a=%",
		"a=%4",
		"a=%zz",
		"a=%4g",
		"a=%g4",
		"a=%ff",
		"a=\xff",
		"a=%C0%80",
		"a=%ED%A0%80",
		"a=%E2%82",
		"a=%F5%80%80%80",
		"%00=1",
		"%=1",
		"%ff=1",
		"c=1",
		"=1",
		"A=1",
		"a=1&a=2",
		"a=1&a=1",
		"a&a",
		"a=1&%61=2",
		"a[]=1",
		"q=1",
		"page=1",
		"id=1",
		"a=1&c=2",
		"a.x=1",
		"csrf=1&csrf=1",
	};
	size_t i;

	for (i = 0; i < 2 * G_N_ELEMENTS(bad); i++) {
		struct run r = post(i % 2 ? API : PAGE, URLENCODED, bad[i / 2]);

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
	g_assert_cmpint(
	    form_parse(req, test_fields, URLENCODED, body, 9), ==, RC_OK);
	g_assert_cmpstr(form_str(req, "both"), ==, "body");
	g_assert_cmpstr(form_str(req, "q"), ==, "1");
	g_assert_cmpint(form_parse(req, test_fields, NULL, NULL, 0), ==, RC_OK);
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
		g_assert_cmpint(form_parse(req, test_fields, NULL, NULL, 0), ==,
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
		    FIELD_PATH | FIELD_QUERY | FIELD_BODY | FIELD_REQUIRED, 1,
		    0, "Number" },
		{ 0 }
	};
	struct req *req = test_req_open();

	req->method = "POST";
	form_capture(req, "id", "7");
	req->query = "id=8";
	g_assert_cmpint(form_parse(req, id_fields, NULL, NULL, 0), ==, RC_OK);
	g_assert_cmpint(form_int(req, "id"), ==, 7);
	g_assert_cmpint(form_parse(req, id_fields, URLENCODED,
			    (const unsigned char *)"id=9", 4),
	    ==, RC_BAD_INPUT);
	test_req_close(req);
}

/* ---- JSON ---- */

static void
test_json(void)
{
	struct run r = post(API, JSON,
	    " {\"a\": \" \\uc11c가 \", \"n\": -5, "
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
		"[]",
		"1",
		"\"a\"",
		"null",
		"true",
		"{",
		"}",
		"{}{}",
		"{} x",
		"{a: 1}",
		"{'a': 1}",
		"{\"a\": 1,}",
		"{\"a\"}",
		"nul",
		"{\"a\": \"\xff\"}",
		"{\"a\": \"\\u0000\"}",
		"{\"a\": \"\\ud800\"}",
		"{\"\\u0000\": 1}",
		"{\"a\": \"\n\"}",
		"{\"a\": \"1\", \"a\": \"1\"}",
		"{\"a\": 1, \"\\u0061\": 2}",
		"{\"c\": 1}",
		"{\"c\": null}",
		"{\"csrf\": \"1\"}",
		"{\"q\": \"1\"}",
		"{\"id\": 1}",
		"{\"n\": 01}",
		"{\"n\": 9223372036854775808}",
		"{\"n\": NaN}",
		"{\"n\": 1e999}",
		"\xef\xbb\xbf{}",
		"[[[[[",
		"{\"\": 1}",
		"{\"a\": {\"a\": {\"a\": {\"a\": {}}}}}",
		"{\"a\": \"\\",
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
		{ "a", "\"[{{{{{{{{\\\"[[[[\"", NULL },
		{ "n", "10", NULL },
		{ "agree", "false", NULL },
		{ "agree", "\"yes\"", NULL },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *body = g_strdup_printf(
		    "{\"%s\": %s}", cases[i].name, cases[i].json);
		struct run r = post(API, JSON, body);

		g_test_message("%s", body);
		g_assert_cmpstr(
		    error_of(r.req, cases[i].name), ==, cases[i].error);
		g_assert_cmpint(
		    r.rc, ==, cases[i].error ? RC_BAD_INPUT : RC_OK);
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
	r.rc = form_parse(req, test_fields, NULL, NULL, 0);
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
	r.rc = form_parse(
	    r.req, test_fields, URLENCODED, (const unsigned char *)"a=1", 3);
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
			g_assert_cmpint(
			    form_parse(req, TEST_FIELDS_WITHOUT_FILE, types[i],
				(const unsigned char *)json, len),
			    ==, len == 100 ? RC_OK : RC_TOO_LARGE);
			test_req_close(req);
		}
	g_free(json);
}

/* What takes a file takes nothing but multipart from the API. */
static void
test_media_file(void)
{
	static const struct {
		const char *type, *body;
		int rc;
	} cases[] = {
		{ URLENCODED, "a=1", RC_MEDIA },
		{ JSON, "{}", RC_MEDIA },
		{ MULTIPART, "--b--\r\n", RC_OK },
	};
	struct req *req;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		req = test_req_open();
		req->api = true;
		g_assert_cmpint(form_parse(req, test_fields, cases[i].type,
				    (const unsigned char *)cases[i].body,
				    strlen(cases[i].body)),
		    ==, cases[i].rc);
		test_req_close(req);
	}
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

/* ---- cookies ---- */

static void
test_cookies(void)
{
	static const struct {
		const char *header, *value;
	} cases[] = {
		{ NULL, NULL },
		{ "", NULL },
		{ ";", NULL },
		{ "sid", NULL },
		{ "sid=a", "a" },
		{ "sid=", "" },
		{ "x=1; sid=a", "a" },
		{ "sid=a; x=1", "a" },
		{ "x=1;sid=a", "a" },
		{ "x=1;;  sid=a ", "a" },
		{ "sid=a; sid=b", "a" },
		{ "sid=; sid=b", "" },
		{ "sid=\"a\"", "a" },
		{ "sid=a=b", "a=b" },
		{ "xsid=1; sidx=2", NULL },
		{ "SID=a", NULL },
		{ "x=sid=a", NULL },
		{ "sid=a b", NULL },
		{ "sid=a b; sid=c", NULL },
		{ "sid=a,b", NULL },
		{ "sid=\"a", NULL },
		{ "sid=\"", NULL },
		{ "sid=a\\b", NULL },
		{ "sid=한", NULL },
		{ "sid=a\x7f", NULL },
		{ "sid=a\r\nX: y", NULL },
		{ "sid=\x01", NULL },
		{ "=a; sid=b", "b" },
		{ "__Host-sid=a", NULL },
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
	g_assert_cmpstr(
	    form_cookie(req, "sid=b; __Host-sid=a", "__Host-sid"), ==, "a");
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
	g_test_add_func(
	    "/form/urlencoded/malformed", test_urlencoded_malformed);
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
	g_test_add_func("/form/cookies", test_cookies);
	g_test_add_func("/form/media-file", test_media_file);
	return g_test_run();
}
