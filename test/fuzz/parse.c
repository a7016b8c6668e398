/* Any text: parsing and checking it, running or under --check, neither crashes nor leaks nor hangs.
 *
 * A text that passes is shown as an s-expression too, and all its findings are formatted. */
#include "lang/dump.h"

static int drop(void *arg, const char *text, size_t size)
{
    (void)arg;
    (void)text;
    (void)size;
    return 0;
}

static void parse(const char *text, size_t size, bool check_only)
{
    static const ScriptArg arg = {"n", "3"};
    const CheckOptions options = {check_only, ""};
    Ctx ctx = {.diagnostics = drop};
    Program *p = program_new(&ctx);
    Function *main_fn = NULL, **functions;
    Buffer b = {0};

    if (!p)
        return;
    program_arguments(p, &arg, 1);
    if (program_parse(&ctx, p, "fuzz.dml", text, size, &options, &main_fn) != ML_OK)
        error_format(&b, &ctx.err);
    for (int k = 0; k < program_functions(p, &functions); k++)
        dump_function(&b, functions[k]);
    if (main_fn)
        dump_list(&b, &main_fn->body);
    buffer_free(&b);
    program_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse((const char *)data, size, false);
    parse((const char *)data, size, true);
    return 0;
}
