/* lang -- see lang.h. */
#include "lang.h"

#include <libintl.h>
#include <locale.h>

#define KNOWN_TEXTS 512 /* a power of two, more than a program has */

static const char *const codes[LANG_COUNT] = { "ko", "en" };

static enum lang current = LANG_COUNT; /* none was chosen yet */

/* glibc's gettext re-reads LANGUAGE only when this counter moves. */
extern int _nl_msg_cat_cntr;

void
lang_open(const char *dir)
{
	/* gettext stays silent in the C locale; this one needs no package. */
	setlocale(LC_MESSAGES, "C.UTF-8");
	setlocale(LC_CTYPE, "C.UTF-8");
	bindtextdomain("seoga", dir);
	bind_textdomain_codeset("seoga", "UTF-8");
	textdomain("seoga");
	/* The system's own words go to the log: always in one language. */
	bindtextdomain("libc", "/nonexistent");
}

void
lang_use(enum lang lang)
{
	if (lang == current)
		return;
	current = lang;
	setenv("LANGUAGE", codes[lang], 1);
	_nl_msg_cat_cntr++;
}

const char *
lang_code(enum lang lang)
{
	return codes[lang];
}

enum lang
lang_from_code(const char *code)
{
	for (int i = 0; code && i < LANG_COUNT; i++) {
		if (strcmp(code, codes[i]) == 0)
			return (enum lang)i;
	}
	return LANG_COUNT;
}

/* The weight of one element "ko-KR;q=0.8" in thousandths; 0 for rubbish. */
static int
weight(const char *s, size_t len)
{
	const char *q = memchr(s, ';', len), *end = s + len;
	double value;

	if (!q)
		return 1000;
	do {
		q++;
	} while (q < end && (*q == ' ' || *q == '\t'));
	if (end - q < 2 || (*q != 'q' && *q != 'Q') || q[1] != '=')
		return 0;
	value = strtod(q + 2, NULL);
	return value < 0 || !(value <= 1) ? 0 : (int)(value * 1000);
}

/* Is the element this language, maybe with a region? */
static bool
is_range(const char *s, size_t len, const char *range)
{
	size_t n = strlen(range);

	return len >= n && strncasecmp(s, range, n) == 0 &&
	    (len == n || strchr("-; \t", s[n]));
}

static enum lang
match(const char *s, size_t len)
{
	for (int i = 0; i < LANG_COUNT; i++) {
		if (is_range(s, len, codes[i]))
			return (enum lang)i;
	}
	return LANG_COUNT;
}

struct choice {
	enum lang best;
	int weight, star;
	bool named[LANG_COUNT];
};

static void
prefer(struct choice *c, enum lang lang, int w)
{
	if (w <= c->weight)
		return;
	c->best = lang;
	c->weight = w;
}

/* One element of the header. */
static void
consider(struct choice *c, const char *s, size_t len)
{
	enum lang lang = match(s, len);

	if (lang != LANG_COUNT) {
		c->named[lang] = true;
		prefer(c, lang, weight(s, len));
	} else if (is_range(s, len, "*")) {
		c->star = weight(s, len);
	}
}

enum lang
lang_from_header(const char *accept)
{
	struct choice c = { .best = LANG_KO };

	while (accept && *accept) {
		size_t skip = strspn(accept, " \t,");
		size_t len = strcspn(accept + skip, ",");

		consider(&c, accept + skip, len);
		accept += skip + len;
	}
	/* The star is for all languages that the header does not name. */
	for (int i = 0; i < LANG_COUNT; i++) {
		if (!c.named[i])
			prefer(&c, (enum lang)i, c.star);
	}
	return c.best;
}

const char *
lang_lookup(const char *msgid)
{
	/* The empty id is the catalogue's header, not a text. */
	return *msgid ? gettext(msgid) : "";
}

/* gettext() takes longer than all else about a short text, and its answers
 * stay where they are: each is asked for once. */
const char *
lang_text(const char *msgid)
{
	static struct {
		const char *msgid, *text;
	} known[LANG_COUNT][KNOWN_TEXTS];
	uintptr_t address = (uintptr_t)msgid;
	size_t place = (address ^ address / KNOWN_TEXTS) % KNOWN_TEXTS;

	if (current == LANG_COUNT)
		return lang_lookup(msgid);
	if (known[current][place].msgid != msgid) {
		known[current][place].msgid = msgid;
		known[current][place].text = lang_lookup(msgid);
	}
	return known[current][place].text;
}
