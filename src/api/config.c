/* Configuration files: <root><matloom.threads>4</matloom.threads> ... </root>.
 *
 * Keys matloom.NAME set the option NAME.  Keys sysds.* are those of files written for the
 * reference: the few that have a counterpart are taken over, the others say how another engine
 * manages itself and are ignored. */
#include "api/context.h"

#include <expat.h>
#include <string.h>

typedef struct Config {
    ml_context *c;
    XML_Parser parser;
    const char *path;
    int depth;
    char key[128];
    Buffer value;
    ml_status st;
} Config;

static void begin_element(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    Config *f = arg;
    size_t n = strlen(name);

    (void)attributes;
    f->value.size = 0;
    if (++f->depth == 2 && n < sizeof f->key)
        memcpy(f->key, name, n + 1);
    else
        f->key[0] = '\0';
}

static void text(void *arg, const XML_Char *s, int size)
{
    Config *f = arg;

    buffer_put(&f->value, s, (size_t)size);
}

static ml_status apply(Config *f, const char *value)
{
    if (strncmp(f->key, "matloom.", 8) == 0)
        return context_option(f->c, f->key + 8, value);
    if (strcmp(f->key, "sysds.cp.parallel.ops") == 0 && strcmp(value, "false") == 0)
        return context_option(f->c, "threads", "1");
    if (strncmp(f->key, "sysds.", 6) == 0)
        return ML_OK;
    return fail(&f->c->ctx, ML_ENAME, "unknown key '%s'", f->key);
}

static void end_element(void *arg, const XML_Char *name)
{
    Config *f = arg;
    char *value = f->value.data ? f->value.data : (char[]){""};
    char *end = value + (f->value.data ? f->value.size : 0);

    (void)name;
    if (f->depth-- != 2 || !f->key[0] || f->st != ML_OK)
        return;
    while (end > value && strchr(" \t\r\n", end[-1]))
        end--;
    *end = '\0';
    value += strspn(value, " \t\r\n");
    f->st = apply(f, value);
    if (f->st != ML_OK) {
        char message[256];

        memcpy(message, f->c->ctx.err.text, sizeof message - 1);
        message[sizeof message - 1] = '\0';
        f->st = fail(&f->c->ctx, f->st, "%s:%lu: %s", f->path,
                     (unsigned long)XML_GetCurrentLineNumber(f->parser), message);
    }
    f->key[0] = '\0';
}

static ml_status parse(Config *f, const char *s, size_t size)
{
    f->parser = XML_ParserCreate(NULL);
    if (!f->parser)
        return fail_memory(&f->c->ctx, size);
    XML_SetUserData(f->parser, f);
    XML_SetElementHandler(f->parser, begin_element, end_element);
    XML_SetCharacterDataHandler(f->parser, text);
    if (XML_Parse(f->parser, s, (int)size, 1) == XML_STATUS_ERROR && f->st == ML_OK)
        f->st = fail(&f->c->ctx, ML_EFORMAT, "%s:%lu:%lu: %s", f->path,
                     (unsigned long)XML_GetCurrentLineNumber(f->parser),
                     (unsigned long)XML_GetCurrentColumnNumber(f->parser) + 1,
                     XML_ErrorString(XML_GetErrorCode(f->parser)));
    XML_ParserFree(f->parser);
    return f->st;
}

ml_status config_read(ml_context *c, const char *path)
{
    Config f = {.c = c, .path = path};
    char *s;
    size_t size;
    ml_status st;

    TRY(file_read(&c->ctx, path, &s, &size));
    st = parse(&f, s, size);
    buffer_free(&f.value);
    mem_free(s);
    return st;
}
