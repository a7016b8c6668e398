/* Matrices in HDF5 and NetCDF-4: finding the dataset, and its cells.
 *
 * In the child libhdf5 decodes (chunks, filters, byte orders, integer and floating-point types)
 * right into memory that this process sees as well; from there the cells are copied to a block, as
 * the numbers that lie in a file of NumPy are. Doubles that lie in one piece need the library only
 * to tell where.
 */
#include "io/hdf5.h"

enum { DEPTH = 16, CANDIDATES = 1000 };

/* ---- finding the matrix where no dataset is named ---- */

typedef struct Search {
    const Hdf5File *f;
    const char *best; /* of the highest rank */
    int rank, ties, seen;
    char names[200];
} Search;

/* Matrices before vectors, both before the coordinates of dimensions. */
static int rank_of(const Hdf5Data *d)
{
    return !d->numeric ? 0 : 1 + 2 * !d->scale + (d->dims > 1);
}

static void consider(Search *s, const Hdf5Data *d)
{
    const int rank = rank_of(d);
    const size_t n = strlen(s->names);

    if (rank == 0)
        return;
    snprintf(s->names + n, sizeof s->names - n, "%s%s", n ? ", " : "", d->name);
    s->ties = rank > s->rank ? 1 : s->ties + (rank == s->rank);
    if (rank > s->rank) {
        s->rank = rank;
        s->best = d->name;
    }
}

static ml_status search(Ctx *ctx, Search *s, const char *path, int depth)
{
    const Hdf5 *h = s->f->h;
    const Hid group = *path ? h->object_open(s->f->id, path, HDF5_ALL) : s->f->id;
    Hdf5Group info = {0};
    ml_status st = ML_OK;

    if (group < 0 || h->group_info(group, &info) < 0)
        return hdf5_fail_data(ctx, s->f, path, "cannot be listed");
    for (Hsize k = 0; k < info.links && st == ML_OK && s->seen < CANDIDATES; k++) {
        const char *name = hdf5_name(ctx, s->f, group, path, k);
        Hdf5Data d = {.id = -1, .type = -1};
        bool is_data = false;

        s->seen++;
        st = name ? hdf5_open_data(ctx, s->f, name, &is_data, &d) : ML_EFORMAT;
        if (st == ML_OK && is_data)
            consider(s, &d);
        else if (st == ML_OK && h->object_type(d.id) == HDF5_IS_GROUP && depth < DEPTH)
            st = search(ctx, s, name, depth + 1);
        hdf5_close_data(s->f, &d);
    }
    if (*path)
        h->object_close(group);
    return st;
}

static ml_status find_data(Ctx *ctx, const Hdf5File *f, const char **name)
{
    Search s = {.f = f};

    *name = f->spec->dataset;
    if (*name)
        return ML_OK;
    TRY(search(ctx, &s, "", 0));
    if (s.ties == 0)
        return fail(ctx, ML_EFORMAT, "%s: the file holds no dataset of numbers", f->spec->path);
    if (s.ties > 1)
        return fail(ctx, ML_EVALUE,
                    "%s: dataset=\"NAME\" must say which dataset; the file holds: %s",
                    f->spec->path, s.names);
    *name = s.best;
    return ML_OK;
}

/* ---- cells ---- */

/* What the child tells: where the numbers are, in the file or in the shared memory. */
typedef struct Cells {
    NumberType type;
    int64_t rows, cols;
    Hsize at;
    bool in_file;
} Cells;

/* Whether all the cells are where they are said to be; asked by both sides, since a damaged file
 * may lead the child astray. */
static bool cells_are_there(const Cells *c, const InputFile *from)
{
    size_t bytes;

    return c->rows >= 0 && c->cols >= 0 && number_type_known(c->type) && c->at <= from->size &&
           mul_size((size_t)c->rows, (size_t)c->cols, &bytes) &&
           mul_size(bytes, c->type.size, &bytes) && bytes <= from->size - c->at;
}

