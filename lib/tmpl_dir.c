/* tmpl_dir -- opens a set of the templates below a directory: of all, or of
 * those that are asked for. */
#include "tmpl_internal.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

enum { DIR_DEPTH_MAX = 16, PATH_LEN_MAX = 4096 };

static const char suffix[] = ".mustache";

/* Up to size bytes of a file, or NULL and errno. */
static char *
read_file(const char *path, size_t size, size_t *len)
{
	FILE *in = fopen(path, "re");
	char *text;

	if (!in)
		return NULL;
	text = malloc(size + 1);
	if (!text)
		abort();
	*len = fread(text, 1, size, in);
	if (ferror(in)) {
		free(text);
		text = NULL;
	}
	fclose(in);
	return text;
}

static int
add_file(struct tmpl_set *set, const char *path, size_t size, const char *name,
    struct tmpl_error *err)
{
	struct source source;

	/* Of a large one, a byte more than allowed: the compiler complains. */
	if (size > TMPL_SOURCE_MAX)
		size = TMPL_SOURCE_MAX + 1;
	source.text = source.owned = read_file(path, size, &source.len);
	if (!source.text)
		return tmpl_set_mistake(
		    err, name, "cannot read it: %s", strerror(errno));
	return tmpl_add_source(
	    set, name, strlen(name) - strlen(suffix), source, err);
}

static int add_dir(struct tmpl_set *set, const char *dir, size_t root_len,
    int depth, struct tmpl_error *err);

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
		return tmpl_set_mistake(err, entry, "the path is too long");
	if (stat(path, &st) != 0)
		return tmpl_set_mistake(
		    err, entry, "cannot read %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return add_dir(set, path, root_len, depth + 1, err);
	if (!S_ISREG(st.st_mode) || len <= end ||
	    strcmp(entry + len - end, suffix) != 0)
		return RC_OK;
	return add_file(
	    set, path, (size_t)st.st_size, path + root_len + 1, err);
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
		return tmpl_set_mistake(
		    err, dir, "more than %d directories deep", DIR_DEPTH_MAX);
	count = scandir(dir, &entries, NULL, alphasort);
	if (count < 0)
		return tmpl_set_mistake(
		    err, dir, "cannot read %s: %s", dir, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (rc == RC_OK)
			rc = add_entry(
			    set, dir, entries[i]->d_name, root_len, depth, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

struct tmpl_set *
tmpl_set_open_dir(
    const char *dir, tmpl_translator *translate, struct tmpl_error *err)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, translate);
	int rc;

	set->closed = true;
	rc = add_dir(set, dir, strlen(dir), 0, err);
	if (rc == RC_OK)
		rc = tmpl_compile_waiting(set, err);
	if (rc == RC_OK)
		return set;
	tmpl_set_close(set);
	return NULL;
}

/* --- read when they are asked for --------------------------------------- */

/* "part/book": nothing that leads out of the directory, or is hidden. */
static bool
is_name(const char *name)
{
	return *name != '/' && *name != '.' && !strstr(name, "/.");
}

bool
tmpl_read_one(
    const struct tmpl_set *set, const char *name, struct source *source)
{
	char path[PATH_LEN_MAX];
	struct stat st;

	if (!is_name(name) ||
	    snprintf(path, sizeof(path), "%s/%s%s", set->dir, name, suffix) >=
		(int)sizeof(path) ||
	    stat(path, &st) != 0 || st.st_size > TMPL_SOURCE_MAX)
		return false;
	source->text = source->owned =
	    read_file(path, (size_t)st.st_size, &source->len);
	return source->text != NULL;
}

struct tmpl_set *
tmpl_set_open_later(const char *dir, tmpl_translator *translate)
{
	struct tmpl_set *set = tmpl_set_open(NULL, NULL, translate);

	set->closed = true;
	set->dir = strdup(dir);
	if (!set->dir)
		abort();
	return set;
}
