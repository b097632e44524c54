/*
 * search_index -- keeps what search reads true to the books: their folded
 * text, and under each piece of it the books that have it.
 */
#include "model.h"
#include "search_internal.h"

#define BOOKS_AT_ONCE 250
#define PAIRS_AT_ONCE 1024
#define ROW_ARGS 9
#define IDS_TEXT_MAX 8192

void
grams_add(struct req *req, struct grams *g, const char *gram)
{
	if (!*gram)
		return;
	if (g->n == g->size) {
		size_t size = g->size ? 2 * g->size : 64;
		char(*at)[TEXT_GRAM_SIZE] =
		    arena_alloc(req->arena, size * sizeof(*at));

		if (g->n)
			memcpy(at, g->at, g->n * sizeof(*at));
		g->at = at;
		g->size = size;
	}
	memset(g->at[g->n], 0, TEXT_GRAM_SIZE);
	memcpy(g->at[g->n++], gram, strlen(gram));
}

void
grams_of_text(struct req *req, struct grams *g, const char *packed)
{
	char gram[TEXT_GRAM_SIZE];
	bool whole;
	size_t n;

	while ((n = text_gram(packed, gram, &whole)) > 0) {
		grams_add(req, g, gram);
		packed += n;
	}
}

void
grams_of_initials(struct req *req, struct grams *g, const char *initials)
{
	char gram[TEXT_GRAM_SIZE];
	bool whole;

	for (; text_initials_gram(initials, gram, &whole); initials++)
		grams_add(req, g, gram);
}

static int
compare_grams(const void *a, const void *b)
{
	return memcmp(a, b, TEXT_GRAM_SIZE);
}

void
grams_sort(struct grams *g)
{
	size_t n = 0;

	if (g->n == 0)
		return;
	qsort(g->at, g->n, sizeof(*g->at), compare_grams);
	for (size_t i = 0; i < g->n; i++)
		if (n == 0 || compare_grams(g->at[n - 1], g->at[i]) != 0)
			memmove(g->at[n++], g->at[i], sizeof(*g->at));
	g->n = n;
}

void
gram_of_start(const char *packed, char gram[TEXT_GRAM_SIZE])
{
	char first[TEXT_GRAM_SIZE];
	bool whole;

	text_gram(packed, first, &whole);
	snprintf(gram, TEXT_GRAM_SIZE, "\3%.13s", first);
}

void
gram_of_isbn(const char *isbn13, char gram[TEXT_GRAM_SIZE])
{
	snprintf(gram, TEXT_GRAM_SIZE, "\2%.13s", isbn13);
}

/* --- what a book is found by --- */

/* " title| author| publisher" */
static const char *
words_of(struct req *req, const json_t *book)
{
	const char *publisher = model_text(book, "publisher");

	return arena_printf(req->arena, " %s| %s| %s",
	    text_fold(req->arena, model_text(book, "title")),
	    text_fold(req->arena, model_text(book, "author")),
	    publisher ? text_fold(req->arena, publisher) : "");
}

/* Of each field for itself: no piece is of two. */
static const char *
initials_of(struct req *req, const char *words)
{
	char *initials = arena_alloc(req->arena, strlen(words) + 1);
	char *p = initials;

	while (*words) {
		size_t len = strcspn(words, "|");
		const char *field = text_initials(req->arena,
		    text_pack(
			req->arena, arena_strndup(req->arena, words, len)));
		size_t n = strlen(field);

		memcpy(p, field, n);
		p += n;
		words += len;
		if (*words) {
			*p++ = '|';
			words++;
		}
	}
	*p = '\0';
	return initials;
}

static void
add_field_grams(struct req *req, struct grams *g, const char *field)
{
	const char *packed = text_pack(req->arena, field);

	grams_of_text(req, g, packed);
	grams_of_initials(req, g, text_initials(req->arena, packed));
}

static struct grams
grams_of(struct req *req, const char *words, const char *isbn13)
{
	struct grams g = { 0 };
	char gram[TEXT_GRAM_SIZE];

	if (words && words[1] && words[1] != '|') {
		gram_of_start(
		    text_pack(req->arena,
			arena_strndup(req->arena, words, strcspn(words, "|"))),
		    gram);
		grams_add(req, &g, gram);
	}
	while (words && *words) {
		size_t len = strcspn(words, "|");

		add_field_grams(req, &g, arena_strndup(req->arena, words, len));
		words += len + (words[len] == '|');
	}
	if (isbn13) {
		gram_of_isbn(isbn13, gram);
		grams_add(req, &g, gram);
	}
	grams_sort(&g);
	return g;
}

/* --- writing --- */

