/*
 * markdown -- a text in Markdown (CommonMark) as a model, so that a template
 * shows it, and escapes what it shows.
 *
 *	{title, blocks: [{heading, paragraph, line, commands, list}]}
 *
 * Of a block one value is not null: commands are a text, a list has items with
 * blocks of their own, the rest are {inlines: [{text, code, strong, link}]}, of
 * which again one is not null; a link is {label, url}.  A line is a paragraph
 * of a list without space between its items.  The first heading is the title
 * and no block.  Raw HTML stays text; pictures are their texts.
 * templates/part/text-blocks.mustache shows it.
 */
#ifndef SEOGA_MARKDOWN_H
#define SEOGA_MARKDOWN_H

#include "req.h"

/* address() gives what a link leads to; its answer must be safe to follow. */
json_t *markdown_model(struct req *req, const char *text, size_t len,
    const char *(*address)(struct req *req, const char *url));

#endif
