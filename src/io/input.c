/* Inputs: the bytes of one file, or of the part files of a directory.
 *
 * Regular files are mapped privately, so tasks parse straight from the page cache, or read chunks
 * of lines (lines.c) from the file, which stays open for that; anything else (pipes, files of
 * unknown size) is read into memory. What is compressed, by its magic number, is unpacked. A file
 * that another program shortens while it is mapped ends the process, as with every reader that
 * maps; writers of this folder never do that, they replace files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_impl.h"

enum {
    CHUNK_BYTES = 256 << 10 /* text of about 16K numbers: fits the L2 cache */
};

static ml_status copy_name(Ctx *ctx, const char *name, char **out)
{
    const size_t size = strlen(name) + 1;

    *out = mem_alloc(size);
    if (!*out)
        return fail_memory(ctx, size);
    memcpy(*out, name, size);
    return ML_OK;
}

static ml_status fail_errno(Ctx *ctx, const char *path)
{
    return fail(ctx, ML_EIO, "cannot read %s: %s", path, strerror(errno));
}

static ml_status map_file(Ctx *ctx, int fd, size_t size, InputFile *f)
{
    void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

    if (p == MAP_FAILED)
        return fail_errno(ctx, f->name);
    madvise(p, size, MADV_WILLNEED);
    f->mapping = p;
    f->data = p;
    f->size = size;
    f->fd = fd;
    f->open = true;
    return ML_OK;
}

static ml_status slurp(Ctx *ctx, InputFile *f)
{
    char *text = NULL;

    TRY(file_read(ctx, f->name, &text, &f->size));
    f->data = text;
    f->owned = true;
    return ML_OK;
}

