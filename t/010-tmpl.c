/* Tests lib/tmpl beyond the mustache specification: where mistakes are
 * reported, what the limits are, messages, directories, unknown names. */
#include "../lib/tmpl.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
/* GCC has the function, not its header. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

enum { OUT_MAX = 1 << 20, DEPTH_MAX = 64, SOURCE_MAX = 1 << 20 };

/* Adds "template:name " of each unknown name to a GString. */
static void
note_unknown(void *arg, const char *tmpl, const char *name)
{
	g_string_append_printf(arg, "%s:%s ", tmpl, name);
}

static json_t *
parse(const char *json)
{
	json_error_t err;
	json_t *model = json_loads(json, JSON_DECODE_ANY, &err);

	if (!model)
		g_test_message("%s: %s", json, err.text);
	g_assert_nonnull(model);
	return model;
}

static const struct tmpl *
compile(struct tmpl_set *set, const char *name, const char *source)
{
	struct tmpl_error err = { 0 };
	const struct tmpl *t = NULL;
	int rc = tmpl_compile(set, name, source, strlen(source), &t, &err);

	if (rc != RC_OK)
		g_test_message("%s: %s:%d:%d: %s", source, err.name, err.line,
		    err.column, err.text);
	g_assert_cmpint(rc, ==, RC_OK);
	return t;
}

/* What t gives with that model; unknown names become part of it, in []. */
static void
check_render(const struct tmpl *t, const char *json, const char *expected)
{
	struct buf out = BUF_INIT(OUT_MAX);
	GString *all = g_string_new(NULL), *unknown = g_string_new(NULL);
	json_t *model = parse(json);

	if (t) {
		g_assert_cmpint(
		    tmpl_render(t, model, &out, note_unknown, unknown), ==,
		    RC_OK);
		g_string_append_len(all, out.data, (gssize)out.len);
		if (unknown->len)
			g_string_append_printf(all, "[%s]", unknown->str);
		g_assert_cmpstr(all->str, ==, expected);
	}
	g_string_free(all, TRUE);
	g_string_free(unknown, TRUE);
	json_decref(model);
	buf_free(&out);
}

static void
check(const char *source, const char *json, const char *expected)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);

	check_render(compile(set, "page", source), json, expected);
	tmpl_set_close(set);
}

static void
check_mistake(struct tmpl_set *set, const char *source, size_t len, int line,
    int column, const char *text)
{
	struct tmpl_error err = { 0 };
	const struct tmpl *t = NULL;

	g_assert_cmpint(
	    tmpl_compile(set, "page", source, len, &t, &err), ==, RC_BAD_INPUT);
	g_assert_null(t);
	g_assert_cmpstr(err.name, ==, "page");
	if (err.line != line || err.column != column || !strstr(err.text, text))
		g_test_message(
		    "%.60s: %d:%d: %s", source, err.line, err.column, err.text);
	g_assert_cmpint(err.line, ==, line);
	g_assert_cmpint(err.column, ==, column);
	g_assert_nonnull(strstr(err.text, text));
}

/* --- mistakes ----------------------------------------------------------- */

