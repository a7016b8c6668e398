/* machine: the clock, and what of the machine this process may use.
 *
 * A container sees all CPUs and all memory in /proc; what it was granted stands in the files of its
 * control group: version 2 in one tree, where each ancestor may limit further, version 1 in a tree
 * for each resource.  Unreadable or unlimited files mean no limit. */
#include "base/base.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 1024 };

int64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The start of a small file as text; false when it cannot be read. */
static bool read_small(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (fd >= 0)
        close(fd);
    if (got < 0)
        return false;
    text[got] = '\0';
    return true;
}

/* Up to two numbers that open a file; returns how many there are ("max" is none). */
static int read_numbers(const char *folder, const char *file, int64_t n[2])
{
    char path[2 * PATH_SIZE + 64], text[128];
    const char *s = text;
    int count = 0;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (!read_small(path, text, sizeof text))
        return 0;
    while (count < 2) {
        size_t digits = strspn(s, "0123456789");

        if (!num_parse_int64(s, s + digits, &n[count]))
            break;
        count++;
        s += digits + strspn(s + digits, " \n");
    }
    return count;
}

/* Is `name` one of the words between the first two colons of a line ID:WORD,WORD:PATH? */
static bool has_controller(const char *line, const char *name)
{
    const char *word = strchr(line, ':');
    const size_t size = strlen(name);

    while (word && *word != '\0') {
        const size_t n = strcspn(++word, ",:");

        if (n == size && memcmp(word, name, n) == 0)
            return true;
        word = word[n] == ',' ? word + n : NULL;
    }
    return false;
}

/* The path of this process' group for a controller, "" for version 2, as the file `self` lists it.
 * Empty when it is the root or unknown. */
static void group_path(const char *self, const char *controller, char path[PATH_SIZE])
{
    char text[4096], *line = text, *end;

    path[0] = '\0';
    if (!read_small(self, text, sizeof text))
        return;
    for (; line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (has_controller(line, controller)) {
            line = strchr(strchr(line, ':') + 1, ':');
            if (line && line[1] == '/' && line[2])
                snprintf(path, PATH_SIZE, "%s", line + 1);
            return;
        }
    }
}

typedef void (*GroupVisit)(const char *folder, int64_t *limit);

/* Visit a tree's group and all its ancestors up to the root: each may limit further.  Inside a
 * container the group's own path may be hidden; then only the root is there, and is the group. */
static void visit_groups(const CgroupFiles *files, const char *controller, GroupVisit visit,
                         int64_t *limit)
{
    char path[PATH_SIZE], folder[2 * PATH_SIZE];
    char *slash;

    group_path(files->self, controller, path);
    do {
        snprintf(folder, sizeof folder, "%s%s%s%s", files->root, *controller ? "/" : "", controller,
                 path);
        visit(folder, limit);
        slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    } while (slash);
}

static void lower(int64_t *limit, int64_t value)
{
    if (value > 0 && value < *limit)
        *limit = value;
}

static void lower_cpus(int64_t *limit, int64_t quota, int64_t period)
{
    if (quota > 0 && period > 0)
        lower(limit, (quota + period - 1) / period);
}

static void visit_cpu(const char *folder, int64_t *limit)
{
    int64_t n[2], quota[2], period[2];

    if (read_numbers(folder, "cpu.max", n) == 2)
        lower_cpus(limit, n[0], n[1]);
    if (read_numbers(folder, "cpu.cfs_quota_us", quota) &&
        read_numbers(folder, "cpu.cfs_period_us", period))
        lower_cpus(limit, quota[0], period[0]);
}

static void visit_memory(const char *folder, int64_t *limit)
{
    int64_t n[2];

    if (read_numbers(folder, "memory.max", n) || read_numbers(folder, "memory.limit_in_bytes", n))
        lower(limit, n[0]);
}

int64_t cgroup_cpus(const CgroupFiles *files)
{
    int64_t limit = INT64_MAX;

    visit_groups(files, "", visit_cpu, &limit);
    visit_groups(files, "cpu", visit_cpu, &limit);
    return limit;
}

int64_t cgroup_memory(const CgroupFiles *files)
{
    int64_t limit = INT64_MAX;

    visit_groups(files, "", visit_memory, &limit);
    visit_groups(files, "memory", visit_memory, &limit);
    return limit;
}

static const CgroupFiles system_files = {"/sys/fs/cgroup", "/proc/self/cgroup"};

int machine_cpus(void)
{
    int64_t limit = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        limit = CPU_COUNT(&set);
    lower(&limit, cgroup_cpus(&system_files));
    return limit < 1 ? 1 : (int)limit;
}

size_t machine_memory(void)
{
    int64_t limit = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

    lower(&limit, cgroup_memory(&system_files));
    return limit > 0 ? (size_t)limit : SIZE_MAX;
}
