/* GET /lang?to=en&next=/books -- the reader chooses a language; kept in a
 * cookie for a year. */
#include "route.h"

#define YEAR_S (365 * 24 * 3600)

static const struct field fields[] = { { "to", FIELD_TEXT,
					   FIELD_QUERY | FIELD_REQUIRED, 2, 2,
					   N_("Language") },
	{ "next", FIELD_TEXT, FIELD_QUERY, 0, 2000, N_("Next page") }, { 0 } };

static int
choose(struct req *req)
{
	const char *to = form_str(req, "to"), *next = form_str(req, "next");

	if (lang_from_code(to) == LANG_COUNT)
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("These pages are in Korean and English only."));
	http_cookie(req, "lang", to, YEAR_S);
	return page_redirect(req, next ? next : "/");
}

static const struct route lang = {
	.name = "lang",
	.get = choose,
	.fields = fields,
	.needs = NEED_NO_SESSION,
};

int
main(void)
{
	return route_run(&lang);
}
