/* Matrix products against three loops: shapes around tile borders, densities, formats, threads,
 * special values, precisions. */
#include "linear.h"

#include "kernel/matmult.h"

#include <math.h>

typedef struct Form {
    OpCode op;
    KernelFn kernel;
    bool ta, tb;
} Form;

static const Form forms[] = {{OP_matmult, ml_k_matmult, false, false},
                             {OP_matmult_tn, ml_k_matmult_tn, true, false},
                             {OP_matmult_nt, ml_k_matmult_nt, false, true}};

static Matrix *operand(int64_t rows, int64_t cols, bool transposed, double density, uint64_t seed)
{
    return transposed ? case_random(cols, rows, density, seed)
                      : case_random(rows, cols, density, seed);
}

static void check_form(const Form *f, int64_t m, int64_t k, int64_t n, double da, double db,
                       MatrixFormat fa, MatrixFormat fb)
{
    Matrix *in[2] = {in_format(operand(m, k, f->ta, da, (uint64_t)(m * 7 + k)), fa),
                     in_format(operand(k, n, f->tb, db, (uint64_t)(n * 5 + k + 1)), fb)};
    Matrix *want = plain_product(in[0], f->ta, in[1], f->tb);
    Matrix *got = call_matrices(f->op, f->kernel, 2, in);

    assert_matrix_near(got, want, 1e-13 * (double)(k + 10));
    matrix_release(got);
    matrix_release(want);
    matrix_release(in[0]);
    matrix_release(in[1]);
}

/* All forms and formats of one shape. */
static void check_shape(int64_t m, int64_t k, int64_t n, double density)
{
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
        for (int formats = 0; formats < 4; formats++)
            check_form(&forms[f], m, k, n, density, density,
                       formats & 1 ? MATRIX_CSR : MATRIX_DENSE,
                       formats & 2 ? MATRIX_CSR : MATRIX_DENSE);
}

ML_TEST(products_of_small_shapes_equal_three_loops)
{
    static const int64_t sizes[] = {0, 1, 2, 3, 5, 8, 9, 33};

    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            for (int k = 0; k < 8; k++)
                check_shape(sizes[i], sizes[j], sizes[k], 0.5);
}

ML_TEST(products_around_tile_borders_equal_three_loops)
{
    static const int64_t sizes[][3] = {
        {97, 64, 95}, {191, 40, 193}, {20, 2100, 24}, {513, 33, 17}, {3, 300, 2100}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_shape(sizes[i][0], sizes[i][1], sizes[i][2], 0.3);
}

ML_TEST(products_of_all_densities_equal_three_loops)
{
    static const double densities[] = {0, 0.01, 0.1, 0.5, 1};

    for (int a = 0; a < 5; a++)
        for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
            for (int formats = 0; formats < 4; formats++)
                check_form(&forms[f], 60, 70, 50, densities[a], 0.2,
                           formats & 1 ? MATRIX_CSR : MATRIX_DENSE,
                           formats & 2 ? MATRIX_CSR : MATRIX_DENSE);
}

ML_TEST(products_with_long_vectors_equal_three_loops)
{
    check_shape(1, 150000, 1, 0.5);
    check_shape(3, 70001, 2, 0.1);
    check_shape(1, 40, 20001, 0.4);
    check_shape(20000, 17, 1, 0.2);
    check_shape(9000, 100, 3, 0.2);
}

/* ---- the same digits for any number of threads ---- */

static void same_on_threads(OpCode op, KernelFn kernel, int nin, Matrix **in)
{
    Matrix *one, *eight;

    test_threads(1);
    one = call_matrices(op, kernel, nin, in);
    test_threads(8);
    eight = call_matrices(op, kernel, nin, in);
    assert_matrix_same(eight, one);
    matrix_release(one);
    matrix_release(eight);
}

static void check_threads(const Form *f, int64_t m, int64_t k, int64_t n, double density,
                          MatrixFormat format)
{
    Matrix *in[2] = {in_format(operand(m, k, f->ta, density, 3), format),
                     operand(k, n, f->tb, 1, 4)};

    same_on_threads(f->op, f->kernel, 2, in);
    matrix_release(in[0]);
    matrix_release(in[1]);
}

/* How many strips a dense product has follows from the number of threads. */
ML_TEST(dense_products_do_not_depend_on_how_strips_are_joined)
{
    static const int64_t shapes[][3] = {{701, 600, 500}, {1003, 333, 201}, {211, 2900, 77}};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int threads = 2; threads <= 8; threads += 3) {
            Matrix *x = case_random(shapes[s][0], shapes[s][1], 1, s);
            Matrix *y = case_random(shapes[s][1], shapes[s][2], 1, s + 9);
            Value one;

            test_threads(1);
            one = CASE_RUN(matmult, case_share(x), case_share(y));
            test_threads(threads);
            assert_same_matrix(one, CASE_RUN(matmult, case_share(x), case_share(y)));
            matrix_release(x);
            matrix_release(y);
        }
}

