/* tmpl_compile -- turns the tokens of a template into instructions. */
#include "tmpl_internal.h"

struct compiler {
	struct tmpl_set *set;
	struct code *code;
	uint32_t barrier; /* an instruction that something jumps to */
};

/* Tokens from..to of s, in a block whose lines all start with dedent. */
struct body {
	const struct scan *s;
	uint32_t from, to;
	struct piece dedent;
};

static int compile_body(struct compiler *c, struct body b);

static void
end_body(struct compiler *c, uint32_t op)
{
	c->code->ops[op].end = c->barrier = c->code->count;
}

/* A run of text becomes one instruction, unless a jump lands inside it. */
static void
add_text(struct compiler *c, const char *s, uint32_t len)
{
	struct code *code = c->code;
	struct op *last =
	    code->count > c->barrier ? &code->ops[code->count - 1] : NULL;
	struct piece p;
	uint32_t op;

	if (len == 0)
		return;
	p = tmpl_pool_add(c->code, s, len);
	if (last && last->kind == OP_TEXT &&
	    last->text.at + last->text.len == p.at) {
		last->text.len += len;
		return;
	}
	op = tmpl_code_add(c->code, OP_TEXT);
	code->ops[op].text = p;
}

static uint32_t
common_length(const struct scan *s, struct piece a, struct piece b)
{
	uint32_t n = 0;

	while (n < a.len && n < b.len && s->text[a.at + n] == s->text[b.at + n])
		n++;
	return n;
}

static void
compile_text(struct compiler *c, const struct body *b, const struct token *t)
{
	uint32_t cut =
	    t->starts_line ? common_length(b->s, t->all, b->dedent) : 0;

	add_text(c, b->s->text + t->all.at + cut, t->all.len - cut);
}

/* The indentation of a tag that is alone on its line, as seen from inside
 * the block around it. */
static struct piece
relative(const struct body *b, struct piece indent)
{
	uint32_t cut = common_length(b->s, indent, b->dedent);

	return (struct piece){ indent.at + cut, indent.len - cut };
}

static int
add_indent(struct compiler *c, const struct body *b, const struct token *t,
    struct piece indent, uint32_t op)
{
	if (indent.len > TMPL_INDENT_MAX)
		return tmpl_mistake(b->s, t->all.at,
		    "the indentation is above %d bytes", TMPL_INDENT_MAX);
	c->code->ops[op].indent =
	    tmpl_pool_add(c->code, b->s->text + indent.at, indent.len);
	return RC_OK;
}

static int
add_part(struct compiler *c, const struct scan *s, const struct token *t,
    uint32_t op, struct piece part)
{
	struct code *code = c->code;

	if (part.len == 0)
		return tmpl_mistake(
		    s, t->all.at, "the dotted name has an empty part");
	if (code->ops[op].parts == UINT16_MAX)
		return tmpl_mistake(s, t->all.at, "the name is too long");
	tmpl_part_add(code, part);
	code->ops[op].parts++;
	return RC_OK;
}

/* a.b.c is looked up part by part: split here, once. */
static int
split_name(struct compiler *c, const struct scan *s, const struct token *t,
    uint32_t op)
{
	struct piece name = c->code->ops[op].text, part = { name.at, 0 };
	int rc;

	c->code->ops[op].first_part = c->code->part_count;
	for (uint32_t i = 0; i <= name.len; i++) {
		if (i < name.len && c->code->pool[name.at + i] != '.')
			continue;
		part.len = name.at + i - part.at;
		rc = add_part(c, s, t, op, part);
		if (rc != RC_OK)
			return rc;
		part.at = name.at + i + 1;
	}
	return RC_OK;
}

static int
add_name(struct compiler *c, const struct scan *s, const struct token *t,
    uint32_t op)
{
	const char *name = s->text + t->name.at;
	struct piece p;

	if (t->name.len == 1 && name[0] == '.')
		return RC_OK;
	p = tmpl_pool_add(c->code, name, t->name.len);
	tmpl_pool_add(c->code, "", 1); /* NUL: it is reported as a string */
	c->code->ops[op].text = p;
	if (memchr(name, '.', t->name.len))
		return split_name(c, s, t, op);
	return RC_OK;
}

static int
compile_section(
    struct compiler *c, const struct body *b, uint32_t open, enum op_kind kind)
{
	uint32_t op = tmpl_code_add(c->code, kind);
	uint32_t close = b->s->tokens[open].match;
	int rc = add_name(c, b->s, &b->s->tokens[open], op);

	if (rc == RC_OK)
		rc = compile_body(
		    c, (struct body){ b->s, open + 1, close, b->dedent });
	end_body(c, op);
	return rc;
}