static const struct mistake {
	const char *source;
	int line, column;
	const char *text;
} mistakes[] = {
	{ "{{a", 1, 1, "not closed" },
	{ "a\nb {{a\n", 2, 3, "not closed" },
	{ "{{{a}} ", 1, 1, "not closed by }}}" },
	{ "{{! never\nclosed", 1, 1, "not closed" },
	{ "{{a {{b}}", 1, 1, "holds a space" },
	{ "{{a b}}", 1, 1, "holds a space" },
	{ "{{a\nb}}", 1, 1, "holds a space" },
	{ "{{}}", 1, 1, "no name" },
	{ "{{# }}{{/ }}", 1, 1, "no name" },
	{ "{{a\001}}", 1, 1, "control character" },
	{ "a\n\n {{#list}}\n x\n", 3, 2, "\"list\" is never closed" },
	{ "{{#a}}{{#b}}{{/b}}", 1, 1, "\"a\" is never closed" },
	{ "{{^a}}", 1, 1, "\"a\" is never closed" },
	{ "{{$a}}", 1, 1, "\"a\" is never closed" },
	{ "{{<a}}", 1, 1, "\"a\" is never closed" },
	{ "{{#a}}\n{{/b}}", 2, 1, "\"a\" of line 1" },
	{ "{{#a}}\n{{#b}}\n{{/a}}{{/b}}", 3, 1, "\"b\" of line 2" },
	{ "{{#a}}{{/ab}}", 1, 7, "\"a\" of line 1" },
	{ "x {{/a}}", 1, 3, "closes nothing" },
	{ "{{=<% %>}}", 1, 1, "not closed by =}}" },
	{ "\n{{=<%=}}", 2, 1, "change of delimiters" },
	{ "{{= =}}", 1, 1, "change of delimiters" },
	{ "{{=a b c=}}", 1, 1, "change of delimiters" },
	{ "{{=a= b=}}", 1, 1, "change of delimiters" },
	{ "{{=12345678901234567 b=}}", 1, 1, "change of delimiters" },
	{ "{{=<% %>=}}{{a}}<%b", 1, 17, "not closed by %>" },
	{ "{{a..b}}", 1, 1, "empty part" },
	{ "{{.a}}", 1, 1, "empty part" },
	{ "{{#a.}}{{/a.}}", 1, 1, "empty part" },
	{ "{{<p}}{{a}}{{/p}}", 1, 7, "only blocks" },
	{ "{{<p}}{{#a}}{{$b}}{{/b}}{{/a}}{{/p}}", 1, 7, "only blocks" },
	{ "{{<p}}{{$a}}{{/a}}\n{{$a}}{{/a}}{{/p}}", 2, 1, "given twice" },
	{ "{{#_}} {{/_}}", 1, 1, "message is empty" },
	{ "{{#_}}a{{#_}}b{{/_}}{{/_}}", 1, 8, "message inside a message" },
	{ "{{#_}}a", 1, 1, "\"_\" is never closed" },
	/* Columns count characters, not bytes. */
	{ "서가 \xf0\x9f\x93\x9a {{a", 1, 6, "not closed" },
	{ "서가\n서{{/a}}", 2, 2, "closes nothing" },
};

static void
test_mistakes(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		const struct mistake *m = &mistakes[i];

		check_mistake(set, m->source, strlen(m->source), m->line,
		    m->column, m->text);
	}
	check_mistake(set, "{{a\0b}}", 7, 1, 1, "control character");
	check_mistake(set, "{{=a\0 b=}}", 10, 1, 1, "change of delimiters");
	tmpl_set_close(set);
}

/* Every beginning of a template is one, or has a mistake inside of it. */
static void
test_cut_short(void)
{
	static const char source[] =
	    "a\n {{#b}}{{{c}}}{{/b}}\n{{=<% %>=}}\n"
	    "<%<p%>\n  <%$x%>\n <%#_%>m <%n%><%/_%>\n  <%/x%><%/p%> <%>q%>";
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	int good = 0, bad = 0;

	for (size_t len = 0; len < sizeof(source); len++) {
		struct tmpl_error err = { 0 };
		char *copy = g_memdup2(source, len ? len : 1);

		if (tmpl_compile(set, "page", copy, len, NULL, &err) == RC_OK) {
			good++;
		} else {
			bad++;
			g_assert_cmpint(err.line, >=, 1);
			g_assert_cmpint(err.line, <=, 7);
			g_assert_cmpint(err.column, >=, 1);
			g_assert_cmpint(err.column, <=, 30);
		}
		g_free(copy);
	}
	g_assert_cmpint(good, >, 10);
	g_assert_cmpint(bad, >, 50);
	tmpl_set_close(set);
}

static void
test_any_bytes(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	struct buf out = BUF_INIT(OUT_MAX);
	static const char source[] = "a\0b\xff{{\xff\xfe}}\0";
	const struct tmpl *t;
	struct tmpl_error err;

	g_assert_cmpint(
	    tmpl_compile(set, "page", source, sizeof(source) - 1, &t, &err), ==,
	    RC_OK);
	g_assert_cmpint(tmpl_render(t, NULL, &out, NULL, NULL), ==, RC_OK);
	g_assert_cmpmem(out.data, out.len, "a\0b\xff\0", 5);
	buf_free(&out);
	tmpl_set_close(set);
	check("", "{}", "");
}

