/* failure -- see failure.h. */
#include "failure.h"

#include "buf.h"
#include "fcgi.h"
#include "http.h"
#include "model.h"
#include "page.h"
#include "program.h"

static const struct {
	int status;
	const char *heading, *what, *next;
} failures[] = {
	{ 400, N_("That could not be understood"),
	    N_("The address or the form holds something that this page cannot"
	       " read."),
	    N_("Go back and check what was entered.") },
	{ 401, N_("Please sign in"),
	    N_("This is only for members who are signed in."),
	    N_("Sign in, then try again.") },
	{ 403, N_("That is not allowed"), N_("You may not see or do this."),
	    N_("Go back, reload the page and try again.") },
	{ 404, N_("There is no such page"),
	    N_("The address may be mistyped, or the page may have moved."),
	    N_("Check the address, or search for the book.") },
	{ 405, N_("That does not work here"),
	    N_("This address cannot be used in this way."),
	    N_("Go back and use the page's own buttons and links.") },
	{ 409, N_("That cannot be done right now"),
	    N_("Something has changed in the meantime."),
	    N_("Go back, reload the page and look at what changed.") },
	{ 412, N_("That is not what it was"),
	    N_("What was to be changed has changed since it was read."),
	    N_("Read it again, then change it.") },
	{ 413, N_("That is too large"),
	    N_("More was sent than this page accepts."),
	    N_("Send less at once. A picture may have up to 10 MB.") },
	{ 415, N_("That format is not known here"),
	    N_("What was sent is in a format that this address does not"
	       " read."),
	    N_("Use the page's own form.") },
	{ 422, N_("That does not fit with what came before"),
	    N_("The one-time key was used before, for something else."),
	    N_("Go back, reload the page and try again.") },
	{ 429, N_("Too many requests"),
	    N_("There were more requests from your address than we can"
	       " serve."),
	    N_("Wait a little, then try again.") },
	{ 500, N_("Something went wrong on our side"),
	    N_("The page could not be made because of a mistake of ours. It"
	       " has been written down."),
	    N_("Try again. If it happens again, tell us.") },
	{ 502, N_("A part of the site is not answering"),
	    N_("The program for this page is not running. It is being"
	       " started again."),
	    N_("Try again in a few seconds.") },
	{ 503, N_("Part of the site is not available right now"),
	    N_("A part of the site that this page needs is away for a"
	       " moment."),
	    N_("Wait a little, then try again.") },
	{ 504, N_("That took too long"), N_("The page was not ready in time."),
	    N_("Try again in a moment.") },
};

json_t *
failure_model(int status, const char *what)
{
	size_t i = 0;
	const char *kept = status >= 500 ?
	    _("Your cart and your account are safe. If you were sending a"
	      " form, look first whether it was done.") :
	    "";

	while (i < LENGTH(failures) - 1 && failures[i].status != status)
		i++;
	return json_pack("{s:i, s:s, s:s, s:s, s:[s], s:n, s:b}", "status",
	    status, "heading", _(failures[i].heading), "what",
	    what ? what : _(failures[i].what), "kept", kept, "next_steps",
	    _(failures[i].next), "retry_after", "refresh", false);
}

/* RFC 6750: the error is for those who sent a token, even a bad one. */
static const char *
challenge(struct req *req)
{
	const char *sent = fcgi_param(req->call, "HTTP_AUTHORIZATION");
	unsigned wanted = NEED_API_TOKEN | NEED_MEMBER | NEED_LIBRARIAN |
	    NEED_ADMIN | WRITE_LIBRARIAN;

	return sent && req->route->needs & wanted ?
	    "Bearer realm=\"seoga\", error=\"invalid_token\"" :
	    "Bearer realm=\"seoga\"";
}

static void
send_problem(struct req *req, int status, const json_t *model)
{
	json_t *problem = json_pack("{s:s, s:O, s:O, s:O, s:s, s:s}", "type",
	    "about:blank", "title", json_object_get(model, "heading"), "status",
	    json_object_get(model, "status"), "detail",
	    json_object_get(model, "what"), "instance", req->path, "request_id",
	    req->trace);

	if (req->errors)
		json_object_set(problem, "errors", req->errors);
	if (req->details)
		json_object_update_missing(problem, req->details);
	if (status == 401)
		http_header(req, "WWW-Authenticate", challenge(req));
	http_header(req, "Content-Language", lang_code(req->lang));
	page_send_problem(req, status, problem);
}

static void
send_error_page(struct req *req, int status, json_t *model)
{
	req->errors = NULL; /* there is no form on this page */
	req->status = status;
	if (page_send(req, "error", model) == RC_OK)
		return;
	/* Not even that: say it without a template. */
	buf_reset(req->out);
	buf_printf(
	    req->out, "%d %s\n%s\n", status, http_reason(status), req->trace);
	page_send_body(req, status, "text/plain; charset=utf-8", req->out);
}

void
failure_send(struct req *req, enum rc rc)
{
	/* These have no codes of their own: nearly nobody says them. */
	int status = req->status == 412 || req->status == 422 ? req->status :
								http_status(rc);
	json_t *model;

	if (rc == RC_LOGIN && !req->api) {
		page_redirect(req, page_login_url(req));
		return;
	}
	model = failure_model(status, req->fail_text);
	if ((status == 503 || status == 429) && !req->retry_after)
		req->retry_after = 5;
	if (req->retry_after) {
		json_object_set_new(
		    model, "retry_after", json_integer(req->retry_after));
		http_headerf(req, "Retry-After", "%d", req->retry_after);
	}
	if (status == 503 && req->route->reloads)
		model_set_bool(model, "refresh", true);
	if (req->api)
		send_problem(req, status, model);
	else
		send_error_page(req, status, model);
}
