/* Every builtin against the peer, on inputs of every kind: the calls of builtins.tsv.
 *
 *     peer_builtins FOLDER check [ANSWERS [SEED]]     run them all and compare
 *     peer_builtins FOLDER scripts [SEED]             the scripts, for the peer to run
 *     peer_builtins FOLDER record ANSWERS             what the peer answered, tidy
 *
 * FOLDER is this one.  A row of builtins.tsv is an operator, the names of inputs, a call with X in
 * it; each input makes a script of it.  `check` compares what matloom prints with ANSWERS, by
 * default those recorded in expected/builtins.tsv: the same words, numbers up to 2e-9, relatively
 * for large ones.  A number that is exactly equal must also be written the same, so that an integer
 * is no double.  Where the two differ on purpose builtins-differences.tsv gives matloom's answer
 * and the reason; a row there that the two agree on again is an error, and so is an operator
 * without a call.  Random inputs come from SEED; answers are recorded for seed 1.
 */
#include "matloom/matloom.h"

#include "op/op.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double TOLERANCE = 2e-9;
enum { DECIMALS = 9, FIELDS = 4, LETS = 128 };

/* ---- tables ---- */

typedef struct Row {
    char *field[FIELDS]; /* those that are missing are "" */
} Row;

typedef struct Table {
    char *text; /* the rows point into it */
    VEC(Row) rows;
    int next; /* where find looks first: tables are read in order */
} Table;

/* Nobody to report to: a test program that gets no memory or file ends. */
static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "peer_builtins: %s\n", what);
    exit(2);
}

/* A missing file is an empty table. */
static void table_read(Table *table, const char *path)
{
    Ctx ctx = {0};
    size_t size;
    char *rest, *line;

    *table = (Table){0};
    if (file_read(&ctx, path, &table->text, &size) != ML_OK)
        return;
    rest = table->text;
    while ((line = strsep(&rest, "\n"))) {
        Row row;

        if (!*line || *line == '#')
            continue;
        for (int k = 0; k < FIELDS; k++) {
            row.field[k] = line ? strsep(&line, "\t") : line;
            if (!row.field[k])
                row.field[k] = table->text + size;
        }
        need(VEC_PUSH(&table->rows, row), "out of memory");
    }
}

static void table_free(Table *table)
{
    mem_free(table->text);
    VEC_FREE(&table->rows);
}

/* The row that begins with these two fields. */
static const Row *find(Table *table, const char *input, const char *call)
{
    for (int k = 0; k < table->rows.count; k++) {
        const int at = (table->next + k) % table->rows.count;
        const Row *row = &table->rows.items[at];

        if (strcmp(row->field[0], input) == 0 && strcmp(row->field[1], call) == 0) {
            table->next = at + 1;
            return row;
        }
    }
    return NULL;
}

/* ---- scripts ---- */

typedef struct Suite {
    Table calls;
    uint64_t seed;
} Suite;

/* "random ROWS COLS DENSITY" as a literal; its cells are multiples of 1/8 between -5 and 5. */
static void random_cells(const Suite *s, const char *name, const char *sizes, Buffer *out)
{
    uint64_t state = hash_bytes(name, strlen(name), s->seed);
    char *end;
    const long rows = strtol(sizes + strlen("random"), &end, 10), cols = strtol(end, &end, 10);
    const double density = strtod(end, NULL);

    buffer_text(out, "matrix(\"");
    for (long k = 0; k < rows * cols; k++) {
        const uint64_t cell = state = hash_mix(state, (uint64_t)k + 1);
        const double share = (double)(cell >> 40) * 0x1p-24;
        const long step = (long)(hash_mix(cell, 7) % 81) - 40;

        buffer_format(out, "%s%g", k ? " " : "", share < density ? (double)step / 8 : 0.0);
    }
    buffer_format(out, "\", rows=%ld, cols=%ld)", rows, cols);
}

