/* shared -- see shared.h. */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Growing it twice at the same time is as good as once. */
static void *
map_file(int fd, size_t size, uint64_t magic)
{
	struct stat st;
	_Atomic uint64_t *first;
	uint64_t none = 0;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	if (st.st_size < (off_t)size && ftruncate(fd, (off_t)size) < 0)
		return NULL;
	first = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (first == MAP_FAILED)
		return NULL;
	if (atomic_compare_exchange_strong(first, &none, magic) ||
	    none == magic)
		return first;
	munmap(first, size);
	errno = EINVAL;
	return NULL;
}

void *
shared_map(const char *path, size_t size, uint64_t magic)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
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
