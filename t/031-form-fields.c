/* lib/form: what the types and bounds of fields make of what was sent. */
#include "form.h"

#include <glib.h>

static void
test_field_checks(void)
{
	static const char most[] = "Beta must be at most 5 characters.";
	static const char least[] = "Beta must be at least 2 characters.";
	static const char line[] =
	    "Beta must be on one line and without invisible characters.";
	static const char hidden[] =
	    "Lines must be without invisible characters.";
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
		{ "b",
		    "\ufeff"
		    "ab",
		    line,
		    "\ufeff"
		    "ab" },
		{ "b", "ab\u200b", line, "ab\u200b" },
		{ "b", "\u3164\u3164", line, "\u3164\u3164" },
		{ "lines", "a\r\nb\n\nc", NULL, "a\nb\n\nc" },
		{ "lines", "\r\n a\r\n", NULL, "a" },
		{ "lines", "a\tb", NULL, "a b" },
		{ "lines", "\r\n", NULL, "" },
		{ "lines", "가\r\n나다라마바사", NULL, "가\n나다라마바사" },
		{ "lines", "123456789", "Lines must be at most 8 characters.",
		    "123456789" },
		{ "lines", "a\rb", hidden, "a\rb" },
		{ "lines", "a\n\u202eb", hidden, "a\n\u202eb" },
		{ "lines", "a\n\x1b", hidden, "a\n\x1b" },
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
		{ "n", "99999999999999999999", number, "99999999999999999999" },
		{ "big", "-9223372036854775808", NULL, "-9223372036854775808" },
		{ "big", "9223372036854775807", NULL, "9223372036854775807" },
		{ "big", "-9223372036854775809",
		    "Big must be a whole number, "
		    "-9223372036854775808 or more.",
		    "-9223372036854775809" },
		{ "pw", " ab ", NULL, " ab " },
		{ "pw", "ab", "Password must be at least 3 characters.", "ab" },
		{ "pw", "비밀번호", NULL, "비밀번호" },
		{ "pw", "123456789", "Password must be at most 8 characters.",
		    "123456789" },
		{ "agree", "maybe", "Consent must be yes or no.", "maybe" },
		{ "agree", "ON", "Consent must be yes or no.", "ON" },
		{ "doc", "a.txt", "Document must be a file.", "a.txt" },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *escaped =
		    g_uri_escape_string(cases[i].typed, NULL, FALSE);
		char *body =
		    g_strdup_printf("%s=%s&a=kept", cases[i].name, escaped);
		struct run r = post(PAGE, URLENCODED, body);

		g_test_message("%s", body);
		g_assert_cmpstr(
		    error_of(r.req, cases[i].name), ==, cases[i].error);
		g_assert_cmpint(
		    r.rc, ==, cases[i].error ? RC_BAD_INPUT : RC_OK);
		g_assert_cmpstr(
		    form_str(r.req, cases[i].name), ==, cases[i].given);
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
	struct run r = post(PAGE, URLENCODED, "n=-5&big=-9223372036854775808");

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
		{ "agree=1", true },
		{ "agree=on", true },
		{ "agree=true", true },
		{ "agree=yes", true },
		{ "agree=0", false },
		{ "agree=off", false },
		{ "agree=false", false },
		{ "agree=no", false },
		{ "agree=", false },
		{ "agree", false },
		{ "", false },
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct run r = post(PAGE, URLENCODED, cases[i].body);

		assert_fine(&r);
		g_assert_cmpint(form_flag(r.req, "agree"), ==, cases[i].on);
		test_req_close(r.req);
	}
}

static const struct field listing[] = {
	{ "items", FIELD_LIST, FIELD_BODY | FIELD_REQUIRED, 1, 3, "Items" },
	{ 0 }
};