ML_TEST(products_do_not_depend_on_threads)
{
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
        for (int sparse = 0; sparse < 2; sparse++) {
            const MatrixFormat format = sparse ? MATRIX_CSR : MATRIX_DENSE;

            check_threads(&forms[f], 300, 200, 250, 0.3, format);
            check_threads(&forms[f], 60, 9000, 40, 0.3, format);
            check_threads(&forms[f], 5000, 90, 1, 0.3, format);
            check_threads(&forms[f], 100, 20000, 2, 0.3, format);
        }
}

ML_TEST(products_of_two_sparse_matrices_do_not_depend_on_threads)
{
    Matrix *in[2] = {in_format(case_random(700, 500, 0.05, 1), MATRIX_CSR),
                     in_format(case_random(500, 600, 0.05, 2), MATRIX_CSR)};

    same_on_threads(OP_matmult, ml_k_matmult, 2, in);
    matrix_release(in[0]);
    matrix_release(in[1]);
}

/* ---- a matrix times its transpose ---- */

static void check_self(int64_t rows, int64_t cols, double density, MatrixFormat format)
{
    Matrix *x = in_format(case_random(rows, cols, density, (uint64_t)(rows + cols)), format);
    Matrix *left = plain_product(x, true, x, false), *right = plain_product(x, false, x, true);
    Matrix *got = call_matrices(OP_tsmm, ml_k_tsmm, 1, &x);

    assert_matrix_near(got, left, 1e-13 * (double)(rows + 10));
    matrix_release(got);
    got = call_matrices(OP_tsmm_right, ml_k_tsmm_right, 1, &x);
    assert_matrix_near(got, right, 1e-13 * (double)(cols + 10));
    matrix_release(got);
    matrix_release(left);
    matrix_release(right);
    matrix_release(x);
}

ML_TEST(products_with_the_own_transpose_equal_three_loops)
{
    static const int64_t sizes[][2] = {{0, 5},    {5, 0},     {1, 1},   {1, 9},    {9, 1},
                                       {7, 8},    {130, 3},   {300, 8}, {257, 17}, {513, 100},
                                       {40, 520}, {200, 530}, {600, 24}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_self(sizes[i][0], sizes[i][1], 1, MATRIX_DENSE);
        check_self(sizes[i][0], sizes[i][1], 0.1, MATRIX_CSR);
    }
}

ML_TEST(products_with_the_own_transpose_do_not_depend_on_threads)
{
    Matrix *tall = case_random(20000, 30, 1, 5), *wide = case_random(300, 700, 1, 6);

    same_on_threads(OP_tsmm, ml_k_tsmm, 1, &tall);
    same_on_threads(OP_tsmm, ml_k_tsmm, 1, &wide);
    same_on_threads(OP_tsmm_right, ml_k_tsmm_right, 1, &wide);
    matrix_release(tall);
    matrix_release(wide);
}

/* ---- the chain ---- */

static Matrix *plain_chain(const Matrix *x, const Matrix *v, const Matrix *w)
{
    Matrix *q = plain_product(x, false, v, false), *out;

    for (int64_t i = 0; w && i < q->rows; i++)
        q->values[i] *= w->values[i];
    out = plain_product(x, true, q, false);
    matrix_release(q);
    return out;
}

static void check_chain(int64_t rows, int64_t cols, double density, MatrixFormat format)
{
    Matrix *in[3] = {in_format(case_random(rows, cols, density, 1), format),
                     case_random(cols, 1, 1, 2), case_random(rows, 1, 1, 3)};
    Matrix *plain = plain_chain(in[0], in[1], NULL), *weighted = plain_chain(in[0], in[1], in[2]);
    Matrix *got = call_matrices(OP_mmchain, ml_k_mmchain, 2, in);

    assert_matrix_near(got, plain, 1e-13 * (double)(rows + 10) * (double)(cols + 10));
    matrix_release(got);
    got = call_matrices(OP_mmchain_w, ml_k_mmchain_w, 3, in);
    assert_matrix_near(got, weighted, 1e-13 * (double)(rows + 10) * (double)(cols + 10));
    if (rows > 0 && cols > 0)
        same_on_threads(OP_mmchain_w, ml_k_mmchain_w, 3, in);
    matrix_release(got);
    matrix_release(plain);
    matrix_release(weighted);
    for (int k = 0; k < 3; k++)
        matrix_release(in[k]);
}

