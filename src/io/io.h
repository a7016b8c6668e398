/* io: readers and writers, one file a format, found through formats.def.
 *
 * A read takes what the script says (IoOptions with `set` flags), completes it from the .mtd file
 * beside the data and returns a value; contradictions and bad content are errors that name file,
 * line and column.  A write goes to a temporary file beside the target that replaces it only when
 * complete. */
#ifndef IO_H
#define IO_H

#include "data/data.h"
#include "task/task.h"

/* Parameters of read() and write(), in the order of language.md 9.1; strings are borrowed, NULL
 * when not given. */
typedef struct IoOptions {
    const char *format, *data_type, *value_type, *sep, *na_strings, *ind_sep, *dataset,
        *description, *schema;
    int64_t rows, cols, nnz;  /* -1: not given */
    int header, fill, sparse; /* -1: not given, 0, 1 */
    double fill_value;        /* "default" */
    bool has_fill_value;
} IoOptions;
void io_options_init(IoOptions *o);

ml_status io_read(Ctx *ctx, const char *path, const IoOptions *options, Value *out);
/* The same from the bytes of a file that are in memory already; `name` is for messages. */
ml_status io_read_memory(Ctx *ctx, const char *name, const char *data, size_t size,
                         const IoOptions *options, Value *out);
ml_status io_write(Ctx *ctx, Value v, const char *path, const IoOptions *options);
/* Data type, value type and dimensions that a read would give, without reading the data: from
 * options and .mtd.  Unknown sizes are -1.  Used to size plans; a missing file is no error here
 * (*dt is then DT_NONE). */
ml_status io_probe(Ctx *ctx, const char *path, const IoOptions *options, DataType *dt,
                   ValueType *vt, int64_t *rows, int64_t *cols, int64_t *nnz);

#endif
