/* tmpl -- the templates of a set, by name: see tmpl.h. */
#include "tmpl_internal.h"

#include <stdarg.h>

/* --- names -------------------------------------------------------------- */

static int
compare(const struct tmpl *t, const char *name, size_t len)
{
	int rc = strncmp(t->name, name, len);

	return rc ? rc : t->name[len] != '\0';
}

/* Where in set->all the name is, or where it belongs. */
static uint32_t
position(const struct tmpl_set *set, const char *name, size_t len, bool *found)
{
	uint32_t low = 0, high = set->count;

	*found = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int rc = compare(set->all[middle], name, len);

		if (rc == 0) {
			*found = true;
			return middle;
		}
		if (rc < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct tmpl *
look_up(const struct tmpl_set *set, const char *name, size_t len)
{
	bool found;
	uint32_t at = position(set, name, len, &found);

	return found ? set->all[at] : NULL;
}

static struct tmpl *
add(struct tmpl_set *set, const char *name, size_t len)
{
	bool found;
	uint32_t at = position(set, name, len, &found);
	struct tmpl *t;

	if (found)
		return set->all[at];
	t = tmpl_new(name, len);
	set->all =
	    tmpl_grow(set->all, set->count, &set->room, sizeof(struct tmpl *));
	memmove(&set->all[at + 1], &set->all[at],
	    (set->count - at) * sizeof(struct tmpl *));
	set->all[at] = t;
	set->count++;
	return t;
}

int
tmpl_set_mistake(struct tmpl_error *err, const char *name, const char *fmt, ...)
{
	va_list ap;

	err->line = err->column = 1;
	snprintf(err->name, sizeof(err->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return RC_BAD_INPUT;
}

/* --- compiling all that waits, and all that it refers to ---------------- */

static void
wait_for_compilation(struct tmpl_set *set, struct tmpl *t, struct source source)
{
	t->waiting = true;
	t->source = source;
	t->previous = t->code;
	t->code = NULL;
	t->next = NULL;
	if (set->last)
		set->last->next = t;
	else
		set->first = t;
	set->last = t;
}

/* Keeps the new code of all templates, or returns all to their old one. */
static void
settle(struct tmpl_set *set, bool keep)
{
	struct tmpl *t;

	while ((t = set->first)) {
		tmpl_code_free(keep ? t->previous : t->code);
		if (!keep)
			t->code = t->previous;
		free(t->source.owned);
		t->source.owned = NULL;
		t->previous = NULL;
		t->waiting = false;
		set->first = t->next;
	}
	set->last = NULL;
}

/* New templates join the end of the list meanwhile, through tmpl_refer(). */
int
tmpl_compile_waiting(struct tmpl_set *set, struct tmpl_error *err)
{
	int rc = RC_OK;

	for (struct tmpl *t = set->first; t && rc == RC_OK; t = t->next) {
		rc = tmpl_compile_source(set, t, &t->code, err);
		if (rc != RC_OK)
			snprintf(err->name, sizeof(err->name), "%s", t->name);
	}
	settle(set, rc == RC_OK);
	return rc;
}

int
tmpl_add_source(struct tmpl_set *set, const char *name, size_t name_len,
    struct source source, struct tmpl_error *err)
{
	if (set->count == TMPL_SET_MAX && !look_up(set, name, name_len)) {
		free(source.owned);
		return tmpl_set_mistake(
		    err, name, "more than %d templates", TMPL_SET_MAX);
	}
	wait_for_compilation(set, add(set, name, name_len), source);
	return RC_OK;
}

static bool
ask_loader(const struct tmpl_set *set, const char *name, struct source *source)
{
	if (set->load)
		source->text = set->load(set->load_arg, name, &source->len);
	return source->text != NULL;
}

/* False when there is no such template. */
static bool
load(struct tmpl_set *set, const char *name)
{
	struct source source = { 0 };

	if (!(set->dir ? tmpl_read_one(set, name, &source) :
			 ask_loader(set, name, &source)))
		return false;
	wait_for_compilation(set, add(set, name, strlen(name)), source);
	return true;
}

int
tmpl_refer(struct tmpl_set *set, const struct scan *s, const struct token *tag,
    const struct tmpl **out)
{
	const char *name = s->text + tag->name.at;
	struct tmpl *t = look_up(set, name, tag->name.len);

	if (!t && set->count == TMPL_SET_MAX)
		return tmpl_mistake(
		    s, tag->all.at, "more than %d templates", TMPL_SET_MAX);
	if (!t)
		t = add(set, name, tag->name.len);
	if (set->closed && !t->code && !t->waiting && !load(set, t->name))
		return tmpl_mistake(
		    s, tag->all.at, "no template \"%s\"", t->name);
	*out = t;
	return RC_OK;
}

int
tmpl_compile(struct tmpl_set *set, const char *name, const char *source,
    size_t len, const struct tmpl **out, struct tmpl_error *err)
{
	int rc;

	rc = tmpl_add_source(
	    set, name, strlen(name), (struct source){ source, len, NULL }, err);
	if (rc == RC_OK)
		rc = tmpl_compile_waiting(set, err);
	if (rc == RC_OK && out)
		*out = look_up(set, name, strlen(name));
	return rc;
}

const struct tmpl *
tmpl_find(struct tmpl_set *set, const char *name)
{
	const struct tmpl *t = look_up(set, name, strlen(name));
	struct tmpl_error err;

	if (t && t->code)
		return t;
	if (!t && set->count == TMPL_SET_MAX)
		return NULL;
	if (!load(set, name) || tmpl_compile_waiting(set, &err) != RC_OK)
		return NULL;
	return look_up(set, name, strlen(name));
}

/* --- the set ------------------------------------------------------------- */

struct tmpl_set *
tmpl_set_open(tmpl_loader *loader, void *arg, tmpl_translator *translate)
{
	struct tmpl_set *set = calloc(1, sizeof(*set));

	if (!set)
		abort();
	set->load = loader;
	set->load_arg = arg;
	set->translate = translate;
	set->closed = loader != NULL;
	return set;
}

void
tmpl_set_close(struct tmpl_set *set)
{
	if (!set)
		return;
	settle(set, false);
	for (uint32_t i = 0; i < set->count; i++)
		tmpl_free(set->all[i]);
	free(set->all);
	free(set->dir);
	free(set);
}
