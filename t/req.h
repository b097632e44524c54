/*
 * A request without a server, for unit tests: arena, configuration, header
 * and body buffers are there, everything else is NULL or zero.
 *
 * As in the programs, jansson takes its memory from the request's arena, so
 * only one such request can live at a time, and no JSON value outlives it.
 */
#ifndef SEOGA_T_REQ_H
#define SEOGA_T_REQ_H

#include "../lib/buf.h"
#include "../lib/req.h"

/* GET / of a page over plain HTTP, in English; form_limit is 65536. */
struct req *test_req_open(void);
void test_req_close(struct req *req);

/* The configuration, to be changed before it is used. */
struct conf *test_req_conf(struct req *req);

/* The header lines so far, "" when none. */
const char *test_req_headers(const struct req *req);

/* The log lines since the last call; valid until the next one. */
const char *test_log(void);

#endif
