/* Outputs: bytes go to a temporary file beside the target, which takes its place when complete.
 *
 * So a failed write leaves the old content, and readers that mapped it keep it. The two exchange
 * their names, then the old one is removed: at every moment the path is a whole file. Renaming over
 * the old one would be as good, but ext4 and others then begin to write the new one to disk at
 * once, against a loss of power between the two, which doubles the time of a write. That loss is
 * not guarded against here, no more than by others that call no fsync, and docs/formats.md says so.
 *
 * Rows are formatted by tasks, a batch of pieces at a time; a piece holds fixed rows and is written
 * at the place that the sizes before it give.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_impl.h"

enum {
    PIECE_CELLS = 16 << 10, /* formatted by one task into about 300 KB of text */
    WRITE_BYTES = 1 << 30,  /* the most the kernel takes at once is a little under 2 GiB */
    PIECES_PER_THREAD = 4,
    MAX_TEMPS = 1000 /* leftovers of one process at one path */
};

static ml_status fail_write(Ctx *ctx, const char *path)
{
    return fail(ctx, ML_EIO, "cannot write %s: %s", path, strerror(errno));
}

/* Create the folders that path lies in; path is changed meanwhile. */
static bool make_parents(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            *p = '/';
            return false;
        }
        *p = '/';
    }
    return true;
}

/* Name the temporary file and create it, as a folder or a file. A device is not to be replaced. */
static ml_status open_temp(Ctx *ctx, const char *path, bool folder, Output *o)
{
    const size_t size = strlen(path) + 48;
    struct stat old;
    bool made = false;

    *o = (Output){.path = path, .fd = -1};
    if (stat(path, &old) == 0 && !S_ISREG(old.st_mode) && !S_ISDIR(old.st_mode))
        return fail(ctx, ML_EIO, "cannot write %s: it is a device or a pipe, expected a file",
                    path);
    o->temp = mem_alloc(size);
    if (!o->temp)
        return fail_memory(ctx, size);
    snprintf(o->temp, size, "%s", path);
    errno = ENAMETOOLONG;
    made = *path && make_parents(o->temp);
    for (int i = 0; made && i < MAX_TEMPS; i++) {
        snprintf(o->temp, size, "%s.tmp-%ld-%d", path, (long)getpid(), i);
        if (!folder)
            o->fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (folder ? mkdir(o->temp, 0777) == 0 : o->fd >= 0)
            return ML_OK;
        made = errno == EEXIST;
    }
    mem_free(o->temp);
    o->temp = NULL;
    return fail_write(ctx, path);
}

ml_status output_open(Ctx *ctx, const char *path, Output *o)
{
    return open_temp(ctx, path, false, o);
}

ml_status output_open_folder(Ctx *ctx, const char *path, Output *o)
{
    return open_temp(ctx, path, true, o);
}

