/* text: UTF-8 texts as functions of frames' cells see them: characters, cases, patterns. */
#ifndef KERNEL_TEXT_H
#define KERNEL_TEXT_H

#include "base/base.h"

typedef struct Text {
    const char *s;
    size_t size; /* bytes */
} Text;

/* The code point at s and how many bytes it has; a byte that begins none stands for itself. */
uint32_t text_decode(const char *s, const char *end, int *bytes);
/* Writes a code point; returns its bytes. */
int text_encode(uint32_t code, char out[4]);
int64_t text_length(Text t); /* in characters */
/* The byte where character `index` begins; -1 beyond the end, the size at the end. */
int64_t text_byte(Text t, int64_t index);
/* The byte where `part` first occurs at or after `from`, or last; -1: nowhere. */
int64_t text_find(Text t, Text part, size_t from);
int64_t text_find_last(Text t, Text part);
/* Case of one code point, by the simple mappings of Latin, Greek and Cyrillic letters. */
uint32_t text_upper(uint32_t code);
uint32_t text_lower(uint32_t code);

/* ---- patterns (text_regex.c) ---- */

enum { REGEX_GROUPS = 10 };

typedef struct Regex Regex;
/* A part of a text that a pattern matched: the whole and its groups, from byte to byte; -1 where a
 * group took no part. */
typedef struct RegexMatch {
    int64_t from[REGEX_GROUPS], to[REGEX_GROUPS];
    int groups; /* the whole included */
} RegexMatch;

/* Literals, . [..] [^..] \d \w \s and their opposites, ^ $ \b, | ( ) (?: ), * + ? {n,m} and their
 * lazy forms.  From the arena; *at is the byte where the pattern is wrong. */
ml_status regex_compile(Ctx *ctx, Arena *arena, Text pattern, Regex **out, size_t *at);
/* The first match at or after a byte; the whole text must match when `whole`. */
ml_status regex_search(Ctx *ctx, const Regex *r, Text t, size_t from, bool whole, RegexMatch *m,
                       bool *found);

#endif
