/* Frames in HDF5 and NetCDF-4: a group with a dataset of one dimension for each column, all of the
 * same length; in NetCDF they share the dimension "row", so that xarray takes them for a table.
 *
 * Texts are UTF-8 of variable length. Missing ones are null pointers, which other programs read as
 * empty texts; booleans are the enumeration that h5py makes of them, and bytes in NetCDF.
 */
#include "io/hdf5.h"

#include "io/frame_parts.h"

/* ---- reading ---- */

/* The text of a fixed cell, without what fills it up. */
static size_t fixed_size(const char *p, size_t n, bool blanks)
{
    const char *end = memchr(p, 0, n);

    n = end ? (size_t)(end - p) : n;
    while (blanks && n > 0 && p[n - 1] == ' ')
        n--;
    return n;
}

static ml_status collect_texts(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, bool variable,
                               const char *cells, size_t size, FrameColumn **out)
{
    const bool blanks = f->h->type_pad(d->type) == HDF5_SPACE_PAD;
    TextColumnBuilder texts = {0};

    for (int64_t r = 0; r < d->rows; r++) {
        const char *p = cells + (size_t)r * size;
        size_t n;

        if (variable) {
            memcpy(&p, cells + (size_t)r * sizeof p, sizeof p);
            n = p ? strlen(p) : 0;
        } else {
            n = fixed_size(p, size, blanks);
        }
        if (!text_builder_add(&texts, p, n)) {
            text_builder_free(&texts);
            return fail_memory(ctx, n);
        }
    }
    return text_builder_finish(ctx, &texts, FT_STRING, out);
}

static ml_status read_texts(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, FrameColumn **out)
{
    const Hdf5 *h = f->h;
    const bool variable = h->type_is_variable(d->type) > 0;
    const size_t size = variable ? sizeof(char *) : h->type_size(d->type);
    size_t bytes;
    char *cells;
    ml_status st;

    if (size == 0 || !mul_size((size_t)d->rows, size, &bytes))
        return fail_memory(ctx, SIZE_MAX);
    cells = pool_alloc(ctx, bytes);
    if (!cells)
        return ML_ENOMEM;
    if (h->data_read(d->id, d->type, HDF5_ALL, HDF5_ALL, HDF5_ALL, cells) < 0) {
        st = hdf5_fail_data(ctx, f, d->name, "cannot be read");
    } else {
        st = collect_texts(ctx, f, d, variable, cells, size, out);
        if (variable) {
            const Hid space = h->data_space(d->id);

            h->vlen_reclaim(d->type, space, HDF5_ALL, cells);
            h->space_close(space);
        }
    }
    pool_release(ctx->pool, cells, bytes);
    return st;
}

/* Scaled or with missing cells: doubles. */
static ml_status read_ruled(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, const Hdf5Rule *rule,
                            FrameColumn **out)
{
    TRY(frame_column_new(ctx, FT_FP64, d->rows, out));
    if (f->h->data_read(d->id, *f->h->memory_double, HDF5_ALL, HDF5_ALL, HDF5_ALL, (*out)->cells) <
        0)
        return hdf5_fail_data(ctx, f, d->name, "cannot be read");
    hdf5_apply(rule, (*out)->cells, d->rows);
    return ML_OK;
}

/* As they lie in the file, then to a column of their type. */
static ml_status read_plain(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, FrameColumn **out)
{
    size_t bytes;
    char *raw;
    ml_status st;

    if (!mul_size((size_t)d->rows, d->number.size, &bytes))
        return fail_memory(ctx, SIZE_MAX);
    raw = pool_alloc(ctx, bytes);
    if (!raw)
        return ML_ENOMEM;
    if (f->h->data_read(d->id, d->type, HDF5_ALL, HDF5_ALL, HDF5_ALL, raw) < 0)
        st = hdf5_fail_data(ctx, f, d->name, "cannot be read");
    else
        st = numbers_to_column(ctx, d->name, d->number, raw, d->number.size, d->rows, out);
    pool_release(ctx->pool, raw, bytes);
    return st;
}

static ml_status read_column(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, FrameColumn **out)
{
    const Hdf5Rule rule = hdf5_rule(f, d);

    if (d->type_class == HDF5_STRING)
        return read_texts(ctx, f, d, out);
    if (d->type_class != HDF5_ENUM && (hdf5_rule_applies(&rule) || !d->plain))
        return read_ruled(ctx, f, d, &rule, out);
    return read_plain(ctx, f, d, out);
}