ml_status output_at(Ctx *ctx, const Output *o, int64_t offset, const void *data, size_t size)
{
    const char *p = data;

    while (size > 0) {
        const ssize_t n = pwrite(o->fd, p, size < WRITE_BYTES ? size : WRITE_BYTES, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail_write(ctx, o->path);
        p += n;
        offset += n;
        size -= (size_t)n;
    }
    return ML_OK;
}

static ml_status append_bytes(Ctx *ctx, Output *o, const void *data, size_t size)
{
    TRY(output_at(ctx, o, o->size, data, size));
    o->size += (int64_t)size;
    return ML_OK;
}

ml_status output_append(Ctx *ctx, Output *o, const void *data, size_t size)
{
    Buffer packed = {0};
    ml_status st;

    if (!o->codec)
        return append_bytes(ctx, o, data, size);
    st = codec_pack(ctx, o->codec, data, size, &packed);
    if (st == ML_OK)
        st = append_bytes(ctx, o, packed.data, packed.size);
    buffer_free(&packed);
    return st;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

/* A folder of data of ours: part files or a list, which metadata beside it tells. */
static bool is_data_folder(const char *path)
{
    char mtd[4096];

    return snprintf(mtd, sizeof mtd, "%s.mtd", path) < (int)sizeof mtd && access(mtd, F_OK) == 0;
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Where file systems cannot exchange (NFS); a folder is in no way replaced by renaming, nor does it
 * replace a file, so the old one goes first then. */
static bool replace_plainly(const Output *o)
{
    if (rename(o->temp, o->path) == 0)
        return true;
    if (errno != EISDIR && errno != ENOTDIR && errno != ENOTEMPTY && errno != EEXIST)
        return false;
    remove_tree(o->path);
    return rename(o->temp, o->path) == 0;
}

/* Put temp in the place of path, and remove what was there. Folders that are not ours are left
 * alone. */
static bool replace(const Output *o)
{
    struct stat old;
    bool folder;

    if (lstat(o->path, &old) != 0)
        return rename(o->temp, o->path) == 0;
    folder = S_ISDIR(old.st_mode);
    if (folder && !is_data_folder(o->path)) {
        errno = EISDIR;
        return false;
    }
    if (renameat2(AT_FDCWD, o->temp, AT_FDCWD, o->path, RENAME_EXCHANGE) != 0)
        return replace_plainly(o);
    remove_tree(o->temp);
    return true;
}

ml_status output_commit(Ctx *ctx, Output *o)
{
    const int fd = o->fd;

    o->fd = -1;
    if ((fd >= 0 && close(fd) != 0) || !replace(o))
        return fail_write(ctx, o->path);
    mem_free(o->temp);
    o->temp = NULL;
    return ML_OK;
}

void output_discard(Output *o)
{
    if (o->fd >= 0)
        close(o->fd);
    if (o->temp)
        remove_tree(o->temp);
    mem_free(o->temp);
    *o = (Output){.fd = -1};
}

/* A batch of pieces: formatted first, then written where their sizes put them. */
typedef struct Batch {
    const Output *o;
    RowFormatter format;
    const void *arg;
    int64_t rows, first_row, rows_per_piece;
    Buffer *pieces;
    int64_t *offsets;
} Batch;

/* Put the packed bytes of a piece in its place. */
static ml_status pack_piece(Ctx *ctx, const Codec *codec, Buffer *piece)
{
    Buffer packed = {0};
    ml_status st = codec_pack(ctx, codec, piece->data, piece->size, &packed);

    if (st != ML_OK) {
        buffer_free(&packed);
        return st;
    }
    buffer_free(piece);
    *piece = packed;
    return ML_OK;
}

static ml_status format_pieces(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Batch *b = arg;

    for (int64_t i = lo; i < hi; i++) {
        const int64_t from = b->first_row + i * b->rows_per_piece, to = from + b->rows_per_piece;
        Buffer *piece = &b->pieces[i];

        TRY(check_cancel(ctx));
        piece->size = 0;
        b->format(b->arg, from, to < b->rows ? to : b->rows, piece);
        if (piece->failed)
            return fail_memory(ctx, piece->capacity);
        if (b->o->codec && piece->size > 0)
            TRY(pack_piece(ctx, b->o->codec, piece));
    }
    return ML_OK;
}

static ml_status write_pieces(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Batch *b = arg;

    for (int64_t i = lo; i < hi; i++)
        TRY(output_at(ctx, b->o, b->offsets[i], b->pieces[i].data, b->pieces[i].size));
    return ML_OK;
}

static ml_status run_batch(Ctx *ctx, Batch *b, Output *o, int64_t count)
{
    TRY(task_for(ctx, count, 1, format_pieces, b));
    for (int64_t i = 0; i < count; i++) {
        b->offsets[i] = o->size;
        o->size += (int64_t)b->pieces[i].size;
    }
    return task_for(ctx, count, 1, write_pieces, b);
}

ml_status output_rows(Ctx *ctx, Output *o, int64_t rows, int64_t cells_per_row, RowFormatter format,
                      const void *arg)
{
    const int64_t per_piece =
        cells_per_row < PIECE_CELLS ? PIECE_CELLS / (cells_per_row > 0 ? cells_per_row : 1) : 1;
    const int batch = PIECES_PER_THREAD * task_threads(ctx);
    Batch b = {.o = o, .format = format, .arg = arg, .rows = rows, .rows_per_piece = per_piece};
    ml_status st = ML_OK;

    b.pieces = mem_calloc((size_t)batch, sizeof *b.pieces);
    b.offsets = mem_calloc((size_t)batch, sizeof *b.offsets);
    if (!b.pieces || !b.offsets)
        st = fail_memory(ctx, (size_t)batch * sizeof *b.pieces);
    for (; b.first_row < rows && st == ML_OK; b.first_row += batch * per_piece) {
        const int64_t left = (rows - b.first_row + per_piece - 1) / per_piece;

        st = run_batch(ctx, &b, o, left < batch ? left : batch);
    }
    for (int i = 0; b.pieces && i < batch; i++)
        buffer_free(&b.pieces[i]);
    mem_free(b.pieces);
    mem_free(b.offsets);
    return st;
}
