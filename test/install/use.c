/* A user of the installed library: runs a script, sees what it prints and how it fails. */
#include <matloom/matloom.h>

#include <stdio.h>
#include <string.h>

/* A name that the library uses inside too. */
int fail(void);
int fail(void)
{
    return 7;
}

static int keep(void *arg, const char *text, size_t size)
{
    strncat(arg, text, size);
    return 0;
}

int main(void)
{
    char printed[256] = "";
    ml_context *ctx = ml_context_new();
    int ok;

    if (!ctx)
        return 1;
    ml_context_output(ctx, keep, keep, printed);
    ok = ml_run_text(ctx, "use", "print(sum(matrix(2, rows=3, cols=4)))") == ML_OK &&
         !strcmp(printed, "24\n");
    ok = ok && ml_run_text(ctx, "use", "x = 1 +") != ML_OK &&
         strstr(ml_context_error(ctx), "use:1:");
    if (!ok)
        printf("printed %s, error %s\n", printed, ml_context_error(ctx));
    ml_context_free(ctx);
    return ok && fail() == 7 ? 0 : 1;
}
