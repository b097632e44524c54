/* lib/form and lib/multipart: bodies of parts, and the files in them. */
#include "form.h"

#include <glib.h>

#define PART(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\""
#define END "\r\n--b--\r\n"

static void
test_multipart(void)
{
	static const char body[] = PART("a") "\r\n\r\n서가\r\n" PART(
	    "doc") "; filename=\"책 \\\"1\\\".PNG\"\r\n"
		   "Content-Type: Image/PNG; x=y\r\nX-Other: 1\r\n\r\n"
		   "\x00\xff\r\n--\r\n-b\r\n" PART(
		       "b") "\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n"
			    "ab" END;
	const struct form_file *f;
	struct run r;

	test_log(); /* forget what earlier tests left */
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
		"--b\r\nContent-Disposition: Form-Data; NAME=\"a\" \r\n\r\nx" END,
		"--b\r\nX: y\r\nContent-Disposition: form-data; x=1; name=a;"
		" y=\"2;\"\r\n\r\nx" END,
		PART("a") "\r\n\r\n x " END,
		PART("doc") "; filename=\"\"\r\n\r\n\r\n" PART(
		    "a") "\r\n\r\nx" END,
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
		"x",
		"--b",
		"--b-",
		"--b--x",
		"--bb\r\n",
		"--b\r\n",
		"\r\n" PART("a") "\r\n\r\nx" END,
		"preamble\r\n" PART("a") "\r\n\r\nx" END,
		PART("a") "\r\n\r\nx",
		PART("a") "\r\n\r\nx\r\n--b",
		PART("a") "\r\n\r\nx\r\n--c--\r\n",
		PART("a") "\r\n\r\nx" END "x",
		PART("a") "\r\n\r\nx" END END,
		PART("a") "\r\n\r\nx\r\n--b \r\n",
		PART("a") "\r\n\r\n--b--",
		PART("a") "\r\n\r\n--b--" END,
		PART("a") "\r\n--b--\r\n",
		PART("a") "\n\nx" END,
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
		PART(
		    "a") "\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\nx" END,
		PART("doc") "; filename*=UTF-8''a\r\n\r\nxx" END,
		PART("doc") "; filename=\"\xff\"\r\n\r\nxx" END,
		PART("doc") "; filename=\"a\tb\"\r\n\r\nxx" END,
		PART("doc") "; filename=\"\u202egnp\"\r\n\r\nxx" END,
		PART("doc") "; filename=\"..\"\r\n\r\nxx" END,
		PART("doc") "; filename=\"a/..\"\r\n\r\nxx" END,
		PART("doc") "; filename=a; filename=b\r\n\r\nxx" END,
		PART("\xff") "\r\n\r\nx" END,
		PART("c") "\r\n\r\nx" END,
		PART("q") "\r\n\r\nx" END,
		PART("a") "\r\n\r\n\xff" END,
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
	static const char body[] = PART("a") "\r\n\r\nx\r\n" PART(
	    "doc") "; filename=\"f\"\r\nContent-Type: a/b\r\n\r\nxx"
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
		char *body =
		    g_strdup_printf("--%s\r\nContent-Disposition: "
				    "form-data; name=a\r\n\r\nx\r\n--%s--\r\n",
			b, b);
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
							 "\r\n\r\nxx" END,
		    cases[i][0]);
		struct run r = post(PAGE, MULTIPART, body);
		const struct form_file *f = form_file(r.req, "doc");

		assert_fine(&r);
		g_assert_cmpstr(f ? f->filename : NULL, ==, cases[i][1]);
		g_assert_cmpstr(
		    f ? f->type : NULL, ==, "application/octet-stream");
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

		g_assert_cmpstr(
		    error_of(r.req, cases[i].name), ==, cases[i].error);
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
		many[i] = (struct field){ names[i], FIELD_TEXT, FIELD_BODY, 0,
			0, names[i] };
	}
	for (i = 0; i < n; i++)
		g_string_append_printf(s,
		    "--b\r\nContent-Disposition: "
		    "form-data; name=f%d\r\n\r\n%s\r\n",
		    i, text);
	g_string_append(s, "--b--\r\n");
	r.rc = form_parse(
	    r.req, many, type, (const unsigned char *)s->str, s->len);
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
		{ 32, 1, RC_OK },
		{ 33, 1, RC_TOO_LARGE },
		{ 2, 32768, RC_OK },
		{ 2, 32769, RC_TOO_LARGE },
		{ 1, 65537, RC_TOO_LARGE },
	};
	char *longest = g_strnfill(2100, 'x'), *body;
	struct run r;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		r = post_parts(cases[i].parts, cases[i].text);
		g_assert_cmpint(r.rc, ==, cases[i].rc);
		g_assert_cmpint(r.req->fail_text != NULL, ==, cases[i].rc < 0);
		test_req_close(r.req);
	}
	body = g_strdup_printf(PART("a") "\r\nX: %s\r\n\r\nx" END, longest);
	r = post(PAGE, MULTIPART, body);
	assert_refused(&r, RC_BAD_INPUT);
	test_req_close(r.req);
	g_free(body);
	g_free(longest);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/form/multipart", test_multipart);
	g_test_add_func("/form/multipart/good", test_multipart_good);
	g_test_add_func("/form/multipart/malformed", test_multipart_malformed);
	g_test_add_func("/form/multipart/nul", test_multipart_nul);
	g_test_add_func("/form/multipart/cut", test_multipart_cut);
	g_test_add_func("/form/multipart/boundaries", test_boundaries);
	g_test_add_func("/form/multipart/filenames", test_filenames);
	g_test_add_func("/form/multipart/files", test_file_checks);
	g_test_add_func("/form/multipart/limits", test_multipart_limits);
	return g_test_run();
}