static bool is_random(const char *value)
{
    return strncmp(value, "random ", strlen("random ")) == 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool mentions(const char *text, const char *word)
{
    const size_t n = strlen(word);

    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || !is_word(at[-1])) && !is_word(at[n]))
            return true;
    return false;
}

/* Definitions of the names that `body` needs, a name's own needs before it: `let` rows refer to
 * rows above them. */
static void definitions(const Suite *s, const char *body, Buffer *out)
{
    const Row *needed[LETS];
    int count = 0;
    Buffer seen = {0};

    buffer_text(&seen, body);
    for (int k = s->calls.rows.count - 1; k >= 0; k--) {
        const Row *row = &s->calls.rows.items[k];

        if (strcmp(row->field[0], "let") || !mentions(seen.data, row->field[1]))
            continue;
        need(count < LETS, "too many definitions");
        needed[count++] = row;
        if (!is_random(row->field[2]))
            buffer_format(&seen, "\n%s", row->field[2]);
    }
    buffer_free(&seen);
    while (count--) {
        const char *name = needed[count]->field[1], *value = needed[count]->field[2];

        buffer_format(out, "%s = ", name);
        if (is_random(value))
            random_cells(s, name, value, out);
        else
            buffer_text(out, value);
        buffer_text(out, "\n");
    }
}

/* Statements that print stay as they are; an expression is a matrix to print. */
static void script_of(const Suite *s, const char *input, const char *call, Buffer *out)
{
    Buffer body = {0};

    if (strcmp(input, "-"))
        buffer_format(&body, "X = %s\n", input);
    if (strstr(call, "print(") || strstr(call, "stop("))
        buffer_format(&body, "%s\n", call);
    else
        buffer_format(&body,
                      "Z = %s\nprint(nrow(Z) + \"x\" + ncol(Z))\nprint(toString(Z, decimal=%d))\n",
                      call, DECIMALS);
    definitions(s, body.data, out);
    buffer_text(out, body.data);
    need(!out->failed && !body.failed, "out of memory");
    buffer_free(&body);
}

typedef void (*Visit)(void *arg, const char *input, const char *call);

/* The inputs that a list names; @NAME is the list of the row `set NAME`. */
static void each_input(const Suite *s, const char *list, const char *call, Visit visit, void *arg)
{
    while (*list) {
        const size_t n = strcspn(list, " ");
        char word[64];

        need(n < sizeof word, "the name of an input is too long");
        memcpy(word, list, n);
        word[n] = 0;
        if (word[0] != '@')
            visit(arg, word, call);
        for (int k = 0; word[0] == '@' && k < s->calls.rows.count; k++) {
            const Row *row = &s->calls.rows.items[k];

            if (strcmp(row->field[0], "set") == 0 && strcmp(row->field[1], word + 1) == 0)
                each_input(s, row->field[2], call, visit, arg);
        }
        list += n + (list[n] != 0);
    }
}

/* Rows that are no calls: definitions, and operators that a script of this folder calls. */
static bool is_call(const Row *row)
{
    return strcmp(row->field[0], "let") && strcmp(row->field[0], "set") &&
           strcmp(row->field[1], "script");
}

/* The call with one operator's name for OP, wherever it stands. */
static void call_of(const char *pattern, const char *name, size_t n, Buffer *out)
{
    const char *at;

    buffer_text(out, "");
    for (; (at = strstr(pattern, "OP")); pattern = at + 2) {
        buffer_put(out, pattern, (size_t)(at - pattern));
        buffer_put(out, name, n);
    }
    buffer_text(out, pattern);
}

static void each_call(const Suite *s, Visit visit, void *arg)
{
    for (int k = 0; k < s->calls.rows.count; k++) {
        const Row *row = &s->calls.rows.items[k];
        const char *names = row->field[0];

        while (is_call(row) && *names) {
            const size_t n = strcspn(names, " ");
            Buffer call = {0};

            call_of(row->field[2], names, n, &call);
            need(!call.failed, "out of memory");
            each_input(s, row->field[1], call.data, visit, arg);
            buffer_free(&call);
            names += n + (names[n] != 0);
        }
    }
}

