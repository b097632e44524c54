/* multipart -- reads multipart/form-data bodies; see multipart.h. */
#include "multipart.h"
#include "utf8.h"

#include <strings.h>

/* Text that is being read from front to back. */
struct scan {
	const char *at, *end;
};

/* The header lines of one part that matter. */
struct head {
	struct scan disposition, type; /* at NULL: not there */
};

static int
refuse(struct multipart *m, const char *why)
{
	m->why = why;
	return RC_BAD_INPUT;
}

static bool
is_token_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

/* bchars of RFC 2046 5.1.1; a space may not end it, we take none at all. */
static bool
is_boundary(const char *s)
{
	size_t n = strspn(s,
	    "0123456789'()+_,-./:=?"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return n > 0 && n <= MULTIPART_BOUNDARY_MAX && s[n] == '\0';
}

static void
skip_blanks(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

static bool
skip_char(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool
skip_text(struct scan *s, const char *text, size_t len)
{
	if ((size_t)(s->end - s->at) < len || memcmp(s->at, text, len) != 0)
		return false;
	s->at += len;
	return true;
}

/* A token in lower case, "" when there is none. */
static char *
take_token(struct scan *s, struct arena *arena)
{
	const char *from = s->at;
	char *token, *p;

	while (s->at < s->end && is_token_char(*s->at))
		s->at++;
	token = arena_strndup(arena, from, (size_t)(s->at - from));
	for (p = token; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return token;
}

/* The closing quote of the quoted string at s->at, NULL when it has none.
 * Only \" and \\ are escapes: old browsers send whole Windows paths. */
static const char *
quote_end(const struct scan *s)
{
	const char *p;

	for (p = s->at; p < s->end && *p != '"'; p++)
		if (*p == '\\' && s->end - p > 1 &&
		    (p[1] == '"' || p[1] == '\\'))
			p++;
	return p < s->end ? p : NULL;
}

static char *
take_quoted(struct scan *s, struct arena *arena)
{
	const char *end = quote_end(s);
	char *text, *p;

	if (!end)
		return NULL;
	p = text = arena_alloc(arena, (size_t)(end - s->at) + 1);
	while (s->at < end) {
		if (*s->at == '\\' && (s->at[1] == '"' || s->at[1] == '\\'))
			s->at++;
		*p++ = *s->at++;
	}
	*p = '\0';
	s->at = end + 1;
	return text;
}

/* A parameter's value: a quoted string, or all up to the next ";". */
static char *
take_value(struct scan *s, struct arena *arena)
{
	const char *from, *end;

	if (skip_char(s, '"'))
		return take_quoted(s, arena);
	from = s->at;
	while (s->at < s->end && *s->at != ';')
		s->at++;
	for (end = s->at; end > from; end--)
		if (end[-1] != ' ' && end[-1] != '\t')
			break;
	return arena_strndup(arena, from, (size_t)(end - from));
}

/* The next "; name=value": 1, 0 at the end, or RC_BAD_INPUT. */
static int
take_param(struct scan *s, struct arena *arena, char **name, char **value)
{
	skip_blanks(s);
	if (s->at == s->end)
		return 0;
	if (!skip_char(s, ';'))
		return RC_BAD_INPUT;
	skip_blanks(s);
	*name = take_token(s, arena);
	if (!**name || !skip_char(s, '='))
		return RC_BAD_INPUT;
	*value = take_value(s, arena);
	return *value ? 1 : RC_BAD_INPUT;
}

int
multipart_begin(struct multipart *m, struct arena *arena,
    const char *content_type, const char *body, size_t len)
{
	struct scan s = { content_type, content_type + strlen(content_type) };
	char *name, *value, *boundary = NULL;
	int rc;

	*m =
	    (struct multipart){ .arena = arena, .at = body, .end = body + len };
	s.at += strcspn(s.at, ";");
	while ((rc = take_param(&s, arena, &name, &value)) > 0) {
		if (strcmp(name, "boundary") != 0)
			continue;
		if (boundary)
			return refuse(m, "two boundary parameters");
		boundary = value;
	}
	if (rc < 0)
		return refuse(m, "bad Content-Type");
	if (!boundary || !is_boundary(boundary))
		return refuse(m, "no valid boundary");
	memcpy(m->mark, "\r\n--", 4);
	m->mark_len = 4 + strlen(boundary);
	memcpy(m->mark + 4, boundary, m->mark_len - 4);
	return RC_OK;
}

/* The end of the line at s->at, NULL when the body ends before. */
static const char *
line_end(const struct scan *s)
{
	return memmem(s->at, (size_t)(s->end - s->at), "\r\n", 2);
}

/* Is the header line of that name?  Then s is left at its value. */
static bool
line_is(struct scan *line, const char *name)
{
	size_t len = strlen(name);

	if ((size_t)(line->end - line->at) <= len || line->at[len] != ':' ||
	    strncasecmp(line->at, name, len) != 0)
		return false;
	line->at += len + 1;
	skip_blanks(line);
	return true;
}

static int
keep_line(struct multipart *m, const struct scan *line, struct scan *kept)
{
	if (kept->at)
		return refuse(m, "a header twice in one part");
	*kept = *line;
	return RC_OK;
}

static int
read_line(struct multipart *m, struct scan line, struct head *head)
{
	const char *name = line.at;

	while (name < line.end && is_token_char(*name))
		name++;
	if (name == line.at || name == line.end || *name != ':')
		return refuse(m, "not a header line");
	if (line_is(&line, "Content-Disposition"))
		return keep_line(m, &line, &head->disposition);
	if (line_is(&line, "Content-Type"))
		return keep_line(m, &line, &head->type);
	if (line_is(&line, "Content-Transfer-Encoding"))
		return refuse(m, "Content-Transfer-Encoding");
	return RC_OK; /* RFC 7578 4.8: others are to be ignored */
}

/* Reads the header lines and the empty line after them. */
static int
read_head(struct multipart *m, struct head *head)
{
	struct scan s = { m->at, m->end };
	const char *end;
	int rc;

	if (s.end - s.at > MULTIPART_HEAD_MAX)
		s.end = s.at + MULTIPART_HEAD_MAX;
	*head = (struct head){ 0 };
	while ((end = line_end(&s)) && end != s.at) {
		rc = read_line(m, (struct scan){ s.at, end }, head);
		if (rc < 0)
			return rc;
		s.at = end + 2;
	}
	if (!end)
		return refuse(m, "header lines do not end");
	m->at = end + 2;
	return RC_OK;
}

/* Only the last component: where it lay on the sender's disk is nobody's
 * business, and ".." must never become a path of ours. */
static const char *
last_component(const char *path)
{
	const char *p, *last = path;

	for (p = path; *p; p++)
		if (*p == '/' || *p == '\\')
			last = p + 1;
	return last;
}

static bool
name_is_good(const char *name)
{
	return utf8_one_line(name, strlen(name)) && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0;
}

static int
set_name(struct multipart *m, const char **name, const char *value)
{
	if (*name)
		return refuse(m, "a name twice in one part");
	if (!name_is_good(value))
		return refuse(m, "a name that is no plain text");
	*name = value;
	return RC_OK;
}

static int
read_param(struct multipart *m, const char *name, const char *value,
    struct multipart_part *part)
{
	if (strcmp(name, "name") == 0)
		return set_name(m, &part->name, value);
	if (strcmp(name, "filename") == 0)
		return set_name(m, &part->filename, last_component(value));
	if (strcmp(name, "filename*") == 0)
		return refuse(m, "filename*"); /* RFC 7578 4.2: MUST NOT */
	return RC_OK;
}

static int
read_disposition(
    struct multipart *m, struct scan s, struct multipart_part *part)
{
	char *name, *value;
	int rc;

	/* NUL would cut the names that are compared and kept. */
	if (!s.at || memchr(s.at, '\0', (size_t)(s.end - s.at)) ||
	    strcmp(take_token(&s, m->arena), "form-data") != 0)
		return refuse(m, "no Content-Disposition: form-data");
	while ((rc = take_param(&s, m->arena, &name, &value)) > 0) {
		rc = read_param(m, name, value, part);
		if (rc < 0)
			return rc;
	}
	if (rc < 0 || !part->name)
		return refuse(m, "bad Content-Disposition");
	return RC_OK;
}

static int
read_type(struct multipart *m, struct scan s, struct multipart_part *part)
{
	char *type, *subtype;

	if (!s.at)
		return RC_OK;
	type = take_token(&s, m->arena);
	if (!*type || !skip_char(&s, '/'))
		return refuse(m, "bad Content-Type in a part");
	subtype = take_token(&s, m->arena);
	skip_blanks(&s);
	if (!*subtype || (s.at < s.end && *s.at != ';'))
		return refuse(m, "bad Content-Type in a part");
	if (strcmp(type, "multipart") == 0)
		return refuse(m, "nested multipart");
	part->type = arena_printf(m->arena, "%s/%s", type, subtype);
	return RC_OK;
}

/* Reads the part that begins at m->at, up to the CRLF before the mark. */
static int
read_part(struct multipart *m, struct multipart_part *part)
{
	struct head head;
	const char *end;
	int rc;

	*part = (struct multipart_part){ .type = "application/octet-stream" };
	rc = read_head(m, &head);
	if (rc == RC_OK)
		rc = read_disposition(m, head.disposition, part);
	if (rc == RC_OK)
		rc = read_type(m, head.type, part);
	if (rc < 0)
		return rc;
	/* From the CRLF of the empty line on: a mark that needs it was not
	 * preceded by one of its own, and is not part of the data either. */
	end = memmem(
	    m->at - 2, (size_t)(m->end - m->at) + 2, m->mark, m->mark_len);
	if (!end)
		return refuse(m, "no boundary after a part");
	if (end < m->at)
		return refuse(m, "no empty line before a boundary");
	part->data = m->at;
	part->len = (size_t)(end - m->at);
	m->at = end;
	return 1;
}

/* Behind the closing mark, which has "--" after it. */
static int
read_end(struct multipart *m, struct scan s)
{
	if (s.at != s.end && !(skip_text(&s, "\r\n", 2) && s.at == s.end))
		return refuse(m, "text after the last boundary");
	m->at = m->end;
	return 0;
}

int
multipart_next(struct multipart *m, struct multipart_part *part)
{
	struct scan s = { m->at, m->end };
	/* The first mark has no CRLF before it. */
	size_t skip = m->parts == 0 ? 2 : 0;

	if (!skip_text(&s, m->mark + skip, m->mark_len - skip))
		return refuse(m, "no boundary at the begin");
	if (skip_text(&s, "--", 2))
		return read_end(m, s);
	if (!skip_text(&s, "\r\n", 2))
		return refuse(m, "text after a boundary");
	if (m->parts == MULTIPART_PARTS_MAX) {
		m->why = "too many parts";
		return RC_TOO_LARGE;
	}
	m->parts++;
	m->at = s.at;
	return read_part(m, part);
}
