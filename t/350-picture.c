/* lib/picture: what a file is by its bytes, and whether it is only that. */
#include "../lib/picture.h"

#include <glib.h>

#define BYTES(text) (text), sizeof(text) - 1

/* --- files put together from their parts --- */

static GByteArray *
file_of(const char *start, size_t len)
{
	GByteArray *file = g_byte_array_new();

	g_byte_array_append(file, (const guint8 *)start, (guint)len);
	return file;
}

static void
add(GByteArray *file, const char *data, size_t len)
{
	g_byte_array_append(file, (const guint8 *)data, (guint)len);
}

static void
add_big(GByteArray *file, uint32_t value, int bytes)
{
	while (bytes--) {
		guint8 byte = (guint8)(value >> 8 * bytes);

		g_byte_array_append(file, &byte, 1);
	}
}

static void
add_little(GByteArray *file, uint32_t value, int bytes)
{
	for (; bytes--; value >>= 8) {
		guint8 byte = (guint8)value;

		g_byte_array_append(file, &byte, 1);
	}
}

/* A marker of a frame, a table, one scan with a stuffed byte and a restart. */
static GByteArray *
jpeg(uint32_t width, uint32_t height)
{
	GByteArray *file = file_of(BYTES("\xff\xd8\xff\xe0\x00\x04hi"));

	add(file, BYTES("\xff\xff\xc0\x00\x08\x08"));
	add_big(file, height, 2);
	add_big(file, width, 2);
	add(file, BYTES("\x03"));
	add(file, BYTES("\xff\xc4\x00\x02"));
	add(file, BYTES("\xff\xda\x00\x03\x01\x12\xff\x00\x34\xff\xd0\x56"));
	add(file, BYTES("\xff\xd9"));
	return file;
}

static GByteArray *
png(uint32_t width, uint32_t height)
{
	GByteArray *file = file_of(BYTES("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"));

	add_big(file, width, 4);
	add_big(file, height, 4);
	add(file, BYTES("\x08\x02\0\0\0CRC."));
	add(file, BYTES("\0\0\0\x03IDATabcCRC."));
	add(file, BYTES("\0\0\0\0IENDCRC."));
	return file;
}

static GByteArray *
riff(const char *chunks, size_t len)
{
	GByteArray *file = file_of(BYTES("RIFF"));

	add_little(file, (uint32_t)(len + 4), 4);
	add(file, BYTES("WEBP"));
	add(file, chunks, len);
	return file;
}

/* Of one chunk with width and height, as each kind writes them. */
static GByteArray *
webp(const char *kind, uint32_t width, uint32_t height)
{
	GByteArray *chunk = file_of(kind, 4), *file;

	add_little(chunk, 10, 4);
	if (strcmp(kind, "VP8 ") == 0) {
		add(chunk, BYTES("\0\0\0\x9d\x01\x2a"));
		add_little(chunk, width, 2);
		add_little(chunk, height, 2);
	} else if (strcmp(kind, "VP8L") == 0) {
		add(chunk, BYTES("\x2f"));
		add_little(chunk, (width - 1) | (height - 1) << 14, 4);
		add(chunk, BYTES("\0\0\0\0\0"));
	} else {
		add(chunk, BYTES("\0\0\0\0"));
		add_little(chunk, width - 1, 3);
		add_little(chunk, height - 1, 3);
		add(chunk, BYTES("ANMF\x03\0\0\0abc\0"));
	}
	file = riff((const char *)chunk->data, chunk->len);
	g_byte_array_unref(chunk);
	return file;
}

/* --- what is said of them --- */

static enum picture_verdict
look(const GByteArray *file, struct picture *picture)
{
	/* Of its very size: reading on is noticed by a sanitizer. */
	void *data = g_memdup2(file->data, file->len);
	enum picture_verdict verdict = picture_look(data, file->len, picture);

	g_free(data);
	return verdict;
}

static void
expect(GByteArray *file, enum picture_verdict expected)
{
	struct picture picture;

	g_assert_cmpint(look(file, &picture), ==, expected);
	g_byte_array_unref(file);
}

static void
expect_size(GByteArray *file, const char *type, uint32_t width, uint32_t height)
{
	struct picture picture = { 0 };

	g_assert_cmpint(look(file, &picture), ==, PICTURE_OK);
	g_assert_cmpstr(picture.type, ==, type);
	g_assert_cmpuint(picture.width, ==, width);
	g_assert_cmpuint(picture.height, ==, height);
	g_byte_array_unref(file);
}

static void
test_sizes(void)
{
	expect_size(jpeg(300, 450), "image/jpeg", 300, 450);
	expect_size(png(300, 450), "image/png", 300, 450);
	expect_size(webp("VP8 ", 300, 450), "image/webp", 300, 450);
	expect_size(webp("VP8L", 300, 450), "image/webp", 300, 450);
	expect_size(webp("VP8X", 300, 450), "image/webp", 300, 450);
	expect_size(png(16, 16), "image/png", 16, 16);
	expect_size(jpeg(16000, 3250), "image/jpeg", 16000, 3250);
}

