/* tmpl_render -- runs the instructions of a template over a model. */
#include "tmpl_internal.h"

/* The blocks that one parent tag gives, and those given further out. */
struct arguments {
	const struct arguments *outer;
	const struct tmpl *from; /* the template of the parent tag */
	uint32_t first, end;	 /* its instructions OP_ARGUMENT */
};

/* Where rendering stands: in which template, with which arguments. */
struct place {
	const struct tmpl *t;
	const struct arguments *args;
};

struct render {
	struct buf *out;
	void (*unknown)(void *arg, const char *tmpl, const char *name);
	void *arg;
	uint32_t steps;
	int calls;
	int depth;
	/* The sections around, from the model itself to the innermost. */
	const json_t *frames[TMPL_DEPTH_MAX + 1];
	/* Put before each line of the template. */
	bool line_start;
	size_t indent_len;
	char indent[TMPL_DEPTH_MAX * TMPL_INDENT_MAX];
};

static int
render_ops(struct render *r, struct place at, uint32_t pc, uint32_t end);

static void
put_indent(struct render *r)
{
	if (r->line_start)
		buf_add(r->out, r->indent, r->indent_len);
	r->line_start = false;
}

/* Line by line: each begins with the indentation, but for empty ones. */
static void
put_lines(struct render *r, const char *s, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(s, '\n', len);
		size_t n = newline ? (size_t)(newline - s) + 1 : len;

		if (!newline || newline > s + (*s == '\r'))
			put_indent(r);
		buf_add(r->out, s, n);
		r->line_start = newline != NULL;
		s += n;
		len -= n;
	}
}

static void
put_text(struct render *r, const char *s, size_t len)
{
	if (r->indent_len == 0)
		buf_add(r->out, s, len);
	else
		put_lines(r, s, len);
}

/* The shortest form that reads back as the same number.  Programs keep the
 * numeric locale C.UTF-8, so the point is a point. */
static void
put_real(struct buf *out, double value)
{
	char text[32];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_str(out, text);
}

