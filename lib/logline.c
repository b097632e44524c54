/* logline -- reads a line of the log in place; see logline.h. */
#include "logline.h"

#define DEPTH_MAX 64 /* of what is passed over: more is no line of ours */

#define EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS EVERY(0x80)

/* --- the letters of a text --- */

/* Is one of eight bytes zero?  Exact as a whole; which one it is, is not. */
static inline bool
has_zero(uint64_t bytes)
{
	return ((bytes - EVERY(0x01)) & ~bytes & HIGH_BITS) != 0;
}

/* Eight bytes of plain text: no quote, no backslash, no control character. */
static inline bool
is_plain(const char *s)
{
	uint64_t bytes;

	memcpy(&bytes, s, sizeof(bytes));
	return !has_zero(bytes ^ EVERY('"')) &&
	    !has_zero(bytes ^ EVERY('\\')) &&
	    ((bytes - EVERY(0x20)) & ~bytes & HIGH_BITS) == 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four digits of \uXXXX; -1 for what is none. */
static int32_t
unit_at(const char *s, const char *end)
{
	int32_t unit = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_value(s[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* How long the escape is that begins with the backslash at s; 0: it is none. */
static size_t
escape_length(const char *s, const char *end)
{
	if (end - s < 2)
		return 0;
	if (s[1] == 'u')
		return unit_at(s + 2, end) < 0 ? 0 : 6;
	return s[1] && strchr("\"\\/bfnrt", s[1]) ? 2 : 0;
}

/* From behind the first quote to the last one; NULL when there is none. */
static const char *
end_of_text(const char *s, const char *end, bool *escaped)
{
	size_t escape;

	*escaped = false;
	for (;;) {
		while (end - s >= 8 && is_plain(s))
			s += 8;
		if (s == end || (unsigned char)*s < 0x20)
			return NULL;
		if (*s == '"')
			return s;
		if (*s != '\\') {
			s++;
			continue;
		}
		escape = escape_length(s, end);
		if (escape == 0)
			return NULL;
		*escaped = true;
		s += escape;
	}
}

/* --- values --- */

static inline const char *
skip_space(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n'))
		s++;
	return s;
}

static const char *
skip_digits(const char *s, const char *end)
{
	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s;
}

/* A number as RFC 8259 has it; NULL for what is none. */
static const char *
end_of_number(const char *s, const char *end)
{
	const char *digits = s + (s < end && *s == '-');

	s = skip_digits(digits, end);
	if (s == digits || (*digits == '0' && s - digits > 1))
		return NULL;
	if (s < end && *s == '.') {
		digits = s + 1;
		s = skip_digits(digits, end);
		if (s == digits)
			return NULL;
	}
	if (s < end && (*s == 'e' || *s == 'E')) {
		s++;
		digits = s + (s < end && (*s == '-' || *s == '+'));
		s = skip_digits(digits, end);
		if (s == digits)
			return NULL;
	}
	return s;
}

static const char *
end_of_word(const char *s, const char *end)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < LENGTH(words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(end - s) >= len && memcmp(s, words[i], len) == 0)
			return s + len;
	}
	return end_of_number(s, end);
}

/* Passes over an object or a list, which no line of ours has: only as far as
 * brackets and texts go. */
static const char *
end_of_nested(const char *s, const char *end)
{
	char open[DEPTH_MAX];
	size_t depth = 0;
	bool unused;

	for (; s < end; s++) {
		if (*s == '"') {
			s = end_of_text(s + 1, end, &unused);
			if (!s)
				return NULL;
		} else if (*s == '{' || *s == '[') {
			if (depth == DEPTH_MAX)
				return NULL;
			open[depth++] = *s == '{' ? '}' : ']';
		} else if (*s == '}' || *s == ']') {
			if (open[--depth] != *s)
				return NULL;
			if (depth == 0)
				return s + 1;
		}
	}
	return NULL;
}

/* Reads a text, from its quote on; where it ends, NULL when it is broken. */
static const char *
read_text(const char *s, const char *end, struct logline_value *text)
{
	const char *last;

	if (s == end || *s != '"')
		return NULL;
	last = end_of_text(s + 1, end, &text->escaped);
	if (!last)
		return NULL;
	text->s = s + 1;
	text->len = (size_t)(last - text->s);
	text->text = true;
	return last + 1;
}

static const char *
read_value(const char *s, const char *end, struct logline_value *value)
{
	const char *last;

	if (s < end && *s == '"')
		return read_text(s, end, value);
	last = end_of_word(s, end);
	if (last)
		*value =
		    (struct logline_value){ .s = s, .len = (size_t)(last - s) };
	return last;
}

/* --- keys and values --- */

/*
 * One key with its value, and what parts it from the next; where that begins,
 * NULL at a mistake.  *flat: it was a value that can be told of.
 */
static const char *
read_pair(const char *s, const char *end, struct logline_value *key,
    struct logline_value *value, bool *flat)
{
	s = read_text(skip_space(s, end), end, key);
	if (!s)
		return NULL;
	s = skip_space(s, end);
	if (s == end || *s != ':')
		return NULL;
	s = skip_space(s + 1, end);
	*flat = s == end || (*s != '{' && *s != '[');
	s = *flat ? read_value(s, end, value) : end_of_nested(s, end);
	if (!s)
		return NULL;
	s = skip_space(s, end);
	return s < end && (*s == ',' || *s == '}') ? s : NULL;
}

bool
logline_next(const char **at, const char *end, struct logline_value *key,
    struct logline_value *value)
{
	const char *s = skip_space(*at, end);
	bool flat;

	/* The brace before the first pair, the comma before another one. */
	while (s < end && (*s == '{' || *s == ',')) {
		s = read_pair(s + 1, end, key, value, &flat);
		if (!s)
			break;
		if (flat) {
			*at = s;
			return true;
		}
	}
	*at = end;
	return false;
}

/* Where it ends; NULL for the first half of a line, or the second: a write was
 * cut. */
static const char *
end_of_line(const char *line, size_t len)
{
	const char *end = line + len;

	while (end > line && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	return end - line < 2 || *line != '{' || end[-1] != '}' ? NULL : end;
}

/* The place of a name among the keys; n when it is none of them. */
static size_t
place_of(const struct logline_value *name, const char *const *keys, size_t n)
{
	size_t i = 0;

	while (i < n &&
	    (name->len == 0 || keys[i][0] != name->s[0] ||
		!logline_is(name, keys[i])))
		i++;
	return i;
}

bool
logline_find_all(const char *line, size_t len, const char *const *keys,
    size_t n, struct logline_value *values)
{
	const char *end = end_of_line(line, len);
	struct logline_value name, found;
	size_t left = n, i;

	memset(values, 0, n * sizeof(values[0]));
	if (!end)
		return false;
	while (left && logline_next(&line, end, &name, &found)) {
		i = place_of(&name, keys, n);
		if (i == n)
			continue;
		left -= !values[i].s;
		values[i] = found;
	}
	return true;
}

bool
logline_find(
    const char *line, size_t len, const char *key, struct logline_value *value)
{
	const char *end = end_of_line(line, len);
	struct logline_value name, found;

	if (!end)
		return false;
	while (logline_next(&line, end, &name, &found)) {
		if (logline_is(&name, key)) {
			*value = found;
			return true;
		}
	}
	return false;
}

/* --- what a value says --- */

int64_t
logline_int(const struct logline_value *value, int64_t otherwise)
{
	const char *s = value->s, *end = s + value->len;
	bool negative = s < end && *s == '-';
	int64_t n = 0;

	s += negative;
	if (value->text || s == end)
		return otherwise;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_sub_overflow(n, *s - '0', &n))
			return otherwise;
	}
	/* Counted downwards: there is one more below zero than above. */
	if (!negative && n == INT64_MIN)
		return otherwise;
	return negative ? n : -n;
}

int64_t
logline_us(const struct logline_value *value, int64_t otherwise)
{
	const char *s = value->s, *end = s + value->len;
	const char *point = skip_digits(s, end);
	struct logline_value seconds = { .s = s, .len = (size_t)(point - s) };
	int64_t us = logline_int(&seconds, -1), unit = 100000;

	if (us < 0 || __builtin_mul_overflow(us, 1000000, &us))
		return otherwise;
	if (point == end)
		return us;
	s = point + 1;
	if (*point != '.' || s == end || skip_digits(s, end) != end)
		return otherwise;
	for (; s < end; s++, unit /= 10) {
		if (__builtin_add_overflow(us, unit * (*s - '0'), &us))
			return otherwise;
	}
	return us;
}

/* The character of the escape at *s, which goes behind it.  Half of a pair
 * of surrogates is no character. */
static uint32_t
unescape(const char **s, const char *end)
{
	static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *name = strchr(names, (*s)[1]);
	int32_t high, low;

	*s += 2;
	if ((*s)[-1] != 'u')
		return (unsigned char)(name ? meant[name - names] : (*s)[-1]);
	high = unit_at(*s, end);
	*s += 4;
	if (high < 0xd800 || high > 0xdfff)
		return (uint32_t)high;
	if (high > 0xdbff || end - *s < 6 || (*s)[0] != '\\' || (*s)[1] != 'u')
		return 0xfffd;
	low = unit_at(*s + 2, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*s += 6;
	return 0x10000 +
	    ((uint32_t)(high - 0xd800) << 10 | (uint32_t)(low - 0xdc00));
}

static size_t
encode(uint32_t ch, char out[4])
{
	static const unsigned char leads[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t more = (ch >= 0x80) + (ch >= 0x800) + (ch >= 0x10000);

	for (size_t i = more; i > 0; i--, ch >>= 6)
		out[i] = (char)(0x80 | (ch & 0x3f));
	out[0] = (char)(leads[more] | ch);
	return more + 1;
}

/* The next bytes of a text that stand together, into part; how many. */
static size_t
next_part(const char **s, const char *end, char part[4])
{
	size_t n = 1;

	if (**s == '\\')
		return encode(unescape(s, end), part);
	/* A character is never cut in two. */
	part[0] = *(*s)++;
	if ((part[0] & 0xc0) != 0xc0)
		return n;
	while (n < 4 && *s < end && (**s & 0xc0) == 0x80)
		part[n++] = *(*s)++;
	return n;
}

bool
logline_is(const struct logline_value *value, const char *text)
{
	const char *s = value->s, *end = s + value->len;
	size_t len = strlen(text), n;
	char part[4];

	if (!value->text)
		return false;
	if (!value->escaped)
		return value->len == len && memcmp(s, text, len) == 0;
	while (s < end) {
		n = next_part(&s, end, part);
		if (n > len || memcmp(part, text, n) != 0)
			return false;
		text += n;
		len -= n;
	}
	return len == 0;
}

size_t
logline_text(const struct logline_value *value, char *out, size_t size)
{
	const char *s = value->s, *end = s + value->len;
	size_t len = 0, n;
	char part[4];

	if (size == 0)
		return 0;
	if (!value->escaped && value->len < size) {
		memcpy(out, s, value->len);
		len = value->len;
		s = end;
	}
	while (s < end) {
		n = next_part(&s, end, part);
		if (n > size - 1 - len)
			break;
		memcpy(out + len, part, n);
		len += n;
	}
	out[len] = '\0';
	return len;
}

/* --- times --- */

/* n digits as a number from least to most; -1 for anything else. */
static int
number_at(const char *s, size_t n, int least, int most)
{
	int number = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		number = number * 10 + (s[i] - '0');
	}
	return number < least || number > most ? -1 : number;
}

/* Days since 1970 of a day after it (proleptic Gregorian calendar). */
static int64_t
days_of(int year, int month, int day)
{
	/* A year that begins in March ends with its leap day. */
	int64_t y = month > 2 ? year : year - 1;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;

	return y * 365 + y / 4 - y / 100 + y / 400 + of_year + day - 719469;
}

static int64_t
fraction_us(const char *s, size_t len)
{
	int n;

	/* ".123Z", ".123456Z" */
	if ((len != 5 && len != 8) || s[0] != '.' || s[len - 1] != 'Z')
		return -1;
	n = number_at(s + 1, len - 2, 0, 999999);
	return len == 5 && n > 0 ? n * 1000 : n;
}

int64_t
logline_time(const struct logline_value *value)
{
	const char *s = value->s;
	int year, month, day, hour, minute, second;
	int64_t us;

	if (!value->text || value->len < 24 || s[4] != '-' || s[7] != '-' ||
	    s[10] != 'T' || s[13] != ':' || s[16] != ':')
		return 0;
	year = number_at(s, 4, 1970, 9999);
	month = number_at(s + 5, 2, 1, 12);
	day = number_at(s + 8, 2, 1, 31);
	hour = number_at(s + 11, 2, 0, 23);
	minute = number_at(s + 14, 2, 0, 59);
	second = number_at(s + 17, 2, 0, 60);
	us = fraction_us(s + 19, value->len - 19);
	if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 ||
	    second < 0 || us < 0)
		return 0;
	return ((days_of(year, month, day) * 24 + hour) * 60 + minute) *
	    60000000 +
	    second * INT64_C(1000000) + us;
}
