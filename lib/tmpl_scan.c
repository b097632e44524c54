/* tmpl_scan -- cuts the source of a template into text and tags, and checks
 * that every tag is closed. */
#include "tmpl_internal.h"

#include <stdarg.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
tmpl_is_blank(const char *s, size_t len)
{
	while (len > 0 && is_space(s[len - 1]))
		len--;
	return len == 0;
}

size_t
tmpl_leading_space(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && (s[n] == ' ' || s[n] == '\t'))
		n++;
	return n;
}

static struct piece
trim(const char *text, struct piece p)
{
	while (p.len > 0 && is_space(text[p.at])) {
		p.at++;
		p.len--;
	}
	while (p.len > 0 && is_space(text[p.at + p.len - 1]))
		p.len--;
	return p;
}

static int
line_of(const char *text, uint32_t at)
{
	int line = 1;

	for (uint32_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return line;
}

/* Counts characters: bytes that do not continue a UTF-8 sequence. */
static int
column_of(const char *text, uint32_t at)
{
	int column = 1;

	for (uint32_t i = at; i > 0 && text[i - 1] != '\n'; i--)
		column += ((unsigned char)text[i - 1] & 0xc0) != 0x80;
	return column;
}

int
tmpl_mistake(const struct scan *s, uint32_t at, const char *fmt, ...)
{
	struct tmpl_error *err = s->err;
	int used = 0;
	va_list ap;

	if (s->around) {
		used = snprintf(
		    err->text, sizeof(err->text), "in the translation: ");
		at = s->at;
		s = s->around;
	}
	err->line = line_of(s->text, at);
	err->column = column_of(s->text, at);
	va_start(ap, fmt);
	vsnprintf(err->text + used, sizeof(err->text) - (size_t)used, fmt, ap);
	va_end(ap);
	return RC_BAD_INPUT;
}

static struct token *
add_token(struct scan *s, enum tag tag, uint32_t at, uint32_t end)
{
	struct token *t;

	s->tokens = tmpl_grow(s->tokens, s->count, &s->room, sizeof(*t));
	t = &s->tokens[s->count++];
	*t = (struct token){ .tag = tag,
		.all = { at, end - at },
		.delimiters = s->last_change };
	return t;
}

/* Where that text is found at or after at, or s->len. */
static uint32_t
find(const struct scan *s, uint32_t at, const char *what, size_t len)
{
	const char *p = memmem(s->text + at, s->len - at, what, len);

	return p ? (uint32_t)(p - s->text) : (uint32_t)s->len;
}

/* Text is cut after each newline, so that lines are easy to look at. */
static void
scan_text(struct scan *s, uint32_t at, uint32_t end)
{
	while (at < end) {
		const char *newline = memchr(s->text + at, '\n', end - at);
		uint32_t next =
		    newline ? (uint32_t)(newline - s->text) + 1 : end;

		add_token(s, TAG_TEXT, at, next);
		at = next;
	}
}

bool
tmpl_scan_delimiters(
    const struct scan *s, struct piece content, struct delimiters *out)
{
	struct piece p = trim(s->text, content), open = { p.at, 0 }, close;

	while (open.len < p.len && !is_space(s->text[open.at + open.len]))
		open.len++;
	close =
	    trim(s->text, (struct piece){ p.at + open.len, p.len - open.len });
	if (open.len == 0 || open.len > TMPL_DELIM_MAX || close.len == 0 ||
	    close.len > TMPL_DELIM_MAX)
		return false;
	for (uint32_t i = p.at; i < p.at + p.len; i++) {
		if (s->text[i] == '=' || s->text[i] == '\0' ||
		    (i >= close.at && is_space(s->text[i])))
			return false;
	}
	memset(out, 0, sizeof(*out));
	memcpy(out->open, s->text + open.at, open.len);
	memcpy(out->close, s->text + close.at, close.len);
	return true;
}

/* Names are words: what the specification asks, and control characters
 * would only hide a mistake. */
static int
check_name(const struct scan *s, const struct token *t)
{
	const char *name = s->text + t->name.at;

	if (t->name.len == 0)
		return tmpl_mistake(s, t->all.at, "the tag has no name");
	for (uint32_t i = 0; i < t->name.len; i++) {
		if (name[i] == ' ' || name[i] == '\t' || name[i] == '\r' ||
		    name[i] == '\n')
			return tmpl_mistake(s, t->all.at,
			    "the name holds a space: is the tag closed?");
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return tmpl_mistake(
			    s, t->all.at, "the name holds a control character");
	}
	return RC_OK;
}

static int
open_body(struct scan *s, struct token *t)
{
	if (s->depth == TMPL_DEPTH_MAX)
		return tmpl_mistake(
		    s, t->all.at, "tags nest deeper than %d", TMPL_DEPTH_MAX);
	if (t->tag == TAG_SECTION && t->name.len == 1 &&
	    s->text[t->name.at] == '_') {
		if (s->in_message || s->around)
			return tmpl_mistake(
			    s, t->all.at, "a message inside a message");
		s->in_message = true;
		t->tag = TAG_MESSAGE;
	}
	s->open[s->depth++] = s->count - 1;
	return RC_OK;
}

static int
close_body(struct scan *s, struct token *t)
{
	struct token *opened;

	if (s->depth == 0)
		return tmpl_mistake(s, t->all.at, "{{/%.*s}} closes nothing",
		    (int)t->name.len, s->text + t->name.at);
	t->match = s->open[s->depth - 1];
	opened = &s->tokens[t->match];
	if (opened->name.len != t->name.len ||
	    memcmp(s->text + opened->name.at, s->text + t->name.at,
		t->name.len) != 0)
		return tmpl_mistake(s, t->all.at,
		    "{{/%.*s}} where \"%.*s\" of line %d is to be closed",
		    (int)t->name.len, s->text + t->name.at,
		    (int)opened->name.len, s->text + opened->name.at,
		    line_of(s->text, opened->all.at));
	opened->match = s->count - 1;
	if (opened->tag == TAG_MESSAGE)
		s->in_message = false;
	s->depth--;
	return RC_OK;
}

static int
scan_content(struct scan *s, struct token *t)
{
	int rc;

	switch (t->tag) {
	case TAG_COMMENT:
		return RC_OK;
	case TAG_DELIMITERS:
		if (tmpl_scan_delimiters(s, t->name, &s->delimiters)) {
			s->last_change = t->name;
			return RC_OK;
		}
		return tmpl_mistake(s, t->all.at,
		    "a change of delimiters names two, such as {{=<%% %%>=}}");
	default:
		rc = check_name(s, t);
	}
	if (rc == RC_OK && t->tag == TAG_CLOSE)
		return close_body(s, t);
	if (rc == RC_OK &&
	    (t->tag == TAG_SECTION || t->tag == TAG_INVERTED ||
		t->tag == TAG_PARENT || t->tag == TAG_BLOCK))
		return open_body(s, t);
	return rc;
}

static enum tag
tag_of(char sigil)
{
	switch (sigil) {
	case '!':
		return TAG_COMMENT;
	case '=':
		return TAG_DELIMITERS;
	case '&':
	case '{':
		return TAG_RAW_VALUE;
	case '#':
		return TAG_SECTION;
	case '^':
		return TAG_INVERTED;
	case '>':
		return TAG_PARTIAL;
	case '<':
		return TAG_PARENT;
	case '$':
		return TAG_BLOCK;
	case '/':
		return TAG_CLOSE;
	default:
		return TAG_VALUE;
	}
}

/* The tag whose opening delimiter is at start; *next is after it. */
static int
scan_tag(struct scan *s, uint32_t start, uint32_t *next)
{
	uint32_t at = start + (uint32_t)strlen(s->delimiters.open), end;
	char close[TMPL_DELIM_MAX + 2] = "";
	size_t close_len = strlen(s->delimiters.close);
	struct token *t;
	enum tag tag;

	while (at < s->len && is_space(s->text[at]))
		at++;
	tag = at < s->len ? tag_of(s->text[at]) : TAG_VALUE;
	if (at < s->len && (s->text[at] == '{' || s->text[at] == '='))
		close[0] = s->text[at] == '{' ? '}' : '=';
	memcpy(close + strlen(close), s->delimiters.close, close_len);
	if (tag != TAG_VALUE)
		at++;
	end = find(s, at, close, strlen(close));
	if (end == s->len)
		return tmpl_mistake(
		    s, start, "the tag is not closed by %s", close);
	*next = end + (uint32_t)strlen(close);
	t = add_token(s, tag, start, *next);
	t->name = trim(s->text, (struct piece){ at, end - at });
	return scan_content(s, t);
}

/* Tags that show something, and so belong to the text around them. */
static bool
is_inline(const struct scan *s, const struct token *t)
{
	return t->tag == TAG_VALUE || t->tag == TAG_RAW_VALUE ||
	    t->tag == TAG_MESSAGE ||
	    (t->tag == TAG_CLOSE && s->tokens[t->match].tag == TAG_MESSAGE);
}

static bool
is_inheritance(const struct scan *s, const struct token *t)
{
	enum tag tag = t->tag == TAG_CLOSE ? s->tokens[t->match].tag : t->tag;

	return tag == TAG_PARENT || tag == TAG_BLOCK;
}

/*
 * A line vanishes when it holds white space and one tag that shows nothing
 * by itself, or only tags of inheritance: {{<page}}{{$title}} may share one.
 */
static bool
is_line_of_tags(const struct scan *s, uint32_t from, uint32_t to)
{
	uint32_t tags = 0, inheritance = 0;

	for (uint32_t i = from; i < to; i++) {
		const struct token *t = &s->tokens[i];

		if (t->tag == TAG_TEXT &&
		    !tmpl_is_blank(s->text + t->all.at, t->all.len))
			return false;
		if (is_inline(s, t))
			return false;
		tags += t->tag != TAG_TEXT;
		inheritance += is_inheritance(s, t);
	}
	return tags == 1 || (tags > 1 && inheritance == tags);
}

static void
mark_line(struct scan *s, uint32_t from, uint32_t to)
{
	struct piece indent = { s->tokens[from].all.at, 0 };

	s->tokens[from].starts_line = true;
	if (!is_line_of_tags(s, from, to))
		return;
	if (s->tokens[from].tag == TAG_TEXT)
		indent.len = s->tokens[from].all.len;
	for (uint32_t i = from; i < to; i++) {
		struct token *t = &s->tokens[i];

		t->alone = true;
		t->indent = indent;
		if (t->tag == TAG_TEXT)
			t->all.len = 0;
	}
}

static void
mark_lines(struct scan *s)
{
	uint32_t from = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		const struct token *t = &s->tokens[i];
		uint32_t end = t->all.at + t->all.len;

		if (i + 1 < s->count &&
		    !(t->tag == TAG_TEXT && s->text[end - 1] == '\n'))
			continue;
		mark_line(s, from, i + 1);
		from = i + 1;
	}
}

int
tmpl_scan(struct scan *s)
{
	uint32_t at = 0;

	if (s->len > TMPL_SOURCE_MAX)
		return tmpl_mistake(
		    s, 0, "the text is above %d bytes", TMPL_SOURCE_MAX);
	while (at < s->len) {
		uint32_t tag =
		    find(s, at, s->delimiters.open, strlen(s->delimiters.open));
		int rc;

		scan_text(s, at, tag);
		if (tag == s->len)
			break;
		rc = scan_tag(s, tag, &at);
		if (rc != RC_OK)
			return rc;
	}
	if (s->depth > 0) {
		const struct token *t = &s->tokens[s->open[s->depth - 1]];

		return tmpl_mistake(s, t->all.at, "\"%.*s\" is never closed",
		    (int)t->name.len, s->text + t->name.at);
	}
	mark_lines(s);
	return RC_OK;
}
