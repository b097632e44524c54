/*
 * stack -- the processes of this instance, and the memory that they have:
 * what /proc tells of those whose numbers are beside the sockets, and of
 * their children.
 */
#ifndef SEOGA_STACK_H
#define SEOGA_STACK_H

#include "conf.h"

#define STACK_KEPT_S 10

enum stack_part {
	STACK_PROGRAMS,
	STACK_JOBS,
	STACK_NGINX,
	STACK_SUPERVISOR,
	STACK_MARIADB, /* if it is of this instance alone */
	STACK_REDIS,   /* the same */
	STACK_PARTS
};

struct stack_sum {
	int processes;
	int64_t bytes; /* proportional set size: what is shared, by halves */
};

/* All of them.  The kernel adds up the pages of each process, which takes 100
 * us or so, and more of a large one: who asks again within STACK_KEPT_S gets
 * the same.  The bytes of all. */
int64_t stack_look(const struct conf *conf, struct stack_sum sums[STACK_PARTS]);

/* "programs", "jobs", ... */
const char *stack_name(enum stack_part part);

/* The machine. */
struct stack_host {
	double load; /* of the last minute */
	int cpus;
	int64_t memory, memory_free; /* bytes; free is what can be had */
	int64_t disk, disk_free;     /* of the folder of the instance */
};
void stack_host(const struct conf *conf, struct stack_host *host);

#endif
