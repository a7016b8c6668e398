/* Reading Arrow IPC, files and streams: a file is a stream between a magic number and a footer, so
 * both are read from the front.
 *
 * Two passes over the messages: one takes the schema and adds up the rows, the second fills the
 * columns, which are made once. In each batch the columns are tasks; what their buffers hold is
 * read in ipc_cells.c. All that a message says is checked against the bytes that are there.
 */
#include "io/coded_texts.h"
#include "io/ipc.h"

typedef struct Column {
    const char *name; /* in the arena */
    IpcType type, index;
    bool coded; /* cells are numbers, of type index, of entries of a dictionary: */
    int64_t dictionary;
    VEC(uint32_t) entries; /* the last batch of that dictionary: numbers of texts, 0 for null */
    CodedTexts numbered;
    int64_t first_buffer, views_before; /* of batches in which views have no more buffers */
    FrameColumn *c;
    TextColumnBuilder texts;
} Column;

typedef struct Message {
    Flat flat;
    int kind;
    size_t header, at; /* at: where it begins, for messages */
    const char *body;
    size_t body_size;
} Message;

typedef struct Reader {
    const Spec *spec;
    const InputFile *file;
    size_t start, at;
    Column *columns;
    int64_t count, rows, done;
    Records records; /* the one that is being filled in */
    bool as_matrix;
    Matrix *m;
} Reader;

static ml_status damaged(Ctx *ctx, const Reader *r, size_t at, const char *what)
{
    return ipc_damaged(ctx, r->file->name, at, what);
}

/* ---- messages ---- */

/* The next message; *end when there is none. */
static ml_status next_message(Ctx *ctx, Reader *r, Message *m, bool *end)
{
    const char *p = r->file->data + r->at;
    const size_t left = r->file->size - r->at;
    int64_t size, body;

    *m = (Message){.at = r->at};
    *end = left == 0;
    if (*end)
        return ML_OK;
    if (left < 8 || flat_get(p, 4) != -1)
        return damaged(ctx, r, r->at, "its mark is missing");
    size = flat_get(p + 4, 4);
    *end = size == 0;
    if (*end)
        return ML_OK;
    if (size < 0 || (uint64_t)size > left - 8)
        return damaged(ctx, r, r->at, "it reaches beyond the end");
    m->flat = (Flat){p + 8, (size_t)size, false};
    m->kind = (int)flat_int(&m->flat, flat_root(&m->flat), MESSAGE_KIND, 1, 0);
    m->header = flat_table(&m->flat, flat_root(&m->flat), MESSAGE_HEADER);
    body = flat_int(&m->flat, flat_root(&m->flat), MESSAGE_BODY, 8, 0);
    if (m->flat.damaged || body < 0 || (uint64_t)body > left - 8 - (size_t)size)
        return damaged(ctx, r, r->at, "its body reaches beyond the end");
    m->body = p + 8 + size;
    m->body_size = (size_t)body;
    r->at += 8 + (size_t)(size + body);
    return ML_OK;
}

static ml_status read_records(Ctx *ctx, const Reader *r, Message *m, size_t table, Records *out)
{
    Flat *f = &m->flat;
    const size_t packed = flat_table(f, table, RECORDS_COMPRESSION);

    *out = (Records){.file = r->file->name,
                     .rows = flat_int(f, table, RECORDS_LENGTH, 8, 0),
                     .body = m->body,
                     .body_size = m->body_size,
                     .at = m->at,
                     .packed = packed != 0};
    out->nodes = flat_vector(f, table, RECORDS_NODES, 16, &out->node_count);
    out->buffers = flat_vector(f, table, RECORDS_BUFFERS, 16, &out->buffer_count);
    out->views = flat_vector(f, table, RECORDS_VIEWS, 8, &out->view_count);
    out->codec = packed ? (int)flat_int(f, packed, 0, 1, 0) : 0;
    if (f->damaged || out->rows < 0 || out->codec < 0 || out->codec > 1)
        return damaged(ctx, r, m->at, "a batch is not described as it should be");
    return ML_OK;
}

/* ---- the schema ---- */

