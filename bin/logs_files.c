/* logs_files -- log files, mapped into memory, compressed ones too: see
 * logs.h. */
#include "command.h"
#include "logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static bool
ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static bool
is_known(const struct logs_files *files, const struct stat *st)
{
	struct stat other;

	for (size_t i = 0; i < files->n; i++) {
		if (stat(files->file[i].path, &other) == 0 &&
		    other.st_dev == st->st_dev && other.st_ino == st->st_ino)
			return true;
	}
	return false;
}

/* --- what is in them --- */

/* A file without a name, on a disk: unpacked logs may be larger than memory. */
static int
nameless_file(void)
{
	const char *folder = "/var/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *other;

	if (fd >= 0)
		return fd;
	other = tmpfile();
	if (!other)
		command_die(
		    "cannot make a file in %s: %s", folder, strerror(errno));
	fd = fcntl(fileno(other), F_DUPFD_CLOEXEC, 3);
	fclose(other);
	return fd;
}

static void
unpack(int packed, int fd, const char *path)
{
	static char part[1 << 16];
	gzFile file = gzdopen(packed, "rb");
	int n = -1;

	if (!file)
		command_die("there is no memory");
	gzbuffer(file, sizeof(part));
	while ((n = gzread(file, part, sizeof(part))) > 0) {
		if (write(fd, part, (size_t)n) != n)
			command_die(
			    "cannot unpack %s: %s", path, strerror(errno));
	}
	/* What could be read of a file that is cut off is shown. */
	if (n < 0)
		fprintf(stderr, "%s is damaged\n", path);
	gzclose(file);
}

/* Mapped, not read: most of a big log is looked at once and never copied. */
static void
map(struct logs_file *file, int fd)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) < 0)
		command_die("cannot read %s: %s", file->path, strerror(errno));
	file->len = (size_t)st.st_size;
	if (file->len == 0)
		return;
	data = mmap(NULL, file->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		command_die("cannot read %s: %s", file->path, strerror(errno));
	file->data = data;
}

static void
read_packed(struct logs_file *file, int packed)
{
	int fd = nameless_file();

	unpack(packed, fd, file->path); /* closes it */
	map(file, fd);
	close(fd);
	file->fd = -1;
}

/* What is being written just now is not shown in part. */
static void
leave_out_half_line(struct logs_file *file)
{
	while (file->len > 0 && file->data[file->len - 1] != '\n')
		file->len--;
}

static void
keep(struct logs_files *files, const struct logs_file *file)
{
	struct logs_file *more =
	    reallocarray(files->file, files->n + 1, sizeof(*more));

	if (!more || !file->path)
		command_die("there is no memory");
	files->file = more;
	files->file[files->n++] = *file;
}

static void
add_file(struct logs_files *files, const char *path, int64_t since)
{
	const char *name = strrchr(path, '.');
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct logs_file file = { .fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		command_die("cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		command_die("%s is not a file", path);
	if (is_known(files, &st) ||
	    (int64_t)st.st_mtim.tv_sec + 1 < since / 1000000) {
		close(fd);
		return;
	}
	file.path = strdup(path);
	if (name && strcmp(name, ".gz") == 0) {
		read_packed(&file, fd);
	} else {
		map(&file, fd);
		file.newest = ends_in(path, ".log");
		if (file.newest)
			leave_out_half_line(&file);
	}
	keep(files, &file);
}

/* --- which they are --- */

/* Packed in a way that nothing here unpacks. */
static bool
is_packed(const char *name)
{
	static const char *const ends[] = { ".xz", ".bz2", ".zst", ".lz4" };

	for (size_t i = 0; i < LENGTH(ends); i++) {
		if (ends_in(name, ends[i]))
			return true;
	}
	return false;
}

/* "seoga.log", "seoga.log.1", "seoga.log-20261121.gz", not "seoga.logs". */
static bool
is_log(const struct logs_files *files, const char *name, const char *stem)
{
	size_t len = stem ? strlen(stem) : 0;

	if (is_packed(name) || (files->unpacked && ends_in(name, ".gz")))
		return false;
	if (!stem)
		return strstr(name, ".log") != NULL;
	return strncmp(name, stem, len) == 0 && strchr(".-", name[len]);
}

static void
add_folder(struct logs_files *files, const char *folder, const char *stem,
    int64_t since)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;
	char *path;

	if (!dir)
		command_die("cannot read %s: %s", folder, strerror(errno));
	while ((entry = readdir(dir))) {
		if (!is_log(files, entry->d_name, stem))
			continue;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
			command_die("there is no memory");
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			add_file(files, path, since);
		free(path);
	}
	closedir(dir);
}

void
logs_add(struct logs_files *files, const char *path, int64_t since)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		add_folder(files, path, NULL, since);
	else
		add_file(files, path, since);
}

void
logs_add_family(struct logs_files *files, const char *path, int64_t since)
{
	char folder[PATH_MAX], name[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	snprintf(name, sizeof(name), "%s", path);
	add_folder(files, dirname(folder), basename(name), since);
}

void
logs_add_site(struct logs_files *files, int64_t since)
{
	char error[256], access_log[PATH_MAX];
	static struct conf conf; /* owns what it read from files */

	if (conf_load(&conf, error, sizeof(error)) < 0)
		command_die("%s", error);
	if (!conf.log_file || !conf.var_dir)
		command_die("it is not set where the logs are; give their"
			    " folder with --log");
	snprintf(
	    access_log, sizeof(access_log), "%s/log/access.log", conf.var_dir);
	logs_add_family(files, access_log, since);
	logs_add_family(files, conf.log_file, since);
	if (files->n == 0 && since == 0)
		command_die("there are no logs yet; start the site first");
}

void
logs_close(struct logs_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		struct logs_file *file = &files->file[i];

		if (file->data)
			munmap(file->data, file->len);
		if (file->fd >= 0)
			close(file->fd);
		free(file->path);
	}
	free(files->file);
	*files = (struct logs_files){ 0 };
}
