/*
 * form -- input from outside, made typed, bounded and UTF-8-checked: query
 * string, urlencoded body, JSON body, multipart body, cookies, path captures.
 *
 * A program declares its fields in one table; everything else about input is
 * done here.  Unknown names in a body or an API query are refused (400), in an
 * HTML query they are ignored (people add "?utm_source=...").  Of a name that
 * is in the query more than once, the first wins; a body overrides the query;
 * nothing overrides a path capture.
 */
#ifndef SEOGA_FORM_H
#define SEOGA_FORM_H

#include "req.h"

enum field_type {
	FIELD_TEXT,   /* one line: trimmed, no control characters;
			   min, max count characters, not bytes */
	FIELD_LINES,  /* as TEXT, but several lines, each ends in "\n" */
	FIELD_SECRET, /* as TEXT, not trimmed and never given back */
	FIELD_INT,    /* decimal, optional "-"; min and max bound it, so a
			   negative number needs a negative min; empty counts
			   as not given */
	FIELD_FLAG,   /* 1 on true yes / 0 off false no "" */
	FIELD_FILE,   /* a file of a multipart body; min, max count bytes */
	FIELD_LIST,   /* an array of a JSON body; min, max count its elements,
			   which are the program's to check */
	FIELD_OBJECT  /* the same of an object and its members */
};

enum field_flags {
	FIELD_REQUIRED = 1, /* not asked of a body's fields on GET */
	FIELD_QUERY = 2,    /* may come in the query string */
	FIELD_BODY = 4,	    /* may come in the body */
	FIELD_PATH = 8,	    /* a capture of the route's location */
	FIELD_PAGE = 16	    /* of pages only: unknown to the API */
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	int64_t min, max;  /* max 0 = no bound but the body's */
	const char *label; /* N_("Name"), for messages */
};

/* A file of a multipart body; data points into the body.  filename is the
 * last component, for show only; type is what the browser said. */
struct form_file {
	const char *name, *filename, *type;
	const unsigned char *data;
	size_t len;
};

/*
 * Parses all input of the request against fields (NULL: none; ends with a
 * NULL name; the names csrf, once and next are always allowed in an HTML
 * body).  body is the whole body and must live as long as the request;
 * content_type may be NULL when body_len is 0.
 *
 * RC_OK: every value is there, valid and converted.
 * RC_BAD_INPUT: malformed (bad UTF-8, %00, bad JSON, unknown or repeated
 *   name: req->fail_text says so), or fields are missing or wrong: then
 *   req->errors names each and form_str() still gives back what was typed.
 * RC_NOT_FOUND: a path capture that does not fit its field.
 * RC_MEDIA: a content type that is none of urlencoded, JSON, multipart.
 * RC_TOO_LARGE: more than 200 fields or a body above its limit.
 * API requests take urlencoded or JSON, or with a FIELD_FILE among the fields
 * multipart alone; pages urlencoded or multipart.
 */
int form_parse(struct req *req, const struct field *fields,
    const char *content_type, const unsigned char *body, size_t body_len);

/* A path capture (nginx hands it over as a parameter), before form_parse(). */
void form_capture(struct req *req, const char *name, const char *value);

/* The value as text; NULL when it was not given. */
const char *form_str(const struct req *req, const char *name);
/* The value as a number; 0 when it was not given. */
int64_t form_int(const struct req *req, const char *name);
bool form_flag(const struct req *req, const char *name);
bool form_has(const struct req *req, const char *name);

/* What was typed, for filling the form again: name -> text ("" when not
 * given), flags as true or false; secrets, files and lists left out.  A new
 * object in the request's memory. */
json_t *form_values(const struct req *req);

/* The file of that name, or NULL. */
const struct form_file *form_file(const struct req *req, const char *name);

/* The list or object of that name (borrowed), or NULL. */
const json_t *form_list(const struct req *req, const char *name);

/* The value of a cookie in a Cookie header (RFC 6265), or NULL when absent
 * or not made of cookie octets.  The first of several wins. */
const char *form_cookie(struct req *req, const char *header, const char *name);

#endif
