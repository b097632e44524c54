/*
 * hosts -- takes apart the list of places where a backend may be found, and
 * looks whether one has hung up.
 */
#include <errno.h>
#include <sys/socket.h>

#include "hosts.h"

static int
parse_port(const char *s, const char *end, int *out)
{
	int port = 0;

	if (s == end)
		return RC_BAD_INPUT;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return RC_BAD_INPUT;
		port = port * 10 + (*s - '0');
		if (port > 65535)
			return RC_BAD_INPUT;
	}
	if (port == 0)
		return RC_BAD_INPUT;
	*out = port;
	return RC_OK;
}

static int
set_name(struct host *host, const char *s, const char *end)
{
	size_t len = (size_t)(end - s);

	if (len == 0 || len >= sizeof(host->name))
		return RC_BAD_INPUT;
	memcpy(host->name, s, len);
	host->name[len] = '\0';
	return RC_OK;
}

/* Where the port's colon is; end when there is none. */
static const char *
find_colon(const char *s, const char *end)
{
	const char *colon = memchr(s, ':', (size_t)(end - s));

	/* Two colons without brackets: a bare IPv6 address. */
	if (!colon || memchr(colon + 1, ':', (size_t)(end - colon - 1)))
		return end;
	return colon;
}

static int
parse_host(const char *s, const char *end, int port, struct host *out)
{
	const char *name_end, *colon;

	if (s < end && *s == '[') {
		s++;
		name_end = memchr(s, ']', (size_t)(end - s));
		if (!name_end)
			return RC_BAD_INPUT;
		colon = name_end + 1;
	} else {
		name_end = colon = find_colon(s, end);
	}
	out->port = port;
	if (colon < end &&
	    (*colon != ':' || parse_port(colon + 1, end, &out->port) < 0))
		return RC_BAD_INPUT;
	return set_name(out, s, name_end);
}

static int
parse_socket(const char *path, struct hosts *out)
{
	out->list[0].port = 0;
	out->n = 1;
	return set_name(&out->list[0], path, path + strlen(path));
}

int
hosts_parse(const char *text, int default_port, struct hosts *out)
{
	struct hosts hosts = { .n = 0 };
	const char *end;
	int rc;

	if (strchr(text, '/')) {
		rc = parse_socket(text, &hosts);
		if (rc == RC_OK)
			*out = hosts;
		return rc;
	}
	do {
		end = strchrnul(text, ',');
		if (hosts.n == HOSTS_MAX)
			return RC_BAD_INPUT;
		rc =
		    parse_host(text, end, default_port, &hosts.list[hosts.n++]);
		if (rc < 0)
			return rc;
		text = end + 1;
	} while (*end);
	*out = hosts;
	return RC_OK;
}

const struct host *
hosts_at(const struct hosts *hosts, size_t i)
{
	return &hosts->list[(hosts->first + i) % hosts->n];
}

void
hosts_worked(struct hosts *hosts, size_t i)
{
	hosts->first = (hosts->first + i) % hosts->n;
}

/* On an idle link there is nothing to read; if there is, it is its end. */
bool
hosts_hung_up(int socket)
{
	char c;

	return recv(socket, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	    (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}
