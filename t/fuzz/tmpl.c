/*
 * A fuzz target for lib/tmpl: any bytes as template, model and partial.
 *
 * The input is cut at the first two bytes 0xff into a template, a JSON model
 * and a partial called "p".  Rendering twice must give the same, whatever it
 * is, and never more than the buffer's maximum.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined ...
 */
#include "../../lib/tmpl.h"

enum { OUT_MAX = 64 << 10, CUT = 0xff };

/* Exported for the fuzzer to call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
	const char *text;
	size_t len;
};

static struct part
next_part(struct part *rest)
{
	const char *cut = rest->len ? memchr(rest->text, CUT, rest->len) : NULL;
	struct part p = *rest;

	if (!cut) {
		rest->len = 0;
		return p;
	}
	p.len = (size_t)(cut - rest->text);
	rest->text = cut + 1;
	rest->len -= p.len + 1;
	return p;
}

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/* Some messages have a translation, with tags, mistakes and newlines. */
static const char *
translate(const char *msgid)
{
	switch (msgid[0]) {
	case 'a':
		return "{{#a}}{{b}}{{/a}} {{&.}}";
	case 'b':
		return " {{>p}}\n{{^b}}\n{{/b}}";
	case 'c':
		return "{{#a}}";
	default:
		return NULL;
	}
}

static void
count_unknown(void *arg, const char *tmpl, const char *name)
{
	size_t *count = arg;

	require(tmpl[0] != '\0' && name[0] != '\0');
	++*count;
}

static void
check_error(const struct tmpl_error *err)
{
	require(err->line > 0 && err->column > 0);
	require(err->name[0] != '\0' && err->text[0] != '\0');
}

static void
render_twice(const struct tmpl *t, const json_t *model)
{
	struct buf one = BUF_INIT(OUT_MAX), two = BUF_INIT(OUT_MAX);
	size_t unknown_one = 0, unknown_two = 0;
	int rc = tmpl_render(t, model, &one, count_unknown, &unknown_one);

	require(rc == RC_OK || rc == RC_TOO_LARGE || rc == RC_BUG);
	require((rc == RC_TOO_LARGE) == one.over || rc == RC_BUG);
	require(tmpl_render(t, model, &two, count_unknown, &unknown_two) == rc);
	require(one.len <= OUT_MAX && one.len == two.len);
	require(one.len == 0 || memcmp(one.data, two.data, one.len) == 0);
	require(unknown_one == unknown_two);
	buf_free(&one);
	buf_free(&two);
}

static const char *
load_partial(void *arg, const char *name, size_t *len)
{
	const struct part *partial = arg;

	if (strcmp(name, "p") != 0)
		return NULL;
	*len = partial->len;
	return partial->text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part rest = { (const char *)data, size };
	struct part source = next_part(&rest), json = next_part(&rest);
	struct tmpl_error err = { 0 };
	struct tmpl_set *closed, *open;
	const struct tmpl *t;
	json_t *model = json_loadb(json.text, json.len, JSON_DECODE_ANY, NULL);

	closed = tmpl_set_open(load_partial, &rest, translate);
	if (tmpl_compile(closed, "page", source.text, source.len, &t, &err) ==
	    RC_OK)
		render_twice(t, model);
	else
		check_error(&err);
	open = tmpl_set_open(NULL, NULL, translate);
	if (tmpl_compile(open, "p", rest.text, rest.len, &t, &err) != RC_OK)
		check_error(&err);
	if (tmpl_compile(open, "page", source.text, source.len, &t, &err) ==
	    RC_OK)
		render_twice(t, model);
	else
		check_error(&err);
	tmpl_set_close(closed);
	tmpl_set_close(open);
	json_decref(model);
	return 0;
}
