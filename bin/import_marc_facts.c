/*
 * import_marc_facts -- what the fields of MARC 21 and KORMARC say of a book.
 *
 * Both name most things alike.  Of KORMARC's own: 020 $c has the price in
 * won, 049 a registration number ($l) for each copy, 056 the number in KDC,
 * 245 $d the first statement of responsibility and $x a parallel title, 950
 * $b the price where 020 has none.
 */
#include "import_marc.h"

#include "isbn.h"
#include "utf8.h"

#define SELF "seoga" /* in 003 of what `seoga export` wrote */
#define LOCAL "990"  /* where it puts what MARC has no field for */
#define DATE_AT 7    /* in 008 */
#define LANGUAGE_AT 35
#define FIXED_LENGTH 40 /* of 008 */

const struct marc_field *
marc_field(
    const struct marc *marc, const char *tag, const struct marc_field *after)
{
	size_t i = after ? (size_t)(after - marc->fields) + 1 : 0;

	for (; i < marc->n; i++) {
		if (strcmp(marc->fields[i].tag, tag) == 0)
			return &marc->fields[i];
	}
	return NULL;
}

const char *
marc_subfield(const struct marc_field *field, char code)
{
	for (size_t i = 0; field && i < field->n; i++) {
		if (field->subfields[i].code == code)
			return field->subfields[i].s;
	}
	return NULL;
}

static const char *
subfield_of(const struct marc *marc, const char *tag, char code)
{
	return marc_subfield(marc_field(marc, tag, NULL), code);
}

static const char *
control(const struct marc *marc, const char *tag)
{
	const struct marc_field *field = marc_field(marc, tag, NULL);

	return field ? field->data : NULL;
}

static void
set(struct import_record *record, enum fact fact, const char *s)
{
	if (s && *s)
		record->facts[fact] = (struct import_text){ s, strlen(s) };
}

/* --- punctuation --- */

/* Without blanks at the ends, and at the end without the signs with which
 * cataloguers divide what follows. */
static const char *
bare(struct import *im, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (!s)
		return NULL;
	while (*s == ' ') {
		s++;
		len--;
	}
	while (len > 0 && strchr(" /:;=,", s[len - 1]))
		len--;
	return arena_strndup(im->req->arena, s, len);
}

/* The same without square brackets around what the cataloguer supplied. */
static const char *
unbracketed(struct import *im, const char *s)
{
	size_t len;

	s = bare(im, s);
	if (!s || *s != '[')
		return s;
	len = strlen(++s);
	if (len > 0 && s[len - 1] == ']')
		len--;
	return arena_strndup(im->req->arena, s, len);
}

static bool
ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return n <= len && memcmp(s + len - n, end, n) == 0;
}

/* --- title --- */

static const char *
with(struct import *im, const char *title, const char *sign, const char *part)
{
	part = bare(im, part);
	if (!title)
		return part;
	return part && *part ?
	    arena_printf(im->req->arena, "%s%s%s", title, sign, part) :
	    title;
}

/* Title, rest of the title, number and name of a part, as they come. */
static const char *
title_of(struct import *im, const struct marc *marc)
{
	const struct marc_field *field = marc_field(marc, "245", NULL);
	const char *title = NULL;

	for (size_t i = 0; field && i < field->n; i++) {
		const struct marc_subfield *part = &field->subfields[i];

		if (part->code == 'a' || part->code == 'b')
			title = with(im, title, " : ", part->s);
		else if (part->code == 'n' || part->code == 'p')
			title = with(im, title, ". ", part->s);
	}
	return title;
}

/* --- author --- */

/* "지은이: 김하나" and "김하나 지음": what a person did is no name. */
static const char *const did_before[] = { "지은이:", "지은이 :", "저자:",
	"저자 :", "글쓴이:", "글쓴이 :", "글·그림:", "글:", "글 :", "by ",
	"edited by " };
static const char *const did_after[] = { " 지음", " 지은이", " 글·그림",
	" 글, 그림", " 글", " 저", " 저자", " 著", " 씀", " 쓰고 그림", " 엮음",
	" 엮은이", " 편", " 편저", " 編", " 외" };

static const char *
without_role(struct import *im, const char *statement)
{
	const char *s = unbracketed(im, statement);
	size_t len = strcspn(s, ";");

	for (size_t i = 0; i < LENGTH(did_before); i++) {
		size_t n = strlen(did_before[i]);

		if (n < len && strncmp(s, did_before[i], n) == 0) {
			s += n;
			len -= n;
			break;
		}
	}
	while (len > 0 && strchr(" ;.,", s[len - 1]))
		len--;
	for (size_t i = 0; i < LENGTH(did_after); i++) {
		if (ends_with(s, len, did_after[i])) {
			len -= strlen(did_after[i]);
			i = (size_t)-1; /* "김하나 외 지음" has two */
		}
	}
	return bare(im, arena_strndup(im->req->arena, s, len));
}