/* --- limits ------------------------------------------------------------- */

static char *
nested(int depth, const char *inside)
{
	GString *s = g_string_new(NULL);

	for (int i = 0; i < depth; i++)
		g_string_append(s, "{{#a}}");
	g_string_append(s, inside);
	for (int i = 0; i < depth; i++)
		g_string_append(s, "{{/a}}");
	return g_string_free(s, FALSE);
}

static void
test_source_limits(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	char *text = g_strnfill(SOURCE_MAX + 1, 'x'), *deep;
	struct tmpl_error err;

	check_mistake(set, text, SOURCE_MAX + 1, 1, 1, "above 1048576 bytes");
	g_assert_cmpint(
	    tmpl_compile(set, "page", text, SOURCE_MAX, NULL, &err), ==, RC_OK);
	g_free(text);
	deep = nested(DEPTH_MAX, "x");
	check(deep, "{\"a\":true}", "x");
	g_free(deep);
	deep = nested(DEPTH_MAX + 1, "x");
	check_mistake(set, deep, strlen(deep), 1, DEPTH_MAX * 6 + 1, "deeper");
	g_free(deep);
	text = g_strdup_printf("%*s{{>p}}\n", 256, "");
	check_mistake(set, text, strlen(text), 1, 257, "indentation");
	g_free(text);
	tmpl_set_close(set);
}

static void
test_blocks_limit(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	GString *s = g_string_new("{{<p}}\n");

	for (int i = 0; i <= DEPTH_MAX; i++)
		g_string_append_printf(s, "{{$b%d}}{{/b%d}}\n", i, i);
	g_string_append(s, "{{/p}}");
	check_mistake(set, s->str, s->len, DEPTH_MAX + 2, 1, "more than 64");
	g_string_free(s, TRUE);
	tmpl_set_close(set);
}

static void
check_code(const struct tmpl *t, const json_t *model, size_t max, int code)
{
	struct buf out = BUF_INIT(max);

	g_assert_cmpint(tmpl_render(t, model, &out, NULL, NULL), ==, code);
	g_assert_cmpuint(out.len, <=, max);
	buf_free(&out);
}

/* {"n":{"n":...{"n":null}}}, depth objects. */
static json_t *
chain(int depth)
{
	json_t *model = json_null();

	while (depth-- > 0)
		model = json_pack("{so}", "n", model);
	return model;
}

static void
test_recursion(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	const struct tmpl *endless = compile(set, "endless", "x{{>endless}}");
	const struct tmpl *parent =
	    compile(set, "parent", "{{<parent}}{{$a}}b{{/a}}{{/parent}}");
	const struct tmpl *pair = compile(set, "one", "  {{>two}}\n");
	const struct tmpl *tree = compile(set, "tree", "{{#n}}{{>tree}}{{/n}}");
	json_t *fits = chain(DEPTH_MAX + 1), *deep = chain(DEPTH_MAX + 2);

	compile(set, "two", "  {{>one}}\n");
	check_code(endless, NULL, OUT_MAX, RC_BUG);
	check_code(parent, NULL, OUT_MAX, RC_BUG);
	check_code(pair, NULL, OUT_MAX, RC_BUG);
	check_code(tree, fits, OUT_MAX, RC_OK);
	check_code(tree, deep, OUT_MAX, RC_BUG);
	json_decref(fits);
	json_decref(deep);
	tmpl_set_close(set);
}

/* Ten lists in each other, of ten elements each, are 10^10 times nothing. */
static void
test_work(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	char *source = nested(10, "");
	const struct tmpl *t;
	json_t *model = parse("{\"a\":[1,1,1,1,1,1,1,1,1,1]}");

	t = compile(set, "page", source);
	check_code(t, model, SIZE_MAX / 2, RC_BUG);
	json_decref(model);
	g_free(source);
	tmpl_set_close(set);
}

static void
test_output_limit(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	const struct tmpl *t = compile(set, "page", "{{#a}}12345{{/a}}");
	json_t *model = parse("{\"a\":[1,1]}");

	check_code(t, model, 10, RC_OK);
	check_code(t, model, 9, RC_TOO_LARGE);
	json_decref(model);
	tmpl_set_close(set);
}

/* --- values ------------------------------------------------------------- */