static void
test_too_large(void)
{
	expect(png(16001, 16), PICTURE_HUGE);
	expect(jpeg(16, 16001), PICTURE_HUGE);
	expect(png(7212, 7212), PICTURE_HUGE);
	expect(webp("VP8X", 16000000, 16000000), PICTURE_HUGE);
	expect(png(UINT32_MAX, UINT32_MAX), PICTURE_HUGE);
	expect(png(15, 16), PICTURE_TINY);
	expect(webp("VP8L", 16, 1), PICTURE_TINY);
	expect(png(0, 16), PICTURE_BROKEN);
	expect(jpeg(16, 0), PICTURE_BROKEN);
	expect(webp("VP8 ", 0, 16), PICTURE_BROKEN);
}

/* Whatever is cut off, it is noticed. */
static void
cut(GByteArray *file)
{
	struct picture picture;

	for (size_t len = 0; len < file->len; len++) {
		void *data = g_memdup2(file->data, len);
		enum picture_verdict verdict =
		    picture_look(data, len, &picture);

		g_assert_true(verdict == PICTURE_BROKEN ||
		    (verdict == PICTURE_UNKNOWN && len < 12));
		g_free(data);
	}
	g_byte_array_unref(file);
}

static void
test_cut_short(void)
{
	cut(jpeg(300, 450));
	cut(png(300, 450));
	cut(webp("VP8 ", 300, 450));
	cut(webp("VP8L", 300, 450));
	cut(webp("VP8X", 300, 450));
}

static GByteArray *
with(GByteArray *file, const char *data, size_t len)
{
	add(file, data, len);
	return file;
}

static GByteArray *
joined(GByteArray *file, GByteArray *more)
{
	with(file, (const char *)more->data, more->len);
	g_byte_array_unref(more);
	return file;
}

static void
test_something_follows(void)
{
	GByteArray *many = jpeg(300, 450);

	expect(with(jpeg(300, 450), BYTES("PK\x03\x04")), PICTURE_FOLLOWED);
	expect(with(jpeg(300, 450), BYTES("\0\0<script>")), PICTURE_FOLLOWED);
	expect(with(png(300, 450), BYTES("\0")), PICTURE_FOLLOWED);
	expect(with(webp("VP8 ", 300, 450), BYTES("x")), PICTURE_FOLLOWED);
	expect(joined(png(300, 450), png(300, 450)), PICTURE_FOLLOWED);
	/* Phones do this. */
	expect(joined(jpeg(300, 450), jpeg(30, 45)), PICTURE_OK);
	expect(with(jpeg(300, 450), BYTES("\0\0\0\0")), PICTURE_OK);
	expect(with(joined(jpeg(300, 450), jpeg(30, 45)), BYTES("x")),
	    PICTURE_FOLLOWED);
	for (int i = 0; i < 8; i++)
		joined(many, jpeg(30, 45));
	expect(many, PICTURE_FOLLOWED);
}

static void
test_none(void)
{
	expect(file_of(BYTES("")), PICTURE_UNKNOWN);
	expect(file_of(BYTES("<svg xmlns='http://www.w3.org/2000/svg'/>")),
	    PICTURE_UNKNOWN);
	expect(file_of(BYTES("GIF89a\x01\0\x01\0\0\0\0;")), PICTURE_UNKNOWN);
	expect(file_of(BYTES("RIFF\x24\0\0\0WAVEfmt ")), PICTURE_UNKNOWN);
	expect(joined(file_of(BYTES(" ")), png(300, 450)), PICTURE_UNKNOWN);
	expect(file_of(BYTES("\xff\xd8\xff\xd9")), PICTURE_BROKEN);
	/* A scan without a frame, a frame without a scan, two frames. */
	expect(
	    file_of(BYTES("\xff\xd8\xff\xda\x00\x02\xff\xd9")), PICTURE_BROKEN);
	expect(file_of(BYTES("\xff\xd8\xff\xc0\x00\x08\x08\0\x20\0\x20\x03"
			     "\xff\xd9")),
	    PICTURE_BROKEN);
	expect(file_of(BYTES("\xff\xd8\xff\xc0\x00\x08\x08\0\x20\0\x20\x03"
			     "\xff\xc0\x00\x08\x08\0\x20\0\x20\x03"
			     "\xff\xda\x00\x02\xff\xd9")),
	    PICTURE_BROKEN);
	expect(riff(BYTES("VP8 \x01\0\0\0x\0")), PICTURE_BROKEN);
	expect(riff(BYTES("EXIF\x02\0\0\0xx")), PICTURE_BROKEN);
	/* The canvas alone, without a picture on it. */
	expect(riff(BYTES("VP8X\x0a\0\0\0\0\0\0\0\x1f\0\0\x2f\0\0")),
	    PICTURE_BROKEN);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/picture/sizes", test_sizes);
	g_test_add_func("/picture/too-large", test_too_large);
	g_test_add_func("/picture/cut-short", test_cut_short);
	g_test_add_func("/picture/something-follows", test_something_follows);
	g_test_add_func("/picture/none", test_none);
	return g_test_run();
}
