/*
 * import_facts -- from the texts of a record to the facts of a book: what is
 * right, what is left out with a note, and what is refused.
 */
#include "import.h"

#include "isbn.h"
#include "model.h"
#include "secret.h"
#include "stock.h"
#include "utf8.h"

#include <glib.h>
#include <strings.h>

#define TEXT_MAX 255 /* characters: title, author, publisher */
#define SOURCE_MAX 64
#define IMAGE_MAX 500
#define DESCRIPTION_MAX 65535 /* bytes */
#define PRICE_MAX INT64_C(9999999999)
#define YEAR_MAX 9999

const char *const import_fact_names[FACTS] = { [FACT_ID] = "id",
	[FACT_CREATED] = "created_at",
	[FACT_SOURCE] = "source_id",
	[FACT_ISBN] = "isbn13",
	[FACT_TITLE] = "title",
	[FACT_AUTHOR] = "author",
	[FACT_PUBLISHER] = "publisher",
	[FACT_YEAR] = "published_year",
	[FACT_LANGUAGE] = "language",
	[FACT_DESCRIPTION] = "description",
	[FACT_PRICE] = "price",
	[FACT_STOCK] = "stock_quantity",
	[FACT_CATEGORY] = "category",
	[FACT_KDC] = "kdc",
	[FACT_DDC] = "ddc",
	[FACT_IMAGE] = "image_url" };

/* ISO 639-2 and what is used beside it: the two letters of ISO 639-1. */
static const struct {
	const char *code, *two;
} languages[] = {
	{ "ara", "ar" },
	{ "chi", "zh" },
	{ "cze", "cs" },
	{ "dan", "da" },
	{ "dut", "nl" },
	{ "eng", "en" },
	{ "fil", "tl" },
	{ "fin", "fi" },
	{ "fre", "fr" },
	{ "fra", "fr" },
	{ "ger", "de" },
	{ "deu", "de" },
	{ "gre", "el" },
	{ "grc", "el" },
	{ "heb", "he" },
	{ "hin", "hi" },
	{ "hun", "hu" },
	{ "ind", "id" },
	{ "ita", "it" },
	{ "jpn", "ja" },
	{ "kor", "ko" },
	{ "lat", "la" },
	{ "may", "ms" },
	{ "mon", "mn" },
	{ "nld", "nl" },
	{ "nor", "no" },
	{ "per", "fa" },
	{ "pol", "pl" },
	{ "por", "pt" },
	{ "rum", "ro" },
	{ "rus", "ru" },
	{ "spa", "es" },
	{ "swe", "sv" },
	{ "tha", "th" },
	{ "tur", "tr" },
	{ "ukr", "uk" },
	{ "vie", "vi" },
	{ "zho", "zh" },
};

/* Classes of KDC and DDC, as they begin, and the categories of the sample
 * catalogue; what does not exist is passed over for a shorter one. */
struct class {
	const char *number, *slug;
};
static const struct class kdc[] = { { "004", "computer-systems" },
	{ "005", "programming" }, { "1", "philosophy" },
	{ "15", "korean-thought" }, { "152", "eastern-classics" },
	{ "16", "western-philosophy" }, { "18", "mind-and-society" },
	{ "2", "philosophy" }, { "3", "society" },
	{ "32", "politics-economics" }, { "34", "politics-economics" },
	{ "38", "mind-and-society" }, { "4", "natural-science" },
	{ "5", "science" }, { "6", "arts" }, { "7", "mind-and-society" },
	{ "8", "literature" }, { "81", "korean-fiction" },
	{ "811", "korean-poetry" }, { "812", "literature" },
	{ "814", "korean-essays" }, { "82", "world-fiction" },
	{ "83", "world-fiction" }, { "84", "world-fiction" },
	{ "841", "poetry-drama" }, { "842", "poetry-drama" },
	{ "85", "world-fiction" }, { "86", "world-fiction" },
	{ "87", "world-fiction" }, { "88", "world-fiction" },
	{ "89", "world-fiction" }, { "9", "world-history" },
	{ "911", "korean-history" }, { NULL, NULL } };