static void
test_values(void)
{
	check("{{a}}", "{\"a\":-9223372036854775808}", "-9223372036854775808");
	check("{{a}} {{b}} {{c}} {{d}}",
	    "{\"a\":0.1,\"b\":85.0,\"c\":1e300,\"d\":0.30000000000000004}",
	    "0.1 85 1e+300 0.30000000000000004");
	check("{{a}}|{{b}}|{{c}}|{{d}}|{{e}}|{{f}}",
	    "{\"a\":true,\"b\":false,\"c\":null,\"d\":[1],\"e\":{\"x\":1},"
	    "\"f\":0}",
	    "true|||||0");
	check("{{a}}", "{\"a\":\"<a href='x' title=\\\"&\\\">\"}",
	    "&lt;a href=&#39;x&#39; title=&quot;&amp;&quot;&gt;");
	check("{{a}}|{{{a}}}|{{&a}}", "{\"a\":\"서가<\"}",
	    "서가&lt;|서가<|서가<");
}

static void
test_empty_values(void)
{
	check("{{#a}}a{{/a}}{{#b}}b{{/b}}{{#c}}c{{/c}}{{#d}}d{{/d}}"
	      "{{#e}}e{{/e}}{{#f}}f{{/f}}",
	    "{\"a\":null,\"b\":false,\"c\":0,"
	    "\"d\":\"\",\"e\":[],\"f\":0.0}",
	    "");
	check("{{^a}}a{{/a}}{{^b}}b{{/b}}{{^c}}c{{/c}}{{^d}}d{{/d}}"
	      "{{^e}}e{{/e}}{{^f}}f{{/f}}",
	    "{\"a\":null,\"b\":false,\"c\":0,"
	    "\"d\":\"\",\"e\":[],\"f\":0.0}",
	    "abcdef");
	check("{{#a}}a{{/a}}{{#b}}b{{/b}}{{#c}}c{{/c}}{{#d}}d{{/d}}",
	    "{\"a\":{},\"b\":\"0\",\"c\":[0],\"d\":-1}", "abcd");
	/* A list is not empty, whatever is in it. */
	check("{{#a}}({{.}}){{/a}}", "{\"a\":[null,0,\"\",false,[]]}",
	    "()(0)()()()");
}

static void
test_unknown(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	const struct tmpl *t;

	check("{{a}}{{b}}", "{\"b\":1}", "1[page:a ]");
	check("{{#a}}x{{/a}}{{^b}}y{{/b}}", "{}", "y[page:a page:b ]");
	check("{{a}}{{b}}{{c}}", "{\"a\":null,\"b\":false,\"c\":\"\"}", "");
	check("{{a.b.c}}", "{\"a\":{\"b\":{}}}", "[page:a.b.c ]");
	check("{{a.b.c}}", "{\"a\":\"x\"}", "[page:a.b.c ]");
	/* Nothing of nothing is known to be nothing. */
	check("{{a.b.c}}{{#d.e}}x{{/d.e}}", "{\"a\":null,\"d\":false}", "");
	check("{{#list}}{{x}}{{/list}}", "{\"list\":[{},{\"x\":1},{}]}",
	    "1[page:x page:x ]");
	compile(set, "part", "{{a}}{{$b}}{{/b}}");
	t = compile(set, "page", "{{<part}}{{$b}}{{c}}{{/b}}{{/part}}");
	check_render(t, "{}", "[part:a page:c ]");
	tmpl_set_close(set);
}

/* --- partials, parents, indentation ------------------------------------- */

static void
test_later(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	const struct tmpl *t = compile(set, "page", "[{{>part}}]");

	check_render(t, "{}", "[]");
	compile(set, "part", "one");
	check_render(t, "{}", "[one]");
	compile(set, "part", "two");
	check_render(t, "{}", "[two]");
	g_assert_true(tmpl_find(set, "page") == t);
	g_assert_null(tmpl_find(set, "pag"));
	g_assert_null(tmpl_find(set, "pages"));
	tmpl_set_close(set);
}

