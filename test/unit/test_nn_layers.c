/* Bias, batch normalization and long short-term memory: against their definitions, gradients
 * against differences. */
#include "nn_case.h"

#include <math.h>

/* ---- bias ---- */

static NnCall bias(OpCode op, KernelFn kernel, Matrix *x, Matrix *b)
{
    return (NnCall){
        .op = op, .kernel = kernel, .nin = 2, .nout = 1, .in = {value_matrix(x), value_matrix(b)}};
}

ML_TEST(bias_reaches_each_cell_of_its_channel)
{
    Matrix *x = case_random(70, 5 * 33, 0.4, 1), *b = case_random(5, 1, 1, 2);
    NnCall add = bias(OP_bias_add, ml_k_bias_add, x, b);
    NnCall times = bias(OP_bias_multiply, ml_k_bias_multiply, matrix_retain(x), matrix_retain(b));

    nn_run(&add);
    nn_run(&times);
    for (int64_t i = 0; i < 70; i++)
        for (int64_t j = 0; j < 165; j++) {
            assert_true(cell(add.out[0].m, i, j) == cell(x, i, j) + b->values[j / 33]);
            assert_true(cell(times.out[0].m, i, j) == cell(x, i, j) * b->values[j / 33]);
        }
    nn_drop(&add);
    nn_drop(&times);
    nn_check_threads(&add);
    nn_check_csr(&add);
    nn_check_csr(&times);
    nn_end(&add);
    nn_end(&times);
}

ML_TEST(bias_overwrites_images_that_are_used_no_more)
{
    Value in[] = {value_matrix(case_matrix(1, 4, "1 2 3 4")),
                  value_matrix(case_matrix(2, 1, "10 20"))};
    Value out = value_none();
    OpCall call = {
        .op = &op_table[OP_bias_add], .nin = 2, .nout = 1, .in = in, .out = &out, .last = 1};

    assert_ok(ml_k_bias_add(test_ctx(), &call));
    assert_ptr_equal(out.m, in[0].m);
    assert_cells(out, 1, 4, "11 12 23 24", 0);
    value_release(in[0]);
    value_release(in[1]);
}

ML_TEST(bias_that_does_not_fit_the_images_is_an_error)
{
    CASE_FAILS(bias_add, ML_ESHAPE, value_matrix(case_matrix(1, 5, "1 2 3 4 5")),
               value_matrix(case_matrix(2, 1, "1 2")));
    assert_string_equal(
        test_error(),
        "input is 1x5, bias is 2x1: the columns of the images should be a multiple of "
        "the channels");
    CASE_FAILS(bias_multiply, ML_ESHAPE, value_matrix(case_matrix(1, 4, "1 2 3 4")),
               value_matrix(case_matrix(1, 2, "1 2")));
    CASE_FAILS(bias_multiply, ML_ESHAPE, value_matrix(case_matrix(1, 4, "1 2 3 4")),
               value_matrix(case_matrix(0, 1, "")));
}

/* ---- batch normalization ---- */

enum { N = 6, C = 3, HW = 37 };
static const double epsilon = 0.01, mu = 0.8;

static NnCall norm(const char *mode)
{
    NnCall c = {.op = OP_batch_norm2d, .kernel = ml_k_batch_norm2d, .nin = 8, .nout = 5};

    c.in[0] = value_matrix(case_random(N, (int64_t)C * HW, 1, 1));
    for (int k = 1; k < 5; k++)
        c.in[k] = value_matrix(case_random(C, 1, 1, (uint64_t)k + 1));
    for (int k = 0; k < C; k++)
        c.in[4].m->values[k] = 1 + fabs(c.in[4].m->values[k]);
    c.in[5] = case_text(mode);
    c.in[6] = value_double(epsilon);
    c.in[7] = value_double(mu);
    return c;
}

/* Mean, for power 1, or mean square of the deviations from `center` of a channel. */
static double moment(const Matrix *x, int64_t c, double center, int power)
{
    double sum = 0;

    for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < HW; j++)
            sum += pow(cell(x, i, c * HW + j) - center, power);
    return sum / (N * HW);
}

static void check_normalized(const NnCall *f, int64_t c, double mean, double var)
{
    const Matrix *x = f->in[0].m, *out = f->out[0].m;
    const double inv = 1 / sqrt(var + epsilon);

    assert_close(cell(f->out[3].m, c, 0), mean, 1e-12);
    assert_close(cell(f->out[4].m, c, 0), inv, 1e-12);
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = c * HW; j < (c + 1) * HW; j++)
            assert_close(cell(out, i, j),
                         (cell(x, i, j) - mean) * inv * cell(f->in[1].m, c, 0) +
                             cell(f->in[2].m, c, 0),
                         1e-9);
}

