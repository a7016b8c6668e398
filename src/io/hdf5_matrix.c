/* Matrices in HDF5 and NetCDF-4: finding the dataset, and its cells.
 *
 * In the child libhdf5 decodes (chunks, filters) some rows at a time, which become cells of the
 * matrix in this process while the next are decoded: numbers of all usual types by our loops, which
 * are faster than those of the library, other ones as doubles that it makes of them. Numbers that
 * lie in one piece need the library only to tell where.
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

/* Matrices before vectors, both before the coordinates of dimensions; those that have none are not
 * looked at. */
static int rank_of(const Hdf5Data *d)
{
    return !d->numeric ? 0 : 1 + 2 * !d->scale + (d->dims > 1);
}

static void consider(Search *s, const Hdf5Data *d)
{
    const int rank = rank_of(d);
    const size_t n = strlen(s->names);

    if (rank == 0 || hdf5_is_bare_dimension(s->f, d))
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

/* What the child tells: the numbers lie in the file, or come; the rule is for their doubles. */
typedef struct Cells {
    NumberType type;
    int64_t rows, cols;
    Hsize at;
    Hdf5Rule rule;
    Hdf5Chunks chunks;
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

/* Where the numbers lie in one piece and as they are. */
static bool find_plain(const Hdf5File *f, const Hdf5Data *d, Cells *c)
{
    c->at = f->h->data_offset(d->id);
    return c->at != HDF5_NOWHERE && d->plain && !hdf5_rule_applies(&c->rule) &&
           cells_are_there(c, f->file);
}

/* Rows that are decoded at a time: whole rows of chunks, so that none is read or unpacked twice.
 * But chunks as they lie that are larger than the library's cache are read in part. */
static int64_t rows_of_piece(const Hdf5 *h, const Hdf5Data *d, size_t row_bytes)
{
    const Hid creation = h->data_creation(d->id);
    Hsize chunk[HDF5_DIMS] = {1}, cells = 1;
    int64_t step, n;

    if (creation >= 0 && h->list_layout(creation) == HDF5_CHUNKED) {
        h->list_chunk(creation, HDF5_DIMS, chunk);
        for (int i = 0; i < d->dims && cells <= ISOLATE_PIECE; i++)
            cells *= chunk[i] < ISOLATE_PIECE ? chunk[i] : ISOLATE_PIECE;
        if (h->list_filters(creation) == 0 && cells > ISOLATE_PIECE / h->type_size(d->type))
            chunk[0] = 1;
    }
    if (creation >= 0)
        h->list_close(creation);
    step = chunk[0] >= 1 && chunk[0] < (Hsize)d->rows ? (int64_t)chunk[0] : d->rows;
    n = (int64_t)(ISOLATE_PIECE / row_bytes) / step * step;
    return n < step ? step : n;
}

/* Converted by the library only where we cannot do it. */
static bool read_rows(const Hdf5 *h, const Hdf5Data *d, Hid space, int64_t lo, int64_t n, void *to)
{
    const Hid type = d->plain ? d->type : *h->memory_double;
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

/* Pieces that are larger than those that pass are made in memory of this process. */
static ml_status put_cells(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d, size_t row)
{
    const Hid space = f->h->data_space(d->id);
    const int64_t step = rows_of_piece(f->h, d, row);
    void *own = NULL;
    size_t bytes;

    if (!mul_size((size_t)step, row, &bytes))
        return fail_memory(ctx, SIZE_MAX);
    if (bytes > ISOLATE_PIECE && !(own = pool_alloc(ctx, bytes)))
        return ML_ENOMEM;
    for (int64_t lo = 0; lo < d->rows; lo += step) {
        const int64_t n = min64(step, d->rows - lo);
        void *piece = own ? own : isolate_piece(f->self);

        isolate_allow(f->self, (size_t)n * row);
        if (!read_rows(f->h, d, space, lo, n, piece))
            return hdf5_fail_data(ctx, f, d->name, "cannot be read");
        if (own)
            isolate_put(f->self, own, (size_t)n * row);
        else
            isolate_pass(f->self, (size_t)n * row);
    }
    return ML_OK;
}

static ml_status read_cells(Ctx *ctx, const Hdf5File *f, const Hdf5Data *d)
{
    Cells c = {.type = d->number, .rows = d->rows, .cols = d->cols, .rule = hdf5_rule(f, d)};

    TRY(input_check_dims(ctx, f->spec, d->rows, d->cols));
    if (!d->plain)
        c.type = (NumberType){'f', sizeof(double), false};
    c.in_file = find_plain(f, d, &c);
    if (!c.in_file)
        c.chunks = hdf5_chunks(f->h, d);
    isolate_answer(f->self, &c, sizeof c);
    if (c.in_file || d->rows == 0 || d->cols == 0)
        return ML_OK;
    return c.chunks.rows ? hdf5_put_chunks(ctx, f, d, &c.chunks)
                         : put_cells(ctx, f, d, (size_t)d->cols * c.type.size);
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
    const Spec *spec;
    Cells cells;
    Matrix *m;
    size_t chunk;    /* bytes; 0: not in chunks */
    int64_t at, nnz; /* cells or chunks that it has, and their nonzeros */
} Target;

static ml_status fail_sizes(Ctx *ctx, const Spec *spec)
{
    return fail(ctx, ML_EFORMAT, "%s: the file is damaged: libhdf5 tells impossible sizes",
                spec->path);
}

static ml_status make_room(Ctx *ctx, void *arg, const void *answer, size_t *bytes)
{
    Target *t = arg;
    Cells *c = &t->cells;

    memcpy(c, answer, sizeof *c);
    if (!cell_bytes(c, bytes) || (c->chunks.rows && !hdf5_chunks_bytes(&c->chunks, c->type, c->rows,
                                                                       c->cols, &t->chunk, bytes)))
        return fail_sizes(ctx, t->spec);
    if (c->in_file) {
        *bytes = 0;
        return ML_OK;
    }
    return matrix_new_dense(ctx, c->rows, c->cols, &t->m);
}

/* With a rule they are counted later. */
static void take_rows(Target *t, const char *data, int64_t n)
{
    const int64_t nnz = numbers_to_cells(t->cells.type, data, n, t->m->values + t->at);

    hdf5_apply(&t->cells.rule, t->m->values + t->at, n);
    t->nnz = hdf5_rule_applies(&t->cells.rule) ? -1 : t->nnz + nnz;
}

/* Pieces are whole cells or chunks, whatever the child says. */
static ml_status take_piece(Ctx *ctx, void *arg, const void *data, size_t bytes)
{
    Target *t = arg;
    const Cells *c = &t->cells;
    const size_t unit = t->chunk ? t->chunk : c->type.size;
    const int64_t n = (int64_t)(bytes / unit);

    if (bytes % unit != 0)
        return fail_sizes(ctx, t->spec);
    if (t->chunk)
        t->nnz += hdf5_take_chunks(&c->chunks, c->type, &c->rule, data, t->at, n, t->m);
    else
        take_rows(t, data, n);
    t->at += n;
    return ML_OK;
}

static ml_status take_cells(Ctx *ctx, InputFile *file, Target *t)
{
    const Cells *c = &t->cells;

    if (t->m) {
        t->m->nnz = t->nnz;
        return ML_OK;
    }
    if (!c->in_file || !cells_are_there(c, file))
        return fail_sizes(ctx, t->spec);
    return numbers_of_file(ctx, file, c->type, file->data + c->at, false, c->rows, c->cols, &t->m);
}

static ml_status read_matrix(Ctx *ctx, const Spec *spec, const Input *in, bool netcdf, Matrix **out)
{
    Target t = {.spec = spec};
    const Hdf5Job job = {.spec = spec,
                         .in = in,
                         .netcdf = netcdf,
                         .read = read_in_child,
                         .room = make_room,
                         .take = take_piece,
                         .arg = &t};
    InputFile none;
    ml_status st = hdf5_read_apart(ctx, &job, &none);

    if (st == ML_OK)
        st = take_cells(ctx, &in->files[0], &t);
    if (st == ML_OK)
        st = matrix_finish(ctx, &t.m, t.m->nnz);
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
