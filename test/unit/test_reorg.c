/* Transposes, row orders, diagonals, triangles, binding, reshaping: each format against the
 * definition. */
#include "linear.h"

#include "kernel/reorg.h"

#include <math.h>

static void check_transpose(int64_t rows, int64_t cols, double density, MatrixFormat format)
{
    Matrix *m = in_format(case_random(rows, cols, density, 3), format);
    Matrix *got = CASE_RUN(t, case_share(m)).m;

    assert_int_equal(got->rows, cols);
    assert_int_equal(got->cols, rows);
    assert_exact_nnz(got);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            assert_true(cell(got, j, i) == cell(m, i, j));
    matrix_release(got);
    matrix_release(m);
}

ML_TEST(transposes_swap_rows_and_columns_of_every_format)
{
    static const int64_t sizes[][2] = {{0, 3},     {3, 0},   {1, 1},     {1, 200},
                                       {200, 1},   {8, 8},   {7, 129},   {129, 127},
                                       {128, 256}, {300, 9}, {1000, 100}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_transpose(sizes[i][0], sizes[i][1], 1, MATRIX_DENSE);
        check_transpose(sizes[i][0], sizes[i][1], 0.1, MATRIX_CSR);
    }
}

/* As many rows, columns and cells as make several strips. */
ML_TEST(a_large_sparse_matrix_is_transposed_alike_on_any_threads)
{
    Matrix *m = case_random(300, 9000, 0.05, 5), *csr = case_csr(m);
    Value out[2];

    for (int k = 0; k < 2; k++) {
        test_threads(k ? 8 : 1);
        out[k] = CASE_RUN(t, case_share(csr));
        assert_int_equal(out[k].m->format, MATRIX_CSR);
    }
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++)
            assert_true(matrix_get(out[0].m, j, i) == m->values[i * m->cols + j]);
    assert_same_matrix(out[0], out[1]);
    matrix_release(m);
    matrix_release(csr);
}

ML_TEST(a_transposed_constant_stays_constant)
{
    Matrix *m;
    Value v;

    assert_ok(matrix_new_constant(test_ctx(), 3, 2, 7, &m));
    v = CASE_RUN(t, value_matrix(m));
    assert_int_equal(v.m->format, MATRIX_CONSTANT);
    assert_cells(v, 2, 3, "7 7 7 7 7 7", 0);
}

ML_TEST(a_vector_used_for_the_last_time_is_transposed_in_place)
{
    Value in = value_matrix(case_matrix(3, 1, "1 2 3")), out = value_none();
    OpCall call = {.op = &op_table[OP_t], .nin = 1, .nout = 1, .in = &in, .out = &out, .last = 1};

    assert_ok(ml_k_t(test_ctx(), &call));
    assert_ptr_equal(out.m, in.m);
    value_release(in);
    assert_cells(out, 1, 3, "1 2 3", 0);
}

/* ---- row orders ---- */

static void check_rows(Value got, const Matrix *m, int64_t shift, bool reverse)
{
    assert_exact_nnz(got.m);
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++) {
            const int64_t from =
                reverse ? m->rows - 1 - i : ((i - shift) % m->rows + m->rows) % m->rows;

            assert_true(cell(got.m, i, j) == cell(m, from, j));
        }
    value_release(got);
}

ML_TEST(rev_and_roll_move_whole_rows_of_every_format)
{
    static const int64_t shifts[] = {0, 1, -1, 39, 40, 41, -41, 1000, -999, INT64_MIN};

    for (int format = 0; format < 2; format++) {
        Matrix *m = in_format(case_random(40, 30, 0.2, 1), format ? MATRIX_CSR : MATRIX_DENSE);

        check_rows(CASE_RUN(rev, case_share(m)), m, 0, true);
        for (int s = 0; s < 10; s++)
            check_rows(CASE_RUN(roll, case_share(m), value_int(shifts[s])), m, shifts[s] % 40,
                       false);
        matrix_release(m);
    }
}

ML_TEST(rows_of_matrices_without_cells_can_be_moved)
{
    assert_cells(CASE_RUN(rev, value_matrix(case_matrix(0, 3, ""))), 0, 3, "", 0);
    assert_cells(CASE_RUN(roll, value_matrix(case_matrix(0, 3, "")), value_int(2)), 0, 3, "", 0);
    assert_cells(CASE_RUN(rev, value_matrix(case_matrix(2, 0, ""))), 2, 0, "", 0);
}