static void
test_lists(void)
{
	static const struct {
		const char *type, *body, *error;
		size_t n;
	} cases[] = {
		{ JSON, "{\"items\":[1,{\"a\":2}]}", NULL, 2 },
		{ JSON, "{\"items\":[[],[],[]]}", NULL, 3 },
		{ JSON, "{\"items\":[]}",
		    "Items must be a list of 1 to 3 elements.", 0 },
		{ JSON, "{\"items\":[1,2,3,4]}",
		    "Items must be a list of 1 to 3 elements.", 4 },
		{ JSON, "{\"items\":{}}", "Items must be a list.", 0 },
		{ JSON, "{\"items\":\"[1]\"}", "Items must be a list.", 0 },
		{ JSON, "{\"items\":null}", "Items is missing.", 0 },
		{ JSON, "{}", "Items is missing.", 0 },
		{ URLENCODED, "items=1", "Items must be a list.", 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct req *req = test_req_open();
		int rc;

		req->method = "POST";
		req->api = true;
		rc = form_parse(req, listing, cases[i].type,
		    (const unsigned char *)cases[i].body,
		    strlen(cases[i].body));
		g_assert_cmpint(rc, ==, cases[i].error ? RC_BAD_INPUT : RC_OK);
		g_assert_cmpstr(error_of(req, "items"), ==, cases[i].error);
		g_assert_cmpint(
		    json_array_size(form_list(req, "items")), ==, cases[i].n);
		g_assert_null(json_object_get(form_values(req), "items"));
		test_req_close(req);
	}
}

static const struct field required[] = {
	{ "name", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 9, "Name" },
	{ "pw", FIELD_SECRET, FIELD_BODY | FIELD_REQUIRED, 3, 9, "Password" },
	{ "n", FIELD_INT, FIELD_BODY | FIELD_QUERY | FIELD_REQUIRED, 0, 9,
	    NULL },
	{ "yes", FIELD_FLAG, FIELD_BODY | FIELD_REQUIRED, 0, 0, "Consent" },
	{ "doc", FIELD_FILE, FIELD_BODY | FIELD_REQUIRED, 0, 9, "File" }, { 0 }
};

static void
test_required(void)
{
	static const char *const empty[] = {
		"",
		"name=&pw=&n=",
		"name=++&pw=&n=+",
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(empty); i++) {
		struct req *req = test_req_open();

		req->method = "POST";
		g_assert_cmpint(
		    form_parse(req, required, URLENCODED,
			(const unsigned char *)empty[i], strlen(empty[i])),
		    ==, RC_BAD_INPUT);
		g_assert_cmpstr(error_of(req, "name"), ==, "Name is missing.");
		g_assert_cmpstr(
		    error_of(req, "pw"), ==, "Password is missing.");
		g_assert_cmpstr(error_of(req, "n"), ==, "n is missing.");
		g_assert_cmpstr(
		    error_of(req, "yes"), ==, "Consent is missing.");
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

	g_assert_cmpint(
	    form_parse(req, required, NULL, NULL, 0), ==, RC_BAD_INPUT);
	g_assert_cmpuint(json_object_size(req->errors), ==, 1);
	g_assert_nonnull(error_of(req, "n"));
	test_req_close(req);

	req = test_req_open();
	req->query = "n=0";
	g_assert_cmpint(form_parse(req, required, NULL, NULL, 0), ==, RC_OK);
	test_req_close(req);

	req = test_req_open();
	req->method = "DELETE";
	g_assert_cmpint(
	    form_parse(req, required, NULL, NULL, 0), ==, RC_BAD_INPUT);
	g_assert_cmpuint(json_object_size(req->errors), ==, 5);
	test_req_close(req);
}

static void
test_page_fields(void)
{
	struct run r =
	    post(PAGE, URLENCODED, "csrf=c&once=o&next=%2Fbooks%3Fq%3D1");

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
	g_assert_cmpint(form_parse(req, NULL, NULL, NULL, 0), ==, RC_BAD_INPUT);
	test_req_close(req);
}

static void
test_values(void)
{
	struct run r = post(PAGE, URLENCODED,
	    "a=한글&b=x&n=abc&agree=on&pw=secret&csrf=token&next=%2Fa");
	char *values =
	    json_dumps(form_values(r.req), JSON_COMPACT | JSON_SORT_KEYS);

	g_assert_cmpint(r.rc, ==, RC_BAD_INPUT);
	g_assert_cmpstr(values, ==,
	    "{\"a\":\"한글\",\"agree\":true,"
	    "\"b\":\"x\",\"big\":\"\",\"both\":\"\",\"id\":\"\","
	    "\"lines\":\"\",\"n\":\"abc\","
	    "\"next\":\"/a\",\"page\":\"\",\"q\":\"\"}");
	test_req_close(r.req);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/form/lists", test_lists);
	g_test_add_func("/form/field-checks", test_field_checks);
	g_test_add_func("/form/numbers", test_numbers);
	g_test_add_func("/form/flags", test_flags);
	g_test_add_func("/form/required", test_required);
	g_test_add_func("/form/required-on-get", test_required_on_get);
	g_test_add_func("/form/page-fields", test_page_fields);
	g_test_add_func("/form/no-fields", test_no_fields);
	g_test_add_func("/form/values", test_values);
	return g_test_run();
}
