/* transform_hash: the hash values of the reference's platform, which decide the buckets of the
 * hash encoder, so that both systems put a cell into the same one. */
#include "kernel/transform.h"

#include <string.h>

int32_t text_hash(const char *s, size_t size)
{
    const char *end = s + size;
    uint32_t h = 0;

    for (int bytes; s < end; s += bytes) {
        uint32_t code = text_decode(s, end, &bytes);

        if (code >= 0x10000) {
            code -= 0x10000;
            h = 31 * h + (0xD800 | code >> 10);
            code = 0xDC00 | (code & 0x3FF);
        }
        h = 31 * h + code;
    }
    return (int32_t)h;
}

static int32_t fold(uint64_t bits)
{
    return (int32_t)(uint32_t)(bits ^ bits >> 32);
}

static int32_t number_hash(const FrameColumn *c, int64_t row)
{
    uint64_t bits;
    uint32_t short_bits;

    if (frame_type_is_integer(c->type))
        return c->type == FT_INT64 ? fold((uint64_t)column_int(c, row))
                                   : (int32_t)column_int(c, row);
    if (c->type == FT_FP32) {
        memcpy(&short_bits, column_cell(c, row), sizeof short_bits);
        return (int32_t)short_bits;
    }
    memcpy(&bits, column_cell(c, row), sizeof bits);
    return fold(bits);
}

static int64_t bucket(int64_t h, int64_t buckets)
{
    return (h < 0 ? -h : h) % buckets + 1;
}

int64_t hash_bucket_of_text(Text t, int64_t buckets)
{
    return bucket(text_hash(t.s, t.size), buckets);
}

int64_t hash_bucket_of_blank(FrameType type, int64_t buckets)
{
    const int64_t high_half_of_nan = 0x7FF80000, short_nan = 0x7FC00000;

    return bucket(type == FT_FP64 ? high_half_of_nan : type == FT_FP32 ? short_nan : 0, buckets);
}

int64_t hash_bucket(const FrameColumn *c, int64_t row, int64_t buckets)
{
    Text t = {0};

    if (!frame_type_is_text(c->type))
        return bucket(number_hash(c, row), buckets);
    t.s = column_text(c, row, &t.size);
    return hash_bucket_of_text(t, buckets);
}
