/* form_urlencoded -- reads name=value&name=value, in an address or a body. */
#include "form_internal.h"

#include "utf8.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes into out, which has room for len bytes and a NUL.  False for a bad
 * escape, NUL, or what is not UTF-8. */
static bool
decode(const char *s, size_t len, char *out, size_t *out_len)
{
	const char *end = s + len;
	char *p = out;
	int high, low;

	for (; s < end; s++) {
		if (*s != '%') {
			*p++ = *s == '+' ? ' ' : *s;
			continue;
		}
		if (end - s < 3)
			return false;
		high = hex_value(s[1]);
		low = hex_value(s[2]);
		if (high < 0 || low < 0)
			return false;
		*p++ = (char)(high << 4 | low);
		s += 2;
	}
	*p = '\0';
	*out_len = (size_t)(p - out);
	return !memchr(out, '\0', *out_len) && utf8_valid(out, *out_len);
}

/* One escaped byte is three: a longer name is none of ours. */
static int
admit_encoded(struct req *req, const char *name, size_t len, unsigned from,
    struct value **v)
{
	char plain[3 * FORM_NAME_MAX + 1];
	size_t n;

	if (len >= sizeof(plain))
		return form_admit(req, "", 0, from, v);
	if (decode(name, len, plain, &n))
		return form_admit(req, plain, n, from, v);
	if (from == FIELD_BODY)
		return form_bad_text(req);
	return form_admit(req, "", 0, from, v);
}

static int
keep_encoded(
    struct req *req, struct value *v, unsigned from, const char *s, size_t len)
{
	char *text;
	size_t n;

	/* In an address the first wins: it is often pasted together. */
	if (from == FIELD_QUERY && v->from)
		return RC_OK;
	if (form_claim(req, v, from) < 0)
		return RC_BAD_INPUT;
	text = arena_alloc(req->arena, len + 1);
	if (!decode(s, len, text, &n))
		return form_bad_text(req);
	v->text = text;
	v->len = n;
	return RC_OK;
}

static int
read_pair(struct req *req, const char *s, size_t len, unsigned from)
{
	const char *equals = memchr(s, '=', len);
	size_t name_len = equals ? (size_t)(equals - s) : len;
	const char *text = equals ? equals + 1 : s + len;
	struct value *v = NULL;
	int rc;

	rc = form_count_pair(req);
	if (rc == RC_OK)
		rc = admit_encoded(req, s, name_len, from, &v);
	if (rc < 0 || !v)
		return rc;
	return keep_encoded(req, v, from, text, (size_t)(s + len - text));
}

int
form_read_pairs(struct req *req, const char *s, size_t len, unsigned from)
{
	const char *end = s + len, *amp;
	int rc = RC_OK;

	while (s < end && rc == RC_OK) {
		amp = memchr(s, '&', (size_t)(end - s));
		if (!amp)
			amp = end;
		if (amp > s)
			rc = read_pair(req, s, (size_t)(amp - s), from);
		s = amp + 1;
	}
	return rc;
}
