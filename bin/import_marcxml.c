/*
 * import_marcxml -- records of MARC 21 and KORMARC out of MARCXML, by libxml2.
 */
#include "import_marc.h"

#include "command.h"

#include <libxml/xmlreader.h>

/* A record of ISO 2709 cannot have more than 99,999 bytes. */
#define FIELDS_MAX 2000
#define RECORD_MAX ((size_t)1024 * 1024)

/* A record while its fields are taken from a tree. */
struct tree {
	struct import *im;
	struct marc *marc;
	size_t size; /* of the texts so far */
	const char *error;
};

static const char *
text_of(struct tree *t, const xmlNode *node)
{
	xmlChar *content = xmlNodeGetContent(node);
	const char *text = (const char *)content, *copy = "";

	if (!text)
		return "";
	t->size += strlen(text);
	if (t->size > RECORD_MAX)
		t->error = "it is longer than a record can be";
	else
		copy = arena_strdup(t->im->req->arena, text);
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

static size_t
count_children(const xmlNode *node)
{
	size_t n = 0;

	for (node = node->children; node; node = node->next)
		n += node->type == XML_ELEMENT_NODE;
	return n;
}

static void
take_subfields(struct tree *t, const xmlNode *node, struct marc_field *field)
{
	size_t size = count_children(node) * sizeof(*field->subfields);

	t->size += size;
	if (t->size > RECORD_MAX) {
		t->error = "it is longer than a record can be";
		return;
	}
	field->subfields = arena_alloc(t->im->req->arena, size);
	for (node = node->children; node && !t->error; node = node->next) {
		if (is_element(node, "subfield"))
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

	if (tag && strlen((char *)tag) == 3) {
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
take_tree(struct import *im, const xmlNode *record, struct marc *marc)
{
	struct tree t = { .im = im, .marc = marc };
	size_t n = count_children(record);

	if (n > FIELDS_MAX)
		return "it has too many fields";
	*marc = (struct marc){ .leader = "",
		.fields =
		    arena_alloc(im->req->arena, n * sizeof(*marc->fields)) };
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

/* --- the file --- */

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
	return import_marc_take(
	    im, (size_t)xmlGetLineNo(node), take_tree(im, node, &marc), &marc);
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