static ml_status add_column(Ctx *ctx, Reader *r, Flat *f, size_t field, Column *c)
{
    const size_t coded = flat_table(f, field, COLUMN_DICTIONARY);
    size_t size;
    const char *name = flat_text(f, field, COLUMN_NAME, &size);

    *c = (Column){.name = arena_text(r->spec->arena, name, size), .coded = coded != 0};
    if (!c->name)
        return fail_memory(ctx, size);
    TRY(ipc_type(ctx, f, r->file->name, field, &c->type));
    if (!coded)
        return ML_OK;
    c->dictionary = flat_int(f, coded, ENCODING_ID, 8, 0);
    c->index = (IpcType){.kind = TYPE_INT, .number = {'i', 4, false}};
    if (flat_table(f, coded, ENCODING_INDEX)) {
        const size_t index = flat_table(f, coded, ENCODING_INDEX);

        c->index.number.size = (uint8_t)(flat_int(f, index, 0, 4, 0) / 8 & 15);
        c->index.number.kind = flat_int(f, index, 1, 1, 0) ? 'i' : 'u';
    }
    if (!number_type_known(c->index.number))
        return damaged(ctx, r, r->start, "the index of a dictionary has an unknown width");
    return ML_OK;
}

static int buffers_of(const Column *c)
{
    const IpcType *t = c->coded ? &c->index : &c->type;

    return t->kind == TYPE_NULL ? 0 : t->offset_bytes ? 3 : 2; /* and more of views */
}

static ml_status read_schema(Ctx *ctx, Reader *r)
{
    int64_t buffers = 0, views = 0, count;
    const char *fields;
    bool end = false;
    Message m;

    TRY(next_message(ctx, r, &m, &end));
    if (end || m.kind != KIND_SCHEMA)
        return damaged(ctx, r, r->start, "it is no schema");
    if (flat_int(&m.flat, m.header, SCHEMA_BIG_ENDIAN, 2, 0))
        return damaged(ctx, r, r->start, "big-endian data are not supported");
    fields = flat_vector(&m.flat, m.header, SCHEMA_COLUMNS, 4, &count);
    r->columns = ARENA_ARRAY(r->spec->arena, Column, count + 1);
    if (!r->columns)
        return fail_memory(ctx, (size_t)count * sizeof(Column));
    for (int64_t k = 0; k < count; k++) {
        Column *c = &r->columns[k];

        TRY(add_column(ctx, r, &m.flat, flat_element(&m.flat, fields, k), c));
        r->count++;
        c->first_buffer = buffers;
        c->views_before = views;
        buffers += buffers_of(c);
        views += !c->coded && c->type.views;
        if (r->as_matrix && (c->coded || c->type.column == FT_STRING))
            return fail(ctx, ML_EFORMAT,
                        "%s: column '%s' holds no numbers, expected a matrix; data_type=\"frame\" "
                        "reads any columns",
                        r->file->name, c->name);
    }
    return m.flat.damaged ? damaged(ctx, r, r->start, "the schema is cut off") : ML_OK;
}

/* Rows by the numbers of the dictionary's entries. */
static ml_status add_coded(Ctx *ctx, const Reader *r, const Records *rec, Column *c,
                           const IpcBytes b[3])
{
    enum { SOME = 512 };
    double index[SOME];
    uint32_t numbers[SOME];
    const NumberType type = c->index.number;

    for (int64_t at = 0; at < rec->rows; at += SOME) {
        const int64_t n = rec->rows - at < SOME ? rec->rows - at : SOME;

        numbers_to_doubles(type, b[1].p + at * type.size, type.size, n, index);
        for (int64_t i = 0; i < n; i++) {
            const bool valid = bit_is_set(b[0].p, at + i);

            if (valid && (index[i] < 0 || index[i] >= c->entries.count))
                return damaged(ctx, r, rec->at, "an index lies outside its dictionary");
            numbers[i] = valid ? c->entries.items[(int64_t)index[i]] : 0;
        }
        if (!coded_texts_add(&c->numbered, numbers, n))
            return fail_memory(ctx, sizeof numbers);
    }
    return ML_OK;
}

/* The more buffers of the views among the first n of them; -1 when the message does not tell. */
static int64_t more_buffers(const Records *rec, int64_t n)
{
    int64_t sum = 0;

    if (n > rec->view_count)
        return -1;
    for (int64_t k = 0; k < n; k++) {
        const int64_t more = flat_get(rec->views + 8 * k, 8);

        if (more < 0 || more > rec->buffer_count - sum)
            return -1;
        sum += more;
    }
    return sum;
}

/* Fill in what of the batch the column is; its buffers are to be freed also on failure. */
static ml_status find_column(Ctx *ctx, const Reader *r, const Column *c, int64_t k, IpcBytes b[3],
                             IpcColumn *out)
{
    const Records *rec = &r->records;
    const int64_t before = more_buffers(rec, c->views_before);
    const int64_t with = more_buffers(rec, c->views_before + (!c->coded && c->type.views));

    *out = (IpcColumn){.name = c->name, .type = c->coded ? &c->index : &c->type, .b = b};
    if (before < 0 || with < 0)
        return damaged(ctx, r, rec->at, "the number of buffers of a column is missing");
    out->first = c->first_buffer + before + 2;
    out->count = with - before;
    return ipc_buffers(ctx, rec, out->type, k, c->first_buffer + before, b);
}

