/*
 * attack_internal -- the memory behind attack.h: sets of a few places, in
 * which an address has its place by a digest that nobody outside can
 * foresee.
 *
 * The recorder takes a place out, changes it, and puts it back; a version
 * tells readers that they met it halfway.  If it dies there, readers pass the
 * place over until it is written again.
 */
#ifndef SEOGA_ATTACK_INTERNAL_H
#define SEOGA_ATTACK_INTERNAL_H

#include "attack.h"

#define ATTACK_WAYS 8
#define ATTACK_SETS (ATTACK_ADDRESSES / ATTACK_WAYS)
#define ATTACK_SEEN_BITS 256 /* of paths, by their digest */

enum attack_what {
	ATTACK_LOGINS,
	ATTACK_ERRORS,
	ATTACK_UNKNOWN,
	ATTACK_PROBES,
	ATTACK_LIMITS,
	ATTACK_WHATS
};

struct attack_fact {
	uint64_t net[2]; /* the address of IPv6, or IPv4 as ::ffff:a.b.c.d */
	int64_t last;	 /* seconds */
	int64_t minute;	 /* the newest in counts; 0: nobody's place */
	int64_t burst, scan; /* the minutes of the last events; 0: none */
	int64_t seen_since;  /* minute */
	uint64_t seen[ATTACK_SEEN_BITS / 64];
	uint64_t score; /* as of minute; halves in ATTACK_HALF of them */
	char path[ATTACK_PATH];
	uint16_t counts[ATTACK_MINUTES][ATTACK_WHATS];
};

#define ATTACK_WORDS (sizeof(struct attack_fact) / sizeof(uint64_t))
_Static_assert(sizeof(struct attack_fact) % sizeof(uint64_t) == 0,
    "a place is copied word by word");

struct attack_place {
	_Alignas(SHARED_LINE) _Atomic uint64_t version; /* odd: in between */
	_Atomic uint64_t words[ATTACK_WORDS];
};

struct attack_minute {
	_Atomic int64_t minute; /* which one it is now */
	_Atomic uint64_t events[ATTACK_KINDS];
};

struct attack_board {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	_Atomic uint64_t seed[2];
	struct attack_minute minutes[ATTACK_MINUTES];
	struct attack_place places[ATTACK_SETS][ATTACK_WAYS];
};

/* Mapped, or this process's own. */
struct attack_board *attack_board(void);

/* For the one writer, who needs no version. */
void attack_load(const struct attack_place *place, struct attack_fact *fact);
void attack_store(struct attack_place *place, const struct attack_fact *fact);

/* A digest that begins with the board's seed. */
uint64_t attack_digest(uint64_t a, uint64_t b);

#endif
