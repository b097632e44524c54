/*
 * secret -- random tokens, keyed digests, constant-time compare and password
 * hashes, over libsodium, libuuid and crypt(3).
 */
#include <crypt.h>
#include <sodium.h>
#include <uuid/uuid.h>

#include "secret.h"

/* OWASP's second choice for argon2id; libsodium always has p = 1. */
#define HASH_PASSES 2
#define HASH_MEMORY ((size_t)19 * 1024 * 1024)

/* What libsodium's argon2id strings hold. */
#define DUMMY_SALT_BYTES crypto_pwhash_SALTBYTES
#define DUMMY_DIGEST_BYTES 32
#define BASE64 sodium_base64_VARIANT_ORIGINAL_NO_PADDING

#define BCRYPT_LENGTH 60
#define BCRYPT_MAX 72 /* bcrypt does not look at what follows */

#define TOKEN_BYTES ((SECRET_TOKEN_SIZE - 1) / 2)

_Static_assert(SECRET_HASH_SIZE == crypto_pwhash_STRBYTES,
    "libsodium needs that much room for a hash");
_Static_assert(SECRET_UUID_SIZE == UUID_STR_LEN,
    "libuuid needs that much room for a UUID");

/* A hash that nobody has a password for, for accounts that do not exist. */
static char dummy[SECRET_HASH_SIZE];

static void
random_base64(size_t len, char *out, size_t size)
{
	unsigned char bytes[DUMMY_DIGEST_BYTES];

	randombytes_buf(bytes, len);
	sodium_bin2base64(out, size, bytes, len, BASE64);
}

/* As secret_hash() writes one, but without its work: workers start fast. */
static void
make_dummy(void)
{
	char salt[sodium_base64_ENCODED_LEN(DUMMY_SALT_BYTES, BASE64)];
	char digest[sodium_base64_ENCODED_LEN(DUMMY_DIGEST_BYTES, BASE64)];

	random_base64(DUMMY_SALT_BYTES, salt, sizeof(salt));
	random_base64(DUMMY_DIGEST_BYTES, digest, sizeof(digest));
	snprintf(dummy, sizeof(dummy), "$argon2id$v=19$m=%zu,t=%d,p=1$%s$%s",
	    HASH_MEMORY / 1024, HASH_PASSES, salt, digest);
}

int
secret_init(void)
{
	if (sodium_init() < 0)
		return RC_BUG;
	make_dummy();
	return RC_OK;
}

void
secret_uuid(char out[SECRET_UUID_SIZE])
{
	uuid_t uuid;

	uuid_generate_random(uuid);
	uuid_unparse_lower(uuid, out);
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	    (c >= 'A' && c <= 'F');
}

bool
secret_is_uuid(const char *s, size_t len)
{
	if (!s || len != SECRET_UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !is_hex(s[i]))
			return false;
	}
	return true;
}

void
secret_token(char out[SECRET_TOKEN_SIZE])
{
	unsigned char bytes[TOKEN_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(out, SECRET_TOKEN_SIZE, bytes, sizeof(bytes));
}

void
secret_sha256(const void *data, size_t len, char out[SECRET_SHA256_SIZE])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, data, len);
	sodium_bin2hex(out, SECRET_SHA256_SIZE, digest, sizeof(digest));
}

uint32_t
secret_below(uint32_t below)
{
	return randombytes_uniform(below);
}

/* A key of any length, as BLAKE2b takes it. */
static void
mac_key(const char *key, unsigned char out[crypto_generichash_BYTES])
{
	crypto_generichash(out, crypto_generichash_BYTES,
	    (const unsigned char *)key, strlen(key), NULL, 0);
}

void
secret_mac(const char *key, const char *purpose, const char *text,
    char out[SECRET_TOKEN_SIZE])
{
	unsigned char digest[TOKEN_BYTES], hashed[crypto_generichash_BYTES];
	crypto_generichash_state state;

	mac_key(key, hashed);
	crypto_generichash_init(&state, hashed, sizeof(hashed), sizeof(digest));
	/* With its NUL, so that no purpose is the beginning of another. */
	crypto_generichash_update(
	    &state, (const unsigned char *)purpose, strlen(purpose) + 1);
	crypto_generichash_update(
	    &state, (const unsigned char *)text, strlen(text));
	crypto_generichash_final(&state, digest, sizeof(digest));
	sodium_bin2hex(out, SECRET_TOKEN_SIZE, digest, sizeof(digest));
	sodium_memzero(hashed, sizeof(hashed));
}

bool
secret_equal(const char *a, const char *b)
{
	size_t len;

	if (!a || !b)
		return false;
	len = strlen(a);
	return len == strlen(b) && sodium_memcmp(a, b, len) == 0;
}

int
secret_hash(const char *password, char out[SECRET_HASH_SIZE])
{
	char hash[SECRET_HASH_SIZE];

	if (crypto_pwhash_str_alg(hash, password, strlen(password), HASH_PASSES,
		HASH_MEMORY, crypto_pwhash_ALG_ARGON2ID13) < 0)
		return RC_DOWN;
	memcpy(out, hash, sizeof(hash));
	return RC_OK;
}

static bool
is_argon2id(const char *hash)
{
	return strncmp(hash, "$argon2id$", 10) == 0 &&
	    strlen(hash) < SECRET_HASH_SIZE;
}

/* $2a$ is what older programs wrote; crypt(3) reads it as $2b$. */
static bool
is_bcrypt(const char *hash)
{
	return strlen(hash) == BCRYPT_LENGTH && hash[0] == '$' &&
	    hash[1] == '2' && hash[2] && strchr("aby", hash[2]) &&
	    hash[3] == '$';
}

static bool
verify_argon2id(const char *password, const char *hash, bool *rehash)
{
	if (crypto_pwhash_str_verify(hash, password, strlen(password)) < 0)
		return false;
	if (rehash)
		*rehash = crypto_pwhash_str_needs_rehash(
			      hash, HASH_PASSES, HASH_MEMORY) != 0;
	return true;
}

static bool
verify_bcrypt(const char *password, const char *hash, bool *rehash)
{
	struct crypt_data *data;
	bool fits;

	data = calloc(1, sizeof(*data));
	if (!data)
		return false;
	fits = secret_equal(crypt_r(password, hash, data), hash);
	sodium_memzero(data, sizeof(*data));
	free(data);
	if (fits && rehash)
		*rehash = true;
	return fits;
}

bool
secret_verify(const char *password, const char *hash, bool *rehash)
{
	if (rehash)
		*rehash = false;
	if (hash && is_argon2id(hash))
		return verify_argon2id(password, hash, rehash);
	if (hash && is_bcrypt(hash) && strlen(password) <= BCRYPT_MAX)
		return verify_bcrypt(password, hash, rehash);
	/* Nothing can fit, but that must not be told by the time it takes. */
	(void)verify_argon2id(password, dummy, NULL);
	return false;
}
