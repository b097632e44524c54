/*
 * trace -- the parts of `seoga trace`: find the lines of a request in the
 * logs, and print the tree of spans that lib/span.h makes of them.
 */
#ifndef SEOGA_TRACE_H
#define SEOGA_TRACE_H

#include "logs.h"

/* trace_logs.c */

/* All lines whose trace id begins with these digits. */
json_t *trace_logs_find(const struct logs_files *logs, const char *digits);
/* The n latest lines that tell of a whole request which took least_us or
 * longer, the earliest first; nginx's where it has one. */
json_t *
trace_logs_latest(const struct logs_files *logs, size_t n, int64_t least_us);

/* trace_print.c */

void trace_print(const json_t *spans, int width);
void trace_print_list(const json_t *lines);
/* A copy that cannot command a terminal, to be freed. */
char *trace_harmless(const char *text);

/* trace_pair.c */

/* Where two traces differ: their first requests, side by side. */
void trace_print_pair(const json_t *a, const json_t *b, int width);

#endif
