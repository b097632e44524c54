/* child -- see child.h. */
#include "child.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNALLED 128 /* as shells have it */
#define CHUNK 65536

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static bool
write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n < 0)
			continue;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The input as a file, which the child may map; -1 without memory. */
static int
input_file(const struct child *child)
{
	int fd = memfd_create("in", MFD_CLOEXEC);

	if (fd >= 0 &&
	    (!write_all(fd, child->in, child->in_len) ||
		lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Our signals are blocked or ignored; the child's shall not be. */
static void
set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, defaults;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGTERM);
	sigaddset(&defaults, SIGUSR1);
	sigaddset(&defaults, SIGALRM);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &defaults);
	posix_spawnattr_setflags(
	    attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* exec takes its arguments without const, and leaves them as they are. */
static char *const *
strings(const char *const *list)
{
	return (char *const *)(uintptr_t)list;
}

static int
spawn(const struct child *child, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	set_attributes(&attributes);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	error = posix_spawn(pid, child->path, &actions, &attributes,
	    strings(child->argv), child->env ? strings(child->env) : environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static int
ms_left(int64_t until)
{
	int64_t left = (until - log_now()) / 1000;

	return left > 0 ? (int)left : 0;
}

/* Waits until fd can be read, or has come to its end. */
static bool
await(int fd, int64_t until)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&one, 1, ms_left(until));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* All that it says; false when it takes too long or says too much. */
static bool
listen_to(int fd, struct buf *out, int64_t until)
{
	char chunk[CHUNK];

	while (await(fd, until)) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n == 0)
			return true;
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
		if (out->over || (n < 0 && errno != EINTR))
			return false;
	}
	return false;
}

/* It may have closed its output and go on: then it is killed, too. */
static bool
await_end(pid_t pid, bool listened, int64_t until, int *status)
{
	int fd = pidfd_open(pid, 0), how;
	bool ended = listened && fd >= 0 && await(fd, until);

	if (!ended)
		kill(pid, SIGKILL);
	close_fd(fd);
	while (waitpid(pid, &how, 0) < 0)
		if (errno != EINTR)
			return false;
	*status = WIFEXITED(how) ? WEXITSTATUS(how) : SIGNALLED + WTERMSIG(how);
	return ended;
}

static void
log_run(const struct child *child, int64_t start, int status, bool ended)
{
	static const char *const said[] = { "act", "file" };

	log_event(ended ? LOG_INFO : LOG_WARN, "child.run");
	log_str("name", child->argv[0]);
	if (child->span)
		log_str("span", child->span);
	if (child->host)
		log_str("host", child->host);
	for (size_t i = 0; i < LENGTH(said) && child->argv[i + 1]; i++)
		log_str(said[i], child->argv[i + 1]);
	log_int("status", status);
	log_int("us", log_now() - start);
	log_end();
}

static int
start(struct req *req, const struct child *child, pid_t *pid, int *from)
{
	int in = input_file(child), out[2] = { -1, -1 }, error = errno;

	if (in >= 0 && pipe2(out, O_CLOEXEC) == 0)
		error = spawn(child, in, out[1], pid);
	else
		error = errno ? errno : error;
	close_fd(in);
	close_fd(out[1]);
	if (error == 0) {
		*from = out[0];
		return RC_OK;
	}
	close_fd(out[0]);
	log_msg(LOG_ERROR, "child.start", "cannot run %s: %s", child->path,
	    strerror(error));
	return req_bug(req);
}

int
child_run(
    struct req *req, const struct child *child, struct buf *out, int *status)
{
	int64_t begin = log_now(), until = begin + child->ms * INT64_C(1000);
	bool ended;
	pid_t pid;
	int from = -1, how = 0;
	int rc = start(req, child, &pid, &from);

	if (rc < 0)
		return rc;
	ended = listen_to(from, out, until);
	close(from);
	ended = await_end(pid, ended, until, &how);
	log_run(child, begin, how, ended);
	if (!ended)
		return RC_DOWN;
	*status = how;
	return RC_OK;
}
