/* rowClassMeet against pairs of columns, and the numbers that scripts have seen. */
#include "linear.h"

#include <math.h>

enum { PARTS = 2 };

/* Takes the operands. */
static void meet(Matrix *x, Matrix *y, Value out[PARTS])
{
    Value in[2] = {value_matrix(x), value_matrix(y)};

    assert_ok(call_values(OP_rowClassMeet, ml_k_rowClassMeet, 2, in, PARTS, out));
    matrix_release(x);
    matrix_release(y);
}

static void check(Matrix *x, Matrix *y, int64_t rows, int64_t cols, const char *numbers,
                  const char *sizes)
{
    Value out[PARTS];

    meet(x, y, out);
    assert_cells(out[0], rows, cols, numbers, 0);
    assert_cells(out[1], rows, cols, sizes, 0);
}

ML_TEST(class_meet_numbers_classes_row_by_row)
{
    check(case_matrix(2, 5, "1 1 2 2 3 1 1 1 2 2"), case_matrix(2, 5, "1 2 2 2 3 1 2 1 2 1"), 2, 5,
          "1 4 2 2 3 2 4 2 3 1", "1 1 2 2 1 2 1 2 1 1");
    check(case_matrix(1, 7, "3 1 2 3 1 1 2"), case_matrix(1, 7, "1 1 2 1 5 1 2"), 1, 7,
          "4 1 2 4 3 1 2", "2 2 2 2 1 2 2");
}

ML_TEST(class_meet_takes_whole_parts_and_knows_negative_classes)
{
    check(case_matrix(1, 5, "1 -1 2 2.5 1"), case_matrix(1, 5, "1 1 2 2 1"), 1, 5, "1 3 2 2 1",
          "2 1 2 2 2");
}

ML_TEST(class_meet_puts_zeros_and_nan_nowhere)
{
    check(case_matrix(1, 6, "1 0 NaN 0.5 -0.5 1"), case_matrix(1, 6, "1 1 1 1 1 0"), 1, 6,
          "1 0 0 0 0 0", "1 0 0 0 0 0");
}

ML_TEST(class_meet_of_different_shapes_has_the_larger_one)
{
    check(case_matrix(1, 3, "1 1 2"), case_matrix(2, 2, "1 1 3 1"), 2, 3, "1 1 0 0 0 0",
          "2 2 0 0 0 0");
    check(case_matrix(0, 3, ""), case_matrix(0, 3, ""), 0, 3, "", "");
    check(case_matrix(2, 0, ""), case_matrix(2, 1, "1 2"), 2, 1, "0 0", "0 0");
}

/* Cells of an operand: whole numbers from 0 to `classes`. */
static Matrix *labels(int64_t rows, int64_t cols, int classes, uint64_t seed)
{
    Matrix *m;

    assert_ok(matrix_new_dense(test_ctx(), rows, cols, &m));
    for (int64_t i = 0; i < rows * cols; i++)
        m->values[i] = (double)(case_bits(&seed) % (uint64_t)(classes + 1));
    assert_ok(matrix_finish(test_ctx(), &m, -1));
    return m;
}

ML_TEST(class_meet_puts_together_what_both_put_together)
{
    const int64_t rows = 7, cols = 120;
    Matrix *x = labels(rows, cols, 9, 1), *y = labels(rows, cols, 9, 2);
    Value out[PARTS];

    meet(matrix_retain(x), matrix_retain(y), out);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            const bool none = cell(x, i, j) == 0 || cell(y, i, j) == 0;
            int64_t size = 0;

            for (int64_t k = 0; k < cols; k++) {
                const bool same =
                    !none && cell(x, i, j) == cell(x, i, k) && cell(y, i, j) == cell(y, i, k);

                assert_true(none || same == (cell(out[0].m, i, j) == cell(out[0].m, i, k)));
                size += same;
            }
            assert_int_equal(cell(out[1].m, i, j), size);
            assert_true((cell(out[0].m, i, j) == 0) == none);
        }
    assert_exact_nnz(out[0].m);
    assert_exact_nnz(out[1].m);
    value_release(out[0]);
    value_release(out[1]);
    matrix_release(x);
    matrix_release(y);
}

ML_TEST(class_meet_depends_neither_on_format_nor_on_threads)
{
    Matrix *x = labels(300, 40, 1, 3), *y = labels(300, 40, 50, 4);
    Value a[PARTS], b[PARTS];

    test_threads(1);
    meet(matrix_retain(x), matrix_retain(y), a);
    test_threads(8);
    meet(case_csr(x), y, b);
    matrix_release(x);
    for (int k = 0; k < PARTS; k++)
        assert_same_matrix(a[k], b[k]);
}
