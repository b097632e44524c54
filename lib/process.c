/* process -- see process.h. */
#include "process.h"

#include <fcntl.h>
#include <unistd.h>

#define STAT_MAX 1024

/* The rest of /proc/PID/stat behind the name, which may hold anything. */
static const char *
read_stat(int64_t pid, char text[STAT_MAX])
{
	char path[40];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, STAT_MAX - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	text = strrchr(text, ')');
	return text && text[1] == ' ' ? text + 2 : NULL;
}

uint64_t
process_start(int64_t pid)
{
	char text[STAT_MAX];
	const char *field = read_stat(pid, text);
	uint64_t ticks;

	if (!field || *field == 'Z' || *field == 'X')
		return 0;
	/* The state is the third field, the start the twenty-second. */
	for (int i = 3; i < 22 && field; i++) {
		field = strchr(field, ' ');
		field = field ? field + 1 : NULL;
	}
	ticks = field ? strtoull(field, NULL, 10) : 0;
	return ticks ? ticks : 1;
}
