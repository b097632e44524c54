/* GET and POST /login -- signing in.  POST /api/users/login gives a token. */
#include "metric.h"
#include "route.h"

static const struct field fields[] = { { "username", FIELD_TEXT,
					   FIELD_BODY | FIELD_REQUIRED, 1, 64,
					   N_("Username") },
	{ "password", FIELD_SECRET, FIELD_BODY | FIELD_REQUIRED, 1,
	    USER_PASSWORD_MAX, N_("Password") },
	{ "remember", FIELD_FLAG, FIELD_BODY, 0, 0, N_("Remember me") },
	{ "answer", FIELD_TEXT, FIELD_BODY, 0, 20, N_("Answer") },
	{ "question_token", FIELD_TEXT, FIELD_BODY, 0, 64, N_("Question") },
	{ "next", FIELD_TEXT, FIELD_QUERY | FIELD_BODY | FIELD_PAGE, 0, 2000,
	    N_("Next page") },
	{ 0 } };

static int
question_for(struct req *req, const char *username, json_t **question)
{
	bool needed = false;
	int rc = username ? user_needs_question(req, username, &needed) : RC_OK;

	*question = json_null();
	if (rc < 0 || !needed)
		return rc;
	return user_question(req, question);
}

static int
show(struct req *req)
{
	const char *next = page_next(req);
	json_t *question, *model;
	int rc = question_for(req, form_str(req, "username"), &question);

	if (rc < 0)
		return rc;
	model =
	    json_pack("{s:o, s:b, s:s, s:s}", "question", question, "remember",
		form_flag(req, "remember"), "next", next, "register_url",
		arena_printf(req->arena, "/register?next=%s",
		    http_url_quote(req, next)));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Sign in"), NULL);
	return page_send(req, "login", model);
}

/* A program's user must answer, too: the problem brings the question. */
static int
ask(struct req *req)
{
	json_t *question;
	int rc = user_question(req, &question);

	if (rc < 0)
		return rc;
	req->details = json_pack("{s:o}", "question", question);
	return RC_BAD_INPUT;
}

/* Beside the name: to try again, as an error page has it, is of no use. */
static int
show_locked(struct req *req)
{
	const char *why = req->fail_text;

	req_forgive(req);
	req_field_error(req, "username", why);
	req->status = 403;
	return show(req);
}

/* The page asks again; the API says why in a problem. */
static int
refuse(struct req *req, int rc)
{
	const char *why = req->fail_text;

	if (req->api && json_object_get(req->errors, "answer"))
		return ask(req);
	if (rc == RC_FORBIDDEN && !req->api)
		return show_locked(req);
	if (rc != RC_LOGIN || req->api)
		return rc;
	req_forgive(req);
	req_field_error(req, "password", why);
	return RC_BAD_INPUT;
}

static int
use_own_lang(struct req *req, const json_t *user)
{
	const char *lang = model_text(user, "lang");

	if (lang)
		http_cookie(req, "lang", lang, 365 * 24 * 3600);
	return RC_OK;
}

static int
token_reply(struct req *req, const json_t *user)
{
	return page_send_json(req, 200,
	    json_pack("{s:s, s:{s:O, s:O, s:O,"
		      " s:O}}",
		"token", req->sess->id, "user", "id",
		json_object_get(user, "id"), "username",
		json_object_get(user, "username"), "name",
		json_object_get(user, "name"), "role",
		json_object_get(user, "role")));
}

static int
login(struct req *req)
{
	json_t *user;
	int rc = user_login(req, form_str(req, "username"),
	    form_str(req, "password"), form_str(req, "question_token"),
	    form_str(req, "answer"), &user);

	if (rc < 0)
		return refuse(req, rc);
	rc = sess_start(req, user, form_flag(req, "remember"));
	if (rc < 0)
		return rc;
	rc = user_check_again(req, user);
	if (rc < 0) {
		int ended = sess_end(req);

		return ended < 0 ? ended : refuse(req, rc);
	}
	metric_add(METRIC_LOGINS, 1);
	if (req->api)
		return token_reply(req, user);
	use_own_lang(req, user);
	return page_redirect_flash(
	    req, page_next(req), "done", _("You are signed in."));
}

/* Hashing a password takes as long as hundreds of pages: stand back. */
static const struct route login_route = {
	.name = "login",
	.get = show,
	.post = login,
	.invalid = show,
	.fields = fields,
	.needs = NEED_FORM | GET_IS_PAGE,
	.nice = 5,
};

int
main(void)
{
	return route_run(&login_route);
}
