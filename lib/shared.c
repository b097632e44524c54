/* shared -- see shared.h. */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAPS_MAX 16 /* of a process; more are not guarded */
#define LOCK_TRIES 100
#define LOCK_WAIT_NS (10 * 1000 * 1000)

/* --- a file that is cut short --- */

static struct {
	char *at; /* NULL: none */
	size_t size;
} maps[MAPS_MAX];

static uintptr_t page_size;

static bool
is_mapped(const char *at)
{
	for (size_t i = 0; i < MAPS_MAX; i++)
		if (maps[i].at && at >= maps[i].at &&
		    at < maps[i].at + maps[i].size)
			return true;
	return false;
}

static void
leave_soon(void)
{
	sigset_t blocked;

	if (sigprocmask(SIG_BLOCK, NULL, &blocked) == 0 &&
	    sigismember(&blocked, SIGTERM) == 1)
		raise(SIGTERM);
}

/* Of any other memory it is as if nobody had looked. */
static void
on_bus(int signum, siginfo_t *info, void *context ATTR_UNUSED)
{
	char *at = info->si_addr;
	int error = errno;

	if (info->si_code != BUS_ADRERR || !is_mapped(at) ||
	    mmap(at - (uintptr_t)at % page_size, page_size,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		-1, 0) == MAP_FAILED)
		signal(signum, SIG_DFL);
	else
		leave_soon();
	errno = error;
}

static void
guard(void *map, size_t size)
{
	struct sigaction act = { .sa_sigaction = on_bus,
		.sa_flags = SA_SIGINFO };

	if (!page_size) {
		page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
		sigemptyset(&act.sa_mask);
		sigaction(SIGBUS, &act, NULL);
	}
	for (size_t i = 0; i < MAPS_MAX; i++) {
		if (maps[i].at)
			continue;
		maps[i].size = size;
		maps[i].at = map;
		return;
	}
}

void
shared_unmap(void *map, size_t size)
{
	for (size_t i = 0; i < MAPS_MAX; i++)
		if (maps[i].at == map)
			maps[i].at = NULL;
	munmap(map, size);
}

/* --- the file --- */

/* Its blocks are set aside where the file system can do so: else a full one
 * would kill whoever writes to the memory. */
static int
grow(int fd, size_t size)
{
	if (fallocate(fd, 0, 0, (off_t)size) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	return ftruncate(fd, (off_t)size);
}

/* 0 in a file that is new. */
static uint64_t
magic_of(int fd)
{
	uint64_t first;

	if (pread(fd, &first, sizeof(first), 0) != sizeof(first))
		return 0;
	return first;
}

/* Growing it twice at the same time is as good as once. */
static void *
map_file(int fd, size_t size, uint64_t magic)
{
	struct stat st;
	_Atomic uint64_t *first;
	uint64_t none = 0;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) ||
	    (magic_of(fd) != 0 && magic_of(fd) != magic)) {
		errno = EINVAL;
		return NULL;
	}
	if (st.st_size < (off_t)size && grow(fd, size) < 0)
		return NULL;
	first = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (first == MAP_FAILED)
		return NULL;
	guard(first, size);
	if (atomic_compare_exchange_strong(first, &none, magic) ||
	    none == magic)
		return first;
	shared_unmap(first, size);
	errno = EINVAL;
	return NULL;
}

static int
open_file(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void *
shared_map(const char *path, size_t size, uint64_t magic)
{
	int fd = open_file(path);
	void *map;
	int error;

	if (fd < 0)
		return NULL;
	map = map_file(fd, size, magic);
	error = errno;
	close(fd);
	errno = error;
	return map;
}

/* --- one after the other --- */

static bool
lock_file(int fd)
{
	const struct timespec wait = { .tv_nsec = LOCK_WAIT_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return false;
		nanosleep(&wait, NULL);
	}
	errno = EWOULDBLOCK;
	return false;
}

/* Is it still the file of that name? */
static bool
is_there(const char *path, int fd)
{
	struct stat named, opened;

	return lstat(path, &named) == 0 && fstat(fd, &opened) == 0 &&
	    named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* The file of that name, locked; -1 with errno. */
static int
open_locked(const char *path)
{
	int fd, error;

	while ((fd = open_file(path)) >= 0) {
		if (!lock_file(fd))
			break;
		if (is_there(path, fd))
			return fd;
		/* Another has just taken it away. */
		close(fd);
	}
	error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

static bool
is_earlier(int fd, uint64_t magic)
{
	uint64_t first = magic_of(fd);

	return first != magic && (first & SHARED_KIND) == (magic & SHARED_KIND);
}

/* Closing it is not enough: the mapping keeps the file open. */
void
shared_unlock(int lock)
{
	flock(lock, LOCK_UN);
	close(lock);
}

void *
shared_map_locked(const char *path, size_t size, uint64_t magic, int *lock)
{
	int fd = open_locked(path), error;
	void *map;

	if (fd >= 0 && is_earlier(fd, magic) && unlink(path) == 0) {
		close(fd);
		fd = open_locked(path);
	}
	if (fd < 0)
		return NULL;
	map = map_file(fd, size, magic);
	if (map) {
		*lock = fd;
		return map;
	}
	error = errno;
	close(fd);
	errno = error;
	return NULL;
}
