/* frame_map: a lambda of every cell, row or column of a frame; columns as tasks.
 *
 * Results are texts in columns with the default names.  Null cells stay null, and the lambda does
 * not see them; in rows and columns, which it gets as arrays, they are null entries. */
#include "kernel/frame_lambda.h"

enum { ROWS_PER_ARENA = 1024 }; /* texts in the making are freed after so many calls */

typedef struct Mapping {
    const Frame *frame;
    const Lambda *lambda;
    FrameColumn **columns;
} Mapping;

/* One call; its result goes to the builder. */
static ml_status call_lambda(LambdaRun *run, TextColumnBuilder *b)
{
    const LambdaNode *root = run->lambda->root;
    char buf[NUM_BUFFER];
    LambdaValue v;
    Text t;

    TRY(lambda_eval(run, root, &v));
    t = lambda_text(root->type, &v, buf);
    return text_builder_add(b, t.s, t.size) ? ML_OK : fail_memory(run->ctx, t.size);
}

static ml_status fresh_arena(LambdaRun *run)
{
    arena_free(run->arena);
    run->arena = arena_new();
    return run->arena ? ML_OK : fail_memory(run->ctx, ROWS_PER_ARENA);
}

static ml_status at_row(Ctx *ctx, int64_t row, int64_t col, ml_status st)
{
    if (st != ML_EVALUE)
        return st;
    return fail(ctx, st, "%s (row %" PRId64 ", column %" PRId64 ")", ctx->err.text, row + 1,
                col + 1);
}

/* ---- cells ---- */

static ml_status map_cells(LambdaRun *run, const FrameColumn *c, int64_t col, TextColumnBuilder *b)
{
    char buf[NUM_BUFFER];

    for (int64_t i = 0; i < c->rows; i++) {
        if (i % ROWS_PER_ARENA == 0)
            TRY(fresh_arena(run));
        run->x.text.s = frame_cell_string(c, i, buf, &run->x.text.size);
        if (run->x.text.s)
            TRY(at_row(run->ctx, i, col, call_lambda(run, b)));
        else if (!text_builder_add(b, NULL, 0))
            return fail_memory(run->ctx, 1);
    }
    return ML_OK;
}

static ml_status map_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Mapping *m = arg;

    for (int64_t j = lo; j < hi; j++) {
        LambdaRun run = {.ctx = ctx, .lambda = m->lambda};
        TextColumnBuilder b = {0};
        ml_status st = map_cells(&run, m->frame->columns[j], j, &b);

        if (st == ML_OK)
            st = text_builder_finish(ctx, &b, FT_STRING, &m->columns[j]);
        text_builder_free(&b);
        arena_free(run.arena);
        if (st != ML_OK)
            return st;
    }
    return ML_OK;
}

static ml_status map_frame(Ctx *ctx, OpCall *call, const Frame *f, const Lambda *l)
{
    Mapping m = {.frame = f, .lambda = l};
    ml_status st;

    TRY(columns_new(ctx, f->cols, &m.columns));
    st = task_for(ctx, f->cols, 1, map_columns, &m);
    if (st == ML_OK)
        return result_frame(ctx, call, f->rows, f->cols, m.columns, NULL);
    columns_free(f->cols, m.columns);
    return st;
}

/* ---- rows and columns ---- */

/* A row (by_row) or a column of a frame as an array in the arena. */
static ml_status gather(LambdaRun *run, const Frame *f, bool by_row, int64_t at)
{
    const int64_t n = by_row ? f->cols : f->rows;
    Text *items = ARENA_ARRAY(run->arena, Text, n + 1);

    for (int64_t k = 0; items && k < n; k++) {
        char buf[NUM_BUFFER];
        Text t = {0};

        t.s = frame_cell_string(f->columns[by_row ? k : at], by_row ? at : k, buf, &t.size);
        if (t.s)
            t.s = arena_text(run->arena, t.s, t.size);
        if (!t.s && t.size)
            return fail_memory(run->ctx, t.size);
        items[k] = t;
    }
    run->x.list.items = items;
    run->x.list.count = n;
    return items ? ML_OK : fail_memory(run->ctx, (size_t)n * sizeof *items);
}

static ml_status map_row(LambdaRun *run, const Frame *f, int64_t row, TextColumnBuilder *b)
{
    TRY(fresh_arena(run));
    TRY(gather(run, f, true, row));
    return at_row(run->ctx, row, 0, call_lambda(run, b));
}

static ml_status map_rows(LambdaRun *run, OpCall *call, const Frame *f)
{
    FrameColumn **columns = NULL;
    TextColumnBuilder b = {0};
    ml_status st = columns_new(run->ctx, 1, &columns);

    for (int64_t i = 0; i < f->rows && st == ML_OK; i++)
        st = map_row(run, f, i, &b);
    if (st == ML_OK)
        st = text_builder_finish(run->ctx, &b, FT_STRING, &columns[0]);
    text_builder_free(&b);
    if (st == ML_OK)
        return result_frame(run->ctx, call, f->rows, 1, columns, NULL);
    columns_free(columns ? 1 : 0, columns);
    return st;
}

static ml_status map_column(LambdaRun *run, const Frame *f, int64_t col, FrameColumn **out)
{
    TextColumnBuilder b = {0};
    ml_status st = fresh_arena(run);

    if (st == ML_OK)
        st = gather(run, f, false, col);
    if (st == ML_OK)
        st = at_row(run->ctx, 0, col, call_lambda(run, &b));
    if (st == ML_OK)
        st = text_builder_finish(run->ctx, &b, FT_STRING, out);
    text_builder_free(&b);
    return st;
}

static ml_status map_whole_columns(LambdaRun *run, OpCall *call, const Frame *f)
{
    FrameColumn **columns = NULL;
    ml_status st = columns_new(run->ctx, f->cols, &columns);

    for (int64_t j = 0; j < f->cols && st == ML_OK; j++)
        st = map_column(run, f, j, &columns[j]);
    if (st == ML_OK)
        return result_frame(run->ctx, call, 1, f->cols, columns, NULL);
    columns_free(columns ? f->cols : 0, columns);
    return st;
}

static ml_status apply(Ctx *ctx, OpCall *call, const Frame *f, const Lambda *l, int64_t margin)
{
    LambdaRun run = {.ctx = ctx, .lambda = l};
    ml_status st;

    if (l->root->type == L_LIST)
        return lambda_fail(ctx, l, l->root->at, "expected a result that is no array");
    if (margin == 0)
        return l->pairs ? map_pairs(ctx, call, f, l) : map_frame(ctx, call, f, l);
    st = margin == 1 ? map_rows(&run, call, f) : map_whole_columns(&run, call, f);
    arena_free(run.arena);
    return st;
}

ml_status ml_k_map(Ctx *ctx, OpCall *call)
{
    const char *source;
    int64_t margin;
    Lambda l = {0};
    Frame *f;
    ml_status st;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(call_text(ctx, call, 1, &source));
    TRY(call_int(ctx, call, 2, &margin));
    if (margin < 0 || margin > 2)
        return fail(ctx, ML_EVALUE,
                    "map: margin should be 0 (cells), 1 (rows) or 2 (columns), found %" PRId64,
                    margin);
    st = lambda_compile(ctx, source, margin ? L_LIST : L_STRING, &l);
    if (st == ML_OK)
        st = apply(ctx, call, f, &l, margin);
    lambda_free(&l);
    return st;
}
