/* matrix and seq.
 *
 * matrix fills, parses or reshapes.  Reshaping row by row keeps the order of the cells, so it costs
 * a copy, or nothing when the operand dies; column by column every cell moves. */
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

enum { TILE = 8192 };

/* ---- matrix(string) ---- */

/* The blank-separated number at *s; false when there is none before `end`. */
static bool next_number(const char **s, const char *end, double *out)
{
    const char *at = *s, *stop;
    const bool minus = at < end && *at == '-', sign = minus || (at < end && *at == '+');

    stop = num_parse_double(at, end, out);
    if (!stop && end - at >= sign + 3 && memcmp(at + sign, "Inf", 3) == 0) {
        *out = minus ? -INFINITY : INFINITY;
        stop = at + sign + 3;
    }
    *s = stop ? stop : at;
    return stop && (stop == end || strchr(" \t\r\n", *stop));
}

static const char *skip_blanks(const char *s, const char *end)
{
    while (s < end && strchr(" \t\r\n", *s))
        s++;
    return s;
}

static ml_status not_a_number(Ctx *ctx, const char *s, const char *end)
{
    const size_t word = strcspn(s, " \t\r\n"), rest = (size_t)(end - s);
    const size_t n = word < rest ? word : rest;

    return fail(ctx, ML_EVALUE, "matrix: '%.*s' in the string is not a number",
                (int)(n < 40 ? n : 40), s);
}

static ml_status parse_cells(Ctx *ctx, const String *text, int64_t rows, int64_t cols, double *out)
{
    const char *end = text->text + text->size, *s = skip_blanks(text->text, end);
    const int64_t cells = rows * cols;
    int64_t n = 0;
    double value;

    for (; s < end; s = skip_blanks(s, end), n++) {
        const char *word = s;

        if (!next_number(&s, end, &value))
            return not_a_number(ctx, word, end);
        if (n < cells)
            out[n] = value;
    }
    if (n == cells)
        return ML_OK;
    return fail(ctx, ML_ESHAPE,
                "Invalid matrix string intialization: dimensions=[%" PRId64 "x%" PRId64
                "] vs numValues=%" PRId64,
                rows, cols, n);
}

static ml_status from_text(Ctx *ctx, OpCall *call, int64_t rows, int64_t cols)
{
    Matrix *out = NULL;
    ml_status st;

    TRY(matrix_new_dense(ctx, rows, cols, &out));
    st = parse_cells(ctx, call->in[0].s, rows, cols, out->values);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, -1);
}

/* ---- matrix(matrix) ---- */

typedef struct ReshapeJob {
    const Matrix *in;
    Matrix *out;
} ReshapeJob;

static ml_status copy_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ReshapeJob *job = arg;
    const int64_t all = matrix_cells(job->in), begin = lo * TILE;
    const int64_t end = hi * TILE < all ? hi * TILE : all;

    (void)ctx;
    matrix_move(job->in, begin, job->out, begin, end - begin);
    return ML_OK;
}

/* Row i of the result: its cells are `rows` apart in the column by column order of the operand. */
static ml_status by_column_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ReshapeJob *job = arg;
    const Matrix *in = job->in;
    Matrix *out = job->out;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++) {
        int64_t row = i % in->rows, col = i / in->rows;

        for (int64_t j = 0; j < out->cols; j++) {
            matrix_put(out, i * out->cols + j, matrix_cell(in, row * in->cols + col));
            row += out->rows % in->rows;
            col += out->rows / in->rows + (row >= in->rows);
            row -= row >= in->rows ? in->rows : 0;
        }
    }
    return ML_OK;
}

/* The entries keep their order; only rows and columns are counted anew. */
static void reshape_csr(const Matrix *in, Matrix *out)
{
    const int64_t n = in->row_ptr[in->rows];
    int64_t k = 0, row = 0;

    matrix_move(in, 0, out, 0, n);
    for (int64_t i = 0; i < in->rows; i++)
        for (; k < in->row_ptr[i + 1]; k++) {
            const int64_t at = i * in->cols + in->col_idx[k];

            for (; (row + 1) * out->cols <= at; row++)
                out->row_ptr[row + 1] = k;
            out->col_idx[k] = (uint32_t)(at - row * out->cols);
        }
    for (; row < out->rows; row++)
        out->row_ptr[row + 1] = n;
}

static ml_status reshape_dense(Ctx *ctx, OpCall *call, Matrix *in, int64_t rows, int64_t cols,
                               bool byrow)
{
    ReshapeJob job = {.in = in};
    ml_status st;

    if (byrow && call_reusable(call, 0)) { /* ours alone: only the header changes */
        in->rows = rows;
        in->cols = cols;
        return result_matrix(ctx, call, 0, matrix_retain(in), in->nnz);
    }
    TRY(matrix_like(ctx, in, rows, cols, &job.out));
    st = byrow ? task_for(ctx, (matrix_cells(in) + TILE - 1) / TILE, task_grain(TILE), copy_tiles,
                          &job)
               : task_for(ctx, cols > 0 ? rows : 0, task_grain(cols), by_column_rows, &job);
    if (st != ML_OK) {
        matrix_release(job.out);
        return st;
    }
    return result_matrix(ctx, call, 0, job.out, in->nnz);
}

