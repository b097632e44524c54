/*
 * tmpl_internal -- what the parts of tmpl share: scanned tags, compiled
 * instructions, and the set of templates.
 *
 * A source goes through three steps, one file each:
 *   tmpl_scan.c     text -> tokens, matched in pairs, lines of tags found
 *   tmpl_compile.c  tokens -> one flat array of instructions
 *   tmpl_render.c   instructions + model -> output
 * tmpl.c keeps the templates of a set and finds partials and parents;
 * tmpl_dir.c reads them from a directory.
 */
#ifndef SEOGA_TMPL_INTERNAL_H
#define SEOGA_TMPL_INTERNAL_H

#include "tmpl.h"

enum {
	TMPL_SOURCE_MAX = 1 << 20,
	TMPL_DEPTH_MAX = 64,
	TMPL_INDENT_MAX = 255,	  /* bytes before a tag */
	TMPL_DELIM_MAX = 16,	  /* bytes of a delimiter */
	TMPL_BLOCKS_MAX = 64,	  /* blocks given to one parent */
	TMPL_POOL_MAX = 64 << 20, /* bytes of a template, translated */
	TMPL_SET_MAX = 10000,	  /* templates in a set */
	TMPL_STEPS_MAX = 10000000 /* instructions of one rendering */
};

/* Some bytes of a text that is known from the context. */
struct piece {
	uint32_t at, len;
};

/* --- tmpl_scan.c -------------------------------------------------------- */

enum tag {
	TAG_TEXT, /* no tag: text up to a tag or after a newline */
	TAG_COMMENT,
	TAG_DELIMITERS,
	TAG_VALUE,
	TAG_RAW_VALUE,
	TAG_SECTION,
	TAG_INVERTED,
	TAG_MESSAGE, /* {{#_}} */
	TAG_PARTIAL,
	TAG_PARENT,
	TAG_BLOCK,
	TAG_CLOSE
};

struct delimiters {
	char open[TMPL_DELIM_MAX + 1], close[TMPL_DELIM_MAX + 1];
};

struct token {
	enum tag tag;
	bool starts_line;
	bool alone;	  /* no text on its line: the line vanishes */
	struct piece all; /* the text, or the whole tag */
	struct piece name;
	struct piece indent;	 /* white space before a tag that is alone */
	uint32_t match;		 /* the token that closes or opens this one */
	struct piece delimiters; /* the last change of them, up to here */
};

struct scan {
	const char *text;
	size_t len;
	/* A translation has no lines of its own: mistakes in it are those
	 * of the tag `at` in the source around it. */
	const struct scan *around;
	uint32_t at;
	struct delimiters delimiters; /* in force where the scan stands */
	struct piece last_change;     /* where they were set; empty: never */
	struct token *tokens;
	uint32_t count, room;
	uint32_t open[TMPL_DEPTH_MAX]; /* tokens that wait for their close */
	int depth;
	bool in_message;
	struct tmpl_error *err;
};

/* Cuts s->text into tokens.  The caller frees s->tokens in any case. */
int tmpl_scan(struct scan *s);
bool tmpl_scan_delimiters(
    const struct scan *s, struct piece content, struct delimiters *out);
bool tmpl_is_blank(const char *s, size_t len);
size_t tmpl_leading_space(const char *s, size_t len);

/* Records a mistake at that byte of the source; gives RC_BAD_INPUT. */
int tmpl_mistake(const struct scan *s, uint32_t at, const char *fmt, ...)
    ATTR_PRINTF(3, 4);

/* --- tmpl_compile.c ----------------------------------------------------- */

enum op_kind {
	OP_TEXT,
	OP_VALUE,
	OP_RAW_VALUE,
	OP_SECTION,
	OP_INVERTED,
	OP_PARTIAL,
	OP_PARENT,   /* its body is a row of OP_ARGUMENT */
	OP_ARGUMENT, /* a block that replaces one of the parent */
	OP_BLOCK     /* a block to be replaced; its body: the default */
};

struct op {
	uint8_t kind;	  /* enum op_kind */
	bool whole_lines; /* OP_BLOCK: ends with a newline unless empty */
	uint16_t parts;	  /* of a dotted name; 0: a plain one */
	uint32_t end;	  /* the instruction after the body */
	/* In the pool: the text to write or the whole name ("" is {{.}}). */
	struct piece text;
	union {
		uint32_t first_part; /* of a dotted name, in code->parts */
		struct piece indent; /* before each line, in the pool */
	};
	const struct tmpl *call; /* OP_PARTIAL, OP_PARENT */
};

/* One compiled template: all it needs, without pointers into its source. */
struct code {
	struct op *ops;
	uint32_t count, room;
	struct piece *parts;
	uint32_t part_count, part_room;
	char *pool;
	uint32_t pool_len, pool_room;
};

/* Compiles t->source; *out is new. */
int tmpl_compile_source(struct tmpl_set *set, const struct tmpl *t,
    struct code **out, struct tmpl_error *err);

/* --- tmpl_code.c -------------------------------------------------------- */

struct code *tmpl_code_new(void);
void tmpl_code_free(struct code *code);

/* Each gives the number or place of what it added. */
uint32_t tmpl_code_add(struct code *code, enum op_kind kind);
struct piece tmpl_pool_add(struct code *code, const char *s, uint32_t len);
void tmpl_part_add(struct code *code, struct piece part);

struct tmpl *tmpl_new(const char *name, size_t len);
void tmpl_free(struct tmpl *t);

/* Room for one element more in an array of count elements. */
void *tmpl_grow(void *array, uint32_t count, uint32_t *room, size_t size);

/* --- tmpl.c ------------------------------------------------------------- */

struct source {
	const char *text;
	size_t len;
	char *owned; /* freed when the set is done with it, or NULL */
};

/* A name in the set.  Others may refer to it before it has any code. */
struct tmpl {
	char *name;
	struct code *code; /* NULL: renders as nothing */
	/* Until tmpl_compile_waiting() is done with it and all the others: */
	bool waiting;
	struct tmpl *next;
	struct code *previous; /* what to return to after a mistake */
	struct source source;
};

struct tmpl_set {
	tmpl_loader *load;
	void *load_arg;
	char *dir; /* read when they are asked for; NULL: not */
	tmpl_translator *translate;
	bool closed;	   /* a name that nobody knows is a mistake */
	struct tmpl **all; /* by name */
	uint32_t count, room;
	struct tmpl *first, *last; /* waiting, linked by next */
};

/* The template of that name for a tag that refers to it: found, queued for
 * compilation, or (in an open set) to be compiled later. */
int tmpl_refer(struct tmpl_set *set, const struct scan *s,
    const struct token *tag, const struct tmpl **out);

/* Puts a template in line for tmpl_compile_waiting(), which compiles all in
 * line and all that they refer to: with a mistake anywhere, none. */
int tmpl_add_source(struct tmpl_set *set, const char *name, size_t name_len,
    struct source source, struct tmpl_error *err);
int tmpl_compile_waiting(struct tmpl_set *set, struct tmpl_error *err);

/* Records a mistake of a whole template; gives RC_BAD_INPUT. */
int tmpl_set_mistake(struct tmpl_error *err, const char *name, const char *fmt,
    ...) ATTR_PRINTF(3, 4);

/* --- tmpl_dir.c --------------------------------------------------------- */

/* Reads the source of a template below set->dir; false without one. */
bool tmpl_read_one(
    const struct tmpl_set *set, const char *name, struct source *source);

#endif
