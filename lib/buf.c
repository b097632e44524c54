/* buf -- see buf.h. */
#include "buf.h"

#define SHORT_TEXT 256 /* is formatted once, longer text twice */

void
buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->over = false;
	if (b->data)
		b->data[0] = '\0';
}

/* size is at most max + 1: what fits in it is also within the maximum. */
static bool
grow(struct buf *b, size_t more)
{
	size_t need, size;
	char *data;

	if (b->over || more > b->max - b->len) {
		b->over = true;
		return false;
	}
	need = b->len + more + 1;
	size = b->size ? b->size : 256;
	while (size < need)
		size *= 2;
	if (size - 1 > b->max)
		size = b->max + 1;
	data = realloc(b->data, size);
	if (!data) {
		b->over = true;
		return false;
	}
	b->data = data;
	b->size = size;
	return true;
}

/* Room for more bytes and a NUL; false when over the maximum. */
static inline bool
reserve(struct buf *b, size_t more)
{
	if (more < b->size - b->len && !b->over)
		return true;
	return grow(b, more);
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_char(struct buf *b, char c)
{
	if (!reserve(b, 1))
		return;
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void
buf_int(struct buf *b, int64_t n)
{
	char digits[20], *p = digits + sizeof(digits);
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (n < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	char text[SHORT_TEXT];
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(text, sizeof(text), fmt, again);
	va_end(again);
	if (len >= 0 && (size_t)len < sizeof(text)) {
		buf_add(b, text, (size_t)len);
		return;
	}
	if (len < 0 || !reserve(b, (size_t)len))
		return;
	vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
	b->len += (size_t)len;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

static const char *const html_escape[256] = {
	['&'] = "&amp;",
	['<'] = "&lt;",
	['>'] = "&gt;",
	['"'] = "&quot;",
	['\''] = "&#39;",
};

void
buf_html(struct buf *b, const char *s, size_t len)
{
	const char *end = s + len, *run = s;

	for (; s < end; s++) {
		const char *escape = html_escape[(unsigned char)*s];

		if (!escape)
			continue;
		buf_add(b, run, (size_t)(s - run));
		buf_str(b, escape);
		run = s + 1;
	}
	buf_add(b, run, (size_t)(s - run));
}

static const char hex_upper[] = "0123456789ABCDEF";
static const char hex_lower[] = "0123456789abcdef";

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

void
buf_url(struct buf *b, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		char escape[3] = { '%', hex_upper[c >> 4], hex_upper[c & 15] };

		if (is_unreserved(c))
			buf_char(b, (char)c);
		else
			buf_add(b, escape, 3);
	}
}

/* Length of the UTF-8 sequence at s (1..4), or 0 when it is not one. */
static size_t
utf8_length(const unsigned char *s, size_t len)
{
	static const unsigned char second_min[5] = { 0xe0, 0xa0, 0xf0, 0x90 };
	size_t n = s[0] < 0x80 ? 1 :
	    s[0] < 0xc2	       ? 0 :
	    s[0] < 0xe0	       ? 2 :
	    s[0] < 0xf0	       ? 3 :
	    s[0] < 0xf5	       ? 4 :
				 0;

	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates and what is past U+10FFFF. */
	if ((s[0] == second_min[0] && s[1] < second_min[1]) ||
	    (s[0] == second_min[2] && s[1] < second_min[3]) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void
json_escape(struct buf *b, unsigned char c)
{
	char unicode[6] = { '\\', 'u', '0', '0', hex_lower[c >> 4],
		hex_lower[c & 15] };
	const char *short_form = c == '"' ? "\\\"" :
	    c == '\\'			  ? "\\\\" :
	    c == '\n'			  ? "\\n" :
	    c == '\r'			  ? "\\r" :
	    c == '\t'			  ? "\\t" :
					    NULL;

	if (short_form)
		buf_add(b, short_form, 2);
	else
		buf_add(b, unicode, 6);
}

/* Stands for itself in JSON. */
static const bool json_plain[256] = {
	[0x20 ... 0x21] = true, /* not " */
	[0x23 ... 0x5b] = true, /* not \ */
	[0x5d ... 0x7e] = true,
};

/* U+0080 to U+009F, which terminals obey, and U+2028 and U+2029, where some
 * end a line. */
static bool
is_control(const unsigned char *u)
{
	return (u[0] == 0xc2 && u[1] < 0xa0) ||
	    (u[0] == 0xe2 && u[1] == 0x80 && (u[2] & 0xfe) == 0xa8);
}

static void
json_escape_long(struct buf *b, const unsigned char *u, size_t n)
{
	buf_printf(b, "\\u%04x",
	    n == 2 ? (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu) :
		     0x2000u | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu));
}

void
buf_json(struct buf *b, const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t run = 0, i = 0;

	while (i < len) {
		size_t n;

		if (json_plain[u[i]]) {
			i++;
			continue;
		}
		n = utf8_length(u + i, len - i);
		if (n > 1 && !is_control(u + i)) {
			i += n;
			continue;
		}
		buf_add(b, s + run, i - run);
		if (n > 1)
			json_escape_long(b, u + i, n);
		else
			json_escape(b, u[i]);
		i += n > 1 ? n : 1;
		run = i;
	}
	buf_add(b, s + run, i - run);
}