/* "Lee, Harper," as people say it: Harper Lee. */
static const char *
name_of(struct import *im, const struct marc_field *field)
{
	const char *name = bare(im, marc_subfield(field, 'a')), *comma;

	if (!name)
		return NULL;
	comma = strchr(name, ',');
	if (field->ind1 != '1' || !comma || strchr(comma + 1, ','))
		return name;
	return arena_printf(im->req->arena, "%s %.*s", bare(im, comma + 1),
	    (int)(comma - name), name);
}

static const char *
author_of(struct import *im, const struct marc *marc)
{
	static const char *const names[] = { "100", "110", "111" };
	static const char *const others[] = { "700", "710" };
	const char *said = subfield_of(marc, "245", 'd');

	for (size_t i = 0; i < LENGTH(names); i++) {
		const char *name =
		    name_of(im, marc_field(marc, names[i], NULL));

		if (name && *name)
			return name;
	}
	if (!said)
		said = subfield_of(marc, "245", 'c');
	if (said && *without_role(im, said))
		return without_role(im, said);
	for (size_t i = 0; i < LENGTH(others); i++) {
		const char *name =
		    name_of(im, marc_field(marc, others[i], NULL));

		if (name && *name)
			return name;
	}
	return NULL;
}

/* --- ISBN and price --- */

/* "9788936434267 (양장)", "89-364-3426-8 03810": up to what is no number. */
static const char *
number_part(struct import *im, const char *s)
{
	while (*s == ' ')
		s++;
	return arena_strndup(im->req->arena, s, strcspn(s, " (:;"));
}

/* The first that is right, one of the book itself before one of its set. */
static void
set_isbn(
    struct import *im, const struct marc *marc, struct import_record *record)
{
	const struct marc_field *field = NULL;
	const char *found = NULL, *of_set = NULL;
	char isbn[ISBN_SIZE];

	while ((field = marc_field(marc, "020", field))) {
		const char *s = marc_subfield(field, 'a');

		if (!s)
			continue;
		s = number_part(im, s);
		if (!record->facts[FACT_ISBN_ELSE].s)
			set(record, FACT_ISBN_ELSE, s);
		if (!isbn_read(s, strlen(s), isbn))
			continue;
		if (field->ind1 == '1')
			of_set = of_set ? of_set : s;
		else
			found = found ? found : s;
	}
	set(record, FACT_ISBN, found ? found : of_set);
}

/* ":₩15000", "15,000원 (전2권)"; what is not in won is of no use. */
static const char *
won_of(struct import *im, const char *s)
{
	if (!s)
		return NULL;
	while (*s == ' ' || *s == ':')
		s++;
	s = arena_strndup(im->req->arena, s, strcspn(s, "(;"));
	return import_price(s, strlen(s)) > 0 ? s : NULL;
}

static void
set_price(
    struct import *im, const struct marc *marc, struct import_record *record)
{
	const struct marc_field *field = NULL;
	const char *price = NULL;

	while (!price && (field = marc_field(marc, "020", field)))
		price = won_of(im, marc_subfield(field, 'c'));
	while (!price && (field = marc_field(marc, "950", field)))
		price = won_of(im, marc_subfield(field, 'b'));
	set(record, FACT_PRICE, price);
}

/* --- published --- */

/* Four digits in a row: "[2013]", "c2001", "단기4288 [1955]". */
static const char *
year_in(struct import *im, const char *s)
{
	const char *year = NULL;

	for (; s && *s; s++) {
		size_t n = strspn(s, "0123456789");

		if (n == 4 && (*s == '1' || *s == '2'))
			year = s;
		if (n > 0)
			s += n - 1;
	}
	return year ? arena_strndup(im->req->arena, year, 4) : NULL;
}

/* 260, or 264 where it tells of publishing. */
static const struct marc_field *
published_in(const struct marc *marc)
{
	const struct marc_field *field = marc_field(marc, "260", NULL), *other;

	if (field)
		return field;
	for (other = marc_field(marc, "264", NULL); other;
	     other = marc_field(marc, "264", other)) {
		if (other->ind2 == '1')
			return other;
		field = field ? field : other;
	}
	return field;
}

static void
set_published(
    struct import *im, const struct marc *marc, struct import_record *record)
{
	const struct marc_field *field = published_in(marc);
	const char *fixed = control(marc, "008");
	const char *year = NULL;