static const struct class ddc[] = { { "004", "computer-systems" },
	{ "005", "programming" }, { "1", "western-philosophy" },
	{ "15", "mind-and-society" }, { "181", "eastern-classics" },
	{ "2", "philosophy" }, { "3", "society" },
	{ "32", "politics-economics" }, { "33", "politics-economics" },
	{ "4", "mind-and-society" }, { "5", "natural-science" },
	{ "6", "science" }, { "7", "arts" }, { "8", "world-fiction" },
	{ "895.7", "korean-fiction" }, { "895.71", "korean-poetry" },
	{ "895.74", "korean-essays" }, { "9", "world-history" },
	{ "951.9", "korean-history" }, { NULL, NULL } };

/* A record while its facts are made. */
struct maker {
	struct import *im;
	const struct import_record *record;
	struct bulk_book *book;
	const char *error; /* the first one */
};

static void fail(struct maker *m, const char *fmt, ...) ATTR_PRINTF(2, 3);

static void
fail(struct maker *m, const char *fmt, ...)
{
	va_list ap;

	if (m->error)
		return;
	va_start(ap, fmt);
	m->error = arena_vprintf(m->im->req->arena, fmt, ap);
	va_end(ap);
}

/* --- texts --- */

/* The words in which a text is named when something is wrong with it. */
static const char *
name_of(enum fact fact)
{
	static const char *const names[FACTS] = { [FACT_ISBN] = "ISBN",
		[FACT_ISBN_ELSE] = "ISBN",
		[FACT_SOURCE] = "source id",
		[FACT_YEAR] = "year",
		[FACT_STOCK] = "stock",
		[FACT_KDC] = "KDC number",
		[FACT_DDC] = "DDC number",
		[FACT_IMAGE] = "address of the picture" };

	return names[fact] ? names[fact] : import_fact_names[fact];
}