static ml_status reshape(Ctx *ctx, OpCall *call, int64_t rows, int64_t cols, bool byrow)
{
    Matrix *in = call->in[0].m, *out = NULL;
    ml_status st;

    if (in->format == MATRIX_CONSTANT) {
        TRY(matrix_new_constant(ctx, rows, cols, in->constant, &out));
        return result_matrix(ctx, call, 0, out, -1);
    }
    if (in->format == MATRIX_CSR && byrow && cols <= UINT32_MAX) {
        TRY(matrix_new_csr_of(ctx, matrix_type(in), rows, cols, in->row_ptr[in->rows], &out));
        reshape_csr(in, out);
        return result_matrix(ctx, call, 0, out, in->nnz);
    }
    if (in->format == MATRIX_DENSE)
        return reshape_dense(ctx, call, in, rows, cols, byrow);
    TRY(matrix_dense(ctx, in, &out));
    st = reshape_dense(ctx, &(OpCall){.op = call->op, .nout = 1, .out = call->out}, out, rows, cols,
                       byrow);
    matrix_release(out);
    return st;
}

static ml_status from_matrix(Ctx *ctx, OpCall *call, int64_t rows, int64_t cols, bool byrow)
{
    const Matrix *in = call->in[0].m;
    int64_t cells;

    if (!mul_int64(rows, cols, &cells) || cells != matrix_cells(in))
        return fail(
            ctx, ML_ESHAPE,
            "Reshape matrix requires consistent numbers of input/output cells: %s is %" PRId64
            "x%" PRId64 ", wanted is %" PRId64 "x%" PRId64,
            call_name(call, 0), in->rows, in->cols, rows, cols);
    return reshape(ctx, call, rows, cols, byrow);
}

ml_status ml_k_matrix(Ctx *ctx, OpCall *call)
{
    Matrix *out = NULL;
    int64_t rows, cols;
    bool byrow = true;
    double value;

    TRY(call_int(ctx, call, 1, &rows));
    TRY(call_int(ctx, call, 2, &cols));
    if (call_has(call, 3))
        TRY(call_bool(ctx, call, 3, &byrow));
    if (rows < 0 || cols < 0)
        return fail(ctx, ML_EVALUE,
                    "matrix: %" PRId64 " rows and %" PRId64 " columns are not possible", rows,
                    cols);
    if (call->in[0].dt == DT_MATRIX)
        return from_matrix(ctx, call, rows, cols, byrow);
    if (call->in[0].dt == DT_SCALAR && call->in[0].vt == VT_STRING)
        return from_text(ctx, call, rows, cols);
    TRY(call_double(ctx, call, 0, &value));
    TRY(matrix_new_constant(ctx, rows, cols, value, &out));
    return result_matrix(ctx, call, 0, out, -1);
}

/* ---- seq ---- */

typedef struct SeqJob {
    double from, incr, *out;
    int64_t n;
} SeqJob;

/* Integers: every multiple is exact. */
static ml_status seq_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const SeqJob *job = arg;
    const int64_t end = hi * TILE < job->n ? hi * TILE : job->n;

    (void)ctx;
    for (int64_t i = lo * TILE; i < end; i++)
        job->out[i] = job->from + (double)i * job->incr;
    return ML_OK;
}

/* Fractions are added up one by one, as the language has it; their rounding errors show. */
static void seq_added(const SeqJob *job)
{
    double value = job->from;

    for (int64_t i = 0; i < job->n; i++, value += job->incr)
        job->out[i] = value;
}

static ml_status seq_count(Ctx *ctx, const SeqJob *job, double to, int64_t *n)
{
    const double from = job->from, incr = job->incr;

    if (!isfinite(from) || !isfinite(to) || !isfinite(incr) || incr == 0)
        return fail(ctx, ML_EVALUE, "Invalid seq parameters: from %s to %s by %s", NUM_SHOW(from),
                    NUM_SHOW(to), NUM_SHOW(incr));
    *n = seq_length(from, to, incr);
    if (*n < 0)
        return fail(ctx, ML_EVALUE, "seq: from %s to %s by %s has too many values", NUM_SHOW(from),
                    NUM_SHOW(to), NUM_SHOW(incr));
    if (*n == 0 && to + incr != from)
        return fail(ctx, ML_EVALUE,
                    "Wrong sign for the increment in a call to seq(): from %s to %s "
                    "by %s",
                    NUM_SHOW(from), NUM_SHOW(to), NUM_SHOW(incr));
    return ML_OK;
}

ml_status ml_k_seq(Ctx *ctx, OpCall *call)
{
    SeqJob job = {0};
    Matrix *out = NULL;
    double to;
    ml_status st = ML_OK;

    TRY(call_double(ctx, call, 0, &job.from));
    TRY(call_double(ctx, call, 1, &to));
    job.incr = job.from > to ? -1 : 1;
    if (call_has(call, 2))
        TRY(call_double(ctx, call, 2, &job.incr));
    TRY(seq_count(ctx, &job, to, &job.n));
    TRY(matrix_new_dense(ctx, job.n, 1, &out));
    job.out = out->values;
    if (job.from == floor(job.from) && job.incr == floor(job.incr) && fabs(to) < 0x1p53 &&
        fabs(job.from) < 0x1p53)
        st = task_for(ctx, (job.n + TILE - 1) / TILE, task_grain(TILE), seq_tiles, &job);
    else
        seq_added(&job);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, -1);
}
