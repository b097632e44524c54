/*
 * isbn -- International Standard Book Numbers (ISO 2108): any way of writing
 * one becomes its 13 digits.
 */
#ifndef SEOGA_ISBN_H
#define SEOGA_ISBN_H

#include "base.h"

#define ISBN_SIZE 14

/*
 * The 13 digits of an ISBN-13, or of an ISBN-10, in text: "978-89-364-3426-7",
 * "ISBN 89 364 3426 8", "080442957x".  Spaces and hyphens of any kind count
 * for nothing.  False, and isbn is untouched, unless the check digit is right.
 */
bool isbn_read(const char *text, size_t len, char isbn[ISBN_SIZE]);

/* The same for a cell of a spreadsheet, which takes an ISBN-10 for a number
 * and drops its leading zeros: 7 to 9 digits are filled up. */
bool isbn_read_number(const char *text, size_t len, char isbn[ISBN_SIZE]);

#endif
