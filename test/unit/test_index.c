/* Parts of matrices, read and replaced. */
#include "linear.h"

#include <math.h>

static Value part(Matrix *m, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return CASE_RUN(index, case_share(m), value_int(a), value_int(b), value_int(c), value_int(d));
}

static void check_part(Matrix *m, int64_t a, int64_t b, int64_t c, int64_t d)
{
    Matrix *got = part(m, a, b, c, d).m;

    assert_int_equal(got->rows, b - a + 1);
    assert_int_equal(got->cols, d - c + 1);
    assert_exact_nnz(got);
    for (int64_t i = a; i <= b; i++)
        for (int64_t j = c; j <= d; j++)
            assert_true(cell(got, i - a, j - c) == cell(m, i - 1, j - 1));
    matrix_release(got);
}

ML_TEST(parts_of_every_format_have_the_cells_of_their_range)
{
    for (int format = 0; format < 2; format++) {
        Matrix *m = in_format(case_random(60, 50, 0.2, 1), format ? MATRIX_CSR : MATRIX_DENSE);

        check_part(m, 1, 60, 1, 50);
        check_part(m, 3, 59, 2, 50);
        check_part(m, 60, 60, 50, 50);
        check_part(m, 1, 60, 7, 7);
        check_part(m, 9, 9, 1, 50);
        matrix_release(m);
    }
}

ML_TEST(an_absent_bound_takes_all_or_one)
{
    Matrix *m = case_matrix(2, 3, "1 2 3 4 5 6");

    assert_cells(CASE_RUN(index, case_share(m), value_int(2)), 1, 3, "4 5 6", 0);
    assert_cells(
        CASE_RUN(index, case_share(m), value_none(), value_none(), value_int(3), value_none()), 2,
        1, "3 6", 0);
    assert_cells(CASE_RUN(index, case_share(m)), 2, 3, "1 2 3 4 5 6", 0);
    matrix_release(m);
}

ML_TEST(fractional_bounds_are_cut)
{
    Matrix *m = case_matrix(3, 1, "1 2 3");

    assert_cells(CASE_RUN(index, value_matrix(m), value_double(2.7), value_none(), value_int(1),
                          value_none()),
                 1, 1, "2", 0);
}

ML_TEST(a_range_that_ends_before_it_begins_is_empty)
{
    Matrix *m = case_matrix(2, 3, "1 2 3 4 5 6");

    assert_cells(part(m, 3, 2, 1, 3), 0, 3, "", 0);
    assert_cells(part(m, 1, 2, 1, 0), 2, 0, "", 0);
    matrix_release(m);
}

ML_TEST(a_part_of_a_constant_is_constant)
{
    Matrix *m;
    Value v;

    assert_ok(matrix_new_constant(test_ctx(), 1000, 1000, 3, &m));
    v = part(m, 1, 2, 1, 2);
    assert_int_equal(v.m->format, MATRIX_CONSTANT);
    assert_cells(v, 2, 2, "3 3 3 3", 0);
    matrix_release(m);
}

ML_TEST(ranges_outside_are_errors_that_name_both)
{
    static const int64_t bad[][4] = {{0, 1, 1, 1}, {1, 3, 1, 1}, {2, 0, 1, 1}, {-1, -1, 1, 1},
                                     {4, 4, 1, 1}, {1, 1, 0, 0}, {1, 1, 1, 4}};
    Matrix *m = case_matrix(2, 3, "1 2 3 4 5 6");

    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        CASE_FAILS(index, ML_EVALUE, case_share(m), value_int(bad[k][0]), value_int(bad[k][1]),
                   value_int(bad[k][2]), value_int(bad[k][3]));
    assert_string_equal(test_error(), "columns 1:4 of X should lie within 1:3");
    matrix_release(m);
}

/* ---- replacing ---- */

static Value put(Matrix *m, Value value, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return CASE_RUN(left_index, value_matrix(m), value, value_int(a), value_int(b), value_int(c),
                    value_int(d));
}

