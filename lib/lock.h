/*
 * lock -- a short lock in Redis for a job that one process at a time should
 * do.  It saves work and is no promise: a process may lose it by being slow,
 * so what must hold for certain is kept by MariaDB.
 */
#ifndef SEOGA_LOCK_H
#define SEOGA_LOCK_H

#include "req.h"
#include "secret.h"

struct lock {
	const char *key;
	char token[SECRET_TOKEN_SIZE]; /* says whose it is */
};

/* Takes lock:<name> for ms milliseconds.  RC_CONFLICT, without a text, when
 * another has it. */
int lock_take(
    struct req *req, const char *name, int ms, struct lock *lock) ATTR_CHECK;

/* Gives it back, if it is still ours. */
void lock_release(struct req *req, const struct lock *lock);

#endif
