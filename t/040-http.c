/* lib/http: headers without injection, cookies, dates, tags, local URLs. */
#include "req.h"

#include "../lib/http.h"

#include <glib.h>
#include <locale.h>

static void
test_statuses(void)
{
	static const struct {
		enum rc rc;
		int status;
		const char *reason;
	} cases[] = {
		{ RC_OK, 200, "OK" },
		{ RC_BAD_INPUT, 400, "Bad Request" },
		{ RC_LOGIN, 401, "Unauthorized" },
		{ RC_FORBIDDEN, 403, "Forbidden" },
		{ RC_NOT_FOUND, 404, "Not Found" },
		{ RC_METHOD, 405, "Method Not Allowed" },
		{ RC_CONFLICT, 409, "Conflict" },
		{ RC_TOO_LARGE, 413, "Content Too Large" },
		{ RC_MEDIA, 415, "Unsupported Media Type" },
		{ RC_TOO_MANY, 429, "Too Many Requests" },
		{ RC_BUG, 500, "Internal Server Error" },
		{ RC_DOWN, 503, "Service Unavailable" },
	};
	static const int others[] = { 201, 204, 303, 304, 502, 504 };
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_cmpint(http_status(cases[i].rc), ==, cases[i].status);
		g_assert_cmpstr(
		    http_reason(cases[i].status), ==, cases[i].reason);
	}
	for (i = 0; i < G_N_ELEMENTS(others); i++)
		g_assert_cmpstr(http_reason(others[i]), !=, "Unknown");
	g_assert_cmpstr(http_reason(418), ==, "Unknown");
	g_assert_cmpint(http_status((enum rc) - 99), ==, 500);
}

static void
test_headers(void)
{
	struct req *req = test_req_open();

	http_header(req, "X-One", "a b");
	http_headerf(req, "X-Two", "%d;%s", 7, "서가");
	http_header(req, "X-Empty", "");
	g_assert_cmpstr(test_req_headers(req), ==,
	    "X-One: a b\r\nX-Two: 7;서가\r\nX-Empty: \r\n");
	g_assert_cmpstr(test_log(), ==, "");
	test_req_close(req);
}

static void
test_header_injection(void)
{
	static const char *const bad[][2] = {
		{ "X", "a\r\nSet-Cookie: sid=1" },
		{ "X", "a\nb" },
		{ "X", "\r" },
		{ "X", "\x7f" },
		{ "X", "a\tb" },
		{ "X", "\x1b" },
		{ "", "a" },
		{ "X Y", "a" },
		{ "X:", "a" },
		{ "X\r\nY", "a" },
		{ "제목", "a" },
	};
	struct req *req = test_req_open();
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		test_log();
		http_header(req, bad[i][0], bad[i][1]);
		g_assert_cmpstr(test_req_headers(req), ==, "");
		g_assert_nonnull(strstr(test_log(), "\"ev\":\"http.header\""));
		http_headerf(req, bad[i][0], "%s", bad[i][1]);
		g_assert_cmpstr(test_req_headers(req), ==, "");
	}
	test_log();
	test_req_close(req);
}

/* The date in Expires, age seconds from now, give or take one. */
static bool
expires_in(const char *header, int age)
{
	const char *p = strstr(header, "Expires=");
	char want[30];
	int drift;

	for (drift = 0; p && drift < 3; drift++) {
		http_date(time(NULL) + age - drift, want);
		if (strncmp(p + 8, want, 29) == 0)
			return true;
	}
	return false;
}

