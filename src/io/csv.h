/* Shared by the csv_*.c files: how a line falls into cells. */
#ifndef CSV_H
#define CSV_H

#include "io/io_impl.h"

/* The first separator in [p, end), or end. */
static inline const char *csv_find_sep(const char *p, const char *end, const char *sep, size_t n)
{
    const char *q;

    if (n == 1) {
        q = memchr(p, *sep, (size_t)(end - p));
        return q ? q : end;
    }
    q = memmem(p, (size_t)(end - p), sep, n);
    return q ? q : end;
}

/* Whether the cell [p, end), without outer blanks, is one of the spec's NA strings. */
bool csv_is_na(const Spec *spec, const char *p, const char *end);
/* Whether no NA string could be taken for a number. */
bool csv_na_is_no_number(const Spec *spec);
/* Skip the header of lines that were split, and find the number of columns; the header stays at
 * *header, NULL without. */
ml_status csv_start(Ctx *ctx, const Spec *spec, bool quotes, Lines *lines, const char **header,
                    const char **header_end, int64_t *cols);
/* The end of the cell at p: the next separator outside quotes that open the cell, or end. */
const char *csv_cell_end(const Spec *spec, const char *p, const char *end, bool quotes);

/* How many cells the line [p, end) has; `quotes`: separators inside quotes are none. */
int64_t csv_count_cells(const Spec *spec, const char *p, const char *end, bool quotes);

#endif