/*
 * The indentation of the line that starts with t; false when the line does
 * not count: an empty one, and one that vanishes, except where such a line
 * puts other text into its place.
 */
static bool
line_indent(const struct scan *s, const struct token *t, struct piece *out)
{
	const char *text = s->text + t->all.at;

	if (t->alone &&
	    (t->tag == TAG_PARTIAL || t->tag == TAG_PARENT ||
		t->tag == TAG_BLOCK)) {
		*out = t->indent;
		return true;
	}
	if (t->alone || !t->starts_line)
		return false;
	*out = (struct piece){ t->all.at, 0 };
	if (t->tag != TAG_TEXT)
		return true;
	out->len = (uint32_t)tmpl_leading_space(text, t->all.len);
	return text[t->all.len - 1] != '\n' || !tmpl_is_blank(text, t->all.len);
}

/* What all lines start with; *any is false when no line counts. */
static struct piece
common_indent(const struct scan *s, uint32_t from, uint32_t to, bool *any)
{
	struct piece common = { 0, 0 }, indent = { 0, 0 };

	*any = false;
	for (uint32_t i = from; i < to; i++) {
		const struct token *t = &s->tokens[i];

		if (line_indent(s, t, &indent)) {
			common.len = *any ? common_length(s, common, indent) :
					    indent.len;
			common.at = indent.at;
			*any = true;
		}
		if (t->tag == TAG_MESSAGE)
			i = t->match; /* its lines become one */
	}
	return common;
}

/*
 * A block, or the argument that replaces one.  When its opening tag is alone
 * on a line, the indentation of its lines belongs to the place, not to the
 * block: it is taken off here, and put before each line where it is shown.
 */
static int
compile_block(
    struct compiler *c, const struct body *b, uint32_t open, enum op_kind kind)
{
	const struct token *t = &b->s->tokens[open];
	struct body inner = { b->s, open + 1, t->match, b->dedent };
	uint32_t op = tmpl_code_add(c->code, kind);
	struct piece indent = { 0, 0 };
	bool any;
	int rc;

	c->code->ops[op].text =
	    tmpl_pool_add(c->code, b->s->text + t->name.at, t->name.len);
	if (t->alone) {
		inner.dedent = common_indent(b->s, inner.from, inner.to, &any);
		if (!any)
			inner.dedent = t->indent;
		indent = relative(b, inner.dedent);
		c->code->ops[op].whole_lines = b->s->tokens[t->match].alone;
	}
	rc = add_indent(c, b, t, indent, op);
	if (rc == RC_OK)
		rc = compile_body(c, inner);
	end_body(c, op);
	return rc;
}

static int
compile_call(
    struct compiler *c, const struct body *b, uint32_t tag, enum op_kind kind)
{
	const struct token *t = &b->s->tokens[tag];
	const struct tmpl *call;
	uint32_t op;
	int rc;

	rc = tmpl_refer(c->set, b->s, t, &call);
	if (rc != RC_OK)
		return rc;
	op = tmpl_code_add(c->code, kind);
	c->code->ops[op].call = call;
	return add_indent(c, b, t, relative(b, t->indent), op);
}

/* Is there a block of the name of tokens[tag] between from and tag? */
static bool
is_given_twice(const struct scan *s, uint32_t from, uint32_t tag)
{
	const struct piece name = s->tokens[tag].name;

	for (uint32_t i = from; i < tag; i++) {
		const struct token *t = &s->tokens[i];

		if (t->tag != TAG_BLOCK)
			continue;
		if (t->name.len == name.len &&
		    memcmp(s->text + t->name.at, s->text + name.at, name.len) ==
			0)
			return true;
		i = t->match;
	}
	return false;
}

/* Between {{<parent}} and {{/parent}} text is ignored: blocks count. */
static int
compile_arguments(struct compiler *c, const struct body *b, uint32_t open)
{
	const struct scan *s = b->s;
	int rc, blocks = 0;

	for (uint32_t i = open + 1; i < s->tokens[open].match; i++) {
		const struct token *t = &s->tokens[i];

		if (t->tag == TAG_TEXT || t->tag == TAG_COMMENT ||
		    t->tag == TAG_DELIMITERS)
			continue;
		if (t->tag != TAG_BLOCK)
			return tmpl_mistake(s, t->all.at,
			    "only blocks may stand directly in a parent");
		if (++blocks > TMPL_BLOCKS_MAX)
			return tmpl_mistake(s, t->all.at,
			    "a parent is given more than %d blocks",
			    TMPL_BLOCKS_MAX);
		if (is_given_twice(s, open + 1, i))
			return tmpl_mistake(
			    s, t->all.at, "the block is given twice");
		rc = compile_block(c, b, i, OP_ARGUMENT);
		if (rc != RC_OK)
			return rc;
		i = t->match;
	}
	return RC_OK;
}

