/* Writing Arrow IPC, files and streams.
 *
 * A batch of rows at a time: its columns are cut by tasks, mostly without copying, then the message
 * that describes their buffers and the buffers go out, each at a multiple of 64 bytes, as mapped
 * files want them. The footer of a file repeats the schema and lists the batches. A matrix is
 * written as columns C1, C2 ... of doubles.
 */
#include "io/ipc.h"

enum { ALIGN = 64 };

typedef struct Block { /* of the footer */
    int64_t at, body;
    int32_t head;
} Block;

typedef struct Writer {
    Output *o;
    const Frame *f;
    const Matrix *m; /* or this */
    int64_t rows, cols, lo, hi;
    ArrowColumn *columns; /* of the batch */
    VEC(Block) blocks;
    bool stream;
} Writer;

/* ---- the schema ---- */

static FrameType type_of(const Writer *w, int64_t k)
{
    return w->f ? w->f->columns[k]->type : FT_FP64;
}

/* The table of a type; returns its kind. */
static int put_type(Buffer *b, FrameType type, size_t *at)
{
    const int bits = 8 * (int)frame_type_size(type);
    size_t where[2];

    if (frame_type_is_text(type)) {
        *at = flat_put_table(b, NULL, 0, where);
        return TYPE_UTF8;
    }
    if (type == FT_BOOLEAN) {
        *at = flat_put_table(b, NULL, 0, where);
        return TYPE_BOOL;
    }
    if (frame_type_is_float(type)) {
        *at = flat_put_table(b, (FlatField[]){{2, type == FT_FP64 ? 2 : 1}}, 1, where);
        return TYPE_FLOAT;
    }
    *at = flat_put_table(b, (FlatField[]){{4, bits}, {1, bits > 8}}, 2, where);
    return TYPE_INT;
}

static size_t put_column(Buffer *b, const Writer *w, int64_t k)
{
    FlatField fields[COLUMN_FIELDS] = {[COLUMN_NAME] = {4, 0},
                                       [COLUMN_NULLABLE] = {1, 1},
                                       [COLUMN_TYPE_KIND] = {1, 0},
                                       [COLUMN_TYPE] = {4, 0},
                                       [COLUMN_CHILDREN] = {4, 0}};
    size_t where[COLUMN_FIELDS], size = 0, table, type;
    char plain[NUM_BUFFER + 1] = "C";
    const char *name = plain;
    int kind;

    if (w->f)
        name = frame_name(w->f, k, plain, &size);
    else
        size = 1 + num_print_int64(plain + 1, k + 1);
    table = flat_put_table(b, fields, COLUMN_FIELDS, where);
    flat_lead(b, where[COLUMN_NAME], flat_put_text(b, name, size));
    flat_lead(b, where[COLUMN_CHILDREN], flat_put_vector(b, 0, false));
    kind = put_type(b, type_of(w, k), &type);
    if (!b->failed)
        b->data[where[COLUMN_TYPE_KIND]] = (char)kind;
    flat_lead(b, where[COLUMN_TYPE], type);
    return table;
}

static size_t put_schema(Buffer *b, const Writer *w)
{
    const FlatField fields[SCHEMA_FIELDS] = {
        [SCHEMA_BIG_ENDIAN] = {2, 0}, [SCHEMA_COLUMNS] = {4, 0}};
    size_t where[SCHEMA_FIELDS];
    const size_t table = flat_put_table(b, fields, SCHEMA_FIELDS, where);
    const size_t vector = flat_put_vector(b, w->cols, false);

    flat_lead(b, where[SCHEMA_COLUMNS], vector);
    for (int64_t k = 0; k < w->cols; k++)
        flat_put_int(b, 0, 4);
    for (int64_t k = 0; k < w->cols; k++)
        flat_lead(b, vector + 4 + 4 * (size_t)k, put_column(b, w, k));
    return table;
}

/* ---- messages ---- */

