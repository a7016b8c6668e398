/* Convolution and pooling: against plain nested loops, gradients against differences. */
#include "nn_case.h"

#include "op/op.h"

#include <math.h>

typedef struct Shape {
    int64_t n, c, h, w, k, r, s, stride_h, stride_w, pad_h, pad_w;
} Shape;

static const Shape shapes[] = {
    {1, 1, 3, 3, 1, 2, 2, 1, 1, 0, 0},    {2, 1, 3, 4, 2, 2, 2, 1, 2, 0, 1},
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0},    {3, 2, 5, 7, 4, 1, 1, 1, 1, 0, 0},
    {3, 2, 5, 7, 4, 1, 1, 2, 2, 0, 0},    {2, 3, 6, 5, 2, 3, 5, 1, 1, 1, 2},
    {2, 3, 6, 5, 2, 3, 2, 3, 2, 2, 0},    {1, 2, 2, 2, 3, 4, 4, 1, 1, 1, 1},
    {4, 1, 1, 9, 2, 1, 3, 1, 2, 0, 1},    {2, 2, 3, 3, 2, 2, 2, 2, 2, 3, 3},
    {2, 2, 4, 4, 2, 2, 2, 5, 5, 0, 0},    {7, 3, 8, 8, 16, 3, 3, 1, 1, 1, 1},
    {3, 8, 24, 20, 16, 3, 3, 1, 1, 1, 1}, {2, 3, 40, 44, 8, 7, 7, 2, 2, 3, 3},
    {9, 40, 7, 7, 24, 3, 3, 1, 1, 1, 1},  {30, 60, 7, 7, 8, 3, 3, 1, 1, 1, 1},
    {2, 2, 60, 50, 3, 3, 3, 1, 1, 1, 1},  {1, 70, 30, 30, 2, 3, 3, 1, 1, 1, 1},
    {2, 3, 40, 50, 4, 1, 1, 1, 1, 0, 0},  {17, 3, 6, 6, 4, 1, 1, 1, 1, 0, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static int64_t out_rows(const Shape *g)
{
    return (g->h + 2 * g->pad_h - g->r) / g->stride_h + 1;
}

static int64_t out_cols(const Shape *g)
{
    return (g->w + 2 * g->pad_w - g->s) / g->stride_w + 1;
}

/* The four lists, for filters or for pooling. */
static void set_lists(NnCall *c, const Shape *g, bool filters)
{
    const int64_t image[] = {g->n, g->c, g->h, g->w}, filter[] = {g->k, g->c, g->r, g->s};
    const int64_t stride[] = {g->stride_h, g->stride_w}, pad[] = {g->pad_h, g->pad_w};

    c->in[c->nin++] = nn_list(4, image);
    c->in[c->nin++] = filters ? nn_list(4, filter) : nn_list(2, filter + 2);
    c->in[c->nin++] = nn_list(2, stride);
    c->in[c->nin++] = nn_list(2, pad);
}

#define CALL(name)                                                                                 \
    {                                                                                              \
        .op = OP_##name, .kernel = ml_k_##name, .nout = 1                                          \
    }

static NnCall with_operands(NnCall c, Matrix *a, Matrix *b, const Shape *g, bool filters)
{
    c.in[c.nin++] = value_matrix(a);
    if (b)
        c.in[c.nin++] = value_matrix(b);
    set_lists(&c, g, filters);
    return c;
}

static Matrix *images(const Shape *g, double density)
{
    return case_random(g->n, g->c * g->h * g->w, density, 11);
}

static Matrix *filters(const Shape *g)
{
    return case_random(g->k, g->c * g->r * g->s, 1, 12);
}

static Matrix *results(const Shape *g, int64_t channels)
{
    return case_random(g->n, channels * out_rows(g) * out_cols(g), 1, 13);
}

static NnCall conv2d(const Shape *g, double density)
{
    return with_operands((NnCall)CALL(conv2d), images(g, density), filters(g), g, true);
}

static NnCall conv2d_filter(const Shape *g)
{
    return with_operands((NnCall)CALL(conv2d_backward_filter), images(g, 1), results(g, g->k), g,
                         true);
}

static NnCall conv2d_data(const Shape *g)
{
    return with_operands((NnCall)CALL(conv2d_backward_data), filters(g), results(g, g->k), g, true);
}

/* ---- plain loops ---- */

/* Cell of the image under the window, NaN-safe: `outside` in the padding. */
static double under(const Matrix *x, const Shape *g, int64_t i, int64_t c, int64_t y, int64_t z,
                    double outside)
{
    if (y < 0 || y >= g->h || z < 0 || z >= g->w)
        return outside;
    return cell(x, i, (c * g->h + y) * g->w + z);
}

static double plain_window(const Matrix *x, const Matrix *w, const Shape *g, int64_t i, int64_t k,
                           int64_t p, int64_t q)
{
    double sum = 0;

    for (int64_t c = 0; c < g->c; c++)
        for (int64_t r = 0; r < g->r; r++)
            for (int64_t s = 0; s < g->s; s++)
                sum += cell(w, k, (c * g->r + r) * g->s + s) *
                       under(x, g, i, c, p * g->stride_h - g->pad_h + r,
                             q * g->stride_w - g->pad_w + s, 0);
    return sum;
}

static Matrix *plain_conv(const Matrix *x, const Matrix *w, const Shape *g)
{
    const int64_t p = out_rows(g), q = out_cols(g), pq = p * q;
    Matrix *m;

    assert_ok(matrix_new_dense(test_ctx(), g->n, g->k * pq, &m));
    for (int64_t at = 0; at < g->n * g->k * pq; at++)
        m->values[at] =
            plain_window(x, w, g, at / (g->k * pq), at / pq % g->k, at % pq / q, at % q);
    return m;
}

ML_TEST(convolution_is_the_sum_over_windows)
{
    for (int k = 0; k < SHAPES; k++)
        for (double density = 0; density <= 1; density += 0.5) {
            NnCall c = conv2d(&shapes[k], density);
            Matrix *plain = plain_conv(c.in[0].m, c.in[1].m, &shapes[k]);

            nn_run(&c);
            assert_matrix_near(c.out[0].m, plain, 1e-11);
            matrix_release(plain);
            nn_end(&c);
        }
}

ML_TEST(convolution_agrees_with_plain_loops_on_random_shapes)
{
    uint64_t seed = 20261121;

    print_message("seed %d\n", (int)seed);
    for (int k = 0; k < 200; k++) {
        Shape g = {.n = 1 + (int64_t)(case_bits(&seed) % 5)};
        Matrix *plain;
        NnCall c;

        g.c = 1 + (int64_t)(case_bits(&seed) % 4);
        g.k = 1 + (int64_t)(case_bits(&seed) % 5);
        g.h = 1 + (int64_t)(case_bits(&seed) % 12);
        g.w = 1 + (int64_t)(case_bits(&seed) % 12);
        g.pad_h = (int64_t)(case_bits(&seed) % 4);
        g.pad_w = (int64_t)(case_bits(&seed) % 4);
        g.r = 1 + (int64_t)(case_bits(&seed) % (uint64_t)(g.h + 2 * g.pad_h));
        g.s = 1 + (int64_t)(case_bits(&seed) % (uint64_t)(g.w + 2 * g.pad_w));
        g.stride_h = 1 + (int64_t)(case_bits(&seed) % 4);
        g.stride_w = 1 + (int64_t)(case_bits(&seed) % 4);
        c = conv2d(&g, 1);
        plain = plain_conv(c.in[0].m, c.in[1].m, &g);
        nn_run(&c);
        assert_matrix_near(c.out[0].m, plain, 1e-11);
        matrix_release(plain);
        nn_end(&c);
    }
}

ML_TEST(gradients_of_convolution_agree_with_differences)
{
    for (int k = 0; k < SHAPES; k++) {
        const Shape *g = &shapes[k];
        NnCall c = conv2d(g, 1), by_filter = conv2d_filter(g), by_data = conv2d_data(g);
        Matrix *const weights[] = {by_filter.in[1].m};

        nn_run(&by_filter);
        nn_run(&by_data);
        nn_check_gradient(&c, 1, by_filter.out[0].m, weights);
        nn_check_gradient(&c, 0, by_data.out[0].m, weights);
        nn_end(&c);
        nn_end(&by_filter);
        nn_end(&by_data);
    }
}

ML_TEST(convolution_does_not_depend_on_threads_or_format)
{
    for (int k = 0; k < SHAPES; k++) {
        NnCall calls[] = {conv2d(&shapes[k], 0.3), conv2d_filter(&shapes[k]),
                          conv2d_data(&shapes[k])};

        for (int j = 0; j < 3; j++) {
            nn_check_threads(&calls[j]);
            nn_check_csr(&calls[j]);
            nn_end(&calls[j]);
        }
    }
}

ML_TEST(convolution_of_no_images_is_empty_and_its_filter_gradient_zero)
{
    const Shape g = {0, 2, 5, 5, 3, 2, 2, 1, 1, 0, 0};
    NnCall calls[] = {conv2d(&g, 1), conv2d_filter(&g), conv2d_data(&g)};
    const int64_t shape[][2] = {{0, 48}, {3, 8}, {0, 50}};

    for (int j = 0; j < 3; j++) {
        nn_run(&calls[j]);
        assert_int_equal(calls[j].out[0].m->rows, shape[j][0]);
        assert_int_equal(calls[j].out[0].m->cols, shape[j][1]);
        assert_int_equal(calls[j].out[0].m->nnz, 0);
        nn_end(&calls[j]);
    }
}

ML_TEST(nan_and_infinity_reach_the_windows_that_hold_them)
{
    const Shape g = {1, 1, 3, 3, 1, 2, 2, 1, 1, 0, 0};
    NnCall c = conv2d(&g, 1);

    for (int k = 0; k < 9; k++)
        c.in[0].m->values[k] = k == 0 ? NAN : k == 8 ? INFINITY : 1;
    for (int k = 0; k < 4; k++)
        c.in[1].m->values[k] = 1;
    nn_run(&c);
    assert_cells(value_matrix(matrix_retain(c.out[0].m)), 1, 4, "NaN 4 4 Infinity", 0);
    nn_end(&c);
}

/* ---- pooling ---- */

static NnCall pool(NnCall c, const Shape *g)
{
    return with_operands(c, images(g, 1), NULL, g, false);
}

/* All cells differ by far more than the steps of differences, so that these pass no tie. */
static Matrix *distinct_images(const Shape *g)
{
    Matrix *x = images(g, 1);

    for (int64_t k = 0; k < matrix_cells(x); k++)
        x->values[k] = (double)(k * 7919 % matrix_cells(x)) / 16;
    x->nnz = matrix_count_nnz(x->values, matrix_cells(x));
    return x;
}

static NnCall pool_backward(NnCall c, const Shape *g)
{
    return with_operands(c, distinct_images(g), results(g, g->c), g, false);
}

static double plain_pool_cell(const Matrix *x, const Shape *g, int64_t i, int64_t c, int64_t p,
                              int64_t q, bool largest)
{
    double value = largest ? -INFINITY : 0;

    for (int64_t r = 0; r < g->r; r++)
        for (int64_t s = 0; s < g->s; s++) {
            const double v = under(x, g, i, c, p * g->stride_h - g->pad_h + r,
                                   q * g->stride_w - g->pad_w + s, largest ? -INFINITY : 0);

            value = largest ? fmax(value, v) : value + v;
        }
    return largest ? value : value / (double)(g->r * g->s);
}

static void check_pool(NnCall c, const Shape *g, bool largest)
{
    const int64_t q = out_cols(g), pq = out_rows(g) * q;
    Matrix *plain;

    assert_ok(matrix_new_dense(test_ctx(), g->n, g->c * pq, &plain));
    for (int64_t at = 0; at < g->n * g->c * pq; at++)
        plain->values[at] = plain_pool_cell(c.in[0].m, g, at / (g->c * pq), at / pq % g->c,
                                            at % pq / q, at % q, largest);
    nn_run(&c);
    assert_matrix_near(c.out[0].m, plain, 1e-13);
    matrix_release(plain);
    nn_drop(&c);
    nn_check_threads(&c);
    nn_check_csr(&c);
    nn_end(&c);
}

ML_TEST(pooling_agrees_with_plain_loops)
{
    for (int k = 0; k < SHAPES; k++) {
        check_pool(pool((NnCall)CALL(max_pool), &shapes[k]), &shapes[k], true);
        check_pool(pool((NnCall)CALL(avg_pool), &shapes[k]), &shapes[k], false);
    }
}

/* A window in the padding alone is infinite, which no difference can be taken of. */
static bool only_padding(const Shape *g)
{
    return g->pad_h >= g->r || g->pad_w >= g->s;
}

static void check_pool_gradient(NnCall forward, NnCall backward)
{
    Matrix *const weights[] = {backward.in[1].m};

    nn_run(&backward);
    nn_check_gradient(&forward, 0, backward.out[0].m, weights);
    nn_drop(&backward);
    nn_check_threads(&backward);
    nn_check_csr(&backward);
    nn_end(&forward);
    nn_end(&backward);
}

ML_TEST(gradients_of_pooling_agree_with_differences)
{
    for (int k = 0; k < SHAPES; k++) {
        const Shape *g = &shapes[k];

        if (!only_padding(g))
            check_pool_gradient(
                with_operands((NnCall)CALL(max_pool), distinct_images(g), NULL, g, false),
                pool_backward((NnCall)CALL(max_pool_backward), g));
        check_pool_gradient(pool((NnCall)CALL(avg_pool), g),
                            pool_backward((NnCall)CALL(avg_pool_backward), g));
    }
}

static void check_max(const char *cells, const char *forward, const char *backward)
{
    const Shape g = {1, 1, 2, 3, 0, 2, 2, 1, 1, 0, 0};
    NnCall f = with_operands((NnCall)CALL(max_pool), case_matrix(1, 6, cells), NULL, &g, false);
    NnCall b = with_operands((NnCall)CALL(max_pool_backward), case_matrix(1, 6, cells),
                             case_matrix(1, 2, "3 5"), &g, false);

    nn_run(&f);
    nn_run(&b);
    assert_cells(value_matrix(matrix_retain(f.out[0].m)), 1, 2, forward, 0);
    assert_cells(value_matrix(matrix_retain(b.out[0].m)), 1, 6, backward, 0);
    nn_end(&f);
    nn_end(&b);
}

ML_TEST(maxima_of_special_cells_and_ties)
{
    check_max("1 1 1  1 1 1", "1 1", "3 5 0  0 0 0");
    check_max("0 0 0  0 0 0", "0 0", "3 5 0  0 0 0");
    check_max("NaN 2 1  1 1 1", "NaN 2", "0 8 0  0 0 0");
    check_max("NaN NaN 1  NaN NaN 1", "NaN NaN", "0 0 5  0 0 0");
    check_max("-inf -inf -inf  -inf -inf -inf", "-inf -inf", "3 5 0  0 0 0");
    check_max("-inf -inf inf  -inf -1 inf", "-1 inf", "0 0 5  0 3 0");
}

ML_TEST(windows_in_the_padding_alone_are_minus_infinity_or_zero)
{
    const Shape g = {1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1};
    NnCall most = pool((NnCall)CALL(max_pool), &g), mean = pool((NnCall)CALL(avg_pool), &g);

    most.in[0].m->values[0] = mean.in[0].m->values[0] = 7;
    nn_run(&most);
    nn_run(&mean);
    assert_cells(value_matrix(matrix_retain(most.out[0].m)), 1, 3, "-inf 7 -inf", 0);
    assert_cells(value_matrix(matrix_retain(mean.out[0].m)), 1, 3, "0 7 0", 0);
    nn_end(&most);
    nn_end(&mean);
}

/* ---- errors and sizes ---- */

ML_TEST(wrong_shapes_of_windows_are_named)
{
    const Shape good = {2, 3, 5, 5, 4, 2, 2, 1, 1, 0, 0};
    static const struct {
        int list, entry;
        int64_t value;
        ml_status code;
        const char *message;
    } cases[] = {
        {2, 0, 3, ML_ESHAPE, "input is 2x75, input_shape asks for 3x75"},
        {2, 2, 6, ML_ESHAPE, "input is 2x75, input_shape asks for 2x90"},
        {2, 1, 2, ML_ESHAPE, "input_shape has channels: 2, filter_shape: 3"},
        {3, 2, 6, ML_ESHAPE, "the window has height 6, more than the image's 5"},
        {3, 0, 9, ML_ESHAPE, "filter is 4x12, filter_shape asks for 9x12"},
        {4, 1, 0, ML_EVALUE, "entry 2 of stride should be a number from 1 to 2147483647, found 0"},
        {5, 0, -1, ML_EVALUE,
         "entry 1 of padding should be a number from 0 to 2147483647, found -1"},
        {2, 3, INT64_MAX, ML_EVALUE, "entry 4 of input_shape"},
    };

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        NnCall c = conv2d(&good, 1);

        c.in[cases[k].list].l->items[cases[k].entry] = value_int(cases[k].value);
        nn_fails(&c, cases[k].code, cases[k].message);
        nn_end(&c);
    }
}

