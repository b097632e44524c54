/*
 * trace -- the parts of `seoga trace`: find the lines of a request in the
 * logs, and print the tree of spans that lib/span.h makes of them.
 */
#ifndef SEOGA_TRACE_H
#define SEOGA_TRACE_H

#include "span.h"

struct trace_log {
	char *path;
	char *data; /* mapped, read only; NULL when the file is empty */
	size_t len;
};

struct trace_logs {
	struct trace_log *log;
	size_t n;
};

/* trace_logs.c.  What cannot be read ends the process with a message. */

void trace_logs_add_file(struct trace_logs *logs, const char *path);
/* The files of a folder whose names begin with stem, rotated ones too; with
 * stem NULL all that have ".log" in theirs.  Compressed ones are left out. */
void trace_logs_add_folder(
    struct trace_logs *logs, const char *folder, const char *stem);
void trace_logs_close(struct trace_logs *logs);

/* All lines whose trace id begins with these digits. */
json_t *trace_logs_find(const struct trace_logs *logs, const char *digits);
/* The n latest lines that tell of a whole request which took least_us or
 * longer, the earliest first; nginx's where it has one. */
json_t *
trace_logs_latest(const struct trace_logs *logs, size_t n, int64_t least_us);

/* trace_print.c */

void trace_print(const json_t *spans, int width);
void trace_print_list(const json_t *lines);
/* A copy that cannot command a terminal, to be freed. */
char *trace_harmless(const char *text);

/* trace_pair.c */

/* Where two traces differ: their first requests, side by side. */
void trace_print_pair(const json_t *a, const json_t *b, int width);

#endif
