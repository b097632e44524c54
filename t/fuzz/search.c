/*
 * A fuzz target for lib/search and lib/text: any bytes as a question and the
 * title of a book, divided by the first byte.
 *
 * Nothing of a question gets into the statement but through its arguments,
 * of which there are as many as it has places; no pattern has a sign that
 * means something to LIKE other than those put there; and a title that has
 * all the words is known by all the pieces that the index is asked for.
 */
#include "../req.h"

#include "../../lib/search_query.c"
#include "../../lib/utf8.h"

enum { QUESTION_MAX = 100 };

/* Exported for the fuzzer to call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* There is no MariaDB; lib/search_index would write to it. */
int
db_rows(struct req *req, const struct db_stmt *st, const struct db_arg *args,
    size_t nargs, json_t **rows)
{
	(void)req, (void)st, (void)args, (void)nargs, (void)rows;
	return RC_DOWN;
}

int
db_exec(struct req *req, const struct db_stmt *st, const struct db_arg *args,
    size_t nargs, int64_t *changed, int64_t *id)
{
	(void)req, (void)st, (void)args, (void)nargs, (void)changed, (void)id;
	return RC_DOWN;
}

int
db_tx(struct req *req, int (*work)(struct req *, void *), void *arg)
{
	(void)req, (void)work, (void)arg;
	return RC_DOWN;
}

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/* --- the statement --- */

static void
check_pattern(const char *s)
{
	require(utf8_valid(s, strlen(s)) || *s == '\3');
	require(!strpbrk(s, "_\\'\""));
}

static void
check_statement(const struct search *s, const struct search_filter *f)
{
	struct search_sql out = { .arena = s->req->arena,
		.sql = BUF_INIT(65536),
		.args = arena_alloc(
		    s->req->arena, SEARCH_ARGS_MAX * sizeof(struct db_arg)) };
	size_t places = 0;

	search_hits(s, f, "", &out);
	for (size_t i = 0; i < out.sql.len; i++) {
		require(out.sql.data[i] >= ' ' && out.sql.data[i] <= '~');
		places += out.sql.data[i] == '?';
	}
	require(places == out.nargs && out.nargs <= SEARCH_ARGS_MAX);
	for (size_t i = 0; i < out.nargs; i++)
		if (out.args[i].type == DB_TEXT)
			check_pattern(out.args[i].s);
	buf_free(&out.sql);
}

/* --- the index --- */

static bool
has(const struct grams *g, const char *gram, size_t len)
{
	for (size_t i = 0; i < g->n; i++)
		if (strncmp(g->at[i], gram, len) == 0)
			return true;
	return false;
}

static bool
title_has(const struct search *s, const char *packed, const char *initials)
{
	for (size_t i = 0; i < s->nwords; i++) {
		const struct word *w = &s->words[i];

		if (w->kind == WORD_ISBN ||
		    !strstr(w->kind == WORD_TEXT ? packed : initials, w->text))
			return false;
	}
	return s->nwords > 0;
}

static void
check_index(const struct search *s, const char *packed)
{
	struct req *req = s->req;
	const char *initials = text_initials(req->arena, packed);
	struct grams known = { 0 };

	grams_of_text(req, &known, packed);
	grams_of_initials(req, &known, initials);
	grams_sort(&known);
	if (!title_has(s, packed, initials))
		return;
	for (size_t i = 0; i < s->grams.n; i++)
		require(has(&known, s->grams.at[i], TEXT_GRAM_SIZE));
	if (s->prefix)
		require(has(&known, s->prefix, strlen(s->prefix) - 1));
}

/* --- text --- */

static void
check_text(struct arena *a, const char *x, const char *y)
{
	require(utf8_valid(x, strlen(x)));
	require(utf8_count(x, strlen(x)) <= TEXT_FOLD_MAX);
	require(!strpbrk(x, "%_|\\"));
	require(strcmp(text_fold(a, x), x) == 0);
	require(text_distance(x, y, NULL) == text_distance(y, x, NULL));
	require(text_distance(x, x, NULL) == 0 ||
	    text_distance(x, x, NULL) == SIZE_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t categories[] = { 1, 2 };
	static const struct search_filter filters[] = { { 0 },
		{ categories, 2, 100, 200, true, "ko", 1990 } };
	struct req *req;
	const char *question, *title;
	const struct search *s;
	size_t len;

	if (size < 1)
		return 0;
	len = data[0] < size ? data[0] : size - 1;
	if (!utf8_valid((const char *)data + 1, size - 1) ||
	    !utf8_valid((const char *)data + 1, len) ||
	    memchr(data + 1, '\0', size - 1) ||
	    utf8_count((const char *)data + 1, len) > QUESTION_MAX)
		return 0;
	req = test_req_open();
	question = arena_strndup(req->arena, (const char *)data + 1, len);
	title = arena_strndup(
	    req->arena, (const char *)data + 1 + len, size - 1 - len);
	s = search_parse(req, question);
	for (size_t i = 0; i < LENGTH(filters); i++)
		check_statement(s, &filters[i]);
	title = text_fold(req->arena, title);
	check_text(req->arena, title, text_fold(req->arena, question));
	check_index(s, text_pack(req->arena, title));
	test_req_close(req);
	return 0;
}