ML_TEST(chains_equal_their_products)
{
    static const int64_t sizes[][2] = {{0, 3},     {3, 0},     {1, 1},    {5, 7},
                                       {2000, 31}, {70, 3000}, {20000, 9}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_chain(sizes[i][0], sizes[i][1], 1, MATRIX_DENSE);
        check_chain(sizes[i][0], sizes[i][1], 0.1, MATRIX_CSR);
    }
}

/* ---- special values ---- */

static void check_special(double special, int64_t m, int64_t k, int64_t n, bool left)
{
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
        for (int formats = 0; formats < 4; formats++) {
            Matrix *in[2] = {operand(m, k, forms[f].ta, 0.1, 8),
                             operand(k, n, forms[f].tb, 0.1, 9)};
            Matrix *odd = in[left ? 0 : 1], *want, *got;

            odd->values[0] = special;
            odd->values[matrix_cells(odd) / 2] = special;
            odd->nnz = matrix_count_nnz(odd->values, matrix_cells(odd));
            want = plain_product(in[0], forms[f].ta, in[1], forms[f].tb);
            in[0] = in_format(in[0], formats & 1 ? MATRIX_CSR : MATRIX_DENSE);
            in[1] = in_format(in[1], formats & 2 ? MATRIX_CSR : MATRIX_DENSE);
            got = call_matrices(forms[f].op, forms[f].kernel, 2, in);
            assert_matrix_near(got, want, 1e-12);
            matrix_release(got);
            matrix_release(want);
            matrix_release(in[0]);
            matrix_release(in[1]);
        }
}

ML_TEST(products_carry_nan_and_infinity_in_every_format)
{
    const double special[] = {NAN, INFINITY, -INFINITY};

    for (int s = 0; s < 3; s++)
        for (int left = 0; left < 2; left++) {
            check_special(special[s], 20, 30, 24, left);
            check_special(special[s], 20, 30, 1, left);
            check_special(special[s], 1, 30, 9, left);
            check_special(special[s], 60, 70, 50, left);
        }
}

ML_TEST(chains_carry_nan_and_infinity)
{
    for (int format = 0; format < 2; format++)
        for (int which = 0; which < 3; which++) {
            Matrix *in[3] = {case_random(30, 12, 0.2, 1), case_random(12, 1, 1, 2),
                             case_random(30, 1, 1, 3)};
            Matrix *want, *got;

            in[which]->values[5] = which == 1 ? NAN : INFINITY;
            in[which]->nnz = matrix_count_nnz(in[which]->values, matrix_cells(in[which]));
            want = plain_chain(in[0], in[1], in[2]);
            in[0] = in_format(in[0], format ? MATRIX_CSR : MATRIX_DENSE);
            got = call_matrices(OP_mmchain_w, ml_k_mmchain_w, 3, in);
            assert_matrix_near(got, want, 1e-12);
            matrix_release(got);
            matrix_release(want);
            for (int k = 0; k < 3; k++)
                matrix_release(in[k]);
        }
}

ML_TEST(products_take_constant_matrices)
{
    Matrix *in[2], *want, *got;

    assert_ok(matrix_new_constant(test_ctx(), 40, 50, 0, &in[0]));
    in[1] = case_random(50, 30, 1, 1);
    in[1]->values[7] = NAN;
    want = plain_product(in[0], false, in[1], false);
    got = call_matrices(OP_matmult, ml_k_matmult, 2, in);
    assert_matrix_near(got, want, 0);
    matrix_release(got);
    matrix_release(want);
    matrix_release(in[0]);
    assert_ok(matrix_new_constant(test_ctx(), 40, 50, 2.5, &in[0]));
    want = plain_product(in[0], false, in[1], false);
    got = call_matrices(OP_matmult, ml_k_matmult, 2, in);
    assert_matrix_near(got, want, 1e-12);
    matrix_release(got);
    matrix_release(want);
    matrix_release(in[0]);
    matrix_release(in[1]);
}