ML_TEST(batch_norm_in_training_uses_and_tracks_the_batch)
{
    NnCall f = norm("train");

    nn_run(&f);
    for (int64_t c = 0; c < C; c++) {
        const double mean = moment(f.in[0].m, c, 0, 1), var = moment(f.in[0].m, c, mean, 2);

        check_normalized(&f, c, mean, var);
        assert_close(cell(f.out[1].m, c, 0), mu * cell(f.in[3].m, c, 0) + (1 - mu) * mean, 1e-12);
        assert_close(cell(f.out[2].m, c, 0), mu * cell(f.in[4].m, c, 0) + (1 - mu) * var, 1e-12);
    }
    nn_end(&f);
}

ML_TEST(batch_norm_in_testing_uses_the_running_moments)
{
    NnCall f = norm("test");

    nn_run(&f);
    for (int64_t c = 0; c < C; c++)
        check_normalized(&f, c, cell(f.in[3].m, c, 0), cell(f.in[4].m, c, 0));
    assert_matrix_same(f.out[1].m, f.in[3].m);
    assert_matrix_same(f.out[2].m, f.in[4].m);
    nn_end(&f);
}

/* From the results of a call in training. */
static NnCall norm_backward(const NnCall *f)
{
    NnCall c = {
        .op = OP_batch_norm2d_backward, .kernel = ml_k_batch_norm2d_backward, .nin = 6, .nout = 3};

    c.in[0] = value_retain(f->in[0]);
    c.in[1] = value_matrix(case_random(N, (int64_t)C * HW, 1, 9));
    c.in[2] = value_retain(f->in[1]);
    c.in[3] = f->in[6];
    c.in[4] = value_retain(f->out[3]);
    c.in[5] = value_retain(f->out[4]);
    return c;
}

ML_TEST(gradients_of_batch_norm_agree_with_differences)
{
    NnCall f = norm("train"), b;
    Matrix *weights[NN_RESULTS] = {NULL};

    nn_run(&f);
    b = norm_backward(&f);
    nn_drop(&f);
    nn_run(&b);
    weights[0] = b.in[1].m;
    for (int k = 0; k < 3; k++)
        nn_check_gradient(&f, k, b.out[k].m, weights);
    nn_drop(&b);
    nn_check_threads(&b);
    nn_check_csr(&b);
    nn_check_threads(&f);
    nn_check_csr(&f);
    nn_end(&f);
    nn_end(&b);
}

ML_TEST(batch_norm_refuses_other_modes_and_empty_batches)
{
    NnCall f = norm("training"), empty = norm("train");

    nn_fails(&f, ML_EVALUE, "mode should be \"train\" or \"test\", found \"training\"");
    nn_end(&f);
    value_release(empty.in[0]);
    empty.in[0] = value_matrix(case_matrix(0, 6, ""));
    nn_fails(&empty, ML_ESHAPE, "mode \"train\" needs images");
    value_release(empty.in[2]);
    empty.in[2] = value_matrix(case_matrix(1, 3, "1 2 3"));
    nn_fails(&empty, ML_ESHAPE, "shift is 1x3, the number of channels asks for 3x1");
    nn_end(&empty);
}

/* ---- long short-term memory ---- */

typedef struct Size {
    int64_t n, t, d, m;
    bool all;
} Size;

