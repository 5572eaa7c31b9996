#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES_MAX = 8192, KILL_ROUNDS = 10000 };

struct process {
    pid_t pid, parent;
    char  state;
    char  name[32];
    bool  is_ours;
};

static bool read_file(const char *pid, const char *name, char *text, size_t bytes)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, text, bytes - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static bool read_process(const char *pid, struct process *process)
{
    char text[512];
    if (!read_file(pid, "stat", text, sizeof text))
        return false;
    /* The name may contain anything, parentheses too: it ends at the last one. */
    char *name = strchr(text, '('), *rest = strrchr(text, ')');
    if (name == NULL || rest == NULL || sscanf(rest + 1, " %c %d", &process->state, &process->parent) != 2)
        return false;
    *rest = '\0';
    process->pid = atoi(pid);
    process->is_ours = false;
    snprintf(process->name, sizeof process->name, "%.31s", name + 1);
    return true;
}

static int read_all(struct process *all)
{
    int  count = 0;
    DIR *directory = opendir("/proc");
    if (directory == NULL)
        return 0;
    for (struct dirent *entry; count < PROCESSES_MAX && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            count += read_process(entry->d_name, &all[count]);
    closedir(directory);
    return count;
}

static bool is_parent_ours(const struct process *all, int count, pid_t parent)
{
    if (parent == getpid())
        return true;
    for (int i = 0; i < count; i++)
        if (all[i].pid == parent)
            return all[i].is_ours;
    return false;
}

/* Marks children, then theirs, and so on until a round finds no more. */
static int find_ours(struct process *all)
{
    int count = read_all(all);
    for (bool has_more = true; has_more;) {
        has_more = false;
        for (int i = 0; i < count; i++)
            if (!all[i].is_ours && is_parent_ours(all, count, all[i].parent))
                has_more = all[i].is_ours = true;
    }
    return count;
}

int descendants_print(FILE *out, const char *prefix)
{
    static struct process all[PROCESSES_MAX];
    int                   count = find_ours(all), living = 0;
    for (int i = 0; i < count; i++) {
        char pid[16], where[64] = "";
        if (!all[i].is_ours || all[i].state == 'Z')
            continue;
        snprintf(pid, sizeof pid, "%d", (int)all[i].pid);
        read_file(pid, "wchan", where, sizeof where);
        fprintf(out, "%s %d (%s), state %c, in %s\n", prefix, (int)all[i].pid, all[i].name, all[i].state,
                *where == '\0' || *where == '0' ? "user code" : where);
        living++;
    }
    return living;
}

/* Again and again, since what is killed may have forked just before; its orphans come home to this subreaper. */
bool descendants_kill(void)
{
    static struct process all[PROCESSES_MAX];
    for (int round = 0; round < KILL_ROUNDS; round++) {
        int count = find_ours(all);
        for (int i = 0; i < count; i++)
            if (all[i].is_ours && all[i].state != 'Z')
                kill(all[i].pid, SIGKILL);
        while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
            ;
        if (waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return false;
}
