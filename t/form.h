/*
 * What the tests of lib/form share: a table with a field of every type, a
 * request that is parsed against it, and what must hold of the outcome.
 */
#ifndef SEOGA_T_FORM_H
#define SEOGA_T_FORM_H

#include "req.h"

#include "../lib/form.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define JSON "application/json"
#define MULTIPART "multipart/form-data; boundary=b"

/* The first of them is a file, which the API takes in another way. */
extern const struct field test_fields[];
#define TEST_FIELDS_WITHOUT_FILE (test_fields + 1)

/* A request that has been parsed; to be closed with test_req_close(). */
struct run {
	struct req *req;
	int rc;
};

enum kind { PAGE, API };

struct run post(enum kind kind, const char *type, const char *body);
struct run
post_n(enum kind kind, const char *type, const char *body, size_t len);
struct run get(enum kind kind, const char *query);

/* What is beside the field, NULL when nothing is. */
const char *error_of(const struct req *req, const char *name);

void assert_fine(const struct run *r);

/* Refused as a whole: a text for the reader and no errors beside fields. */
void assert_refused(const struct run *r, int rc);

#endif
