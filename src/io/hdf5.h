/* HDF5 and NetCDF-4 files, for the files hdf5*.c.
 *
 * NetCDF-4 is HDF5 with conventions: what they are is in hdf5_write.c (dimensions are datasets that
 * variables refer to) and hdf5.c (fill values and scaling are attributes). */
#ifndef HDF5_H
#define HDF5_H

#include "io/hdf5_library.h"
#include "io/isolate.h"
#include "io/numbers.h"

enum { HDF5_DIMS = 32 };

typedef struct Hdf5File {
    const Hdf5 *h;
    const Spec *spec;
    const InputFile *file; /* that is read */
    Isolation *self;       /* in which it is read */
    Hid id;
    bool netcdf;
} Hdf5File;

/* ---- reading: in a child process (isolate.h), since libhdf5 does not survive all damage ---- */

/* The child's part: read from an open file, which needs not be closed. */
typedef ml_status (*Hdf5Read)(Ctx *ctx, const Hdf5File *f);
typedef struct Hdf5Job {
    const Spec *spec;
    const Input *in;
    bool netcdf;
    Hdf5Read read;
    /* As in IsolatedJob, or NULL; what they get is arg. */
    ml_status (*room)(Ctx *ctx, void *arg, const void *answer, size_t *bytes);
    ml_status (*take)(Ctx *ctx, void *arg, const void *data, size_t bytes);
    void *arg;
} Hdf5Job;
/* Check, open and read; memory as in `isolate`. */
ml_status hdf5_read_apart(Ctx *ctx, const Hdf5Job *job, InputFile *memory);

typedef struct Hdf5Data {
    const char *name; /* in the arena of the spec */
    Hid id, type;
    int type_class, dims;
    bool numeric, scale; /* scale: only the coordinates of a dimension */
    bool plain;          /* its cells are of the type `number`, as they lie */
    NumberType number;
    int64_t rows, cols; /* all dimensions but the first are spread over columns */
} Hdf5Data;

/* Look at a dataset: *is_data is false when it is something else or of an impossible shape. */
ml_status hdf5_open_data(Ctx *ctx, const Hdf5File *f, const char *name, bool *is_data,
                         Hdf5Data *out);
void hdf5_close_data(const Hdf5File *f, Hdf5Data *d);
/* Name k of a group, in the order of their making if the file knows it, in the arena; NULL with the
 * error recorded. */
const char *hdf5_name(Ctx *ctx, const Hdf5File *f, Hid group, const char *path, Hsize k);

/* A dimension of NetCDF that has no coordinates, by its name attribute. */
bool hdf5_is_bare_dimension(const Hdf5File *f, const Hdf5Data *d);

/* Where missing cells and scaled ones are told. */
typedef struct Hdf5Rule {
    bool has_fill, has_missing, scaled;
    double fill, missing, factor, offset;
} Hdf5Rule;
static inline bool hdf5_rule_applies(const Hdf5Rule *rule)
{
    return rule->has_fill || rule->has_missing || rule->scaled;
}
Hdf5Rule hdf5_rule(const Hdf5File *f, const Hdf5Data *d);
void hdf5_apply(const Hdf5Rule *rule, double *cells, int64_t n);

/* ---- cells in chunks as they lie: see hdf5_chunks.c ---- */

typedef struct Hdf5Chunks {
    int64_t rows, cols;  /* of a chunk; 0: there are none that are taken so */
    int64_t down, along; /* chunks */
} Hdf5Chunks;
Hdf5Chunks hdf5_chunks(const Hdf5 *h, const Hdf5Data *d);
/* Bytes of one chunk and of all; false when they do not cover rows x cols, or are impossible. */
bool hdf5_chunks_bytes(const Hdf5Chunks *c, NumberType type, int64_t rows, int64_t cols,
                       size_t *chunk, size_t *all);
/* In the child: all of them, row by row of chunks. */
ml_status hdf5_put_chunks(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, const Hdf5Chunks *c);
/* In the parent: the cells of `count` chunks from that number on, into a dense matrix; how many are
 * not zero. */
int64_t hdf5_take_chunks(const Hdf5Chunks *c, NumberType type, const Hdf5Rule *rule,
                         const char *from, int64_t number, int64_t count, Matrix *m);

ml_status hdf5_fail_data(Ctx *ctx, const Hdf5File *f, const char *name, const char *what);

/* ---- writing ---- */

/* Make a dataset in the new file; < 0 with the error recorded. */
Hid hdf5_new_data(Ctx *ctx, const Hdf5File *f, const char *name, Hid type, int dims,
                  const Hsize *shape);
/* Begin and create; hdf5_finish ends. */
ml_status hdf5_create(Ctx *ctx, const Spec *spec, const Output *o, bool netcdf, Hdf5File *out);
/* Close a file that was written; what the library still held reaches the disk here. */
ml_status hdf5_finish(Ctx *ctx, Hdf5File *f, ml_status st);
/* A dimension of NetCDF: < 0 with the error recorded, else to be closed. */
Hid hdf5_new_dimension(Ctx *ctx, const Hdf5File *f, const char *name, int number, int64_t size);

#endif