static void
test_indentation(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	const struct tmpl *t;

	compile(set, "inner", "a\n\n{{x}}\nb");
	compile(set, "outer", "<\n\t{{>inner}}\n>\n");
	t = compile(set, "page", "-\n  {{>outer}}\n-\n");
	check_render(
	    t, "{\"x\":\"1\\n2\"}", "-\n  <\n  \ta\n\n  \t1\n2\n  \tb>\n-\n");
	compile(set, "inner", "a\r\n\r\n{{x}}\r\n");
	check_render(
	    t, "{\"x\":\"\"}", "-\n  <\n  \ta\r\n\r\n  \t\r\n  >\n-\n");
	tmpl_set_close(set);
}

static void
test_block_indentation(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	const struct tmpl *t;

	/* The default keeps its form, whatever indentation its lines have. */
	t = compile(set, "frame",
	    "<\n    {{$b}}\n   one\n\n     two\n"
	    "    {{/b}}\n>\n");
	check_render(t, "{}", "<\n   one\n\n     two\n>\n");
	t = compile(set, "page",
	    "{{<frame}}\n{{$b}}\n{{#x}}\n\t- {{.}}\n"
	    "\t  {{>more}}\n{{/x}}\n{{/b}}\n{{/frame}}\n");
	compile(set, "more", "+\n");
	check_render(
	    t, "{\"x\":[1,2]}", "<\n   - 1\n     +\n   - 2\n     +\n>\n");
	/* Blocks that are alone are whole lines. */
	t = compile(set, "page", "{{<frame}}{{$b}}in line{{/b}}{{/frame}}");
	check_render(t, "{}", "<\n   in line\n>\n");
	t = compile(set, "page", "{{<frame}}{{$b}}{{/b}}{{/frame}}");
	check_render(t, "{}", "<\n>\n");
	/* The lines of a message do not count: they become one. */
	t = compile(set, "page",
	    "{{<frame}}\n{{$b}}\n    <p>{{#_}}long\n"
	    "text{{/_}}</p>\n{{/b}}{{/frame}}");
	check_render(t, "{}", "<\n   <p>long text</p>\n>\n");
	tmpl_set_close(set);
}

static void
test_arguments(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, NULL);
	const struct tmpl *t;

	compile(set, "frame", "({{$a}}{{/a}}{{>part}})");
	compile(set, "part", "<{{$b}}default{{/b}}>");
	/* Through a partial. */
	t = compile(set, "page", "{{<frame}}{{$b}}b{{/b}}{{/frame}}");
	check_render(t, "{}", "(<b>)");
	/* A block of the same name inside is not replaced by itself. */
	t = compile(
	    set, "page", "{{<frame}}{{$a}}1{{$a}}2{{/a}}3{{/a}}{{/frame}}");
	check_render(t, "{}", "(123<default>)");
	/* One set of arguments does not reach the next. */
	t = compile(set, "page",
	    "{{<frame}}{{$a}}{{<frame}}{{$b}}x{{/b}}"
	    "{{/frame}}{{/a}}{{/frame}}{{>part}}");
	check_render(t, "{}", "((<x>)<default>)<default>");
	/* Arguments may change the delimiters in between. */
	t = compile(set, "page",
	    "{{<frame}}{{=<% %>=}}text<%! none %><%$b%>y<%/b%><%/frame%>");
	check_render(t, "{}", "(<y>)");
	tmpl_set_close(set);
}

/* --- messages ----------------------------------------------------------- */

static GString *asked;

static const char *
translate(const char *msgid)
{
	static const char *const words[][2] = {
		{ "Add to cart", "장바구니에 담기" },
		{ "{{n}} books", "책 {{n}}권{{#many}} ({{.}}){{/many}}" },
		{ "<%n%> books", "책 <%n%>권" },
		{ "open", "{{#a}}" },
		{ "message", "x {{#_}}y{{/_}}" },
		{ "partial", "{{>nowhere}}" },
	};

	g_string_append_printf(asked, "[%s]", msgid);
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (strcmp(words[i][0], msgid) == 0)
			return words[i][1];
	}
	return strcmp(msgid, "none") == 0 ? NULL : msgid;
}

