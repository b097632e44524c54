/*
 * form_internal -- what the parts of form share: the values of a request, and
 * the rules that all readers of input go by.
 *
 * Every way in has its reader, which puts text into the values:
 *   form.c             path captures
 *   form_urlencoded.c  query string, urlencoded body
 *   form_json.c        JSON body
 *   form_multipart.c   multipart body
 * form_value.c says which of it is let in; form_check.c, when all is read,
 * converts the text to the types of the fields.  form.c tells the story.
 * form_cookie.c stands apart: a cookie is no field.
 */
#ifndef SEOGA_FORM_INTERNAL_H
#define SEOGA_FORM_INTERNAL_H

#include "form.h"

enum {
	FORM_PAIRS_MAX = 200, /* names with values in one request */
	FORM_NAME_MAX = 64    /* bytes; no field of ours has a longer name */
};

/* One field of the program's table, and what came for it. */
struct value {
	const struct field *field;
	unsigned from; /* FIELD_QUERY ..., 0: not given */
	char *text;    /* NULL: not given; UTF-8 without NUL */
	size_t len;
	int64_t number; /* of a valid INT or FLAG */
	bool mistyped;	/* JSON of another type, text for a file */
	struct form_file *file;
	const json_t *list;
};

struct capture {
	const struct capture *next;
	const char *name, *text;
};

struct form {
	const struct capture *captures;
	struct value *values;
	size_t n;
	int pairs; /* seen in query and body */
};

/* --- form_value.c ------------------------------------------------------- */

/* The value of that name, or NULL.  The name needs no NUL. */
struct value *form_find(const struct form *form, const char *name, size_t len);

/* Counts one more name with a value. */
int form_count_pair(struct req *req);

/* May this name come from there?  RC_OK with *v, or NULL in *v when it is to
 * be skipped, which happens in the query of a page only. */
int form_admit(struct req *req, const char *name, size_t len, unsigned from,
    struct value **v);

/* A body may replace what the query said, nothing else may be said twice. */
int form_claim(struct req *req, struct value *v, unsigned from);

/* The three of them for a name in a body; *v is then without text. */
int form_take(struct req *req, const char *name, struct value **v);

void form_set_text(struct req *req, struct value *v, const char *s, size_t len);

/* Is a body of so many bytes within the limit? */
int form_check_size(struct req *req, size_t len);

/* Why input as a whole is refused; each gives the code to return. */
int form_bad_text(struct req *req);
int form_too_many(struct req *req, int most);
int form_no_such_page(struct req *req);

/* --- form_urlencoded.c, form_json.c, form_multipart.c ------------------- */

/* from is FIELD_QUERY or FIELD_BODY. */
int form_read_pairs(struct req *req, const char *s, size_t len, unsigned from);
int form_read_json(struct req *req, const char *body, size_t len);
int form_read_multipart(
    struct req *req, const char *content_type, const char *body, size_t len);

/* --- form_check.c ------------------------------------------------------- */

/* Converts all values; those that are missing or wrong go to req->errors. */
int form_check_values(struct req *req);

#endif
