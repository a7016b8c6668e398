/* frame_lambda_patterns: methods of lambdas that take a regular expression, which was compiled with
 * the lambda (text_regex.c). What they give for empty matches and texts is what Java's String does.
 */
#include "kernel/frame_lambda.h"

#include <ctype.h>
#include <string.h>

ml_status lambda_matches(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                         LambdaValue *out)
{
    RegexMatch m;

    return regex_search(run->ctx, node->regex, args[0].text, 0, true, &m, &out->b);
}

/* The replacement of a match: $n is a group, a backslash takes the next character as it is. */
static ml_status put_replacement(LambdaRun *run, const LambdaNode *node, Text t, Text by,
                                 const RegexMatch *m, Buffer *b)
{
    for (size_t k = 0; k < by.size; k++) {
        int group;

        if (by.s[k] == '\\' && k + 1 < by.size) {
            buffer_put(b, &by.s[++k], 1);
        } else if (by.s[k] != '$') {
            buffer_put(b, &by.s[k], 1);
        } else {
            group = ++k < by.size && isdigit((unsigned char)by.s[k]) ? by.s[k] - '0' : m->groups;
            if (group >= m->groups)
                return lambda_fail(run->ctx, run->lambda, node->at,
                                   "expected $ with the number of a group in the replacement");
            if (m->from[group] >= 0)
                buffer_put(b, t.s + m->from[group], (size_t)(m->to[group] - m->from[group]));
        }
    }
    return ML_OK;
}

/* The byte behind a match at which the next search begins: beyond an empty one. */
static size_t next_search(Text t, const RegexMatch *m)
{
    int bytes = 1;

    if (m->to[0] > m->from[0])
        return (size_t)m->to[0];
    if ((size_t)m->to[0] < t.size)
        text_decode(t.s + m->to[0], t.s + t.size, &bytes);
    return (size_t)m->to[0] + (size_t)bytes;
}

static ml_status replace_matches(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                                 int64_t limit, LambdaValue *out)
{
    const Text t = args[0].text;
    size_t done = 0, from = 0;
    Buffer b = {0};
    ml_status st = ML_OK;

    for (; limit > 0 && from <= t.size && st == ML_OK; limit--) {
        RegexMatch m;
        bool found = false;

        st = regex_search(run->ctx, node->regex, t, from, false, &m, &found);
        if (!found || st != ML_OK)
            break;
        buffer_put(&b, t.s + done, (size_t)m.from[0] - done);
        st = put_replacement(run, node, t, args[2].text, &m, &b);
        done = (size_t)m.to[0];
        from = next_search(t, &m);
    }
    if (st != ML_OK) {
        buffer_free(&b);
        return st;
    }
    buffer_put(&b, t.s + done, t.size - done);
    return lambda_keep(run, &b, out);
}

ml_status lambda_replace_all(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                             LambdaValue *out)
{
    return replace_matches(run, node, args, INT64_MAX, out);
}

ml_status lambda_replace_first(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                               LambdaValue *out)
{
    return replace_matches(run, node, args, 1, out);
}

typedef struct Pieces {
    VEC(Text) list;
} Pieces;

/* The texts between matches, also an empty one at the end. */
static ml_status cut(LambdaRun *run, const LambdaNode *node, Text t, Pieces *pieces)
{
    size_t done = 0, from = 0;

    while (from <= t.size) {
        RegexMatch m;
        bool found = false;

        TRY(regex_search(run->ctx, node->regex, t, from, false, &m, &found));
        if (!found)
            break;
        from = next_search(t, &m);
        if (m.to[0] == 0 || (m.from[0] == m.to[0] && (size_t)m.to[0] == t.size))
            continue;
        if (!VEC_PUSH(&pieces->list, ((Text){t.s + done, (size_t)m.from[0] - done})))
            return fail_memory(run->ctx, t.size);
        done = (size_t)m.to[0];
    }
    return VEC_PUSH(&pieces->list, ((Text){t.s + done, t.size - done}))
               ? ML_OK
               : fail_memory(run->ctx, t.size);
}

/* Empty texts at the end are left out, as in Java, unless the text itself is empty. */
ml_status lambda_split(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,
                       LambdaValue *out)
{
    Pieces pieces = {0};
    int64_t n;
    Text *items;
    ml_status st = cut(run, node, args[0].text, &pieces);

    if (st != ML_OK) {
        VEC_FREE(&pieces.list);
        return st;
    }
    n = pieces.list.count;
    while (n > 1 && pieces.list.items[n - 1].size == 0)
        n--;
    if (n == 1 && pieces.list.count > 1 && pieces.list.items[0].size == 0)
        n = 0;
    items = ARENA_ARRAY(run->arena, Text, n + 1);
    if (items)
        memcpy(items, pieces.list.items, (size_t)n * sizeof *items);
    VEC_FREE(&pieces.list);
    out->list.items = items;
    out->list.count = n;
    return items ? ML_OK : fail_memory(run->ctx, (size_t)n * sizeof *items);
}