/* As much of it as fits in a message, on one line. */
static const char *
shown(struct maker *m, const char *s, size_t len)
{
	size_t n = len > 40 ? 40 : len;
	char *copy;

	while (n < len && n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	copy = arena_printf(
	    m->im->req->arena, "%.*s%s", (int)n, s, n < len ? "…" : "");
	for (char *p = copy; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	}
	return copy;
}

/* Ends of lines and tabs between words become one blank. */
static char *
on_one_line(struct maker *m, const char *s, size_t *len)
{
	char *copy = arena_alloc(m->im->req->arena, *len + 1), *out = copy;
	bool was_break = false;

	for (size_t i = 0; i < *len; i++) {
		bool is_break = s[i] == '\n' || s[i] == '\r' || s[i] == '\t';

		if (!is_break)
			*out++ = s[i];
		else if (!was_break)
			*out++ = ' ';
		was_break = is_break;
	}
	*out = '\0';
	*len = (size_t)(out - copy);
	return copy;
}

static bool
is_utf8(struct maker *m, enum fact fact)
{
	const struct import_text *t = &m->record->facts[fact];

	if (utf8_valid(t->s, t->len))
		return true;
	fail(m, "the %s is not UTF-8%s", name_of(fact),
	    m->im->options.charset ?
		"" :
		"; for a file of an older Korean program add --charset cp949");
	return false;
}

/* Marks over letters become one with them, and jamo syllables, as MARC-8 and
 * some systems write them apart.  What we wrote ourselves stays as it is. */
static const char *
composed(struct maker *m, const char *s, size_t *len)
{
	char *nfc;
	const char *copy;

	if (m->record->facts[FACT_ID].s)
		return s;
	nfc = g_utf8_normalize(s, (gssize)*len, G_NORMALIZE_NFC);
	if (!nfc)
		return s;
	*len = strlen(nfc);
	copy = arena_strndup(m->im->req->arena, nfc, *len);
	g_free(nfc);
	return copy;
}

/* The text, trimmed, on one line; NULL when there is none or it is wrong. */
static const char *
line_of(struct maker *m, enum fact fact, size_t *len)
{
	const struct import_text *t = &m->record->facts[fact];
	const char *s = t->s;

	*len = t->len;
	if (!s || !is_utf8(m, fact))
		return NULL;
	utf8_trim(&s, len);
	if (*len == 0)
		return NULL;
	s = on_one_line(m, s, len);
	if (utf8_one_line(s, *len))
		return composed(m, s, len);
	fail(m, "the %s has characters that cannot be seen", name_of(fact));
	return NULL;
}

static void say(struct maker *m, const char *fmt, ...) ATTR_PRINTF(2, 3);

static void
say(struct maker *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	import_say(m->im, m->record->where, "note", "%s",
	    arena_vprintf(m->im->req->arena, fmt, ap));
	va_end(ap);
}

static void
set_text(json_t *facts, enum fact fact, const char *s, size_t len)
{
	model_set(facts, import_fact_names[fact], json_stringn_nocheck(s, len));
}

/* --- who it is --- */

static bool
read_isbn(struct maker *m, enum fact fact, char isbn[ISBN_SIZE])
{
	const struct import_text *t = &m->record->facts[fact];
	const char *s = t->s;
	size_t len = t->len;

	if (!s || !utf8_valid(s, len))
		return false;
	utf8_trim(&s, &len);
	return m->im->spreadsheet ? isbn_read_number(s, len, isbn) :
				    isbn_read(s, len, isbn);
}

/* "9.78043902348e+12": its last digits are lost. */
static bool
is_rounded(const char *s, size_t len)
{
	return s[0] >= '0' && s[0] <= '9' &&
	    (memchr(s, 'e', len) || memchr(s, 'E', len)) && memchr(s, '+', len);
}

static void
take_isbn(struct maker *m)
{
	char isbn[ISBN_SIZE];
	size_t len;
	const char *s;

	if (read_isbn(m, FACT_ISBN, isbn) ||
	    read_isbn(m, FACT_ISBN_ELSE, isbn)) {
		set_text(m->book->said, FACT_ISBN, isbn, ISBN_SIZE - 1);
		return;
	}
	s = line_of(m, FACT_ISBN, &len);
	if (!s)
		s = line_of(m, FACT_ISBN_ELSE, &len);
	if (s)
		say(m, "\"%s\" is no ISBN%s and is left out", shown(m, s, len),
		    is_rounded(s, len) ?
			" any more (a spreadsheet has rounded it)" :
			"");
}

static bool
is_plain_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	}
	return true;
}

static void
take_source(struct maker *m)
{
	const char *prefix =
	    m->im->options.source ? m->im->options.source : m->im->source;
	size_t len;
	const char *s = line_of(m, FACT_SOURCE, &len);

	if (!s)
		return;
	if (prefix) {
		s = arena_printf(
		    m->im->req->arena, "%s:%.*s", prefix, (int)len, s);
		len = strlen(s);
	}
	if (len > SOURCE_MAX || !is_plain_ascii(s, len))
		fail(m,
		    "the source id \"%s\" has more than %d characters or"
		    " others than letters, digits and signs",
		    shown(m, s, len), SOURCE_MAX);
	else
		set_text(m->book->said, FACT_SOURCE, s, len);
}

static bool
all_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	return len > 0;
}

/* "2026-01-31T10:00:00Z", as our export writes it, for SQL. */
static const char *
time_of(struct maker *m, const char *s, size_t len)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	char *out;

	if (len != sizeof(form) - 1)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return NULL;
	}
	out = arena_strndup(m->im->req->arena, s, len - 1);
	out[10] = ' ';
	return out;
}

/* The number of a book counts only with the time when it was made: another
 * catalogue has another book of that number. */
