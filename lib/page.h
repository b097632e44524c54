/*
 * page -- what goes out: HTML through a template within the layout, JSON,
 * redirects, error pages; and how values look to a reader.
 */
#ifndef SEOGA_PAGE_H
#define SEOGA_PAGE_H

#include "req.h"

/* Once at start: content hashes of the static files. */
int page_init(const struct conf *conf);

/* Renders a template with the model and the layout's values; takes over the
 * model.  The status is req->status, 200 when that is 0. */
int page_send(struct req *req, const char *tmpl, json_t *model);

/* Renders an SVG image without the layout; may be cached for a day. */
int page_send_svg(struct req *req, const char *tmpl, json_t *model);

/* The model as JSON, with an entity tag on GET (304 when it matches). */
int page_send_json(struct req *req, int status, json_t *model);

/* 204 without a body. */
int page_send_nothing(struct req *req);

/* 303 to a path of this site (to / if it is none). */
int page_redirect(struct req *req, const char *path);
/* The same with a flash message (kept only if Redis is there). */
int page_redirect_flash(struct req *req, const char *path, const char *kind,
    const char *text);

/* The answer to a failed request: error page, problem+json, or for RC_LOGIN
 * of a page a redirect to the login. */
void page_send_error(struct req *req, enum rc rc);

/* The model of the error page for a status: heading, what, next_steps. */
json_t *page_error_model(int status, const char *what);

/* The parts of the layout that need no request: for pages made in advance. */
json_t *page_bare_layout(void);

/* One crumb {label, url} more in model's breadcrumb; url NULL = this page. */
void page_crumb(json_t *model, const char *label, const char *url);

/* Minor units as the reader writes them: "15,000원", "₩15,000". */
const char *page_money(struct req *req, int64_t minor);
/* "2026-11-21T10:20:30Z" or Unix seconds as a date. */
const char *page_date(struct req *req, const char *iso);
const char *page_time(struct req *req, int64_t seconds);

/* Adds to a book (see book.h) what its templates show. */
void page_book(struct req *req, json_t *book);

#endif
