/* form_cookie -- finds a value in a Cookie header. */
#include "form.h"

#define COOKIE_MAX 4096 /* bytes of a value */

/* cookie-octet of RFC 6265 4.1.1 */
static bool
is_cookie_octet(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\",;\\", c);
}

static const char *
cookie_value(struct req *req, const char *s, size_t len)
{
	size_t i;

	if (len >= 2 && s[0] == '"' && s[len - 1] == '"') {
		s++;
		len -= 2;
	}
	if (len > COOKIE_MAX)
		return NULL;
	for (i = 0; i < len; i++)
		if (!is_cookie_octet(s[i]))
			return NULL;
	return arena_strndup(req->arena, s, len);
}

const char *
form_cookie(struct req *req, const char *header, const char *name)
{
	size_t len, name_len = strlen(name);

	if (!header)
		return NULL;
	for (;;) {
		header += strspn(header, " \t;");
		len = strcspn(header, ";");
		if (len == 0)
			return NULL;
		if (len > name_len && header[name_len] == '=' &&
		    strncmp(header, name, name_len) == 0)
			break;
		header += len;
	}
	header += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (header[len - 1] == ' ' || header[len - 1] == '\t'))
		len--;
	return cookie_value(req, header, len);
}
