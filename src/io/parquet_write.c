/* Writing Parquet through DuckDB, which takes the rows as a stream of Arrow batches.
 *
 * The batches point into the columns where these lie as Arrow wants them, so beside the frame only
 * one batch a thread is held. A matrix is written as columns C1, C2 ... of doubles.
 */
#include <errno.h>

#include "io/parquet.h"

typedef struct RowSource {
    Ctx *ctx;
    const Frame *f;
    const Matrix *m; /* or this */
    Arena *arena;    /* of schemas */
    int64_t rows, cols, next;
} RowSource;

/* ---- the schema ---- */

static const char *arrow_format(FrameType type)
{
    switch (type) {
    case FT_FP64:
        return "g";
    case FT_FP32:
        return "f";
    case FT_INT64:
        return "l";
    case FT_INT32:
        return "i";
    case FT_BOOLEAN:
        return "b";
    case FT_UINT8:
    case FT_UINT4:
        return "C";
    default:
        return "u";
    }
}

/* DuckDB does not release all schemas that it takes, so they live as long as the source. */
static void release_schema(ArrowSchema *s)
{
    s->release = NULL;
}

static bool fill_child_schema(const RowSource *s, int64_t k, ArrowSchema *out)
{
    char plain[NUM_BUFFER + 1] = "C";
    size_t size = 1;
    const char *name = s->f ? frame_name(s->f, k, plain, &size) : plain;

    if (!s->f)
        size += num_print_int64(plain + 1, k + 1);
    *out = (ArrowSchema){.format = s->f ? arrow_format(s->f->columns[k]->type) : "g",
                         .name = arena_text(s->arena, name, size),
                         .flags = ARROW_NULLABLE,
                         .release = release_schema};
    return out->name != NULL;
}

static int get_schema(ArrowStream *stream, ArrowSchema *out)
{
    const RowSource *s = stream->private;
    ArrowSchema *nodes = ARENA_ARRAY(s->arena, ArrowSchema, s->cols);
    ArrowSchema **children = ARENA_ARRAY(s->arena, ArrowSchema *, s->cols);
    bool sound = nodes && children;

    for (int64_t k = 0; sound && k < s->cols; k++) {
        sound = fill_child_schema(s, k, &nodes[k]);
        children[k] = &nodes[k];
    }
    if (!sound)
        return ENOMEM;
    *out = (ArrowSchema){.format = "+s",
                         .name = "",
                         .count = s->cols,
                         .children = children,
                         .release = release_schema};
    return 0;
}

/* ---- batches ---- */

typedef struct Batch {
    Arena *arena;
    ArrowColumn *columns;
    int64_t cols;
} Batch;

static void release_child(ArrowArray *a)
{
    a->release = NULL;
}

static void free_batch(Batch *b)
{
    for (int64_t k = 0; b->columns && k < b->cols; k++)
        arrow_column_free(&b->columns[k]);
    arena_free(b->arena);
}

static void release_batch(ArrowArray *a)
{
    free_batch(a->private);
    a->release = NULL;
}

static ml_status cut_batch(RowSource *s, Batch *b, int64_t lo, int64_t hi, ArrowArray *children,
                           ArrowArray **pointers)
{
    for (int64_t k = 0; k < s->cols; k++) {
        ArrowColumn *c = &b->columns[k];

        TRY(s->f ? arrow_column(s->ctx, s->f->columns[k], lo, hi, c)
                 : arrow_cells(s->ctx, s->m, k, lo, hi, c));
        children[k] = (ArrowArray){.length = c->rows,
                                   .nulls = c->nulls,
                                   .buffer_count = c->count,
                                   .buffers = c->data,
                                   .release = release_child};
        pointers[k] = &children[k];
    }
    return ML_OK;
}

static ml_status make_batch(RowSource *s, int64_t lo, int64_t hi, ArrowArray *out)
{
    static const void *no_validity[1];
    Arena *arena = arena_new();
    Batch *b = arena ? ARENA_NEW(arena, Batch) : NULL;
    ArrowArray *children = arena ? ARENA_ARRAY(arena, ArrowArray, s->cols) : NULL;
    ArrowArray **pointers = arena ? ARENA_ARRAY(arena, ArrowArray *, s->cols) : NULL;
    ml_status st;

    if (b)
        *b = (Batch){
            .arena = arena, .columns = ARENA_ARRAY(arena, ArrowColumn, s->cols), .cols = s->cols};
    if (!b || !b->columns || !children || !pointers) {
        if (arena)
            arena_free(arena);
        return fail_memory(s->ctx, sizeof(ArrowArray) * (size_t)s->cols);
    }
    st = cut_batch(s, b, lo, hi, children, pointers);
    if (st != ML_OK) {
        free_batch(b);
        return st;
    }
    *out = (ArrowArray){.length = hi - lo,
                        .buffer_count = 1,
                        .buffers = no_validity,
                        .count = s->cols,
                        .children = pointers,
                        .release = release_batch,
                        .private = b};
    return ML_OK;
}

static int get_next(ArrowStream *stream, ArrowArray *out)
{
    RowSource *s = stream->private;
    const int64_t lo = s->next,
                  hi = s->rows - lo < ARROW_BATCH_ROWS ? s->rows : lo + ARROW_BATCH_ROWS;

    *out = (ArrowArray){0};
    if (lo >= s->rows)
        return 0;
    s->next = hi;
    return make_batch(s, lo, hi, out) == ML_OK ? 0 : EIO;
}

static const char *get_last_error(ArrowStream *stream)
{
    const RowSource *s = stream->private;

    return s->ctx->err.text;
}

static void release_stream(ArrowStream *stream)
{
    stream->release = NULL;
}

/* ---- writing ---- */

static ml_status copy_to(Ctx *ctx, const DuckSession *s, const char *path)
{
    Buffer sql = {0};
    DuckResult result;
    ml_status st;

    buffer_text(&sql, "COPY (SELECT * FROM matloom_rows) TO ");
    duck_quote(&sql, '\'', path);
    buffer_text(&sql, " (FORMAT parquet)");
    st = sql.failed ? fail_memory(ctx, sql.capacity) : duck_query(ctx, s, sql.data, &result);
    buffer_free(&sql);
    if (st == ML_OK)
        s->d->destroy_result(&result);
    return st;
}

static ml_status write_source(Ctx *ctx, const Spec *spec, RowSource *source, const Output *o)
{
    ArrowStream stream = {.get_schema = get_schema,
                          .get_next = get_next,
                          .get_last_error = get_last_error,
                          .release = release_stream,
                          .private = source};
    DuckSession s = {0};
    ml_status st = ML_OK;

    source->arena = arena_new();
    if (!source->arena)
        return fail_memory(ctx, sizeof *source);
    st = duck_open(ctx, spec->path, task_threads(ctx), &s);
    if (st == ML_OK && s.d->arrow_scan(s.connection, "matloom_rows", &stream) != 0)
        st = fail(ctx, ML_EIO, "%s: DuckDB does not take the frame", spec->path);
    if (st == ML_OK)
        st = copy_to(ctx, &s, o->temp);
    duck_close(&s);
    arena_free(source->arena);
    return st;
}

ml_status parquet_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    RowSource s = {.ctx = ctx, .f = f, .rows = f->rows, .cols = f->cols};

    return write_source(ctx, spec, &s, o);
}

ml_status parquet_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    RowSource s = {.ctx = ctx, .m = m, .rows = m->rows, .cols = m->cols};

    return write_source(ctx, spec, &s, o);
}
