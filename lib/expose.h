/*
 * expose -- what metric.h counts, in the words of Prometheus: its text format
 * 0.0.4, and OpenMetrics 1.0.  doc/metrics.md has all names.
 */
#ifndef SEOGA_EXPOSE_H
#define SEOGA_EXPOSE_H

#include "breaker.h"
#include "buf.h"
#include "metric.h"

enum expose_format { EXPOSE_TEXT, EXPOSE_OPENMETRICS };

/* What an Accept header (NULL: none) would rather have: OpenMetrics only
 * when it is named, and not less wanted than text. */
enum expose_format expose_format(const char *accept);
const char *expose_type(enum expose_format format);

/* Appends all there is; breakers by enum breaker_backend. */
void expose_all(struct buf *out, enum expose_format format,
    const struct breaker_view breakers[BREAKER_BACKENDS]);

#endif
