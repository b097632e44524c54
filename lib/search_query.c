/*
 * search_query -- what a reader typed, taken apart into words, and the
 * statement that finds the books which have them.
 *
 * Folded text has neither % nor _, so it goes into patterns of LIKE as it is.
 */
#include "isbn.h"
#include "search_internal.h"

#include <limits.h>

#define WORDS_MAX 50 /* a question has 100 characters */
#define GRAMS_MAX 6
#define GRAMS_OF_WORD 3
#define STARTS_MAX 5000

const int64_t search_bands[SEARCH_BANDS + 1] = { 0, 1000000, 1500000, 2000000,
	3000000, 0 };

enum word_kind { WORD_TEXT, WORD_INITIALS, WORD_ISBN };

struct word {
	enum word_kind kind;
	const char *text; /* packed; of initials; the digits */
};

struct search {
	struct req *req;
	struct word words[WORDS_MAX];
	size_t nwords;
	struct grams grams; /* every hit has all of these */
	const char *prefix; /* without grams: hits have one like this */
	char start
	    [TEXT_GRAM_SIZE]; /* a title may begin with this; "" = none known */
	const char *packed;   /* all words of text together */
	const char *folded;   /* the same with spaces */
	const char *initials;
};

/* --- words --- */

static void
add_word(struct search *s, enum word_kind kind, const char *text)
{
	if (*text && s->nwords < WORDS_MAX)
		s->words[s->nwords++] = (struct word){ kind, text };
}

static bool
is_consonant(const char *ch)
{
	char one[5] = { 0 };

	memcpy(one, ch, strnlen(ch, 4) < 3 ? strnlen(ch, 4) : 3);
	return text_has_initial(one);
}

/* What stands between consonants must be there as it is. */
static void
add_text_between(struct search *s, const char *packed)
{
	struct arena *a = s->req->arena;
	const char *from = packed, *p = packed;

	for (; *p; p++) {
		if (((unsigned char)*p & 0xf0) != 0xe0 || !is_consonant(p))
			continue;
		add_word(
		    s, WORD_TEXT, arena_strndup(a, from, (size_t)(p - from)));
		from = p + 3;
		p += 2;
	}
	add_word(s, WORD_TEXT, from);
}

/* Initials of each run of Hangul in it. */
static void
add_initials(struct search *s, const char *packed)
{
	struct arena *a = s->req->arena;
	const char *initials = text_initials(a, packed);

	while (*initials) {
		size_t len = strcspn(initials, ".");

		add_word(s, WORD_INITIALS, arena_strndup(a, initials, len));
		initials += len;
		initials += strspn(initials, ".");
	}
}

static void
add_piece(struct search *s, const char *piece)
{
	struct arena *a = s->req->arena;
	char isbn[ISBN_SIZE];
	const char *packed;

	if (isbn_read(piece, strlen(piece), isbn)) {
		add_word(s, WORD_ISBN, arena_strdup(a, isbn));
		return;
	}
	packed = text_pack(a, text_fold(a, piece));
	if (!text_has_initial(packed)) {
		add_word(s, WORD_TEXT, packed);
		return;
	}
	add_text_between(s, packed);
	add_initials(s, packed);
}

