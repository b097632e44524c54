/*
 * page -- what goes out: HTML through a template within the layout, JSON,
 * redirects.
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

/* Would the model, as JSON, have one of these entity tags (of If-Match)? */
bool page_json_matches(struct req *req, const char *tags, const json_t *model);

/* 204 without a body. */
int page_send_nothing(struct req *req);

/* 303 to a path of this site (to / if it is none). */
int page_redirect(struct req *req, const char *path);
/* The same with a flash message (kept only if Redis is there). */
int page_redirect_flash(
    struct req *req, const char *path, const char *kind, const char *text);

/* Where the field `next` leads; / if that is not on this site. */
const char *page_next(struct req *req);

/* The path of the login page that leads back to here. */
const char *page_login_url(struct req *req);

/* A body of that type as it is. */
void page_send_body(
    struct req *req, int status, const char *type, const struct buf *body);

/* A problem (RFC 9457) as JSON. */
void page_send_problem(struct req *req, int status, json_t *problem);

/* The parts of the layout that need no request: for pages made in advance. */
json_t *page_bare_layout(void);

/* One crumb {label, url} more in model's breadcrumb; url NULL = this page. */
void page_crumb(json_t *model, const char *label, const char *url);

#endif
