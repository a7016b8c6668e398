/* Reading and writing values: from spec and input to the format's function, and from value to
 * files.
 *
 * Data and metadata are both complete before either takes its place.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_impl.h"

/* ---- reading ---- */

/* Text and libsvm files do not carry their sizes. */
static ml_status check_sizes_given(Ctx *ctx, const Spec *spec)
{
    const Format *f = spec->format;

    if ((!f->needs_rows || spec->rows >= 0) && (!f->needs_cols || spec->cols >= 0))
        return ML_OK;
    return fail(
        ctx, ML_EVALUE,
        "missing or incomplete dimension information in read statement: format %s needs %s; "
        "give them or write %s.mtd",
        f->name, f->needs_rows ? "rows and cols" : "cols", spec->path);
}

static ml_status fail_kind(Ctx *ctx, const Spec *spec, const char *verb)
{
    return fail(ctx, ML_EVALUE, "%s: format %s holds no %s", verb, spec->format->name,
                data_type_name(spec->dt));
}

/* Sizes that only a damaged file can have are found where memory is asked for, by those who know of
 * no file. */
static ml_status name_file(Ctx *ctx, const Spec *spec, ml_status st)
{
    if (st == ML_OK || st == ML_ECANCEL || st == ML_EUNSUPPORTED ||
        strstr(ctx->err.text, spec->path))
        return st;
    return fail(ctx, st, "%s: %s", spec->path, ctx->err.text);
}

static ml_status read_matrix(Ctx *ctx, const Spec *spec, Input *in, Value *out)
{
    Matrix *m = NULL;

    if (!spec->format->read_matrix)
        return fail_kind(ctx, spec, "read");
    TRY(name_file(ctx, spec, spec->format->read_matrix(ctx, spec, in, &m)));
    *out = value_matrix(m);
    return ML_OK;
}

static ml_status read_frame(Ctx *ctx, const Spec *spec, Input *in, Value *out)
{
    Frame *f = NULL;

    if (!spec->format->read_frame)
        return fail_kind(ctx, spec, "read");
    TRY(name_file(ctx, spec, spec->format->read_frame(ctx, spec, in, &f)));
    *out = value_frame(f);
    return ML_OK;
}

ml_status io_read_input(Ctx *ctx, const Spec *spec, Input *in, Value *out)
{
    if (spec->dt == DT_SCALAR)
        return scalar_read(ctx, spec, in, out);
    TRY(check_sizes_given(ctx, spec));
    return spec->dt == DT_FRAME ? read_frame(ctx, spec, in, out) : read_matrix(ctx, spec, in, out);
}

ml_status io_read_value(Ctx *ctx, const char *path, const IoOptions *options, Value *out, int depth)
{
    Spec spec;
    Input in;
    ml_status st = spec_for_read(ctx, path, options, &spec);

    if (st == ML_OK && spec.dt == DT_LIST) {
        st = list_read(ctx, path, out, depth);
    } else if (st == ML_OK && (st = input_open(ctx, path, &in)) == ML_OK) {
        st = io_read_input(ctx, &spec, &in, out);
        input_close(&in);
    }
    spec_free(&spec);
    return st;
}

ml_status io_read(Ctx *ctx, const char *path, const IoOptions *options, Value *out)
{
    *out = value_none();
    return io_read_value(ctx, path, options, out, 0);
}

ml_status io_read_memory(Ctx *ctx, const char *name, const char *data, size_t size,
                         const IoOptions *options, Value *out)
{
    Spec spec;
    Input in;
    ml_status st = spec_for_read(ctx, name, options, &spec);

    *out = value_none();
    if (st == ML_OK && (st = input_memory(ctx, name, data, size, &in)) == ML_OK) {
        st = spec.dt == DT_LIST ? fail(ctx, ML_EVALUE, "read: a list is a folder")
                                : io_read_input(ctx, &spec, &in, out);
        input_close(&in);
    }
    spec_free(&spec);
    return st;
}

ml_status io_probe(Ctx *ctx, const char *path, const IoOptions *options, DataType *dt,
                   ValueType *vt, int64_t *rows, int64_t *cols, int64_t *nnz)
{
    struct stat info;
    Spec spec;
    ml_status st;

    *dt = DT_NONE;
    *vt = VT_NONE;
    *rows = *cols = *nnz = -1;
    if (stat(path, &info) != 0)
        return ML_OK;
    st = spec_for_read(ctx, path, options, &spec);
    if (st == ML_OK) {
        *dt = spec.dt;
        *vt = spec.dt == DT_SCALAR ? spec.vt : spec.dt == DT_MATRIX ? VT_DOUBLE : VT_UNKNOWN;
        *rows = spec.rows;
        *cols = spec.cols >= 0 && spec.format->label ? spec.cols + 1 : spec.cols;
    }
    spec_free(&spec);
    return st;
}

