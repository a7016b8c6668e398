/* Reading HDF5 and NetCDF-4: files and their datasets, in a child process. What becomes of the
 * cells is in hdf5_matrix.c and hdf5_frame.c. A file that lies in memory, since it was unpacked, is
 * opened as an image.
 */
#include "io/hdf5.h"

static Hid open_image(const Hdf5 *h, const InputFile *file)
{
    const Hid access = h->list_new(*h->of_access);
    Hid id = -1;

    if (access >= 0 && h->list_core(access, 1 << 20, false) >= 0 &&
        h->list_image(access, (void *)(uintptr_t)file->data, file->size) >= 0)
        id = h->file_open(file->name, HDF5_READ_ONLY, access);
    h->list_close(access);
    return id;
}

static ml_status check_input(Ctx *ctx, const Spec *spec, const Input *in)
{
    const InputFile *file = &in->files[0];

    if (in->count != 1)
        return fail(ctx, ML_EFORMAT, "%s: an HDF5 file is one file, found %d", spec->path,
                    in->count);
    if (file->size == 0)
        return fail(ctx, ML_EFORMAT, "%s: the file is empty", file->name);
    if (file->size > 4 && memcmp(file->data, "CDF", 3) == 0 && file->data[3] <= 5)
        return fail(ctx, ML_EFORMAT,
                    "%s: a file of NetCDF-3, expected NetCDF-4 or HDF5; nccopy -k nc4 OLD NEW "
                    "makes one of it",
                    file->name);
    return ML_OK;
}

/* With what only the library knows. */
typedef struct Reading {
    const Hdf5Job *job;
    const Hdf5 *h;
} Reading;

static ml_status read_in_child(Ctx *ctx, void *arg, Isolation *self)
{
    const Reading *r = arg;
    const InputFile *file = &r->job->in->files[0];
    Hdf5File f = {
        .h = r->h, .spec = r->job->spec, .file = file, .self = self, .netcdf = r->job->netcdf};

    f.id = file->mapping && !file->unpacked ? r->h->file_open(file->name, HDF5_READ_ONLY, HDF5_ALL)
                                            : open_image(r->h, file);
    if (f.id < 0)
        return hdf5_fail(ctx, r->h, ML_EFORMAT, file->name, "cannot be opened as an HDF5 file");
    return r->job->read(ctx, &f);
}

static ml_status make_room(Ctx *ctx, void *arg, const void *answer, size_t *bytes)
{
    const Hdf5Job *job = ((const Reading *)arg)->job;

    return job->room(ctx, job->arg, answer, bytes);
}

static ml_status take(Ctx *ctx, void *arg, const void *data, size_t bytes)
{
    const Hdf5Job *job = ((const Reading *)arg)->job;

    return job->take(ctx, job->arg, data, bytes);
}

/* The lock is held until the child exists, so that its copy of the library is idle. */
ml_status hdf5_read_apart(Ctx *ctx, const Hdf5Job *job, InputFile *memory)
{
    Reading r = {.job = job};
    const IsolatedJob isolated = {.path = job->spec->path,
                                  .library = "HDF5",
                                  .work = read_in_child,
                                  .arg = &r,
                                  .room = job->room ? make_room : NULL,
                                  .take = take,
                                  .bytes = job->in->files[0].size,
                                  .started = hdf5_end};

    *memory = (InputFile){0};
    TRY(check_input(ctx, job->spec, job->in));
    r.h = hdf5_begin(ctx);
    return r.h ? isolate(ctx, &isolated, memory) : ML_EUNSUPPORTED;
}

ml_status hdf5_fail_data(Ctx *ctx, const Hdf5File *f, const char *name, const char *what)
{
    char where[300];

    snprintf(where, sizeof where, "dataset '%s' %s", name, what);
    return hdf5_fail(ctx, f->h, ML_EFORMAT, f->spec->path, where);
}

/* ---- datasets ---- */

