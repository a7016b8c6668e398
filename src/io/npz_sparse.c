/* Sparse matrices of SciPy, as scipy.sparse.save_npz writes them: arrays `format`, `shape`, `data`
 * and the indexes of the format, which are csr, csc or coo. Cells at one place add up, as they do
 * there.
 */
#include "io/npz.h"

typedef struct Sparse {
    const Npz *z;
    NpzArray data, first, second; /* csr, csc: indptr, indices; coo: row, col */
    int64_t rows, cols;
    bool coo, by_column;
} Sparse;

bool npz_is_sparse(const Npz *z)
{
    return npz_find(z, "format") && npz_find(z, "shape") && npz_find(z, "data");
}

static ml_status open_named(Ctx *ctx, const Npz *z, const char *name, NpzArray *out)
{
    const ZipMember *m = npz_find(z, name);

    if (!m)
        return fail(ctx, ML_EFORMAT, "%s: the sparse matrix lacks its array '%s'", z->spec->path,
                    name);
    return npz_open_array(ctx, z, m, out);
}

/* The name of the format: bytes, or four-byte characters. */
static ml_status read_format(Ctx *ctx, Sparse *s)
{
    const char *const known[] = {"csr", "csc", "coo"};
    NpzArray a;
    char name[8] = "";
    int found = -1;

    TRY(open_named(ctx, s->z, "format", &a));
    if (a.a.plain && a.a.rows == 1 && a.a.cols == 1 && strchr("SU", a.a.fields->kind)) {
        const int step = a.a.fields->kind == 'U' ? 4 : 1;

        for (int i = 0; i < 7 && (int64_t)i * step < a.a.fields->size; i++)
            name[i] = a.a.data[i * step + (a.a.fields->swapped ? step - 1 : 0)];
    }
    npz_close_array(ctx, &a);
    for (int i = 0; i < 3; i++)
        if (strcmp(name, known[i]) == 0)
            found = i;
    if (found < 0)
        return fail(ctx, ML_EFORMAT, "%s: the sparse format is '%s', expected csr, csc or coo",
                    s->z->spec->path, name);
    s->by_column = found == 1;
    s->coo = found == 2;
    return ML_OK;
}

/* Integer i of an array of any number type. */
static int64_t index_at(const NpyArray *a, int64_t i)
{
    const NpyField *f = a->fields;
    const NumberType t = {f->kind, (uint8_t)f->size, f->swapped};
    double v;

    numbers_to_doubles(t, a->data + i * f->size, 0, 1, &v);
    return v >= -1 && v < 0x1p53 ? (int64_t)v : -1;
}

/* A vector of numbers, integers when they are indexes. */
static ml_status check_vector(Ctx *ctx, const NpyArray *a, bool indexes)
{
    NumberType t;

    if (!a->plain || a->dims != 1)
        return fail(ctx, ML_EFORMAT, "%s: expected an array of one dimension", a->name);
    TRY(npy_numbers(ctx, a, a->fields, &t));
    if (indexes && t.kind != 'i' && t.kind != 'u')
        return fail(ctx, ML_EFORMAT, "%s: dtype '%s', expected integers", a->name,
                    a->fields->descr);
    return ML_OK;
}

static ml_status read_shape(Ctx *ctx, Sparse *s)
{
    NpzArray a;
    ml_status st;

    TRY(open_named(ctx, s->z, "shape", &a));
    st = check_vector(ctx, &a.a, true);
    if (st == ML_OK && a.a.rows != 2)
        st = fail(ctx, ML_EFORMAT, "%s: expected two sizes", a.a.name);
    if (st == ML_OK) {
        s->rows = index_at(&a.a, 0);
        s->cols = index_at(&a.a, 1);
        if (s->rows < 0 || s->cols < 0 || s->cols > UINT32_MAX)
            st = fail(ctx, ML_EFORMAT, "%s: sizes %" PRId64 " and %" PRId64 " are not possible",
                      a.a.name, s->rows, s->cols);
    }
    npz_close_array(ctx, &a);
    return st;
}

static ml_status open_vectors(Ctx *ctx, Sparse *s)
{
    TRY(open_named(ctx, s->z, "data", &s->data));
    TRY(open_named(ctx, s->z, s->coo ? "row" : "indptr", &s->first));
    TRY(open_named(ctx, s->z, s->coo ? "col" : "indices", &s->second));
    TRY(check_vector(ctx, &s->data.a, false));
    TRY(check_vector(ctx, &s->first.a, true));
    TRY(check_vector(ctx, &s->second.a, true));
    if (s->second.a.rows != s->data.a.rows ||
        s->first.a.rows != (s->coo ? s->data.a.rows : (s->by_column ? s->cols : s->rows) + 1))
        return fail(ctx, ML_EFORMAT, "%s: the arrays of the sparse matrix differ in length",
                    s->z->spec->path);
    return ML_OK;
}