/* ---- answers ---- */

/* A line that a table can hold: \n and \\ for line ends and backslashes. */
static void escape(const char *text, Buffer *out)
{
    for (; *text; text++) {
        if (*text == '\n')
            buffer_text(out, "\\n");
        else if (*text == '\\')
            buffer_text(out, "\\\\");
        else
            buffer_put(out, text, 1);
    }
}

static void unescape(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (*text == '\\')
            *to++ = *++text == 'n' ? '\n' : *text;
        else
            *to++ = *text;
    }
    *to = 0;
}

/* A cell as toString prints it, with all its decimals: without the zeros at its end. */
static size_t shortened(const char *word, size_t n)
{
    const char *dot = memchr(word, '.', n);

    if (!dot || n - (size_t)(dot - word) - 1 != DECIMALS || strcspn(word, "E") < n)
        return n;
    while (word[n - 1] == '0')
        n--;
    return n - (word[n - 1] == '.');
}

/* Words so far, the last of them `count` times. */
typedef struct Words {
    Buffer *out;
    char last[32]; /* "" when it is too long to be the cell of a matrix */
    int count;
} Words;

/* A cell that repeats is written once, CELL*COUNT. */
static void end_run(Words *w)
{
    if (w->count > 2)
        buffer_format(w->out, "*%d", w->count);
    if (w->count == 2)
        buffer_format(w->out, " %s", w->last);
}

static void add_word(Words *w, const char *word, size_t n)
{
    const bool again = w->count && strlen(w->last) == n && memcmp(w->last, word, n) == 0;

    if (again) {
        w->count++;
        return;
    }
    end_run(w);
    if (w->out->size)
        buffer_put(w->out, " ", 1);
    buffer_put(w->out, word, n);
    w->count = n < sizeof w->last;
    if (w->count)
        snprintf(w->last, sizeof w->last, "%.*s", (int)n, word);
}

static void tidy(const char *raw, Buffer *out)
{
    static const char blanks[] = " \t\r\n";
    const char *end = strstr(raw, "SystemDS Statistics:");
    Words words = {.out = out};

    buffer_text(out, "");
    end = end ? end : raw + strlen(raw);
    while ((raw += strspn(raw, blanks)) < end) {
        const size_t whole = strcspn(raw, blanks), n = shortened(raw, whole);
        const bool zero = n < whole && n == 2 && memcmp(raw, "-0", 2) == 0;

        add_word(&words, raw + zero, n - zero);
        raw += whole;
    }
    end_run(&words);
}

static bool is_number(const char *word, size_t n, double *value)
{
    char *end;

    *value = strtod(word, &end);
    return n && end == word + n;
}

/* Reading an answer word by word, runs written out. */
typedef struct Cursor {
    const char *word, *rest;
    size_t n;
    long again; /* how often the word still comes */
    char mark;  /* what stands after it */
} Cursor;

static void next_word(Cursor *c)
{
    static const char between[] = " ,;:=|[]()";
    const char *star;

    if (c->again > 0 && c->again--)
        return;
    c->word = c->rest;
    c->n = strcspn(c->word, between);
    c->mark = c->word[c->n];
    c->rest = c->word + c->n + (c->mark != 0);
    star = memchr(c->word, '*', c->n);
    if (star && star > c->word) {
        c->again = strtol(star + 1, NULL, 10) - 1;
        c->n = (size_t)(star - c->word);
    }
}

static bool same_word(const Cursor *a, const Cursor *b)
{
    double x, y;

    if (a->n == b->n && memcmp(a->word, b->word, a->n) == 0)
        return true;
    if (!is_number(a->word, a->n, &x) || !is_number(b->word, b->n, &y))
        return false;
    return x != y && fabs(x - y) <= TOLERANCE * fmax(1, fmax(fabs(x), fabs(y)));
}

