/* frame_map_pairs: map(F, "(x, y) -> expression"), the lambda of every pair of cells of a column.
 *
 * As in the reference the result is triangular: rows i < j have the value in cell [i, j], all other
 * cells are 0.0.  A pair with a null cell is null.  Columns of the result are tasks. */
#include "kernel/frame_lambda.h"

enum { CALLS_PER_ARENA = 1024 }; /* texts in the making are freed after so many calls */

/* ---- the similarity of sets of characters ---- */

static bool has_character(Text t, uint32_t c, const char *before)
{
    const char *end = before ? before : t.s + t.size;
    int size;

    for (const char *p = t.s; p < end; p += size)
        if (text_decode(p, end, &size) == c)
            return true;
    return false;
}

/* The different characters of a, and how many of them b has. */
static void count_characters(Text a, Text b, int64_t *all, int64_t *common)
{
    int size;

    *all = *common = 0;
    for (const char *p = a.s; p < a.s + a.size; p += size) {
        const uint32_t c = text_decode(p, a.s + a.size, &size);

        if (has_character(a, c, p))
            continue;
        ++*all;
        *common += has_character(b, c, NULL);
    }
}

ml_status lambda_jaccard(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                         LambdaValue *out)
{
    int64_t first, second, common;

    (void)run;
    (void)node;
    count_characters(args[1].text, args[0].text, &second, &common);
    count_characters(args[0].text, args[1].text, &first, &common);
    out->d = first + second > 0 ? (double)common / (double)(first + second - common) : 0;
    return ML_OK;
}

/* ---- pairs ---- */

typedef struct Pairs {
    const FrameColumn *cells;
    const Lambda *lambda;
    FrameColumn **columns;
} Pairs;

static Text text_of(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER])
{
    Text t = {0};

    t.s = frame_cell_string(c, row, buf, &t.size);
    return t;
}

static ml_status add_pair(LambdaRun *run, TextColumnBuilder *b)
{
    const LambdaNode *root = run->lambda->root;
    char buf[NUM_BUFFER];
    LambdaValue v;
    Text t = {0};

    if (run->x.text.s && run->y.text.s) {
        TRY(lambda_eval(run, root, &v));
        t = lambda_text(root->type, &v, buf);
    }
    return text_builder_add(b, t.s, t.size) ? ML_OK : fail_memory(run->ctx, t.size);
}

/* Column j of the result. */
static ml_status pair_column(LambdaRun *run, const Pairs *p, int64_t j, TextColumnBuilder *b)
{
    char x[NUM_BUFFER], y[NUM_BUFFER];
    ml_status st = ML_OK;

    run->y.text = text_of(p->cells, j, y);
    for (int64_t i = 0; i < p->cells->rows && st == ML_OK; i++) {
        if (i % CALLS_PER_ARENA == 0) {
            arena_free(run->arena);
            run->arena = arena_new();
            if (!run->arena)
                return fail_memory(run->ctx, CALLS_PER_ARENA);
        }
        run->x.text = text_of(p->cells, i, x);
        if (i < j)
            st = add_pair(run, b);
        else if (!text_builder_add(b, "0.0", 3))
            st = fail_memory(run->ctx, 3);
    }
    return st;
}

static ml_status pair_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Pairs *p = arg;

    for (int64_t j = lo; j < hi; j++) {
        LambdaRun run = {.ctx = ctx, .lambda = p->lambda};
        TextColumnBuilder b = {0};
        ml_status st = pair_column(&run, p, j, &b);

        if (st == ML_OK)
            st = text_builder_finish(ctx, &b, FT_STRING, &p->columns[j]);
        text_builder_free(&b);
        arena_free(run.arena);
        if (st != ML_OK)
            return st;
    }
    return ML_OK;
}

ml_status map_pairs(Ctx *ctx, OpCall *call, const Frame *f, const Lambda *l)
{
    Pairs p = {.lambda = l};
    ml_status st;

    if (f->cols == 0)
        return fail(ctx, ML_ESHAPE, "map: expected a column whose pairs of cells to take");
    p.cells = f->columns[0];
    TRY(columns_new(ctx, f->rows, &p.columns));
    st = task_for(ctx, f->rows, 1, pair_columns, &p);
    if (st == ML_OK)
        return result_frame(ctx, call, f->rows, f->rows, p.columns, NULL);
    columns_free(f->rows, p.columns);
    return st;
}
