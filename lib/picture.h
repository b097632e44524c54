/*
 * picture -- what a file from outside is, by its bytes alone: a JPEG, PNG or
 * WebP picture and nothing else, and how large it would be.
 *
 * The file is walked from its first byte to its last, without decoding: a
 * name or a type that came along does not count, and what is a picture and
 * something else at once (an archive or a film after its end) is none.
 */
#ifndef SEOGA_PICTURE_H
#define SEOGA_PICTURE_H

#include "base.h"

#define PICTURE_SIDE_MAX 16000	    /* pixels */
#define PICTURE_PIXELS_MAX 52000000 /* in all; phones make that many */
#define PICTURE_SIDE_MIN 16

struct picture {
	const char *type; /* "image/jpeg", "image/png", "image/webp" */
	uint32_t width, height;
};

enum picture_verdict {
	PICTURE_OK,
	PICTURE_UNKNOWN,  /* none of the three */
	PICTURE_BROKEN,	  /* one of the three, but cut short or not whole */
	PICTURE_FOLLOWED, /* something else follows its end */
	PICTURE_HUGE,	  /* more pixels than are decoded */
	PICTURE_TINY
};

/* Fills in *picture for PICTURE_OK, PICTURE_HUGE and PICTURE_TINY. */
enum picture_verdict
picture_look(const void *data, size_t len, struct picture *picture) ATTR_CHECK;

#endif
