/* See case.h. A child process handles one case from its scratch folder to its report, which it
 * writes at once; the parent only counts their exit statuses. The program's output goes to files
 * beside its working folder, so no pipe can block, and its time is limited by an alarm set before
 * exec. */
#include "case.h"

#include <dirent.h>
#include <ftw.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PASSED, FAILED, PENDING, VERDICTS };
enum { SANITIZER_STATUS = 99 }; /* by the Makefile's *SAN_OPTIONS */

static void die(const char *what)
{
    perror(what);
    exit(3);
}

/* ---- texts and lists */

void text_add(Text *text, const char *data, size_t size)
{
    text->data = realloc(text->data, text->size + size + 1);
    if (!text->data)
        die("realloc");
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

Text text_unescape(const char *s)
{
    Text out = {0};

    text_add(&out, "", 0);
    for (; *s; s++) {
        char c = *s;

        if (c == '\\' && s[1])
            c = *++s == 'n' ? '\n' : *s == 't' ? '\t' : *s;
        text_add(&out, &c, 1);
    }
    return out;
}

bool text_read(const char *path, Text *text)
{
    char chunk[1 << 14];
    size_t n;
    FILE *in = fopen(path, "rb");

    *text = (Text){0};
    if (!in)
        return false;
    text_add(text, "", 0);
    while ((n = fread(chunk, 1, sizeof chunk, in)) > 0)
        text_add(text, chunk, n);
    fclose(in);
    return true;
}

static void text_write(const char *path, const Text *text)
{
    FILE *out = fopen(path, "wb");

    if (!out || fwrite(text->data ? text->data : "", 1, text->size, out) != text->size ||
        fclose(out))
        die(path);
}

/* One line end at the end, or none when there is nothing else. */
static void text_trim(Text *text)
{
    while (text->size > 0 && text->data[text->size - 1] == '\n')
        text->data[--text->size] = '\0';
    if (text->size > 0)
        text_add(text, "\n", 1);
}

char *format(const char *form, ...)
{
    va_list ap;
    char *s;

    va_start(ap, form);
    if (vasprintf(&s, form, ap) < 0)
        die("vasprintf");
    va_end(ap);
    return s;
}

Case *case_add(CaseList *list)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        if (!list->items)
            die("realloc");
    }
    list->items[list->count] = (Case){0};
    return &list->items[list->count++];
}

void case_arg(Case *c, char *arg)
{
    if (c->nargs == CASE_ARGS) {
        fprintf(stderr, "%s: more than %d arguments\n", c->name, CASE_ARGS);
        exit(3);
    }
    c->args[c->nargs++] = arg;
}

Case *case_of_line(CaseList *list, const char *folder, const char *name, int number,
                   const char *script)
{
    Case *c = case_add(list);

    c->name = format("%s.tsv:%d: %s", name, number, script);
    c->folder = format("%s", folder);
    c->file = format("%s.dml", name);
    case_arg(c, format("-f"));
    case_arg(c, format("%s", c->file));
    c->script = text_unescape(script);
    return c;
}

bool table_lines(const char *folder, const char *name, TableLine add, void *arg)
{
    char *path = format("%s/%s.tsv", folder, name), *line, *rest;
    Text text;
    bool ok = text_read(path, &text);

    if (!ok)
        fprintf(stderr, "%s: cannot be read\n", path);
    rest = text.data;
    for (int number = 1; ok && (line = strsep(&rest, "\n")); number++)
        if (*line && *line != '#')
            ok = add(arg, number, line);
    free(text.data);
    free(path);
    return ok;
}

void case_list_free(CaseList *list)
{
    for (size_t i = 0; i < list->count; i++) {
        Case *c = &list->items[i];

        for (int k = 0; k < c->nargs; k++)
            free(c->args[k]);
        for (int k = 0; k < c->nerrors; k++)
            free(c->errors[k]);
        for (int k = 0; k < c->nmatches; k++)
            free(c->matches[k]);
        free(c->expected.data);
        free(c->script.data);
        free(c->file);
        free(c->folder);
        free(c->name);
    }
    free(list->items);
}

/* ---- the scratch folder */

