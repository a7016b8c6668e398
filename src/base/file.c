/* file: whole files as text.  Reading works for pipes too: the size that stat reports is only the
 * first guess. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Appends all that is left; errno tells why on false. */
static bool read_all(int fd, Buffer *b)
{
    for (;;) {
        char *end =
            buffer_reserve(b, b->capacity > b->size + 1 ? b->capacity - b->size - 1 : 65536);
        ssize_t got;

        if (!end) {
            errno = ENOMEM;
            return false;
        }
        got = read(fd, end, b->capacity - b->size - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        b->size += (size_t)got;
        b->data[b->size] = '\0';
        if (got == 0)
            return true;
    }
}

ml_status file_read(Ctx *ctx, const char *path, char **text, size_t *size)
{
    Buffer b = {0};
    struct stat info;
    bool good = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail(ctx, ML_EIO, "cannot open '%s': %m", path);
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
        buffer_reserve(&b,
                       (size_t)info.st_size + 1); /* one more, to meet the end without growing */
    good = read_all(fd, &b);
    if (!good && errno == ENOMEM)
        fail_memory(ctx, b.size);
    else if (!good)
        fail(ctx, ML_EIO, "cannot read '%s': %m", path);
    close(fd);
    if (!good) {
        ml_status st = ctx->err.code;

        buffer_free(&b);
        return st;
    }
    *text = b.data;
    *size = b.size;
    return ML_OK;
}

static bool write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        const ssize_t put = write(fd, text, size);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        text += put;
        size -= (size_t)put;
    }
    return true;
}

ml_status file_write(Ctx *ctx, const char *path, const char *text, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    ml_status st = ML_OK;

    if (fd < 0)
        return fail(ctx, ML_EIO, "cannot create '%s': %m", path);
    if (!write_all(fd, text, size))
        st = fail(ctx, ML_EIO, "cannot write '%s': %m", path);
    if (close(fd) != 0 && st == ML_OK)
        st = fail(ctx, ML_EIO, "cannot write '%s': %m", path);
    return st;
}
