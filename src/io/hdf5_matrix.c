/* Matrices in HDF5 and NetCDF-4: finding the dataset, and its cells.
 *
 * In the child libhdf5 decodes (chunks, filters, byte orders, integer and floating-point types)
 * some rows at a time, which pass to the matrix in this process while the next are decoded. Doubles
 * that lie in one piece need the library only to tell where.
 */
#include "io/hdf5.h"

enum {
    DEPTH = 16,
    CANDIDATES = 1000,
    PIECE_BYTES = 512 << 10 /* decoded at a time: stays in the cache while it is passed on */
};

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

/* ---- the child's part: where the cells are, or the cells ---- */

/* What the child tells: the numbers lie in the file, or come. */
typedef struct Cells {
    NumberType type;
    int64_t rows, cols;
    Hsize at;
    bool in_file;
} Cells;

static bool cell_bytes(const Cells *c, size_t *out)
{
    return c->rows >= 0 && c->cols >= 0 && number_type_known(c->type) &&
           mul_size((size_t)c->rows, (size_t)c->cols, out) && mul_size(*out, c->type.size, out);
}

/* Asked by both sides, since a damaged file may lead the child astray. */
static bool cells_are_there(const Cells *c, const InputFile *file)
{
    size_t bytes;

    return cell_bytes(c, &bytes) && c->at <= file->size && bytes <= file->size - c->at;
}

/* Where doubles of this machine lie in one piece and as they are. */
static bool find_plain(const Hdf5File *f, const Hdf5Data *d, const Hdf5Rule *rule, Hsize *at)
{
    *at = f->h->data_offset(d->id);
    return *at != HDF5_NOWHERE && !hdf5_rule_applies(rule) &&
           f->h->type_equal(d->type, *f->h->memory_double) > 0;
}

/* Rows that are decoded at a time: whole rows of chunks, so that none is unpacked twice. */
static int64_t rows_of_piece(const Hdf5 *h, const Hdf5Data *d, size_t row_bytes)
{
    const Hid creation = h->data_creation(d->id);
    Hsize chunk[HDF5_DIMS] = {1};
    int64_t step, n;

    if (creation >= 0 && h->list_layout(creation) == HDF5_CHUNKED)
        h->list_chunk(creation, HDF5_DIMS, chunk);
    if (creation >= 0)
        h->list_close(creation);
    step = chunk[0] >= 1 && chunk[0] < (Hsize)d->rows ? (int64_t)chunk[0] : d->rows;
    n = row_bytes ? (int64_t)(PIECE_BYTES / row_bytes) / step * step : 0;
    return n < step ? step : n;
}

/* Enumerations are not converted by the library: their integers are read as they lie. */
static bool read_rows(const Hdf5 *h, const Hdf5Data *d, Hid space, int64_t lo, int64_t n, void *to)
{
    const Hid type = d->type_class == HDF5_ENUM ? d->type : *h->memory_double;
    Hsize start[HDF5_DIMS] = {(Hsize)lo}, count[HDF5_DIMS];
    Hid memory;
    bool done;

    if (d->dims == 0)
        return h->data_read(d->id, type, HDF5_ALL, HDF5_ALL, HDF5_ALL, to) >= 0;
    if (h->space_shape(space, count, NULL) < 0)
        return false;
    count[0] = (Hsize)n;
    memory = h->space_new(d->dims, count, NULL); /* of the same shape, which is the fast way */
    done = memory >= 0 && h->space_select(space, 0, start, NULL, count, NULL) >= 0 &&
           h->data_read(d->id, type, memory, space, HDF5_ALL, to) >= 0;
    if (memory >= 0)
        h->space_close(memory);
    return done;
}

