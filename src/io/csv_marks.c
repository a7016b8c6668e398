/* csv_marks: where cells end; csv_marks.tmpl.h finds it, 64 bytes of text at a time. */
#include "io/csv_marks.h"

#define FILL csv_marks_fill_plain
#include "io/csv_marks.tmpl.h"

enum { SENTINEL = 1 };

static void choose_fill(CsvMarks *m)
{
    m->fill = csv_marks_fill_plain;
#ifdef __x86_64__
    if (m->level == CPU_AVX512)
        m->fill =
            __builtin_cpu_supports("avx512vbmi2") ? csv_marks_fill_vbmi2 : csv_marks_fill_avx512;
#endif
}

void csv_marks_fill(CsvMarks *m)
{
    m->fill(m);
}

ml_status csv_marks_open(Ctx *ctx, char sep, int64_t lines, int64_t cols, CsvMarks *m)
{
    size_t room, bytes;

    *m = (CsvMarks){.sep = sep, .level = cpu_level(ctx)};
    choose_fill(m);
    if (!mul_size((size_t)lines, (size_t)cols, &room) ||
        !mul_size(room + BLOCK + SENTINEL, 2 * sizeof *m->at, &bytes))
        return fail_memory(ctx, SIZE_MAX);
    m->held = mem_alloc(bytes);
    if (!m->held)
        return fail_memory(ctx, bytes);
    m->at = (uint32_t *)m->held + SENTINEL;
    m->ends = m->at + room + BLOCK;
    m->room = (int64_t)room;
    return ML_OK;
}

void csv_marks_close(CsvMarks *m)
{
    mem_free(m->held);
    *m = (CsvMarks){0};
}

bool csv_marks_fit(const char *text, const char *end)
{
    return end - text < (int64_t)UINT32_MAX - BLOCK;
}

void csv_marks_start(CsvMarks *m, const char *text, const char *end)
{
    m->text = text;
    m->end = end;
    csv_marks_restart(m, text);
}

void csv_marks_restart(CsvMarks *m, const char *from)
{
    m->next = from;
    m->quoted = 0;
    m->opens = 1;
    m->odd = false;
    m->count = m->lines = 0;
    m->at[-1] = (uint32_t)(from - m->text) - 1;
}

int64_t csv_marks_regular(const CsvMarks *m, int64_t cols)
{
    int64_t n = 0;

    while (n < m->lines && m->ends[n] + 1 == (n + 1) * cols)
        n++;
    return n;
}

void csv_marks_drop(CsvMarks *m, int64_t n)
{
    const uint32_t done = n ? m->ends[n - 1] + 1 : 0;

    if (!done)
        return;
    m->count -= done;
    m->lines -= n;
    memmove(m->at - 1, m->at + done - 1, (size_t)(m->count + 1) * sizeof *m->at);
    for (int64_t i = 0; i < m->lines; i++)
        m->ends[i] = m->ends[i + n] - done;
}

void csv_marks_drop_line(CsvMarks *m, const char *next)
{
    if (m->lines > 0)
        csv_marks_drop(m, 1);
    else
        csv_marks_restart(m, next);
}