/* Begin a message; the position where the offset to its header goes is returned. */
static size_t put_message(Buffer *b, int kind, int64_t body)
{
    const FlatField fields[MESSAGE_FIELDS] = {[MESSAGE_VERSION] = {2, IPC_VERSION},
                                              [MESSAGE_KIND] = {1, kind},
                                              [MESSAGE_HEADER] = {4, 0},
                                              [MESSAGE_BODY] = {8, body}};
    size_t where[MESSAGE_FIELDS];

    flat_put_int(b, 0, 4);
    flat_lead(b, 0, flat_put_table(b, fields, MESSAGE_FIELDS, where));
    return where[MESSAGE_HEADER];
}

/* Write what b holds as the head of a message; *size takes what it occupies. */
static ml_status write_head(Ctx *ctx, Output *o, Buffer *b, int32_t *size)
{
    Buffer mark = {0};
    ml_status st;

    flat_align(b, 8);
    while ((b->size + 8 + (size_t)o->size) % ALIGN != 0 && !b->failed)
        flat_put_int(b, 0, 8); /* so that the body is aligned in the file */
    flat_put_int(&mark, -1, 4);
    flat_put_int(&mark, (int64_t)b->size, 4);
    *size = (int32_t)b->size + 8;
    st = b->failed || mark.failed ? fail_memory(ctx, b->capacity)
                                  : output_append(ctx, o, mark.data, mark.size);
    if (st == ML_OK)
        st = output_append(ctx, o, b->data, b->size);
    buffer_free(&mark);
    return st;
}

static ml_status write_schema(Ctx *ctx, Writer *w)
{
    Buffer b = {0};
    const size_t header = put_message(&b, KIND_SCHEMA, 0);
    int32_t size;
    ml_status st;

    flat_lead(&b, header, put_schema(&b, w));
    st = write_head(ctx, w->o, &b, &size);
    buffer_free(&b);
    return st;
}

static size_t padded(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static int64_t body_size(const Writer *w)
{
    size_t size = 0;

    for (int64_t k = 0; k < w->cols; k++)
        for (int i = 0; i < w->columns[k].count; i++)
            size += padded(w->columns[k].size[i]);
    return (int64_t)size;
}

static void put_buffers(Buffer *b, const Writer *w)
{
    size_t at = 0;

    for (int64_t k = 0; k < w->cols; k++)
        for (int i = 0; i < w->columns[k].count; i++) {
            flat_put_int(b, (int64_t)at, 8);
            flat_put_int(b, (int64_t)w->columns[k].size[i], 8);
            at += padded(w->columns[k].size[i]);
        }
}

static void put_records(Buffer *b, const Writer *w, size_t header)
{
    const FlatField fields[RECORDS_FIELDS] = {[RECORDS_LENGTH] = {8, w->hi - w->lo},
                                              [RECORDS_NODES] = {4, 0},
                                              [RECORDS_BUFFERS] = {4, 0}};
    size_t where[RECORDS_FIELDS];
    int64_t buffers = 0;

    flat_lead(b, header, flat_put_table(b, fields, RECORDS_FIELDS, where));
    flat_lead(b, where[RECORDS_NODES], flat_put_vector(b, w->cols, true));
    for (int64_t k = 0; k < w->cols; k++) {
        flat_put_int(b, w->columns[k].rows, 8);
        flat_put_int(b, w->columns[k].nulls, 8);
        buffers += w->columns[k].count;
    }
    flat_lead(b, where[RECORDS_BUFFERS], flat_put_vector(b, buffers, true));
    put_buffers(b, w);
}

static ml_status write_body(Ctx *ctx, const Writer *w)
{
    static const char zeros[ALIGN];

    for (int64_t k = 0; k < w->cols; k++)
        for (int i = 0; i < w->columns[k].count; i++) {
            const size_t n = w->columns[k].size[i];

            TRY(output_append(ctx, w->o, w->columns[k].data[i], n));
            TRY(output_append(ctx, w->o, zeros, padded(n) - n));
        }
    return ML_OK;
}

static ml_status write_records(Ctx *ctx, Writer *w)
{
    Block block = {.at = w->o->size, .body = body_size(w)};
    Buffer b = {0};
    const size_t header = put_message(&b, KIND_RECORDS, block.body);
    ml_status st;

    put_records(&b, w, header);
    st = write_head(ctx, w->o, &b, &block.head);
    buffer_free(&b);
    TRY(st);
    TRY(write_body(ctx, w));
    return VEC_PUSH(&w->blocks, block) ? ML_OK : fail_memory(ctx, sizeof block);
}

/* ---- batches ---- */

static ml_status cut_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Writer *w = arg;

    for (int64_t k = lo; k < hi; k++)
        TRY(w->f ? arrow_column(ctx, w->f->columns[k], w->lo, w->hi, &w->columns[k])
                 : arrow_cells(ctx, w->m, k, w->lo, w->hi, &w->columns[k]));
    return ML_OK;
}

