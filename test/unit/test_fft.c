/* Fourier transforms against the sums that define them. */
#include "linear.h"

#include <math.h>
#include <string.h>

enum { PARTS = 2 };

static const double TURN = 6.283185307179586;

static Matrix *zeros(int64_t rows, int64_t cols)
{
    Matrix *m;

    assert_ok(matrix_new_zero(test_ctx(), rows, cols, &m));
    return m;
}

/* One line of n cells, `step` apart: the sum over all cells for each, with a sign of the angle. */
static void plain_line(double *re, double *im, int64_t n, int64_t step, bool inverse)
{
    long double r[64], i[64];

    assert_true(n <= 64);
    for (int64_t k = 0; k < n; k++) {
        r[k] = i[k] = 0;
        for (int64_t j = 0; j < n; j++) {
            const double turns = (double)(j * k % n) / (double)n;
            const long double c = cosl(TURN * (long double)turns);
            const long double s = (inverse ? 1 : -1) * sinl(TURN * (long double)turns);

            r[k] += re[j * step] * c - im[j * step] * s;
            i[k] += re[j * step] * s + im[j * step] * c;
        }
    }
    for (int64_t k = 0; k < n; k++) {
        re[k * step] = (double)(inverse ? r[k] / n : r[k]);
        im[k * step] = (double)(inverse ? i[k] / n : i[k]);
    }
}

static void plain_transform(Matrix *re, Matrix *im, bool inverse, bool columns_too)
{
    const int64_t m = re->rows, n = re->cols;

    for (int64_t i = 0; i < m; i++)
        plain_line(re->values + i * n, im->values + i * n, n, 1, inverse);
    for (int64_t j = 0; columns_too && j < n; j++)
        plain_line(re->values + j, im->values + j, m, n, inverse);
}

/* im NULL: not given. */
static void run(OpCode op, KernelFn kernel, Matrix *re, Matrix *im, Value out[PARTS])
{
    Value in[2] = {value_matrix(re), im ? value_matrix(im) : value_none()};

    assert_ok(call_values(op, kernel, im ? 2 : 1, in, PARTS, out));
}

static void release_parts(Value out[PARTS])
{
    for (int k = 0; k < PARTS; k++)
        value_release(out[k]);
}

typedef struct Variant {
    OpCode op;
    KernelFn kernel;
    bool inverse, columns_too;
} Variant;

static const Variant variants[] = {{OP_fft, ml_k_fft, false, true},
                                   {OP_ifft, ml_k_ifft, true, true},
                                   {OP_fft_linearized, ml_k_fft_linearized, false, false},
                                   {OP_ifft_linearized, ml_k_ifft_linearized, true, false}};
enum { VARIANTS = sizeof variants / sizeof *variants };

static void check_variant(const Variant *v, int64_t rows, int64_t cols)
{
    const bool complex_cells = v->inverse;
    Matrix *re = case_random(rows, cols, 1, 1);
    Matrix *im = complex_cells ? case_random(rows, cols, 1, 2) : zeros(rows, cols);
    Value out[PARTS];

    run(v->op, v->kernel, re, complex_cells ? im : NULL, out);
    plain_transform(re, im, v->inverse, v->columns_too);
    assert_matrix_near(out[0].m, re, 1e-12);
    assert_matrix_near(out[1].m, im, 1e-12);
    release_parts(out);
    matrix_release(re);
    matrix_release(im);
}

ML_TEST(fourier_transforms_are_the_sums_that_define_them)
{
    for (int k = 0; k < VARIANTS; k++)
        for (int64_t rows = 1; rows <= 64; rows *= 2)
            for (int64_t cols = 1; cols <= 64; cols *= 2)
                check_variant(&variants[k], rows, cols);
}

ML_TEST(linearized_transforms_take_any_number_of_rows)
{
    for (int64_t rows = 0; rows < 20; rows++) {
        check_variant(&variants[2], rows, 8);
        check_variant(&variants[3], rows, 8);
    }
}

static void check_round_trip(int64_t rows, int64_t cols)
{
    Matrix *m = case_random(rows, cols, 1, 3), *none = zeros(rows, cols);
    Value there[PARTS], back[PARTS];

    run(OP_fft, ml_k_fft, m, NULL, there);
    run(OP_ifft, ml_k_ifft, there[0].m, there[1].m, back);
    assert_ok(matrix_finish(test_ctx(), &none, 0));
    assert_matrix_near(back[0].m, m, 1e-12);
    assert_matrix_near(back[1].m, none, 1e-12);
    release_parts(there);
    release_parts(back);
    matrix_release(m);
    matrix_release(none);
}

