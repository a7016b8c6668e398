/* The harness' own promises. */
#include "ml_test.h"

ML_TEST(test_context_keeps_output_and_errors)
{
    Ctx *ctx = test_ctx();

    assert_int_equal(ctx->output(ctx->output_arg, "shown", 5), 0);
    assert_string_equal(test_printed(), "shown");
    assert_int_equal(fail(ctx, ML_EVALUE, "wanted %d", 3), ML_EVALUE);
    assert_string_equal(test_error(), "wanted 3");
}

ML_TEST(test_context_starts_afresh_for_each_test)
{
    Matrix *m;

    test_ctx();
    assert_string_equal(test_printed(), "");
    assert_string_equal(test_error(), "");
    assert_ok(matrix_new_zero(test_ctx(), 10, 10, &m));
    matrix_release(m);
}
