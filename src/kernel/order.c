/* order: sorted rows, or where they were.  NaN is larger than every number; sorting is stable. */
#include "kernel/frame.h"
#include "kernel/sort.h"

typedef struct OrderJob {
    const SortItem *items;
    uint64_t flip;
    double *out;
    int64_t *rows;
} OrderJob;

static ml_status index_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const OrderJob *job = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        job->out[i] = (double)(job->items[i].index + 1);
    return ML_OK;
}

/* Cells of a column vector are in the keys: no need to look them up. */
static ml_status value_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const OrderJob *job = arg;

    (void)ctx;
    for (int64_t i = lo; i < hi; i++)
        job->out[i] = sort_value(job->items[i].key ^ job->flip);
    return ML_OK;
}

static ml_status sorted_rows(Ctx *ctx, const Matrix *m, const SortItem *items, Matrix **out)
{
    int64_t *rows = sort_positions(ctx, items, m->rows);
    const ml_status st = rows ? rows_gather(ctx, m, rows, m->rows, out) : ML_ENOMEM;

    sort_positions_free(ctx, rows, m->rows);
    return st;
}

static ml_status ordered(Ctx *ctx, const Matrix *m, const SortItem *items, bool decreasing,
                         bool index, Matrix **out)
{
    OrderJob job = {.items = items, .flip = decreasing ? UINT64_MAX : 0};
    ml_status st;

    if (!index && m->cols != 1)
        return sorted_rows(ctx, m, items, out);
    TRY(matrix_new_dense(ctx, m->rows, 1, out));
    job.out = (*out)->values;
    st = task_for(ctx, m->rows, task_grain(1), index ? index_task : value_task, &job);
    if (st != ML_OK)
        matrix_release(*out);
    return st;
}

/* The columns to sort by, from 0: one number or a vector of them.  *by is to be freed with
 * mem_free. */
static ml_status columns_to_sort_by(Ctx *ctx, const OpCall *call, int64_t cols, int64_t **by,
                                    int64_t *nby)
{
    const bool vector = call_has(call, 1) && call->in[1].dt == DT_MATRIX;
    double col = 1;

    *nby = vector ? matrix_cells(call->in[1].m) : 1;
    *by = mem_calloc((size_t)*nby + 1, sizeof **by);
    if (!*by)
        return fail_memory(ctx, (size_t)*nby * sizeof **by);
    for (int64_t k = 0; k < *nby; k++) {
        if (vector)
            col = matrix_get(call->in[1].m, k / call->in[1].m->cols, k % call->in[1].m->cols);
        else if (call_has(call, 1))
            TRY(call_double(ctx, call, 1, &col));
        (*by)[k] = double_to_int(col) - 1;
        if ((*by)[k] < 0 || (*by)[k] >= cols)
            return fail(ctx, ML_EVALUE,
                        "order: expected by among the columns 1 to %" PRId64 ", found %" PRId64,
                        cols, (*by)[k] + 1);
    }
    return ML_OK;
}

static ml_status order_matrix(Ctx *ctx, OpCall *call, bool decreasing, bool index)
{
    Matrix *m = NULL, *out = NULL;
    int64_t *by = NULL, nby = 0;
    SortItem *items = NULL;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY_TO(done, st = columns_to_sort_by(ctx, call, m->cols, &by, &nby));
    TRY_TO(done, st = sort_rows(ctx, m, by, nby, decreasing, &items));
    TRY_TO(done, st = ordered(ctx, m, items, decreasing, index, &out));
    st = result_matrix(ctx, call, 0, out, index ? m->rows : m->nnz);
done:
    sort_free(ctx, items, m->rows);
    mem_free(by);
    return st;
}

static ml_status order_frame(Ctx *ctx, OpCall *call, bool decreasing, bool index)
{
    const Frame *f = call->in[0].f;
    Frame *out = NULL;
    int64_t *by = NULL, nby = 0;
    ml_status st;

    if (index)
        return fail(ctx, ML_ETYPE, "order: index.return needs a matrix, found a frame");
    st = columns_to_sort_by(ctx, call, f->cols, &by, &nby);
    if (st == ML_OK)
        st = frame_order(ctx, f, by, nby, decreasing, &out);
    if (st == ML_OK)
        call->out[0] = value_frame(out);
    mem_free(by);
    return st;
}

ml_status ml_k_order(Ctx *ctx, OpCall *call)
{
    bool decreasing = false, index = false;

    if (call_has(call, 2))
        TRY(call_bool(ctx, call, 2, &decreasing));
    if (call_has(call, 3))
        TRY(call_bool(ctx, call, 3, &index));
    return call->in[0].dt == DT_FRAME ? order_frame(ctx, call, decreasing, index)
                                      : order_matrix(ctx, call, decreasing, index);
}
