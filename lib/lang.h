/*
 * lang -- the reader's language: Korean or English, through gettext.
 *
 * English texts are the message ids; po/ko.po holds the Korean ones.
 */
#ifndef SEOGA_LANG_H
#define SEOGA_LANG_H

#include "base.h"

enum lang { LANG_KO, LANG_EN, LANG_COUNT };

/* Binds the message catalogues under dir (.../ko/LC_MESSAGES/seoga.mo). */
void lang_open(const char *dir);

/* The language of all later calls of _(), until the next lang_use(). */
void lang_use(enum lang lang);

/* "ko" or "en", as in HTML's lang attribute. */
const char *lang_code(enum lang lang);

/* The language of a two-letter code; LANG_COUNT when it is not one of ours. */
enum lang lang_from_code(const char *code);

/* RFC 9110 Accept-Language, by weight; Korean when nothing fits or NULL. */
enum lang lang_from_header(const char *accept_language);

/* The text in the current language; msgid itself when there is none.  msgid
 * must be a literal: it is known again by its address. */
const char *lang_text(const char *msgid) __attribute__((format_arg(1)));

/* The same for any text: for the templates, which are compiled once. */
const char *lang_lookup(const char *msgid);

#define _(msgid) lang_text(msgid)
/* Marks a text for translation that is looked up later. */
#define N_(msgid) (msgid)

#endif
