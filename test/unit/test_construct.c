/* matrix() and seq(): all forms, reshaping in all formats, errors. */
#include "kernel_case.h"

#include <math.h>
#include <string.h>

static Value filled(Value data, int64_t rows, int64_t cols)
{
    return CASE_RUN(matrix, data, value_int(rows), value_int(cols));
}

ML_TEST(matrix_fills_and_parses)
{
    assert_cells(filled(value_double(2.5), 2, 2), 2, 2, "2.5 2.5 2.5 2.5", 0);
    assert_cells(filled(case_text(" 1 -2e3\tNaN  Infinity\n-Inf 0 "), 2, 3), 2, 3,
                 "1 -2000 NaN Infinity -Infinity 0", 0);
    assert_cells(filled(case_text(""), 0, 3), 0, 3, "", 0);
    assert_cells(CASE_RUN(matrix, value_int(1), value_double(2.9), value_int(1)), 2, 1, "1 1", 0);
}

ML_TEST(matrix_reports_what_does_not_fit)
{
    CASE_FAILS(matrix, ML_ESHAPE, case_text("1 2 3"), value_int(2), value_int(2));
    assert_non_null(strstr(test_error(), "dimensions=[2x2] vs numValues=3"));
    CASE_FAILS(matrix, ML_EVALUE, case_text("1,2,3,4"), value_int(2), value_int(2));
    CASE_FAILS(matrix, ML_EVALUE, case_text("1 x"), value_int(1), value_int(2));
    CASE_FAILS(matrix, ML_EVALUE, value_int(1), value_int(-1), value_int(2));
    CASE_FAILS(matrix, ML_EVALUE, value_int(1), value_int(INT64_MAX), value_int(2));
    CASE_FAILS(matrix, ML_ESHAPE, value_matrix(case_matrix(2, 2, "1 2 3 4")), value_int(3),
               value_int(2));
    CASE_FAILS(matrix, ML_ETYPE, value_int(1), value_int(1), value_int(2), case_text("TRUE"));
}

/* Row by row or column by column, against the definition. */
static void check_reshape(Matrix *in, int64_t rows, int64_t cols, bool byrow)
{
    Value out =
        CASE_RUN(matrix, case_share(in), value_int(rows), value_int(cols), value_bool(byrow));

    assert_int_equal(out.m->rows, rows);
    assert_int_equal(out.m->cols, cols);
    assert_int_equal(out.m->nnz, in->nnz);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            const int64_t at = byrow ? i * cols + j : j * rows + i;
            const double want = byrow ? matrix_get(in, at / in->cols, at % in->cols)
                                      : matrix_get(in, at % in->rows, at / in->rows);

            assert_true(matrix_get(out.m, i, j) == want);
        }
    value_release(out);
}

ML_TEST(matrix_reshapes_in_all_formats)
{
    static const int64_t shapes[][2] = {{30, 60},  {60, 30}, {1800, 1},
                                        {1, 1800}, {45, 40}, {2, 900}};
    static const double densities[] = {0, 0.05, 1};

    for (int d = 0; d < 3; d++) {
        Matrix *dense = case_random(36, 50, densities[d], 4), *csr = case_csr(dense),
               *constant = NULL;

        assert_ok(matrix_new_constant(test_ctx(), 36, 50, 3, &constant));
        for (int s = 0; s < 6; s++)
            for (int byrow = 0; byrow < 2; byrow++) {
                check_reshape(dense, shapes[s][0], shapes[s][1], byrow);
                check_reshape(csr, shapes[s][0], shapes[s][1], byrow);
                check_reshape(constant, shapes[s][0], shapes[s][1], byrow);
            }
        matrix_release(dense);
        matrix_release(csr);
        matrix_release(constant);
    }
}

ML_TEST(matrix_reshapes_empty_ones_and_dying_ones)
{
    Value in[3] = {value_matrix(case_matrix(2, 3, "1 2 3 4 5 6")), value_int(3), value_int(2)};
    Value out = value_none();
    OpCall call = {
        .op = &op_table[OP_matrix], .nin = 3, .nout = 1, .in = in, .out = &out, .last = 1};
    Matrix *empty = case_matrix(0, 5, "");

    check_reshape(empty, 7, 0, true);
    check_reshape(empty, 7, 0, false);
    check_reshape(empty, 0, 9, false);
    matrix_release(empty);
    assert_ok(ml_k_matrix(test_ctx(), &call));
    assert_ptr_equal(out.m, in[0].m);
    value_release(in[0]);
    assert_cells(out, 3, 2, "1 2 3 4 5 6", 0);
}

ML_TEST(seq_counts_up_and_down)
{
    assert_cells(CASE_RUN(seq, value_int(1), value_int(3)), 3, 1, "1 2 3", 0);
    assert_cells(CASE_RUN(seq, value_int(1), value_int(-1)), 3, 1, "1 0 -1", 0);
    assert_cells(CASE_RUN(seq, value_int(1), value_int(10), value_int(3)), 4, 1, "1 4 7 10", 0);
    assert_cells(CASE_RUN(seq, value_int(5), value_int(1), value_int(-2)), 3, 1, "5 3 1", 0);
    assert_cells(CASE_RUN(seq, value_int(1), value_int(10), value_int(100)), 1, 1, "1", 0);
}

ML_TEST(seq_adds_fractions_up)
{
    Value v = CASE_RUN(seq, value_int(0), value_int(1), value_double(0.1));

    assert_int_equal(v.m->rows, 11);
    assert_true(v.m->values[8] == 0.7999999999999999 && v.m->values[10] == 0.9999999999999999);
    value_release(v);
}

ML_TEST(seq_rejects_a_step_that_leads_away)
{
    CASE_FAILS(seq, ML_EVALUE, value_int(5), value_int(1), value_int(1));
    CASE_FAILS(seq, ML_EVALUE, value_int(1), value_int(5), value_int(0));
    CASE_FAILS(seq, ML_EVALUE, value_int(1), value_double(INFINITY));
    assert_cells(CASE_RUN(seq, value_int(2), value_int(1), value_int(1)), 0, 1, "", 0);
}

ML_TEST(seq_of_integers_is_exact_over_many_tiles)
{
    Value v = CASE_RUN(seq, value_int(-50000), value_int(50000));

    assert_int_equal(v.m->nnz, 100000);
    for (int64_t i = 0; i <= 100000; i++)
        assert_true(v.m->values[i] == (double)(i - 50000));
    value_release(v);
}
