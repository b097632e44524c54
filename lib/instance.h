/*
 * instance -- which instances of Seoga run: each one says so to Redis every
 * few seconds, so that all of them can be counted truthfully.
 *
 *	instance:HOST:HASH	hash; gone INSTANCE_LIFE_S after the last word
 *	instances		sorted set of these, by when they last spoke
 *
 * HASH stands for the folder of the instance: a host may have several.
 */
#ifndef SEOGA_INSTANCE_H
#define SEOGA_INSTANCE_H

#include "req.h"

#define INSTANCE_BEAT_S 10
#define INSTANCE_LIFE_S 30

/* HOST:HASH of this one. */
const char *instance_name(struct req *req);

/* For the recorder: this instance lives. */
int instance_beat(struct req *req) ATTR_CHECK;

/*
 * Those that live, by name: [{name (HOST:HASH), host, pid (its recorder's),
 * started (seconds since 1970), version, workers, busy (of them), programs
 * (different ones, jobs included), seen (seconds ago)}].
 */
int instance_list(struct req *req, json_t **list) ATTR_CHECK;

#endif