static void
test_messages(void)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, translate);
	const struct tmpl *t;

	asked = g_string_new(NULL);
	t = compile(set, "page",
	    "<{{#_}}Add to cart{{/_}}>\n  {{#_}}\n\tAdd"
	    "\r\n   to  cart\n{{/_}}\n{{#_}}{{n}} books{{/_}}");
	g_assert_cmpstr(
	    asked->str, ==, "[Add to cart][Add to cart][{{n}} books]");
	check_render(t, "{\"n\":3,\"many\":\"<\"}",
	    "<장바구니에 담기>\n  장바구니에 담기\n책 3권 (&lt;)");
	g_string_truncate(asked, 0);
	t = compile(set, "page",
	    "{{=<% %>=}}<%#_%><%n%> books<%/_%>"
	    "<%={{ }}=%>{{#_}}none{{/_}}{{#_}}a {{#b}} c {{/b}}{{/_}}");
	g_assert_cmpstr(
	    asked->str, ==, "[<%n%> books][none][a {{#b}} c {{/b}}]");
	check_render(t, "{\"n\":3,\"b\":1}", "책 3권nonea  c ");
	/* Nothing is asked while rendering. */
	g_assert_cmpstr(
	    asked->str, ==, "[<%n%> books][none][a {{#b}} c {{/b}}]");
	g_string_free(asked, TRUE);
	tmpl_set_close(set);
	check("{{#_}} Add\n to cart {{/_}}", "{}", "Add to cart");
	check("{{_}}{{^_}}x{{/_}}", "{\"_\":0}", "0x");
}

static const char *
load_nothing(void *arg ATTR_UNUSED, const char *name ATTR_UNUSED,
    size_t *len ATTR_UNUSED)
{
	return NULL;
}

/* They are shown where the message stands. */
static void
test_wrong_translations(void)
{
	static const struct mistake wrong[] = {
		{ "a\n {{#_}}open{{/_}}", 2, 2, "translation: \"a\" is never" },
		{ "{{#_}}message{{/_}}", 1, 1, "translation: a message in" },
		{ "\n{{#_}}partial{{/_}}", 2, 1, "translation: no template" },
	};
	struct tmpl_set *set = tmpl_set_open(load_nothing, NULL, translate);

	asked = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		check_mistake(set, wrong[i].source, strlen(wrong[i].source),
		    wrong[i].line, wrong[i].column, wrong[i].text);
	g_string_free(asked, TRUE);
	tmpl_set_close(set);
}

/* --- loaders and directories -------------------------------------------- */

static const char *
load(void *arg, const char *name, size_t *len)
{
	static const char *const files[][2] = {
		{ "page", "1{{>a}}" },
		{ "a", "2{{>b}}{{>a2}}" },
		{ "a2", "" },
		{ "b", "3{{#more}}{{>a}}{{/more}}" },
		{ "broken", "\n {{>a}}{{>bad}}" },
		{ "bad", "\n\n{{x" },
		{ "lost", "x\n{{>nowhere}}" },
	};

	++*(int *)arg;
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		if (strcmp(files[i][0], name) != 0)
			continue;
		*len = strlen(files[i][1]);
		return files[i][1];
	}
	return NULL;
}

static void
test_loader(void)
{
	int loads = 0;
	struct tmpl_set *set = tmpl_set_open(load, &loads, NULL);
	const struct tmpl *t = tmpl_find(set, "page"), *again = NULL;
	struct tmpl_error err;

	g_assert_nonnull(t);
	g_assert_cmpint(loads, ==, 4);
	check_render(t, "{\"more\":false}", "123");
	g_assert_true(tmpl_find(set, "page") == t);
	g_assert_nonnull(tmpl_find(set, "a2"));
	g_assert_cmpint(loads, ==, 4);
	g_assert_null(tmpl_find(set, "nowhere"));
	g_assert_null(tmpl_find(set, "broken"));
	g_assert_null(tmpl_find(set, "bad"));
	check_mistake(
	    set, "{{>a}}\n{{>nowhere}}", 19, 2, 1, "no template \"nowhere\"");
	check_mistake(set, "{{<nowhere}}{{/nowhere}}", 24, 1, 1,
	    "no template \"nowhere\"");
	/* What was there before the mistake still is. */
	check_render(t, "{\"more\":false}", "123");
	g_assert_cmpint(tmpl_compile(set, "x", "{{>broken}}", 11, &again, &err),
	    ==, RC_BAD_INPUT);
	g_assert_null(again);
	g_assert_cmpstr(err.name, ==, "bad");
	g_assert_cmpint(err.line, ==, 3);
	g_assert_null(tmpl_find(set, "x"));
	g_assert_cmpint(tmpl_compile(set, "x", "{{>lost}}", 9, &again, &err),
	    ==, RC_BAD_INPUT);
	g_assert_cmpstr(err.name, ==, "lost");
	g_assert_cmpint(err.line, ==, 2);
	tmpl_set_close(set);
}