static ml_status put_cells(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, const Hdf5Rule *rule,
                           size_t cell)
{
    const Hid space = f->h->data_space(d->id);
    const int64_t cols = d->cols;
    size_t row = (size_t)cols * cell, bytes;
    int64_t step;
    void *piece;

    if (d->rows == 0 || cols == 0)
        return ML_OK;
    step = rows_of_piece(f->h, d, row);
    if (!mul_size((size_t)step, row, &bytes))
        return fail_memory(ctx, SIZE_MAX);
    piece = pool_alloc(ctx, bytes);
    if (!piece)
        return ML_ENOMEM;
    for (int64_t lo = 0; lo < d->rows; lo += step) {
        const int64_t n = min64(step, d->rows - lo);

        isolate_allow(f->self, (size_t)n * row);
        if (!read_rows(f->h, d, space, lo, n, piece))
            return hdf5_fail_data(ctx, f, d->name, "cannot be read");
        if (d->type_class != HDF5_ENUM)
            hdf5_apply(rule, piece, n * cols);
        TRY(isolate_put(ctx, f->self, piece, (size_t)n * row));
    }
    return ML_OK;
}

static ml_status read_cells(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d)
{
    const Hdf5Rule rule = hdf5_rule(f, d);
    Cells c = {.type = {'f', sizeof(double), false}, .rows = d->rows, .cols = d->cols};

    TRY(input_check_dims(ctx, f->spec, d->rows, d->cols));
    if (d->type_class == HDF5_ENUM)
        c.type = d->number;
    else
        c.in_file = find_plain(f, d, &rule, &c.at) && cells_are_there(&c, f->file);
    isolate_answer(f->self, &c, sizeof c);
    return c.in_file ? ML_OK : put_cells(ctx, f, d, &rule, c.type.size);
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

/* ---- the parent's part ---- */

typedef struct Target {
    Matrix *m;
    char *raw; /* numbers that are still to be converted */
    size_t raw_bytes;
} Target;

static ml_status fail_sizes(Ctx *ctx, const Spec *spec)
{
    return fail(ctx, ML_EFORMAT, "%s: the file is damaged: libhdf5 tells impossible sizes",
                spec->path);
}

static void *make_room(Ctx *ctx, const Hdf5Job *job, const void *answer, size_t *bytes)
{
    const Cells *c = answer;
    Target *t = job->arg;

    *bytes = 0;
    if (!cell_bytes(c, bytes)) {
        fail_sizes(ctx, job->spec);
        return NULL;
    }
    if (c->in_file || *bytes == 0) {
        *bytes = 0;
        return t;
    }
    if (c->type.kind == 'f' && c->type.size == sizeof(double))
        return matrix_new_dense(ctx, c->rows, c->cols, &t->m) == ML_OK ? t->m->values : NULL;
    t->raw_bytes = *bytes;
    t->raw = pool_alloc(ctx, *bytes);
    return t->raw;
}

static ml_status take_cells(Ctx *ctx, const Spec *spec, InputFile *file, const Cells *c, Target *t)
{
    if (t->m)
        return ML_OK;
    if (!c->in_file)
        return numbers_to_matrix(ctx, c->type, t->raw, false, c->rows, c->cols, &t->m);
    if (!cells_are_there(c, file))
        return fail_sizes(ctx, spec);
    return numbers_of_file(ctx, file, c->type, file->data + c->at, false, c->rows, c->cols, &t->m);
}

static ml_status read_matrix(Ctx *ctx, const Spec *spec, const Input *in, bool netcdf, Matrix **out)
{
    Target t = {0};
    const Hdf5Job job = {.spec = spec,
                         .in = in,
                         .netcdf = netcdf,
                         .read = read_in_child,
                         .room = make_room,
                         .arg = &t};
    InputFile none;
    Cells c = {0};
    ml_status st = hdf5_read_apart(ctx, &job, &c, sizeof c, &none);

    if (st == ML_OK)
        st = take_cells(ctx, spec, &in->files[0], &c, &t);
    pool_release(ctx->pool, t.raw, t.raw_bytes);
    if (st == ML_OK)
        st = matrix_finish(ctx, &t.m, -1);
    if (st != ML_OK)
        matrix_release(t.m);
    *out = st == ML_OK ? t.m : NULL;
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
