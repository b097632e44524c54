/* statement_explain -- asks MariaDB how it would carry out a statement, with
 * a value of the right kind in the place of each "?". */
#include "statement.h"

#include "buf.h"
#include "db.h"
#include "model.h"

#include <strings.h>

#define VALUES_MAX 200
#define EXAMPLES 20   /* of a column */
#define WORD_MAX 64   /* of a name in SQL */
#define TABLES_MAX 16 /* in one statement */

/* --- words of SQL --- */

struct word {
	const char *s;
	size_t len;
};

struct table {
	char name[WORD_MAX + 1], alias[WORD_MAX + 1];
};

struct scan {
	const char *at;
	struct word column; /* the last name before an operator */
	bool limit;	    /* after LIMIT or OFFSET */
	struct table tables[TABLES_MAX];
	size_t ntables;
};

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static bool
is_word(struct word w, const char *text)
{
	return w.len == strlen(text) && strncasecmp(w.s, text, w.len) == 0;
}

/* Past a text in quotes, which may hold any "?". */
static const char *
skip_quoted(const char *at)
{
	char quote = *at++;

	while (*at && *at != quote)
		at += *at == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : at;
}

/* The next word, or one other character. */
static bool
next_word(const char **at, struct word *w)
{
	while (**at == ' ' || **at == '\n' || **at == '\t')
		++*at;
	if (!**at)
		return false;
	w->s = *at;
	if (strchr("'\"`", **at)) {
		*at = skip_quoted(*at);
	} else if (is_name_char(**at)) {
		while (is_name_char(**at))
			++*at;
	} else {
		++*at;
	}
	w->len = (size_t)(*at - w->s);
	return true;
}

static void
copy_word(struct word w, char out[WORD_MAX + 1])
{
	size_t len = w.len < WORD_MAX ? w.len : WORD_MAX;

	memcpy(out, w.s, len);
	out[len] = '\0';
}

static bool
is_keyword(struct word w)
{
	static const char *const words[] = { "SELECT", "FROM", "WHERE", "AND",
		"OR", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "ORDER",
		"BY", "GROUP", "HAVING", "LIMIT", "OFFSET", "JOIN", "LEFT",
		"INNER", "STRAIGHT_JOIN", "ON", "USING", "UNION", "ALL",
		"FORCE", "INDEX", "FOR", "UPDATE", "AS", "CASE", "WHEN", "THEN",
		"ELSE", "END", "DISTINCT", "DESC", "ASC", "WITH", "EXISTS",
		"AGAINST", "MATCH", "BOOLEAN", "MODE", "INTERVAL" };

	for (size_t i = 0; i < LENGTH(words); i++) {
		if (is_word(w, words[i]))
			return true;
	}
	return false;
}

static bool
is_name(struct word w)
{
	return is_name_char(*w.s) && !(*w.s >= '0' && *w.s <= '9') &&
	    !is_keyword(w);
}

/* After FROM, JOIN or a comma: "books", "books b", "books AS b". */
static void
read_table(struct scan *scan)
{
	struct table *table = &scan->tables[scan->ntables];
	struct word w;
	const char *at = scan->at;

	if (scan->ntables == TABLES_MAX || !next_word(&at, &w) || !is_name(w))
		return;
	copy_word(w, table->name);
	copy_word(w, table->alias);
	scan->at = at;
	scan->ntables++;
	if (next_word(&at, &w) && is_word(w, "AS") && !next_word(&at, &w))
		return;
	if (is_name(w)) {
		copy_word(w, table->alias);
		scan->at = at;
	}
}

/* What comes before a "?" says what it is compared with. */
static void
take_word(struct scan *scan, struct word w)
{
	if (is_word(w, "LIMIT") || is_word(w, "OFFSET"))
		scan->limit = true;
	else if (is_word(w, "FROM") || is_word(w, "JOIN") ||
	    is_word(w, "STRAIGHT_JOIN"))
		read_table(scan);
	else if (is_word(w, "SELECT") || is_word(w, "AGAINST"))
		scan->column = (struct word){ "", 0 };
	else if (is_name(w))
		scan->column = w;
}

/* --- a value for each "?" --- */

struct value {
	struct word column;
	bool limit;
};

static size_t
find_values(struct scan *scan, struct value values[VALUES_MAX])
{
	struct word w;
	size_t n = 0;

	while (n < VALUES_MAX && next_word(&scan->at, &w)) {
		if (*w.s == '?') {
			values[n++] =
			    (struct value){ scan->column, scan->limit };
			continue;
		}
		if (scan->limit && *w.s == ')')
			scan->limit = false;
		take_word(scan, w);
	}
	return n;
}

/* Which table a column is of: {"books": {"id": true, ...}, ...} */
static int
all_columns(struct req *req, json_t **columns)
{
	const struct db_stmt st = { .name = "explain.columns",
		.sql = "SELECT table_name AS t,"
		       " GROUP_CONCAT(column_name) AS c"
		       " FROM information_schema.columns"
		       " WHERE table_schema = DATABASE() GROUP BY 1" };
	json_t *rows, *row, *all = json_object();
	size_t i;
	int rc = db_rows(req, &st, DB_NO_ARGS, &rows);

	if (rc < 0)
		return rc;
	json_array_foreach(rows, i, row)
		json_object_set(
		    all, model_text(row, "t"), json_object_get(row, "c"));
	*columns = all;
	return RC_OK;
}