/* Whether each bit of a number means what it does in the type of that kind and size. */
static bool is_plain(const Hdf5 *h, const Hdf5Data *d)
{
    static const struct {
        size_t size, exponent, fraction;
    } floats[] = {{2, 5, 10}, {4, 8, 23}, {8, 11, 52}};
    const size_t size = h->type_size(d->type);
    size_t sign, at, exponent, from, fraction;

    if (!number_type_known(d->number) || h->type_precision(d->type) != 8 * size)
        return false;
    if (d->type_class != HDF5_FLOAT)
        return true;
    if (h->type_fields(d->type, &sign, &at, &exponent, &from, &fraction) < 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (floats[i].size == size)
            return exponent == floats[i].exponent && fraction == floats[i].fraction && from == 0 &&
                   h->type_order(d->type) <= HDF5_BIG_ENDIAN;
    return false;
}

static void look_at_type(const Hdf5 *h, Hdf5Data *d)
{
    const size_t size = h->type_size(d->type);

    d->type_class = h->type_class(d->type);
    d->numeric =
        d->type_class == HDF5_INTEGER || d->type_class == HDF5_FLOAT || d->type_class == HDF5_ENUM;
    if (!d->numeric)
        return;
    d->number = (NumberType){.kind = d->type_class == HDF5_FLOAT ? 'f'
                                     : h->type_sign(d->type)     ? 'i'
                                                                 : 'u',
                             .size = (uint8_t)(size < 255 ? size : 255),
                             .swapped = h->type_order(d->type) == HDF5_BIG_ENDIAN};
    if (d->type_class == HDF5_ENUM && size == 1)
        d->number.kind = 'b';
    d->numeric = d->type_class == HDF5_FLOAT || number_type_known(d->number);
    d->plain = is_plain(h, d);
}

static bool look_at_shape(const Hdf5 *h, Hdf5Data *d)
{
    Hsize shape[HDF5_DIMS] = {1};
    const Hid space = h->data_space(d->id);
    bool sound = space >= 0;

    d->dims = sound ? h->space_dims(space) : -1;
    sound = d->dims >= 0 && d->dims <= HDF5_DIMS && h->space_shape(space, shape, NULL) >= 0;
    d->rows = (int64_t)shape[0];
    d->cols = 1;
    for (int i = 1; sound && i < d->dims; i++)
        sound = mul_int64(d->cols, (int64_t)shape[i], &d->cols);
    if (space >= 0)
        h->space_close(space);
    return sound && d->rows >= 0 && d->cols >= 0;
}

/* Whether a dataset in one piece has the bytes that its shape takes, or none yet: libhdf5 believes
 * the shape and reads beyond its buffers. Texts of variable length are references there. */
static bool is_whole(const Hdf5 *h, const Hdf5Data *d)
{
    enum { REFERENCE = 16 };
    const Hid creation = h->data_creation(d->id);
    const int layout = creation >= 0 ? h->list_layout(creation) : -1;
    const size_t cell = h->type_is_variable(d->type) > 0 ? REFERENCE : h->type_size(d->type);
    const Hsize stored = h->data_stored(d->id);
    size_t bytes;

    if (creation >= 0)
        h->list_close(creation);
    if (layout < 0 || layout >= HDF5_CHUNKED || stored == 0)
        return layout >= 0;
    return mul_size((size_t)d->rows, (size_t)d->cols, &bytes) && mul_size(bytes, cell, &bytes) &&
           bytes == stored;
}

ml_status hdf5_open_data(Ctx *ctx, const Hdf5File *f, const char *name, bool *is_data,
                         Hdf5Data *out)
{
    const Hdf5 *h = f->h;

    isolate_step(f->self, "dataset '%s'", name);
    *out = (Hdf5Data){.name = name, .id = h->object_open(f->id, name, HDF5_ALL), .type = -1};
    *is_data = false;
    if (out->id < 0)
        return hdf5_fail_data(ctx, f, name, "cannot be opened");
    if (h->object_type(out->id) != HDF5_IS_DATASET)
        return ML_OK;
    out->type = h->data_type(out->id);
    if (out->type < 0)
        return hdf5_fail_data(ctx, f, name, "has no type");
    look_at_type(h, out);
    out->scale = h->scale_is(out->id) > 0;
    *is_data = look_at_shape(h, out);
    if (*is_data && !is_whole(h, out))
        return fail(ctx, ML_EFORMAT, "%s: dataset '%s' holds fewer bytes than its shape takes",
                    f->spec->path, name);
    return ML_OK;
}

void hdf5_close_data(const Hdf5File *f, Hdf5Data *d)
{
    if (d->type >= 0)
        f->h->type_close(d->type);
    if (d->id >= 0)
        f->h->object_close(d->id);
    d->type = d->id = -1;
}

const char *hdf5_name(Ctx *ctx, const Hdf5File *f, Hid group, const char *path, Hsize k)
{
    const Hdf5 *h = f->h;
    int index = HDF5_BY_CREATION;
    ssize_t n = h->link_name(group, ".", index, HDF5_ASCENDING, k, NULL, 0, HDF5_ALL);
    const size_t before = strlen(path);
    char *name;

    if (n < 0) {
        index = HDF5_BY_NAME;
        n = h->link_name(group, ".", index, HDF5_ASCENDING, k, NULL, 0, HDF5_ALL);
    }
    if (n < 0) {
        hdf5_fail_data(ctx, f, path, "lacks the name of a member");
        return NULL;
    }
    name = arena_alloc(f->spec->arena, before + (size_t)n + 2);
    if (!name) {
        fail_memory(ctx, (size_t)n);
        return NULL;
    }
    memcpy(name, path, before);
    if (before > 0)
        name[before] = '/';
    h->link_name(group, ".", index, HDF5_ASCENDING, k, name + before + (before > 0), (size_t)n + 1,
                 HDF5_ALL);
    return name;
}

bool hdf5_is_bare_dimension(const Hdf5File *f, const Hdf5Data *d)
{
    static const char mark[] = "This is a netCDF dimension";
    char name[128] = "";

    return d->scale && f->h->scale_name(d->id, name, sizeof name) > 0 &&
           strncmp(name, mark, sizeof mark - 1) == 0;
}

/* ---- what NetCDF says about cells ---- */

static bool number_attribute(const Hdf5File *f, Hid object, const char *name, double *out)
{
    const Hdf5 *h = f->h;
    const Hid a =
        h->attribute_exists(object, name) > 0 ? h->attribute_open(object, name, HDF5_ALL) : -1;
    const Hid space = a >= 0 ? h->attribute_space(a) : -1;
    Hsize shape[HDF5_DIMS] = {1};
    const int dims = space >= 0 ? h->space_dims(space) : -1;
    const bool one =
        dims == 0 || (dims == 1 && h->space_shape(space, shape, NULL) >= 0 && shape[0] == 1);
    const bool found = one && h->attribute_read(a, *h->memory_double, out) >= 0;

    if (space >= 0)
        h->space_close(space);
    if (a >= 0)
        h->attribute_close(a);
    return found;
}

Hdf5Rule hdf5_rule(const Hdf5File *f, const Hdf5Data *d)
{
    Hdf5Rule r = {.factor = 1};
    bool factor, offset;

    if (!f->netcdf || !d->numeric)
        return r;
    r.has_fill = number_attribute(f, d->id, "_FillValue", &r.fill);
    r.has_missing = number_attribute(f, d->id, "missing_value", &r.missing);
    factor = number_attribute(f, d->id, "scale_factor", &r.factor);
    offset = number_attribute(f, d->id, "add_offset", &r.offset);
    r.scaled = factor || offset;
    return r;
}

void hdf5_apply(const Hdf5Rule *rule, double *cells, int64_t n)
{
    if (!hdf5_rule_applies(rule))
        return;
    for (int64_t i = 0; i < n; i++) {
        const double x = cells[i];
        const bool none =
            (rule->has_fill && x == rule->fill) || (rule->has_missing && x == rule->missing);

        cells[i] = none           ? (double)__builtin_nan("")
                   : rule->scaled ? x * rule->factor + rule->offset
                                  : x;
    }
}
