/* The loop of csv_marks.c for AVX-512 with instructions that compress bytes. */
#define FILL csv_marks_fill_vbmi2
#include "io/csv_marks.tmpl.h"
