/* text -- see text.h. */
#include "text.h"

#include "utf8.h"

#include <utf8proc.h>

#define SYLLABLES_FIRST 0xac00
#define SYLLABLES_LAST 0xd7a3
#define VOWELS 21
#define FINALS 28
#define CONSONANT_FIRST 0x1100 /* initial consonants as NFKC leaves them */
#define CONSONANT_LAST 0x1112
#define VOWEL_FIRST 0x1161
#define FINAL_FIRST 0x11a8
#define LETTERS_MAX 64

static size_t
next(const char *s, uint32_t *ch)
{
	return *s ? utf8_next(s, strlen(s), ch) : 0;
}

/* The next character of text that utf8_next() need not measure. */
static size_t
next_of(const char *s, const char *end, uint32_t *ch)
{
	return s < end ? utf8_next(s, (size_t)(end - s), ch) : 0;
}

static bool
is_word(uint32_t ch)
{
	if (ch < 0x80)
		return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
	switch (utf8proc_category((utf8proc_int32_t)ch)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return true;
	default:
		return false;
	}
}

/* Within a word they are left out, and the word is still one. */
static bool
is_apostrophe(uint32_t ch)
{
	return ch == '\'' || ch == 0x2019 || ch == 0x2bc;
}

/* Folding while it is under way. */
struct folding {
	char *out;
	size_t len, count;
	size_t word; /* characters of the word so far */
	bool letter; /* all of it is one letter, perhaps with signs after */
	bool space;  /* one is due before the next character */
};

static void
fold_char(struct folding *f, const char *s, size_t len)
{
	if (f->count + 2 > TEXT_FOLD_MAX)
		return;
	if (f->space && f->len > 0) {
		f->out[f->len++] = ' ';
		f->count++;
	}
	f->space = false;
	memcpy(f->out + f->len, s, len);
	f->len += len;
	f->count++;
	f->word++;
}

/* The + of C++ and the # of C#: after a word of a single letter. */
static bool
is_sign_of_letter(const struct folding *f, uint32_t ch)
{
	return (ch == '+' || ch == '#') && f->letter && f->word >= 1 &&
	    f->word <= 2;
}

static void
fold_next(struct folding *f, const char *s, size_t len, uint32_t ch)
{
	if (is_word(ch)) {
		f->letter = f->word == 0 && ch >= 'a' && ch <= 'z';
		fold_char(f, s, len);
	} else if (is_sign_of_letter(f, ch)) {
		fold_char(f, s, len);
	} else if (!is_apostrophe(ch)) {
		f->space = true;
		f->word = 0;
		f->letter = false;
	}
}

static const char *
fold_mapped(struct arena *a, const char *s, size_t len)
{
	struct folding f = { .out = arena_alloc(a, len + 1) };
	const char *end = s + len;
	uint32_t ch;
	size_t n;

	for (; (n = next_of(s, end, &ch)) > 0; s += n)
		fold_next(&f, s, n, ch);
	f.out[f.len] = '\0';
	return f.out;
}

const char *
text_fold(struct arena *a, const char *s)
{
	utf8proc_uint8_t *mapped = NULL;
	const char *folded;
	utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)s,
	    (utf8proc_ssize_t)strlen(s), &mapped,
	    UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE |
		UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE);

	if (len < 0)
		return "";
	/* A jump out of a full arena loses this; so be it. */
	folded = fold_mapped(a, (const char *)mapped, (size_t)len);
	free(mapped);
	return folded;
}

const char *
text_pack(struct arena *a, const char *folded)
{
	char *packed = arena_alloc(a, strlen(folded) + 1), *p = packed;

	for (; *folded; folded++)
		if (*folded != ' ')
			*p++ = *folded;
	*p = '\0';
	return packed;
}

/* 'a' to 's', or '.'. */
static char
initial_of(uint32_t ch)
{
	if (ch >= SYLLABLES_FIRST && ch <= SYLLABLES_LAST)
		return (char)('a' +
		    (ch - SYLLABLES_FIRST) / (uint32_t)(VOWELS * FINALS));
	if (ch >= CONSONANT_FIRST && ch <= CONSONANT_LAST)
		return (char)('a' + (ch - CONSONANT_FIRST));
	return '.';
}

const char *
text_initials(struct arena *a, const char *packed)
{
	size_t len = strlen(packed), n;
	char *out = arena_alloc(a, len + 1), *p = out;
	const char *end = packed + len;
	uint32_t ch;

	for (; (n = next_of(packed, end, &ch)) > 0; packed += n)
		*p++ = initial_of(ch);
	*p = '\0';
	return out;
}

bool
text_has_initial(const char *packed)
{
	uint32_t ch;
	size_t n;

	for (; (n = next(packed, &ch)) > 0; packed += n)
		if (ch >= CONSONANT_FIRST && ch <= CONSONANT_LAST)
			return true;
	return false;
}

size_t
text_gram(const char *s, char gram[TEXT_GRAM_SIZE], bool *whole)
{
	size_t wanted = (unsigned char)*s < 0x80 ? 3 : 2;
	size_t len = 0, first = 0, n, count;
	uint32_t ch;

	/* Three characters of four bytes at most. */
	for (count = 0; count < wanted; count++) {
		n = next(s + len, &ch);
		if (n == 0)
			break;
		if (count == 0)
			first = n;
		len += n;
	}
	memcpy(gram, s, len);
	gram[len] = '\0';
	*whole = count == wanted;
	return first;
}

size_t
text_initials_gram(const char *s, char gram[TEXT_GRAM_SIZE], bool *whole)
{
	size_t n = 0;

	*whole = false;
	gram[0] = '\0';
	if (!*s)
		return 0;
	while (n < 3 && s[n] && s[n] != '.')
		n++;
	if (n > 0) {
		gram[0] = '\1';
		memcpy(gram + 1, s, n);
		gram[1 + n] = '\0';
	}
	*whole = n == 3;
	return 1;
}

/* Takes text apart into letters; SIZE_MAX if there are too many. */
static size_t
spell(const char *s, uint32_t letters[LETTERS_MAX + 3])
{
	size_t len, n = 0;
	uint32_t ch;

	for (; (len = next(s, &ch)) > 0; s += len) {
		if (n >= LETTERS_MAX)
			return SIZE_MAX;
		if (ch < SYLLABLES_FIRST || ch > SYLLABLES_LAST) {
			letters[n++] = ch;
			continue;
		}
		ch -= SYLLABLES_FIRST;
		letters[n++] = CONSONANT_FIRST + ch / (VOWELS * FINALS);
		letters[n++] = VOWEL_FIRST + ch / FINALS % VOWELS;
		if (ch % FINALS)
			letters[n++] = FINAL_FIRST + ch % FINALS - 1;
	}
	return n <= LETTERS_MAX ? n : SIZE_MAX;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
text_distance(const char *a, const char *b, size_t *letters)
{
	uint32_t x[LETTERS_MAX + 3], y[LETTERS_MAX + 3];
	size_t rows[3][LETTERS_MAX + 1];
	size_t nx = spell(a, x), ny = spell(b, y);

	if (letters)
		*letters = nx;
	if (nx == SIZE_MAX || ny == SIZE_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= ny; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= nx; i++) {
		size_t *now = rows[i % 3];
		const size_t *before = rows[(i + 2) % 3];
		const size_t *earlier = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= ny; j++) {
			now[j] = least(least(now[j - 1], before[j]) + 1,
			    before[j - 1] + (x[i - 1] != y[j - 1]));
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] &&
			    x[i - 2] == y[j - 1])
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return rows[nx % 3][ny];
}
