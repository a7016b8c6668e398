/* text_regex: patterns, compiled to a small program and run by backtracking that remembers where it
 * was.
 *
 * No pair of instruction and position is tried twice: what failed once fails again, so a search
 * takes time in the size of the program times that of the text, whatever the pattern (Cox,
 * "Regular Expression Matching: the Virtual Machine Approach", 2009).  The first alternative that
 * matches wins, as in Perl and Java. */
#include "kernel/text.h"

#include <ctype.h>
#include <string.h>

enum { MAX_REPEAT = 1000, MAX_PROGRAM = 20000, MAX_NEST = 100, UNBOUNDED = -1 };

typedef struct Range {
    uint32_t low, high;
} Range;

typedef enum NodeKind {
    N_EMPTY,
    N_CHAR,
    N_CLASS, /* any of the ranges, or none of them */
    N_CAT,
    N_ALT,
    N_REPEAT,
    N_GROUP,
    N_BEGIN,
    N_END,
    N_WORD_EDGE,
    N_NO_WORD_EDGE
} NodeKind;

typedef struct Node {
    NodeKind kind;
    uint32_t code;
    struct Node *a, *b;
    int min, max, group;
    bool lazy, negated;
    int nranges;
    Range ranges[8];
    const struct Node *more; /* another set of ranges of this class */
} Node;

typedef enum Op {
    I_CHAR,
    I_CLASS,
    I_SPLIT,
    I_JUMP,
    I_SAVE,
    I_BEGIN,
    I_END,
    I_EDGE,
    I_NO_EDGE,
    I_MATCH
} Op;

typedef struct Inst {
    Op op;
    uint32_t code;
    int x, y; /* I_SPLIT: first x, then y */
    const Node *set;
} Inst;

struct Regex {
    Inst *code;
    int count, groups;
};

typedef struct Parser {
    Ctx *ctx;
    Arena *arena;
    const char *start, *p, *end;
    int groups, depth;
} Parser;

/* ---- parsing ---- */

static ml_status wrong(const Parser *p, const char *what)
{
    return fail(p->ctx, ML_EVALUE, "expected %s", what);
}

static ml_status new_node(const Parser *p, NodeKind kind, Node **out)
{
    *out = ARENA_NEW(p->arena, Node);
    if (!*out)
        return fail_memory(p->ctx, sizeof **out);
    (*out)->kind = kind;
    return ML_OK;
}

static ml_status join(const Parser *p, NodeKind kind, Node *a, Node *b, Node **out)
{
    TRY(new_node(p, kind, out));
    (*out)->a = a;
    (*out)->b = b;
    return ML_OK;
}

static bool take(Parser *p, char c)
{
    if (p->p == p->end || *p->p != c)
        return false;
    p->p++;
    return true;
}

static uint32_t next_code(Parser *p)
{
    int bytes;
    const uint32_t code = text_decode(p->p, p->end, &bytes);

    p->p += bytes;
    return code;
}

static ml_status add_range(const Parser *p, Node **set, uint32_t low, uint32_t high)
{
    Node *n = *set;

    if (n->nranges == (int)(sizeof n->ranges / sizeof *n->ranges)) {
        Node *next = NULL;

        TRY(new_node(p, N_CLASS, &next));
        next->more = n->more;
        memcpy(next->ranges, n->ranges, sizeof n->ranges);
        next->nranges = n->nranges;
        n->more = next;
        n->nranges = 0;
    }
    n->ranges[n->nranges++] = (Range){low, high};
    return ML_OK;
}

/* The ranges of \d \w \s, or of their complements for capital letters; false for other letters. */
static ml_status add_shorthand(const Parser *p, char letter, Node **set, bool *known)
{
    static const Range digits[] = {{'0', '9'}},
                       words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
                       spaces[] = {{'\t', '\r'}, {' ', ' '}};
    const char kind = (char)tolower((unsigned char)letter);
    const Range *r = kind == 'd' ? digits : kind == 'w' ? words : spaces;
    const int n = kind == 'd' ? 1 : kind == 'w' ? 4 : 2;
    uint32_t low = 0;

    *known = kind == 'd' || kind == 'w' || kind == 's';
    for (int k = 0; k < n && *known; k++) {
        if (islower((unsigned char)letter)) {
            TRY(add_range(p, set, r[k].low, r[k].high));
        } else {
            TRY(add_range(p, set, low, r[k].low - 1));
            low = r[k].high + 1;
        }
    }
    return *known && isupper((unsigned char)letter) ? add_range(p, set, low, UINT32_MAX) : ML_OK;
}

