/* transformmeta: what older systems learned of a frame's columns, from their files.
 *
 * A folder holds column.names, one line with the names of all columns; Recode/NAME.map, a line
 * "category",code,count for each category; Bin/NAME.bin, one line column,least,greatest,width,bins.
 * The specification says which of them are read.  Files are read as csv frames; their contents fill
 * the coders of a transform, whose metadata is the result. */
#include "io/io.h"
#include "kernel/transform.h"

#include <math.h>
#include <string.h>

typedef struct Folder {
    const char *path, *sep;
    Frame *columns; /* no rows: the names */
    Transform transform;
} Folder;

/* A file of the folder as a frame of texts, for frame_release. */
static ml_status read_cells(Ctx *ctx, const Folder *f, Text name, const char *kind,
                            const char *suffix, const char *sep, Frame **out)
{
    Value v = value_none();
    Buffer path = {0};
    IoOptions o;
    ml_status st = ML_OK;

    io_options_init(&o);
    o.format = "csv";
    o.data_type = "frame";
    o.sep = sep;
    o.header = 0;
    buffer_format(&path, "%s/%s%.*s%s", f->path, kind, (int)name.size, name.s, suffix);
    st = path.failed ? fail_memory(ctx, path.size) : io_read(ctx, path.data, &o, &v);
    buffer_free(&path);
    *out = st == ML_OK ? v.f : NULL;
    return st;
}

static Text cell_of(const Frame *f, int64_t row, int64_t col)
{
    Text t = {0};

    if (row < f->rows && col < f->cols)
        t.s = frame_cell_text(f->columns[col], row, NULL, &t.size);
    return t;
}

static ml_status bad_line(Ctx *ctx, const Folder *f, Text column, const char *file, int64_t row,
                          const char *expected)
{
    return fail(ctx, ML_EVALUE,
                "transformmeta: line %" PRId64 " of %s/%s of column '%.*s': "
                "expected %s",
                row + 1, f->path, file, (int)column.size, column.s, expected);
}

/* ---- names ---- */

static ml_status name_columns(Ctx *ctx, Folder *f, const Frame *names)
{
    FrameColumn **columns = NULL;
    String **texts = mem_calloc((size_t)names->cols + 1, sizeof *texts);
    ml_status st = texts ? columns_new(ctx, names->cols, &columns)
                         : fail_memory(ctx, (size_t)names->cols * sizeof *texts);

    for (int64_t j = 0; j < names->cols && st == ML_OK; j++) {
        const Text t = cell_of(names, 0, j);

        st = text_builder_finish(ctx, &(TextColumnBuilder){0}, FT_STRING, &columns[j]);
        if (st == ML_OK && t.s)
            st = string_new(ctx, t.s, t.size, &texts[j]);
    }
    if (st == ML_OK)
        st = frame_wrap(ctx, 0, names->cols, columns, texts, &f->columns);
    else if (columns)
        columns_free(names->cols, columns);
    for (int64_t j = 0; texts && j < names->cols; j++)
        string_release(texts[j]);
    mem_free(texts);
    return st;
}

static ml_status read_names(Ctx *ctx, Folder *f)
{
    Frame *names = NULL;
    ml_status st;

    TRY(read_cells(ctx, f, (Text){"", 0}, "column.names", "", f->sep, &names));
    st = names->rows == 1 ? name_columns(ctx, f, names)
                          : fail(ctx, ML_EVALUE,
                                 "transformmeta: expected one line of names in "
                                 "%s/column.names, found %" PRId64,
                                 f->path, names->rows);
    frame_release(names);
    return st;
}

/* ---- recoded columns ---- */

/* The text without the quotes around it, those inside undoubled. */
static ml_status unquoted(Ctx *ctx, Text t, Buffer *out)
{
    const bool quoted = t.size >= 2 && t.s[0] == '"' && t.s[t.size - 1] == '"';

    buffer_text(out, "");
    if (!quoted)
        buffer_put(out, t.s, t.size);
    for (size_t k = 1; quoted && k + 1 < t.size; k++) {
        buffer_put(out, &t.s[k], 1);
        k += t.s[k] == '"' && t.s[k + 1] == '"' && k + 2 < t.size;
    }
    return out->failed ? fail_memory(ctx, t.size) : ML_OK;
}