static ml_status write_batches(Ctx *ctx, Writer *w)
{
    ml_status st = ML_OK;

    for (w->lo = 0; w->lo < w->rows && st == ML_OK; w->lo = w->hi) {
        w->hi = w->rows - w->lo < ARROW_BATCH_ROWS ? w->rows : w->lo + ARROW_BATCH_ROWS;
        st = task_for(ctx, w->cols, 1, cut_columns, w);
        if (st == ML_OK)
            st = write_records(ctx, w);
        for (int64_t k = 0; k < w->cols; k++)
            arrow_column_free(&w->columns[k]);
    }
    return st;
}

/* ---- ends ---- */

static void put_footer(Buffer *b, const Writer *w)
{
    const FlatField fields[FOOTER_FIELDS] = {[FOOTER_VERSION] = {2, IPC_VERSION},
                                             [FOOTER_SCHEMA] = {4, 0},
                                             [FOOTER_DICTIONARIES] = {4, 0},
                                             [FOOTER_RECORDS] = {4, 0}};
    size_t where[FOOTER_FIELDS];

    flat_put_int(b, 0, 4);
    flat_lead(b, 0, flat_put_table(b, fields, FOOTER_FIELDS, where));
    flat_lead(b, where[FOOTER_SCHEMA], put_schema(b, w));
    flat_lead(b, where[FOOTER_DICTIONARIES], flat_put_vector(b, 0, false));
    flat_lead(b, where[FOOTER_RECORDS], flat_put_vector(b, w->blocks.count, true));
    for (int i = 0; i < w->blocks.count; i++) {
        flat_put_int(b, w->blocks.items[i].at, 8);
        flat_put_int(b, w->blocks.items[i].head, 8);
        flat_put_int(b, w->blocks.items[i].body, 8);
    }
}

static ml_status write_end(Ctx *ctx, Writer *w)
{
    Buffer b = {0};
    ml_status st;

    flat_put_int(&b, -1, 4);
    flat_put_int(&b, 0, 4);
    if (!w->stream) {
        Buffer footer = {0};

        put_footer(&footer, w);
        if (footer.data)
            buffer_put(&b, footer.data, footer.size);
        flat_put_int(&b, (int64_t)footer.size, 4);
        buffer_text(&b, "ARROW1");
        b.failed |= footer.failed;
        buffer_free(&footer);
    }
    st = b.failed ? fail_memory(ctx, b.capacity) : output_append(ctx, w->o, b.data, b.size);
    buffer_free(&b);
    return st;
}

static ml_status write_all(Ctx *ctx, Writer *w)
{
    ml_status st = ML_OK;

    w->columns = mem_calloc((size_t)w->cols + 1, sizeof *w->columns);
    if (!w->columns)
        st = fail_memory(ctx, (size_t)w->cols * sizeof *w->columns);
    if (st == ML_OK && !w->stream)
        st = output_append(ctx, w->o, "ARROW1\0", 8);
    if (st == ML_OK)
        st = write_schema(ctx, w);
    if (st == ML_OK)
        st = write_batches(ctx, w);
    if (st == ML_OK)
        st = write_end(ctx, w);
    VEC_FREE(&w->blocks);
    mem_free(w->columns);
    return st;
}

static bool is_stream(const Spec *spec)
{
    return strcmp(spec->format->name, "arrows") == 0;
}

ml_status arrow_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    Writer w = {.o = o, .f = f, .rows = f->rows, .cols = f->cols, .stream = is_stream(spec)};

    return write_all(ctx, &w);
}

ml_status arrow_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    Writer w = {.o = o, .m = m, .rows = m->rows, .cols = m->cols, .stream = is_stream(spec)};

    return write_all(ctx, &w);
}
