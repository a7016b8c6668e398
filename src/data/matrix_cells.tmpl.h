/* matrix_cells: the loops over stored cells for one type.
 *
 * Defined by the includer and undefined at the end: CELL, the type; CELLS, the member of Matrix
 * that points to them; NAME(part), what the functions are called. */

static int64_t NAME(count)(const CELL *cells, int64_t n)
{
    int64_t count = 0;

    for (int64_t i = 0; i < n; i++)
        count += cells[i] != 0;
    return count;
}

static void NAME(compact)(Matrix *m)
{
    int64_t kept = 0, k = 0;

    for (int64_t i = 0; i < m->rows; i++) {
        for (int64_t end = m->row_ptr[i + 1]; k < end; k++) {
            if (m->CELLS[k] == 0)
                continue;
            m->CELLS[kept] = m->CELLS[k];
            m->col_idx[kept++] = m->col_idx[k];
        }
        m->row_ptr[i + 1] = kept;
    }
}

static void NAME(spread)(const Matrix *in, int64_t row, CELL *out)
{
    const CELL fill = in->format == MATRIX_CONSTANT ? (CELL)in->constant : 0;

    if (in->format == MATRIX_DENSE) {
        memmove(out, in->CELLS + row * in->cols, (size_t)in->cols * sizeof *out);
        return;
    }
    for (int64_t j = 0; j < in->cols; j++)
        out[j] = fill;
    if (in->format == MATRIX_CSR)
        for (int64_t k = in->row_ptr[row]; k < in->row_ptr[row + 1]; k++)
            out[in->col_idx[k]] = in->CELLS[k];
}

/* Stores every cell and moves on only after a nonzero: no branch to mispredict.  Stops at the last
 * nonzero, so nothing is stored beyond the row. */
static void NAME(compress)(const CELL *cells, int64_t count, CELL *values, uint32_t *idx)
{
    for (int64_t n = 0, j = 0; n < count; j++) {
        values[n] = cells[j];
        idx[n] = (uint32_t)j;
        n += cells[j] != 0;
    }
}

#undef CELL
#undef CELLS
#undef NAME
