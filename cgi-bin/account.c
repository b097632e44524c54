/* GET and POST /account -- a member's own name, password, language and
 * sessions. */
#include "route.h"
#include "view_fact.h"

static const struct field fields[] = { { "action", FIELD_TEXT, FIELD_BODY, 0,
					   20, N_("Action") },
	{ "name", FIELD_TEXT, FIELD_BODY, 1, 80, N_("Name") },
	{ "password_old", FIELD_SECRET, FIELD_BODY, 0, USER_PASSWORD_MAX,
	    N_("Current password") },
	{ "password", FIELD_SECRET, FIELD_BODY, USER_PASSWORD_MIN,
	    USER_PASSWORD_MAX, N_("New password") },
	{ "password2", FIELD_SECRET, FIELD_BODY, 0, USER_PASSWORD_MAX,
	    N_("New password once more") },
	{ "lang", FIELD_TEXT, FIELD_BODY, 2, 2, N_("Language") }, { 0 } };

static json_t *
languages(struct req *req)
{
	static const char *const labels[] = { "한국어", "English" };
	json_t *list = json_array();

	for (int i = 0; i < LANG_COUNT; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "code",
			lang_code((enum lang)i), "label", labels[i], "current",
			(int)req->lang == i));
	return list;
}

static void
show_sessions(struct req *req, json_t *sessions)
{
	json_t *one;
	size_t i;

	json_array_foreach(sessions, i, one)
		json_object_set_new(one, "last_text",
		    json_string(view_time(req, model_int(one, "seen"))));
}

static json_t *
account_model(struct req *req, const json_t *user, json_t *sessions)
{
	const char *typed = form_str(req, "name");

	show_sessions(req, sessions);
	return json_pack("{s:{s:O, s:O, s:s, s:s}, s:o, s:O, s:{s:s}}", "user",
	    "username", json_object_get(user, "username"), "name",
	    json_object_get(user, "name"), "role_text",
	    view_role(model_text(user, "role")), "member_since_text",
	    view_date(req, model_text(user, "created_at")), "languages",
	    languages(req), "sessions", sessions, "form", "name",
	    typed ? typed : model_text(user, "name"));
}

static int
show(struct req *req)
{
	json_t *user, *sessions, *model;
	int rc;

	if ((rc = user_by_id(req, req->sess->user_id, &user)) < 0 ||
	    (rc = sessions_list(req, &sessions)) < 0)
		return rc;
	model = account_model(req, user, sessions);
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Your account"), NULL);
	return page_send(req, "account", model);
}

static int
change_name(struct req *req)
{
	const char *name = form_str(req, "name");
	int rc;

	if (!name || !*name)
		return req_field_error(req, "name", _("Enter your name."));
	if ((rc = user_rename(req, req->sess->user_id, name)) < 0 ||
	    (rc = sessions_rename(req, name)) < 0)
		return rc;
	return page_redirect_flash(
	    req, "/account", "done", _("Your name has been changed."));
}

static int
check_passwords(struct req *req)
{
	const char *old = form_str(req, "password_old");
	const char *new = form_str(req, "password");
	const char *again = form_str(req, "password2");

	if (!old || !*old)
		return req_field_error(
		    req, "password_old", _("Enter your current password."));
	if (!new || !*new)
		return req_field_error(
		    req, "password", _("Enter a new password."));
	if (!again || strcmp(new, again) != 0)
		return req_field_error(
		    req, "password2", _("The two passwords are not the same."));
	return RC_OK;
}

/* Whoever knew the old password is signed out. */
static int
change_password(struct req *req)
{
	int rc;

	if ((rc = check_passwords(req)) < 0 ||
	    (rc = user_set_password(req, req->sess->user_id,
		 form_str(req, "password_old"), form_str(req, "password"))) <
		0 ||
	    (rc = sessions_end_others(req)) < 0)
		return rc;
	return page_redirect_flash(req, "/account", "done",
	    _("Your password has been changed. Your other devices are signed"
	      " out."));
}

static int
change_lang(struct req *req)
{
	enum lang lang = lang_from_code(form_str(req, "lang"));
	int rc;

	if (lang == LANG_COUNT)
		return req_field_error(req, "lang",
		    _("These pages are in Korean and English only."));
	rc = user_set_lang(req, req->sess->user_id, lang);
	if (rc < 0)
		return rc;
	http_cookie(req, "lang", lang_code(lang), 365 * 24 * 3600);
	lang_use(lang);
	return page_redirect_flash(
	    req, "/account", "done", _("The language has been changed."));
}

static int
change(struct req *req)
{
	static const struct {
		const char *action;
		int (*run)(struct req *req);
	} actions[] = { { "name", change_name },
		{ "password", change_password }, { "language", change_lang } };
	const char *action = form_str(req, "action");

	for (size_t i = 0; action && i < LENGTH(actions); i++) {
		if (strcmp(action, actions[i].action) == 0)
			return actions[i].run(req);
	}
	return RC_BAD_INPUT;
}

static const struct route account = {
	.name = "account",
	.get = show,
	.post = change,
	.invalid = show,
	.fields = fields,
	.needs = NEED_MEMBER | NEED_FORM,
	.nice = 5,
};

int
main(void)
{
	return route_run(&account);
}
