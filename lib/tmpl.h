/*
 * tmpl -- mustache templates: compiled once, rendered many times.
 *
 * Follows the mustache specification 1.4: comments, delimiters,
 * interpolation, inverted, partials, sections, and of the optional modules
 * inheritance ({{<parent}}, {{$block}}).  Values come from a jansson tree.
 * Text between {{#_}} and {{/_}} is a message id: it is translated once, when
 * the template is compiled, and is itself compiled (so it may hold tags).
 *
 * A section skips null, false, 0, "" and []; objects and lists show nothing
 * as values.  The indentation of a partial goes before each of its lines but
 * for empty ones.
 */
#ifndef SEOGA_TMPL_H
#define SEOGA_TMPL_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

struct tmpl;	 /* one compiled template */
struct tmpl_set; /* templates by name, which refer to each other */

struct tmpl_error {
	int line, column; /* both from 1; column counts characters */
	char name[64];	  /* the template */
	char text[160];	  /* what is wrong, in English */
};

/* Hands out the source of a partial or parent by name, or NULL when there is
 * none; the text must live until tmpl_set_close(). */
typedef const char *tmpl_loader(void *arg, const char *name, size_t *len);

/* Translates a message id. */
typedef const char *tmpl_translator(const char *msgid);

/* A set without templates.  load and translate may be NULL. */
struct tmpl_set *
tmpl_set_open(tmpl_loader *load, void *arg, tmpl_translator *translate);
/* A set with every *.mustache under dir ("part/book" is part/book.mustache).
 * NULL and *err on the first mistake in any of them. */
struct tmpl_set *tmpl_set_open_dir(
    const char *dir, tmpl_translator *translate, struct tmpl_error *err);
/* The same, but each is read and compiled when it is first asked for: a program
 * that shows one page holds one page.  What is wrong is not found. */
struct tmpl_set *
tmpl_set_open_later(const char *dir, tmpl_translator *translate);
void tmpl_set_close(struct tmpl_set *set);

/* Compiles source (copied) under that name, in place of an earlier one, and
 * what it refers to.  RC_OK, or RC_BAD_INPUT and *err: then all is as before.
 * A source above 1 MiB and nesting deeper than 64 are mistakes; in a set with
 * a loader or a directory so is a partial or parent that does not exist. */
int tmpl_compile(struct tmpl_set *set, const char *name, const char *source,
    size_t len, const struct tmpl **out, struct tmpl_error *err);

/* The template of that name (compiled when a loader has it), or NULL. */
const struct tmpl *tmpl_find(struct tmpl_set *set, const char *name);

/*
 * Renders into out.  RC_OK, RC_TOO_LARGE when out is over its maximum, or
 * RC_BUG when partials or sections nest deeper than 64 (endless recursion),
 * or when ten million instructions were not enough.
 * A name that is found nowhere renders as nothing; each is reported to
 * unknown(arg, template, name), if given: missing keys are bugs, empty
 * values are written as null, false or "".
 */
int tmpl_render(const struct tmpl *t, const json_t *model, struct buf *out,
    void (*unknown)(void *arg, const char *tmpl, const char *name), void *arg);

#endif
