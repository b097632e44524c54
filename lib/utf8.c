/* utf8 -- checks, counts and trims text from outside; see utf8.h. */
#include "utf8.h"

/* What the lead byte says: how long, which bits are text, and the smallest
 * character that needs this length (a smaller one is an overlong form). */
static const struct {
	unsigned char mask, lead;
	uint32_t least;
} kinds[] = {
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

static size_t
next_long(const unsigned char *s, size_t len, uint32_t *ch)
{
	uint32_t c;
	size_t i, more;

	for (more = 0; more < LENGTH(kinds); more++)
		if ((s[0] & kinds[more].mask) == kinds[more].lead)
			break;
	if (more == LENGTH(kinds) || len < more + 2)
		return 0;
	c = s[0] & (unsigned char)~kinds[more].mask;
	for (i = 1; i <= more + 1; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < kinds[more].least || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ch = c;
	return more + 2;
}

size_t
utf8_next(const char *s, size_t len, uint32_t *ch)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] < 0x80) {
		*ch = u[0];
		return 1;
	}
	return next_long(u, len, ch);
}

bool
utf8_valid(const char *s, size_t len)
{
	const char *end = s + len;
	uint32_t ch;
	size_t n;

	for (; s < end; s += n) {
		n = utf8_next(s, (size_t)(end - s), &ch);
		if (n == 0)
			return false;
	}
	return true;
}

size_t
utf8_count(const char *s, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

static bool
between(uint32_t ch, uint32_t first, uint32_t last)
{
	return ch >= first && ch <= last;
}

/* Characters that end a line, turn the writing direction or hide. */
static bool
is_tricky(uint32_t ch)
{
	if (ch < 0xa0)
		return ch < 0x20 || ch >= 0x7f;
	if (ch < 0x200b)
		return false;
	return ch == 0x200b ||		    /* zero width space */
	    between(ch, 0x2028, 0x202e) ||  /* separators, bidi overrides */
	    between(ch, 0x2060, 0x206f) ||  /* invisible, bidi isolates */
	    ch == 0x3164 || ch == 0xffa0 || /* Hangul fillers: no names */
	    ch == 0xfeff ||		    /* byte order mark */
	    between(ch, 0xfdd0, 0xfdef) ||  /* noncharacters */
	    between(ch, 0xfff9, 0xfffb) ||  /* interlinear annotation */
	    (ch & 0xfffe) == 0xfffe;	    /* noncharacters */
}

bool
utf8_one_line(const char *s, size_t len)
{
	const char *end = s + len;
	uint32_t ch;
	size_t n;

	for (; s < end; s += n) {
		n = utf8_next(s, (size_t)(end - s), &ch);
		if (n == 0 || is_tricky(ch))
			return false;
	}
	return true;
}

/* U+3000 matters most: it is what a Korean or Japanese keyboard may give. */
static bool
is_space(uint32_t ch)
{
	return ch == ' ' || between(ch, '\t', '\r') || ch == 0xa0 ||
	    ch == 0x1680 || between(ch, 0x2000, 0x200a) || ch == 0x202f ||
	    ch == 0x205f || ch == 0x3000;
}

void
utf8_trim(const char **s, size_t *len)
{
	const char *from = *s, *end = *s + *len, *p;
	uint32_t ch;
	size_t n;

	while (from < end &&
	    (n = utf8_next(from, (size_t)(end - from), &ch)) > 0 &&
	    is_space(ch))
		from += n;
	while (end > from) {
		p = end - 1;
		while (p > from && ((unsigned char)*p & 0xc0) == 0x80)
			p--;
		if (utf8_next(p, (size_t)(end - p), &ch) == 0 || !is_space(ch))
			break;
		end = p;
	}
	*s = from;
	*len = (size_t)(end - from);
}
