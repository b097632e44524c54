/*
 * secret -- random tokens, keyed digests, constant-time compare, passwords.
 */
#ifndef SEOGA_SECRET_H
#define SEOGA_SECRET_H

#include "base.h"

#define SECRET_UUID_SIZE 37   /* 36 characters and NUL */
#define SECRET_TOKEN_SIZE 33  /* 32 hex digits and NUL */
#define SECRET_HASH_SIZE 128  /* an argon2id string and NUL */
#define SECRET_SHA256_SIZE 65 /* 64 hex digits and NUL */

/* Call once at start; RC_BUG when the system has no randomness. */
int secret_init(void);

/* A random (version 4) UUID from libuuid, lower case. */
void secret_uuid(char out[SECRET_UUID_SIZE]);
/* Exactly 36 characters in the form of a UUID? */
bool secret_is_uuid(const char *s, size_t len);

/* 128 random bits as hex. */
void secret_token(char out[SECRET_TOKEN_SIZE]);

/* A random number 0 .. below - 1, without bias. */
uint32_t secret_below(uint32_t below);

/* Keyed digest (BLAKE2b, 128 bits, hex) of purpose and text: tokens that
 * prove that we made them, and public names for secret ids. */
void secret_mac(const char *key, const char *purpose, const char *text,
    char out[SECRET_TOKEN_SIZE]);

/* SHA-256 in hex: what names content. */
void secret_sha256(const void *data, size_t len, char out[SECRET_SHA256_SIZE]);

/* Equal, in time that depends on the lengths only?  NULL equals nothing. */
bool secret_equal(const char *a, const char *b);

/* argon2id (m = 19 MiB, t = 2, p = 1: OWASP).  About 17 ms of CPU.
 * RC_DOWN without memory. */
int secret_hash(const char *password, char out[SECRET_HASH_SIZE]);

/* Does the password fit the hash (argon2id, or bcrypt $2b$ / $2y$)?  Takes
 * the same work with hash NULL, an account that does not exist, and is false
 * then.  *rehash (may be NULL) is set when a fitting hash is not of today's
 * kind and strength. */
bool secret_verify(const char *password, const char *hash, bool *rehash);

#endif