/* ---- diagonals and triangles ---- */

ML_TEST(diag_makes_and_takes_diagonals)
{
    assert_cells(CASE_RUN(diag, value_matrix(case_matrix(2, 1, "1 NaN"))), 2, 2, "1 0 0 NaN", 0);
    assert_cells(CASE_RUN(diag, value_matrix(case_matrix(2, 2, "1 2 3 4"))), 2, 1, "1 4", 0);
    assert_cells(CASE_RUN(diag, value_matrix(case_matrix(1, 1, "5"))), 1, 1, "5", 0);
    assert_cells(CASE_RUN(diag, value_matrix(case_matrix(0, 0, ""))), 0, 1, "", 0);
    assert_cells(CASE_RUN(diag, value_matrix(case_matrix(0, 1, ""))), 0, 0, "", 0);
}

ML_TEST(a_large_diagonal_matrix_is_sparse_and_gives_its_diagonal_back)
{
    Matrix *v = case_random(5000, 1, 0.7, 2);
    Value d = CASE_RUN(diag, case_share(v));

    assert_int_equal(d.m->format, MATRIX_CSR);
    assert_int_equal(d.m->nnz, v->nnz);
    assert_same_matrix(CASE_RUN(diag, d), value_matrix(v));
}

ML_TEST(diag_of_other_shapes_is_an_error)
{
    CASE_FAILS(diag, ML_ESHAPE, value_matrix(case_matrix(1, 3, "1 1 1")));
    assert_string_equal(test_error(), "diag: X should be a column vector or square, found 1x3");
    CASE_FAILS(diag, ML_ESHAPE, value_matrix(case_matrix(2, 3, "1 1 1 1 1 1")));
}

ML_TEST(triangles_are_ones_or_the_cells_themselves)
{
    const char *cells = "1 0 3 4 5 6";

    assert_cells(CASE_RUN(lower_tri, value_matrix(case_matrix(3, 2, cells)), value_bool(false),
                          value_bool(false)),
                 3, 2, "0 0 1 0 1 1", 0);
    assert_cells(CASE_RUN(lower_tri, value_matrix(case_matrix(2, 3, cells)), value_bool(true),
                          value_bool(true)),
                 2, 3, "1 0 0 4 5 0", 0);
    assert_cells(CASE_RUN(upper_tri, value_matrix(case_matrix(2, 3, cells)), value_bool(false),
                          value_bool(true)),
                 2, 3, "0 0 3 0 0 6", 0);
    assert_cells(CASE_RUN(upper_tri, value_matrix(case_matrix(3, 2, cells)), value_bool(true),
                          value_bool(false)),
                 3, 2, "1 1 0 1 0 0", 0);
}

ML_TEST(triangles_of_sparse_matrices_equal_those_of_dense_ones)
{
    for (int diag = 0; diag < 2; diag++)
        for (int values = 0; values < 2; values++) {
            Matrix *m = case_random(50, 40, 0.2, 9);
            const Value d = value_bool(diag != 0), v = value_bool(values != 0);

            assert_same_matrix(CASE_RUN(lower_tri, value_matrix(case_csr(m)), d, v),
                               CASE_RUN(lower_tri, case_share(m), d, v));
            assert_same_matrix(CASE_RUN(upper_tri, value_matrix(case_csr(m)), d, v),
                               CASE_RUN(upper_tri, case_share(m), d, v));
            matrix_release(m);
        }
}

/* ---- binding ---- */

static Matrix *form(Matrix *m, int format)
{
    return in_format(m, format ? MATRIX_CSR : MATRIX_DENSE);
}

ML_TEST(binding_places_the_operands_of_any_format)
{
    for (int formats = 0; formats < 4; formats++) {
        Matrix *a = form(case_random(40, 30, 0.1, 1), formats & 1),
               *b = form(case_random(40, 30, 0.1, 2), formats & 2);
        Matrix *side = CASE_RUN(cbind, case_share(a), case_share(b)).m;
        Matrix *below = CASE_RUN(rbind, case_share(a), case_share(b)).m;

        assert_exact_nnz(side);
        assert_exact_nnz(below);
        assert_int_equal(side->format, MATRIX_CSR);
        for (int64_t i = 0; i < 40; i++)
            for (int64_t j = 0; j < 30; j++) {
                assert_true(cell(side, i, j) == cell(a, i, j) &&
                            cell(side, i, 30 + j) == cell(b, i, j));
                assert_true(cell(below, i, j) == cell(a, i, j) &&
                            cell(below, 40 + i, j) == cell(b, i, j));
            }
        matrix_release(side);
        matrix_release(below);
        matrix_release(a);
        matrix_release(b);
    }
}