static void
take_id(struct maker *m)
{
	size_t len, created_len;
	const char *s = line_of(m, FACT_ID, &len);
	const char *created = line_of(m, FACT_CREATED, &created_len);

	if (created)
		m->book->created_at = time_of(m, created, created_len);
	if (s && m->book->created_at && all_digits(s, len) && len <= 18)
		m->book->id = strtoll(s, NULL, 10);
}

/* A record without any key would be a new book each time. */
static void
make_key(struct maker *m)
{
	struct bulk_book *book = m->book;
	char digest[SECRET_TOKEN_SIZE];
	const char *publisher = model_text(book->said, "publisher");
	char *all;

	if (model_text(book->said, "isbn13") ||
	    model_text(book->said, "source_id") || m->error)
		return;
	if (book->id) {
		model_set_text(book->otherwise, "source_id",
		    arena_printf(
			m->im->req->arena, "seoga:%lld", (long long)book->id));
		return;
	}
	all = arena_printf(m->im->req->arena, "%s|%s|%s|%lld",
	    model_text(book->said, "title"), model_text(book->said, "author"),
	    publisher ? publisher : "",
	    (long long)model_int(book->said, "published_year"));
	secret_mac("", "import", all, digest);
	digest[32] = '\0';
	model_set_text(book->otherwise, "source_id",
	    arena_printf(m->im->req->arena, "text:%s", digest));
}

/* --- what it is called --- */

static void
take_title(struct maker *m)
{
	size_t len;
	const char *s = line_of(m, FACT_TITLE, &len);

	if (!s)
		fail(m, "it has no title");
	else if (utf8_count(s, len) > TEXT_MAX)
		fail(m, "the title \"%s\" has more than %d characters",
		    shown(m, s, len), TEXT_MAX);
	else
		set_text(m->book->said, FACT_TITLE, s, len);
}

/* The bytes of the first so many characters. */
static size_t
bytes_of(const char *s, size_t len, size_t characters)
{
	size_t i = 0;

	while (i < len && characters > 0) {
		i++;
		while (i < len && ((unsigned char)s[i] & 0xc0) == 0x80)
			i++;
		characters--;
	}
	return i;
}

/* A list of names too long for a catalogue is cut after one of them. */
static void
take_author(struct maker *m)
{
	size_t len, cut;
	const char *s = line_of(m, FACT_AUTHOR, &len);

	if (!s)
		return;
	if (utf8_count(s, len) > TEXT_MAX) {
		cut = bytes_of(s, len, TEXT_MAX - 3);
		while (cut > 0 && s[cut - 1] != ',' && s[cut - 1] != ';')
			cut--;
		if (cut == 0)
			cut = bytes_of(s, len, TEXT_MAX - 3);
		s = arena_printf(m->im->req->arena, "%.*s …", (int)cut, s);
		len = strlen(s);
		say(m, "its authors are cut to %d characters", TEXT_MAX);
	}
	set_text(m->book->said, FACT_AUTHOR, s, len);
}

static void
take_publisher(struct maker *m)
{
	size_t len;
	const char *s = line_of(m, FACT_PUBLISHER, &len);

	if (s && utf8_count(s, len) > TEXT_MAX)
		say(m,
		    "its publisher has more than %d characters and is left"
		    " out",
		    TEXT_MAX);
	else if (s)
		set_text(m->book->said, FACT_PUBLISHER, s, len);
}

/* Ends of lines and tabs may stay, nothing else that cannot be seen. */
static bool
is_prose(const char *s, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && s[i] != '\n' && s[i] != '\r' && s[i] != '\t')
			continue;
		if (!utf8_one_line(s + from, i - from))
			return false;
		from = i + 1;
	}
	return true;
}

static void
set_description(struct maker *m, const char *s, size_t len)
{
	s = composed(m, s, &len);
	set_text(m->book->said, FACT_DESCRIPTION, s, len);
}