/* The character after a backslash that stands for one. */
static ml_status escaped(Parser *p, uint32_t *out)
{
    static const char from[] = "ntrf", to[] = "\n\t\r\f";
    const char *at;

    if (p->p == p->end)
        return wrong(p, "a character after \\");
    at = strchr(from, *p->p);
    if (isalnum((unsigned char)*p->p) && !at)
        return wrong(p, "one of \\d \\w \\s \\b \\n \\t \\r \\f or an escaped sign");
    *out = at && *p->p ? (p->p++, (uint32_t)to[at - from]) : next_code(p);
    return ML_OK;
}

static ml_status escape(Parser *p, Node **out)
{
    bool known = false;

    if (take(p, 'b'))
        return new_node(p, N_WORD_EDGE, out);
    if (take(p, 'B'))
        return new_node(p, N_NO_WORD_EDGE, out);
    TRY(new_node(p, N_CLASS, out));
    if (p->p < p->end)
        TRY(add_shorthand(p, *p->p, out, &known));
    if (known) {
        p->p++;
        return ML_OK;
    }
    (*out)->kind = N_CHAR;
    return escaped(p, &(*out)->code);
}

/* One entry of a class: a character, a range, a shorthand. */
static ml_status class_entry(Parser *p, Node **set)
{
    uint32_t low, high;
    bool known = false;

    if (take(p, '\\')) {
        if (p->p < p->end)
            TRY(add_shorthand(p, *p->p, set, &known));
        if (known) {
            p->p++;
            return ML_OK;
        }
        TRY(escaped(p, &low));
    } else {
        low = next_code(p);
    }
    high = low;
    if (p->end - p->p > 1 && p->p[0] == '-' && p->p[1] != ']') {
        p->p++;
        if (take(p, '\\'))
            TRY(escaped(p, &high));
        else
            high = next_code(p);
    }
    return low <= high ? add_range(p, set, low, high) : wrong(p, "a range in order");
}

static ml_status class_of(Parser *p, Node **out)
{
    bool first = true;

    TRY(new_node(p, N_CLASS, out));
    (*out)->negated = take(p, '^');
    while (first || !take(p, ']')) {
        if (p->p == p->end)
            return wrong(p, "]");
        TRY(class_entry(p, out));
        first = false;
    }
    return ML_OK;
}

static ml_status alternatives(Parser *p, Node **out);

static ml_status group(Parser *p, Node **out)
{
    Node *inner = NULL;
    int number = 0;

    if (++p->depth > MAX_NEST)
        return wrong(p, "fewer groups inside each other");
    if (take(p, '?')) {
        if (!take(p, ':'))
            return wrong(p, "(?: as the only group with a question mark");
    } else if (++p->groups >= REGEX_GROUPS) {
        return wrong(p, "at most 9 groups");
    } else {
        number = p->groups;
    }
    TRY(alternatives(p, &inner));
    p->depth--;
    if (!take(p, ')'))
        return wrong(p, ")");
    *out = inner;
    if (number == 0)
        return ML_OK;
    TRY(join(p, N_GROUP, inner, NULL, out));
    (*out)->group = number;
    return ML_OK;
}

static ml_status atom(Parser *p, Node **out)
{
    if (take(p, '('))
        return group(p, out);
    if (take(p, '['))
        return class_of(p, out);
    if (take(p, '\\'))
        return escape(p, out);
    if (take(p, '^'))
        return new_node(p, N_BEGIN, out);
    if (take(p, '$'))
        return new_node(p, N_END, out);
    if (take(p, '.')) {
        TRY(new_node(p, N_CLASS, out));
        (*out)->negated = true;
        return add_range(p, out, '\n', '\n');
    }
    if (p->p < p->end && strchr("*+?{", *p->p) && *p->p)
        return wrong(p, "something to repeat");
    TRY(new_node(p, N_CHAR, out));
    (*out)->code = next_code(p);
    return ML_OK;
}