ML_TEST(a_product_of_shapes_that_do_not_fit_names_them)
{
    Matrix *a = case_random(2, 2, 1, 1), *b = case_random(3, 3, 1, 2);
    Value in[2] = {value_matrix(a), value_matrix(b)}, out;

    assert_int_equal(call_values(OP_matmult, ml_k_matmult, 2, in, 1, &out), ML_ESHAPE);
    assert_string_equal(test_error(),
                        "left is 2x2, right is 3x3: %*% needs as many columns on the left as rows "
                        "on the right");
    matrix_release(a);
    matrix_release(b);
}

/* ---- large dense ones: edges of tiles and slabs, common and own factors, both precisions ---- */

static Matrix *as(CellType type, Matrix *m)
{
    Matrix *out;

    assert_ok(matrix_as(test_ctx(), type, m, &out));
    return out;
}

/* The product in FP64 cells, computed in cells of a type. */
static Matrix *product_as(const Form *f, CellType type, Matrix **in)
{
    Matrix *typed[2] = {as(type, in[0]), as(type, in[1])};
    Matrix *got = call_matrices(f->op, f->kernel, 2, typed), *out = as(CELL_FP64, got);

    matrix_release(typed[0]);
    matrix_release(typed[1]);
    matrix_release(got);
    return out;
}

/* The same bits on every number of threads and with all instructions that have loops of their own.
 */
static void check_same(const Form *f, CellType type, Matrix **in, const Matrix *want)
{
    static const int threads[] = {1, 2, 3, 8};
    static const char *const levels[] = {"avx2", "avx512"};

    for (int l = 0; l < 2 && (int)cpu_machine() >= CPU_AVX2 + l; l++)
        for (int t = 0; t < 4; t++) {
            Matrix *got;

            test_threads(threads[t]);
            assert_ok(option_set(test_ctx(), test_options(), "cpu", levels[l]));
            got = product_as(f, type, in);
            assert_matrix_same(got, want);
            matrix_release(got);
        }
    assert_ok(option_set(test_ctx(), test_options(), "cpu", "native"));
}

static void check_product(const Form *f, CellType type, int64_t m, int64_t k, int64_t n)
{
    Matrix *in[2] = {operand(m, k, f->ta, 1, (uint64_t)(m + k)),
                     operand(k, n, f->tb, 1, (uint64_t)n)};
    Matrix *want = plain_product(in[0], f->ta, in[1], f->tb), *got = product_as(f, type, in);

    assert_matrix_near(got, want, (type == CELL_FP32 ? 1e-5 : 1e-13) * (double)k);
    if (cpu_machine() >= CPU_AVX2)
        check_same(f, type, in, got);
    matrix_release(got);
    matrix_release(want);
    matrix_release(in[0]);
    matrix_release(in[1]);
}

static void check_shapes(CellType type)
{
    /* Left factors that all units have in common, and some that they have not; one slab and two;
     * rows that make whole groups, half ones and single ones. */
    static const int64_t shapes[][3] = {{48, 100, 55},   {55, 129, 97},    {150, 520, 450},
                                        {263, 530, 251}, {700, 128, 73},   {1400, 130, 25},
                                        {64, 512, 192},  {333, 1030, 200}, {190, 540, 1545}};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
            check_product(&forms[f], type, shapes[s][0], shapes[s][1], shapes[s][2]);
}

ML_TEST(large_products_have_the_same_bits_everywhere)
{
    check_shapes(CELL_FP64);
}

ML_TEST(large_products_of_singles_have_the_same_bits_everywhere)
{
    check_shapes(CELL_FP32);
}

/* They count their nonzeros unit by unit, in the last slab. */
ML_TEST(large_products_know_their_nonzeros)
{
    static const int64_t m = 263, k = 530, n = 251, zero_rows = 3;

    for (int single = 0; single < 2; single++) {
        const CellType type = single ? CELL_FP32 : CELL_FP64;
        Matrix *in[2] = {operand(m, k, false, 1, 1), operand(k, n, false, 1, 2)}, *typed[2], *got;

        memset(in[0]->values, 0, (size_t)(zero_rows * k) * sizeof(double));
        for (int i = 0; i < 2; i++)
            typed[i] = as(type, in[i]);
        got = call_matrices(forms[0].op, forms[0].kernel, 2, typed);
        assert_int_equal(got->format, MATRIX_DENSE);
        assert_int_equal(got->nnz, (m - zero_rows) * n);
        matrix_release(got);
        for (int i = 0; i < 2; i++) {
            matrix_release(typed[i]);
            matrix_release(in[i]);
        }
    }
}