static void
take_description(struct maker *m)
{
	const struct import_text *t = &m->record->facts[FACT_DESCRIPTION];
	const char *s = t->s;
	size_t len = t->len;

	if (!s || !is_utf8(m, FACT_DESCRIPTION))
		return;
	utf8_trim(&s, &len);
	if (len == 0)
		return;
	if (len > DESCRIPTION_MAX || !is_prose(s, len))
		say(m,
		    "its description is too long or has characters that"
		    " cannot be seen, and is left out");
	else
		set_description(m, s, len);
}

/* --- numbers --- */

/* "2008", and "2008.0" as some programs write it. */
static bool
whole_number(const char *s, size_t len, int64_t most, int64_t *out)
{
	size_t i = len > 0 && s[0] == '-', from = i;
	int64_t n = 0;

	for (; i < len && s[i] >= '0' && s[i] <= '9' && i - from < 12; i++)
		n = n * 10 + (s[i] - '0');
	if (i == from || n > most)
		return false;
	if (i < len && s[i] == '.') {
		for (i++; i < len && s[i] == '0'; i++)
			;
	}
	if (i < len)
		return false;
	*out = from ? -n : n;
	return true;
}

/* "2008-05-01", "2008.5.1", "2008년 5월", "20080501". */
static bool
year_of_date(const char *s, size_t len, int64_t *year)
{
	static const char *const after[] = { "-", ".", "/", "년" };
	bool is_date = len == 8 && all_digits(s, len);

	if (len < 5 || !all_digits(s, 4))
		return false;
	for (size_t i = 0; i < LENGTH(after) && !is_date; i++)
		is_date = len - 4 >= strlen(after[i]) &&
		    memcmp(s + 4, after[i], strlen(after[i])) == 0;
	return is_date && whole_number(s, 4, YEAR_MAX, year);
}

static void
take_year(struct maker *m)
{
	size_t len;
	const char *s = line_of(m, FACT_YEAR, &len);
	int64_t year;

	if (!s)
		return;
	if ((whole_number(s, len, YEAR_MAX, &year) ||
		year_of_date(s, len, &year)) &&
	    year != 0)
		model_set_int(m->book->said, "published_year", year);
	else
		say(m, "\"%s\" is no year and is left out", shown(m, s, len));
}

static bool
skip(const char **s, size_t *len, const char *word)
{
	size_t n = strlen(word);

	if (*len < n || memcmp(*s, word, n) != 0)
		return false;
	*s += n;
	*len -= n;
	return true;
}

/* Digits, by thousands if with commas; then up to two places. */
static int64_t
amount(const char *s, size_t len)
{
	int64_t won = 0, part = 0;
	size_t i = 0, since = 0, places = 0;
	bool commas = false;

	for (; i < len && s[i] != '.'; i++) {
		if (s[i] == ',') {
			if (i == 0 || (commas ? since != 3 : since > 3))
				return -1;
			commas = true;
			since = 0;
			continue;
		}
		if (s[i] < '0' || s[i] > '9' || won > PRICE_MAX)
			return -1;
		won = won * 10 + (s[i] - '0');
		since++;
	}
	if (since == 0 || (commas && since != 3))
		return -1;
	for (i++; i < len; i++, places++) {
		if (s[i] < '0' || s[i] > '9' || (places > 1 && s[i] != '0'))
			return -1;
		if (places < 2)
			part = part * 10 + (s[i] - '0');
	}
	won = won * 100 + (places == 1 ? part * 10 : part);
	return won > PRICE_MAX ? -1 : won;
}

int64_t
import_price(const char *s, size_t len)
{
	utf8_trim(&s, &len);
	if (!skip(&s, &len, "₩") && !skip(&s, &len, "￦") &&
	    !skip(&s, &len, "KRW"))
		skip(&s, &len, "\\");
	utf8_trim(&s, &len);
	if (len > 3 &&
	    (memcmp(s + len - 3, "원", 3) == 0 ||
		memcmp(s + len - 3, "KRW", 3) == 0))
		len -= 3;
	utf8_trim(&s, &len);
	return len ? amount(s, len) : -1;
}