static void
test_cookies(void)
{
	struct req *req = test_req_open();

	http_cookie(req, "sid", "abc", 0);
	g_assert_cmpstr(test_req_headers(req), ==,
	    "Set-Cookie: sid=abc; Path=/; HttpOnly; SameSite=Lax\r\n");
	g_assert_cmpstr(http_cookie_name(req, "sid"), ==, "sid");

	req->https = true;
	buf_reset(req->headers);
	http_cookie(req, "sid", "abc", 60);
	g_assert_true(g_str_has_prefix(test_req_headers(req),
	    "Set-Cookie: __Host-sid=abc; Path=/; HttpOnly; SameSite=Lax; "
	    "Secure; Max-Age=60; Expires="));
	g_assert_true(expires_in(test_req_headers(req), 60));
	g_assert_cmpstr(http_cookie_name(req, "sid"), ==, "__Host-sid");

	buf_reset(req->headers);
	http_cookie(req, "sid", "abc", -1);
	g_assert_cmpstr(test_req_headers(req), ==,
	    "Set-Cookie: __Host-sid=; Path=/; HttpOnly; SameSite=Lax; Secure; "
	    "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n");
	g_assert_cmpstr(test_log(), ==, "");
	test_req_close(req);
}

static void
test_bad_cookies(void)
{
	static const char *const bad[][2] = {
		{ "sid", "a;b" },
		{ "sid", "a,b" },
		{ "sid", "a b" },
		{ "sid", "a\"b" },
		{ "sid", "a\\b" },
		{ "sid", "a\r\nb" },
		{ "sid", "한" },
		{ "sid", "\x7f" },
		{ "", "a" },
		{ "a=b", "a" },
		{ "a;b", "a" },
		{ "a b", "a" },
	};
	struct req *req = test_req_open();
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		test_log();
		http_cookie(req, bad[i][0], bad[i][1], 0);
		g_assert_cmpstr(test_req_headers(req), ==, "");
		g_assert_nonnull(strstr(test_log(), "\"ev\":\"http.cookie\""));
	}
	test_req_close(req);
}

static void
test_dates(void)
{
	static const struct {
		time_t when;
		const char *text;
	} cases[] = {
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -5, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 1798761599, "Thu, 31 Dec 2026 23:59:59 GMT" },
		{ 4102444800, "Fri, 01 Jan 2100 00:00:00 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
	};
	char out[30];
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		http_date(cases[i].when, out);
		g_assert_cmpstr(out, ==, cases[i].text);
	}
}

static void
test_etags(void)
{
	static const struct {
		const char *header, *etag;
		bool match;
	} cases[] = {
		{ NULL, "\"a\"", false },
		{ "", "\"a\"", false },
		{ "\"a\"", NULL, false },
		{ "*", "\"a\"", true },
		{ " * ", "\"a\"", true },
		{ "*, \"a\"", "\"a\"", false },
		{ "\"a\"", "\"a\"", true },
		{ "W/\"a\"", "\"a\"", true },
		{ "\"a\"", "W/\"a\"", true },
		{ "W/\"a\"", "W/\"a\"", true },
		{ "w/\"a\"", "\"a\"", false },
		{ "\"ab\"", "\"a\"", false },
		{ "\"a\"", "\"ab\"", false },
		{ "\"A\"", "\"a\"", false },
		{ "\"x\", \"a\"", "\"a\"", true },
		{ "\"x\",\"a\"", "\"a\"", true },
		{ "\"x\" , W/\"y\",\t\"a\" ", "\"a\"", true },
		{ ",, \"a\"", "\"a\"", true },
		{ "\"x,\", \"a\"", "\"a\"", true },
		{ "\"x, \"a\"", "\"a\"", false },
		{ "a", "\"a\"", false },
		{ "\"a", "\"a\"", false },
		{ "\"x\" \"a\"", "\"a\"", false },
		{ "\"x\"; \"a\"", "\"a\"", false },
		{ "\"\"", "\"\"", true },
		{ "\"한\"", "\"한\"", true },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].header);
		g_assert_cmpint(
		    http_etag_matches(cases[i].header, cases[i].etag), ==,
		    cases[i].match);
	}
}

