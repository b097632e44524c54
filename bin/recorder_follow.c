/*
 * recorder_follow -- nginx's log, read as it grows: see recorder.h.
 *
 * A line is counted once: before it is given away, the place behind it is
 * remembered, in memory that a killed recorder leaves to the next one.
 */
#include "recorder.h"

#include "log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)64 * 1024) /* a longer line is left out */
#define CHUNKS 16		  /* at a time */
#define PATH_SIZE 4096

/* nginx opens its log anew some moments after it was moved away. */
#define MOVED_US (INT64_C(1) * 1000000)

static struct {
	char path[PATH_SIZE];
	struct recorder_memory *memory;
	int fd;		  /* -1: no file yet */
	bool cutting;	  /* within a line that is left out */
	int64_t moved_at; /* another file has its name since; 0: none */
} log_file = { .fd = -1 };

/* --- which file --- */

static void
set_place(uint64_t inode, uint64_t offset)
{
	atomic_store(&log_file.memory->offset, offset);
	atomic_store(&log_file.memory->inode, inode);
	log_file.cutting = false;
	log_file.moved_at = 0;
}

static int
open_at(const char *suffix, struct stat *st)
{
	char path[PATH_SIZE + 8];
	int fd;

	snprintf(path, sizeof(path), "%s%s", log_file.path, suffix);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Goes on in the file that was read before, if it is there: it may have been
 * moved away meanwhile. */
static bool
go_on(uint64_t inode)
{
	static const char *const suffixes[] = { "", ".1" };
	uint64_t offset = atomic_load(&log_file.memory->offset);
	struct stat st;

	for (size_t i = 0; i < LENGTH(suffixes); i++) {
		int fd = open_at(suffixes[i], &st);

		if (fd >= 0 && st.st_ino == inode) {
			log_file.fd = fd;
			set_place(
			    inode, offset <= (uint64_t)st.st_size ? offset : 0);
			return true;
		}
		if (fd >= 0)
			close(fd);
	}
	return false;
}

/* What was in the file before the first recorder came is not for us. */
static void
open_log(bool first)
{
	uint64_t inode = atomic_load(&log_file.memory->inode);
	struct stat st;

	if (inode && go_on(inode))
		return;
	log_file.fd = open_at("", &st);
	if (log_file.fd >= 0)
		set_place(
		    st.st_ino, first && !inode ? (uint64_t)st.st_size : 0);
}

void
follow_open(const char *path, struct recorder_memory *memory)
{
	snprintf(log_file.path, sizeof(log_file.path), "%s", path);
	log_file.memory = memory;
	open_log(true);
}

void
follow_close(void)
{
	if (log_file.fd >= 0)
		close(log_file.fd);
	log_file.fd = -1;
}

/* At the end of the file: is it still the one that nginx writes? */
static bool
look_for_another(void)
{
	struct stat mine, named;

	if (fstat(log_file.fd, &mine) < 0)
		return false;
	if (atomic_load(&log_file.memory->offset) > (uint64_t)mine.st_size) {
		set_place(mine.st_ino, 0);
		return true;
	}
	if (stat(log_file.path, &named) < 0 || named.st_ino == mine.st_ino) {
		log_file.moved_at = 0;
		return false;
	}
	if (!log_file.moved_at)
		log_file.moved_at = log_now();
	if (log_now() - log_file.moved_at < MOVED_US)
		return false;
	follow_close();
	set_place(0, 0);
	open_log(false);
	return log_file.fd >= 0;
}

/* --- lines --- */

static void
step(size_t len)
{
	atomic_fetch_add(&log_file.memory->offset, len);
}

/* A line, or what is left of one that is left out. */
static void
pass(const char *line, size_t len,
    void (*take)(const char *line, size_t len, void *arg), void *arg)
{
	step(len);
	if (!log_file.cutting)
		take(line, len, arg);
	log_file.cutting = false;
}

/* False when nothing was there but a part of a line. */
static bool
read_chunk(void (*take)(const char *line, size_t len, void *arg), void *arg)
{
	static char chunk[CHUNK];
	off_t offset = (off_t)atomic_load(&log_file.memory->offset);
	ssize_t n = pread(log_file.fd, chunk, sizeof(chunk), offset);
	const char *s = chunk, *end, *stop = chunk + (n > 0 ? n : 0);

	while ((end = memchr(s, '\n', (size_t)(stop - s)))) {
		end++;
		pass(s, (size_t)(end - s), take, arg);
		s = end;
	}
	if (s == chunk && n == (ssize_t)sizeof(chunk)) {
		step(sizeof(chunk));
		log_file.cutting = true;
		return true;
	}
	return s != chunk;
}

bool
follow_read(void (*take)(const char *line, size_t len, void *arg), void *arg)
{
	int i = 0;

	if (log_file.fd < 0)
		open_log(false);
	while (log_file.fd >= 0 && i++ < CHUNKS) {
		if (!read_chunk(take, arg) && !look_for_another())
			return false;
	}
	return log_file.fd >= 0;
}