static void
take_price(struct maker *m)
{
	size_t len;
	const char *s = line_of(m, FACT_PRICE, &len);
	int64_t price;

	if (s) {
		price = import_price(s, len);
		if (price >= 0)
			model_set_int(m->book->said, "price", price);
		else
			fail(m, "the price \"%s\" is no number of won",
			    shown(m, s, len));
	} else if (m->im->options.price >= 0) {
		model_set_int(
		    m->book->otherwise, "price", m->im->options.price);
	} else {
		m->book->lacks = "it has no price, and --price gives none";
	}
}

static void
take_stock(struct maker *m)
{
	size_t len;
	const char *s = line_of(m, FACT_STOCK, &len);
	int64_t stock;

	if (!s)
		model_set_int(
		    m->book->otherwise, "stock_quantity", m->im->options.stock);
	else if (whole_number(s, len, STOCK_MAX, &stock) && stock >= 0)
		model_set_int(m->book->said, "stock_quantity", stock);
	else
		fail(m, "the stock \"%s\" is no number from 0 to %d",
		    shown(m, s, len), STOCK_MAX);
}

/* --- language --- */

/* By the group of its ISBN: Korea, or the English speaking countries. */
static const char *
language_of_isbn(const char *isbn)
{
	if (!isbn)
		return NULL;
	if (strncmp(isbn, "97889", 5) == 0 || strncmp(isbn, "97911", 5) == 0)
		return "ko";
	if (strncmp(isbn, "9780", 4) == 0 || strncmp(isbn, "9781", 4) == 0)
		return "en";
	return NULL;
}