/* ---- writing ---- */

/* A hypersparse matrix where the format has no way of its own for it. */
static ml_status write_plain(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    Matrix *plain = NULL;
    ml_status st;

    TRY(matrix_spread_plain(ctx, m->rows, m->list, m->compact, &plain));
    st = spec->format->write_matrix(ctx, spec, plain, o);
    matrix_release(plain);
    return st;
}

static ml_status write_content(Ctx *ctx, const Spec *spec, Value v, Output *o)
{
    const Format *f = spec->format;

    if (v.dt == DT_SCALAR)
        return scalar_write(ctx, v, o);
    if (v.dt == DT_FRAME)
        return f->write_frame ? f->write_frame(ctx, spec, v.f, o) : fail_kind(ctx, spec, "write");
    if (v.m->rows == 0 || v.m->cols == 0)
        return fail(ctx, ML_EVALUE,
                    "write of matrices with zero rows or columns not supported (%" PRId64
                    "x%" PRId64 ")",
                    v.m->rows, v.m->cols);
    if (v.m->format == MATRIX_HYPER && !f->hyper)
        return write_plain(ctx, spec, v.m, o);
    return f->write_matrix(ctx, spec, v.m, o);
}

static ml_status write_mtd(Ctx *ctx, const Spec *spec, Value v, Output *o)
{
    Buffer b = {0};
    ml_status st;

    mtd_print(&b, v, spec);
    st = b.failed ? fail_memory(ctx, b.capacity) : output_append(ctx, o, b.data, b.size);
    buffer_free(&b);
    return st;
}

/* Metadata of an earlier write would describe the new file wrongly. */
static ml_status remove_mtd(Ctx *ctx, const char *mtd_path)
{
    if (unlink(mtd_path) != 0 && errno != ENOENT)
        return fail(ctx, ML_EIO, "cannot remove %s: %s", mtd_path, strerror(errno));
    return ML_OK;
}

static ml_status check_codec(Ctx *ctx, const Spec *spec, Value v)
{
    if (!spec->codec || v.dt == DT_SCALAR || spec->format->lines)
        return ML_OK;
    return fail(ctx, ML_EVALUE,
                "write: format %s is not written compressed, but the path ends in %s",
                spec->format->name, spec->path + spec->stem);
}

static ml_status write_files(Ctx *ctx, const Spec *spec, Value v, const IoOptions *options,
                             int depth)
{
    const char *mtd_path = arena_format(spec->arena, "%s.mtd", spec->path);
    const bool has_mtd = v.dt == DT_SCALAR || v.dt == DT_LIST || spec->format->mtd;
    Output data = {.fd = -1}, mtd = {.fd = -1};
    ml_status st;

    if (!mtd_path)
        return fail_memory(ctx, strlen(spec->path));
    if (v.dt == DT_LIST) {
        TRY_TO(done, st = list_write(ctx, v.l, spec->path, options, depth));
    } else {
        TRY_TO(done, st = check_codec(ctx, spec, v));
        TRY_TO(done, st = output_open(ctx, spec->path, &data));
        data.codec = spec->codec;
        TRY_TO(done, st = write_content(ctx, spec, v, &data));
    }
    if (has_mtd) {
        TRY_TO(done, st = output_open(ctx, mtd_path, &mtd));
        TRY_TO(done, st = write_mtd(ctx, spec, v, &mtd));
    }
    if (v.dt != DT_LIST)
        TRY_TO(done, st = output_commit(ctx, &data));
    st = has_mtd ? output_commit(ctx, &mtd) : remove_mtd(ctx, mtd_path);
done:
    output_discard(&mtd);
    output_discard(&data);
    return st;
}

ml_status io_write_value(Ctx *ctx, Value v, const char *path, const IoOptions *options, int depth)
{
    Spec spec;
    ml_status st = spec_for_write(ctx, v, path, options, &spec);

    if (st == ML_OK)
        st = write_files(ctx, &spec, v, options, depth);
    spec_free(&spec);
    return st;
}

ml_status io_write(Ctx *ctx, Value v, const char *path, const IoOptions *options)
{
    return io_write_value(ctx, v, path, options, 0);
}