/* What a batch of books changes. */
struct change {
	struct req *req;
	struct db_arg rows[BOOKS_AT_ONCE * ROW_ARGS];
	size_t nrows;
	struct db_arg pairs[2 * PAIRS_AT_ONCE];
	size_t npairs;
};

/* Statements of n times the same, in a few sizes. */
static int
exec_many(struct req *req, const char *name, const char *head,
    const char *group, const char *tail, const struct db_arg *args, size_t each,
    size_t n)
{
	while (n > 0) {
		size_t now = 1;
		struct buf sql = BUF_INIT(65536);
		int rc;

		while (2 * now <= n)
			now *= 2;
		buf_str(&sql, head);
		for (size_t i = 0; i < now; i++)
			buf_printf(&sql, "%s%s", i ? ", " : "", group);
		buf_str(&sql, tail);
		rc = db_exec(req,
		    &(struct db_stmt){
			arena_printf(req->arena, "%s.%zu", name, now),
			arena_strndup(req->arena, sql.data, sql.len) },
		    args, now * each, NULL, NULL);
		buf_free(&sql);
		if (rc < 0)
			return rc;
		args += now * each;
		n -= now;
	}
	return RC_OK;
}

static int
write_pairs(struct change *c)
{
	size_t n = c->npairs;

	c->npairs = 0;
	return exec_many(c->req, "search.add_grams",
	    "INSERT IGNORE INTO book_grams (gram, book_id) VALUES ", "(?, ?)",
	    "", c->pairs, 2, n);
}

static int
write_rows(struct change *c)
{
	size_t n = c->nrows;

	c->nrows = 0;
	return exec_many(c->req, "search.set_words",
	    "REPLACE INTO book_search (book_id, words, initials, isbn13,"
	    " category_id, language, published_year, price, in_stock) VALUES ",
	    "(?, ?, ?, ?, ?, ?, ?, ? / 100, ?)", "", c->rows, ROW_ARGS, n);
}

static int
add_pair(struct change *c, const char *gram, int64_t book)
{
	c->pairs[2 * c->npairs] = db_text(gram);
	c->pairs[2 * c->npairs + 1] = db_int(book);
	return ++c->npairs == PAIRS_AT_ONCE ? write_pairs(c) : RC_OK;
}

static struct db_arg
arg_of(const json_t *value)
{
	if (json_is_integer(value))
		return db_int(json_integer_value(value));
	return json_is_string(value) ? db_text(json_string_value(value)) :
				       db_null();
}

static void
add_row(struct change *c, const json_t *book, const char *words)
{
	struct db_arg *row = &c->rows[ROW_ARGS * c->nrows++];

	*row++ = db_int(model_int(book, "id"));
	*row++ = db_text(words);
	*row++ = db_text(initials_of(c->req, words));
	*row++ = arg_of(json_object_get(book, "isbn13"));
	*row++ = arg_of(json_object_get(book, "category_id"));
	*row++ = arg_of(json_object_get(book, "language"));
	*row++ = arg_of(json_object_get(book, "published_year"));
	*row++ = arg_of(json_object_get(book, "price"));
	*row = db_int(model_int(book, "stock_quantity") > 0);
}

/* The pieces that are in g and not in other. */
static struct grams
less(struct req *req, const struct grams *g, const struct grams *other)
{
	struct grams out = { 0 };

	for (size_t i = 0, j = 0; i < g->n; i++) {
		while (
		    j < other->n && compare_grams(other->at[j], g->at[i]) < 0)
			j++;
		if (j == other->n || compare_grams(other->at[j], g->at[i]) != 0)
			grams_add(req, &out, g->at[i]);
	}
	return out;
}

/* The rest of the marks says the last one again. */
static int
remove_grams(struct req *req, int64_t book, const struct grams *g)
{
	size_t marks = 1;
	struct db_arg *args;
	struct buf sql = BUF_INIT(65536);
	int rc;

	if (g->n == 0)
		return RC_OK;
	while (marks < g->n)
		marks *= 2;
	args = arena_alloc(req->arena, (marks + 1) * sizeof(*args));
	args[0] = db_int(book);
	buf_str(&sql, "DELETE FROM book_grams WHERE book_id = ? AND gram IN (");
	for (size_t i = 0; i < marks; i++) {
		buf_str(&sql, i ? ", ?" : "?");
		args[i + 1] = db_text(g->at[i < g->n ? i : g->n - 1]);
	}
	buf_char(&sql, ')');
	rc = db_exec(req,
	    &(struct db_stmt){
		arena_printf(req->arena, "search.remove_grams.%zu", marks),
		sql.data },
	    args, marks + 1, NULL, NULL);
	buf_free(&sql);
	return rc;
}

