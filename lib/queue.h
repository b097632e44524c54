/*
 * queue -- the Redis Stream `orders`: events from the outbox, for consumer
 * groups.
 *
 * An entry has one field, event: a CloudEvent as JSON.  The stream is bounded
 * (conf->events_max): what every group is done with is trimmed away, and
 * while groups are far behind there is no room, so events wait in the outbox.
 *
 * A consumer reads entries, acts, and says which are done.  What it leaves,
 * because it failed or died, is given to whoever reads after
 * conf->events_retry_ms.  After QUEUE_TRIES tries an entry is a dead letter:
 * it goes to the stream `orders:dead` with the reason, for an administrator.
 */
#ifndef SEOGA_QUEUE_H
#define SEOGA_QUEUE_H

#include "outbox.h"
#include "req.h"

#define QUEUE_TRIES 5

struct queue_entry {
	const char *id;
	const char *json; /* NULL when the entry has no event */
	int64_t tries;	  /* this one included; 1 = new */
};

/* --- for who writes ----------------------------------------------------- */

/* Is there room for some hundred more?  Trims what nobody needs. */
int queue_room(struct req *req, bool *room) ATTR_CHECK;

/* Adds them in order, and publishes each to the channel orders:status. */
int queue_send(
    struct req *req, const struct outbox_event *events, size_t n) ATTR_CHECK;

/* --- for consumers ------------------------------------------------------ */

/*
 * Reads for a consumer of a group, which is made when it is missing: first
 * what was left by others, or by us, then at most max new ones.  The entries
 * with more than QUEUE_TRIES tries have ended their consumers: they are dead
 * letters now, and left out.
 */
int queue_read(struct req *req, const char *group, const char *consumer,
    int max, struct queue_entry **entries, size_t *n) ATTR_CHECK;

int queue_done(struct req *req, const char *group,
    const struct queue_entry *entries, size_t n) ATTR_CHECK;

/* Leaves it for the next try, or, after the last, makes it a dead letter. */
int queue_failed(struct req *req, const char *group,
    const struct queue_entry *entry, const char *reason) ATTR_CHECK;

/* Forgets the group's consumers that have read nothing for an hour and left
 * nothing; one that lives is made again when it reads. */
int queue_forget_consumers(struct req *req, const char *group) ATTR_CHECK;

/* --- for administrators ------------------------------------------------- */

/*
 * {length, groups: [{name, lag (null: not known), pending, consumers:
 * [{name, pending, idle_ms}]}], dead_length, dead: [{id, event (its JSON,
 * of a long one the beginning),
 * reason, group, tries}]}, of dead letters the latest, at most 50.
 */
int queue_state(struct req *req, json_t **state) ATTR_CHECK;

/* A dead letter, as above; RC_NOT_FOUND with a text. */
int queue_dead(struct req *req, const char *id, json_t **letter) ATTR_CHECK;

/* Puts a dead letter back into the stream, or forgets it; RC_NOT_FOUND when
 * somebody else has. */
int queue_replay(struct req *req, const char *id) ATTR_CHECK;
int queue_discard(struct req *req, const char *id) ATTR_CHECK;

#endif