static void
put_value(struct render *r, const json_t *value, bool raw)
{
	if (r->indent_len > 0)
		put_indent(r);
	if (!value)
		return;
	switch (json_typeof(value)) {
	case JSON_STRING:
		if (raw)
			buf_add(r->out, json_string_value(value),
			    json_string_length(value));
		else
			buf_html(r->out, json_string_value(value),
			    json_string_length(value));
		break;
	case JSON_INTEGER:
		buf_int(r->out, json_integer_value(value));
		break;
	case JSON_REAL:
		put_real(r->out, json_real_value(value));
		break;
	case JSON_TRUE:
		buf_add(r->out, "true", 4);
		break;
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
}

/* null, false, 0, "" and []: what a section skips. */
static bool
is_empty(const json_t *value)
{
	if (!value)
		return true;
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_length(value) == 0;
	case JSON_ARRAY:
		return json_array_size(value) == 0;
	case JSON_INTEGER:
		return json_integer_value(value) == 0;
	case JSON_REAL:
		return json_real_value(value) == 0;
	case JSON_OBJECT:
	case JSON_TRUE:
		return false;
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return true;
}

/* The innermost section that has the name decides. */
static const json_t *
find_plain(const struct render *r, const char *name, size_t len)
{
	for (int i = r->depth - 1; i >= 0; i--) {
		const json_t *value = json_object_getn(r->frames[i], name, len);

		if (value)
			return value;
	}
	return NULL;
}

/* Only the first part is searched for; the rest is inside of it.  What is
 * asked of null or false is as empty as they are, and not unknown. */
static const json_t *
find_dotted(
    const struct render *r, const struct code *code, const struct op *op)
{
	const struct piece *part = &code->parts[op->first_part];
	const struct piece *end = part + op->parts;
	const json_t *value = find_plain(r, code->pool + part->at, part->len);

	while (value && ++part < end) {
		if (json_is_null(value) || json_is_false(value))
			return value;
		value =
		    json_object_getn(value, code->pool + part->at, part->len);
	}
	return value;
}

static const json_t *
find(const struct render *r, const struct tmpl *t, const struct op *op)
{
	const struct code *code = t->code;
	const char *name = code->pool + op->text.at;
	const json_t *value;

	if (op->text.len == 0)
		return r->frames[r->depth - 1];
	value = op->parts ? find_dotted(r, code, op) :
			    find_plain(r, name, op->text.len);
	if (!value && r->unknown)
		r->unknown(r->arg, t->name, name);
	return value;
}

static int
render_in(
    struct render *r, struct place at, const json_t *frame, const struct op *op)
{
	uint32_t pc = (uint32_t)(op - at.t->code->ops);
	int rc;

	if (r->depth == TMPL_DEPTH_MAX + 1)
		return RC_BUG;
	r->frames[r->depth++] = frame;
	rc = render_ops(r, at, pc + 1, op->end);
	r->depth--;
	return rc;
}

static int
render_section(struct render *r, struct place at, const struct op *op)
{
	const json_t *value = find(r, at.t, op);
	size_t count;

	if (is_empty(value))
		return RC_OK;
	if (!json_is_array(value))
		return render_in(r, at, value, op);
	count = json_array_size(value);
	for (size_t i = 0; i < count; i++) {
		int rc = render_in(r, at, json_array_get(value, i), op);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* Instructions of at.t, with indent of the template `of` before each line. */
static int
render_indented(struct render *r, struct place at, uint32_t pc, uint32_t end,
    const struct tmpl *of, struct piece indent)
{
	size_t before = r->indent_len;
	int rc;

	if (r->calls == TMPL_DEPTH_MAX)
		return RC_BUG;
	if (indent.len > 0) {
		memcpy(
		    r->indent + before, of->code->pool + indent.at, indent.len);
		r->indent_len += indent.len;
		r->line_start = true;
	}
	r->calls++;
	rc = render_ops(r, at, pc, end);
	r->calls--;
	r->indent_len = before;
	return rc;
}

static int
render_call(struct render *r, struct place at, const struct op *op)
{
	uint32_t pc = (uint32_t)(op - at.t->code->ops);
	struct arguments given = { at.args, at.t, pc + 1, op->end };
	struct place inside = { op->call, at.args };

	if (!op->call->code)
		return RC_OK;
	if (op->kind == OP_PARENT && given.first < given.end)
		inside.args = &given;
	return render_indented(
	    r, inside, 0, op->call->code->count, at.t, op->indent);
}

static const struct op *
find_argument(const struct arguments *args, const char *name, uint32_t len)
{
	const struct code *code = args->from->code;

	for (uint32_t i = args->first; i < args->end; i = code->ops[i].end) {
		const struct op *op = &code->ops[i];

		if (op->text.len == len &&
		    memcmp(code->pool + op->text.at, name, len) == 0)
			return op;
	}
	return NULL;
}

/*
 * The outermost argument of that name wins: what the page gives is stronger
 * than what its parents give.  Blocks in an argument may be replaced only
 * from further out, never by the arguments they are part of.
 */
static int
render_block(struct render *r, struct place at, const struct op *op)
{
	struct place inside = at;
	const char *name = at.t->code->pool + op->text.at;
	const struct op *content = op;
	size_t before = r->out->len;
	int rc;

	for (const struct arguments *a = at.args; a; a = a->outer) {
		const struct op *found = find_argument(a, name, op->text.len);

		if (!found)
			continue;
		content = found;
		inside = (struct place){ a->from, a->outer };
	}
	rc = render_indented(r, inside,
	    (uint32_t)(content - inside.t->code->ops) + 1, content->end, at.t,
	    op->indent);
	if (op->whole_lines && r->out->len > before &&
	    r->out->data[r->out->len - 1] != '\n')
		put_text(r, "\n", 1);
	return rc;
}

static int
render_op(struct render *r, struct place at, const struct op *op)
{
	switch ((enum op_kind)op->kind) {
	case OP_TEXT:
		put_text(r, at.t->code->pool + op->text.at, op->text.len);
		break;
	case OP_VALUE:
		put_value(r, find(r, at.t, op), false);
		break;
	case OP_RAW_VALUE:
		put_value(r, find(r, at.t, op), true);
		break;
	case OP_SECTION:
		return render_section(r, at, op);
	case OP_PARTIAL:
	case OP_PARENT:
		return render_call(r, at, op);
	case OP_BLOCK:
		return render_block(r, at, op);
	case OP_INVERTED:
	case OP_ARGUMENT:
		break;
	}
	return RC_OK;
}

static int
render_ops(struct render *r, struct place at, uint32_t pc, uint32_t end)
{
	const struct code *code = at.t->code;

	/* Lists in lists in lists can run for ever without much output. */
	if (r->steps > TMPL_STEPS_MAX)
		return RC_BUG;
	r->steps += end - pc + 1;
	while (pc < end) {
		const struct op *op = &code->ops[pc];
		int rc = RC_OK;

		/* The body of an inverted section just follows. */
		if (op->kind == OP_INVERTED && is_empty(find(r, at.t, op))) {
			pc++;
			continue;
		}
		rc = render_op(r, at, op);
		if (rc != RC_OK)
			return rc;
		pc = op->end;
	}
	return r->out->over ? RC_TOO_LARGE : RC_OK;
}

int
tmpl_render(const struct tmpl *t, const json_t *model, struct buf *out,
    void (*unknown)(void *arg, const char *tmpl, const char *name), void *arg)
{
	struct render r; /* large: only what is used is set */

	if (!t->code)
		return RC_OK;
	r.out = out;
	r.unknown = unknown;
	r.arg = arg;
	r.steps = 0;
	r.calls = 0;
	r.frames[0] = model;
	r.depth = 1;
	r.line_start = true;
	r.indent_len = 0;
	return render_ops(&r, (struct place){ t, NULL }, 0, t->code->count);
}
