/*
 * logs -- the parts of `seoga logs`: files (`seoga trace` reads them, too),
 * which lines are wanted, their order, how they are shown.
 */
#ifndef SEOGA_LOGS_H
#define SEOGA_LOGS_H

#include "span.h"

/* A request's lines are written when it ends, nginx's up to a second later:
 * a line stands no further behind later ones than this. */
#define LOGS_LATE_US (INT64_C(60) * 1000000)

struct logs_line {
	const char *s;
	size_t len; /* without the newline */
	int64_t us; /* since 1970; that of the line before, when it has none */
};

/* --- logs_files.c --- */

struct logs_file {
	char *path;
	char *data; /* mapped, read only; NULL when the file is empty */
	size_t len;
	int fd;	     /* kept open, -1 for a compressed file */
	bool newest; /* not moved away: the one that is written */
};

struct logs_files {
	struct logs_file *file;
	size_t n;
	bool unpacked; /* compressed ones of a folder are left out */
};

/* What cannot be read ends the process with a message.  Files of a folder
 * with stem: that log and those it was moved to; without: all logs.  What
 * was last changed before `since` is left out. */
void logs_add(struct logs_files *files, const char *path, int64_t since);
void logs_add_family(struct logs_files *files, const char *path, int64_t since);
/* nginx's and the programs' logs of this instance. */
void logs_add_site(struct logs_files *files, int64_t since);
void logs_close(struct logs_files *files);

/* --- logs_filter.c --- */

struct logs_traces; /* a set of trace ids */

struct logs_filter {
	const char *trace; /* its first digits; NULL: all, as in what follows */
	const char *prog;
	const char *route; /* lines of this program, and nginx's for it */
	const char *event; /* "db.*": all that begin so */
	const char *grep;
	int level;	      /* this and above, of enum log_level */
	int64_t since, until; /* us; 0: without bounds */
	int64_t user;	      /* requests of this member; 0: all */

	/* Made by logs_filter_begin(). */
	char *grep_escaped; /* as it stands in a line */
	char needle[300];   /* is in each line that is wanted; "": none is */
	struct logs_traces *traces; /* of the member */
};

void logs_filter_begin(struct logs_filter *filter);
void logs_filter_end(struct logs_filter *filter);

/* The next line from *at that is wanted; *last_us is the time of the line
 * before, for those without.  False at the end. */
bool logs_next(const struct logs_filter *filter, const char **at,
    const char *end, int64_t *last_us, struct logs_line *line);

/* Which requests are the member's: that stands in their last line. */
void
logs_find_traces(struct logs_filter *filter, const char *at, const char *end);

/* The part of a file in which lines of these times can be. */
void
logs_range(const struct logs_filter *filter, const char **at, const char **end);

/* --- logs_merge.c --- */

/* Tells of each wanted line of all files, by time. */
void logs_merge(const struct logs_files *files, struct logs_filter *filter,
    void (*show)(const struct logs_line *line));

/* --- logs_follow.c --- */

/* The same for what is written from now on, until nobody reads any more. */
void logs_follow(const struct logs_files *files, struct logs_filter *filter,
    void (*show)(const struct logs_line *line));

/* --- logs_time.c --- */

/* "2026-11-21", "2026-11-21T14:30:00.5+09:00", "14:30", "10m" (ago), to
 * microseconds since 1970; UTC where no zone is told.  0 for what is none. */
int64_t logs_time(const char *word, int64_t now);

/* --- logs_show.c --- */

void logs_show_raw(const struct logs_line *line);
void logs_show_short(const struct logs_line *line);

#endif
