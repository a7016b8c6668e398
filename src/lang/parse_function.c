/* What stands at the top level of a script besides statements: function definitions, source and
 * setwd; and the parameters of parfor (language.md, 6.1 and 7). */
#include "lang/parser.h"

#include <string.h>
#include <strings.h>

/* ---- types ---- */

typedef struct TypeWord {
    const char *word;
    int type;
} TypeWord;

static const TypeWord value_types[] = {
    {"int", VT_INT},      {"integer", VT_INT},   {"double", VT_DOUBLE},
    {"boolean", VT_BOOL}, {"string", VT_STRING}, {"unknown", VT_UNKNOWN},
};
static const TypeWord data_types[] = {
    {"matrix", DT_MATRIX},
    {"frame", DT_FRAME},
    {"list", DT_LIST},
    {"scalar", DT_SCALAR},
};

static int find_type(const Parser *p, const Token *t, const TypeWord *types, size_t count)
{
    size_t size = t->end - t->begin;

    for (size_t k = 0; k < count; k++)
        if (strlen(types[k].word) == size &&
            strncasecmp(types[k].word, p->source->text + t->begin, size) == 0)
            return types[k].type;
    return -1;
}

static bool parse_value_type(Parser *p, TypeDecl *out)
{
    const Token *t =
        parse_expect(p, T_VALUE_TYPE, "a value type: int, double, boolean, string or unknown");

    if (!t)
        return false;
    out->vt = (ValueType)find_type(p, t, value_types, sizeof value_types / sizeof *value_types);
    return true;
}

/* double, or matrix[double]. */
static bool parse_type(Parser *p, TypeDecl *out)
{
    int dt = -1;

    out->dt = DT_SCALAR;
    if (parse_at(p, T_VALUE_TYPE))
        return parse_value_type(p, out);
    if (parse_at(p, T_NAME))
        dt = find_type(p, parse_peek(p, 0), data_types, sizeof data_types / sizeof *data_types);
    if (dt < 0) {
        if (parse_at(p, T_NAME) && token_is(p->source, parse_peek(p, 0), "tensor"))
            report_error(p->ctx, p->program, parse_token_span(p, parse_peek(p, 0)), ML_EUNSUPPORTED,
                         "tensors are not part of this version");
        else
            parse_unexpected(p, "a type such as double, matrix[double] or list[unknown]");
        return false;
    }
    out->dt = (DataType)dt;
    parse_advance(p);
    return parse_expect(p, T_LBRACKET, "'[' and a value type") && parse_value_type(p, out) &&
           parse_expect(p, T_RBRACKET, "']'");
}

/* ---- functions ---- */

/* type name [= default] */
static Param *parse_param(Parser *p, bool with_default)
{
    const Token *first = parse_peek(p, 0), *name;
    Param *param = parse_alloc(p, sizeof *param);

    if (!param || !parse_type(p, &param->type))
        return NULL;
    name = parse_expect(p, T_NAME, "a name after the type");
    if (!name || !(param->name = parse_token_name(p, name)))
        return NULL;
    if (with_default && parse_at(p, T_ASSIGN)) {
        parse_advance(p);
        param->def = parse_expr(p);
        if (!param->def)
            return NULL;
    }
    param->span = parse_span(p, first);
    return param;
}

static bool is_declared(Parser *p, int mark, const Param *param)
{
    for (int k = mark; k < p->stack.count; k++)
        if (((Param *)p->stack.items[k])->name == param->name) {
            report_error(p->ctx, p->program, param->span, ML_ENAME, "'%s' is declared twice",
                         param->name);
            return true;
        }
    return false;
}

/* ( declarations ) */
static bool parse_params(Parser *p, bool with_default, Param **out, int *count)
{
    int mark = p->stack.count;
    bool good = parse_expect(p, T_LPAREN, "'('");
    void **params;
    Param *param;

    p->brackets++;
    if (good && !parse_at(p, T_RPAREN))
        do {
            param = parse_param(p, with_default);
            good = param && !is_declared(p, mark, param) && parse_push(p, param);
        } while (good && parse_accept(p, T_COMMA));
    p->brackets--;
    good = good && parse_expect(p, T_RPAREN, "',' or ')' in the declarations");
    params = parse_pop(p, mark, count);
    *out = parse_alloc(p, sizeof **out * (size_t)(*count + 1));
    if (!good || !params || !*out)
        return false;
    for (int k = 0; k < *count; k++)
        (*out)[k] = *(Param *)params[k];
    return true;
}

static const char *function_key(Parser *p, const char *name)
{
    const char *key = arena_format(p->program->arena, "%s::%s", p->unit->name, name);

    if (!key)
        p->status = fail_memory(p->ctx, strlen(p->unit->name));
    return key;
}

/* name = function(parameters) [return (results)] { body } */
bool parse_function(Parser *p)
{
    const Token *first = parse_advance(p);
    Function *fn = parse_alloc(p, sizeof *fn);

    if (!fn || !(fn->name = parse_token_name(p, first)) || !(fn->key = function_key(p, fn->name)))
        return false;
    fn->namespace_ = p->unit->name;
    fn->library = p->unit->library;
    fn->unit = p->unit;
    fn->name_span = parse_token_span(p, first);
    parse_advance(p);
    parse_advance(p);
    if (!parse_params(p, true, &fn->params, &fn->nparams))
        return false;
    if (parse_accept(p, T_RETURN) && !parse_params(p, false, &fn->results, &fn->nresults))
        return false;
    if (!parse_block(p, &fn->body))
        return false;
    fn->span = parse_span(p, first);
    p->status = unit_add_function(p->ctx, p->program, p->unit, fn);
    return p->status == ML_OK;
}