	set(record, FACT_PUBLISHER, unbracketed(im, marc_subfield(field, 'b')));
	if (fixed && strlen(fixed) >= FIXED_LENGTH)
		year = year_in(
		    im, arena_strndup(im->req->arena, fixed + DATE_AT, 4));
	if (!year)
		year = year_in(im, marc_subfield(field, 'c'));
	set(record, FACT_YEAR, year);
}

static void
set_language(
    struct import *im, const struct marc *marc, struct import_record *record)
{
	const char *fixed = control(marc, "008"), *code = NULL;

	if (fixed && strlen(fixed) >= FIXED_LENGTH)
		code = arena_strndup(im->req->arena, fixed + LANGUAGE_AT, 3);
	if (!code || strspn(code, " |") > 0 || strcmp(code, "und") == 0 ||
	    strcmp(code, "mul") == 0 || strcmp(code, "zxx") == 0)
		code = subfield_of(marc, "041", 'a');
	if (code)
		set(record, FACT_LANGUAGE,
		    arena_strndup(im->req->arena, code, strnlen(code, 3)));
}

/* --- the rest --- */

/* Each copy has a number: 049 $l in KORMARC, 852 $p in MARC 21. */
static void
set_stock(
    struct import *im, const struct marc *marc, struct import_record *record)
{
	size_t copies = 0;

	for (size_t i = 0; i < marc->n; i++) {
		const struct marc_field *field = &marc->fields[i];
		char code = strcmp(field->tag, "049") == 0 ? 'l' :
		    strcmp(field->tag, "852") == 0	   ? 'p' :
							     '\0';

		for (size_t j = 0; code && j < field->n; j++)
			copies += field->subfields[j].code == code;
	}
	if (copies > 0)
		set(record, FACT_STOCK,
		    arena_printf(im->req->arena, "%zu", copies));
}

static const char *
without_blanks(struct import *im, const char *s)
{
	char *copy = arena_strdup(im->req->arena, s), *out = copy;

	for (; *s; s++) {
		if (*s != ' ')
			*out++ = *s;
	}
	*out = '\0';
	return copy;
}

/* The number that the record has in the catalogue it comes from, and which
 * catalogue that is. */
static void
set_source(
    struct import *im, const struct marc *marc, struct import_record *record)
{
	const char *number = control(marc, "001"), *whose;

	if (!number || !*without_blanks(im, number))
		return;
	number = without_blanks(im, number);
	whose = control(marc, "003");
	whose = whose ? without_blanks(im, whose) : "";
	if (!im->options.source)
		number = arena_printf(
		    im->req->arena, "%s:%s", *whose ? whose : "marc", number);
	set(record, FACT_SOURCE, number);
}

static void
set_standard(
    struct import *im, const struct marc *marc, struct import_record *record)
{
	set(record, FACT_TITLE, title_of(im, marc));
	set(record, FACT_AUTHOR, author_of(im, marc));
	set(record, FACT_DESCRIPTION, subfield_of(marc, "520", 'a'));
	set(record, FACT_KDC, subfield_of(marc, "056", 'a'));
	set(record, FACT_DDC, subfield_of(marc, "082", 'a'));
	set_isbn(im, marc, record);
	set_price(im, marc, record);
	set_published(im, marc, record);
	set_language(im, marc, record);
	set_stock(im, marc, record);
	set_source(im, marc, record);
}

/* Our own records say all as it was, letter by letter. */
static void
set_own(const struct marc *marc, struct import_record *record)
{
	const struct marc_field *local = marc_field(marc, LOCAL, NULL);

	set(record, FACT_ID, control(marc, "001"));
	set(record, FACT_ISBN, subfield_of(marc, "020", 'a'));
	set(record, FACT_TITLE, subfield_of(marc, "245", 'a'));
	set(record, FACT_AUTHOR, subfield_of(marc, "245", 'c'));
	set(record, FACT_PUBLISHER, subfield_of(marc, "264", 'b'));
	set(record, FACT_YEAR, subfield_of(marc, "264", 'c'));
	set(record, FACT_DESCRIPTION, subfield_of(marc, "520", 'a'));
	set(record, FACT_CREATED, marc_subfield(local, 'd'));
	set(record, FACT_SOURCE, marc_subfield(local, 's'));
	set(record, FACT_CATEGORY, marc_subfield(local, 'c'));
	set(record, FACT_LANGUAGE, marc_subfield(local, 'l'));
	set(record, FACT_PRICE, marc_subfield(local, 'p'));
	set(record, FACT_STOCK, marc_subfield(local, 'q'));
	set(record, FACT_IMAGE, marc_subfield(local, 'u'));
}

void
marc_facts(
    struct import *im, const struct marc *marc, struct import_record *record)
{
	const char *whose = control(marc, "003");

	if (whose && strcmp(whose, SELF) == 0)
		set_own(marc, record);
	else
		set_standard(im, marc, record);
}