static bool
has_column(const json_t *columns, const char *table, const char *name)
{
	const char *list = model_text(columns, table);
	size_t len = strlen(name);

	while (list) {
		if (strncmp(list, name, len) == 0 &&
		    (list[len] == ',' || list[len] == '\0'))
			return true;
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	return false;
}

/* "b.title" -> books, title; false for what is no column of a table. */
static bool
resolve(const struct scan *scan, const json_t *columns, struct word w,
    const char **table, char name[WORD_MAX + 1])
{
	char text[WORD_MAX + 1], *dot;

	copy_word(w, text);
	dot = strchr(text, '.');
	memcpy(name, dot ? dot + 1 : text, strlen(dot ? dot + 1 : text) + 1);
	if (dot)
		*dot = '\0';
	for (size_t i = 0; i < scan->ntables; i++) {
		if ((!dot || strcmp(scan->tables[i].alias, text) == 0) &&
		    has_column(columns, scan->tables[i].name, name)) {
			*table = scan->tables[i].name;
			return true;
		}
	}
	return false;
}

struct example {
	struct req *req;
	const struct scan *scan;
	const json_t *columns;
	json_t *known; /* "books.id" -> some values that are there */
	json_t *told;
	size_t n;
};

/* Some that are there, so that the plan is that of a usual request. */
static int
find_examples(struct example *e, const char *column, const char *table,
    const char *name, json_t **values)
{
	const struct db_stmt st = { .name = "explain.example",
		.sql = arena_printf(e->req->arena,
		    "SELECT CAST(%s AS CHAR) AS v FROM %s WHERE %s IS NOT NULL"
		    " LIMIT %d",
		    name, table, name, EXAMPLES) };
	json_t *rows = json_object_get(e->known, column);
	int rc = RC_OK;

	if (!rows) {
		rc = db_rows(e->req, &st, DB_NO_ARGS, &rows);
		if (rc == RC_OK)
			json_object_set(e->known, column, rows);
	}
	if (rc == RC_OK)
		*values = rows;
	return rc;
}

/* The places of an IN (?, ?) get different ones. */
static const char *
pick(const struct example *e, const json_t *values)
{
	size_t n = json_array_size(values);
	const char *text =
	    n == 0 ? NULL : model_text(json_array_get(values, e->n % n), "v");

	return text ? text : "1";
}

static int
example_of(struct example *e, const struct value *value, struct db_arg *arg)
{
	char name[WORD_MAX + 1];
	const char *table, *of = "";
	json_t *values = NULL;
	int rc;

	*arg = db_text("1");
	if (value->limit) {
		*arg = db_int(20);
		of = "LIMIT";
	} else if (value->column.len > 0 &&
	    resolve(e->scan, e->columns, value->column, &table, name)) {
		of = arena_printf(e->req->arena, "%s.%s", table, name);
		rc = find_examples(e, of, table, name, &values);
		if (rc < 0)
			return rc;
		*arg = db_text(pick(e, values));
	}
	e->n++;
	json_array_append_new(e->told, json_pack("{s:s}", "of", of));
	return RC_OK;
}

/* --- the plan --- */

static int
ask(struct req *req, const char *text, const struct db_arg *args, size_t n,
    json_t **steps)
{
	const struct db_stmt st = { .name = "explain.plan",
		.sql = arena_printf(req->arena, "EXPLAIN %s", text) };

	return db_rows(req, &st, args, n, steps);
}

/* As MariaDB shows it: the columns of all rows, NULL as nothing. */
static void
set_steps(json_t *plan, json_t *rows)
{
	json_t *columns = json_array(), *steps = json_array(), *row, *value;
	const char *name;
	size_t i;

	json_object_foreach(json_array_get(rows, 0), name, value)
		json_array_append_new(columns, json_string(name));
	json_array_foreach(rows, i, row) {
		json_t *cells = json_array();

		json_object_foreach(row, name, value)
			json_array_append(cells,
			    json_is_null(value) ? json_string("") : value);
		json_array_append_new(
		    steps, json_pack("{s:o}", "cells", cells));
	}
	model_set(plan, "columns", columns);
	model_set(plan, "steps", steps);
}

bool
statement_is_select(const char *text)
{
	struct word w;

	if ((strncasecmp(text, "SELECT ", 7) != 0 &&
		strncasecmp(text, "(SELECT ", 8) != 0 &&
		strncasecmp(text, "WITH ", 5) != 0) ||
	    strstr(text, "…"))
		return false;
	/* Within quotes both are text. */
	while (next_word(&text, &w)) {
		if (*w.s == ';' || is_word(w, "INTO"))
			return false;
	}
	return true;
}

static int
explain(struct req *req, const char *text, json_t *plan)
{
	struct value *values =
	    arena_alloc(req->arena, VALUES_MAX * sizeof(*values));
	struct db_arg *args =
	    arena_alloc(req->arena, VALUES_MAX * sizeof(*args));
	struct scan scan = { .at = text };
	size_t n = find_values(&scan, values);
	struct example e = { .req = req,
		.scan = &scan,
		.known = json_object(),
		.told = json_array() };
	json_t *columns = NULL, *steps;
	int rc = all_columns(req, &columns);

	e.columns = columns;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = example_of(&e, &values[i], &args[i]);
	if (rc < 0 || (rc = ask(req, text, args, n, &steps)) < 0)
		return rc;
	model_set(plan, "values", e.told);
	set_steps(plan, steps);
	return RC_OK;
}

int
statement_explain(struct req *req, const char *name, json_t **plan)
{
	json_t *names = json_pack("{s:n}", name), *texts, *found;
	const char *text;
	int rc = statement_texts(req, names, &texts);

	if (rc < 0)
		return rc;
	text = model_text(texts, name);
	if (!text)
		return RC_NOT_FOUND;
	if (!statement_is_select(text))
		return RC_BAD_INPUT;
	found = json_pack("{s:s, s:s}", "name", name, "text", text);
	rc = explain(req, text, found);
	if (rc == RC_OK)
		*plan = found;
	return rc;
}
