/* picture -- see picture.h; the formats are ITU-T T.81, PNG (W3C) and
 * RFC 9649. */
#include "picture.h"

#define PNG_SIGNATURE "\x89PNG\r\n\x1a\n"
#define PNG_CHUNK_FRAME 12 /* length, type, checksum */
#define JPEG_PARTS_MAX 8   /* a preview, a map of brightness, ... */

/* What is left to read. */
struct bytes {
	const unsigned char *at, *end;
};

static size_t
left(const struct bytes *b)
{
	return (size_t)(b->end - b->at);
}

static uint32_t
big(const unsigned char *p, int n)
{
	uint32_t value = 0;

	while (n--)
		value = value << 8 | *p++;
	return value;
}

static uint32_t
little(const unsigned char *p, int n)
{
	uint32_t value = 0;

	while (n--)
		value = value << 8 | p[n];
	return value;
}

static bool
begins(const struct bytes *b, const char *text, size_t len)
{
	return left(b) >= len && memcmp(b->at, text, len) == 0;
}

/* --- JPEG: segments, each "FF code length ...", and coded data --- */

enum { SOI = 0xd8, EOI = 0xd9, SOS = 0xda, TEM = 0x01 };

/* The code of the next segment; 0 when there is none. */
static int
jpeg_marker(struct bytes *b)
{
	if (left(b) < 2 || *b->at != 0xff)
		return 0;
	while (left(b) && *b->at == 0xff)
		b->at++;
	return left(b) ? *b->at++ : 0;
}

static bool
is_restart(int code)
{
	return code >= 0xd0 && code <= 0xd7;
}

/* C4, C8 and CC stand among them and are no frames. */
static bool
is_frame(int code)
{
	return code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8 &&
	    code != 0xcc;
}

/* Up to the marker that ends it: FF 00 is a plain FF. */
static void
skip_coded(struct bytes *b)
{
	for (; left(b) >= 2; b->at++) {
		if (b->at[0] == 0xff && b->at[1] != 0 && b->at[1] != 0xff &&
		    !is_restart(b->at[1]))
			return;
	}
	b->at = b->end;
}

static bool
read_frame(const unsigned char *segment, size_t len, struct picture *picture)
{
	if (len < 8 || picture->width)
		return false;
	picture->height = big(segment + 3, 2);
	picture->width = big(segment + 5, 2);
	return picture->width && picture->height;
}

/* One segment with a length.  A scan belongs to the frame before it. */
static bool
jpeg_segment(struct bytes *b, int code, struct picture *picture, bool *scanned)
{
	const unsigned char *segment = b->at;
	size_t len = left(b) >= 2 ? big(b->at, 2) : 0;

	if (len < 2 || len > left(b))
		return false;
	b->at += len;
	if (is_frame(code))
		return read_frame(segment, len, picture);
	if (code != SOS)
		return true;
	if (!picture->width)
		return false;
	*scanned = true;
	skip_coded(b);
	return true;
}

/* From SOI to EOI. */
static bool
jpeg_whole(struct bytes *b, struct picture *picture)
{
	bool scanned = false;
	int code = jpeg_marker(b);

	if (code != SOI)
		return false;
	while ((code = jpeg_marker(b)) != 0) {
		if (code == EOI)
			return scanned;
		if (code == TEM || is_restart(code))
			continue;
		if (code == SOI || !jpeg_segment(b, code, picture, &scanned))
			return false;
	}
	return false;
}

static void
skip_zeros(struct bytes *b)
{
	while (left(b) && *b->at == 0)
		b->at++;
}

/* Phones put further pictures behind the first: a map of its brightness, for
 * example.  Each must be whole, and nothing else may follow. */
static enum picture_verdict
look_at_jpeg(struct bytes b, struct picture *picture)
{
	picture->type = "image/jpeg";
	if (!jpeg_whole(&b, picture))
		return PICTURE_BROKEN;
	for (int parts = 1; skip_zeros(&b), left(&b); parts++) {
		struct picture more = { 0 };

		if (parts == JPEG_PARTS_MAX || !jpeg_whole(&b, &more))
			return PICTURE_FOLLOWED;
	}
	return PICTURE_OK;
}

/* --- PNG: chunks, each "length type data checksum" --- */

static bool
png_header(const struct bytes *b, struct picture *picture)
{
	if (left(b) < 25 || big(b->at, 4) != 13 ||
	    memcmp(b->at + 4, "IHDR", 4) != 0)
		return false;
	picture->width = big(b->at + 8, 4);
	picture->height = big(b->at + 12, 4);
	return picture->width && picture->height;
}

