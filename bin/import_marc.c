/*
 * import_marc -- records of MARC 21 and KORMARC out of files in the form of
 * ISO 2709 (by libyaz) or of MARCXML (by libxml2), whatever they are written
 * in: UTF-8, MARC-8 or EUC-KR.
 */
#include "import_marc.h"

#include "command.h"
#include "utf8.h"

#include <errno.h>
#include <libxml/xmlreader.h>
#include <strings.h>
#include <yaz/marcdisp.h>
#include <yaz/yaz-iconv.h>

#define LEADER 24
#define LENGTH_DIGITS 5
#define RECORD_MAX 100000
#define RECORD_END 0x1d
#define ESCAPE 0x1b /* only MARC-8 has it */

/* A record while its fields are taken from a tree. */
struct tree {
	struct import *im;
	yaz_iconv_t cd; /* NULL: it is UTF-8 */
	struct marc *marc;
	const char *error;
};

/* --- a tree of XML, whoever made it --- */

/* Text that is not what it was said to be is left as it is: it fails the
 * check for UTF-8 later on, where it is named. */
static char *
converted(struct tree *t, const char *s)
{
	size_t left = strlen(s), room = left * 4 + 16;
	char *in = arena_strndup(t->im->req->arena, s, left);
	char *out = arena_alloc(t->im->req->arena, room + 1), *p = out;

	yaz_iconv(t->cd, NULL, NULL, NULL, NULL);
	if (yaz_iconv(t->cd, &in, &left, &p, &room) == (size_t)-1 || left > 0)
		return arena_strdup(t->im->req->arena, s);
	yaz_iconv(t->cd, NULL, NULL, &p, &room);
	*p = '\0';
	return out;
}

static const char *
text_of(struct tree *t, const xmlNode *node)
{
	xmlChar *content = xmlNodeGetContent(node);
	const char *text = (const char *)content, *copy;

	if (!text)
		return "";
	copy =
	    t->cd ? converted(t, text) : arena_strdup(t->im->req->arena, text);
	xmlFree(content);
	return copy;
}

static bool
is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE &&
	    strcmp((const char *)node->name, name) == 0;
}

/* The first character of an attribute, ' ' if there is none. */
static char
sign_of(const xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
	char sign = value && *value && *value < 0x80 ? (char)*value : ' ';

	xmlFree(value);
	return sign;
}

static void
take_subfields(struct tree *t, const xmlNode *node, struct marc_field *field)
{
	field->subfields = arena_alloc(
	    t->im->req->arena, MARC_SUBFIELDS_MAX * sizeof(*field->subfields));
	for (node = node->children; node; node = node->next) {
		if (!is_element(node, "subfield"))
			continue;
		if (field->n == MARC_SUBFIELDS_MAX) {
			t->error = "a field of it has too many subfields";
			return;
		}
		field->subfields[field->n++] =
		    (struct marc_subfield){ sign_of(node, "code"),
			    text_of(t, node) };
	}
}

static void
take_field(struct tree *t, const xmlNode *node)
{
	struct marc_field *field = &t->marc->fields[t->marc->n];
	xmlChar *tag = xmlGetProp(node, (const xmlChar *)"tag");

	if (t->marc->n == MARC_FIELDS_MAX) {
		t->error = "it has too many fields";
	} else if (tag && strlen((char *)tag) == 3) {
		*field = (struct marc_field){ .ind1 = sign_of(node, "ind1"),
			.ind2 = sign_of(node, "ind2") };
		memcpy(field->tag, tag, 3);
		if (is_element(node, "controlfield"))
			field->data = text_of(t, node);
		else
			take_subfields(t, node, field);
		t->marc->n++;
	}
	xmlFree(tag);
}

/* NULL, or what is wrong with it. */
static const char *
take_tree(
    struct import *im, yaz_iconv_t cd, const xmlNode *record, struct marc *marc)
{
	struct tree t = { .im = im, .cd = cd, .marc = marc };

	*marc = (struct marc){ .leader = "",
		.fields = arena_alloc(
		    im->req->arena, MARC_FIELDS_MAX * sizeof(*marc->fields)) };
	for (const xmlNode *node = record->children; node && !t.error;
	     node = node->next) {
		if (is_element(node, "leader"))
			snprintf(marc->leader, sizeof(marc->leader), "%s",
			    text_of(&t, node));
		else if (is_element(node, "controlfield") ||
		    is_element(node, "datafield"))
			take_field(&t, node);
	}
	return t.error;
}

static bool
take_marc(
    struct import *im, size_t where, const char *error, const struct marc *marc)
{
	struct import_record record = { .where = where };

	if (error)
		return import_refuse(im, where, error);
	marc_facts(im, marc, &record);
	return import_take(im, &record);
}

/* --- ISO 2709 --- */

