/*
 * import_csv -- a file of comma-separated values as records: which column
 * means what, and a record for each row.
 */
#include "import.h"

#include "command.h"
#include "csv.h"
#include "utf8.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>

#define CONVERTED_MAX (CSV_ROW_MAX * 3)

/* What columns are called, here and elsewhere, in small letters. */
static const struct {
	const char *name;
	enum fact fact;
} names[] = {
	{ "id", FACT_ID },
	{ "created_at", FACT_CREATED },
	{ "source_id", FACT_SOURCE },
	{ "제어번호", FACT_SOURCE },
	{ "isbn13", FACT_ISBN },
	{ "isbn", FACT_ISBN },
	{ "isbn10", FACT_ISBN },
	{ "title", FACT_TITLE },
	{ "제목", FACT_TITLE },
	{ "서명", FACT_TITLE },
	{ "도서명", FACT_TITLE },
	{ "책제목", FACT_TITLE },
	{ "author", FACT_AUTHOR },
	{ "authors", FACT_AUTHOR },
	{ "저자", FACT_AUTHOR },
	{ "저자명", FACT_AUTHOR },
	{ "지은이", FACT_AUTHOR },
	{ "작가", FACT_AUTHOR },
	{ "publisher", FACT_PUBLISHER },
	{ "출판사", FACT_PUBLISHER },
	{ "발행처", FACT_PUBLISHER },
	{ "published_year", FACT_YEAR },
	{ "publication_year", FACT_YEAR },
	{ "original_publication_year", FACT_YEAR },
	{ "year", FACT_YEAR },
	{ "출판년도", FACT_YEAR },
	{ "출판연도", FACT_YEAR },
	{ "발행년도", FACT_YEAR },
	{ "발행연도", FACT_YEAR },
	{ "발행년", FACT_YEAR },
	{ "발행일", FACT_YEAR },
	{ "발행일자", FACT_YEAR },
	{ "출판일", FACT_YEAR },
	{ "출간일", FACT_YEAR },
	{ "language", FACT_LANGUAGE },
	{ "language_code", FACT_LANGUAGE },
	{ "언어", FACT_LANGUAGE },
	{ "description", FACT_DESCRIPTION },
	{ "설명", FACT_DESCRIPTION },
	{ "책소개", FACT_DESCRIPTION },
	{ "price", FACT_PRICE },
	{ "가격", FACT_PRICE },
	{ "정가", FACT_PRICE },
	{ "stock_quantity", FACT_STOCK },
	{ "stock", FACT_STOCK },
	{ "재고", FACT_STOCK },
	{ "수량", FACT_STOCK },
	{ "category", FACT_CATEGORY },
	{ "분류", FACT_CATEGORY },
	{ "카테고리", FACT_CATEGORY },
	{ "kdc", FACT_KDC },
	{ "분류기호", FACT_KDC },
	{ "ddc", FACT_DDC },
	{ "image_url", FACT_IMAGE },
};

struct table {
	struct import *im;
	struct csv *csv;
	size_t ncolumns;
	enum fact facts[CSV_FIELDS_MAX]; /* FACTS: not used */
	iconv_t cd;
	bool converts;
	char *converted; /* the row in UTF-8 */
};

/* --- the header --- */

/* "Language Code" and "language_code" are the same. */
static bool
same_name(const char *column, const char *name)
{
	while (*column == ' ')
		column++;
	for (; *name; column++, name++) {
		char c = *column == ' ' || *column == '-' ? '_' : *column;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != *name)
			return false;
	}
	while (*column == ' ')
		column++;
	return !*column;
}

static enum fact
fact_of_name(const char *name)
{
	for (int f = 0; f < FACTS; f++) {
		if (import_fact_names[f] &&
		    strcmp(import_fact_names[f], name) == 0)
			return (enum fact)f;
	}
	command_die(
	    "--map: there is no fact \"%s\"; doc/import.md lists them", name);
}

static enum fact
fact_of_column(const struct import *im, const char *column)
{
	for (size_t i = 0; i < im->options.ncolumns; i++) {
		if (strcasecmp(im->options.columns[i].to, column) == 0)
			return fact_of_name(im->options.columns[i].what);
	}
	for (size_t i = 0; i < LENGTH(names); i++) {
		if (same_name(column, names[i].name))
			return names[i].fact;
	}
	return FACTS;
}

/* The columns of this well-known file have names of their own. */
static void
know_goodbooks(struct table *t, const struct import_text *columns)
{
	bool known = false;

	for (size_t i = 0; i < t->ncolumns; i++)
		known |= same_name(columns[i].s, "goodreads_book_id");
	if (!known)
		return;
	t->im->source = "goodbooks";
	for (size_t i = 0; i < t->ncolumns; i++) {
		if (same_name(columns[i].s, "book_id"))
			t->facts[i] = FACT_SOURCE;
		/* Pictures on another site, which pages cannot show. */
		else if (t->facts[i] == FACT_IMAGE)
			t->facts[i] = FACTS;
	}
}

static bool
has_fact(const struct table *t, size_t before, enum fact fact)
{
	for (size_t i = 0; i < before; i++) {
		if (t->facts[i] == fact)
			return true;
	}
	return false;
}

/* Of two columns that mean the same the first counts; of an ISBN both. */
static void
settle_doubles(struct table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		if (!has_fact(t, i, t->facts[i]))
			continue;
		t->facts[i] = t->facts[i] == FACT_ISBN ? FACT_ISBN_ELSE : FACTS;
	}
}

