/* lang -- see lang.h. */
#include "lang.h"

#include <libintl.h>
#include <locale.h>

static const char *const codes[LANG_COUNT] = { "ko", "en" };

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
}

void
lang_use(enum lang lang)
{
	static enum lang current = LANG_COUNT;

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

/* The weight of one element "ko-KR;q=0.8" in thousandths. */
static int
weight(const char *s, size_t len)
{
	const char *q = memmem(s, len, "q=", 2);
	double value;

	if (!q)
		return 1000;
	value = strtod(q + 2, NULL);
	return value < 0 || !(value <= 1) ? 0 : (int)(value * 1000);
}

static enum lang
match(const char *s, size_t len)
{
	for (int i = 0; i < LANG_COUNT; i++) {
		if (len >= 2 && strncasecmp(s, codes[i], 2) == 0 &&
		    (len == 2 || strchr("-;, \t", s[2])))
			return (enum lang)i;
	}
	return LANG_COUNT;
}

enum lang
lang_from_header(const char *accept)
{
	enum lang best = LANG_KO;
	int best_weight = 0;

	while (accept && *accept) {
		size_t skip = strspn(accept, " \t,");
		size_t len = strcspn(accept + skip, ",");
		enum lang lang = match(accept + skip, len);
		int w = weight(accept + skip, len);

		if (lang != LANG_COUNT && w > best_weight) {
			best = lang;
			best_weight = w;
		}
		accept += skip + len;
	}
	return best;
}

const char *
lang_text(const char *msgid)
{
	/* The empty id is the catalogue's header, not a text. */
	return *msgid ? gettext(msgid) : "";
}
