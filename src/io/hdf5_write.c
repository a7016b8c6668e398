/* Writing HDF5 and NetCDF-4: files, dimensions, matrices.
 *
 * In NetCDF-4 a dimension is a dataset marked as a dimension scale, which variables refer to; one
 * without coordinates has a name by which the library of NetCDF knows it, and holds nothing. The
 * order in which members are made is kept, as both NetCDF and columns of frames need it.
 */
#include "io/hdf5.h"

enum {
    ROWS_BYTES = 1 << 20, /* of rows at a time, for matrices that are not dense */
    ALIGN_FROM = 1 << 16, /* bytes; larger datasets begin where their mapping can become a matrix */
    ALIGN = 64
};

ml_status hdf5_create(Ctx *ctx, const Spec *spec, const Output *o, bool netcdf, Hdf5File *out)
{
    const Hdf5 *h = hdf5_begin(ctx);
    Hid creation, access;

    *out = (Hdf5File){.h = h, .spec = spec, .netcdf = netcdf, .id = -1};
    if (!h)
        return ML_EUNSUPPORTED;
    creation = h->list_new(*h->of_files);
    h->list_track(creation, HDF5_TRACKED);
    access = h->list_new(*h->of_access);
    h->list_align(access, ALIGN_FROM, ALIGN);
    out->id = h->file_create(o->temp, HDF5_TRUNCATE, creation, access);
    h->list_close(access);
    h->list_close(creation);
    if (out->id >= 0)
        return ML_OK;
    hdf5_fail(ctx, h, ML_EIO, spec->path, "cannot be written");
    hdf5_end();
    return ML_EIO;
}

ml_status hdf5_finish(Ctx *ctx, Hdf5File *f, ml_status st)
{
    if (f->h->file_close(f->id) < 0 && st == ML_OK)
        st = hdf5_fail(ctx, f->h, ML_EIO, f->spec->path, "cannot be written");
    hdf5_end();
    return st;
}

Hid hdf5_new_data(Ctx *ctx, const Hdf5File *f, const char *name, Hid type, int dims,
                  const Hsize *shape)
{
    const Hdf5 *h = f->h;
    const Hid space = h->space_new(dims, shape, NULL), link = h->list_new(*h->of_links),
              creation = h->list_new(*h->of_data);
    Hid id;

    h->list_make_groups(link, 1);
    h->list_times(creation, false); /* equal data give equal files */
    id = h->data_create(f->id, name, type, space, link, creation, HDF5_ALL);
    h->list_close(creation);
    h->list_close(link);
    h->space_close(space);
    if (id < 0)
        hdf5_fail_data(ctx, f, name, "cannot be written");
    return id;
}

/* The number by which the library of NetCDF orders dimensions. */
static bool number_dimension(const Hdf5 *h, Hid dimension, int number)
{
    const Hid space = h->space_new(0, NULL, NULL);
    const Hid a =
        h->attribute_new(dimension, "_Netcdf4Dimid", *h->int32_type, space, HDF5_ALL, HDF5_ALL);
    const bool done = a >= 0 && h->attribute_write(a, *h->int32_type, &number) >= 0;

    if (a >= 0)
        h->attribute_close(a);
    h->space_close(space);
    return done;
}

Hid hdf5_new_dimension(Ctx *ctx, const Hdf5File *f, const char *name, int number, int64_t size)
{
    const Hsize shape[] = {(Hsize)size};
    const Hid id = hdf5_new_data(ctx, f, name, *f->h->float_type, 1, shape);
    char known[80];

    snprintf(known, sizeof known, "This is a netCDF dimension but not a netCDF variable.%10" PRId64,
             size);
    if (id >= 0 && f->h->scale_set(id, known) >= 0 && number_dimension(f->h, id, number))
        return id;
    if (id >= 0) {
        hdf5_fail_data(ctx, f, name, "cannot be made a dimension");
        f->h->object_close(id);
    }
    return -1;
}

static ml_status attach_dimension(Ctx *ctx, const Hdf5File *f, Hid data, const char *name,
                                  int number, int64_t size)
{
    const Hid id = hdf5_new_dimension(ctx, f, name, number, size);
    ml_status st = ML_OK;

    if (id < 0)
        return ML_EIO;
    if (f->h->scale_attach(data, id, (unsigned)number) < 0)
        st = hdf5_fail_data(ctx, f, name, "cannot be attached as a dimension");
    f->h->object_close(id);
    return st;
}

/* Rows that are not dense, some at a time. */
static ml_status write_rows(Ctx *ctx, const Hdf5File *f, Hid data, const Matrix *m)
{
    const Hdf5 *h = f->h;
    const int64_t step = 1 + ROWS_BYTES / (8 * m->cols);
    const Hid file = h->data_space(data);
    double *rows = mem_alloc((size_t)(step * m->cols) * sizeof *rows);
    ml_status st = rows ? ML_OK : fail_memory(ctx, (size_t)(step * m->cols) * sizeof *rows);

    for (int64_t at = 0; at < m->rows && st == ML_OK; at += step) {
        const int64_t n = m->rows - at < step ? m->rows - at : step;
        const Hsize start[] = {(Hsize)at, 0}, count[] = {(Hsize)n, (Hsize)m->cols};
        const Hid memory = h->space_new(2, count, NULL);

        for (int64_t r = 0; r < n; r++) {
            double *to = rows + r * m->cols;
            const double *row = matrix_row(m, at + r, to);

            if (row != to)
                memcpy(to, row, (size_t)m->cols * sizeof *to);
        }
        h->space_select(file, 0, start, NULL, count, NULL);
        if (h->data_write(data, *h->memory_double, memory, file, HDF5_ALL, rows) < 0)
            st = hdf5_fail(ctx, h, ML_EIO, f->spec->path, "cannot be written");
        h->space_close(memory);
    }
    h->space_close(file);
    mem_free(rows);
    return st;
}

static ml_status write_cells(Ctx *ctx, const Hdf5File *f, Hid data, const Matrix *m)
{
    const Hdf5 *h = f->h;

    if (m->format != MATRIX_DENSE)
        return write_rows(ctx, f, data, m);
    if (h->data_write(data, *h->memory_double, HDF5_ALL, HDF5_ALL, HDF5_ALL, m->values) < 0)
        return hdf5_fail(ctx, h, ML_EIO, f->spec->path, "cannot be written");
    return ML_OK;
}

static ml_status write_matrix(Ctx *ctx, const Spec *spec, const Matrix *m, const Output *o,
                              bool netcdf)
{
    const Hsize shape[] = {(Hsize)m->rows, (Hsize)m->cols};
    Hdf5File f;
    Hid data;
    ml_status st;

    TRY(hdf5_create(ctx, spec, o, netcdf, &f));
    data =
        hdf5_new_data(ctx, &f, spec->dataset ? spec->dataset : "data", *f.h->double_type, 2, shape);
    st = data < 0 ? ML_EIO : write_cells(ctx, &f, data, m);
    if (st == ML_OK && netcdf)
        st = attach_dimension(ctx, &f, data, "row", 0, m->rows);
    if (st == ML_OK && netcdf)
        st = attach_dimension(ctx, &f, data, "col", 1, m->cols);
    if (data >= 0)
        f.h->object_close(data);
    return hdf5_finish(ctx, &f, st);
}

ml_status hdf5_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    return write_matrix(ctx, spec, m, o, false);
}

ml_status netcdf_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    return write_matrix(ctx, spec, m, o, true);
}
