/*
 * import_marc -- records of MARC 21 and KORMARC out of files in the form of
 * ISO 2709, written in UTF-8, MARC-8 or EUC-KR.
 *
 * libyaz converts the texts.  The fields are found here: its reader trusts
 * the first byte of a subfield to be a whole character, and looks behind the
 * end of a damaged one.
 */
#include "import_marc.h"

#include "command.h"
#include "utf8.h"

#include <errno.h>
#include <strings.h>
#include <yaz/yaz-iconv.h>

#define LEADER 24
#define LENGTH_DIGITS 5
#define BASE_AT 12     /* in the leader: where the data begins */
#define ENTRY 12       /* of the directory: tag, length, start */
#define LANGUAGE_AT 35 /* in 008 */
#define RECORD_MAX 100000
#define RECORD_END 0x1d
#define FIELD_END 0x1e
#define SUBFIELD 0x1f
#define ESCAPE 0x1b /* only MARC-8 has it */

bool
import_marc_take(
    struct import *im, size_t where, const char *error, const struct marc *marc)
{
	struct import_record record = { .where = where };

	if (error)
		return import_refuse(im, where, error);
	marc_facts(im, marc, &record);
	return import_take(im, &record);
}

struct file {
	struct import *im;
	unsigned char data[65536];
	size_t at, n;
	unsigned char record[RECORD_MAX + 1];
	size_t len;
	size_t number; /* of the record */
	yaz_iconv_t marc8, cp949, named;
	yaz_iconv_t cd; /* of this record; NULL: it is UTF-8 */
};

/* -1 at the end. */
static int
next_byte(struct file *f)
{
	ssize_t n;

	if (f->at == f->n) {
		n = import_read(f->im, f->data, sizeof(f->data));
		if (n < 0)
			command_die(
			    "the file cannot be read: %s", strerror(errno));
		if (n == 0)
			return -1;
		f->at = 0;
		f->n = (size_t)n;
	}
	return f->data[f->at++];
}

/* Ends of lines between records are not part of them, nor is a byte order
 * mark. */
static int
skip_space(struct file *f)
{
	int c;

	do {
		c = next_byte(f);
	} while (c == '\n' || c == '\r' || c == ' ' || c == 0xef || c == 0xbb ||
	    c == 0xbf);
	return c;
}

/*
 * The bytes up to the sign that ends a record, which no text can hold: so a
 * record whose length is wrong does not spoil the next.  False at the end of
 * the file.
 */
static bool
next_record(struct file *f)
{
	int c = skip_space(f);

	f->len = 0;
	if (c < 0)
		return false;
	f->number++;
	for (; c >= 0; c = next_byte(f)) {
		if (f->len < sizeof(f->record))
			f->record[f->len++] = (unsigned char)c;
		if (c == RECORD_END)
			break;
	}
	return true;
}

/* False unless all are digits. */
static bool
number_at(const struct file *f, size_t at, size_t digits, size_t *number)
{
	size_t n = 0;

	for (size_t i = at; i < at + digits; i++) {
		if (f->record[i] < '0' || f->record[i] > '9')
			return false;
		n = n * 10 + (size_t)(f->record[i] - '0');
	}
	*number = n;
	return true;
}

static const char *
check_record(const struct file *f)
{
	size_t length;

	if (f->len > RECORD_MAX)
		return "it is longer than a record can be";
	if (f->len < LEADER + 2 || f->record[f->len - 1] != RECORD_END)
		return "it is cut off";
	if (!number_at(f, 0, LENGTH_DIGITS, &length))
		return "it does not begin with its length";
	if (length != f->len)
		return "its length is not what it says";
	return memchr(f->record, '\0', f->len) ?
	    "it has bytes that no text has" :
	    NULL;
}

static bool
has_byte(const struct file *f, unsigned char least)
{
	for (size_t i = LEADER; i < f->len; i++) {
		if (f->record[i] >= least)
			return true;
	}
	return false;
}

/* Are all bytes above ASCII in pairs, as EUC-KR and CP949 have them? */
static bool
is_pairs(const struct file *f)
{
	for (size_t i = LEADER; i < f->len; i++) {
		if (f->record[i] < 0x80)
			continue;
		if (f->record[i] == 0x80 || f->record[i] == 0xff ||
		    i + 1 == f->len || f->record[i + 1] < 0x41)
			return false;
		i++;
	}
	return true;
}

/* Is there a field that only KORMARC has, or does 008 say that the book is in
 * Korean? */
static bool
is_korean(const struct file *f)
{
	size_t base, start;

	for (size_t i = LEADER; i + ENTRY < f->len && f->record[i] != FIELD_END;
	     i += ENTRY) {
		const unsigned char *tag = f->record + i;

		if (memcmp(tag, "049", 3) == 0 || memcmp(tag, "052", 3) == 0 ||
		    memcmp(tag, "056", 3) == 0)
			return true;
		if (memcmp(tag, "008", 3) == 0 &&
		    number_at(f, BASE_AT, LENGTH_DIGITS, &base) &&
		    number_at(f, i + 7, 5, &start) &&
		    base + start + LANGUAGE_AT + 3 <= f->len &&
		    memcmp(f->record + base + start + LANGUAGE_AT, "kor", 3) ==
			0)
			return true;
	}
	return false;
}