static enum picture_verdict
look_at_png(struct bytes b, struct picture *picture)
{
	bool pixels = false;

	picture->type = "image/png";
	b.at += sizeof(PNG_SIGNATURE) - 1;
	if (!png_header(&b, picture))
		return PICTURE_BROKEN;
	while (left(&b) >= PNG_CHUNK_FRAME) {
		uint32_t len = big(b.at, 4);
		const unsigned char *type = b.at + 4;

		if (len > left(&b) - PNG_CHUNK_FRAME)
			return PICTURE_BROKEN;
		b.at += PNG_CHUNK_FRAME + len;
		pixels |= memcmp(type, "IDAT", 4) == 0;
		if (memcmp(type, "IEND", 4) != 0)
			continue;
		if (!pixels)
			return PICTURE_BROKEN;
		return left(&b) ? PICTURE_FOLLOWED : PICTURE_OK;
	}
	return PICTURE_BROKEN;
}

/* --- WebP: RIFF chunks, "type length data"; the first says its size --- */

static bool
webp_size(const unsigned char *chunk, size_t len, struct picture *picture)
{
	const unsigned char *data = chunk + 8;

	if (memcmp(chunk, "VP8X", 4) == 0 && len >= 10) {
		picture->width = little(data + 4, 3) + 1;
		picture->height = little(data + 7, 3) + 1;
	} else if (memcmp(chunk, "VP8 ", 4) == 0 && len >= 10 &&
	    memcmp(data + 3, "\x9d\x01\x2a", 3) == 0) {
		picture->width = little(data + 6, 2) & 0x3fff;
		picture->height = little(data + 8, 2) & 0x3fff;
	} else if (memcmp(chunk, "VP8L", 4) == 0 && len >= 5 &&
	    data[0] == 0x2f) {
		picture->width = (little(data + 1, 4) & 0x3fff) + 1;
		picture->height = (little(data + 1, 4) >> 14 & 0x3fff) + 1;
	}
	return picture->width && picture->height;
}

static bool
webp_chunks(struct bytes b, struct picture *picture)
{
	bool pixels = false;

	for (bool first = true; left(&b) >= 8; first = false) {
		size_t len = little(b.at + 4, 4);

		if (len > left(&b) - 8)
			return false;
		if (first && !webp_size(b.at, len, picture))
			return false;
		pixels |= memcmp(b.at, "VP8 ", 4) == 0 ||
		    memcmp(b.at, "VP8L", 4) == 0 ||
		    memcmp(b.at, "ANMF", 4) == 0;
		b.at += 8 + len;
		b.at += len % 2 && left(&b);
	}
	return pixels && left(&b) == 0;
}

static enum picture_verdict
look_at_webp(struct bytes b, struct picture *picture)
{
	size_t len = (size_t)little(b.at + 4, 4) + 8;
	bool followed = len < left(&b);

	picture->type = "image/webp";
	if (len < 12 || len > left(&b))
		return PICTURE_BROKEN;
	b.end = b.at + len;
	b.at += 12;
	if (!webp_chunks(b, picture))
		return PICTURE_BROKEN;
	return followed ? PICTURE_FOLLOWED : PICTURE_OK;
}

/* --- which of them --- */

static enum picture_verdict
look_by_kind(struct bytes b, struct picture *picture)
{
	if (begins(&b, "\xff\xd8\xff", 3))
		return look_at_jpeg(b, picture);
	if (begins(&b, PNG_SIGNATURE, sizeof(PNG_SIGNATURE) - 1))
		return look_at_png(b, picture);
	if (begins(&b, "RIFF", 4) && left(&b) >= 12 &&
	    memcmp(b.at + 8, "WEBP", 4) == 0)
		return look_at_webp(b, picture);
	return PICTURE_UNKNOWN;
}

enum picture_verdict
picture_look(const void *data, size_t len, struct picture *picture)
{
	const unsigned char *at = data;
	struct bytes b = { at, at + len };
	struct picture p = { 0 };
	enum picture_verdict verdict = look_by_kind(b, &p);

	if (verdict != PICTURE_OK)
		return verdict;
	*picture = p;
	if (p.width > PICTURE_SIDE_MAX || p.height > PICTURE_SIDE_MAX ||
	    (uint64_t)p.width * p.height > PICTURE_PIXELS_MAX)
		return PICTURE_HUGE;
	if (p.width < PICTURE_SIDE_MIN || p.height < PICTURE_SIDE_MIN)
		return PICTURE_TINY;
	return PICTURE_OK;
}