static bool count(Parser *p, int *out)
{
    const char *begin = p->p;

    *out = 0;
    while (p->p < p->end && isdigit((unsigned char)*p->p) && *out <= MAX_REPEAT)
        *out = *out * 10 + (*p->p++ - '0');
    return p->p > begin && *out <= MAX_REPEAT;
}

static ml_status bounds(Parser *p, int *min, int *max)
{
    bool good = count(p, min);

    *max = *min;
    if (good && take(p, ',')) {
        *max = UNBOUNDED;
        if (p->p < p->end && *p->p != '}')
            good = count(p, max) && *max >= *min;
    }
    return good && take(p, '}') ? ML_OK : wrong(p, "{n}, {n,} or {n,m} with at most 1000");
}

static ml_status repeated(Parser *p, Node **out)
{
    int min = 0, max = UNBOUNDED;
    Node *inner;

    TRY(atom(p, out));
    for (;;) {
        if (take(p, '{'))
            TRY(bounds(p, &min, &max));
        else if (take(p, '*'))
            min = 0, max = UNBOUNDED;
        else if (take(p, '+'))
            min = 1, max = UNBOUNDED;
        else if (take(p, '?'))
            min = 0, max = 1;
        else
            return ML_OK;
        inner = *out;
        if (++p->depth > MAX_NEST)
            return wrong(p, "fewer repetitions of each other");
        TRY(join(p, N_REPEAT, inner, NULL, out));
        (*out)->min = min;
        (*out)->max = max;
        (*out)->lazy = take(p, '?');
        if (!(*out)->lazy && p->p < p->end && *p->p == '+')
            return wrong(p, "a repetition that is greedy or lazy");
    }
}

static ml_status sequence(Parser *p, Node **out)
{
    Node *next = NULL;

    TRY(new_node(p, N_EMPTY, out));
    while (p->p < p->end && *p->p != '|' && *p->p != ')') {
        TRY(repeated(p, &next));
        TRY(join(p, N_CAT, *out, next, out));
    }
    return ML_OK;
}

static ml_status alternatives(Parser *p, Node **out)
{
    Node *next = NULL;

    TRY(sequence(p, out));
    while (take(p, '|')) {
        TRY(sequence(p, &next));
        TRY(join(p, N_ALT, *out, next, out));
    }
    return ML_OK;
}

/* ---- the program ---- */

typedef struct Emitter {
    Ctx *ctx;
    VEC(Inst) code;
} Emitter;

static ml_status emit(Emitter *e, const Node *n);

static ml_status put(Emitter *e, Inst inst)
{
    if (e->code.count >= MAX_PROGRAM)
        return fail(e->ctx, ML_EVALUE, "expected a smaller pattern");
    return VEC_PUSH(&e->code, inst) ? ML_OK : fail_memory(e->ctx, sizeof inst);
}

/* A split at `at` whose preferred way is the one after it, unless lazy. */
static void aim(Emitter *e, int at, bool lazy, int other)
{
    Inst *i = &e->code.items[at];

    i->x = lazy ? other : at + 1;
    i->y = lazy ? at + 1 : other;
}

static ml_status emit_repeat(Emitter *e, const Node *n)
{
    const int optional = n->max == UNBOUNDED ? 1 : n->max - n->min;

    for (int k = 0; k < n->min; k++)
        TRY(emit(e, n->a));
    if (optional == 0)
        return ML_OK;
    const int at = e->code.count;
    TRY(put(e, (Inst){.op = I_SPLIT}));
    TRY(emit(e, n->a));
    if (n->max == UNBOUNDED) {
        TRY(put(e, (Inst){.op = I_JUMP, .x = at}));
    } else if (optional > 1) {
        const Node rest = {.kind = N_REPEAT, .a = n->a, .max = optional - 1, .lazy = n->lazy};

        TRY(emit_repeat(e, &rest));
    }
    aim(e, at, n->lazy, e->code.count);
    return ML_OK;
}