static int
compile_parent(struct compiler *c, const struct body *b, uint32_t open)
{
	uint32_t op = c->code->count;
	int rc = compile_call(c, b, open, OP_PARENT);

	if (rc != RC_OK)
		return rc;
	rc = compile_arguments(c, b, open);
	end_body(c, op);
	return rc;
}

/* The text on one line, with single spaces. */
static char *
message_id(const char *s, size_t len)
{
	char *id = malloc(len + 1);
	size_t n = 0;

	if (!id)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (!tmpl_is_blank(s + i, 1))
			id[n++] = s[i];
		else if (n > 0 && id[n - 1] != ' ')
			id[n++] = ' ';
	}
	if (n > 0 && id[n - 1] == ' ')
		n--;
	id[n] = '\0';
	return id;
}

static int
compile_translation(struct compiler *c, const struct scan *around,
    uint32_t open, const char *text)
{
	const struct token *t = &around->tokens[open];
	struct scan s = { .text = text,
		.len = strlen(text),
		.around = around,
		.at = t->all.at,
		.err = around->err,
		.delimiters = { "{{", "}}" } };
	int rc;

	if (t->delimiters.len > 0)
		tmpl_scan_delimiters(around, t->delimiters, &s.delimiters);
	rc = tmpl_scan(&s);
	if (rc == RC_OK)
		rc = compile_body(c, (struct body){ &s, 0, s.count, { 0, 0 } });
	free(s.tokens);
	return rc;
}

static int
compile_message(struct compiler *c, const struct scan *s, uint32_t open)
{
	const struct token *t = &s->tokens[open];
	uint32_t at = t->all.at + t->all.len;
	char *id = message_id(s->text + at, s->tokens[t->match].all.at - at);
	const char *text = NULL;
	int rc;

	/* gettext() answers the empty id with the header of its catalogue. */
	if (id[0] == '\0') {
		free(id);
		return tmpl_mistake(s, t->all.at, "the message is empty");
	}
	if (c->set->translate)
		text = c->set->translate(id);
	rc = compile_translation(c, s, open, text ? text : id);
	free(id);
	return rc;
}

static int
compile_value(struct compiler *c, const struct scan *s, const struct token *t,
    enum op_kind kind)
{
	return add_name(c, s, t, tmpl_code_add(c->code, kind));
}

/* One token with all that belongs to it. */
static int
compile_token(struct compiler *c, const struct body *b, uint32_t i)
{
	const struct token *t = &b->s->tokens[i];

	switch (t->tag) {
	case TAG_TEXT:
		compile_text(c, b, t);
		return RC_OK;
	case TAG_VALUE:
		return compile_value(c, b->s, t, OP_VALUE);
	case TAG_RAW_VALUE:
		return compile_value(c, b->s, t, OP_RAW_VALUE);
	case TAG_SECTION:
		return compile_section(c, b, i, OP_SECTION);
	case TAG_INVERTED:
		return compile_section(c, b, i, OP_INVERTED);
	case TAG_MESSAGE:
		return compile_message(c, b->s, i);
	case TAG_PARTIAL:
		return compile_call(c, b, i, OP_PARTIAL);
	case TAG_PARENT:
		return compile_parent(c, b, i);
	case TAG_BLOCK:
		return compile_block(c, b, i, OP_BLOCK);
	case TAG_COMMENT:
	case TAG_DELIMITERS:
	case TAG_CLOSE:
		return RC_OK;
	}
	return RC_BUG;
}

static int
compile_body(struct compiler *c, struct body b)
{
	for (uint32_t i = b.from; i < b.to; i++) {
		const struct token *t = &b.s->tokens[i];
		int rc = compile_token(c, &b, i);

		if (rc != RC_OK)
			return rc;
		if (c->code->pool_len > TMPL_POOL_MAX)
			return tmpl_mistake(
			    b.s, t->all.at, "the template is too large");
		if (t->match > i)
			i = t->match;
	}
	return RC_OK;
}

int
tmpl_compile_source(struct tmpl_set *set, const struct tmpl *t,
    struct code **out, struct tmpl_error *err)
{
	struct scan s = { .text = t->source.text,
		.len = t->source.len,
		.delimiters = { "{{", "}}" },
		.err = err };
	struct compiler c = { .set = set, .code = tmpl_code_new() };
	int rc;

	rc = tmpl_scan(&s);
	if (rc == RC_OK)
		rc =
		    compile_body(&c, (struct body){ &s, 0, s.count, { 0, 0 } });
	free(s.tokens);
	if (rc != RC_OK) {
		tmpl_code_free(c.code);
		return rc;
	}
	*out = c.code;
	return RC_OK;
}