static ml_status fill_matrix(Ctx *ctx, const Reader *r, const Column *c, int64_t k, IpcBytes b[3])
{
    enum { PIECE = 512 };
    const Records *rec = &r->records;
    double some[PIECE];
    NumberType number;

    TRY(ipc_numbers(ctx, rec, &c->type, &b[1], &number));
    for (int64_t i = 0; i < rec->rows; i++) {
        const int64_t n = rec->rows - i < PIECE ? rec->rows - i : PIECE;

        if (i % PIECE == 0)
            numbers_to_doubles(number, b[1].p + i * number.size, number.size, n, some);
        r->m->values[(r->done + i) * r->count + k] =
            bit_is_set(b[0].p, i) ? some[i % PIECE] : (double)__builtin_nan("");
    }
    return ML_OK;
}

static ml_status fill_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Reader *r = arg;
    const Records *rec = &r->records;

    for (int64_t k = lo; k < hi; k++) {
        Column *c = &r->columns[k];
        IpcBytes b[3] = {{0}};
        IpcColumn from;
        ml_status st = check_cancel(ctx);

        if (!c->coded && c->type.kind == TYPE_NULL)
            continue;
        if (st == ML_OK)
            st = find_column(ctx, r, c, k, b, &from);
        if (st == ML_OK)
            st = r->as_matrix ? fill_matrix(ctx, r, c, k, b)
                 : c->coded   ? add_coded(ctx, r, rec, c, b)
                              : ipc_cells(ctx, rec, &from, &c->texts, &c->c, r->done);
        ipc_free(ctx, b, 3);
        TRY(st);
    }
    return ML_OK;
}

/* ---- dictionaries ---- */

/* The entries of a dictionary batch as a column. */
static ml_status read_entries(Ctx *ctx, const Reader *r, const Records *rec, const IpcType *t,
                              FrameColumn **out)
{
    TextColumnBuilder texts = {0};
    IpcBytes b[3] = {{0}};
    const IpcColumn from = {.name = "of a dictionary",
                            .type = t,
                            .b = b,
                            .first = 2,
                            .count = t->views ? more_buffers(rec, 1) : 0};
    const bool number = t->column != FT_STRING;
    ml_status st = ML_OK;

    *out = NULL;
    if (t->kind == TYPE_NULL)
        return damaged(ctx, r, rec->at, "a dictionary of nothing");
    st = ipc_buffers(ctx, rec, t, 0, 0, b);
    if (st == ML_OK && number)
        st = frame_column_new(ctx, t->column, rec->rows, out);
    if (st == ML_OK)
        st = ipc_cells(ctx, rec, &from, &texts, out, 0);
    if (st == ML_OK && !number)
        st = text_builder_finish(ctx, &texts, FT_STRING, out);
    if (st != ML_OK) {
        frame_column_release(*out);
        *out = NULL;
    }
    text_builder_free(&texts);
    ipc_free(ctx, b, 3);
    return st;
}

static ml_status learn_entries(Ctx *ctx, const FrameColumn *entries, Column *c)
{
    c->entries.count = 0;
    for (int64_t i = 0; i < entries->rows; i++) {
        char number[NUM_BUFFER];
        size_t size = 0;
        const char *text = frame_cell_text(entries, i, number, &size);
        uint32_t k = 0;

        if (text && !coded_texts_learn(&c->numbered, text, size, &k))
            return fail_memory(ctx, size);
        if (!VEC_PUSH(&c->entries, k))
            return fail_memory(ctx, (size_t)entries->rows * sizeof k);
    }
    return ML_OK;
}

static ml_status take_dictionary(Ctx *ctx, Reader *r, Message *m)
{
    const int64_t id = flat_int(&m->flat, m->header, DICTIONARY_ID, 8, 0);
    Records rec;

    TRY(read_records(ctx, r, m, flat_table(&m->flat, m->header, DICTIONARY_RECORDS), &rec));
    if (flat_int(&m->flat, m->header, DICTIONARY_IS_DELTA, 1, 0))
        return damaged(ctx, r, m->at, "dictionaries that grow are not supported");
    for (int64_t k = 0; k < r->count; k++) {
        Column *c = &r->columns[k];
        FrameColumn *entries = NULL;
        ml_status st;

        if (!c->coded || c->dictionary != id)
            continue;
        TRY(read_entries(ctx, r, &rec, &c->type, &entries));
        st = learn_entries(ctx, entries, c);
        frame_column_release(entries);
        TRY(st);
    }
    return ML_OK;
}

