/*
 * A fuzz target for lib/picture: any bytes as an uploaded file.
 *
 * What is taken has a size within bounds; nothing that lacks its last byte,
 * or has one more that is not 0, is taken.
 */
#include "../../lib/picture.h"

/* Exported for the fuzzer to call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
check_ends(const uint8_t *data, size_t size)
{
	uint8_t *more = malloc(size + 1);
	struct picture picture;

	require(more != NULL);
	memcpy(more, data, size);
	more[size] = 'x';
	require(picture_look(more, size + 1, &picture) == PICTURE_FOLLOWED);
	/* Zeros behind a JPEG may go. */
	require(data[size - 1] == 0 ||
	    picture_look(more, size - 1, &picture) != PICTURE_OK);
	free(more);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture p = { 0 };
	enum picture_verdict verdict = picture_look(data, size, &p);

	if (verdict != PICTURE_OK)
		return 0;
	require(p.width >= PICTURE_SIDE_MIN && p.width <= PICTURE_SIDE_MAX);
	require(p.height >= PICTURE_SIDE_MIN && p.height <= PICTURE_SIDE_MAX);
	require((uint64_t)p.width * p.height <= PICTURE_PIXELS_MAX);
	require(strncmp(p.type, "image/", 6) == 0);
	check_ends(data, size);
	return 0;
}
