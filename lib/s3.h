/*
 * s3 -- how lib/store.c and the program seoga-s3, which speaks to the bucket,
 * understand each other.
 *
 *	seoga-s3 put NAME   a file on descriptor 0 goes into the bucket
 *	seoga-s3 get NAME   comes from there on descriptor 1
 *	seoga-s3 remove NAME
 *
 * A word more is a traceparent (W3C Trace Context) for the bucket.
 *
 * The status says what came of it; if it is not 0, descriptor 1 has one line
 * for the log.
 */
#ifndef SEOGA_S3_H
#define SEOGA_S3_H

#define S3_NOT_FOUND 66 /* EX_NOINPUT */
#define S3_DOWN 75	/* EX_TEMPFAIL: no answer, or a failure over there */
#define S3_REFUSED 77	/* EX_NOPERM: the bucket does not want it */

#endif