/* A loader that invents a new partial in each. */
static const char *
load_endless(void *arg, const char *name ATTR_UNUSED, size_t *len)
{
	GPtrArray *texts = arg;
	char *text = g_strdup_printf("{{>p%u}}", texts->len);

	g_ptr_array_add(texts, text);
	*len = strlen(text);
	return text;
}

static void
test_endless_loader(void)
{
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
	struct tmpl_set *set = tmpl_set_open(load_endless, texts, NULL);
	struct tmpl_error err;

	g_assert_cmpint(
	    tmpl_compile(set, "x", "{{>p}}", 6, NULL, &err), ==, RC_BAD_INPUT);
	g_assert_nonnull(strstr(err.text, "more than 10000 templates"));
	g_assert_null(tmpl_find(set, "x"));
	tmpl_set_close(set);
	g_ptr_array_free(texts, TRUE);
}

static char *dir;

static void
put(const char *name, const char *text, gssize len)
{
	char *path = g_build_filename(dir, name, NULL);
	char *folder = g_path_get_dirname(path);

	g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
	g_assert_true(g_file_set_contents(path, text, len, NULL));
	g_free(folder);
	g_free(path);
}

static void
drop(const char *name)
{
	char *path = g_build_filename(dir, name, NULL);

	g_assert_cmpint(g_remove(path), ==, 0);
	g_free(path);
}

static void
check_dir_mistake(const char *name, int line, int column, const char *text)
{
	struct tmpl_error err = { 0 };

	g_assert_null(tmpl_set_open_dir(dir, NULL, &err));
	g_assert_cmpstr(err.name, ==, name);
	g_assert_cmpint(err.line, ==, line);
	g_assert_cmpint(err.column, ==, column);
	if (!strstr(err.text, text))
		g_test_message("%s", err.text);
	g_assert_nonnull(strstr(err.text, text));
}

static void
test_dir(void)
{
	struct tmpl_error err = { 0 };
	struct tmpl_set *set;

	put("page.mustache",
	    "{{<part/layout}}{{$main}}{{>part/deep/x}}"
	    "{{/main}}{{/part/layout}}",
	    -1);
	put("part/layout.mustache", "<{{$main}}{{/main}}>", -1);
	put("part/deep/x.mustache", "{{x}}", -1);
	put("part/notes.txt", "{{no template", -1);
	put("part/.hidden.mustache", "{{no template", -1);
	put(".git/x.mustache", "{{no template", -1);
	set = tmpl_set_open_dir(dir, NULL, &err);
	if (!set)
		g_test_message("%s:%d: %s", err.name, err.line, err.text);
	g_assert_nonnull(set);
	if (!set)
		return;
	check_render(tmpl_find(set, "page"), "{\"x\":1}", "<1>");
	g_assert_nonnull(tmpl_find(set, "part/deep/x"));
	g_assert_null(tmpl_find(set, "part/notes"));
	g_assert_null(tmpl_find(set, "x"));
	g_assert_null(tmpl_find(set, "../page"));
	tmpl_set_close(set);
}

