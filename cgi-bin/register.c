/* GET and POST /register -- becoming a member; also POST
 * /api/users/register. */
#include "route.h"

static const struct field fields[] = {
	{ "username", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, USER_NAME_MIN,
	    USER_NAME_MAX, N_("Username") },
	{ "name", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 80, N_("Name") },
	{ "password", FIELD_SECRET, FIELD_BODY | FIELD_REQUIRED,
	    USER_PASSWORD_MIN, USER_PASSWORD_MAX, N_("Password") },
	{ "password2", FIELD_SECRET, FIELD_BODY, 0, USER_PASSWORD_MAX,
	    N_("Password once more") },
	{ "next", FIELD_TEXT, FIELD_QUERY | FIELD_BODY | FIELD_PAGE, 0, 2000,
	    N_("Next page") },
	{ 0 }
};

static int
show(struct req *req)
{
	const char *next = page_next(req);
	json_t *model = json_pack("{s:s, s:s}", "next", next, "login_url",
	    arena_printf(
		req->arena, "/login?next=%s", http_url_quote(req, next)));

	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Register"), NULL);
	return page_send(req, "register", model);
}

static int
check_passwords(struct req *req)
{
	const char *again = form_str(req, "password2");

	if (req->api && !again)
		return RC_OK;
	if (again && strcmp(again, form_str(req, "password")) == 0)
		return RC_OK;
	return req_field_error(
	    req, "password2", _("The two passwords are not the same."));
}

static int
register_member(struct req *req)
{
	json_t *user;
	int rc;

	if ((rc = check_passwords(req)) < 0 ||
	    (rc = user_register(req, form_str(req, "username"),
		 form_str(req, "name"), form_str(req, "password"), &user)) < 0)
		return rc;
	if (req->api)
		return page_send_json(req, 201, user);
	rc = sess_start(req, user, false);
	if (rc < 0)
		return rc;
	return page_redirect_flash(req, page_next(req), "done",
	    _("Welcome! Your account is ready and you are signed in."));
}

static const struct route register_route = {
	.name = "register",
	.get = show,
	.post = register_member,
	.invalid = show,
	.fields = fields,
	.needs = NEED_FORM | GET_IS_PAGE,
	.nice = 5,
};

int
main(void)
{
	return route_run(&register_route);
}