static bool
is_small_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* "ko", "ko-KR", "kor": the part before a hyphen, as two letters. */
static const char *
language_of_code(struct maker *m, const char *s, size_t len)
{
	char *code = arena_strndup(m->im->req->arena, s, len);

	for (char *p = code; *p; p++) {
		if (*p == '-' || *p == '_')
			*p = '\0';
		else if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	if (strlen(code) == 2 && is_small_letter(code[0]) &&
	    is_small_letter(code[1]))
		return code;
	for (size_t i = 0; i < LENGTH(languages); i++) {
		if (strcmp(languages[i].code, code) == 0)
			return languages[i].two;
	}
	return NULL;
}

static void
take_language(struct maker *m)
{
	const char *isbn = model_text(m->book->said, "isbn13"), *two;
	size_t len;
	const char *s = line_of(m, FACT_LANGUAGE, &len);

	two = s ? language_of_code(m, s, len) : NULL;
	if (two) {
		model_set_text(m->book->said, "language", two);
		return;
	}
	if (s)
		say(m,
		    "\"%s\" is no language with a code of two letters and"
		    " is left out",
		    shown(m, s, len));
	two = language_of_isbn(isbn);
	model_set_text(m->book->otherwise, "language",
	    two ? two : m->im->options.language);
}

/* --- category --- */

static bool
is_named(const struct import_category *category, const char *name, size_t len)
{
	for (size_t i = 0; i < LENGTH(category->names); i++) {
		if (strlen(category->names[i]) == len &&
		    strncasecmp(category->names[i], name, len) == 0)
			return true;
	}
	return false;
}

int64_t
import_category(const struct import *im, const char *name, size_t len)
{
	int64_t id = 0;

	for (size_t i = 0; i < im->ncategories; i++) {
		const struct import_category *c = &im->categories[i];

		/* That one is its own. */
		if (strlen(c->names[0]) == len &&
		    memcmp(c->names[0], name, len) == 0)
			return c->id;
		if (is_named(c, name, len))
			id = id ? -1 : c->id;
	}
	return id < 0 ? 0 : id;
}

static bool
begins_with(const char *s, size_t len, const char *start)
{
	size_t n = strlen(start);

	return n <= len && memcmp(s, start, n) == 0;
}

/* What the librarian said such a text means: the longest beginning counts. */
static int64_t
mapped_category(const struct import *im, const char *s, size_t len)
{
	size_t longest = 0;
	int64_t id = 0;

	for (size_t i = 0; i < im->options.ncategories; i++) {
		const struct import_map *map = &im->options.categories[i];

		if (begins_with(s, len, map->what) &&
		    strlen(map->what) > longest) {
			longest = strlen(map->what);
			id = import_category(im, map->to, strlen(map->to));
		}
	}
	return id;
}

static int64_t
class_category(const struct import *im, const struct class *classes,
    const char *number, size_t len)
{
	size_t longest = 0;
	int64_t id = 0;

	for (; classes->number; classes++) {
		int64_t one =
		    import_category(im, classes->slug, strlen(classes->slug));

		if (one && begins_with(number, len, classes->number) &&
		    strlen(classes->number) > longest) {
			longest = strlen(classes->number);
			id = one;
		}
	}
	return id;
}

/* By its number in KDC or DDC: "KDC 813.6" for what was said of it. */
static int64_t
classed_category(struct maker *m, enum fact fact, const char *system,
    const struct class *classes)
{
	size_t len;
	const char *s = line_of(m, fact, &len), *text;
	int64_t id;

	if (!s)
		return 0;
	text = arena_printf(m->im->req->arena, "%s %.*s", system, (int)len, s);
	id = mapped_category(m->im, text, strlen(text));
	return id ? id : class_category(m->im, classes, s, len);
}

/* A new book's, when the file does not name it. */
static void
guess_category(struct maker *m)
{
	int64_t id = classed_category(m, FACT_KDC, "KDC", kdc);

	if (!id)
		id = classed_category(m, FACT_DDC, "DDC", ddc);
	if (!id)
		id = m->im->category;
	if (id)
		model_set_int(m->book->otherwise, "category_id", id);
	else if (!m->book->lacks)
		m->book->lacks = "it has no category, and --category gives"
				 " none";
}

static void
take_category(struct maker *m)
{
	size_t len;
	const char *s = line_of(m, FACT_CATEGORY, &len);
	int64_t id;

	if (!s) {
		guess_category(m);
		return;
	}
	id = import_category(m->im, s, len);
	if (!id)
		id = mapped_category(m->im, s, len);
	if (id)
		model_set_int(m->book->said, "category_id", id);
	else
		fail(m,
		    "there is no category \"%s\"; --map-category can say"
		    " which one it is",
		    shown(m, s, len));
}

/* --- the rest --- */

/* Pages show pictures of this site only. */
static void
take_image(struct maker *m)
{
	size_t len;
	const char *s = line_of(m, FACT_IMAGE, &len);

	if (!s)
		return;
	if (s[0] == '/' && (len == 1 || s[1] != '/') && len <= IMAGE_MAX)
		set_text(m->book->said, FACT_IMAGE, s, len);
	else
		say(m, "its picture is not of this site and is left out");
}

static void
need_author(struct maker *m)
{
	if (model_text(m->book->said, "author"))
		return;
	if (m->im->options.author)
		model_set_text(
		    m->book->otherwise, "author", m->im->options.author);
	else if (!m->book->lacks)
		m->book->lacks = "it has no author, and --author gives none";
}

const char *
import_facts(struct import *im, const struct import_record *record,
    struct bulk_book *book)
{
	struct maker m = { .im = im, .record = record, .book = book };

	*book = (struct bulk_book){ .where = record->where,
		.said = json_object(),
		.otherwise = json_object() };
	take_isbn(&m);
	take_source(&m);
	take_id(&m);
	take_title(&m);
	take_author(&m);
	take_publisher(&m);
	take_year(&m);
	take_language(&m);
	take_description(&m);
	take_price(&m);
	take_stock(&m);
	take_category(&m);
	take_image(&m);
	need_author(&m);
	make_key(&m);
	return m.error;
}
