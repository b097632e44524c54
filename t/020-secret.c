/*
 * Tests lib/secret: tokens, digests, comparison, passwords.
 */
#include <glib.h>
#include <time.h>

#include "secret.h"

/* Of "secret", of 72 times "x", and of "secret" with one pass of 8 MiB. */
#define BCRYPT_2B "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define BCRYPT_72X \
	"$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i"
#define WEAK_ARGON2ID \
	"$argon2id$v=19$m=8192,t=1,p=1$AAdUkTYNX2/sMcgneMvkmw$" \
	"4D9WbXt+ykCINMMYqxTo7e5Qvd+5HfQIK0AMJkSwTcI"

static void
test_uuid(void)
{
	char a[SECRET_UUID_SIZE], b[SECRET_UUID_SIZE];

	secret_uuid(a);
	secret_uuid(b);
	g_assert_cmpuint(strlen(a), ==, 36);
	g_assert_cmpstr(a, !=, b);
	g_assert_true(secret_is_uuid(a, 36));
	g_assert_true(a[14] == '4');
	for (const char *p = a; *p; p++)
		g_assert_false(g_ascii_isupper(*p));
}

static void
test_is_uuid(void)
{
	const char *good = "0123abcd-4567-89ab-cdef-0123456789AB";
	char bad[SECRET_UUID_SIZE];

	g_assert_true(secret_is_uuid(good, 36));
	g_assert_false(secret_is_uuid(good, 35));
	g_assert_false(secret_is_uuid(NULL, 36));
	for (size_t i = 0; i < 36; i++) {
		memcpy(bad, good, sizeof(bad));
		bad[i] = bad[i] == '-' ? 'a' : '-';
		g_assert_false(secret_is_uuid(bad, 36));
		bad[i] = 'g';
		g_assert_false(secret_is_uuid(bad, 36));
	}
}

static void
test_token(void)
{
	char a[SECRET_TOKEN_SIZE], b[SECRET_TOKEN_SIZE];

	secret_token(a);
	secret_token(b);
	g_assert_cmpuint(strlen(a), ==, 32);
	g_assert_cmpuint(strspn(a, "0123456789abcdef"), ==, 32);
	g_assert_cmpstr(a, !=, b);
}

static void
test_below(void)
{
	unsigned seen[5] = { 0 };

	for (int i = 0; i < 1000; i++) {
		uint32_t n = secret_below(5);

		g_assert_cmpuint(n, <, 5);
		seen[n]++;
	}
	for (size_t i = 0; i < LENGTH(seen); i++)
		g_assert_cmpuint(seen[i], >, 100);
	g_assert_cmpuint(secret_below(1), ==, 0);
}

static void
test_mac(void)
{
	char key[200], a[SECRET_TOKEN_SIZE], b[SECRET_TOKEN_SIZE];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	secret_mac(key, "csrf", "text", a);
	g_assert_cmpuint(strspn(a, "0123456789abcdef"), ==, 32);
	secret_mac(key, "csrf", "text", b);
	g_assert_cmpstr(a, ==, b);
	/* Every part counts, and so does where it ends. */
	secret_mac(key, "csrf", "texu", b);
	g_assert_cmpstr(a, !=, b);
	secret_mac(key, "csr", "ftext", b);
	g_assert_cmpstr(a, !=, b);
	key[sizeof(key) - 2] = 'l';
	secret_mac(key, "csrf", "text", b);
	g_assert_cmpstr(a, !=, b);
	secret_mac("short", "csrf", "", b);
	g_assert_cmpuint(strlen(b), ==, 32);
}

static void
test_equal(void)
{
	g_assert_true(secret_equal("abc", "abc"));
	g_assert_true(secret_equal("", ""));
	g_assert_false(secret_equal("abc", "abd"));
	g_assert_false(secret_equal("abc", "ab"));
	g_assert_false(secret_equal("ab", "abc"));
	g_assert_false(secret_equal(NULL, "abc"));
	g_assert_false(secret_equal("abc", NULL));
	g_assert_false(secret_equal(NULL, NULL));
}

