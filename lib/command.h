/*
 * command -- what a command line program needs instead of a web request:
 * configuration, memory and backends in a struct req of its own.
 */
#ifndef SEOGA_COMMAND_H
#define SEOGA_COMMAND_H

#include "req.h"

/* For a command without backends: only says its name in messages. */
void command_begin(const char *name);

/* Sets up req for the command of that name, in which statements may take a
 * minute; with admin, MariaDB is reached with the account that may change
 * tables, and they may take ten.  On a mistake writes it to stderr and ends
 * the process. */
void command_open(struct req *req, const char *name, bool admin);
/* The same for one that asks how the site is: an answer may take so many
 * milliseconds, and who is away is no news for the log. */
void command_open_hurried(struct req *req, const char *name, int ms);
/* The same for a job (job.h): it logs as the programs do. */
void command_open_job(struct req *req, const char *name);
void command_close(struct req *req);

/* Writes "seoga NAME: text" to stderr and ends the process with 1. */
void command_die(const char *fmt, ...) ATTR_PRINTF(1, 2) ATTR_NORETURN;
/* The same with what req_fail() recorded, or with the text alone. */
void command_die_of(const struct req *req, const char *text) ATTR_NORETURN;

#endif
