#include "census.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(struct census_list *list, const char *line)
{
    if (list->count < CENSUS_LINES)
        snprintf(list->lines[list->count++], CENSUS_LINE_BYTES, "%s", line);
}

static void take_descriptors(struct census_list *list)
{
    list->count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return;
    int own = dirfd(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char target[96] = "", line[CENSUS_LINE_BYTES];
        int  number = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || number == own)
            continue;
        ssize_t length = readlinkat(own, entry->d_name, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        snprintf(line, sizeof line, "descriptor %d -> %s", number, target);
        add(list, line);
    }
    closedir(directory);
}

/*
 * Only what is shared, or made from a memfd: heaps and stacks may grow as they like. The kernel may split one mapping
 * into several lines when parts get another protection, so adjacent lines of one file count once.
 */
static void take_mappings(struct census_list *list)
{
    list->count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL)
        return;
    char          text[512], last_device_and_inode[64] = "";
    unsigned long last_end = 0;
    while (fgets(text, sizeof text, maps) != NULL) {
        unsigned long start, end, inode;
        char          mode[8], device[16], name[256] = "", key[64], line[CENSUS_LINE_BYTES];
        int           fields = sscanf(text, "%lx-%lx %7s %*x %15s %lu %255[^\n]",
                                      &start, &end, mode, device, &inode, name);
        if (fields < 5 || (mode[3] != 's' && strstr(name, "memfd:") == NULL))
            continue;
        snprintf(key, sizeof key, "%s %lu", device, inode);
        if (start != last_end || strcmp(key, last_device_and_inode) != 0) {
            snprintf(line, sizeof line, "shared mapping at %lx, %.16s, inode %lu, %.80s", start, mode, inode, name);
            add(list, line);
        }
        last_end = end;
        memcpy(last_device_and_inode, key, sizeof key);
    }
    fclose(maps);
}

void census_take(struct census *census)
{
    take_mappings(&census->mappings);
    take_descriptors(&census->descriptors);
}

static bool has(const struct census_list *list, const char *line)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->lines[i], line) == 0)
            return true;
    return false;
}

static int compare(const struct census_list *before, const struct census_list *after)
{
    int differences = 0;
    for (int i = 0; i < after->count; i++)
        if (!has(before, after->lines[i]) && ++differences)
            printf("left behind: %s\n", after->lines[i]);
    for (int i = 0; i < before->count; i++)
        if (!has(after, before->lines[i]) && ++differences)
            printf("gone: %s\n", before->lines[i]);
    return differences;
}

int census_compare(const struct census *before, const struct census *after)
{
    return compare(&before->descriptors, &after->descriptors) + compare(&before->mappings, &after->mappings);
}

/* State and parent stand behind the name, which is in parentheses and may itself contain any of these characters. */
static bool read_stat(const char *pid, char *state, pid_t *parent)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0)
        return false;
    text[length] = '\0';
    const char *rest = strrchr(text, ')');
    return rest != NULL && sscanf(rest + 1, " %c %d", state, parent) == 2;
}

/* By asking every process for its parent: /proc/PID/task/TID/children is not there in every kernel. */
int census_children(void)
{
    int  count = 0;
    DIR *directory = opendir("/proc");
    if (directory == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char  state;
        pid_t parent;
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && read_stat(entry->d_name, &state, &parent))
            count += parent == getpid();
    }
    closedir(directory);
    return count;
}

char census_process_state(pid_t pid)
{
    char  name[16], state = 0;
    pid_t parent;
    snprintf(name, sizeof name, "%d", (int)pid);
    return read_stat(name, &state, &parent) ? state : 0;
}