/* Where doubles of this machine lie in one piece and as they are, all of them. */
static bool find_plain(const Hdf5File *f, const Hdf5Data *d, const Hdf5Rule *rule, Cells *c)
{
    const Hsize at = f->h->data_offset(d->id);

    if (at == HDF5_NOWHERE || hdf5_rule_applies(rule) ||
        f->h->type_equal(d->type, *f->h->memory_double) <= 0)
        return false;
    c->at = at;
    c->in_file = cells_are_there(c, f->file);
    if (!c->in_file) /* they are packed, or damaged */
        c->at = 0;
    return c->in_file;
}

/* Enumerations are not converted by the library: their integers are read as they lie. */
static ml_status decode(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, const Hdf5Rule *rule,
                        const Cells *c)
{
    const Hid type = d->type_class == HDF5_ENUM ? d->type : *f->h->memory_double;
    size_t bytes;
    void *room;

    if (!mul_size((size_t)d->rows, (size_t)d->cols, &bytes) ||
        !mul_size(bytes, c->type.size, &bytes))
        return fail_memory(ctx, SIZE_MAX);
    TRY(isolate_room(ctx, f->self, bytes, &room));
    if (f->h->data_read(d->id, type, HDF5_ALL, HDF5_ALL, HDF5_ALL, room) < 0)
        return hdf5_fail_data(ctx, f, d->name, "cannot be read");
    if (d->type_class != HDF5_ENUM)
        hdf5_apply(rule, room, d->rows * d->cols);
    return ML_OK;
}

static ml_status read_cells(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d)
{
    const Hdf5Rule rule = hdf5_rule(f, d);
    Cells c = {.type = {'f', sizeof(double), false}, .rows = d->rows, .cols = d->cols};

    TRY(input_check_dims(ctx, f->spec, d->rows, d->cols));
    if (d->type_class == HDF5_ENUM)
        c.type = d->number;
    if (d->type_class == HDF5_ENUM || !find_plain(f, d, &rule, &c))
        TRY(decode(ctx, f, d, &rule, &c));
    isolate_answer(f->self, &c, sizeof c);
    return ML_OK;
}

static ml_status read_in_child(Ctx *ctx, const Hdf5File *f)
{
    const char *name = NULL;
    bool is_data = false;
    Hdf5Data d;

    TRY(find_data(ctx, f, &name));
    TRY(hdf5_open_data(ctx, f, name, &is_data, &d));
    if (!is_data || !d.numeric)
        return fail(ctx, ML_EFORMAT, "%s: '%s' is no dataset of real numbers", f->spec->path, name);
    return read_cells(ctx, f, &d);
}

static ml_status take_cells(Ctx *ctx, const Spec *spec, InputFile *file, const InputFile *memory,
                            const Cells *c, Matrix **out)
{
    const InputFile *from = c->in_file ? file : memory;

    if (!cells_are_there(c, from))
        return fail(ctx, ML_EFORMAT, "%s: the file is damaged: libhdf5 tells impossible sizes",
                    spec->path);
    if (c->in_file)
        return numbers_of_file(ctx, file, c->type, file->data + c->at, false, c->rows, c->cols,
                               out);
    return numbers_to_matrix(ctx, c->type, memory->data, false, c->rows, c->cols, out);
}

static ml_status read_matrix(Ctx *ctx, const Spec *spec, const Input *in, bool netcdf, Matrix **out)
{
    InputFile memory;
    Cells c = {0};
    ml_status st = hdf5_read_apart(ctx, spec, in, netcdf, read_in_child, &c, sizeof c, &memory);

    *out = NULL;
    if (st == ML_OK)
        st = take_cells(ctx, spec, &in->files[0], &memory, &c, out);
    input_release(&memory);
    if (st == ML_OK)
        st = matrix_finish(ctx, out, -1);
    if (st != ML_OK) {
        matrix_release(*out);
        *out = NULL;
    }
    return st;
}

ml_status hdf5_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    return read_matrix(ctx, spec, in, false, out);
}

ml_status netcdf_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    return read_matrix(ctx, spec, in, true, out);
}