ML_TEST(ifft_gives_back_what_fft_took)
{
    check_round_trip(1, 1);
    check_round_trip(1, 1 << 16);
    check_round_trip(1 << 15, 1);
    check_round_trip(1 << 17, 1);
    check_round_trip(256, 128);
}

/* Whole cells that the radix-4 pass only adds stay exact. */
ML_TEST(fft_of_four_cells_is_exact)
{
    Value out[PARTS];
    Matrix *m = case_matrix(1, 4, "1 2 3 4");

    run(OP_fft, ml_k_fft, m, NULL, out);
    matrix_release(m);
    assert_cells(out[0], 1, 4, "10 -2 -2 -2", 0);
    assert_cells(out[1], 1, 4, "0 2 0 -2", 0);
}

ML_TEST(fft_takes_sparse_and_constant_operands)
{
    Matrix *dense = case_random(64, 64, 0.05, 5), *sparse = case_csr(dense), *ones;
    Value a[PARTS], b[PARTS];

    run(OP_fft, ml_k_fft, dense, NULL, a);
    run(OP_fft, ml_k_fft, sparse, NULL, b);
    for (int k = 0; k < PARTS; k++)
        assert_matrix_same(a[k].m, b[k].m);
    release_parts(a);
    release_parts(b);
    assert_ok(matrix_new_constant(test_ctx(), 1, 8, 1, &ones));
    assert_ok(matrix_finish(test_ctx(), &ones, 8));
    run(OP_fft, ml_k_fft, ones, NULL, a);
    assert_cells(a[0], 1, 8, "8 0 0 0 0 0 0 0", 0);
    assert_cells(a[1], 1, 8, "0 0 0 0 0 0 0 0", 0);
    matrix_release(ones);
    matrix_release(dense);
    matrix_release(sparse);
}

ML_TEST(fft_leaves_its_operand_alone)
{
    Matrix *m = case_random(8, 8, 1, 6), *same = case_random(8, 8, 1, 6);
    Value out[PARTS];

    run(OP_fft, ml_k_fft, m, NULL, out);
    assert_matrix_same(m, same);
    release_parts(out);
    matrix_release(m);
    matrix_release(same);
}

/* Passes that are divided, over a length that is not a power of four. */
ML_TEST(one_long_signal_is_transformed_alike_on_any_threads)
{
    Matrix *m = case_random(1, 1 << 17, 1, 8);
    Value a[PARTS], b[PARTS];

    test_threads(1);
    run(OP_fft, ml_k_fft, m, NULL, a);
    test_threads(8);
    run(OP_fft, ml_k_fft, m, NULL, b);
    for (int k = 0; k < PARTS; k++)
        assert_matrix_same(a[k].m, b[k].m);
    release_parts(a);
    release_parts(b);
    matrix_release(m);
}

/* 67 signals do not fill their last group. */
ML_TEST(fourier_transforms_do_not_depend_on_threads)
{
    Matrix *m = case_random(67, 4096, 1, 7), *row;
    Value a[PARTS], b[PARTS];

    test_threads(1);
    run(OP_fft_linearized, ml_k_fft_linearized, m, NULL, a);
    test_threads(8);
    run(OP_fft_linearized, ml_k_fft_linearized, m, NULL, b);
    for (int k = 0; k < PARTS; k++)
        assert_matrix_same(a[k].m, b[k].m);
    release_parts(b);
    assert_ok(matrix_new_dense(test_ctx(), 1, 4096, &row));
    memcpy(row->values, m->values + 66 * 4096, 4096 * sizeof(double));
    assert_ok(matrix_finish(test_ctx(), &row, -1));
    run(OP_fft, ml_k_fft, row, NULL, b);
    for (int64_t j = 0; j < 4096; j++)
        assert_true(cell(b[0].m, 0, j) == cell(a[0].m, 66, j));
    release_parts(a);
    release_parts(b);
    matrix_release(row);
    matrix_release(m);
}

ML_TEST(a_nan_spoils_its_own_signal_only)
{
    Matrix *m = case_matrix(2, 4, "1 NaN 3 4 1 2 3 4");
    Value out[PARTS];

    run(OP_fft_linearized, ml_k_fft_linearized, m, NULL, out);
    assert_cells(out[0], 2, 4, "NaN NaN NaN NaN 10 -2 -2 -2", 0);
    value_release(out[1]);
    matrix_release(m);
}

