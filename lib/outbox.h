/*
 * outbox -- events, written in the same transaction as what they tell of
 * (the transactional outbox pattern); bin/relay.c delivers them afterwards,
 * in order, at least once.
 *
 * An event is a JSON object in the form of CloudEvents 1.0: id is the row's,
 * type is the topic, subject the order's number, time, traceparent, data.
 * The column payload is the data alone; who delivers it adds the rest, which
 * is in the row's other columns.
 */
#ifndef SEOGA_OUTBOX_H
#define SEOGA_OUTBOX_H

#include "req.h"

/* Adds an event of this request's trace.  data is borrowed. */
int outbox_add(struct req *req, const char *topic, const char *subject,
    const json_t *data) ATTR_CHECK;

#endif
