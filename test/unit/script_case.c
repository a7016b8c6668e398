/* A script in a context of its own; its output squeezed into words. */
#include "script_case.h"

#include "ml_test.h"

#include "matloom/matloom.h"

#include <ctype.h>

static int collect(void *arg, const char *text, size_t size)
{
    buffer_put(arg, text, size);
    return 0;
}

static void squeeze(const Buffer *from, Buffer *to)
{
    bool gap = false;

    buffer_text(to, "");
    for (size_t k = 0; k < from->size; k++) {
        if (isspace((unsigned char)from->data[k])) {
            gap = to->size > 0;
            continue;
        }
        if (gap)
            buffer_put(to, " ", 1);
        buffer_put(to, &from->data[k], 1);
        gap = false;
    }
}

bool script_words(const char *script, Buffer *out)
{
    return script_words_with(NULL, NULL, script, out);
}

bool script_words_with(const char *option, const char *value, const char *script, Buffer *out)
{
    ml_context *c = ml_context_new();
    Buffer printed = {0};
    bool ok;

    assert_non_null(c);
    if (option)
        assert_int_equal(ml_context_set(c, option, value), ML_OK);
    ml_context_output(c, collect, collect, &printed);
    ok = ml_run_text(c, "example", script) == ML_OK;
    if (!ok)
        buffer_text(&printed, ml_context_error(c));
    squeeze(&printed, out);
    buffer_free(&printed);
    ml_context_free(c);
    return ok;
}
