/* Positions, the error record and options. */
#include "ml_test.h"

#include <string.h>

static Source text_source(const char *text)
{
    return (Source){.name = "t.dml", .text = text, .size = strlen(text)};
}

ML_TEST(positions_count_characters_not_bytes)
{
    const Source src = text_source("a = 1\ns = \"\xC3\xA4\xE2\x82\xAC\" + x");
    Span x = {&src, (uint32_t)src.size - 1, (uint32_t)src.size};
    Span euro = {&src, 13, 16};

    assert_int_equal(span_begin(x).line, 2);
    assert_int_equal(span_begin(x).column, 12);
    assert_int_equal(span_begin(euro).column, 7);
    assert_int_equal(span_end(euro).column, 7);
    assert_int_equal(span_begin((Span){0}).line, 0);
}

ML_TEST(span_end_is_the_last_character)
{
    const Source src = text_source("assert(1==2)\n");

    assert_int_equal(span_end((Span){&src, 0, 12}).column, 12);
    assert_int_equal(span_end((Span){&src, 3, 3}).column, 4);
    assert_int_equal(span_begin((Span){&src, 13, 13}).line, 2);
}

ML_TEST(span_join_covers_both)
{
    const Source src = text_source("abcdef");
    Span joined = span_join((Span){&src, 3, 4}, (Span){&src, 1, 2});

    assert_int_equal(joined.begin, 1);
    assert_int_equal(joined.end, 4);
    assert_ptr_equal(span_join((Span){0}, joined).src, &src);
    assert_int_equal(span_join(joined, (Span){0}).end, 4);
}

ML_TEST(fail_keeps_the_last_message_and_cuts_long_ones)
{
    Ctx *ctx = test_ctx();
    static char text[2 * ERROR_TEXT];

    assert_int_equal(fail(ctx, ML_EVALUE, "first %d", 1), ML_EVALUE);
    assert_int_equal(fail(ctx, ML_ETYPE, "again: %s", ctx->err.text), ML_ETYPE);
    assert_string_equal(test_error(), "again: first 1");
    memset(text, 'x', sizeof text - 1);
    fail(ctx, ML_EVALUE, "%s", text);
    assert_int_equal(strlen(test_error()), ERROR_TEXT - 1);
}

ML_TEST(call_chain_keeps_the_innermost_and_counts_the_rest)
{
    Ctx *ctx = test_ctx();

    fail(ctx, ML_EVALUE, "x");
    for (int i = 0; i < ERROR_CALLS + 3; i++)
        error_add_call(ctx, "f", (Span){0});
    assert_int_equal(ctx->err.ncalls, ERROR_CALLS);
    assert_int_equal(ctx->err.ncalls_dropped, 3);
    fail(ctx, ML_EVALUE, "y");
    assert_int_equal(ctx->err.ncalls, 0);
}

ML_TEST(options_start_at_their_defaults)
{
    Options opt;

    options_default(&opt);
    assert_int_equal(opt.threads, 0);
    assert_int_equal(opt.seed, -1);
    assert_string_equal(opt.memory, "70%");
    assert_string_equal(opt.exec, "singlenode");
    assert_string_equal(opt.partition, "fac2");
}

ML_TEST(options_are_set_by_name_and_checked)
{
    Ctx *ctx = test_ctx();
    Options opt;
    char longer[300];

    options_default(&opt);
    assert_ok(option_set(ctx, &opt, "threads", "12"));
    assert_int_equal(opt.threads, 12);
    assert_ok(option_set(ctx, &opt, "lib", "/tmp/x"));
    assert_string_equal(opt.lib, "/tmp/x");
    assert_int_equal(option_set(ctx, &opt, "threads", "many"), ML_EVALUE);
    assert_string_equal(test_error(), "option threads: expected an integer, found 'many'");
    assert_int_equal(option_set(ctx, &opt, "exec", "single"), ML_EVALUE);
    assert_string_equal(test_error(),
                        "option exec: expected one of: singlenode hybrid spark, found 'single'");
    assert_int_equal(option_set(ctx, &opt, "nope", "1"), ML_ENAME);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(option_set(ctx, &opt, "lib", longer), ML_EVALUE);
    assert_string_equal(opt.lib, "/tmp/x");
}
