/*
 * utf8 -- text from outside: is it UTF-8, how many characters, one line?
 *
 * UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing
 * above U+10FFFF.
 */
#ifndef SEOGA_UTF8_H
#define SEOGA_UTF8_H

#include "base.h"

/* Decodes the character at s (len > 0 bytes are there).  Returns its length,
 * 1 to 4, or 0 when these bytes are not UTF-8 (*ch is untouched then). */
size_t utf8_next(const char *s, size_t len, uint32_t *ch);

/* Is all of it UTF-8?  NUL counts as a character like any other. */
bool utf8_valid(const char *s, size_t len);

/* The number of characters in valid UTF-8. */
size_t utf8_count(const char *s, size_t len);

/*
 * UTF-8 that shows on one line as what it is: no control characters, no line
 * or paragraph separators, none that turn the direction of writing, none
 * that are invisible or never assigned.
 */
bool utf8_one_line(const char *s, size_t len);

/* Takes white space (of any script) off both ends of valid UTF-8. */
void utf8_trim(const char **s, size_t *len);

#endif
