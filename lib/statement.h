/*
 * statement -- the text of an SQL statement by its name, and how MariaDB would
 * carry it out.
 *
 * A program tells the text of a statement (db.statement in its log) with the
 * first request in which it uses it, and again every ten minutes.  The
 * recorder keeps them in the Redis hash trace-sql, name -> text: as they were
 * prepared, with "?" for each value.  Of those that are put together from
 * parts under one name, the latest form.
 */
#ifndef SEOGA_STATEMENT_H
#define SEOGA_STATEMENT_H

#include "req.h"

/* For the recorder: keeps what these lines of a log tell of statements. */
int statement_note(struct req *req, const char *lines, size_t len) ATTR_CHECK;

/* The texts of the statements that are keys of the object names: name ->
 * text, without those that are not known. */
int statement_texts(struct req *req, json_t *names, json_t **texts) ATTR_CHECK;

/* Is it one that EXPLAIN may be asked about: a SELECT, whole? */
bool statement_is_select(const char *text);

/*
 * What EXPLAIN says of the statement of that name: {name, text, values:
 * [{of}], columns: ["id", "select_type", "table", ...], steps: [{cells}]}.
 * Each "?" stands for a value that is in the
 * column it is compared with; what it was in any request is not known.
 * RC_NOT_FOUND when the name is not known, RC_BAD_INPUT when it is no SELECT.
 */
int
statement_explain(struct req *req, const char *name, json_t **plan) ATTR_CHECK;

#endif
