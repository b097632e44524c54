/* isbn -- see isbn.h. */
#include "isbn.h"

#include "utf8.h"

#include <strings.h>

#define TEN 10
#define THIRTEEN 13
#define LEAST 7 /* digits that are left of an ISBN-10 without its zeros */

static bool
is_separator(uint32_t ch)
{
	return ch == ' ' || ch == '-' || ch == 0xa0 || ch == 0xad ||
	    (ch >= 0x2010 && ch <= 0x2015) || ch == 0x2212 || ch == 0x3000;
}

/* The digits alone, at most 13, X among them; 0 if there is anything else. */
static size_t
digits_of(const char *text, size_t len, char digits[THIRTEEN])
{
	size_t n = 0, step;
	uint32_t ch;

	for (; len > 0; text += step, len -= step) {
		step = utf8_next(text, len, &ch);
		if (step == 0)
			return 0;
		if (is_separator(ch))
			continue;
		if (ch == 'x')
			ch = 'X';
		if (n == THIRTEEN || (ch != 'X' && (ch < '0' || ch > '9')))
			return 0;
		digits[n++] = (char)ch;
	}
	return n;
}

static bool
ten_is_right(const char d[TEN])
{
	int sum = 0;

	for (int i = 0; i < TEN; i++) {
		if (d[i] == 'X' && i < TEN - 1)
			return false;
		sum += (TEN - i) * (d[i] == 'X' ? 10 : d[i] - '0');
	}
	return sum % 11 == 0;
}

static char
check_digit(const char d[THIRTEEN - 1])
{
	int sum = 0;

	for (int i = 0; i < THIRTEEN - 1; i++)
		sum += (i % 2 ? 3 : 1) * (d[i] - '0');
	return (char)('0' + (10 - sum % 10) % 10);
}

static bool
read_thirteen(const char d[THIRTEEN], char isbn[ISBN_SIZE])
{
	if (memchr(d, 'X', THIRTEEN) ||
	    (memcmp(d, "978", 3) != 0 && memcmp(d, "979", 3) != 0) ||
	    check_digit(d) != d[THIRTEEN - 1])
		return false;
	memcpy(isbn, d, THIRTEEN);
	isbn[THIRTEEN] = '\0';
	return true;
}

static bool
read_ten(const char d[TEN], char isbn[ISBN_SIZE])
{
	if (!ten_is_right(d))
		return false;
	memcpy(isbn, "978", 3);
	memcpy(isbn + 3, d, TEN - 1);
	isbn[THIRTEEN - 1] = check_digit(isbn);
	isbn[THIRTEEN] = '\0';
	return true;
}

static bool
read_any(const char *text, size_t len, size_t least, char isbn[ISBN_SIZE])
{
	char digits[THIRTEEN], ten[TEN];
	size_t n;

	if (len >= 4 && strncasecmp(text, "ISBN", 4) == 0) {
		text += 4;
		len -= 4;
		if (len > 0 && *text == ':') {
			text++;
			len--;
		}
	}
	n = digits_of(text, len, digits);
	if (n == THIRTEEN)
		return read_thirteen(digits, isbn);
	if (n < least || n > TEN)
		return false;
	memset(ten, '0', TEN);
	memcpy(ten + TEN - n, digits, n);
	return read_ten(ten, isbn);
}

bool
isbn_read(const char *text, size_t len, char isbn[ISBN_SIZE])
{
	return read_any(text, len, TEN, isbn);
}

bool
isbn_read_number(const char *text, size_t len, char isbn[ISBN_SIZE])
{
	return read_any(text, len, LEAST, isbn);
}
