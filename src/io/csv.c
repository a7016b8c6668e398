/* What both readers of CSV share: headers, the ends of cells, NA strings. */
#include "io/csv.h"

bool csv_is_na(const Spec *spec, const char *p, const char *end)
{
    const size_t n = (size_t)(end - p);

    for (int i = 0; i < spec->na_count; i++)
        if (strlen(spec->na[i]) == n && memcmp(spec->na[i], p, n) == 0)
            return true;
    return false;
}

const char *csv_cell_end(const Spec *spec, const char *p, const char *end, bool quotes)
{
    const size_t n = strlen(spec->sep);
    const char *q = is_blank(*spec->sep) ? p : skip_blanks(p, end);

    if (quotes && q < end && *q == '"' && *spec->sep != '"') {
        q++;
        while ((q = memchr(q, '"', (size_t)(end - q))) != NULL) {
            if (q + 1 == end || q[1] != '"')
                return csv_find_sep(q, end, spec->sep, n);
            q += 2; /* a doubled quote leaves and enters again */
        }
    }
    return csv_find_sep(p, end, spec->sep, n);
}

int64_t csv_count_cells(const Spec *spec, const char *p, const char *end, bool quotes)
{
    const size_t n = strlen(spec->sep);
    int64_t cells = 1;

    for (p = csv_cell_end(spec, p, end, quotes); p < end;
         p = csv_cell_end(spec, p + n, end, quotes))
        cells++;
    return cells;
}

/* What would be read as garbled cells: UTF-16, and lines that end as those of old systems. */
static ml_status check_first_line(Ctx *ctx, const Lines *lines, const char *begin, const char *end)
{
    const Chunk *c = &lines->chunks.items[0];
    const size_t size = (size_t)(end - begin);
    const char *cr = memchr(begin, '\r', size);
    const bool alone = lines->chunks.count == 1 && c->end - end <= 1;

    if (size >= 2 && (memcmp(begin, "\xFF\xFE", 2) == 0 || memcmp(begin, "\xFE\xFF", 2) == 0))
        return input_fail(ctx, c->file, begin, "the text is UTF-16 or UTF-32, expected UTF-8");
    if (alone && cr && cr + 1 < end && !memchr(begin, '"', size))
        return input_fail(ctx, c->file, cr, "a line ends in \\r alone, expected \\n or \\r\\n");
    return ML_OK;
}

ml_status csv_start(Ctx *ctx, const Spec *spec, bool quotes, Lines *lines, const char **header,
                    const char **header_end, int64_t *cols)
{
    const char *begin, *end;

    *header = *header_end = NULL;
    if (!lines_first(lines, &begin, &end))
        return fail(ctx, ML_EFORMAT, "%s: the file is empty", spec->path);
    TRY(check_first_line(ctx, lines, begin, end));
    *cols = csv_count_cells(spec, begin, end, quotes);
    if (spec->header) {
        *header = begin;
        *header_end = end;
        lines_skip_first(lines);
        if (lines_first(lines, &begin, &end) && end > begin)
            *cols = csv_count_cells(spec, begin, end, quotes);
    }
    if (*cols > 1)
        lines_trim_blank_end(lines);
    return ML_OK;
}

bool csv_na_is_no_number(const Spec *spec)
{
    for (int i = 0; i < spec->na_count; i++) {
        double v;

        if (num_parse_double(spec->na[i], spec->na[i] + strlen(spec->na[i]), &v))
            return false;
    }
    return true;
}