static void
test_hash(void)
{
	char a[SECRET_HASH_SIZE], b[SECRET_HASH_SIZE];
	bool rehash = true;

	g_assert_cmpint(secret_hash("비밀번호 correct horse", a), ==, RC_OK);
	g_assert_cmpint(secret_hash("비밀번호 correct horse", b), ==, RC_OK);
	g_assert_cmpstr(a, !=, b);
	g_assert_true(g_str_has_prefix(a, "$argon2id$v=19$m=19456,t=2,p=1$"));
	g_assert_true(secret_verify("비밀번호 correct horse", a, &rehash));
	g_assert_false(rehash);
	g_assert_true(secret_verify("비밀번호 correct horse", b, NULL));
	g_assert_false(secret_verify("비밀번호 correct hors", a, &rehash));
	g_assert_false(secret_verify("", a, NULL));
}

static void
test_weak(void)
{
	bool rehash = false;

	g_assert_true(secret_verify("secret", WEAK_ARGON2ID, &rehash));
	g_assert_true(rehash);
	rehash = true;
	g_assert_false(secret_verify("Secret", WEAK_ARGON2ID, &rehash));
	g_assert_false(rehash);
}

static void
test_bcrypt(void)
{
	char hash[] = BCRYPT_2B;
	bool rehash;

	for (const char *kind = "bya"; *kind; kind++) {
		hash[2] = *kind;
		rehash = false;
		g_assert_true(secret_verify("secret", hash, &rehash));
		g_assert_true(rehash);
		g_assert_false(secret_verify("secreT", hash, &rehash));
		g_assert_false(rehash);
	}
}

static void
test_bcrypt_long(void)
{
	char password[74];

	/* bcrypt alone would take the 73rd byte for nothing. */
	memset(password, 'x', sizeof(password));
	password[72] = '\0';
	g_assert_true(secret_verify(password, BCRYPT_72X, NULL));
	password[72] = 'y';
	password[73] = '\0';
	g_assert_false(secret_verify(password, BCRYPT_72X, NULL));
}

static void
test_odd_hashes(void)
{
	static const char *const odd[] = { "", "!", "*0", "$", "$2", "$2b$",
		"$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$$", "$1$abc$def",
		"$2x$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
		"secret" };

	for (size_t i = 0; i < LENGTH(odd); i++)
		g_assert_false(secret_verify("secret", odd[i], NULL));
}

static double
cpu_of(const char *hash)
{
	clock_t best = 0, begin;

	for (int i = 0; i < 5; i++) {
		begin = clock();
		g_assert_false(secret_verify("wrong", hash, NULL));
		begin = clock() - begin;
		if (i == 0 || begin < best)
			best = begin;
	}
	return (double)best;
}

static void
test_equal_work(void)
{
	char hash[SECRET_HASH_SIZE];
	double known, unknown;

	g_assert_cmpint(secret_hash("secret", hash), ==, RC_OK);
	known = cpu_of(hash);
	unknown = cpu_of(NULL);
	g_test_message("known %.0f us, unknown %.0f us", known, unknown);
	g_assert_cmpfloat(unknown, >, known * 0.7);
	g_assert_cmpfloat(unknown, <, known * 1.4);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	if (secret_init() < 0)
		return 1;
	g_test_add_func("/secret/uuid", test_uuid);
	g_test_add_func("/secret/is_uuid", test_is_uuid);
	g_test_add_func("/secret/token", test_token);
	g_test_add_func("/secret/below", test_below);
	g_test_add_func("/secret/mac", test_mac);
	g_test_add_func("/secret/equal", test_equal);
	g_test_add_func("/secret/hash", test_hash);
	g_test_add_func("/secret/weak", test_weak);
	g_test_add_func("/secret/bcrypt", test_bcrypt);
	g_test_add_func("/secret/bcrypt_long", test_bcrypt_long);
	g_test_add_func("/secret/odd_hashes", test_odd_hashes);
	g_test_add_func("/secret/equal_work", test_equal_work);
	return g_test_run();
}