static const struct db_stmt FORGET = { "search.forget",
	"DELETE FROM book_search WHERE book_id = ?" };

static int
forget(struct req *req, const json_t *book, const char *words,
    const char *old_words)
{
	struct grams g = grams_of(req, old_words ? old_words : words,
	    model_text(book, old_words ? "old_isbn13" : "isbn13"));
	int64_t id = model_int(book, "id");
	int rc = remove_grams(req, id, &g);

	return rc < 0 ? rc :
			db_exec(req, &FORGET, DB_ARGS(db_int(id)), NULL, NULL);
}

static bool
same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int
add_changes(struct change *c, const json_t *book)
{
	int64_t id = model_int(book, "id");
	const char *old_words = model_text(book, "old_words");
	const char *old_isbn = model_text(book, "old_isbn13");
	const char *isbn = model_text(book, "isbn13");
	const char *words = words_of(c->req, book);
	struct grams g, old, gone, new;
	int rc;

	if (json_is_true(json_object_get(book, "withdrawn")))
		return forget(c->req, book, words, old_words);
	if (same(words, old_words) && same(isbn, old_isbn))
		return RC_OK;
	g = grams_of(c->req, words, isbn);
	old = grams_of(c->req, old_words, old_isbn);
	gone = less(c->req, &old, &g);
	new = less(c->req, &g, &old);
	if ((rc = remove_grams(c->req, id, &gone)) < 0)
		return rc;
	for (size_t i = 0; i < new.n; i++)
		if ((rc = add_pair(c, new.at[i], id)) < 0)
			return rc;
	add_row(c, book, words);
	return RC_OK;
}

static int
index_rows(struct req *req, const json_t *books)
{
	struct change *c = arena_alloc(req->arena, sizeof(*c));
	const json_t *book;
	size_t i;
	int rc;

	c->req = req;
	c->nrows = c->npairs = 0;
	json_array_foreach(books, i, book)
		if ((rc = add_changes(c, book)) < 0)
			return rc;
	rc = write_pairs(c);
	return rc < 0 ? rc : write_rows(c);
}

#define BOOKS \
	"SELECT b.id, b.title, b.author, b.publisher, b.isbn13," \
	" b.category_id, b.language, b.published_year, b.price," \
	" b.stock_quantity," \
	" b.withdrawn_at IS NOT NULL AS `withdrawn?`," \
	" s.words AS old_words, s.isbn13 AS old_isbn13 FROM "
#define KNOWN " LEFT JOIN book_search s ON s.book_id = b.id"

/* Locked, lest an edit come between reading and writing. */
static const struct db_stmt THESE = { "search.these",
	BOOKS "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) k"
	      " JOIN books b ON b.id = k.id" KNOWN " LOCK IN SHARE MODE" };
static const struct db_stmt NEXT = { "search.next",
	BOOKS "books b" KNOWN
	      " WHERE b.id > ? ORDER BY b.id LIMIT ? LOCK IN SHARE MODE" };

/* "[1,2,3]" */
static const char *
ids_text(struct req *req, const int64_t *ids, size_t n)
{
	struct buf b = BUF_INIT(IDS_TEXT_MAX);
	const char *text;

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%c%lld", i ? ',' : '[', (long long)ids[i]);
	buf_char(&b, ']');
	text = arena_strndup(req->arena, b.data, b.len);
	buf_free(&b);
	return text;
}

int
search_index(struct req *req, const int64_t *books, size_t n)
{
	json_t *rows;
	int rc;

	while (n > 0) {
		size_t now = n < BOOKS_AT_ONCE ? n : BOOKS_AT_ONCE;

		rc = db_rows(req, &THESE,
		    DB_ARGS(db_text(ids_text(req, books, now))), &rows);
		if (rc < 0 || (rc = index_rows(req, rows)) < 0)
			return rc;
		books += now;
		n -= now;
	}
	return RC_OK;
}

static int
index_some(struct req *req, void *arg)
{
	struct search_progress *p = arg;
	json_t *books;
	int rc = db_rows(req, &NEXT,
	    DB_ARGS(db_int(p->last), db_int(BOOKS_AT_ONCE)), &books);

	if (rc < 0 || (rc = index_rows(req, books)) < 0)
		return rc;
	p->read = json_array_size(books);
	p->next = p->read ?
	    model_int(json_array_get(books, p->read - 1), "id") :
	    p->last;
	return RC_OK;
}

int
search_index_next(struct req *req, struct search_progress *p)
{
	int rc = db_tx(req, index_some, p);

	if (rc == RC_OK)
		p->last = p->next;
	return rc;
}
