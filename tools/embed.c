/* Turn the script library into C: embed OUT ROOT FILE...
 *
 * Writes OUT, a C file that defines lib_files and lib_nfiles (src/base/base.h) with the text of
 * each FILE under its path relative to ROOT. Runs at build time only; the result lives in the build
 * folder.
 */
#include <stdio.h>
#include <string.h>

/* One file as adjacent string literals, a line each; octal escapes have a fixed width, so no digit
 * can join them. */
static int embed_text(FILE *out, const char *path, int id)
{
    FILE *in = fopen(path, "rb");
    int c, at_start = 1;

    if (!in)
        return perror(path), 1;
    fprintf(out, "static const char text_%d[] =\n    \"", id);
    while ((c = getc(in)) != EOF) {
        if (at_start)
            fputs("\"\n    \"", out);
        at_start = c == '\n';
        if (c == '\n')
            fputs("\\n", out);
        else if (c == '"' || c == '\\' || c == '?')
            fprintf(out, "\\%c", c);
        else if (c >= 32 && c < 127)
            putc(c, out);
        else
            fprintf(out, "\\%03o", (unsigned)c);
    }
    fputs("\";\n\n", out);
    return fclose(in) != 0;
}

/* The path below the library's root. */
static const char *relative(const char *root, const char *path)
{
    const size_t n = strlen(root);

    return strncmp(path, root, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

int main(int argc, char **argv)
{
    FILE *out;
    int failed = 0;

    if (argc < 3)
        return fputs("usage: embed OUT ROOT FILE...\n", stderr), 2;
    out = fopen(argv[1], "w");
    if (!out)
        return perror(argv[1]), 1;
    fputs("#include \"base/base.h\"\n\n", out);
    for (int i = 3; i < argc; i++)
        failed |= embed_text(out, argv[i], i);
    fputs("const struct LibFile lib_files[] = {\n", out);
    for (int i = 3; i < argc; i++)
        fprintf(out, "    {\"%s\", text_%d, sizeof text_%d - 1},\n", relative(argv[2], argv[i]), i,
                i);
    fprintf(out, "    {0},\n};\n\nconst size_t lib_nfiles = %d;\n", argc - 3);
    failed |= fclose(out) != 0;
    if (failed)
        remove(argv[1]);
    return failed;
}
