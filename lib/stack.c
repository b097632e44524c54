/* stack -- see stack.h. */
#include "stack.h"

#include "log.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DEPTH 3 /* of children that are looked for */
#define CHILDREN_MAX 8192

/* A small file of /proc; its length, 0 when it is not there. */
static size_t
read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	text[0] = '\0';
	if (fd < 0)
		return 0;
	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	return len;
}

/* The number after the name, in kB. */
static int64_t
kilobytes(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoll(at + strlen(name), NULL, 10) * 1024 : 0;
}

static int64_t
memory_of(int pid)
{
	char path[64], text[2048];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	read_file(path, text, sizeof(text));
	return kilobytes(text, "\nPss:");
}

/* Programs and jobs have the same parent; where they are says which it is. */
static enum stack_part
part_of_child(int pid, enum stack_part parent)
{
	char path[64], line[512];

	if (parent != STACK_SUPERVISOR)
		return parent;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	read_file(path, line, sizeof(line));
	return strstr(line, "/cgi-bin/") ? STACK_PROGRAMS : STACK_JOBS;
}

static void
add_process(int pid, enum stack_part part, int depth, struct stack_sum *sums)
{
	char path[64], children[CHILDREN_MAX], *at = children, *end;
	int64_t bytes = memory_of(pid);

	if (bytes > 0) {
		sums[part].processes++;
		sums[part].bytes += bytes;
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	if (depth == 0 || read_file(path, children, sizeof(children)) == 0)
		return;
	while (true) {
		long child = strtol(at, &end, 10);

		if (end == at || child <= 0)
			return;
		at = end;
		add_process((int)child, part_of_child((int)child, part),
		    depth - 1, sums);
	}
}

/* Beside the file that the programs share. */
static int
pid_of(const struct conf *conf, const char *name)
{
	const char *file = conf->history_file, *slash;
	char path[4096], text[32];

	slash = file ? strrchr(file, '/') : NULL;
	if (!slash)
		return 0;
	snprintf(
	    path, sizeof(path), "%.*s/%s.pid", (int)(slash - file), file, name);
	read_file(path, text, sizeof(text));
	return (int)strtol(text, NULL, 10);
}

static int64_t
look(const struct conf *conf, struct stack_sum sums[STACK_PARTS])
{
	static const struct {
		const char *name;
		enum stack_part part;
	} servers[] = {
		{ "supervisord", STACK_SUPERVISOR },
		{ "nginx", STACK_NGINX },
		{ "mariadb", STACK_MARIADB },
		{ "redis", STACK_REDIS },
	};
	int64_t all = 0;

	memset(sums, 0, STACK_PARTS * sizeof(sums[0]));
	for (size_t i = 0; i < LENGTH(servers); i++) {
		int pid = pid_of(conf, servers[i].name);

		if (pid > 0)
			add_process(pid, servers[i].part, DEPTH, sums);
	}
	for (int i = 0; i < STACK_PARTS; i++)
		all += sums[i].bytes;
	return all;
}

int64_t
stack_look(const struct conf *conf, struct stack_sum sums[STACK_PARTS])
{
	static struct stack_sum kept[STACK_PARTS];
	static int64_t until, all;

	if (log_now() >= until) {
		all = look(conf, kept);
		until = log_now() + STACK_KEPT_S * INT64_C(1000000);
	}
	memcpy(sums, kept, sizeof(kept));
	return all;
}

const char *
stack_name(enum stack_part part)
{
	static const char *const names[] = {
		[STACK_PROGRAMS] = "programs",
		[STACK_JOBS] = "jobs",
		[STACK_NGINX] = "nginx",
		[STACK_SUPERVISOR] = "supervisor",
		[STACK_MARIADB] = "mariadb",
		[STACK_REDIS] = "redis",
	};

	return names[part];
}

void
stack_host(const struct conf *conf, struct stack_host *host)
{
	char text[2048];
	struct statvfs fs;

	*host = (struct stack_host){ 0 };
	read_file("/proc/loadavg", text, sizeof(text));
	host->load = strtod(text, NULL);
	host->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	read_file("/proc/meminfo", text, sizeof(text));
	host->memory = kilobytes(text, "MemTotal:");
	host->memory_free = kilobytes(text, "\nMemAvailable:");
	if (conf->var_dir && statvfs(conf->var_dir, &fs) == 0) {
		/* What is kept for root is no room, as for df. */
		host->disk = (int64_t)(fs.f_blocks - fs.f_bfree + fs.f_bavail) *
		    (int64_t)fs.f_frsize;
		host->disk_free = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	}
}
