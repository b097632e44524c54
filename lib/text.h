/*
 * text -- text made alike for search: what two people write differently and
 * mean to be the same becomes the same bytes.
 *
 * Folded text is lower case, without accents, in Unicode's NFKC (so full
 * width is normal width, and Hangul that came in parts is whole); it is words
 * of letters and digits with one space between them.  Signs are gone, except
 * that C++, C# and A+ stay themselves.
 */
#ifndef SEOGA_TEXT_H
#define SEOGA_TEXT_H

#include "arena.h"

#define TEXT_FOLD_MAX 500 /* characters of folded text */
#define TEXT_GRAM_SIZE 16 /* a gram and its NUL */

/* Folds valid UTF-8.  What is too long is cut. */
const char *text_fold(struct arena *a, const char *s);

/* Folded text without its spaces. */
const char *text_pack(struct arena *a, const char *folded);

/*
 * The initial consonant of each Hangul syllable of packed text as a letter, a
 * to s in the order of the alphabet; consonants that stand alone are their
 * own; '.' for anything else.  One byte a character.
 */
const char *text_initials(struct arena *a, const char *packed);

/* Is one of its characters a consonant that stands alone? */
bool text_has_initial(const char *packed);

/*
 * The piece of packed text that begins at s and that an index of pieces knows
 * it by: three characters if the first is ASCII, else two; fewer at the end
 * of the text.  Returns the length of the first character, 0 at the end.
 * whole says whether it has all its characters.
 */
size_t text_gram(const char *s, char gram[TEXT_GRAM_SIZE], bool *whole);

/* The same of initials: three of them, fewer before a '.' or the end; an
 * empty gram at a '.'.  Its first byte is '\1', so it is like no other. */
size_t
text_initials_gram(const char *s, char gram[TEXT_GRAM_SIZE], bool *whole);

/*
 * How unlike two packed texts are: the number of letters to add, leave out,
 * change or swap with the next, where a Hangul syllable counts as the two or
 * three letters it is made of.  Texts of more letters than 64 are SIZE_MAX
 * apart.  letters is the number of a's letters; it may be NULL.
 */
size_t text_distance(const char *a, const char *b, size_t *letters);

#endif
