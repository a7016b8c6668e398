#include "lang_case.h"

#include "lang/dump.h"

#include <string.h>

static Buffer shown;

static int keep_finding(void *arg, const char *text, size_t size)
{
    (void)arg;
    buffer_put(&shown, text, size);
    return 0;
}

static ml_status parse(Ctx *ctx, Program *p, const LangCase *script, Function **main_fn)
{
    const CheckOptions options = {script->check_only, script->lib ? script->lib : ""};

    program_arguments(p, script->args, script->nargs);
    return program_parse(ctx, p, script->name ? script->name : "t.dml", script->text,
                         script->size ? script->size : strlen(script->text), &options, main_fn);
}

static void dump_program(Buffer *b, const Program *p, const Function *main_fn)
{
    Function **functions;
    int n = program_functions(p, &functions);

    for (int k = 0; k < n; k++) {
        if (functions[k]->library)
            continue;
        dump_function(b, functions[k]);
        buffer_text(b, " ");
    }
    dump_list(b, &main_fn->body);
}

/* The buffer's text in memory that outlives it. */
static const char *keep(Buffer *b)
{
    static char text[1 << 16];

    assert_true(b->size < sizeof text);
    memcpy(text, b->data ? b->data : "", b->size);
    text[b->size] = '\0';
    buffer_free(b);
    return text;
}

const char *lang_tree_of(const LangCase *script)
{
    Ctx ctx = {.diagnostics = keep_finding};
    Program *p = program_new(&ctx);
    Function *main_fn = NULL;
    Buffer b = {0};

    parse(&ctx, p, script, &main_fn);
    if (!main_fn)
        fail_msg("does not parse:\n%s", shown.data ? shown.data : ctx.err.text);
    buffer_free(&shown);
    dump_program(&b, p, main_fn);
    program_free(p);
    return keep(&b);
}

const char *lang_tree(const char *text)
{
    return lang_tree_of(&(LangCase){.text = text});
}

const char *lang_findings(const LangCase *script, ml_status *status)
{
    Ctx ctx = {.diagnostics = keep_finding};
    Program *p = program_new(&ctx);
    Function *main_fn = NULL;

    *status = parse(&ctx, p, script, &main_fn);
    assert_int_equal(*status, ctx.err.code);
    program_free(p);
    return keep(&shown);
}

void lang_expect(const char *text, const char *findings)
{
    ml_status st;

    assert_string_equal(lang_findings(&(LangCase){.text = text}, &st), findings);
    assert_int_equal(st != ML_OK, findings[0] != '\0');
}

void lang_expect_check(const char *text, const char *findings)
{
    ml_status st;

    assert_string_equal(lang_findings(&(LangCase){.text = text, .check_only = true}, &st),
                        findings);
}