static ml_status put_cell(Ctx *ctx, const Sparse *s, CellChunk *c, int64_t row, int64_t i)
{
    const NpyField *f = s->data.a.fields;
    const NumberType t = {f->kind, (uint8_t)f->size, f->swapped};
    const int64_t other = index_at(&s->second.a, i);
    Cell cell = {.row = s->by_column ? other : row, .col = s->by_column ? row : other};

    if (cell.row < 0 || cell.row >= s->rows || cell.col < 0 || cell.col >= s->cols)
        return fail(ctx, ML_EFORMAT,
                    "%s: entry %" PRId64 " is at %" PRId64 ",%" PRId64 ", outside the %" PRId64
                    "x%" PRId64 " matrix",
                    s->z->spec->path, i, cell.row, cell.col, s->rows, s->cols);
    numbers_to_doubles(t, s->data.a.data + i * f->size, 0, 1, &cell.value);
    return VEC_PUSH(&c->cells, cell) ? ML_OK : fail_memory(ctx, sizeof cell * (size_t)i);
}

/* All cells, with the row or column of each from the pointers. */
static ml_status collect(Ctx *ctx, const Sparse *s, CellChunk *c)
{
    const int64_t nnz = s->data.a.rows, outer = s->coo ? 0 : s->first.a.rows - 1;
    int64_t at = 0;

    for (int64_t i = 0; s->coo && i < nnz; i++)
        TRY(put_cell(ctx, s, c, index_at(&s->first.a, i), i));
    for (int64_t r = 0; r < outer; r++) {
        const int64_t from = index_at(&s->first.a, r), to = index_at(&s->first.a, r + 1);

        if (from != at || to < from || to > nnz)
            return fail(ctx, ML_EFORMAT, "%s: entry %" PRId64 " is out of order", s->first.a.name,
                        r + (from == at));
        for (; at < to; at++)
            TRY(put_cell(ctx, s, c, r, at));
    }
    return ML_OK;
}

ml_status npz_read_sparse(Ctx *ctx, const Npz *z, Matrix **out)
{
    Sparse s = {.z = z};
    CellChunk cells = {0};
    ml_status st;

    TRY_TO(done, st = read_format(ctx, &s));
    TRY_TO(done, st = read_shape(ctx, &s));
    TRY_TO(done, st = input_check_dims(ctx, z->spec, s.rows, s.cols));
    TRY_TO(done, st = open_vectors(ctx, &s));
    TRY_TO(done, st = collect(ctx, &s, &cells));
    st = cells_to_matrix(ctx, s.rows, s.cols, &cells, 1, CELLS_SUM, out);
done:
    VEC_FREE(&cells.cells);
    npz_close_array(ctx, &s.data);
    npz_close_array(ctx, &s.first);
    npz_close_array(ctx, &s.second);
    return st;
}

/* ---- writing ---- */

typedef struct Integers {
    const int64_t *pointers; /* or */
    const uint32_t *indexes;
    bool wide;
} Integers;

/* Put n integers in the width of the file. */
static ml_status put_integers(Ctx *ctx, ZipWriter *w, const Integers *in, int64_t n)
{
    enum { SOME = 4096 };
    int64_t wide[SOME];
    int32_t narrow[SOME];
    const size_t size = in->wide ? sizeof *wide : sizeof *narrow;

    for (int64_t at = 0; at < n; at += SOME) {
        const int64_t some = n - at < SOME ? n - at : SOME;

        for (int64_t i = 0; i < some; i++) {
            wide[i] = in->pointers ? in->pointers[at + i] : (int64_t)in->indexes[at + i];
            narrow[i] = (int32_t)wide[i];
        }
        TRY(zip_put(ctx, w, in->wide ? (void *)wide : (void *)narrow, (size_t)some * size));
    }
    return ML_OK;
}

static ml_status write_integers(Ctx *ctx, ZipWriter *w, const char *name, const Integers *in,
                                int64_t n)
{
    TRY(npz_begin(ctx, w, name, in->wide ? "'<i8'" : "'<i4'", n, -1,
                  (size_t)n * (in->wide ? sizeof(int64_t) : sizeof(int32_t))));
    TRY(put_integers(ctx, w, in, n));
    return zip_end(ctx, w);
}

/* An array of no dimension: rows < 0. */
static ml_status write_format(Ctx *ctx, ZipWriter *w)
{
    static const char head[] = "{'descr': '|S3', 'fortran_order': False, 'shape': (), }";
    char array[128 + 3] = "\x93NUMPY\x01\0\x76";

    memset(array + 10, ' ', sizeof array - 10);
    memcpy(array + 10, head, sizeof head - 1);
    memcpy(array + 127, "\ncsr", 4);
    TRY(zip_begin(ctx, w, "format.npy", sizeof array));
    TRY(zip_put(ctx, w, array, sizeof array));
    return zip_end(ctx, w);
}

ml_status npz_write_sparse(Ctx *ctx, ZipWriter *w, const Matrix *m)
{
    const bool wide = m->nnz > INT32_MAX || m->cols > INT32_MAX;
    const int64_t shape[] = {m->rows, m->cols};
    const size_t bytes = (size_t)m->nnz * sizeof(double);

    TRY(write_integers(ctx, w, "indices", &(Integers){.indexes = m->col_idx, .wide = wide},
                       m->nnz));
    TRY(write_integers(ctx, w, "indptr", &(Integers){.pointers = m->row_ptr, .wide = wide},
                       m->rows + 1));
    TRY(write_format(ctx, w));
    TRY(write_integers(ctx, w, "shape", &(Integers){.pointers = shape, .wide = true}, 2));
    TRY(npz_begin(ctx, w, "data", "'<f8'", m->nnz, -1, bytes));
    TRY(zip_put(ctx, w, m->values, bytes));
    return zip_end(ctx, w);
}