static ml_status take_category(Ctx *ctx, const Folder *f, Text column, const Frame *map,
                               int64_t row, Categories *c)
{
    const Text cell = cell_of(map, row, 0), number = cell_of(map, row, 1);
    bool again = false;
    Buffer name = {0};
    int64_t code = 0;
    ml_status st;

    if (!cell.s || !number.s || !num_parse_int64(number.s, number.s + number.size, &code) ||
        code < 1 || code > map->rows)
        return bad_line(ctx, f, column, "Recode", row,
                        "\"category\",code,count with codes of 1 to the number of lines");
    TRY(unquoted(ctx, cell, &name));
    st = categories_set(ctx, c, (Text){name.data, name.size}, code, &again);
    buffer_free(&name);
    TRY(st);
    return again ? bad_line(ctx, f, column, "Recode", row, "each category and each code once")
                 : ML_OK;
}

static ml_status read_map(Ctx *ctx, const Folder *f, Text column, Coder *coder)
{
    Categories *c = &coder->categories;
    Frame *map = NULL;
    ml_status st;

    TRY(read_cells(ctx, f, column, "Recode/", ".map", ",", &map));
    st = ML_OK;
    for (int64_t i = 0; i < map->rows && st == ML_OK; i++)
        st = take_category(ctx, f, column, map, i, c);
    coder->codes = categories_count(c);
    frame_release(map);
    return st;
}

/* ---- binned columns ---- */

enum { BIN_LEAST = 1, BIN_BINS = 4, BIN_CELLS = 5 };

/* The cells of the line from the second on, as numbers; false when it is none. */
static bool parse_bins(const Frame *line, double *numbers)
{
    if (line->rows != 1 || line->cols != BIN_CELLS)
        return false;
    for (int64_t j = BIN_LEAST; j < BIN_CELLS; j++) {
        const Text t = cell_of(line, 0, j);

        if (!t.s || !text_to_double(t.s, t.size, &numbers[j]) || !isfinite(numbers[j]))
            return false;
    }
    return numbers[BIN_BINS] >= 1 && numbers[BIN_BINS] <= INT32_MAX &&
           numbers[BIN_BINS] == floor(numbers[BIN_BINS]) && numbers[3] >= 0;
}

static ml_status take_bins(Ctx *ctx, const Folder *f, Text column, const Frame *line, Coder *coder)
{
    double numbers[BIN_CELLS] = {0};

    if (!parse_bins(line, numbers))
        return bad_line(ctx, f, column, "Bin", 0, "column,least,greatest,width,bins alone");
    coder->codes = (int64_t)numbers[BIN_BINS];
    coder->edges = mem_calloc((size_t)coder->codes + 1, sizeof *coder->edges);
    if (!coder->edges)
        return fail_memory(ctx, (size_t)coder->codes * sizeof *coder->edges);
    for (int64_t k = 0; k <= coder->codes; k++)
        coder->edges[k] = numbers[BIN_LEAST] + (double)k * numbers[3];
    return ML_OK;
}

static ml_status read_bins(Ctx *ctx, const Folder *f, Text column, Coder *coder)
{
    Frame *line = NULL;
    ml_status st;

    TRY(read_cells(ctx, f, column, "Bin/", ".bin", ",", &line));
    st = take_bins(ctx, f, column, line, coder);
    frame_release(line);
    return st;
}

/* ---- the folder ---- */

static ml_status read_coder(Ctx *ctx, const Folder *f, int64_t col)
{
    Coder *coder = &f->transform.coders[col];
    const ColumnSpec *spec = coder->spec;
    char buf[NUM_BUFFER];
    const Text name = frame_column_name(f->columns, col, buf);

    if (spec->impute == IMPUTE_CONSTANT)
        coder->fill_text = string_retain(spec->constant);
    if (spec->coding == CODE_RECODE)
        return read_map(ctx, f, name, coder);
    if (spec->coding == CODE_BIN)
        return read_bins(ctx, f, name, coder);
    coder->codes = spec->coding == CODE_HASH ? spec->codes : 0;
    return ML_OK;
}

static ml_status read_folder(Ctx *ctx, const char *spec, Folder *f, Frame **out)
{
    TRY(read_names(ctx, f));
    TRY(transform_open(ctx, spec, f->columns, &f->transform));
    for (int64_t j = 0; j < f->columns->cols; j++)
        TRY(read_coder(ctx, f, j));
    return transform_meta(ctx, &f->transform, f->columns, out);
}

ml_status ml_k_transformmeta(Ctx *ctx, OpCall *call)
{
    Folder f = {0};
    Frame *meta = NULL;
    const char *spec;
    ml_status st;

    TRY(call_text(ctx, call, 0, &spec));
    TRY(call_text(ctx, call, 1, &f.path));
    TRY(call_text(ctx, call, 2, &f.sep));
    st = read_folder(ctx, spec, &f, &meta);
    transform_free(&f.transform);
    frame_release(f.columns);
    if (st == ML_OK)
        call->out[0] = value_frame(meta);
    return st;
}
