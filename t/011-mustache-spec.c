/* Runs the cases of the mustache specification: all mandatory ones, and of
 * the optional ones those on inheritance. */
#include "../lib/tmpl.h"

#include <glib.h>
#include <unistd.h>

enum { MANDATORY = 136, INHERITANCE = 27 };

struct file {
	const char *name;
	int cases;
};

static const struct file files[] = {
	{ "comments", 12 },
	{ "delimiters", 14 },
	{ "interpolation", 42 },
	{ "inverted", 22 },
	{ "partials", 12 },
	{ "sections", 34 },
	{ "~inheritance", 27 },
};

static char *spec_dir;
static json_t *documents[G_N_ELEMENTS(files)]; /* the cases refer to them */

static void
compile_partials(struct tmpl_set *set, const json_t *partials)
{
	const char *name;
	json_t *source;

	json_object_foreach((json_t *)(uintptr_t)partials, name, source) {
		struct tmpl_error err = { 0 };
		const struct tmpl *t;

		if (tmpl_compile(set, name, json_string_value(source),
			json_string_length(source), &t, &err) == RC_OK)
			continue;
		g_test_message(
		    "%s:%d:%d: %s", err.name, err.line, err.column, err.text);
		g_test_fail();
	}
}

static void
run_case(gconstpointer data)
{
	const json_t *test = data;
	const json_t *source = json_object_get(test, "template");
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	struct buf out = BUF_INIT(1 << 20);
	struct tmpl_error err = { 0 };
	const struct tmpl *t;
	int rc;

	compile_partials(set, json_object_get(test, "partials"));
	rc = tmpl_compile(set, "page", json_string_value(source),
	    json_string_length(source), &t, &err);
	g_assert_cmpint(rc, ==, RC_OK);
	if (rc == RC_OK) {
		g_assert_cmpint(tmpl_render(t, json_object_get(test, "data"),
				    &out, NULL, NULL),
		    ==, RC_OK);
		g_assert_cmpstr(out.data ? out.data : "", ==,
		    json_string_value(json_object_get(test, "expected")));
	} else {
		g_test_message("%d:%d: %s", err.line, err.column, err.text);
	}
	buf_free(&out);
	tmpl_set_close(set);
}

/* Two cases of a file may bear the same name: they are numbered. */
static int
add_file(size_t n)
{
	char *path = g_strdup_printf("%s/%s.json", spec_dir, files[n].name);
	json_t *tests, *test;
	json_error_t err;
	size_t i;

	documents[n] = json_load_file(path, JSON_REJECT_DUPLICATES, &err);
	if (!documents[n])
		g_test_message("%s: %s", path, err.text);
	tests = json_object_get(documents[n], "tests");
	json_array_foreach(tests, i, test) {
		char *name = g_strdup_printf("/spec/%s/%02zu %s", files[n].name,
		    i + 1, json_string_value(json_object_get(test, "name")));

		g_strdelimit(name + strlen("/spec//") + strlen(files[n].name),
		    "/#", '-');
		g_test_add_data_func(name, test, run_case);
		g_free(name);
	}
	g_free(path);
	return (int)json_array_size(tests);
}

static int counted[G_N_ELEMENTS(files)];

static void
test_all_there(void)
{
	int mandatory = 0, inheritance = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_assert_cmpint(counted[i], ==, files[i].cases);
		if (files[i].name[0] == '~')
			inheritance += counted[i];
		else
			mandatory += counted[i];
	}
	g_assert_cmpint(mandatory, ==, MANDATORY);
	g_assert_cmpint(inheritance, ==, INHERITANCE);
}

static void
test_absent(void)
{
	g_test_skip("the mustache specification is not here: "
		    "set MUSTACHE_SPEC to its folder specs");
}

int
main(int argc, char **argv)
{
	const char *dir = g_getenv("MUSTACHE_SPEC");
	const char *top = g_getenv("SEOGA_SRCDIR");
	int rc;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	spec_dir = dir ? g_strdup(dir) :
			 g_build_filename(top ? top : ".", "..", "shared",
			     "mustache-spec", "specs", NULL);
	if (access(spec_dir, R_OK) != 0) {
		g_test_add_func("/spec/absent", test_absent);
	} else {
		for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
			counted[i] = add_file(i);
		g_test_add_func("/spec/all there", test_all_there);
	}
	rc = g_test_run();
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		json_decref(documents[i]);
	g_free(spec_dir);
	return rc;
}
