/*
 * backoff -- waits before another try: twice as long each time, and never
 * quite as long as the others who wait, so that those who failed together do
 * not try together.
 */
#ifndef SEOGA_BACKOFF_H
#define SEOGA_BACKOFF_H

#include "base.h"

/* Sleeps first_us << tries and up to as much again; tries is 0 before the
 * second try, at most 8. */
void backoff_wait(uint32_t first_us, int tries);

#endif
