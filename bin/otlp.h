/*
 * otlp -- the parts of `seoga otlp`: which lines are to be sent, spans as
 * OTLP has them in JSON, a collector that is asked to take them.
 */
#ifndef SEOGA_OTLP_H
#define SEOGA_OTLP_H

#include "buf.h"
#include "req.h"

#include <jansson.h>

/* --- otlp_read.c --- */

/* The lines of one trace that are to be sent now. */
struct otlp_trace {
	const char **line;
	size_t *len;
	size_t n;
};

/* A part of what is kept, in order, and where to go on behind it. */
struct otlp_window {
	struct otlp_trace *traces;
	size_t n;
	int64_t block, text; /* the place behind it */
	bool is_new;	     /* the place has moved */
	bool is_whole;	     /* to the end of what there is */
};

/* From the place that Redis remembers on: traces whose lines are all there,
 * as nothing was heard of them for a few seconds. */
int otlp_read(struct req *req, struct otlp_window *window) ATTR_CHECK;
/* It is done with: the next one begins behind it. */
int otlp_read_on(struct req *req, const struct otlp_window *window) ATTR_CHECK;
/* These lines were sent, and are left out of the windows that follow. */
void otlp_sent(const struct otlp_trace *trace);
/* Bytes of lines that went away before they were read, since last asked. */
int64_t otlp_lost(void);

/* --- otlp_json.c --- */

/* Begins an ExportTraceServiceRequest, adds the spans of a tree to it, ends
 * it; see opentelemetry-proto 1.3, and its mapping to JSON. */
void otlp_begin(struct buf *out);
size_t otlp_add(struct buf *out, const json_t *spans, size_t already);
void otlp_end(struct buf *out);

/* --- otlp_send.c --- */

enum otlp_outcome {
	OTLP_TAKEN,
	OTLP_LATER,  /* try the same again, no sooner than wait_us */
	OTLP_REFUSED /* never again */
};

struct otlp_answer {
	enum otlp_outcome outcome;
	int64_t rejected; /* spans of those that were taken */
	int64_t wait_us;  /* asked for by Retry-After; 0: not */
	int status;	  /* 0: there was no answer */
	char why[200];	  /* one line */
};

/* Once at the start.  False, with a message on stderr, when it cannot be. */
bool otlp_open(const struct conf *conf);
void otlp_send(const char *body, size_t len, struct otlp_answer *answer);

#endif
