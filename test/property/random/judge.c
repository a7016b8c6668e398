/* Runs of one program, compared.
 *
 * Not optimized on 1 thread is the reference.  Optimized on 1 and on 8 threads must print the same
 * text to the last digit, and against the reference the same words and errors, NaN and infinities
 * in the same cells, and numbers that differ by what rounding explains: 1e-9 of the value, or 1e-11
 * of its magnitude, which the program with magnitudes computes when it is needed (forms.def). */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const verdicts[] = {"same",          "values differ", "1 and 8 threads differ",
                                "errors differ", "crash",         "generator is wrong"};

/* A way of running, its context and what it printed; errors are printed like anything else. */
typedef struct Way {
    const char *name, *opt, *threads;
    ml_context *context;
    Buffer out;
    ml_status status;
} Way;

static Way ways[] = {{"not optimized", "0", "1", NULL, {0}, 0},
                     {"optimized", "2", "1", NULL, {0}, 0},
                     {"optimized, 8 threads", "2", "8", NULL, {0}, 0},
                     {"magnitudes", "0", "1", NULL, {0}, 0}};
enum { PLAIN, OPTIMIZED, THREADED, MAGNITUDES, WAYS };

static int collect(void *arg, const char *text, size_t size)
{
    buffer_put(arg, text, size);
    return 0;
}

static void run(Way *w, const char *script)
{
    if (!w->context) {
        w->context = ml_context_new();
        if (!w->context)
            exit(2);
        ml_context_output(w->context, collect, collect, &w->out);
        ml_context_set(w->context, "opt", w->opt);
        ml_context_set(w->context, "threads", w->threads);
    }
    w->out.size = 0;
    w->status = ml_run_text(w->context, "random", script);
    buffer_put(&w->out, "", 1);
}

/* ---- comparison ---- */

typedef struct Word {
    const char *text;
    size_t size;
    double number;
    bool is_number;
} Word;

static Word next_word(const char **at)
{
    Word w = {.text = *at + strspn(*at, " \n")};
    char *end;

    w.size = strcspn(w.text, " \n");
    w.number = strtod(w.text, &end);
    w.is_number = w.size > 0 && end == w.text + w.size;
    *at = w.text + w.size;
    return w;
}

/* Numbers are printed with 17 digits after the point. */
static bool close_numbers(double x, double y)
{
    double larger = fmax(fabs(x), fabs(y));

    if (isnan(x) || isnan(y))
        return isnan(x) && isnan(y);
    return x == y || (isfinite(x) && isfinite(y) && fabs(x - y) <= 1e-9 * larger + 2e-17);
}

static bool explained(double x, double y, double magnitude, bool empty)
{
    if (isnan(magnitude) || magnitude == (double)INFINITY)
        return true;
    if (magnitude < 0) /* no terms at all are 0, whatever they would be multiplied with */
        return empty || (!isfinite(x) && !isfinite(y));
    return isfinite(x) && isfinite(y) && fabs(x - y) <= 1e-11 * magnitude;
}

/* In errors an operand may go by the name it has in a function that was put in line. */
static bool names_operand(const Word *w)
{
    return w->size > 1 && strspn(w->text + 1, "0123456789") == w->size - 1 && *w->text == 'V';
}

static bool same_word(const Word *x, const Word *y)
{
    return (x->size == y->size && memcmp(x->text, y->text, x->size) == 0) ||
           (names_operand(x) && names_operand(y));
}

/* magnitudes: NULL when there are none yet. */
static bool close_texts(const char *a, const char *b, const char *magnitudes, bool empty)
{
    for (;;) {
        Word x = next_word(&a), y = next_word(&b), m = {0};

        if (magnitudes)
            m = next_word(&magnitudes);
        if (x.size == 0 || y.size == 0)
            return x.size == y.size;
        if (x.is_number && y.is_number) {
            if (!close_numbers(x.number, y.number) &&
                !(m.is_number && explained(x.number, y.number, m.number, empty)))
                return false;
        } else if (!same_word(&x, &y) && !(m.is_number && !isfinite(m.number))) {
            return false;
        }
    }
}

static Verdict compare_values(const Program *p)
{
    Buffer text = {0};
    const Way *plain = &ways[PLAIN], *best = &ways[OPTIMIZED];
    Way *m = &ways[MAGNITUDES];
    bool close;

    if (close_texts(plain->out.data, best->out.data, NULL, false))
        return SAME;
    if (!p)
        return VALUES_DIFFER;
    if (file_read(&(Ctx){0}, RANDOM_FOLDER "/magnitudes.dml", &text.data, &text.size) != ML_OK)
        return GENERATOR_WRONG;
    text.capacity = text.size + 1;
    program_text(p, true, &text);
    run(m, text.data);
    close = close_texts(plain->out.data, best->out.data, m->out.data, p->empty);
    buffer_free(&text);
    if (m->status != plain->status)
        return GENERATOR_WRONG;
    return close ? SAME : VALUES_DIFFER;
}

static Verdict compare(const Program *p)
{
    if (strcmp(ways[OPTIMIZED].out.data, ways[THREADED].out.data) != 0)
        return THREADS_DIFFER;
    if (ways[PLAIN].status != ways[OPTIMIZED].status)
        return ERRORS_DIFFER;
    return compare_values(p);
}

static Verdict judge_both(const Program *p, const char *text, bool show)
{
    Verdict v;

    for (int k = 0; k < MAGNITUDES; k++)
        run(&ways[k], text);
    v = compare(p);
    for (int k = 0; show && k < WAYS; k++)
        if (ways[k].out.data)
            printf("---- %s\n%s\n", ways[k].name, ways[k].out.data);
    return v;
}

Verdict judge_text(const char *text, bool show)
{
    return judge_both(NULL, text, show);
}

Verdict judge(const Program *p, bool show)
{
    Buffer text = {0};
    Verdict v;

    program_text(p, false, &text);
    v = judge_both(p, text.data, show);
    buffer_free(&text);
    return v;
}

bool judge_error(void)
{
    return ways[PLAIN].status != ML_OK;
}

void judge_end(void)
{
    for (int k = 0; k < WAYS; k++) {
        ml_context_free(ways[k].context);
        buffer_free(&ways[k].out);
        ways[k].context = NULL;
    }
}