/* The length of what separates words: spaces of any script, , and ; */
static size_t
separator(const char *s)
{
	static const char *const wide[] = { "\u00a0", "\u3000", "\u3001",
		"\uff0c" };

	if (*s == ' ' || *s == ',' || *s == ';')
		return 1;
	for (size_t i = 0; i < LENGTH(wide); i++)
		if (strncmp(s, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

static void
split(struct search *s, const char *text)
{
	const char *from = text;
	char isbn[ISBN_SIZE];
	size_t n;

	/* With spaces between its digits, too. */
	if (isbn_read(text, strlen(text), isbn)) {
		add_piece(s, text);
		return;
	}
	for (; *text; text++) {
		n = separator(text);
		if (n == 0)
			continue;
		add_piece(s,
		    arena_strndup(s->req->arena, from, (size_t)(text - from)));
		from = text + n;
		text += n - 1;
	}
	add_piece(s, from);
}

/* All words of one kind, with something between them. */
static const char *
joined(struct search *s, enum word_kind kind, const char *between)
{
	struct buf b = BUF_INIT(65536);
	const char *text;

	for (size_t i = 0; i < s->nwords; i++) {
		if (s->words[i].kind != kind)
			continue;
		if (b.len > 0)
			buf_str(&b, between);
		buf_str(&b, s->words[i].text);
	}
	text = arena_strndup(s->req->arena, b.data ? b.data : "", b.len);
	buf_free(&b);
	return text;
}

/* --- pieces --- */

static size_t
gram_at(
    const struct word *w, const char *s, char gram[TEXT_GRAM_SIZE], bool *whole)
{
	if (w->kind == WORD_TEXT)
		return text_gram(s, gram, whole);
	return text_initials_gram(s, gram, whole);
}

/* The pieces of a word side by side, and the last one. */
static void
add_grams_of(struct search *s, const struct word *w)
{
	char gram[TEXT_GRAM_SIZE], last[TEXT_GRAM_SIZE] = "";
	const char *p = w->text, *due = w->text;
	size_t n, taken = 0;
	bool whole;

	for (; (n = gram_at(w, p, gram, &whole)) > 0; p += n) {
		if (!whole)
			continue;
		if (p >= due && taken < GRAMS_OF_WORD - 1) {
			grams_add(s->req, &s->grams, gram);
			due = p + strlen(gram) - (w->kind == WORD_INITIALS);
			taken++;
			*last = '\0';
		} else {
			memcpy(last, gram, sizeof(last));
		}
	}
	grams_add(s->req, &s->grams, last);
}

static void
add_grams(struct search *s)
{
	char gram[TEXT_GRAM_SIZE];
	bool whole;

	for (size_t i = 0; i < s->nwords && s->grams.n < GRAMS_MAX; i++) {
		if (s->words[i].kind == WORD_ISBN) {
			gram_of_isbn(s->words[i].text, gram);
			grams_add(s->req, &s->grams, gram);
		} else {
			add_grams_of(s, &s->words[i]);
		}
	}
	if (s->grams.n > GRAMS_MAX)
		s->grams.n = GRAMS_MAX;
	grams_sort(&s->grams);
	/* A piece that is in no text: the question has no word. */
	if (s->nwords == 0)
		grams_add(s->req, &s->grams, "\4");
	if (s->grams.n == 0) {
		gram_at(&s->words[0], s->words[0].text, gram, &whole);
		s->prefix = arena_printf(s->req->arena, "%s%%", gram);
	}
}

const struct search *
search_parse(struct req *req, const char *text)
{
	struct search *s = arena_alloc(req->arena, sizeof(*s));

	memset(s, 0, sizeof(*s));
	s->req = req;
	split(s, text);
	s->packed = joined(s, WORD_TEXT, "");
	s->folded = joined(s, WORD_TEXT, " ");
	s->initials = joined(s, WORD_INITIALS, "");
	add_grams(s);
	if (s->nwords > 0 && s->words[0].kind == WORD_TEXT)
		gram_of_start(s->words[0].text, s->start);
	return s;
}

/* --- the statement --- */

#define PACKED "REPLACE(s.words, ' ', '')"

static void
add_arg(struct search_sql *out, struct db_arg arg)
{
	out->args[out->nargs++] = arg;
}

static void
add_pattern(struct search_sql *out, const char *sql, const char *before,
    const char *text, const char *after)
{
	buf_str(&out->sql, sql);
	add_arg(out,
	    db_text(arena_printf(out->arena, "%s%s%s", before, text, after)));
}

/* Does the title have each of the words? */
static void
add_all_in_title(struct search_sql *out, const struct search *s)
{
	buf_str(&out->sql, " WHEN TRUE");
	for (size_t i = 0; i < s->nwords; i++)
		if (s->words[i].kind == WORD_TEXT)
			add_pattern(out, " AND " PACKED " LIKE ?", "%",
			    s->words[i].text, "%|%|%");
	buf_str(&out->sql, " THEN 5");
}

/*
 * How near a hit is: the title, the author, the title's beginning, words of
 * the title, anywhere in it, scattered over it, in the author, elsewhere;
 * and among those the shorter title first.
 */
static void
add_score(struct search_sql *out, const struct search *s)
{
	bool text = *s->packed;
	const char *all = text ? s->packed : s->initials;
	const char *in = text ? PACKED : "s.initials";

	if (*all) {
		buf_printf(&out->sql, "CASE WHEN %s", in);
		add_pattern(out, " LIKE ? THEN 0", "", all, "|%");
		buf_printf(&out->sql, " WHEN %s", in);
		add_pattern(out, " LIKE ? THEN 1", "%|", all, "|%");
		buf_printf(&out->sql, " WHEN %s", in);
		add_pattern(out, " LIKE ? THEN 2", "", all, "%");
		if (text)
			add_pattern(out, " WHEN s.words LIKE ? THEN 3", "% ",
			    s->folded, "%|%|%");
		buf_printf(&out->sql, " WHEN %s", in);
		add_pattern(out, " LIKE ? THEN 4", "%", all, "%|%|%");
		if (text && s->nwords > 1)
			add_all_in_title(out, s);
		buf_printf(&out->sql, " WHEN %s", in);
		add_pattern(out, " LIKE ? THEN 6", "%|%", all, "%|%");
		buf_str(&out->sql, " ELSE 7 END * 256 + ");
	}
	buf_str(&out->sql,
	    "LEAST(CHAR_LENGTH(SUBSTRING_INDEX(s.words, '|', 1)), 255)");
}

/*
 * The books that have all the pieces, from the index of pieces alone; with
 * start only those whose title begins with the question's first word.
 */
static void
add_candidates(
    struct search_sql *out, const struct search *s, const char *start, int most)
{
	size_t n = s->grams.n + (s->prefix != NULL);
	const char *prefix = s->prefix;

	/* One book may have several pieces that begin alike. */
	buf_str(&out->sql,
	    prefix ? "(SELECT DISTINCT g0.book_id FROM book_grams g0" :
		     "(SELECT g0.book_id FROM book_grams g0");
	for (size_t i = 1; i < n + (start && !prefix); i++)
		buf_printf(&out->sql,
		    " JOIN book_grams g%zu ON g%zu.book_id = g0.book_id", i, i);
	buf_str(&out->sql, " WHERE ");
	for (size_t i = 0; i < s->grams.n; i++) {
		buf_printf(&out->sql, "%sg%zu.gram = ?", i ? " AND " : "", i);
		add_arg(out, db_text(s->grams.at[i]));
	}
	if (prefix)
		add_pattern(out, "g0.gram LIKE ?", "", start ? start : prefix,
		    start ? "%" : "");
	else if (start)
		add_pattern(out,
		    arena_printf(out->arena, " AND g%zu.gram LIKE ?", n), "",
		    start, "%");
	buf_printf(&out->sql, " LIMIT %d)", most);
}

static void
add_tables(struct search_sql *out, const struct search *s)
{
	buf_str(&out->sql, " FROM (");
	if (*s->start) {
		add_candidates(out, s, s->start, STARTS_MAX);
		buf_str(&out->sql, " UNION ");
	}
	add_candidates(out, s, NULL, SEARCH_CANDIDATES_MAX);
	buf_str(&out->sql, ") c JOIN book_search s ON s.book_id = c.book_id");
}

static void
add_words(struct search_sql *out, const struct search *s)
{
	buf_str(&out->sql, " WHERE TRUE");
	for (size_t i = 0; i < s->nwords; i++) {
		const struct word *w = &s->words[i];

		if (w->kind == WORD_TEXT)
			add_pattern(
			    out, " AND " PACKED " LIKE ?", "%", w->text, "%");
		else if (w->kind == WORD_INITIALS)
			add_pattern(
			    out, " AND s.initials LIKE ?", "%", w->text, "%");
		else
			add_pattern(out, " AND s.isbn13 = ?", "", w->text, "");
	}
}

static void
add_filter(struct search_sql *out, const struct search_filter *f)
{
	if (f->ncategories) {
		buf_str(&out->sql, " AND s.category_id IN (");
		for (size_t i = 0; i < f->ncategories; i++) {
			buf_str(&out->sql, i ? ", ?" : "?");
			add_arg(out, db_int(f->categories[i]));
		}
		buf_char(&out->sql, ')');
	}
	if (f->language)
		add_pattern(out, " AND s.language = ?", "", f->language, "");
	if (f->decade == SEARCH_BEFORE_DECADES) {
		buf_str(&out->sql, " AND s.published_year < ?");
		add_arg(out, db_int(SEARCH_FIRST_DECADE));
	} else if (f->decade != SEARCH_ANY_DECADE) {
		buf_str(&out->sql, " AND s.published_year BETWEEN ? AND ?");
		add_arg(out, db_int(f->decade));
		add_arg(out, db_int(f->decade + 9));
	}
	if (f->min_price) {
		buf_str(&out->sql, " AND s.price >= ? / 100");
		add_arg(out, db_int(f->min_price));
	}
	if (f->price_below) {
		buf_str(&out->sql, " AND s.price < ? / 100");
		add_arg(out, db_int(f->price_below));
	}
	if (f->in_stock)
		buf_str(&out->sql, " AND s.in_stock");
}

void
search_hits(const struct search *s, const struct search_filter *f,
    const char *columns, struct search_sql *out)
{
	buf_str(&out->sql, "SELECT ");
	buf_str(&out->sql, columns);
	if (!*columns) {
		buf_str(&out->sql, "s.book_id, ");
		add_score(out, s);
		buf_str(&out->sql, " AS score");
	}
	add_tables(out, s);
	add_words(out, s);
	add_filter(out, f);
	buf_printf(&out->sql, " LIMIT %d", SEARCH_HITS_MAX + 1);
}