ML_TEST(fourier_transforms_check_their_sizes)
{
    CASE_FAILS(fft, ML_ESHAPE, value_matrix(case_matrix(3, 2, "1 2 3 4 5 6")));
    assert_string_equal(test_error(),
                        "fft: expected rows and columns of X to be powers of two, found 3x2");
    CASE_FAILS(fft, ML_ESHAPE, value_matrix(zeros(0, 4)));
    CASE_FAILS(fft, ML_ESHAPE, value_matrix(zeros(4, 0)));
    CASE_FAILS(ifft_linearized, ML_ESHAPE, value_matrix(zeros(4, 6)));
    assert_string_equal(
        test_error(), "ifft_linearized: expected the columns of re to be powers of two, found 4x6");
    CASE_FAILS(ifft, ML_ESHAPE, value_matrix(zeros(1, 4)), value_matrix(zeros(4, 1)));
    assert_string_equal(test_error(),
                        "re is 1x4, im is 4x1: real and imaginary part must have one shape");
}

/* ---- windows ---- */

/* Of a matrix, with an imaginary part or NULL. */
static ml_status windows(Matrix *re, Matrix *im, double window, double overlap, Value out[PARTS])
{
    Value in[4] = {value_matrix(re)};
    int n = 1;

    if (im)
        in[n++] = value_matrix(im);
    in[n++] = value_double(window);
    in[n++] = value_double(overlap);
    return call_values(OP_stft, ml_k_stft, n, in, PARTS, out);
}

static void check_windows(int64_t cols, int64_t window, int64_t overlap, int64_t frames)
{
    Matrix *re = case_random(3, cols, 1, 8), *im = case_random(3, cols, 1, 9);
    double r[64], i[64];
    Value out[PARTS];

    assert_ok(windows(re, im, (double)window, (double)overlap, out));
    assert_int_equal(out[0].m->rows, 3);
    assert_int_equal(out[0].m->cols, frames * window);
    for (int64_t f = 0; f < 3 * frames; f++) {
        const int64_t row = f / frames, from = f % frames * (window - overlap);

        for (int64_t k = 0; k < window; k++) {
            r[k] = from + k < cols ? cell(re, row, from + k) : 0;
            i[k] = from + k < cols ? cell(im, row, from + k) : 0;
        }
        plain_line(r, i, window, 1, false);
        for (int64_t k = 0; k < window; k++) {
            assert_true(fabs(cell(out[0].m, row, f % frames * window + k) - r[k]) < 1e-12);
            assert_true(fabs(cell(out[1].m, row, f % frames * window + k) - i[k]) < 1e-12);
        }
    }
    release_parts(out);
    matrix_release(re);
    matrix_release(im);
}

ML_TEST(stft_transforms_windows_that_cover_the_row)
{
    check_windows(16, 4, 2, 7);
    check_windows(16, 4, 0, 4);
    check_windows(10, 4, 1, 3);
    check_windows(11, 4, 1, 4);
    check_windows(2, 4, 2, 1);
    check_windows(0, 4, 2, 0);
    check_windows(5, 1, 0, 5);
    check_windows(40, 32, 31, 9);
}

ML_TEST(stft_checks_window_and_overlap)
{
    Matrix *m = case_matrix(1, 4, "1 2 3 4"), *other = case_matrix(1, 2, "1 2");
    Value out[PARTS];

    assert_int_equal(windows(m, NULL, 3, 1, out), ML_EVALUE);
    assert_string_equal(test_error(), "stft: expected the window to be a power of two, found 3");
    assert_int_equal(windows(m, NULL, 4, 4, out), ML_EVALUE);
    assert_string_equal(
        test_error(),
        "stft: expected the overlap to be at least 0 and below the window of 4, found 4");
    assert_int_equal(windows(m, NULL, 4, -1, out), ML_EVALUE);
    assert_int_equal(windows(m, NULL, 0, 0, out), ML_EVALUE);
    assert_int_equal(windows(m, NULL, 0x1p62, 0, out), ML_EVALUE);
    assert_int_equal(windows(m, other, 2, 0, out), ML_ESHAPE);
    CASE_FAILS(stft, ML_EVALUE, case_share(m), value_double(4));
    matrix_release(m);
    matrix_release(other);
}

ML_TEST(stft_knows_its_width_before_the_run)
{
    ShapeArg in[4] = {{.dt = DT_MATRIX, .dims = {3, 10, -1}},
                      {.dt = DT_SCALAR, .dims = {1, 1, -1}, .lit = value_int(4)},
                      {.dt = DT_SCALAR, .dims = {1, 1, -1}, .lit = value_int(1)}};
    Dims out[PARTS] = {{-1, -1, -1}, {-1, -1, -1}};
    ShapeCall call = {&op_table[OP_stft], 3, in, PARTS, out};

    shape_stft(&call);
    assert_int_equal(out[0].rows, 3);
    assert_int_equal(out[1].cols, 12);
    in[2].lit = value_none();
    shape_stft(&call);
    assert_int_equal(out[0].cols, -1);
}
