/* http -- status texts, headers, cookies, dates, URLs; see http.h. */
#include "http.h"

#include "buf.h"
#include "log.h"
#include "utf8.h"

#include <ctype.h>

#define LOCAL_URL_MAX 2000
#define LAST_SECOND 253402300799 /* 9999-12-31T23:59:59Z */

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};
	size_t i;

	for (i = 0; i < LENGTH(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

int
http_status(enum rc rc)
{
	switch (rc) {
	case RC_OK:
		return 200;
	case RC_BAD_INPUT:
		return 400;
	case RC_LOGIN:
		return 401;
	case RC_FORBIDDEN:
		return 403;
	case RC_NOT_FOUND:
		return 404;
	case RC_METHOD:
		return 405;
	case RC_CONFLICT:
		return 409;
	case RC_TOO_LARGE:
		return 413;
	case RC_MEDIA:
		return 415;
	case RC_TOO_MANY:
		return 429;
	case RC_DOWN:
		return 503;
	case RC_BUG:
		break;
	}
	return 500;
}

/* token of RFC 9110 5.6.2 */
static bool
is_token(const char *s)
{
	size_t n = strspn(s,
	    "!#$%&'*+-.^_`|~0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return n > 0 && s[n] == '\0';
}

static bool
has_control(const char *s)
{
	for (; *s; s++)
		if (iscntrl((unsigned char)*s))
			return true;
	return false;
}

void
http_header(struct req *req, const char *name, const char *value)
{
	if (!is_token(name) || has_control(value)) {
		log_msg(LOG_ERROR, "http.header", "left out: %s", name);
		return;
	}
	buf_str(req->headers, name);
	buf_add(req->headers, ": ", 2);
	buf_str(req->headers, value);
	buf_add(req->headers, "\r\n", 2);
}

void
http_headerf(struct req *req, const char *name, const char *fmt, ...)
{
	const char *value;
	va_list ap;

	va_start(ap, fmt);
	value = arena_vprintf(req->arena, fmt, ap);
	va_end(ap);
	http_header(req, name, value);
}

/* cookie-octet of RFC 6265 4.1.1, all the way */
static bool
is_cookie_value(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("\",;\\", *s))
			return false;
	return true;
}

const char *
http_cookie_name(struct req *req, const char *name)
{
	if (!req->https)
		return name;
	return arena_printf(req->arena, "__Host-%s", name);
}

/* Expires beside Max-Age, for readers that only know the older one. */
static const char *
cookie_age(struct req *req, int age)
{
	char date[30];

	if (age == 0)
		return "";
	http_date(age < 0 ? 0 : time(NULL) + age, date);
	return arena_printf(
	    req->arena, "; Max-Age=%d; Expires=%s", age < 0 ? 0 : age, date);
}

void
http_cookie(struct req *req, const char *name, const char *value, int age)
{
	if (!is_token(name) || !is_cookie_value(value)) {
		log_msg(LOG_ERROR, "http.cookie", "left out: %s", name);
		return;
	}
	http_headerf(req, "Set-Cookie",
	    "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
	    http_cookie_name(req, name), age < 0 ? "" : value,
	    req->https ? "; Secure" : "", cookie_age(req, age));
}

static char *
two_digits(char *p, int n)
{
	*p++ = (char)('0' + n / 10 % 10);
	*p++ = (char)('0' + n % 10);
	return p;
}

/* Not strftime(): its names follow the locale. */
void
http_date(time_t when, char out[30])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char *p = out;
	struct tm tm;

	if (when < 0)
		when = 0;
	if (when > LAST_SECOND)
		when = LAST_SECOND;
	gmtime_r(&when, &tm);
	p = mempcpy(p, days + 3 * tm.tm_wday, 3);
	p = mempcpy(p, ", ", 2);
	p = two_digits(p, tm.tm_mday);
	*p++ = ' ';
	p = mempcpy(p, months + 3 * tm.tm_mon, 3);
	*p++ = ' ';
	p = two_digits(p, (tm.tm_year + 1900) / 100);
	p = two_digits(p, (tm.tm_year + 1900) % 100);
	*p++ = ' ';
	p = two_digits(p, tm.tm_hour);
	*p++ = ':';
	p = two_digits(p, tm.tm_min);
	*p++ = ':';
	p = two_digits(p, tm.tm_sec);
	p = mempcpy(p, " GMT", 4);
	*p = '\0';
}

static const char *
skip_weak(const char *tag)
{
	return strncmp(tag, "W/", 2) == 0 ? tag + 2 : tag;
}

/* The end of the quoted tag at s, NULL when it is not one. */
static const char *
tag_end(const char *s)
{
	if (*s != '"')
		return NULL;
	for (s++; *s && *s != '"'; s++)
		if (*s == ' ' || iscntrl((unsigned char)*s))
			return NULL;
	return *s == '"' ? s + 1 : NULL;
}

bool
http_etag_matches(const char *if_none_match, const char *etag)
{
	const char *s = if_none_match, *end;
	size_t len;

	if (!s || !etag)
		return false;
	etag = skip_weak(etag);
	len = strlen(etag);
	s += strspn(s, " \t");
	if (*s == '*')
		return s[1 + strspn(s + 1, " \t")] == '\0';
	for (;;) {
		s += strspn(s, " \t,");
		s = skip_weak(s);
		end = tag_end(s);
		if (!end)
			return false;
		if ((size_t)(end - s) == len && memcmp(s, etag, len) == 0)
			return true;
		s = end + strspn(end, " \t");
		if (*s && *s != ',')
			return false;
	}
}

/* An escape that would be a slash, a backslash or a control character once a
 * server or browser has decoded it; in the query a slash is harmless. */
static bool
is_bad_escape(const char *s, bool in_path)
{
	char hex[3] = { 0 };
	long byte;

	if (!isxdigit((unsigned char)s[1]) || !isxdigit((unsigned char)s[2]))
		return true;
	memcpy(hex, s + 1, 2);
	byte = strtol(hex, NULL, 16);
	return byte < 0x20 || byte == 0x7f ||
	    (in_path && (byte == '/' || byte == '\\'));
}

bool
http_url_is_local(const char *url)
{
	bool in_path = true;
	const char *p;

	if (!url || *url != '/')
		return false;
	if (strlen(url) > LOCAL_URL_MAX || strstr(url, "//") ||
	    !utf8_one_line(url, strlen(url)))
		return false;
	for (p = url; *p; p++) {
		if (*p == '?' || *p == '#')
			in_path = false;
		if (*p == ' ' || *p == '\\' ||
		    (*p == '%' && is_bad_escape(p, in_path)))
			return false;
	}
	return true;
}

bool
http_origin_listed(const char *origin, const char *list)
{
	size_t len, n;

	if (!origin || !*origin || !list)
		return false;
	len = strlen(origin);
	for (;;) {
		list += strspn(list, " \t,");
		if (!*list)
			return false;
		n = strcspn(list, " \t,");
		if (n == len && memcmp(list, origin, len) == 0)
			return true;
		list += n;
	}
}

const char *
http_url_quote(struct req *req, const char *text)
{
	size_t len = strlen(text);
	struct buf quoted = BUF_INIT(3 * len + 1);
	const char *copy;

	if (len == 0)
		return "";
	buf_url(&quoted, text, len);
	copy = arena_strndup(req->arena, quoted.data, quoted.len);
	buf_free(&quoted);
	return copy;
}