static size_t
heap_used(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

/* A program of some fifty holds the pages that it shows, not all. */
static void
test_dir_later(void)
{
	char *large = g_strnfill((gsize)64 * 1024, 'x');
	size_t before = heap_used();
	struct tmpl_set *set;

	put("large.mustache", large, -1);
	set = tmpl_set_open_later(dir, NULL);
	check_render(tmpl_find(set, "page"), "{\"x\":1}", "<1>");
	g_assert_cmpuint(heap_used() - before, <, 32 * 1024);
	check_render(tmpl_find(set, "large"), "{}", large);
	g_assert_cmpuint(heap_used() - before, >, 64 * 1024);
	drop("large.mustache");
	check_render(tmpl_find(set, "large"), "{}", large);
	g_assert_null(tmpl_find(set, "part/notes"));
	g_assert_null(tmpl_find(set, "part/.hidden"));
	g_assert_null(tmpl_find(set, "../page"));
	g_assert_null(tmpl_find(set, "part/../page"));
	put("z.mustache", "{{#x}}", -1);
	g_assert_null(tmpl_find(set, "z"));
	put("z.mustache", "{{>part/x}}", -1);
	g_assert_null(tmpl_find(set, "z"));
	put("z.mustache", "{{>page}}", -1);
	check_render(tmpl_find(set, "z"), "{\"x\":1}", "<1>");
	drop("z.mustache");
	tmpl_set_close(set);
	g_free(large);
}

static void
test_dir_mistakes(void)
{
	char *large = g_strnfill(SOURCE_MAX + 1, 'x');
	struct tmpl_error err = { 0 };

	put("part/wrong.mustache", "a\n  {{/b}}", -1);
	put("z.mustache", "{{z", -1);
	check_dir_mistake("part/wrong", 2, 3, "closes nothing");
	put("part/wrong.mustache", "a\n\n\n {{>part/x}}", -1);
	check_dir_mistake("part/wrong", 4, 2, "no template \"part/x\"");
	put("part/wrong.mustache", large, SOURCE_MAX + 1);
	check_dir_mistake("part/wrong", 1, 1, "above 1048576 bytes");
	drop("part/wrong.mustache");
	check_dir_mistake("z", 1, 1, "not closed");
	drop("z.mustache");
	g_assert_null(tmpl_set_open_dir("/nonexistent/dir", NULL, &err));
	g_assert_nonnull(strstr(err.text, "No such file"));
	g_free(large);
}

/* A link to the directory above is followed, but not for ever. */
static void
test_dir_loop(void)
{
	char *path = g_build_filename(dir, "part", "loop", NULL);
	struct tmpl_error err = { 0 };

	g_assert_cmpint(symlink("..", path), ==, 0);
	g_assert_null(tmpl_set_open_dir(dir, NULL, &err));
	g_assert_nonnull(strstr(err.text, "directories deep"));
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_free(path);
}

static void
remove_all(const char *path)
{
	GDir *d = g_dir_open(path, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char *entry = g_build_filename(path, name, NULL);

		remove_all(entry);
		g_free(entry);
	}
	if (d)
		g_dir_close(d);
	g_remove(path);
}

int
main(int argc, char **argv)
{
	int rc;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	dir = g_dir_make_tmp("tmpl-XXXXXX", NULL);
	g_test_add_func("/tmpl/mistakes", test_mistakes);
	g_test_add_func("/tmpl/cut short", test_cut_short);
	g_test_add_func("/tmpl/any bytes", test_any_bytes);
	g_test_add_func("/tmpl/limits of a source", test_source_limits);
	g_test_add_func("/tmpl/limit of blocks", test_blocks_limit);
	g_test_add_func("/tmpl/recursion", test_recursion);
	g_test_add_func("/tmpl/limit of work", test_work);
	g_test_add_func("/tmpl/limit of output", test_output_limit);
	g_test_add_func("/tmpl/values", test_values);
	g_test_add_func("/tmpl/empty values", test_empty_values);
	g_test_add_func("/tmpl/unknown names", test_unknown);
	g_test_add_func("/tmpl/compiled later", test_later);
	g_test_add_func("/tmpl/indentation", test_indentation);
	g_test_add_func("/tmpl/indentation of blocks", test_block_indentation);
	g_test_add_func("/tmpl/arguments", test_arguments);
	g_test_add_func("/tmpl/messages", test_messages);
	g_test_add_func("/tmpl/wrong translations", test_wrong_translations);
	g_test_add_func("/tmpl/loader", test_loader);
	g_test_add_func("/tmpl/endless loader", test_endless_loader);
	g_test_add_func("/tmpl/directory", test_dir);
	g_test_add_func("/tmpl/directory, when asked for", test_dir_later);
	g_test_add_func("/tmpl/mistakes in a directory", test_dir_mistakes);
	g_test_add_func("/tmpl/directory in itself", test_dir_loop);
	rc = g_test_run();
	remove_all(dir);
	g_free(dir);
	return rc;
}
