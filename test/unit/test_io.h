/* Shared by the test_io_*.c files: options in one expression, reading from text, files in a scratch
 * folder. */
#ifndef TEST_IO_H
#define TEST_IO_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/io.h"
#include "ml_test.h"

/* Options, given ones over defaults: OPTIONS(.format = "csv", .header = 1) */
#pragma GCC diagnostic ignored "-Woverride-init"
#define OPTIONS(...)                                                                               \
    ((IoOptions){                                                                                  \
        .rows = -1, .cols = -1, .nnz = -1, .header = -1, .fill = -1, .sparse = -1, __VA_ARGS__})

/* A path in the test's scratch folder, valid until 16 more were asked for; the folder goes at exit.
 */
const char *scratch(const char *name);
void write_text(const char *path, const char *text);
/* The content of a file, to be freed. */
char *read_text(const char *path);

/* Read text as a value, asserting success. */
Value read_as(const IoOptions *o, const char *text);
/* Read text, asserting failure with this code and a message that contains `message`. */
void assert_read_fails(const IoOptions *o, const char *text, ml_status code, const char *message);
/* Asserts size and cells, bit for bit but for NaN, and releases the value. */
void assert_matrix(Value v, int64_t rows, int64_t cols, const double *cells);
void assert_equal_matrix(const Matrix *a, const Matrix *b);
/* toString of a value, asserted; releases it. */
void assert_shows(Value v, const char *text);
/* A dense matrix of these cells, finished. */
Matrix *matrix_of(int64_t rows, int64_t cols, const double *cells);
/* What write gives, asserted, for a format whose file is text. */
void assert_writes(Value v, const IoOptions *o, const char *text);

#endif