/* Fills f, whose name is set, with the bytes that the file holds. */
static ml_status load_file(Ctx *ctx, InputFile *f)
{
    struct stat st;
    ml_status status;
    const int fd = open(f->name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(ctx, f->name);
    if (fstat(fd, &st) != 0)
        status = fail_errno(ctx, f->name);
    else if (S_ISREG(st.st_mode) && st.st_size > 0)
        status = map_file(ctx, fd, (size_t)st.st_size, f);
    else
        status = slurp(ctx, f);
    if (!f->open)
        close(fd);
    return status;
}

static ml_status unpack_if_packed(Ctx *ctx, InputFile *f)
{
    const Codec *codec = codec_of_bytes(f->data, f->size);

    return codec ? codec_unpack(ctx, codec, f) : ML_OK;
}

/* Fills f, whose name is set, with the content of the file. */
static ml_status open_file(Ctx *ctx, InputFile *f)
{
    TRY(load_file(ctx, f));
    return unpack_if_packed(ctx, f);
}

static bool is_part(const char *name)
{
    const size_t n = strlen(name);

    return name[0] != '.' && name[0] != '_' && !(n > 4 && strcmp(name + n - 4, ".mtd") == 0);
}

static void close_file(InputFile *f)
{
    if (f->open)
        close(f->fd);
    f->open = false;
}

static ml_status open_part(Ctx *ctx, const char *folder, const char *name, InputFile *f)
{
    const size_t size = strlen(folder) + strlen(name) + 2;

    f->name = mem_alloc(size);
    if (!f->name)
        return fail_memory(ctx, size);
    snprintf(f->name, size, "%s/%s", folder, name);
    TRY(open_file(ctx, f));
    close_file(f); /* a folder may hold more files than a process may have open */
    return ML_OK;
}

static ml_status open_parts(Ctx *ctx, const char *path, const Folder *names, Input *in)
{
    const size_t n = (size_t)names->count;

    if (n == 0)
        return fail(ctx, ML_EFORMAT, "the folder %s holds no part files", path);
    in->files = mem_calloc(n, sizeof *in->files);
    if (!in->files)
        return fail_memory(ctx, n * sizeof *in->files);
    for (int i = 0; i < names->count; i++) {
        in->count = i + 1;
        TRY(open_part(ctx, path, names->items[i], &in->files[i]));
    }
    return ML_OK;
}

static ml_status open_folder(Ctx *ctx, const char *path, Input *in)
{
    Folder names;
    ml_status st;

    TRY(folder_open(ctx, path, is_part, &names));
    st = open_parts(ctx, path, &names, in);
    folder_close(&names);
    return st;
}

static ml_status single(Ctx *ctx, const char *name, Input *in)
{
    in->files = mem_calloc(1, sizeof *in->files);
    if (!in->files)
        return fail_memory(ctx, sizeof *in->files);
    in->count = 1;
    return copy_name(ctx, name, &in->files[0].name);
}

ml_status input_open(Ctx *ctx, const char *path, Input *in)
{
    struct stat st;
    ml_status status;

    *in = (Input){.chunk = CHUNK_BYTES};
    if (stat(path, &st) != 0)
        return errno == ENOENT ? fail(ctx, ML_EIO, "read: there is no file %s", path)
                               : fail_errno(ctx, path);
    if (S_ISDIR(st.st_mode)) {
        status = open_folder(ctx, path, in);
    } else {
        status = single(ctx, path, in);
        if (status == ML_OK)
            status = open_file(ctx, &in->files[0]);
    }
    if (status != ML_OK)
        input_close(in);
    return status;
}

ml_status input_memory(Ctx *ctx, const char *name, const char *data, size_t size, Input *in)
{
    ml_status st;

    *in = (Input){.chunk = CHUNK_BYTES};
    st = single(ctx, name, in);

    if (st == ML_OK) {
        in->files[0].data = data;
        in->files[0].size = size;
        st = unpack_if_packed(ctx, &in->files[0]);
    }
    if (st != ML_OK)
        input_close(in);
    return st;
}

void input_release(InputFile *f)
{
    if (f->mapping)
        munmap(f->mapping, f->size);
    if (f->owned)
        mem_free((void *)(uintptr_t)f->data);
    close_file(f);
    f->mapping = NULL;
    f->owned = false;
}

void input_close(Input *in)
{
    for (int i = 0; i < in->count; i++) {
        input_release(&in->files[i]);
        mem_free(in->files[i].name);
    }
    mem_free(in->files);
    *in = (Input){0};
}

/* Lines and columns are counted only here, when something is wrong. */
ml_status input_fail(Ctx *ctx, const InputFile *file, const char *at, const char *format, ...)
{
    char text[512];
    int64_t line = 1;
    const char *start;
    va_list args;

    if (file->whole) {
        at = file->origin + (at - file->data);
        file = file->whole;
    }
    start = file->data;
    for (const char *p = start; p < at; p++)
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(ctx, ML_EFORMAT, "%s:%" PRId64 ":%td: %s", file->name, line, at - start + 1, text);
}

const char *input_quote(const char *begin, const char *end, char buf[48])
{
    const size_t n = (size_t)(end - begin), shown = n < 40 ? n : 37;

    buf[0] = '"';
    for (size_t i = 0; i < shown; i++) {
        const unsigned char c = (unsigned char)begin[i];

        buf[i + 1] = c < 32 || c == 127 ? '?' : (char)c;
    }
    memcpy(buf + 1 + shown, n > shown ? "...\"" : "\"", n > shown ? 5 : 2);
    return buf;
}

ml_status input_check_dims(Ctx *ctx, const Spec *spec, int64_t rows, int64_t cols)
{
    if ((spec->rows < 0 || spec->rows == rows) && (spec->cols < 0 || spec->cols == cols))
        return ML_OK;
    return fail(ctx, ML_EFORMAT,
                "%s: the file has %" PRId64 " rows and %" PRId64 " columns, expected %" PRId64
                " and %" PRId64 " by its metadata or the arguments of read",
                spec->path, rows, cols, spec->rows < 0 ? rows : spec->rows,
                spec->cols < 0 ? cols : spec->cols);
}

bool cell_parse(const char *p, const char *end, double *v)
{
    const char *q;

    p = skip_blanks(p, end);
    while (end > p && is_blank(end[-1]))
        end--;
    q = num_parse_double(p, end, v);
    if (!q)
        return false;
    if (q + 1 == end &&
        ((*q | 0x20) == 'd' || (*q | 0x20) == 'f')) /* Java's type suffixes change nothing */
        q++;
    return q == end;
}