/* Whether a dataset can be a column; dimensions without coordinates are none. */
static bool is_column(const Hdf5File *f, const Hdf5Data *d)
{
    return d->dims == 1 && (d->numeric || d->type_class == HDF5_STRING) &&
           !hdf5_is_bare_dimension(f, d);
}

/* Member k of the group. */
static ml_status add_member(Ctx *ctx, const Hdf5File *f, Hid group, const char *path, Hsize k,
                            FrameParts *parts)
{
    const char *name = hdf5_name(ctx, f, group, path, k);
    const char *slash = name ? strrchr(name, '/') : NULL, *last = slash ? slash + 1 : name;
    bool is_data = false;
    FrameColumn *c = NULL;
    Hdf5Data d;
    ml_status st;

    if (!name)
        return ML_EFORMAT;
    st = hdf5_open_data(ctx, f, name, &is_data, &d);
    if (st == ML_OK && is_data && is_column(f, &d)) {
        isolate_allow(f->self, (size_t)d.rows * sizeof(double));
        st = read_column(ctx, f, &d, &c);
        if (st == ML_OK)
            st = frame_parts_add(ctx, parts, f->spec->path, last, strlen(last), c);
        else
            frame_column_release(c);
    }
    hdf5_close_data(f, &d);
    return st;
}

static ml_status read_group(Ctx *ctx, const Hdf5File *f, Frame **out)
{
    const char *path = f->spec->dataset ? f->spec->dataset : "";
    const Hdf5 *h = f->h;
    const Hid group = *path ? h->object_open(f->id, path, HDF5_ALL) : f->id;
    FrameParts parts = {0};
    Hdf5Group info = {0};
    ml_status st = ML_OK;

    if (group < 0 || h->group_info(group, &info) < 0)
        st = hdf5_fail_data(ctx, f, path, "is no group of columns");
    for (Hsize k = 0; k < info.links && st == ML_OK; k++)
        st = add_member(ctx, f, group, path, k, &parts);
    if (group >= 0 && *path)
        h->object_close(group);
    if (st == ML_OK && parts.columns.count == 0)
        st = fail(ctx, ML_EFORMAT,
                  "%s: the group '/%s' holds no columns, expected datasets of one dimension with "
                  "numbers or texts (compound types are not read)",
                  f->spec->path, path);
    if (st == ML_OK)
        return frame_parts_finish(ctx, f->spec, &parts, out);
    frame_parts_free(&parts);
    return st;
}

/* A frame reaches the parent in the binary format, which checks what it reads. */
static ml_status read_in_child(Ctx *ctx, const Hdf5File *f)
{
    Output o = isolate_output(f->self, f->spec->path);
    Frame *frame;

    TRY(read_group(ctx, f, &frame));
    isolate_step(f->self, "the columns");
    return binary_write_frame(ctx, f->spec, frame, &o);
}

static ml_status read_frame(Ctx *ctx, const Spec *spec, const Input *in, bool netcdf, Frame **out)
{
    InputFile memory;
    Input frame = {.files = &memory, .count = 1};
    const Hdf5Job job = {.spec = spec, .in = in, .netcdf = netcdf, .read = read_in_child};
    ml_status st = hdf5_read_apart(ctx, &job, &memory);

    if (st == ML_OK)
        st = binary_read_frame(ctx, spec, &frame, out);
    input_release(&memory);
    return st;
}

ml_status hdf5_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    return read_frame(ctx, spec, in, false, out);
}

ml_status netcdf_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    return read_frame(ctx, spec, in, true, out);
}

/* ---- writing ---- */

/* The type of a column in the file and in memory, which differ in byte order at most; closed by the
 * caller. */
static Hid column_type(const Hdf5File *f, FrameType type)
{
    const Hdf5 *h = f->h;
    const signed char no = 0, yes = 1;
    Hid made;

    if (frame_type_is_text(type)) {
        made = h->type_copy(*h->text_type);
        h->type_set_size(made, SIZE_MAX); /* H5T_VARIABLE */
        h->type_set_charset(made, HDF5_UTF8);
        return made;
    }
    if (type == FT_BOOLEAN && !f->netcdf) {
        made = h->type_enum(*h->flag_type);
        h->type_insert(made, "FALSE", &no);
        h->type_insert(made, "TRUE", &yes);
        return made;
    }
    return h->type_copy(type == FT_FP64    ? *h->double_type
                        : type == FT_FP32  ? *h->float_type
                        : type == FT_INT64 ? *h->int64_type
                        : type == FT_INT32 ? *h->int32_type
                                           : *h->byte_type);
}