struct file {
	struct import *im;
	unsigned char data[65536];
	size_t at, n;
	unsigned char record[RECORD_MAX + 1];
	size_t len;
	size_t number; /* of the record */
	yaz_marc_t marc;
	yaz_iconv_t marc8, cp949, named;
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

/* Ends of lines between records are not part of them. */
static int
skip_space(struct file *f)
{
	int c;

	do {
		c = next_byte(f);
	} while (c == '\n' || c == '\r' || c == ' ');
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

static const char *
check_record(const struct file *f)
{
	size_t length = 0;

	if (f->len > RECORD_MAX)
		return "it is longer than a record can be";
	if (f->len < LEADER + 2 || f->record[f->len - 1] != RECORD_END)
		return "it is cut off";
	for (size_t i = 0; i < LENGTH_DIGITS; i++) {
		if (f->record[i] < '0' || f->record[i] > '9')
			return "it does not begin with its length";
		length = length * 10 + (size_t)(f->record[i] - '0');
	}
	return length == f->len ? NULL : "its length is not what it says";
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

/* Is there a field that only KORMARC has? */
static bool
is_kormarc(const struct file *f)
{
	for (size_t i = LEADER; i + 12 < f->len && f->record[i] != 0x1e;
	     i += 12) {
		if (memcmp(f->record + i, "049", 3) == 0 ||
		    memcmp(f->record + i, "052", 3) == 0 ||
		    memcmp(f->record + i, "056", 3) == 0)
			return true;
	}
	return false;
}

/*
 * The leader has "a" for UTF-8.  A blank means MARC-8 in MARC 21 and EUC-KR
 * in KORMARC, and is often left there in UTF-8: the bytes say which.
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
	return is_pairs(f) && is_kormarc(f) ? f->cp949 : f->marc8;
}

static bool
take_record(struct file *f)
{
	const char *error = check_record(f);
	xmlNode *record = NULL;
	struct marc marc;
	bool go_on;

	if (!error &&
	    (yaz_marc_read_iso2709(
		 f->marc, (const char *)f->record, (int)f->len) <= 0 ||
		yaz_marc_write_xml(f->marc, &record, NULL, NULL, NULL) < 0))
		error = "its directory of fields is wrong";
	if (!error)
		error = take_tree(f->im, charset_of(f), record, &marc);
	go_on = take_marc(f->im, f->number, error, &marc);
	if (record)
		xmlFreeNode(record);
	return go_on;
}

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
	f->marc = yaz_marc_create();
	open_charsets(f);
	while (next_record(f) && take_record(f))
		;
	yaz_iconv_close(f->marc8);
	yaz_iconv_close(f->cp949);
	if (f->named)
		yaz_iconv_close(f->named);
	yaz_marc_destroy(f->marc);
	free(f);
}

/* --- MARCXML --- */

static int
read_xml(void *im, char *data, int size)
{
	return (int)import_read(im, data, (size_t)size);
}

static int
close_xml(void *im ATTR_UNUSED)
{
	return 0;
}

/* The first thing that libxml2 has to say. */
struct xml_error {
	char text[200];
	int line;
};

static void
note_error(void *arg, xmlErrorPtr e)
{
	struct xml_error *error = arg;

	if (error->text[0] || e->level < XML_ERR_ERROR)
		return;
	snprintf(error->text, sizeof(error->text), "%s",
	    e->message ? e->message : "it is no XML");
	error->text[strcspn(error->text, "\n")] = '\0';
	error->line = e->line;
}

/* False when no more shall be read. */
static bool
take_node(struct import *im, xmlTextReader *reader, bool *next)
{
	const char *name = (const char *)xmlTextReaderConstLocalName(reader);
	struct marc marc;
	xmlNode *node;

	*next = false;
	/* Entities could make a small file large, or read other files. */
	if (xmlTextReaderNodeType(reader) == XML_READER_TYPE_DOCUMENT_TYPE)
		command_die("the file has a document type (<!DOCTYPE …>),"
			    " which MARCXML does not need; take it out");
	if (xmlTextReaderNodeType(reader) != XML_READER_TYPE_ELEMENT || !name ||
	    strcmp(name, "record") != 0)
		return true;
	node = xmlTextReaderExpand(reader);
	if (!node)
		return true; /* the next step of the reader fails */
	*next = true;
	return take_marc(im, (size_t)xmlGetLineNo(node),
	    take_tree(im, NULL, node, &marc), &marc);
}

static bool
read_nodes(struct import *im, xmlTextReader *reader)
{
	bool next = false, go_on = true;
	int more = xmlTextReaderRead(reader);

	while (go_on && more == 1) {
		go_on = take_node(im, reader, &next);
		if (go_on)
			more = next ? xmlTextReaderNext(reader) :
				      xmlTextReaderRead(reader);
	}
	return more >= 0;
}

void
import_marcxml(struct import *im)
{
	struct xml_error error = { "", 0 };
	xmlTextReader *reader = xmlReaderForIO(read_xml, close_xml, im, NULL,
	    im->options.charset, XML_PARSE_NONET | XML_PARSE_COMPACT);

	if (!reader)
		command_die("there is no memory");
	im->unit = "line";
	xmlTextReaderSetStructuredErrorHandler(reader, note_error, &error);
	if (!read_nodes(im, reader) && !import_stopped)
		import_refuse(im, (size_t)error.line,
		    arena_printf(im->req->arena,
			"the file is no XML from here on: %s", error.text));
	xmlFreeTextReader(reader);
	xmlCleanupParser();
}
