/*
 * hosts -- the list of places where a backend may be found, and whether the
 * one at the other end of a link is still there.
 *
 * Written as "host[:port][,host[:port]...]", or as the path of one socket
 * (it has a slash).  An IPv6 address with a port stands in brackets.
 */
#ifndef SEOGA_HOSTS_H
#define SEOGA_HOSTS_H

#include "base.h"

#define HOSTS_MAX 16

struct host {
	char name[256]; /* a name, an address or a socket's path */
	int port;	/* 0: name is a socket's path */
};

struct hosts {
	struct host list[HOSTS_MAX];
	size_t n;
	size_t first; /* to be tried first: the last that worked */
};

/* RC_BAD_INPUT when the text is not such a list. */
int hosts_parse(const char *text, int default_port, struct hosts *out);

/* The i-th host to try, beginning at the first. */
const struct host *hosts_at(const struct hosts *hosts, size_t i);

/* The i-th of hosts_at() worked: begin with it next time. */
void hosts_worked(struct hosts *hosts, size_t i);

/* Has the host at the other end of an idle link hung up? */
bool hosts_hung_up(int socket);

#endif
