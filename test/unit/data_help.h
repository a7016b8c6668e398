/* Values for tests in one expression; each has one reference. */
#ifndef DATA_HELP_H
#define DATA_HELP_H

#include "data/data.h"

Value text_value(const char *text);
/* Dense, row by row; NULL: all zero. */
Value matrix_value(int64_t rows, int64_t cols, const double *cells);
/* STRING columns, row by row; NULL: null. */
Value frame_of_texts(int64_t rows, int64_t cols, const char *const *cells);
Value list_of(int64_t count, const Value *items); /* takes the items' references */

/* A pseudo-random cell, not zero with this probability; the state is the seed. */
double random_cell(uint64_t *state, double density);

#endif
