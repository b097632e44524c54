/* POST /account/sessions -- ends one of a member's sessions, or all. */
#include "route.h"

static const struct field fields[] = {
	{ "id", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 64, N_("Session") },
	{ 0 }
};

static int
end_all(struct req *req)
{
	int rc;

	if ((rc = sessions_end_others(req)) < 0 || (rc = sess_end(req)) < 0)
		return rc;
	return page_redirect_flash(
	    req, "/", "done", _("You are signed out everywhere."));
}

static int
end(struct req *req)
{
	const char *id = form_str(req, "id");
	int rc;

	if (strcmp(id, "all") == 0)
		return end_all(req);
	rc = sessions_end_one(req, id);
	if (rc < 0)
		return rc;
	return page_redirect_flash(
	    req, "/account", "done", _("That device is signed out."));
}

static const struct route account_sessions = {
	.name = "account-sessions",
	.post = end,
	.fields = fields,
	.needs = NEED_MEMBER,
};

int
main(void)
{
	return route_run(&account_sessions);
}