static bool same_answer(const char *left, const char *right)
{
    Cursor a = {.rest = left}, b = {.rest = right};

    do {
        next_word(&a);
        next_word(&b);
        if (!same_word(&a, &b) || (a.again ? ' ' : a.mark) != (b.again ? ' ' : b.mark))
            return false;
    } while (a.again || a.mark);
    return true;
}

/* ---- the three commands ---- */

static void show_script(void *arg, const char *input, const char *call)
{
    Buffer script = {0}, line = {0};

    script_of(arg, input, call, &script);
    escape(script.data, &line);
    printf("%s\t%s\t%s\n", input, call, line.data);
    buffer_free(&script);
    buffer_free(&line);
}

static int collect(void *arg, const char *text, size_t size)
{
    buffer_put(arg, text, size);
    return 0;
}

static int drop(void *arg, const char *text, size_t size)
{
    (void)arg;
    (void)text;
    (void)size;
    return 0;
}

typedef struct Check {
    Suite *suite;
    ml_context *context;
    Buffer printed;
    Table answers, differences;
    bool recorded; /* for the seed that the listed differences are for */
    int agree, differ, wrong;
    int asked, listed; /* calls found among the answers and the differences */
} Check;

/* What matloom answers to a call. */
static void answer(Check *c, const char *input, const char *call, Buffer *out)
{
    Buffer script = {0};

    script_of(c->suite, input, call, &script);
    c->printed.size = 0;
    buffer_text(&c->printed, "");
    if (ml_run_text(c->context, "builtins", script.data) == ML_OK)
        tidy(c->printed.data, out);
    else
        buffer_text(out, "error");
    buffer_free(&script);
}

static void complain(Check *c, const char *input, const char *call, const char *what)
{
    printf("%s\t%s\n  %s\n", input, call, what);
    c->wrong++;
}

static void judge(Check *c, const char *input, const char *call, const char *ours,
                  const char *theirs)
{
    const Row *own = find(&c->differences, input, call);
    const bool agree = same_answer(ours, theirs);
    Buffer what = {0};

    c->listed += own != NULL;
    if (own && !find(&c->differences, "reason", own->field[3]))
        buffer_format(&what, "no reason is called '%s'", own->field[3]);
    else if (own && agree && c->recorded)
        buffer_format(&what, "agrees now, take it off builtins-differences.tsv: %s", ours);
    else if (own && c->recorded && !same_answer(ours, own->field[2]))
        buffer_format(&what, "matloom  %s\n  listed   %s", ours, own->field[2]);
    else if (!own && !agree)
        buffer_format(&what, "matloom  %s\n  peer     %s", ours, theirs);
    else
        *(own ? &c->differ : &c->agree) += 1;
    if (what.data)
        complain(c, input, call, what.data);
    buffer_free(&what);
}

static void check_call(void *arg, const char *input, const char *call)
{
    Check *c = arg;
    const Row *theirs = find(&c->answers, input, call);
    Buffer ours = {0};

    c->asked += theirs != NULL;
    answer(c, input, call, &ours);
    if (theirs)
        judge(c, input, call, ours.data, theirs->field[2]);
    else
        complain(c, input, call, "the peer was not asked: test/peer/run.sh -record builtins");
    buffer_free(&ours);
}

/* Are the first n characters of `name` one of the words? */
static bool has_word(const char *words, const char *name, size_t n)
{
    while (*words) {
        const size_t len = strcspn(words, " ");

        if (len == n && memcmp(words, name, n) == 0)
            return true;
        words += len + (words[len] != 0);
    }
    return false;
}

static bool script_calls(const char *script, const char *name, size_t n)
{
    Ctx ctx = {0};
    Buffer path = {0}, call = {0};
    char *text = NULL;
    size_t size;
    bool found;

    buffer_format(&path, "%s.dml", script);
    buffer_format(&call, "%.*s(", (int)n, name);
    found = file_read(&ctx, path.data, &text, &size) == ML_OK && strstr(text, call.data);
    buffer_free(&path);
    buffer_free(&call);
    mem_free(text);
    return found;
}

