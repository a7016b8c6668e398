/* The parameters of read and write as one table: options, metadata and their conflicts are handled
 * by it. */
#ifndef KEYS_H
#define KEYS_H

#include "io/io_impl.h"

typedef enum KeyKind {
    KEY_TEXT,   /* const char * */
    KEY_COUNT,  /* int64_t, -1: not given */
    KEY_FLAG,   /* int, -1: not given */
    KEY_NUMBER, /* fill_value */
    KEY_NA,     /* na_strings: one, or in metadata an array */
    KEY_NOTE    /* metadata that reading does not need */
} KeyKind;

typedef struct Key {
    const char *name;
    KeyKind kind;
    size_t offset; /* in IoOptions */
} Key;

extern const Key key_table[];
extern const int key_count;

static inline const char **key_text(IoOptions *o, const Key *k)
{
    return (const char **)(void *)((char *)o + k->offset);
}
static inline int64_t *key_int64(IoOptions *o, const Key *k)
{
    return (int64_t *)(void *)((char *)o + k->offset);
}
static inline int *key_flag(IoOptions *o, const Key *k)
{
    return (int *)(void *)((char *)o + k->offset);
}

#endif
