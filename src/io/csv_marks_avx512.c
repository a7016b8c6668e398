/* The loop of csv_marks.c for AVX-512 and its companions. */
#define FILL csv_marks_fill_avx512
#include "io/csv_marks.tmpl.h"
