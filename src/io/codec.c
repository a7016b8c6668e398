/* Reading and writing compressed files.
 *
 * A file is unpacked as a whole before its format reads it, into memory that is reserved without
 * being touched: as much as is left of the budget, so that no file, however small, can take more.
 * Where the members tell their sizes (files written here do) they are unpacked in parallel.
 */
#include "io/codec.h"

#include <sys/mman.h>

static const Codec *const codecs[] = {&codec_gzip, &codec_zstd};
enum { CODECS = sizeof codecs / sizeof *codecs };

const Codec *codec_of_bytes(const char *p, size_t n)
{
    for (int i = 0; i < CODECS; i++)
        if (codecs[i]->matches((const unsigned char *)p, n))
            return codecs[i];
    return NULL;
}

const Codec *codec_of_path(const char *path, size_t *stem)
{
    *stem = strlen(path);
    for (int i = 0; i < CODECS; i++) {
        const size_t n = strlen(codecs[i]->extension);

        if (*stem > n && strcmp(path + *stem - n, codecs[i]->extension) == 0) {
            *stem -= n;
            return codecs[i];
        }
    }
    return NULL;
}

typedef struct Member {
    size_t at, packed, to, raw;
} Member;

typedef struct UnpackJob {
    const Codec *codec;
    const InputFile *file;
    VEC(Member) members;
    char *out;
    size_t room, size;
} UnpackJob;

static ml_status fail_unpack(Ctx *ctx, const UnpackJob *j, Unpacked why, size_t at)
{
    if (why == UNPACK_MEMORY)
        return fail_memory(ctx, j->file->size);
    if (why == UNPACK_FULL)
        return fail(ctx, ML_ENOMEM,
                    "%s: unpacks to more than %zu bytes, which is what is left of the budget",
                    j->file->name, j->room);
    return fail(ctx, ML_EFORMAT, "%s: damaged %s data in the member at byte %zu", j->file->name,
                j->codec->name, at);
}

/* The members, if all of them tell their sizes. */
static ml_status find_members(Ctx *ctx, UnpackJob *j, bool *all)
{
    size_t at = 0, to = 0;

    *all = false;
    while (at < j->file->size) {
        Member m = {.at = at, .to = to};

        if (!j->codec->measure(j->file->data + at, j->file->size - at, &m.packed, &m.raw))
            return ML_OK;
        if (m.raw > j->room - to)
            return fail_unpack(ctx, j, UNPACK_FULL, at);
        if (!VEC_PUSH(&j->members, m))
            return fail_memory(ctx, sizeof m * (size_t)j->members.count);
        at += m.packed;
        to += m.raw;
    }
    j->room = to;
    *all = true;
    return ML_OK;
}

static ml_status unpack_members(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const UnpackJob *j = arg;

    for (int64_t i = lo; i < hi; i++) {
        const Member *m = &j->members.items[i];
        size_t used, made;
        Unpacked got;

        TRY(check_cancel(ctx));
        got = j->codec->unpack(j->file->data + m->at, m->packed, j->out + m->to, m->raw, &used,
                               &made);
        if (got != UNPACKED || made != m->raw)
            return fail_unpack(ctx, j, got == UNPACK_MEMORY ? got : UNPACK_DAMAGED, m->at);
    }
    return ML_OK;
}

/* Zeros fill up the blocks of tapes. */
static bool only_zeros(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static ml_status unpack_in_turn(Ctx *ctx, UnpackJob *j)
{
    size_t at = 0;

    while (at < j->file->size && !(at && only_zeros(j->file->data + at, j->file->size - at))) {
        size_t used = 0, made = 0;
        Unpacked got;

        TRY(check_cancel(ctx));
        got = j->codec->unpack(j->file->data + at, j->file->size - at, j->out + j->size,
                               j->room - j->size, &used, &made);
        if (got != UNPACKED || used == 0)
            return fail_unpack(ctx, j, got != UNPACKED ? got : UNPACK_DAMAGED, at);
        at += used;
        j->size += made;
    }
    return ML_OK;
}

static ml_status unpack(Ctx *ctx, UnpackJob *j)
{
    bool all;

    TRY(find_members(ctx, j, &all));
    if (j->room == 0) /* no contents, or nothing left for them */
        return all ? ML_OK : fail_unpack(ctx, j, UNPACK_FULL, 0);
    j->out = mmap(NULL, j->room, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (j->out == MAP_FAILED) {
        j->out = NULL;
        return fail_memory(ctx, j->room);
    }
    madvise(j->out, j->room, MADV_HUGEPAGE);
    if (!all)
        return unpack_in_turn(ctx, j);
    j->size = j->room;
    return task_for(ctx, j->members.count, 1, unpack_members, j);
}

/* Give back what was reserved beyond `size`. */
static void trim(const UnpackJob *j, size_t size)
{
    const size_t page = 4096, kept = (size + page - 1) / page * page;

    if (j->out && kept < j->room)
        munmap(j->out + kept, j->room - kept);
}

/* What is left of the budget, which may be set higher than there is memory. */
static size_t memory_left(const Ctx *ctx)
{
    const PoolStats pool = pool_stats(ctx->pool);
    const size_t machine = machine_memory(),
                 left = pool.used < pool.limit ? pool.limit - pool.used : 0;

    return left < machine ? left : machine;
}

ml_status codec_unpack(Ctx *ctx, const Codec *codec, InputFile *f)
{
    UnpackJob j = {.codec = codec, .file = f, .room = memory_left(ctx)};
    ml_status st;

    TRY(library_load(ctx, codec->library));
    st = unpack(ctx, &j);
    VEC_FREE(&j.members);
    trim(&j, st == ML_OK ? j.size : 0);
    if (st != ML_OK)
        return st;
    input_release(f);
    f->mapping = j.size ? j.out : NULL;
    f->data = j.size ? j.out : "";
    f->size = j.size;
    f->unpacked = true;
    return ML_OK;
}

ml_status codec_pack(Ctx *ctx, const Codec *codec, const char *data, size_t size, Buffer *out)
{
    TRY(library_load(ctx, codec->library));
    return codec->pack(data, size, out) && !out->failed ? ML_OK : fail_memory(ctx, size);
}