static bool is_golden(const char *path, const char *name)
{
    const size_t n = strlen(name);
    char head[2] = "";
    FILE *in;

    if (n < 4 || strcmp(name + n - 4, ".dml") != 0 || !(in = fopen(path, "rb")))
        return false;
    if (fread(head, 1, sizeof head, in) < sizeof head)
        head[0] = 0;
    fclose(in);
    return head[0] == '#' && head[1] == '!';
}

/* Copy a folder's contents, but of its golden scripts only the one named `keep`. */
static void copy_folder(const char *from, const char *to, const char *keep)
{
    DIR *dir = opendir(from);
    struct dirent *entry;
    struct stat st;
    Text text;

    if (!dir || (mkdir(to, 0777) != 0 && access(to, W_OK) != 0))
        die(from);
    while ((entry = readdir(dir))) {
        char *source = format("%s/%s", from, entry->d_name);
        char *target = format("%s/%s", to, entry->d_name);
        const bool hidden = entry->d_name[0] == '.';

        if (!hidden && stat(source, &st) == 0 && S_ISDIR(st.st_mode)) {
            copy_folder(source, target, "");
        } else if (!hidden &&
                   (strcmp(entry->d_name, keep) == 0 || !is_golden(source, entry->d_name)) &&
                   text_read(source, &text)) {
            text_write(target, &text);
            free(text.data);
        }
        free(source);
        free(target);
    }
    closedir(dir);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

/* ---- one case */

static int run_program(const Runner *runner, const Case *c, const char *work, const char *out,
                       const char *err)
{
    char *argv[2 * CASE_ARGS + 2] = {(char *)runner->program};
    int n = 1, status;
    pid_t pid;

    for (char *const *extra = runner->extra; *extra && n < CASE_ARGS; extra++)
        argv[n++] = *extra;
    memcpy(argv + n, c->args, (size_t)c->nargs * sizeof *argv);
    pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        if (!freopen("/dev/null", "r", stdin) || !freopen(out, "w", stdout) ||
            !freopen(err, "w", stderr) || chdir(work) != 0)
            _exit(126);
        alarm((unsigned)runner->seconds);
        execv(runner->program, argv);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) < 0)
        die("waitpid");
    return status;
}

