/*
 * db_rows -- turns rows into JSON: a place for each column when a statement is
 * prepared, and a value from it for each row.
 */
#include "db_internal.h"

#define TEXT_MAX 1024 /* longer values take a second copy */

enum column_type {
	COLUMN_INT,
	COLUMN_FLAG,
	COLUMN_DECIMAL,
	COLUMN_TIME,
	COLUMN_TEXT,
	COLUMN_BYTES
};

struct column {
	enum column_type type;
	char *key; /* the label without its "?" */
	size_t key_len;
	my_bool null, cut, is_unsigned;
	unsigned long len;
	union {
		long long i;
		MYSQL_TIME time;
		char *text;
	} u;
};

/* Columns. */

static enum column_type
column_type(const MYSQL_FIELD *field, bool is_flag)
{
	if (is_flag)
		return COLUMN_FLAG;
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_YEAR:
		return COLUMN_INT;
	case MYSQL_TYPE_DECIMAL:
	case MYSQL_TYPE_NEWDECIMAL:
		return COLUMN_DECIMAL;
	case MYSQL_TYPE_DATETIME:
	case MYSQL_TYPE_TIMESTAMP:
		return COLUMN_TIME;
	case MYSQL_TYPE_BLOB:
	case MYSQL_TYPE_TINY_BLOB:
	case MYSQL_TYPE_MEDIUM_BLOB:
	case MYSQL_TYPE_LONG_BLOB:
	case MYSQL_TYPE_STRING:
	case MYSQL_TYPE_VAR_STRING:
	case MYSQL_TYPE_BIT:
		/* 63 is "binary": nobody has checked that it is UTF-8. */
		return field->charsetnr == 63 ? COLUMN_BYTES : COLUMN_TEXT;
	default:
		return COLUMN_TEXT;
	}
}

static int
column_init(struct column *column, const MYSQL_FIELD *field)
{
	size_t len = field->name_length;
	bool is_flag = len > 0 && field->name[len - 1] == '?';

	column->type = column_type(field, is_flag);
	column->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
	column->key_len = is_flag ? len - 1 : len;
	column->key = strndup(field->name, column->key_len);
	return column->key ? RC_OK : RC_DOWN;
}

static int
column_bind_text(
    struct column *column, const MYSQL_FIELD *field, MYSQL_BIND *bind)
{
	size_t size = field->length < TEXT_MAX ? field->length + 1 : TEXT_MAX;

	/* Numbers and dates that become text are longer than in the wire's
	 * form. */
	if (size < 64)
		size = 64;
	column->u.text = malloc(size);
	if (!column->u.text)
		return RC_DOWN;
	bind->buffer_type = MYSQL_TYPE_STRING;
	bind->buffer = column->u.text;
	bind->buffer_length = size;
	return RC_OK;
}

/* Where mysql_stmt_fetch() puts the value. */
static int
column_bind(struct column *column, const MYSQL_FIELD *field, MYSQL_BIND *bind)
{
	bind->is_null = &column->null;
	bind->error = &column->cut;
	bind->length = &column->len;
	switch (column->type) {
	case COLUMN_INT:
	case COLUMN_FLAG:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = &column->u.i;
		bind->is_unsigned = column->is_unsigned;
		return RC_OK;
	case COLUMN_TIME:
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = &column->u.time;
		return RC_OK;
	default:
		return column_bind_text(column, field, bind);
	}
}

static int
bind_columns(struct prepared *p, MYSQL_RES *meta)
{
	const MYSQL_FIELD *fields = mysql_fetch_fields(meta);
	unsigned n = mysql_num_fields(meta);
	MYSQL_BIND *binds = calloc(n, sizeof(*binds));
	int rc = RC_DOWN;

	p->columns = calloc(n, sizeof(*p->columns));
	if (binds && p->columns) {
		p->ncolumns = n;
		rc = RC_OK;
	}
	for (unsigned i = 0; rc == RC_OK && i < n; i++) {
		rc = column_init(&p->columns[i], &fields[i]);
		if (rc == RC_OK)
			rc = column_bind(&p->columns[i], &fields[i], &binds[i]);
	}
	if (rc == RC_OK && mysql_stmt_bind_result(p->stmt, binds))
		rc = RC_DOWN;
	free(binds);
	return rc;
}

int
db_columns_bind(struct prepared *p)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(p->stmt);
	int rc = RC_OK;

	if (meta) {
		rc = bind_columns(p, meta);
		mysql_free_result(meta);
	}
	return rc;
}

void
db_columns_free(struct column *columns, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (columns[i].type >= COLUMN_TEXT ||
		    columns[i].type == COLUMN_DECIMAL)
			free(columns[i].u.text);
		free(columns[i].key);
	}
	free(columns);
}