/* The texts of a column, each ending in a zero byte, with a pointer a row. */
static ml_status write_texts(Ctx *ctx, const Hdf5File *f, Hid data, Hid type, const FrameColumn *c)
{
    const char **rows = mem_calloc((size_t)c->rows + 1, sizeof *rows);
    Buffer texts = {0};
    size_t at = 0;
    ml_status st = rows ? ML_OK : fail_memory(ctx, (size_t)c->rows * sizeof *rows);

    for (int64_t r = 0; r < c->rows && st == ML_OK; r++) {
        size_t size;
        const char *text = column_text(c, r, &size);

        if (text && memchr(text, 0, size))
            st = fail(ctx, ML_EVALUE,
                      "write: the text in row %" PRId64 " holds a zero byte, which "
                      "HDF5 cannot keep",
                      r + 1);
        if (text && st == ML_OK) {
            buffer_put(&texts, text, size);
            buffer_put(&texts, "", 1);
        }
    }
    if (st == ML_OK && texts.failed)
        st = fail_memory(ctx, texts.capacity);
    for (int64_t r = 0; r < c->rows && st == ML_OK; r++) {
        size_t size;

        if (!column_text(c, r, &size))
            continue;
        rows[r] = texts.data + at;
        at += size + 1;
    }
    if (st == ML_OK && f->h->data_write(data, type, HDF5_ALL, HDF5_ALL, HDF5_ALL, rows) < 0)
        st = hdf5_fail(ctx, f->h, ML_EIO, f->spec->path, "cannot be written");
    buffer_free(&texts);
    mem_free(rows);
    return st;
}

static ml_status write_column(Ctx *ctx, const Hdf5File *f, const char *name, Hid dimension,
                              const FrameColumn *c)
{
    const Hdf5 *h = f->h;
    const Hsize shape[] = {(Hsize)c->rows};
    const Hid type = column_type(f, c->type), data = hdf5_new_data(ctx, f, name, type, 1, shape);
    ml_status st = data < 0 ? ML_EIO : ML_OK;

    if (st == ML_OK && frame_type_is_text(c->type))
        st = write_texts(ctx, f, data, type, c);
    else if (st == ML_OK && h->data_write(data, type, HDF5_ALL, HDF5_ALL, HDF5_ALL, c->cells) < 0)
        st = hdf5_fail(ctx, h, ML_EIO, f->spec->path, "cannot be written");
    if (st == ML_OK && dimension >= 0 && h->scale_attach(data, dimension, 0) < 0)
        st = hdf5_fail_data(ctx, f, name, "cannot get its dimension");
    if (data >= 0)
        h->object_close(data);
    h->type_close(type);
    return st;
}

/* The dataset of a column, in the group that dataset names; slashes would make groups. */
static const char *column_path(Ctx *ctx, const Spec *spec, const Frame *f, int64_t k)
{
    char plain[NUM_BUFFER + 1];
    size_t size;
    const char *name = frame_name(f, k, plain, &size);
    char *path = arena_format(spec->arena, "%s%s%.*s", spec->dataset ? spec->dataset : "",
                              spec->dataset ? "/" : "", (int)size, name);

    if (!path)
        fail_memory(ctx, size);
    else if (size == 0 || memchr(name, '/', size))
        fail(ctx, ML_EVALUE,
             "write: column %" PRId64 " is named '%.*s', which cannot be the name "
             "of a dataset",
             k + 1, (int)size, name);
    else
        return path;
    return NULL;
}

static ml_status write_frame(Ctx *ctx, const Spec *spec, const Frame *frame, const Output *o,
                             bool netcdf)
{
    Hdf5File f;
    Hid dimension = -1;
    ml_status st = ML_OK;

    TRY(hdf5_create(ctx, spec, o, netcdf, &f));
    if (netcdf) {
        dimension = hdf5_new_dimension(ctx, &f, "row", 0, frame->rows);
        st = dimension < 0 ? ML_EIO : ML_OK;
    }
    for (int64_t k = 0; k < frame->cols && st == ML_OK; k++) {
        const char *name = column_path(ctx, spec, frame, k);

        st = name ? write_column(ctx, &f, name, dimension, frame->columns[k]) : ML_EVALUE;
    }
    if (dimension >= 0)
        f.h->object_close(dimension);
    return hdf5_finish(ctx, &f, st);
}

ml_status hdf5_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    return write_frame(ctx, spec, f, o, false);
}

ml_status netcdf_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    return write_frame(ctx, spec, f, o, true);
}
