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

static const char ROOT[] = "/sys/fs/cgroup";

/* The path of this process' group after `key` in /proc/self/cgroup: "0::" (version 2), ":memory:"
 * ...  Empty when it is the root or unknown. */
static void group_path(const char *key, char path[PATH_SIZE])
{
    char text[4096], *line, *end;

    path[0] = '\0';
    if (!read_small("/proc/self/cgroup", text, sizeof text) || !(line = strstr(text, key)))
        return;
    line += strlen(key);
    end = strchr(line, '\n');
    if (end)
        *end = '\0';
    if (line[0] == '/' && line[1])
        snprintf(path, PATH_SIZE, "%s", line);
}

typedef void (*GroupVisit)(const char *folder, int64_t *limit);

/* Visit a tree's group and all its ancestors up to the root: each may limit further.  Inside a
 * container the group's own path may be hidden; then only the root is there, and is the group. */
static void visit_groups(const char *tree, const char *key, GroupVisit visit, int64_t *limit)
{
    char path[PATH_SIZE], folder[2 * PATH_SIZE];
    char *slash;

    group_path(key, path);
    do {
        snprintf(folder, sizeof folder, "%s%s%s", ROOT, tree, path);
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

int machine_cpus(void)
{
    int64_t limit = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        limit = CPU_COUNT(&set);
    visit_groups("", "0::", visit_cpu, &limit);
    visit_groups("/cpu", ":cpu:", visit_cpu, &limit);
    visit_groups("/cpu", ":cpu,cpuacct:", visit_cpu, &limit);
    return limit < 1 ? 1 : (int)limit;
}

size_t machine_memory(void)
{
    int64_t limit = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

    visit_groups("", "0::", visit_memory, &limit);
    visit_groups("/memory", ":memory:", visit_memory, &limit);
    return limit > 0 ? (size_t)limit : SIZE_MAX;
}