/* name = externalFunction(...) ... implemented in (...): known, but no longer part of the language.
 */
bool parse_external(Parser *p)
{
    report_error(p->ctx, p->program, parse_token_span(p, parse_peek(p, 2)), ML_EUNSUPPORTED,
                 "external functions were removed from the language; write the function in DML");
    while (!parse_at(p, T_IMPLEMENTED) && !parse_at(p, T_END) && !parse_at(p, T_LBRACE) &&
           !parse_at(p, T_SEMICOLON))
        parse_advance(p);
    if (parse_accept(p, T_IMPLEMENTED) && parse_accept(p, T_IN))
        while (!parse_at(p, T_RPAREN) && !parse_at(p, T_END))
            parse_advance(p);
    parse_accept(p, T_RPAREN);
    return true;
}

/* ---- source and setwd ---- */

/* ( "text" ), the text. */
static bool parse_path(Parser *p, const char **path, Span *span)
{
    Expr *e;

    if (!parse_expect(p, T_LPAREN, "'('"))
        return false;
    if (!parse_at(p, T_STRING)) {
        parse_unexpected(p, "a path between quotes");
        return false;
    }
    *span = parse_token_span(p, parse_peek(p, 0));
    e = parse_string(p);
    if (!e || !parse_expect(p, T_RPAREN, "')'"))
        return false;
    *path = e->lit.s->text;
    return true;
}

/* The path seen from the folder of the last setwd. */
static const char *in_folder(Parser *p, const char *path)
{
    const char *full;

    if (p->folder[0] == '\0' || path[0] == '/')
        return path;
    full = arena_format(p->program->arena, "%s/%s", p->folder, path);
    if (!full)
        p->status = fail_memory(p->ctx, strlen(path));
    return full;
}

static bool add_import(Parser *p, const Token *alias_token, Unit *unit, Span span)
{
    Import import = {.alias = parse_token_name(p, alias_token), .unit = unit, .span = span};

    if (!import.alias)
        return false;
    for (int k = 0; k < p->unit->imports.count; k++) {
        const Import *other = &p->unit->imports.items[k];

        if (other->alias == import.alias && other->unit != unit) {
            report_error(p->ctx, p->program, span, ML_ENAME,
                         "the namespace '%s' already stands for %s", import.alias,
                         other->unit->name);
            report_note(p->ctx, p->program, other->span, "first named here");
            return true;
        }
    }
    if (VEC_PUSH(&p->unit->imports, import))
        return true;
    p->status = fail_memory(p->ctx, sizeof import);
    return false;
}

/* source("path") as alias */
bool parse_source(Parser *p)
{
    const Token *first = parse_advance(p), *alias;
    const char *path;
    Span path_span;
    Unit *unit = NULL;

    if (!parse_path(p, &path, &path_span) || !parse_expect(p, T_AS, "'as' and a namespace") ||
        !(alias = parse_expect(p, T_NAME, "a namespace")))
        return false;
    path = in_folder(p, path);
    if (!path || !parse_deeper(p))
        return false;
    p->status = unit_source(p->ctx, p->program, path, path_span, p->depth, &unit);
    p->depth--;
    if (p->status != ML_OK)
        return false;
    return !unit || add_import(p, alias, unit, parse_span(p, first));
}

/* setwd("folder"): for the sources after it in this file.  It does not add to the setwd before. */
bool parse_setwd(Parser *p)
{
    const char *path;
    Span span;

    parse_advance(p);
    if (!parse_path(p, &path, &span))
        return false;
    p->folder = path;
    return true;
}

/* ---- parameters of parfor ---- */

/* , key = value; a bare word is a string. */
static ParforParam *parse_parfor_param(Parser *p)
{
    const Token *key = parse_expect(p, T_NAME, "a parameter of the loop");
    ParforParam *param = parse_alloc(p, sizeof *param);
    Expr *e;

    if (!key || !param || !(param->key = parse_token_name(p, key)))
        return NULL;
    if (!parse_at(p, T_ASSIGN)) {
        parse_unexpected(p, "'=' after the parameter's name");
        return NULL;
    }
    parse_advance(p);
    e = parse_expr(p);
    if (!e)
        return NULL;
    if (e->kind == E_NAME) {
        p->status = program_string(p->ctx, p->program, e->name, strlen(e->name), &e->lit);
        e->kind = E_LITERAL;
    }
    param->key_span = parse_token_span(p, key);
    param->value = e;
    return p->status == ML_OK ? param : NULL;
}

bool parse_parfor_params(Parser *p, Stmt *s)
{
    int mark = p->stack.count;
    bool good = true;
    void **params;
    ParforParam *param;

    while (good && parse_accept(p, T_COMMA)) {
        param = parse_parfor_param(p);
        good = param && parse_push(p, param);
    }
    params = parse_pop(p, mark, &s->nparams);
    s->params = parse_alloc(p, sizeof *s->params * (size_t)(s->nparams + 1));
    if (!good || !params || !s->params)
        return false;
    for (int k = 0; k < s->nparams; k++)
        s->params[k] = *(ParforParam *)params[k];
    return true;
}