static void
say_columns(const struct table *t, const struct import_text *columns)
{
	bool any = false;

	for (size_t i = 0; i < t->ncolumns; i++) {
		if (t->facts[i] != FACTS)
			continue;
		fprintf(stderr, "%s %s",
		    any ? "," : "Columns not used:", columns[i].s);
		any = true;
	}
	if (any)
		fputc('\n', stderr);
}

static void
check_maps(const struct table *t, const struct import_text *columns)
{
	for (size_t m = 0; m < t->im->options.ncolumns; m++) {
		const char *column = t->im->options.columns[m].to;
		bool found = false;

		for (size_t i = 0; i < t->ncolumns; i++)
			found |= strcasecmp(columns[i].s, column) == 0;
		if (!found)
			command_die("--map: there is no column \"%s\"", column);
	}
}

/* Why might a file with titles seem to have none? */
static void ATTR_NORETURN
die_untitled(const struct table *t, const struct import_text *columns)
{
	if (t->ncolumns == 1 && strpbrk(columns[0].s, ";\t"))
		command_die("the first line has no commas; save the file as"
			    " CSV with commas between the columns");
	command_die("the first line names no column for the title; it must"
		    " name the columns (--map says which is which)");
}

static void
check_utf8(const struct import_text *columns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!utf8_valid(columns[i].s, columns[i].len))
			command_die("the first line is not UTF-8; for a file"
				    " of an older Korean program add"
				    " --charset cp949");
	}
}

static void
read_header(struct table *t, const struct import_text *columns, size_t n)
{
	check_utf8(columns, n);
	t->ncolumns = n;
	for (size_t i = 0; i < n; i++)
		t->facts[i] = fact_of_column(t->im, columns[i].s);
	check_maps(t, columns);
	know_goodbooks(t, columns);
	settle_doubles(t);
	if (!has_fact(t, n, FACT_TITLE))
		die_untitled(t, columns);
	say_columns(t, columns);
}

/* --- rows --- */

/* Into UTF-8, one after the other.  False: it is not in that character set.
 */
static bool
convert(struct table *t, struct import_text *fields, size_t n)
{
	char *out = t->converted;
	size_t room = CONVERTED_MAX;

	for (size_t i = 0; i < n; i++) {
		char *in = arena_strndup(
		    t->im->req->arena, fields[i].s, fields[i].len);
		size_t left = fields[i].len;
		char *begin = out;

		iconv(t->cd, NULL, NULL, NULL, NULL);
		if (iconv(t->cd, &in, &left, &out, &room) == (size_t)-1 ||
		    room < 1)
			return false;
		fields[i] =
		    (struct import_text){ begin, (size_t)(out - begin) };
		*out++ = '\0';
		room--;
	}
	return true;
}

static bool
fields_of(struct table *t, const struct csv_row *row,
    struct import_text fields[CSV_FIELDS_MAX])
{
	for (size_t i = 0; i < row->n; i++)
		fields[i] = (struct import_text){ row->fields[i].s,
			row->fields[i].len };
	return !t->converts || convert(t, fields, row->n);
}

static bool
take_row(struct table *t, const struct csv_row *row)
{
	struct import_record record = { .where = row->line };
	struct import_text fields[CSV_FIELDS_MAX];

	if (row->n != t->ncolumns)
		return import_refuse(t->im, row->line,
		    arena_printf(t->im->req->arena,
			"it has %zu fields, and the first line %zu", row->n,
			t->ncolumns));
	if (!fields_of(t, row, fields))
		return import_refuse(t->im, row->line,
		    arena_printf(t->im->req->arena, "it is not %s",
			t->im->options.charset));
	for (size_t i = 0; i < row->n; i++) {
		if (t->facts[i] != FACTS)
			record.facts[t->facts[i]] = fields[i];
	}
	return import_take(t->im, &record);
}

static void
take_header(struct table *t)
{
	struct import_text columns[CSV_FIELDS_MAX];
	struct csv_row row;
	int rc = csv_next(t->csv, &row);

	if (rc == RC_NOT_FOUND)
		command_die("the file is empty");
	if (rc == RC_DOWN)
		command_die("the file cannot be read: %s", strerror(errno));
	if (rc < 0)
		command_die("line %zu: %s", row.line, row.error);
	if (!fields_of(t, &row, columns))
		command_die("the file is not %s", t->im->options.charset);
	read_header(t, columns, row.n);
}

static void
take_rows(struct table *t)
{
	struct csv_row row;
	bool go_on = true;
	int rc;

	while (go_on && (rc = csv_next(t->csv, &row)) != RC_NOT_FOUND) {
		if (rc == RC_DOWN)
			command_die(
			    "the file cannot be read: %s", strerror(errno));
		go_on = rc == RC_OK ? take_row(t, &row) :
				      import_refuse(t->im, row.line, row.error);
	}
}

void
import_csv(struct import *im)
{
	struct table t = { .im = im, .csv = csv_open(import_read, im) };

	im->unit = "line";
	im->spreadsheet = true;
	t.converts = im->options.charset &&
	    strcasecmp(im->options.charset, "utf-8") != 0;
	if (t.converts) {
		t.cd = iconv_open("UTF-8", im->options.charset);
		if (t.cd == (iconv_t)-1)
			command_die("there is no character set \"%s\"",
			    im->options.charset);
		t.converted = malloc(CONVERTED_MAX);
	}
	if (!t.csv || (t.converts && !t.converted))
		command_die("there is no memory");
	take_header(&t);
	take_rows(&t);
	csv_close(t.csv);
	if (t.converts)
		iconv_close(t.cd);
	free(t.converted);
}
