/* Matrices in the binary format: dense cells are one segment, CSR three (row pointers, values,
 * column indexes), constants are in the header. Large dense files are mapped and become the matrix
 * itself, so reading costs the checksum only.
 */
#include "io/binary.h"
#include "io/numbers.h"

ml_status binary_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    const size_t nnz = (size_t)m->nnz, rows = (size_t)m->rows;
    BinaryHeader h = {.rows = m->rows, .cols = m->cols, .nnz = m->nnz, .constant = m->constant};
    const Part dense[] = {{m->values, (size_t)matrix_cells(m) * sizeof(double)}};
    const Part csr[] = {{m->row_ptr, (rows + 1) * sizeof(int64_t)},
                        {m->values, nnz * sizeof(double)},
                        {m->col_idx, nnz * sizeof(uint32_t)}};

    (void)spec;
    if (m->format == MATRIX_CONSTANT) {
        h.kind = BINARY_CONSTANT;
        return binary_write(ctx, o, &h, NULL, 0);
    }
    h.kind = m->format == MATRIX_CSR ? BINARY_CSR : BINARY_DENSE;
    return m->format == MATRIX_CSR ? binary_write(ctx, o, &h, csr, 3)
                                   : binary_write(ctx, o, &h, dense, 1);
}

static ml_status read_dense(Ctx *ctx, const BinaryFile *b, Matrix **out)
{
    int64_t cells;
    size_t bytes;
    const char *data;

    if (!mul_int64(b->h.rows, b->h.cols, &cells) ||
        !mul_size((size_t)cells, sizeof(double), &bytes))
        return binary_corrupt(ctx, b, "impossible sizes in its header");
    data = binary_segment(ctx, b, 0, bytes);
    if (!data)
        return ML_EFORMAT;
    return numbers_of_file(ctx, b->file, (NumberType){'f', sizeof(double), false}, data, false,
                           b->h.rows, b->h.cols, out);
}

typedef struct CheckJob {
    const BinaryFile *b;
    const Matrix *m;
} CheckJob;

static bool row_is_sound(const Matrix *m, int64_t r)
{
    const int64_t lo = m->row_ptr[r], hi = m->row_ptr[r + 1];

    if (lo > hi || lo < 0 || hi > m->row_ptr[m->rows])
        return false;
    for (int64_t i = lo; i < hi; i++)
        if (m->col_idx[i] >= m->cols || (i > lo && m->col_idx[i] <= m->col_idx[i - 1]) ||
            m->values[i] == 0)
            return false;
    return true;
}

static ml_status check_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CheckJob *j = arg;

    for (int64_t r = lo; r < hi; r++)
        if (!row_is_sound(j->m, r))
            return binary_corrupt(ctx, j->b, "its sparse rows are not in order");
    return ML_OK;
}

static ml_status fill_csr(Ctx *ctx, const BinaryFile *b, Matrix *m)
{
    const size_t nnz = (size_t)b->h.nnz;
    const char *row_ptr = binary_segment(ctx, b, 0, ((size_t)m->rows + 1) * sizeof(int64_t));
    const char *values = row_ptr ? binary_segment(ctx, b, 1, nnz * sizeof(double)) : NULL;
    const char *col_idx = values ? binary_segment(ctx, b, 2, nnz * sizeof(uint32_t)) : NULL;
    CheckJob job = {b, m};

    if (!col_idx)
        return ML_EFORMAT;
    TRY(binary_copy(ctx, m->row_ptr, row_ptr, ((size_t)m->rows + 1) * sizeof(int64_t)));
    TRY(binary_copy(ctx, m->values, values, nnz * sizeof(double)));
    TRY(binary_copy(ctx, m->col_idx, col_idx, nnz * sizeof(uint32_t)));
    if (m->row_ptr[0] != 0 || m->row_ptr[m->rows] != b->h.nnz)
        return binary_corrupt(ctx, b, "its row pointers do not cover its cells");
    return task_for(ctx, m->rows, 4096, check_rows, &job);
}

static ml_status read_csr(Ctx *ctx, const BinaryFile *b, Matrix **out)
{
    /* checked against the file's size first, so that a false header cannot make us allocate */
    if (b->h.segments < 3 || b->h.nnz < 0 ||
        b->table[2].size / sizeof(uint32_t) != (uint64_t)b->h.nnz ||
        b->table[0].size / sizeof(int64_t) != (uint64_t)b->h.rows + 1)
        return binary_corrupt(ctx, b, "impossible sizes in its header");
    TRY(matrix_new_csr(ctx, b->h.rows, b->h.cols, b->h.nnz, out));
    return fill_csr(ctx, b, *out);
}

static ml_status read_kind(Ctx *ctx, const BinaryFile *b, Matrix **out)
{
    switch (b->h.kind) {
    case BINARY_DENSE:
        return read_dense(ctx, b, out);
    case BINARY_CSR:
        return read_csr(ctx, b, out);
    case BINARY_CONSTANT:
        return matrix_new_constant(ctx, b->h.rows, b->h.cols, b->h.constant, out);
    default:
        return fail(ctx, ML_EFORMAT, "%s: the binary file holds no matrix", b->file->name);
    }
}

ml_status binary_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    BinaryFile b;
    ml_status st;

    *out = NULL;
    TRY_TO(done, st = binary_open(ctx, spec, in, &b));
    TRY_TO(done, st = read_kind(ctx, &b, out));
    TRY_TO(done, st = matrix_finish(ctx, out, (*out)->nnz));
    if ((*out)->nnz != b.h.nnz)
        st = binary_corrupt(ctx, &b, "its number of nonzeros is wrong");
done:
    if (st != ML_OK) {
        matrix_release(*out);
        *out = NULL;
    }
    binary_close(&b);
    return st;
}
