/*
 * process -- tells when a process was started: a number that was noted may be
 * another process's by now.
 */
#ifndef SEOGA_PROCESS_H
#define SEOGA_PROCESS_H

#include "base.h"

/* When it was started, in clock ticks after boot, at least 1: numbers come
 * again, with another start.  0: there is none, also when it has ended and
 * nobody has asked for its status yet; or there is no /proc. */
uint64_t process_start(int64_t pid);

#endif
