/* tmpl -- the templates of a set, by name: see tmpl.h. */
#include "tmpl_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

enum { DIR_DEPTH_MAX = 16, PATH_LEN_MAX = 4096 };

static const char suffix[] = ".mustache";

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
	t = calloc(1, sizeof(*t));
	if (!t || !(t->name = strndup(name, len)))
		abort();
	set->all = tmpl_grow(set->all, set->count, &set->room,
	    sizeof(struct tmpl *));
	memmove(&set->all[at + 1], &set->all[at],
	    (set->count - at) * sizeof(struct tmpl *));
	set->all[at] = t;
	set->count++;
	return t;
}

static int
set_mistake(struct tmpl_error *err, const char *name, const char *fmt, ...)
    ATTR_PRINTF(3, 4);

/* A mistake of a whole template. */
static int
set_mistake(struct tmpl_error *err, const char *name, const char *fmt, ...)
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
wait_for_compilation(struct tmpl_set *set, struct tmpl *t, const char *source,
    size_t len)
{
	t->waiting = true;
	t->source = source;
	t->source_len = len;
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
		free(t->owned_source);
		t->owned_source = NULL;
		t->previous = NULL;
		t->waiting = false;
		set->first = t->next;
	}
	set->last = NULL;
}

/* New templates join the end of the list meanwhile, through tmpl_refer(). */
static int
compile_waiting(struct tmpl_set *set, struct tmpl_error *err)
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

/* Asks the loader; false when it has no such template. */
static bool
load(struct tmpl_set *set, const char *name)
{
	const char *source;
	size_t len = 0;

	if (!set->load)
		return false;
	source = set->load(set->load_arg, name, &len);
	if (!source)
		return false;
	wait_for_compilation(set, add(set, name, strlen(name)), source, len);
	return true;
}

int
tmpl_refer(struct tmpl_set *set, const struct scan *s,
    const struct token *tag, const struct tmpl **out)
{
	const char *name = s->text + tag->name.at;
	struct tmpl *t = look_up(set, name, tag->name.len);

	if (!t && set->count == TMPL_SET_MAX)
		return tmpl_mistake(s, tag->all.at, "more than %d templates",
		    TMPL_SET_MAX);
	if (!t)
		t = add(set, name, tag->name.len);
	if (set->closed && !t->code && !t->waiting && !load(set, t->name))
		return tmpl_mistake(s, tag->all.at, "no template \"%s\"",
		    t->name);
	*out = t;
	return RC_OK;
}

int
tmpl_compile(struct tmpl_set *set, const char *name, const char *source,
    size_t len, const struct tmpl **out, struct tmpl_error *err)
{
	struct tmpl *t;
	int rc;

	if (!look_up(set, name, strlen(name)) && set->count == TMPL_SET_MAX)
		return set_mistake(err, name, "more than %d templates",
		    TMPL_SET_MAX);
	t = add(set, name, strlen(name));
	wait_for_compilation(set, t, source, len);
	rc = compile_waiting(set, err);
	if (rc == RC_OK && out)
		*out = t;
	return rc;
}

const struct tmpl *
tmpl_find(struct tmpl_set *set, const char *name)
{
	const struct tmpl *t = look_up(set, name, strlen(name));
	struct tmpl_error err;

	if (t && t->code)
		return t;
	if (!load(set, name) || compile_waiting(set, &err) != RC_OK)
		return NULL;
	return look_up(set, name, strlen(name));
}

/* --- a set in a directory ----------------------------------------------- */

/* The whole file, or NULL and errno. */
static char *
read_file(const char *path, size_t *len)
{
	FILE *in = fopen(path, "re");
	char *text;

	if (!in)
		return NULL;
	text = malloc(TMPL_SOURCE_MAX + 1);
	if (!text)
		abort();
	/* One byte more than allowed, for the compiler to complain about. */
	*len = fread(text, 1, TMPL_SOURCE_MAX + 1, in);
	if (ferror(in)) {
		free(text);
		text = NULL;
	}
	fclose(in);
	return text;
}

static int
add_file(struct tmpl_set *set, const char *path, const char *name,
    struct tmpl_error *err)
{
	size_t name_len = strlen(name) - strlen(suffix), len;
	char *text = read_file(path, &len), *kept;
	struct tmpl *t;

	if (!text)
		return set_mistake(err, name, "cannot read %s: %s", path,
		    strerror(errno));
	if (set->count == TMPL_SET_MAX) {
		free(text);
		return set_mistake(err, name, "more than %d templates",
		    TMPL_SET_MAX);
	}
	kept = realloc(text, len + 1);
	t = add(set, name, name_len);
	t->owned_source = kept ? kept : text;
	wait_for_compilation(set, t, t->owned_source, len);
	return RC_OK;
}

static int
add_dir(struct tmpl_set *set, const char *dir, size_t root_len, int depth,
    struct tmpl_error *err);

/* One entry of a directory: a template, a directory of them, or neither. */
static int
add_entry(struct tmpl_set *set, const char *dir, const char *entry,
    size_t root_len, int depth, struct tmpl_error *err)
{
	size_t len = strlen(entry), end = strlen(suffix);
	char path[PATH_LEN_MAX];
	struct stat st;

	if (entry[0] == '.')
		return RC_OK;
	if (snprintf(path, sizeof(path), "%s/%s", dir, entry) >=
	    (int)sizeof(path))
		return set_mistake(err, entry, "the path is too long");
	if (stat(path, &st) != 0)
		return set_mistake(err, entry, "cannot read %s: %s", path,
		    strerror(errno));
	if (S_ISDIR(st.st_mode))
		return add_dir(set, path, root_len, depth + 1, err);
	if (!S_ISREG(st.st_mode) || len <= end ||
	    strcmp(entry + len - end, suffix) != 0)
		return RC_OK;
	return add_file(set, path, path + root_len + 1, err);
}

/* In the order of their names, so that the first mistake is always the same
 * one. */
static int
add_dir(struct tmpl_set *set, const char *dir, size_t root_len, int depth,
    struct tmpl_error *err)
{
	struct dirent **entries;
	int rc = RC_OK, count;

	if (depth > DIR_DEPTH_MAX)
		return set_mistake(err, dir, "more than %d directories deep",
		    DIR_DEPTH_MAX);
	count = scandir(dir, &entries, NULL, alphasort);
	if (count < 0)
		return set_mistake(err, dir, "cannot read %s: %s", dir,
		    strerror(errno));
	for (int i = 0; i < count; i++) {
		if (rc == RC_OK)
			rc = add_entry(set, dir, entries[i]->d_name, root_len,
			    depth, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

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

struct tmpl_set *
tmpl_set_open_dir(const char *dir, tmpl_translator *translate,
    struct tmpl_error *err)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, translate);
	int rc;

	set->closed = true;
	rc = add_dir(set, dir, strlen(dir), 0, err);
	if (rc == RC_OK)
		rc = compile_waiting(set, err);
	if (rc == RC_OK)
		return set;
	tmpl_set_close(set);
	return NULL;
}

void
tmpl_set_close(struct tmpl_set *set)
{
	if (!set)
		return;
	settle(set, false);
	for (uint32_t i = 0; i < set->count; i++) {
		tmpl_code_free(set->all[i]->code);
		free(set->all[i]->name);
		free(set->all[i]);
	}
	free(set->all);
	free(set);
}
