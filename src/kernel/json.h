/* Private to kernel/: specifications in JSON, read into a tree whose nodes know their places.
 *
 * As in the reference, words may stand without quotes and single quotes do as well. */
#ifndef KERNEL_JSON_H
#define KERNEL_JSON_H

#include "base/base.h"

typedef enum JsonType {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} JsonType;

typedef struct Json {
    JsonType type;
    size_t at;                 /* byte of the source where it begins */
    size_t name_at;            /* and its name, in an object */
    const char *name;          /* in an object; zero-terminated like text */
    const char *text;          /* JSON_STRING */
    double number;             /* JSON_NUMBER */
    struct Json *child, *next; /* first of an array or object; sibling */
} Json;

typedef struct JsonSource {
    const char *what; /* for messages: "transform specification" */
    const char *text;
} JsonSource;

/* The one value of the source, which must be an object; it lives in the arena. */
ml_status json_parse(Ctx *ctx, Arena *arena, const JsonSource *source, Json **out);
/* NULL when there is none, or no object. */
const Json *json_member(const Json *object, const char *name);
/* ML_EVALUE "WHAT, line L, column C: message". */
ml_status json_fail(Ctx *ctx, const JsonSource *source, size_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static inline bool json_is(const Json *j, JsonType type)
{
    return j && j->type == type;
}
static inline bool json_is_word(const Json *j, const char *word)
{
    return json_is(j, JSON_STRING) && __builtin_strcmp(j->text, word) == 0;
}

enum { JSON_SHOWN = 64 };
/* A value as messages show it; NULL is "nothing". */
const char *json_shown(const Json *j, char buf[JSON_SHOWN]);

#endif