static ml_status emit_alternative(Emitter *e, const Node *n)
{
    const int split = e->code.count;
    int jump;

    TRY(put(e, (Inst){.op = I_SPLIT}));
    TRY(emit(e, n->a));
    jump = e->code.count;
    TRY(put(e, (Inst){.op = I_JUMP}));
    aim(e, split, false, e->code.count);
    TRY(emit(e, n->b));
    e->code.items[jump].x = e->code.count;
    return ML_OK;
}

static ml_status emit(Emitter *e, const Node *n)
{
    switch (n->kind) {
    case N_EMPTY:
        return ML_OK;
    case N_CHAR:
        return put(e, (Inst){.op = I_CHAR, .code = n->code});
    case N_CLASS:
        return put(e, (Inst){.op = I_CLASS, .set = n});
    case N_CAT:
        TRY(emit(e, n->a));
        return emit(e, n->b);
    case N_ALT:
        return emit_alternative(e, n);
    case N_REPEAT:
        return emit_repeat(e, n);
    case N_GROUP:
        TRY(put(e, (Inst){.op = I_SAVE, .x = n->group * 2}));
        TRY(emit(e, n->a));
        return put(e, (Inst){.op = I_SAVE, .x = n->group * 2 + 1});
    default:
        return put(e, (Inst){.op = n->kind == N_BEGIN       ? I_BEGIN
                                   : n->kind == N_END       ? I_END
                                   : n->kind == N_WORD_EDGE ? I_EDGE
                                                            : I_NO_EDGE});
    }
}

ml_status regex_compile(Ctx *ctx, Arena *arena, Text pattern, Regex **out, size_t *at)
{
    Parser p = {.ctx = ctx,
                .arena = arena,
                .start = pattern.s,
                .p = pattern.s,
                .end = pattern.s + pattern.size};
    Emitter e = {.ctx = ctx};
    Node *root = NULL;
    ml_status st =
        pattern.size > MAX_PROGRAM ? wrong(&p, "a smaller pattern") : alternatives(&p, &root);

    if (st == ML_OK && p.p < p.end)
        st = wrong(&p, "( before )");
    *at = (size_t)(p.p - p.start);
    if (st == ML_OK)
        st = emit(&e, root);
    if (st == ML_OK)
        st = put(&e, (Inst){.op = I_MATCH});
    if (st == ML_OK) {
        *out = ARENA_NEW(arena, Regex);
        if (*out)
            **out = (Regex){ARENA_ARRAY(arena, Inst, e.code.count), e.code.count, p.groups + 1};
        if (*out && (*out)->code)
            memcpy((*out)->code, e.code.items, (size_t)e.code.count * sizeof *e.code.items);
        else
            st = fail_memory(ctx, sizeof(Inst));
    }
    VEC_FREE(&e.code);
    return st;
}

/* ---- running ---- */

/* To do: try an instruction at a position, or (slot >= 0) put an old group position back. */
typedef struct Job {
    int pc, slot;
    int64_t at;
} Job;

typedef struct Matcher {
    Ctx *ctx;
    const Regex *regex;
    Text text;
    bool whole;
    uint64_t *visited;
    size_t from; /* the first position of visited */
    VEC(Job) jobs;
    int64_t slots[REGEX_GROUPS * 2];
} Matcher;

static bool in_class(const Node *set, uint32_t code)
{
    for (const Node *n = set; n; n = n->more)
        for (int k = 0; k < n->nranges; k++)
            if (code >= n->ranges[k].low && code <= n->ranges[k].high)
                return !set->negated;
    return set->negated;
}

static bool word_at(Text t, int64_t at)
{
    return at >= 0 && at < (int64_t)t.size && (isalnum((unsigned char)t.s[at]) || t.s[at] == '_');
}

