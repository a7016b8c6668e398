/* NumPy's .npz: a zip archive with a .npy file for each array.
 *
 * A matrix is one array of it, by name or the only one, or a sparse matrix of SciPy (npz_sparse.c).
 */
#include "io/npz.h"

#include <stdio.h>

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), k = strlen(end);

    return n >= k && strcmp(text + n - k, end) == 0;
}

const ZipMember *npz_find(const Npz *z, const char *name)
{
    const size_t n = strlen(name);

    for (int64_t i = 0; i < z->zip.count; i++) {
        const ZipMember *m = &z->zip.members[i];

        if (strncmp(m->name, name, n) == 0 && (!m->name[n] || strcmp(m->name + n, ".npy") == 0))
            return m;
    }
    return NULL;
}

ml_status npz_open_array(Ctx *ctx, const Npz *z, const ZipMember *m, NpzArray *out)
{
    const char *data = NULL, *name = arena_format(z->spec->arena, "%s(%s)", z->spec->path, m->name);
    ml_status st;

    *out = (NpzArray){.size = m->size};
    if (!name)
        return fail_memory(ctx, strlen(m->name));
    TRY(zip_read(ctx, &z->zip, m, &data, &out->owned));
    st = npy_open(ctx, z->spec->arena, name, data, m->size, &out->a);
    if (st != ML_OK)
        npz_close_array(ctx, out);
    return st;
}

void npz_close_array(Ctx *ctx, NpzArray *a)
{
    pool_release(ctx->pool, a->owned, a->size + 1);
    a->owned = NULL;
}

ml_status npz_open(Ctx *ctx, const Spec *spec, const Input *in, Npz *out)
{
    *out = (Npz){.spec = spec};
    if (in->count != 1)
        return fail(ctx, ML_EFORMAT, "%s: an archive is one file, found %d", spec->path, in->count);
    return zip_open(ctx, spec->arena, &in->files[0], &out->zip);
}

/* Which array: the one that dataset names, or the only one. */
static ml_status choose(Ctx *ctx, const Npz *z, const ZipMember **out)
{
    const char *dataset = z->spec->dataset;
    char names[200] = "";

    if (z->zip.count == 0)
        return fail(ctx, ML_EFORMAT, "%s: the archive holds no arrays", z->spec->path);
    *out = dataset ? npz_find(z, dataset) : z->zip.count == 1 ? z->zip.members : NULL;
    if (*out)
        return ML_OK;
    for (int64_t i = 0; i < z->zip.count && strlen(names) < sizeof names - 1; i++) {
        const size_t n = strlen(names);
        const char *name = z->zip.members[i].name;

        snprintf(names + n, sizeof names - n, "%s%.*s", i ? ", " : "",
                 (int)(strlen(name) - (ends_with(name, ".npy") ? 4 : 0)), name);
    }
    if (dataset)
        return fail(ctx, ML_EVALUE, "%s: there is no array '%s'; the archive holds: %s",
                    z->spec->path, dataset, names);
    return fail(ctx, ML_EVALUE, "%s: dataset=\"NAME\" must say which array; the archive holds: %s",
                z->spec->path, names);
}

static ml_status read_one(Ctx *ctx, const Npz *z, Matrix **out)
{
    const ZipMember *m;
    NpzArray array;
    ml_status st;

    TRY(choose(ctx, z, &m));
    TRY(npz_open_array(ctx, z, m, &array));
    st = input_check_dims(ctx, z->spec, array.a.rows, array.a.cols);
    if (st == ML_OK)
        st = npy_to_matrix(ctx, &array.a, out);
    npz_close_array(ctx, &array);
    return st;
}

ml_status npz_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    Npz z;
    ml_status st;

    *out = NULL;
    TRY(npz_open(ctx, spec, in, &z));
    st = !spec->dataset && npz_is_sparse(&z) ? npz_read_sparse(ctx, &z, out)
                                             : read_one(ctx, &z, out);
    if (st == ML_OK)
        st = matrix_finish(ctx, out, (*out)->nnz);
    if (st != ML_OK) {
        matrix_release(*out);
        *out = NULL;
    }
    return st;
}

/* ---- writing ---- */

ml_status npz_begin(Ctx *ctx, ZipWriter *w, const char *name, const char *descr, int64_t rows,
                    int64_t cols, size_t bytes)
{
    const char *member = arena_format(w->arena, "%s.npy", name);
    Buffer b = {0};
    ml_status st;

    npy_put_header(&b, descr, rows, cols);
    st = b.failed || !member ? fail_memory(ctx, b.capacity)
                             : zip_begin(ctx, w, member, b.size + bytes);
    if (st == ML_OK)
        st = zip_put(ctx, w, b.data, b.size);
    buffer_free(&b);
    return st;
}

static ml_status put_rows(Ctx *ctx, ZipWriter *w, const Matrix *m)
{
    const int64_t step = 1 + (1 << 16) / (m->cols + 1);
    Buffer b = {0};
    ml_status st = ML_OK;

    for (int64_t r = 0; r < m->rows && st == ML_OK; r += step) {
        b.size = 0;
        npy_put_rows(m, r, m->rows - r < step ? m->rows : r + step, &b);
        st = b.failed ? fail_memory(ctx, b.capacity) : zip_put(ctx, w, b.data, b.size);
    }
    buffer_free(&b);
    return st;
}

static ml_status write_dense(Ctx *ctx, const Spec *spec, ZipWriter *w, const Matrix *m)
{
    const size_t bytes = (size_t)matrix_cells(m) * sizeof(double);

    TRY(npz_begin(ctx, w, spec->dataset ? spec->dataset : "arr_0", "'<f8'", m->rows, m->cols,
                  bytes));
    TRY(m->format == MATRIX_DENSE ? zip_put(ctx, w, m->values, bytes) : put_rows(ctx, w, m));
    return zip_end(ctx, w);
}

ml_status npz_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    ZipWriter w = {.o = o, .arena = spec->arena};
    ml_status st = m->format == MATRIX_CSR && !spec->dataset ? npz_write_sparse(ctx, &w, m)
                                                             : write_dense(ctx, spec, &w, m);

    if (st == ML_OK)
        st = zip_finish(ctx, &w);
    zip_free(&w);
    return st;
}
