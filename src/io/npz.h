/* NumPy's .npz: arrays in a zip archive, for npz.c and npz_sparse.c. */
#ifndef NPZ_H
#define NPZ_H

#include "io/npy.h"
#include "io/zip.h"

typedef struct Npz {
    const Spec *spec;
    Zip zip;
} Npz;

/* An array of the archive while it is read. */
typedef struct NpzArray {
    NpyArray a;
    void *owned; /* of the pool */
    size_t size;
} NpzArray;

ml_status npz_open(Ctx *ctx, const Spec *spec, const Input *in, Npz *out);
/* The member NAME or NAME.npy; NULL if there is none. */
const ZipMember *npz_find(const Npz *z, const char *name);
ml_status npz_open_array(Ctx *ctx, const Npz *z, const ZipMember *m, NpzArray *out);
void npz_close_array(Ctx *ctx, NpzArray *a);

/* Matrices as scipy.sparse.save_npz writes them. */
bool npz_is_sparse(const Npz *z);
ml_status npz_read_sparse(Ctx *ctx, const Npz *z, Matrix **out);
ml_status npz_write_sparse(Ctx *ctx, ZipWriter *w, const Matrix *m);
/* A member of an npy header and cells that are put after it. */
ml_status npz_begin(Ctx *ctx, ZipWriter *w, const char *name, const char *descr, int64_t rows,
                    int64_t cols, size_t bytes);

#endif