ML_TEST(replacing_a_part_leaves_the_operand_alone)
{
    Matrix *m = case_matrix(2, 2, "1 2 3 4");

    assert_cells(put(matrix_retain(m), value_double(9), 1, 1, 2, 2), 2, 2, "1 9 3 4", 0);
    assert_cells(put(matrix_retain(m), value_matrix(case_matrix(2, 1, "0 7")), 1, 2, 1, 1), 2, 2,
                 "0 2 7 4", 0);
    assert_cells(put(matrix_retain(m), value_int(5), 1, 2, 1, 2), 2, 2, "5 5 5 5", 0);
    assert_cells(put(matrix_retain(m), value_matrix(case_matrix(0, 2, "")), 3, 2, 1, 2), 2, 2,
                 "1 2 3 4", 0);
    assert_cells(value_matrix(m), 2, 2, "1 2 3 4", 0);
}

ML_TEST(replacing_keeps_nnz_exact)
{
    Matrix *m = case_random(50, 40, 0.3, 1);
    Matrix *v = in_format(case_random(20, 10, 0.5, 2), MATRIX_CSR), *got;

    got = put(m, value_matrix(v), 11, 30, 5, 14).m;
    assert_exact_nnz(got);
    got = put(got, value_double(0), 1, 50, 1, 40).m;
    assert_int_equal(got->nnz, 0);
    got = put(got, value_double(NAN), 2, 2, 2, 2).m;
    assert_int_equal(got->nnz, 1);
    matrix_release(got);
}

ML_TEST(a_cell_of_a_matrix_that_nobody_else_has_is_replaced_in_place)
{
    Value in[6] = {value_matrix(case_matrix(2, 2, "1 2 3 4")),
                   value_double(0),
                   value_int(2),
                   value_none(),
                   value_int(1),
                   value_none()};
    Value out = value_none();
    OpCall call = {
        .op = &op_table[OP_left_index], .nin = 6, .nout = 1, .in = in, .out = &out, .last = 1};

    assert_ok(ml_k_left_index(test_ctx(), &call));
    assert_ptr_equal(out.m, in[0].m);
    value_release(in[0]);
    assert_int_equal(out.m->nnz, 3);
    assert_cells(out, 2, 2, "1 2 0 4", 0);
}

/* 100,000 x 1,000 cells would be 800 MB. */
ML_TEST(a_large_sparse_matrix_stays_sparse_when_a_part_is_replaced)
{
    Matrix *m, *settled;
    Value v;

    assert_ok(matrix_new_constant(test_ctx(), 100000, 1000, 0, &m));
    v = put(m, value_double(5), 70000, 70000, 3, 4);
    v = put(v.m, value_matrix(case_matrix(2, 2, "1 0 0 2")), 69999, 70000, 2, 3);
    assert_int_equal(v.m->format, MATRIX_EDITED);
    assert_ok(matrix_settled(test_ctx(), v.m, &settled));
    matrix_release(settled);
    assert_int_equal(v.m->format, MATRIX_HYPER);
    assert_int_equal(v.m->nnz, 3);
    assert_true(cell(v.m, 69998, 1) == 1 && cell(v.m, 69999, 2) == 2 && cell(v.m, 69999, 3) == 5);
    value_release(v);
}

ML_TEST(a_value_of_another_shape_is_an_error_that_names_both)
{
    CASE_FAILS(left_index, ML_ESHAPE, value_matrix(case_matrix(2, 2, "1 2 3 4")),
               value_matrix(case_matrix(1, 1, "0")), value_int(1), value_int(2), value_int(1),
               value_int(1));
    assert_string_equal(test_error(), "X[1:2, 1:1] is 2x1, the value is 1x1");
    CASE_FAILS(left_index, ML_ETYPE, value_matrix(case_matrix(1, 1, "1")), case_text("a"),
               value_int(1), value_none(), value_int(1), value_none());
}
