/* Where the cells of lines end: see csv_marks.c. */
#ifndef CSV_MARKS_H
#define CSV_MARKS_H

#include "io/io_impl.h"

/* The ends of cells of some lines, as offsets into the text. Those of line i are at[ends[i - 1] + 1
 * .. ends[i]], the last of them its line end; at[-1] is the mark before the first cell. */
typedef struct CsvMarks {
    const char *text, *end;
    char sep;
    CpuLevel level;
    void (*fill)(struct CsvMarks *); /* for that */
    const char *next;                /* what was not looked at yet */
    uint64_t quoted;                 /* all bits: the text before next is inside quotes */
    uint64_t opens;                  /* 1: a quote that opens a cell may stand there */
    bool odd; /* quotes after the last whole line are to be looked at one by one */
    uint32_t *at, *ends;
    int64_t count, lines, room;
    void *held; /* owned */
} CsvMarks;

/* Room for `lines` lines of `cols` columns. */
ml_status csv_marks_open(Ctx *ctx, char sep, int64_t lines, int64_t cols, CsvMarks *m);
void csv_marks_close(CsvMarks *m);
/* Whether offsets can name every place of the text. */
bool csv_marks_fit(const char *text, const char *end);
/* Begin with a text of whole lines; then also with those of its lines that begin at `from`. */
void csv_marks_start(CsvMarks *m, const char *text, const char *end);
void csv_marks_restart(CsvMarks *m, const char *from);
/* Looks ahead until the room is full, the text ends, or quotes are odd. */
void csv_marks_fill(CsvMarks *m);
void csv_marks_fill_plain(CsvMarks *m);
void csv_marks_fill_avx512(CsvMarks *m);
void csv_marks_fill_vbmi2(CsvMarks *m);
/* How many of the next lines have `cols` cells. */
int64_t csv_marks_regular(const CsvMarks *m, int64_t cols);
/* The first n lines are done. */
void csv_marks_drop(CsvMarks *m, int64_t n);
/* The first line is done, which may lack its marks; the next one begins at `next`. */
void csv_marks_drop_line(CsvMarks *m, const char *next);

/* Where the first line that is not done begins. */
static inline const char *csv_marks_line(const CsvMarks *m)
{
    return m->text + (uint32_t)(m->at[-1] + 1);
}

#endif
