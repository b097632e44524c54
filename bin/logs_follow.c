/* logs_follow -- waits for further lines, in files that are moved away and
 * made anew meanwhile: see logs.h. */
#include "buf.h"
#include "command.h"
#include "log.h"
#include "logs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE_US 200000
#define PART_MAX ((size_t)8 * 1024 * 1024) /* read at a time */
/* A log that was moved away is written until all have opened the new one. */
#define MOVED_US (INT64_C(30) * 1000000)

struct tail {
	const char *path; /* NULL: moved away, and read to its end */
	int fd;		  /* -1: not there yet */
	off_t at;
	int64_t moved; /* when it was seen to be gone; 0: it is not */
	struct buf text;
};

struct tails {
	struct tail *tail;
	size_t n;
};

static struct tail *
add_tail(struct tails *tails, const char *path, int fd, off_t at)
{
	struct tail *more =
	    reallocarray(tails->tail, tails->n + 1, sizeof(*more));

	if (!more)
		command_die("there is no memory");
	tails->tail = more;
	more += tails->n++;
	*more = (struct tail){
		.path = path, .fd = fd, .at = at, .text = BUF_INIT(2 * PART_MAX)
	};
	return more;
}

/* What has come since, as whole lines. */
static void
read_more(struct tail *tail)
{
	static char part[1 << 16];
	struct stat st;
	ssize_t n;
	const char *last;

	buf_reset(&tail->text);
	/* Cut off in place, which doc/log.md advises against. */
	if (fstat(tail->fd, &st) == 0 && st.st_size < tail->at)
		tail->at = 0;
	while (tail->text.len < PART_MAX &&
	    (n = pread(tail->fd, part, sizeof(part),
		 tail->at + (off_t)tail->text.len)) > 0)
		buf_add(&tail->text, part, (size_t)n);
	last = tail->text.len ? memrchr(tail->text.data, '\n', tail->text.len) :
				NULL;
	tail->text.len = last ? (size_t)(last + 1 - tail->text.data) : 0;
	tail->at += (off_t)tail->text.len;
	if (tail->text.len && tail->moved)
		tail->moved = log_now();
}

static bool
is_there(const struct tail *tail)
{
	struct stat mine, there;

	return tail->fd >= 0 && fstat(tail->fd, &mine) == 0 &&
	    stat(tail->path, &there) == 0 && mine.st_ino == there.st_ino &&
	    mine.st_dev == there.st_dev;
}

/* Opens what stands in the place of a log that was moved away. */
static void
look_for_new(struct tails *tails)
{
	size_t n = tails->n;

	for (size_t i = 0; i < n; i++) {
		struct tail *tail = &tails->tail[i];
		const char *path = tail->path;
		int fd;

		if (!path || is_there(tail))
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (tail->fd < 0) {
			tail->fd = fd;
			continue;
		}
		tail->path = NULL;
		tail->moved = log_now();
		add_tail(tails, path, fd, 0);
	}
}

static void
forget_old(struct tails *tails)
{
	size_t kept = 0;

	for (size_t i = 0; i < tails->n; i++) {
		struct tail *tail = &tails->tail[i];

		if (tail->path || log_now() - tail->moved < MOVED_US) {
			tails->tail[kept++] = *tail;
			continue;
		}
		close(tail->fd);
		buf_free(&tail->text);
	}
	tails->n = kept;
}

/* What came in all of them, by time. */
static size_t
show_more(struct tails *tails, struct logs_filter *filter,
    void (*show)(const struct logs_line *line))
{
	struct logs_files parts = { .n = tails->n };
	size_t bytes = 0;

	parts.file = calloc(tails->n + 1, sizeof(*parts.file));
	if (!parts.file)
		command_die("there is no memory");
	for (size_t i = 0; i < tails->n; i++) {
		struct tail *tail = &tails->tail[i];

		if (tail->fd >= 0)
			read_more(tail);
		parts.file[i].data = tail->text.data;
		parts.file[i].len = tail->text.len;
		bytes += tail->text.len;
	}
	logs_merge(&parts, filter, show);
	free(parts.file);
	return bytes;
}

void
logs_follow(const struct logs_files *files, struct logs_filter *filter,
    void (*show)(const struct logs_line *line))
{
	struct tails tails = { 0 };

	for (size_t i = 0; i < files->n; i++) {
		const struct logs_file *file = &files->file[i];

		if (file->newest)
			add_tail(
			    &tails, file->path, file->fd, (off_t)file->len);
	}
	for (;;) {
		size_t bytes = show_more(&tails, filter, show);

		if (fflush(stdout) != 0)
			break;
		look_for_new(&tails);
		forget_old(&tails);
		if (bytes == 0)
			usleep(PAUSE_US);
	}
	free(tails.tail);
}
