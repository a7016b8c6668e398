/* options: the table of options.def as data, its defaults and setting by name.
 *
 * Idea: a row knows its field's offset, so that the setter is one loop for all options. */
#include "base/base.h"

#include <string.h>

const OptionInfo option_table[] = {
#define ML_OPTION(name, type, def, form, words, help) {#name, #type, def, form, words, help},
#include "base/options.def"
#undef ML_OPTION
};
const int option_count = (int)(sizeof option_table / sizeof *option_table);

typedef enum FieldType { FIELD_INT, FIELD_TEXT, FIELD_WORD } FieldType;

typedef struct Field {
    FieldType type;
    size_t offset, size;
} Field;

static const Field fields[] = {
#define ML_OPTION(name, type, def, form, words, help)                                              \
    {FIELD_##type, offsetof(Options, name), sizeof(((Options *)0)->name)},
#include "base/options.def"
#undef ML_OPTION
};

/* The word name=VALUE stands for name= and any text. */
static bool is_prefix_word(const char *word, size_t n, const char *value, size_t size)
{
    const char *equals = memchr(word, '=', n);
    const size_t name = equals ? (size_t)(equals - word) + 1 : 0;

    return equals && size > name && memcmp(word, value, name) == 0;
}

static bool is_word(const char *words, const char *value)
{
    size_t size = strlen(value);

    while (*words) {
        size_t n = strcspn(words, " ");

        if (n == size && memcmp(words, value, n) == 0)
            return true;
        if (is_prefix_word(words, n, value, size))
            return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

/* NULL when the value was stored, else what was expected. */
static const char *store(const Field *field, const OptionInfo *info, Options *opt,
                         const char *value)
{
    char *place = (char *)opt + field->offset;
    size_t size = strlen(value);
    int64_t number;

    if (field->type == FIELD_INT) {
        if (!num_parse_int64(value, value + size, &number))
            return "an integer";
        memcpy(place, &number, sizeof number);
        return NULL;
    }
    if (field->type == FIELD_WORD && !is_word(info->words, value))
        return info->words;
    if (size >= field->size)
        return "a shorter text";
    memcpy(place, value, size + 1);
    return NULL;
}

static int find_option(const char *name)
{
    for (int i = 0; i < option_count; i++)
        if (strcmp(option_table[i].name, name) == 0)
            return i;
    return -1;
}

void options_default(Options *opt)
{
    memset(opt, 0, sizeof *opt);
    for (int i = 0; i < option_count; i++)
        store(&fields[i], &option_table[i], opt, option_table[i].def);
}

ml_status option_set(Ctx *ctx, Options *opt, const char *name, const char *value)
{
    int i = find_option(name);
    const char *expected;

    if (i < 0)
        return fail(ctx, ML_ENAME, "there is no option '%s'", name);
    expected = store(&fields[i], &option_table[i], opt, value);
    if (expected)
        return fail(ctx, ML_EVALUE, "option %s: expected %s%s, found '%s'", name,
                    fields[i].type == FIELD_WORD ? "one of: " : "", expected, value);
    return ML_OK;
}