/*
 * The leader has "a" for UTF-8.  A blank means MARC-8 in MARC 21 and EUC-KR
 * in Korea, and is often left there in UTF-8: the bytes say which.
 */
static yaz_iconv_t
charset_of(const struct file *f)
{
	if (f->named)
		return f->named;
	if (!has_byte(f, 0x80))
		return memchr(f->record, ESCAPE, f->len) ? f->marc8 : NULL;
	if (f->record[9] == 'a' || utf8_valid((const char *)f->record, f->len))
		return NULL;
	if (memchr(f->record, ESCAPE, f->len))
		return f->marc8;
	return is_pairs(f) && is_korean(f) ? f->cp949 : f->marc8;
}

/* --- its fields --- */

/* Text that is not what it was said to be is left as it is: it fails the
 * check for UTF-8 later on, where it is named. */
static const char *
text_at(struct file *f, size_t at, size_t len)
{
	struct arena *arena = f->im->req->arena;
	char *copy = arena_strndup(arena, (const char *)f->record + at, len);
	char *in = copy, *out, *p;
	size_t room = len * 4 + 16;

	if (!f->cd || len == 0)
		return copy;
	p = out = arena_alloc(arena, room + 1);
	yaz_iconv(f->cd, NULL, NULL, NULL, NULL);
	if (yaz_iconv(f->cd, &in, &len, &p, &room) == (size_t)-1 || len > 0)
		return copy;
	yaz_iconv(f->cd, NULL, NULL, &p, &room);
	*p = '\0';
	return out;
}

static size_t
count_bytes(const unsigned char *s, size_t len, unsigned char what)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += s[i] == what;
	return n;
}

/* What stands before the first subfield, beside the two indicators, is
 * nobody's. */
static void
take_subfields(struct file *f, size_t at, size_t end, struct marc_field *field)
{
	size_t n = count_bytes(f->record + at, end - at, SUBFIELD);

	field->subfields =
	    arena_alloc(f->im->req->arena, n * sizeof(*field->subfields));
	while (at < end && f->record[at] != SUBFIELD)
		at++;
	while (at < end) {
		size_t from = ++at;

		while (at < end && f->record[at] != SUBFIELD)
			at++;
		if (at > from)
			field->subfields[field->n++] =
			    (struct marc_subfield){ (char)f->record[from],
				    text_at(f, from + 1, at - from - 1) };
	}
}

/* The field of an entry of the directory.  False: there is none. */
static bool
take_field(struct file *f, size_t entry, size_t base, struct marc_field *field)
{
	size_t len, start, at, end;

	if (!number_at(f, entry + 3, 4, &len) ||
	    !number_at(f, entry + 7, 5, &start) || len == 0)
		return false;
	at = base + start;
	end = at + len - 1;
	if (end >= f->len || f->record[end] != FIELD_END)
		return false;
	*field = (struct marc_field){ .ind1 = ' ', .ind2 = ' ' };
	memcpy(field->tag, f->record + entry, 3);
	if (memcmp(field->tag, "00", 2) == 0) {
		field->data = text_at(f, at, end - at);
		return true;
	}
	if (end - at >= 2) {
		field->ind1 = (char)f->record[at];
		field->ind2 = (char)f->record[at + 1];
	}
	take_subfields(f, at, end, field);
	return true;
}

/* NULL, or what is wrong with it. */
static const char *
take_fields(struct file *f, struct marc *marc)
{
	static const char wrong[] = "its directory of fields is wrong";
	size_t base, n;

	if (!number_at(f, BASE_AT, LENGTH_DIGITS, &base) || base <= LEADER ||
	    base >= f->len || f->record[base - 1] != FIELD_END ||
	    (base - 1 - LEADER) % ENTRY != 0)
		return wrong;
	n = (base - 1 - LEADER) / ENTRY;
	*marc = (struct marc){ .fields = arena_alloc(f->im->req->arena,
				   n * sizeof(*marc->fields)) };
	memcpy(marc->leader, f->record, LEADER);
	for (; marc->n < n; marc->n++) {
		if (!take_field(f, LEADER + marc->n * ENTRY, base,
			&marc->fields[marc->n]))
			return wrong;
	}
	return NULL;
}

static bool
take_record(struct file *f)
{
	const char *error = check_record(f);
	struct marc marc;

	if (!error) {
		f->cd = charset_of(f);
		error = take_fields(f, &marc);
	}
	return import_marc_take(f->im, f->number, error, &marc);
}

/* --- the whole --- */

static yaz_iconv_t
open_charset(const char *name)
{
	yaz_iconv_t cd = yaz_iconv_open("UTF-8", name);

	if (!cd)
		command_die("there is no character set \"%s\"", name);
	return cd;
}

static void
open_charsets(struct file *f)
{
	const char *name = f->im->options.charset;

	f->marc8 = open_charset("MARC-8");
	f->cp949 = open_charset("CP949");
	if (name && strcasecmp(name, "marc-8") == 0)
		name = "MARC-8";
	if (name)
		f->named = open_charset(name);
}

void
import_marc(struct import *im)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		command_die("there is no memory");
	f->im = im;
	im->unit = "record";
	open_charsets(f);
	while (next_record(f) && take_record(f))
		;
	yaz_iconv_close(f->marc8);
	yaz_iconv_close(f->cp949);
	if (f->named)
		yaz_iconv_close(f->named);
	free(f);
}