/* Does a row show this operator?  Symbols stand for all operators written with them. */
static bool has_row(const Suite *s, const OpInfo *op)
{
    const size_t n = strcspn(op->dml, " ");

    for (int k = 0; k < s->calls.rows.count; k++) {
        const Row *row = &s->calls.rows.items[k];

        if (has_word(row->field[0], op->dml, n) &&
            (is_call(row) || script_calls(row->field[2], op->dml, n)))
            return true;
    }
    return false;
}

static int operators_without_row(const Suite *s)
{
    int missing = 0;

    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = &op_table[op];

        if (!info->dml || info->later || has_row(s, info))
            continue;
        printf("%s: has no row in builtins.tsv\n", info->dml);
        missing++;
    }
    return missing;
}

static bool is_reason(const Row *row)
{
    return strcmp(row->field[0], "reason") == 0;
}

/* Rows of calls that are gone. */
static int stale_rows(const Check *c)
{
    int answers = c->answers.rows.count - c->asked, differences = -c->listed;

    for (int k = 0; k < c->differences.rows.count; k++)
        differences += !is_reason(&c->differences.rows.items[k]);
    if (answers)
        printf("%d answers of the peer belong to no call: test/peer/run.sh -record builtins\n",
               answers);
    if (differences)
        printf("%d rows of builtins-differences.tsv belong to no call\n", differences);
    return answers + differences;
}

/* How many calls differ for each reason. */
static void list_reasons(const Table *differences)
{
    for (int k = 0; k < differences->rows.count; k++) {
        const Row *reason = &differences->rows.items[k];
        int calls = 0;

        if (!is_reason(reason))
            continue;
        for (int i = 0; i < differences->rows.count; i++)
            calls += strcmp(differences->rows.items[i].field[3], reason->field[1]) == 0;
        printf("%4d  %s\n", calls, reason->field[2]);
    }
}

static int check(Suite *s, const char *answers, bool recorded)
{
    Check c = {.suite = s, .context = ml_context_new(), .recorded = recorded};

    need(c.context != NULL, "out of memory");
    ml_context_output(c.context, collect, drop, &c.printed);
    ml_context_set(c.context, "threads", "1");
    table_read(&c.answers, answers);
    table_read(&c.differences, "builtins-differences.tsv");
    c.wrong = operators_without_row(s);
    each_call(s, check_call, &c);
    c.wrong += stale_rows(&c);
    list_reasons(&c.differences);
    printf("peer_builtins: %d agree, %d differ with a reason, %d failed\n", c.agree, c.differ,
           c.wrong);
    table_free(&c.answers);
    table_free(&c.differences);
    buffer_free(&c.printed);
    ml_context_free(c.context);
    return c.wrong != 0;
}

static void record(const char *path)
{
    Table raw;

    table_read(&raw, path);
    for (int k = 0; k < raw.rows.count; k++) {
        char *const *field = raw.rows.items[k].field;
        Buffer out = {0};

        unescape(field[2]);
        if (strstr(field[2], "An Error Occurred"))
            buffer_text(&out, "error");
        else
            tidy(field[2], &out);
        printf("%s\t%s\t%s\n", field[0], field[1], out.data);
        buffer_free(&out);
    }
    table_free(&raw);
}

int main(int argc, char **argv)
{
    const char *command = argc > 2 ? argv[2] : "", *answers = argc > 3 ? argv[3] : NULL;
    const char *seed =
        strcmp(command, "scripts") ? (argc > 4 ? argv[4] : "1") : (answers ? answers : "1");
    Suite s = {.seed = strtoull(seed, NULL, 10)};
    int status = 0;

    need(argc > 2 && chdir(argv[1]) == 0, "FOLDER check|scripts|record ...");
    table_read(&s.calls, "builtins.tsv");
    if (strcmp(command, "scripts") == 0)
        each_call(&s, show_script, &s);
    else if (strcmp(command, "record") == 0 && answers)
        record(answers);
    else
        status = check(&s, answers ? answers : "expected/builtins.tsv", s.seed == 1);
    table_free(&s.calls);
    return status;
}
