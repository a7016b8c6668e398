/* Frames in NumPy's forms: .npy holds an array of records, one field a column; .npz an array of one
 * dimension for each column, which is what numpy.savez(path, **columns) writes.
 *
 * Texts are NumPy's fixed-width ones, four bytes a character (U) or one a byte (S) when read;
 * written they are as wide as the longest. A missing text has no form here and is refused, rather
 * than lost.
 */
#include "io/npz.h"

#include "io/frame_parts.h"

/* ---- reading ---- */

/* A character as UTF-8; false when it is none. */
static bool put_character(Buffer *b, uint32_t c)
{
    char text[4];
    size_t n = 1;

    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return false;
    if (c < 0x80) {
        text[0] = (char)c;
    } else if (c < 0x800) {
        text[0] = (char)(0xc0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        text[0] = (char)(0xe0 | c >> 12);
        n = 3;
    } else {
        text[0] = (char)(0xf0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++)
        text[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
    buffer_put(b, text, n);
    return true;
}

/* The characters of a cell of four bytes each, up to the zeros that fill it up. */
static bool wide_text(const NpyField *f, const char *p, Buffer *b)
{
    int64_t n = f->size / 4;
    bool sound = true;

    b->size = 0;
    while (n > 0 && memcmp(p + 4 * (n - 1), "\0\0\0", 4) == 0)
        n--;
    for (int64_t i = 0; i < n && sound; i++) {
        uint32_t c;

        memcpy(&c, p + 4 * i, sizeof c);
        sound = put_character(b, f->swapped ? __builtin_bswap32(c) : c);
    }
    return sound;
}

static size_t byte_text(const char *p, int64_t n)
{
    while (n > 0 && !p[n - 1])
        n--;
    return (size_t)n;
}

static ml_status add_text(Ctx *ctx, const NpyArray *a, const NpyField *f, int64_t row,
                          Buffer *scratch, TextColumnBuilder *texts)
{
    const char *p = a->data + row * a->record_size + f->offset;
    size_t n = byte_text(p, f->size);

    if (f->kind == 'U') {
        if (!wide_text(f, p, scratch))
            return fail(ctx, ML_EFORMAT, "%s: row %" PRId64 " holds no characters of Unicode",
                        a->name, row + 1);
        p = scratch->data ? scratch->data : "";
        n = scratch->size;
    }
    return !scratch->failed && text_builder_add(texts, p, n) ? ML_OK : fail_memory(ctx, n);
}

static ml_status read_texts(Ctx *ctx, const NpyArray *a, const NpyField *f, int64_t rows,
                            FrameColumn **out)
{
    TextColumnBuilder texts = {0};
    Buffer scratch = {0};
    ml_status st = ML_OK;

    for (int64_t r = 0; r < rows && st == ML_OK; r++)
        st = add_text(ctx, a, f, r, &scratch, &texts);
    buffer_free(&scratch);
    if (st == ML_OK)
        return text_builder_finish(ctx, &texts, FT_STRING, out);
    text_builder_free(&texts);
    return st;
}

/* A field, or all cells of an array of one dimension, as a column. */
static ml_status read_column(Ctx *ctx, const NpyArray *a, const NpyField *f, FrameColumn **out)
{
    NumberType t;

    if (a->dims != 1)
        return fail(ctx, ML_EFORMAT, "%s: an array of %d dimensions, expected one for a column",
                    a->name, a->dims);
    if (f->kind == 'U' || f->kind == 'S')
        return read_texts(ctx, a, f, a->rows, out);
    TRY(npy_numbers(ctx, a, f, &t));
    return numbers_to_column(ctx, a->name, t, a->data + f->offset, (size_t)a->record_size, a->rows,
                             out);
}

ml_status npy_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    FrameParts parts = {0};
    NpyArray a;
    ml_status st;

    TRY(npy_open_file(ctx, spec, in, &a));
    st = ML_OK;
    for (int k = 0; k < a.field_count && st == ML_OK; k++) {
        const NpyField *f = &a.fields[k];
        const char *name = f->name ? f->name : "C1";
        FrameColumn *c = NULL;

        st = read_column(ctx, &a, f, &c);
        if (st == ML_OK)
            st = frame_parts_add(ctx, &parts, spec->path, name, strlen(name), c);
    }
    if (st == ML_OK)
        return frame_parts_finish(ctx, spec, &parts, out);
    frame_parts_free(&parts);
    return st;
}

static ml_status add_member(Ctx *ctx, const Npz *z, const ZipMember *m, FrameParts *parts)
{
    const size_t n = strlen(m->name),
                 ending = n > 4 && strcmp(m->name + n - 4, ".npy") == 0 ? 4 : 0;
    FrameColumn *c = NULL;
    NpzArray array;
    ml_status st;

    TRY(npz_open_array(ctx, z, m, &array));
    if (array.a.plain)
        st = read_column(ctx, &array.a, array.a.fields, &c);
    else
        st = fail(ctx, ML_EFORMAT, "%s: an array of records, expected a column", array.a.name);
    if (st == ML_OK)
        st = frame_parts_add(ctx, parts, z->spec->path, m->name, n - ending, c);
    npz_close_array(ctx, &array);
    return st;
}

ml_status npz_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    FrameParts parts = {0};
    Npz z;
    ml_status st;

    TRY(npz_open(ctx, spec, in, &z));
    st = ML_OK;
    for (int64_t k = 0; k < z.zip.count && st == ML_OK; k++)
        st = add_member(ctx, &z, &z.zip.members[k], &parts);
    if (st == ML_OK)
        return frame_parts_finish(ctx, spec, &parts, out);
    frame_parts_free(&parts);
    return st;
}

/* ---- writing ---- */

typedef struct FieldOut {
    const FrameColumn *c;
    size_t size; /* bytes a cell */
    char descr[32];
} FieldOut;

/* Code points that are valid UTF-8 take as many lead bytes; any other byte counts for itself. */
static size_t characters(const char *p, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += (p[i] & 0xc0) != 0x80;
    return count;
}

static ml_status measure_texts(Ctx *ctx, const FrameColumn *c, int64_t k, FieldOut *f)
{
    size_t most = 1;

    for (int64_t r = 0; r < c->rows; r++) {
        size_t size = 0, n;
        const char *text = column_text(c, r, &size);

        if (!text)
            return fail(ctx, ML_EVALUE,
                        "write: column %" PRId64 ", row %" PRId64
                        " is missing, for which arrays of texts have no form; use arrow or parquet",
                        k + 1, r + 1);
        n = characters(text, size);
        most = n > most ? n : most;
    }
    f->size = 4 * most;
    snprintf(f->descr, sizeof f->descr, "'<U%zu'", most);
    return ML_OK;
}

static ml_status describe(Ctx *ctx, const FrameColumn *c, int64_t k, FieldOut *f)
{
    const NumberType t = number_type_of(c->type);

    *f = (FieldOut){.c = c, .size = t.size};
    if (c->texts)
        return measure_texts(ctx, c, k, f);
    snprintf(f->descr, sizeof f->descr, "'%c%c%d'", t.size > 1 ? '<' : '|', t.kind, t.size);
    return ML_OK;
}

static uint32_t next_character(const char **p, const char *end)
{
    const unsigned char *s = (const unsigned char *)*p;
    const int more = *s < 0xc0 ? 0 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;
    uint32_t c = more ? *s & (0x3fu >> more) : *s;

    ++*p;
    for (int i = 0; i < more && *p < end; i++)
        c = c << 6 | ((unsigned char)*(*p)++ & 0x3f);
    return c;
}

static void put_cell(const FieldOut *f, int64_t row, char *to)
{
    size_t size = 0, at = 0;
    const char *p, *end;

    if (!f->c->texts) {
        memcpy(to, column_cell(f->c, row), f->size);
        return;
    }
    memset(to, 0, f->size);
    p = column_text(f->c, row, &size);
    for (end = p + size; p < end && at < f->size; at += 4) {
        const uint32_t c = next_character(&p, end);

        memcpy(to + at, &c, sizeof c);
    }
}

typedef struct RecordsOut {
    FieldOut *fields;
    int64_t count;
    size_t size; /* of a record */
} RecordsOut;

static void put_records(const void *arg, int64_t lo, int64_t hi, Buffer *b)
{
    const RecordsOut *o = arg;

    for (int64_t r = lo; r < hi; r++) {
        char *to = buffer_reserve(b, o->size);

        if (!to)
            return;
        for (int64_t k = 0; k < o->count; k++) {
            put_cell(&o->fields[k], r, to);
            to += o->fields[k].size;
        }
        b->size += o->size;
    }
}

static ml_status describe_all(Ctx *ctx, const Spec *spec, const Frame *f, RecordsOut *out)
{
    *out =
        (RecordsOut){.fields = ARENA_ARRAY(spec->arena, FieldOut, f->cols + 1), .count = f->cols};
    if (!out->fields)
        return fail_memory(ctx, (size_t)f->cols * sizeof(FieldOut));
    for (int64_t k = 0; k < f->cols; k++) {
        TRY(describe(ctx, f->columns[k], k, &out->fields[k]));
        out->size += out->fields[k].size;
    }
    return ML_OK;
}

/* A name between quotes of Python. */
static void put_name(Buffer *b, const Frame *f, int64_t k)
{
    char plain[NUM_BUFFER + 1];
    size_t size;
    const char *name = frame_name(f, k, plain, &size);

    buffer_put(b, "'", 1);
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '\'' || name[i] == '\\')
            buffer_put(b, "\\", 1);
        buffer_put(b, &name[i], 1);
    }
    buffer_put(b, "'", 1);
}