/* ---- the whole ---- */

/* Call for each batch; dictionaries are taken when they come. */
static ml_status walk(Ctx *ctx, Reader *r, ml_status (*visit)(Ctx *ctx, Reader *r))
{
    const size_t start = r->at;
    Message m;
    bool end = false;

    for (;;) {
        TRY(next_message(ctx, r, &m, &end));
        if (end)
            break;
        if (m.kind == KIND_DICTIONARY && visit) {
            TRY(take_dictionary(ctx, r, &m));
        } else if (m.kind == KIND_RECORDS) {
            TRY(read_records(ctx, r, &m, m.header, &r->records));
            if (visit)
                TRY(visit(ctx, r));
            else if (__builtin_add_overflow(r->rows, r->records.rows, &r->rows))
                return damaged(ctx, r, m.at, "an impossible number of rows");
        }
    }
    r->at = start;
    return ML_OK;
}

static ml_status fill_batch(Ctx *ctx, Reader *r)
{
    TRY(task_for(ctx, r->count, 1, fill_columns, r));
    r->done += r->records.rows;
    return ML_OK;
}

static ml_status start_reader(Ctx *ctx, Reader *r, const Input *in)
{
    static const char magic[] = "ARROW1\0";

    if (in->count != 1)
        return fail(ctx, ML_EFORMAT, "%s: Arrow data are one file, found %d", r->spec->path,
                    in->count);
    r->file = &in->files[0];
    if (r->file->size >= 8 && memcmp(r->file->data, magic, 8) == 0)
        r->at = 8;
    r->start = r->at;
    TRY(read_schema(ctx, r));
    if (r->count == 0)
        return fail(ctx, ML_EFORMAT, "%s: the file holds no columns", r->spec->path);
    TRY(walk(ctx, r, NULL));
    return input_check_dims(ctx, r->spec, r->rows, r->count);
}

/* A column of texts that are all missing. */
static ml_status all_nulls(Ctx *ctx, int64_t rows, FrameColumn **out)
{
    TextStore *none;

    TRY(text_store_new(ctx, 0, 0, &none));
    TRY(frame_column_codes(ctx, FT_STRING, rows, none, out));
    if (rows > 0)
        memset((*out)->cells, 0, (size_t)rows * (*out)->width);
    return ML_OK;
}

static ml_status finish_column(Ctx *ctx, const Reader *r, Column *c, FrameColumn **out)
{
    *out = c->c;
    c->c = NULL;
    if (*out)
        return ML_OK;
    if (c->coded)
        return coded_texts_finish(ctx, &c->numbered, out);
    return c->type.kind == TYPE_NULL ? all_nulls(ctx, r->rows, out)
                                     : text_builder_finish(ctx, &c->texts, FT_STRING, out);
}

static ml_status next_column(Ctx *ctx, void *reader, int64_t k, const char **name,
                             FrameColumn **out)
{
    Reader *r = reader;

    *name = r->columns[k].name;
    return finish_column(ctx, r, &r->columns[k], out);
}

static void close_reader(Reader *r)
{
    for (int64_t k = 0; k < r->count; k++) {
        VEC_FREE(&r->columns[k].entries);
        coded_texts_free(&r->columns[k].numbered);
        frame_column_release(r->columns[k].c);
        text_builder_free(&r->columns[k].texts);
    }
}

ml_status arrow_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    Reader r = {.spec = spec};
    ml_status st = start_reader(ctx, &r, in);

    for (int64_t k = 0; k < r.count && st == ML_OK; k++)
        if (!r.columns[k].coded && r.columns[k].type.column != FT_STRING)
            st = frame_column_new(ctx, r.columns[k].type.column, r.rows, &r.columns[k].c);
    if (st == ML_OK)
        st = walk(ctx, &r, fill_batch);
    if (st == ML_OK)
        st = frame_parts_all(ctx, spec, r.count, next_column, &r, out);
    close_reader(&r);
    return st;
}

ml_status arrow_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    Reader r = {.spec = spec, .as_matrix = true};
    ml_status st = start_reader(ctx, &r, in);

    *out = NULL;
    if (st == ML_OK)
        st = matrix_new_dense(ctx, r.rows, r.count, &r.m);
    if (st == ML_OK)
        st = walk(ctx, &r, fill_batch);
    if (st == ML_OK)
        st = matrix_finish(ctx, &r.m, -1);
    close_reader(&r);
    if (st == ML_OK)
        *out = r.m;
    else
        matrix_release(r.m);
    return st;
}