static void
test_local_urls(void)
{
	static const char *const good[] = {
		"/",
		"/books",
		"/books?q=a%20b&page=2",
		"/books/1#top",
		"/서가",
		"/%EC%84%9C",
		"/books?q=a%2Fb",
		"/books?q=a%5Cb",
		"/a:b",
		"/@evil.example",
		"/a/../b",
	};
	static const char *const bad[] = {
		"",
		"books",
		"http://evil.example/",
		"https:evil.example",
		"//evil.example",
		"///evil.example",
		"/\\evil.example",
		"\\/evil.example",
		"/a\\b",
		"/a//b",
		"/?u=http://e.example",
		"/\t/evil.example",
		"/\n/evil.example",
		"/a\rb",
		"/a b",
		" /a",
		"/\x7f",
		"/%2fevil.example",
		"/%2Fevil.example",
		"/%5cevil.example",
		"/%5Cevil.example",
		"/a%2f",
		"/%00",
		"/%0d%0aSet-Cookie:x",
		"/?q=%0a",
		"/%7f",
		"/%",
		"/%4",
		"/%zz",
		"/\xff",
		"/\xc0\xaf",
		"/\xe2\x80\xae",
		"/\xe2\x80\xa8",
		"javascript:alert(1)",
		"?q=1",
		"#a",
		"./a",
		"/\xc2\x85",
	};
	char *longest = g_strnfill(2001, '/');
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(good); i++) {
		g_test_message("%s", good[i]);
		g_assert_true(http_url_is_local(good[i]));
	}
	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_test_message("%zu", i);
		g_assert_false(http_url_is_local(bad[i]));
	}
	g_assert_false(http_url_is_local(NULL));
	memset(longest + 1, 'a', 2000);
	g_assert_false(http_url_is_local(longest));
	longest[2000] = '\0';
	g_assert_true(http_url_is_local(longest));
	g_free(longest);
}

static void
test_quoting(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "a-Z.0_~", "a-Z.0_~" },
		{ "/", "%2F" },
		{ "a b&c=d?e#f", "a%20b%26c%3Dd%3Fe%23f" },
		{ "%", "%25" },
		{ "서가", "%EC%84%9C%EA%B0%80" },
		{ "\r\n", "%0D%0A" },
	};
	struct req *req = test_req_open();
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpstr(
		    http_url_quote(req, cases[i][0]), ==, cases[i][1]);
	test_req_close(req);
}

static void
test_origins(void)
{
	static const char *list =
	    "https://a.example, https://b.example:8443,http://localhost";

	g_assert_true(http_origin_listed("https://a.example", list));
	g_assert_true(http_origin_listed("https://b.example:8443", list));
	g_assert_true(http_origin_listed("http://localhost", list));
	g_assert_false(http_origin_listed("https://b.example", list));
	g_assert_false(http_origin_listed("http://a.example", list));
	g_assert_false(http_origin_listed("https://A.example", list));
	g_assert_false(http_origin_listed("https://a.example.evil", list));
	g_assert_false(http_origin_listed("https://a.exampl", list));
	g_assert_false(http_origin_listed("https://a.example/", list));
	g_assert_false(http_origin_listed("null", list));
	g_assert_false(http_origin_listed("", list));
	g_assert_false(http_origin_listed("", ""));
	g_assert_false(http_origin_listed(NULL, list));
	g_assert_false(http_origin_listed("https://a.example", ""));
	g_assert_false(http_origin_listed("https://a.example", NULL));
	g_assert_false(http_origin_listed(
	    "https://a.example, https://b.example:8443", list));
}

int
main(int argc, char **argv)
{
	setlocale(LC_ALL, "C.UTF-8"); /* as the programs do */
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/http/statuses", test_statuses);
	g_test_add_func("/http/headers", test_headers);
	g_test_add_func("/http/header-injection", test_header_injection);
	g_test_add_func("/http/cookies", test_cookies);
	g_test_add_func("/http/bad-cookies", test_bad_cookies);
	g_test_add_func("/http/dates", test_dates);
	g_test_add_func("/http/etags", test_etags);
	g_test_add_func("/http/local-urls", test_local_urls);
	g_test_add_func("/http/quoting", test_quoting);
	g_test_add_func("/http/origins", test_origins);
	return g_test_run();
}