/* Values. */

static int
decimal_value(const char *s, size_t len, int64_t *out)
{
	bool negative = len > 0 && s[0] == '-';
	int64_t n = 0;

	for (size_t i = negative; i < len; i++) {
		if (s[i] == '.')
			continue;
		if (s[i] < '0' || s[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s[i] - '0', &n))
			return RC_BUG;
	}
	*out = negative ? -n : n;
	return RC_OK;
}

static char *
two_digits(char *out, unsigned n)
{
	out[0] = (char)('0' + n / 10 % 10);
	out[1] = (char)('0' + n % 10);
	return out + 2;
}

/* By hand: printf would take as long as the rest of the row. */
static json_t *
time_value(const MYSQL_TIME *t)
{
	char text[] = "0000-00-00T00:00:00Z";

	two_digits(two_digits(text, t->year / 100), t->year % 100);
	two_digits(text + 5, t->month);
	two_digits(text + 8, t->day);
	two_digits(text + 11, t->hour);
	two_digits(text + 14, t->minute);
	two_digits(text + 17, t->second);
	return json_stringn_nocheck(text, sizeof(text) - 1);
}

static int
whole_text(struct req *req, struct run *run, unsigned i, const char **out)
{
	struct column *column = &run->prepared->columns[i];
	my_bool null = 0, cut = 0;
	unsigned long len = 0;
	MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_STRING,
		.buffer_length = column->len,
		.length = &len,
		.is_null = &null,
		.error = &cut };

	bind.buffer = arena_alloc(req->arena, column->len);
	if (mysql_stmt_fetch_column(run->prepared->stmt, &bind, i, 0)) {
		db_blame_stmt(run, run->prepared->stmt);
		return RC_BUG;
	}
	*out = bind.buffer;
	return RC_OK;
}

static json_t *
text_value(struct req *req, struct run *run, unsigned i)
{
	struct column *column = &run->prepared->columns[i];
	const char *text = column->u.text;
	json_t *value;

	if (column->cut && whole_text(req, run, i, &text) < 0)
		return NULL;
	if (column->type == COLUMN_TEXT)
		return json_stringn_nocheck(text, column->len);
	value = json_stringn(text, column->len);
	if (!value)
		db_blame_us(run, "binary data that is not UTF-8");
	return value;
}

static json_t *
int_value(struct run *run, const struct column *column)
{
	if (column->is_unsigned && column->u.i < 0) {
		db_blame_us(run, "an unsigned number above 2^63 - 1");
		return NULL;
	}
	return json_integer(column->u.i);
}

static json_t *
decimal_json(struct run *run, const struct column *column)
{
	int64_t n;

	if (column->cut || decimal_value(column->u.text, column->len, &n) < 0) {
		db_blame_us(run, "a DECIMAL above 2^63 - 1 minor units");
		return NULL;
	}
	return json_integer(n);
}

static json_t *
value_json(struct req *req, struct run *run, unsigned i)
{
	struct column *column = &run->prepared->columns[i];

	if (column->null)
		return json_null();
	switch (column->type) {
	case COLUMN_INT:
		return int_value(run, column);
	case COLUMN_FLAG:
		return json_boolean(column->u.i != 0);
	case COLUMN_DECIMAL:
		return decimal_json(run, column);
	case COLUMN_TIME:
		return time_value(&column->u.time);
	default:
		return text_value(req, run, i);
	}
}

/* Rows. */

static int
row_json(struct req *req, struct run *run, json_t **out)
{
	const struct prepared *p = run->prepared;
	json_t *row = json_object(), *value;

	for (unsigned i = 0; i < p->ncolumns; i++) {
		value = value_json(req, run, i);
		/* Refuses a NULL value, too. */
		if (json_object_setn_new_nocheck(row, p->columns[i].key,
			p->columns[i].key_len, value) < 0) {
			json_decref(row);
			return RC_BUG;
		}
	}
	*out = row;
	return RC_OK;
}

/* An error among the rows is left with the link, not with the statement. */
static void
blame_fetch(struct run *run, MYSQL *link)
{
	db_blame_stmt(run, run->prepared->stmt);
	if (run->code == 0)
		db_blame_link(run, link);
}

int
db_next_row(struct req *req, struct run *run, json_t **row)
{
	MYSQL_STMT *stmt = run->prepared->stmt;

	switch (mysql_stmt_fetch(stmt)) {
	case 0:
	case MYSQL_DATA_TRUNCATED: /* text_value() gets the whole */
		return row_json(req, run, row);
	case MYSQL_NO_DATA:
		return RC_NOT_FOUND;
	default:
		blame_fetch(run, req->db->link);
		return RC_DOWN;
	}
}