/* Whether an instruction that takes no character and saves nothing lets pass. */
static bool passes(const Matcher *m, Op op, int64_t at)
{
    const bool edge = word_at(m->text, at - 1) != word_at(m->text, at);

    return op == I_BEGIN  ? at == 0
           : op == I_END  ? at == (int64_t)m->text.size
           : op == I_EDGE ? edge
                          : !edge;
}

static bool first_visit(Matcher *m, int pc, int64_t at)
{
    const size_t bit = ((size_t)at - m->from) * (size_t)m->regex->count + (size_t)pc;
    const uint64_t mask = UINT64_C(1) << bit % 64;

    if (m->visited[bit / 64] & mask)
        return false;
    m->visited[bit / 64] |= mask;
    return true;
}

static ml_status push(Matcher *m, int pc, int64_t at, int slot)
{
    return VEC_PUSH(&m->jobs, ((Job){pc, slot, at})) ? ML_OK : fail_memory(m->ctx, sizeof(Job));
}

/* Follows one thread until it fails or matches; other ways are left on the stack. */
static ml_status follow(Matcher *m, int pc, int64_t at, bool *matched)
{
    while (first_visit(m, pc, at)) {
        const Inst *i = &m->regex->code[pc];
        int bytes;

        switch (i->op) {
        case I_CHAR:
        case I_CLASS: {
            uint32_t code;

            if (at == (int64_t)m->text.size)
                return ML_OK;
            code = text_decode(m->text.s + at, m->text.s + m->text.size, &bytes);
            if (i->op == I_CHAR ? code != i->code : !in_class(i->set, code))
                return ML_OK;
            at += bytes;
            pc++;
            break;
        }
        case I_SPLIT:
            TRY(push(m, i->y, at, -1));
            pc = i->x;
            break;
        case I_JUMP:
            pc = i->x;
            break;
        case I_SAVE:
            TRY(push(m, 0, m->slots[i->x], i->x));
            m->slots[i->x] = at;
            pc++;
            break;
        case I_MATCH:
            *matched = !m->whole || at == (int64_t)m->text.size;
            m->slots[1] = at;
            return ML_OK;
        default:
            if (!passes(m, i->op, at))
                return ML_OK;
            pc++;
        }
    }
    return ML_OK;
}

static ml_status match_at(Matcher *m, int64_t at, bool *matched)
{
    for (int k = 0; k < REGEX_GROUPS * 2; k++)
        m->slots[k] = -1;
    m->slots[0] = at;
    m->jobs.count = 0;
    TRY(push(m, 0, at, -1));
    while (m->jobs.count > 0 && !*matched) {
        const Job job = m->jobs.items[--m->jobs.count];

        if (job.slot >= 0)
            m->slots[job.slot] = job.at;
        else
            TRY(follow(m, job.pc, job.at, matched));
    }
    return ML_OK;
}

static ml_status search(Matcher *m, bool *found)
{
    const int64_t last = m->whole ? (int64_t)m->from : (int64_t)m->text.size;

    for (int64_t at = (int64_t)m->from; at <= last && !*found;) {
        int bytes = 1;

        TRY(match_at(m, at, found));
        if (at < (int64_t)m->text.size)
            text_decode(m->text.s + at, m->text.s + m->text.size, &bytes);
        at += bytes;
    }
    return ML_OK;
}

ml_status regex_search(Ctx *ctx, const Regex *r, Text t, size_t from, bool whole, RegexMatch *out,
                       bool *found)
{
    Matcher m = {.ctx = ctx, .regex = r, .text = t, .whole = whole, .from = from};
    const size_t positions = t.size - from + 1;
    size_t bits;
    ml_status st;

    *found = false;
    if (!mul_size(positions, (size_t)r->count, &bits))
        return fail_memory(ctx, SIZE_MAX);
    m.visited = mem_calloc(bits / 64 + 1, sizeof *m.visited);
    if (!m.visited)
        return fail_memory(ctx, bits / 8);
    st = search(&m, found);
    out->groups = r->groups;
    for (int k = 0; k < r->groups; k++) {
        out->from[k] = m.slots[2 * k];
        out->to[k] = m.slots[2 * k + 1];
    }
    mem_free(m.visited);
    VEC_FREE(&m.jobs);
    return st;
}