ML_TEST(lists_of_the_wrong_length_are_an_error)
{
    const Shape good = {2, 3, 5, 5, 4, 2, 2, 1, 1, 0, 0};
    NnCall c = conv2d(&good, 1);

    c.in[3].l->count = 3;
    nn_fails(&c, ML_ESHAPE, "filter_shape should have 4 entries, found 3");
    c.in[3].l->count = 4;
    nn_end(&c);
}

static Dims inferred(OpCode op, int nin, const ShapeArg *in)
{
    Dims out[OP_RESULTS + 1];
    ShapeCall c = {.op = &op_table[op], .nin = nin, .in = in, .nout = 1, .out = out};

    for (int k = 0; k <= OP_RESULTS; k++)
        out[k] = (Dims){-1, -1, -1};
    op_table[op].shape(&c);
    return out[0];
}

ML_TEST(sizes_of_results_follow_from_the_lists)
{
    const ShapeArg any = {.dt = DT_MATRIX, .dims = {-1, -1, -1}};
    const ShapeArg in[] = {any,
                           any,
                           {.dt = DT_LIST, .nsizes = 4, .sizes = {-1, 3, 8, 9}},
                           {.dt = DT_LIST, .nsizes = 4, .sizes = {5, 3, 2, 3}},
                           {.dt = DT_LIST, .nsizes = 2, .sizes = {2, 1}},
                           {.dt = DT_LIST, .nsizes = 2, .sizes = {0, 1}}};
    const ShapeArg unknown[] = {any, any, any, any, any, any};
    Dims d = inferred(OP_conv2d, 6, in);

    assert_int_equal(d.rows, -1);
    assert_int_equal(d.cols, 5 * 4 * 9);
    d = inferred(OP_conv2d_backward_filter, 6, in);
    assert_int_equal(d.rows, 5);
    assert_int_equal(d.cols, 18);
    d = inferred(OP_conv2d_backward_data, 6, in);
    assert_int_equal(d.cols, 216);
    d = inferred(OP_conv2d, 6, unknown);
    assert_int_equal(d.cols, -1);
}
