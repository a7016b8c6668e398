/* The cells of some lines, column by column: see csv_cells.c. */
#ifndef CSV_CELLS_H
#define CSV_CELLS_H

#include "io/csv_marks.h"
#include "io/csv_numbers.h"
#include "io/frame_build.h"

typedef struct CsvCells {
    const Spec *spec;
    FrameBuild *build;
    int part;
    bool plain; /* no NA string could be taken for a number */
    const InputFile *file;
    const char *begin, *end; /* what may be read around the text */
    const CsvMarks *marks;
    TextSpan *texts; /* room for those of a column, */
    uint32_t *left;  /* for which of them are left, */
    uint8_t *bad;
    uint32_t *ends, *sizes; /* of cells, `stride` a column; those of an end before the first cell */
    int64_t stride;
} CsvCells;

/* Room for `rows` lines at a time. */
ml_status csv_cells_open(Ctx *ctx, CsvCells *c, int64_t rows);
void csv_cells_close(CsvCells *c);
/* The first n marked lines, which have all their cells, become rows from `row`. The error is that
 * of the first bad cell in the order of the text. */
ml_status csv_put_lines(Ctx *ctx, const CsvCells *c, int64_t row, int64_t n);
/* One cell in its own way, p NULL where the line ends before it. */
ml_status csv_put_cell(Ctx *ctx, const CsvCells *c, int64_t row, int64_t col, const char *p,
                       const char *end);
/* The cell [*p, end) without outer blanks; *p NULL if it is empty or NA. */
void csv_trim_cell(const Spec *spec, const char **p, const char **end);

#endif