ml_status npy_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    Buffer descr = {0}, b = {0};
    RecordsOut out;
    ml_status st;

    TRY(describe_all(ctx, spec, f, &out));
    buffer_text(&descr, "[");
    for (int64_t k = 0; k < f->cols; k++) {
        buffer_text(&descr, k ? ", (" : "(");
        put_name(&descr, f, k);
        buffer_format(&descr, ", %s)", out.fields[k].descr);
    }
    buffer_text(&descr, "]");
    if (!descr.failed)
        npy_put_header(&b, descr.data, f->rows, -1);
    st = descr.failed || b.failed ? fail_memory(ctx, descr.capacity)
                                  : output_append(ctx, o, b.data, b.size);
    buffer_free(&descr);
    buffer_free(&b);
    TRY(st);
    return output_rows(ctx, o, f->rows, f->cols, put_records, &out);
}

static ml_status write_member(Ctx *ctx, ZipWriter *w, const Frame *f, int64_t k,
                              const FieldOut *field)
{
    enum { ROWS = 8192 };
    const RecordsOut one = {(FieldOut *)(uintptr_t)field, 1, field->size};
    char plain[NUM_BUFFER + 1];
    size_t size;
    const char *name = frame_name(f, k, plain, &size);
    Buffer b = {0};
    ml_status st;

    name = arena_text(w->arena, name, size);
    if (!name)
        return fail_memory(ctx, size);
    st = npz_begin(ctx, w, name, field->descr, f->rows, -1, (size_t)f->rows * field->size);
    for (int64_t r = 0; r < f->rows && st == ML_OK; r += ROWS) {
        b.size = 0;
        put_records(&one, r, f->rows - r < ROWS ? f->rows : r + ROWS, &b);
        st = b.failed ? fail_memory(ctx, b.capacity) : zip_put(ctx, w, b.data, b.size);
    }
    buffer_free(&b);
    return st == ML_OK ? zip_end(ctx, w) : st;
}

ml_status npz_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    ZipWriter w = {.o = o, .arena = spec->arena};
    RecordsOut out;
    ml_status st;

    TRY(describe_all(ctx, spec, f, &out));
    st = ML_OK;
    for (int64_t k = 0; k < f->cols && st == ML_OK; k++)
        st = write_member(ctx, &w, f, k, &out.fields[k]);
    if (st == ML_OK)
        st = zip_finish(ctx, &w);
    zip_free(&w);
    return st;
}
