/*
 * search_suggest -- "did you mean": phrases of the catalogue that are a few
 * letters away from a question that found nothing.
 *
 * Books that share pieces with the question, or the initial consonants of its
 * syllables (a wrong vowel leaves them as they are), are looked at; of their
 * fields every run of words is compared.
 */
#include "model.h"
#include "search_internal.h"
#include "utf8.h"

#define GRAMS_MAX 16
#define BOOKS_OF_GRAM 300
#define BOOKS_MAX 100
#define PHRASES_MAX 64
#define PHRASES_SHOWN 3
#define WORDS_OF_FIELD 40
#define PART_OF_WORD 1 /* how much worse than a whole one */

struct phrase {
	const char *text;
	size_t distance, times;
};

struct suggesting {
	struct req *req;
	const char *packed; /* the question */
	size_t chars, nwords, limit;
	struct phrase phrases[PHRASES_MAX];
	size_t nphrases;
};

static void
add_phrase(struct suggesting *s, const char *text, size_t distance)
{
	size_t worst = 0;

	for (size_t i = 0; i < s->nphrases; i++) {
		if (strcmp(s->phrases[i].text, text) == 0) {
			s->phrases[i].times++;
			return;
		}
		if (s->phrases[i].distance > s->phrases[worst].distance)
			worst = i;
	}
	if (s->nphrases < PHRASES_MAX)
		worst = s->nphrases++;
	else if (s->phrases[worst].distance <= distance)
		return;
	s->phrases[worst] = (struct phrase){ text, distance, 1 };
}

static void
consider(struct suggesting *s, const char *phrase, size_t penalty)
{
	const char *packed = text_pack(s->req->arena, phrase);
	size_t distance;

	distance = text_distance(s->packed, packed, NULL);
	if (distance == 0 || distance > s->limit)
		return;
	add_phrase(s, phrase, distance + penalty);
}

/* A part of a compound, as long as the question. */
static void
consider_parts(struct suggesting *s, const char *packed)
{
	struct arena *a = s->req->arena;
	const char *end;
	size_t n = utf8_count(packed, strlen(packed)), len;

	if ((unsigned char)*s->packed < 0x80)
		return;
	for (; n > s->chars; n--) {
		end = packed;
		for (size_t i = 0; i < s->chars; i++)
			end += text_gram(
			    end, (char[TEXT_GRAM_SIZE]){ 0 }, &(bool){ false });
		len = (size_t)(end - packed);
		consider(s, arena_strndup(a, packed, len), PART_OF_WORD);
		packed += text_gram(
		    packed, (char[TEXT_GRAM_SIZE]){ 0 }, &(bool){ false });
	}
}

/* Every run of about as many words as the question has. */
static void
consider_runs(struct suggesting *s, const char *field)
{
	struct arena *a = s->req->arena;
	const char *starts[WORDS_OF_FIELD + 1];
	size_t n = 0;

	for (const char *p = field; *p && n < WORDS_OF_FIELD;) {
		p += strspn(p, " ");
		if (!*p)
			break;
		starts[n++] = p;
		p += strcspn(p, " ");
	}
	starts[n] = field + strlen(field) + 1;
	for (size_t from = 0; from < n; from++) {
		for (size_t to = from + 1;
		     to <= n && to <= from + s->nwords + 1; to++)
			consider(s,
			    arena_strndup(a, starts[from],
				(size_t)(starts[to] - starts[from] - 1)),
			    0);
		consider_parts(s,
		    arena_strndup(a, starts[from], strcspn(starts[from], " ")));
	}
}

static void
consider_book(struct suggesting *s, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, "|");

		consider_runs(s, arena_strndup(s->req->arena, words, len));
		words += len + (words[len] == '|');
	}
}

/* Pieces of the text as they are; pieces of initials, also as beginnings. */
static size_t
add_selects(struct suggesting *s, struct buf *sql, struct db_arg *args)
{
	struct grams g = { 0 };
	const char *initials = text_initials(s->req->arena, s->packed);
	size_t n = 0;

	grams_of_initials(s->req, &g, initials);
	if (g.n > GRAMS_MAX / 2)
		g.n = GRAMS_MAX / 2;
	grams_of_text(s->req, &g, s->packed);
	for (size_t i = 0; i < g.n && n < GRAMS_MAX; i++) {
		const char *gram = g.at[i];

		if (*gram == '\1' && strlen(gram) < 3)
			continue;
		buf_printf(sql,
		    "%s(SELECT book_id FROM book_grams WHERE gram LIKE ?"
		    " LIMIT %d)",
		    n ? " UNION ALL " : "", BOOKS_OF_GRAM);
		args[n++] = db_text(*gram == '\1' ?
			arena_printf(s->req->arena, "%s%%", gram) :
			gram);
	}
	return n;
}

static int
read_books(struct suggesting *s, json_t **books)
{
	struct buf sql = BUF_INIT(65536);
	struct db_arg args[GRAMS_MAX];
	size_t n;
	int rc = RC_OK;

	buf_str(&sql,
	    "SELECT s.words FROM (SELECT book_id, COUNT(*) AS times"
	    " FROM (");
	n = add_selects(s, &sql, args);
	buf_printf(&sql,
	    ") g GROUP BY book_id ORDER BY times DESC, book_id LIMIT %d) h"
	    " JOIN book_search s ON s.book_id = h.book_id",
	    BOOKS_MAX);
	*books = json_array();
	if (n > 0)
		rc = db_rows(s->req,
		    &(struct db_stmt){ "search.suggest", sql.data }, args, n,
		    books);
	buf_free(&sql);
	return rc;
}

static int
by_likeness(const void *a, const void *b)
{
	const struct phrase *x = a, *y = b;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	if (x->times != y->times)
		return x->times > y->times ? -1 : 1;
	return strcmp(x->text, y->text);
}

int
search_suggest(struct req *req, const char *text, json_t **phrases)
{
	struct suggesting *s = arena_alloc(req->arena, sizeof(*s));
	const char *folded = text_fold(req->arena, text);
	json_t *books, *book;
	size_t letters, i;
	int rc;

	memset(s, 0, sizeof(*s));
	s->req = req;
	s->packed = text_pack(req->arena, folded);
	s->chars = utf8_count(s->packed, strlen(s->packed));
	s->nwords = 1;
	for (; *folded; folded++)
		s->nwords += *folded == ' ';
	*phrases = json_array();
	if (text_distance(s->packed, "", &letters) == SIZE_MAX || letters < 3)
		return RC_OK;
	s->limit = 1 + letters / 5;
	if ((rc = read_books(s, &books)) < 0)
		return rc;
	json_array_foreach(books, i, book)
		consider_book(s, model_text(book, "words"));
	qsort(s->phrases, s->nphrases, sizeof(*s->phrases), by_likeness);
	for (i = 0; i < s->nphrases && i < PHRASES_SHOWN; i++)
		json_array_append_new(
		    *phrases, json_string(s->phrases[i].text));
	return RC_OK;
}
