/* text: characters of UTF-8 and their cases.  Broken bytes count as characters of their own, so
 * that no text is an error. */
#include "kernel/text.h"

#include <string.h>

uint32_t text_decode(const char *s, const char *end, int *bytes)
{
    const unsigned char c = (unsigned char)*s;
    const int n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint32_t code = n == 1 ? c : c & (0x7Fu >> n);

    *bytes = 1;
    if (n > end - s)
        return c;
    for (int k = 1; k < n; k++) {
        if (((unsigned char)s[k] & 0xC0) != 0x80)
            return c;
        code = code << 6 | ((unsigned char)s[k] & 0x3F);
    }
    *bytes = n;
    return code;
}

int text_encode(uint32_t code, char out[4])
{
    const int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (int k = n - 1; k > 0; k--, code >>= 6)
        out[k] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(n == 1 ? code : (0xF00u >> n & 0xF0) | code);
    return n;
}

int64_t text_length(Text t)
{
    const char *end = t.s + t.size;
    int64_t n = 0;

    for (int bytes; t.s < end; t.s += bytes, n++)
        text_decode(t.s, end, &bytes);
    return n;
}

int64_t text_byte(Text t, int64_t index)
{
    const char *p = t.s, *end = t.s + t.size;

    for (int bytes; index > 0 && p < end; p += bytes, index--)
        text_decode(p, end, &bytes);
    return index == 0 ? p - t.s : -1;
}

int64_t text_find(Text t, Text part, size_t from)
{
    const char *at = from <= t.size ? memmem(t.s + from, t.size - from, part.s, part.size) : NULL;

    return at ? at - t.s : -1;
}

int64_t text_find_last(Text t, Text part)
{
    for (int64_t k = (int64_t)t.size - (int64_t)part.size; k >= 0; k--)
        if (memcmp(t.s + k, part.s, part.size) == 0)
            return k;
    return -1;
}

/* Runs of lower-case letters and the distance to their upper-case ones; alternating runs hold
 * pairs, the upper-case one first. */
static const struct CaseRun {
    uint32_t first, last;
    int32_t distance;
    uint32_t odd; /* alternating: the parity of lower-case code points plus 1; 0: not alternating */
} case_runs[] = {
    {'a', 'z', 32, 0},     {0xE0, 0xF6, 32, 0},   {0xF8, 0xFE, 32, 0},   {0xFF, 0xFF, -121, 0},
    {0x100, 0x12F, 1, 2},  {0x132, 0x137, 1, 2},  {0x139, 0x148, 1, 1},  {0x14A, 0x177, 1, 2},
    {0x179, 0x17E, 1, 1},  {0x3B1, 0x3C1, 32, 0}, {0x3C3, 0x3C9, 32, 0}, {0x430, 0x44F, 32, 0},
    {0x450, 0x45F, 80, 0}, {0x460, 0x481, 1, 2},
};
enum { CASE_RUNS = sizeof case_runs / sizeof *case_runs };

uint32_t text_upper(uint32_t code)
{
    for (int k = 0; k < CASE_RUNS; k++) {
        const struct CaseRun *r = &case_runs[k];

        if (code >= r->first && code <= r->last && (!r->odd || code % 2 == r->odd - 1))
            return (uint32_t)((int32_t)code - r->distance);
    }
    return code;
}

uint32_t text_lower(uint32_t code)
{
    for (int k = 0; k < CASE_RUNS; k++) {
        const struct CaseRun *r = &case_runs[k];
        const uint32_t lower = (uint32_t)((int32_t)code + r->distance);

        if (lower >= r->first && lower <= r->last && (!r->odd || lower % 2 == r->odd - 1))
            return lower;
    }
    return code;
}