static void check_status(const Case *c, int status, Text *report)
{
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    char *line = NULL;

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        line = format("ran past its time\n");
    else if (WIFSIGNALED(status))
        line = format("ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (code == SANITIZER_STATUS)
        line = format("a sanitizer reported\n");
    else if (c->exit_status == EXIT_NOT_ZERO ? code == 0 : code != c->exit_status)
        line = format(c->exit_status == EXIT_NOT_ZERO ? "exit status %d, expected another\n"
                                                      : "exit status %d, expected %d\n",
                      code, c->exit_status);
    if (line)
        text_add(report, line, strlen(line));
    free(line);
}

static bool text_agrees(const Case *c, const Text *printed, const Text *expected)
{
    if (c->rounding)
        return text_same_numbers(printed, expected);
    return printed->size == expected->size &&
           (printed->size == 0 || memcmp(printed->data, expected->data, printed->size) == 0);
}

static void check_output(const Case *c, const char *out, const char *scratch, Text *report)
{
    Text printed, expected = {0};
    char *wanted = format("%s/expected", scratch);
    char *command = format("diff -u --label expected --label printed %s %s", wanted, out);
    char line[4096];
    FILE *diff;

    if (!text_read(out, &printed))
        die(out);
    text_add(&expected, c->expected.data ? c->expected.data : "", c->expected.size);
    if (c->trim) {
        text_trim(&printed);
        text_trim(&expected);
        text_write(out, &printed);
    }
    if (!text_agrees(c, &printed, &expected)) {
        text_write(wanted, &expected);
        diff = popen(command, "r");
        while (diff && fgets(line, sizeof line, diff))
            text_add(report, line, strlen(line));
        if (diff)
            pclose(diff);
    }
    free(printed.data);
    free(expected.data);
    free(wanted);
    free(command);
}

/* What of the regular expressions `text` does not match goes to the report; of those after a `!`,
 * what it does match. */
static void check_patterns(char *const *patterns, int count, const char *where, const Text *text,
                           Text *report)
{
    for (int i = 0; i < count; i++) {
        const bool absent = patterns[i][0] == '!';
        char *line = NULL;
        regex_t regex;

        if (regcomp(&regex, patterns[i] + absent, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) != 0) {
            line = format("not a regular expression: %s\n", patterns[i]);
        } else {
            if ((regexec(&regex, text->data, 0, NULL, 0) != 0) != absent)
                line = format("%s %s: %s\n", where, absent ? "matches" : "does not match",
                              patterns[i] + absent);
            regfree(&regex);
        }
        if (line)
            text_add(report, line, strlen(line));
        free(line);
    }
}

static void check_errors(const Case *c, const Text *printed, Text *report)
{
    if (c->exit_status == EXIT_NOT_ZERO && printed->size == 0)
        text_add(report, "nothing on standard error\n", 26);
    check_patterns(c->errors, c->nerrors, "standard error", printed, report);
}

static void check_matches(const Case *c, const char *out, Text *report)
{
    Text printed = {0};

    if (c->nmatches && text_read(out, &printed))
        check_patterns(c->matches, c->nmatches, "standard output", &printed, report);
    free(printed.data);
}

/* Runs the program in a prepared scratch folder; what is wrong goes to the report. */
static void check(const Runner *runner, const Case *c, const char *scratch, Text *report)
{
    char *work = format("%s/work", scratch), *out = format("%s/stdout", scratch),
         *err = format("%s/stderr", scratch);
    char *script = format("%s/%s", work, c->file), *data = format("%s/data", work);
    Text errors;
    int status;

    copy_folder(c->folder, work, c->file);
    if (c->script.data)
        text_write(script, &c->script);
    if (symlink(runner->data, data) != 0)
        die(data);
    status = run_program(runner, c, work, out, err);
    check_status(c, status, report);
    check_matches(c, out, report);
    if (c->has_expected)
        check_output(c, out, scratch, report);
    if (!text_read(err, &errors))
        die(err);
    check_errors(c, &errors, report);
    if (report->size > 0 && errors.size > 0) {
        text_add(report, "standard error:\n", 16);
        text_add(report, errors.data, errors.size);
    }
    free(errors.data);
    free(data);
    free(script);
    free(err);
    free(out);
    free(work);
}

static int run_case(const Runner *runner, const Case *c)
{
    const char *tmp = getenv("TMPDIR");
    char *scratch = format("%s/matloom-test-XXXXXX", tmp ? tmp : "/tmp"), *message;
    Text report = {0};
    int verdict;

    if (!mkdtemp(scratch))
        die(scratch);
    check(runner, c, scratch, &report);
    nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    verdict = report.size > 0 ? (c->pending ? PENDING : FAILED) : (c->pending ? FAILED : PASSED);
    if (verdict == FAILED) {
        message = format("FAILED %s\n%s\n", c->name,
                         c->pending ? "holds now, but is listed as pending" : report.data);
        if (write(STDOUT_FILENO, message, strlen(message)) < 0)
            perror("write");
        free(message);
    }
    free(report.data);
    free(scratch);
    return verdict;
}

/* ---- all cases */

static int wait_for_one(void)
{
    int status;

    if (wait(&status) < 0)
        die("wait");
    return WIFEXITED(status) && WEXITSTATUS(status) < VERDICTS ? WEXITSTATUS(status) : FAILED;
}

int cases_run(const Runner *runner, const CaseList *list)
{
    int verdicts[VERDICTS] = {0}, running = 0;
    pid_t pid;

    for (size_t i = 0; i < list->count; i++) {
        if (runner->word && !strstr(list->items[i].name, runner->word))
            continue;
        if (running == runner->jobs)
            verdicts[wait_for_one()]++, running--;
        pid = fork();
        if (pid < 0)
            die("fork");
        if (pid == 0)
            _exit(run_case(runner, &list->items[i]));
        running++;
    }
    for (; running > 0; running--)
        verdicts[wait_for_one()]++;
    printf("%s: %d passed, %d failed", runner->title, verdicts[PASSED], verdicts[FAILED]);
    if (verdicts[PENDING] > 0)
        printf(", %d pending", verdicts[PENDING]);
    puts("");
    return verdicts[FAILED] != 0;
}
