/*
 * route -- the life of a request, from the FastCGI record to the log line.
 *
 * A program is a const struct route and `return route_run(&it)`.  Before a
 * handler runs, route_run() has checked method, body size, session, login,
 * role, input fields, and for a page's POST the Origin and the CSRF token.
 * Handlers return RC_OK after they have sent something, or a code which
 * route_run() answers.
 */
#ifndef SEOGA_ROUTE_H
#define SEOGA_ROUTE_H

#include "book.h"
#include "buf.h"
#include "cache.h"
#include "cart.h"
#include "category.h"
#include "db.h"
#include "form.h"
#include "http.h"
#include "model.h"
#include "page.h"
#include "program.h"
#include "sess.h"
#include "sessions.h"
#include "user.h"
#include "view.h"

/* Runs the program until TERM; returns its exit status. */
int route_run(const struct route *route);

#endif