/* Padding of groups and panels meets cells that are not finite, too. */
ML_TEST(large_products_carry_nan_and_infinity)
{
    static const double special[] = {NAN, INFINITY, -INFINITY};

    for (int s = 0; s < 6; s++)
        for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
            for (int single = 0; single < 2; single++) {
                const CellType type = single ? CELL_FP32 : CELL_FP64;
                Matrix *in[2] = {operand(61, 120, forms[f].ta, 1, 3),
                                 operand(120, 77, forms[f].tb, 1, 4)};
                Matrix *odd = in[s % 2], *want, *got;

                odd->values[matrix_cells(odd) - 1] = special[s / 2];
                odd->values[matrix_cells(odd) / 2] = special[s / 2];
                want = plain_product(in[0], forms[f].ta, in[1], forms[f].tb);
                got = product_as(&forms[f], type, in);
                assert_matrix_near(got, want, single ? 1e-3 : 1e-11);
                matrix_release(got);
                matrix_release(want);
                matrix_release(in[0]);
                matrix_release(in[1]);
            }
}

/* A sparse FP32 factor is read as it is: the same bits as its doubles give. */
ML_TEST(sparse_factors_in_single_give_what_their_doubles_give)
{
    static const double densities[] = {0.01, 0.3};

    for (int64_t n = 1; n < 40; n += n < 10 ? 1 : 7)
        for (int f = 0; f < 2 * 2; f++) {
            const bool ta = f & 1;
            Matrix *s = in_format(operand(150, 90, ta, densities[f / 2], 3), MATRIX_CSR);
            Matrix *d = case_random(90, n, 1, (uint64_t)n), *single = NULL, *wide = NULL;
            Matrix *got = NULL, *want = NULL;

            assert_ok(matrix_as(test_ctx(), CELL_FP32, s, &single));
            assert_ok(matrix_as(test_ctx(), CELL_FP64, single, &wide));
            assert_ok(product(test_ctx(), (Factor){single, ta}, (Factor){d, false}, &got));
            assert_ok(product(test_ctx(), (Factor){wide, ta}, (Factor){d, false}, &want));
            assert_matrix_same(got, want);
            matrix_release(got);
            matrix_release(want);
            assert_ok(product(test_ctx(), (Factor){d, true}, (Factor){single, !ta}, &got));
            assert_ok(product(test_ctx(), (Factor){d, true}, (Factor){wide, !ta}, &want));
            assert_matrix_same(got, want);
            matrix_release(got);
            matrix_release(want);
            matrix_release(s);
            matrix_release(d);
            matrix_release(single);
            matrix_release(wide);
        }
}

/* x and y, both CSR, give the same bits in FP32 as their doubles; takes both. */
static void check_sparse_singles(Matrix *x, Matrix *y)
{
    Matrix *in[2] = {x, y}, *single[2], *wide[2];

    for (int k = 0; k < 2; k++) {
        assert_ok(matrix_as(test_ctx(), CELL_FP32, in[k], &single[k]));
        assert_ok(matrix_as(test_ctx(), CELL_FP64, single[k], &wide[k]));
    }
    for (int f = 0; f < 5; f++) {
        const bool t = f & 1;
        Matrix *got = NULL, *want = NULL;

        if (f < 4) { /* x t(y) and t(x) y, with y or both in FP32 */
            const Factor b = {single[1], !t};

            assert_ok(product(test_ctx(), (Factor){(f < 2 ? single : wide)[0], t}, b, &got));
            assert_ok(product(test_ctx(), (Factor){wide[0], t}, (Factor){wide[1], !t}, &want));
        } else {
            assert_ok(product_self(test_ctx(), (Factor){single[0], true}, &got));
            assert_ok(product_self(test_ctx(), (Factor){wide[0], true}, &want));
        }
        assert_matrix_same(got, want);
        matrix_release(got);
        matrix_release(want);
    }
    for (int k = 0; k < 2; k++) {
        matrix_release(in[k]);
        matrix_release(single[k]);
        matrix_release(wide[k]);
    }
}

ML_TEST(two_sparse_factors_in_single_give_what_their_doubles_give)
{
    static const double densities[] = {0.002, 0.05, 0.3};

    for (int d = 0; d < 3; d++)
        for (int64_t cols = 90; cols < 20000; cols *= 100) {
            Matrix *x = case_random(150, cols, densities[d], 3);
            Matrix *y = case_random(150, cols, densities[d], 4);

            check_sparse_singles(in_format(x, MATRIX_CSR), in_format(y, MATRIX_CSR));
        }
}