static const Size sizes[] = {
    {1, 1, 1, 1, true}, {2, 3, 4, 5, true},     {2, 3, 4, 5, false},
    {7, 4, 3, 2, true}, {40, 3, 30, 20, false},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static NnCall lstm(const Size *s)
{
    NnCall c = {.op = OP_lstm, .kernel = ml_k_lstm, .nin = 6, .nout = 5};

    c.in[0] = value_matrix(case_random(s->n, s->t * s->d, 1, 1));
    c.in[1] = value_matrix(case_random(s->d + s->m, 4 * s->m, 1, 2));
    c.in[2] = value_matrix(case_random(1, 4 * s->m, 1, 3));
    c.in[3] = value_matrix(case_random(s->n, s->m, 1, 4));
    c.in[4] = value_matrix(case_random(s->n, s->m, 1, 5));
    c.in[5] = value_bool(s->all);
    return c;
}

static double gate(const NnCall *f, const Size *s, const double *h, int64_t i, int64_t t, int64_t k)
{
    const Matrix *w = f->in[1].m;
    double z = f->in[2].m->values[k];

    for (int64_t j = 0; j < s->d; j++)
        z += cell(f->in[0].m, i, t * s->d + j) * cell(w, j, k);
    for (int64_t j = 0; j < s->m; j++)
        z += h[j] * cell(w, s->d + j, k);
    return k < 3 * s->m ? 1 / (1 + exp(-z)) : tanh(z);
}

/* One sequence by the definition; states of all steps to out, the last cell to c. */
static void plain_lstm(const NnCall *f, const Size *s, int64_t i, double *out, double *c)
{
    double gates[4 * 20], h[20];

    for (int64_t j = 0; j < s->m; j++) {
        h[j] = cell(f->in[3].m, i, j);
        c[j] = cell(f->in[4].m, i, j);
    }
    for (int64_t t = 0; t < s->t; t++) {
        for (int64_t k = 0; k < 4 * s->m; k++)
            gates[k] = gate(f, s, h, i, t, k);
        for (int64_t j = 0; j < s->m; j++) {
            c[j] = gates[s->m + j] * c[j] + gates[j] * gates[3 * s->m + j];
            out[t * s->m + j] = h[j] = gates[2 * s->m + j] * tanh(c[j]);
        }
    }
}

ML_TEST(lstm_follows_its_definition)
{
    for (int k = 0; k < SIZES; k++) {
        const Size *s = &sizes[k];
        const int64_t first = s->all ? 0 : s->t - 1;
        double out[5 * 20], c[20];
        NnCall f = lstm(s);

        nn_run(&f);
        for (int64_t i = 0; i < s->n; i++) {
            plain_lstm(&f, s, i, out, c);
            for (int64_t j = 0; j < (s->t - first) * s->m; j++)
                assert_close(cell(f.out[0].m, i, j), out[first * s->m + j], 1e-11);
            for (int64_t j = 0; j < s->m; j++)
                assert_close(cell(f.out[1].m, i, j), c[j], 1e-11);
            for (int64_t j = 0; j < s->t * s->m; j++)
                assert_close(cell(f.out[2].m, j / s->m, i * s->m + j % s->m), out[j], 1e-11);
        }
        nn_end(&f);
    }
}

static NnCall lstm_backward(const NnCall *f, const Size *s, bool caches)
{
    NnCall c = {
        .op = OP_lstm_backward, .kernel = ml_k_lstm_backward, .nin = caches ? 11 : 8, .nout = 5};

    for (int k = 0; k < 6; k++)
        c.in[k] = value_retain(f->in[k]);
    c.in[6] = value_matrix(case_random(s->n, s->all ? s->t * s->m : s->m, 1, 6));
    c.in[7] = value_matrix(case_random(s->n, s->m, 1, 7));
    for (int k = 0; k < 3 && caches; k++)
        c.in[8 + k] = value_retain(f->out[2 + k]);
    return c;
}

static void check_lstm_gradients(const Size *s)
{
    NnCall f = lstm(s), b, again;
    Matrix *weights[NN_RESULTS] = {NULL};

    nn_run(&f);
    b = lstm_backward(&f, s, true);
    again = lstm_backward(&f, s, false);
    nn_drop(&f);
    nn_run(&b);
    nn_run(&again);
    weights[0] = b.in[6].m;
    weights[1] = b.in[7].m;
    for (int k = 0; k < 5; k++) {
        nn_check_gradient(&f, k, b.out[k].m, weights);
        assert_matrix_same(again.out[k].m, b.out[k].m);
    }
    nn_drop(&b);
    nn_check_threads(&b);
    nn_check_csr(&b);
    nn_check_threads(&f);
    nn_check_csr(&f);
    nn_end(&f);
    nn_end(&b);
    nn_end(&again);
}

ML_TEST(gradients_of_lstm_agree_with_differences)
{
    for (int k = 0; k < SIZES; k++)
        check_lstm_gradients(&sizes[k]);
}

ML_TEST(lstm_of_no_sequences_is_empty)
{
    const Size s = {0, 3, 2, 2, true};
    NnCall f = lstm(&s), b;

    nn_run(&f);
    assert_int_equal(f.out[0].m->rows, 0);
    assert_int_equal(f.out[0].m->cols, 6);
    b = lstm_backward(&f, &s, true);
    nn_run(&b);
    assert_cells(value_retain(b.out[2]), 1, 8, "0 0 0 0 0 0 0 0", 0);
    nn_end(&b);
    nn_end(&f);
}

ML_TEST(operands_of_lstm_that_do_not_fit_are_named)
{
    static const struct {
        int operand;
        int64_t rows, cols;
        const char *message;
    } cases[] = {
        {0, 2, 11, "X has 11 columns, expected a multiple of the 4 features"},
        {1, 9, 21, "W is 9x21, out0 is 2x5"},
        {1, 5, 20, "W is 5x20, out0 is 2x5"},
        {2, 20, 1, "b is 20x1, W asks for 1x20"},
        {3, 3, 5, "out0 is 3x5, X asks for 2x5"},
        {4, 2, 4, "c0 is 2x4, out0 asks for 2x5"},
    };

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        NnCall f = lstm(&sizes[1]);

        value_release(f.in[cases[k].operand]);
        f.in[cases[k].operand] = value_matrix(case_random(cases[k].rows, cases[k].cols, 1, 1));
        nn_fails(&f, ML_ESHAPE, cases[k].message);
        nn_end(&f);
    }
}

ML_TEST(lstm_backward_wants_all_caches_or_none)
{
    NnCall f = lstm(&sizes[1]), b;

    nn_run(&f);
    b = lstm_backward(&f, &sizes[1], true);
    value_release(b.in[9]);
    b.in[9] = value_none();
    nn_fails(&b, ML_EVALUE, "expected all of cache_out, cache_c, cache_ifog or none, found 2");
    nn_end(&b);
    nn_end(&f);
}