ML_TEST(a_sparse_matrix_takes_a_constant_column)
{
    Matrix *x = form(case_random(100, 50, 0.1, 1), 1), *ones, *got;

    assert_ok(matrix_new_constant(test_ctx(), 100, 1, 1, &ones));
    got = CASE_RUN(cbind, case_share(x), value_matrix(ones)).m;
    assert_int_equal(got->format, MATRIX_CSR);
    assert_int_equal(got->nnz, x->nnz + 100);
    assert_true(cell(got, 99, 50) == 1);
    assert_exact_nnz(got);
    matrix_release(got);
    matrix_release(x);
}

ML_TEST(binding_accepts_empty_operands)
{
    assert_cells(CASE_RUN(cbind, value_matrix(case_matrix(2, 0, "")),
                          value_matrix(case_matrix(2, 1, "1 2"))),
                 2, 1, "1 2", 0);
    assert_cells(CASE_RUN(rbind, value_matrix(case_matrix(0, 2, "")),
                          value_matrix(case_matrix(1, 2, "1 2")),
                          value_matrix(case_matrix(0, 2, ""))),
                 1, 2, "1 2", 0);
    assert_cells(CASE_RUN(rbind, value_matrix(case_matrix(0, 2, ""))), 0, 2, "", 0);
}

ML_TEST(binding_shapes_that_do_not_fit_is_an_error)
{
    CASE_FAILS(cbind, ML_ESHAPE, value_matrix(case_matrix(2, 1, "1 2")),
               value_matrix(case_matrix(1, 1, "1")));
    assert_string_equal(
        test_error(),
        "cbind: all should have the same number of rows, number 1 is 2x1, number 2 is 1x1");
    CASE_FAILS(rbind, ML_ETYPE, value_matrix(case_matrix(1, 1, "1")), value_double(3));
}

ML_TEST(a_list_of_matrices_is_bound_entry_by_entry)
{
    List *l;

    assert_ok(list_new(test_ctx(), 2, false, &l));
    l->items[0] = value_matrix(case_matrix(1, 2, "1 2"));
    l->items[1] = value_matrix(case_matrix(2, 2, "3 4 5 6"));
    assert_cells(CASE_RUN(rbind, value_list(l)), 3, 2, "1 2 3 4 5 6", 0);
}

ML_TEST(strings_are_joined_by_line_ends)
{
    const Value v = CASE_RUN(cbind, case_text("a"), case_text("b"));

    assert_string_equal(v.s->text, "a\nb");
    value_release(v);
}

/* ---- reshaping ---- */

static void check_reshape(Matrix *m, int64_t rows, int64_t cols, bool byrow)
{
    Matrix *got;

    assert_ok(matrix_reshape(test_ctx(), m, rows, cols, byrow, &got));
    assert_int_equal(got->rows, rows);
    assert_int_equal(got->cols, cols);
    assert_int_equal(got->nnz, m->nnz);
    for (int64_t k = 0; k < rows * cols; k++) {
        const double want =
            byrow ? cell(m, k / m->cols, k % m->cols) : cell(m, k % m->rows, k / m->rows);

        assert_true((byrow ? cell(got, k / cols, k % cols) : cell(got, k % rows, k / rows)) ==
                    want);
    }
    matrix_release(got);
}

ML_TEST(reshaping_keeps_the_order_of_the_cells)
{
    static const int64_t shapes[][2] = {{60, 40}, {40, 60}, {1, 2400}, {2400, 1}, {24, 100}};

    for (int format = 0; format < 2; format++)
        for (int byrow = 0; byrow < 2; byrow++)
            for (int s = 0; s < 5; s++) {
                Matrix *m = form(case_random(48, 50, 0.1, 4), format);

                check_reshape(m, shapes[s][0], shapes[s][1], byrow != 0);
                matrix_release(m);
            }
}
