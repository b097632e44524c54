/*
 * export_marcxml -- the catalogue as MARCXML: MARC 21 for other programs, and
 * a local field 990 with what has no place in it.
 */
#include "export.h"

#include "utf8.h"

static const struct {
	const char *two, *three;
} languages[] = {
	{ "ko", "kor" },
	{ "en", "eng" },
	{ "ja", "jpn" },
	{ "zh", "chi" },
	{ "fr", "fre" },
	{ "de", "ger" },
	{ "es", "spa" },
	{ "it", "ita" },
	{ "ru", "rus" },
	{ "la", "lat" },
	{ "el", "gre" },
	{ "pt", "por" },
	{ "nl", "dut" },
	{ "ar", "ara" },
};

static void
begin(struct buf *out)
{
	buf_str(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<collection xmlns=\"http://www.loc.gov/MARC21/slim\">\n");
}

static void
end(struct buf *out)
{
	buf_str(out, "</collection>\n");
}

/* A CR would be read as LF; what XML 1.0 cannot hold is left out. */
static void
add_text(struct buf *out, const char *s)
{
	size_t len = strlen(s), n;
	uint32_t ch = 0;

	for (; len > 0; s += n, len -= n) {
		n = utf8_next(s, len, &ch);
		if (n == 0)
			return;
		if (ch == '\r')
			buf_str(out, "&#13;");
		else if ((ch >= ' ' && ch != 0xfffe && ch != 0xffff) ||
		    ch == '\n' || ch == '\t')
			buf_html(out, s, n);
	}
}

static void
control(struct buf *out, const char *tag, const char *s)
{
	buf_printf(out, "  <controlfield tag=\"%s\">", tag);
	add_text(out, s);
	buf_str(out, "</controlfield>\n");
}

static void
open_field(struct buf *out, const char *tag, const char *indicators)
{
	buf_printf(out, "  <datafield tag=\"%s\" ind1=\"%c\" ind2=\"%c\">\n",
	    tag, indicators[0], indicators[1]);
}

static void
close_field(struct buf *out)
{
	buf_str(out, "  </datafield>\n");
}

/* Nothing for NULL. */
static void
subfield(struct buf *out, char code, const char *s)
{
	if (!s)
		return;
	buf_printf(out, "    <subfield code=\"%c\">", code);
	add_text(out, s);
	buf_str(out, "</subfield>\n");
}

static void
number(struct buf *out, char code, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	subfield(out, code, text);
}

static void
price(struct buf *out, char code, const char *sign, const json_t *book)
{
	buf_printf(out, "    <subfield code=\"%c\">%s", code, sign);
	export_price(out, book);
	buf_str(out, "</subfield>\n");
}

/* NULL when there is no code for it here. */
static const char *
three_letters(const char *two)
{
	for (size_t i = 0; i < LENGTH(languages); i++) {
		if (two && strcmp(languages[i].two, two) == 0)
			return languages[i].three;
	}
	return NULL;
}

/* "2026-01-31T10:00:00Z" as 005 has it. */
static void
add_changed(struct buf *out, const char *time)
{
	char text[20] = "";
	size_t n = 0;

	for (; time && *time && n < 14; time++) {
		if (*time >= '0' && *time <= '9')
			text[n++] = *time;
	}
	memcpy(text + n, ".0", 3);
	control(out, "005", text);
}

/* 008: when it was made, the year, the language. */
static void
add_fixed(struct buf *out, const json_t *book)
{
	const char *created = model_text(book, "created_at");
	const char *language = three_letters(model_text(book, "language"));
	int64_t year = model_int(book, "published_year");
	char date[8] = "||||", text[48];

	if (year > 0)
		snprintf(date, sizeof(date), "%04d", (int)(year % 10000));
	snprintf(text, sizeof(text), "%.2s%.2s%.2s%c%.4s    xx %17s%.3s d",
	    created + 2, created + 5, created + 8, year > 0 ? 's' : 'n', date,
	    "", language ? language : "und");
	control(out, "008", text);
}

static void
add_isbn(struct buf *out, const json_t *book)
{
	open_field(out, "020", "  ");
	subfield(out, 'a', model_text(book, "isbn13"));
	price(out, 'c', "₩", book);
	close_field(out);
}

static void
add_title(struct buf *out, const json_t *book)
{
	open_field(out, "245", "00");
	subfield(out, 'a', model_text(book, "title"));
	subfield(out, 'c', model_text(book, "author"));
	close_field(out);
}

static void
add_published(struct buf *out, const json_t *book)
{
	const char *publisher = model_text(book, "publisher");
	int64_t year = model_int(book, "published_year");

	if (!publisher && !year)
		return;
	open_field(out, "264", " 1");
	subfield(out, 'b', publisher);
	if (year)
		number(out, 'c', year);
	close_field(out);
}

static void
add_simple(
    struct buf *out, const char *tag, const char *indicators, const char *s)
{
	if (!s || !*s)
		return;
	open_field(out, tag, indicators);
	subfield(out, 'a', s);
	close_field(out);
}

static void
add_language(struct buf *out, const json_t *book)
{
	if (three_letters(model_text(book, "language")))
		return;
	open_field(out, "041", "07");
	subfield(out, 'a', model_text(book, "language"));
	subfield(out, '2', "iso639-1");
	close_field(out);
}

/* What only this catalogue knows; doc/import.md tells of it. */
static void
add_local(struct buf *out, const json_t *book)
{
	open_field(out, "990", "  ");
	subfield(out, 'c', model_text(book, "category"));
	subfield(out, 'd', model_text(book, "created_at"));
	subfield(out, 'l', model_text(book, "language"));
	price(out, 'p', "", book);
	number(out, 'q', model_int(book, "stock_quantity"));
	subfield(out, 's', model_text(book, "source_id"));
	subfield(out, 'u', model_text(book, "image_url"));
	close_field(out);
}

static void
add_book(struct buf *out, const json_t *book)
{
	char id[24];

	snprintf(id, sizeof(id), "%lld", (long long)model_int(book, "id"));
	buf_str(
	    out, " <record>\n  <leader>00000nam a2200000 u 4500</leader>\n");
	control(out, "001", id);
	control(out, "003", "seoga");
	add_changed(out, model_text(book, "updated_at"));
	add_fixed(out, book);
	add_isbn(out, book);
	add_language(out, book);
	add_title(out, book);
	add_published(out, book);
	add_simple(out, "520", "  ", model_text(book, "description"));
	add_simple(out, "720", "  ", model_text(book, "author"));
	add_local(out, book);
	buf_str(out, " </record>\n");
}

const struct export_format export_marcxml = { "marcxml", begin, add_book, end };
