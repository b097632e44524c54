/*
 * view_language -- languages of books in words, and to choose from; see
 * view.h.
 */
#include "view.h"

#include "model.h"

/* By ISO 639-1; what is here most comes first, then by their names. */
static const struct {
	const char *code, *name;
} languages[] = {
	{ "ko", N_("Korean") },
	{ "en", N_("English") },
	{ "ar", N_("Arabic") },
	{ "zh", N_("Chinese") },
	{ "nl", N_("Dutch") },
	{ "fr", N_("French") },
	{ "de", N_("German") },
	{ "el", N_("Greek") },
	{ "it", N_("Italian") },
	{ "ja", N_("Japanese") },
	{ "la", N_("Latin") },
	{ "mn", N_("Mongolian") },
	{ "pl", N_("Polish") },
	{ "pt", N_("Portuguese") },
	{ "ru", N_("Russian") },
	{ "es", N_("Spanish") },
	{ "th", N_("Thai") },
	{ "tr", N_("Turkish") },
	{ "vi", N_("Vietnamese") },
};

const char *
view_language(const char *code)
{
	for (size_t i = 0; i < LENGTH(languages); i++) {
		if (strcmp(code, languages[i].code) == 0)
			return _(languages[i].name);
	}
	return code;
}

static void
add_option(json_t *options, const char *code, bool current)
{
	json_array_append_new(options,
	    json_pack("{s:s, s:s, s:b}", "value", code, "label",
		view_language(code), "current", current));
}

/* An imported book may be in any other; it shall stay so when it is edited. */
json_t *
view_language_options(const char *current)
{
	json_t *options = json_array();
	bool found = !current || !*current;

	for (size_t i = 0; i < LENGTH(languages); i++) {
		bool is_it = current && strcmp(current, languages[i].code) == 0;

		add_option(options, languages[i].code, is_it);
		found |= is_it;
	}
	if (!found)
		add_option(options, current, true);
	return options;
}
