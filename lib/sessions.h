/*
 * sessions -- all sessions of the member who asks: on which devices, ending
 * them, keeping them up to date.
 */
#ifndef SEOGA_SESSIONS_H
#define SEOGA_SESSIONS_H

#include "req.h"

/* The newest 50: array of {id, device, addr, seen (Unix seconds), current}.
 * id is a public name, not the secret. */
int sessions_list(struct req *req, json_t **list) ATTR_CHECK;

/* Ends the one with that public name; RC_NOT_FOUND. */
int sessions_end_one(struct req *req, const char *public_id) ATTR_CHECK;

/* Ends all but this one. */
int sessions_end_others(struct req *req) ATTR_CHECK;

/* Ends all of another member's, whose role has changed or who is locked. */
int sessions_end_of(struct req *req, int64_t user_id) ATTR_CHECK;

/* The member changed his name: so do his other sessions' pages. */
int sessions_rename(struct req *req, const char *name) ATTR_CHECK;

#endif
