/*
 * shrink -- the picture that an uploaded one becomes: a JPEG of bounded size
 * and a small one for lists, by the program seoga-shrink.
 */
#ifndef SEOGA_SHRINK_H
#define SEOGA_SHRINK_H

#include "picture.h"
#include "req.h"

#define SHRINK_SIDE 1200       /* pixels at most, either way */
#define SHRINK_SMALL_WIDTH 240 /* and of the small one */
#define SHRINK_SMALL_HEIGHT 360
#define SHRINK_BAD_PICTURE 65 /* the program's status; EX_DATAERR */

struct shrunk {
	const char *large, *small; /* in the request's memory */
	size_t large_len, small_len;
	int width, height; /* of the large one */
};

/*
 * RC_BAD_INPUT or RC_MEDIA with a text when it is no picture that we take,
 * be it because the decoder gave up or fell over; RC_DOWN when it took too
 * long.
 */
int shrink(struct req *req, const void *data, size_t len,
    struct shrunk *shrunk) ATTR_CHECK;

#endif
